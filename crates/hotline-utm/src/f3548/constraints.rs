//! `/dss/v1/constraint_references`.

use super::wire::{AreaOfInterest, ChangedConstraint, ConstraintReference, subscribers};
use super::{CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING};
use crate::dss::{body, identifier};
use crate::geometry::{Volume4, union};
use crate::{Client, Dss, Problem};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hotline_dss::{Answer, Command};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
pub(super) struct Put {
    extents: Vec<Volume4>,
    uss_base_url: String,
}

impl Put {
    pub(super) fn is_whole(&self) -> bool {
        union(&self.extents, false).is_ok()
    }
}

// Written as it is, not by way of a tree of values: a search may find hundreds.
#[derive(Serialize)]
struct FoundConstraints {
    constraint_references: Vec<ConstraintReference>,
}

pub(super) async fn query(
    State(dss): State<Arc<Dss>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING])?;
    let asked: AreaOfInterest = body(&bytes)?;
    let area = asked.area_of_interest.ok_or_else(|| Problem::invalid("area_of_interest is needed"))?;
    let found = dss.read().await?.find_constraints(&area.searched()?, (dss.clock)());
    let constraint_references =
        found.iter().map(|view| ConstraintReference::to(&client.name, view)).collect();
    Ok(Json(FoundConstraints { constraint_references }).into_response())
}

pub(super) async fn get(
    State(dss): State<Arc<Dss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING])?;
    let id = identifier(&id)?;
    let found = dss.read().await?.constraint(id);
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no constraint {id}")))?;
    Ok(Json(json!({ "constraint_reference": ConstraintReference::to(&client.name, &found) })).into_response())
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
    put(&dss, &id, Some(ovn.into()), &headers, &bytes).await
}

async fn put(
    dss: &Dss,
    id: &str,
    ovn: Option<Arc<str>>,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Response, Problem> {
    let client = dss.client(headers, &[CONSTRAINT_MANAGEMENT])?;
    let id = identifier(id)?;
    let put: Put = body(bytes)?;
    let status = if ovn.is_none() { StatusCode::CREATED } else { StatusCode::OK };
    let (url, extent) = (dss.base_url(&put.uss_base_url)?, union(&put.extents, false)?);
    changed(dss, &client, status, Command::PutConstraint { id, ovn, extent, url }).await
}

pub(super) async fn delete(
    State(dss): State<Arc<Dss>>,
    Path((id, ovn)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[CONSTRAINT_MANAGEMENT])?;
    let command = Command::DeleteConstraint { id: identifier(&id)?, ovn: ovn.into() };
    changed(&dss, &client, StatusCode::OK, command).await
}

async fn changed(
    dss: &Dss,
    client: &Client,
    status: StatusCode,
    command: Command,
) -> Result<Response, Problem> {
    match dss.change(client, command).await? {
        Answer::Constraint { constraint, subscribers: told } => {
            let constraint_reference = ConstraintReference::to(&client.name, &constraint);
            let changed = ChangedConstraint { subscribers: subscribers(told), constraint_reference };
            Ok((status, Json(changed)).into_response())
        }
        other => Err(Problem::failed(format!("a constraint was answered with {other:?}"))),
    }
}
