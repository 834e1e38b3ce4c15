//! For every target of a grid: when flying there and on violates a volume.
//!
//! Horizontal targets leave the vertical motion as it is and vertical targets the horizontal one, so that half of
//! the closed form is computed once for all of them, and where that half never holds nothing else is computed.

use super::altitude;
use super::configuration::Configuration;
use super::encounter::{Encounter, Traffic};
use super::targets::{Grid, Kind, Manoeuvre};
use crate::Relative;
use crate::volume::{Errors, Row, Span, Volume};

/// A time of violation by one part of the flight to a target and beyond, counted from now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leg {
    pub(crate) span: Span,
    /// When this part begins: the horizon counts from here.
    pub(crate) base: f64,
}

/// Times of violation of all targets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sweep {
    /// Legs of each target, lowest target first.
    legs: Vec<Leg>,
    /// No target ever violates the volume; then there are no legs.
    never: bool,
    /// How many legs a target has.
    stride: usize,
    /// From one target to the next; none: targets are independent of each other.
    tau: Option<f64>,
    /// Index of the own value.
    own: usize,
    /// Of which volume; none: not filled.
    volume: Option<(Volume, Option<Errors>)>,
}

/// What the free targets of one aircraft depend on beside the sweep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// How long a part of the flight must be free.
    pub(crate) horizon: f64,
    /// Nothing after this counts.
    pub(crate) lookahead: f64,
    /// The horizon counts from now rather than from the beginning of the part.
    pub(crate) from_now: bool,
}

impl Window {
    #[inline]
    fn end(&self, base: f64) -> f64 {
        (self.horizon + if self.from_now { 0.0 } else { base }).min(self.lookahead)
    }
}

/// The rows of a volume.
pub(crate) trait Rows: ExactSizeIterator<Item = Row> {}
impl<T: ExactSizeIterator<Item = Row>> Rows for T {}

/// One aircraft, as a sweep sees it.
pub(crate) struct Scene<'a> {
    pub(crate) configuration: &'a Configuration,
    pub(crate) encounter: &'a Encounter,
    pub(crate) traffic: &'a Traffic,
    pub(crate) grid: &'a Grid,
    pub(crate) manoeuvre: Manoeuvre,
    /// The own aircraft's way to each target of direction or speed.
    pub(crate) path: &'a [Waypoint],
}

/// When, where (relative to now) and how fast the own aircraft is when it has reached a target, seen from above.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waypoint {
    at: f64,
    offset: [f64; 2],
    velocity: [f64; 2],
}

/// The way to each target of direction or speed; none for other kinds.
pub(crate) fn waypoints(
    configuration: &Configuration,
    encounter: &Encounter,
    (grid, manoeuvre): (&Grid, Manoeuvre),
    into: &mut Vec<Waypoint>,
) {
    into.clear();
    if matches!(grid.kind, Kind::Direction | Kind::Speed) {
        let path = Path::new(configuration, encounter, grid.kind, manoeuvre);
        into.extend((0..grid.len()).map(|index| path.state(index as isize - grid.below as isize)));
    }
}

impl Sweep {
    /// Forgets what it was filled with.
    pub(crate) fn clear(&mut self) {
        if let Some((kept, _)) = &mut self.volume {
            kept.clear();
        }
    }

    /// Computes the violations of `volume` by all targets of the grid, unless that is what it already holds.
    pub(crate) fn fill(&mut self, scene: &Scene<'_>, volume: &Volume, errors: Option<Errors>) {
        if self.volume.as_ref().is_some_and(|(kept, with)| kept == volume && *with == errors) {
            return;
        }
        self.legs.clear();
        self.own = scene.grid.below;
        self.stride = volume.rows(errors).len();
        self.tau = None;
        self.never = true;
        match (scene.grid.kind, scene.manoeuvre) {
            (Kind::Altitude, Manoeuvre::Rate(_)) => {
                self.stride = altitude::fill(scene, volume.rows(errors), &mut self.legs);
                self.never = self.legs.is_empty();
            }
            (Kind::Altitude, Manoeuvre::Instantaneous) => {
                self.fill_instant_altitudes(scene, volume.rows(errors))
            }
            (Kind::VerticalSpeed, _) => self.fill_vertical_speeds(scene, volume.rows(errors)),
            (Kind::Direction | Kind::Speed, _) => self.fill_horizontal(scene, volume.rows(errors)),
        }
        match &mut self.volume {
            Some((kept, with)) => {
                kept.clone_from(volume);
                *with = errors;
            }
            none => *none = Some((volume.clone(), errors)),
        }
    }

