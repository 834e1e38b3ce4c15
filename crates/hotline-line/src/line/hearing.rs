//! What a peer says, but for ledgers: greetings, checks, tracks, heads; and what it does that is not as agreed.

use super::{History, Line, Speech};
use crate::message::Message;
use crate::peer::{Claim, Connection, Peer};
use crate::quota::Class;
use crate::record::Offence;
use crate::{LineError, Record};
use hotline_ledger::{Checkpoint, LedgerError, PartyName, origin};
use jiff::{SignedDuration, Timestamp};

/// A greeting is answered with one at most so often.
const GREET_AGAIN: SignedDuration = SignedDuration::from_secs(3);
/// Offences of a peer are recorded so often at most, with their number.
const RECORD_EVERY: SignedDuration = SignedDuration::from_secs(60);

impl Line {
    /// Takes in a message of a peer. What is wrong with it is in the output's `refused`.
    pub fn receive(&mut self, name: &PartyName, message: Message, now: Timestamp, history: &dyn History) {
        self.at(now);
        if let Err(e) = self.take_in(name, message, history) {
            let new = match &e {
                LineError::Quota { .. } => {
                    if let Some(peer) = self.peers.get_mut(name) {
                        peer.stalled = true;
                    }
                    self.offend(name, Offence::Flood)
                }
                LineError::Gap { .. } | LineError::UnknownParty(_) | LineError::Equivocation { .. } => true,
                _ => self.offend(name, Offence::Garbage),
            };
            // Who floods must not make this node's officers read of it as often.
            if new {
                self.out.refused.push((name.clone(), e));
            }
        }
        self.release();
    }

    /// Takes in what was carried here from a peer by hand: statements of any ledger, heads, receipts. No connection stands
    /// meanwhile, and no quota applies, since the own administrator brings it.
    ///
    /// # Errors
    /// When it is something else, or with what is wrong with it; nothing of the message has been taken in then.
    pub fn carried_in(
        &mut self,
        name: &PartyName,
        message: Message,
        now: Timestamp,
        history: &dyn History,
    ) -> Result<(), LineError> {
        self.at(now);
        if !self.is_member(name) {
            return Err(LineError::UnknownParty(name.clone()));
        }
        let taken = match message {
            Message::Entries { ledger, first, entries, .. } if ledger == *self.party() => {
                self.take_recalled(name, first, entries)
            }
            Message::Entries { ledger, first, entries, checkpoint } => {
                self.take_entries(name, &ledger, first, entries, &checkpoint, history)
            }
            Message::Receipt(note) => self.take_receipt(name, &note, history),
            Message::Heads(heads) => {
                heads.into_iter().try_for_each(|(ledger, note)| self.take_told_head(name, &ledger, note))
            }
            _ => Err(LineError::malformed("what was carried", "only statements, heads and receipts are")),
        };
        self.release();
        taken
    }

    pub(super) fn peer(&mut self, name: &PartyName) -> Result<&mut Peer, LineError> {
        self.peers.get_mut(name).ok_or_else(|| LineError::UnknownParty(name.clone()))
    }

    /// A peer has done something that is not as agreed. It is counted, recorded at most once a minute, and shown. Whether it is the
    /// first since it was last recorded.
    pub fn offend(&mut self, name: &PartyName, offence: Offence) -> bool {
        assert!(offence != Offence::Garbage || !crate::broken!(PanicOnGarbage), "broken on purpose");
        let Some(peer) = self.peers.get_mut(name) else { return true };
        let (count, _) = peer.offences.entry(offence).or_insert((0, None));
        *count += 1;
        *count == 1
    }

    pub(super) fn record_offences(&mut self, name: &PartyName) {
        let now = self.time;
        let Some(peer) = self.peers.get_mut(name) else { return };
        let mut records = Vec::new();
        for (offence, (count, last)) in &mut peer.offences {
            let due = last.is_none_or(|at| now.duration_since(at).abs() >= RECORD_EVERY);
            if *count > 0 && due {
                records.push((*offence, *count));
                *peer.recorded.entry(*offence).or_default() += *count;
                (*count, *last) = (0, Some(now));
            }
        }
        for (offence, count) in records {
            self.store(Record::Offence(name.clone(), offence, count, now));
            self.out.changed.insert(name.clone());
        }
    }

    fn within_quota(
        &mut self,
        name: &PartyName,
        class: Class,
        count: usize,
        what: &'static str,
    ) -> Result<(), LineError> {
        let now = self.time;
        if self.peer(name)?.quotas.take(class, count, now) {
            return Ok(());
        }
        Err(LineError::Quota { party: name.clone(), what })
    }

