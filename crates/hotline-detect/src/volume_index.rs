//! An index over very many volumes: what may conflict with this one?
//!
//! A loose grid over the faces of a cube around the earth: every volume is filed once on each face that it touches,
//! under the cell that holds its middle, in cells at least as large as itself. A question looks at the cells within
//! half a cell of what it asks for, in each size of cell that is in use.

use crate::Dilation;
use crate::faces::{FACES, Rect, on_faces, outwards};
use crate::kinematics::surface;
use hotline_airspace::{Area, Datum, Metres, Position, TimeInterval, Volume4};
use rustc_hash::FxHashMap;
use std::hash::Hash;

/// Sizes of cells: a face has 1 to 2^(LEVELS - 1) along its edge, the smallest are 3 to 6 km wide. Smaller ones would
/// make questions about cities quicker and all others slower, since each cell is a place in memory to go to.
const LEVELS: usize = 12;
/// Beginning of the index's count of seconds: the year 2000.
const EPOCH: i64 = 946_684_800;
/// How far an edge may bend away from the straight line between its ends as seen from the earth's centre, as a part of
/// the square of its length in metres; a test below measures that it is enough.
const GEODESIC_BEND: f64 = 1e-9;

/// A filed volume. Bounds are rounded outwards.
#[derive(Debug, Clone, Copy)]
struct Filed<K> {
    u: [f32; 2],
    v: [f32; 2],
    z: [f32; 2],
    /// Seconds since [`EPOCH`].
    time: [u32; 2],
    key: K,
    number: u32,
    datum: Datum,
}

/// Volumes by key (a key may have many), found by place, altitude and time.
#[derive(Debug)]
pub struct VolumeIndex<K> {
    cells: FxHashMap<u64, Vec<Filed<K>>>,
    /// How many volumes are filed in cells of each size.
    in_use: [u32; LEVELS],
    /// The cells under which the volumes of a key are filed.
    known: FxHashMap<K, Box<[u64]>>,
}

impl<K> Default for VolumeIndex<K> {
    fn default() -> Self {
        Self { cells: FxHashMap::default(), in_use: [0; LEVELS], known: FxHashMap::default() }
    }
}

fn cell_key(face: u8, level: usize, a: u32, b: u32) -> u64 {
    u64::from(face) << 60 | (level as u64) << 56 | u64::from(a) << 28 | u64::from(b)
}

fn cell_of(x: f64, level: usize) -> u32 {
    let cells = f64::from(1u32 << level);
    ((x + 1.0) / 2.0 * cells).clamp(0.0, cells - 1.0) as u32
}

/// The smallest cells that are as large as the rectangle.
fn level_of(rect: &Rect) -> usize {
    let extent = (rect.u[1] - rect.u[0]).max(rect.v[1] - rect.v[0]);
    (2.0 / extent).log2().floor().clamp(0.0, (LEVELS - 1) as f64) as usize
}

fn seconds(time: TimeInterval) -> [u32; 2] {
    let count = |second: i64| (second - EPOCH).clamp(0, i64::from(u32::MAX)) as u32;
    [count(time.start().as_second()), count(time.end().as_second().saturating_add(1))]
}

