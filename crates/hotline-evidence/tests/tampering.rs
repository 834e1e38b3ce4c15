//! Every flipped byte, dropped or moved statement, forged receipt and wrong key is found; what is genuine is accepted.

use hotline_evidence::{
    Account, Certified, EvidenceError, Header, PartyHead, Placed, ReceiptFrame, RecordedFrame, Section, Told,
    Writer, account_text, describe, said_text, verify,
};
use hotline_ledger::{
    Certificate, Checkpoint, KeyId, LineName, PartyName, Revocation, Role, Root, SaltSecret, SigningKey,
    Statement, Tree, cosign, origin,
};
use hotline_line::{Act, Body, Deed, FlightEnd, FlightId, RecordedLeaf, Row, Segment, Withholdable, Words};
use jiff::Timestamp;
use std::io::Cursor;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn line() -> LineName {
    LineName::new("valley").unwrap()
}

fn roots(hashes: Vec<[u8; 32]>) -> Vec<Root> {
    hashes.into_iter().map(Root).collect()
}

/// A party that has said things.
struct Speaker {
    name: PartyName,
    root: SigningKey,
    node: SigningKey,
    /// The key that takes over in the middle.
    second: SigningKey,
    officer: SigningKey,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    tree: Tree,
    certified_at: u64,
    revoked_at: u64,
}

impl Speaker {
    fn certificate(&self, key: &SigningKey, role: Role, holder: &str) -> Vec<u8> {
        let certificate = Certificate {
            party: self.name.clone(),
            role,
            holder: holder.into(),
            key: key.verifying_key(),
            not_before: Timestamp::UNIX_EPOCH,
            not_after: at(1_000_000),
        };
        certificate.sign(&self.root).bytes().to_vec()
    }

    fn say(&mut self, key: &SigningKey, body: &Body) {
        let number = self.entries.len() as u64;
        let salts = SaltSecret::of(&self.node);
        let mut openings = hotline_ledger::Openings::default();
        let encoded = body.encode(&mut |field, value| {
            let opening = salts.opening(&line(), number, field, value);
            let sealed = opening.seal();
            openings.0.push(opening);
            sealed
        });
        let statement = Statement {
            line: line(),
            party: self.name.clone(),
            number,
            time: at(number as i64),
            causes: Default::default(),
            kind: body.kind().to_owned(),
            body: encoded,
        };
        let signed = statement.sign(key).bytes().to_vec();
        self.tree.append(&signed);
        self.entries.push((signed, openings.to_bytes()));
    }

    /// A party with `count` statements, whose node key was rotated, with an officer's act among them.
    fn new(name: &str, seed: u8, count: u64) -> Self {
        let key = |i: u8| SigningKey::from_bytes(&[seed * 8 + i; 32]);
        let mut party = Self {
            name: PartyName::new(name).unwrap(),
            root: key(0),
            node: key(1),
            second: key(2),
            officer: key(3),
            entries: vec![],
            tree: Tree::default(),
            certified_at: count / 3,
            revoked_at: count / 3 + 1,
        };
        for number in 0..count {
            let key = if number <= party.certified_at { party.node.clone() } else { party.second.clone() };
            let body = if number == party.certified_at {
                let certificate = party.certificate(&party.second.clone(), Role::Node, "node-2");
                Body::Certificate(certificate, Withholdable::new("the second node"))
            } else if number == party.revoked_at {
                let id = KeyId::of(&party.node.verifying_key());
                let revocation = Revocation { party: party.name.clone(), key: id, reason: "rotated".into() };
                Body::Revocation(revocation.sign(&party.root).unwrap())
            } else if number == 1 {
                let deed = Deed::Message { to: vec![], words: Words::free("en", "Hello"), reply_to: None };
                Body::Act(Box::new(Act::sign(&line(), &party.name, deed, at(1), &party.officer).unwrap()))
            } else if number == 2 {
                Body::Segment(segment().0)
            } else {
                Body::FlightEnd(FlightEnd {
                    flight: FlightId::new("F1").unwrap(),
                    version: number as u32 + 1,
                })
            };
            party.say(&key, &body);
        }
        party
    }

    fn head(&self, size: u64) -> Checkpoint {
        let key = if size <= self.revoked_at { &self.node } else { &self.second };
        Checkpoint::sign(&origin(&line(), &self.name), size, self.tree.root(size).unwrap(), key)
    }
}

fn segment() -> (Segment, Vec<Vec<u8>>) {
    let row = Row {
        time_ms: at(0).as_millisecond(),
        latitude_e7: 1,
        longitude_e7: 2,
        altitude_mm: 3,
        datum: 1,
        speed_mms: 4,
        track_e3: 5,
        climb_mms: 6,
    };
    let leaf =
        |name: &str| RecordedLeaf { aircraft: name.into(), salt: [7; 16], rows: vec![row; 3] }.to_bytes();
    let leaves: Vec<Vec<u8>> = ["A1", "A2", "A3"].map(leaf).into();
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| _ = tree.append(leaf));
    let root = Root(tree.root(3).unwrap());
    (Segment { number: 0, from: at(0), to: at(1), aircraft: 3, root }, leaves)
}

