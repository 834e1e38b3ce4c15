//! The grid of values that guidance tries, and how the own aircraft flies to each of them.

use super::configuration::{BelowMinAirspeed, Configuration, KindSettings};
use super::units::STANDARD_GRAVITY;
use super::{Encounter, ReadError};

/// What guidance is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Horizontal direction (track; heading when a wind is given), radians from north.
    Direction,
    /// Horizontal speed (ground speed; airspeed when a wind is given), metres a second.
    Speed,
    /// Vertical speed, metres a second.
    VerticalSpeed,
    /// Altitude, metres.
    Altitude,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Direction, Self::Speed, Self::VerticalSpeed, Self::Altitude];
}

/// The most targets of one kind; a configuration with finer steps is refused.
pub const MAX_TARGETS: usize = 20_000;

/// What is narrower than this part of a step is nothing by itself.
pub(crate) const SLIVER: f64 = 0.02;
/// A cell narrower than this part of a step is not shown.
const NO_WIDTH: f64 = 1e-5;

/// The grid of targets of one kind for one own aircraft: value `at(i)` for i in `-below ..= above`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Grid {
    pub(crate) kind: Kind,
    /// The own value; for altitude the lowest target.
    origin: f64,
    step: f64,
    pub(crate) below: usize,
    pub(crate) above: usize,
    min: f64,
    max: f64,
    /// The own value.
    pub(crate) own: f64,
    /// The two ends are the same direction.
    pub(crate) closed: bool,
}

/// Steps that reach `way`, the last one to it or past it.
fn steps(way: f64, step: f64) -> usize {
    if way <= 0.0 { 0 } else { (way / step - 1e-9).ceil() as usize }
}

impl KindSettings {
    /// Refuses more targets than [`MAX_TARGETS`].
    pub(crate) fn check(&self, name: &str) -> Result<(), ReadError> {
        let targets = (self.max - self.min + self.below + self.above) / self.step;
        if targets <= MAX_TARGETS as f64 {
            return Ok(());
        }
        let why = format!("step_{name} makes {targets:.0} targets; at most {MAX_TARGETS} are tried");
        Err(ReadError::missing(why))
    }
}

impl Grid {
    pub(crate) fn new(settings: &KindSettings, encounter: &Encounter, kind: Kind) -> Self {
        let [vx, vy, vz] = encounter.velocity;
        let own = match kind {
            Kind::Direction => vx.atan2(vy).rem_euclid(std::f64::consts::TAU),
            Kind::Speed => vx.hypot(vy),
            Kind::VerticalSpeed => vz,
            Kind::Altitude => encounter.altitude,
        };
        let KindSettings { step, min, max, .. } = *settings;
        let mut grid = Self { kind, origin: own, step, below: 0, above: 0, min, max, own, closed: false };
        match kind {
            Kind::Direction => {
                let half = std::f64::consts::PI;
                (grid.below, grid.above) =
                    (steps(settings.below.min(half), step), steps(settings.above.min(half), step));
                grid.closed = settings.below >= half - 1e-9 && settings.above >= half - 1e-9;
            }
            Kind::Altitude => {
                if settings.below > 0.0 {
                    grid.min = min.max(own - settings.below).min(max);
                }
                if settings.above > 0.0 {
                    grid.max = max.min(own + settings.above).max(min);
                }
                grid.origin = grid.min;
                grid.above = steps(grid.max - grid.min, step);
            }
            Kind::Speed | Kind::VerticalSpeed => {
                if settings.below > 0.0 {
                    grid.min = min.max(own - settings.below).min(max);
                }
                if settings.above > 0.0 {
                    grid.max = max.min(own + settings.above).max(min);
                }
                (grid.below, grid.above) = (steps(own - grid.min, step), steps(grid.max - own, step));
            }
        }
        grid
    }

    /// How many targets there are.
    pub(crate) fn len(&self) -> usize {
        self.below + self.above + 1
    }

    /// The value of the target at a position in the grid, lowest first, without clipping.
    pub(crate) fn flown(&self, index: usize) -> f64 {
        self.origin + (index as f64 - self.below as f64) * self.step
    }

    /// The outermost cells, which end at the limits, are not free by themselves when hardly anything of them is left.
    pub(crate) fn drop_slivers(&self, cells: &mut [bool]) {
        let last = cells.len().saturating_sub(1);
        for (end, next) in [(0, 1), (last, last.saturating_sub(1))] {
            if next < cells.len() && next != end && self.edge(end + 1) - self.edge(end) < SLIVER * self.step {
                cells[end] &= cells[next];
            }
        }
    }

    /// Outermost cells of no width to speak of get the region of their neighbour.
    pub(crate) fn settle_edges(&self, regions: &mut [super::Region]) {
        let last = regions.len().saturating_sub(1);
        for (end, next) in [(0, 1), (last, last.saturating_sub(1))] {
            if next < regions.len() && self.edge(end + 1) - self.edge(end) < NO_WIDTH * self.step {
                regions[end] = regions[next];
            }
        }
    }

    /// The value of an edge of a band there.
    pub(crate) fn edge(&self, index: usize) -> f64 {
        let value = self.flown(index);
        if self.kind == Kind::Direction { value } else { value.clamp(self.min, self.max) }
    }
}

/// How the own aircraft gets from one target of a kind to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Manoeuvre {
    /// At once.
    Instantaneous,
    /// At a constant rate: radians a second, or metres a second squared.
    Rate(f64),
}

impl Manoeuvre {
    /// How long a change of that size takes; none when it is instantaneous.
    #[inline]
    pub(crate) fn time_of(self, change: f64) -> Option<f64> {
        match self {
            Self::Instantaneous => None,
            Self::Rate(rate) => Some(change / rate),
        }
    }
}

impl Configuration {
    pub(crate) fn settings(&self, kind: Kind) -> &KindSettings {
        match kind {
            Kind::Direction => &self.direction,
            Kind::Speed => &self.speed,
            Kind::VerticalSpeed => &self.vertical_speed,
            Kind::Altitude => &self.altitude,
        }
    }

    /// How a change of this kind is flown; none when guidance of this kind is not to be given.
    pub(crate) fn manoeuvre(&self, encounter: &Encounter, kind: Kind) -> Option<Manoeuvre> {
        let rate = match kind {
            Kind::Direction => {
                let airspeed = encounter.velocity[0].hypot(encounter.velocity[1]);
                if airspeed < self.min_airspeed_mps {
                    match self.below_min_airspeed {
                        BelowMinAirspeed::Disabled => return None,
                        BelowMinAirspeed::Instantaneous => return Some(Manoeuvre::Instantaneous),
                        BelowMinAirspeed::Kinematic => {}
                    }
                }
                if self.turn_rate_rps > 0.0 {
                    self.turn_rate_rps
                } else {
                    STANDARD_GRAVITY * self.bank_angle_rad.tan() / self.turning_speed(airspeed)
                }
            }
            Kind::Speed => self.horizontal_acceleration_mps2,
            Kind::VerticalSpeed => self.vertical_acceleration_mps2,
            Kind::Altitude => self.vertical_acceleration_mps2.min(self.vertical_rate_mps),
        };
        Some(if rate > 0.0 { Manoeuvre::Rate(rate) } else { Manoeuvre::Instantaneous })
    }

    /// The speed at which a turn is flown.
    pub(crate) fn turning_speed(&self, airspeed: f64) -> f64 {
        airspeed.max(self.speed.step).max(self.min_airspeed_mps)
    }
}
