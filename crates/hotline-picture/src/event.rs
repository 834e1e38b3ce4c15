//! What a console shows.

use crate::{Alert, Detection};
use hotline_ledger::PartyName;
use hotline_line::{Delivery, PeerStatus, Subject};

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
    /// Something of a peer's was refused.
    Refused(PartyName, String),
}
