//! Ledgers coming in: statements, heads, receipts; from their own party or passed on by another.

use super::{History, Line, Said};
use crate::body::Body;
use crate::delivery::DeliveryState;
use crate::message::{Entry, Message};
use crate::peer::{Call, Waiting};
use crate::{LineError, Record, StatementRef};
use hotline_ledger::{
    KeyRing, LedgerError, Openings, PartyName, Receipt, SignedStatement, Statement, UncheckedStatement,
    cosign, origin,
};
use jiff::Timestamp;

/// The most statements of a peer that came ahead of their place and are remembered, to be compared with those in it.
const MAX_AHEAD: usize = 256;

impl Line {
    /// Opens a peer's statement: signature, line, party.
    pub(super) fn open(&self, name: &PartyName, entry: &[u8]) -> Result<SignedStatement, LineError> {
        let keys = &self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?.keys;
        let read = UncheckedStatement::read(entry)?;
        self.check_origin(name, read.statement())?;
        Ok(read.check(|id, s| keys.node(id, s.time, s.number).map(|c| c.key))?)
    }

    pub(super) fn check_origin(&self, name: &PartyName, statement: &Statement) -> Result<(), LineError> {
        if statement.party == *name && statement.line == self.name {
            return Ok(());
        }
        let why = format!("it was said by {} on line {}", statement.party, statement.line);
        Err(LineError::Statement { party: name.clone(), number: statement.number, why })
    }

    /// Statements of `ledger`, brought by `from`. All of them are taken in, or none.
    pub(super) fn take_entries(
        &mut self,
        from: &PartyName,
        ledger: &PartyName,
        first: u64,
        entries: Vec<Entry>,
        note: &[u8],
        history: &dyn History,
    ) -> Result<(), LineError> {
        let peer = self.peer(ledger)?;
        let held = peer.ledger.size();
        if first > held {
            if from == ledger {
                // Something in between was lost: ask to start again from what is held.
                let hello = self.hello(from)?;
                self.out.send.push((from.clone(), hello));
            }
            return Err(LineError::Gap { party: ledger.clone(), got: first, expected: held });
        }
        let repeated = ((held - first) as usize).min(entries.len());
        for (number, entry) in (first..).zip(&entries[..repeated]) {
            self.check_repeated(ledger, number, &entry.statement, history)?;
        }
        let new = &entries[repeated..];
        if new.is_empty() {
            return self.take_head(ledger, note);
        }
        if self.peers[ledger].ledger.waiting.len() + new.len() > super::MAX_WAITING {
            // They come again when what they wait for has come.
            self.peer(from)?.stalled = true;
            return Err(LineError::Gap { party: ledger.clone(), got: first, expected: held });
        }
        let (signed, keys) = self.check_new(ledger, held, new)?;
        let end = held + new.len() as u64;
        let head = self.open_head(ledger, note, &keys)?;
        if head.size < end {
            let why = format!("the head covers {} statements, but {end} came", head.size);
            return Err(LineError::Statement { party: ledger.clone(), number: end - 1, why });
        }
        let tree = &mut self.peer(ledger)?.ledger.tree;
        signed.iter().for_each(|s| _ = tree.append(s.bytes()));
        let root = tree.root(end);
        tree.truncate(held);
        if head.size == end && root != Some(head.root) {
            if from != ledger && first >= held {
                // What is held and what comes are of two histories: where they part is found by comparing statements.
                self.look_closer(ledger, from);
            }
            let why = "the signed head is not that of the statements before it".into();
            return Err(LineError::Statement { party: ledger.clone(), number: end - 1, why });
        }
        for (signed, entry) in signed.into_iter().zip(new) {
            self.compare_ahead(ledger, &signed);
            let place = self.store(Record::Heard(ledger.clone(), entry.clone()));
            self.append_heard(ledger, signed.statement(), entry, place);
            self.heed_proof(signed.statement());
        }
        let now = self.time;
        let next = self.peer(ledger)?.call.arrived(now);
        if head.size == end {
            self.peer(ledger)?.call = Call::default();
            self.take_head(ledger, note)?;
        } else if from != ledger && next {
            // More is to be had where this came from.
            self.peer(ledger)?.call = Call::made(now);
            self.out.send.push((from.clone(), Message::Want { ledger: ledger.clone(), from: end }));
        }
        self.compare_claims(ledger)
    }

