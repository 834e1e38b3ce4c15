//! `hotline export` and `hotline verify`.

use crate::Outcome;
use crate::client::Client;
use crate::say;
use crate::words::describe;
use clap::Args;
use hotline_ledger::{Account, Role, verify_bundle};
use hotline_node::{Folder, NodeError, export_from_folder};
use jiff::Timestamp;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Write evidence: all that was said between two instants, with proofs.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline export ./blue --from 2026-05-01T10:00:00Z --to 2026-05-01T11:00:00Z -o evidence.hotline\n\nWorks whether the node runs or not."
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
    /// Where to write it
    #[arg(short, long)]
    output: PathBuf,
}

impl Export {
    pub(crate) fn run(self) -> Outcome {
        let folder = Folder::open(&self.folder).map_err(|e| e.to_string())?;
        let bytes = match export_from_folder(&folder, self.from, self.to, Timestamp::now()) {
            // A node runs on the folder: it makes the bundle itself.
            Err(NodeError::Journal(hotline_journal::JournalError::InUse)) => {
                Client::new(folder.config.console, &folder.api_token).export(self.from, self.to)?
            }
            made => made.map_err(|e| e.to_string())?,
        };
        std::fs::write(&self.output, &bytes).map_err(|e| format!("{}: {e}", self.output.display()))?;
        say!(
            "{} bytes of evidence in {}; check it with `hotline verify`",
            bytes.len(),
            self.output.display()
        );
        Ok(true)
    }
}

/// Check evidence with nothing but the file, and print who said what when.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline verify evidence.hotline\n  hotline verify evidence.hotline --json\n\nExit code 0 when everything checks, 1 when something does not, 2 when the file cannot be read as evidence."
)]
pub(crate) struct Verify {
    /// The evidence
    file: PathBuf,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) fn run(self) -> Outcome {
        let bytes = std::fs::read(&self.file).map_err(|e| format!("{}: {e}", self.file.display()))?;
        let account = verify_bundle(&bytes).map_err(|e| format!("{}: {e}", self.file.display()))?;
        if self.json {
            say!("{:#}", account_json(&account));
        } else {
            say!("{}", account_text(&account).trim_end());
        }
        Ok(account.problems.is_empty())
    }
}

/// The account in plain words.
pub(crate) fn account_text(account: &Account) -> String {
    let mut out = String::new();
    let mut line = |text: String| _ = writeln!(out, "{text}");
    line(format!("Evidence of line {}, {} to {}", account.line, account.asked.0, account.asked.1));
    line(format!("exported by {} at {}", account.exporter, account.exported));
    for party in &account.parties {
        line(String::new());
        line(format!("Party {}", party.party));
        line(format!("  root key: {}", party.fingerprint));
        line("  (compare these words with those you know; all else follows from them)".into());
        for certificate in &party.certificates {
            let role = match certificate.role {
                Role::Node => "node",
                Role::Officer => "officer",
            };
            line(format!("  {role}: {}, valid to {}", certificate.holder, certificate.not_after));
        }
        line(match (party.statements.len(), party.complete) {
            (0, false) => {
                "  NOTHING that this party said is in this file, nor proof that it said nothing".into()
            }
            (n, true) => format!(
                "  {n} of {} statements are in this file: none between the first and the last is missing",
                party.ledger_size
            ),
            (n, false) => format!("  {n} of {} statements are in this file: INCOMPLETE", party.ledger_size),
        });
    }
    line(String::new());
    line("Who said what, when".into());
    let mut all: Vec<_> = account.parties.iter().flat_map(|p| &p.statements).collect();
    all.sort_by_key(|s| (s.statement.time, s.statement.party.clone(), s.statement.number));
    for said in all {
        let s = &said.statement;
        line(format!("{}  {} #{}  {}", s.time, s.party, s.number, describe(s, &account.parties)));
        for (party, since) in &said.receipted {
            line(format!("      {party} has signed to hold it, at the latest at {since}"));
        }
        if said.receipted.is_empty() {
            line("      no receipt of another party in this file".into());
        }
    }
    line(String::new());
    if account.problems.is_empty() {
        line("Everything checks: every signature, every number, every receipt.".into());
    } else {
        line(format!("{} things do NOT check:", account.problems.len()));
        for problem in &account.problems {
            line(format!("  {}: {}: {}", problem.party, problem.about, problem.what));
        }
    }
    out
}

fn account_json(account: &Account) -> serde_json::Value {
    let parties = account.parties.iter().map(|p| {
        let statements = p.statements.iter().map(|said| {
            let s = &said.statement;
            json!({
                "number": s.number,
                "time": s.time,
                "kind": s.kind,
                "text": describe(s, &account.parties),
                "signer": said.signer,
                "causes": s.causes.iter().map(|(p, n)| (p.to_string(), json!(n))).collect::<serde_json::Map<_, _>>(),
                "receipted": said.receipted.iter().map(|(p, at)| json!({ "party": p.as_str(), "at": at })).collect::<Vec<_>>(),
            })
        });
        json!({
            "party": p.party.as_str(),
            "fingerprint": p.fingerprint,
            "ledger_size": p.ledger_size,
            "complete": p.complete,
            "statements": statements.collect::<Vec<_>>(),
        })
    });
    json!({
        "line": account.line.as_str(),
        "exporter": account.exporter.as_str(),
        "exported": account.exported,
        "from": account.asked.0,
        "to": account.asked.1,
        "parties": parties.collect::<Vec<_>>(),
        "problems": account.problems.iter().map(|p| json!({ "party": p.party.as_str(), "about": p.about, "what": p.what })).collect::<Vec<_>>(),
    })
}
