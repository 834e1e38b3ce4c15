//! An account and what was said, as text for a person and as JSON for a program.

use crate::{Account, EvidenceError, Said, Told, describe};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// How a checked file is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The account, then who said what when.
    Full,
    /// The account only.
    Brief,
    /// One JSON object a line: each statement, then the account.
    Json,
}

/// Prints a file that was checked.
///
/// # Errors
/// When the file cannot be read again, or not be printed.
pub fn print(path: &Path, account: &Account, style: Style, mut out: impl Write) -> Result<(), EvidenceError> {
    if style != Style::Json {
        out.write_all(account_text(account).as_bytes())?;
    }
    if style != Style::Brief {
        let mut told = Told::open(account, || File::open(path))?;
        if style == Style::Full {
            writeln!(out, "\nWho said what, when")?;
        }
        while let Some(said) = told.next()? {
            match style {
                Style::Json => writeln!(out, "{}", said_json(&said, account))?,
                _ => out.write_all(said_text(&said, account).as_bytes())?,
            }
        }
    }
    if style == Style::Json {
        writeln!(out, "{}", account_json(account))?;
    }
    Ok(out.flush()?)
}

/// What is proven, in plain words: before what was said is told.
pub fn account_text(account: &Account) -> String {
    let mut out = String::new();
    let mut line = |text: String| _ = writeln!(out, "{text}");
    let header = &account.header;
    line(format!("Evidence of line {}, {} to {}", header.line, at(header.from_ms), at(header.to_ms)));
    line(format!("exported by {} at {}", header.exporter, at(header.exported_ms)));
    line(format!("for {:?}, because {:?}", header.recipient, header.reason));
    if !header.withheld.is_empty() {
        line(format!("withheld: {}", header.withheld.join(", ")));
    }
    for party in &account.parties {
        line(String::new());
        line(format!("Party {}", party.party));
        line(format!("  root key: {}", party.fingerprint));
        line("  (compare these words with those you know; all else follows from them)".into());
        for (certificate, revoked) in &party.certificates {
            let role = certificate.role.as_str();
            let revoked = revoked.map_or(String::new(), |number| format!(", revoked by #{number}"));
            line(format!("  {role}: {}, valid to {}{revoked}", certificate.holder, certificate.not_after));
        }
        let size = party.ledger_size;
        line(match (party.count, party.complete) {
            (0, false) => {
                "  NOTHING that this party said is in this file, nor proof that it said nothing".into()
            }
            (n, true) => {
                format!(
                    "  {n} of {size} statements are in this file: none between the first and the last is missing"
                )
            }
            (n, false) => format!("  {n} of {size} statements are in this file: INCOMPLETE"),
        });
        if party.without_receipt > 0 {
            line(format!(
                "  {} of them have no receipt of another party in this file",
                party.without_receipt
            ));
        }
    }
    for disputed in &account.disputed {
        line(String::new());
        line(format!(
            "{} HAS SIGNED TWO HISTORIES of its ledger (from statement {} on): {} has shown it, and the proof checks",
            disputed.party, disputed.number, disputed.told_by
        ));
    }
    if !account.recorded.is_empty() {
        line(String::new());
        line(format!("Flight recorder of {}, as it was committed to at the time", header.exporter));
        for (aircraft, r) in &account.recorded {
            line(format!("  {aircraft}: {} reports from {} to {}", r.reports, at(r.from_ms), at(r.to_ms)));
        }
    }
    line(String::new());
    if account.holds() {
        line("Everything checks: every signature, every number, every receipt.".into());
    } else {
        line(format!("{} things do NOT check:", account.problem_count));
        for problem in &account.problems {
            line(format!("  {}: {}: {}", problem.party, problem.about, problem.what));
        }
    }
    out
}

/// A statement and who has held it, in plain words.
pub fn said_text(said: &Said, account: &Account) -> String {
    let s = &said.statement;
    let words = describe(s, &said.openings, account);
    let mut out = format!("{}  {} #{}  {words}\n", s.time, s.party, s.number);
    for (party, since) in &said.receipted {
        _ = writeln!(out, "      {party} has signed to hold it, at the latest at {since}");
    }
    if said.receipted.is_empty() {
        out.push_str("      no receipt of another party in this file\n");
    }
    out
}

/// A statement as JSON.
pub fn said_json(said: &Said, account: &Account) -> Value {
    let s = &said.statement;
    json!({
        "party": s.party.as_str(),
        "number": s.number,
        "time": s.time,
        "kind": s.kind,
        "text": describe(s, &said.openings, account),
        "causes": s.causes.iter().map(|(p, n)| (p.to_string(), json!(n))).collect::<serde_json::Map<_, _>>(),
        "receipted": said.receipted.iter().map(|(p, at)| json!({ "party": p.as_str(), "at": at })).collect::<Vec<_>>(),
    })
}

/// The account as JSON.
pub fn account_json(account: &Account) -> Value {
    let parties = account.parties.iter().map(|p| {
        let keys = p.certificates.iter().map(|(c, revoked)| {
            json!({ "role": c.role.as_str(), "holder": c.holder, "not_after": c.not_after, "revoked_by": revoked })
        });
        json!({
            "party": p.party.as_str(),
            "fingerprint": p.fingerprint,
            "keys": keys.collect::<Vec<_>>(),
            "first": p.first,
            "statements": p.count,
            "without_receipt": p.without_receipt,
            "ledger_size": p.ledger_size,
            "complete": p.complete,
        })
    });
    let header = &account.header;
    json!({
        "line": header.line.as_str(),
        "exporter": header.exporter.as_str(),
        "exported": at(header.exported_ms),
        "from": at(header.from_ms),
        "to": at(header.to_ms),
        "recipient": header.recipient,
        "reason": header.reason,
        "withheld": header.withheld,
        "parties": parties.collect::<Vec<_>>(),
        "disputed": account.disputed.iter().map(|d| json!({ "party": d.party.as_str(), "from": d.number, "told_by": d.told_by.as_str() })).collect::<Vec<_>>(),
        "recorded": account.recorded.iter().map(|(a, r)| json!({ "aircraft": a, "reports": r.reports, "from": at(r.from_ms), "to": at(r.to_ms) })).collect::<Vec<_>>(),
        "problem_count": account.problem_count,
        "problems": account.problems.iter().map(|p| json!({ "party": p.party.as_str(), "about": p.about, "what": p.what })).collect::<Vec<_>>(),
    })
}
