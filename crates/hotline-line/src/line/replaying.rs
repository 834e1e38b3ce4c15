//! From the journal and its snapshots back to a line.

use super::{Line, LineOutput, Said};
use crate::body::Body;
use crate::delivery::{Deliveries, DeliveryState};
use crate::peer::{Disputed, HeldLedger, LineState, Peer};
use crate::{LineError, Record};
use hotline_ledger::{Checkpoint, PartyName, Receipt, SignedStatement, Statement, origin};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a snapshot keeps of a peer; empty notes where there is no receipt.
pub(crate) struct KeptPeer {
    pub(crate) ledger: HeldLedger,
    pub(crate) got: Vec<u8>,
    pub(crate) given: Vec<u8>,
    pub(crate) disputed: Option<Disputed>,
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) got_places: Vec<(u64, u64)>,
    pub(crate) given_places: Vec<(u64, u64)>,
}

impl Line {
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

    pub(crate) fn set_peer(&mut self, name: &PartyName, kept: KeptPeer) -> Result<(), LineError> {
        let KeptPeer { ledger, got, given, disputed, certificates, got_places, given_places } = kept;
        let peer = self.peer(name)?;
        certificates.iter().try_for_each(|c| peer.keys.certify(c))?;
        (peer.ledger, peer.disputed) = (ledger, disputed);
        (peer.got_places, peer.given_places) = (got_places, given_places);
        if !got.is_empty() {
            let receipt = self.open_receipt(name, &got)?;
            self.peer(name)?.receipt = Some(receipt);
        }
        if given.is_empty() { Ok(()) } else { self.replay_given(name, &given) }
    }

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
                let peer = self.peer(name)?;
                peer.got_places.push((receipt.size, place));
                peer.receipt = Some(receipt);
                None
            }
            Record::ReceiptGiven(name, note) => {
                self.replay_given(name, note)?;
                let peer = self.peer(name)?;
                let size = peer.given.as_ref().map_or(0, |r| r.size);
                peer.given_places.push((size, place));
                None
            }
            Record::Sent(name, upto, at) => {
                self.mark(name, *upto, DeliveryState::Sent, *at);
                None
            }
            Record::State(name, _, at) => {
                let peer = self.peer(name)?;
                // After a start nothing has been heard yet, whatever was before.
                (peer.state, peer.state_since) = (LineState::Down, *at);
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

    pub(super) fn replay_given(&mut self, name: &PartyName, note: &[u8]) -> Result<(), LineError> {
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

    pub(super) fn expect(&self, ledger: &HeldLedger, statement: &Statement) -> Result<(), LineError> {
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
