//! A party that signs two histories of its ledger, and a node that comes back from an old copy.

use hotline_ledger::{Certificate, KeyRing, PartyName, Role, SigningKey};
use hotline_line::{
    Body, Entry, FlightEnd, FlightId, History, Line, LineConfig, LineError, Message, OwnKeys, Record,
    Rulebook, Speech,
};
use jiff::Timestamp;

struct Nothing;

impl History for Nothing {
    fn record(&self, _: u64) -> Option<Record> {
        None
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn keys(name: &str, seed: u8) -> OwnKeys {
    let (root, node) = (SigningKey::from_bytes(&[seed; 32]), SigningKey::from_bytes(&[seed + 1; 32]));
    let party = PartyName::new(name).unwrap();
    let mut known = KeyRing::new(party.clone(), root.verifying_key());
    let certificate = Certificate {
        party,
        role: Role::Node,
        holder: "node".into(),
        key: node.verifying_key(),
        not_before: at(0),
        not_after: at(10_000),
    };
    known.introduce(certificate.sign(&root).bytes()).unwrap();
    OwnKeys { known, node, names: Default::default() }
}

fn parties() -> [OwnKeys; 3] {
    [keys("blue", 1), keys("green", 11), keys("red", 21)]
}

/// A line of three that has listened long enough to speak.
fn line(own: usize) -> Line {
    let all = parties();
    let mut rulebook = Rulebook::from_toml(Rulebook::EXAMPLE).unwrap();
    rulebook.parties = ["blue", "green", "red"].map(String::from).into();
    let peers = all.iter().enumerate().filter(|(i, _)| *i != own).map(|(_, k)| k.known.clone());
    let config = LineConfig { rulebook, peers: peers.collect(), own: all[own].clone(), restored: false };
    let mut line = Line::new(config).unwrap();
    line.begin(at(0));
    line.tick(at(4), &Nothing);
    line.take_output();
    line
}

/// Says that flights have ended, and gives the signed statements.
fn say(line: &mut Line, flights: &[&str]) -> Vec<Entry> {
    for flight in flights {
        let end = FlightEnd { flight: FlightId::new(flight).unwrap(), version: 1 };
        line.say(Body::FlightEnd(end), String::new(), at(10)).unwrap();
    }
    let own = |r| if let Record::Own(entry) = r { Some(entry) } else { None };
    line.take_output().records.into_iter().filter_map(own).collect()
}

fn entries(of: &Line, first: u64, entries: &[Entry], head: u64) -> Message {
    let checkpoint = of.sign_own_head(head).note;
    Message::Entries { ledger: of.party().clone(), first, entries: entries.to_vec(), checkpoint }
}

/// Blue has said F1 and F2, and green holds both.
fn scene() -> (Line, Vec<Entry>, Line) {
    let (mut blue, mut green) = (line(0), line(1));
    let said = say(&mut blue, &["F1", "F2"]);
    let name = blue.party().clone();
    green.receive(&name, entries(&blue, 0, &said, 2), at(20), &Nothing);
    assert!(green.take_output().refused.is_empty());
    assert_eq!(green.status(&name).unwrap().held, 2);
    (blue, said, green)
}

fn disputes(green: &mut Line, number: u64) -> Vec<(PartyName, Message)> {
    let out = green.take_output();
    let found = matches!(&out.refused[..], [(_, LineError::Equivocation { number: n, .. })] if *n == number);
    assert!(found, "{:?}", out.refused);
    assert!(out.records.iter().any(|r| matches!(r, Record::Disputed(..))), "the proof is kept");
    assert_eq!(green.to_be_told().len(), 1, "the others are told");
    out.send
}

#[test]
fn another_statement_under_the_same_number_is_proof() {
    let (blue, _, mut green) = scene();
    let mut forked = line(0);
    let other = say(&mut forked, &["F1", "OTHER", "F3"]);
    green.receive(blue.party(), entries(&forked, 0, &other, 3), at(30), &Nothing);
    disputes(&mut green, 1);
    let status = green.status(blue.party()).unwrap();
    assert_eq!((status.held, status.disputed.map(|d| d.number)), (2, Some(1)));
}

#[test]
fn a_head_that_does_not_fit_is_proof_and_gets_no_receipt() {
    let (blue, _, mut green) = scene();
    let mut forked = line(0);
    say(&mut forked, &["OTHER"]);
    green.receive(blue.party(), entries(&forked, 2, &[], 1), at(30), &Nothing);
    let send = disputes(&mut green, 0);
    assert!(send.iter().all(|(_, m)| !matches!(m, Message::Receipt(_))));
}

/// Green holds statements under no head yet, and red a head of the other history: no two heads show it, the statements do.
#[test]
fn two_histories_without_a_head_between_them_are_found() {
    let (mut told_green, mut told_red, mut green) = (line(0), line(0), line(1));
    let ours = say(&mut told_green, &["F1", "G2", "G3"]);
    let theirs = say(&mut told_red, &["F1", "R2"]);
    let (blue, red) = (told_green.party().clone(), PartyName::new("red").unwrap());
    green.receive(&blue, entries(&told_green, 0, &ours[..1], 1), at(20), &Nothing);
    // The head is of one more than has come.
    green.receive(&blue, entries(&told_green, 1, &ours[1..2], 3), at(20), &Nothing);
    assert!(green.take_output().refused.is_empty());
    let head = told_red.sign_own_head(2).note;
    green.receive(&red, Message::Heads(vec![(blue.clone(), head)]), at(30), &Nothing);
    let out = green.take_output();
    assert!(out.refused.is_empty(), "{:?}", out.refused);
    let asked = out.send.iter().find(|(to, m)| *to == red && matches!(m, Message::Want { .. }));
    assert_eq!(asked.map(|(_, m)| m.clone()), Some(Message::Want { ledger: blue, from: 1 }));
    green.receive(&red, entries(&told_red, 1, &theirs[1..], 2), at(31), &Nothing);
    disputes(&mut green, 1);
}

#[test]
fn what_a_node_has_lost_is_taken_back_before_it_speaks() {
    let (blue, said, _) = scene();
    let mut restored = line(0);
    let green = PartyName::new("green").unwrap();
    let head = blue.sign_own_head(2).note;
    restored.receive(&green, Message::Heads(vec![(blue.party().clone(), head)]), at(30), &Nothing);
    assert_eq!(*restored.speech(), Speech::Behind(2));
    let refused = restored.may_speak().unwrap_err().to_string();
    assert!(refused.contains("restored from an old copy"), "{refused}");
    let asked = restored.take_output().send;
    assert_eq!(asked, [(green.clone(), Message::Want { ledger: blue.party().clone(), from: 0 })]);
    restored.receive(&green, entries(&blue, 0, &said, 2), at(31), &Nothing);
    // The others may hold still more: it listens its time again.
    restored.tick(at(32), &Nothing);
    assert!(matches!(restored.speech(), Speech::Listening(_)), "{:?}", restored.speech());
    restored.tick(at(36), &Nothing);
    assert_eq!(*restored.speech(), Speech::Free);
    assert_eq!(restored.tree(blue.party()).unwrap().root(2), blue.tree(blue.party()).unwrap().root(2));
    // A second node that goes on with the same key is found, and this one says nothing more.
    let mut second = line(0);
    let other = say(&mut second, &["F1", "F2", "F3"]);
    restored.receive(&green, entries(&second, 0, &other, 3), at(40), &Nothing);
    assert!(matches!(restored.speech(), Speech::Forked(_)), "{:?}", restored.speech());
}

#[test]
fn what_another_party_said_is_refused() {
    let (blue, _, mut green) = scene();
    // Green's own statement, sent back to it as if it were blue's.
    let own = say(&mut green, &["G1"]);
    green.receive(blue.party(), entries(&blue, 2, &own, 2), at(30), &Nothing);
    assert_eq!(green.take_output().refused.len(), 1);
    assert_eq!(green.status(blue.party()).unwrap().held, 2);
}

#[test]
fn a_gap_is_asked_to_be_filled() {
    let (mut blue, _, mut green) = scene();
    let more = say(&mut blue, &["F3", "F4"]);
    green.receive(blue.party(), entries(&blue, 3, &more[1..], 4), at(32), &Nothing);
    let out = green.take_output();
    assert!(matches!(&out.refused[..], [(_, LineError::Gap { got: 3, expected: 2, .. })]));
    assert!(matches!(&out.send[..], [(_, Message::Hello { held: 2, .. })]), "it says what it holds");
}
