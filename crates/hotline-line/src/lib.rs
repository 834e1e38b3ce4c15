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

/// Whether a test has broken something on purpose; never in a release.
macro_rules! broken {
    ($what:ident) => {{
        #[cfg(feature = "sabotage")]
        let broken = $crate::sabotage::is_broken($crate::sabotage::Sabotage::$what);
        #[cfg(not(feature = "sabotage"))]
        let broken = false;
        broken
    }};
}
pub(crate) use broken;

mod act;
mod ballots;
mod body;
mod body_codec;
mod books;
mod case;
mod cbor;
mod codec;
mod delivery;
mod error;
mod health;
mod line;
mod message;
mod obligation;
mod own_keys;
mod peer;
mod proposal;
mod quota;
mod record;
mod recorded;
mod rulebook;
#[cfg(feature = "sabotage")]
pub mod sabotage;
mod snapshot;
mod standing;
mod subject;
mod voting;
mod withholdable;
mod words;

pub use act::{Act, Deed, MAX_ACT, MAX_REFS, Person, Reply};
pub use ballots::{Ballot, Ballots, Cast, Cut, MAX_PROPOSALS, Version};
pub use body::{
    Body, ConflictAlert, ConflictClear, Dispute, FlightEnd, FlightNotice, Handover, MAX_TEXT, Missed,
    MissedDeadline, Restriction, RestrictionLift, Segment,
};
pub use books::Books;
pub use case::{
    Case, CaseKind, CaseStatus, CaseStep, Cases, Links, MAX_CASES, Remark, Severity, Step, Triage,
};
pub use delivery::{Delivery, DeliveryState, MAX_DELIVERIES};
pub use error::LineError;
pub use health::{CLASSES, Component, Day, Health, MAX_DAYS, day_of};
pub use line::{ENTRIES_KEPT, History, LISTENING, Line, LineConfig, LineOutput, MAX_WAITING, Said, Speech};
pub use message::{
    BATCH_BYTES, Entry, Lane, MAX_ENTRIES, MAX_MESSAGE_BYTES, MAX_TRACKS, Message, SharedTrack,
};
pub use obligation::{MAX_OPEN, Met, Obligation, Obligations, Owed, Stage};
pub use own_keys::OwnKeys;
pub use peer::{Disputed, LineState, PeerStatus};
pub use proposal::{Candidate, CertificateBytes, Change, MAX_RULEBOOK, Proposal};
pub use quota::{CALL_QUOTA, CONTROL_QUOTA, STATEMENT_QUOTA, URGENT_QUOTA};
pub use record::{MAX_LEAF, Offence, Record};
pub use recorded::{RecordedLeaf, Row};
pub use rulebook::{Deadlines, Disclosure, Escalation, HealthRule, Joined, Rulebook, Separation, Suspension};
pub use standing::{MAX_POSITIONS, Position, Standings, Suspended};
pub use subject::{ConflictKey, ConflictKind, FlightId, Level, Purpose, StatementRef, Subject};
pub use voting::{Choice, Everyone, Matter, Needed, Outcome, Standing, VoteRule};
pub use withholdable::Withholdable;
pub use words::{MAX_PARAMETERS, MAX_WORDS, Parameter, Words};
