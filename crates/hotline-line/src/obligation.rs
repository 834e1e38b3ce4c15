//! Who owes whom an answer, until when, and what happens when none comes.

use crate::act::{Deed, Person, Reply};
use crate::case::Step;
use crate::{Deadlines, Escalation, Parameter, StatementRef, Words};
use hotline_airspace::{Seconds, shifted};
use hotline_ledger::PartyName;
use jiff::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// The most open obligations that statements of one party may make; further ones make none.
pub const MAX_OPEN: usize = 2_000;
/// The most settled ones that are kept for display.
const MAX_SETTLED: usize = 500;

/// What is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Owed {
    /// That a person has read it.
    #[n(0)]
    Read,
    /// Wilco or unable.
    #[n(1)]
    Answer,
    /// A person's answer to a communication check.
    #[n(2)]
    Check,
    /// A position on a case.
    #[n(3)]
    Position,
    /// A vote.
    #[n(4)]
    Vote,
}

impl Owed {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Answer => "answer",
            Self::Check => "check",
            Self::Position => "position",
            Self::Vote => "vote",
        }
    }
}

/// Who is told of a missed deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Stage {
    /// The next officer on watch, as soon as the deadline has passed.
    #[n(1)]
    NextOfficer,
    /// The supervisor.
    #[n(2)]
    Supervisor,
    /// Telephone and radio, by the call sheet.
    #[n(3)]
    CallSheet,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::NextOfficer, Self::Supervisor, Self::CallSheet];

    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NextOfficer => "next-officer",
            Self::Supervisor => "supervisor",
            Self::CallSheet => "call-sheet",
        }
    }

    /// The stage that is reached at `now` for a deadline; nothing before it.
    pub fn reached(due: Timestamp, now: Timestamp, escalation: &Escalation) -> Option<Self> {
        let after = |s: f64| shifted(due, Seconds::new(s));
        if now < due {
            None
        } else if now >= after(escalation.call_sheet_s) {
            Some(Self::CallSheet)
        } else if now >= after(escalation.supervisor_s) {
            Some(Self::Supervisor)
        } else {
            Some(Self::NextOfficer)
        }
    }
}

/// How an obligation was met.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Met {
    /// The statement that met it.
    #[n(0)]
    pub statement: StatementRef,
    /// When.
    #[cbor(n(1), with = "crate::cbor::instant")]
    pub time: Timestamp,
    /// By whom.
    #[n(2)]
    pub person: Person,
    /// `read`, `wilco`, `unable`, `position` or `vote`.
    #[n(3)]
    pub how: String,
    /// The reason for an `unable`.
    #[n(4)]
    pub words: Option<Words>,
}

/// Something that a party owes another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Obligation {
    /// The statement that is to be answered.
    #[n(0)]
    pub statement: StatementRef,
    /// What is owed.
    #[n(1)]
    pub owed: Owed,
    /// By whom.
    #[n(2)]
    pub by: PartyName,
    /// When the statement was said.
    #[cbor(n(3), with = "crate::cbor::instant")]
    pub said: Timestamp,
    /// By when it is to be answered, by the clock of whoever said it.
    #[cbor(n(4), with = "crate::cbor::instant")]
    pub due: Timestamp,
    /// When this node heard it; a person's time to answer begins there.
    #[cbor(n(5), with = "crate::cbor::instant")]
    pub heard: Timestamp,
    /// When a person of the party has read it.
    #[n(6)]
    pub read: Option<Met>,
    /// When it was met.
    #[n(7)]
    pub met: Option<Met>,
    /// Who has been told that it was missed.
    #[n(8)]
    pub missed: Option<Stage>,
    /// What is to be read back before it counts as met.
    #[n(9)]
    pub read_back: Option<Vec<Parameter>>,
    /// What was read back wrongly last.
    #[n(10)]
    pub misread: Option<Vec<Parameter>>,
}

impl Obligation {
    /// By when `own` looks for an answer: whoever owes it has the full time from when it was heard.
    pub fn due_for(&self, own: &PartyName) -> Timestamp {
        if self.by != *own || self.owed == Owed::Vote {
            return self.due;
        }
        let span = self.due.duration_since(self.said);
        self.due.max(self.heard.saturating_add(span).unwrap_or(self.due))
    }
}

/// A pair of statement and party that names an obligation.
pub(crate) type Key = (StatementRef, PartyName);

