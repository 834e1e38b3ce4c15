//! What was said by whom, counted from the ledgers alone, so that it is the same on every node that holds them.

use hotline_ledger::PartyName;
use hotline_line::{Body, ConflictKey, Level, Said};
use std::collections::{BTreeMap, BTreeSet};

/// What one party said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartyTally {
    /// Statements by kind.
    pub by_kind: BTreeMap<String, u64>,
    /// Conflict alerts by level.
    pub alerts: BTreeMap<Level, u64>,
    /// How many different conflicts it made known.
    pub conflicts: BTreeSet<ConflictKey>,
}

/// What all parties said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By party.
    pub parties: BTreeMap<PartyName, PartyTally>,
}

/// Distinct conflicts are counted up to this many.
const MAX_CONFLICTS: usize = 100_000;

impl Tally {
    pub(crate) fn count(&mut self, said: &Said) {
        let party = self.parties.entry(said.reference.party.clone()).or_default();
        let kind = match &said.body {
            Body::Unknown(_) => "unknown",
            body => body.kind(),
        };
        *party.by_kind.entry(kind.to_owned()).or_default() += 1;
        if let Body::ConflictAlert(alert) = &said.body {
            *party.alerts.entry(alert.level).or_default() += 1;
            if party.conflicts.len() < MAX_CONFLICTS {
                party.conflicts.insert(alert.conflict.clone());
            }
        }
    }
}
