//! 4D volumes: where, how high, when.

use crate::{AltitudeBand, Area, TimeInterval};

/// The most volumes that one intent may have.
pub const MAX_VOLUMES: usize = 200;

/// A piece of airspace for a span of time; its borders belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume4 {
    /// Where, seen from above.
    pub area: Area,
    /// How high.
    pub altitude: AltitudeBand,
    /// When.
    pub time: TimeInterval,
}