    /// Makes room for the legs.
    fn begin(&mut self, grid: &Grid) {
        if std::mem::take(&mut self.never) {
            self.legs.resize(grid.len() * self.stride, Leg { span: Span::NEVER, base: 0.0 });
        }
    }

    fn fill_instant_altitudes(&mut self, scene: &Scene<'_>, rows: impl Rows) {
        let (encounter, pair) = (scene.encounter, scene.encounter.pair(scene.traffic));
        for (number, row) in rows.enumerate() {
            let horizontal = row.horizontal(&pair);
            if !horizontal.meets(0.0, scene.configuration.lookahead_s) {
                continue;
            }
            self.begin(scene.grid);
            for index in 0..scene.grid.len() {
                let altitude = scene.grid.flown(index);
                let sz = pair.s[2] + altitude - encounter.altitude;
                let vertical = row.shape.vertical(sz, pair.v[2] - encounter.velocity[2]);
                let span = row.in_layer(altitude, 0.0).meet(vertical).meet(horizontal);
                self.legs[index * self.stride + number] = Leg { span, base: 0.0 };
            }
        }
    }

    fn fill_vertical_speeds(&mut self, scene: &Scene<'_>, rows: impl Rows) {
        let (encounter, grid) = (scene.encounter, scene.grid);
        let pair = encounter.pair(scene.traffic);
        let (altitude, climb) = (encounter.altitude, encounter.velocity[2]);
        self.tau = scene.manoeuvre.time_of(scene.configuration.vertical_speed.step);
        for (number, row) in rows.enumerate() {
            let horizontal = row.horizontal(&pair);
            if !horizontal.meets(0.0, scene.configuration.lookahead_s) {
                continue;
            }
            self.begin(grid);
            for index in 0..grid.len() {
                let change = grid.flown(index) - grid.own;
                let at = scene.manoeuvre.time_of(change.abs()).unwrap_or(0.0);
                // The mean climb on the way there is that of now and half the change.
                let (height, speed) = (altitude + (climb + change / 2.0) * at, climb + change);
                let (sz, vz) = (pair.s[2] + (pair.v[2] + change / 2.0) * at, pair.v[2] + change);
                let span = row.in_layer(height, speed).later(at).meet(row.vertical_from(at, sz, vz));
                let span = Span { from: span.from.max(at), to: span.to }.meet(horizontal);
                self.legs[index * self.stride + number] = Leg { span, base: at };
            }
        }
    }

    fn fill_horizontal(&mut self, scene: &Scene<'_>, rows: impl Rows) {
        let (encounter, grid, traffic) = (scene.encounter, scene.grid, scene.traffic);
        let pair = encounter.pair(traffic);
        self.tau = scene.manoeuvre.time_of(scene.configuration.settings(grid.kind).step);
        for (number, row) in rows.enumerate() {
            let layer = row.in_layer(encounter.altitude, encounter.velocity[2]);
            let vertical = layer.meet(row.shape.vertical(pair.s[2], pair.v[2]));
            if !vertical.meets(0.0, scene.configuration.lookahead_s) {
                continue;
            }
            self.begin(grid);
            for (index, &Waypoint { at, offset, velocity }) in scene.path.iter().enumerate() {
                let s = [
                    pair.s[0] + offset[0] - traffic.velocity[0] * at,
                    pair.s[1] + offset[1] - traffic.velocity[1] * at,
                ];
                let v = [velocity[0] - traffic.velocity[0], velocity[1] - traffic.velocity[1]];
                let span = row.horizontal_from(at, s, v);
                let span = Span { from: span.from.max(at), to: span.to }.meet(vertical);
                self.legs[index * self.stride + number] = Leg { span, base: at };
            }
        }
    }

    #[inline]
    fn legs(&self, index: usize) -> &[Leg] {
        if self.never {
            return &[];
        }
        &self.legs[index * self.stride..][..self.stride]
    }

