//! Plans against plans, tracks against volumes, conformance: against dense sampling.

use hotline_airspace::{
    Altitude, AltitudeBand, Area, Datum, DatumConversions, Degrees, LocalPlane, Metres, MetresPerSecond,
    PlanePoint, Position, Seconds, TimeInterval, TrackState, Volume4, shifted,
};
use hotline_detect::{Dilation, VolumeIndex, deviation, distance_to, track_enters, volumes_conflict};
use jiff::Timestamp;
use proptest::prelude::*;

fn plane() -> LocalPlane {
    LocalPlane::new(Position::new(Degrees::new(35.0), Degrees::new(39.5)).unwrap())
}

fn at(x: f64, y: f64) -> Position {
    plane().unproject(PlanePoint { x, y })
}

fn volume(area: Area, low: f64, high: f64, start: i64, end: i64) -> Volume4 {
    let altitude = |m| Altitude::new(Metres::new(m), Datum::Barometric).unwrap();
    let time = |s| Timestamp::from_second(s).unwrap();
    Volume4 {
        area,
        altitude: AltitudeBand::new(altitude(low), altitude(high)).unwrap(),
        time: TimeInterval::new(time(start), time(end)).unwrap(),
    }
}

/// A star-shaped polygon, often not convex.
fn star() -> impl Strategy<Value = Area> {
    (prop::collection::vec(500.0..20_000.0f64, 3..12), -20e3..20e3, -20e3..20e3).prop_map(|(radii, x, y)| {
        let n = radii.len() as f64;
        let corner = |(i, r): (usize, &f64)| {
            let angle = std::f64::consts::TAU * i as f64 / n;
            at(x + r * angle.cos(), y + r * angle.sin())
        };
        Area::polygon(radii.iter().enumerate().map(corner).collect()).unwrap()
    })
}

fn area() -> impl Strategy<Value = Area> {
    let circle = (-20e3..20e3, -20e3..20e3, 100.0..10_000.0)
        .prop_map(|(x, y, r)| Area::circle(at(x, y), Metres::new(r)).unwrap());
    prop_oneof![circle, star()]
}

fn track(x: f64, y: f64, height: f64, gs: f64, trk: f64, climb: f64) -> TrackState {
    TrackState::new(
        Timestamp::UNIX_EPOCH,
        at(x, y),
        Altitude::new(Metres::new(height), Datum::Barometric).unwrap(),
        MetresPerSecond::new(gs),
        Degrees::new(trk),
        MetresPerSecond::new(climb),
    )
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_track_never_enters_unseen(
        area in area(), x in -30e3..30e3, y in -30e3..30e3, gs in prop_oneof![Just(0.0), 0.0..300.0],
        trk in 0.0..360.0, climb in prop_oneof![Just(0.0), -20.0..20.0], horizontal in prop_oneof![Just(0.0), 0.0..3000.0],
    ) {
        let volume = volume(area, 1000.0, 3000.0, 10, 100);
        let track = track(x, y, 2500.0, gs, trk, climb);
        let none = DatumConversions::default();
        let dilation = Dilation { horizontal: Metres::new(horizontal), ..Dilation::default() };
        let found = track_enters(&track, &volume, &dilation, Seconds::new(120.0), &none);
        let within = |t: f64, slack: f64| {
            let there = track.dead_reckoned(shifted(track.time(), Seconds::new(t)));
            let height = there.altitude().metres().get();
            (10.0..=100.0).contains(&t) && height >= 1000.0 - slack && height <= 3000.0 + slack
                && distance_to(&volume.area, there.position()).get() <= horizontal + slack
        };
        let first = (0..=240).map(|i| f64::from(i) * 0.5).find(|&t| within(t, -2.0));
        if let Some(t) = first {
            let enters = found.expect("sampling found an entry").enters.get();
            prop_assert!(enters <= t + 1e-6, "{enters} after {t}");
        }
        if let Some(found) = found {
            prop_assert!(within(found.enters.get().max(10.0), 5.0), "reported at {:?}", found);
        }
    }

    #[test]
    fn overlap_is_symmetric_and_grows(a in area(), b in area(), low in 0.0..3000.0, start in 0i64..200) {
        let (one, other) = (volume(a, 1000.0, 2000.0, 0, 100), volume(b, low, low + 500.0, start, start + 50));
        let none = DatumConversions::default();
        let exact = Dilation::default();
        let wide = Dilation { horizontal: Metres::new(500.0), vertical: Metres::new(100.0), time: Seconds::new(10.0) };
        let found = volumes_conflict(&one, &other, &exact, &none);
        prop_assert_eq!(found.is_some(), volumes_conflict(&other, &one, &exact, &none).is_some());
        if found.is_some() {
            prop_assert!(volumes_conflict(&one, &other, &wide, &none).is_some());
        }
        let mut index = VolumeIndex::default();
        index.insert(7u64, std::slice::from_ref(&other));
        if volumes_conflict(&one, &other, &wide, &none).is_some() {
            prop_assert_eq!(index.near(&one, &wide), vec![(7, 0)]);
        }
        index.remove(7);
        prop_assert!(index.near(&one, &wide).is_empty());
    }
}

