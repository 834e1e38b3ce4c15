//! `hotline callsheet`: what a duty officer needs on paper when the line is down.

use crate::Outcome;
use crate::client::Client;
use crate::say;
use clap::Args;
use hotline_ledger::Fingerprint;
use hotline_line::Rulebook;
use hotline_node::{Catalogue, Config, Introduction, Phrase};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Print the call sheet: whom to call, what to say, what is going on.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline callsheet ./blue > callsheet.txt\n  hotline callsheet ./blue --html callsheet.html --languages en,ru,ar\n\nPrint it at every change of watch: it works whether the node runs or not, but what is going on is only on it while the node runs. Telephone numbers and frequencies are in contacts.toml in the node's folder."
)]
pub(crate) struct Callsheet {
    /// The node's folder
    folder: PathBuf,
    /// Write it as a page for printing
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The languages of the phrases
    #[arg(long, value_delimiter = ',')]
    languages: Vec<String>,
}

/// How a party is reached when the line is down.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contact {
    party: String,
    who: String,
    how: String,
    at: String,
    #[serde(default)]
    languages: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contacts {
    #[serde(default)]
    contact: Vec<Contact>,
}

/// A part of the sheet.
struct Part {
    title: String,
    lines: Vec<String>,
}

fn read<T>(path: &Path, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    parse(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// How a party is reached, and the words that show that it is it.
fn people(folder: &Path, config: &Config, rulebook: &Rulebook) -> Result<Part, String> {
    let path = folder.join("contacts.toml");
    let contacts: Contacts = if path.exists() {
        read(&path, |t| toml::from_str(t).map_err(|e| e.to_string()))?
    } else {
        Contacts::default()
    };
    let mut lines = Vec::new();
    for party in rulebook.parties.iter().filter(|p| **p != config.party) {
        lines.push(party.to_uppercase());
        let of: Vec<&Contact> = contacts.contact.iter().filter(|c| c.party == *party).collect();
        for c in &of {
            let speaks =
                if c.languages.is_empty() { String::new() } else { format!(" (speaks {})", c.languages) };
            lines.push(format!("  {}: {} {}{speaks}", c.who, c.how, c.at));
        }
        if of.is_empty() {
            lines.push("  NO TELEPHONE, NO FREQUENCY: fill in contacts.toml".into());
        }
        let path = folder.join("peers").join(format!("{party}.toml"));
        if let Ok(introduction) =
            read(&path, |t| Ok(Introduction::read(t, &path).map_err(|e| e.to_string())?.0))
        {
            lines.push(format!("  words of its root key: {}", introduction.fingerprint()?.words()));
        }
    }
    Ok(Part { title: "Whom to call".into(), lines })
}

fn rules(rulebook: &Rulebook) -> Part {
    let d = &rulebook.deadlines;
    let (h, v) = (rulebook.crewed.horizontal_nm, rulebook.crewed.vertical_ft);
    let (uh, uv) = (rulebook.unmanned.horizontal_nm, rulebook.unmanned.vertical_ft);
    let lines = vec![
        format!("Separation: {h} NM or {v} ft; with an unmanned aircraft {uh} NM or {uv} ft"),
        format!(
            "A warning is acknowledged within {} s, anything else within {} s",
            d.acknowledge_warning_s, d.acknowledge_other_s
        ),
        format!("A request is answered within {} s, a message read within {} s", d.answer_s, d.read_s),
        format!(
            "Not in time: the next officer at once, the supervisor after {} s, this sheet after {} s",
            rulebook.escalation.supervisor_s, rulebook.escalation.call_sheet_s
        ),
        format!("The line is down when a node has not answered for {} s", rulebook.down_s),
    ];
    Part { title: "What was agreed".into(), lines }
}

const PROCEDURE: [&str; 7] = [
    "1. Say who you are: party, name, watch. Ask who speaks.",
    "2. In doubt whether it is they: ask for three of the twelve words of their root key, and give three of yours.",
    "3. Say first what is in danger now: the warnings below, then the cautions.",
    "4. Use the phrases below. The other reads back every area, level and time. Correct what is wrong.",
    "5. Write down the time (UTC), what was said, what was read back, and by whom.",
    "6. Give notice by telephone of every flight that begins before the line is up again.",
    "7. When the line is up again, put what was agreed on it as messages and positions.",
];

/// The most own flights that are listed.
const FLIGHTS: usize = 60;

/// A time of the day, with the date when that is another than today's.
fn time(value: &Value) -> String {
    let Some(at) = value.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
        return "-".into();
    };
    let (text, today) = (at.to_string(), Timestamp::now().to_string());
    let clock = format!("{}Z", &text[11..16]);
    if text[..10] == today[..10] { clock } else { format!("{} {clock}", &text[..10]) }
}

/// What is going on, as the running node has it.
fn now(state: &Value) -> Vec<Part> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let open: Vec<Value> = list(&state["alerts"]).into_iter().filter(|a| a["closed_ms"].is_null()).collect();
    let mut alerts = Vec::new();
    for level in ["warning", "caution", "advisory"] {
        for alert in open.iter().filter(|a| a["level"] == level) {
            let awaits: Vec<String> = list(&alert["awaits"]).iter().map(text).collect();
            let unread = if awaits.is_empty() {
                String::new()
            } else {
                format!("; NOT READ by {}", awaits.join(", "))
            };
            alerts.push(format!(
                "{} {} from {}{unread}",
                level.to_uppercase(),
                text(&alert["key"]["id"]),
                time(&alert["begins_ms"])
            ));
        }
    }
    let volume = |v: &Value| {
        format!(
            "{:.0} to {:.0} ft, {} to {}",
            v["lower_m"].as_f64().unwrap_or_default() / 0.3048,
            v["upper_m"].as_f64().unwrap_or_default() / 0.3048,
            time(&v["start_ms"]),
            time(&v["end_ms"])
        )
    };
    let restrictions = list(&state["plans"]["restrictions"]);
    let restrictions = restrictions.iter().map(|r| {
        let volumes: Vec<String> = list(&r["volumes"]).iter().map(volume).collect();
        format!("{} of {}: {}; {}", text(&r["id"]), text(&r["party"]), text(&r["reason"]), volumes.join("; "))
    });
    let own = text(&state["party"]);
    let flights = list(&state["plans"]["flights"]);
    let flights = flights.iter().filter(|f| f["party"] == own.as_str()).map(|f| {
        let volumes = list(&f["volumes"]);
        let (first, last) =
            (volumes.first().cloned().unwrap_or_default(), volumes.last().cloned().unwrap_or_default());
        format!(
            "{} {} {} to {}",
            text(&f["id"]),
            text(&f["callsign"]),
            time(&first["start_ms"]),
            time(&last["end_ms"])
        )
    });
    let mut flights: Vec<String> = flights.collect();
    if flights.len() > FLIGHTS {
        let more = flights.len() - FLIGHTS;
        flights.truncate(FLIGHTS);
        flights.push(format!("and {more} more"));
    }
    let owed = list(&state["dealings"]["obligations"]);
    let owed = owed.iter().filter(|o| o["met"].is_null()).map(|o| {
        format!(
            "{} by {}: {}, due {}",
            text(&o["statement"]),
            text(&o["by"]),
            text(&o["owed"]),
            time(&o["due_ms"])
        )
    });
    let peers = list(&state["peers"]);
    let peers = peers.iter().map(|p| {
        format!(
            "{}: {}, holds {} of our statements",
            text(&p["party"]),
            text(&p["state"]).to_uppercase(),
            p["receipted"]
        )
    });
    let part = |title: &str, lines: Vec<String>| Part { title: title.into(), lines };
    vec![
        part("State of the line", peers.collect()),
        part("Open alerts", alerts),
        part("Restrictions in force", restrictions.collect()),
        part("Waiting for an answer", owed.collect()),
        part("Own flights", flights),
    ]
}