    /// Whether flying to a target and straight on from it violates the volume.
    #[inline]
    fn conflicts(&self, window: &Window, index: usize) -> bool {
        self.legs(index).iter().any(|l| l.span.meets(0.0, window.end(l.base)))
    }

    /// Whether flying straight on from a target for the time that the next one takes violates the volume: then the
    /// manoeuvre cannot go on.
    #[inline]
    fn cut(&self, window: &Window, index: usize, tau: f64) -> bool {
        let at = index.abs_diff(self.own) as f64 * tau;
        let end = (at + tau).min(window.lookahead);
        self.legs(index).iter().any(|l| l.span.meets(at, end))
    }

    /// Whether any target conflicts within its horizon.
    pub(crate) fn any_conflict(&self, window: &Window) -> bool {
        self.legs.iter().any(|l| l.span.meets(0.0, window.end(l.base)))
    }

    /// Clears the cells (between target i and i + 1) that are not free.
    pub(crate) fn keep_free(&self, window: &Window, cells: &mut [bool]) {
        if self.never {
            return;
        }
        let tau = self.tau;
        clear(
            self.own,
            tau.is_some(),
            |index| self.conflicts(window, index),
            |index| tau.is_some_and(|tau| self.cut(window, index, tau)),
            cells,
        );
    }
}

/// Clears the cells between targets that are not free. With a manoeuvre from target to target, what lies beyond a cut
/// is not free either.
#[inline]
fn clear(
    own: usize,
    manoeuvre: bool,
    conflicts: impl Fn(usize) -> bool,
    cuts: impl Fn(usize) -> bool,
    cells: &mut [bool],
) {
    if !manoeuvre {
        let mut before = true;
        for index in 0..=cells.len() {
            let now = !conflicts(index);
            if index > 0 {
                cells[index - 1] &= before && now;
            }
            before = now;
        }
        return;
    }
    let (mut cut, mut before) = (false, false);
    for index in own..=cells.len() {
        cut = cut || cuts(index);
        let now = !cut && !conflicts(index);
        if index > own {
            cells[index - 1] &= before && now;
        }
        before = now;
    }
    (cut, before) = (false, false);
    for index in (0..=own).rev() {
        cut = cut || cuts(index);
        let now = !cut && !conflicts(index);
        if index < own {
            cells[index] &= before && now;
        }
        before = now;
    }
}

/// When targets are free of a volume from some time on, and of a recovery cylinder until then.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    volume: Vec<Regained>,
    cylinder: Vec<Kept>,
    own: usize,
    tau: Option<f64>,
    horizon: f64,
}

/// When a target is free of the volume.
#[derive(Debug, Clone, Copy)]
struct Regained {
    /// When the volume is last violated; negative infinity: never.
    last: f64,
    /// Whether it is violated on the way to the next target.
    cut: bool,
}

/// How long a target is free of the cylinder.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// When the cylinder is first violated; infinite: never.
    first: f64,
    /// The same on the way to the next target.
    cut: f64,
}

impl Timeline {
    /// Takes in the sweep of a volume.
    pub(crate) fn fill_volume(&mut self, volume: &Sweep, targets: usize, window: &Window) {
        (self.own, self.tau, self.horizon) = (volume.own, volume.tau, window.horizon);
        self.volume.clear();
        self.volume.extend((0..targets).map(|index| {
            let mut last = f64::NEG_INFINITY;
            for leg in volume.legs(index) {
                let end = window.end(leg.base);
                if leg.span.meets(0.0, end) {
                    last = last.max(leg.span.to.min(end));
                }
            }
            Regained { last, cut: self.tau.is_some_and(|tau| volume.cut(window, index, tau)) }
        }));
    }

    /// Takes in the sweep of a cylinder over the same targets.
    pub(crate) fn fill_cylinder(&mut self, cylinder: &Sweep, targets: usize, window: &Window) {
        self.cylinder.clear();
        if cylinder.never {
            self.cylinder.resize(targets, Kept { first: f64::INFINITY, cut: f64::INFINITY });
            return;
        }
        self.cylinder.extend((0..targets).map(|index| {
            let (mut first, mut cut) = (f64::INFINITY, f64::INFINITY);
            for leg in cylinder.legs(index) {
                if leg.span.meets(0.0, window.end(leg.base)) {
                    first = first.min(leg.span.from.max(0.0));
                }
            }
            if let Some(tau) = self.tau {
                let at = index.abs_diff(self.own) as f64 * tau;
                let end = (at + tau).min(window.lookahead);
                for leg in cylinder.legs(index).iter().filter(|l| l.span.meets(at, end)) {
                    cut = cut.min(leg.span.from.max(at));
                }
            }
            Kept { first, cut }
        }));
    }

