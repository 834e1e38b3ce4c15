//! Quantities with units, positions, altitudes with their datum, 4D volumes and geodesy.
//!
//! Everything that the other crates say about where and when is said in these types, so that a length in feet
//! is never taken for one in metres and a pressure altitude never for a height above the ellipsoid.
//!
//! The five types to know:
//! - [`Position`]: latitude and longitude on WGS84, always valid.
//! - [`Altitude`] and [`AltitudeBand`]: metres with a [`Datum`].
//! - [`Area`]: a circle or a polygon on the ellipsoid.
//! - [`Volume4`]: an area, an altitude band and a time interval.
//! - [`LocalPlane`]: a flat picture of the surroundings of one position, true in distance from its origin.
//!
//! ```
//! use hotline_airspace::{Degrees, NauticalMiles, Metres, Position, geodesy};
//! let hmeimim = Position::new(Degrees::new(35.401), Degrees::new(35.949))?;
//! let east = geodesy::destination(hmeimim, Degrees::new(90.0), NauticalMiles::new(10.0).into());
//! assert!((geodesy::distance(hmeimim, east).get() - 18_520.0).abs() < 1e-6);
//! # Ok::<(), hotline_airspace::AirspaceError>(())
//! ```

mod altitude;
mod area;
mod cells;
mod error;
pub mod geodesy;
mod local_plane;
mod position;
mod quantity;
mod time;
mod track;
mod volume;

pub use altitude::{Altitude, AltitudeBand, Datum, DatumConversion, DatumConversions};
pub use area::{Area, MAX_POLYGON_VERTICES, MAX_RADIUS, Polygon};
pub use cells::{
    CELL_EARTH_RADIUS, Cell, CoverError, MAX_COVERED_KM2, MAX_COVERED_VERTICES, cover_circle, cover_polygon,
};
pub use error::AirspaceError;
pub use local_plane::{LocalPlane, PlanePoint};
pub use position::Position;
pub use quantity::{Degrees, Feet, FeetPerMinute, Knots, Metres, MetresPerSecond, NauticalMiles, Seconds};
pub use time::{TimeInterval, seconds_between, shifted};
pub use track::{Category, MAX_GROUND_SPEED, MAX_VERTICAL_SPEED, TrackState};
pub use volume::{MAX_VOLUMES, Volume4};
