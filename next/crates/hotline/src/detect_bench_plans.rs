//! `hotline detect bench plans`: the index over plans.

use crate::detect_bench::Dice;
use hotline_airspace::{
    Altitude, AltitudeBand, Area, Datum, DatumConversions, Degrees, Metres, Position, Seconds, TimeInterval,
    Volume4, geodesy, shifted,
};
use hotline_detect::{Dilation, VolumeIndex, volumes_conflict};
use indicatif::{ProgressBar, ProgressDrawTarget};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Instant;

/// Volumes of an intent.
const VOLUMES: usize = 5;
/// Questions and insertions that are timed one by one.
const TIMED: usize = 20_000;

/// Five volumes along a flight of some kilometres, each in force for a few minutes of one day: half of them circles,
/// half of them four-sided. A third of the flights are in one of twenty cities of a country.
fn intent(dice: &mut Dice) -> Vec<Volume4> {
    let (mut lat, mut lon) = (dice.between(44.0, 53.0), dice.between(0.0, 13.0));
    if dice.between(0.0, 3.0) < 1.0 {
        let city = dice.between(0.0, 20.0).floor();
        lat = 44.5 + city * 0.4 + dice.between(-0.1, 0.1);
        lon = 0.5 + (city * 7.3) % 12.0 + dice.between(-0.15, 0.15);
    }
    let mut place = Position::new(Degrees::new(lat), Degrees::new(lon)).expect("in the country");
    let bearing = Degrees::new(dice.between(0.0, 360.0));
    let mut begin = shifted(Timestamp::UNIX_EPOCH, Seconds::new(1.7e9 + dice.between(0.0, 86_400.0)));
    let floor = dice.between(0.0, 90.0);
    let altitude = |metres| Altitude::new(Metres::new(metres), Datum::Ellipsoid).expect("low");
    (0..VOLUMES)
        .map(|number| {
            let size = dice.between(100.0, 800.0);
            let area = if number % 2 == 0 {
                Area::circle(place, Metres::new(size))
            } else {
                let corner =
                    |i: f64| geodesy::destination(place, Degrees::new(45.0 + 90.0 * i), Metres::new(size));
                Area::polygon([0.0, 1.0, 2.0, 3.0].map(corner).to_vec())
            };
            let end = shifted(begin, Seconds::new(dice.between(120.0, 600.0)));
            let volume = Volume4 {
                area: area.expect("an area"),
                altitude: AltitudeBand::new(altitude(floor), altitude(floor + 30.0)).expect("a band"),
                time: TimeInterval::new(begin, end).expect("an interval"),
            };
            place = geodesy::destination(place, bearing, Metres::new(size * 1.5));
            begin = end;
            volume
        })
        .collect()
}

/// Resident memory of this process, bytes.
fn resident() -> Result<u64, String> {
    let text = std::fs::read_to_string("/proc/self/statm").map_err(|e| format!("/proc/self/statm: {e}"))?;
    let pages =
        text.split(' ').nth(1).and_then(|p| p.parse::<u64>().ok()).ok_or("/proc/self/statm: no number")?;
    Ok(pages * 4096)
}

fn microseconds(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| (times[(times.len() as f64 * share) as usize] * 1e9).round() / 1e3;
    (at(0.5), at(0.99))
}

pub(crate) fn run(intents: usize, figure: impl Fn(&str, &Value)) -> Result<(), String> {
    let mut dice = Dice::new(11);
    let before = resident()?;
    let bar = ProgressBar::with_draw_target(Some(intents as u64), ProgressDrawTarget::stderr());
    let mut index: VolumeIndex<u32> = VolumeIndex::default();
    let mut inserting = 0.0;
    for key in 0..intents as u32 {
        let volumes = intent(&mut dice);
        let begin = Instant::now();
        index.insert(key, &volumes);
        inserting += begin.elapsed().as_secs_f64();
        if key % 1024 == 0 {
            bar.set_position(u64::from(key));
        }
    }
    bar.finish_and_clear();
    let memory = resident()?.saturating_sub(before) as f64 / intents as f64;
    let asked: Vec<Vec<Volume4>> = (0..TIMED).map(|_| intent(&mut dice)).collect();
    let dilation = Dilation::default();
    let mut offered = 0usize;
    let queries = asked.iter().map(|volumes| {
        let begin = Instant::now();
        for volume in volumes {
            offered += black_box(index.near(volume, &dilation)).len();
        }
        begin.elapsed().as_secs_f64()
    });
    let (query, query_p99) = microseconds(queries.collect());
    let inserts = (intents as u32..).zip(&asked).map(|(key, volumes)| {
        let begin = Instant::now();
        index.insert(key, volumes);
        begin.elapsed().as_secs_f64()
    });
    let (insert, insert_p99) = microseconds(inserts.collect());
    let removals = (intents as u32..).zip(&asked).map(|(key, _)| {
        let begin = Instant::now();
        index.remove(key);
        begin.elapsed().as_secs_f64()
    });
    let (remove, remove_p99) = microseconds(removals.collect());
    // The exact test of what the index offers, for the questions among themselves.
    let none = DatumConversions::default();
    let pairs: Vec<(&Volume4, &Volume4)> =
        asked.windows(2).take(2000).map(|w| (&w[0][0], &w[0][1])).collect();
    let begin = Instant::now();
    for (one, other) in &pairs {
        black_box(volumes_conflict(one, other, &dilation, &none));
    }
    let exact = begin.elapsed().as_secs_f64() / pairs.len() as f64;
    let figures = json!({
        "intents": intents, "volumes_each": VOLUMES,
        "query_us": query, "query_p99_us": query_p99,
        "insert_us": insert, "insert_p99_us": insert_p99, "mean_insert_us": (inserting / intents as f64 * 1e9).round() / 1e3,
        "remove_us": remove, "remove_p99_us": remove_p99,
        "bytes_an_intent": memory.round(), "offered_a_query": offered as f64 / TIMED as f64,
        "exact_test_us": (exact * 1e9).round() / 1e3,
    });
    figure("plans index (a query asks for an intent of five volumes)", &figures);
    Ok(())
}
