//! All pairs in conflict within a look-ahead, without looking at all pairs.
//!
//! Each aircraft's straight path over the look-ahead, grown by half the widest minimum and by what the flat
//! frames of its pairs may differ from space, is filed in a grid of cubes; only aircraft that share a cube go
//! through the exact pair test. The growth is derived in [`PairFinder::reach`], so no conflict is missed.

use crate::cell_grid::{Box3, CellGrid};
use crate::coarse::bend;
use crate::{Encounter, Kinematics, Minima, encounter};
use hotline_airspace::{DatumConversions, MAX_GROUND_SPEED, Metres, Seconds};
use std::collections::BTreeMap;

/// The longest look-ahead of the pair finder.
pub const MAX_LOOKAHEAD: Seconds = Seconds::new(1_200.0);

/// Edge of the grid's cubes, metres.
const CELL_EDGE: f64 = 24_000.0;

/// Keeps aircraft by key and finds which of them may conflict with one.
#[derive(Debug)]
pub struct PairFinder<K> {
    lookahead: f64,
    widest: f64,
    grid: CellGrid<K>,
    known: BTreeMap<K, (Kinematics, Box3)>,
}

impl<K: Copy + Ord> PairFinder<K> {
    /// A finder for a look-ahead (held to 0 to [`MAX_LOOKAHEAD`]) and the widest horizontal minimum in use.
    pub fn new(lookahead: Seconds, widest: Metres) -> Self {
        Self {
            lookahead: lookahead.get().clamp(0.0, MAX_LOOKAHEAD.get()),
            widest: widest.get(),
            grid: CellGrid::new(CELL_EDGE),
            known: BTreeMap::new(),
        }
    }

    /// The box that holds all places where this aircraft can be part of a conflict: a pair in conflict at t <= T is now
    /// at most D + (v + v') T apart, and [`bend`] says how far its flat frame then differs from space.
    fn reach(&self, of: &Kinematics) -> Box3 {
        let path = of.speed() * self.lookahead;
        let bend = bend(path, MAX_GROUND_SPEED.get() * self.lookahead, self.widest);
        let end = std::array::from_fn(|i| of.place[i] + of.velocity[i] * self.lookahead);
        Box3::around(of.place, end, self.widest / 2.0 + bend + 1.0)
    }

    /// Puts an aircraft in, or at its new state.
    pub fn update(&mut self, key: K, kinematics: Kinematics) {
        self.remove(key);
        let reach = self.reach(&kinematics);
        self.grid.insert(key, &reach);
        self.known.insert(key, (kinematics, reach));
    }

    /// Takes an aircraft out.
    pub fn remove(&mut self, key: K) {
        if let Some((_, reach)) = self.known.remove(&key) {
            self.grid.remove(key, &reach);
        }
    }

    /// How many aircraft are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Visits every other aircraft that may conflict with this one within the look-ahead, each once, in no
    /// particular order.
    pub fn near(&self, key: K, mut visit: impl FnMut(K, &Kinematics)) {
        let Some((_, reach)) = self.known.get(&key) else { return };
        self.grid.candidates(reach, |other| {
            if other != key {
                visit(other, &self.known[&other].0);
            }
        });
    }
}

impl<K: Copy + Ord> PairFinder<K> {
    /// Whether any aircraft that `wanted` accepts is within a distance of this one, both at their own times.
    pub fn any_within(&self, key: K, distance: Metres, wanted: impl Fn(K) -> bool) -> bool {
        let Some((own, _)) = self.known.get(&key) else { return false };
        let mut found = false;
        self.grid.candidates(&Box3::around(own.place, own.place, distance.get()), |other| {
            found = found || other != key && wanted(other) && own.distance(&self.known[&other].0) <= distance;
        });
        found
    }
}

/// All pairs by looking at every pair: the yardstick for tests and benchmarks.
pub fn all_pairs_brute_force(
    aircraft: &[Kinematics],
    minima: &Minima,
    lookahead: Seconds,
    conversions: &DatumConversions,
) -> Vec<(usize, usize, Encounter)> {
    let mut found = Vec::new();
    for (i, one) in aircraft.iter().enumerate() {
        for (j, other) in aircraft.iter().enumerate().skip(i + 1) {
            if let Some(met) = encounter(one, other, minima, lookahead, conversions) {
                found.push((i, j, met));
            }
        }
    }
    found
}
