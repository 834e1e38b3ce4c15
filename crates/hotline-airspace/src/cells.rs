//! S2 cells of level 13: the grid by which ASTM F3548 and F3411 services find what shares airspace.
//!
//! A covering is every cell that the shape touches. Cells are rectangles in the plane of one of the six faces of
//! a cube around the earth; central projection onto that plane makes great circles straight. So an edge and a cell
//! meet when clipping the edge's chord by the four planes of the cell (and the earth's centre) leaves something
//! (Liang and Barsky, 1984, in homogeneous coordinates), at any place of the globe alike. Cells are visited from
//! the faces down; each takes along only the edges that touch it, and one that no edge touches is inside or outside
//! as a whole. The numbering of cells is that of the S2 library.

use crate::{Metres, Position};
use s2::cellid::CellID;

/// The radius of the sphere that the cells lie on, as all implementations take it.
pub const CELL_EARTH_RADIUS: Metres = Metres::new(6_371_010.0);
/// The largest area that is covered, square kilometres (InterUSS: the same).
pub const MAX_COVERED_KM2: f64 = 2_500.0;
/// The most vertices of a polygon that is covered.
pub const MAX_COVERED_VERTICES: usize = 2_000;
/// How far a vertex may lie from the first one, as an angle at the earth's centre in radians (about 1 270 km).
const MAX_REACH: f64 = 0.2;
const LEVEL: u64 = 13;

/// A cell of level 13, about 1.3 square kilometres. Ordered along the library's curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(u32);

impl Cell {
    /// The cell's number in the S2 library.
    pub const fn s2_id(self) -> u64 {
        ((self.0 as u64) << 35) | (1 << 34)
    }

    /// The cell of a number of the S2 library; none when that is no cell of level 13.
    pub fn from_s2_id(id: u64) -> Option<Self> {
        let cell = CellID(id);
        (cell.is_valid() && cell.level() == LEVEL).then_some(Self((id >> 35) as u32))
    }

    /// The cell as a small number, for storing it.
    pub const fn index(self) -> u32 {
        self.0
    }

    /// The cell of a small number; none when there is no such cell.
    pub fn from_index(index: u32) -> Option<Self> {
        (index < 6 << 26).then_some(Self(index))
    }
}

/// Why a shape has no covering.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CoverError {
    /// Its area, or its length, is beyond what is covered.
    #[error("the area is too large: {0}")]
    TooLarge(String),
    /// A circle without extent.
    #[error("a circle's radius must be above 0 m, not {0} m")]
    Radius(f64),
    /// A polygon with too few or too many vertices.
    #[error("a polygon of {0} vertices: 3 to {MAX_COVERED_VERTICES} are allowed")]
    VertexCount(usize),
    /// A polygon whose edges cross.
    #[error("the polygon's edges {0} and {1} cross: list the vertices in order around its border")]
    SelfIntersecting(usize, usize),
}

type Point = [f64; 3];

fn point(at: Position) -> Point {
    let (latitude, longitude) = (at.latitude().get().to_radians(), at.longitude().get().to_radians());
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}

fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Point, b: Point) -> Point {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn angle(a: Point, b: Point) -> f64 {
    let c = cross(a, b);
    dot(c, c).sqrt().atan2(dot(a, b))
}

/// A point in the axes of a cube's face: its two coordinates in the face's plane are the first two over the third.
fn on_face(face: u8, [x, y, z]: Point) -> Point {
    match face {
        0 => [y, z, x],
        1 => [-x, z, y],
        2 => [-x, -y, z],
        3 => [-z, -y, -x],
        4 => [-z, x, -y],
        _ => [y, x, -z],
    }
}

fn from_face(face: u8, [u, v, w]: Point) -> Point {
    match face {
        0 => [w, u, v],
        1 => [-u, w, v],
        2 => [-u, -v, w],
        3 => [-w, -v, -u],
        4 => [v, -w, -u],
        _ => [v, u, -w],
    }
}

/// A cell as a rectangle in the plane of its face.
struct Tile {
    id: CellID,
    face: u8,
    u: (f64, f64),
    v: (f64, f64),
}

impl Tile {
    fn of(id: CellID) -> Self {
        let bound = id.bound_uv();
        Self { id, face: id.face(), u: (bound.x.lo, bound.x.hi), v: (bound.y.lo, bound.y.hi) }
    }

    fn corners(&self) -> [Point; 4] {
        [(self.u.0, self.v.0), (self.u.1, self.v.0), (self.u.1, self.v.1), (self.u.0, self.v.1)]
            .map(|(u, v)| from_face(self.face, [u, v, 1.0]))
    }

    fn centre(&self) -> Point {
        let middle = [(self.u.0 + self.u.1) / 2.0, (self.v.0 + self.v.1) / 2.0, 1.0];
        from_face(self.face, middle)
    }

    fn contains(&self, p: Point) -> bool {
        self.touches(p, p)
    }

    /// Whether the great-circle edge from `a` to `b` touches the cell, its border included.
    fn touches(&self, a: Point, b: Point) -> bool {
        let (a, b) = (on_face(self.face, a), on_face(self.face, b));
        // Each of the four planes as a number that is at least 0 on the cell's side.
        let sides = |p: Point| {
            [p[0] - self.u.0 * p[2], self.u.1 * p[2] - p[0], p[1] - self.v.0 * p[2], self.v.1 * p[2] - p[1]]
        };
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (from, to) in sides(a).into_iter().zip(sides(b)) {
            if from < 0.0 && to < 0.0 {
                return false;
            }
            let at = from / (from - to);
            if from < 0.0 {
                enter = enter.max(at);
            } else if to < 0.0 {
                leave = leave.min(at);
            }
        }
        enter <= leave
    }

    /// The angle from a point to the nearest point of the cell.
    fn distance(&self, p: Point) -> f64 {
        if self.contains(p) {
            return 0.0;
        }
        let corners = self.corners();
        (0..4).map(|k| distance_to_edge(p, corners[k], corners[(k + 1) % 4])).fold(f64::INFINITY, f64::min)
    }
}

fn distance_to_edge(p: Point, a: Point, b: Point) -> f64 {
    let normal = cross(a, b);
    // The foot of the perpendicular lies on the edge when p is on the inner side of both its ends.
    if dot(cross(normal, a), p) > 0.0 && dot(cross(b, normal), p) > 0.0 {
        let along = cross(normal, p);
        return dot(normal, p).abs().atan2(dot(along, along).sqrt());
    }
    angle(p, a).min(angle(p, b))
}

/// The cells that a circle touches: a cap of the sphere, not a polygon within it.
///
/// # Errors
/// [`CoverError::Radius`], or [`CoverError::TooLarge`] above [`MAX_COVERED_KM2`].
pub fn cover_circle(centre: Position, radius: Metres) -> Result<Vec<Cell>, CoverError> {
    if !(radius.get() > 0.0 && radius.get().is_finite()) {
        return Err(CoverError::Radius(radius.get()));
    }
    let reach = radius.get() / CELL_EARTH_RADIUS.get();
    let area = std::f64::consts::TAU * (1.0 - reach.min(std::f64::consts::PI).cos());
    within_limit(area)?;
    let centre = point(centre);
    let mut cells = Vec::new();
    let mut open: Vec<CellID> = (0..6).map(CellID::from_face).collect();
    while let Some(id) = open.pop() {
        let tile = Tile::of(id);
        if tile.distance(centre) <= reach {
            descend(&tile, &mut open, &mut cells);
        }
    }
    cells.sort_unstable();
    Ok(cells)
}

/// The cells that a polygon touches, its border and its inside. Either winding is accepted, the smaller side is meant; a polygon
/// without area is the line it makes. Edges are the shortest ways between vertices.
///
/// # Errors
/// [`CoverError`] for what is no polygon, crosses itself or is too large.
pub fn cover_polygon(vertices: &[Position]) -> Result<Vec<Cell>, CoverError> {
    if !(3..=MAX_COVERED_VERTICES).contains(&vertices.len()) {
        return Err(CoverError::VertexCount(vertices.len()));
    }
    let mut corners: Vec<Point> = vertices.iter().map(|&v| point(v)).collect();
    corners.dedup();
    while corners.len() > 1 && corners.first() == corners.last() {
        corners.pop();
    }
    let far = corners.iter().map(|&c| angle(corners[0], c)).fold(0.0, f64::max);
    if far > MAX_REACH {
        let kilometres = far * CELL_EARTH_RADIUS.get() / 1e3;
        return Err(CoverError::TooLarge(format!(
            "it reaches {kilometres:.0} km from its first vertex, {:.0} km are allowed",
            MAX_REACH * CELL_EARTH_RADIUS.get() / 1e3
        )));
    }
    let edges: Vec<(Point, Point)> =
        (0..corners.len()).map(|k| (corners[k], corners[(k + 1) % corners.len()])).collect();
    simple(&edges)?;
    within_limit(enclosed(&corners))?;
    let mut cells = Vec::new();
    let mut open: Vec<(CellID, Vec<u32>)> =
        (0..6).map(|face| (CellID::from_face(face), (0..edges.len() as u32).collect())).collect();
    while let Some((id, near)) = open.pop() {
        let tile = Tile::of(id);
        let near: Vec<u32> =
            near.into_iter().filter(|&k| tile.touches(edges[k as usize].0, edges[k as usize].1)).collect();
        if near.is_empty() && !winds_around(&edges, corners[0], tile.centre()) {
            continue;
        }
        if tile.id.level() == LEVEL {
            cells.push(Cell((tile.id.0 >> 35) as u32));
        } else {
            open.extend(tile.id.children().map(|child| (child, near.clone())));
        }
    }
    cells.sort_unstable();
    Ok(cells)
}

fn descend(tile: &Tile, open: &mut Vec<CellID>, cells: &mut Vec<Cell>) {
    if tile.id.level() == LEVEL {
        cells.push(Cell((tile.id.0 >> 35) as u32));
    } else {
        open.extend(tile.id.children());
    }
}

fn within_limit(steradians: f64) -> Result<(), CoverError> {
    let square_kilometres = steradians * (CELL_EARTH_RADIUS.get() / 1e3).powi(2);
    if square_kilometres <= MAX_COVERED_KM2 {
        return Ok(());
    }
    Err(CoverError::TooLarge(format!(
        "{square_kilometres:.0} square kilometres, {MAX_COVERED_KM2:.0} are allowed"
    )))
}

/// The area on the smaller side, in steradians: the sum of the signed triangles of a fan.
fn enclosed(corners: &[Point]) -> f64 {
    let triangle = |a: Point, b: Point, c: Point| {
        2.0 * dot(a, cross(b, c)).atan2(1.0 + dot(a, b) + dot(b, c) + dot(c, a))
    };
    corners.windows(2).map(|w| triangle(corners[0], w[0], w[1])).sum::<f64>().abs()
}

/// Whether no two edges that are not neighbours cross.
fn simple(edges: &[(Point, Point)]) -> Result<(), CoverError> {
    let normals: Vec<Point> = edges.iter().map(|&(a, b)| cross(a, b)).collect();
    for i in 0..edges.len() {
        for j in i + 2..edges.len() {
            if i == 0 && j + 1 == edges.len() {
                continue;
            }
            let apart = |n: Point, (c, d): (Point, Point)| dot(n, c) * dot(n, d) < 0.0;
            let same_side = || dot(edges[i].0, edges[j].0) > 0.0;
            if apart(normals[i], edges[j]) && apart(normals[j], edges[i]) && same_side() {
                return Err(CoverError::SelfIntersecting(i, j));
            }
        }
    }
    Ok(())
}

/// Whether the border goes around a point that it does not touch: the turns seen from there add up to a whole one.
fn winds_around(edges: &[(Point, Point)], near: Point, p: Point) -> bool {
    // Beyond the polygon's reach nothing is inside, and a border would be seen going around the antipode too.
    if edges.len() < 3 || dot(near, p) <= 0.0 || angle(near, p) > MAX_REACH {
        return false;
    }
    let turn = |&(a, b): &(Point, Point)| {
        let (left, right) = (cross(p, a), cross(p, b));
        (dot(cross(left, right), p) / dot(p, p).sqrt()).atan2(dot(left, right))
    };
    edges.iter().map(turn).sum::<f64>().abs() > std::f64::consts::PI
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Degrees;
    use proptest::prelude::*;

    fn at(latitude: f64, longitude: f64) -> Position {
        Position::new(Degrees::new(latitude), Degrees::new(longitude)).unwrap()
    }

    #[test]
    fn a_cell_and_its_numbers() {
        let cells = cover_circle(at(47.0, 8.0), Metres::new(1.0)).unwrap();
        assert_eq!(Cell::from_s2_id(cells[0].s2_id()), Some(cells[0]));
        assert_eq!(Cell::from_index(cells[0].index()), Some(cells[0]));
        assert_eq!(Cell::from_s2_id(cells[0].s2_id() + 2), None);
        assert_eq!(Cell::from_index(u32::MAX), None);
    }

    #[test]
    fn what_has_no_covering_is_told_why() {
        let square = |d: f64| vec![at(0.0, 0.0), at(0.0, d), at(d, d), at(d, 0.0)];
        assert!(cover_polygon(&square(0.44)).is_ok());
        assert!(cover_polygon(&square(0.46)).unwrap_err().to_string().contains("too large"));
        assert!(matches!(cover_polygon(&square(60.0)), Err(CoverError::TooLarge(_))));
        assert!(matches!(cover_polygon(&square(0.1)[..2]), Err(CoverError::VertexCount(2))));
        let bow = [at(0.0, 0.0), at(0.1, 0.1), at(0.0, 0.1), at(0.1, 0.0)];
        assert_eq!(cover_polygon(&bow), Err(CoverError::SelfIntersecting(0, 2)));
        assert!(matches!(cover_circle(at(0.0, 0.0), Metres::new(0.0)), Err(CoverError::Radius(_))));
        assert!(cover_circle(at(0.0, 0.0), Metres::new(28_200.0)).is_ok());
        assert!(matches!(cover_circle(at(0.0, 0.0), Metres::new(28_300.0)), Err(CoverError::TooLarge(_))));
        assert!(matches!(cover_circle(at(0.0, 0.0), Metres::new(1e9)), Err(CoverError::TooLarge(_))));
    }

    #[test]
    fn a_polygon_without_area_is_a_line() {
        let line = cover_polygon(&[at(10.0, 10.0), at(10.0, 10.1), at(10.0, 10.0)]).unwrap();
        let thin = cover_polygon(&[at(10.0, 10.0), at(10.0, 10.1), at(10.0, 10.1)]).unwrap();
        assert!(line.len() > 8 && line == thin);
        assert_eq!(cover_polygon(&[at(10.0, 10.0); 3]).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn either_winding_covers_the_same_and_every_vertex_is_covered(
            latitude in -89.0..89.0f64, longitude in -180.0..180.0f64, size in 1e-5..0.15f64, n in 3usize..12,
        ) {
            let corner = |k: usize| {
                let turn = std::f64::consts::TAU * k as f64 / n as f64;
                crate::geodesy::destination(
                    at(latitude, longitude),
                    Degrees::new(turn.to_degrees()),
                    Metres::new(size * 111_000.0),
                )
            };
            let mut corners: Vec<Position> = (0..n).map(corner).collect();
            let cells = cover_polygon(&corners).unwrap();
            for &corner in &corners {
                let tiny = cover_circle(corner, Metres::new(1e-3)).unwrap();
                prop_assert!(tiny.iter().any(|c| cells.binary_search(c).is_ok()));
            }
            let middle = cover_circle(at(latitude, longitude), Metres::new(1e-3)).unwrap();
            prop_assert!(middle.iter().any(|c| cells.binary_search(c).is_ok()));
            corners.reverse();
            prop_assert_eq!(cells, cover_polygon(&corners).unwrap());
        }
    }
}
