//! Sensor uncertainty: volumes that are violated if they may be, with the true state anywhere within so many standard
//! deviations of the reported one.
//!
//! Position is taken to be within a distance `position` of the reported one, velocity within `velocity`. So the
//! circle of radius D is entered at the latest where |s + t v| <= D + position + t velocity; and a time variable
//! is counted for the most adverse pair of vectors, |s| - position long and |v| + velocity fast, turned towards
//! each other by as much as the two errors can turn them.

use super::{Shape, Span};
use crate::DetectError;

/// How many standard deviations of the sensors' errors count.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ZScores {
    /// Of the horizontal position.
    pub horizontal_position: f64,
    /// Of the horizontal velocity at `horizontal_velocity_distance_m` and beyond.
    pub horizontal_velocity_min: f64,
    /// Of the horizontal velocity at distance 0; in between it falls evenly.
    pub horizontal_velocity_max: f64,
    /// Where it has fallen to the smaller value, metres.
    pub horizontal_velocity_distance_m: f64,
    /// Of the vertical position.
    pub vertical_position: f64,
    /// Of the vertical velocity.
    pub vertical_velocity: f64,
}

/// The uncertainty of a state: variances and covariances, SI units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Uncertainty {
    /// Of the position: east-east, north-north, east-north, square metres.
    pub position: [f64; 3],
    /// Of the velocity: east-east, north-north, east-north, square metres a second squared.
    pub velocity: [f64; 3],
    /// Of the vertical position, square metres.
    pub vertical_position: f64,
    /// Of the vertical velocity, square metres a second squared.
    pub vertical_velocity: f64,
}

/// Standard deviations in the worst direction, of own aircraft and traffic together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Deviations {
    position: f64,
    velocity: f64,
    vertical_position: f64,
    vertical_velocity: f64,
}

/// What the reported relative state may be wrong by, SI units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Errors {
    position: f64,
    deviation: f64,
    scores: ZScores,
    vertical_position: f64,
    vertical_velocity: f64,
}

/// The larger eigenvalue's root of a covariance matrix.
fn worst([a, b, c]: [f64; 3]) -> f64 {
    let (middle, half) = ((a + b) / 2.0, ((a - b) / 2.0).hypot(c));
    (middle + half).max(0.0).sqrt()
}

impl Uncertainty {
    pub(crate) fn check(&self) -> Result<(), DetectError> {
        let all = self.position.iter().chain(&self.velocity);
        let fine = all.chain([&self.vertical_position, &self.vertical_velocity]).all(|x| x.is_finite());
        if fine { Ok(()) } else { Err(DetectError::NotFinite("uncertainty")) }
    }

    /// The deviations add up: both may be wrong in the worse direction.
    pub(crate) fn with(&self, other: &Self) -> Deviations {
        let root = |x: f64| x.max(0.0).sqrt();
        Deviations {
            position: worst(self.position) + worst(other.position),
            velocity: worst(self.velocity) + worst(other.velocity),
            vertical_position: root(self.vertical_position) + root(other.vertical_position),
            vertical_velocity: root(self.vertical_velocity) + root(other.vertical_velocity),
        }
    }
}

impl Deviations {
    pub(crate) fn errors(&self, scores: &ZScores) -> Errors {
        Errors {
            position: scores.horizontal_position * self.position,
            deviation: self.velocity,
            scores: *scores,
            vertical_position: scores.vertical_position * self.vertical_position,
            vertical_velocity: scores.vertical_velocity * self.vertical_velocity,
        }
    }
}

impl Errors {
    /// The error of the horizontal velocity at a distance.
    fn velocity(&self, distance: f64) -> f64 {
        let ZScores { horizontal_velocity_min: min, horizontal_velocity_max: max, .. } = self.scores;
        let far = self.scores.horizontal_velocity_distance_m;
        let near = (distance - self.position).max(0.0);
        let score = if near >= far { min } else { max + (min - max) * near / far };
        score * self.deviation
    }
}

