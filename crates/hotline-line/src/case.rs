//! Cases: incidents, protests and questions that the parties work off together.
//!
//! Every party adds to a case from its own ledger. What two say at the same time is merged by rules that do not depend on the
//! order in which a node hears them: the newest triage by its time (then by name), all positions side by side, resolved
//! when everyone involved says so after the last reopening.

use crate::{LineError, StatementRef, Subject, Words};
use hotline_ledger::PartyName;
use jiff::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// The most links of one case.
const MAX_LINKS: usize = 1_000;
/// The most positions of one party on one case that are kept; all are in its ledger.
const MAX_POSITIONS: usize = 100;
/// The most open cases of one party.
pub const MAX_CASES: usize = 1_000;
/// The most closed cases that are kept.
const MAX_CLOSED: usize = 2_000;

/// What kind of case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum CaseKind {
    /// Something happened.
    #[n(0)]
    Incident,
    /// A party objects to what another did.
    #[n(1)]
    Protest,
    /// Something is to be cleared up.
    #[n(2)]
    Question,
}

/// How much is at stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Severity {
    /// For the record.
    #[n(0)]
    Minor,
    /// Safety was or may be touched.
    #[n(1)]
    Serious,
    /// Lives or aircraft were in danger.
    #[n(2)]
    Grave,
}

macro_rules! named {
    ($name:ident { $($variant:ident = $text:literal),+ }) => {
        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in interfaces.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

named!(CaseKind { Incident = "incident", Protest = "protest", Question = "question" });
named!(Severity { Minor = "minor", Serious = "serious", Grave = "grave" });
named!(CaseStatus { Open = "open", Raised = "raised", Resolved = "resolved" });

/// How far a case has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseStatus {
    /// Being worked off.
    Open,
    /// Put before the leaders.
    Raised,
    /// Everyone involved holds it resolved.
    Resolved,
}

/// Statements and aircraft that a case is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Links {
    /// Statements.
    #[n(0)]
    pub statements: Vec<StatementRef>,
    /// Flights or tracks.
    #[n(1)]
    pub subjects: Vec<Subject>,
}

