//! `hotline detect bench`: how fast detection is.

use crate::detect::configuration;
use crate::detect_bench_plot::{Series, log_log};
use crate::threads::Threads;
use crate::{Outcome, detect_bench_oracle, say};
use clap::{Args, ValueEnum};
use hotline_airspace::{
    Altitude, Datum, DatumConversions, Degrees, Feet, Metres, MetresPerSecond, NauticalMiles, Position,
    Seconds, TrackState,
};
use hotline_detect::daa::{Aircraft, Encounter, Kind, Place, Uncertainty, Workspace};
use hotline_detect::{
    Kinematics, Minima, PairSet, SizeClasses, Sized, all_pairs_brute_force, all_sized_pairs,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Alert level and guidance bands of a pair
    Daa,
    /// All pairs, and the incremental update
    Pairs,
    /// The index over plans
    Plans,
    /// Differences from a reference's answers
    Oracle,
}

/// Measure detection on this machine.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline detect bench --aircraft 100000\n  hotline detect bench daa --config DO_365B_no_SUM.conf\n  hotline detect bench --json > results.json\n\nAircraft of a made-up world: 1000 in 4 x 4 degrees, altitudes 0 to 12 km, speeds 60 to 260 m/s, a third of them\nclimbing or descending by up to 12 m/s. Each figure is the best of several runs, with the median beside it."
)]
pub(crate) struct DetectBench {
    /// What to measure; all when none is named
    part: Option<Part>,
    /// Aircraft for the pass over all pairs; several sizes when not given
    #[arg(long)]
    aircraft: Option<usize>,
    /// Look-ahead, seconds
    #[arg(long, default_value_t = 300.0)]
    lookahead_s: f64,
    /// Intents for the index over plans
    #[arg(long, default_value_t = 1_000_000)]
    intents: usize,
    /// A DO-365 configuration file for the bands
    #[arg(long)]
    config: Option<PathBuf>,
    /// Threads for the pass over all pairs; one for each core when not given
    #[arg(long)]
    threads: Option<usize>,
    /// Compare the pass with looking at every pair (quadratic)
    #[arg(long)]
    check: bool,
    /// A folder with a reference's answers (relative.csv.gz, pairs_in.csv.gz, pairs_out_*.csv.gz, configurations)
    #[arg(long)]
    oracle: Option<PathBuf>,
    /// Write the plots, as SVG, into this folder
    #[arg(long)]
    plots: Option<PathBuf>,
    /// Write a line of JSON for each figure
    #[arg(long)]
    json: bool,
}

/// Numbers from a fixed seed: the same world everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64, as a number from `low` to `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 * (high - low)
    }
}

impl DetectBench {
    pub(crate) fn run(self) -> Outcome {
        let wanted = |part| self.part.is_none_or(|p| p == part);
        if wanted(Part::Daa) {
            self.daa()?;
        }
        if wanted(Part::Pairs) {
            self.pairs()?;
        }
        if wanted(Part::Plans) {
            crate::detect_bench_plans::run(self.intents, |what, figures| self.figure(what, figures))?;
        }
        if wanted(Part::Oracle) {
            match &self.oracle {
                Some(folder) => {
                    let plot = detect_bench_oracle::run(folder, |what, figures| self.figure(what, figures))?;
                    self.plot("oracle-error.svg", &plot)?;
                }
                None => eprintln!("hotline: no --oracle: nothing is compared with a reference"),
            }
        }
        Ok(true)
    }

    /// Writes one result.
    fn figure(&self, what: &str, figures: &Value) {
        if self.json {
            say!("{}", json!({ "what": what, "figures": figures }));
            return;
        }
        let list = figures.as_object().into_iter().flatten();
        let text: Vec<String> = list.map(|(name, value)| format!("{name} {value}")).collect();
        say!("{what}: {}", text.join(", "));
    }

