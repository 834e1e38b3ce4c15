//! `hotline detect daa`: alerting and guidance over a scenario.

use crate::Outcome;
use crate::detect::{Rows, configuration, text};
use crate::detect_tables::unit;
use clap::Args;
use hotline_detect::daa::{Alert, Guidance, Kind, Scenario, Session};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Alert levels over a scenario, with hysteresis, persistence and M of N as the configuration says.
#[derive(Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Example:\n  hotline detect daa H1.daa --config DO_365B_no_SUM.conf\n  hotline detect daa H1.daa --config DO_365B_no_SUM.conf --wind-from-deg 270 --wind-kt 30 --json\n\nWrites time_s,traffic,alert_level,in_s,out_s, a row for each aircraft at each step; in and out are the times to the\ncorrective volume, empty when it is not violated within the look-ahead.\nWith --json: a line of JSON for each step, with bands, resolutions (null when none is needed or there is none) and\nrecovery. With a wind, direction is heading and speed is airspeed."
)]
pub(crate) struct Daa {
    /// The scenario, plain or gzipped
    file: PathBuf,
    /// The configuration
    #[arg(long)]
    config: PathBuf,
    /// Where the wind comes from, degrees from true north
    #[arg(long, default_value_t = 0.0)]
    wind_from_deg: f64,
    /// How strong it is, knots
    #[arg(long, default_value_t = 0.0)]
    wind_kt: f64,
    /// Write a line of JSON for each step
    #[arg(long)]
    json: bool,
}

impl Daa {
    pub(crate) fn run(self) -> Outcome {
        let configuration = configuration(&self.config)?;
        let refused = |e: &dyn std::fmt::Display| format!("{}: {e}", self.file.display());
        let scenario = Scenario::parse(&text(&self.file)?).map_err(|e| refused(&e))?;
        let (sin, cos) = self.wind_from_deg.to_radians().sin_cos();
        let speed = self.wind_kt * unit(Kind::Speed);
        let wind = [-speed * sin, -speed * cos, 0.0];
        let mut session = Session::new(&configuration);
        let mut rows = Rows::new();
        if !self.json {
            rows.row(format_args!("time_s,traffic,alert_level,in_s,out_s"))?;
        }
        for step in &scenario.steps {
            let update = session
                .update(step.time, &step.own, &step.traffic, wind)
                .map_err(|e| refused(&format!("time {} s: {e}", step.time)))?;
            if self.json {
                let alerts: Vec<Value> = update.alerts.iter().map(alert).collect();
                let guidance: serde_json::Map<String, Value> = update.guidance.iter().map(guidance).collect();
                let line = json!({ "time_s": step.time, "traffic": alerts, "guidance": guidance });
                rows.row(format_args!("{line}"))?;
                continue;
            }
            for Alert { traffic, level, violation } in &update.alerts {
                let time = match violation {
                    Some(v) => format!("{:.6},{:.6}", v.enters.get(), v.leaves.get()),
                    None => ",".into(),
                };
                rows.row(format_args!("{},{traffic},{level},{time}", step.time))?;
            }
        }
        rows.finish()?;
        Ok(true)
    }
}

fn alert(alert: &Alert<String>) -> Value {
    json!({
        "id": alert.traffic,
        "alert_level": alert.level,
        "in_s": alert.violation.map(|v| v.enters.get()),
        "out_s": alert.violation.map(|v| v.leaves.get()),
    })
}

fn guidance(guidance: &Guidance) -> (String, Value) {
    let (name, up, down) = match guidance.kind {
        Kind::Direction => ("direction_deg", "right", "left"),
        Kind::Speed => ("speed_kt", "up", "down"),
        Kind::VerticalSpeed => ("vertical_speed_fpm", "up", "down"),
        Kind::Altitude => ("altitude_ft", "up", "down"),
    };
    let unit = unit(guidance.kind);
    let bands: Vec<Value> = guidance
        .bands
        .iter()
        .map(|b| json!({ "from": b.from / unit, "to": b.to / unit, "region": b.region.to_string() }))
        .collect();
    let value = |x: f64| x.is_finite().then(|| x / unit);
    let recovery = guidance.recovery.map(|r| {
        json!({ "time_s": r.time, "horizontal_m": r.horizontal, "vertical_m": r.vertical, "shrunk": r.shrunk })
    });
    let resolution = json!({
        "needed": !guidance.up.is_nan(),
        up: value(guidance.up),
        down: value(guidance.down),
        "preferred": if guidance.prefers_up { up } else { down },
    });
    (
        name.to_owned(),
        json!({ "own": guidance.own / unit, "bands": bands, "resolution": resolution, "recovery": recovery }),
    )
}
