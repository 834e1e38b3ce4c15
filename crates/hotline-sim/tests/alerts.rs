//! Alerts from detection to acknowledgement or missed deadline, on two nodes without faults.

use hotline_airspace::{
    Altitude, AltitudeBand, Area, Category, Datum, Degrees, Feet, Knots, Metres, MetresPerSecond, Position,
    Seconds, TimeInterval, TrackState, Volume4, shifted,
};
use hotline_line::{ConflictKind, Disclosure, FlightId, Level, Purpose, Restriction, SharedTrack};
use hotline_picture::{Alert, CoreError, FlightPlan};
use hotline_sim::{Faults, World};
use jiff::Timestamp;

fn at(lat: f64, lon: f64) -> Position {
    Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap()
}

fn track(id: &str, time: Timestamp, position: Position, trk: f64, flight: Option<&str>) -> SharedTrack {
    let state = TrackState::new(
        time,
        position,
        Altitude::new(Feet::new(18_000.0).into(), Datum::Barometric).unwrap(),
        Knots::new(400.0).into(),
        Degrees::new(trk),
        MetresPerSecond::new(0.0),
    );
    SharedTrack {
        id: FlightId::new(id).unwrap(),
        callsign: id.into(),
        category: Category::Aeroplane,
        flight: flight.map(|f| FlightId::new(f).unwrap()),
        state: state.unwrap(),
    }
}

fn volume(centre: Position, radius: f64, from: Timestamp, span: f64) -> Volume4 {
    let altitude = |ft| Altitude::new(Feet::new(ft).into(), Datum::Barometric).unwrap();
    Volume4 {
        area: Area::circle(centre, Metres::new(radius)).unwrap(),
        altitude: AltitudeBand::new(altitude(17_000.0), altitude(19_000.0)).unwrap(),
        time: TimeInterval::new(from, shifted(from, Seconds::new(span))).unwrap(),
    }
}

fn plan(flight: &str, volume: Volume4) -> FlightPlan {
    FlightPlan {
        flight: FlightId::new(flight).unwrap(),
        volumes: vec![volume],
        aircraft: 1,
        category: Category::Aeroplane,
        purpose: Purpose::Transport,
        callsign: flight.into(),
        unit: String::new(),
        squawk: None,
    }
}

fn alert(world: &World, party: usize, kind: ConflictKind) -> Option<Alert> {
    world.core(party).alerts().iter().find(|a| a.key.kind == kind).cloned()
}

/// Two aircraft head on, `apart` degrees of longitude, reported once a second for so many seconds as they fly.
fn head_on(world: &mut World, apart: f64, seconds: u32) {
    let start = world.clock(0);
    for second in 0..seconds {
        let time = shifted(start, Seconds::new(f64::from(second)));
        for (party, lon, trk) in [(0, 0.0, 90.0), (1, apart, 270.0)] {
            let report = track("A1", start, at(0.0, lon), trk, None);
            let now = SharedTrack { state: report.state.dead_reckoned(time), ..report };
            world.act(party, |core, clock| _ = core.own_tracks(vec![now], clock));
        }
        world.run(1_000);
    }
}

#[test]
fn a_caution_becomes_a_warning_and_must_be_read_again() {
    let mut world = World::new(2, 1, Faults::default());
    world.run(5_000);
    // 0.6 degrees at the equator are 36 nmi, the violation begins after (36 - 3) / 800 h = 148 s.
    head_on(&mut world, 0.6, 35);
    for party in 0..2 {
        let seen = alert(&world, party, ConflictKind::Tracks).expect("both nodes have the alert");
        assert_eq!((seen.level, seen.asserted.len()), (Level::Caution, 2), "said by both");
        world.acknowledge(party, &seen.key).unwrap();
    }
    world.run(1_000);
    for party in 0..2 {
        let seen = alert(&world, party, ConflictKind::Tracks).unwrap();
        assert!(seen.settled(), "read by both, and known to both");
        let again = world.acknowledge(party, &seen.key);
        assert!(matches!(again, Err(CoreError::AlreadyAcknowledged(_))));
    }
}

#[test]
fn a_warning_unread_is_recorded_by_both_sides_and_then_clears() {
    let mut world = World::new(2, 2, Faults::default());
    world.run(5_000);
    head_on(&mut world, 0.2, 3);
    let seen = alert(&world, 0, ConflictKind::Tracks).expect("at once");
    assert_eq!(seen.level, Level::Warning);
    let own = world.name(0).clone();
    world.acknowledge(0, &seen.key).unwrap();
    // Party 1 does not read it within 30 s; the aircraft are not reported any more.
    world.run(40_000);
    for party in 0..2 {
        let seen = alert(&world, party, ConflictKind::Tracks).unwrap();
        let missed: Vec<String> = seen.missed.keys().map(|(p, _)| p.to_string()).collect();
        assert_eq!(missed, ["party-1"], "on node {party}");
        assert!(seen.closed.is_some(), "nobody sees it any more");
        assert!(!seen.awaits(&own));
        for said in [world.name(0), world.name(1)] {
            let count = world.core(party).tally().parties[said].by_kind["missed-deadline"];
            assert_eq!(count, 1, "{said} has recorded it, and node {party} knows");
        }
    }
    world.check_settled();
}

