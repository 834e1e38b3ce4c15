//! The line: the own ledger, the peers' ledgers as held here, receipts, delivery, and the state of the line.

use crate::body::Body;
use crate::delivery::{Deliveries, Delivery, DeliveryState};
use crate::message::{MAX_ENTRIES, Message};
use crate::peer::{Connection, Disputed, HeldLedger, LineState, Peer, PeerStatus};
use crate::{LineError, OwnKeys, PeerKeys, Record, Rulebook, SharedTrack, StatementRef};
use hotline_airspace::seconds_between;
use hotline_ledger::{
    Checkpoint, LineName, PartyName, Receipt, Role, SignedStatement, Statement, Tree, cosign, origin,
};
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

    // ---- hearing ----

    /// A connection with a peer stands; both sides begin with a hello.
    ///
    /// # Errors
    /// [`LineError::UnknownParty`].
    pub fn connected(&mut self, name: &PartyName) -> Result<(), LineError> {
        let hello = self.hello(name)?;
        let peer = self.peers.get_mut(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?;
        let held = peer.receipted();
        peer.connection = Some(Connection { sent: held, held, greeted: false });
        peer.last_check = None;
        self.out.send.push((name.clone(), hello));
        Ok(())
    }

    fn hello(&self, name: &PartyName) -> Result<Message, LineError> {
        let peer = self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?;
        Ok(Message::Hello {
            rulebook: self.rulebook_hash,
            held: peer.ledger.size(),
            size: self.ledger.size(),
        })
    }

    /// The connection with a peer is gone.
    pub fn disconnected(&mut self, name: &PartyName) {
        if let Some(peer) = self.peers.get_mut(name) {
            peer.connection = None;
        }
    }

    /// Takes in a message of a peer. What is wrong with it is in the output's `refused`.
    pub fn receive(&mut self, name: &PartyName, message: Message, now: Timestamp, history: &dyn History) {
        if let Err(e) = self.take_in(name, message, now, history) {
            self.out.refused.push((name.clone(), e));
        }
    }

    fn peer(&mut self, name: &PartyName) -> Result<&mut Peer, LineError> {
        self.peers.get_mut(name).ok_or_else(|| LineError::UnknownParty(name.clone()))
    }

    fn take_in(
        &mut self,
        name: &PartyName,
        message: Message,
        now: Timestamp,
        history: &dyn History,
    ) -> Result<(), LineError> {
        match message {
            Message::Hello { rulebook, held, size } => {
                let own_hash = self.rulebook_hash;
                let own_size = self.ledger.size();
                let peer = self.peer(name)?;
                peer.same_rulebook = rulebook == own_hash;
                let connection =
                    peer.connection.get_or_insert(Connection { sent: 0, held: 0, greeted: true });
                (connection.sent, connection.held, connection.greeted) =
                    (held.min(own_size), held.min(own_size), true);
                let unreceipted = held.min(own_size) > peer.receipted();
                if held > own_size {
                    self.behind = Some(held);
                }
                if unreceipted {
                    // The peer holds more than its receipt says: that receipt was lost on the way. Ask again.
                    let (first, checkpoint) = (held.min(own_size), self.own_head(held.min(own_size)).note);
                    self.out
                        .send
                        .push((name.clone(), Message::Entries { first, entries: vec![], checkpoint }));
                }
                self.out.changed.push(name.clone());
                // A peer that has less than we hold of it will be found out by its heads; nothing to do here.
                _ = size;
                self.pump(name, now, Some(history));
            }
            Message::Entries { first, entries, checkpoint } => {
                self.take_entries(name, first, &entries, &checkpoint, now)?
            }
            Message::Urgent(entry) => self.take_urgent(name, &entry)?,
            Message::Receipt(note) => self.take_receipt(name, &note, now, history)?,
            Message::Check { nonce, .. } => {
                self.peer(name)?;
                self.out.send.push((name.clone(), Message::Answer { nonce, time: now }));
            }
            Message::Answer { nonce, .. } => {
                let peer = self.peer(name)?;
                if let Some((_, asked)) = peer.last_check.filter(|(expected, _)| *expected == nonce) {
                    peer.last_answer = Some(now);
                    peer.round_trip_ms = Some(now.as_millisecond() - asked.as_millisecond());
                    self.judge(name, now);
                }
            }
            Message::Tracks(tracks) => {
                self.peer(name)?;
                self.out.tracks.extend(tracks.into_iter().map(|t| (name.clone(), t)));
            }
        }
        Ok(())
    }

    /// Opens a peer's statement: signature, line, party.
    fn open(&self, name: &PartyName, entry: &[u8]) -> Result<SignedStatement, LineError> {
        let keys = &self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?.keys;
        let signed = SignedStatement::open(entry, |id, s| keys.find(Role::Node, id, s.time).map(|c| c.key))?;
        let statement = signed.statement();
        if statement.party != *name || statement.line != self.name {
            let why = format!("it was said by {} on line {}", statement.party, statement.line);
            return Err(LineError::Statement { party: name.clone(), number: statement.number, why });
        }
        Ok(signed)
    }

    fn take_entries(
        &mut self,
        name: &PartyName,
        first: u64,
        entries: &[Vec<u8>],
        note: &[u8],
        now: Timestamp,
    ) -> Result<(), LineError> {
        let held = self.peer(name)?.ledger.size();
        if first > held {
            // Something in between was lost: ask to start again from what is held.
            let hello = self.hello(name)?;
            self.out.send.push((name.clone(), hello));
            return Err(LineError::Gap { party: name.clone(), got: first, expected: held });
        }
        for (number, entry) in (first..).zip(entries) {
            let held = self.peer(name)?.ledger.size();
            if number < held {
                self.check_repeated(name, number, entry, now)?;
            } else {
                self.take_entry(name, entry)?;
            }
        }
        self.take_head(name, note, now)
    }

    /// A statement that is held already must come again as it was.
    fn check_repeated(
        &mut self,
        name: &PartyName,
        number: u64,
        entry: &[u8],
        now: Timestamp,
    ) -> Result<(), LineError> {
        let ledger = &self.peer(name)?.ledger;
        if ledger.tree.leaf(number) == Some(Tree::leaf_of(entry)) {
            return Ok(());
        }
        let held = ledger.recent(number).cloned().unwrap_or_default();
        // Only what the peer has really signed is proof against it.
        self.open(name, entry)?;
        Err(self.dispute(name, number, held, entry.to_vec(), now))
    }

    fn dispute(
        &mut self,
        name: &PartyName,
        number: u64,
        one: Vec<u8>,
        other: Vec<u8>,
        now: Timestamp,
    ) -> LineError {
        if let Some(peer) = self.peers.get_mut(name)
            && peer.disputed.is_none()
        {
            peer.disputed = Some(Disputed { number, since: now });
            self.store(Record::Disputed(name.clone(), number, one, other));
            self.judge(name, now);
        }
        LineError::Equivocation { party: name.clone(), number }
    }

    fn take_entry(&mut self, name: &PartyName, entry: &[u8]) -> Result<(), LineError> {
        let signed = self.open(name, entry)?;
        let statement = signed.statement();
        let ledger = &self.peers[name].ledger;
        let wrong = |why: String| LineError::Statement { party: name.clone(), number: statement.number, why };
        if statement.number != ledger.size() {
            return Err(wrong(format!("it came in the place of number {}", ledger.size())));
        }
        if ledger.last_time.is_some_and(|last| statement.time < last) {
            return Err(wrong("its time is before that of the statement before it".into()));
        }
        let place = self.store(Record::Heard(name.clone(), entry.to_vec()));
        let said = self.take_heard(name, &signed, place);
        self.out.said.push(said);
        Ok(())
    }

    fn take_heard(&mut self, name: &PartyName, signed: &SignedStatement, place: u64) -> Said {
        let statement = signed.statement();
        let peer = self.peers.get_mut(name).expect("opened with its keys");
        peer.ledger.append(signed.bytes(), statement.time, place);
        // A body that cannot be read stays in the ledger, where the peer's signature is on it; it has no effect.
        let body = Body::from_cbor(&statement.kind, &statement.body)
            .unwrap_or_else(|e| Body::Unknown(format!("{}: {e}", statement.kind)));
        if let Body::Certificate(bytes) = &body
            && let Err(e) = peer.keys.certify(bytes)
        {
            self.out.refused.push((name.clone(), e));
        }
        let reference = StatementRef { party: name.clone(), number: statement.number };
        Said { reference, time: statement.time, body, ahead: false }
    }

    fn take_urgent(&mut self, name: &PartyName, entry: &[u8]) -> Result<(), LineError> {
        let signed = self.open(name, entry)?;
        let statement = signed.statement();
        if statement.number < self.peers[name].ledger.size() {
            return Ok(());
        }
        let body = Body::from_cbor(&statement.kind, &statement.body)?;
        if body.is_urgent() {
            let reference = StatementRef { party: name.clone(), number: statement.number };
            self.out.said.push(Said { reference, time: statement.time, body, ahead: true });
        }
        Ok(())
    }

    /// A peer's signed head: when it fits what is held, a receipt is given for it.
    fn take_head(&mut self, name: &PartyName, note: &[u8], now: Timestamp) -> Result<(), LineError> {
        let theirs = origin(&self.name, name);
        let peer = &self.peers[name];
        let opened = peer.keys.node_keys().map(|key| Checkpoint::open(note, &theirs, &key));
        let head = opened
            .reduce(Result::or)
            .unwrap_or(Err(hotline_ledger::LedgerError::Signature("a checkpoint")))?;
        match peer.ledger.tree.root(head.size) {
            None => Err(LineError::Gap { party: name.clone(), got: head.size, expected: peer.ledger.size() }),
            Some(root) if root != head.root => {
                let held = peer.head.as_ref().map(|h| h.note.clone()).unwrap_or_default();
                Err(self.dispute(name, head.size, held, head.note, now))
            }
            Some(_) if peer.given.as_ref().is_some_and(|g| g.size >= head.size) => {
                let note = peer.given.as_ref().expect("just seen").note.clone();
                self.out.send.push((name.clone(), Message::Receipt(note)));
                Ok(())
            }
            Some(_) => {
                let receipt = cosign(&head, &origin(&self.name, self.party()), &self.own.node, now);
                self.store(Record::ReceiptGiven(name.clone(), receipt.note.clone()));
                self.out.send.push((name.clone(), Message::Receipt(receipt.note.clone())));
                let peer = self.peer(name)?;
                (peer.head, peer.given) = (Some(head), Some(receipt));
                self.out.changed.push(name.clone());
                Ok(())
            }
        }
    }

    fn open_receipt(&self, name: &PartyName, note: &[u8]) -> Result<Receipt, LineError> {
        let (ours, theirs) = (origin(&self.name, self.party()), origin(&self.name, name));
        let own = self.own.node.verifying_key();
        let keys = &self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?.keys;
        let opened = keys.node_keys().map(|key| Receipt::open(note, &ours, &own, &theirs, &key));
        Ok(opened.reduce(Result::or).unwrap_or(Err(hotline_ledger::LedgerError::Signature("a receipt")))?)
    }

    fn take_receipt(
        &mut self,
        name: &PartyName,
        note: &[u8],
        now: Timestamp,
        history: &dyn History,
    ) -> Result<(), LineError> {
        let receipt = self.open_receipt(name, note)?;
        if self.ledger.tree.root(receipt.size) != Some(receipt.root) {
            return Err(LineError::Ledger(hotline_ledger::LedgerError::Proof("a peer's receipt")));
        }
        let size = receipt.size;
        let peer = self.peer(name)?;
        if let Some(connection) = &mut peer.connection {
            connection.held = connection.held.max(size);
        }
        if size > peer.receipted() {
            peer.receipt = Some(receipt);
            self.store(Record::ReceiptGot(name.clone(), note.to_vec()));
            self.mark(name, size, DeliveryState::Delivered, now);
            self.out.changed.push(name.clone());
        }
        self.pump(name, now, Some(history));
        Ok(())
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
            Some(_) if !peer.same_rulebook || peer.disputed.is_some() => LineState::Degraded,
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

    /// The newest head that a peer signed and that fits what is held.
    pub fn head(&self, party: &PartyName) -> Option<Checkpoint> {
        if party == self.party() {
            Some(self.own_head(self.ledger.size()))
        } else {
            self.peers.get(party)?.head.clone()
        }
    }

    // ---- snapshots ----

    pub(crate) fn own_ledger(&self) -> &HeldLedger {
        &self.ledger
    }

    pub(crate) fn peers_by_name(&self) -> &BTreeMap<PartyName, Peer> {
        &self.peers
    }

    pub(crate) fn set_own(&mut self, next_place: u64, ledger: HeldLedger) {
        (self.next_place, self.ledger) = (next_place, ledger);
    }

    pub(crate) fn set_deliveries(&mut self, deliveries: Deliveries) {
        self.deliveries = deliveries;
    }

    pub(crate) fn set_peer(
        &mut self,
        name: &PartyName,
        ledger: HeldLedger,
        got: &[u8],
        given: &[u8],
        disputed: Option<Disputed>,
        certificates: &[Vec<u8>],
    ) -> Result<(), LineError> {
        let peer = self.peer(name)?;
        certificates.iter().try_for_each(|c| peer.keys.certify(c))?;
        (peer.ledger, peer.disputed) = (ledger, disputed);
        if !got.is_empty() {
            let receipt = self.open_receipt(name, got)?;
            self.peer(name)?.receipt = Some(receipt);
        }
        if given.is_empty() { Ok(()) } else { self.replay_given(name, given) }
    }

    // ---- replaying ----

    /// Takes in a record of the journal at start-up. Gives the statement that it holds, if it holds one.
    ///
    /// # Errors
    /// When the record does not fit what came before it: the journal is not this node's.
    pub fn replay(&mut self, record: &Record) -> Result<Option<Said>, LineError> {
        let place = self.next_place;
        self.next_place += 1;
        let said = match record {
            Record::Own(bytes) => {
                let signed = SignedStatement::from_own_store(bytes)?;
                let statement = signed.statement();
                self.expect(&self.ledger, statement)?;
                let body = Body::from_cbor(&statement.kind, &statement.body)?;
                Some(self.take_own(&signed, body, String::new(), place))
            }
            Record::Heard(name, bytes) => {
                let signed = SignedStatement::from_own_store(bytes)?;
                let peer = self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?;
                self.expect(&peer.ledger, signed.statement())?;
                Some(self.take_heard(name, &signed, place))
            }
            Record::ReceiptGot(name, note) => {
                let receipt = self.open_receipt(name, note)?;
                self.mark(name, receipt.size, DeliveryState::Delivered, receipt.time);
                self.peer(name)?.receipt = Some(receipt);
                None
            }
            Record::ReceiptGiven(name, note) => {
                self.replay_given(name, note)?;
                None
            }
            Record::Sent(name, upto, at) => {
                self.mark(name, *upto, DeliveryState::Sent, *at);
                None
            }
            Record::State(name, state, at) => {
                let peer = self.peer(name)?;
                // After a start nothing has been heard yet, whatever was before.
                (peer.state, peer.state_since) = (LineState::Down, *at);
                _ = state;
                None
            }
            Record::Disputed(name, number, _, _) => {
                let since = Timestamp::UNIX_EPOCH;
                self.peer(name)?.disputed = Some(Disputed { number: *number, since });
                None
            }
        };
        self.out = LineOutput::default();
        Ok(said)
    }

    fn replay_given(&mut self, name: &PartyName, note: &[u8]) -> Result<(), LineError> {
        let (ours, theirs) = (origin(&self.name, self.party()), origin(&self.name, name));
        let own = self.own.node.verifying_key();
        let peer = self.peers.get_mut(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?;
        for key in peer.keys.node_keys() {
            if let Ok(receipt) = Receipt::open(note, &theirs, &key, &ours, &own) {
                peer.head = Checkpoint::open(note, &theirs, &key).ok();
                peer.given = Some(receipt);
            }
        }
        Ok(())
    }

    fn expect(&self, ledger: &HeldLedger, statement: &Statement) -> Result<(), LineError> {
        if statement.number == ledger.size() && statement.line == self.name {
            return Ok(());
        }
        let why = format!(
            "number {} of line {} was expected: the journal is not this node's",
            ledger.size(),
            self.name
        );
        Err(LineError::Statement { party: statement.party.clone(), number: statement.number, why })
    }
}
