//! The Merkle tree over a ledger (RFC 6962 hashing, stored as C2SP tlog tiles order their hashes).

use crate::LedgerError;
use tlog_tiles::tlog::{self, Hash, HashReader};

/// A tree that keeps all its hashes in memory: 64 bytes a statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    size: u64,
    hashes: Vec<Hash>,
}

struct Stored<'a>(&'a [Hash]);

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        let read = |&i: &u64| self.0.get(i as usize).copied().ok_or(tlog::Error::IndexesNotInTree);
        indexes.iter().map(read).collect()
    }
}

/// The hash of a leaf.
fn leaf_hash(leaf: &[u8]) -> Hash {
    tlog::record_hash(leaf)
}

impl Tree {
    /// Appends a leaf and gives its number.
    pub fn append(&mut self, leaf: &[u8]) -> u64 {
        let number = self.size;
        let new =
            tlog::stored_hashes(number, leaf, &Stored(&self.hashes)).expect("all earlier hashes are kept");
        self.hashes.extend(new);
        self.size += 1;
        number
    }

    /// Takes back all leaves from number `size` on.
    pub fn truncate(&mut self, size: u64) {
        if size < self.size {
            self.hashes.truncate(tlog::stored_hash_count(size) as usize);
            self.size = size;
        }
    }

    /// A proof that the tree of `size` leaves extends that of its first `old` leaves (RFC 6962, 2.1.2); nothing unless
    /// `0 < old <= size <= self.size()`.
    pub fn prove_extension(&self, old: u64, size: u64) -> Option<Vec<[u8; 32]>> {
        if old == 0 || old > size || size > self.size {
            return None;
        }
        let proof = tlog::prove_tree(size, old, &Stored(&self.hashes)).expect("all hashes are kept");
        Some(proof.iter().map(|h| h.0).collect())
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over the first `size` leaves, or nothing when there are fewer.
    pub fn root(&self, size: u64) -> Option<[u8; 32]> {
        if size > self.size {
            return None;
        }
        Some(tlog::tree_hash(size, &Stored(&self.hashes)).expect("all hashes are kept").0)
    }

    /// The hash of leaf `number`, if there is one.
    pub fn leaf(&self, number: u64) -> Option<[u8; 32]> {
        (number < self.size).then(|| self.hashes[tlog::stored_hash_index(0, number) as usize].0)
    }

    /// The hash that a leaf of this content has.
    pub fn leaf_of(content: &[u8]) -> [u8; 32] {
        leaf_hash(content).0
    }

    /// All hashes in stored order, for a snapshot.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|h| h.0).collect()
    }

    /// The tree of so many leaves from a snapshot's hashes; nothing when their number is not right.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let hashes: Vec<Hash> =
            bytes.chunks_exact(32).map(|c| Hash(c.try_into().expect("32 bytes"))).collect();
        let right = tlog::stored_hash_count(size) == hashes.len() as u64 && bytes.len().is_multiple_of(32);
        right.then_some(Self { size, hashes })
    }

    /// A proof that leaves `from..to` are exactly those of the tree of `size` leaves.
    ///
    /// # Panics
    /// Unless `from < to <= size <= self.size()`.
    pub fn prove_range(&self, from: u64, to: u64, size: u64) -> RangeProof {
        assert!(from < to && to <= size && size <= self.size, "a range within the tree");
        let mut hashes = Vec::new();
        self.gather(0, size, from, to, &mut hashes);
        RangeProof { hashes }
    }

    fn gather(&self, low: u64, high: u64, from: u64, to: u64, out: &mut Vec<[u8; 32]>) {
        if high <= from || to <= low {
            out.push(self.subtree(low, high).0);
        } else if high - low > 1 {
            let middle = low + split(high - low);
            self.gather(low, middle, from, to, out);
            self.gather(middle, high, from, to, out);
        }
    }

    /// The hash over leaves `low..high`, as the tree cuts them.
    fn subtree(&self, low: u64, high: u64) -> Hash {
        let count = high - low;
        if count.is_power_of_two() && low.is_multiple_of(count) {
            let level = count.trailing_zeros() as u8;
            return self.hashes[tlog::stored_hash_index(level, low >> level) as usize];
        }
        let middle = low + split(count);
        tlog::node_hash(self.subtree(low, middle), self.subtree(middle, high))
    }
}

/// The largest power of two below `count` (which is at least 2): where RFC 6962 splits a tree.
fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// Whether a tree of `size` leaves with root `root` has, over its first `old` leaves, the root `old_root`.
pub fn extends(proof: &[[u8; 32]], size: u64, root: [u8; 32], old: u64, old_root: [u8; 32]) -> bool {
    let proof: Vec<Hash> = proof.iter().map(|h| Hash(*h)).collect();
    tlog::check_tree(&proof, size, Hash(root), old, Hash(old_root)).is_ok()
}

/// What is needed, beside the leaves of a range themselves, to compute the root of the whole tree. It shows that
/// the range is complete: no leaf can be left out, added or moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeProof {
    /// Hashes of the subtrees beside the range, from left to right.
    pub hashes: Vec<[u8; 32]>,
}

