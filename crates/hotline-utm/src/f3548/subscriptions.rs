//! `/dss/v1/subscriptions`.

use super::wire::{AreaOfInterest, ConstraintReference, IntentReference, SubscriptionBody};
use super::{CONSTRAINT_PROCESSING, STRATEGIC};
use crate::dss::{body, identifier};
use crate::geometry::Volume4;
use crate::{Client, Dss, Problem};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use hotline_dss::{Answer, Command};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
pub(super) struct Put {
    extents: Volume4,
    uss_base_url: String,
    notify_for_operational_intents: Option<bool>,
    notify_for_constraints: Option<bool>,
}

impl Put {
    pub(super) fn is_whole(&self) -> bool {
        self.extents.window().is_ok()
    }
}

#[derive(Serialize)]
struct PutAnswer {
    subscription: SubscriptionBody,
    operational_intent_references: Vec<IntentReference>,
    constraint_references: Vec<ConstraintReference>,
}

const SCOPES: [&str; 2] = [STRATEGIC, CONSTRAINT_PROCESSING];

pub(super) async fn query(
    State(dss): State<Arc<Dss>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &SCOPES)?;
    let asked: AreaOfInterest = body(&bytes)?;
    let area = asked.area_of_interest.ok_or_else(|| Problem::invalid("area_of_interest is needed"))?;
    let found = dss.read().await?.find_subscriptions(&client.name, &area.searched()?, (dss.clock)());
    let found: Vec<_> = found.iter().map(SubscriptionBody::of).collect();
    Ok(Json(json!({ "subscriptions": found })).into_response())
}

pub(super) async fn get(
    State(dss): State<Arc<Dss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &SCOPES)?;
    let id = identifier(&id)?;
    let found = dss.read().await?.subscription(id);
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no subscription {id}")))?;
    if found.subscription.manager != client.name {
        return Err(Problem::forbidden(format!("subscription {id} belongs to another client")));
    }
    Ok(Json(json!({ "subscription": SubscriptionBody::of(&found) })).into_response())
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
    Path((id, version)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    put(&dss, &id, Some(version.into()), &headers, &bytes).await
}

async fn put(
    dss: &Dss,
    id: &str,
    version: Option<Arc<str>>,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Response, Problem> {
    let client = dss.client(headers, &SCOPES)?;
    let id = identifier(id)?;
    let put: Put = body(bytes)?;
    let for_intents = put.notify_for_operational_intents.unwrap_or(false);
    let for_constraints = put.notify_for_constraints.unwrap_or(false);
    needs(&client, for_intents, "notify_for_operational_intents", STRATEGIC)?;
    needs(&client, for_constraints, "notify_for_constraints", CONSTRAINT_PROCESSING)?;
    let (url, window) = (dss.base_url(&put.uss_base_url)?, put.extents.window()?);
    let command = Command::PutSubscription { id, version, window, url, for_intents, for_constraints };
    match dss.change(&client, command).await? {
        Answer::Subscription { subscription, intents, constraints } => Ok(Json(PutAnswer {
            subscription: SubscriptionBody::of(&subscription),
            operational_intent_references: intents
                .iter()
                .map(|view| IntentReference::to(&client.name, view))
                .collect(),
            constraint_references: constraints
                .iter()
                .map(|view| ConstraintReference::to(&client.name, view))
                .collect(),
        })
        .into_response()),
        other => Err(Problem::failed(format!("a subscription was answered with {other:?}"))),
    }
}

fn needs(client: &Client, asked: bool, field: &str, scope: &str) -> Result<(), Problem> {
    if !asked || client.has(scope) {
        return Ok(());
    }
    Err(Problem::forbidden(format!("{field} needs the scope {scope}")))
}

pub(super) async fn delete(
    State(dss): State<Arc<Dss>>,
    Path((id, version)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &SCOPES)?;
    let command = Command::DeleteSubscription { id: identifier(&id)?, version: version.into() };
    match dss.change(&client, command).await? {
        Answer::Subscription { subscription, .. } => {
            Ok(Json(json!({ "subscription": SubscriptionBody::of(&subscription) })).into_response())
        }
        other => Err(Problem::failed(format!("a subscription was answered with {other:?}"))),
    }
}
