//! Who has suspended the line, who has left it, and the parties' positions on record.

use crate::{StatementRef, Words};
use hotline_ledger::PartyName;
use jiff::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// The most positions that are kept in memory; all are in the ledgers.
pub const MAX_POSITIONS: usize = 20_000;

/// A suspension in force.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Suspended {
    /// The statement.
    #[n(0)]
    pub statement: StatementRef,
    /// Since when.
    #[cbor(n(1), with = "crate::cbor::instant")]
    pub since: Timestamp,
    /// Why.
    #[n(2)]
    pub words: Words,
}

/// A position on record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Position {
    /// The statement.
    #[n(0)]
    pub statement: StatementRef,
    /// When.
    #[cbor(n(1), with = "crate::cbor::instant")]
    pub time: Timestamp,
    /// About what.
    #[n(2)]
    pub about: String,
    /// What.
    #[n(3)]
    pub words: Words,
    /// The earlier own statement that it takes the place of.
    #[n(4)]
    pub supersedes: Option<u64>,
    /// The later own statement that takes its place.
    #[n(5)]
    pub superseded_by: Option<u64>,
}

/// How the parties stand to the line and to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Standings {
    #[n(0)]
    suspended: BTreeMap<PartyName, Suspended>,
    #[n(1)]
    left: BTreeMap<PartyName, StatementRef>,
    #[n(2)]
    positions: BTreeMap<StatementRef, Position>,
}

impl Standings {
    /// Who has suspended the line.
    pub fn suspensions(&self) -> impl Iterator<Item = (&PartyName, &Suspended)> {
        self.suspended.iter()
    }

    /// The suspension by a party.
    pub fn suspended(&self, party: &PartyName) -> Option<&Suspended> {
        self.suspended.get(party)
    }

    /// The statement by which a party left.
    pub fn left(&self, party: &PartyName) -> Option<&StatementRef> {
        self.left.get(party)
    }

    /// The positions of a party whose topic or text has `about` in it, oldest first.
    pub fn positions<'a>(&'a self, party: &'a PartyName, about: &str) -> impl Iterator<Item = &'a Position> {
        let about = about.to_lowercase();
        self.positions.values().filter(move |p| {
            p.statement.party == *party
                && (p.about.to_lowercase().contains(&about) || p.words.text.to_lowercase().contains(&about))
        })
    }

    /// Whether a party has a position of that number.
    pub fn position(&self, statement: &StatementRef) -> Option<&Position> {
        self.positions.get(statement)
    }

    pub(crate) fn suspend(&mut self, statement: &StatementRef, since: Timestamp, words: &Words) -> bool {
        if self.suspended.contains_key(&statement.party) {
            return false;
        }
        let suspended = Suspended { statement: statement.clone(), since, words: words.clone() };
        self.suspended.insert(statement.party.clone(), suspended);
        true
    }

    pub(crate) fn restore(&mut self, party: &PartyName) -> Option<Suspended> {
        self.suspended.remove(party)
    }

    pub(crate) fn leave(&mut self, statement: &StatementRef) {
        self.left.entry(statement.party.clone()).or_insert_with(|| statement.clone());
    }

    pub(crate) fn take_position(&mut self, position: Position) {
        let name = &position.statement;
        if let Some(number) = position.supersedes {
            let earlier = StatementRef { party: name.party.clone(), number };
            if let Some(earlier) = self.positions.get_mut(&earlier) {
                earlier.superseded_by = Some(name.number);
            }
        }
        self.positions.insert(name.clone(), position);
        if self.positions.len() > MAX_POSITIONS
            && let Some(oldest) = self.positions.values().min_by_key(|p| p.time).map(|p| p.statement.clone())
        {
            self.positions.remove(&oldest);
        }
    }
}
