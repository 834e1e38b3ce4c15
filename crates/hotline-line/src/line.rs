//! The line: the own ledger, the peers' ledgers as held here, receipts, delivery, and the state of the line.

mod hearing;
mod replaying;

pub(crate) use replaying::KeptPeer;

use crate::body::Body;
use crate::delivery::{Deliveries, Delivery, DeliveryState};
use crate::message::{MAX_ENTRIES, Message};
use crate::peer::{HeldLedger, LineState, Peer, PeerStatus};
use crate::{LineError, OwnKeys, PeerKeys, Record, Rulebook, SharedTrack, StatementRef};
use hotline_airspace::seconds_between;
use hotline_ledger::{Checkpoint, LineName, PartyName, Receipt, SignedStatement, Statement, Tree, origin};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How many of a ledger's newest entries are kept in memory; older ones are read from the journal.
pub const ENTRIES_KEPT: usize = 4_096;
/// How many statements may be under way to a peer without its receipt.
const WINDOW: u64 = 2_048;
/// A batch of entries takes no further one beyond this size, bytes.
const BATCH_BYTES: usize = 1 << 20;

/// What a line needs to start.
#[derive(Debug, Clone)]
pub struct LineConfig {
    /// The rulebook.
    pub rulebook: Rulebook,
    /// The own keys.
    pub own: OwnKeys,
    /// The peers' keys.
    pub peers: Vec<PeerKeys>,
}

/// Reads back what was stored: record `place` of the journal.
pub trait History {
    /// The record of that number, if it can be read.
    fn record(&self, place: u64) -> Option<Record>;
}

/// A statement that has been said, here or by a peer, in its place of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Who said it, and its number.
    pub reference: StatementRef,
    /// When, by the speaker's clock.
    pub time: Timestamp,
    /// What it says.
    pub body: Body,
    /// It came ahead of its place and will come again in it.
    pub ahead: bool,
}

/// What is to be done after an input.
#[derive(Debug, Default)]
pub struct LineOutput {
    /// To be stored, in this order, before anything of `send` is sent.
    pub records: Vec<Record>,
    /// To be sent once `records` are durable.
    pub send: Vec<(PartyName, Message)>,
    /// Tracks that a peer shared.
    pub tracks: Vec<(PartyName, SharedTrack)>,
    /// Statements that came in, in order.
    pub said: Vec<Said>,
    /// Own statements whose delivery moved.
    pub moved: Vec<u64>,
    /// Peers whose status changed.
    pub changed: Vec<PartyName>,
    /// What was refused, to be logged and shown.
    pub refused: Vec<(PartyName, LineError)>,
}

/// The line of one node to its peers.
#[derive(Debug)]
pub struct Line {
    name: LineName,
    rulebook: Rulebook,
    rulebook_hash: [u8; 32],
    own: OwnKeys,
    ledger: HeldLedger,
    peers: BTreeMap<PartyName, Peer>,
    deliveries: Deliveries,
    next_place: u64,
    /// A peer holds more of the own ledger than this node does: it was restored from an old copy.
    behind: Option<u64>,
    out: LineOutput,
}

impl Line {
    /// A line with empty ledgers.
    ///
    /// # Errors
    /// When the rulebook's parties are not the own party and the peers.
    pub fn new(config: LineConfig) -> Result<Self, LineError> {
        let LineConfig { rulebook, own, peers } = config;
        let members = rulebook.party_names()?;
        let given: Vec<&PartyName> = peers.iter().map(PeerKeys::party).chain([own.known.party()]).collect();
        if let Some(stranger) = given.iter().find(|p| !members.contains(p)) {
            return Err(LineError::UnknownParty((*stranger).clone()));
        }
        Ok(Self {
            name: LineName::new(&rulebook.line)?,
            rulebook_hash: rulebook.hash(),
            rulebook,
            own,
            ledger: HeldLedger::default(),
            peers: peers.into_iter().map(|keys| (keys.party().clone(), Peer::new(keys))).collect(),
            deliveries: Deliveries::default(),
            next_place: 0,
            behind: None,
            out: LineOutput::default(),
        })
    }

    /// The line's name.
    pub fn name(&self) -> &LineName {
        &self.name
    }

    /// The own party.
    pub fn party(&self) -> &PartyName {
        self.own.known.party()
    }

    /// The rulebook.
    pub fn rulebook(&self) -> &Rulebook {
        &self.rulebook
    }

    /// The own keys.
    pub fn own_keys(&self) -> &OwnKeys {
        &self.own
    }

    /// The peers.
    pub fn peers(&self) -> impl Iterator<Item = &PartyName> {
        self.peers.keys()
    }

    /// A party's keys: the own or a peer's.
    pub fn keys(&self, party: &PartyName) -> Option<&PeerKeys> {
        if party == self.party() { Some(&self.own.known) } else { self.peers.get(party).map(|p| &p.keys) }
    }

