//! `hotline check`: conflicts in a recording.

use crate::Outcome;
use crate::say;
use clap::Args;
use hotline_airspace::{DatumConversions, Feet, NauticalMiles, Seconds, seconds_between, shifted};
use hotline_detect::{Kinematics, Minima, all_pairs};
use hotline_feeds::{Recording, Row, open};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;

/// Find the conflicts in a recording of traffic.
#[derive(Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example:\n  hotline check traffic.csv.gz --horizontal-nm 5 --vertical-ft 1000 --lookahead-s 120 --csv conflicts.csv\n\nThe file has the columns time_unix_s, icao24, callsign, lat_deg, lon_deg, alt_ft, gs_kt, trk_deg, vs_fpm, sorted by time;\n- reads standard input. At each step an aircraft's state is its latest report, dead-reckoned along its track.\nRows written: time_unix_s,a,b,in_s,out_s,tcpa_s,hmd_m,vmd_m; in and out are within the look-ahead, tcpa is the time of\nthe closest approach from then on (0 when already moving apart), hmd and vmd the distances at that time."
)]
pub(crate) struct Check {
    /// The recording, plain or gzipped
    file: PathBuf,
    /// Horizontal minimum, nautical miles
    #[arg(long, default_value_t = 5.0)]
    horizontal_nm: f64,
    /// Vertical minimum, feet
    #[arg(long, default_value_t = 1000.0)]
    vertical_ft: f64,
    /// Look-ahead, seconds (0 to 1200)
    #[arg(long, default_value_t = 120.0)]
    lookahead_s: f64,
    /// Time between two looks, seconds
    #[arg(long, default_value_t = 10.0)]
    step_s: f64,
    /// A report older than this is not used, seconds
    #[arg(long, default_value_t = 30.0)]
    max_age_s: f64,
    /// Write a row for every conflict at every step; - is standard output
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// A conflict of one pair over consecutive steps.
#[derive(Debug, Clone, serde::Serialize)]
struct Episode {
    a: String,
    b: String,
    from_unix_s: f64,
    to_unix_s: f64,
    steps: u64,
    least_hmd_m: f64,
    vmd_m: f64,
    violated: bool,
}

#[derive(Default)]
struct Found {
    rows: u64,
    steps: u64,
    aircraft: usize,
    open: BTreeMap<(String, String), Episode>,
    closed: Vec<Episode>,
}

/// The summary lists so many episodes.
const LISTED: usize = 10;

impl Check {
    pub(crate) fn run(self) -> Outcome {
        let minima =
            Minima::new(NauticalMiles::new(self.horizontal_nm).into(), Feet::new(self.vertical_ft).into())
                .map_err(|e| e.to_string())?;
        for (name, value, low, high) in [
            ("--lookahead-s", self.lookahead_s, 0.0, 1200.0),
            ("--step-s", self.step_s, 0.001, 86_400.0),
            ("--max-age-s", self.max_age_s, 0.0, 86_400.0),
        ] {
            if !(low..=high).contains(&value) {
                return Err(format!("{name} {value}: {low} to {high} is allowed"));
            }
        }
        let (rows, incomplete) = self.read()?;
        let mut out: Option<Box<dyn Write>> = match &self.csv {
            None => None,
            Some(path) if path.as_os_str() == "-" => Some(Box::new(BufWriter::new(std::io::stdout()))),
            Some(path) => {
                let file = File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
                Some(Box::new(BufWriter::new(file)))
            }
        };
        let failed = |e: std::io::Error| {
            crate::output::gone(&e);
            format!("writing the rows: {e}")
        };
        if let Some(out) = &mut out {
            writeln!(out, "time_unix_s,a,b,in_s,out_s,tcpa_s,hmd_m,vmd_m").map_err(failed)?;
        }
        let mut found = Found::default();
        self.look(&rows, &minima, &mut found, |row| match &mut out {
            Some(out) => writeln!(out, "{row}").map_err(failed),
            None => Ok(()),
        })?;
        if let Some(out) = &mut out {
            out.flush().map_err(failed)?;
        }
        found.closed.extend(std::mem::take(&mut found.open).into_values());
        found.closed.sort_by(|x, y| {
            x.from_unix_s.total_cmp(&y.from_unix_s).then_with(|| (&x.a, &x.b).cmp(&(&y.a, &y.b)))
        });
        self.report(&found, rows.len(), incomplete);
        Ok(true)
    }

