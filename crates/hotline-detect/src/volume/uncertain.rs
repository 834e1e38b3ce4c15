//! Sensor uncertainty.

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

use crate::DetectError;

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

impl Uncertainty {
    /// That of the difference of two independent states.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let sum = |a: [f64; 3], b: [f64; 3]| std::array::from_fn(|i| a[i] + b[i]);
        Self {
            position: sum(self.position, other.position),
            velocity: sum(self.velocity, other.velocity),
            vertical_position: self.vertical_position + other.vertical_position,
            vertical_velocity: self.vertical_velocity + other.vertical_velocity,
        }
    }

    pub(crate) fn check(&self) -> Result<(), DetectError> {
        let all = self.position.iter().chain(&self.velocity);
        let fine = all.chain([&self.vertical_position, &self.vertical_velocity]).all(|x| x.is_finite());
        if fine { Ok(()) } else { Err(DetectError::NotFinite("uncertainty")) }
    }
}