#[test]
fn plans_restrictions_and_an_aircraft_outside_its_plan() {
    let mut world = World::new(2, 3, Faults::default());
    world.run(5_000);
    let now = world.clock(0);
    let here = volume(at(10.0, 10.0), 5_000.0, now, 3_600.0);
    world.act(0, |core, now| assert_eq!(core.file_flight(plan("F1", here.clone()), now), Ok(1)));
    world.act(1, |core, now| assert_eq!(core.file_flight(plan("F2", here.clone()), now), Ok(1)));
    world.run(500);
    for party in 0..2 {
        assert_eq!(alert(&world, party, ConflictKind::Plans).unwrap().asserted.len(), 2);
    }
    // Moved away, the conflict is over for both.
    let away = volume(at(12.0, 10.0), 5_000.0, now, 3_600.0);
    world.act(1, |core, now| assert_eq!(core.file_flight(plan("F2", away), now), Ok(2)));
    world.run(500);
    assert!((0..2).all(|p| alert(&world, p, ConflictKind::Plans).unwrap().closed.is_some()));

    let restriction =
        Restriction { id: FlightId::new("R1").unwrap(), volumes: vec![here], reason: "fire".into() };
    world.act(1, |core, now| core.restrict(restriction, now).unwrap());
    let outside = track("A1", world.clock(0), at(10.0, 9.93), 90.0, Some("F1"));
    world.act(0, |core, now| assert_eq!(core.own_tracks(vec![outside], now), 1));
    world.run(500);
    for kind in [ConflictKind::PlanRestriction, ConflictKind::TrackRestriction, ConflictKind::Nonconforming] {
        assert!((0..2).all(|p| alert(&world, p, kind).is_some_and(|a| a.closed.is_none())), "{kind:?}");
    }
    world.act(1, |core, now| core.lift(FlightId::new("R1").unwrap(), now).unwrap());
    world.act(0, |core, now| core.end_flight(FlightId::new("F1").unwrap(), now).unwrap());
    world.run(500);
    for kind in [ConflictKind::PlanRestriction, ConflictKind::TrackRestriction, ConflictKind::Nonconforming] {
        assert!(
            (0..2).all(|p| alert(&world, p, kind).is_some_and(|a| a.closed.is_some())),
            "{kind:?} is over"
        );
    }
    let late = plan("F3", volume(at(0.0, 0.0), 1_000.0, shifted(world.clock(0), Seconds::new(-100.0)), 50.0));
    world.act(0, |core, now| assert!(matches!(core.file_flight(late, now), Err(CoreError::InThePast(_)))));
}

#[test]
fn what_the_disclosure_rule_withholds_is_not_sent() {
    for (rule, expected) in [
        (Disclosure::All, vec!["FAR", "NEAR"]),
        (Disclosure::None, vec![]),
        (Disclosure::WithinNm(30.0), vec!["NEAR"]),
        (Disclosure::InConflict, vec!["NEAR"]),
    ] {
        let mut world = World::with_rulebook(2, 4, Faults::default(), |rulebook| rulebook.disclosure = rule);
        world.run(5_000);
        let now = world.clock(0);
        // Party 1 has disclosed one aircraft of its own, which party 0's NEAR is about to meet.
        let theirs = track("T1", now, at(0.0, 0.3), 270.0, None);
        world.act(1, |core, clock| _ = core.own_tracks(vec![theirs.clone()], clock));
        world.run(100);
        let own =
            vec![track("NEAR", now, at(0.0, 0.0), 90.0, None), track("FAR", now, at(20.0, 0.0), 90.0, None)];
        if rule != Disclosure::All && rule != Disclosure::None {
            // Under the other rules nobody would show first: here party 0 has seen it by its own means.
            let peer = world.name(1).clone();
            world.act(0, |core, clock| {
                core.receive(&peer, hotline_line::Message::Tracks(vec![theirs]), clock, &Nothing)
            });
        }
        world.act(0, |core, clock| assert_eq!(core.own_tracks(own, clock), 2));
        world.run(500);
        let name = world.name(0).clone();
        let mut seen: Vec<String> = world
            .core(1)
            .picture()
            .tracks()
            .iter()
            .filter(|t| t.subject.party == name)
            .map(|t| t.subject.id.to_string())
            .collect();
        seen.sort();
        assert_eq!(seen, expected, "{rule:?}");
    }
}

struct Nothing;

impl hotline_line::History for Nothing {
    fn record(&self, _: u64) -> Option<hotline_line::Record> {
        None
    }
}
