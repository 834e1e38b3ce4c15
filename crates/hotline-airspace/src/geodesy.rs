//! Geodesics on WGS84, by Karney's algorithms (`geographiclib-rs`).

use crate::{Degrees, Metres, Position};
use geographiclib_rs::{DirectGeodesic, Geodesic, InverseGeodesic};
use std::sync::LazyLock;

static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// Semi-major axis of WGS84.
pub const SEMI_MAJOR_AXIS: Metres = Metres::new(6_378_137.0);
/// First eccentricity of WGS84, squared.
pub const ECCENTRICITY_SQUARED: f64 = 0.006_694_379_990_141_316_5;

/// Length of the shortest path between two positions, exact to nanometres.
pub fn distance(a: Position, b: Position) -> Metres {
    let metres: f64 =
        WGS84.inverse(a.latitude().get(), a.longitude().get(), b.latitude().get(), b.longitude().get());
    Metres::new(metres)
}

/// Distance to `b` and the direction, 0 to 360 degrees true, in which it lies from `a`.
pub fn distance_and_bearing(a: Position, b: Position) -> (Metres, Degrees) {
    let (metres, azimuth, _, _): (f64, f64, f64, f64) =
        WGS84.inverse(a.latitude().get(), a.longitude().get(), b.latitude().get(), b.longitude().get());
    (Metres::new(metres), Degrees::new(azimuth.rem_euclid(360.0)))
}

/// Where one is after so much way in a direction.
pub fn destination(from: Position, bearing: Degrees, way: Metres) -> Position {
    along(from, bearing, way).0
}

/// Where one is after so much way in a direction, and the direction of the geodesic there, 0 to 360 degrees.
pub fn along(from: Position, bearing: Degrees, way: Metres) -> (Position, Degrees) {
    let (latitude, longitude, azimuth): (f64, f64, f64) =
        WGS84.direct(from.latitude().get(), from.longitude().get(), bearing.get(), way.get());
    (Position::from_geodesic(latitude, longitude), Degrees::new(azimuth.rem_euclid(360.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(lat: f64, lon: f64) -> Position {
        Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap()
    }

    #[test]
    fn known_distance() {
        // Karney 2013, table: JFK to LHR, 5551.759400 km.
        let metres = distance(at(40.6, -73.8), at(51.6, -0.5)).get();
        assert!((metres - 5_551_759.400).abs() < 0.001, "{metres}");
    }

    proptest! {
        #[test]
        fn there_and_back(lat in -89.9..89.9, lon in -180.0..180.0, bearing in 0.0..360.0, way in 1.0..400_000.0) {
            let from = at(lat, lon);
            let to = destination(from, Degrees::new(bearing), Metres::new(way));
            prop_assert!((distance(from, to).get() - way).abs() < 1e-6);
            prop_assert!((distance(to, from).get() - way).abs() < 1e-6);
        }
    }
}