    fn read(&self) -> Result<(Vec<Row>, u64), String> {
        let name = self.file.display();
        let mut recording = open(&self.file).and_then(Recording::read).map_err(|e| format!("{name}: {e}"))?;
        let progress = progress(None, "reading");
        let mut rows: Vec<Row> = Vec::new();
        for row in recording.by_ref() {
            let row = row.map_err(|e| format!("{name}: {e}"))?;
            if rows.last().is_some_and(|last| row.state.time() < last.state.time()) {
                return Err(format!(
                    "{name}: the report of {} at {} comes after a later one: sort the rows by time",
                    row.icao24,
                    row.state.time()
                ));
            }
            rows.push(row);
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok((rows, recording.incomplete()))
    }

    fn look(
        &self,
        rows: &[Row],
        minima: &Minima,
        found: &mut Found,
        mut write: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        let (first, last) = (first.state.time(), last.state.time());
        let steps = (seconds_between(first, last).get() / self.step_s).floor() as u64;
        let (lookahead, max_age) = (Seconds::new(self.lookahead_s), Seconds::new(self.max_age_s));
        let none = DatumConversions::default();
        let progress = progress(Some(steps + 1), "looking");
        let mut latest: BTreeMap<&str, &Row> = BTreeMap::new();
        let mut next = 0;
        for step in 0..=steps {
            let time = shifted(first, Seconds::new(step as f64 * self.step_s));
            while let Some(row) = rows.get(next).filter(|r| r.state.time() <= time) {
                latest.insert(&row.icao24, row);
                next += 1;
            }
            found.aircraft = found.aircraft.max(latest.len());
            let fresh = latest.values().filter(|r| seconds_between(r.state.time(), time) <= max_age);
            let (names, states): (Vec<&str>, Vec<Kinematics>) =
                fresh.map(|r| (r.icao24.as_str(), Kinematics::new(&r.state.dead_reckoned(time)))).unzip();
            for (i, j, met) in all_pairs(&states, minima, lookahead, &none) {
                let (violation, closest) = (met.violation, met.closest);
                let unix = unix(time);
                write(&format!(
                    "{unix},{},{},{:.3},{:.3},{:.3},{:.2},{:.2}",
                    names[i],
                    names[j],
                    violation.enters.get(),
                    violation.leaves.get(),
                    closest.time.get(),
                    closest.horizontal.get(),
                    closest.vertical.get(),
                ))?;
                found.note(
                    names[i],
                    names[j],
                    unix,
                    closest.horizontal.get(),
                    closest.vertical.get(),
                    violation.enters.get() == 0.0,
                );
            }
            found.close_before(unix(time));
            progress.inc(1);
        }
        found.steps = steps + 1;
        found.aircraft = rows.iter().map(|r| &r.icao24).collect::<std::collections::BTreeSet<_>>().len();
        progress.finish_and_clear();
        Ok(())
    }

    fn report(&self, found: &Found, used: usize, incomplete: u64) {
        let pairs: std::collections::BTreeSet<_> = found.closed.iter().map(|e| (&e.a, &e.b)).collect();
        let violated = found.closed.iter().filter(|e| e.violated).count();
        if self.json {
            say!(
                "{:#}",
                json!({
                    "reports_used": used,
                    "reports_skipped": incomplete,
                    "aircraft": found.aircraft,
                    "steps": found.steps,
                    "rows": found.rows,
                    "pairs": pairs.len(),
                    "episodes": found.closed,
                    "episodes_with_violation": violated,
                })
            );
            return;
        }
        // With rows on standard output, the summary must not be among them.
        let to_stdout = self.csv.as_ref().is_some_and(|p| p.as_os_str() == "-");
        let print = |text: String| if to_stdout { eprintln!("{text}") } else { say!("{text}") };
        print(format!(
            "{used} reports of {} aircraft used; {incomplete} without position, altitude, speed or track skipped",
            found.aircraft
        ));
        print(format!(
            "{} steps of {} s; minima {} nmi and {} ft, look-ahead {} s",
            found.steps, self.step_s, self.horizontal_nm, self.vertical_ft, self.lookahead_s
        ));
        print(format!(
            "{} rows, {} episodes of {} pairs; in {violated} of them the minima were violated at a step",
            found.rows,
            found.closed.len(),
            pairs.len()
        ));
        let mut closest: Vec<&Episode> = found.closed.iter().collect();
        closest.sort_by(|x, y| x.least_hmd_m.total_cmp(&y.least_hmd_m));
        if !closest.is_empty() {
            print(format!("the {} closest of them:", closest.len().min(LISTED)));
            print(format!("{:<20} {:>7}  {:<8} {:<8} {:>9} {:>7}", "from", "s", "a", "b", "hmd m", "vmd m"));
        }
        for e in closest.into_iter().take(LISTED) {
            let from = Timestamp::from_millisecond((e.from_unix_s * 1e3) as i64).unwrap_or_default();
            let span = e.to_unix_s - e.from_unix_s;
            print(format!(
                "{from:<20} {span:>7.0}  {:<8} {:<8} {:>9.0} {:>7.0}",
                e.a, e.b, e.least_hmd_m, e.vmd_m
            ));
        }
    }
}

/// Seconds since 1970 as the recording writes them.
fn unix(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / 1e6
}

impl Found {
    fn note(&mut self, a: &str, b: &str, time: f64, hmd: f64, vmd: f64, violated: bool) {
        self.rows += 1;
        let episode = self.open.entry((a.to_owned(), b.to_owned())).or_insert_with(|| Episode {
            a: a.to_owned(),
            b: b.to_owned(),
            from_unix_s: time,
            to_unix_s: time,
            steps: 0,
            least_hmd_m: hmd,
            vmd_m: vmd,
            violated: false,
        });
        (episode.to_unix_s, episode.steps, episode.violated) =
            (time, episode.steps + 1, episode.violated || violated);
        if hmd < episode.least_hmd_m {
            (episode.least_hmd_m, episode.vmd_m) = (hmd, vmd);
        }
    }

    /// Episodes that were not noted at this step are over.
    fn close_before(&mut self, time: f64) {
        let over: Vec<_> =
            self.open.iter().filter(|(_, e)| e.to_unix_s < time).map(|(k, _)| k.clone()).collect();
        self.closed.extend(over.into_iter().filter_map(|k| self.open.remove(&k)));
    }
}

/// A progress bar on a terminal, nothing elsewhere.
fn progress(of: Option<u64>, what: &'static str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(of, target);
    let style = if of.is_some() { "{msg} {bar:40} {pos}/{len} {eta}" } else { "{msg} {pos}" };
    bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
    bar.set_message(what);
    bar
}
