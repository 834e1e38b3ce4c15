//! All pairs in conflict among very many aircraft, in one pass.
//!
//! Every aircraft's reach (its straight path over the look-ahead, grown so that two aircraft in conflict have reaches
//! that meet) is cut into layers of altitude, then laid on the faces of a cube as a rectangle, then into bands of a
//! face. In each layer of each band the rectangles are swept in one direction; those that meet go through a cheap
//! test in space that errs on the side of conflict, and what is left through the exact test. The work is cut into
//! jobs that an [`Executor`] may run in any order on any threads: the result does not depend on it.

use crate::coarse::{bend, near_in_space, near_vertically};
use crate::faces::{FACES, on_faces, outwards};
use crate::{Encounter, Kinematics, MAX_LOOKAHEAD, Minima, encounter};
use hotline_airspace::{Datum, DatumConversions, Metres, Seconds};
use std::sync::Mutex;

/// Runs jobs.
pub trait Executor {
    /// Runs `job(0)` to `job(jobs - 1)`, each once, in any order and on any threads, and returns when all are done.
    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync));
}

/// Runs one job after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serial;

impl Executor for Serial {
    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..jobs).for_each(job);
    }
}

/// Separation minima by size class.
#[derive(Debug, Clone, PartialEq)]
pub struct SizeClasses {
    classes: Vec<Minima>,
}

impl SizeClasses {
    /// The minima that an aircraft of class 0, 1, ... needs around itself; at most 256, at least one.
    pub fn new(classes: Vec<Minima>) -> Option<Self> {
        (!classes.is_empty() && classes.len() <= 256).then_some(Self { classes })
    }

    /// The minima between two aircraft: horizontally and vertically the larger of what each needs. A class that is
    /// not known counts as the last one.
    pub fn between(&self, a: u8, b: u8) -> Minima {
        let of = |class: u8| &self.classes[usize::from(class).min(self.classes.len() - 1)];
        of(a).wider(of(b))
    }

    pub(crate) fn widest(&self) -> Minima {
        self.classes.iter().fold(self.classes[0], |widest, class| widest.wider(class))
    }
}

impl From<Minima> for SizeClasses {
    fn from(minima: Minima) -> Self {
        Self { classes: vec![minima] }
    }
}

/// An aircraft of a pass: its kinematics and its size class.
pub type Sized = (Kinematics, u8);

/// Thickness of a layer of altitude, metres.
const LAYER: f64 = 1600.0;
/// Layers; the first and the last reach on without bound.
const LAYERS: usize = 32;
/// Bands of a face.
const BANDS: usize = 128;
/// Fewest and most aircraft of one job of the first stage.
const CHUNKS: std::ops::RangeInclusive<usize> = 1024..=8192;
/// What single precision may be wrong by, metres.
const ROUNDING: f64 = 4.0;

/// A reach in one layer of one band.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Layer here, lowest layer and lowest band of the reach on this face.
    layer: u8,
    lowest_layer: u8,
    lowest_band: u8,
    class: u8,
    aircraft: u32,
    u: [f32; 2],
    v: [f32; 2],
    altitude: f32,
    climb: f32,
    place: [f32; 3],
    velocity: [f32; 3],
    bend: f32,
    /// The altitude cannot be compared with all others.
    other_datum: bool,
}

/// What the sweep looks at first of a piece.
#[derive(Debug, Clone, Copy)]
struct Front {
    u: [f32; 2],
    v: [f32; 2],
    index: u32,
    layer: u8,
    lowest_layer: u8,
    lowest_band: u8,
}

/// The pieces of a chunk of aircraft, by face and band.
struct Chunk {
    pieces: Vec<Piece>,
    /// Where each group begins; one more than there are groups.
    begins: Vec<u32>,
}

const GROUPS: usize = FACES * BANDS;

fn layer_of(altitude: f64) -> u8 {
    (altitude / LAYER).floor().clamp(0.0, (LAYERS - 1) as f64) as u8
}

fn band_of(v: f64) -> u8 {
    ((v + 1.0) / 2.0 * BANDS as f64).floor().clamp(0.0, (BANDS - 1) as f64) as u8
}

/// What a pass needs to know of all aircraft.
struct Pass<'a> {
    aircraft: &'a [Sized],
    classes: &'a SizeClasses,
    widest: Minima,
    lookahead: f64,
    fastest: f64,
    datum: Datum,
    conversions: &'a DatumConversions,
}

