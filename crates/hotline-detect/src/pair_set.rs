//! The set of all pairs in conflict, kept up to date while some aircraft change.
//!
//! Reaches are filed, as in the full pass, under cells: a layer of altitude of a square of a face. A change looks only
//! at the cells that the aircraft's new reach touches.

use crate::coarse::{bend, near_in_space, near_vertically};
use crate::faces::{FACES, Rect, on_faces, outwards};
use crate::pair_sweep::{SizeClasses, Sized};
use crate::{Encounter, Kinematics, MAX_LOOKAHEAD, Minima, encounter};
use hotline_airspace::{Datum, DatumConversions, MAX_GROUND_SPEED, Seconds};

/// Thickness of a layer of altitude, metres, and how many there are.
const LAYER: f64 = 2_000.0;
const LAYERS: usize = 8;
/// Squares along the edge of a face.
const SQUARES: usize = 96;

/// Aircraft are taken to be no faster, metres a second, until a faster one comes.
const FAST: f64 = 350.0;

/// An aircraft's reach on one face.
#[derive(Debug, Clone, Copy)]
struct Reach {
    aircraft: u32,
    face: u8,
    /// Lowest and highest cell: square along u and v, layer.
    low: [u8; 3],
    high: [u8; 3],
    u: [f32; 2],
    v: [f32; 2],
    /// Altitudes that it may have, half the minimum included.
    z: [f32; 2],
}

impl Reach {
    fn filed_as(&self, other: &Self) -> bool {
        (self.face, self.low, self.high) == (other.face, other.low, other.high)
    }
}

/// All pairs of aircraft in conflict, incrementally. Aircraft are named by the caller with small numbers.
#[derive(Debug)]
pub struct PairSet {
    classes: SizeClasses,
    widest: Minima,
    lookahead: f64,
    /// Reaches are grown for partners at most so fast, metres a second.
    fastest: f64,
    conversions: DatumConversions,
    /// Of all faces: a table without holes, 11 MB when empty, saves looking each cell up.
    cells: Vec<Vec<Reach>>,
    aircraft: Vec<Option<Sized>>,
    /// Each aircraft's partners; a pair is listed by both.
    partners: Vec<Vec<(u32, Encounter)>>,
}

impl PairSet {
    /// An empty set for a look-ahead (held to 0 to [`MAX_LOOKAHEAD`]).
    pub fn new(classes: SizeClasses, lookahead: Seconds, conversions: DatumConversions) -> Self {
        Self {
            widest: classes.widest(),
            classes,
            lookahead: lookahead.get().clamp(0.0, MAX_LOOKAHEAD.get()),
            fastest: FAST,
            conversions,
            cells: vec![Vec::new(); FACES * SQUARES * SQUARES * LAYERS],
            aircraft: Vec::new(),
            partners: Vec::new(),
        }
    }

    /// Puts an aircraft in, or at its new state; all states are of one instant. Its pairs are found anew.
    pub fn update(&mut self, number: u32, state: Sized) {
        if state.0.speed() > self.fastest {
            self.grow(state.0.speed());
        }
        let index = number as usize;
        if self.aircraft.len() <= index {
            self.aircraft.resize(index + 1, None);
            self.partners.resize_with(index + 1, Vec::new);
        }
        let mut reaches: Vec<Reach> = Vec::with_capacity(4);
        self.reaches(number, &state, |reach| reaches.push(reach));
        // A report a little later is mostly filed where the last one was.
        let stays = self.aircraft[index].is_some_and(|old| {
            let (mut same, mut count) = (true, 0);
            self.reaches(number, &old, |old| {
                same = same && reaches.get(count).is_some_and(|new| new.filed_as(&old));
                count += 1;
            });
            same && count == reaches.len()
        });
        if stays {
            self.forget_partners(number);
        } else {
            self.remove(number);
        }
        let mut found: Vec<u32> = Vec::with_capacity(16);
        for reach in &reaches {
            for_cells(reach, |cell, key| {
                let filed = &mut self.cells[key];
                let mut before = None;
                let meet = |a: [f32; 2], b: [f32; 2]| (a[0] <= b[1]) & (b[0] <= a[1]);
                for (at, other) in filed.iter().enumerate() {
                    // One condition, so that it does not branch.
                    if !(meet(reach.z, other.z) & meet(reach.u, other.u) & meet(reach.v, other.v))
                        && other.aircraft != number
                    {
                        continue;
                    }
                    if other.aircraft == number {
                        before = Some(at);
                    } else if (0..3).all(|i| cell[i] == reach.low[i].max(other.low[i])) {
                        found.push(other.aircraft);
                    }
                }
                match before {
                    Some(at) => filed[at] = *reach,
                    None => filed.push(*reach),
                }
            });
        }
        self.aircraft[index] = Some(state);
        // Two reaches may meet on two faces.
        found.sort_unstable();
        found.dedup();
        for other in found {
            self.test(number, other);
        }
    }

    /// Files all aircraft anew, with reaches grown for partners as fast as this and half as fast again.
    fn grow(&mut self, speed: f64) {
        self.fastest = (speed * 1.5).min(MAX_GROUND_SPEED.get()).max(speed);
        self.cells.iter_mut().for_each(Vec::clear);
        for (number, state) in (0u32..).zip(self.aircraft.clone()) {
            let Some(state) = state else { continue };
            let mut reaches: Vec<Reach> = Vec::new();
            self.reaches(number, &state, |reach| reaches.push(reach));
            for reach in &reaches {
                for_cells(reach, |_, key| self.cells[key].push(*reach));
            }
        }
    }