/// The safety phrases, each in all languages, with its blanks.
fn phrases(catalogue: &Catalogue, languages: &[String]) -> Vec<Part> {
    let blanks = |phrase: &Phrase| -> BTreeMap<String, String> {
        phrase.parameters.keys().map(|name| (name.clone(), format!("______({name})"))).collect()
    };
    let mut lines = Vec::new();
    for (id, phrase) in catalogue.phrases().iter().filter(|(_, p)| p.safety) {
        for language in languages {
            let said = catalogue.say(language, id, &blanks(phrase)).unwrap_or_default();
            lines.push(format!("{language}  {said}"));
        }
        lines.push(String::new());
    }
    vec![Part { title: "Safety phrases".into(), lines }]
}

impl Callsheet {
    pub(crate) fn run(self) -> Outcome {
        let config = read(&self.folder.join("node.toml"), Config::from_toml)?;
        let rulebook =
            read(&self.folder.join("rulebook.toml"), |t| Rulebook::from_toml(t).map_err(|e| e.to_string()))?;
        let state = Client::of(&self.folder)?.get("/console/state");
        // The rulebook in force may be a later one than the line began with.
        let in_force = state.as_ref().ok().and_then(|s| serde_json::from_value(s["rulebook"].clone()).ok());
        let rulebook: Rulebook = in_force.unwrap_or(rulebook);
        let catalogue = Catalogue::load(&self.folder).map_err(|e| e.to_string())?;
        let languages = if self.languages.is_empty() {
            catalogue.languages().map(str::to_owned).collect()
        } else {
            self.languages.clone()
        };
        if let Some(unknown) = languages.iter().find(|l| !catalogue.languages().any(|known| known == *l)) {
            let known: Vec<&str> = catalogue.languages().collect();
            return Err(format!("language {unknown:?} is not in the catalogue: it has {}", known.join(", ")));
        }
        let path = self.folder.join("introduction.toml");
        let own = read(&path, |t| Ok(Introduction::read(t, &path).map_err(|e| e.to_string())?.1))?;
        let title = format!("Call sheet of {} on line {}", config.party, rulebook.line);
        let made = format!("made {}; own words: {}", Timestamp::now(), Fingerprint::of(own.root()).words());
        let mut parts = vec![
            people(&self.folder, &config, &rulebook)?,
            Part { title: "What to do".into(), lines: PROCEDURE.iter().map(ToString::to_string).collect() },
        ];
        match &state {
            Ok(state) => parts.extend(now(state)),
            Err(why) => {
                parts.push(Part {
                    title: "What is going on".into(),
                    lines: vec![format!("NOT KNOWN: {why}")],
                });
            }
        }
        parts.push(rules(&rulebook));
        parts.extend(phrases(&catalogue, &languages));
        match &self.html {
            None => say!("{}", as_text(&title, &made, &parts).trim_end()),
            Some(path) => {
                std::fs::write(path, as_page(&title, &made, &parts))
                    .map_err(|e| format!("{}: {e}", path.display()))?;
            }
        }
        Ok(true)
    }
}

