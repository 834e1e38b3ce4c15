//! Proof that a party signed two things that cannot both be.
//!
//! A proof needs nothing but the party's keys, so any other party checks it alone. Two kinds occur: two different statements
//! of one number, and two heads of which the later does not extend the earlier.

use crate::{
    Checkpoint, KeyRing, LedgerError, LineName, PartyName, SignedStatement, UncheckedStatement, extends,
    origin,
};
use minicbor::{Decode, Encode};

const WHAT: &str = "a proof of misconduct";
/// The largest proof, bytes.
pub const MAX_PROOF: usize = 2 * crate::MAX_STATEMENT_BYTES + 32 * 1024;

/// Two signed things of one party that cannot both be.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Misconduct {
    /// Two different statements of the same number.
    #[n(0)]
    Statements {
        /// One.
        #[cbor(n(0), with = "minicbor::bytes")]
        one: Vec<u8>,
        /// The other.
        #[cbor(n(1), with = "minicbor::bytes")]
        other: Vec<u8>,
    },
    /// Two signed heads; the ledger of the larger has, over as many statements as the smaller has, another root.
    #[n(1)]
    Heads {
        /// The head over fewer statements, or as many.
        #[cbor(n(0), with = "minicbor::bytes")]
        smaller: Vec<u8>,
        /// The other head.
        #[cbor(n(1), with = "minicbor::bytes")]
        larger: Vec<u8>,
        /// The root that the larger's ledger has at the smaller's size.
        #[n(2)]
        root: Root,
        /// That it has.
        #[n(3)]
        extension: Vec<Root>,
    },
}