    fn take_in(
        &mut self,
        name: &PartyName,
        message: Message,
        history: &dyn History,
    ) -> Result<(), LineError> {
        if !self.is_member(name) {
            return Err(LineError::UnknownParty(name.clone()));
        }
        let now = self.time;
        match &message {
            Message::Urgent(_) | Message::Check { .. } | Message::Answer { .. } => {
                self.within_quota(name, Class::Urgent, 1, "urgent messages")?;
            }
            Message::Entries { entries, .. } => {
                let count = entries.len();
                self.within_quota(name, Class::Statements, count, "statements")?;
            }
            Message::Tracks(_) => {}
            Message::Hello { .. } | Message::Want { .. } => {
                self.within_quota(name, Class::Calls, 1, "calls")?
            }
            _ => self.within_quota(name, Class::Control, 1, "messages")?,
        }
        match message {
            Message::Hello { rulebook, held, size: _, head } => {
                self.take_hello(name, rulebook, held, &head, history)?;
            }
            Message::Entries { ledger, first, entries, checkpoint } => {
                if ledger == *self.party() {
                    self.take_recalled(name, first, entries)?;
                } else {
                    self.take_entries(name, &ledger, first, entries, &checkpoint, history)?;
                }
            }
            Message::Urgent(entry) => self.take_urgent(name, &entry)?,
            Message::Receipt(note) => self.take_receipt(name, &note, history)?,
            Message::Check { nonce, .. } => {
                self.out.send.push((name.clone(), Message::Answer { nonce, time: now }));
            }
            Message::Answer { nonce, time } => {
                let peer = self.peer(name)?;
                if let Some((_, asked)) = peer.last_check.filter(|(expected, _)| *expected == nonce) {
                    peer.last_answer = Some(now);
                    let round_trip = now.as_millisecond() - asked.as_millisecond();
                    peer.round_trip_ms = Some(round_trip);
                    peer.clock_ahead_ms =
                        Some(time.as_millisecond().saturating_sub(asked.as_millisecond() + round_trip / 2));
                    self.judge(name);
                }
            }
            Message::Tracks(tracks) => {
                self.out.tracks.extend(tracks.into_iter().map(|t| (name.clone(), t)));
            }
            Message::Heads(heads) => {
                for (ledger, note) in heads {
                    self.take_told_head(name, &ledger, note)?;
                }
            }
            Message::Want { ledger, from } => self.relay(name, &ledger, from, history),
        }
        Ok(())
    }

    fn take_hello(
        &mut self,
        name: &PartyName,
        rulebook: [u8; 32],
        held: u64,
        head: &[u8],
        history: &dyn History,
    ) -> Result<(), LineError> {
        let own_hash = self.books.ballots.in_force().hash.0;
        let (own_size, now) = (self.ledger.size(), self.time);
        let peer = self.peer(name)?;
        peer.same_rulebook = rulebook == own_hash;
        let held_now = held.min(own_size);
        let before = peer.connection.as_ref().map(|c| (c.greeted, c.hello_at));
        // A second greeting comes from whoever has lost the answer to the first.
        let again = before.is_none_or(|(greeted, at)| greeted && now.duration_since(at).abs() >= GREET_AGAIN);
        let hello_at = before.filter(|_| !again).map_or(now, |(_, at)| at);
        peer.connection =
            Some(Connection { sent: held_now, held: held_now, greeted: true, moved: now, hello_at });
        let unreceipted = held.min(own_size) > peer.receipted();
        let given = peer.given.as_ref().map(|r| r.note.clone());
        if again {
            let hello = self.hello(name)?;
            self.out.send.push((name.clone(), hello));
        }
        if !head.is_empty() {
            let own = self.party().clone();
            self.take_told_head(name, &own, head.to_vec())?;
        }
        self.hear_of_own(name, held.min(own_size));
        if unreceipted {
            // The peer holds more than its receipt says: that receipt was lost on the way. Ask again.
            let first = held.min(own_size);
            let (ledger, checkpoint) = (self.party().clone(), self.own_head(first));
            self.out
                .send
                .push((name.clone(), Message::Entries { ledger, first, entries: vec![], checkpoint }));
        }
        // What came by way of others has been receipted too.
        if let Some(note) = given {
            self.out.send.push((name.clone(), Message::Receipt(note)));
        }
        self.out.changed.insert(name.clone());
        self.pump(name, Some(history));
        Ok(())
    }

    /// The head of a ledger that `by` holds.
    fn take_told_head(&mut self, by: &PartyName, ledger: &PartyName, note: Vec<u8>) -> Result<(), LineError> {
        let name = origin(&self.name, ledger);
        let keys = self.keys(ledger).ok_or_else(|| LineError::UnknownParty(ledger.clone()))?;
        let (size, root) = Checkpoint::glance(&note, &name)?;
        // Nothing follows from a head of what is held here just so, whoever has signed it.
        if self.tree(ledger).and_then(|tree| tree.root(size)) == Some(root) {
            return Ok(());
        }
        let opened = keys.all_node_keys().map(|key| Checkpoint::open(&note, &name, &key));
        let head = opened.reduce(Result::or).unwrap_or(Err(LedgerError::Signature("a checkpoint")))?;
        if ledger == self.party() {
            match self.ledger.tree.root(head.size) {
                None => self.hear_of_own(by, head.size),
                Some(root) if root != head.root => self.set_speech(Speech::Forked(head.size)),
                Some(_) => {}
            }
            return Ok(());
        }
        let peer = self.peer(ledger)?;
        if head.size > peer.ledger.size() {
            peer.claims.insert(by.clone(), Claim { size: head.size, note: head.note });
            return Ok(());
        }
        self.compare_head(ledger, &head)?;
        // They differ, or there would have been nothing to compare; and there is no proof yet.
        let peer = &self.peers[ledger];
        if ledger != by && peer.call.is_over(self.time) {
            self.look_closer(ledger, by);
        }
        Ok(())
    }
}