    fn plot(&self, name: &str, svg: &str) -> Result<(), String> {
        let Some(folder) = &self.plots else { return Ok(()) };
        let path = folder.join(name);
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        std::fs::write(&path, svg).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn daa(&self) -> Result<(), String> {
        let Some(path) = &self.config else {
            eprintln!("hotline: no --config: alert level and bands of a pair are not measured");
            return Ok(());
        };
        let configuration = configuration(path)?;
        let mut dice = Dice::new(7);
        let states: Vec<[Aircraft; 2]> = (0..2000).map(|_| encounter(&mut dice)).collect();
        let mut met = Encounter::default();
        let mut set =
            |pair: &[Aircraft; 2]| met.set(&pair[0], &pair[1..], [0.0; 3]).map_err(|e| e.to_string());
        set(&states[0])?;
        let prepared: Vec<Encounter> = states
            .iter()
            .map(|p| Encounter::new(&p[0], &p[1..], [0.0; 3]))
            .collect::<Result<_, _>>()
            .map_err(|e| e.to_string())?;
        let alerting = prepared.iter().filter(|e| configuration.alert_level(e, 0) > 0).count();
        let from_states = best(20, || {
            for pair in &states {
                let _ = black_box(met.set(&pair[0], &pair[1..], [0.0; 3]));
                black_box(configuration.alert_level(&met, 0));
            }
        });
        let alone = best(20, || {
            prepared.iter().for_each(|e| {
                black_box(configuration.alert_level(e, 0));
            });
        });
        let per = |time: f64, count: usize| (time * 1e9 / count as f64).round() / 1000.0;
        let figures = json!({
            "pairs": states.len(), "alerting": alerting,
            "us_from_positions": per(from_states.0, states.len()), "us_in_plane": per(alone.0, states.len()),
            "median_us_from_positions": per(from_states.1, states.len()),
        });
        self.figure("alert level of a pair", &figures);
        let mut workspace = Workspace::default();
        for (what, chosen) in [
            ("all four bands of a pair", prepared.iter().collect::<Vec<_>>()),
            (
                "all four bands of a pair that alerts",
                prepared.iter().filter(|e| configuration.alert_level(e, 0) > 0).collect(),
            ),
        ] {
            let time = best(7, || {
                for encounter in &chosen {
                    for kind in Kind::ALL {
                        black_box(configuration.guidance(encounter, kind, &mut workspace));
                    }
                }
            });
            let figures = json!({ "pairs": chosen.len(), "us": per(time.0, chosen.len()), "median_us": per(time.1, chosen.len()) });
            self.figure(what, &figures);
        }
        Ok(())
    }

    fn pairs(&self) -> Result<(), String> {
        let minima = Minima::new(NauticalMiles::new(5.0).into(), Feet::new(1000.0).into()).expect("above 0");
        let (classes, none) = (SizeClasses::from(minima), DatumConversions::default());
        let lookahead = Seconds::new(self.lookahead_s);
        let threads = self.threads.map_or_else(Threads::all, Threads);
        let sizes = match self.aircraft {
            Some(size) => vec![size],
            None => vec![1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
        };
        let (mut sweep, mut one_by_one) = (Vec::new(), Vec::new());
        for size in sizes {
            let world = world(size, 1);
            let mut found = Vec::new();
            let time = best(if size > 200_000 { 5 } else { 15 }, || {
                found = all_sized_pairs(&world, &classes, lookahead, &none, &threads);
            });
            let mut figures = json!({
                "aircraft": size, "threads": threads.0, "pairs": found.len(),
                "ms": (time.0 * 1e6).round() / 1e3, "median_ms": (time.1 * 1e6).round() / 1e3,
            });
            if self.check {
                let states: Vec<Kinematics> = world.iter().map(|(k, _)| *k).collect();
                let all = all_pairs_brute_force(&states, &minima, lookahead, &none);
                figures["same_as_brute_force"] = json!(all == found);
            }
            self.figure("all pairs", &figures);
            sweep.push((size as f64, time.0));
            if size <= 10_000 {
                let states: Vec<Kinematics> = world.iter().map(|(k, _)| *k).collect();
                let time = best(3, || {
                    black_box(all_pairs_brute_force(&states, &minima, lookahead, &none));
                });
                self.figure(
                    "every pair, one by one",
                    &json!({ "aircraft": size, "ms": (time.0 * 1e6).round() / 1e3 }),
                );
                one_by_one.push((size as f64, time.0));
            }
        }
        self.incremental(&classes, lookahead);
        let series =
            |name: &str, points: Vec<(f64, f64)>, dots| Series { name: name.to_owned(), points, dots };
        let plot = log_log(
            "All pairs in conflict within 300 s",
            "aircraft, at constant density",
            "seconds",
            &[
                series(&format!("Hotline, {} threads", threads.0), sweep, false),
                series("every pair, one by one", one_by_one, false),
                // Measured on a 2-core machine like ours, by others than us.
                series("BlueSky 1.1.1 (compiled)", vec![(1e3, 0.030), (4e3, 0.45), (1e4, 2.77)], true),
            ],
        );
        self.plot("all-pairs.svg", &plot)
    }
}

impl DetectBench {
    /// For a hundredth of the aircraft a new report comes in: five seconds later, turned by up to 10 degrees.
    fn incremental(&self, classes: &SizeClasses, lookahead: Seconds) {
        let size = self.aircraft.unwrap_or(100_000);
        let now = world(size, 1);
        let mut dice = Dice::new(3);
        let later: Vec<Sized> = now
            .iter()
            .map(|(state, class)| {
                let turned = state.turned(Degrees::new(dice.between(-10.0, 10.0)));
                (turned.advanced(Seconds::new(5.0)), *class)
            })
            .collect();
        let mut set = PairSet::new(classes.clone(), lookahead, DatumConversions::default());
        let begin = Instant::now();
        (0u32..).zip(&now).for_each(|(number, state)| set.update(number, *state));
        let built = begin.elapsed().as_secs_f64();
        let changed = (size / 100).max(1);
        let mut round = 0;
        let time = best(20, || {
            for step in 0..changed {
                let number = (round * changed + step) * 37 % size;
                set.update(number as u32, later[number]);
            }
            round += 1;
        });
        let figures = json!({
            "aircraft": size, "changed": changed, "pairs": set.pairs().len(),
            "ms": (time.0 * 1e6).round() / 1e3, "median_ms": (time.1 * 1e6).round() / 1e3,
            "built_ms": (built * 1e3).round(),
        });
        self.figure("incremental update", &figures);
    }
}

/// The best and the median time of some runs, seconds.
pub(crate) fn best(runs: usize, mut work: impl FnMut()) -> (f64, f64) {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let begin = Instant::now();
            work();
            begin.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

/// A pair that meets, nearly meets or does not, in about equal parts.
fn encounter(dice: &mut Dice) -> [Aircraft; 2] {
    let aircraft = |x: f64, y: f64, altitude: f64, velocity: [f64; 3]| Aircraft {
        place: Place::Geodetic { latitude: 0.8 + y / 6.37e6, longitude: 0.1 + x / (6.37e6 * 0.8f64.cos()) },
        altitude,
        velocity,
        alerter: 1,
        uncertainty: Uncertainty::default(),
    };
    let velocity = |dice: &mut Dice| {
        let (sin, cos) = dice.between(0.0, std::f64::consts::TAU).sin_cos();
        let speed = dice.between(40.0, 260.0);
        let climb = if dice.between(0.0, 1.0) < 0.7 { 0.0 } else { dice.between(-12.0, 12.0) };
        [speed * sin, speed * cos, climb]
    };
    let (a, b) = (velocity(dice), velocity(dice));
    let (time, miss) = (dice.between(5.0, 160.0), dice.between(0.0, 6000.0));
    let (sin, cos) = dice.between(0.0, std::f64::consts::TAU).sin_cos();
    let altitude = dice.between(1000.0, 12_000.0);
    let own = aircraft(0.0, 0.0, altitude, a);
    let other = aircraft(
        (a[0] - b[0]) * time + miss * sin,
        (a[1] - b[1]) * time + miss * cos,
        altitude + (a[2] - b[2]) * time + dice.between(-400.0, 400.0),
        b,
    );
    [own, other]
}

/// Aircraft at a constant density of 1000 in 4 x 4 degrees (of arc, both ways), from the equator outwards.
pub(crate) fn world(count: usize, seed: u64) -> Vec<Sized> {
    let mut dice = Dice::new(seed);
    let side = (count as f64 / 1000.0).sqrt() * 4.0;
    let half = (side / 2.0).min(80.0);
    // As wide as it takes: the density is that of the equator everywhere.
    let area = side * side;
    let height = 2.0 * half.to_radians().sin().to_degrees();
    let width = (area / height).min(360.0);
    let make = || {
        let sin = dice.between(-half.to_radians().sin(), half.to_radians().sin());
        let position = Position::new(
            Degrees::new(sin.asin().to_degrees()),
            Degrees::new(dice.between(-width / 2.0, width / 2.0)),
        );
        let climb = if dice.between(0.0, 1.0) < 2.0 / 3.0 { 0.0 } else { dice.between(-12.0, 12.0) };
        let state = TrackState::new(
            Timestamp::UNIX_EPOCH,
            position.expect("on the globe"),
            Altitude::new(Metres::new(dice.between(0.0, 12_000.0)), Datum::Barometric).expect("in the air"),
            MetresPerSecond::new(dice.between(60.0, 260.0)),
            Degrees::new(dice.between(0.0, 360.0)),
            MetresPerSecond::new(climb),
        );
        (Kinematics::new(&state.expect("flies")), 0)
    };
    std::iter::repeat_with(make).take(count).collect()
}
