//! A UAS service supplier (USS): plans flights through any DSS of ASTM F3548-21, says to other suppliers what the standard
//! asks for, watches its flights' conformance, and shows them by remote ID (ASTM F3411).
//!
//! A flight is planned in four steps: what is around it is gathered from the DSS and from the suppliers that manage it,
//! the plan is held against the rules by exact geometry, the DSS is told with the key of what was gathered, and the
//! subscribers that it names are notified. Each step that must not be lost is in a journal before the next.
//!
//! The five types to know:
//! - [`Uss`]: a supplier; [`service`] makes its router.
//! - [`Settings`]: how it is set.
//! - [`Wanted`] and [`Outcome`]: what an operator asks for, and what came of it.
//! - [`Tile`]: airspace of which everything is to be known.
//! - [`wire`]: the forms of the standard.
//!
//! ```
//! use hotline_airspace::{Area, Degrees, Metres, Position};
//! let centre = Position::new(Degrees::new(47.0), Degrees::new(8.0))?;
//! let time = ("2026-01-01T10:00:00Z".parse()?, "2026-01-01T11:00:00Z".parse()?);
//! let volume = hotline_uss::written(&Area::circle(centre, Metres::new(300.0))?, (50.0, 120.0), time);
//! assert_eq!(volume.time_end.unwrap().value, "2026-01-01T11:00:00Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod api;
mod around;
mod automated_tests;
mod conformance;
mod constraints;
mod dss_client;
mod flight;
mod forms;
mod geozones;
mod http;
mod keep;
mod logs;
mod operations;
mod outbox;
mod peers;
mod planning;
mod remote_id;
mod rules;
mod settling;
mod standing;
mod upkeep;
mod uss;
mod uss_api;
mod volumes;
pub mod wire;

pub use api::{MAX_BODY, OPERATOR, service};
pub use conformance::{TELEMETRY_LOST, report};
pub use flight::{Flight, OwnConstraint};
pub use forms::forms_of;
pub use geozones::{MAX_SOURCES, MAX_ZONES};
pub use http::{ASK_WITHIN, AskError, Secret, TokenSource};
pub use outbox::{FIRST_PAUSE, GIVEN_UP_AFTER, LONGEST_PAUSE};
pub use planning::{Mode, Outcome, PLAN_HORIZON, Wanted};
pub use remote_id::{
    AircraftDetails, Edition, MAX_AIRCRAFT, MAX_DETAILS_DIAGONAL, MAX_DIAGONAL, NEAR_REAL_TIME,
};
pub use standing::{MAX_TILES, Rectangle, RectangleError, Tile};
pub use uss::{ConstraintRule, MAX_KNOWN, MAX_NOTICES, MAX_OWN, Notice, Settings, StartError, Uss};
pub use volumes::{MAX_VOLUMES, written};
