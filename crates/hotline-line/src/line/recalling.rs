//! Whether the node may speak, and the own ledger as its peers hold it: what a node that comes back from an old copy has lost.

use super::{LISTENING, Line, Speech};
use crate::LineError;
use crate::Record;
use crate::message::{Entry, Message};
use crate::peer::{Call, Peer, Waiting};
use hotline_ledger::{Openings, PartyName, Tree, UncheckedStatement};
use jiff::Timestamp;

impl Line {
    /// Own statements that a peer holds and this node has lost: taken in again as they were signed.
    pub(super) fn take_recalled(
        &mut self,
        from: &PartyName,
        first: u64,
        entries: Vec<Entry>,
    ) -> Result<(), LineError> {
        let own = self.party().clone();
        if first > self.ledger.size() {
            return Err(LineError::Gap { party: own, got: first, expected: self.ledger.size() });
        }
        let mut new = 0;
        for (number, entry) in (first..).zip(entries) {
            // What is here already needs no further look.
            if self.ledger.tree.leaf(number).is_some_and(|leaf| leaf == Tree::leaf_of(&entry.statement)) {
                continue;
            }
            let read = UncheckedStatement::read(&entry.statement)?;
            self.check_origin(&own, read.statement())?;
            let signed = read.check(|id, s| self.own.known.node(id, s.time, s.number).map(|c| c.key))?;
            let statement = signed.statement();
            if statement.number != number {
                let why = format!("it came in the place of number {number}");
                return Err(LineError::Statement { party: own, number: statement.number, why });
            }
            let recalls = matches!(self.speech, Speech::Behind(_) | Speech::Listening(_));
            if number < self.ledger.size() || !recalls {
                // A second node speaks with the same key, or an old copy has spoken.
                self.set_speech(Speech::Forked(number));
                return Err(LineError::Equivocation { party: own, number });
            }
            Openings::from_bytes(&entry.openings)?;
            let waiting = Waiting { statement: statement.clone(), openings: entry.openings.clone() };
            let place = self.store(Record::Own(entry.clone()));
            self.append_own(&waiting.statement, entry, String::new(), place);
            self.ledger.waiting.push_back(waiting);
            new += 1;
        }
        if new > 0
            && let Speech::Behind(held) = self.speech
            && self.ledger.size() < held
            && self.recall.arrived(self.time)
        {
            self.recall_from(from);
        }
        self.settle_speech();
        Ok(())
    }

    /// A peer has said how much of the own ledger it holds; of more than there is, it has shown the own signature.
    pub(super) fn hear_of_own(&mut self, from: &PartyName, held: u64) {
        if let Some(peer) = self.peers.get_mut(from) {
            peer.says_held = Some(peer.says_held.map_or(held, |known| known.max(held)));
        }
        if held > self.ledger.size() {
            let most = if let Speech::Behind(most) = self.speech { most.max(held) } else { held };
            if !matches!(self.speech, Speech::Forked(_)) {
                self.set_speech(Speech::Behind(most));
            }
            if self.recall.is_over(self.time) {
                self.recall_from(from);
            }
        }
        self.settle_speech();
    }

    /// Asks a peer for what it holds of the own ledger and this node has lost.
    pub(super) fn recall_from(&mut self, peer: &PartyName) {
        self.recall = Call::made(self.time);
        let want = Message::Want { ledger: self.party().clone(), from: self.ledger.size() };
        self.out.send.push((peer.clone(), want));
    }

    /// While statements are lost, whoever holds more of them is asked until they have come.
    pub(super) fn recall_again(&mut self) {
        if !matches!(self.speech, Speech::Behind(_)) || !self.recall.is_over(self.time) {
            return;
        }
        let size = self.ledger.size();
        let holds = |(_, p): &(&PartyName, &Peer)| {
            p.says_held.is_some_and(|held| held > size) && p.connection.as_ref().is_some_and(|c| c.greeted)
        };
        let best =
            self.peers.iter().filter(holds).max_by_key(|(_, p)| p.says_held).map(|(name, _)| name.clone());
        if let Some(name) = best {
            self.recall_from(&name);
        }
    }

    pub(super) fn set_speech(&mut self, speech: Speech) {
        if self.speech != speech {
            self.speech = speech;
            self.out.speech = true;
        }
    }

    /// The members that have not yet said how much of the own ledger they hold, or hold more.
    pub(super) fn not_heard(&self) -> impl Iterator<Item = &PartyName> {
        let size = self.ledger.size();
        let silent = move |p: &Peer| p.says_held.is_none_or(|held| held > size);
        self.peers.iter().filter(move |(name, p)| self.is_member(name) && silent(p)).map(|(name, _)| name)
    }

    pub(super) fn settle_speech(&mut self) {
        let member = self.is_member(self.party());
        let listen = |now: Timestamp| Speech::Listening(Some(now.saturating_add(LISTENING).unwrap_or(now)));
        match self.speech {
            Speech::Free if !member => self.set_speech(Speech::NotMember),
            Speech::NotMember if member => self.set_speech(listen(self.time)),
            // The others may hold still more.
            Speech::Behind(held) if self.ledger.shown >= held => {
                self.set_speech(if self.restored { Speech::Listening(None) } else { listen(self.time) });
                self.settle_speech();
            }
            Speech::Listening(until) => {
                let all = self.not_heard().next().is_none();
                // Own statements that came back wait for their causes like any others.
                let shown = self.ledger.waiting.is_empty();
                if shown && (all || until.is_some_and(|until| self.time >= until)) {
                    self.set_speech(if member { Speech::Free } else { Speech::NotMember });
                }
            }
            _ => {}
        }
    }
}