impl RangeProof {
    /// The root of the tree of `size` leaves whose leaves from number `from` on are these.
    ///
    /// # Errors
    /// [`LedgerError::Proof`] when the range does not fit the tree or the number of hashes is not right.
    pub fn root<'a>(
        &self,
        from: u64,
        size: u64,
        leaves: impl ExactSizeIterator<Item = &'a [u8]>,
    ) -> Result<[u8; 32], LedgerError> {
        let count = leaves.len() as u64;
        self.root_of_hashes(from, count, size, leaves.map(|leaf| leaf_hash(leaf).0))
    }

    /// The same from the hashes of `count` leaves, which are taken one after the other and not kept.
    ///
    /// # Errors
    /// As [`RangeProof::root`], and when there are fewer leaves than `count`.
    pub fn root_of_hashes(
        &self,
        from: u64,
        count: u64,
        size: u64,
        leaves: impl Iterator<Item = [u8; 32]>,
    ) -> Result<[u8; 32], LedgerError> {
        let bad = LedgerError::Proof("the range proof");
        let to = from.checked_add(count).ok_or(bad.clone())?;
        if from >= to || to > size || size > 1 << 48 {
            return Err(bad);
        }
        let mut beside = self.hashes.iter();
        let mut leaves = leaves;
        let root = rebuild((0, size), (from, to), &mut leaves, &mut beside).ok_or(bad.clone())?;
        if beside.next().is_some() { Err(bad) } else { Ok(root.0) }
    }
}

/// The hash over the leaves of `node`, of which those of `range` come from `leaves` in order.
fn rebuild(
    node: (u64, u64),
    range: (u64, u64),
    leaves: &mut dyn Iterator<Item = [u8; 32]>,
    beside: &mut std::slice::Iter<'_, [u8; 32]>,
) -> Option<Hash> {
    let (low, high) = node;
    if high <= range.0 || range.1 <= low {
        return beside.next().map(|h| Hash(*h));
    }
    if high - low == 1 {
        return leaves.next().map(Hash);
    }
    let middle = low + split(high - low);
    let left = rebuild((low, middle), range, leaves, beside)?;
    let right = rebuild((middle, high), range, leaves, beside)?;
    Some(tlog::node_hash(left, right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(count: u64) -> Vec<Vec<u8>> {
        (0..count).map(|i| i.to_be_bytes().to_vec()).collect()
    }

    fn tree(count: u64) -> Tree {
        let mut tree = Tree::default();
        leaves(count).iter().for_each(|leaf| _ = tree.append(leaf));
        tree
    }

    /// The test vectors of RFC 6962 implementations: roots of trees over the leaves "", 00, 10, 2021.
    #[test]
    fn known_roots() {
        let mut tree = Tree::default();
        let hex = |bytes: [u8; 32]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(
            hex(tree.root(0).unwrap()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        tree.append(b"");
        assert_eq!(
            hex(tree.root(1).unwrap()),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        tree.append(&[0]);
        assert_eq!(
            hex(tree.root(2).unwrap()),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
    }

    proptest! {
        #[test]
        fn ranges_prove(size in 1u64..200, a in 0u64..200, b in 0u64..200, bend in 0usize..40) {
            let (from, to) = (a.min(b) % size, (a.max(b) % size) + 1);
            prop_assume!(from < to);
            let (tree, all) = (tree(220), leaves(220));
            let proof = tree.prove_range(from, to, size);
            let range = || all[from as usize..to as usize].iter().map(Vec::as_slice);
            let root = tree.root(size);
            prop_assert_eq!(proof.root(from, size, range()).ok(), root);
            // A range with its last leaf missing, a shifted one, or a bent proof gives another root or none.
            let short = all[from as usize..to as usize - 1].iter().map(Vec::as_slice);
            prop_assert_ne!(proof.root(from, size, short).ok(), root);
            prop_assert_ne!(proof.root(from + 1, size, range()).ok(), root);
            if let Some(i) = bend.checked_rem(proof.hashes.len()) {
                let mut bent = proof.clone();
                bent.hashes[i][7] ^= 1;
                prop_assert_ne!(bent.root(from, size, range()).ok(), root);
                bent.hashes.remove(i);
                prop_assert_ne!(bent.root(from, size, range()).ok(), root);
            }
        }

        #[test]
        fn trees_extend_and_shrink(size in 1u64..200, old in 1u64..200, bend in 0usize..40) {
            prop_assume!(old <= size);
            let mut large = tree(220);
            let (root, old_root) = (large.root(size).unwrap(), large.root(old).unwrap());
            let proof = large.prove_extension(old, size).unwrap();
            prop_assert!(extends(&proof, size, root, old, old_root));
            let mut other = old_root;
            other[3] ^= 1;
            prop_assert!(!extends(&proof, size, root, old, other));
            if let Some(i) = bend.checked_rem(proof.len()) {
                let mut bent = proof.clone();
                bent[i][7] ^= 1;
                prop_assert!(!extends(&bent, size, root, old, old_root));
            }
            large.truncate(size);
            prop_assert_eq!(large, tree(size));
        }

        #[test]
        fn snapshots_restore(size in 0u64..300) {
            let tree = tree(size);
            prop_assert_eq!(Tree::from_bytes(size, &tree.to_bytes()), Some(tree.clone()));
            prop_assert_eq!(Tree::from_bytes(size + 1, &tree.to_bytes()), None);
        }
    }
}
