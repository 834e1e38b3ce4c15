//! The state of a line in a snapshot: everything but the entries themselves, which stay in the journal.

use crate::books::Books;
use crate::codec::{In, Out, Written, encoded, put_instant, put_optional};
use crate::delivery::{Deliveries, Delivery, DeliveryState};
use crate::line::KeptPeer;
use crate::peer::HeldLedger;
use crate::record::Offence;
use crate::{History, Line, LineConfig, LineError};
use hotline_ledger::{KeyRing, Tree, VerifyingKey};
use std::collections::VecDeque;

const WHAT: &str = "a snapshot";

fn put_ledger(e: &mut Out, ledger: &HeldLedger) -> Written {
    let places: Vec<u8> = ledger.places.iter().flat_map(|p| p.to_le_bytes()).collect();
    e.array(5)?.u64(ledger.size())?.bytes(&ledger.tree.to_bytes())?.bytes(&places)?.u64(ledger.shown)?;
    put_optional(e, ledger.last_time, put_instant)
}

fn read_ledger(d: &mut In<'_>) -> Result<HeldLedger, LineError> {
    d.fields(5)?;
    let size = d.u64()?;
    let tree =
        Tree::from_bytes(size, &d.bytes(usize::MAX)?).ok_or_else(|| d.bad("a tree of another size"))?;
    let places = d.bytes(usize::MAX)?;
    let places: Vec<u64> =
        places.chunks_exact(8).map(|c| u64::from_le_bytes(c.try_into().expect("8 bytes"))).collect();
    let shown = d.u64()?;
    if places.len() as u64 != size || shown > size {
        return Err(d.bad("not one place for each entry"));
    }
    let last_time = d.optional(In::instant)?;
    Ok(HeldLedger { tree, last_time, recent: VecDeque::new(), places, shown, waiting: VecDeque::new() })
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

fn put_keys(e: &mut Out, keys: &KeyRing) -> Written {
    e.array(3)?.str(keys.party().as_str())?.bytes(keys.root().as_bytes())?;
    e.array(keys.parts().count() as u64)?;
    for (certificate, certified, revoked) in keys.parts() {
        e.array(3)?.bytes(certificate.bytes())?.encode(certified)?;
        put_optional(e, revoked, |e, (bytes, number, at)| {
            e.array(3)?.bytes(bytes)?.u64(number)?;
            put_instant(e, at)
        })?;
    }
    Ok(())
}

fn read_keys(d: &mut In<'_>) -> Result<KeyRing, LineError> {
    d.fields(3)?;
    let party = d.party()?;
    let root: [u8; 32] = d.bytes(32)?.try_into().map_err(|_| d.bad("a key has 32 bytes"))?;
    let root = VerifyingKey::from_bytes(&root).map_err(|e| d.bad(e))?;
    let mut keys = KeyRing::new(party, root);
    for _ in 0..d.list(hotline_ledger::MAX_CERTIFICATES)? {
        d.fields(3)?;
        let certificate = d.bytes(1024)?;
        match d.decode::<Option<u64>>()? {
            None => keys.introduce(&certificate)?,
            Some(number) => keys.certify(&certificate, number)?,
        }
        let revoked = d.optional(|d| {
            d.fields(3)?;
            Ok((d.bytes(1024)?, d.u64()?, d.instant()?))
        })?;
        if let Some((bytes, number, at)) = revoked {
            keys.revoke(&bytes, number, at)?;
        }
    }
    Ok(keys)
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
    d.fields(5)?;
    let (number, kind, about, queued) = (d.u64()?, d.text(64)?, d.text(1024)?, d.instant()?);
    let mut delivery = Delivery { number, kind, about, queued, reached: Default::default() };
    for _ in 0..d.list(64)? {
        d.fields(2)?;
        let party = d.party()?;
        let mut states = Vec::new();
        for _ in 0..d.list(DeliveryState::ALL.len())? {
            d.fields(2)?;
            let state = DeliveryState::ALL.get(usize::from(d.u8()?));
            states.push((*state.ok_or_else(|| d.bad("an unknown delivery state"))?, d.instant()?));
        }
        delivery.reached.insert(party, states);
    }
    Ok(delivery)
}

impl Line {
    /// The state after all records so far.
    pub fn snapshot(&self) -> Vec<u8> {
        encoded(|e| {
            e.array(7)?.u64(self.next_place())?;
            put_instant(e, self.time())?;
            put_ledger(e, self.own_ledger())?;
            put_keys(e, &self.own_keys().known)?;
            e.array(self.peers_by_name().len() as u64)?;
            for peer in self.peers_by_name().values() {
                e.array(9)?;
                put_keys(e, &peer.keys)?;
                put_ledger(e, &peer.ledger)?;
                e.bytes(peer.receipt.as_ref().map_or(&[], |r| &r.note))?;
                e.bytes(peer.given.as_ref().map_or(&[], |r| &r.note))?;
                put_optional(e, peer.disputed.as_ref(), |e, disputed| {
                    e.array(3)?.bytes(&disputed.proof)?;
                    put_instant(e, disputed.since)?;
                    e.bool(disputed.told).map(|_| ())
                })?;
                put_pairs(e, &peer.got_places)?;
                put_pairs(e, &peer.given_places)?;
                e.encode(peer.receipt_missed)?;
                let of = |o| peer.recorded.get(&o).copied().unwrap_or(0);
                e.array(2)?.u64(of(Offence::Flood))?.u64(of(Offence::Garbage))?;
            }
            self.books().put(e)?;
            let deliveries: Vec<&Delivery> = self.deliveries().collect();
            e.array(deliveries.len() as u64)?;
            deliveries.into_iter().try_for_each(|d| put_delivery(e, d))
        })
    }

    /// The line as it was when the snapshot was taken; `history` reads the journal.
    ///
    /// # Errors
    /// When the snapshot is malformed, of another line, or the journal lacks what it refers to.
    pub fn restore(config: LineConfig, snapshot: &[u8], history: &dyn History) -> Result<Self, LineError> {
        let own = config.own.known.party().clone();
        let mut line = Self::new(config)?;
        let mut d = In::new(snapshot, WHAT);
        d.fields(7)?;
        let (next_place, time) = (d.u64()?, d.instant()?);
        let (ledger, keys) = (read_ledger(&mut d)?, read_keys(&mut d)?);
        if *keys.party() != own {
            return Err(d.bad("it is another party's"));
        }
        line.set_own(next_place, time, ledger, keys);
        let mut peers = Vec::new();
        for _ in 0..d.list(256)? {
            d.fields(9)?;
            let (keys, ledger) = (read_keys(&mut d)?, read_ledger(&mut d)?);
            let (got, given) = (d.bytes(usize::MAX)?, d.bytes(usize::MAX)?);
            let disputed = d.optional(|d| {
                d.fields(3)?;
                Ok((d.bytes(usize::MAX)?, d.instant()?, d.bool()?))
            })?;
            let (got_places, given_places) = (read_pairs(&mut d)?, read_pairs(&mut d)?);
            let receipt_missed = d.decode()?;
            d.fields(2)?;
            let offences = [(Offence::Flood, d.u64()?), (Offence::Garbage, d.u64()?)];
            let recorded = offences.into_iter().filter(|(_, n)| *n > 0).collect();
            let kept =
                KeptPeer { ledger, got, given, disputed, got_places, given_places, receipt_missed, recorded };
            peers.push((keys, kept));
        }
        let books = Books::read(&mut d)?;
        let mut deliveries = Deliveries::default();
        for _ in 0..d.list(crate::MAX_DELIVERIES)? {
            deliveries.put(read_delivery(&mut d)?);
        }
        d.end()?;
        line.set_books(books, deliveries)?;
        for (keys, kept) in peers {
            line.set_peer(keys, kept)?;
        }
        line.resume(history)?;
        Ok(line)
    }
}
