//! A party that signs two histories of its ledger, and a node that was restored from an old copy.

use hotline_ledger::{Certificate, PartyName, Role, SigningKey};
use hotline_line::{
    Body, FlightEnd, FlightId, History, Line, LineConfig, LineError, Message, OwnKeys, PeerKeys, Record,
    Rulebook,
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
    let mut known = PeerKeys::new(party.clone(), root.verifying_key());
    let certificate = Certificate {
        party,
        role: Role::Node,
        holder: "node".into(),
        key: node.verifying_key(),
        not_before: at(0),
        not_after: at(10_000),
    };
    known.certify(certificate.sign(&root).bytes()).unwrap();
    OwnKeys { known, node, officers: vec![] }
}

fn line(own: &OwnKeys, peer: &OwnKeys) -> Line {
    let rulebook = Rulebook::from_toml(Rulebook::EXAMPLE).unwrap();
    Line::new(LineConfig { rulebook, own: own.clone(), peers: vec![peer.known.clone()] }).unwrap()
}

fn ended(flight: &str) -> Body {
    Body::FlightEnd(FlightEnd { flight: FlightId::new(flight).unwrap(), version: 1 })
}

fn say(line: &mut Line, flight: &str, second: i64) {
    line.say(ended(flight), String::new(), at(second)).unwrap();
}

/// What a line has said since its output was last taken.
fn said(line: &mut Line) -> Vec<Vec<u8>> {
    let own = |r| if let Record::Own(bytes) = r { Some(bytes) } else { None };
    line.take_output().records.into_iter().filter_map(own).collect()
}

/// Lets two lines talk until neither has anything more to say; gives what each refused.
fn talk(a: &mut Line, b: &mut Line, second: i64) -> Vec<LineError> {
    let (name_a, name_b) = (a.party().clone(), b.party().clone());
    a.connected(&name_b).unwrap();
    b.connected(&name_a).unwrap();
    let mut refused = Vec::new();
    loop {
        let (from_a, from_b) = (a.take_output(), b.take_output());
        refused.extend(from_a.refused.into_iter().chain(from_b.refused).map(|(_, e)| e));
        if from_a.send.is_empty() && from_b.send.is_empty() {
            a.disconnected(&name_b);
            b.disconnected(&name_a);
            return refused;
        }
        from_a.send.into_iter().for_each(|(_, m)| b.receive(&name_a, m, at(second), &Nothing));
        from_b.send.into_iter().for_each(|(_, m)| a.receive(&name_b, m, at(second), &Nothing));
    }
}

/// Blue has said F1 and F2, and green holds both.
fn scene() -> (OwnKeys, OwnKeys, Line, Line) {
    let (blue, green) = (keys("blue", 1), keys("green", 11));
    let (mut honest, mut peer) = (line(&blue, &green), line(&green, &blue));
    say(&mut honest, "F1", 10);
    say(&mut honest, "F2", 11);
    assert_eq!(talk(&mut honest, &mut peer, 20), vec![]);
    assert_eq!(peer.status(blue.known.party()).unwrap().held, 2);
    (blue, green, honest, peer)
}

#[test]
fn two_histories_are_found_kept_and_shown() {
    let (blue, green, _, mut peer) = scene();
    // The same keys tell another story from number 1 on.
    let mut forked = line(&blue, &green);
    say(&mut forked, "F1", 10);
    say(&mut forked, "OTHER", 11);
    say(&mut forked, "F3", 12);
    let entries = said(&mut forked);
    let message =
        Message::Entries { first: 0, entries: entries.clone(), checkpoint: forked.own_head(3).note };
    peer.receive(blue.known.party(), message, at(30), &Nothing);
    let out = peer.take_output();
    assert!(
        matches!(&out.refused[..], [(_, LineError::Equivocation { number: 1, .. })]),
        "{:?}",
        out.refused
    );
    let proof = out.records.iter().find_map(|r| match r {
        Record::Disputed(_, 1, held, other) => Some((held.clone(), other.clone())),
        _ => None,
    });
    let (held, other) = proof.expect("both signed statements are kept");
    assert_eq!(other, entries[1]);
    assert!(held != other && !held.is_empty());
    let status = peer.status(blue.known.party()).unwrap();
    assert_eq!((status.held, status.disputed.map(|d| d.number)), (2, Some(1)));
}

#[test]
fn a_head_that_does_not_fit_is_disputed_too() {
    let (blue, green, _, mut peer) = scene();
    let mut forked = line(&blue, &green);
    say(&mut forked, "OTHER", 10);
    let message = Message::Entries { first: 2, entries: vec![], checkpoint: forked.own_head(1).note };
    peer.receive(blue.known.party(), message, at(30), &Nothing);
    let out = peer.take_output();
    assert!(
        matches!(&out.refused[..], [(_, LineError::Equivocation { number: 1, .. })]),
        "{:?}",
        out.refused
    );
    assert!(out.send.iter().all(|(_, m)| !matches!(m, Message::Receipt(_))), "no receipt for it");
}

#[test]
fn a_node_restored_from_an_old_copy_does_not_speak() {
    let (blue, green, _, mut peer) = scene();
    let mut restored = line(&blue, &green);
    talk(&mut restored, &mut peer, 30);
    let refused = restored.say(ended("F9"), String::new(), at(40)).unwrap_err().to_string();
    assert!(refused.contains("restored from an old copy"), "{refused}");
    assert_eq!(peer.status(blue.known.party()).unwrap().disputed, None, "nothing was forked");
}

#[test]
fn what_another_party_said_is_refused() {
    let (blue, _, honest, mut peer) = scene();
    // Green's own statement, sent back to it as if it were blue's.
    say(&mut peer, "G1", 21);
    let entries = said(&mut peer);
    let message = Message::Entries { first: 2, entries, checkpoint: honest.own_head(2).note };
    peer.receive(blue.known.party(), message, at(30), &Nothing);
    assert_eq!(peer.take_output().refused.len(), 1);
    assert_eq!(peer.status(blue.known.party()).unwrap().held, 2);
}

#[test]
fn a_gap_is_asked_to_be_filled() {
    let (blue, _, mut honest, mut peer) = scene();
    say(&mut honest, "F3", 30);
    say(&mut honest, "F4", 31);
    let entries = said(&mut honest);
    let message =
        Message::Entries { first: 3, entries: entries[1..].to_vec(), checkpoint: honest.own_head(4).note };
    peer.receive(blue.known.party(), message, at(32), &Nothing);
    let out = peer.take_output();
    assert!(matches!(&out.refused[..], [(_, LineError::Gap { got: 3, expected: 2, .. })]));
    assert!(matches!(&out.send[..], [(_, Message::Hello { held: 2, .. })]), "it says what it holds");
    assert_eq!(talk(&mut honest, &mut peer, 40), vec![]);
    assert_eq!(peer.status(blue.known.party()).unwrap().held, 4);
}