/// What is changed before it is written and signed, as a dishonest exporter would.
type Bend<'a> = &'a dyn Fn(&mut Vec<(Vec<u8>, Vec<u8>)>, &mut Vec<ReceiptFrame>, &mut PartyHead);

fn honest(_: &mut Vec<(Vec<u8>, Vec<u8>)>, _: &mut Vec<ReceiptFrame>, _: &mut PartyHead) {}

/// Evidence by blue of statements `begin..end` of both.
fn evidence(parties: &[&Speaker; 2], begin: u64, end: u64, bend: Bend<'_>) -> Vec<u8> {
    let mut file = Vec::new();
    let header = Header {
        line: line(),
        exporter: parties[0].name.clone(),
        exported_ms: at(500).as_millisecond(),
        from_ms: at(begin as i64 + 1).as_millisecond(),
        to_ms: at(end as i64 - 2).as_millisecond(),
        recipient: "Board of inquiry".into(),
        reason: "test".into(),
        withheld: vec![],
    };
    let mut writer = Writer::new(&mut file, header).unwrap();
    let mut parts = Vec::new();
    for (i, party) in parties.iter().enumerate() {
        let size = party.entries.len() as u64;
        let mut head = PartyHead {
            party: party.name.clone(),
            root: *party.root.verifying_key().as_bytes(),
            first: begin,
            count: end - begin,
            head: party.head(size).note,
            proof: roots(party.tree.prove_range(begin, end, size).hashes),
        };
        let giver = parties[1 - i];
        let receipt = |size: u64, second: i64| ReceiptFrame {
            by: giver.name.clone(),
            note: cosign(&party.head(size), &origin(&line(), &giver.name), &giver.second, at(second)).note,
            extension: roots(party.tree.prove_extension(size, party.entries.len() as u64).unwrap()),
        };
        let mut receipts = vec![receipt(begin + 2, 300), receipt(end, 400)];
        let mut entries = party.entries[begin as usize..end as usize].to_vec();
        if i == 0 {
            bend(&mut entries, &mut receipts, &mut head);
        }
        writer.party(head).unwrap();
        let placed = |number: u64| Placed {
            number,
            statement: party.entries[number as usize].0.clone(),
            proof: roots(party.tree.prove_range(number, number + 1, size).hashes),
        };
        let key = |key: &SigningKey, role, holder: &str, certified, revoked| Certified {
            certificate: party.certificate(key, role, holder),
            certified,
            revoked,
        };
        writer.certified(key(&party.node, Role::Node, "node", None, Some(placed(party.revoked_at)))).unwrap();
        let at_place = Some(placed(party.certified_at));
        writer.certified(key(&party.second, Role::Node, "node-2", at_place, None)).unwrap();
        writer.certified(key(&party.officer, Role::Officer, "officer-1", None, None)).unwrap();
        parts.push((party.name.clone(), receipts, entries));
    }
    for (party, receipts, entries) in parts {
        writer.section(Section { party }).unwrap();
        receipts.into_iter().for_each(|r| writer.receipt(r).unwrap());
        entries.into_iter().for_each(|(statement, openings)| writer.entry(statement, openings).unwrap());
    }
    if begin <= 2 {
        let (_, leaves) = segment();
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| _ = tree.append(leaf));
        let proof = roots(tree.prove_range(1, 2, 3).hashes);
        writer.recorded(RecordedFrame { segment: 0, index: 1, leaf: leaves[1].clone(), proof }).unwrap();
    }
    writer.finish(&parties[0].second).unwrap();
    file
}

fn check(file: &[u8]) -> Result<Account, EvidenceError> {
    verify(file, 2, |_| ())
}

fn both(count: u64) -> [Speaker; 2] {
    [Speaker::new("blue", 1, count), Speaker::new("green", 2, count)]
}

#[test]
fn genuine_evidence_checks_and_is_told() {
    let [blue, green] = both(700);
    let file = evidence(&[&blue, &green], 0, 700, &honest);
    let account = check(&file).unwrap();
    assert!(account.holds(), "{:?}", account.problems);
    assert!(account.parties.iter().all(|p| p.complete && p.count == 700 && p.without_receipt == 0));
    assert_eq!(account.recorded["A2"].reports, 3);
    let mut told = Told::open(&account, || Ok(Cursor::new(&file))).unwrap();
    let mut all = Vec::new();
    while let Some(said) = told.next().unwrap() {
        all.push(said);
    }
    assert_eq!(all.len(), 1_400);
    assert!(all.windows(2).all(|w| w[0].statement.time <= w[1].statement.time));
    // The earlier receipt covers two statements, the later all.
    let since = |number: u64| {
        let said = all.iter().find(|s| s.statement.number == number && s.statement.party.as_str() == "blue");
        said.unwrap().receipted[0].1
    };
    assert_eq!((since(1), since(2), since(699)), (at(300), at(400), at(400)));
    let text = said_text(&all[2], &account);
    assert!(text.contains("officer 1 told all: \"Hello\""), "{text}");
    let text = account_text(&account);
    assert!(text.contains("Everything checks") && text.contains("node, valid to"), "{text}");
    assert!(text.contains(&format!("revoked by #{}", blue.revoked_at)));
    let certified = &all.iter().find(|s| s.statement.kind == "certificate").unwrap();
    assert!(describe(&certified.statement, &certified.openings, &account).contains("the second node"));
    assert!(describe(&certified.statement, &[], &account).contains("(withheld)"));
    // A part from the middle too, with one statement more at each end.
    let account = check(&evidence(&[&blue, &green], 300, 600, &honest)).unwrap();
    assert!(account.holds() && account.parties[0].complete, "{:?}", account.problems);
}