    fn forget_partners(&mut self, number: u32) {
        let mut partners = std::mem::take(&mut self.partners[number as usize]);
        for (other, _) in partners.drain(..) {
            self.partners[other as usize].retain(|(partner, _)| *partner != number);
        }
        self.partners[number as usize] = partners;
    }

    fn test(&mut self, number: u32, other: u32) {
        let (i, j) = (number.min(other), number.max(other));
        let (Some((one, class)), Some((two, other_class))) =
            (&self.aircraft[i as usize], &self.aircraft[j as usize])
        else {
            return;
        };
        let minima = self.classes.between(*class, *other_class);
        let lookahead = Seconds::new(self.lookahead);
        if !self.may_meet(one, two, &minima) {
            return;
        }
        if let Some(met) = encounter(one, two, &minima, lookahead, &self.conversions) {
            self.partners[i as usize].push((j, met));
            self.partners[j as usize].push((i, met));
        }
    }

    fn may_meet(&self, one: &Kinematics, two: &Kinematics, minima: &Minima) -> bool {
        let window = if one.datum() == two.datum() {
            let (apart, closing) = (one.altitude() - two.altitude(), one.climb() - two.climb());
            match near_vertically(apart, closing, minima.vertical().get() + 0.1, self.lookahead) {
                Some(window) => window,
                None => return false,
            }
        } else {
            [0.0, self.lookahead]
        };
        let difference = |a: [f64; 3], b: [f64; 3]| -> [f64; 3] { std::array::from_fn(|i| a[i] - b[i]) };
        let (s, v) = (difference(one.place, two.place), difference(one.velocity, two.velocity));
        let widest = minima.horizontal().get();
        let (path, other) = (one.speed() * self.lookahead, two.speed() * self.lookahead);
        let reach = widest + bend(path, other, widest) + bend(other, path, widest) + 1.0;
        near_in_space(s, v, window, reach)
    }

    /// Takes an aircraft out, and its pairs.
    pub fn remove(&mut self, number: u32) {
        let Some(state) = self.aircraft.get_mut(number as usize).and_then(Option::take) else { return };
        let mut reaches: Vec<Reach> = Vec::new();
        self.reaches(number, &state, |reach| reaches.push(reach));
        for reach in &reaches {
            for_cells(reach, |_, key| {
                let filed = &mut self.cells[key];
                if let Some(at) = filed.iter().position(|other| other.aircraft == number) {
                    filed.swap_remove(at);
                }
            });
        }
        self.forget_partners(number);
    }

    /// The aircraft in conflict with one, with when and how near, in no particular order.
    pub fn partners(&self, number: u32) -> &[(u32, Encounter)] {
        self.partners.get(number as usize).map_or(&[], Vec::as_slice)
    }

    /// All pairs (i < j), sorted.
    pub fn pairs(&self) -> Vec<(usize, usize, Encounter)> {
        let of = |(i, partners): (usize, &Vec<(u32, Encounter)>)| {
            let mut later: Vec<(usize, usize, Encounter)> = partners
                .iter()
                .filter(|(j, _)| *j as usize > i)
                .map(|(j, met)| (i, *j as usize, *met))
                .collect();
            later.sort_unstable_by_key(|(_, j, _)| *j);
            later
        };
        self.partners.iter().enumerate().flat_map(of).collect()
    }

    /// The reaches of an aircraft. How its path is grown is derived at [`bend`].
    fn reaches(&self, number: u32, (kinematics, _): &Sized, mut visit: impl FnMut(Reach)) {
        let path = kinematics.speed() * self.lookahead;
        let bend = bend(path, self.fastest * self.lookahead, self.widest.horizontal().get());
        let margin = self.widest.horizontal().get() / 2.0 + bend + 1.0;
        let end = std::array::from_fn(|i| kinematics.place[i] + kinematics.velocity[i] * self.lookahead);
        let half = self.widest.vertical().get() / 2.0 + 0.1;
        let now = kinematics.altitude();
        let then = now + kinematics.climb() * self.lookahead;
        // Altitudes of one datum are filed by height; others may be anywhere.
        let z = if kinematics.datum() == Datum::Barometric {
            [now.min(then) - half, now.max(then) + half]
        } else {
            [f64::NEG_INFINITY, f64::INFINITY]
        };
        let layers = z.map(|z| (z / LAYER).clamp(0.0, (LAYERS - 1) as f64) as u8);
        on_faces(kinematics.place, end, margin, |face, Rect { u, v }| {
            let square = |x: f64| ((x + 1.0) / 2.0 * SQUARES as f64).clamp(0.0, (SQUARES - 1) as f64) as u8;
            visit(Reach {
                aircraft: number,
                face,
                low: [square(u[0]), square(v[0]), layers[0]],
                high: [square(u[1]), square(v[1]), layers[1]],
                u: outwards(u),
                v: outwards(v),
                z: outwards(z),
            });
        });
    }
}

fn for_cells(reach: &Reach, mut visit: impl FnMut([u8; 3], usize)) {
    for a in reach.low[0]..=reach.high[0] {
        for b in reach.low[1]..=reach.high[1] {
            let square = (usize::from(reach.face) * SQUARES + usize::from(a)) * SQUARES + usize::from(b);
            for layer in reach.low[2]..=reach.high[2] {
                visit([a, b, layer], square * LAYERS + usize::from(layer));
            }
        }
    }
}
