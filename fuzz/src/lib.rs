//! Every decoder, fed with any bytes: it must answer, with a value or a reason, and what it accepts must encode
//! to the same bytes again where one encoding is promised.

use hotline_dss::{Entry, Item, Machine, Settings};
use hotline_evidence::verify;
use hotline_feeds::Recording;
use hotline_ledger::{
    Certificate, Checkpoint, KeyRing, LineName, Misconduct, Openings, PartyName, Receipt, Revocation, Role,
    SignedCertificate, SignedStatement, SigningKey, Statement,
};
use hotline_line::{
    Act, Body, ConflictKey, Deed, Line, LineConfig, Message, OwnKeys, Record, RecordedLeaf, Rulebook,
};
use hotline_node::{Config, DeedInput, FlightInput, Introduction, RestrictionInput, TrackInput};
use std::path::Path;
use std::sync::OnceLock;

/// A decoder's name and the decoder.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("statement", statement),
    ("certificate", certificate),
    ("checkpoint", checkpoint),
    ("evidence", evidence),
    ("body", body),
    ("act", act),
    ("openings", openings),
    ("proof", proof),
    ("carried", carried),
    ("deed_json", deed_json),
    ("language", language),
    ("message", message),
    ("record", record),
    ("recording", recording),
    ("daa_configuration", daa_configuration),
    ("daa_scenario", daa_scenario),
    ("number_table", number_table),
    ("text_files", text_files),
    ("planner_json", planner_json),
    ("dss_entry", dss_entry),
    ("dss_snapshot", dss_snapshot),
    ("utm_body", utm_body),
    ("uss_body", uss_body),
];

/// The key that signed the seeds.
pub fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub fn party() -> PartyName {
    PartyName::new("blue").expect("a plain name")
}

pub fn line() -> LineName {
    LineName::new("valley").expect("a plain name")
}

fn statement(data: &[u8]) {
    if let Ok(statement) = Statement::from_cbor(data) {
        assert_eq!(statement.to_cbor(), data);
    }
    if let Ok(signed) = SignedStatement::open(data, |_, _| Some(key().verifying_key())) {
        assert_eq!(signed.bytes(), data);
    }
    _ = SignedStatement::from_own_store(data);
}

fn certificate(data: &[u8]) {
    if let Ok(certificate) = SignedCertificate::open(data, &party(), &key().verifying_key()) {
        assert_eq!(certificate.bytes(), data);
    }
}

fn checkpoint(data: &[u8]) {
    let (own, other) = ("hotline/valley/blue", "hotline/valley/green");
    if let Ok(head) = Checkpoint::open(data, own, &key().verifying_key()) {
        assert_eq!(head.note, data);
    }
    _ = Receipt::open(data, own, &key().verifying_key(), other, &key().verifying_key());
}

fn evidence(data: &[u8]) {
    if let Ok(account) = verify(data, 1, |_| ()) {
        _ = hotline_evidence::account_text(&account);
        let open = || Ok(std::io::Cursor::new(data));
        let Ok(mut told) = hotline_evidence::Told::open(&account, open) else { return };
        while let Ok(Some(said)) = told.next() {
            _ = hotline_evidence::said_text(&said, &account);
        }
    }
}

/// Kinds of bodies beside those of acts. The first byte chooses; after it a length of the openings, and they.
pub const KINDS: [&str; 14] = [
    "certificate",
    "revocation",
    "flight-notice",
    "flight-end",
    "restriction",
    "restriction-lift",
    "conflict-alert",
    "conflict-clear",
    "scheduled-check",
    "missed-deadline",
    "dispute",
    "segment",
    "handover",
    "something-new",
];

/// The kind of that number.
pub fn kind(number: u8) -> &'static str {
    let number = usize::from(number) % (KINDS.len() + Deed::KINDS.len());
    if number < KINDS.len() { KINDS[number] } else { Deed::KINDS[number - KINDS.len()] }
}

