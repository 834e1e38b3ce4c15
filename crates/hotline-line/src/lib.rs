//! The protocol between parties, as a deterministic state machine without sockets, clocks or threads.
//!
//! Inputs are messages, ticks and what the own party wants to say; outputs are messages to send, records to store
//! and events to show. Everything in here runs in a simulator as well as on a wire.
//!
//! The five types to know:
//! - [`Rulebook`]: the parameters the parties agreed on.
//! - [`Body`]: what a statement says, and its deterministic encoding.
//! - [`Message`]: what goes over the wire between two nodes.
//! - [`Line`]: ledgers, receipts, delivery and the state of the line to each peer.
//! - [`Record`]: what the line must store before it acts on it.
//!
//! ```
//! use hotline_line::Rulebook;
//! let rulebook = Rulebook::from_toml(Rulebook::EXAMPLE)?;
//! assert_eq!(rulebook.lookahead_s, 120.0);
//! # Ok::<(), hotline_line::LineError>(())
//! ```

mod acknowledgement;
mod body;
mod codec;
mod delivery;
mod error;
mod line;
mod message;
mod party_keys;
mod peer;
mod record;
mod rulebook;
mod snapshot;
mod subject;

pub use acknowledgement::Acknowledgement;
pub use body::{
    Body, ConflictAlert, ConflictClear, FlightEnd, FlightNotice, MAX_TEXT, MissedDeadline, Restriction,
    RestrictionLift,
};
pub use delivery::{Delivery, DeliveryState, MAX_DELIVERIES};
pub use error::LineError;
pub use line::{ENTRIES_KEPT, History, Line, LineConfig, LineOutput, Said};
pub use message::{Lane, MAX_MESSAGE_BYTES, MAX_TRACKS, Message, SharedTrack};
pub use party_keys::{OwnKeys, PeerKeys};
pub use peer::{Disputed, LineState, PeerStatus};
pub use record::Record;
pub use rulebook::{Deadlines, Disclosure, Rulebook, Separation};
pub use subject::{ConflictKey, ConflictKind, FlightId, Level, Purpose, StatementRef, Subject};