impl Pass<'_> {
    fn chunk(&self, first: usize, size: usize) -> Chunk {
        let mut found: Vec<(u16, Piece)> = Vec::with_capacity(size * 4);
        let last = (first + size).min(self.aircraft.len());
        for (index, (kinematics, class)) in self.aircraft.iter().enumerate().take(last).skip(first) {
            self.pieces(index as u32, kinematics, *class, &mut found);
        }
        let mut begins = vec![0u32; GROUPS + 1];
        found.iter().for_each(|(group, _)| begins[usize::from(*group) + 1] += 1);
        for group in 0..GROUPS {
            begins[group + 1] += begins[group];
        }
        let mut order = vec![0u32; found.len()];
        let mut next = begins.clone();
        for (index, (group, _)) in found.iter().enumerate() {
            let at = &mut next[usize::from(*group)];
            order[*at as usize] = index as u32;
            *at += 1;
        }
        Chunk { pieces: order.iter().map(|&index| found[index as usize].1).collect(), begins }
    }

    /// The pieces of one aircraft. How its path is grown is derived at [`bend`].
    fn pieces(&self, aircraft: u32, of: &Kinematics, class: u8, found: &mut Vec<(u16, Piece)>) {
        let path = of.speed() * self.lookahead;
        let bend = bend(path, self.fastest * self.lookahead, self.widest.horizontal().get());
        let margin = self.widest.horizontal().get() / 2.0 + bend + 1.0;
        let end = std::array::from_fn(|i| of.place[i] + of.velocity[i] * self.lookahead);
        let other_datum = of.datum() != self.datum;
        let (now, then) = (of.altitude(), of.altitude() + of.climb() * self.lookahead);
        let half = self.widest.vertical().get() / 2.0;
        let layers = if other_datum {
            [0, LAYERS as u8 - 1]
        } else {
            [layer_of(now.min(then) - half), layer_of(now.max(then) + half)]
        };
        on_faces(of.place, end, margin, |face, rect| {
            let bands = rect.v.map(band_of);
            for band in bands[0]..=bands[1] {
                let group = usize::from(face) * BANDS + usize::from(band);
                for layer in layers[0]..=layers[1] {
                    let piece = Piece {
                        layer,
                        lowest_layer: layers[0],
                        lowest_band: bands[0],
                        class,
                        aircraft,
                        u: outwards(rect.u),
                        v: outwards(rect.v),
                        altitude: now as f32,
                        climb: of.climb() as f32,
                        place: of.place.map(|x| x as f32),
                        velocity: of.velocity.map(|x| x as f32),
                        bend: (bend as f32).next_up(),
                        other_datum,
                    };
                    found.push((group as u16, piece));
                }
            }
        });
    }

    /// All pairs of one group.
    fn sweep(&self, group: usize, chunks: &[Chunk], found: &mut Vec<(usize, usize, Encounter)>) {
        let band = (group % BANDS) as u8;
        let mut pieces: Vec<Piece> = Vec::new();
        for chunk in chunks {
            let range = chunk.begins[group] as usize..chunk.begins[group + 1] as usize;
            pieces.extend_from_slice(&chunk.pieces[range]);
        }
        // Sorted are small keys, and swept what fits many to a cache line.
        let mut order: Vec<(u8, f32, u32)> =
            (0u32..).zip(&pieces).map(|(index, piece)| (piece.layer, piece.u[0], index)).collect();
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let front = |&(layer, _, index): &(u8, f32, u32)| {
            let Piece { u, v, lowest_layer, lowest_band, .. } = pieces[index as usize];
            Front { u, v, index, layer, lowest_layer, lowest_band }
        };
        let fronts: Vec<Front> = order.iter().map(front).collect();
        for (index, one) in fronts.iter().enumerate() {
            for other in &fronts[index + 1..] {
                if other.layer != one.layer || other.u[0] > one.u[1] {
                    break;
                }
                if one.v[0] <= other.v[1]
                    && other.v[0] <= one.v[1]
                    && one.lowest_layer.max(other.lowest_layer) == one.layer
                    && one.lowest_band.max(other.lowest_band) == band
                {
                    let (one, other) = (&pieces[one.index as usize], &pieces[other.index as usize]);
                    if self.may_meet(one, other) {
                        self.test(one.aircraft as usize, other.aircraft as usize, found);
                    }
                }
            }
        }
    }

    /// A cheap test that is never wrong when it says no: the distance in space on straight paths while the aircraft
    /// are vertically near.
    #[inline]
    fn may_meet(&self, one: &Piece, other: &Piece) -> bool {
        let minima = self.classes.between(one.class, other.class);
        let mut window = [0.0, self.lookahead];
        if !one.other_datum && !other.other_datum {
            let dz = f64::from(one.altitude) - f64::from(other.altitude);
            let climb = f64::from(one.climb) - f64::from(other.climb);
            match near_vertically(dz, climb, minima.vertical().get() + 0.1, self.lookahead) {
                Some(near) => window = near,
                None => return false,
            }
        }
        let difference = |a: [f32; 3], b: [f32; 3]| -> [f64; 3] {
            std::array::from_fn(|i| f64::from(a[i]) - f64::from(b[i]))
        };
        let (s, v) = (difference(one.place, other.place), difference(one.velocity, other.velocity));
        let reach = minima.horizontal().get() + f64::from(one.bend) + f64::from(other.bend) + ROUNDING;
        near_in_space(s, v, window, reach)
    }

    fn test(&self, a: usize, b: usize, found: &mut Vec<(usize, usize, Encounter)>) {
        let (i, j) = (a.min(b), a.max(b));
        let ((one, class), (other, other_class)) = (&self.aircraft[i], &self.aircraft[j]);
        let minima = self.classes.between(*class, *other_class);
        let lookahead = Seconds::new(self.lookahead);
        if let Some(met) = encounter(one, other, &minima, lookahead, self.conversions) {
            found.push((i, j, met));
        }
    }
}