/// All obligations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Obligations {
    #[n(0)]
    open: BTreeMap<Key, Obligation>,
    #[n(1)]
    settled: Vec<Obligation>,
}

/// A statement as it is heard.
#[derive(Clone, Copy)]
pub(crate) struct Heard<'a> {
    pub(crate) statement: &'a StatementRef,
    /// When it was said.
    pub(crate) time: Timestamp,
    /// When it is heard here.
    pub(crate) at: Timestamp,
    pub(crate) members: &'a [PartyName],
    pub(crate) deadlines: &'a Deadlines,
}

/// What an act did to the obligations.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Obligations that changed.
    pub(crate) keys: Vec<Key>,
    /// One that was met now.
    pub(crate) met: Option<Obligation>,
}

impl Obligations {
    /// Those that are open.
    pub fn open(&self) -> impl Iterator<Item = &Obligation> {
        self.open.values()
    }

    /// The newest that are settled, oldest first.
    pub fn settled(&self) -> impl Iterator<Item = &Obligation> {
        self.settled.iter()
    }

    /// What a party owes for a statement, open or settled.
    pub fn get(&self, statement: &StatementRef, by: &PartyName) -> Option<&Obligation> {
        let key = (statement.clone(), by.clone());
        self.open
            .get(&key)
            .or_else(|| self.settled.iter().rev().find(|o| o.statement == *statement && o.by == *by))
    }

    /// Takes in a communication check that the schedule asked for.
    pub(crate) fn hear_check(&mut self, heard: &Heard<'_>, to: &[PartyName]) -> Vec<Key> {
        let Heard { statement, time, at, members, deadlines } = *heard;
        let asked = to.iter().filter(|p| **p != statement.party && members.contains(p));
        let asked: Vec<PartyName> = asked.take(16).cloned().collect();
        asked
            .into_iter()
            .map(|by| {
                self.owe(Obligation {
                    statement: statement.clone(),
                    owed: Owed::Check,
                    by,
                    said: time,
                    due: shifted(time, Seconds::new(deadlines.person_check_s)),
                    heard: at.max(time),
                    read: None,
                    met: None,
                    missed: None,
                    read_back: None,
                    misread: None,
                })
            })
            .collect()
    }

    fn owe(&mut self, obligation: Obligation) -> Key {
        let key = (obligation.statement.clone(), obligation.by.clone());
        self.open.insert(key.clone(), obligation);
        key
    }

    /// Takes in an act: what it asks for is owed, what it answers is met.
    pub(crate) fn hear(&mut self, heard: &Heard<'_>, deed: &Deed, person: &Person) -> Touched {
        let Heard { statement, time, at, members, deadlines } = *heard;
        let mut touched = self.meet(statement, time, deed, person);
        let speaker = &statement.party;
        let asked = |to: &[PartyName]| -> Vec<PartyName> {
            let to = if to.is_empty() { members } else { to };
            to.iter().filter(|p| *p != speaker && members.contains(p)).cloned().collect()
        };
        let (owed, by, due) = match deed {
            Deed::Message { to, .. } => (Owed::Read, asked(to), deadlines.read_s),
            Deed::Request { to, .. } => (Owed::Answer, asked(to), deadlines.answer_s),
            Deed::Check { to } => (Owed::Check, asked(to), deadlines.person_check_s),
            Deed::Suspend(_) | Deed::Restore(_) => (Owed::Read, asked(&[]), deadlines.standing_s),
            Deed::Case(step) => match &step.step {
                Step::Open { against, .. } => (Owed::Position, asked(against), deadlines.position_s),
                _ => return touched,
            },
            Deed::Propose(proposal) => {
                let span = proposal.deadline.duration_since(time).as_secs_f64();
                (Owed::Vote, members.to_vec(), span.max(0.0))
            }
            _ => return touched,
        };
        let many = self.open.keys().filter(|(s, _)| s.party == *speaker).count();
        if many + by.len() > MAX_OPEN {
            return touched;
        }
        let read_back = match deed {
            Deed::Request { words, read_back: true, .. } => Some(words.parameters.clone()),
            _ => None,
        };
        for party in by {
            touched.keys.push(self.owe(Obligation {
                statement: statement.clone(),
                owed,
                by: party,
                said: time,
                due: shifted(time, Seconds::new(due)),
                heard: at.max(time),
                read: None,
                met: None,
                missed: None,
                read_back: read_back.clone(),
                misread: None,
            }));
        }
        touched
    }