fn body(data: &[u8]) {
    let [number, length, rest @ ..] = data else { return };
    let at = (usize::from(*length) * 2).min(rest.len());
    let (openings, body) = rest.split_at(at);
    let openings = Openings::from_bytes(openings).unwrap_or_default();
    match Body::decode(kind(*number), body, &openings) {
        Ok(Body::Unknown(_)) | Err(_) => {}
        Ok(read) => assert_eq!(read.encode(&mut |_, _| unreachable!("what was read is sealed")), body),
    }
    _ = ConflictKey::from_bytes(body);
    if let Ok(leaf) = RecordedLeaf::from_bytes(body) {
        assert_eq!(leaf.to_bytes(), body);
    }
}

/// The certificate of the one key of the seeds, in a role.
pub fn certificate_of(role: Role) -> Certificate {
    Certificate {
        party: party(),
        role,
        holder: role.as_str().into(),
        key: key().verifying_key(),
        not_before: jiff::Timestamp::UNIX_EPOCH,
        not_after: jiff::Timestamp::from_second(4_000_000_000).expect("an instant"),
    }
}

fn act(data: &[u8]) {
    let certificate = certificate_of(Role::Supervisor);
    if let Ok(act) = Act::read(data) {
        assert_eq!(act.bytes(), data);
        _ = act.check(&line(), &party(), |_, _| Some(&certificate));
    }
}

fn openings(data: &[u8]) {
    if let Ok(openings) = Openings::from_bytes(data) {
        assert_eq!(openings.to_bytes(), data);
    }
}

/// The keys of the party of the seeds.
pub fn keys() -> KeyRing {
    let mut keys = KeyRing::new(party(), key().verifying_key());
    keys.introduce(certificate_of(Role::Node).sign(&key()).bytes()).expect("by its root");
    keys
}

fn proof(data: &[u8]) {
    if let Ok(proof) = Misconduct::from_bytes(data) {
        _ = proof.check(&line(), &party(), &keys());
    }
    _ = Revocation::open(data, &party(), &key().verifying_key());
}

fn carried(data: &[u8]) {
    let green = PartyName::new("green").expect("a plain name");
    _ = hotline_node::check_carried(data, &line(), &green, &keys());
}

fn deed_json(data: &[u8]) {
    static LINE: OnceLock<Line> = OnceLock::new();
    let line = LINE.get_or_init(|| {
        let rulebook = Rulebook::from_toml(Rulebook::EXAMPLE).expect("valid");
        let own = OwnKeys { known: keys(), node: key(), names: Default::default() };
        Line::new(LineConfig { rulebook, own, peers: vec![], restored: false }).expect("it fits")
    });
    if let Ok(input) = serde_json::from_slice::<DeedInput>(data) {
        let now = jiff::Timestamp::from_second(1_800_000_000).expect("an instant");
        if let Ok(deed) = input.read(line, now) {
            // What is over a limit is refused when it is signed.
            _ = Act::sign(line.name(), line.party(), deed, now, &key());
        }
    }
}

fn language(data: &[u8]) {
    if let Ok(source) = std::str::from_utf8(data) {
        _ = hotline_node::check_language("xx", source);
    }
}

fn message(data: &[u8]) {
    if let Ok(message) = Message::from_bytes(data) {
        // Integers may come in a longer form; what is sent on is the shortest, and reads as the same.
        let again = message.to_bytes();
        assert_eq!(Message::from_bytes(&again).map(|m| m.to_bytes()), Ok(again));
    }
}

fn record(data: &[u8]) {
    if let Ok(record) = Record::from_bytes(data) {
        let again = record.to_bytes();
        assert_eq!(Record::from_bytes(&again), Ok(record));
    }
}

fn recording(data: &[u8]) {
    if let Ok(recording) = Recording::read(data) {
        recording.for_each(|row| drop(row));
    }
}

