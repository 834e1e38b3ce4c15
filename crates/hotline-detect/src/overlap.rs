//! Plans against plans and restrictions: overlap of 4D volumes.

use crate::distance_between;
use hotline_airspace::{DatumConversions, Metres, Seconds, Volume4, geodesy};
use jiff::Timestamp;

/// How far apart volumes must be so as not to conflict. All 0: only true overlap conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Dilation {
    /// Horizontal distance.
    pub horizontal: Metres,
    /// Vertical distance.
    pub vertical: Metres,
    /// Time between the end of one and the start of the other.
    pub time: Seconds,
}

/// When two volumes conflict: their common time, if they are not farther apart than the dilation in area,
/// altitude and time. Borders count as overlap.
pub fn volumes_conflict(
    one: &Volume4,
    other: &Volume4,
    dilation: &Dilation,
    conversions: &DatumConversions,
) -> Option<(Timestamp, Timestamp)> {
    let time = one.time.widened(dilation.time);
    if !time.overlaps(other.time) || !one.altitude.overlaps(other.altitude, dilation.vertical, conversions) {
        return None;
    }
    let ((middle_a, reach_a), (middle_b, reach_b)) =
        (one.area.bounding_circle(), other.area.bounding_circle());
    if geodesy::distance(middle_a, middle_b).get() > (reach_a + reach_b + dilation.horizontal).get() {
        return None;
    }
    (distance_between(&one.area, &other.area).get() <= dilation.horizontal.get())
        .then(|| (time.start().max(other.time.start()), time.end().min(other.time.end())))
}