    /// Checks statements that are to follow number `held` of a ledger. Gives the keys as they are after them.
    fn check_new(
        &self,
        ledger: &PartyName,
        held: u64,
        new: &[Entry],
    ) -> Result<(Vec<SignedStatement>, KeyRing), LineError> {
        let peer = &self.peers[ledger];
        let mut keys = peer.keys.clone();
        let mut last = peer.ledger.last_time;
        let mut signed = Vec::with_capacity(new.len());
        let mut together = Vec::new();
        let check = |together: Vec<UncheckedStatement>, keys: &KeyRing| {
            let find = |id, s: &Statement| keys.node(id, s.time, s.number).map(|c| c.key);
            UncheckedStatement::check_all(together, find).map_err(|(_, e)| e)
        };
        for (number, entry) in (held..).zip(new) {
            let read = UncheckedStatement::read(&entry.statement)?;
            let statement = read.statement();
            self.check_origin(ledger, statement)?;
            let wrong =
                |why: String| LineError::Statement { party: ledger.clone(), number: statement.number, why };
            if statement.number != number {
                return Err(wrong(format!("it came in the place of number {number}")));
            }
            if last.is_some_and(|last| statement.time < last) {
                return Err(wrong("its time is before that of the statement before it".into()));
            }
            Openings::from_bytes(&entry.openings)?;
            last = Some(statement.time);
            let changes_keys = matches!(statement.kind.as_str(), "certificate" | "revocation");
            let statement = changes_keys.then(|| statement.clone());
            together.push(read);
            // What follows a certificate may be signed by the key in it.
            if let Some(statement) = statement {
                signed.extend(check(std::mem::take(&mut together), &keys)?);
                take_keys(&mut keys, &statement);
            }
        }
        signed.extend(check(together, &keys)?);
        Ok((signed, keys))
    }

    /// A checked statement takes its place in a peer's ledger; it is shown when its causes have been.
    pub(super) fn append_heard(
        &mut self,
        name: &PartyName,
        statement: &Statement,
        entry: &Entry,
        place: u64,
    ) {
        let peer = self.peers.get_mut(name).expect("opened with its keys");
        peer.ledger.append(entry.clone(), statement.time, place);
        take_keys(&mut peer.keys, statement);
        let waiting = Waiting { statement: statement.clone(), openings: entry.openings.clone() };
        peer.ledger.waiting.push_back(waiting);
    }

    /// A proof of two histories counts once it is heard, not only when it is shown: it stands by itself, and what it is to be shown
    /// after may never come, since it refers to the other of the two.
    fn heed_proof(&mut self, statement: &Statement) {
        if statement.kind != "dispute" {
            return;
        }
        if let Ok(Body::Dispute(dispute)) =
            Body::decode(&statement.kind, &statement.body, &Openings::default())
        {
            // What is no proof has no effect, and is told when it is shown.
            _ = self.dispute(&dispute.party, &dispute.proof);
        }
    }

