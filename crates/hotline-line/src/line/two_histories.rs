//! A party that signs two histories of its ledger: found, kept as proof, told.

use super::{History, Line};
use crate::message::Message;
use crate::peer::{Call, Disputed};
use crate::{LineError, Record};
use hotline_ledger::{
    Checkpoint, KeyRing, LedgerError, Misconduct, PartyName, Root, SignedStatement, Tree, origin,
};

impl Line {
    /// A statement that is held already must come again as it was.
    pub(super) fn check_repeated(
        &mut self,
        name: &PartyName,
        number: u64,
        entry: &[u8],
        history: &dyn History,
    ) -> Result<(), LineError> {
        if self.peers[name].ledger.tree.leaf(number) == Some(Tree::leaf_of(entry)) {
            return Ok(());
        }
        // Only what the peer has really signed is proof against it.
        let other = self.open(name, entry)?;
        let held = self.entry(name, number, Some(history)).map(|e| e.statement).unwrap_or_default();
        let proof = Misconduct::Statements { one: held, other: other.bytes().to_vec() };
        Err(self.dispute(name, &proof))
    }

    /// A statement that came ahead must come in its place as it was.
    pub(super) fn compare_ahead(&mut self, name: &PartyName, signed: &SignedStatement) {
        let number = signed.statement().number;
        let ahead = self.peers.get_mut(name).and_then(|p| p.ahead.remove(&number));
        if let Some(one) = ahead.filter(|one| one != signed.bytes()) {
            let proof = Misconduct::Statements { one, other: signed.bytes().to_vec() };
            self.dispute(name, &proof);
        }
    }

    /// Keeps proof that a party has signed two histories, and marks it, if it is a proof.
    pub(super) fn dispute(&mut self, name: &PartyName, proof: &Misconduct) -> LineError {
        let now = self.time;
        let Some(peer) = self.peers.get_mut(name) else { return LineError::UnknownParty(name.clone()) };
        let number = match proof.check(&self.name, name, &peer.keys) {
            Ok(number) => number,
            Err(e) => return e.into(),
        };
        if peer.disputed.is_none() {
            let bytes = proof.to_bytes();
            peer.disputed = Some(Disputed { number, since: now, proof: bytes.clone(), told: false });
            self.store(Record::Disputed(name.clone(), bytes, now));
            self.books.ballots.dispute(name);
            self.judge(name);
            self.out.changed.insert(name.clone());
        }
        LineError::Equivocation { party: name.clone(), number }
    }

    /// What is held of a ledger and a head of it that somebody else holds do not agree, and no head that is held here covers the
    /// difference: asks for the statements after the newest head, to compare them one by one.
    pub(super) fn look_closer(&mut self, ledger: &PartyName, by: &PartyName) {
        let now = self.time;
        let Some(peer) = self.peers.get_mut(ledger).filter(|p| p.disputed.is_none()) else { return };
        let from = peer.head.as_ref().map_or(0, |h| h.size);
        peer.call = Call::made(now);
        self.out.send.push((by.clone(), Message::Want { ledger: ledger.clone(), from }));
    }

    /// Parties of whose two histories the others are still to be told, with the proof.
    pub fn to_be_told(&self) -> Vec<(PartyName, Misconduct)> {
        let untold = self.peers.iter().filter_map(|(name, p)| Some((name, p.disputed.as_ref()?)));
        untold
            .filter(|(_, d)| !d.told)
            .filter_map(|(name, d)| Some((name.clone(), Misconduct::from_bytes(&d.proof).ok()?)))
            .collect()
    }

    /// Compares a head with what is held of a ledger. Nothing when the head is of more than is held.
    pub(super) fn compare_head(&mut self, ledger: &PartyName, head: &Checkpoint) -> Result<(), LineError> {
        let peer = &self.peers[ledger];
        let tree = &peer.ledger.tree;
        if head.size == 0 || tree.root(head.size).is_none_or(|root| root == head.root) {
            return Ok(());
        }
        let Some(held) = peer.head.clone() else { return Ok(()) };
        // The held head and the tree below it agree, so one of the two extends the other or there is proof.
        let (size, larger) = (head.size, held.size);
        if size > larger {
            // What is held beyond the newest head is not under any yet: the next one decides.
            return Ok(());
        }
        let (Some(root), Some(extension)) = (tree.root(size), tree.prove_extension(size, larger)) else {
            return Ok(());
        };
        let proof = Misconduct::Heads {
            smaller: head.note.clone(),
            larger: held.note,
            root: Root(root),
            extension: extension.into_iter().map(Root).collect(),
        };
        Err(self.dispute(ledger, &proof))
    }

    /// Compares what is held now with what others say they hold.
    pub(super) fn compare_claims(&mut self, ledger: &PartyName) -> Result<(), LineError> {
        let peer = self.peer(ledger)?;
        let size = peer.head.as_ref().map_or(0, |h| h.size);
        let reached: Vec<PartyName> =
            peer.claims.iter().filter(|(_, c)| c.size <= size).map(|(by, _)| by.clone()).collect();
        for by in reached {
            let claim = self.peer(ledger)?.claims.remove(&by).expect("just found");
            let keys = self.peers[ledger].keys.clone();
            let head = self.open_head(ledger, &claim.note, &keys)?;
            self.compare_head(ledger, &head)?;
        }
        Ok(())
    }

    pub(super) fn open_head(
        &self,
        ledger: &PartyName,
        note: &[u8],
        keys: &KeyRing,
    ) -> Result<Checkpoint, LineError> {
        let name = origin(&self.name, ledger);
        let opened = keys.all_node_keys().map(|key| (Checkpoint::open(note, &name, &key), key));
        let head = opened.filter_map(|(head, key)| Some((head.ok()?, key))).next();
        match head {
            Some((head, key)) if keys.head_keys(head.size).any(|k| k == key) => Ok(head),
            _ => Err(LedgerError::Signature("a checkpoint").into()),
        }
    }
}
