//! What persons do on the line from the command line, and what has come of it: `hotline act`, `say`, `cases`, `votes`, `record`.

use crate::Outcome;
use crate::client::Client;
use crate::say;
use crate::secrets::Person;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Do something on the line, signed with a person's key.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hotline act ./blue --as officer-1 '{\"do\":\"request\",\"to\":[\"green\"],\"read_back\":true,\"words\":{\"language\":\"en\",\"text\":\"Keep clear of R-12 until 14:30Z.\",\"phrase\":\"keep-clear\",\"parameters\":{\"area\":\"R-12\",\"time\":\"14:30Z\"}}}'\n  hotline act ./blue '{\"do\":\"wilco\",\"statement\":\"green#12\"}'\n  hotline act ./blue '{\"do\":\"case-open\",\"kind\":\"protest\",\"severity\":\"serious\",\"words\":{\"language\":\"en\",\"text\":\"...\"},\"statements\":[\"green#40\"]}'\n  hotline act ./blue --as supervisor-1 '{\"do\":\"vote\",\"proposal\":\"green#7\",\"choice\":\"yes\"}'\n\nWhat can be done: message, request, read, wilco, unable, read-back, check, case-open, case-triage, case-state, case-link, case-resolve, case-raise, case-reopen, position, propose, vote, withdraw, suspend, restore, leave. Each is refused with what it lacks."
)]
pub(crate) struct Act {
    /// The node's folder
    folder: PathBuf,
    /// What is done, as JSON
    deed: String,
    #[command(flatten)]
    person: Person,
}

fn act(folder: &std::path::Path, person: &Person, deed: &Value) -> Outcome {
    let client = Client::of(folder)?.signed_in(&person.holder, &person.pin()?)?;
    let done = client.post("/console/act", deed);
    client.sign_out()?;
    say!("said as {}", done?["statement"].as_str().unwrap_or_default());
    Ok(true)
}

impl Act {
    pub(crate) fn run(self) -> Outcome {
        let deed: Value = serde_json::from_str(&self.deed).map_err(|e| format!("the deed: {e}"))?;
        act(&self.folder, &self.person, &deed)
    }
}

/// Say something to the other parties' officers.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hotline say ./blue 'We are back on watch.'\n  hotline say ./blue --to green --phrase keep-clear --set area=R-12 --set time=14:30Z\n\nPhrases of the catalogue are read by each in their own language; `hotline callsheet` lists those for safety. Requests are read back."
)]
pub(crate) struct Say {
    /// The node's folder
    folder: PathBuf,
    /// What is said, when it is no phrase
    text: Option<String>,
    /// To whom; to all when left out
    #[arg(long)]
    to: Vec<String>,
    /// A phrase of the catalogue
    #[arg(long, conflicts_with = "text")]
    phrase: Option<String>,
    /// What the phrase is told, such as area=R-12
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The language of the text
    #[arg(long, default_value = "en")]
    language: String,
    #[command(flatten)]
    person: Person,
}

impl Say {
    pub(crate) fn run(self) -> Outcome {
        let deed = match (&self.phrase, &self.text) {
            (None, Some(text)) => {
                json!({ "do": "message", "to": self.to, "words": { "language": self.language, "text": text } })
            }
            (Some(phrase), _) => self.phrase(phrase)?,
            (None, None) => return Err("say what: a text, or --phrase".into()),
        };
        act(&self.folder, &self.person, &deed)
    }

