//! `hotline export` and `hotline verify`.

use crate::Outcome;
use crate::client::Client;
use crate::output;
use crate::say;
use crate::secrets::PassphraseFile;
use clap::Args;
use hotline_evidence::{EvidenceError, Style, print, verify};
use hotline_node::{Folder, Wanted, export_from_folder, open_journal};
use indicatif::ProgressBar;
use jiff::Timestamp;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;

/// Write evidence: all that was said between two instants, with proofs.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline export ./blue --from 2026-05-01T10:00:00Z --to 2026-05-01T11:00:00Z --recipient 'Board of inquiry' --reason 'Case blue#812' -o evidence.hotline\n  hotline export ./blue --from ... --to ... --recipient ... --reason ... --withhold unit,callsign --aircraft B12 -o evidence.hotline\n\nThat it was handed over, to whom and why, is said on the line. Works whether the node runs or not."
)]
pub(crate) struct Export {
    /// The node's folder
    folder: PathBuf,
    /// First instant, RFC 3339
    #[arg(long)]
    from: Timestamp,
    /// Last instant, RFC 3339
    #[arg(long)]
    to: Timestamp,
    /// For whom it is
    #[arg(long)]
    recipient: String,
    /// Why it is handed over
    #[arg(long)]
    reason: String,
    /// Fields to withhold: purpose, callsign, unit, name
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    withhold: Vec<String>,
    /// Own aircraft whose flight recorder is handed over too
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    aircraft: Vec<String>,
    /// Where to write it
    #[arg(short, long)]
    output: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseFile,
}

impl Export {
    pub(crate) fn run(self) -> Outcome {
        let wanted = Wanted {
            from: self.from,
            to: self.to,
            recipient: self.recipient,
            reason: self.reason,
            withheld: self.withhold,
            aircraft: self.aircraft,
        };
        Folder::look(&self.folder).map_err(|e| e.to_string())?;
        let bar = ProgressBar::new(0);
        let progress = |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        };
        let unwritten = |e: std::io::Error| format!("{}: {e}", self.output.display());
        // Nothing half made stays under the name that was asked for.
        let part = self.output.with_extension("part");
        let file = BufWriter::new(File::create(&part).map_err(unwritten)?);
        let journal = self.folder.join("journal.redb");
        let made = match open_journal(&journal).map(drop) {
            // A node runs on the folder: it makes the evidence itself.
            Err(hotline_node::NodeError::Journal(hotline_journal::JournalError::InUse)) => {
                Client::of(&self.folder).and_then(|client| client.export(&wanted, file).map(|_| ()))
            }
            Err(e) => Err(e.to_string()),
            Ok(()) => self.passphrase.read().and_then(|passphrase| {
                let folder = Folder::open(&self.folder, &passphrase).map_err(|e| e.to_string())?;
                export_from_folder(&folder, &wanted, Timestamp::now(), file, progress)
                    .map_err(|e| e.to_string())
            }),
        };
        bar.finish_and_clear();
        if let Err(why) = made {
            // It may not be there: the reason is told below.
            _ = std::fs::remove_file(&part);
            return Err(why);
        }
        std::fs::rename(&part, &self.output).map_err(unwritten)?;
        let size = std::fs::metadata(&self.output).map_err(unwritten)?.len();
        say!("{size} bytes of evidence in {}; check it with `hotline verify`", self.output.display());
        Ok(true)
    }
}

/// Check evidence with nothing but the file, and print who said what when.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline verify evidence.hotline\n  hotline verify evidence.hotline --brief\n  hotline verify evidence.hotline --json | jq\n\nWith --json each statement is an object on a line of its own; the last line is the account.\n\nExit code 0 when everything checks, 1 when something does not, 2 when the file cannot be read as evidence."
)]
pub(crate) struct Verify {
    /// The evidence
    file: PathBuf,
    /// Print the statements and the account as JSON, an object a line
    #[arg(long, conflicts_with = "brief")]
    json: bool,
    /// The account only, without the statements
    #[arg(long)]
    brief: bool,
}

impl Verify {
    pub(crate) fn run(self) -> Outcome {
        let wrong = |e: EvidenceError| format!("{}: {e}", self.file.display());
        let file = File::open(&self.file).map_err(|e| wrong(e.into()))?;
        let size = file.metadata().map_or(0, |m| m.len());
        let bar = ProgressBar::new(size);
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let account = verify(BufReader::with_capacity(1 << 20, file), workers, |p| bar.set_position(p.bytes));
        bar.finish_and_clear();
        let account = account.map_err(wrong)?;
        let style = match (self.json, self.brief) {
            (true, _) => Style::Json,
            (false, true) => Style::Brief,
            (false, false) => Style::Full,
        };
        match print(&self.file, &account, style, BufWriter::new(std::io::stdout().lock())) {
            Err(EvidenceError::File(e)) => {
                output::gone(&e);
                return Err(e.to_string());
            }
            printed => printed.map_err(wrong)?,
        }
        Ok(account.holds())
    }
}
