//! What the console sees of what persons say, owe and decide.

use hotline_ledger::{Fingerprint, PartyName, VerifyingKey};
use hotline_line::{
    Ballot, CLASSES, Case, Change, Choice, Deed, Links, Obligation, Parameter, Person, Reply, Speech,
    Standing, Step, Words, day_of,
};
use hotline_picture::{Core, Spoken};
use jiff::Timestamp;
use serde_json::{Value, json};

fn ms(time: Timestamp) -> i64 {
    time.as_millisecond()
}

fn view_parameters(parameters: &[Parameter]) -> Value {
    parameters.iter().map(|p| (p.name.clone(), json!(p.value))).collect::<serde_json::Map<_, _>>().into()
}

pub(crate) fn view_words(words: &Words) -> Value {
    json!({
        "phrase": words.phrase,
        "parameters": view_parameters(&words.parameters),
        "language": words.language,
        "text": words.text,
    })
}

fn names(parties: &[PartyName]) -> Vec<&str> {
    parties.iter().map(PartyName::as_str).collect()
}

fn view_links(links: &Links) -> Value {
    json!({
        "statements": links.statements.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "subjects": links.subjects.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn view_reply(reply: &Reply) -> Value {
    match reply {
        Reply::Read => json!({ "how": "read" }),
        Reply::Wilco => json!({ "how": "wilco" }),
        Reply::Unable(words) => json!({ "how": "unable", "words": view_words(words) }),
        Reply::ReadBack(essentials) => {
            json!({ "how": "read-back", "essentials": view_parameters(essentials) })
        }
    }
}

fn view_step(step: &Step) -> Value {
    match step {
        Step::Open { kind, severity, title, against, links } => json!({
            "step": "open", "kind": kind.as_str(), "severity": severity.as_str(), "words": view_words(title),
            "against": names(against), "links": view_links(links),
        }),
        Step::Triage { severity, owner, due } => json!({
            "step": "triage", "severity": severity.as_str(), "owner": owner.as_str(), "due_ms": ms(*due),
        }),
        Step::State(words) => json!({ "step": "state", "words": view_words(words) }),
        Step::Link(links) => json!({ "step": "link", "links": view_links(links) }),
        Step::Resolve(words) => json!({ "step": "resolve", "words": view_words(words) }),
        Step::Raise(words) => json!({ "step": "raise", "words": view_words(words) }),
        Step::Reopen(words) => json!({ "step": "reopen", "words": view_words(words) }),
    }
}

/// What a proposal changes, and the words of a candidate's root key.
fn view_change(change: &Change) -> Value {
    match change {
        Change::Rulebook(toml) => json!({ "matter": "rulebook", "toml": toml }),
        Change::Accession(candidate) => json!({
            "matter": "accession",
            "party": candidate.party.as_str(),
            "address": candidate.address,
            "root_words": VerifyingKey::from_bytes(&candidate.root).ok().map(|key| Fingerprint::of(&key).words()),
        }),
        Change::Expulsion(party) => json!({ "matter": "expulsion", "party": party.as_str() }),
        Change::Resolution => json!({ "matter": "resolution" }),
    }
}

fn view_deed(deed: &Deed) -> Value {
    match deed {
        Deed::Acknowledge { conflict, level, .. } => {
            json!({ "conflict": conflict.to_string(), "level": level.as_str() })
        }
        Deed::Message { to, words, reply_to } => json!({
            "to": names(to), "words": view_words(words), "reply_to": reply_to.as_ref().map(ToString::to_string),
        }),
        Deed::Request { to, words, read_back } => {
            json!({ "to": names(to), "words": view_words(words), "read_back": read_back })
        }
        Deed::Answer { to, reply } => json!({ "statement": to.to_string(), "reply": view_reply(reply) }),
        Deed::Check { to } => json!({ "to": names(to) }),
        Deed::Case(step) => {
            json!({ "case": step.case.as_ref().map(ToString::to_string), "step": view_step(&step.step) })
        }
        Deed::Position { about, words, supersedes } => {
            json!({ "about": about, "words": view_words(words), "supersedes": supersedes })
        }
        Deed::Propose(proposal) => json!({
            "words": view_words(&proposal.title), "class": proposal.class, "change": view_change(&proposal.change),
            "deadline_ms": ms(proposal.deadline), "dispute": names(&proposal.dispute),
        }),
        Deed::Vote { proposal, choice } => {
            json!({ "proposal": proposal.to_string(), "choice": choice.as_str() })
        }
        Deed::Withdraw { proposal } => json!({ "proposal": proposal }),
        Deed::Suspend(words) | Deed::Restore(words) | Deed::Leave(words) => {
            json!({ "words": view_words(words) })
        }
    }
}

fn view_person(person: &Person) -> Value {
    json!({ "holder": person.holder, "role": person.role.as_str() })
}

pub(crate) fn view_spoken(spoken: &Spoken) -> Value {
    json!({
        "statement": spoken.statement.to_string(),
        "party": spoken.statement.party.as_str(),
        "time_ms": ms(spoken.time),
        "person": view_person(&spoken.person),
        "name": spoken.name,
        "kind": spoken.deed.kind(),
        "deed": view_deed(&spoken.deed),
    })
}

/// An obligation as the own party sees it.
pub(crate) fn view_owed(owed: &Obligation, own: &PartyName) -> Value {
    json!({
        "id": format!("{} {}", owed.statement, owed.by),
        "statement": owed.statement.to_string(),
        "from": owed.statement.party.as_str(),
        "by": owed.by.as_str(),
        "owed": owed.owed.as_str(),
        "said_ms": ms(owed.said),
        "due_ms": ms(owed.due_for(own)),
        "read_ms": owed.read.as_ref().map(|m| ms(m.time)),
        "met": owed.met.as_ref().map(|m| json!({
            "statement": m.statement.to_string(),
            "time_ms": ms(m.time),
            "how": m.how,
            "person": view_person(&m.person),
            "words": m.words.as_ref().map(view_words),
        })),
        "missed": owed.missed.map(|s| s.as_str()),
        "read_back": owed.read_back.as_deref().map(view_parameters),
        "misread": owed.misread.as_deref().map(view_parameters),
    })
}

fn view_case(case: &Case, now: Timestamp) -> Value {
    let remark = |r: &hotline_line::Remark| json!({ "statement": r.statement.to_string(), "time_ms": ms(r.time), "words": view_words(&r.words) });
    let by_party = |all: &std::collections::BTreeMap<PartyName, hotline_line::Remark>| -> Value {
        all.iter().map(|(p, r)| (p.to_string(), remark(r))).collect::<serde_json::Map<_, _>>().into()
    };
    let positions: serde_json::Map<_, _> = case
        .positions
        .iter()
        .map(|(p, all)| (p.to_string(), all.iter().map(remark).collect::<Vec<_>>().into()))
        .collect();
    json!({
        "case": case.opened.to_string(),
        "opened_ms": ms(case.time),
        "kind": case.kind.as_str(),
        "status": case.status().as_str(),
        "overdue": case.is_overdue(now),
        "severity": case.triage.severity.as_str(),
        "owner": case.triage.owner.as_str(),
        "due_ms": ms(case.triage.due),
        "words": view_words(&case.title),
        "involved": case.involved.iter().map(PartyName::as_str).collect::<Vec<_>>(),
        "statements": case.statements.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "subjects": case.subjects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "positions": positions,
        "resolved": by_party(&case.resolved),
        "raised": by_party(&case.raised),
        "reopened": case.reopened.as_ref().map(remark),
    })
}

pub(crate) fn view_ballot(core: &Core, ballot: &Ballot) -> Value {
    let line = core.line();
    let ballots = &line.books().ballots;
    let cut = line.cut();
    let standing = |party: &PartyName| match ballots.standing(ballot, party, &cut) {
        Standing::Cast(choice) => choice.as_str(),
        Standing::Absent => "absent",
        Standing::Pending => "pending",
    };
    let voters = ballots.voters(&ballot.proposal);
    let may = |choice| ballots.may_vote(line.party(), &ballot.statement, choice, core.time(), &cut).is_ok();
    let proposal = &ballot.proposal;
    json!({
        "proposal": ballot.statement.to_string(),
        "party": ballot.statement.party.as_str(),
        "number": ballot.statement.number,
        "time_ms": ms(ballot.time),
        "words": view_words(&proposal.title),
        "class": proposal.class,
        "change": view_change(&proposal.change),
        "deadline_ms": ms(proposal.deadline),
        "dispute": names(&proposal.dispute),
        "votes": voters.iter().map(|p| (p.to_string(), json!(standing(p)))).collect::<serde_json::Map<_, _>>(),
        "outcome": ballot.outcome.map(|o| o.as_str()),
        "void": ballot.void,
        "may_vote": (may(Choice::Yes) || may(Choice::No) || may(Choice::Abstain)),
    })
}

pub(crate) fn view_standings(core: &Core) -> Value {
    let standings = &core.line().books().standings;
    let suspended = standings.suspensions().map(|(party, s)| {
        let suspended = json!({
            "statement": s.statement.to_string(), "since_ms": ms(s.since), "words": view_words(&s.words),
        });
        (party.to_string(), suspended)
    });
    json!({
        "suspended": suspended.collect::<serde_json::Map<_, _>>(),
        "members": names(&core.line().members()),
        "withheld": core.withheld().count(),
    })
}

/// Whether this node may speak, and if not, why not.
pub(crate) fn view_speech(core: &Core) -> Value {
    let state = match core.line().speech() {
        Speech::Free => "free",
        Speech::Listening(_) => "listening",
        Speech::Behind(_) => "behind",
        Speech::Forked(_) => "forked",
        Speech::NotMember => "not-member",
    };
    json!({ "state": state, "why": core.line().may_speak().err().map(|e| e.to_string()) })
}

/// What a party has put on record, whose topic or text has `about` in it, oldest first.
pub(crate) fn view_positions(core: &Core, party: &PartyName, about: &str) -> Value {
    let all = core.line().books().standings.positions(party, about);
    let all = all.map(|p| {
        let other = |number: Option<u64>| number.map(|n| format!("{party}#{n}"));
        json!({
            "statement": p.statement.to_string(),
            "time_ms": ms(p.time),
            "about": p.about,
            "words": view_words(&p.words),
            "supersedes": other(p.supersedes),
            "superseded_by": other(p.superseded_by),
        })
    });
    json!({ "party": party.as_str(), "positions": all.collect::<Vec<_>>() })
}

/// How well the parties get on, day by day, oldest first.
pub(crate) fn view_health(core: &Core) -> Value {
    let books = core.line().books();
    let rule = &core.line().rulebook().health;
    let days = books.health_days(core.time());
    let days = days.iter().map(|(day, counts)| {
        let components = counts.components(rule);
        let date = Timestamp::from_second(day * 86_400).map(|t| t.to_string()[..10].to_owned());
        json!({
            "date": date.unwrap_or_default(),
            "index": counts.index(rule),
            "components": components.iter().map(|c| json!({ "name": c.name, "weight": c.weight, "score": c.score })).collect::<Vec<_>>(),
            "acknowledged": counts.acknowledged,
            "acknowledged_late": counts.acknowledged_late,
            "alerts_missed": counts.alerts_missed,
            "asked": counts.asked,
            "answered": counts.answered,
            "checks_asked": counts.checks_asked,
            "checks_answered": counts.checks_answered,
            "notices": counts.notices,
            "notices_late": counts.notices_late,
            "flights": counts.flights,
            "conflicts": counts.conflicts,
            "protests": counts.protests,
            "protests_open": counts.protests_open,
            "suspended_s": counts.suspended_s,
            "suspensions": counts.suspensions,
            "times": counts.times,
            "mean_time_s": counts.mean_time(),
        })
    });
    json!({
        "line": core.line().name().as_str(),
        "today": day_of(core.time()),
        "lowest_ever": books.is_lowest_ever(core.time()),
        "classes_s": CLASSES,
        "days": days.collect::<Vec<_>>(),
    })
}

/// What is listed of what persons say, owe and decide.
pub(crate) fn view_dealings(core: &Core) -> Value {
    let (line, own) = (core.line(), core.line().party());
    let books = line.books();
    let settled: Vec<&Obligation> = books.obligations.settled().collect();
    let recent = settled.iter().rev().take(100).rev().copied();
    let ballots: Vec<&Ballot> = books.ballots.iter().collect();
    json!({
        "spoken": core.conversation().iter().map(view_spoken).collect::<Vec<_>>(),
        "obligations": recent.chain(books.obligations.open()).map(|o| view_owed(o, own)).collect::<Vec<_>>(),
        "cases": books.cases.iter().map(|c| view_case(c, core.time())).collect::<Vec<_>>(),
        "ballots": ballots.into_iter().map(|b| view_ballot(core, b)).collect::<Vec<_>>(),
        "standings": view_standings(core),
        "speech": view_speech(core),
    })
}