    fn meet(&mut self, statement: &StatementRef, time: Timestamp, deed: &Deed, person: &Person) -> Touched {
        let (to, how, words) = match deed {
            Deed::Answer { to, reply } => match reply {
                Reply::Read => (to, "read", None),
                Reply::Wilco => (to, "wilco", None),
                Reply::Unable(words) => (to, "unable", Some(words.clone())),
                Reply::ReadBack(_) => (to, "read-back", None),
            },
            Deed::Vote { proposal, choice } => (proposal, choice.as_str(), None),
            Deed::Case(step) => match (&step.case, &step.step) {
                (Some(case), Step::State(words) | Step::Resolve(words)) => {
                    (case, "position", Some(words.clone()))
                }
                _ => return Touched::default(),
            },
            // A reply to a message shows that the message was read.
            Deed::Message { reply_to: Some(to), .. } => (to, "read", None),
            _ => return Touched::default(),
        };
        let key = (to.clone(), statement.party.clone());
        let Some(obligation) = self.open.get_mut(&key) else { return Touched::default() };
        let met = Met { statement: statement.clone(), time, person: person.clone(), how: how.into(), words };
        obligation.read.get_or_insert_with(|| met.clone());
        if let Deed::Answer { reply: Reply::ReadBack(essentials), .. } = deed
            && let Some(expected) = &obligation.read_back
        {
            if same(expected, essentials) {
                (obligation.read_back, obligation.misread) = (None, None);
            } else {
                obligation.misread = Some(essentials.clone());
            }
        }
        let fits = match obligation.owed {
            Owed::Read | Owed::Check => how != "read-back" || obligation.misread.is_none(),
            // Unable needs no read-back; wilco does, when one was asked for.
            Owed::Answer => how == "unable" || (how == "wilco" && obligation.read_back.is_none()),
            Owed::Position => how == "position",
            Owed::Vote => matches!(deed, Deed::Vote { .. }),
        };
        if !fits {
            return Touched { keys: vec![key], met: None };
        }
        let mut done = self.open.remove(&key).expect("seen above");
        done.met = Some(met);
        self.settle(done.clone());
        Touched { keys: vec![key], met: Some(done) }
    }

    fn settle(&mut self, obligation: Obligation) {
        self.settled.push(obligation);
        if self.settled.len() > MAX_SETTLED {
            self.settled.remove(0);
        }
    }

    /// A vote has been decided, or a party is no longer a member: nothing more is owed on it.
    pub(crate) fn release(&mut self, which: impl Fn(&Obligation) -> bool) -> Vec<Key> {
        let keys: Vec<Key> = self.open.iter().filter(|(_, o)| which(o)).map(|(key, _)| key.clone()).collect();
        for key in &keys {
            let gone = self.open.remove(key).expect("just found");
            self.settle(gone);
        }
        keys
    }

    /// Marks that a deadline was missed and who was told. Whether that is new.
    pub(crate) fn mark_missed(&mut self, statement: &StatementRef, by: &PartyName, stage: Stage) -> bool {
        let Some(open) = self.open.get_mut(&(statement.clone(), by.clone())) else { return false };
        let new = open.missed.is_none_or(|known| known < stage);
        if new {
            open.missed = Some(stage);
        }
        new
    }

    /// Those of which `own` has a part and whose next stage is reached.
    pub(crate) fn overdue(
        &self,
        own: &PartyName,
        now: Timestamp,
        escalation: &Escalation,
    ) -> Vec<(Obligation, Stage)> {
        let concerns = |o: &&Obligation| o.by == *own || o.statement.party == *own;
        let stage = |o: &Obligation| {
            let reached = Stage::reached(o.due_for(own), now, escalation)?;
            o.missed.is_none_or(|known| known < reached).then_some(reached)
        };
        self.open().filter(concerns).filter_map(|o| Some((o.clone(), stage(o)?))).collect()
    }
}

/// Whether essentials were read back right: the same values, whatever the case and spacing.
fn same(expected: &[Parameter], said: &[Parameter]) -> bool {
    let plain = |p: &Parameter| {
        (p.name.clone(), p.value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
    };
    let list = |all: &[Parameter]| all.iter().map(plain).collect::<BTreeMap<_, _>>();
    list(expected) == list(said)
}
