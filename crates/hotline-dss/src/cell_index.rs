//! Which entities touch a cell, by time.
//!
//! In each cell entries are kept by the power of two above their duration, and within it by their start. What meets
//! an interval of time then begins at most so long before it, and little else does: a cell that holds a million entries of
//! a year answers for an hour as fast as one that holds those of the hour.

use crate::Extent;
use hotline_airspace::Cell;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Where an entry is found: class of duration, start, slot.
type Place = (u8, i64, u32);

#[derive(Debug, Clone, Copy)]
struct Reach {
    end: i64,
    lower: f64,
    upper: f64,
}

#[derive(Debug, Default)]
struct Column {
    /// One bit for each class that has been used.
    classes: u64,
    entries: BTreeMap<Place, Reach>,
}

#[derive(Debug, Default)]
pub(crate) struct CellIndex {
    columns: FxHashMap<Cell, Column>,
}

/// The number of bits of a duration in microseconds: it is below two to the power of it.
fn class(extent: &Extent) -> u8 {
    (64 - extent.end.since(extent.start).max(0).leading_zeros()) as u8
}

impl CellIndex {
    pub(crate) fn insert(&mut self, slot: u32, extent: &Extent) {
        let class = class(extent);
        let place = (class, extent.start.micros(), slot);
        let reach = Reach { end: extent.end.micros(), lower: extent.lower, upper: extent.upper };
        for &cell in extent.cells.iter() {
            let column = self.columns.entry(cell).or_default();
            column.classes |= 1 << class;
            column.entries.insert(place, reach);
        }
    }

    pub(crate) fn remove(&mut self, slot: u32, extent: &Extent) {
        let place = (class(extent), extent.start.micros(), slot);
        for cell in extent.cells.iter() {
            let Some(column) = self.columns.get_mut(cell) else { continue };
            column.entries.remove(&place);
            if column.entries.is_empty() {
                self.columns.remove(cell);
            }
        }
    }

    /// The slots of all entries that overlap the extent, in order, each once.
    pub(crate) fn overlapping(&self, extent: &Extent) -> Vec<u32> {
        let mut found = Vec::new();
        for cell in extent.cells.iter() {
            if let Some(column) = self.columns.get(cell) {
                column.overlapping(extent, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Column {
    fn overlapping(&self, extent: &Extent, found: &mut Vec<u32>) {
        let (start, end) = (extent.start.micros(), extent.end.micros());
        if start > end {
            // No instant is in it.
            return;
        }
        let mut classes = self.classes;
        while classes != 0 {
            let class = classes.trailing_zeros() as u8;
            classes &= classes - 1;
            let longest = if class >= 63 { i64::MAX } else { 1 << class };
            let from = (class, start.saturating_sub(longest), 0);
            for (&(_, _, slot), reach) in self.entries.range(from..=(class, end, u32::MAX)) {
                if reach.end >= start && reach.lower <= extent.upper && extent.lower <= reach.upper {
                    found.push(slot);
                }
            }
        }
    }
}
