//! InterUSS' auxiliary interface: version, checks of tokens, the pool and its instances, options.

use crate::geometry::{instant, written};
use crate::{Dss, Problem};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use hotline_dss::{Answer, Command, Heartbeat, Instance, Moment};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const READ: &str = "dss.read.identification_service_areas";
const WRITE: &str = "dss.write.identification_service_areas";
const POOL: &str = "interuss.pool_status.read";
const HEARTBEAT: &str = "interuss.pool_status.heartbeat.write";
/// The longest source of a heartbeat.
const MAX_SOURCE: usize = 256;

pub(crate) fn routes() -> Router<Arc<Dss>> {
    Router::new()
        .route("/aux/v1/version", get(version))
        .route("/aux/v1/validate_oauth", get(validate_oauth))
        .route("/aux/v1/pool", get(pool))
        .route("/aux/v1/pool/dss_instances", get(instances))
        .route("/aux/v1/pool/dss_instances/heartbeat", put(heartbeat))
        .route("/aux/v1/configuration/accepted_ca_certs", get(certificates))
        .route("/aux/v1/configuration/ca_certs", get(certificates))
        .route("/aux/v1/configuration/global_options", get(global_options))
}

async fn version() -> Json<Value> {
    Json(json!({ "version": concat!("hotline/", env!("CARGO_PKG_VERSION")) }))
}

#[derive(Deserialize)]
struct Owner {
    owner: Option<String>,
}

async fn validate_oauth(
    State(dss): State<Arc<Dss>>,
    query: Result<Query<Owner>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[READ, WRITE])?;
    let owner = query.map_err(|e| Problem::forbidden(e.body_text()))?.0.owner.unwrap_or_default();
    if !owner.is_empty() && *owner != *client.name {
        return Err(Problem::forbidden(format!("the token's sub is {:?}, not {owner:?}", client.name)));
    }
    Ok(Json(json!({})).into_response())
}

async fn pool(State(dss): State<Arc<Dss>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    dss.client(&headers, &[POOL])?;
    Ok(Json(json!({ "dar_id": dss.identity.pool })))
}

fn instance(instance: &Instance) -> Value {
    let Heartbeat { at, reporter, source, next } = &instance.heartbeat;
    let mut heartbeat = json!({
        "timestamp": written(*at),
        "source": **source,
        "index": instance.heartbeats,
    });
    if let Some(reporter) = reporter {
        heartbeat["reporter"] = json!(**reporter);
    }
    if let Some(next) = next {
        heartbeat["next_heartbeat_expected_before"] = json!(written(*next));
    }
    let mut body = json!({ "id": *instance.name, "most_recent_heartbeat": heartbeat });
    if let Some(endpoint) = &instance.endpoint {
        body["public_endpoint"] = json!(**endpoint);
    }
    body
}

async fn all_instances(dss: &Dss) -> Result<Value, Problem> {
    let found: Vec<Value> = dss.read().await?.instances().map(instance).collect();
    Ok(json!({ "dss_instances": found }))
}

async fn instances(State(dss): State<Arc<Dss>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    dss.client(&headers, &[POOL])?;
    all_instances(&dss).await.map(Json)
}

#[derive(Deserialize)]
struct Beat {
    source: Option<String>,
    timestamp: Option<String>,
    next_heartbeat_expected_before: Option<String>,
}

async fn heartbeat(
    State(dss): State<Arc<Dss>>,
    query: Result<Query<Beat>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[HEARTBEAT])?;
    let Query(beat) = query.map_err(|e| Problem::invalid(e.body_text()))?;
    let source = beat.source.filter(|s| !s.is_empty() && s.len() <= MAX_SOURCE);
    let source =
        source.ok_or_else(|| Problem::invalid(format!("source is needed, {MAX_SOURCE} bytes at most")))?;
    let at = beat.timestamp.map_or_else(|| Ok((dss.clock)()), |text| instant(&text))?;
    let next = beat.next_heartbeat_expected_before.map(|text| instant(&text)).transpose()?;
    if next.is_some_and(|next| next < at) {
        return Err(Problem::invalid("next_heartbeat_expected_before must not be before timestamp"));
    }
    beat_now(&dss, Some(client.name.clone()), &source, at, next).await?;
    Ok((StatusCode::CREATED, Json(all_instances(&dss).await?)).into_response())
}

/// Notes a heartbeat of this instance.
pub(crate) async fn beat_now(
    dss: &Dss,
    reporter: Option<Arc<str>>,
    source: &str,
    at: Moment,
    next: Option<Moment>,
) -> Result<(), Problem> {
    let heartbeat = Heartbeat { at, reporter, source: source.into(), next };
    let (instance, endpoint) = (dss.identity.instance.clone(), dss.identity.endpoint.clone());
    let command = Command::Heartbeat { instance: instance.clone(), endpoint, heartbeat };
    match dss.store.submit(instance, command).await? {
        Answer::Refused(refusal) => Err(refusal.into()),
        _ => Ok(()),
    }
}

/// This service has no certificates of its own between instances: the cluster below it has.
async fn certificates() -> Json<Value> {
    Json(json!({ "CAs": [] }))
}

async fn global_options(State(dss): State<Arc<Dss>>, headers: HeaderMap) -> Result<Json<Value>, Problem> {
    dss.client(&headers, &[POOL])?;
    // One ordered machine needs no locks, and its notification indices count.
    Ok(Json(
        json!({ "scd_global_lock": false, "scd_hash_lock": false, "time_based_notification_index": false }),
    ))
}
