//! Conflict detection: aircraft against aircraft, plans against plans, tracks against volumes.
//!
//! Pure functions of their arguments: no clock, no input or output, no allocation in the pair kernel. The
//! formulas are those of the published state-based detection literature (Munoz et al., AIAA 2014; Hoekstra's
//! detection as used in BlueSky), restated where they are used.
//!
//! The five types to know:
//! - [`Minima`]: the cylinder that is to be kept clear around an aircraft.
//! - [`Relative`] and [`cylinder_violation`]: the pair kernel, in closed form.
//! - [`Kinematics`] and [`encounter`]: the same for two aircraft anywhere on WGS84.
//! - [`PairFinder`]: all pairs in conflict within a look-ahead, without looking at all pairs.
//! - [`volumes_conflict`] and [`VolumeIndex`]: plans against plans and restrictions.
//!
//! ```
//! use hotline_airspace::{Feet, NauticalMiles, Seconds};
//! use hotline_detect::{Minima, Relative, cylinder_violation};
//! // Head-on at 500 m/s closing speed, 50 km apart, at the same height.
//! let pair = Relative::new([-50_000.0, 0.0, 0.0], [500.0, 0.0, 0.0])?;
//! let minima = Minima::new(NauticalMiles::new(5.0).into(), Feet::new(1000.0).into())?;
//! let violation = cylinder_violation(&pair, &minima, Seconds::new(0.0), Seconds::new(120.0))?;
//! assert_eq!(violation.unwrap().enters.get(), (50_000.0 - 9260.0) / 500.0);
//! # Ok::<(), hotline_detect::DetectError>(())
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
