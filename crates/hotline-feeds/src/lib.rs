//! Decoders of surveillance feeds into tracks.
//!
//! So far: recordings as CSV, one state vector a row ([`Recording`]), and tables of numbers ([`Numbers`]). Input is
//! never trusted: a field that is not what it should be is refused with its line and column, and a row of a recording
//! that merely lacks something is counted.
//!
//! ```
//! use hotline_feeds::{Recording, Row};
//! let csv = "time_unix_s,icao24,callsign,lat_deg,lon_deg,alt_ft,gs_kt,trk_deg,vs_fpm\n\
//!            1558612204,4b43ac,REGA1,47.43,9.38,2525,44,260,1344\n\
//!            1558612205,4b43ac,REGA1,47.43,9.38,,44,260,\n";
//! let mut recording = Recording::read(csv.as_bytes())?;
//! let rows: Vec<Row> = recording.by_ref().collect::<Result<_, _>>()?;
//! assert_eq!(rows.len(), 1);
//! assert_eq!(recording.incomplete(), 1);
//! # Ok::<(), hotline_feeds::FeedError>(())
//! ```

mod error;
mod numbers;
mod recording;

pub use error::FeedError;
pub use numbers::Numbers;
pub use recording::{Recording, Row, open};
