//! `/dss/v1/operational_intent_references`.

use super::wire::{
    AreaOfInterest, ChangedIntent, Conflict, ConstraintReference, IntentReference, subscribers,
};
use super::{CONFORMANCE, CONSTRAINT_PROCESSING, STRATEGIC};
use crate::dss::{body, identifier};
use crate::geometry::{Volume4, union};
use crate::{Client, Dss, Problem};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hotline_dss::{Answer, Command, Id, IntentState, Moment, NewSubscription, Refusal, SubscriptionChoice};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// The most OVNs of a key.
const MAX_KEY: usize = 5_000;
/// How far the time in a requested OVN may be from now, microseconds.
const MAX_OVN_AGE: u64 = 5 * 60 * 1_000_000;

#[derive(Deserialize)]
pub(super) struct Put {
    extents: Vec<Volume4>,
    key: Option<Vec<Arc<str>>>,
    state: String,
    uss_base_url: String,
    subscription_id: Option<String>,
    new_subscription: Option<New>,
    requested_ovn_suffix: Option<String>,
}

impl Put {
    pub(super) fn is_whole(&self) -> bool {
        state(&self.state).is_ok() && union(&self.extents, true).is_ok()
    }
}

#[derive(Deserialize)]
struct New {
    uss_base_url: String,
    #[serde(default)]
    notify_for_constraints: Option<bool>,
}

// Written as it is, not by way of a tree of values: a search may find hundreds.
#[derive(Serialize)]
struct FoundIntents {
    operational_intent_references: Vec<IntentReference>,
}

pub(super) async fn query(
    State(dss): State<Arc<Dss>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[STRATEGIC, CONFORMANCE])?;
    let asked: AreaOfInterest = body(&bytes)?;
    let area = asked.area_of_interest.ok_or_else(|| Problem::invalid("area_of_interest is needed"))?;
    let found = dss.read().await?.find_intents(&area.searched()?, (dss.clock)());
    let operational_intent_references =
        found.iter().map(|view| IntentReference::to(&client.name, view)).collect();
    Ok(Json(FoundIntents { operational_intent_references }).into_response())
}

pub(super) async fn get(
    State(dss): State<Arc<Dss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[STRATEGIC, CONFORMANCE])?;
    let id = identifier(&id)?;
    let found = dss.read().await?.intent(id);
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no operational intent {id}")))?;
    Ok(Json(json!({ "operational_intent_reference": IntentReference::to(&client.name, &found) }))
        .into_response())
}

pub(super) async fn create(
    State(dss): State<Arc<Dss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    put(&dss, &id, None, &headers, &bytes).await
}

