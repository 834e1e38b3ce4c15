//! `hotline detect bench oracle`: how far from a reference's answers.

use crate::detect::configuration;
use crate::detect_bench_plot::{Series, log_log};
use crate::detect_tables::pair_encounter;
use hotline_airspace::{Metres, Seconds};
use hotline_detect::{Minima, OwnVertical, Relative, TimeVariable, Volume, WellClear};
use hotline_feeds::open;
use serde_json::{Value, json};
use std::path::Path;

/// A time that differs by less is not told apart in the plot, seconds.
const FLOOR: f64 = 1e-14;

/// Differences of times, and how many answers differ otherwise.
#[derive(Default)]
struct Errors {
    rows: usize,
    differ: usize,
    times: Vec<f64>,
}

impl Errors {
    fn add(&mut self, ours: Option<(f64, f64)>, theirs: Option<(f64, f64)>) {
        match (ours, theirs) {
            (None, None) => {}
            (Some(a), Some(b)) => self.times.extend([(a.0 - b.0).abs(), (a.1 - b.1).abs()]),
            _ => self.differ += 1,
        }
    }

    fn figures(&mut self) -> Value {
        self.times.sort_unstable_by(f64::total_cmp);
        let at =
            |share: f64| self.times.get((self.times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
        json!({
            "rows": self.rows, "answers_that_differ": self.differ, "times": self.times.len(),
            "median_s": at(0.5), "p99_s": at(0.99), "largest_s": self.times.last().copied().unwrap_or(0.0),
        })
    }

    /// Part of the times whose difference is larger, against the difference.
    fn series(&self, name: &str) -> Series {
        let count = self.times.len().max(1) as f64;
        let step = (self.times.len() / 400).max(1);
        let points = self.times.iter().enumerate().step_by(step);
        let points = points.map(|(i, t)| (t.max(FLOOR), (count - i as f64) / count)).collect();
        Series { name: name.to_owned(), points, dots: false }
    }
}

type Table = csv::Reader<Box<dyn std::io::Read>>;

fn table(path: &Path) -> Result<Table, String> {
    Ok(csv::Reader::from_reader(open(path).map_err(|e| e.to_string())?))
}

fn interval(record: &csv::StringRecord, from: usize) -> Option<(f64, f64)> {
    Some((record.get(from)?.parse().ok()?, record.get(from + 1)?.parse().ok()?))
}

fn relative(folder: &Path) -> Result<Vec<(String, Errors)>, String> {
    let family = |variable, tcoa| {
        WellClear::new(
            variable,
            Metres::new(1219.2),
            Metres::new(137.16),
            Seconds::new(35.0),
            Seconds::new(tcoa),
        )
        .map(Volume::from)
        .map_err(|e| e.to_string())
    };
    let cylinder = Minima::new(Metres::new(9260.0), Metres::new(304.8)).map_err(|e| e.to_string())?;
    let volumes = [
        ("taumod", family(TimeVariable::TauMod, 0.0)?),
        ("tcpa", family(TimeVariable::Tcpa, 20.0)?),
        ("tep", family(TimeVariable::Tep, 20.0)?),
        ("cylinder", Volume::from(cylinder)),
    ];
    let mut all: Vec<(String, Errors)> =
        volumes.iter().map(|(n, _)| ((*n).to_owned(), Errors::default())).collect();
    let own = OwnVertical::default();
    for record in table(&folder.join("relative.csv.gz"))?.records() {
        let record = record.map_err(|e| e.to_string())?;
        let number = |i: usize| record.get(i).and_then(|c| c.parse::<f64>().ok()).ok_or("not a number");
        let s = [number(0)?, number(1)?, number(2)?];
        let v = [number(3)?, number(4)?, number(5)?];
        let pair = Relative::new(s, v).map_err(|e| e.to_string())?;
        for (index, (_, volume)) in volumes.iter().enumerate() {
            let errors = &mut all[index].1;
            errors.rows += 1;
            let first = 8 + 4 * index;
            errors.differ += usize::from(volume.violated(&pair, own) != (record.get(first) == Some("1")));
            let found = volume
                .violation(&pair, own, Seconds::new(number(6)?), Seconds::new(number(7)?))
                .map_err(|e| e.to_string())?;
            errors.add(found.map(|f| (f.enters.get(), f.leaves.get())), interval(&record, first + 2));
        }
    }
    Ok(all)
}

fn pairs(folder: &Path) -> Result<Vec<(String, Errors)>, String> {
    let sets = [
        ("do365b_no_sum", "DO_365B_no_SUM"),
        ("do365a_no_sum", "DO_365A_no_SUM"),
        ("nom_a", "Buffered_DWC_SC_228_nom_a"),
        ("cd3d", "CD3D"),
        ("tcas3d", "TCAS3D"),
    ];
    let mut all = Vec::new();
    for (name, file) in sets {
        let configuration = configuration(&folder.join(format!("configurations/{file}.conf")))?;
        let mut errors = Errors::default();
        let mut inputs = table(&folder.join("pairs_in.csv.gz"))?;
        let mut answers = table(&folder.join(format!("pairs_out_{name}.csv.gz")))?;
        for (input, answer) in inputs.records().zip(answers.records()) {
            let (input, answer) = (input.map_err(|e| e.to_string())?, answer.map_err(|e| e.to_string())?);
            let cells: Vec<f64> = input.iter().filter_map(|c| c.parse().ok()).collect();
            let encounter = pair_encounter(&cells)?;
            errors.rows += 1;
            let level = configuration.alert_level(&encounter, 0).to_string();
            errors.differ += usize::from(answer.get(1) != Some(level.as_str()));
            let found = configuration.time_to_violation(&encounter, 0);
            errors.add(found.map(|f| (f.enters.get(), f.leaves.get())), interval(&answer, 2));
        }
        all.push((format!("pairs, {name}"), errors));
    }
    Ok(all)
}

/// Compares with the answers in a folder; gives the plot.
pub(crate) fn run(folder: &Path, figure: impl Fn(&str, &Value)) -> Result<String, String> {
    let mut all = relative(folder)?;
    let mut together = Errors::default();
    let mut series = Vec::new();
    for (name, errors) in &mut all {
        let figures = errors.figures();
        figure(&format!("against the oracle: {name}"), &figures);
        series.push(errors.series(name));
    }
    for (name, mut errors) in pairs(folder)? {
        let figures = errors.figures();
        figure(&format!("against the oracle: {name}"), &figures);
        together.times.append(&mut errors.times);
    }
    together.times.sort_unstable_by(f64::total_cmp);
    series.push(together.series("pairs (printed to 1e-9)"));
    Ok(log_log(
        "Difference of times from the reference",
        "difference, seconds",
        "part of the times that differ by more",
        &series,
    ))
}
