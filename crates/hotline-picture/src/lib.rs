//! The air picture of one node, its conflicts and alerts, and the deterministic core that joins it to the line.
//!
//! No clock, no randomness, no input or output: time comes in with every call, and what is to be stored, sent and
//! shown comes out. The same journal gives the same state.
//!
//! The five types to know:
//! - [`Core`]: a whole node but for its waiting: commands, messages, tracks and ticks in, [`Effects`] out.
//! - [`Picture`]: intents, restrictions, tracks, and the conflicts that this node sees among them.
//! - [`Alert`]: a conflict made known, by whom, and who has read it.
//! - [`Event`]: what a console shows.
//! - [`Tally`]: what was said by whom, counted the same on every node.

mod alerts;
mod core;
mod detection;
mod error;
mod event;
mod picture;
mod plans;
mod recorder;
mod snapshot;
mod spoken;
mod tally;
mod tracks;

pub use alerts::{Ack, Alert, Alerts, Assertion, MAX_ALERTS};
pub use core::{Core, Effects, Heard};
pub use detection::{Detection, Detections, MAX_DETECTIONS};
pub use error::CoreError;
pub use event::Event;
pub use picture::{InForce, Intent, Picture};
pub use plans::FlightPlan;
pub use recorder::Recorder;
pub use spoken::{Conversation, MAX_SPOKEN, Spoken};
pub use tally::{PartyTally, Tally};
pub use tracks::{MAX_TRACKS_PER_PARTY, Track, TrackTable};