/// A root or another hash of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Root(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl Misconduct {
    /// Its encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory")
    }

    /// Reads a proof; it is not yet checked.
    ///
    /// # Errors
    /// When malformed, too large, or not in its one encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LedgerError> {
        if bytes.len() > MAX_PROOF {
            return Err(LedgerError::TooLarge { what: WHAT, size: bytes.len(), limit: MAX_PROOF });
        }
        let read: Self = minicbor::decode(bytes).map_err(|e| LedgerError::malformed(WHAT, e))?;
        if read.to_bytes() != bytes { Err(LedgerError::NotCanonical(WHAT)) } else { Ok(read) }
    }

    /// Checks the proof against the party's keys. Gives from which statement on its ledger is disputed.
    ///
    /// # Errors
    /// When it proves nothing.
    pub fn check(&self, line: &LineName, party: &PartyName, keys: &KeyRing) -> Result<u64, LedgerError> {
        let nothing = || LedgerError::malformed(WHAT, "the two can both be true");
        match self {
            Self::Statements { one, other } => {
                let open = |bytes: &[u8]| -> Result<SignedStatement, LedgerError> {
                    let read = UncheckedStatement::read(bytes)?;
                    let signed = read.check(|id, s| {
                        let certificate = keys.all_node_keys().find(|k| crate::KeyId::of(k) == id);
                        certificate.filter(|_| s.party == *party && s.line == *line)
                    })?;
                    Ok(signed)
                };
                let (one, other) = (open(one)?, open(other)?);
                let number = one.statement().number;
                if number != other.statement().number || one.bytes() == other.bytes() {
                    return Err(nothing());
                }
                Ok(number)
            }
            Self::Heads { smaller, larger, root, extension } => {
                let name = origin(line, party);
                let open = |note: &[u8]| {
                    let opened = keys.all_node_keys().map(|key| Checkpoint::open(note, &name, &key));
                    opened.reduce(Result::or).unwrap_or(Err(LedgerError::Signature("a checkpoint")))
                };
                let (smaller, larger) = (open(smaller)?, open(larger)?);
                let hashes: Vec<[u8; 32]> = extension.iter().map(|h| h.0).collect();
                let shown = if smaller.size == larger.size {
                    larger.root == root.0
                } else {
                    smaller.size > 0
                        && smaller.size < larger.size
                        && extends(&hashes, larger.size, larger.root, smaller.size, root.0)
                };
                if !shown || smaller.root == root.0 {
                    return Err(nothing());
                }
                Ok(smaller.size.saturating_sub(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Certificate, Role, SigningKey, Statement, Tree};
    use jiff::Timestamp;

    struct Scene {
        line: LineName,
        party: PartyName,
        node: SigningKey,
        keys: KeyRing,
    }

    fn scene() -> Scene {
        let (line, party) = (LineName::new("valley").unwrap(), PartyName::new("blue").unwrap());
        let (root, node) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let mut keys = KeyRing::new(party.clone(), root.verifying_key());
        let certificate = Certificate {
            party: party.clone(),
            role: Role::Node,
            holder: "node".into(),
            key: node.verifying_key(),
            not_before: Timestamp::UNIX_EPOCH,
            not_after: Timestamp::MAX,
        };
        keys.introduce(certificate.sign(&root).bytes()).unwrap();
        Scene { line, party, node, keys }
    }

    impl Scene {
        fn statement(&self, number: u64, body: u8) -> Vec<u8> {
            let statement = Statement {
                line: self.line.clone(),
                party: self.party.clone(),
                number,
                time: Timestamp::UNIX_EPOCH,
                causes: Default::default(),
                kind: "message".into(),
                body: vec![body],
            };
            statement.sign(&self.node).bytes().to_vec()
        }

        fn tree(&self, bodies: &[u8]) -> Tree {
            let mut tree = Tree::default();
            (0..).zip(bodies).for_each(|(i, b)| _ = tree.append(&self.statement(i, *b)));
            tree
        }

        fn head(&self, tree: &Tree, size: u64) -> Vec<u8> {
            let name = origin(&self.line, &self.party);
            Checkpoint::sign(&name, size, tree.root(size).unwrap(), &self.node).note
        }

        fn check(&self, proof: &Misconduct) -> Result<u64, LedgerError> {
            let again = Misconduct::from_bytes(&proof.to_bytes()).unwrap();
            assert_eq!(again, *proof);
            again.check(&self.line, &self.party, &self.keys)
        }
    }

    #[test]
    fn two_statements_of_one_number() {
        let scene = scene();
        let proof = |one: Vec<u8>, other: Vec<u8>| Misconduct::Statements { one, other };
        assert_eq!(scene.check(&proof(scene.statement(4, 1), scene.statement(4, 2))), Ok(4));
        assert!(scene.check(&proof(scene.statement(4, 1), scene.statement(4, 1))).is_err());
        assert!(scene.check(&proof(scene.statement(4, 1), scene.statement(5, 2))).is_err());
    }

    #[test]
    fn two_heads_that_do_not_extend_each_other() {
        let scene = scene();
        let (one, other) = (scene.tree(&[1, 2, 3, 4, 5]), scene.tree(&[1, 2, 9, 4, 5, 6, 7]));
        let heads = |small: (&Tree, u64), large: (&Tree, u64)| Misconduct::Heads {
            smaller: scene.head(small.0, small.1),
            larger: scene.head(large.0, large.1),
            root: Root(large.0.root(small.1).unwrap()),
            extension: large.0.prove_extension(small.1, large.1).unwrap().into_iter().map(Root).collect(),
        };
        assert_eq!(scene.check(&heads((&one, 3), (&other, 7))), Ok(2));
        assert_eq!(scene.check(&heads((&one, 5), (&other, 5))), Ok(4));
        assert!(scene.check(&heads((&one, 2), (&other, 7))).is_err(), "up to there they agree");
        assert!(scene.check(&heads((&one, 3), (&one, 5))).is_err());
        // A root that the larger head's ledger does not have proves nothing.
        let Misconduct::Heads { smaller, larger, extension, .. } = heads((&one, 3), (&one, 5)) else {
            panic!()
        };
        let lie = Misconduct::Heads { smaller, larger, root: Root([7; 32]), extension };
        assert!(scene.check(&lie).is_err());
    }
}