fn as_text(title: &str, made: &str, parts: &[Part]) -> String {
    let mut out = format!("{}\n{made}\n", title.to_uppercase());
    for part in parts {
        _ = writeln!(out, "\n{}\n{}", part.title.to_uppercase(), "-".repeat(part.title.chars().count()));
        if part.lines.is_empty() {
            out.push_str("none\n");
        }
        part.lines.iter().for_each(|line| _ = writeln!(out, "{line}"));
    }
    out
}

fn as_page(title: &str, made: &str, parts: &[Part]) -> String {
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut out = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>{0}</title>\n<style>body{{font:11pt/1.35 sans-serif;margin:12mm}}h1{{font-size:16pt;margin:0}}\
         h2{{font-size:12pt;margin:5mm 0 1mm;border-bottom:1px solid}}p{{margin:0;white-space:pre-wrap;unicode-bidi:plaintext;break-inside:avoid}}\
         @page{{size:A4;margin:12mm}}</style>\n<h1>{0}</h1>\n<p>{1}</p>\n",
        plain(title),
        plain(made)
    );
    for part in parts {
        _ = writeln!(out, "<h2>{}</h2>", plain(&part.title));
        if part.lines.is_empty() {
            out.push_str("<p>none</p>\n");
        }
        part.lines.iter().for_each(|line| _ = writeln!(out, "<p dir=\"auto\">{}&nbsp;</p>", plain(line)));
    }
    out
}
