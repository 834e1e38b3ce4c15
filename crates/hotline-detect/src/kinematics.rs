//! Two aircraft anywhere on WGS84, seen in one flat frame.
//!
//! A pair is looked at in the plane tangent at the midpoint between the two: the distance between the positions
//! is the length of the geodesic (from the chord, with the local radius of curvature: within a centimetre at
//! 100 km), and both velocities are carried to the midpoint along it by parallel transport. Nothing here depends
//! on longitude or latitude as numbers, so the antimeridian and the poles are places like any other, and the
//! result is the same whichever of the two is called own.

use crate::cylinder::violation_in;
use crate::{ClosestApproach, Minima, Relative, Violation};
use hotline_airspace::geodesy::{ECCENTRICITY_SQUARED, SEMI_MAJOR_AXIS};
use hotline_airspace::{Datum, DatumConversions, Metres, Seconds, TrackState};

/// Mean radius of the earth for the small difference between chord and arc, metres.
pub(crate) const MEAN_RADIUS: f64 = 6_371_008.8;

/// What detection needs of a track: its place on the ellipsoid and its velocity as vectors in space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kinematics {
    /// Outward normal of the ellipsoid.
    up: [f64; 3],
    /// Place on the ellipsoid (height 0), metres from the earth's centre.
    pub(crate) place: [f64; 3],
    /// Horizontal velocity, metres a second.
    pub(crate) velocity: [f64; 3],
    altitude: f64,
    climb: f64,
    datum: Datum,
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn add(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn sub(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn scale(a: [f64; 3], k: f64) -> [f64; 3] {
    [a[0] * k, a[1] * k, a[2] * k]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Normal and place (height 0) of a position, in earth-centred coordinates.
pub(crate) fn surface(position: hotline_airspace::Position) -> ([f64; 3], [f64; 3]) {
    let (sin_lat, cos_lat) = position.latitude().get().to_radians().sin_cos();
    let (sin_lon, cos_lon) = position.longitude().get().to_radians().sin_cos();
    let up = [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat];
    let curvature = SEMI_MAJOR_AXIS.get() / (1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat).sqrt();
    (up, [curvature * up[0], curvature * up[1], curvature * (1.0 - ECCENTRICITY_SQUARED) * up[2]])
}

/// The tangent vector `v` at the point with normal `from`, carried to the point with normal `to`.
fn transported(v: [f64; 3], from: [f64; 3], to: [f64; 3]) -> [f64; 3] {
    sub(v, scale(add(from, to), dot(v, to) / (1.0 + dot(from, to))))
}

impl Kinematics {
    /// The kinematics of a track at its own time.
    pub fn new(track: &TrackState) -> Self {
        let (up, place) = surface(track.position());
        let (sin_lat, cos_lat) = track.position().latitude().get().to_radians().sin_cos();
        let (sin_lon, cos_lon) = track.position().longitude().get().to_radians().sin_cos();
        let (sin_trk, cos_trk) = track.track().get().to_radians().sin_cos();
        let east = [-sin_lon, cos_lon, 0.0];
        let north = [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat];
        let speed = track.ground_speed().get();
        Self {
            up,
            place,
            velocity: add(scale(east, speed * sin_trk), scale(north, speed * cos_trk)),
            altitude: track.altitude().metres().get(),
            climb: track.vertical_speed().get(),
            datum: track.altitude().datum(),
        }
    }

    /// The kinematics so many seconds later (earlier when negative), flown straight on. Within a few centimetres
    /// of the geodesic for a minute's flight; for longer spans make them anew from the dead-reckoned track.
    #[must_use]
    pub fn advanced(&self, by: Seconds) -> Self {
        let way = scale(self.velocity, by.get());
        let ahead = add(self.up, scale(way, 1.0 / MEAN_RADIUS));
        let up = scale(ahead, 1.0 / dot(ahead, ahead).sqrt());
        let sagitta = dot(way, way) / (2.0 * MEAN_RADIUS);
        Self {
            up,
            place: sub(add(self.place, way), scale(up, sagitta)),
            velocity: transported(self.velocity, self.up, up),
            altitude: self.altitude + self.climb * by.get(),
            ..*self
        }
    }

    /// The same with the track turned to the right.
    #[must_use]
    pub fn turned(&self, by: hotline_airspace::Degrees) -> Self {
        let (sin, cos) = by.get().to_radians().sin_cos();
        let right = cross(self.velocity, self.up);
        Self { velocity: add(scale(self.velocity, cos), scale(right, sin)), ..*self }
    }

    /// Straight distance to another.
    pub fn distance(&self, other: &Self) -> Metres {
        let apart = sub(self.place, other.place);
        Metres::new(dot(apart, apart).sqrt())
    }

    /// Whether the two stay farther apart in height than the minimum for the whole look-ahead.
    fn apart_in_height(&self, other: &Self, minima: &Minima, lookahead: f64) -> bool {
        if self.datum != other.datum {
            return false;
        }
        let now = self.altitude - other.altitude;
        let then = now + (self.climb - other.climb) * lookahead;
        let minimum = minima.vertical().get();
        (now >= minimum && then >= minimum) || (now <= -minimum && then <= -minimum)
    }

    pub(crate) fn altitude(&self) -> f64 {
        self.altitude
    }

    pub(crate) fn climb(&self) -> f64 {
        self.climb
    }

    pub(crate) fn datum(&self) -> Datum {
        self.datum
    }

    /// Horizontal speed, metres a second.
    pub(crate) fn speed(&self) -> f64 {
        dot(self.velocity, self.velocity).sqrt()
    }
}

/// The relative state of a pair in the frame described above.
pub(crate) fn relative(own: &Kinematics, other: &Kinematics) -> Relative {
    let chord = sub(own.place, other.place);
    let length = dot(chord, chord).sqrt();
    let sum = add(own.up, other.up);
    let sum_length = dot(sum, sum).sqrt();
    // Opposite ends of the earth have no midpoint; any will do for a pair that far apart.
    let middle = if sum_length > 1e-9 { scale(sum, 1.0 / sum_length) } else { own.up };
    let along = if length > 1e-6 {
        let flat = sub(chord, scale(middle, dot(chord, middle)));
        scale(flat, 1.0 / dot(flat, flat).sqrt())
    } else {
        // Co-located: any direction of the plane serves, here the one of the axis that is least upward.
        let axis = if middle[2].abs() < 0.9 { [0.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0] };
        let flat = sub(axis, scale(middle, dot(axis, middle)));
        scale(flat, 1.0 / dot(flat, flat).sqrt())
    };
    let across = cross(middle, along);
    let arc = 2.0 * MEAN_RADIUS * (length / (2.0 * MEAN_RADIUS)).min(1.0).asin();
    let velocity =
        sub(transported(own.velocity, own.up, middle), transported(other.velocity, other.up, middle));
    Relative {
        s: [arc, 0.0, own.altitude - other.altitude],
        v: [dot(velocity, along), dot(velocity, across), own.climb - other.climb],
    }
}

/// A predicted violation of the minima by two aircraft.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encounter {
    /// When, counted from the time of the states.
    pub violation: Violation,
    /// The closest approach from now on.
    pub closest: ClosestApproach,
}

/// Whether two aircraft, both states of the same instant and both flown straight on, violate the minima within
/// the look-ahead. Altitudes of different datums are compared through `conversions`, the cylinder made taller by
/// the conversion's error; where none is stated the pair counts as violating vertically throughout.
pub fn encounter(
    own: &Kinematics,
    other: &Kinematics,
    minima: &Minima,
    lookahead: Seconds,
    conversions: &DatumConversions,
) -> Option<Encounter> {
    if own.apart_in_height(other, minima, lookahead.get()) {
        return None;
    }
    let mut pair = relative(own, other);
    let minima = if own.datum == other.datum {
        *minima
    } else {
        match conversions.between(other.datum, own.datum) {
            Some((offset, error)) => {
                pair.s[2] -= offset;
                minima.taller(error)
            }
            None => {
                (pair.s[2], pair.v[2]) = (0.0, 0.0);
                *minima
            }
        }
    };
    let violation = violation_in(&pair, &minima, 0.0, lookahead.get())?;
    Some(Encounter { violation, closest: pair.closest_approach_ahead() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::{Altitude, Degrees, MetresPerSecond, Position, geodesy};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn state(lat: f64, lon: f64, trk: f64, gs: f64) -> TrackState {
        TrackState::new(
            Timestamp::UNIX_EPOCH,
            Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap(),
            Altitude::new(Metres::new(3000.0), Datum::Barometric).unwrap(),
            MetresPerSecond::new(gs),
            Degrees::new(trk),
            MetresPerSecond::new(0.0),
        )
        .unwrap()
    }

    proptest! {
        /// Distance now is the geodesic distance; distance after dead reckoning is the one that the straight
        /// relative motion foretells. Poles and antimeridian included.
        #[test]
        fn follows_the_geodesics(
            lat in prop_oneof![-90.0..90.0, 89.5..90.0, -90.0..-89.5], lon in -180.0..180.0,
            bearing in 0.0..360.0, way in 10.0..100_000.0,
            trk_a in 0.0..360.0, trk_b in 0.0..360.0, gs_a in 0.0..300.0, gs_b in 0.0..300.0, t in 0.0..120.0,
        ) {
            let a = state(lat, lon, trk_a, gs_a);
            let there = geodesy::destination(a.position(), Degrees::new(bearing), Metres::new(way));
            let b = state(there.latitude().get(), there.longitude().get(), trk_b, gs_b);
            let pair = relative(&Kinematics::new(&a), &Kinematics::new(&b));
            prop_assert!((pair.s[0].hypot(pair.s[1]) - way).abs() < 0.02, "{} {}", pair.s[0], way);
            let later = Timestamp::from_microsecond((t * 1e6) as i64).unwrap();
            let real = geodesy::distance(a.dead_reckoned(later).position(), b.dead_reckoned(later).position()).get();
            let at = |i: usize| -> f64 { pair.s[i] + t * pair.v[i] };
            let foretold = at(0).hypot(at(1));
            prop_assert!((foretold - real).abs() < 15.0, "foretold {foretold} real {real}");
        }

        #[test]
        fn advancing_is_dead_reckoning(lat in -90.0..90.0, lon in -180.0..180.0, trk in 0.0..360.0, gs in 0.0..350.0,
                                       t in -60.0..60.0) {
            let a = state(lat, lon, trk, gs);
            let later = Timestamp::from_microsecond((t * 1e6) as i64).unwrap();
            let (fast, exact) = (Kinematics::new(&a).advanced(Seconds::new(t)), Kinematics::new(&a.dead_reckoned(later)));
            prop_assert!(fast.distance(&exact).get() < 0.6, "{}", fast.distance(&exact));
            prop_assert!((0..3).all(|i| (fast.velocity[i] - exact.velocity[i]).abs() < 0.02));
        }

        #[test]
        fn the_same_from_either_side(lat in -90.0..90.0, lon in -180.0..180.0, bearing in 0.0..360.0,
                                     way in 0.0..60_000.0, trk_a in 0.0..360.0, trk_b in 0.0..360.0) {
            let a = state(lat, lon, trk_a, 200.0);
            let there = geodesy::destination(a.position(), Degrees::new(bearing), Metres::new(way));
            let b = state(there.latitude().get(), there.longitude().get(), trk_b, 220.0);
            let (ka, kb) = (Kinematics::new(&a), Kinematics::new(&b));
            let minima = Minima::new(Metres::new(9260.0), Metres::new(304.8)).unwrap();
            let look = |x, y| encounter(x, y, &minima, Seconds::new(120.0), &DatumConversions::default());
            match (look(&ka, &kb), look(&kb, &ka)) {
                (None, None) => {}
                (Some(x), Some(y)) => {
                    prop_assert!((x.violation.enters - y.violation.enters).get().abs() < 1e-6);
                    prop_assert!((x.closest.horizontal - y.closest.horizontal).get().abs() < 1e-6);
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn unstated_conversions_are_not_separation() {
        let a = state(10.0, 10.0, 90.0, 200.0);
        let high = TrackState::new(
            a.time(),
            a.position(),
            Altitude::new(Metres::new(9000.0), Datum::Ellipsoid).unwrap(),
            a.ground_speed(),
            a.track(),
            a.vertical_speed(),
        )
        .unwrap();
        let minima = Minima::new(Metres::new(9260.0), Metres::new(304.8)).unwrap();
        let (ka, kb) = (Kinematics::new(&a), Kinematics::new(&high));
        assert!(encounter(&ka, &kb, &minima, Seconds::new(1.0), &DatumConversions::default()).is_some());
    }
}
