//! `hotline health`: how well the parties get on, day by day.

use crate::Outcome;
use crate::client::Client;
use crate::say;
use clap::Args;
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;

/// Show the index of health, its components, and whether today is the lowest ever.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline health ./blue\n  hotline health ./blue --plot health.svg\n  hotline health ./blue --json\n\nThe index goes from 0 to 100; its components and their weights are in the rulebook. Exit code 1 when today is the lowest ever."
)]
pub(crate) struct Health {
    /// The node's folder
    folder: PathBuf,
    /// Draw the index of each day into this SVG file
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// How many days are listed
    #[arg(long, default_value_t = 14)]
    days: usize,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// The width of the bars on the terminal.
const BAR: usize = 40;

impl Health {
    pub(crate) fn run(self) -> Outcome {
        let health = Client::of(&self.folder)?.get("/console/health")?;
        let lowest = health["lowest_ever"] == true;
        let days = health["days"].as_array().cloned().unwrap_or_default();
        if let Some(path) = &self.plot {
            std::fs::write(path, plot(&days)).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        if self.json {
            say!("{health:#}");
            return Ok(!lowest);
        }
        let Some(today) = days.last() else {
            say!("nothing has been measured yet");
            return Ok(true);
        };
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        for day in days.iter().rev().take(self.days).rev() {
            let index = number(&day["index"]);
            let bar = "█".repeat((index / 100.0 * BAR as f64).round() as usize);
            say!("{}  {index:5.1}  {bar}", day["date"].as_str().unwrap_or_default());
        }
        say!("\n{}: {:.1} of 100", today["date"].as_str().unwrap_or_default(), number(&today["index"]));
        for component in today["components"].as_array().into_iter().flatten() {
            let score = component["score"].as_f64();
            let score = score.map_or("nothing to measure".into(), |s| format!("{:.0} %", s * 100.0));
            say!(
                "  {:14} weight {:<4} {score}",
                component["name"].as_str().unwrap_or_default(),
                component["weight"]
            );
        }
        let mean = today["mean_time_s"].as_f64().map_or("-".into(), |s| format!("{s:.1} s"));
        say!(
            "  alerts: {} acknowledged in time, {} late, {} missed; on average after {mean}",
            today["acknowledged"],
            today["acknowledged_late"],
            today["alerts_missed"]
        );
        say!(
            "  answers: {} of {}; checks between persons: {} of {}",
            today["answered"],
            today["asked"],
            today["checks_answered"],
            today["checks_asked"]
        );
        let flights = number(&today["flights"]);
        let rate = if flights > 0.0 { number(&today["conflicts"]) * 1_000.0 / flights } else { 0.0 };
        say!(
            "  {} notices, {} of them late; {} conflicts, {rate:.0} for 1 000 flights",
            today["notices"],
            today["notices_late"],
            today["conflicts"]
        );
        say!(
            "  protests: {} new, {} open; suspended for {} s",
            today["protests"],
            today["protests_open"],
            today["suspended_s"]
        );
        match health["lowest_ever"].as_bool() {
            Some(true) => say!("  this is the LOWEST EVER"),
            Some(false) => say!("  this is not the lowest ever"),
            None => say!("  there is no earlier day to compare with"),
        }
        Ok(!lowest)
    }
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 320.0;
/// The edges of the area that is drawn in.
const LEFT: f64 = 48.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 280.0;

/// The index by day, as SVG.
fn plot(days: &[Value]) -> String {
    let x = |i: usize| LEFT + (RIGHT - LEFT) * i as f64 / (days.len().max(2) - 1) as f64;
    let y = |index: f64| BOTTOM - (BOTTOM - TOP) * index / 100.0;
    let index = |day: &Value| day["index"].as_f64().unwrap_or_default();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\" font-weight=\"bold\">Health of the line, 0 to 100</text>\n"
    );
    let mut draw = |text: String| svg.write_str(&(text + "\n")).expect("a string takes all");
    for v in [0.0, 25.0, 50.0, 75.0, 100.0] {
        draw(format!(
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{0:.1}\" y2=\"{0:.1}\" stroke=\"#ddd\"/><text x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{v}</text>",
            y(v),
            LEFT - 6.0,
            y(v) + 4.0
        ));
    }
    let points: Vec<String> =
        days.iter().enumerate().map(|(i, day)| format!("{:.1},{:.1}", x(i), y(index(day)))).collect();
    draw(format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#0b3c5d\" stroke-width=\"2\"/>",
        points.join(" ")
    ));
    for (i, day) in days.iter().enumerate() {
        let date = day["date"].as_str().unwrap_or_default();
        draw(format!(
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"#0b3c5d\"><title>{date}: {:.1}</title></circle>",
            x(i),
            y(index(day)),
            index(day)
        ));
    }
    for (i, anchor) in [(0, "start"), (days.len().saturating_sub(1), "end")] {
        let date = days.get(i).and_then(|d| d["date"].as_str()).unwrap_or_default();
        draw(format!(
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{date}</text>",
            x(i),
            BOTTOM + 20.0
        ));
    }
    svg + "</svg>\n"
}
