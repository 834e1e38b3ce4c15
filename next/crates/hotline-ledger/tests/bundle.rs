//! Evidence: what checks, and that nothing changed goes unseen.

use hotline_ledger::{
    Bundle, BundleParty, Certificate, Checkpoint, LedgerError, LineName, PartyName, Role, SigningKey,
    Statement, Tree, cosign, origin, verify_bundle,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

struct Party {
    name: PartyName,
    root: SigningKey,
    node: SigningKey,
    entries: Vec<Vec<u8>>,
    tree: Tree,
}

impl Party {
    fn new(name: &str, seed: u8) -> Self {
        Self {
            name: PartyName::new(name).unwrap(),
            root: SigningKey::from_bytes(&[seed; 32]),
            node: SigningKey::from_bytes(&[seed + 1; 32]),
            entries: vec![],
            tree: Tree::default(),
        }
    }

    fn say(&mut self, time: i64, text: &str) {
        let statement = Statement {
            line: line(),
            party: self.name.clone(),
            number: self.tree.size(),
            time: at(time),
            causes: BTreeMap::new(),
            kind: "message".into(),
            body: text.as_bytes().to_vec(),
        };
        let signed = statement.sign(&self.node);
        self.tree.append(signed.bytes());
        self.entries.push(signed.bytes().to_vec());
    }

    fn head(&self, size: u64) -> Checkpoint {
        Checkpoint::sign(&origin(&line(), &self.name), size, self.tree.root(size).unwrap(), &self.node)
    }

    fn part(&self, from: u64, to: u64, cosigner: &Party, receipt_size: u64) -> BundleParty {
        let certificate = Certificate {
            party: self.name.clone(),
            role: Role::Node,
            holder: "node 1".into(),
            key: self.node.verifying_key(),
            not_before: at(0),
            not_after: at(10_000),
        };
        let size = self.tree.size();
        let receipt =
            cosign(&self.head(receipt_size), &origin(&line(), &cosigner.name), &cosigner.node, at(500));
        let receipt_proof = self.tree.prove_range(from, to.min(receipt_size), receipt_size);
        BundleParty {
            party: self.name.clone(),
            root: self.root.verifying_key(),
            certificates: vec![certificate.sign(&self.root).bytes().to_vec()],
            first: from,
            entries: self.entries[from as usize..to as usize].to_vec(),
            checkpoint: self.head(size).note,
            proof: self.tree.prove_range(from, to, size),
            receipts: vec![(cosigner.name.clone(), receipt.note, receipt_proof)],
        }
    }
}

fn line() -> LineName {
    LineName::new("valley").unwrap()
}

fn scene() -> (Party, Party, Bundle) {
    let (mut blue, mut green) = (Party::new("blue", 1), Party::new("green", 11));
    for i in 0..9 {
        blue.say(100 + i * 10, &format!("blue {i}"));
        green.say(105 + i * 10, &format!("green {i}"));
    }
    let bundle = Bundle {
        line: line(),
        exporter: blue.name.clone(),
        exported: at(600),
        from: at(115),
        to: at(145),
        parties: vec![blue.part(1, 6, &green, 4), green.part(0, 6, &blue, 9)],
    };
    (blue, green, bundle)
}

#[test]
fn an_honest_bundle_checks() {
    let (blue, _, bundle) = scene();
    let account = verify_bundle(&bundle.sign(&blue.node)).unwrap();
    assert_eq!(account.problems, vec![]);
    assert!(account.parties.iter().all(|p| p.complete));
    let receipted: Vec<usize> = account.parties[0].statements.iter().map(|s| s.receipted.len()).collect();
    assert_eq!(receipted, [1, 1, 1, 0, 0], "green's receipt reaches to 4");
    assert_eq!(account.parties[0].statements[0].statement.body, b"blue 1");
}

#[test]
fn every_flipped_byte_is_found() {
    let (blue, _, bundle) = scene();
    let bytes = bundle.sign(&blue.node);
    for i in 0..bytes.len() {
        for bit in 0..8 {
            let mut bent = bytes.clone();
            bent[i] ^= 1 << bit;
            let found = verify_bundle(&bent);
            assert!(found.is_err() || !found.unwrap().problems.is_empty(), "byte {i} bit {bit}");
        }
    }
}

/// A dishonest exporter can sign what it likes; what it left out, altered or moved is still found.
#[test]
fn a_lying_exporter_is_found() {
    let (blue, green, honest) = scene();
    type Lie<'a> = (&'a str, Box<dyn Fn(&mut Bundle)>);
    let lies: Vec<Lie<'_>> = vec![
        ("left out the last", Box::new(|b| drop(b.parties[1].entries.pop()))),
        ("left out one in the middle", Box::new(|b| drop(b.parties[1].entries.remove(2)))),
        ("swapped two", Box::new(|b| b.parties[1].entries.swap(1, 2))),
        (
            "cut both ends honestly, but too far",
            Box::new(|b| b.from = at(50).max(b.from) - jiff::SignedDuration::from_secs(20)),
        ),
        ("asked later than the range", Box::new(|b| b.to = at(500))),
        (
            "receipt for another party",
            Box::new(|b| {
                let other = b.parties[0].receipts.clone();
                b.parties[1].receipts = other;
            }),
        ),
        ("stripped certificates", Box::new(|b| b.parties[1].certificates.clear())),
        ("another's root", Box::new(|b| b.parties[1].root = b.parties[0].root)),
        ("an old head", {
            let head = green.head(3).note;
            Box::new(move |b| b.parties[1].checkpoint = head.clone())
        }),
        ("twice the same party", Box::new(|b| b.parties.push(b.parties[1].clone()))),
    ];
    for (lie, bend) in lies {
        let mut bundle = honest.clone();
        bend(&mut bundle);
        let account = verify_bundle(&bundle.sign(&blue.node)).unwrap();
        assert_ne!(account.problems, vec![], "{lie}");
    }
}

#[test]
fn signed_by_someone_else_it_is_nothing() {
    let (_, green, bundle) = scene();
    assert!(matches!(verify_bundle(&bundle.sign(&green.node)), Err(LedgerError::UnknownKey { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(verify_bundle(&bytes).is_err());
    }
}
