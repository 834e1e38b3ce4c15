//! What a node knows of one peer.

use crate::StatementRef;
use crate::message::Entry;
use crate::quota::Quotas;
use crate::record::Offence;
use hotline_ledger::{Checkpoint, KeyRing, PartyName, Receipt, Statement, Tree};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};

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
    /// A party has suspended it; alerts and checks go on.
    Suspended,
}

impl LineState {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Suspended => "suspended",
        }
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Degraded => 1,
            Self::Down => 2,
            Self::Suspended => 3,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Normal, Self::Degraded, Self::Down, Self::Suspended].into_iter().find(|s| s.number() == number)
    }
}

/// A party has signed two things that cannot both be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputed {
    /// From which statement on its ledger is disputed.
    pub number: u64,
    /// When the proof was found or came.
    pub since: Timestamp,
    /// The proof, encoded.
    pub proof: Vec<u8>,
    /// The own party has told the others.
    pub(crate) told: bool,
}

/// A statement that is held and not yet shown, since its causes are not.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) statement: Statement,
    pub(crate) openings: Vec<u8>,
}

/// How many batches one call for a ledger brings at most.
pub(crate) const BATCHES_EACH_CALL: u32 = 4;
/// A call that brings nothing is made again after so long.
const CALL_AGAIN: SignedDuration = SignedDuration::from_secs(3);

/// A call for a ledger that is under way: the next is made when all that one brings has come, or when nothing has come for a
/// while; so nothing comes twice.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Call {
    /// When it was made, or last brought something.
    moved: Option<Timestamp>,
    batches: u32,
}

impl Call {
    /// One that is made now.
    pub(crate) const fn made(now: Timestamp) -> Self {
        Self { moved: Some(now), batches: 0 }
    }

    /// A batch of it has come. Whether it was the last that the call brings.
    pub(crate) fn arrived(&mut self, now: Timestamp) -> bool {
        self.moved = Some(now);
        self.batches += 1;
        self.batches >= BATCHES_EACH_CALL
    }

    /// Whether another may be made. A clock that was set back counts as time gone by.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.moved.is_none_or(|at| now.duration_since(at).abs() >= CALL_AGAIN)
    }
}

/// A ledger as this node holds it: the tree, the newest entries, and where the others are in the journal.
#[derive(Debug, Default)]
pub(crate) struct HeldLedger {
    pub(crate) tree: Tree,
    pub(crate) last_time: Option<Timestamp>,
    /// The newest entries.
    pub(crate) recent: VecDeque<Entry>,
    /// For each entry its place in the journal.
    pub(crate) places: Vec<u64>,
    /// How many have been shown to the reader: all whose causes had been shown before.
    pub(crate) shown: u64,
    /// Those after them, in order.
    pub(crate) waiting: VecDeque<Waiting>,
}

impl HeldLedger {
    pub(crate) fn append(&mut self, entry: Entry, time: Timestamp, place: u64) {
        self.tree.append(&entry.statement);
        self.last_time = Some(time);
        self.places.push(place);
        self.recent.push_back(entry);
        if self.recent.len() > crate::ENTRIES_KEPT {
            self.recent.pop_front();
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// An entry that is still in memory.
    pub(crate) fn recent(&self, number: u64) -> Option<&Entry> {
        let first = self.size() - self.recent.len() as u64;
        self.recent.get(number.checked_sub(first)? as usize)
    }
}

/// A head of a ledger that another party holds and this node does not yet.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) size: u64,
    pub(crate) note: Vec<u8>,
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
    /// When anything last moved: it was begun, greeted, sent to, or a receipt came.
    pub(crate) moved: Timestamp,
    /// When the own hello was last sent.
    pub(crate) hello_at: Timestamp,
}

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) keys: KeyRing,
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
    /// Heads of its ledger that others say they hold.
    pub(crate) claims: BTreeMap<PartyName, Claim>,
    /// Statements of it that came ahead of their place.
    pub(crate) ahead: BTreeMap<u64, Vec<u8>>,
    /// Which heads of others it has been told: their sizes.
    pub(crate) told: BTreeMap<PartyName, u64>,
    /// It was refused statements that it brought, and is to bring them again.
    pub(crate) stalled: bool,
    /// The call for its ledger to someone else.
    pub(crate) call: Call,
    /// How much of the own ledger it says that it holds, since this node has started.
    pub(crate) says_held: Option<u64>,
    /// The own statement whose receipt it owes for too long.
    pub(crate) receipt_missed: Option<u64>,
    pub(crate) quotas: Quotas,
    /// What it did that is not as agreed, and how often since that was last recorded.
    pub(crate) offences: BTreeMap<Offence, (u64, Option<Timestamp>)>,
    /// All that was recorded of it.
    pub(crate) recorded: BTreeMap<Offence, u64>,
}

impl Peer {
    pub(crate) fn new(keys: KeyRing) -> Self {
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
            claims: BTreeMap::new(),
            ahead: BTreeMap::new(),
            told: BTreeMap::new(),
            stalled: false,
            call: Call::default(),
            says_held: None,
            receipt_missed: None,
            quotas: Quotas::default(),
            offences: BTreeMap::new(),
            recorded: BTreeMap::new(),
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
    /// How many of its statements are held and shown; the others wait for what they refer to.
    pub shown: u64,
    /// The statement of another party that its next one refers to, and that nobody has brought yet.
    pub waits_for: Option<StatementRef>,
    /// Whether it is a member now.
    pub member: bool,
    /// What it did that is not as agreed, and how often.
    pub offences: Vec<(Offence, u64)>,
}
