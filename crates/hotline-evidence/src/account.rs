//! What a file proves, and what does not check.

use crate::Header;
use hotline_ledger::{Certificate, KeyRing, PartyName};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The most problems that are listed; all are counted.
pub const MAX_PROBLEMS: usize = 1_000;

/// Something in a file that does not check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whose part it is in.
    pub party: PartyName,
    /// What it is about.
    pub about: String,
    /// What is wrong.
    pub what: String,
}

/// A receipt of another party, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Who has proven to hold it.
    pub by: PartyName,
    /// How many statements of the ledger.
    pub size: u64,
    /// Since when at the latest.
    pub since: Timestamp,
}

/// What is proven of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyAccount {
    /// The party.
    pub party: PartyName,
    /// The words of its root key, to be compared with those known.
    pub fingerprint: String,
    /// Its certified keys, and the statement that revoked each, if one did.
    pub certificates: Vec<(Certificate, Option<u64>)>,
    /// The number of the first statement in the file.
    pub first: u64,
    /// How many statements are in the file.
    pub count: u64,
    /// How many of them have no receipt by another party in the file.
    pub without_receipt: u64,
    /// How many statements its ledger had when the file's head was signed.
    pub ledger_size: u64,
    /// Whether the head shows that no statement of the asked time is missing before, in and after the range. Never for
    /// a party of which there is nothing in the file.
    pub complete: bool,
    /// The receipts, by giver and size rising.
    pub receipts: Vec<Sighting>,
    pub(crate) keys: KeyRing,
    /// Where in the file its statements begin.
    pub(crate) at: u64,
}

impl PartyAccount {
    /// Who has proven to hold statement `number`, and since when at the latest.
    pub fn receipted(&self, number: u64) -> BTreeMap<&PartyName, Timestamp> {
        let mut held = BTreeMap::new();
        let mut all = self.receipts.as_slice();
        while let Some(first) = all.first() {
            let (of_one, others) = all.split_at(all.partition_point(|r| r.by == first.by));
            let from = of_one.partition_point(|r| r.size <= number);
            if let Some(receipt) = of_one.get(from) {
                held.insert(&receipt.by, receipt.since);
            }
            all = others;
        }
        held
    }

    /// Its keys as the file proves them.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }
}

/// A party has signed two things that cannot both be, by a proof that checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputed {
    /// Which party.
    pub party: PartyName,
    /// From which statement on its ledger is disputed.
    pub number: u64,
    /// Who has said so.
    pub told_by: PartyName,
}

/// What the flight recorder shows of one aircraft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAircraft {
    /// How many reports.
    pub reports: u64,
    /// The first, milliseconds since 1970.
    pub from_ms: i64,
    /// The last.
    pub to_ms: i64,
}

/// What a file proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What was asked for, by whom, for whom.
    pub header: Header,
    /// What is proven of each party.
    pub parties: Vec<PartyAccount>,
    /// Who has signed two histories.
    pub disputed: Vec<Disputed>,
    /// What the exporter's flight recorder shows, by aircraft.
    pub recorded: BTreeMap<String, RecordedAircraft>,
    /// What does not check, the first [`MAX_PROBLEMS`]; empty when all does.
    pub problems: Vec<Problem>,
    /// How many things do not check.
    pub problem_count: u64,
}

impl Account {
    /// Whether everything checks.
    pub fn holds(&self) -> bool {
        self.problem_count == 0
    }

    /// A party's account.
    pub fn party(&self, party: &PartyName) -> Option<&PartyAccount> {
        self.parties.iter().find(|p| p.party == *party)
    }
}