/// The rectangles, one a face, around an area and all within `margin` of it.
fn rectangles(area: &Area, margin: f64, mut visit: impl FnMut(u8, Rect)) {
    let (places, reach): (Vec<[f64; 3]>, f64) = match area {
        Area::Circle { centre, radius } => (vec![surface(*centre).1], radius.get()),
        Area::Polygon(polygon) => (polygon.vertices().iter().map(|p| surface(*p).1).collect(), 0.0),
    };
    let mut around: [Option<Rect>; FACES] = [None; FACES];
    for (index, a) in places.iter().enumerate() {
        let b = places[(index + 1) % places.len()];
        let square = (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>();
        let margin = margin + reach + 1.0 + square * GEODESIC_BEND;
        on_faces(*a, b, margin, |face, rect| {
            let known = &mut around[usize::from(face)];
            let joined = |a: [f64; 2], b: [f64; 2]| [a[0].min(b[0]), a[1].max(b[1])];
            *known = Some(match known {
                Some(k) => Rect { u: joined(k.u, rect.u), v: joined(k.v, rect.v) },
                None => rect,
            });
        });
    }
    (0u8..).zip(around).for_each(|(face, rect)| {
        if let Some(rect) = rect {
            visit(face, rect);
        }
    });
}

/// What a question asks for beside the place.
struct Wanted {
    time: [u32; 2],
    z: Option<([f32; 2], Datum)>,
}

impl<K: Copy + Ord + Hash> VolumeIndex<K> {
    /// Files the volumes of a key, in place of those it had.
    pub fn insert(&mut self, key: K, volumes: &[Volume4]) {
        self.remove(key);
        let mut cells: Vec<u64> = Vec::with_capacity(volumes.len());
        for (number, volume) in (0u32..).zip(volumes) {
            let band = volume.altitude;
            let z = outwards([band.lower().metres().get(), band.upper().metres().get()]);
            let time = seconds(volume.time);
            rectangles(&volume.area, 0.0, |face, rect| {
                let level = level_of(&rect);
                let [a, b] = [rect.u, rect.v].map(|r| cell_of((r[0] + r[1]) / 2.0, level));
                let cell = cell_key(face, level, a, b);
                let (u, v) = (outwards(rect.u), outwards(rect.v));
                let filed = Filed { u, v, z, time, key, number, datum: band.datum() };
                self.cells.entry(cell).or_default().push(filed);
                self.in_use[level] += 1;
                cells.push(cell);
            });
        }
        self.known.insert(key, cells.into_boxed_slice());
    }

    /// Takes the volumes of a key out.
    pub fn remove(&mut self, key: K) {
        for &cell in self.known.remove(&key).iter().flat_map(|cells| cells.iter()) {
            let Some(filed) = self.cells.get_mut(&cell) else { continue };
            if let Some(at) = filed.iter().position(|f| f.key == key) {
                filed.swap_remove(at);
                self.in_use[(cell >> 56 & 0xf) as usize] -= 1;
            }
            if filed.is_empty() {
                self.cells.remove(&cell);
            }
        }
    }

    /// How many keys are filed.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is filed.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn search(&self, face: u8, rect: &Rect, wanted: &Wanted, found: &mut Vec<(K, u32)>) {
        let (u, v) = (outwards(rect.u), outwards(rect.v));
        let meet = |a: [f32; 2], b: [f32; 2]| a[0] <= b[1] && b[0] <= a[1];
        for level in (0..LEVELS).filter(|level| self.in_use[*level] > 0) {
            let half = 1.0 / f64::from(1u32 << level);
            let range = |r: [f64; 2]| cell_of(r[0] - half, level)..=cell_of(r[1] + half, level);
            for a in range(rect.u) {
                for b in range(rect.v) {
                    let Some(filed) = self.cells.get(&cell_key(face, level, a, b)) else { continue };
                    for one in filed {
                        let in_time = one.time[0] <= wanted.time[1] && wanted.time[0] <= one.time[1];
                        let in_height = match wanted.z {
                            Some((z, datum)) if datum == one.datum => meet(one.z, z),
                            _ => true,
                        };
                        if in_time && in_height && meet(one.u, u) && meet(one.v, v) {
                            found.push((one.key, one.number));
                        }
                    }
                }
            }
        }
    }

    /// Keys and numbers of all volumes that may conflict with this one, sorted.
    pub fn near(&self, volume: &Volume4, dilation: &Dilation) -> Vec<(K, u32)> {
        let (band, slack) = (volume.altitude, dilation.vertical.get());
        let z = [band.lower().metres().get() - slack, band.upper().metres().get() + slack];
        let wanted = Wanted {
            time: seconds(volume.time.widened(dilation.time)),
            z: Some((outwards(z), band.datum())),
        };
        self.ask(&volume.area, dilation.horizontal.get(), &wanted)
    }

    /// Keys and numbers of all volumes within `reach` of a place that are in force within the interval, sorted.
    pub fn around(&self, place: Position, reach: Metres, time: TimeInterval) -> Vec<(K, u32)> {
        let area = Area::Circle { centre: place, radius: reach };
        self.ask(&area, 0.0, &Wanted { time: seconds(time), z: None })
    }

    fn ask(&self, area: &Area, margin: f64, wanted: &Wanted) -> Vec<(K, u32)> {
        let mut found = Vec::new();
        rectangles(area, margin, |face, rect| self.search(face, &rect, wanted, &mut found));
        found.sort_unstable();
        // A volume near the edge of two faces is filed on both.
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::{Degrees, geodesy};
    use proptest::prelude::*;

    proptest! {
        /// Every point of an edge, drawn along its geodesic, is in the rectangles of its triangle.
        #[test]
        fn edges_bend_less_than_is_allowed(lat in -90.0..90.0, lon in -180.0..180.0, bearing in 0.0..360.0,
                                           way in 10.0..1_000_000.0, share in 0.0..1.0) {
            let from = Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap();
            let along = |way: f64| geodesy::destination(from, Degrees::new(bearing), Metres::new(way));
            let aside = geodesy::destination(from, Degrees::new((bearing + 60.0) % 360.0), Metres::new(way));
            let Ok(area) = Area::polygon(vec![from, along(way), aside]) else { return Ok(()) };
            let (mut around, mut point) = ([None; FACES], [None; FACES]);
            rectangles(&area, 0.0, |face, rect| around[usize::from(face)] = Some(rect));
            let place = surface(along(way * share)).1;
            on_faces(place, place, 0.0, |face, rect| point[usize::from(face)] = Some(rect));
            for (around, point) in around.iter().zip(point) {
                let Some(point) = point else { continue };
                let around = around.expect("the point's face is one of the edge's");
                prop_assert!(around.u[0] <= point.u[0] && point.u[1] <= around.u[1]);
                prop_assert!(around.v[0] <= point.v[0] && point.v[1] <= around.v[1]);
            }
        }
    }
}
