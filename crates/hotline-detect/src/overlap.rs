//! Plans against plans and restrictions: overlap of 4D volumes, and an index over many of them.

use crate::cell_grid::{Box3, CellGrid};
use crate::distance_between;
use crate::kinematics::surface;
use hotline_airspace::{DatumConversions, Metres, Seconds, TimeInterval, Volume4, geodesy};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How far apart volumes must be so as not to conflict. All 0: only true overlap conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Dilation {
    /// Horizontal distance.
    pub horizontal: Metres,
    /// Vertical distance.
    pub vertical: Metres,
    /// Time between the end of one and the start of the other.
    pub time: Seconds,
}

/// When two volumes conflict: their common time, if they are not farther apart than the dilation in area,
/// altitude and time. Borders count as overlap.
pub fn volumes_conflict(
    one: &Volume4,
    other: &Volume4,
    dilation: &Dilation,
    conversions: &DatumConversions,
) -> Option<(Timestamp, Timestamp)> {
    let time = one.time.widened(dilation.time);
    if !time.overlaps(other.time) || !one.altitude.overlaps(other.altitude, dilation.vertical, conversions) {
        return None;
    }
    let ((middle_a, reach_a), (middle_b, reach_b)) =
        (one.area.bounding_circle(), other.area.bounding_circle());
    if geodesy::distance(middle_a, middle_b).get() > (reach_a + reach_b + dilation.horizontal).get() {
        return None;
    }
    (distance_between(&one.area, &other.area).get() <= dilation.horizontal.get())
        .then(|| (time.start().max(other.time.start()), time.end().min(other.time.end())))
}

/// Edge of the index's cubes, metres.
const CELL_EDGE: f64 = 20_000.0;

/// Volumes by key (a key may have many), found by place and time.
#[derive(Debug)]
pub struct VolumeIndex<K> {
    grid: CellGrid<(K, u32)>,
    volumes: BTreeMap<(K, u32), (Box3, TimeInterval)>,
}

impl<K: Copy + Ord> Default for VolumeIndex<K> {
    fn default() -> Self {
        Self { grid: CellGrid::new(CELL_EDGE), volumes: BTreeMap::new() }
    }
}

/// The box around an area on the ellipsoid and all within `margin` of it. A cap is inside the box about its
/// centre, since a chord is not longer than its arc.
fn area_box(volume: &Volume4, margin: f64) -> Box3 {
    let (middle, reach) = volume.area.bounding_circle();
    let (_, place) = surface(middle);
    Box3::around(place, place, reach.get() + margin + 1.0)
}

impl<K: Copy + Ord> VolumeIndex<K> {
    /// Files the volumes of a key, in place of those it had.
    pub fn insert(&mut self, key: K, volumes: &[Volume4]) {
        self.remove(key);
        for (number, volume) in (0u32..).zip(volumes) {
            let place = area_box(volume, 0.0);
            self.grid.insert((key, number), &place);
            self.volumes.insert((key, number), (place, volume.time));
        }
    }

    /// Takes the volumes of a key out.
    pub fn remove(&mut self, key: K) {
        let filed: Vec<u32> = self.volumes.range((key, 0)..=(key, u32::MAX)).map(|(k, _)| k.1).collect();
        for number in filed {
            if let Some((place, _)) = self.volumes.remove(&(key, number)) {
                self.grid.remove((key, number), &place);
            }
        }
    }

    /// Keys and numbers of all volumes that may conflict with this one, sorted.
    pub fn near(&self, volume: &Volume4, dilation: &Dilation) -> Vec<(K, u32)> {
        let time = volume.time.widened(dilation.time);
        let mut found = Vec::new();
        self.grid.candidates(&area_box(volume, dilation.horizontal.get()), |key| {
            if self.volumes[&key].1.overlaps(time) {
                found.push(key);
            }
        });
        found.sort_unstable();
        found
    }

    /// Keys and numbers of all volumes within `reach` of a place that are in force within the interval, sorted.
    pub fn around(
        &self,
        place: hotline_airspace::Position,
        reach: Metres,
        time: TimeInterval,
    ) -> Vec<(K, u32)> {
        let (_, centre) = surface(place);
        let mut found = Vec::new();
        self.grid.candidates(&Box3::around(centre, centre, reach.get() + 1.0), |key| {
            if self.volumes[&key].1.overlaps(time) {
                found.push(key);
            }
        });
        found.sort_unstable();
        found
    }
}
