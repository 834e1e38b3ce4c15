//! The relative state of two aircraft in a common flat frame.

use crate::DetectError;
use hotline_airspace::{Metres, Seconds};

/// Own state minus the other's: east, north and up, metres and metres a second. All finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relative {
    pub(crate) s: [f64; 3],
    pub(crate) v: [f64; 3],
}

/// Where two aircraft on straight paths come closest, seen from above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosestApproach {
    /// When; negative when they are already moving apart, 0 when neither moves relative to the other.
    pub time: Seconds,
    /// Horizontal distance then.
    pub horizontal: Metres,
    /// Vertical distance then, without sign.
    pub vertical: Metres,
}

impl Relative {
    /// A relative state from position (metres) and velocity (metres a second), each east, north, up.
    ///
    /// # Errors
    /// [`DetectError::NotFinite`] when a component is NaN or infinite.
    pub fn new(position: [f64; 3], velocity: [f64; 3]) -> Result<Self, DetectError> {
        if !position.iter().all(|x| x.is_finite()) {
            return Err(DetectError::NotFinite("relative position"));
        }
        if !velocity.iter().all(|x| x.is_finite()) {
            return Err(DetectError::NotFinite("relative velocity"));
        }
        Ok(Self { s: position, v: velocity })
    }

    /// Square of the relative horizontal speed.
    pub(crate) fn v_squared(&self) -> f64 {
        self.v[0] * self.v[0] + self.v[1] * self.v[1]
    }

    /// Scalar product of horizontal position and velocity: negative while converging.
    pub(crate) fn closing(&self) -> f64 {
        self.s[0] * self.v[0] + self.s[1] * self.v[1]
    }

    /// The closest approach on straight paths: t = -(s.v)/|v|^2.
    pub fn closest_approach(&self) -> ClosestApproach {
        let v2 = self.v_squared();
        self.separation_at(if v2 == 0.0 { 0.0 } else { -self.closing() / v2 })
    }

    /// The closest approach from now on: at once when they are moving apart.
    pub fn closest_approach_ahead(&self) -> ClosestApproach {
        let closest = self.closest_approach();
        if closest.time.get() >= 0.0 { closest } else { self.separation_at(0.0) }
    }

    fn separation_at(&self, t: f64) -> ClosestApproach {
        let at = |i: usize| self.s[i] + t * self.v[i];
        ClosestApproach {
            time: Seconds::new(t),
            horizontal: Metres::new(at(0).hypot(at(1))),
            vertical: Metres::new(at(2).abs()),
        }
    }
}
