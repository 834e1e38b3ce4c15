//! What clients ask to be changed, as it stands in the journal.

use crate::{Availability, Extent, Id, IntentState, Moment, codec};
use hotline_airspace::Cell;
use minicbor::{Decode, Encode};
use std::sync::Arc;

/// How many random bytes come with an entry.
pub const NONCE_BYTES: usize = 48;

/// A command with all that the machine needs to be deterministic.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Entry {
    /// When it was written. The machine's time is the latest seen.
    #[n(0)]
    pub at: Moment,
    /// It is refused when applied later.
    #[n(1)]
    pub deadline: Moment,
    /// Who asks: the token's `sub`.
    #[cbor(n(2), with = "codec::text")]
    pub client: Arc<str>,
    /// Random bytes, for versions and identifiers.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub nonce: [u8; NONCE_BYTES],
    /// What is asked.
    #[n(4)]
    pub command: Command,
}

/// A volume whose times may be left to the service.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Window {
    /// The cells, in order, each once.
    #[cbor(n(0), with = "codec::cells")]
    pub cells: Arc<[Cell]>,
    /// The lowest altitude, metres; minus infinity when there is none.
    #[n(1)]
    pub lower: f64,
    /// The highest altitude, metres; infinity when there is none.
    #[n(2)]
    pub upper: f64,
    /// When it begins, if said.
    #[n(3)]
    pub start: Option<Moment>,
    /// When it ends, if said.
    #[n(4)]
    pub end: Option<Moment>,
}

/// By which subscription an intent's manager hears of changes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum SubscriptionChoice {
    /// None.
    #[n(0)]
    None,
    /// One that exists.
    #[n(1)]
    Existing(#[n(0)] Id),
    /// One made with the intent.
    #[n(2)]
    New(#[n(0)] NewSubscription),
}

/// A subscription to be made with an intent.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct NewSubscription {
    /// Whom to notify.
    #[cbor(n(0), with = "codec::text")]
    pub url: Arc<str>,
    /// Whether of constraints too.
    #[n(1)]
    pub for_constraints: bool,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[allow(missing_docs)] // The fields are those of the standards' requests.
pub enum Command {
    /// Creates an operational intent, or with an OVN changes it.
    #[n(0)]
    PutIntent {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::maybe_text")]
        ovn: Option<Arc<str>>,
        #[n(2)]
        extent: Extent,
        #[cbor(n(3), with = "codec::texts")]
        key: Vec<Arc<str>>,
        #[n(4)]
        state: IntentState,
        #[cbor(n(5), with = "codec::text")]
        url: Arc<str>,
        #[n(6)]
        subscription: SubscriptionChoice,
        #[cbor(n(7), with = "codec::maybe_text")]
        requested_ovn: Option<Arc<str>>,
    },
    /// Ends an operational intent.
    #[n(1)]
    DeleteIntent {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::text")]
        ovn: Arc<str>,
    },
    /// Creates a constraint, or with an OVN changes it.
    #[n(2)]
    PutConstraint {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::maybe_text")]
        ovn: Option<Arc<str>>,
        #[n(2)]
        extent: Extent,
        #[cbor(n(3), with = "codec::text")]
        url: Arc<str>,
    },
    /// Removes a constraint.
    #[n(3)]
    DeleteConstraint {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::text")]
        ovn: Arc<str>,
    },
    /// Creates a subscription, or with a version changes it.
    #[n(4)]
    PutSubscription {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::maybe_text")]
        version: Option<Arc<str>>,
        #[n(2)]
        window: Window,
        #[cbor(n(3), with = "codec::text")]
        url: Arc<str>,
        #[n(4)]
        for_intents: bool,
        #[n(5)]
        for_constraints: bool,
    },
    /// Removes a subscription.
    #[n(5)]
    DeleteSubscription {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::text")]
        version: Arc<str>,
    },
    /// Says whether a service supplier answers.
    #[n(6)]
    SetAvailability {
        #[cbor(n(0), with = "codec::text")]
        uss: Arc<str>,
        #[cbor(n(1), with = "codec::text")]
        old_version: Arc<str>,
        #[n(2)]
        availability: Availability,
    },
    /// Files a report, JSON.
    #[n(7)]
    Report {
        #[cbor(n(0), with = "codec::text")]
        content: Arc<str>,
    },
    /// Creates a service area, or with a version changes it.
    #[n(8)]
    PutServiceArea {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::maybe_text")]
        version: Option<Arc<str>>,
        #[n(2)]
        window: Window,
        #[cbor(n(3), with = "codec::text")]
        url: Arc<str>,
    },
    /// Removes a service area.
    #[n(9)]
    DeleteServiceArea {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::text")]
        version: Arc<str>,
    },
    /// Creates a subscription to service areas, or with a version changes it.
    #[n(10)]
    PutRidSubscription {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::maybe_text")]
        version: Option<Arc<str>>,
        #[n(2)]
        window: Window,
        #[cbor(n(3), with = "codec::text")]
        url: Arc<str>,
    },
    /// Removes a subscription to service areas.
    #[n(11)]
    DeleteRidSubscription {
        #[n(0)]
        id: Id,
        #[cbor(n(1), with = "codec::text")]
        version: Arc<str>,
    },
    /// Notes that a DSS instance is alive.
    #[n(12)]
    Heartbeat {
        #[cbor(n(0), with = "codec::text")]
        instance: Arc<str>,
        #[cbor(n(1), with = "codec::maybe_text")]
        endpoint: Option<Arc<str>>,
        #[n(2)]
        heartbeat: crate::Heartbeat,
    },
}
