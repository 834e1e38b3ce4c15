//! How far apart areas are, on the ellipsoid.

use hotline_airspace::{Area, LocalPlane, Metres, PlanePoint, Polygon, Position, geodesy};

/// Edges longer than this are cut into pieces along their geodesic before they are drawn in a plane, metres.
const LONGEST_PIECE: f64 = 10_000.0;
/// The most pieces one edge is cut into.
const MAX_PIECES: usize = 64;

/// A polygon's border drawn in a plane, long edges cut into pieces.
pub(crate) fn border(polygon: &Polygon, plane: LocalPlane) -> Vec<PlanePoint> {
    let vertices = polygon.vertices();
    let mut drawn = Vec::with_capacity(vertices.len());
    for (i, &from) in vertices.iter().enumerate() {
        let to = vertices[(i + 1) % vertices.len()];
        let (way, bearing) = geodesy::distance_and_bearing(from, to);
        drawn.push(plane.project(from));
        let pieces = ((way.get() / LONGEST_PIECE).ceil() as usize).clamp(1, MAX_PIECES);
        for piece in 1..pieces {
            let between = geodesy::destination(from, bearing, way * (piece as f64 / pieces as f64));
            drawn.push(plane.project(between));
        }
    }
    drawn
}

/// The border's edges in order.
pub(crate) fn edges(border: &[PlanePoint]) -> impl Iterator<Item = (PlanePoint, PlanePoint)> + '_ {
    (0..border.len()).map(|i| (border[i], border[(i + 1) % border.len()]))
}

/// Whether a point lies inside the border (crossing number); on the border either answer is given.
pub(crate) fn inside(border: &[PlanePoint], p: PlanePoint) -> bool {
    let mut within = false;
    for (a, b) in edges(border) {
        if (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x {
            within = !within;
        }
    }
    within
}

fn point_to_segment(p: PlanePoint, a: PlanePoint, b: PlanePoint) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length2 = dx * dx + dy * dy;
    let share =
        if length2 == 0.0 { 0.0 } else { (((p.x - a.x) * dx + (p.y - a.y) * dy) / length2).clamp(0.0, 1.0) };
    (p.x - a.x - share * dx).hypot(p.y - a.y - share * dy)
}

fn point_to_border(p: PlanePoint, border: &[PlanePoint]) -> f64 {
    if inside(border, p) {
        return 0.0;
    }
    edges(border).map(|(a, b)| point_to_segment(p, a, b)).fold(f64::INFINITY, f64::min)
}

fn segments_cross((a, b): (PlanePoint, PlanePoint), (c, d): (PlanePoint, PlanePoint)) -> bool {
    let turn =
        |p: PlanePoint, q: PlanePoint, r: PlanePoint| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0
}

fn border_to_border(one: &[PlanePoint], other: &[PlanePoint]) -> f64 {
    if edges(one).any(|e| edges(other).any(|f| segments_cross(e, f))) {
        return 0.0;
    }
    let nearest = |from: &[PlanePoint], to: &[PlanePoint]| {
        from.iter().map(|&p| point_to_border(p, to)).fold(f64::INFINITY, f64::min)
    };
    nearest(one, other).min(nearest(other, one))
}

/// Distance from a position to the nearest point of an area; 0 inside.
pub fn distance_to(area: &Area, from: Position) -> Metres {
    match area {
        Area::Circle { centre, radius } => {
            Metres::new((geodesy::distance(*centre, from) - *radius).get().max(0.0))
        }
        Area::Polygon(polygon) => {
            let drawn = border(polygon, LocalPlane::new(from));
            Metres::new(point_to_border(PlanePoint { x: 0.0, y: 0.0 }, &drawn))
        }
    }
}

/// Shortest distance between two areas; 0 when they overlap or touch.
pub fn distance_between(one: &Area, other: &Area) -> Metres {
    match (one, other) {
        (area, Area::Circle { centre, radius }) | (Area::Circle { centre, radius }, area) => {
            Metres::new((distance_to(area, *centre) - *radius).get().max(0.0))
        }
        (Area::Polygon(a), Area::Polygon(b)) => {
            let ((middle_a, _), (middle_b, _)) = (one.bounding_circle(), other.bounding_circle());
            let (way, bearing) = geodesy::distance_and_bearing(middle_a, middle_b);
            let plane = LocalPlane::new(geodesy::destination(middle_a, bearing, way / 2.0));
            Metres::new(border_to_border(&border(a, plane), &border(b, plane)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::Degrees;

    fn at(lat: f64, lon: f64) -> Position {
        Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap()
    }

    fn square(lat: f64, lon: f64, side_m: f64) -> Area {
        let plane = LocalPlane::new(at(lat, lon));
        let corner =
            |x: f64, y: f64| plane.unproject(PlanePoint { x: x * side_m / 2.0, y: y * side_m / 2.0 });
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        Area::polygon(corners.iter().map(|&(x, y)| corner(x, y)).collect()).unwrap()
    }

    #[test]
    fn squares_across_the_antimeridian_and_at_the_pole() {
        for (lat, lon) in [(0.0, 180.0), (89.9, 10.0), (-89.95, 0.0), (47.0, 8.0)] {
            let here = square(lat, lon, 2000.0);
            let there = geodesy::destination(at(lat, lon), Degrees::new(90.0), Metres::new(5000.0));
            let ring = Area::circle(there, Metres::new(1000.0)).unwrap();
            let gap = distance_between(&here, &ring).get();
            assert!(gap > 2500.0 && gap < 3010.0, "{lat} {lon}: {gap}");
            assert_eq!(distance_between(&ring, &here).get(), gap);
            assert_eq!(distance_to(&here, at(lat, lon)).get(), 0.0);
        }
    }

    #[test]
    fn one_inside_the_other_overlaps() {
        let (big, small) = (square(47.0, 8.0, 20_000.0), square(47.01, 8.01, 500.0));
        assert_eq!(distance_between(&big, &small).get(), 0.0);
        assert_eq!(distance_between(&small, &big).get(), 0.0);
    }
}
