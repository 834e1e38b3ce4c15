//! The pair finder against looking at every pair, everywhere on the globe.

use hotline_airspace::{
    Altitude, Datum, DatumConversion, DatumConversions, Degrees, Metres, MetresPerSecond, Position, Seconds,
    TrackState, geodesy,
};
use hotline_detect::{
    Executor, Kinematics, Minima, PairFinder, PairSet, SizeClasses, all_pairs, all_pairs_brute_force,
    all_sized_pairs, encounter,
};
use jiff::Timestamp;
use proptest::prelude::*;

/// Middles of the scenes: both poles, the antimeridian, the equator, and an ordinary place.
const PLACES: [(f64, f64); 6] =
    [(90.0, 0.0), (-90.0, 0.0), (0.0, 180.0), (52.0, -179.99), (0.0, 0.0), (47.0, 8.0)];

fn aircraft(
    middle: usize,
    bearing: f64,
    way: f64,
    track: f64,
    speed: f64,
    (height, climb, datum): (f64, f64, Datum),
) -> Kinematics {
    let (lat, lon) = PLACES[middle];
    let middle = Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap();
    let state = TrackState::new(
        Timestamp::UNIX_EPOCH,
        geodesy::destination(middle, Degrees::new(bearing), Metres::new(way)),
        Altitude::new(Metres::new(height), datum).unwrap(),
        MetresPerSecond::new(speed),
        Degrees::new(track),
        MetresPerSecond::new(climb),
    );
    Kinematics::new(&state.unwrap())
}

prop_compose! {
    fn scene_in(datums: Vec<Datum>)(middle in 0..PLACES.len(), spread in 20e3..800e3)(
        fleet in prop::collection::vec(
            (Just(middle), 0.0..360.0, 0.0..spread, 0.0..360.0, prop_oneof![Just(0.0), 0.0..350.0, 0.0..1500.0],
             0.0..3000.0, prop_oneof![Just(0.0), -20.0..20.0], prop::sample::select(datums.clone())), 2..80)
    ) -> Vec<Kinematics> {
        fleet.into_iter().map(|(m, b, w, t, s, h, c, d)| aircraft(m, b, w, t, s, (h, c, d))).collect()
    }
}

