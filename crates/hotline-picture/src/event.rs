//! What a console shows.

use crate::{Alert, Detection, Spoken};
use hotline_ledger::PartyName;
use hotline_line::{Case, Delivery, Obligation, PeerStatus, StatementRef, Subject};

/// Something has changed that an officer sees.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// This node sees a conflict; shown at once, before it is recorded.
    Detected(Box<Detection>),
    /// An alert was raised, read, missed or is over.
    Alert(Box<Alert>),
    /// The state of the line to a peer.
    Peer(PartyName, Box<PeerStatus>),
    /// An own statement has come farther.
    Delivery(Box<Delivery>),
    /// A flight was filed, changed or ended.
    Flight(Subject),
    /// A restriction was entered or lifted.
    Restriction(Subject),
    /// A person has said something: a message, request, answer, position, check.
    Spoken(Box<Spoken>),
    /// Something is owed, was answered, or was not in time.
    Owed(Box<Obligation>),
    /// A case has moved.
    Case(Box<Case>),
    /// A proposal has moved.
    Ballot(StatementRef),
    /// Another rulebook is in force, or a member has come or gone.
    Rulebook,
    /// A party has suspended or restored the line, or has left it.
    Standing,
    /// Whether this node may speak has changed.
    Speech,
    /// Something of a peer's was refused.
    Refused(PartyName, String),
}
