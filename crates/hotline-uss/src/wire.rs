//! What suppliers and the DSS say to each other (ASTM F3548-21), as JSON.

pub use hotline_utm::wire::{Altitude, Circle, LatLng, Polygon, Radius, Time, Volume3, Volume4};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The state of an operational intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IntentState {
    /// Planned, not flown yet.
    Accepted,
    /// Flown.
    Activated,
    /// Flown, and outside its volumes for now.
    Nonconforming,
    /// Not expected to come back into its volumes.
    Contingent,
}

impl IntentState {
    /// Inside its volumes.
    pub const fn is_nominal(self) -> bool {
        matches!(self, Self::Accepted | Self::Activated)
    }
}

/// Whether a supplier is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Availability {
    /// Never said.
    Unknown,
    /// It is there.
    Normal,
    /// It is not.
    Down,
}

/// What the DSS knows of an intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntentReference {
    /// Its identifier.
    pub id: String,
    /// The supplier that manages it.
    pub manager: String,
    /// Whether that supplier is there.
    pub uss_availability: Availability,
    /// Counts its changes.
    pub version: i32,
    /// Its state.
    pub state: IntentState,
    /// Its version token; the DSS shows it to its manager only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ovn: Option<String>,
    /// When its first volume begins.
    pub time_start: Time,
    /// When its last volume ends.
    pub time_end: Time,
    /// Where its details are.
    pub uss_base_url: String,
    /// The subscription by which its manager learns of changes around it.
    pub subscription_id: String,
}

/// What only its manager knows of an intent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IntentDetails {
    /// Where it is meant to be.
    #[serde(default)]
    pub volumes: Vec<Volume4>,
    /// Where it may be while it is not nominal.
    #[serde(default)]
    pub off_nominal_volumes: Vec<Volume4>,
    /// The higher goes first.
    #[serde(default)]
    pub priority: i64,
}

impl IntentDetails {
    /// All volumes.
    pub fn all(&self) -> impl Iterator<Item = &Volume4> {
        self.volumes.iter().chain(&self.off_nominal_volumes)
    }
}

/// An intent, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// What the DSS knows.
    pub reference: IntentReference,
    /// What its manager knows.
    pub details: IntentDetails,
}

/// What the DSS knows of a constraint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConstraintReference {
    /// Its identifier.
    pub id: String,
    /// The supplier that manages it.
    pub manager: String,
    /// Whether that supplier is there.
    pub uss_availability: Availability,
    /// Counts its changes.
    pub version: i32,
    /// Its version token; the DSS shows it to its manager only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ovn: Option<String>,
    /// When its first volume begins.
    pub time_start: Time,
    /// When its last volume ends.
    pub time_end: Time,
    /// Where its details are.
    pub uss_base_url: String,
}

/// What only its manager knows of a constraint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConstraintDetails {
    /// Where and when.
    pub volumes: Vec<Volume4>,
    /// What it is.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// An ED-269 zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geozone: Option<Value>,
}

/// A constraint, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    /// What the DSS knows.
    pub reference: ConstraintReference,
    /// What its manager knows.
    pub details: ConstraintDetails,
}

/// A subscription that a notification is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionState {
    /// Which.
    pub subscription_id: String,
    /// How many notifications it has had.
    pub notification_index: i64,
}

/// Whom to tell of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Where it listens.
    pub uss_base_url: String,
    /// For which subscriptions.
    pub subscriptions: Vec<SubscriptionState>,
}

/// A notification of an intent that was changed, or, without it, ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntentNotice {
    /// Which.
    pub operational_intent_id: String,
    /// As it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operational_intent: Option<Intent>,
    /// For which subscriptions.
    pub subscriptions: Vec<SubscriptionState>,
}

/// A notification of a constraint that was changed, or, without it, ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConstraintNotice {
    /// Which.
    pub constraint_id: String,
    /// As it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
    /// For which subscriptions.
    pub subscriptions: Vec<SubscriptionState>,
}

/// Where an aircraft is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Telemetry {
    /// When this was measured.
    pub time_measured: Time,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// How fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub velocity: Option<Velocity>,
}

/// A measured position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees.
    pub longitude: f64,
    /// Degrees.
    pub latitude: f64,
    /// Horizontal error, one of the standard's classes (`HA10m`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_h: Option<String>,
    /// Vertical error, one of the standard's classes (`VA10m`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_v: Option<String>,
    /// Reckoned, not measured.
    #[serde(default)]
    pub extrapolated: bool,
    /// Height above the ellipsoid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<Altitude>,
}

/// A measured velocity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Velocity {
    /// Over ground, metres a second.
    pub speed: f64,
    /// `MetersPerSecond`.
    pub units_speed: String,
    /// Direction over ground, degrees true; 360 is unknown.
    #[serde(default)]
    pub track: f64,
}

/// A record of one exchange, as log sets hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was asked.
    pub url: String,
    /// How.
    pub method: String,
    /// The headers that matter, the token's signature left out.
    #[serde(default)]
    pub headers: Vec<String>,
    /// `Client` or `Server`.
    pub recorder_role: String,
    /// Who asked: the client's name. The file asks for it without saying what it is; not all clients send it.
    #[serde(default)]
    pub request_source: String,
    /// When.
    pub request_time: Time,
    /// What was sent, base64.
    #[serde(default)]
    pub request_body: String,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_time: Option<Time>,
    /// What was answered, base64.
    #[serde(default)]
    pub response_body: String,
    /// With which status; 0 when there was no answer.
    #[serde(default)]
    pub response_code: i32,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
