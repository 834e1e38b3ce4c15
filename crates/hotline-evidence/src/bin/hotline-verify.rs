//! `hotline-verify FILE [--json]`: checks evidence with nothing but the file, and prints who said what when.

use hotline_evidence::{EvidenceError, Style, print, verify};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "Checks evidence of a hotline with nothing but the file, and prints who said what when.

Usage: hotline-verify [--json | --brief] FILE

  --json   one JSON object a line: each statement, then the account
  --brief  the account only

Example: hotline-verify evidence.hotline

Exit code 0 when everything checks, 1 when something does not, 2 when the file cannot be read as evidence.";

fn run(path: &Path, style: Style) -> Result<bool, EvidenceError> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let account = verify(BufReader::with_capacity(1 << 20, File::open(path)?), workers, |_| ())?;
    print(path, &account, style, BufWriter::new(std::io::stdout().lock()))?;
    Ok(account.holds())
}

fn main() -> ExitCode {
    let (mut style, mut path) = (Style::Full, None);
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--help" | "-h") => {
                println!("{HELP}");
                return ExitCode::SUCCESS;
            }
            Some("--json") => style = Style::Json,
            Some("--brief") => style = Style::Brief,
            _ if path.is_none() => path = Some(PathBuf::from(argument)),
            _ => path = None,
        }
    }
    let Some(path) = path else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    match run(&path, style) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Whoever reads what is printed may have seen enough.
        Err(EvidenceError::File(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("hotline-verify: {}: {e}", path.display());
            ExitCode::from(2)
        }
    }
}