/// One step of a case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Step {
    /// Opens it.
    #[n(0)]
    Open {
        /// What kind.
        #[n(0)]
        kind: CaseKind,
        /// How much is at stake.
        #[n(1)]
        severity: Severity,
        /// What it is about.
        #[n(2)]
        title: Words,
        /// Who else is involved and owes a position; all when empty.
        #[n(3)]
        against: Vec<PartyName>,
        /// What it is about.
        #[n(4)]
        links: Links,
    },
    /// Says who works on it until when.
    #[n(1)]
    Triage {
        /// How much is at stake.
        #[n(0)]
        severity: Severity,
        /// Who works on it.
        #[n(1)]
        owner: PartyName,
        /// Until when.
        #[cbor(n(2), with = "crate::cbor::instant")]
        due: Timestamp,
    },
    /// The party's position.
    #[n(2)]
    State(#[n(0)] Words),
    /// Adds links.
    #[n(3)]
    Link(#[n(0)] Links),
    /// Holds it resolved.
    #[n(4)]
    Resolve(#[n(0)] Words),
    /// Puts it before the leaders.
    #[n(5)]
    Raise(#[n(0)] Words),
    /// Takes it up again.
    #[n(6)]
    Reopen(#[n(0)] Words),
}

/// A step, of a case that is named by the statement that opened it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CaseStep {
    /// The statement that opened the case; nothing in that statement itself.
    #[n(0)]
    pub case: Option<StatementRef>,
    /// The step.
    #[n(1)]
    pub step: Step,
}

impl CaseStep {
    /// Whether it takes a supervisor's key.
    pub const fn is_final(&self) -> bool {
        matches!(self.step, Step::Resolve(_) | Step::Raise(_))
    }

    pub(crate) fn about(&self) -> String {
        match (&self.case, &self.step) {
            (_, Step::Open { title, .. }) => title.text.chars().take(80).collect(),
            (case, step) => {
                let what = match step {
                    Step::Open { .. } => "open",
                    Step::Triage { .. } => "triage",
                    Step::State(_) => "position",
                    Step::Link(_) => "link",
                    Step::Resolve(_) => "resolve",
                    Step::Raise(_) => "raise",
                    Step::Reopen(_) => "reopen",
                };
                format!("{what} {}", case.as_ref().map_or(String::new(), ToString::to_string))
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), LineError> {
        let links = |links: &Links| {
            if links.statements.len() + links.subjects.len() <= crate::act::MAX_REFS {
                return Ok(());
            }
            let value = (links.statements.len() + links.subjects.len()).to_string();
            Err(LineError::OutOfRange { what: "links of a case", value, allowed: "at most 64 in one step" })
        };
        let opens = matches!(self.step, Step::Open { .. });
        if opens == self.case.is_some() {
            let why = "a case is named by the statement that opened it, and only there not";
            return Err(LineError::malformed("a case", why));
        }
        match &self.step {
            Step::Open { title, against, links: all, .. } => {
                if against.len() > 15 {
                    return Err(LineError::malformed("a case", "at most 15 parties are involved"));
                }
                links(all)?;
                title.check()
            }
            Step::Triage { .. } => Ok(()),
            Step::Link(all) => links(all),
            Step::State(words) | Step::Resolve(words) | Step::Raise(words) | Step::Reopen(words) => {
                words.check()
            }
        }
    }
}

/// Something that a party said on a case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Remark {
    /// The statement.
    #[n(0)]
    pub statement: StatementRef,
    /// When.
    #[cbor(n(1), with = "crate::cbor::instant")]
    pub time: Timestamp,
    /// What.
    #[n(2)]
    pub words: Words,
}

/// Who works on a case until when, and who said so.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Triage {
    /// When it was said.
    #[cbor(n(0), with = "crate::cbor::instant")]
    pub time: Timestamp,
    /// By whom.
    #[n(1)]
    pub by: PartyName,
    /// How much is at stake.
    #[n(2)]
    pub severity: Severity,
    /// Who works on it.
    #[n(3)]
    pub owner: PartyName,
    /// Until when.
    #[cbor(n(4), with = "crate::cbor::instant")]
    pub due: Timestamp,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Case {
    /// The statement that opened it: its name.
    #[n(0)]
    pub opened: StatementRef,
    /// When.
    #[cbor(n(1), with = "crate::cbor::instant")]
    pub time: Timestamp,
    /// What kind.
    #[n(2)]
    pub kind: CaseKind,
    /// What it is about.
    #[n(3)]
    pub title: Words,
    /// Everyone involved, the opener among them.
    #[n(4)]
    pub involved: BTreeSet<PartyName>,
    /// The newest triage.
    #[n(5)]
    pub triage: Triage,
    /// Linked statements.
    #[n(6)]
    pub statements: BTreeSet<StatementRef>,
    /// Linked flights and tracks.
    #[n(7)]
    pub subjects: BTreeSet<Subject>,
    /// What each party says on it, oldest first.
    #[n(8)]
    pub positions: BTreeMap<PartyName, Vec<Remark>>,
    /// Who holds it resolved.
    #[n(9)]
    pub resolved: BTreeMap<PartyName, Remark>,
    /// Who has put it before the leaders.
    #[n(10)]
    pub raised: BTreeMap<PartyName, Remark>,
    /// The last reopening.
    #[n(11)]
    pub reopened: Option<Remark>,
}

impl Case {
    /// How far it has come.
    pub fn status(&self) -> CaseStatus {
        let since = |remark: &&Remark| self.reopened.as_ref().is_none_or(|r| remark.time > r.time);
        let resolved = |party: &PartyName| self.resolved.get(party).as_ref().is_some_and(since);
        if self.involved.iter().all(resolved) {
            CaseStatus::Resolved
        } else if self.raised.values().any(|r| since(&r)) {
            CaseStatus::Raised
        } else {
            CaseStatus::Open
        }
    }

    /// Whether it should have been resolved by now.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.status() != CaseStatus::Resolved && self.triage.due < now
    }
}

/// All cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Cases(#[n(0)] BTreeMap<StatementRef, Case>);

impl Cases {
    /// A case by the statement that opened it.
    pub fn get(&self, opened: &StatementRef) -> Option<&Case> {
        self.0.get(opened)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Case> {
        self.0.values()
    }

    /// How many open cases a party has opened.
    pub fn open_of(&self, party: &PartyName) -> usize {
        let open = |c: &&Case| c.opened.party == *party && c.status() != CaseStatus::Resolved;
        self.iter().filter(open).count()
    }

    /// Takes in a step. Gives the case that it is of, when it has an effect.
    pub(crate) fn hear(
        &mut self,
        statement: &StatementRef,
        time: Timestamp,
        step: &CaseStep,
        members: &[PartyName],
        position_s: f64,
    ) -> Option<StatementRef> {
        let party = &statement.party;
        if let Step::Open { kind, severity, title, against, links } = &step.step {
            if self.open_of(party) >= MAX_CASES {
                return None;
            }
            let others = if against.is_empty() { members } else { against };
            let case = Case {
                opened: statement.clone(),
                time,
                kind: *kind,
                title: title.clone(),
                involved: others.iter().chain([party]).cloned().collect(),
                triage: Triage {
                    time,
                    by: party.clone(),
                    severity: *severity,
                    owner: party.clone(),
                    due: hotline_airspace::shifted(time, hotline_airspace::Seconds::new(position_s)),
                },
                statements: links.statements.iter().cloned().collect(),
                subjects: links.subjects.iter().cloned().collect(),
                positions: BTreeMap::new(),
                resolved: BTreeMap::new(),
                raised: BTreeMap::new(),
                reopened: None,
            };
            self.0.insert(statement.clone(), case);
            self.bound();
            return Some(statement.clone());
        }
        let name = step.case.as_ref()?;
        let case = self.0.get_mut(name)?;
        let remark = |words: &Words| Remark { statement: statement.clone(), time, words: words.clone() };
        match &step.step {
            Step::Open { .. } => {}
            Step::Triage { severity, owner, due } => {
                let new =
                    Triage { time, by: party.clone(), severity: *severity, owner: owner.clone(), due: *due };
                if (new.time, &new.by) >= (case.triage.time, &case.triage.by) {
                    case.triage = new;
                }
            }
            Step::State(words) => {
                let said = case.positions.entry(party.clone()).or_default();
                said.push(remark(words));
                if said.len() > MAX_POSITIONS {
                    said.remove(0);
                }
            }
            Step::Link(links) => {
                let room = MAX_LINKS.saturating_sub(case.statements.len() + case.subjects.len());
                case.statements.extend(links.statements.iter().take(room).cloned());
                case.subjects.extend(links.subjects.iter().take(room).cloned());
            }
            Step::Resolve(words) => _ = case.resolved.insert(party.clone(), remark(words)),
            Step::Raise(words) => _ = case.raised.insert(party.clone(), remark(words)),
            Step::Reopen(words) => {
                let new = remark(words);
                let newer = |old: &Remark| (new.time, &new.statement) > (old.time, &old.statement);
                if case.reopened.as_ref().is_none_or(newer) {
                    case.reopened = Some(new);
                }
            }
        }
        Some(name.clone())
    }

    /// Drops the oldest resolved cases beyond the limit.
    fn bound(&mut self) {
        let closed: Vec<(Timestamp, StatementRef)> = self
            .iter()
            .filter(|c| c.status() == CaseStatus::Resolved)
            .map(|c| (c.time, c.opened.clone()))
            .collect();
        if closed.len() > MAX_CLOSED
            && let Some((_, oldest)) = closed.iter().min()
        {
            self.0.remove(oldest);
        }
    }
}