pub(super) async fn update(
    State(dss): State<Arc<Dss>>,
    Path((id, ovn)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    put(&dss, &id, Some(ovn), &headers, &bytes).await
}

async fn put(
    dss: &Dss,
    id: &str,
    ovn: Option<String>,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Response, Problem> {
    let client = dss.client(headers, &[STRATEGIC, CONFORMANCE])?;
    let created = ovn.is_none();
    let command = command(dss, &client, identifier(id)?, ovn, body(bytes)?)?;
    match dss.store.submit(client.name.clone(), command).await? {
        Answer::Intent { intent, subscribers: told } => {
            let status = if created { StatusCode::CREATED } else { StatusCode::OK };
            let operational_intent_reference = IntentReference::to(&client.name, &intent);
            let changed = ChangedIntent { subscribers: subscribers(told), operational_intent_reference };
            Ok((status, Json(changed)).into_response())
        }
        Answer::Refused(refusal) => Ok(refused(&client, refusal)),
        other => Err(Problem::failed(format!("an intent was answered with {other:?}"))),
    }
}

fn refused(client: &Client, refusal: Refusal) -> Response {
    let message = refusal.to_string();
    let Refusal::MissingKey { intents, constraints } = refusal else {
        return Problem::from(refusal).into_response();
    };
    let conflict = Conflict {
        message,
        missing_operational_intents: intents.iter().map(|i| IntentReference::to(&client.name, i)).collect(),
        missing_constraints: constraints.iter().map(|c| ConstraintReference::to(&client.name, c)).collect(),
    };
    (StatusCode::CONFLICT, Json(conflict)).into_response()
}

fn command(dss: &Dss, client: &Client, id: Id, ovn: Option<String>, put: Put) -> Result<Command, Problem> {
    let state = state(&put.state)?;
    if !state.is_nominal() && !client.has(CONFORMANCE) {
        return Err(Problem::forbidden(format!("state {} needs the scope {CONFORMANCE}", put.state)));
    }
    let key = put.key.unwrap_or_default();
    if key.len() > MAX_KEY {
        return Err(Problem::invalid(format!("a key of {} OVNs: {MAX_KEY} are allowed", key.len())));
    }
    let url = dss.base_url(&put.uss_base_url)?;
    let subscription = choice(dss, client, put.subscription_id, put.new_subscription)?;
    let suffix = put.requested_ovn_suffix;
    let requested_ovn = suffix.map(|s| requested(id, &s, (dss.clock)())).transpose()?;
    let extent = union(&put.extents, true)?;
    Ok(Command::PutIntent {
        id,
        ovn: ovn.map(Into::into),
        extent,
        key,
        state,
        url,
        subscription,
        requested_ovn,
    })
}

pub(crate) fn state(name: &str) -> Result<IntentState, Problem> {
    match name {
        "Accepted" => Ok(IntentState::Accepted),
        "Activated" => Ok(IntentState::Activated),
        "Nonconforming" => Ok(IntentState::Nonconforming),
        "Contingent" => Ok(IntentState::Contingent),
        _ => Err(Problem::invalid(format!(
            "{name:?} is no state: Accepted, Activated, Nonconforming and Contingent are"
        ))),
    }
}

fn choice(
    dss: &Dss,
    client: &Client,
    existing: Option<String>,
    new: Option<New>,
) -> Result<SubscriptionChoice, Problem> {
    match (existing.filter(|id| !id.is_empty()), new) {
        (Some(_), Some(_)) => Err(Problem::invalid("give subscription_id or new_subscription, not both")),
        (Some(id), None) => Ok(SubscriptionChoice::Existing(identifier(&id)?)),
        (None, Some(new)) => {
            let for_constraints = new.notify_for_constraints.unwrap_or(false);
            if for_constraints && !client.has(CONSTRAINT_PROCESSING) {
                let why = format!("notify_for_constraints needs the scope {CONSTRAINT_PROCESSING}");
                return Err(Problem::forbidden(why));
            }
            let url = dss.base_url(&new.uss_base_url)?;
            Ok(SubscriptionChoice::New(NewSubscription { url, for_constraints }))
        }
        (None, None) => Ok(SubscriptionChoice::None),
    }
}

/// The OVN that a client asks for: its intent's identifier and a UUID of version 7 made now.
fn requested(id: Id, suffix: &str, now: Moment) -> Result<Arc<str>, Problem> {
    let wrong = |why: &str| Problem::invalid(format!("requested_ovn_suffix {suffix:?} {why}"));
    let parsed = uuid::Uuid::try_parse(suffix).ok().filter(|u| u.get_version_num() == 7);
    let parsed = parsed.ok_or_else(|| wrong("is no UUID of version 7"))?;
    let made = (parsed.as_u128() >> 80) as i64 * 1_000;
    if now.micros().abs_diff(made) > MAX_OVN_AGE {
        return Err(wrong("was not made within five minutes of now"));
    }
    Ok(format!("{id}_{parsed}").into())
}

pub(super) async fn delete(
    State(dss): State<Arc<Dss>>,
    Path((id, ovn)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[STRATEGIC, CONFORMANCE])?;
    let command = Command::DeleteIntent { id: identifier(&id)?, ovn: ovn.into() };
    match dss.change(&client, command).await? {
        Answer::Intent { intent, subscribers: told } => Ok(Json(ChangedIntent {
            subscribers: subscribers(told),
            operational_intent_reference: IntentReference::to(&client.name, &intent),
        })
        .into_response()),
        other => Err(Problem::failed(format!("an intent was answered with {other:?}"))),
    }
}
