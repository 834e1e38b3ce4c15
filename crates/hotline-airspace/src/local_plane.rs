//! A flat picture of the surroundings of one position.

use crate::{Degrees, Metres, Position, geodesy};

/// A point of a [`LocalPlane`]: metres east and north of its origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanePoint {
    /// Metres east of the origin.
    pub x: f64,
    /// Metres north of the origin.
    pub y: f64,
}

/// The azimuthal equidistant projection about an origin: distance and direction from the origin are exact.
/// Between two points at r metres from the origin, distances are off by a share of about r^2 / (6 R^2): 4 parts
/// in 10 million at 10 km, 4 in 100 000 at 100 km.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalPlane {
    origin: Position,
}

impl LocalPlane {
    /// The plane about an origin.
    pub const fn new(origin: Position) -> Self {
        Self { origin }
    }

    /// The position that is drawn at (0, 0).
    pub const fn origin(self) -> Position {
        self.origin
    }

    /// Where a position is drawn.
    pub fn project(self, position: Position) -> PlanePoint {
        let (way, bearing) = geodesy::distance_and_bearing(self.origin, position);
        let (sin, cos) = bearing.get().to_radians().sin_cos();
        PlanePoint { x: way.get() * sin, y: way.get() * cos }
    }

    /// The position that is drawn there.
    pub fn unproject(self, point: PlanePoint) -> Position {
        let bearing = point.x.atan2(point.y).to_degrees();
        geodesy::destination(self.origin, Degrees::new(bearing), Metres::new(point.x.hypot(point.y)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn projects_and_back(lat in -89.0..89.0, lon in -180.0..180.0, x in -50e3..50e3, y in -50e3..50e3) {
            let plane = LocalPlane::new(Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap());
            let back = plane.project(plane.unproject(PlanePoint { x, y }));
            prop_assert!((back.x - x).abs() < 1e-5 && (back.y - y).abs() < 1e-5, "{back:?}");
        }
    }
}