fn most_frequent_datum(aircraft: &[Sized]) -> Datum {
    let count = |datum: Datum| aircraft.iter().filter(|(k, _)| k.datum() == datum).count();
    let all = [Datum::Barometric, Datum::Ellipsoid, Datum::AboveGround];
    all.into_iter().max_by_key(|datum| count(*datum)).unwrap_or(Datum::Barometric)
}

/// All pairs (i < j, sorted) of aircraft of one instant that violate the minima of their size classes within the
/// look-ahead (held to 0 to [`MAX_LOOKAHEAD`]).
pub fn all_sized_pairs(
    aircraft: &[Sized],
    classes: &SizeClasses,
    lookahead: Seconds,
    conversions: &DatumConversions,
    executor: &impl Executor,
) -> Vec<(usize, usize, Encounter)> {
    let pass = Pass {
        aircraft,
        classes,
        widest: classes.widest(),
        lookahead: lookahead.get().clamp(0.0, MAX_LOOKAHEAD.get()),
        fastest: aircraft.iter().map(|(k, _)| k.speed()).fold(0.0, f64::max),
        datum: most_frequent_datum(aircraft),
        conversions,
    };
    let size = (aircraft.len() / 8).clamp(*CHUNKS.start(), *CHUNKS.end());
    let chunks: Vec<Mutex<Option<Chunk>>> =
        (0..aircraft.len().div_ceil(size)).map(|_| Mutex::new(None)).collect();
    executor.run(chunks.len(), &|job| {
        let made = pass.chunk(job * size, size);
        *chunks[job].lock().expect("no job panics") = Some(made);
    });
    let chunks: Vec<Chunk> =
        chunks.into_iter().filter_map(|c| c.into_inner().expect("no job panics")).collect();
    // Groups next to each other make one job, so that jobs are few and similar in size.
    let total: usize = chunks.iter().map(|c| c.pieces.len()).sum();
    let wanted = (total / 256).max(1024);
    let mut jobs: Vec<std::ops::Range<usize>> = Vec::new();
    let (mut begin, mut size) = (0, 0);
    for group in 0..GROUPS {
        size += chunks.iter().map(|c| (c.begins[group + 1] - c.begins[group]) as usize).sum::<usize>();
        if size >= wanted || group + 1 == GROUPS {
            jobs.push(begin..group + 1);
            (begin, size) = (group + 1, 0);
        }
    }
    let found: Vec<Mutex<Vec<(usize, usize, Encounter)>>> = jobs.iter().map(|_| Mutex::default()).collect();
    executor.run(jobs.len(), &|job| {
        let mut pairs = Vec::new();
        jobs[job].clone().for_each(|group| pass.sweep(group, &chunks, &mut pairs));
        *found[job].lock().expect("no job panics") = pairs;
    });
    let mut pairs: Vec<(usize, usize, Encounter)> =
        found.into_iter().flat_map(|f| f.into_inner().expect("no job panics")).collect();
    pairs.sort_unstable_by_key(|&(i, j, _)| (i, j));
    // A pair near the edge of two faces is found on both.
    pairs.dedup_by_key(|&mut (i, j, _)| (i, j));
    pairs
}

/// The same with the same minima for all, one job after the other.
pub fn all_pairs(
    aircraft: &[Kinematics],
    minima: &Minima,
    lookahead: Seconds,
    conversions: &DatumConversions,
) -> Vec<(usize, usize, Encounter)> {
    let sized: Vec<Sized> = aircraft.iter().map(|k| (*k, 0)).collect();
    all_sized_pairs(&sized, &SizeClasses::from(*minima), lookahead, conversions, &Serial)
}

impl Minima {
    /// Of each minimum the larger.
    #[must_use]
    pub fn wider(&self, other: &Self) -> Self {
        let larger = |a: Metres, b: Metres| if a >= b { a } else { b };
        Self::unchecked(
            larger(self.horizontal(), other.horizontal()),
            larger(self.vertical(), other.vertical()),
        )
    }
}
