//! What the demo saw, and whether both sides agree on it.

use crate::client::Client;
use crate::demo::{DemoClock, PARTIES};
use crate::demo_traffic::Traffic;
use crate::say;
use hotline_evidence::verify;
use hotline_node::Wanted;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// One conflict as the two consoles showed it.
#[derive(Debug, Default)]
struct Shown {
    detected_ms: Option<i64>,
    /// Real seconds from detection to its first showing on each console.
    console: [Option<f64>; 2],
    /// Real seconds from detection until each console showed that all officers had read it.
    read: [Option<f64>; 2],
    level: [u8; 2],
}

/// Watches both consoles' streams.
#[derive(Clone)]
pub(crate) struct Watch {
    clock: DemoClock,
    shown: Arc<Mutex<BTreeMap<String, Shown>>>,
}

fn level(name: &Value) -> u8 {
    match name.as_str() {
        Some("warning") => 3,
        Some("caution") => 2,
        _ => 1,
    }
}

impl Watch {
    pub(crate) fn new(clock: DemoClock) -> Self {
        Self { clock, shown: Arc::default() }
    }

    /// An event of a console's stream. Gives the alerts that wait for that console's officer.
    pub(crate) fn hear(&self, console: usize, name: &str, data: &str) -> Vec<String> {
        if !matches!(name, "detected" | "alert" | "state") {
            return vec![];
        }
        let Ok(data) = serde_json::from_str::<Value>(data) else { return vec![] };
        let alerts: Vec<&Value> = match name {
            "state" => data["alerts"].as_array().map(|a| a.iter().collect()).unwrap_or_default(),
            _ => vec![&data],
        };
        let mut waiting = Vec::new();
        let mut all = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for alert in alerts {
            let Some(id) = alert["key"]["id"].as_str() else { continue };
            let shown = all.entry(id.to_owned()).or_default();
            if let Some(ms) = alert["detected_ms"].as_i64() {
                shown.detected_ms = Some(shown.detected_ms.map_or(ms, |known| known.min(ms)));
            }
            let since = self.clock.real_seconds_since(shown.detected_ms.unwrap_or_default());
            shown.console[console].get_or_insert(since);
            shown.level[console] = shown.level[console].max(level(&alert["level"]));
            if name != "detected" && alert["awaits"].as_array().is_some_and(Vec::is_empty) {
                shown.read[console].get_or_insert(since);
            }
            if alert["awaits"].as_array().is_some_and(|a| a.iter().any(|p| p == PARTIES[console])) {
                waiting.push(id.to_owned());
            }
        }
        waiting
    }
}

/// Median, 99th percentile and largest of a list.
pub(crate) fn spread(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    (!values.is_empty()).then(|| (at(0.5), at(0.99), at(1.0)))
}

fn times(what: &str, values: Vec<f64>) {
    let count = values.len();
    match spread(values) {
        Some((median, p99, worst)) => {
            say!("  {what}: median {median:.3} s, p99 {p99:.3} s, largest {worst:.3} s ({count} conflicts)")
        }
        None => say!("  {what}: none"),
    }
}

fn count(summary: &Value, party: &str, kind: &str) -> u64 {
    summary["parties"][party]["by_kind"][kind].as_u64().unwrap_or(0)
}

/// Prints the summary and whether both sides agree on it.
pub(crate) fn summary(
    clients: &[Client; 2],
    watch: &Watch,
    traffic: &Traffic,
    from: Timestamp,
    to: Timestamp,
) -> Result<bool, String> {
    let sides = [clients[0].get("/console/summary")?, clients[1].get("/console/summary")?];
    say!("\nSummary");
    say!(
        "  flights filed: {}; aircraft: {}; track reports: {}",
        traffic.flights,
        traffic.aircraft,
        traffic.reports
    );
    let mut conflicts = BTreeSet::new();
    for party in PARTIES {
        let own: BTreeSet<&str> = sides[0]["parties"][party]["conflicts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        say!("  conflicts that {party} detected and made known: {}", own.len());
        conflicts.extend(own);
    }
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for key in &conflicts {
        *kinds.entry(key.split('/').next().unwrap_or("")).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    say!("  conflicts in all: {} ({})", conflicts.len(), kinds.join(", "));
    for (party, side) in PARTIES.iter().zip(&sides) {
        let alerts = &side["parties"][party]["alerts"];
        let level = |name: &str| alerts[name].as_u64().unwrap_or(0);
        say!(
            "  alerts by {party}: {} warning, {} caution, {} advisory; acknowledgements: {}; deadlines missed: {}",
            level("warning"),
            level("caution"),
            level("advisory"),
            count(side, party, "acknowledgement"),
            count(side, party, "missed-deadline")
        );
    }
    {
        let shown = watch.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let both = |times: [Option<f64>; 2]| Some(times[0]?.max(times[1]?));
        for (i, party) in PARTIES.iter().enumerate() {
            times(
                &format!("from detection to {party}'s console"),
                shown.values().filter_map(|s| s.console[i]).collect(),
            );
        }
        times("from detection to both consoles", shown.values().filter_map(|s| both(s.console)).collect());
        times(
            "from detection to read by all, shown on both",
            shown.values().filter_map(|s| both(s.read)).collect(),
        );
    }

    let mut agreed = true;
    let mut check = |what: String, holds: bool| {
        say!("  [{}] {what}", if holds { "ok" } else { "NO" });
        agreed &= holds;
    };
    for party in PARTIES {
        let [a, b] = [0, 1].map(|i| &sides[i]["parties"][party]);
        check(
            format!("both hold {}'s {} statements, with the same root", party, a["statements"]),
            a["statements"] == b["statements"] && a["root"] == b["root"] && a["root"].is_string(),
        );
        let other = PARTIES.iter().find(|p| **p != party).expect("two parties");
        check(
            format!("{other}'s receipt covers {} of them: all, on both sides", a["receipts_by"][other]),
            a["receipts_by"][other] == a["statements"] && b["receipts_by"][other] == a["statements"],
        );
        check(
            format!("both count the same of {party}: statements by kind, alerts by level, conflicts"),
            a["by_kind"] == b["by_kind"] && a["alerts"] == b["alerts"] && a["conflicts"] == b["conflicts"],
        );
    }
    let waiting = [0, 1].map(|i| sides[i]["alerts_awaiting"].clone());
    check(format!("alerts still waiting: {} and {}", waiting[0], waiting[1]), waiting[0] == waiting[1]);
    for (party, client) in PARTIES.iter().zip(clients) {
        let wanted = Wanted {
            from,
            to,
            recipient: "the demo".into(),
            reason: "to see that it checks".into(),
            withheld: vec![],
            aircraft: vec![],
        };
        let mut file = Vec::new();
        client.export(&wanted, &mut file)?;
        let account = verify(&*file, 2, |_| ()).map_err(|e| e.to_string())?;
        let statements: u64 = account.parties.iter().map(|p| p.count).sum();
        let without: u64 = account.parties.iter().map(|p| p.without_receipt).sum();
        for problem in &account.problems {
            say!("      {}: {}: {}", problem.party, problem.about, problem.what);
        }
        check(
            format!(
                "evidence from {party}: {statements} statements in {} bytes, {} of them receipted, all checks",
                file.len(),
                statements - without
            ),
            account.holds() && statements > 0 && without == 0,
        );
    }
    say!("{}", if agreed { "Both sides agree." } else { "The sides do NOT agree." });
    Ok(agreed)
}
