//! What is stored.

use crate::{Extent, Moment, codec};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::sync::Arc;
use uuid::Uuid;

/// The identifier of an entity or subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub Uuid);

/// What stands where an intent has no subscription.
pub const NO_SUBSCRIPTION: Id = Id(Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000));

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> Encode<C> for Id {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(self.0.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Id {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = Uuid::from_slice(d.bytes()?);
        bytes.map(Self).map_err(|_| decode::Error::message("an identifier has 16 bytes"))
    }
}

/// The state of an operational intent (F3548).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum IntentState {
    /// Planned and shared.
    #[n(0)]
    Accepted,
    /// In use.
    #[n(1)]
    Activated,
    /// Outside its volumes, expected to come back.
    #[n(2)]
    Nonconforming,
    /// Outside its volumes for good.
    #[n(3)]
    Contingent,
}

impl IntentState {
    /// Whether the aircraft keeps to its plan: then its key is checked, and others need its version.
    pub const fn is_nominal(self) -> bool {
        matches!(self, Self::Accepted | Self::Activated)
    }
}

/// Whether a service supplier answers (F3548).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Availability {
    /// Nobody has said.
    #[n(0)]
    Unknown,
    /// It answers.
    #[n(1)]
    Normal,
    /// It does not answer as it should.
    #[n(2)]
    Down,
}

/// A reference to an operational intent.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Intent {
    /// Its identifier.
    #[n(0)]
    pub id: Id,
    /// Who made it and alone may change it.
    #[cbor(n(1), with = "codec::text")]
    pub manager: Arc<str>,
    /// 1 at first, one more at each change.
    #[n(2)]
    pub version: i32,
    /// Its state.
    #[n(3)]
    pub state: IntentState,
    /// Its opaque version number, new at each change and not to be guessed.
    #[cbor(n(4), with = "codec::text")]
    pub ovn: Arc<str>,
    /// The union of its volumes.
    #[n(5)]
    pub extent: Extent,
    /// Where its manager gives the details.
    #[cbor(n(6), with = "codec::text")]
    pub url: Arc<str>,
    /// The subscription by which its manager hears of changes around it.
    #[n(7)]
    pub subscription: Option<Id>,
}

/// A reference to a constraint.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Constraint {
    /// Its identifier.
    #[n(0)]
    pub id: Id,
    /// Who made it and alone may change it.
    #[cbor(n(1), with = "codec::text")]
    pub manager: Arc<str>,
    /// 1 at first, one more at each change.
    #[n(2)]
    pub version: i32,
    /// Its opaque version number.
    #[cbor(n(3), with = "codec::text")]
    pub ovn: Arc<str>,
    /// The union of its volumes.
    #[n(4)]
    pub extent: Extent,
    /// Where its manager gives the details.
    #[cbor(n(5), with = "codec::text")]
    pub url: Arc<str>,
}

/// A subscription to changes of intents or constraints (F3548).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Subscription {
    /// Its identifier.
    #[n(0)]
    pub id: Id,
    /// Who made it and alone may see and change it.
    #[cbor(n(1), with = "codec::text")]
    pub manager: Arc<str>,
    /// Its version, new at each change by its manager.
    #[cbor(n(2), with = "codec::text")]
    pub version: Arc<str>,
    /// How many notifications it has prompted.
    #[n(3)]
    pub index: i32,
    /// What it watches.
    #[n(4)]
    pub extent: Extent,
    /// Whom to notify.
    #[cbor(n(5), with = "codec::text")]
    pub url: Arc<str>,
    /// Whether intents are watched.
    #[n(6)]
    pub for_intents: bool,
    /// Whether constraints are watched.
    #[n(7)]
    pub for_constraints: bool,
    /// Whether it came with an intent, and goes with it.
    #[n(8)]
    pub implicit: bool,
}

/// An identification service area (F3411, both editions).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ServiceArea {
    /// Its identifier.
    #[n(0)]
    pub id: Id,
    /// Who made it and alone may change it.
    #[cbor(n(1), with = "codec::text")]
    pub owner: Arc<str>,
    /// Its version, new at each change.
    #[cbor(n(2), with = "codec::text")]
    pub version: Arc<str>,
    /// Where and when flights may be.
    #[n(3)]
    pub extent: Extent,
    /// Where the flights are asked for, as given.
    #[cbor(n(4), with = "codec::text")]
    pub url: Arc<str>,
}

/// A subscription to changes of service areas (F3411, both editions).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct RidSubscription {
    /// Its identifier.
    #[n(0)]
    pub id: Id,
    /// Who made it and alone may change it.
    #[cbor(n(1), with = "codec::text")]
    pub owner: Arc<str>,
    /// Its version, new at each change by its owner.
    #[cbor(n(2), with = "codec::text")]
    pub version: Arc<str>,
    /// How many notifications it has prompted.
    #[n(3)]
    pub index: i32,
    /// What it watches.
    #[n(4)]
    pub extent: Extent,
    /// Whom to notify, as given.
    #[cbor(n(5), with = "codec::text")]
    pub url: Arc<str>,
}

/// What a client reported about an exchange that went wrong.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Report {
    /// Its identifier.
    #[n(0)]
    pub id: Id,
    /// Who reported.
    #[cbor(n(1), with = "codec::text")]
    pub reporter: Arc<str>,
    /// When.
    #[n(2)]
    pub at: Moment,
    /// The report, JSON.
    #[cbor(n(3), with = "codec::text")]
    pub content: Arc<str>,
}

/// A sign of life of a DSS instance.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Heartbeat {
    /// When it was given.
    #[n(0)]
    pub at: Moment,
    /// The client that gave it; none when the instance itself did.
    #[cbor(n(1), with = "codec::maybe_text")]
    pub reporter: Option<Arc<str>>,
    /// What prompted it.
    #[cbor(n(2), with = "codec::text")]
    pub source: Arc<str>,
    /// When the next is expected.
    #[n(3)]
    pub next: Option<Moment>,
}

/// A DSS instance of the pool.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Instance {
    /// Its name.
    #[cbor(n(0), with = "codec::text")]
    pub name: Arc<str>,
    /// Where it is reached.
    #[cbor(n(1), with = "codec::maybe_text")]
    pub endpoint: Option<Arc<str>>,
    /// How many heartbeats it has had.
    #[n(2)]
    pub heartbeats: u64,
    /// The newest.
    #[n(3)]
    pub heartbeat: Heartbeat,
}