/// What is read can be used: an encounter is judged by it.
fn daa_configuration(data: &[u8]) {
    use hotline_detect::daa::{Aircraft, Configuration, Encounter, Kind, Place, Uncertainty, Workspace};
    let Some(Ok((configuration, _))) = std::str::from_utf8(data).ok().map(Configuration::parse) else {
        return;
    };
    let aircraft = |x: f64, velocity: [f64; 3]| Aircraft {
        place: Place::Flat { x, y: 0.0 },
        altitude: 3000.0,
        velocity,
        alerter: 1,
        uncertainty: Uncertainty { position: [400.0, 900.0, 10.0], ..Uncertainty::default() },
    };
    let (own, other) = (aircraft(0.0, [0.0, 90.0, 1.0]), aircraft(4000.0, [-80.0, 80.0, 0.0]));
    let encounter = Encounter::new(&own, &[other], [0.0; 3]).expect("plain states");
    assert!(configuration.alert_level(&encounter, 0) <= 16);
    // Fine steps are allowed but would make a slow fuzzer.
    let settings = [configuration.speed, configuration.vertical_speed, configuration.altitude];
    if settings.iter().all(|s| (s.max - s.min) / s.step < 2000.0) && configuration.lookahead_s < 600.0 {
        for kind in [Kind::Speed, Kind::VerticalSpeed, Kind::Altitude] {
            let guidance = configuration.guidance(&encounter, kind, &mut Workspace::default());
            assert!(guidance.bands.windows(2).all(|w| w[0].to == w[1].from));
        }
    }
}

fn daa_scenario(data: &[u8]) {
    use hotline_detect::daa::Scenario;
    if let Some(Ok(scenario)) = std::str::from_utf8(data).ok().map(Scenario::parse) {
        assert!(scenario.steps.windows(2).all(|w| w[0].time < w[1].time));
    }
}

fn number_table(data: &[u8]) {
    if let Ok(table) = hotline_feeds::Numbers::read(data, ["sx_m", "T_s"]) {
        table.flatten().for_each(|row| assert!(row.iter().all(|x| x.is_finite())));
    }
}

fn text_files(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(rulebook) = Rulebook::from_toml(text) {
        assert_eq!(
            Rulebook::from_toml(&rulebook.to_toml()).as_ref().map(Rulebook::hash),
            Ok(rulebook.hash())
        );
    }
    _ = Config::from_toml(text);
    _ = Introduction::read(text, Path::new("introduction.toml"));
}

fn planner_json(data: &[u8]) {
    if let Ok(flight) = serde_json::from_slice::<FlightInput>(data) {
        _ = flight.read("F1");
    }
    if let Ok(restriction) = serde_json::from_slice::<RestrictionInput>(data) {
        _ = restriction.read("R1");
    }
    if let Ok(tracks) = serde_json::from_slice::<Vec<TrackInput>>(data) {
        tracks.iter().for_each(|t| drop(t.read()));
    }
}

/// Entries one after another, each applied to a machine.
fn dss_entry(data: &[u8]) {
    let mut machine = Machine::new(Settings::default());
    let mut decoder = minicbor::Decoder::new(data);
    while let Ok(entry) = decoder.decode::<Entry>() {
        machine.apply(&entry);
    }
    let again = Machine::from_items(Settings::default(), machine.items());
    assert_eq!(again.counts(), machine.counts());
}

fn dss_snapshot(data: &[u8]) {
    let mut machine = Machine::new(Settings::default());
    let mut decoder = minicbor::Decoder::new(data);
    while let Ok(item) = decoder.decode::<Item>() {
        machine.restore(item);
    }
}

fn utm_body(data: &[u8]) {
    _ = hotline_utm::forms_of(data);
    if let Some(item) = std::str::from_utf8(data).ok().and_then(|line| hotline_utm::read_entity(line).ok()) {
        let line = hotline_utm::write_entity(&item).expect("what is read can be written");
        assert_eq!(hotline_utm::read_entity(&line).as_ref(), Ok(&item));
    }
}

fn uss_body(data: &[u8]) {
    _ = hotline_uss::forms_of(data);
}
