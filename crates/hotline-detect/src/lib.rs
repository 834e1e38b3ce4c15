//! Conflict detection: aircraft against aircraft, plans against plans, tracks against volumes.
//!
//! Pure functions of their arguments: no clock, no input or output, no allocation in the pair kernel. The
//! formulas are those of the published state-based detection literature (Munoz et al., AIAA 2014; Hoekstra's
//! detection as used in BlueSky), restated where they are used.
//!
//! What to know:
//! - [`Volume`]: what is to be kept clear around an aircraft: a cylinder ([`Minima`]), a member of the well-clear
//!   family ([`WellClear`]) or the thresholds of a TCAS table ([`TcasTable`]); violated when, for a [`Relative`] state.
//! - [`daa`]: alert levels and guidance bands, from the configuration files of detect-and-avoid systems.
//! - [`Kinematics`] and [`encounter`]: two aircraft anywhere on WGS84.
//! - [`all_sized_pairs`] and [`PairSet`]: all pairs in conflict within a look-ahead, at once or kept up to date.
//! - [`volumes_conflict`] and [`VolumeIndex`]: plans against plans and restrictions; [`conformance()`]: a track against
//!   its own plan; [`TrackCheck`]: whether a track can be believed.
//!
//! ```
//! use hotline_airspace::{Feet, Metres, NauticalMiles, Seconds};
//! use hotline_detect::{Minima, OwnVertical, Relative, TimeVariable, Volume, WellClear};
//! // Head-on at 500 m/s closing speed, 50 km apart, at the same height.
//! let pair = Relative::new([-50_000.0, 0.0, 0.0], [500.0, 0.0, 0.0])?;
//! let cylinder = Minima::new(NauticalMiles::new(5.0).into(), Feet::new(1000.0).into())?;
//! let well_clear = WellClear::new(
//!     TimeVariable::TauMod,
//!     Metres::new(1219.2),
//!     Metres::new(137.16),
//!     Seconds::new(35.0),
//!     Seconds::new(0.0),
//! )?;
//! let when = |volume: Volume| {
//!     volume.violation(&pair, OwnVertical::default(), Seconds::new(0.0), Seconds::new(120.0))
//! };
//! assert_eq!(when(cylinder.into())?.unwrap().enters.get(), (50_000.0 - 9260.0) / 500.0);
//! // Well clear is lost by time before it is lost by distance.
//! assert!(when(well_clear.into())?.unwrap().enters.get() < 65.0);
//! # Ok::<(), hotline_detect::DetectError>(())
//! ```
//!
//! All pairs, here one job after the other; bring an [`Executor`] to use more cores:
//! ```
//! use hotline_airspace::{
//!     Altitude, Datum, DatumConversions, Degrees, Metres, MetresPerSecond, Position, Seconds, TrackState,
//! };
//! use hotline_detect::{Kinematics, Minima, Serial, SizeClasses, all_sized_pairs};
//! let aircraft = |longitude: f64, track: f64| -> Result<Kinematics, hotline_airspace::AirspaceError> {
//!     Ok(Kinematics::new(&TrackState::new(
//!         "2026-01-01T00:00:00Z".parse().unwrap(),
//!         Position::new(Degrees::new(0.0), Degrees::new(longitude))?,
//!         Altitude::new(Metres::new(9000.0), Datum::Barometric)?,
//!         MetresPerSecond::new(250.0),
//!         Degrees::new(track),
//!         MetresPerSecond::new(0.0),
//!     )?))
//! };
//! // Two that meet across the antimeridian, and one that flies away.
//! let all = [(aircraft(179.8, 90.0)?, 0), (aircraft(-179.8, 270.0)?, 0), (aircraft(-179.0, 90.0)?, 0)];
//! let minima = Minima::new(Metres::new(9260.0), Metres::new(304.8))?;
//! let none = DatumConversions::default();
//! let pairs = all_sized_pairs(&all, &SizeClasses::from(minima), Seconds::new(300.0), &none, &Serial);
//! assert_eq!(pairs.iter().map(|(i, j, _)| (*i, *j)).collect::<Vec<_>>(), [(0, 1)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod area_distance;
mod cell_grid;
mod coarse;
mod conformance;
mod cylinder;
pub mod daa;
mod error;
mod faces;
mod kinematics;
mod overlap;
mod pair_set;
mod pair_sweep;
mod pairs;
mod plausibility;
mod relative;
mod track_entry;
mod volume;
mod volume_index;

pub use area_distance::{distance_between, distance_to};
pub use conformance::{
    Conformance, ConformanceMonitor, ConformanceRules, Deviation, IntentConformance, conformance, deviation,
};
pub use cylinder::{Minima, Violation, cylinder_violation};
pub use error::DetectError;
pub use kinematics::{Encounter, Kinematics, encounter};
pub use overlap::{Dilation, volumes_conflict};
pub use pair_set::PairSet;
pub use pair_sweep::{Executor, Serial, SizeClasses, Sized, all_pairs, all_sized_pairs};
pub use pairs::{MAX_LOOKAHEAD, PairFinder, all_pairs_brute_force};
pub use plausibility::{Envelope, Implausible, TrackCheck};
pub use relative::{ClosestApproach, Relative};
pub use track_entry::track_enters;
pub use volume::{OwnVertical, TcasTable, TcasThresholds, TimeVariable, Volume, WellClear};
pub use volume_index::VolumeIndex;
