//! For every target of a grid: when flying there and on violates a volume.
//!
//! Horizontal targets leave the vertical motion as it is and vertical targets the horizontal one, so that half of
//! the closed form is computed once for all of them.

use super::altitude;
use super::configuration::Configuration;
use super::encounter::{Encounter, Traffic};
use super::targets::{Grid, Kind, Manoeuvre};
use crate::Relative;
use crate::volume::{Row, Span, Volume};

/// Times of violation of all targets, counted from now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sweep {
    /// Spans of each target; a target's violation is their union.
    spans: Vec<Span>,
    /// How many spans a target has.
    stride: usize,
    /// When a target is reached, by index in the grid.
    reached: Vec<f64>,
    /// From one target to the next; none: targets are independent of each other.
    tau: Option<f64>,
    below: usize,
    early: usize,
    legs: Vec<f64>,
    early_end: std::cell::Cell<f64>,
}

/// What the free targets of one aircraft depend on beside the sweep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Until here the recovery cylinder counts, from here on the volume.
    pub(crate) switch: f64,
    /// How long after reaching a target it must be free.
    pub(crate) horizon: f64,
    /// Nothing after this counts for targets reached on the way.
    pub(crate) lookahead: f64,
    /// The horizon counts from now rather than from reaching the target.
    pub(crate) from_now: bool,
}

impl Sweep {
    /// Computes the violations of `volume` by all targets of the grid.
    pub(crate) fn fill(
        &mut self,
        configuration: &Configuration,
        encounter: &Encounter,
        traffic: &Traffic,
        (grid, manoeuvre): (&Grid, Manoeuvre),
        volume: &Volume,
    ) {
        self.spans.clear();
        self.reached.clear();
        self.below = grid.below;
        self.stride = volume.rows().len();
        self.tau = None;
        self.early = 0;
        self.legs.clear();
        let pair = encounter.pair(traffic);
        let vertical = (encounter.altitude, encounter.velocity[2]);
        match (grid.kind, manoeuvre) {
            (Kind::Altitude, Manoeuvre::Rate(_)) => {
                self.stride =
                    altitude::fill(configuration, encounter, &pair, grid, volume, &mut self.spans, &mut self.reached, &mut self.legs);
                self.early = volume.rows().len();
            }
            (Kind::Altitude, Manoeuvre::Instantaneous) => {
                for index in 0..grid.len() {
                    let altitude = grid.flown(index);
                    let sz = pair.s[2] + altitude - encounter.altitude;
                    let vz = pair.v[2] - encounter.velocity[2];
                    for row in volume.rows() {
                        let span = row.in_layer(altitude, 0.0).meet(row.shape.vertical(sz, vz));
                        self.spans.push(span.meet(row.horizontal(&pair)));
                    }
                    self.reached.push(0.0);
                }
            }
            (Kind::VerticalSpeed, _) => {
                let acceleration = match manoeuvre {
                    Manoeuvre::Rate(rate) => Some(rate),
                    Manoeuvre::Instantaneous => None,
                };
                self.tau = acceleration.map(|a| configuration.vertical_speed.step / a);
                let horizontals: Vec<Span> = volume.rows().iter().map(|r| r.horizontal(&pair)).collect();
                for index in 0..grid.len() {
                    let change = grid.flown(index) - grid.own;
                    let at = acceleration.map_or(0.0, |a| change.abs() / a);
                    // Mean climb on the way there is half the change.
                    let (z, vz) = ((vertical.1 + change / 2.0) * at, vertical.1 + change);
                    let (sz, relative) = (pair.s[2] + pair.v[2] * at + change / 2.0 * at, pair.v[2] + change);
                    for (row, horizontal) in volume.rows().iter().zip(&horizontals) {
                        let span = row.in_layer(vertical.0 + z, vz).meet(row.shape.vertical(sz, relative));
                        self.spans.push(span.later(at).meet(*horizontal));
                    }
                    self.reached.push(at);
                }
            }
            (Kind::Direction | Kind::Speed, _) => {
                let base: Vec<(Row, Span)> = volume
                    .rows()
                    .iter()
                    .map(|row| {
                        let layer = row.in_layer(vertical.0, vertical.1);
                        (*row, layer.meet(row.shape.vertical(pair.s[2], pair.v[2])))
                    })
                    .collect();
                let path = Path::new(configuration, encounter, grid, manoeuvre);
                self.tau = path.tau;
                for index in 0..grid.len() {
                    let steps = index as isize - grid.below as isize;
                    let (at, offset, velocity) = path.state(steps);
                    let s = [
                        pair.s[0] + offset[0] - traffic.velocity[0] * at,
                        pair.s[1] + offset[1] - traffic.velocity[1] * at,
                    ];
                    let v = [velocity[0] - traffic.velocity[0], velocity[1] - traffic.velocity[1]];
                    for (row, base) in &base {
                        let span = if base.is_some() { row.shape.horizontal(s, v).later(at).meet(*base) } else { *base };
                        self.spans.push(span);
                    }
                    self.reached.push(at);
                }
            }
        }
    }

