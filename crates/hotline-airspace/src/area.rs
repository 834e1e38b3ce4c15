//! Areas on the ellipsoid: circles and polygons.

use crate::{AirspaceError, LocalPlane, Metres, PlanePoint, Position, geodesy};

/// The largest circle, and the farthest that a polygon may reach from its middle.
pub const MAX_RADIUS: Metres = Metres::new(500_000.0);
/// The most vertices that a polygon may have.
pub const MAX_POLYGON_VERTICES: usize = 500;

/// A simple polygon whose edges are geodesics. Either winding; the smaller side is meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    vertices: Vec<Position>,
}

impl Polygon {
    /// A polygon from its vertices in order around its border, the first not repeated.
    ///
    /// # Errors
    /// With fewer than 3 or more than [`MAX_POLYGON_VERTICES`] vertices, when edges cross, or when it reaches
    /// farther than [`MAX_RADIUS`] from its middle.
    pub fn new(vertices: Vec<Position>) -> Result<Self, AirspaceError> {
        if !(3..=MAX_POLYGON_VERTICES).contains(&vertices.len()) {
            return Err(AirspaceError::VertexCount(vertices.len()));
        }
        let polygon = Self { vertices };
        let (middle, reach) = polygon.bounding_circle();
        if reach.get() > MAX_RADIUS.get() {
            return Err(AirspaceError::PolygonTooLarge(reach.get()));
        }
        let plane = LocalPlane::new(middle);
        let points: Vec<PlanePoint> = polygon.vertices.iter().map(|&v| plane.project(v)).collect();
        match crossing_edges(&points) {
            Some((a, b)) => Err(AirspaceError::SelfIntersecting(a, b)),
            None => Ok(polygon),
        }
    }

    /// Its vertices in order.
    pub fn vertices(&self) -> &[Position] {
        &self.vertices
    }

    /// A circle that holds it: the middle of its vertices' extent, and the distance to the farthest vertex.
    fn bounding_circle(&self) -> (Position, Metres) {
        let plane = LocalPlane::new(self.vertices[0]);
        let points = self.vertices.iter().map(|&v| plane.project(v));
        let (mut low, mut high) = ((0.0f64, 0.0f64), (0.0f64, 0.0f64));
        for p in points {
            low = (low.0.min(p.x), low.1.min(p.y));
            high = (high.0.max(p.x), high.1.max(p.y));
        }
        let middle = plane.unproject(PlanePoint { x: (low.0 + high.0) / 2.0, y: (low.1 + high.1) / 2.0 });
        let reach = self.vertices.iter().map(|&v| geodesy::distance(middle, v).get()).fold(0.0, f64::max);
        (middle, Metres::new(reach))
    }
}

/// Twice the signed area of the triangle a, b, c.
fn turn(a: PlanePoint, b: PlanePoint, c: PlanePoint) -> f64 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// The first two edges that properly cross (touching is allowed, so that degenerate shapes stay legal).
fn crossing_edges(points: &[PlanePoint]) -> Option<(usize, usize)> {
    let n = points.len();
    let edge = |i: usize| (points[i], points[(i + 1) % n]);
    for i in 0..n {
        for j in i + 2..n {
            if i == 0 && j == n - 1 {
                continue;
            }
            let ((a, b), (c, d)) = (edge(i), edge(j));
            if turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0 {
                return Some((i, j));
            }
        }
    }
    None
}

/// An area on the ellipsoid, its border included.
#[derive(Debug, Clone, PartialEq)]
pub enum Area {
    /// All that lies within a geodesic distance of a centre.
    Circle {
        /// The centre.
        centre: Position,
        /// The distance, above 0 and at most [`MAX_RADIUS`].
        radius: Metres,
    },
    /// The inside of a polygon.
    Polygon(Polygon),
}

impl Area {
    /// A circle.
    ///
    /// # Errors
    /// [`AirspaceError::Radius`] for a radius that is not above 0 and at most [`MAX_RADIUS`].
    pub fn circle(centre: Position, radius: Metres) -> Result<Self, AirspaceError> {
        if !(radius.get() > 0.0 && radius.get() <= MAX_RADIUS.get()) {
            return Err(AirspaceError::Radius(radius.get()));
        }
        Ok(Self::Circle { centre, radius })
    }

    /// A polygon from its vertices.
    ///
    /// # Errors
    /// As [`Polygon::new`].
    pub fn polygon(vertices: Vec<Position>) -> Result<Self, AirspaceError> {
        Polygon::new(vertices).map(Self::Polygon)
    }

    /// A circle that holds the whole area.
    pub fn bounding_circle(&self) -> (Position, Metres) {
        match self {
            Self::Circle { centre, radius } => (*centre, *radius),
            Self::Polygon(polygon) => polygon.bounding_circle(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Degrees;

    fn at(lat: f64, lon: f64) -> Position {
        Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap()
    }

    #[test]
    fn a_bow_tie_is_refused() {
        let bow = vec![at(0.0, 0.0), at(0.0, 1.0), at(1.0, 0.0), at(1.0, 1.0)];
        assert!(matches!(Area::polygon(bow), Err(AirspaceError::SelfIntersecting(1, 3))));
    }

    #[test]
    fn across_the_antimeridian_it_is_still_small() {
        let area = Area::polygon(vec![at(-1.0, 179.5), at(-1.0, -179.5), at(1.0, -179.5), at(1.0, 179.5)]);
        let (middle, reach) = area.unwrap().bounding_circle();
        assert!(middle.longitude().get().abs() > 179.9 && reach.get() < 130_000.0);
    }

    #[test]
    fn sizes_are_limited() {
        assert!(Area::circle(at(0.0, 0.0), Metres::new(0.0)).is_err());
        assert!(Area::circle(at(0.0, 0.0), Metres::new(f64::NAN)).is_err());
        assert!(matches!(Area::polygon(vec![at(0.0, 0.0); 2]), Err(AirspaceError::VertexCount(2))));
        let huge = vec![at(-40.0, -40.0), at(-40.0, 40.0), at(40.0, 0.0)];
        assert!(matches!(Area::polygon(huge), Err(AirspaceError::PolygonTooLarge(_))));
    }
}
