//! From the journal and its snapshots back to a line.

use super::{History, Line, LineOutput, Said};
use crate::books::Books;
use crate::delivery::{Deliveries, DeliveryState};
use crate::message::Entry;
use crate::peer::{HeldLedger, LineState, Peer, Waiting};
use crate::record::Offence;
use crate::{LineError, Record};
use hotline_ledger::{Checkpoint, KeyRing, PartyName, Receipt, Statement, UncheckedStatement, origin};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a snapshot keeps of a peer; empty notes where there is no receipt.
pub(crate) struct KeptPeer {
    pub(crate) ledger: HeldLedger,
    pub(crate) got: Vec<u8>,
    pub(crate) given: Vec<u8>,
    pub(crate) disputed: Option<(Vec<u8>, Timestamp, bool)>,
    pub(crate) got_places: Vec<(u64, u64)>,
    pub(crate) given_places: Vec<(u64, u64)>,
    pub(crate) receipt_missed: Option<u64>,
    pub(crate) recorded: BTreeMap<Offence, u64>,
}

impl Line {
    pub(crate) fn own_ledger(&self) -> &HeldLedger {
        &self.ledger
    }

    pub(crate) fn peers_by_name(&self) -> &BTreeMap<PartyName, Peer> {
        &self.peers
    }

    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    pub(crate) fn set_own(&mut self, next_place: u64, time: Timestamp, ledger: HeldLedger, keys: KeyRing) {
        (self.next_place, self.time, self.ledger) = (next_place, time, ledger);
        self.own.known = keys;
    }

    pub(crate) fn set_books(&mut self, books: Books, deliveries: Deliveries) -> Result<(), LineError> {
        (self.books, self.deliveries) = (books, deliveries);
        self.take_in_members()
    }

    pub(crate) fn set_peer(&mut self, keys: KeyRing, kept: KeptPeer) -> Result<(), LineError> {
        let name = keys.party().clone();
        let peer = self.peers.entry(name.clone()).or_insert_with(|| Peer::new(keys.clone()));
        peer.keys = keys;
        peer.ledger = kept.ledger;
        (peer.got_places, peer.given_places) = (kept.got_places, kept.given_places);
        (peer.receipt_missed, peer.recorded) = (kept.receipt_missed, kept.recorded);
        if let Some((proof, since, told)) = kept.disputed {
            self.replay_dispute(&name, &proof, since);
            if let Some(disputed) = self.peers.get_mut(&name).and_then(|p| p.disputed.as_mut()) {
                disputed.told = told;
            }
        }
        if !kept.got.is_empty() {
            let receipt = self.open_receipt(&name, &kept.got)?;
            self.peer(&name)?.receipt = Some(receipt);
        }
        if kept.given.is_empty() { Ok(()) } else { self.replay_given(&name, &kept.given) }
    }

    /// After a snapshot: what was held and not yet shown is read back from the journal.
    ///
    /// # Errors
    /// When the journal lacks it.
    pub(crate) fn resume(&mut self, history: &dyn History) -> Result<(), LineError> {
        let ledgers = self.peers.values_mut().map(|p| &mut p.ledger);
        for ledger in ledgers.chain([&mut self.ledger]) {
            for number in ledger.shown..ledger.size() {
                let place = ledger.places[number as usize];
                let Some(Record::Heard(_, entry) | Record::Own(entry)) = history.record(place) else {
                    let why = format!("record {place} of the journal is not a statement");
                    return Err(LineError::malformed("a snapshot", why));
                };
                let statement = UncheckedStatement::read(&entry.statement)?.statement().clone();
                ledger.waiting.push_back(Waiting { statement, openings: entry.openings });
            }
        }
        Ok(())
    }

    /// Takes in a record of the journal at start-up. Gives the statements that are shown by it, in order.
    ///
    /// # Errors
    /// When the record does not fit what came before it: the journal is not this node's.
    pub fn replay(&mut self, record: &Record) -> Result<Vec<Said>, LineError> {
        let place = self.next_place;
        self.next_place += 1;
        match record {
            Record::Own(entry) => {
                let statement = self.expected(&self.ledger, entry)?;
                self.seen(statement.time);
                self.append_own(&statement, entry.clone(), String::new(), place);
                let openings = entry.openings.clone();
                self.ledger.waiting.push_back(Waiting { statement, openings });
            }
            Record::Heard(name, entry) => {
                let peer = self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?;
                let statement = self.expected(&peer.ledger, entry)?;
                self.seen(statement.time);
                self.append_heard(name, &statement, entry, place);
            }
            Record::ReceiptGot(name, note) => {
                let receipt = self.open_receipt(name, note)?;
                self.seen(receipt.time);
                self.mark(name, receipt.size, DeliveryState::Delivered, receipt.time);
                let peer = self.peer(name)?;
                peer.got_places.push((receipt.size, place));
                if peer.receipt_missed.is_some_and(|missed| receipt.size > missed) {
                    peer.receipt_missed = None;
                }
                peer.receipt = Some(receipt);
            }
            Record::ReceiptGiven(name, note) => {
                self.replay_given(name, note)?;
                let peer = self.peer(name)?;
                let size = peer.given.as_ref().map_or(0, |r| r.size);
                peer.given_places.push((size, place));
            }
            Record::Sent(name, upto, at) => {
                self.seen(*at);
                self.mark(name, *upto, DeliveryState::Sent, *at);
            }
            Record::State(name, _, at) => {
                self.seen(*at);
                let peer = self.peer(name)?;
                // After a start nothing has been heard yet, whatever was before.
                (peer.state, peer.state_since) = (LineState::Down, *at);
            }
            Record::Disputed(name, proof, at) => {
                self.seen(*at);
                self.replay_dispute(name, proof, *at);
            }
            Record::Offence(name, offence, count, at) => {
                self.seen(*at);
                *self.peer(name)?.recorded.entry(*offence).or_default() += count;
            }
            Record::Withheld(..) | Record::Recorded(..) => {}
        }
        self.release();
        let said = std::mem::take(&mut self.out.said);
        self.out = LineOutput::default();
        Ok(said)
    }

    fn replay_given(&mut self, name: &PartyName, note: &[u8]) -> Result<(), LineError> {
        let (ours, theirs) = (origin(&self.name, self.party()), origin(&self.name, name));
        let own: Vec<_> = self.own.known.all_node_keys().collect();
        let peer = self.peers.get_mut(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?;
        for key in peer.keys.all_node_keys() {
            for own in &own {
                if let Ok(receipt) = Receipt::open(note, &theirs, &key, &ours, own) {
                    peer.head = Checkpoint::open(note, &theirs, &key).ok();
                    peer.given = Some(receipt);
                }
            }
        }
        Ok(())
    }

    /// The statement in an entry of the own store, which must be the next of its ledger.
    fn expected(&self, ledger: &HeldLedger, entry: &Entry) -> Result<Statement, LineError> {
        let statement = UncheckedStatement::read(&entry.statement)?.statement().clone();
        if statement.number == ledger.size() && statement.line == self.name {
            return Ok(statement);
        }
        let why = format!(
            "number {} of line {} was expected: the journal is not this node's",
            ledger.size(),
            self.name
        );
        Err(LineError::Statement { party: statement.party, number: statement.number, why })
    }
}