    /// Shows all statements whose causes have been shown, in the order of each ledger.
    pub(super) fn release(&mut self) {
        let own = self.party().clone();
        loop {
            let ready = |name: &PartyName| {
                let first = self.held(name)?.waiting.front()?;
                self.causes_shown(&first.statement).then(|| name.clone())
            };
            let Some(name) = self.peers.keys().chain([&own]).find_map(ready) else { return };
            let ledger = match self.peers.get_mut(&name) {
                Some(peer) => &mut peer.ledger,
                None => &mut self.ledger,
            };
            let next = ledger.waiting.pop_front().expect("just seen");
            ledger.shown += 1;
            // Openings that do not fit leave their fields withheld; a body that cannot be read stays in the ledger, where the peer's
            // signature is on it, and has no effect.
            let openings = Openings::from_bytes(&next.openings).unwrap_or_default();
            let body = Body::decode(&next.statement.kind, &next.statement.body, &openings)
                .unwrap_or_else(|e| Body::Unknown(format!("{}: {e}", next.statement.kind)));
            let said = self.said(&next.statement, body);
            self.note(&said);
            self.out.said.push(said);
        }
    }

    fn causes_shown(&self, statement: &Statement) -> bool {
        if crate::broken!(IgnoreCauses) {
            return true;
        }
        statement.causes.iter().all(|(party, count)| {
            if party == self.party() {
                return *count <= self.ledger.shown;
            }
            // What a party with two histories has said can be held by nobody in both.
            self.peers.get(party).is_some_and(|p| p.disputed.is_some() || *count <= p.ledger.shown)
        })
    }

    /// The statement as it is shown: an act with its person, if the signature checks.
    pub(super) fn said(&mut self, statement: &Statement, body: Body) -> Said {
        let mut said = bare(statement, body);
        if let Body::Act(act) = &said.body {
            let keys = self.keys(&statement.party);
            let checked =
                act.check(&self.name, &statement.party, |id, at| keys?.person(id, at, statement.number));
            match checked {
                Ok(person) => said.person = Some(person),
                Err(e) => {
                    let kind = said.body.kind().to_owned();
                    said.body = Body::Unknown(format!("{kind}: {e}"));
                    self.out.refused.push((statement.party.clone(), e));
                }
            }
        }
        said
    }

    /// A statement that had its effect before, from the own store, as it is shown: nothing follows from it, and no signature
    /// is checked again.
    pub fn look_at(&self, statement: &Statement, body: Body) -> Said {
        let mut said = bare(statement, body);
        if let Body::Act(act) = &said.body {
            let keys = self.keys(&statement.party);
            let find = |id, at| keys?.person(id, at, statement.number);
            said.person = act.person(&self.name, &statement.party, find).ok();
        }
        said
    }

    pub(super) fn take_urgent(&mut self, name: &PartyName, entry: &Entry) -> Result<(), LineError> {
        let signed = self.open(name, &entry.statement)?;
        let statement = signed.statement();
        let ledger = &self.peers[name].ledger;
        if statement.number < ledger.shown {
            return Ok(());
        }
        let openings = Openings::from_bytes(&entry.openings)?;
        let body = Body::decode(&statement.kind, &statement.body, &openings)?;
        if body.is_urgent() {
            if statement.number >= ledger.size() {
                let ahead = &mut self.peer(name)?.ahead;
                ahead.insert(statement.number, signed.bytes().to_vec());
                if ahead.len() > MAX_AHEAD {
                    ahead.pop_first();
                }
            }
            let said = Said { ahead: true, ..self.said(signed.statement(), body) };
            self.out.said.push(said);
        }
        Ok(())
    }

    // ---- heads and receipts ----

