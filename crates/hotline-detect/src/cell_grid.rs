//! A grid of cubes in space: finds what may touch a box without looking at everything.

use rustc_hash::FxHashMap;

/// An axis-aligned box in earth-centred coordinates, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Box3 {
    pub(crate) low: [f64; 3],
    pub(crate) high: [f64; 3],
}

impl Box3 {
    /// The box around two points, grown by `margin` on all sides.
    pub(crate) fn around(a: [f64; 3], b: [f64; 3], margin: f64) -> Self {
        let mut made = Self { low: a, high: a };
        for i in 0..3 {
            made.low[i] = a[i].min(b[i]) - margin;
            made.high[i] = a[i].max(b[i]) + margin;
        }
        made
    }
}

type Cell = [i32; 3];

/// What covers more cells than this is kept in a list of its own and always looked at.
const MAX_CELLS: i64 = 1_000;

/// Things with a box each, filed under every cell that their box touches.
#[derive(Debug)]
pub(crate) struct CellGrid<K> {
    edge: f64,
    cells: FxHashMap<Cell, Vec<(K, Cell)>>,
    wide: Vec<K>,
}

impl<K: Copy + PartialEq> CellGrid<K> {
    /// A grid of cubes of that edge, metres.
    pub(crate) fn new(edge: f64) -> Self {
        Self { edge, cells: FxHashMap::default(), wide: Vec::new() }
    }

    fn span(&self, of: &Box3) -> (Cell, Cell) {
        let cell = |x: f64| (x / self.edge).floor() as i32;
        (of.low.map(cell), of.high.map(cell))
    }

    fn is_wide((low, high): (Cell, Cell)) -> bool {
        (0..3).map(|i| i64::from(high[i]) - i64::from(low[i]) + 1).product::<i64>() > MAX_CELLS
    }

    fn each_cell((low, high): (Cell, Cell), mut visit: impl FnMut(Cell)) {
        for x in low[0]..=high[0] {
            for y in low[1]..=high[1] {
                for z in low[2]..=high[2] {
                    visit([x, y, z]);
                }
            }
        }
    }

    pub(crate) fn insert(&mut self, key: K, of: &Box3) {
        let span = self.span(of);
        if Self::is_wide(span) {
            self.wide.push(key);
            return;
        }
        Self::each_cell(span, |cell| self.cells.entry(cell).or_default().push((key, span.0)));
    }

    /// Takes out what was put in under the same key and box.
    pub(crate) fn remove(&mut self, key: K, of: &Box3) {
        let span = self.span(of);
        if Self::is_wide(span) {
            self.wide.retain(|&k| k != key);
            return;
        }
        Self::each_cell(span, |cell| {
            if let Some(filed) = self.cells.get_mut(&cell) {
                if let Some(at) = filed.iter().position(|&(k, _)| k == key) {
                    filed.swap_remove(at);
                }
                if filed.is_empty() {
                    self.cells.remove(&cell);
                }
            }
        });
    }

    /// Visits once each everything whose box may touch this one.
    pub(crate) fn candidates(&self, of: &Box3, mut visit: impl FnMut(K)) {
        let span = self.span(of);
        self.wide.iter().for_each(|&k| visit(k));
        if Self::is_wide(span) {
            // Cheaper to go through what is filed than through all cells of the span.
            for (cell, filed) in &self.cells {
                filed.iter().filter(|(_, low)| low == cell).for_each(|&(k, _)| visit(k));
            }
            return;
        }
        // Two boxes share a block of cells; they meet in its lowest one only.
        Self::each_cell(span, |cell| {
            for &(k, low) in self.cells.get(&cell).map_or(&[][..], Vec::as_slice) {
                if (0..3).all(|i| cell[i] == low[i].max(span.0[i])) {
                    visit(k);
                }
            }
        });
    }
}
