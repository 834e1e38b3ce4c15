//! The state of a line in a snapshot: everything but the entries themselves, which stay in the journal.

use crate::codec::{In, Out, Written, encoded, put_instant, put_optional};
use crate::delivery::{Deliveries, Delivery, DeliveryState};
use crate::line::KeptPeer;
use crate::peer::{Disputed, HeldLedger};
use crate::{Line, LineConfig, LineError};
use hotline_ledger::Tree;
use std::collections::VecDeque;

const WHAT: &str = "a snapshot";

fn put_ledger(e: &mut Out, ledger: &HeldLedger) -> Written {
    let places: Vec<u8> = ledger.places.iter().flat_map(|p| p.to_le_bytes()).collect();
    e.array(4)?.u64(ledger.size())?.bytes(&ledger.tree.to_bytes())?.bytes(&places)?;
    put_optional(e, ledger.last_time, put_instant)
}

fn read_ledger(d: &mut In<'_>) -> Result<HeldLedger, LineError> {
    d.fields(4)?;
    let size = d.u64()?;
    let tree =
        Tree::from_bytes(size, &d.bytes(usize::MAX)?).ok_or_else(|| d.bad("a tree of another size"))?;
    let places = d.bytes(usize::MAX)?;
    let places: Vec<u64> =
        places.chunks_exact(8).map(|c| u64::from_le_bytes(c.try_into().expect("8 bytes"))).collect();
    if places.len() as u64 != size {
        return Err(d.bad("not one place for each entry"));
    }
    let last_time = d.optional(In::instant)?;
    Ok(HeldLedger { tree, last_time, recent: VecDeque::new(), places })
}

fn put_pairs(e: &mut Out, pairs: &[(u64, u64)]) -> Written {
    let bytes: Vec<u8> =
        pairs.iter().flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat()).collect();
    e.bytes(&bytes).map(|_| ())
}

fn read_pairs(d: &mut In<'_>) -> Result<Vec<(u64, u64)>, LineError> {
    let half = |c: &[u8]| u64::from_le_bytes(c.try_into().expect("8 bytes"));
    let bytes = d.bytes(usize::MAX)?;
    Ok(bytes.chunks_exact(16).map(|c| (half(&c[..8]), half(&c[8..]))).collect())
}

fn put_delivery(e: &mut Out, delivery: &Delivery) -> Written {
    e.array(5)?.u64(delivery.number)?.str(&delivery.kind)?.str(&delivery.about)?;
    put_instant(e, delivery.queued)?;
    e.array(delivery.reached.len() as u64)?;
    for (party, states) in &delivery.reached {
        e.array(2)?.str(party.as_str())?.array(states.len() as u64)?;
        for (state, at) in states {
            e.array(2)?.u8(*state as u8)?;
            put_instant(e, *at)?;
        }
    }
    Ok(())
}

fn read_delivery(d: &mut In<'_>) -> Result<Delivery, LineError> {
    const STATES: [DeliveryState; 4] =
        [DeliveryState::Queued, DeliveryState::Sent, DeliveryState::Delivered, DeliveryState::Read];
    d.fields(5)?;
    let (number, kind, about, queued) = (d.u64()?, d.text(64)?, d.text(1024)?, d.instant()?);
    let mut delivery = Delivery { number, kind, about, queued, reached: Default::default() };
    for _ in 0..d.list(16)? {
        d.fields(2)?;
        let party = d.party()?;
        let mut states = Vec::new();
        for _ in 0..d.list(STATES.len())? {
            d.fields(2)?;
            let state =
                *STATES.get(usize::from(d.u8()?)).ok_or_else(|| d.bad("an unknown delivery state"))?;
            states.push((state, d.instant()?));
        }
        delivery.reached.insert(party, states);
    }
    Ok(delivery)
}

impl Line {
    /// The state after all records so far.
    pub fn snapshot(&self) -> Vec<u8> {
        encoded(|e| {
            e.array(4)?.u64(self.next_place())?;
            put_ledger(e, self.own_ledger())?;
            e.array(self.peers_by_name().len() as u64)?;
            for (name, peer) in self.peers_by_name() {
                e.array(8)?.str(name.as_str())?;
                put_ledger(e, &peer.ledger)?;
                e.bytes(peer.receipt.as_ref().map_or(&[], |r| &r.note))?;
                e.bytes(peer.given.as_ref().map_or(&[], |r| &r.note))?;
                put_optional(e, peer.disputed.as_ref(), |e, disputed| {
                    e.array(2)?.u64(disputed.number)?;
                    put_instant(e, disputed.since)
                })?;
                put_pairs(e, &peer.got_places)?;
                put_pairs(e, &peer.given_places)?;
                e.array(peer.keys.certificates().count() as u64)?;
                for certificate in peer.keys.certificates() {
                    e.bytes(certificate.bytes())?;
                }
            }
            let deliveries: Vec<&Delivery> = self.deliveries().collect();
            e.array(deliveries.len() as u64)?;
            deliveries.into_iter().try_for_each(|d| put_delivery(e, d))
        })
    }

    /// The line as it was when the snapshot was taken.
    ///
    /// # Errors
    /// When the snapshot is malformed or of another line.
    pub fn restore(config: LineConfig, snapshot: &[u8]) -> Result<Self, LineError> {
        let mut line = Self::new(config)?;
        let mut d = In::new(snapshot, WHAT);
        d.fields(4)?;
        let next_place = d.u64()?;
        let own = read_ledger(&mut d)?;
        line.set_own(next_place, own);
        for _ in 0..d.list(16)? {
            d.fields(8)?;
            let name = d.party()?;
            let ledger = read_ledger(&mut d)?;
            let (got, given) = (d.bytes(usize::MAX)?, d.bytes(usize::MAX)?);
            let disputed = d.optional(|d| {
                d.fields(2)?;
                Ok(Disputed { number: d.u64()?, since: d.instant()? })
            })?;
            let (got_places, given_places) = (read_pairs(&mut d)?, read_pairs(&mut d)?);
            let certificates = {
                let count = d.list(1024)?;
                (0..count).map(|_| d.bytes(1024)).collect::<Result<Vec<_>, _>>()?
            };
            let kept = KeptPeer { ledger, got, given, disputed, certificates, got_places, given_places };
            line.set_peer(&name, kept)?;
        }
        let mut deliveries = Deliveries::default();
        for _ in 0..d.list(crate::MAX_DELIVERIES)? {
            deliveries.put(read_delivery(&mut d)?);
        }
        line.set_deliveries(deliveries);
        d.end()?;
        Ok(line)
    }
}
