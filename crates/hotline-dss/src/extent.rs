//! Volumes as they are compared: cells, a band of altitudes, an interval of time.

use crate::{Moment, codec};
use hotline_airspace::Cell;
use minicbor::{Decode, Encode};
use std::sync::Arc;

/// The most cells of an extent; more is too large an area (2 500 square kilometres are about 2 000 cells).
pub const MAX_CELLS: usize = 10_000;

/// A volume of airspace and time. Borders belong to it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Extent {
    /// The cells it touches, in order, each once.
    #[cbor(n(0), with = "codec::cells")]
    pub cells: Arc<[Cell]>,
    /// Its lowest altitude, metres above the WGS84 ellipsoid; minus infinity when it has none.
    #[n(1)]
    pub lower: f64,
    /// Its highest altitude, metres above the WGS84 ellipsoid; infinity when it has none.
    #[n(2)]
    pub upper: f64,
    /// When it begins.
    #[n(3)]
    pub start: Moment,
    /// When it ends.
    #[n(4)]
    pub end: Moment,
}

impl Extent {
    /// Whether the two share a cell, an altitude and an instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.meets(other) && share_a_cell(&self.cells, &other.cells)
    }

    /// Whether the two share an altitude and an instant.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.lower <= other.upper
            && other.lower <= self.upper
            && self.start <= other.end
            && other.start <= self.end
    }

    /// Whether it contains the other from `now` on.
    pub fn covers(&self, other: &Self, now: Moment) -> bool {
        self.lower <= other.lower
            && other.upper <= self.upper
            && self.start <= other.start.max(now)
            && other.end <= self.end
            && other.cells.iter().all(|cell| self.cells.binary_search(cell).is_ok())
    }

    /// The smallest extent that contains both; none when it has too many cells.
    pub fn union(&self, other: &Self) -> Option<Self> {
        let cells = if self.cells == other.cells {
            self.cells.clone()
        } else {
            let mut cells: Vec<Cell> = self.cells.iter().chain(other.cells.iter()).copied().collect();
            cells.sort_unstable();
            cells.dedup();
            cells.into()
        };
        (cells.len() <= MAX_CELLS).then(|| Self {
            cells,
            lower: self.lower.min(other.lower),
            upper: self.upper.max(other.upper),
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        })
    }
}

pub(crate) fn share_a_cell(a: &[Cell], b: &[Cell]) -> bool {
    let (few, many) = if a.len() < b.len() { (a, b) } else { (b, a) };
    few.iter().any(|cell| many.binary_search(cell).is_ok())
}