    /// What is to be done after the inputs since the last call.
    pub fn take_output(&mut self) -> LineOutput {
        std::mem::take(&mut self.out)
    }

    /// How many records the journal has, counting those that are still to be stored.
    pub fn next_place(&self) -> u64 {
        self.next_place
    }

    fn store(&mut self, record: Record) -> u64 {
        self.out.records.push(record);
        self.next_place += 1;
        self.next_place - 1
    }

    // ---- saying ----

    /// Says something: signs it, queues it for the journal and for every peer. `about` is for display.
    ///
    /// # Errors
    /// When the node has found that it was restored from an old copy: speaking would fork its own ledger.
    pub fn say(&mut self, body: Body, about: String, now: Timestamp) -> Result<Said, LineError> {
        if let Some(held) = self.behind {
            let why = format!(
                "a peer holds {held} statements of this ledger but this node only {}: it was restored from an old copy and must not speak before it has caught up",
                self.ledger.size()
            );
            return Err(LineError::Statement {
                party: self.party().clone(),
                number: self.ledger.size(),
                why,
            });
        }
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let statement = Statement {
            line: self.name.clone(),
            party: self.party().clone(),
            number: self.ledger.size(),
            time: self.ledger.last_time.map_or(now, |last| last.max(now)),
            causes: self.peers.iter().map(|(name, peer)| (name.clone(), peer.ledger.size())).collect(),
            kind: body.kind().to_owned(),
            body: body.to_cbor(),
        };
        let signed = statement.sign(&self.own.node);
        let place = self.store(Record::Own(signed.bytes().to_vec()));
        let said = self.take_own(&signed, body, about, place);
        let names: Vec<PartyName> = self.peers.keys().cloned().collect();
        for name in names {
            let caught_up = self.pump(&name, now, None);
            if !caught_up && said.body.is_urgent() && self.peers[&name].connection.is_some() {
                self.out.send.push((name, Message::Urgent(signed.bytes().to_vec())));
            }
        }
        Ok(said)
    }

    fn take_own(&mut self, signed: &SignedStatement, body: Body, about: String, place: u64) -> Said {
        let statement = signed.statement();
        self.ledger.append(signed.bytes(), statement.time, place);
        self.deliveries.queued(statement.number, &statement.kind, about, statement.time);
        self.out.moved.push(statement.number);
        if let Body::Certificate(bytes) = &body {
            // A certificate of our own making is valid.
            _ = self.own.known.certify(bytes);
        }
        let reference = StatementRef { party: statement.party.clone(), number: statement.number };
        Said { reference, time: statement.time, body, ahead: false }
    }

    /// Sends a peer what it lacks, as far as the window allows. Whether everything has been sent.
    fn pump(&mut self, name: &PartyName, now: Timestamp, history: Option<&dyn History>) -> bool {
        loop {
            let peer = &self.peers[name];
            let Some(connection) = peer.connection.as_ref().filter(|c| c.greeted) else { return false };
            let (first, size) = (connection.sent, self.ledger.size());
            if first >= size {
                return true;
            }
            if first >= connection.held + WINDOW {
                return false;
            }
            let mut entries = Vec::new();
            let mut bytes = 0;
            for number in first..size.min(first + MAX_ENTRIES as u64) {
                let Some(entry) = self.own_entry(number, history) else { break };
                bytes += entry.len();
                if bytes > BATCH_BYTES && !entries.is_empty() {
                    break;
                }
                entries.push(entry);
            }
            if entries.is_empty() {
                // Older than what is in memory: sent when history can be read.
                return false;
            }
            let upto = first + entries.len() as u64;
            let checkpoint = self.own_head(upto).note;
            self.out.send.push((name.clone(), Message::Entries { first, entries, checkpoint }));
            self.peers.get_mut(name).and_then(|p| p.connection.as_mut()).expect("seen above").sent = upto;
            self.store(Record::Sent(name.clone(), upto, now));
            self.mark(name, upto, DeliveryState::Sent, now);
        }
    }

