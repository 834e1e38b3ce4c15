//! Whether a track stays inside its own plan.

use crate::{Dilation, distance_to};
use hotline_airspace::{DatumConversions, Metres, TrackState, Volume4};

/// How far a track is outside its plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    /// Horizontal distance to the nearest volume in force.
    pub horizontal: Metres,
    /// Vertical distance to that volume's band.
    pub vertical: Metres,
}

/// How far a track is outside the volumes of its plan that are in force at its time, or nothing when it is
/// inside one of them by the tolerances, or when none is in force (then there is nothing to conform to).
pub fn deviation(
    track: &TrackState,
    volumes: &[Volume4],
    tolerance: &Dilation,
    conversions: &DatumConversions,
) -> Option<Deviation> {
    let mut nearest: Option<Deviation> = None;
    for volume in volumes.iter().filter(|v| v.time.widened(tolerance.time).contains(track.time())) {
        let away = Deviation {
            horizontal: distance_to(&volume.area, track.position()),
            vertical: Metres::new(outside_band(track, volume, conversions)),
        };
        if away.horizontal <= tolerance.horizontal && away.vertical <= tolerance.vertical {
            return None;
        }
        if nearest.is_none_or(|n| away.horizontal + away.vertical < n.horizontal + n.vertical) {
            nearest = Some(away);
        }
    }
    nearest
}

/// Metres above or below the band, 0 inside. The doubt of a conversion is in the aircraft's favour, and so is
/// an altitude that cannot be compared.
fn outside_band(track: &TrackState, volume: &Volume4, conversions: &DatumConversions) -> f64 {
    let band = volume.altitude;
    let Some((offset, error)) = conversions.between(band.datum(), track.altitude().datum()) else {
        return 0.0;
    };
    let height = track.altitude().metres().get() - offset;
    let (low, high) = (band.lower().metres().get() - error, band.upper().metres().get() + error);
    (low - height).max(height - high).max(0.0)
}