fn scene() -> impl Strategy<Value = Vec<Kinematics>> {
    scene_in(vec![Datum::Barometric])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_same_set(fleet in scene(), lookahead in prop_oneof![Just(0.0), 0.0..300.0, Just(1200.0)],
                    horizontal in 50.0..20_000.0, vertical in 10.0..2_000.0) {
        let minima = Minima::new(Metres::new(horizontal), Metres::new(vertical)).unwrap();
        let none = DatumConversions::default();
        let lookahead = Seconds::new(lookahead);
        let all = all_pairs_brute_force(&fleet, &minima, lookahead, &none);
        prop_assert_eq!(all_pairs(&fleet, &minima, lookahead, &none), all);
    }

    /// Altitudes that can be compared, and some that cannot.
    #[test]
    fn altitudes_of_different_datums(
        mixed in scene_in(vec![Datum::Barometric, Datum::Ellipsoid, Datum::AboveGround]),
        lookahead in 0.0..300.0,
        stated in any::<bool>(),
    ) {
        let minima = Minima::new(Metres::new(9260.0), Metres::new(304.8)).unwrap();
        let conversion = DatumConversion { offset: Metres::new(50.0), error: Metres::new(30.0) };
        let conversions = if stated {
            DatumConversions { barometric: Some(conversion), ..DatumConversions::default() }
        } else {
            DatumConversions::default()
        };
        let lookahead = Seconds::new(lookahead);
        let pairs = all_pairs_brute_force(&mixed, &minima, lookahead, &conversions);
        prop_assert_eq!(all_pairs(&mixed, &minima, lookahead, &conversions), pairs.clone());
        let mut set = PairSet::new(minima.into(), lookahead, conversions);
        (0u32..).zip(&mixed).for_each(|(i, k)| set.update(i, (*k, 0)));
        prop_assert_eq!(set.pairs(), pairs);
    }

    /// After updates and removals, what a finder offers still holds every real conflict.
    #[test]
    fn incremental_misses_nothing(fleet in scene(), moved in scene()) {
        let minima = Minima::new(Metres::new(9260.0), Metres::new(304.8)).unwrap();
        let (none, lookahead) = (DatumConversions::default(), Seconds::new(120.0));
        let mut finder = PairFinder::new(lookahead, minima.horizontal());
        fleet.iter().enumerate().for_each(|(i, k)| finder.update(i, *k));
        for (i, k) in moved.iter().enumerate() {
            if i % 3 == 0 { finder.remove(i) } else { finder.update(i, *k) }
        }
        let state = |i: usize| if i >= moved.len() { fleet.get(i) } else if i.is_multiple_of(3) { None } else { moved.get(i) };
        let count = fleet.len().max(moved.len());
        for (i, own) in (0..count).filter_map(|i| Some((i, state(i)?))) {
            let mut near = Vec::new();
            finder.near(i, |j, _| near.push(j));
            let visited = near.len();
            near.sort_unstable();
            near.dedup();
            prop_assert_eq!(visited, near.len(), "each once");
            for (j, other) in (0..count).filter_map(|j| Some((j, state(j)?))).filter(|&(j, _)| j != i) {
                if encounter(own, other, &minima, lookahead, &none).is_some() {
                    prop_assert!(near.contains(&j));
                }
            }
        }
    }

    /// A set that was changed again and again holds what a full pass over its aircraft finds.
    #[test]
    fn a_changed_set_is_a_fresh_one(fleet in scene(), moved in scene(), lookahead in prop_oneof![Just(0.0), 0.0..300.0]) {
        let minima = Minima::new(Metres::new(9260.0), Metres::new(304.8)).unwrap();
        let (none, lookahead) = (DatumConversions::default(), Seconds::new(lookahead));
        let mut set = PairSet::new(minima.into(), lookahead, none);
        (0u32..).zip(&fleet).for_each(|(i, k)| set.update(i, (*k, 0)));
        prop_assert_eq!(set.pairs(), all_pairs(&fleet, &minima, lookahead, &none));
        let mut fleet = fleet;
        for (i, k) in moved.iter().enumerate() {
            let at = i * 7 % fleet.len();
            fleet[at] = *k;
            set.update(at as u32, (*k, 0));
        }
        let all = all_pairs(&fleet, &minima, lookahead, &none);
        prop_assert_eq!(set.pairs(), all.clone());
        set.remove(0);
        prop_assert_eq!(set.pairs(), all.into_iter().filter(|p| p.0 != 0).collect::<Vec<_>>());
    }

    /// Any executor gives the same, and size classes the minima of each pair.
    #[test]
    fn the_same_on_any_threads_and_by_class(fleet in scene(), lookahead in 0.0..300.0) {
        let small = Minima::new(Metres::new(500.0), Metres::new(100.0)).unwrap();
        let large = Minima::new(Metres::new(9260.0), Metres::new(50.0)).unwrap();
        let classes = SizeClasses::new(vec![small, large]).unwrap();
        let sized: Vec<_> = fleet.iter().enumerate().map(|(i, k)| (*k, (i % 2) as u8)).collect();
        let (none, lookahead) = (DatumConversions::default(), Seconds::new(lookahead));
        let found = all_sized_pairs(&sized, &classes, lookahead, &none, &Backwards);
        let mut expected = Vec::new();
        for (i, (one, a)) in sized.iter().enumerate() {
            for (j, (other, b)) in sized.iter().enumerate().skip(i + 1) {
                if let Some(met) = encounter(one, other, &classes.between(*a, *b), lookahead, &none) {
                    expected.push((i, j, met));
                }
            }
        }
        prop_assert_eq!(found, expected);
    }
}

/// Runs the jobs from the last to the first, on threads of their own.
struct Backwards;

impl Executor for Backwards {
    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for number in (0..jobs).rev() {
                scope.spawn(move || job(number));
            }
        });
    }
}