    /// A signed head of a peer: when it fits what is held, a receipt is given for it.
    pub(super) fn take_head(&mut self, name: &PartyName, note: &[u8]) -> Result<(), LineError> {
        let keys = self.peers[name].keys.clone();
        let head = self.open_head(name, note, &keys)?;
        let peer = &self.peers[name];
        let connected = peer.connection.is_some();
        match peer.ledger.tree.root(head.size) {
            None => Err(LineError::Gap { party: name.clone(), got: head.size, expected: peer.ledger.size() }),
            Some(root) if root != head.root => {
                self.compare_head(name, &head)?;
                let why = "the signed head is not that of the statements before it".into();
                Err(LineError::Statement { party: name.clone(), number: head.size, why })
            }
            Some(_) if peer.given.as_ref().is_some_and(|g| g.size >= head.size) => {
                let note = peer.given.as_ref().expect("just seen").note.clone();
                if connected {
                    self.out.send.push((name.clone(), Message::Receipt(note)));
                }
                Ok(())
            }
            Some(_) => {
                let receipt = cosign(&head, &origin(&self.name, self.party()), &self.own.node, self.time);
                let place = self.store(Record::ReceiptGiven(name.clone(), receipt.note.clone()));
                if connected {
                    self.out.send.push((name.clone(), Message::Receipt(receipt.note.clone())));
                }
                let peer = self.peer(name)?;
                peer.given_places.push((head.size, place));
                (peer.head, peer.given) = (Some(head), Some(receipt));
                self.out.changed.insert(name.clone());
                self.compare_claims(name)
            }
        }
    }

    pub(super) fn open_receipt(&self, name: &PartyName, note: &[u8]) -> Result<Receipt, LineError> {
        let (ours, theirs) = (origin(&self.name, self.party()), origin(&self.name, name));
        let keys = &self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?.keys;
        let own = self.own.known.all_node_keys();
        let pairs = own.flat_map(|own| keys.all_node_keys().map(move |key| (own, key)));
        let opened = pairs.map(|(own, key)| (Receipt::open(note, &ours, &own, &theirs, &key), key));
        let receipt = opened.filter_map(|(receipt, key)| Some((receipt.ok()?, key))).next();
        match receipt {
            Some((receipt, key)) if keys.receipt_keys(receipt.time).any(|k| k == key) => Ok(receipt),
            _ => Err(LedgerError::Signature("a receipt").into()),
        }
    }

    pub(super) fn take_receipt(
        &mut self,
        name: &PartyName,
        note: &[u8],
        history: &dyn History,
    ) -> Result<(), LineError> {
        let receipt = self.open_receipt(name, note)?;
        if self.ledger.tree.root(receipt.size) != Some(receipt.root) {
            return match self.ledger.tree.root(receipt.size) {
                None => {
                    self.hear_of_own(name, receipt.size);
                    Ok(())
                }
                Some(_) => Err(LineError::Ledger(LedgerError::Proof("a peer's receipt"))),
            };
        }
        let (size, now) = (receipt.size, self.time);
        let peer = self.peer(name)?;
        if let Some(connection) = &mut peer.connection {
            connection.held = connection.held.max(size);
            connection.moved = now;
        }
        if size > peer.receipted() {
            peer.receipt = Some(receipt);
            if peer.receipt_missed.is_some_and(|missed| size > missed) {
                peer.receipt_missed = None;
            }
            let place = self.store(Record::ReceiptGot(name.clone(), note.to_vec()));
            self.peer(name)?.got_places.push((size, place));
            self.mark(name, size, DeliveryState::Delivered, now);
            self.out.changed.insert(name.clone());
        }
        self.pump(name, Some(history));
        Ok(())
    }
}

/// A statement as it is shown, whoever's act it may be.
fn bare(statement: &Statement, body: Body) -> Said {
    Said {
        reference: StatementRef { party: statement.party.clone(), number: statement.number },
        time: statement.time,
        causes: statement.causes.clone(),
        body,
        person: None,
        ahead: false,
    }
}

/// Certificates and revocations count from their place in the ledger on. One that is not by the root key has no effect.
pub(super) fn take_keys(keys: &mut KeyRing, statement: &Statement) {
    let time: Timestamp = statement.time;
    match Body::decode(&statement.kind, &statement.body, &Openings::default()) {
        Ok(Body::Certificate(bytes, _)) => _ = keys.certify(&bytes, statement.number),
        Ok(Body::Revocation(bytes)) => _ = keys.revoke(&bytes, statement.number, time),
        _ => {}
    }
}
