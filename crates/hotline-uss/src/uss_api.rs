//! `/uss/v1`: what suppliers ask of each other.

use crate::Uss;
use crate::api::{Asked, blocking, body, client, id};
use crate::wire::{ConstraintNotice, Exchange, IntentNotice, Time};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hotline_utm::Problem;
use hotline_utm::scopes::{
    ARBITRATION, CONFORMANCE, CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING, STRATEGIC,
};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How soon new telemetry is worth asking for.
const NEXT_TELEMETRY: SignedDuration = SignedDuration::from_secs(1);

pub(crate) fn routes() -> Router<Arc<Uss>> {
    Router::new()
        .route("/uss/v1/operational_intents", post(intent_changed))
        .route("/uss/v1/operational_intents/{id}", get(intent))
        .route("/uss/v1/operational_intents/{id}/telemetry", get(telemetry))
        .route("/uss/v1/constraints", post(constraint_changed))
        .route("/uss/v1/constraints/{id}", get(constraint))
        .route("/uss/v1/reports", post(report))
        .route("/uss/v1/log_sets/{day}", get(log_set))
}

async fn intent(State(uss): State<Arc<Uss>>, Path(text): Path<String>, headers: HeaderMap) -> Response {
    let asked = Asked::new(&uss, "GET", &format!("/uss/v1/operational_intents/{text}"), &headers, &[]);
    let found = || {
        client(&uss, &headers, &[STRATEGIC])?;
        let id = id(&text)?;
        let state = uss.state();
        let own = state.flights.values().filter_map(|f| f.intent.as_ref()).find(|i| i.reference.id == id);
        let missing = || Problem::not_found(format!("this supplier manages no operational intent {id}"));
        Ok((StatusCode::OK, json!({ "operational_intent": own.ok_or_else(missing)? })))
    };
    asked.end(found())
}

async fn telemetry(State(uss): State<Arc<Uss>>, Path(text): Path<String>, headers: HeaderMap) -> Response {
    let asked =
        Asked::new(&uss, "GET", &format!("/uss/v1/operational_intents/{text}/telemetry"), &headers, &[]);
    let found = || {
        client(&uss, &headers, &[CONFORMANCE])?;
        let id = id(&text)?;
        let missing =
            || Problem::with(StatusCode::PRECONDITION_FAILED, format!("there is no telemetry of {id}"));
        let telemetry = uss.telemetry_for_others(&id)?.ok_or_else(missing)?;
        let next = Time::at(uss.now().later(NEXT_TELEMETRY.as_micros() as i64));
        let answer = json!({
            "operational_intent_id": id, "telemetry": telemetry, "next_telemetry_opportunity": next,
        });
        Ok((StatusCode::OK, answer))
    };
    asked.end(found())
}

async fn intent_changed(State(uss): State<Arc<Uss>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let asked = Asked::new(&uss, "POST", "/uss/v1/operational_intents", &headers, &bytes);
    let heard = async {
        let client = client(&uss, &headers, &[STRATEGIC])?;
        let notice: IntentNotice = body(&bytes)?;
        id(&notice.operational_intent_id)?;
        blocking(&uss, move |uss| uss.hear_intent(&client.name, notice)).await?
    };
    asked.end(heard.await.map(|()| (StatusCode::NO_CONTENT, Value::Null)))
}

async fn constraint_changed(State(uss): State<Arc<Uss>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let asked = Asked::new(&uss, "POST", "/uss/v1/constraints", &headers, &bytes);
    let heard = async {
        let client = client(&uss, &headers, &[CONSTRAINT_MANAGEMENT])?;
        let notice: ConstraintNotice = body(&bytes)?;
        id(&notice.constraint_id)?;
        blocking(&uss, move |uss| uss.hear_constraint(&client.name, notice)).await?
    };
    asked.end(heard.await.map(|()| (StatusCode::NO_CONTENT, Value::Null)))
}

async fn constraint(State(uss): State<Arc<Uss>>, Path(text): Path<String>, headers: HeaderMap) -> Response {
    let asked = Asked::new(&uss, "GET", &format!("/uss/v1/constraints/{text}"), &headers, &[]);
    let found = || {
        client(&uss, &headers, &[CONSTRAINT_PROCESSING])?;
        let id = id(&text)?;
        let missing = || Problem::not_found(format!("this supplier manages no constraint {id}"));
        Ok((StatusCode::OK, json!({ "constraint": uss.constraint(&id).ok_or_else(missing)? })))
    };
    asked.end(found())
}

#[derive(Deserialize)]
struct Report {
    exchange: Exchange,
}

async fn report(State(uss): State<Arc<Uss>>, headers: HeaderMap, bytes: Bytes) -> Response {
    let asked = Asked::new(&uss, "POST", "/uss/v1/reports", &headers, &bytes);
    let taken = || {
        let scopes = [STRATEGIC, CONSTRAINT_PROCESSING, CONSTRAINT_MANAGEMENT, CONFORMANCE, ARBITRATION];
        let client = client(&uss, &headers, &scopes)?;
        let mut report: Report = body(&bytes)?;
        report.exchange.request_time.instant()?;
        report.exchange.response_time.as_ref().map(Time::instant).transpose()?;
        if !["Client", "Server"].contains(&report.exchange.recorder_role.as_str()) {
            let why =
                format!("recorder_role {:?} is neither Client nor Server", report.exchange.recorder_role);
            return Err(Problem::invalid(why));
        }
        if report.exchange.request_source.is_empty() {
            report.exchange.request_source = client.name.to_string();
        }
        let id = crate::planning::new_id().map_err(Problem::failed)?;
        tracing::warn!("{} reports a problem with {}: report {id}", client.name, report.exchange.url);
        Ok((StatusCode::CREATED, json!({ "report_id": id, "exchange": report.exchange })))
    };
    asked.end(taken())
}

async fn log_set(
    State(uss): State<Arc<Uss>>,
    Path(day): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[crate::api::OPERATOR])?;
    let of = day.clone();
    let set = blocking(&uss, move |uss| uss.logs.set(&of)).await?.map_err(Problem::failed)?;
    let set = set.ok_or_else(|| {
        Problem::not_found(format!(
            "there is no log set {day:?}; log sets are days with records, as 2026-01-31"
        ))
    })?;
    Ok(Json(set).into_response())
}