    fn own_entry(&self, number: u64, history: Option<&dyn History>) -> Option<Vec<u8>> {
        if let Some(entry) = self.ledger.recent(number) {
            return Some(entry.clone());
        }
        match history?.record(self.ledger.places[number as usize])? {
            Record::Own(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn mark(&mut self, peer: &PartyName, upto: u64, state: DeliveryState, at: Timestamp) {
        let moved = self.deliveries.reached(peer, upto, state, at);
        self.out.moved.extend(moved);
    }

    /// An officer of `peer` has read own statement `number`.
    pub fn mark_read(&mut self, peer: &PartyName, number: u64, at: Timestamp) {
        if self.deliveries.read(peer, number, at) {
            self.out.moved.push(number);
        }
    }

    /// The signed head over the first `size` own statements.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn own_head(&self, size: u64) -> Checkpoint {
        let root = self.ledger.tree.root(size).expect("a head within the ledger");
        Checkpoint::sign(&origin(&self.name, self.party()), size, root, &self.own.node)
    }

    // ---- time ----

    /// Time has passed: checks that are due are sent, states of the line judged. Call it several times a second.
    pub fn tick(&mut self, now: Timestamp, history: &dyn History) {
        let names: Vec<PartyName> = self.peers.keys().cloned().collect();
        for name in names {
            let check_s = self.rulebook.check_s;
            let peer = self.peers.get_mut(&name).expect("a name from the map");
            let due = peer.last_check.is_none_or(|(_, at)| {
                let since = seconds_between(at, now).get();
                since >= check_s || since < 0.0
            });
            if peer.connection.is_some() && due {
                let nonce = peer.last_check.map_or(0, |(n, _)| n) + 1 + (now.as_millisecond() as u64) % 1_000;
                peer.last_check = Some((nonce, now));
                self.out.send.push((name.clone(), Message::Check { nonce, time: now }));
            }
            self.pump(&name, now, Some(history));
            self.judge(&name, now);
        }
    }

    fn judge(&mut self, name: &PartyName, now: Timestamp) {
        let (degraded_s, down_s) = (self.rulebook.degraded_s, self.rulebook.down_s);
        let Some(peer) = self.peers.get_mut(name) else { return };
        // A clock that was set back must not make a silent line look fresh for long.
        if peer.last_answer.is_some_and(|at| at > now) {
            peer.last_answer = Some(now);
        }
        let silent = peer.last_answer.map(|at| seconds_between(at, now).get());
        let state = match silent {
            None => LineState::Down,
            Some(s) if s >= down_s => LineState::Down,
            Some(s) if s >= degraded_s => LineState::Degraded,
            Some(_) if !peer.same_rulebook || peer.disputed.is_some() || peer.clock_differs() => {
                LineState::Degraded
            }
            Some(_) => LineState::Normal,
        };
        if state != peer.state {
            (peer.state, peer.state_since) = (state, now);
            self.store(Record::State(name.clone(), state, now));
            self.out.changed.push(name.clone());
        }
    }

    // ---- looking ----

    /// What is shown of a peer.
    pub fn status(&self, name: &PartyName) -> Option<PeerStatus> {
        let peer = self.peers.get(name)?;
        Some(PeerStatus {
            state: peer.state,
            since: peer.state_since,
            last_answer: peer.last_answer,
            round_trip_ms: peer.round_trip_ms,
            clock_ahead_ms: peer.clock_ahead_ms,
            held: peer.ledger.size(),
            receipted: peer.receipted(),
            same_rulebook: peer.same_rulebook,
            disputed: peer.disputed.clone(),
        })
    }

    /// Delivery of an own statement, while it is among the newest.
    pub fn delivery(&self, number: u64) -> Option<&Delivery> {
        self.deliveries.get(number)
    }

    /// The newest own statements on their way, oldest first.
    pub fn deliveries(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.deliveries.newest()
    }

    /// The tree over a party's ledger as held here.
    pub fn tree(&self, party: &PartyName) -> Option<&Tree> {
        self.held(party).map(|l| &l.tree)
    }

    fn held(&self, party: &PartyName) -> Option<&HeldLedger> {
        if party == self.party() { Some(&self.ledger) } else { self.peers.get(party).map(|p| &p.ledger) }
    }

    /// Where in the journal each statement of a party is.
    pub fn places(&self, party: &PartyName) -> &[u64] {
        self.held(party).map_or(&[], |l| &l.places)
    }

    /// The newest receipt of `by` for the ledger of `of`, where one of the two is the own party.
    pub fn receipt(&self, by: &PartyName, of: &PartyName) -> Option<&Receipt> {
        if of == self.party() {
            self.peers.get(by)?.receipt.as_ref()
        } else {
            self.peers.get(of).filter(|_| by == self.party())?.given.as_ref()
        }
    }

    /// Where in the journal all receipts of `by` for the ledger of `of` are, where one of the two is the own party:
    /// how many statements each covers, rising, and its place.
    pub fn receipt_places(&self, by: &PartyName, of: &PartyName) -> &[(u64, u64)] {
        let given = by == self.party();
        let peer = self.peers.get(if given { of } else { by }).filter(|_| given || of == self.party());
        peer.map_or(&[], |p| if given { &p.given_places } else { &p.got_places })
    }

    /// The newest head that a peer signed and that fits what is held.
    pub fn head(&self, party: &PartyName) -> Option<Checkpoint> {
        if party == self.party() {
            Some(self.own_head(self.ledger.size()))
        } else {
            self.peers.get(party)?.head.clone()
        }
    }
}