    /// Clears the cells that are not free when the cylinder counts until `switch` and the volume from then on; the
    /// cylinder alone counts when the horizon ends before that.
    pub(crate) fn keep_free(&self, switch: f64, cells: &mut [bool]) {
        let alone = switch > self.horizon;
        let tau = self.tau.unwrap_or(0.0);
        let conflicts = |index: usize| {
            let first = self.cylinder[index].first;
            if alone { first < f64::INFINITY } else { switch <= self.volume[index].last || switch >= first }
        };
        let cuts = |index: usize| {
            let cut = self.cylinder[index].cut;
            if alone {
                return cut < f64::INFINITY;
            }
            if index.abs_diff(self.own) as f64 * tau < switch {
                switch >= cut
            } else {
                self.volume[index].cut
            }
        };
        clear(self.own, self.tau.is_some(), conflicts, cuts, cells);
    }
}

impl Row {
    #[inline]
    pub(crate) fn horizontal(&self, pair: &Relative) -> Span {
        self.shape.horizontal([pair.s[0], pair.s[1]], [pair.v[0], pair.v[1]])
    }

    /// The horizontal interval of a straight flight whose state at time `at` is this. Errors of the state grow from
    /// now, so where there are any the flight is followed back to now.
    #[inline]
    fn horizontal_from(&self, at: f64, s: [f64; 2], v: [f64; 2]) -> Span {
        if self.shape.errors.is_some() {
            return self.shape.horizontal([s[0] - v[0] * at, s[1] - v[1] * at], v);
        }
        self.shape.horizontal(s, v).later(at)
    }

    /// The same vertically.
    #[inline]
    pub(crate) fn vertical_from(&self, at: f64, sz: f64, vz: f64) -> Span {
        if self.shape.errors.is_some() {
            return self.shape.vertical(sz - vz * at, vz);
        }
        self.shape.vertical(sz, vz).later(at)
    }
}

/// The own aircraft's horizontal way to each target of direction or speed.
struct Path {
    /// Unit vector of the own direction.
    ahead: [f64; 2],
    speed: f64,
    manoeuvre: Manoeuvre,
    step: f64,
    turning: bool,
}

impl Path {
    fn new(configuration: &Configuration, encounter: &Encounter, kind: Kind, manoeuvre: Manoeuvre) -> Self {
        let turning = kind == Kind::Direction;
        let step = configuration.settings(kind).step;
        let [vx, vy, _] = encounter.velocity;
        let airspeed = vx.hypot(vy);
        Self {
            ahead: if airspeed > 0.0 { [vx / airspeed, vy / airspeed] } else { [0.0, 1.0] },
            speed: if turning { configuration.turning_speed(airspeed) } else { airspeed },
            manoeuvre,
            step,
            turning,
        }
    }

    /// The target so many steps away.
    #[inline]
    fn state(&self, steps: isize) -> Waypoint {
        let change = steps as f64 * self.step;
        let at = self.manoeuvre.time_of(change.abs()).unwrap_or(0.0);
        let [ux, uy] = self.ahead;
        if self.turning {
            let (sin, cos) = change.sin_cos();
            let velocity = [self.speed * (ux * cos + uy * sin), self.speed * (uy * cos - ux * sin)];
            // The arc leads r sin ahead and r (1 - cos) to the side, r = speed / rate.
            let radius = if let Manoeuvre::Rate(rate) = self.manoeuvre { self.speed / rate } else { 0.0 };
            let (ahead, right) = (radius * sin * change.signum(), radius * (1.0 - cos) * change.signum());
            return Waypoint { at, offset: [ux * ahead + uy * right, uy * ahead - ux * right], velocity };
        }
        let speed = self.speed + change;
        let ahead = (self.speed + change / 2.0) * at;
        Waypoint { at, offset: [ux * ahead, uy * ahead], velocity: [ux * speed, uy * speed] }
    }
}
