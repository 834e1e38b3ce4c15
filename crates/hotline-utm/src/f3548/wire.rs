//! The answers of F3548 in JSON.

use crate::geometry::{Time, Volume4};
use hotline_dss::{
    Availability, Constraint, Intent, IntentState, NO_SUBSCRIPTION, SubscriptionView, ToNotify, View,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a client that does not manage an entity is shown in place of its OVN.
const ELSEWHERE: &str = "Available from USS";

#[derive(Deserialize)]
pub(super) struct AreaOfInterest {
    pub(super) area_of_interest: Option<Volume4>,
}

impl AreaOfInterest {
    pub(super) fn is_whole(&self) -> bool {
        self.area_of_interest.as_ref().is_some_and(|area| area.searched().is_ok())
    }
}

#[derive(Serialize)]
pub(super) struct IntentReference {
    id: String,
    manager: Arc<str>,
    uss_availability: &'static str,
    version: i32,
    state: &'static str,
    ovn: Arc<str>,
    time_start: Time,
    time_end: Time,
    uss_base_url: Arc<str>,
    subscription_id: String,
}

#[derive(Serialize)]
pub(super) struct ConstraintReference {
    id: String,
    manager: Arc<str>,
    uss_availability: &'static str,
    version: i32,
    ovn: Arc<str>,
    time_start: Time,
    time_end: Time,
    uss_base_url: Arc<str>,
}

#[derive(Serialize)]
pub(super) struct SubscriptionBody {
    id: String,
    version: Arc<str>,
    notification_index: i32,
    time_start: Time,
    time_end: Time,
    uss_base_url: Arc<str>,
    notify_for_operational_intents: bool,
    notify_for_constraints: bool,
    implicit_subscription: bool,
    dependent_operational_intents: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Subscriber {
    uss_base_url: Arc<str>,
    subscriptions: Vec<SubscriptionState>,
}

#[derive(Serialize)]
struct SubscriptionState {
    subscription_id: String,
    notification_index: i32,
}

#[derive(Serialize)]
pub(super) struct ChangedIntent {
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) operational_intent_reference: IntentReference,
}

#[derive(Serialize)]
pub(super) struct Conflict {
    pub(super) message: String,
    pub(super) missing_operational_intents: Vec<IntentReference>,
    pub(super) missing_constraints: Vec<ConstraintReference>,
}

#[derive(Serialize)]
pub(super) struct ChangedConstraint {
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) constraint_reference: ConstraintReference,
}

pub(super) const fn state_name(state: IntentState) -> &'static str {
    match state {
        IntentState::Accepted => "Accepted",
        IntentState::Activated => "Activated",
        IntentState::Nonconforming => "Nonconforming",
        IntentState::Contingent => "Contingent",
    }
}

pub(super) const fn availability_name(availability: Availability) -> &'static str {
    match availability {
        Availability::Unknown => "Unknown",
        Availability::Normal => "Normal",
        Availability::Down => "Down",
    }
}

fn shown(ovn: &Arc<str>, manager: &str, client: &str) -> Arc<str> {
    if manager == client { ovn.clone() } else { ELSEWHERE.into() }
}

impl IntentReference {
    pub(super) fn to(client: &str, view: &View<Intent>) -> Self {
        let intent = &view.entity;
        Self {
            id: intent.id.to_string(),
            manager: intent.manager.clone(),
            uss_availability: availability_name(view.availability),
            version: intent.version,
            state: state_name(intent.state),
            ovn: shown(&intent.ovn, &intent.manager, client),
            time_start: Time::at(intent.extent.start),
            time_end: Time::at(intent.extent.end),
            uss_base_url: intent.url.clone(),
            subscription_id: intent.subscription.unwrap_or(NO_SUBSCRIPTION).to_string(),
        }
    }
}

impl ConstraintReference {
    pub(super) fn to(client: &str, view: &View<Constraint>) -> Self {
        let constraint = &view.entity;
        Self {
            id: constraint.id.to_string(),
            manager: constraint.manager.clone(),
            uss_availability: availability_name(view.availability),
            version: constraint.version,
            ovn: shown(&constraint.ovn, &constraint.manager, client),
            time_start: Time::at(constraint.extent.start),
            time_end: Time::at(constraint.extent.end),
            uss_base_url: constraint.url.clone(),
        }
    }
}

impl SubscriptionBody {
    pub(super) fn of(view: &SubscriptionView) -> Self {
        let subscription = &view.subscription;
        Self {
            id: subscription.id.to_string(),
            version: subscription.version.clone(),
            notification_index: subscription.index,
            time_start: Time::at(subscription.extent.start),
            time_end: Time::at(subscription.extent.end),
            uss_base_url: subscription.url.clone(),
            notify_for_operational_intents: subscription.for_intents,
            notify_for_constraints: subscription.for_constraints,
            implicit_subscription: subscription.implicit,
            dependent_operational_intents: view.dependents.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(super) fn subscribers(told: Vec<ToNotify>) -> Vec<Subscriber> {
    let state = |(id, index): (hotline_dss::Id, i32)| SubscriptionState {
        subscription_id: id.to_string(),
        notification_index: index,
    };
    let one = |ToNotify { url, subscriptions }| Subscriber {
        uss_base_url: url,
        subscriptions: subscriptions.into_iter().map(state).collect(),
    };
    told.into_iter().map(one).collect()
}