    fn phrase(&self, id: &str) -> Result<Value, String> {
        use hotline_node::{Catalogue, PhraseKind};
        let catalogue = Catalogue::load(&self.folder).map_err(|e| e.to_string())?;
        let phrase = catalogue.phrases().get(id).ok_or_else(|| format!("there is no phrase {id}"))?;
        let mut values = std::collections::BTreeMap::new();
        for pair in &self.set {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| format!("{pair:?}: NAME=VALUE is expected"))?;
            values.insert(name.to_owned(), value.to_owned());
        }
        let names: Vec<&String> = phrase.parameters.keys().collect();
        if values.keys().ne(names.iter().copied()) {
            return Err(format!("phrase {id} is told {names:?}, with --set for each"));
        }
        let text = catalogue.say(&self.language, id, &values).ok_or("the phrase cannot be said")?;
        let words = json!({ "phrase": id, "parameters": values, "language": self.language, "text": text });
        if phrase.kind != PhraseKind::Request {
            return Ok(json!({ "do": "message", "to": self.to, "words": words }));
        }
        let to = if self.to.is_empty() { self.others()? } else { self.to.clone() };
        Ok(json!({ "do": "request", "to": to, "words": words, "read_back": !values.is_empty() }))
    }

    fn others(&self) -> Result<Vec<String>, String> {
        let dealings = Client::of(&self.folder)?.get("/console/state")?;
        let names = dealings["dealings"]["standings"]["members"].as_array().cloned().unwrap_or_default();
        let own = &dealings["party"];
        Ok(names.iter().filter(|n| *n != own).filter_map(|n| n.as_str().map(str::to_owned)).collect())
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn time(value: &Value, name: &str) -> String {
    let at = value[name].as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or("-".into(), |at| at.to_string())
}

/// List the cases: what is open, overdue, raised.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline cases ./blue\n  hotline cases ./blue --all\n  hotline cases ./blue --json\n\nExit code 1 when a case is overdue."
)]
pub(crate) struct Cases {
    /// The node's folder
    folder: PathBuf,
    /// Resolved ones too
    #[arg(long)]
    all: bool,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

impl Cases {
    pub(crate) fn run(self) -> Outcome {
        let dealings = Client::of(&self.folder)?.get("/console/dealings")?;
        let cases = dealings["cases"].as_array().cloned().unwrap_or_default();
        let listed: Vec<&Value> = cases.iter().filter(|c| self.all || c["status"] != "resolved").collect();
        let overdue = cases.iter().filter(|c| c["overdue"] == true).count();
        if self.json {
            say!("{:#}", json!(listed));
            return Ok(overdue == 0);
        }
        let count = |status: &str| cases.iter().filter(|c| c["status"] == status).count();
        say!(
            "{} open, {overdue} overdue, {} raised, {} resolved",
            count("open"),
            count("raised"),
            count("resolved")
        );
        for case in listed {
            say!(
                "{:12} {:8} {:8} {:9} owner {}, due {}{}",
                text(case, "case"),
                text(case, "severity"),
                text(case, "kind"),
                text(case, "status"),
                text(case, "owner"),
                time(case, "due_ms"),
                if case["overdue"] == true { "  OVERDUE" } else { "" }
            );
            say!("    {}", text(&case["words"], "text"));
        }
        Ok(overdue == 0)
    }
}

/// List the proposals and how each party has voted.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline votes ./blue\n  hotline votes ./blue --json\n\nExit code 1 when a vote of this party is still to be cast."
)]
pub(crate) struct Votes {
    /// The node's folder
    folder: PathBuf,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

impl Votes {
    pub(crate) fn run(self) -> Outcome {
        let dealings = Client::of(&self.folder)?.get("/console/dealings")?;
        let ballots = dealings["ballots"].as_array().cloned().unwrap_or_default();
        let waits = ballots.iter().any(|b| b["may_vote"] == true && b["outcome"].is_null());
        if self.json {
            say!("{:#}", json!(ballots));
            return Ok(!waits);
        }
        for ballot in &ballots {
            let votes = ballot["votes"].as_object().cloned().unwrap_or_default();
            let votes: Vec<String> =
                votes.iter().map(|(p, v)| format!("{p} {}", v.as_str().unwrap_or_default())).collect();
            let outcome = ballot["outcome"].as_str().unwrap_or("open");
            say!(
                "{:12} {:12} {} by {}, votes until {}",
                text(ballot, "proposal"),
                outcome,
                text(&ballot["change"], "matter"),
                text(ballot, "party"),
                time(ballot, "deadline_ms")
            );
            say!("    {}", text(&ballot["words"], "text"));
            say!("    {}", votes.join(", "));
        }
        if ballots.is_empty() {
            say!("no proposals");
        }
        Ok(!waits)
    }
}

/// Show what a party has put on record, and what takes the place of what.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline record green --about 'R-12' --folder ./blue\n  hotline record green --folder ./blue --json"
)]
pub(crate) struct Record {
    /// The party
    party: String,
    /// Only what has this in its topic or text
    #[arg(long, default_value = "")]
    about: String,
    /// The own node's folder
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl Record {
    pub(crate) fn run(self) -> Outcome {
        let query = format!("/console/record/{}?about={}", self.party, escaped(&self.about));
        let record = Client::of(&self.folder)?.get(&query)?;
        if self.json {
            say!("{record:#}");
            return Ok(true);
        }
        let positions = record["positions"].as_array().cloned().unwrap_or_default();
        for p in &positions {
            say!("{}  {}  about {}", time(p, "time_ms"), text(p, "statement"), text(p, "about"));
            say!("    {}", text(&p["words"], "text"));
            if let Some(earlier) = p["supersedes"].as_str() {
                say!("    takes the place of {earlier}");
            }
            if let Some(later) = p["superseded_by"].as_str() {
                say!("    SUPERSEDED by {later}");
            }
        }
        if positions.is_empty() {
            say!("{} has put nothing on record about {:?}", self.party, self.about);
        }
        Ok(true)
    }
}

/// A text as part of an address.
fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}
