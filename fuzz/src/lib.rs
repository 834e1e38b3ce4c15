//! Every decoder, fed with any bytes: it must answer, with a value or a reason, and what it accepts must encode
//! to the same bytes again where one encoding is promised.

use hotline_feeds::Recording;
use hotline_ledger::{
    Checkpoint, LineName, PartyName, Receipt, SignedCertificate, SignedStatement, SigningKey, Statement,
    verify_bundle,
};
use hotline_line::{Acknowledgement, Body, ConflictKey, Message, Record, Rulebook};
use hotline_node::{Config, FlightInput, Introduction, RestrictionInput, TrackInput};
use std::path::Path;

/// A decoder's name and the decoder.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("statement", statement),
    ("certificate", certificate),
    ("checkpoint", checkpoint),
    ("bundle", bundle),
    ("body", body),
    ("acknowledgement", acknowledgement),
    ("message", message),
    ("record", record),
    ("recording", recording),
    ("daa_configuration", daa_configuration),
    ("daa_scenario", daa_scenario),
    ("number_table", number_table),
    ("text_files", text_files),
    ("planner_json", planner_json),
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

fn bundle(data: &[u8]) {
    _ = verify_bundle(data);
}

/// The first byte chooses the kind.
pub const KINDS: [&str; 10] = [
    "certificate",
    "flight-notice",
    "flight-end",
    "restriction",
    "restriction-lift",
    "conflict-alert",
    "conflict-clear",
    "acknowledgement",
    "missed-deadline",
    "something-new",
];

fn body(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    match Body::from_cbor(kind, data) {
        Ok(Body::Unknown(_)) | Err(_) => {}
        Ok(body) => assert_eq!(body.to_cbor(), data),
    }
    _ = ConflictKey::from_bytes(data);
}

fn acknowledgement(data: &[u8]) {
    _ = Acknowledgement::open(data, &line(), &party(), |_, _| Some(key().verifying_key()));
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