/// Whoever changes the file after it was signed is found, whichever byte it is.
#[test]
fn every_flipped_byte_is_found() {
    let [blue, green] = both(9);
    let file = evidence(&[&blue, &green], 0, 9, &honest);
    assert!(check(&file).unwrap().holds());
    for position in 0..file.len() {
        let mut bent = file.clone();
        bent[position] ^= 1 << (position % 8);
        assert!(check(&bent).is_err(), "byte {position} of {}", file.len());
    }
    for length in (0..file.len()).step_by(5) {
        assert!(check(&file[..length]).is_err(), "cut to {length} bytes");
    }
    assert!(check(&[&file[..], b"x"].concat()).is_err());
}

/// An exporter that changes what it signs itself is found too.
#[test]
fn a_dishonest_exporter_is_found() {
    let [blue, green] = both(40);
    let stranger = SigningKey::from_bytes(&[99; 32]);
    let refused = |what: &str, bend: Bend<'_>| {
        // Where even the exporter's signature does not check any more, nothing is accounted for.
        let account = check(&evidence(&[&blue, &green], 0, 40, bend)).ok();
        assert!(account.as_ref().is_none_or(|a| !a.holds()), "{what} is not found");
        account
    };
    for i in [0, 1, 5, 39] {
        refused("a dropped statement", &|entries, _, head| {
            entries.remove(i);
            head.count -= 1;
        });
        refused("a flipped byte in a statement", &|entries, _, _| {
            let middle = entries[i].0.len() - 20;
            entries[i].0[middle] ^= 1;
        });
    }
    refused("statements in another order", &|entries, _, _| entries.swap(5, 6));
    refused("a statement twice", &|entries, _, head| {
        entries.insert(5, entries[5].clone());
        head.count += 1;
    });
    refused("fewer than announced", &|entries, _, _| _ = entries.pop());
    let account = refused("a statement by a stranger", &|entries, _, _| {
        let other = Speaker::new("blue", 7, 6);
        entries[4] = other.entries[4].clone();
    });
    let problems = account.unwrap().problems;
    assert!(problems.iter().any(|p| p.about == "statement 4"), "{problems:?}");
    refused("a forged receipt", &|_, receipts, _| {
        let head = blue.head(40);
        receipts[1].note = cosign(&head, &origin(&line(), &green.name), &stranger, at(400)).note;
    });
    refused("a receipt for another ledger", &|_, receipts, _| {
        let mut tree = Tree::default();
        (0..40u8).for_each(|n| _ = tree.append(&[n]));
        let other = Checkpoint::sign(&origin(&line(), &blue.name), 40, tree.root(40).unwrap(), &blue.second);
        receipts[1].note = cosign(&other, &origin(&line(), &green.name), &green.second, at(400)).note;
    });
    refused("a range that ends too early", &|entries, _, head| {
        entries.truncate(20);
        head.count = 20;
        head.proof = roots(blue.tree.prove_range(0, 20, 40).hashes);
    });
    refused("an opening with another value", &|entries, _, _| {
        let at = blue.certified_at as usize;
        let mut openings = hotline_ledger::Openings::from_bytes(&entries[at].1).unwrap();
        openings.0[0].value = "somebody else".into();
        entries[at].1 = openings.to_bytes();
    });
    refused("a revoked key that signs on", &|entries, _, _| {
        let number = blue.revoked_at + 2;
        let body = Body::FlightEnd(FlightEnd { flight: FlightId::new("F1").unwrap(), version: 1 });
        let statement = Statement {
            line: line(),
            party: blue.name.clone(),
            number,
            time: at(number as i64),
            causes: Default::default(),
            kind: body.kind().into(),
            body: body.encode(&mut |_, _| unreachable!()),
        };
        entries[number as usize].0 = statement.sign(&blue.node).bytes().to_vec();
    });
    refused("another head", &|_, _, head| {
        head.head = Checkpoint::sign(&origin(&line(), &blue.name), 40, [5; 32], &blue.second).note;
    });
    // An officer's signature that is not the officer's.
    refused("a forged act", &|entries, _, _| {
        let deed = Deed::Message { to: vec![], words: Words::free("en", "Hello"), reply_to: None };
        let act = Act::sign(&line(), &blue.name, deed, at(1), &stranger).unwrap();
        let mut party = Speaker::new("blue", 1, 1);
        party.say(&blue.node, &Body::Act(Box::new(act)));
        entries[1] = party.entries[1].clone();
    });
}
