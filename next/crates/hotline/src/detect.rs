//! `hotline detect`: the detection library on files of encounters, and its measurements.

use crate::{Outcome, detect_bench, detect_daa, detect_tables, detect_tracks};
use clap::{Args, Subcommand};
use hotline_detect::daa::Configuration;
use hotline_feeds::open;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{BufWriter, IsTerminal, Read, Write};
use std::path::Path;

/// Detect violations, alert levels and guidance bands in files of encounters.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline detect relative states.csv.gz --volume taumod\n  hotline detect pairs encounters.csv --config DO_365B_no_SUM.conf\n  hotline detect daa H1.daa --config DO_365B_no_SUM.conf --json\n\nFiles are plain or gzipped; - reads standard input. Results go to standard output."
)]
pub(crate) struct Detect {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Relative(detect_tables::RelativeStates),
    Pairs(detect_tables::Pairs),
    Daa(detect_daa::Daa),
    Tracks(detect_tracks::Tracks),
    Bench(detect_bench::DetectBench),
}

impl Detect {
    pub(crate) fn run(self) -> Outcome {
        match self.what {
            What::Relative(command) => command.run(),
            What::Pairs(command) => command.run(),
            What::Daa(command) => command.run(),
            What::Tracks(command) => command.run(),
            What::Bench(command) => command.run(),
        }
    }
}

/// The largest text file that is read into memory, bytes.
const MAX_TEXT: u64 = 256 << 20;

/// The text of a file, gzipped or not, or of standard input.
pub(crate) fn text(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let source = open(path).map_err(|e| e.to_string())?;
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    source.take(MAX_TEXT + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_TEXT {
        return Err(format!("{}: larger than {MAX_TEXT} bytes", path.display()));
    }
    Ok(text)
}

/// Reads a configuration and says which of its keys had no effect.
pub(crate) fn configuration(path: &Path) -> Result<Configuration, String> {
    let (configuration, unknown) =
        Configuration::parse(&text(path)?).map_err(|e| format!("{}: {e}", path.display()))?;
    for (line, key) in unknown {
        eprintln!("hotline: {}: line {line}: `{key}` is not known and has no effect", path.display());
    }
    Ok(configuration)
}

/// Rows on standard output, with a count of them on a terminal.
pub(crate) struct Rows {
    out: BufWriter<std::io::Stdout>,
    bar: ProgressBar,
}

impl Rows {
    pub(crate) fn new() -> Self {
        let shown = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(
            ProgressStyle::with_template("{spinner} {human_pos} rows, {elapsed}").expect("a template"),
        );
        Self { out: BufWriter::with_capacity(1 << 16, std::io::stdout()), bar }
    }

    pub(crate) fn row(&mut self, text: std::fmt::Arguments<'_>) -> Result<(), String> {
        self.bar.inc(1);
        self.out.write_fmt(text).and_then(|()| self.out.write_all(b"\n")).map_err(|e| failed(&e))
    }

    pub(crate) fn finish(mut self) -> Result<(), String> {
        self.bar.finish_and_clear();
        self.out.flush().map_err(|e| failed(&e))
    }
}

fn failed(e: &std::io::Error) -> String {
    crate::output::gone(e);
    format!("writing the rows: {e}")
}