    #[inline]
    fn violates(&self, index: usize, from: f64, to: f64) -> bool {
        let horizon = self.early_end.get();
        from <= to && self.spans[index * self.stride..][..self.stride].iter().enumerate().any(|(i, s)| {
            if i < self.early { s.meets(from, to.min(self.legs[index] + horizon)) } else if self.early > 0 && i < self.early + 2 { s.meets(from, if crate::daa::altitude::var(6) == 1.0 { f64::INFINITY } else { to }) } else { s.meets(from, to) }
        })
    }

    /// Whether the volume is violated in [from, to], the cylinder being counted before the switch.
    #[inline]
    fn blocked(&self, cylinder: Option<&Self>, index: usize, from: f64, to: f64, switch: f64) -> bool {
        match cylinder {
            None => self.violates(index, from, to),
            Some(cylinder) => {
                cylinder.violates(index, from, to.min(switch)) || self.violates(index, from.max(switch), to)
            }
        }
    }

    /// Clears the cells (between target i and i + 1) that are not free.
    pub(crate) fn keep_free(&self, cylinder: Option<&Self>, window: &Window, cells: &mut [bool]) {
        let targets = self.reached.len();
        self.early_end.set(if self.early > 0 { window.horizon } else { f64::INFINITY });
        if let Some(c) = cylinder { c.early_end.set(if self.early > 0 { window.horizon } else { f64::INFINITY }) };
        let free = |index: usize| {
            let at = self.reached[index];
            let end = if window.from_now {
                window.horizon.min(window.lookahead)
            } else {
                (window.horizon + at).min(window.lookahead)
            };
            let from = if self.tau.is_none() { 0.0 } else { at };
            !self.blocked(cylinder, index, from, end, window.switch)
        };
        let Some(tau) = self.tau else {
            let mut before = free(0);
            for index in 1..targets {
                let now = free(index);
                cells[index - 1] &= before && now;
                before = now;
            }
            return;
        };
        let own = self.below;
        let mut walk = |indices: &mut dyn Iterator<Item = usize>, up: bool| {
            let (mut cut, mut before) = (false, false);
            for (k, index) in indices.enumerate() {
                let at = self.reached[index];
                cut = cut || match cylinder {
                    None => self.violates(index, at, at + tau),
                    Some(cylinder) => {
                        let x = crate::daa::altitude::var(8);
                        let c = if x == 1.0 { at + tau <= window.switch } else { at < window.switch };
                        let c = c && cylinder.violates(index, at, if x == 2.0 { at + tau } else { (at + tau).min(window.switch) });
                        c || (at >= window.switch && self.violates(index, at, at + tau))
                    }
                };
                let now = !cut && free(index);
                if k > 0 {
                    cells[if up { index - 1 } else { index }] &= before && now;
                }
                before = now;
            }
        };
        walk(&mut (own..targets), true);
        walk(&mut (0..=own).rev(), false);
    }
}

impl Row {
    fn horizontal(&self, pair: &Relative) -> Span {
        self.shape.horizontal([pair.s[0], pair.s[1]], [pair.v[0], pair.v[1]])
    }
}

/// The own aircraft's horizontal way to each target of direction or speed.
struct Path {
    velocity: [f64; 2],
    speed: f64,
    /// Turn rate or acceleration; none: instantaneous.
    rate: Option<f64>,
    step: f64,
    turning: bool,
    tau: Option<f64>,
}

impl Path {
    fn new(configuration: &Configuration, encounter: &Encounter, grid: &Grid, manoeuvre: Manoeuvre) -> Self {
        let turning = grid.kind == Kind::Direction;
        let step = configuration.settings(grid.kind).step;
        let rate = match manoeuvre {
            Manoeuvre::Rate(rate) => Some(rate),
            Manoeuvre::Instantaneous => None,
        };
        let [vx, vy, _] = encounter.velocity;
        let airspeed = vx.hypot(vy);
        let speed = if turning { configuration.turning_speed(airspeed) } else { airspeed };
        let unit = if airspeed > 0.0 { [vx / airspeed, vy / airspeed] } else { [0.0, 1.0] };
        Self { velocity: unit, speed, rate, step, turning, tau: rate.map(|r| step / r) }
    }

    /// Time, position relative to now and velocity when target `steps` is reached.
    fn state(&self, steps: isize) -> (f64, [f64; 2], [f64; 2]) {
        let change = steps as f64 * self.step;
        let at = self.rate.map_or(0.0, |rate| change.abs() / rate);
        let [ux, uy] = self.velocity;
        if self.turning {
            // Clockwise by `change`: (x, y) -> (x cos + y sin, y cos - x sin).
            let (sin, cos) = change.sin_cos();
            let velocity = [self.speed * (ux * cos + uy * sin), self.speed * (uy * cos - ux * sin)];
            // The arc: forward r sin, to the side r (1 - cos), r = speed / rate.
            let radius = self.rate.map_or(0.0, |rate| self.speed / rate);
            let (ahead, aside) = (radius * sin.abs().copysign(sin * change.signum()), radius * (1.0 - cos) * change.signum());
            return (at, [ux * ahead + uy * aside, uy * ahead - ux * aside], velocity);
        }
        let speed = self.speed + change;
        let ahead = (self.speed + change / 2.0) * at;
        (at, [ux * ahead, uy * ahead], [ux * speed, uy * speed])
    }
}
