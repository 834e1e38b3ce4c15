//! Detect and avoid: alert levels and guidance bands for one own aircraft and its traffic.
//!
//! Follows the published alerting and guidance logic (Munoz et al., "DAIDALUS: detect and avoid alerting logic for
//! unmanned systems", DASC 2015; RTCA DO-365), with its configuration files, and gives the same answers as its
//! reference implementation.
//!
//! ```
//! use hotline_detect::daa::{Configuration, Kind, Region, Scenario, Session};
//! let (configuration, unknown) = Configuration::parse(include_str!("../../testdata/example.conf"))?;
//! assert!(unknown.is_empty());
//! let scenario = Scenario::parse(include_str!("../../testdata/crossing.daa"))?;
//! let mut session = Session::new(&configuration);
//! let mut highest = 0;
//! for step in &scenario.steps {
//!     let update = session.update(step.time, &step.own, &step.traffic, [0.0; 3])?;
//!     highest = highest.max(update.alerts.iter().map(|a| a.level).max().unwrap_or(0));
//!     assert_eq!(update.guidance[0].kind, Kind::Direction);
//! }
//! assert_eq!(highest, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alerting;
mod altitude;
mod bands;
mod configuration;
mod encounter;
mod reading;
mod recovery;
mod scenario;
mod session;
mod sweep;
mod targets;
mod units;

pub use configuration::{
    AlertLevel, Alerter, BelowMinAirspeed, Configuration, KindSettings, Stability, TerminalArea,
};

pub use crate::volume::{Uncertainty, ZScores};
pub use bands::{Band, Guidance, Workspace};
pub use encounter::{Aircraft, Encounter, Place, SPHERE_RADIUS};
pub use recovery::Recovery;
pub use scenario::{MAX_SCENARIO_LINES, Scenario, Step};
pub use session::{Alert, Session, Update};
pub use targets::{Kind, MAX_TARGETS};

/// How severe a value of guidance is, in rising order. `Recovery` is the way out when nothing is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// Free of conflict.
    None,
    /// Far conflict.
    Far,
    /// Middle conflict.
    Mid,
    /// Near conflict.
    Near,
    /// In conflict, but regains separation soonest.
    Recovery,
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::None => "NONE",
            Self::Far => "FAR",
            Self::Mid => "MID",
            Self::Near => "NEAR",
            Self::Recovery => "RECOVERY",
        })
    }
}

/// Why a configuration or a scenario could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Something in a line is wrong.
    #[error("line {line}, column {column}: {why}")]
    At {
        /// Line, from 1.
        line: usize,
        /// Column or field, from 1.
        column: usize,
        /// What is wrong and what would be right.
        why: String,
    },
    /// Something is not there.
    #[error("{0}")]
    Missing(String),
}

impl ReadError {
    pub(crate) fn at(line: usize, column: usize, why: String) -> Self {
        Self::At { line, column, why }
    }

    pub(crate) fn missing(why: String) -> Self {
        Self::Missing(why)
    }
}
