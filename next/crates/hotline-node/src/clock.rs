//! The clock that is injected into everything.

use jiff::{SignedDuration, Timestamp};
use std::time::Instant;

/// Real time, or a time that starts at some instant and runs faster than real.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Real,
    Scaled { from: Timestamp, started: Instant, speed: f64 },
}

impl Clock {
    /// The system's clock.
    pub const fn real() -> Self {
        Self(Kind::Real)
    }

    /// A clock that showed `from` when the system's clock showed `at`, and runs `speed` times as fast. Two
    /// processes that are given the same numbers agree.
    pub fn scaled(from: Timestamp, at: Timestamp, speed: f64) -> Self {
        let since = Timestamp::now().duration_since(at).as_secs_f64();
        let already = SignedDuration::try_from_secs_f64(since * speed).unwrap_or(SignedDuration::ZERO);
        Self(Kind::Scaled {
            from: from.saturating_add(already).unwrap_or(from),
            started: Instant::now(),
            speed,
        })
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Kind::Real => Timestamp::now(),
            Kind::Scaled { from, started, speed } => {
                let gone = SignedDuration::try_from_secs_f64(started.elapsed().as_secs_f64() * speed);
                from.saturating_add(gone.unwrap_or(SignedDuration::ZERO)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// How many times as fast as real time it runs.
    pub fn speed(&self) -> f64 {
        match self.0 {
            Kind::Real => 1.0,
            Kind::Scaled { speed, .. } => speed,
        }
    }
}
