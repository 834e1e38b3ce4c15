//! Statements in plain English, for people who read evidence.

use crate::Account;
use hotline_ledger::{Openings, PartyName, Statement};
use hotline_line::{
    Act, Body, CaseStep, Change, ConflictKey, ConflictKind, Deed, FlightNotice, Links, Missed,
    MissedDeadline, Parameter, Reply, StatementRef, Step, Withholdable, Words,
};

fn conflict(key: &ConflictKey) -> String {
    match key.kind {
        ConflictKind::Plans => format!("the plans of {} and {}", key.first, key.second),
        ConflictKind::PlanRestriction => format!("the plan of {} and restriction {}", key.first, key.second),
        ConflictKind::Tracks => format!("aircraft {} and {}", key.first, key.second),
        ConflictKind::TrackPlan => format!("aircraft {} and the plan of {}", key.first, key.second),
        ConflictKind::TrackRestriction => format!("aircraft {} and restriction {}", key.first, key.second),
        ConflictKind::Nonconforming => format!("aircraft {} outside its plan {}", key.first, key.second),
    }
}

fn refs(statements: &[StatementRef]) -> String {
    statements.iter().map(|r| format!("{} #{}", r.party, r.number)).collect::<Vec<_>>().join(", ")
}

fn names(parties: &[PartyName]) -> String {
    match parties {
        [] => "all".into(),
        some => some.iter().map(PartyName::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// A text on one line, marked as quoted.
fn quoted(words: &Words) -> String {
    let phrase = words.phrase.as_ref().map_or(String::new(), |p| format!(" [phrase {p}]"));
    format!("{:?}{phrase}", words.text)
}

fn open(field: &Withholdable) -> String {
    field.value().map_or("(withheld)".into(), |value| format!("{value:?}"))
}

fn parameters(all: &[Parameter]) -> String {
    all.iter().map(|p| format!("{} {:?}", p.name, p.value)).collect::<Vec<_>>().join(", ")
}

/// What a statement says. A person's signature is checked with the keys that the account has proven.
pub fn describe(statement: &Statement, openings: &[u8], account: &Account) -> String {
    let body = Openings::from_bytes(openings)
        .map_err(hotline_line::LineError::from)
        .and_then(|openings| Body::decode(&statement.kind, &statement.body, &openings));
    let body = match body {
        Ok(body) => body,
        Err(e) => return format!("said something that cannot be read ({}): {e}", statement.kind),
    };
    match body {
        Body::Certificate(_, name) => format!("certified a key of {} (keys are listed above)", open(&name)),
        Body::Revocation(_) => "revoked a key (keys are listed above)".into(),
        Body::FlightNotice(n) => notice(&n),
        Body::FlightEnd(end) => format!("ended flight {} (version {})", end.flight, end.version),
        Body::Restriction(r) => format!(
            "entered restriction {} ({}) until {}",
            r.id,
            r.reason,
            r.volumes.iter().map(|v| v.time.end()).max().unwrap_or_default()
        ),
        Body::RestrictionLift(lift) => format!("lifted restriction {}", lift.id),
        Body::ConflictAlert(a) => {
            let closest = a.closest.map_or(String::new(), |(time, h, v)| {
                format!(", closest {h:.0} m and {v:.0} m in height after {:.0} s", time.get())
            });
            format!(
                "alerted ({}): {} from {} to {}{closest}",
                a.level.as_str(),
                conflict(&a.conflict),
                a.begins,
                a.ends
            )
        }
        Body::ConflictClear(c) => {
            format!("no longer sees the conflict of {} since {}", conflict(&c.conflict), c.since)
        }
        Body::Act(signed) => act(statement, &signed, account),
        Body::ScheduledCheck(to) => format!("asked whether a person is there: {}", names(&to)),
        Body::MissedDeadline(m) => missed(&m),
        Body::Dispute(d) => {
            let checks = account.disputed.iter().any(|known| known.party == d.party);
            let proof = if checks { "the proof checks" } else { "the proof does NOT check" };
            format!("showed that {} has signed two histories of its ledger: {proof}", d.party)
        }
        Body::Segment(s) => {
            format!(
                "recorded what {} aircraft did from {} to {} (segment {})",
                s.aircraft, s.from, s.to, s.number
            )
        }
        Body::Handover(h) => {
            let without = match h.withheld.as_slice() {
                [] => String::new(),
                fields => format!(", without {}", fields.join(", ")),
            };
            format!(
                "handed evidence of {} to {} over to {:?} ({}){without}",
                h.from, h.to, h.recipient, h.reason
            )
        }
        Body::Unknown(kind) => format!("said something of kind {kind}, which this version does not know"),
    }
}

fn notice(n: &FlightNotice) -> String {
    let unit = n.unit.value().is_none_or(|u| !u.is_empty()).then(|| format!(", unit {}", open(&n.unit)));
    format!(
        "gave notice of flight {} version {}: {} {:?} for {}, call sign {}{}, {} volumes from {} to {}{}",
        n.flight,
        n.version,
        n.aircraft,
        n.category,
        n.purpose.value().unwrap_or("(withheld)"),
        open(&n.callsign),
        unit.unwrap_or_default(),
        n.volumes.len(),
        n.volumes.iter().map(|v| v.time.start()).min().unwrap_or_default(),
        n.volumes.iter().map(|v| v.time.end()).max().unwrap_or_default(),
        if n.late { " (late notice)" } else { "" },
    )
}

fn missed(m: &MissedDeadline) -> String {
    let party = &m.party;
    let what = match &m.missed {
        Missed::Alert(key, level) => {
            format!("{party} did not acknowledge ({}) {}", level.as_str(), conflict(key))
        }
        Missed::Statement(statement) => format!("{party} did not answer {statement}"),
        Missed::Receipt(number) => format!("{party} gave no receipt from #{number} on"),
        Missed::Report(key) => format!("the node of {party} did not report {}", conflict(key)),
    };
    format!("recorded that {what} by {}; told: {}", m.due, m.stage.as_str())
}

fn act(statement: &Statement, act: &Act, account: &Account) -> String {
    let keys = account.party(&statement.party).map(crate::PartyAccount::keys);
    let find = |id, at| keys?.person(id, at, statement.number);
    match act.check(&statement.line, &statement.party, find) {
        Ok(person) => {
            let (role, holder) = (person.role.as_str(), &person.holder);
            let holder =
                holder.strip_prefix(&format!("{role}-")).map_or(holder.clone(), |n| format!("{role} {n}"));
            format!("{holder} {}, signed at {}", deed(act.deed()), act.time())
        }
        Err(e) => format!("passed on a {} that does NOT check: {e}", act.deed().kind()),
    }
}

fn deed(deed: &Deed) -> String {
    match deed {
        Deed::Acknowledge { conflict: key, level, alerts } => {
            format!("acknowledged ({}) {}, seen as {}", level.as_str(), conflict(key), refs(alerts))
        }
        Deed::Message { to, words, reply_to } => {
            let reply = reply_to.as_ref().map_or(String::new(), |r| format!(" in reply to {r}"));
            format!("told {}{reply}: {}", names(to), quoted(words))
        }
        Deed::Request { to, words, read_back } => {
            let back = if *read_back { " (to be read back)" } else { "" };
            format!("asked {}{back}: {}", names(to), quoted(words))
        }
        Deed::Answer { to, reply } => match reply {
            Reply::Read => format!("has read {to}"),
            Reply::Wilco => format!("will comply with {to}"),
            Reply::Unable(words) => format!("is unable to comply with {to}: {}", quoted(words)),
            Reply::ReadBack(essentials) => format!("read {to} back: {}", parameters(essentials)),
        },
        Deed::Check { to } => format!("asked whether a person is there: {}", names(to)),
        Deed::Case(step) => case(step),
        Deed::Position { about, words, supersedes } => {
            let instead = supersedes.map_or(String::new(), |n| format!(" instead of #{n}"));
            format!("put on record about {about:?}{instead}: {}", quoted(words))
        }
        Deed::Propose(p) => {
            let change = match &p.change {
                Change::Rulebook(_) => "another rulebook".to_owned(),
                Change::Accession(candidate) => format!("that {} joins", candidate.party),
                Change::Expulsion(party) => format!("that {party} is removed"),
                Change::Resolution => "a resolution".to_owned(),
            };
            format!("proposed {change} ({}), votes until {}: {}", p.class, p.deadline, quoted(&p.title))
        }
        Deed::Vote { proposal, choice } => format!("voted {} on {proposal}", choice.as_str()),
        Deed::Withdraw { proposal } => format!("withdrew proposal #{proposal}"),
        Deed::Suspend(words) => format!("suspended the line: {}", quoted(words)),
        Deed::Restore(words) => format!("restored the line: {}", quoted(words)),
        Deed::Leave(words) => format!("left the line: {}", quoted(words)),
    }
}

fn links(links: &Links) -> String {
    let statements = links.statements.iter().map(ToString::to_string);
    statements.chain(links.subjects.iter().map(ToString::to_string)).collect::<Vec<_>>().join(", ")
}

fn case(step: &CaseStep) -> String {
    let of = step.case.as_ref().map_or(String::new(), ToString::to_string);
    match &step.step {
        Step::Open { kind, severity, title, against, links: l } => {
            let about = if l.statements.len() + l.subjects.len() > 0 {
                format!(" about {}", links(l))
            } else {
                String::new()
            };
            let (kind, severity) = (kind.as_str(), severity.as_str());
            format!("opened a case ({severity} {kind}) with {}{about}: {}", names(against), quoted(title))
        }
        Step::Triage { severity, owner, due } => {
            format!("gave case {of} to {owner} until {due} ({})", severity.as_str())
        }
        Step::State(words) => format!("stated on case {of}: {}", quoted(words)),
        Step::Link(l) => format!("linked {} to case {of}", links(l)),
        Step::Resolve(words) => format!("holds case {of} resolved: {}", quoted(words)),
        Step::Raise(words) => format!("raised case {of}: {}", quoted(words)),
        Step::Reopen(words) => format!("took case {of} up again: {}", quoted(words)),
    }
}
