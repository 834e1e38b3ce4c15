//! The well-clear family: distance or time, horizontally and vertically.

use super::Shape;
use crate::DetectError;
use hotline_airspace::{Metres, Seconds};

/// How the time to loss of well clear is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeVariable {
    /// Modified tau: (DTHR^2 - |s|^2) / (s.v) while converging.
    TauMod,
    /// Time to the closest approach while converging.
    Tcpa,
    /// Time to the entry of the circle of radius DTHR.
    Tep,
}

/// A well-clear volume: violated while the aircraft are vertically too near (|sz| <= ZTHR, or at most TCOA from
/// co-altitude) and horizontally too near (|s| <= DTHR, or coming within DTHR with a time variable of at most
/// TTHR). The border is inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WellClear {
    variable: TimeVariable,
    dthr: f64,
    zthr: f64,
    tthr: f64,
    tcoa: f64,
}

impl WellClear {
    /// Thresholds: horizontal and vertical distance, both above 0; the time variable's; the time to co-altitude's.
    ///
    /// # Errors
    /// [`DetectError::Minimum`] for a distance that is not above 0, [`DetectError::Threshold`] for a time below
    /// 0; either when not finite.
    pub fn new(
        variable: TimeVariable,
        dthr: Metres,
        zthr: Metres,
        tthr: Seconds,
        tcoa: Seconds,
    ) -> Result<Self, DetectError> {
        crate::Minima::new(dthr, zthr)?;
        for (what, value) in [("TTHR", tthr.get()), ("TCOA", tcoa.get())] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(DetectError::Threshold { what, value });
            }
        }
        Ok(Self { variable, dthr: dthr.get(), zthr: zthr.get(), tthr: tthr.get(), tcoa: tcoa.get() })
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape {
            radius: self.dthr,
            time: self.tthr,
            variable: self.variable,
            miss: self.dthr,
            height: self.zthr,
            coaltitude: self.tcoa,
            open: false,
            errors: None,
        }
    }
}
