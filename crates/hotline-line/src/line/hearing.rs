//! What a peer says: connections, messages, its statements and heads, its receipts.

use super::{History, Line, Said};
use crate::body::Body;
use crate::delivery::DeliveryState;
use crate::message::Message;
use crate::peer::{Connection, Disputed, Peer};
use crate::{LineError, Record, StatementRef};
use hotline_ledger::{
    Checkpoint, LedgerError, PartyName, Receipt, Role, SignedStatement, Tree, cosign, origin,
};
use jiff::Timestamp;

impl Line {
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

    pub(super) fn hello(&self, name: &PartyName) -> Result<Message, LineError> {
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

    pub(super) fn peer(&mut self, name: &PartyName) -> Result<&mut Peer, LineError> {
        self.peers.get_mut(name).ok_or_else(|| LineError::UnknownParty(name.clone()))
    }

    pub(super) fn take_in(
        &mut self,
        name: &PartyName,
        message: Message,
        now: Timestamp,
        history: &dyn History,
    ) -> Result<(), LineError> {
        match message {
            // A peer whose own ledger is shorter than what we hold of it is found out by its heads.
            Message::Hello { rulebook, held, size: _ } => {
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
            Message::Answer { nonce, time } => {
                let peer = self.peer(name)?;
                if let Some((_, asked)) = peer.last_check.filter(|(expected, _)| *expected == nonce) {
                    peer.last_answer = Some(now);
                    let round_trip = now.as_millisecond() - asked.as_millisecond();
                    peer.round_trip_ms = Some(round_trip);
                    peer.clock_ahead_ms =
                        Some(time.as_millisecond() - (asked.as_millisecond() + round_trip / 2));
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
    pub(super) fn open(&self, name: &PartyName, entry: &[u8]) -> Result<SignedStatement, LineError> {
        let keys = &self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?.keys;
        let signed = SignedStatement::open(entry, |id, s| keys.find(Role::Node, id, s.time).map(|c| c.key))?;
        let statement = signed.statement();
        if statement.party != *name || statement.line != self.name {
            let why = format!("it was said by {} on line {}", statement.party, statement.line);
            return Err(LineError::Statement { party: name.clone(), number: statement.number, why });
        }
        Ok(signed)
    }

    pub(super) fn take_entries(
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
    pub(super) fn check_repeated(
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

    pub(super) fn dispute(
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

    pub(super) fn take_entry(&mut self, name: &PartyName, entry: &[u8]) -> Result<(), LineError> {
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

    pub(super) fn take_heard(&mut self, name: &PartyName, signed: &SignedStatement, place: u64) -> Said {
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

    pub(super) fn take_urgent(&mut self, name: &PartyName, entry: &[u8]) -> Result<(), LineError> {
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
    pub(super) fn take_head(
        &mut self,
        name: &PartyName,
        note: &[u8],
        now: Timestamp,
    ) -> Result<(), LineError> {
        let theirs = origin(&self.name, name);
        let peer = &self.peers[name];
        let opened = peer.keys.node_keys().map(|key| Checkpoint::open(note, &theirs, &key));
        let head = opened.reduce(Result::or).unwrap_or(Err(LedgerError::Signature("a checkpoint")))?;
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
                let place = self.store(Record::ReceiptGiven(name.clone(), receipt.note.clone()));
                self.out.send.push((name.clone(), Message::Receipt(receipt.note.clone())));
                let peer = self.peer(name)?;
                peer.given_places.push((head.size, place));
                (peer.head, peer.given) = (Some(head), Some(receipt));
                self.out.changed.push(name.clone());
                Ok(())
            }
        }
    }

    pub(super) fn open_receipt(&self, name: &PartyName, note: &[u8]) -> Result<Receipt, LineError> {
        let (ours, theirs) = (origin(&self.name, self.party()), origin(&self.name, name));
        let own = self.own.node.verifying_key();
        let keys = &self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?.keys;
        let opened = keys.node_keys().map(|key| Receipt::open(note, &ours, &own, &theirs, &key));
        Ok(opened.reduce(Result::or).unwrap_or(Err(LedgerError::Signature("a receipt")))?)
    }

    pub(super) fn take_receipt(
        &mut self,
        name: &PartyName,
        note: &[u8],
        now: Timestamp,
        history: &dyn History,
    ) -> Result<(), LineError> {
        let receipt = self.open_receipt(name, note)?;
        if self.ledger.tree.root(receipt.size) != Some(receipt.root) {
            return Err(LineError::Ledger(LedgerError::Proof("a peer's receipt")));
        }
        let size = receipt.size;
        let peer = self.peer(name)?;
        if let Some(connection) = &mut peer.connection {
            connection.held = connection.held.max(size);
        }
        if size > peer.receipted() {
            peer.receipt = Some(receipt);
            let place = self.store(Record::ReceiptGot(name.clone(), note.to_vec()));
            self.peer(name)?.got_places.push((size, place));
            self.mark(name, size, DeliveryState::Delivered, now);
            self.out.changed.push(name.clone());
        }
        self.pump(name, now, Some(history));
        Ok(())
    }
}
