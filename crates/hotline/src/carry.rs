//! `hotline export-line` and `import-line`: the line between networks that are not connected, in files carried by hand.

use crate::Outcome;
use crate::client::Client;
use crate::say;
use clap::Args;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// Write what a peer lacks into a file, to be carried to it by hand.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline export-line ./blue --to green -o to-green.carried\n  hotline export-line ./blue --to green --since-last -o to-green.carried\n\nThe file has every statement of which the peer has given no receipt, and receipts for what it has said. Where files go one way only and no receipts come back, --since-last begins after what the last file had: then every file must arrive, and in order; the peer's node says which is missing. The file is signed, not encrypted. The node must run."
)]
pub(crate) struct ExportLine {
    /// The node's folder
    folder: PathBuf,
    /// For whom
    #[arg(long)]
    to: String,
    /// Begin after what the last file for this party had
    #[arg(long)]
    since_last: bool,
    /// Where to write it
    #[arg(short, long)]
    output: PathBuf,
}

type Marks = BTreeMap<String, u64>;

fn read_marks(path: &Path) -> Result<Marks, String> {
    if !path.exists() {
        return Ok(Marks::new());
    }
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

impl ExportLine {
    pub(crate) fn run(self) -> Outcome {
        let client = Client::of(&self.folder)?;
        let kept = self.folder.join(format!("carried-to-{}.toml", self.to));
        let last = if self.since_last { read_marks(&kept)? } else { Marks::new() };
        let unwritten = |e: std::io::Error| format!("{}: {e}", self.output.display());
        let part = self.output.with_extension("part");
        let file = BufWriter::new(File::create(&part).map_err(unwritten)?);
        let (size, marks) = client.export_line(&self.to, &last, file).inspect_err(|_| {
            // It may not be there: the reason is told.
            _ = std::fs::remove_file(&part);
        })?;
        std::fs::rename(&part, &self.output).map_err(unwritten)?;
        let text = toml::to_string(&marks).map_err(|e| e.to_string())?;
        std::fs::write(&kept, text).map_err(|e| format!("{}: {e}", kept.display()))?;
        say!("{size} bytes for {} in {}", self.to, self.output.display());
        say!("take it in there with `hotline import-line`, and bring back what that side exports");
        Ok(true)
    }
}

/// Take in a file that was carried here from a peer.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline import-line ./green to-green.carried\n\nA file that is not whole, was changed on the way, or is for somebody else is refused, and nothing of it is taken in. A file that comes twice changes nothing. The node must run."
)]
pub(crate) struct ImportLine {
    /// The node's folder
    folder: PathBuf,
    /// The file
    file: PathBuf,
}

impl ImportLine {
    pub(crate) fn run(self) -> Outcome {
        let file = File::open(&self.file).map_err(|e| format!("{}: {e}", self.file.display()))?;
        let taken = Client::of(&self.folder)?
            .import_line(file)
            .map_err(|e| format!("{}: {e}", self.file.display()))?;
        say!("taken in from {}: {} messages", taken["from"].as_str().unwrap_or_default(), taken["messages"]);
        Ok(true)
    }
}
