//! What a node knows of one peer.

use crate::PeerKeys;
use hotline_ledger::{Checkpoint, Receipt, Tree};
use jiff::Timestamp;
use std::collections::VecDeque;

/// Clocks that differ by more than this degrade the line: tracks of the two sides can then not be compared well.
pub(crate) const CLOCK_TOLERANCE_MS: i64 = 2_000;

/// The state of the line to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineState {
    /// Checks are answered in time.
    Normal,
    /// Checks are answered late, the rulebooks or clocks differ, or the peer's statements are disputed.
    Degraded,
    /// No answer: use the call sheet.
    Down,
}

impl LineState {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Degraded => 1,
            Self::Down => 2,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Normal, Self::Degraded, Self::Down].into_iter().find(|s| s.number() == number)
    }
}

/// Proof that a party signed two things that cannot both be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputed {
    /// Number of the statement, or size of the head.
    pub number: u64,
    /// When it was found.
    pub since: Timestamp,
}

/// A ledger as this node holds it: the tree, the newest entries, and where the others are in the journal.
#[derive(Debug, Default)]
pub(crate) struct HeldLedger {
    pub(crate) tree: Tree,
    pub(crate) last_time: Option<Timestamp>,
    /// The newest entries.
    pub(crate) recent: VecDeque<Vec<u8>>,
    /// For each entry its place in the journal.
    pub(crate) places: Vec<u64>,
}

impl HeldLedger {
    pub(crate) fn append(&mut self, entry: &[u8], time: Timestamp, place: u64) {
        self.tree.append(entry);
        self.last_time = Some(time);
        self.places.push(place);
        self.recent.push_back(entry.to_vec());
        if self.recent.len() > crate::ENTRIES_KEPT {
            self.recent.pop_front();
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// An entry that is still in memory.
    pub(crate) fn recent(&self, number: u64) -> Option<&Vec<u8>> {
        let first = self.size() - self.recent.len() as u64;
        self.recent.get(number.checked_sub(first)? as usize)
    }
}

/// A connection with a peer.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The own ledger has been sent up to here.
    pub(crate) sent: u64,
    /// The peer holds it durably up to here.
    pub(crate) held: u64,
    /// The peer has said hello.
    pub(crate) greeted: bool,
}

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) keys: PeerKeys,
    pub(crate) ledger: HeldLedger,
    /// The newest head that the peer signed and that fits.
    pub(crate) head: Option<Checkpoint>,
    /// The newest receipt of the peer for the own ledger.
    pub(crate) receipt: Option<Receipt>,
    /// The newest receipt given to the peer.
    pub(crate) given: Option<Receipt>,
    /// Where in the journal its receipts are: how many own statements each covers, and the place.
    pub(crate) got_places: Vec<(u64, u64)>,
    /// Where in the journal the receipts given to it are.
    pub(crate) given_places: Vec<(u64, u64)>,
    pub(crate) connection: Option<Connection>,
    pub(crate) state: LineState,
    pub(crate) state_since: Timestamp,
    pub(crate) last_answer: Option<Timestamp>,
    pub(crate) last_check: Option<(u64, Timestamp)>,
    pub(crate) round_trip_ms: Option<i64>,
    pub(crate) clock_ahead_ms: Option<i64>,
    pub(crate) same_rulebook: bool,
    pub(crate) disputed: Option<Disputed>,
}

impl Peer {
    pub(crate) fn new(keys: PeerKeys) -> Self {
        Self {
            keys,
            ledger: HeldLedger::default(),
            head: None,
            receipt: None,
            given: None,
            got_places: Vec::new(),
            given_places: Vec::new(),
            connection: None,
            state: LineState::Down,
            state_since: Timestamp::UNIX_EPOCH,
            last_answer: None,
            last_check: None,
            round_trip_ms: None,
            clock_ahead_ms: None,
            same_rulebook: true,
            disputed: None,
        }
    }

    /// Whether its clock is too far from ours.
    pub(crate) fn clock_differs(&self) -> bool {
        self.clock_ahead_ms.is_some_and(|ms| ms.abs() > CLOCK_TOLERANCE_MS)
    }

    /// How many own statements the peer has given a receipt for.
    pub(crate) fn receipted(&self) -> u64 {
        self.receipt.as_ref().map_or(0, |r| r.size)
    }
}

/// What is shown of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// The state of the line.
    pub state: LineState,
    /// Since when.
    pub since: Timestamp,
    /// When the last check was answered.
    pub last_answer: Option<Timestamp>,
    /// How long that took, milliseconds.
    pub round_trip_ms: Option<i64>,
    /// How far its clock is ahead of ours (negative: behind), milliseconds, to within half the round trip.
    pub clock_ahead_ms: Option<i64>,
    /// How many of its statements are held here.
    pub held: u64,
    /// How many of the own statements it has given a receipt for.
    pub receipted: u64,
    /// Whether its rulebook is the same.
    pub same_rulebook: bool,
    /// Whether its statements are disputed, since it signed two histories.
    pub disputed: Option<Disputed>,
}
