//! The parameters of detect-and-avoid alerting and guidance.

use super::Region;
use crate::Volume;
use crate::volume::ZScores;

/// Everything that alerting and guidance are told, in SI units and radians as the names say.
///
/// Read one from the published text format with [`Configuration::parse`](super::Configuration::parse).
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// How far ahead guidance looks.
    pub lookahead_s: f64,
    /// Horizontal direction: targets this far to the left and right of the own direction, at most half a turn.
    pub direction: KindSettings,
    /// Horizontal speed.
    pub speed: KindSettings,
    /// Vertical speed.
    pub vertical_speed: KindSettings,
    /// Altitude.
    pub altitude: KindSettings,
    /// The slowest airspeed that the own aircraft flies at.
    pub min_airspeed_mps: f64,
    /// Horizontal acceleration; 0: speed bands are instantaneous.
    pub horizontal_acceleration_mps2: f64,
    /// Vertical acceleration; 0: vertical bands are instantaneous.
    pub vertical_acceleration_mps2: f64,
    /// Turn rate; 0: it follows from the bank angle.
    pub turn_rate_rps: f64,
    /// Bank angle; 0 with a turn rate of 0: direction bands are instantaneous.
    pub bank_angle_rad: f64,
    /// Rate of climb and descent towards an altitude; 0: altitude bands are instantaneous.
    pub vertical_rate_mps: f64,
    /// Radius of the cylinder to keep clear of while recovering; 0: from the TCAS table.
    pub min_horizontal_recovery_m: f64,
    /// Half its height; 0: from the TCAS table.
    pub min_vertical_recovery_m: f64,
    /// Whether the recovery cylinder may shrink towards the near-midair one.
    pub ca_bands: bool,
    /// By which part it shrinks each time.
    pub ca_factor: f64,
    /// Radius of the near-midair cylinder.
    pub horizontal_nmac_m: f64,
    /// Half its height.
    pub vertical_nmac_m: f64,
    /// Added to the time of recovery.
    pub recovery_stability_time_s: f64,
    /// How alerts and bands behave from one update to the next.
    pub stability: Stability,
    /// How many standard deviations sensor uncertainty counts for.
    pub z_scores: ZScores,
    /// The terminal area, if there is one.
    pub terminal_area: Option<TerminalArea>,
    /// Direction bands below the slowest airspeed.
    pub below_min_airspeed: BelowMinAirspeed,
    /// Whether the own aircraft's alerter serves for all traffic, rather than each aircraft's own.
    pub ownship_centric_alerting: bool,
    /// Whether the look-ahead of a target begins now rather than when the manoeuvre ends.
    pub bands_from_now: bool,
    /// The region that guidance leads out of.
    pub corrective_region: Region,
    /// The alerters, in the order of their numbers from 1.
    pub alerters: Vec<Alerter>,
}

/// Targets of one kind of guidance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KindSettings {
    /// Distance between targets.
    pub step: f64,
    /// Lowest target (not for direction).
    pub min: f64,
    /// Highest target (not for direction).
    pub max: f64,
    /// How far below (left of) the own value targets go; 0: to the lowest.
    pub below: f64,
    /// How far above (right of) the own value targets go; 0: to the highest.
    pub above: f64,
    /// Whether recovery bands are computed.
    pub recovery: bool,
    /// A preferred side is kept while its resolution stays within this of the other side's.
    pub preferred_persistence: f64,
}

/// How alerts and bands are kept steady between updates.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stability {
    /// A level that held is looked for with its early alerting time for so long.
    pub hysteresis_s: f64,
    /// A level that was shown stays at least so long.
    pub persistence_s: f64,
    /// Whether persistence also holds bands and resolutions.
    pub bands: bool,
    /// An alert is shown when it was found in `m` ...
    pub m: u32,
    /// ... of the last `n` updates; 0 or 1: at once.
    pub n: u32,
}

/// The terminal area: aircraft inside it are judged by an alerter of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TerminalArea {
    /// Latitude of its middle.
    pub latitude_rad: f64,
    /// Longitude of its middle.
    pub longitude_rad: f64,
    /// Its radius.
    pub radius_m: f64,
    /// Its height above the ground.
    pub height_m: f64,
    /// Number of the alerter used inside, from 1.
    pub alerter: usize,
    /// Whether horizontal recovery bands are given inside.
    pub horizontal_recovery: bool,
}

/// What direction bands are when the own aircraft flies slower than its slowest airspeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BelowMinAirspeed {
    /// Not given.
    #[default]
    Disabled,
    /// As if it could turn at once.
    Instantaneous,
    /// As if it flew at the slowest airspeed.
    Kinematic,
}

/// What is judged how urgent about one class of traffic.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerter {
    /// Its name in the file.
    pub name: String,
    /// Alert levels from 1, in rising severity.
    pub levels: Vec<AlertLevel>,
}

/// One alert level.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertLevel {
    /// The region of its bands.
    pub region: Region,
    /// The level holds when the volume is violated within this time.
    pub alerting_time_s: f64,
    /// The same while hysteresis holds the level.
    pub early_alerting_time_s: f64,
    /// Or when a change of direction, speed, vertical speed or altitude of at most this would lead there.
    pub spread: [f64; 4],
    /// What is violated.
    pub volume: Volume,
    /// Whether sensor uncertainty enlarges the volume.
    pub uncertain: bool,
}

impl Alerter {
    /// The most severe level of a region, as an index.
    pub fn level_of(&self, region: Region) -> Option<usize> {
        self.levels.iter().rposition(|l| l.region == region)
    }
}
