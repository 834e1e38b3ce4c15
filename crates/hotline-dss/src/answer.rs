//! What clients are told.

use crate::{Availability, Constraint, Id, Intent, RidSubscription, ServiceArea, Subscription};
use std::sync::Arc;

/// Whom to notify of a change: the subscriptions of one base URL, each with its index after this notification.
#[derive(Debug, Clone, PartialEq)]
pub struct ToNotify {
    /// The base URL.
    pub url: Arc<str>,
    /// The subscriptions that the change touches.
    pub subscriptions: Vec<(Id, i32)>,
}

/// An intent or constraint with what its manager's availability was.
#[derive(Debug, Clone, PartialEq)]
pub struct View<T> {
    /// The entity.
    pub entity: Arc<T>,
    /// Its manager's availability.
    pub availability: Availability,
}

/// A subscription with the intents that depend on it.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscriptionView {
    /// The subscription.
    pub subscription: Arc<Subscription>,
    /// The intents that name it.
    pub dependents: Vec<Id>,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // The fields are those of the standards' answers.
pub enum Answer {
    Intent {
        intent: View<Intent>,
        subscribers: Vec<ToNotify>,
    },
    Constraint {
        constraint: View<Constraint>,
        subscribers: Vec<ToNotify>,
    },
    Subscription {
        subscription: SubscriptionView,
        intents: Vec<View<Intent>>,
        constraints: Vec<View<Constraint>>,
    },
    Availability {
        uss: Arc<str>,
        version: Arc<str>,
        availability: Availability,
    },
    Report {
        id: Id,
    },
    ServiceArea {
        area: Arc<ServiceArea>,
        subscribers: Vec<ToNotify>,
    },
    RidSubscription {
        subscription: Arc<RidSubscription>,
        areas: Vec<Arc<ServiceArea>>,
    },
    Heartbeat,
    Refused(Refusal),
}

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It asks for what cannot be.
    #[error("{0}")]
    Invalid(String),
    /// It is another client's.
    #[error("{0}")]
    Forbidden(String),
    /// There is none.
    #[error("{0}")]
    NotFound(String),
    /// The version is not the current one, or the identifier is taken.
    #[error("{0}")]
    Conflict(String),
    /// The key lacks versions of what overlaps.
    #[error("the key lacks the current OVN of {} operational intents and {} constraints that overlap", intents.len(), constraints.len())]
    MissingKey {
        /// Intents whose OVN is missing.
        intents: Vec<View<Intent>>,
        /// Constraints whose OVN is missing.
        constraints: Vec<View<Constraint>>,
    },
    /// The client is marked as down.
    #[error("{0}")]
    UssDown(String),
    /// The client has too many subscriptions here.
    #[error("{0}")]
    TooMany(String),
    /// It came to be applied after its deadline.
    #[error("the request could not be carried out before its deadline; nothing was changed")]
    Late,
}