/// The times from 0 on at which a t^2 + b t + c <= 0, as one interval: the first piece.
fn below_zero(a: f64, b: f64, c: f64) -> Span {
    if c <= 0.0 && a <= 0.0 && b <= 0.0 {
        return Span { from: 0.0, to: f64::INFINITY };
    }
    if a == 0.0 {
        let root = -c / b;
        return match (c <= 0.0, b > 0.0) {
            (true, true) => Span { from: 0.0, to: root },
            (true, false) => Span { from: 0.0, to: f64::INFINITY },
            (false, false) if b < 0.0 => Span { from: root, to: f64::INFINITY },
            (false, _) => Span::NEVER,
        };
    }
    let discriminant = b * b - 4.0 * a * c;
    if discriminant < 0.0 {
        return if a < 0.0 { Span { from: 0.0, to: f64::INFINITY } } else { Span::NEVER };
    }
    let root = discriminant.sqrt();
    let (x, y) = ((-b - root) / (2.0 * a), (-b + root) / (2.0 * a));
    let (low, high) = (x.min(y), x.max(y));
    if a > 0.0 {
        return Span { from: low.max(0.0), to: high };
    }
    // Outside the roots: until the lower one if that is still to come, else from the higher one on.
    if low >= 0.0 { Span { from: 0.0, to: low } } else { Span { from: high.max(0.0), to: f64::INFINITY } }
}

impl Shape {
    /// The interval from now on in which the vertical condition may hold: within the larger of the height and the
    /// distance of the co-altitude time, each grown by the error at that time.
    pub(super) fn vertical_uncertain(&self, sz: f64, vz: f64, errors: &Errors) -> Span {
        let height = self.height + errors.vertical_position;
        let growth = errors.vertical_velocity;
        // |sz + t vz| <= height + growth t: two linear conditions.
        let half = |from: f64, rate: f64| -> Span {
            // from + rate t <= height + growth t
            let (c, b) = (from - height, rate - growth);
            if b == 0.0 {
                return if c <= 0.0 { Span::ALWAYS } else { Span::NEVER };
            }
            let root = -c / b;
            if b > 0.0 {
                Span { from: 0.0, to: root }
            } else {
                Span { from: root.max(0.0), to: f64::INFINITY }
            }
        };
        let inside = half(sz, vz).meet(half(-sz, -vz));
        if self.coaltitude == 0.0 {
            return inside;
        }
        // Converging for certain no slower than this.
        let closing = (-sz.signum() * vz + growth).max(0.0);
        let begins = self.coaltitude * closing - (sz.abs() - errors.vertical_position).max(0.0);
        let entry = if closing > 0.0 { (-begins / closing).max(0.0) } else { f64::INFINITY };
        if inside.is_some() { Span { from: inside.from.min(entry), to: inside.to } } else { inside }
    }

    /// The interval from now on in which the horizontal condition may hold.
    pub(super) fn horizontal_uncertain(&self, s: [f64; 2], v: [f64; 2], errors: &Errors) -> Span {
        let (distance, speed) = (s[0].hypot(s[1]), v[0].hypot(v[1]));
        let growth = errors.velocity(distance);
        let reach = self.radius + errors.position;
        let sv = s[0] * v[0] + s[1] * v[1];
        let cone = below_zero(
            speed * speed - growth * growth,
            2.0 * (sv - reach * growth),
            distance * distance - reach * reach,
        );
        if !cone.is_some() || cone.from == 0.0 {
            return cone;
        }
        // The most adverse pair of vectors.
        let (near, fast) = (distance - errors.position, speed + growth);
        let turn =
            |error: f64, size: f64| if error < size { (error / size).asin() } else { std::f64::consts::PI };
        let apart = if speed == 0.0 { 0.0 } else { (-sv / (distance * speed)).clamp(-1.0, 1.0).acos() };
        let apart = (apart - turn(errors.position, distance) - turn(growth, speed)).max(0.0);
        let closing = -near * fast * apart.cos();
        let time = if self.time == 0.0 && self.open { return cone } else { self.time };
        let entry = below_zero(
            fast * fast,
            2.0 * closing + time * fast * fast,
            near * near + time * closing - self.radius * self.radius,
        );
        let entry = if closing < 0.0 && entry.is_some() { entry.from } else { cone.from };
        Span { from: entry.min(cone.from), to: cone.to }
    }
}