#[test]
fn conformance_has_tolerances() {
    let plan = [volume(Area::circle(at(0.0, 0.0), Metres::new(1000.0)).unwrap(), 1000.0, 2000.0, -10, 100)];
    let none = DatumConversions::default();
    let tolerance =
        Dilation { horizontal: Metres::new(200.0), vertical: Metres::new(50.0), time: Seconds::new(0.0) };
    let outside = |x, h| deviation(&track(x, 0.0, h, 50.0, 0.0, 0.0), &plan, &tolerance, &none);
    assert_eq!(outside(1150.0, 2040.0), None);
    let away = outside(1500.0, 2100.0).unwrap();
    assert!((away.horizontal.get() - 500.0).abs() < 0.01 && away.vertical.get() == 100.0);
    let later = [volume(Area::circle(at(0.0, 0.0), Metres::new(1000.0)).unwrap(), 0.0, 1.0, 50, 100)];
    assert_eq!(
        deviation(&track(9e3, 0.0, 500.0, 0.0, 0.0, 0.0), &later, &tolerance, &none),
        None,
        "not yet in force"
    );
}

fn place() -> impl Strategy<Value = Position> {
    // The poles, the antimeridian, an edge and a corner of the cube's faces, and an ordinary place.
    let near = |lat: f64, lon: f64| {
        (-2.0..2.0, -2.0..2.0f64).prop_map(move |(a, b): (f64, f64)| {
            let lat: f64 = (lat + a).clamp(-90.0, 90.0);
            Position::new(Degrees::new(lat), Degrees::new((lon + b + 540.0).rem_euclid(360.0) - 180.0))
                .unwrap()
        })
    };
    prop_oneof![
        near(90.0, 0.0),
        near(-90.0, 0.0),
        near(0.0, 180.0),
        near(0.0, 45.0),
        near(35.26, 45.0),
        near(47.0, 8.0)
    ]
}

fn anywhere() -> impl Strategy<Value = Area> {
    let circle =
        (place(), 50.0..200_000.0).prop_map(|(centre, r)| Area::circle(centre, Metres::new(r)).unwrap());
    let polygon =
        (place(), 200.0..400_000.0, 3..7usize, 0.0..360.0).prop_map(|(middle, size, corners, turn)| {
            let corner = |i: usize| {
                let bearing = Degrees::new((turn + 360.0 * i as f64 / corners as f64) % 360.0);
                hotline_airspace::geodesy::destination(middle, bearing, Metres::new(size))
            };
            Area::polygon((0..corners).map(corner).collect()).unwrap()
        });
    prop_oneof![circle, polygon]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The index offers every volume that conflicts, anywhere on the globe and at any size, each once, and after
    /// removals nothing that is gone.
    #[test]
    fn the_index_misses_nothing(areas in prop::collection::vec(anywhere(), 2..40), asked in anywhere(), start in -50i64..50) {
        let none = DatumConversions::default();
        let wide = Dilation { horizontal: Metres::new(900.0), vertical: Metres::new(100.0), time: Seconds::new(10.0) };
        let volumes: Vec<Volume4> = areas
            .into_iter()
            .enumerate()
            .map(|(i, area)| volume(area, 500.0 * (i % 4) as f64, 500.0 * (i % 4) as f64 + 300.0, i as i64, i as i64 + 30))
            .collect();
        let asked = volume(asked, 600.0, 1200.0, start, start + 40);
        let mut index = VolumeIndex::default();
        for (key, pair) in volumes.chunks(2).enumerate() {
            index.insert(key, pair);
        }
        let check = |index: &VolumeIndex<usize>, gone: Option<usize>| -> Result<(), TestCaseError> {
            let found = index.near(&asked, &wide);
            prop_assert!(found.windows(2).all(|w| w[0] < w[1]));
            for (i, volume) in volumes.iter().enumerate() {
                let named = found.contains(&(i / 2, (i % 2) as u32));
                if gone == Some(i / 2) {
                    prop_assert!(!named);
                } else if volumes_conflict(volume, &asked, &wide, &none).is_some() {
                    prop_assert!(named, "{i} is missing");
                }
            }
            Ok(())
        };
        check(&index, None)?;
        index.remove(0);
        check(&index, Some(0))?;
        for key in 1..volumes.len().div_ceil(2) {
            index.remove(key);
        }
        prop_assert!(index.is_empty() && index.near(&asked, &wide).is_empty());
    }
}
