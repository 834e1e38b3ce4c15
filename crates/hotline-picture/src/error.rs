//! What a node refuses to do, and why.

use hotline_line::{ConflictKey, FlightId, LineError};

/// Why a command was refused. Nothing of it was done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CoreError {
    /// The line refused it.
    #[error(transparent)]
    Line(#[from] LineError),
    /// No such flight of the own party.
    #[error("flight {0} is not known here: file it first")]
    UnknownFlight(FlightId),
    /// No such restriction of the own party.
    #[error("restriction {0} is not in force here")]
    UnknownRestriction(FlightId),
    /// No open alert of that name.
    #[error("there is no open alert {0}")]
    UnknownAlert(ConflictKey),
    /// The alert has been acknowledged at this level.
    #[error("alert {0} has been acknowledged already")]
    AlreadyAcknowledged(ConflictKey),
    /// The own party has no part in the conflict.
    #[error("alert {0} is between other parties: it is not ours to acknowledge")]
    NotOurs(ConflictKey),
    /// The line is suspended by the own party and does not carry this meanwhile.
    #[error("the line is suspended by this party: {0} are not said until it is restored")]
    Suspended(&'static str),
    /// The key that would have to sign its own revocation.
    #[error(
        "the node cannot revoke the key that it signs with: certify a new one, let the node use it, then revoke this one"
    )]
    OwnKey,
    /// All of a flight's volumes are in the past.
    #[error("the flight would end in the past: its last volume ends at {0}")]
    InThePast(jiff::Timestamp),
    /// A limit has been reached.
    #[error("{what}: {limit} at most are kept")]
    Limit {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}
