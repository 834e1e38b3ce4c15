//! The flight recorder: what own aircraft did, committed to in the ledger and handed over later, one aircraft at a time.
//!
//! A segment covers about a minute. Each aircraft's reports in it are one leaf, with a salt, so that nothing can be guessed from its hash; the
//! root over all leaves, sorted by aircraft, is in the ledger.

use crate::LineError;
use hotline_airspace::{Datum, TrackState};
use minicbor::{Decode, Encode};

/// One report: milliseconds since 1970; degrees in 1e-7; millimetres and its datum (0 ellipsoid, 1 barometric, 2 above ground);
/// mm/s; degrees in 1e-3; mm/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Row {
    /// When.
    #[n(0)]
    pub time_ms: i64,
    /// Latitude.
    #[n(1)]
    pub latitude_e7: i64,
    /// Longitude.
    #[n(2)]
    pub longitude_e7: i64,
    /// Altitude.
    #[n(3)]
    pub altitude_mm: i64,
    /// Its datum.
    #[n(4)]
    pub datum: u8,
    /// Ground speed.
    #[n(5)]
    pub speed_mms: i64,
    /// Track over ground.
    #[n(6)]
    pub track_e3: i64,
    /// Vertical speed.
    #[n(7)]
    pub climb_mms: i64,
}

impl Row {
    /// A report as it is recorded.
    pub fn new(state: &TrackState) -> Self {
        let scaled = |x: f64, by: f64| (x * by).round() as i64;
        Self {
            time_ms: state.time().as_millisecond(),
            latitude_e7: scaled(state.position().latitude().get(), 1e7),
            longitude_e7: scaled(state.position().longitude().get(), 1e7),
            altitude_mm: scaled(state.altitude().metres().get(), 1e3),
            datum: match state.altitude().datum() {
                Datum::Ellipsoid => 0,
                Datum::Barometric => 1,
                Datum::AboveGround => 2,
            },
            speed_mms: scaled(state.ground_speed().get(), 1e3),
            track_e3: scaled(state.track().get(), 1e3),
            climb_mms: scaled(state.vertical_speed().get(), 1e3),
        }
    }
}

/// One aircraft's part of a segment: a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RecordedLeaf {
    /// The aircraft.
    #[n(0)]
    pub aircraft: String,
    /// Sixteen bytes that nobody can guess.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// Its reports, in order.
    #[n(2)]
    pub rows: Vec<Row>,
}

impl RecordedLeaf {
    /// Its encoding: the leaf of the segment's tree.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory")
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// When malformed or not in its one encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LineError> {
        const WHAT: &str = "a part of the flight recorder";
        let read: Self = minicbor::decode(bytes).map_err(|e| LineError::malformed(WHAT, e))?;
        if read.to_bytes() != bytes { Err(LineError::NotCanonical(WHAT)) } else { Ok(read) }
    }
}
