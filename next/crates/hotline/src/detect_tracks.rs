//! `hotline detect tracks`: which reports of a recording are not to be believed, and why.

use crate::detect::Rows;
use crate::{Outcome, say};
use clap::Args;
use hotline_detect::{Envelope, Implausible, TrackCheck};
use hotline_feeds::{Recording, open};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Find the reports of a recording that cannot be believed.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline detect tracks traffic.csv.gz\n  hotline detect tracks traffic.csv.gz --csv > implausible.csv\n\nThe file has the columns of hotline check. Exit code 1 when a report was flagged."
)]
pub(crate) struct Tracks {
    /// The recording, plain or gzipped
    file: PathBuf,
    /// Write time_unix_s,icao24,reasons for each flagged report
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// A run of flagged reports of one aircraft.
#[derive(serde::Serialize)]
struct Run {
    icao24: String,
    from_unix_s: f64,
    to_unix_s: f64,
    reports: u64,
    reasons: Vec<String>,
}

impl Tracks {
    pub(crate) fn run(self) -> Outcome {
        let refused = |e: &dyn std::fmt::Display| format!("{}: {e}", self.file.display());
        let source = open(&self.file).map_err(|e| e.to_string())?;
        let recording = Recording::read(source).map_err(|e| refused(&e))?;
        let mut checks: BTreeMap<String, TrackCheck> = BTreeMap::new();
        let mut runs: Vec<Run> = Vec::new();
        let mut open_runs: BTreeMap<String, usize> = BTreeMap::new();
        let (mut reports, mut flagged) = (0u64, 0u64);
        let mut rows = Rows::new();
        if self.csv {
            rows.row(format_args!("time_unix_s,icao24,reasons"))?;
        }
        for row in recording {
            let row = row.map_err(|e| refused(&e))?;
            reports += 1;
            let check =
                checks.entry(row.icao24.clone()).or_insert_with(|| TrackCheck::new(Envelope::UNKNOWN));
            let faults: Vec<String> =
                check.report(&row.state, None).iter().map(Implausible::to_string).collect();
            if faults.is_empty() {
                open_runs.remove(&row.icao24);
                continue;
            }
            flagged += 1;
            let time = row.state.time().as_microsecond() as f64 / 1e6;
            if self.csv {
                rows.row(format_args!("{time},{},{}", row.icao24, faults.join(";")))?;
            }
            let index = *open_runs.entry(row.icao24.clone()).or_insert_with(|| {
                let (icao24, reasons) = (row.icao24.clone(), Vec::new());
                runs.push(Run { icao24, from_unix_s: time, to_unix_s: time, reports: 0, reasons });
                runs.len() - 1
            });
            let run = &mut runs[index];
            (run.to_unix_s, run.reports) = (time, run.reports + 1);
            for fault in faults {
                if !run.reasons.contains(&fault) {
                    run.reasons.push(fault);
                }
            }
        }
        rows.finish()?;
        let share = if reports == 0 { 0.0 } else { flagged as f64 / reports as f64 * 100.0 };
        if self.json {
            say!(
                "{}",
                json!({ "reports": reports, "aircraft": checks.len(), "flagged": flagged, "runs": runs })
            );
        } else if !self.csv {
            say!(
                "{reports} reports of {} aircraft, {flagged} not to be believed ({share:.3} %)",
                checks.len()
            );
            for Run { icao24, from_unix_s, to_unix_s, reports, reasons } in &runs {
                say!("  {icao24}  {from_unix_s} to {to_unix_s}  {reports} reports  {}", reasons.join(", "));
            }
        }
        Ok(flagged == 0)
    }
}
