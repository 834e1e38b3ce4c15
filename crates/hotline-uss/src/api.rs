//! What all interfaces of a supplier share, the router, and the interface of its own operators.

use crate::http::without_signature;
use crate::logs::Record;
use crate::planning::{Mode, Outcome, Wanted};
use crate::remote_id::AircraftDetails;
use crate::uss::Uss;
use crate::wire::{ConstraintDetails, Exchange, IntentState, Telemetry, Time, Volume4};
use crate::{automated_tests, uss_api};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hotline_dss::Moment;
pub(crate) use hotline_utm::body;
use hotline_utm::{Client, Problem, identifier};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The largest body of a request, bytes.
pub const MAX_BODY: usize = 384 << 10;
/// The scope of a supplier's own operators.
pub const OPERATOR: &str = "hotline.operator";

/// All interfaces of a supplier.
pub fn service(uss: Arc<Uss>) -> Router {
    let router = Router::new()
        .route("/operator/v1/flights", get(flights))
        .route("/operator/v1/flights/{id}", put(put_flight).get(get_flight).delete(end_flight))
        .route("/operator/v1/flights/{id}/telemetry", post(telemetry))
        .route("/operator/v1/constraints/{id}", put(put_constraint).delete(end_constraint))
        .route("/operator/v1/notices", get(notices))
        .merge(crate::operations::routes())
        .merge(uss_api::routes())
        .merge(crate::remote_id::routes());
    let router = if uss.settings.test_interfaces { router.merge(automated_tests::routes()) } else { router };
    router
        .fallback(|uri: Uri| async move { Problem::not_found(format!("there is nothing at {}", uri.path())) })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(uss)
}

/// Who asks; the token must have one of the scopes.
pub(crate) fn client(uss: &Uss, headers: &HeaderMap, scopes: &[&str]) -> Result<Arc<Client>, Problem> {
    uss.gate.check(headers, scopes, (uss.now().micros() / 1_000_000).max(0) as u64)
}

/// An identifier: a UUID of version 4.
pub(crate) fn id(text: &str) -> Result<String, Problem> {
    identifier(text).map(|id| id.to_string())
}

/// What was done on another thread.
pub(crate) fn answered<T>(done: Result<T, tokio::task::JoinError>) -> Result<T, Problem> {
    done.map_err(|e| Problem::failed(format!("it could not be carried out: {e}")))
}

/// A request of another supplier, recorded with its answer.
pub(crate) struct Asked {
    uss: Arc<Uss>,
    exchange: Exchange,
}

impl Asked {
    pub(crate) fn new(uss: &Arc<Uss>, method: &str, path: &str, headers: &HeaderMap, bytes: &[u8]) -> Self {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or("");
        let who = uss.gate.authenticate(headers, (uss.now().micros() / 1_000_000).max(0) as u64);
        let exchange = Exchange {
            url: format!("{}{path}", uss.settings.base_url),
            method: method.into(),
            headers: vec![format!("Authorization: {}", without_signature(authorization))],
            recorder_role: "Server".into(),
            request_source: who.map_or_else(|_| "(unknown)".into(), |client| client.name.to_string()),
            request_time: Time::at(uss.now()),
            request_body: STANDARD.encode(bytes),
            response_time: None,
            response_body: String::new(),
            response_code: 0,
            problem: None,
        };
        Self { uss: uss.clone(), exchange }
    }

    /// The answer, recorded; nothing to say is null.
    pub(crate) fn end(mut self, outcome: Result<(StatusCode, Value), Problem>) -> Response {
        self.exchange.response_time = Some(Time::at(self.uss.now()));
        let response = match outcome {
            Ok((status, Value::Null)) => status.into_response(),
            Ok((status, answer)) => {
                self.exchange.response_body = STANDARD.encode(answer.to_string());
                (status, Json(answer)).into_response()
            }
            Err(problem) => {
                self.exchange.problem = Some(problem.message().to_owned());
                problem.into_response()
            }
        };
        self.exchange.response_code = i32::from(response.status().as_u16());
        self.uss.logs.exchange(self.exchange);
        response
    }
}

/// A flight as an operator gives it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlightInput {
    /// `Accepted` when it is planned, `Activated` when it is flown.
    state: IntentState,
    volumes: Vec<Volume4>,
    #[serde(default)]
    off_nominal_volumes: Vec<Volume4>,
    #[serde(default)]
    priority: i64,
    #[serde(default)]
    aircraft: AircraftDetails,
}

/// Carries something out that waits for others, on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    uss: &Arc<Uss>,
    work: impl FnOnce(&Arc<Uss>) -> T + Send + 'static,
) -> Result<T, Problem> {
    let uss = uss.clone();
    answered(tokio::task::spawn_blocking(move || work(&uss)).await)
}

fn of_outcome(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Done { flight, advisories } => {
            Json(json!({ "flight": flight.id, "intent": flight.intent, "advisories": advisories }))
                .into_response()
        }
        Outcome::Rejected(why) => Problem::with(StatusCode::CONFLICT, why).into_response(),
        Outcome::Failed(why) => Problem::with(StatusCode::BAD_GATEWAY, why).into_response(),
    }
}

async fn put_flight(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[OPERATOR])?;
    let (id, input): (String, FlightInput) = (id(&text)?, body(&bytes)?);
    let FlightInput { state, volumes, off_nominal_volumes, priority, aircraft } = input;
    let wanted = Wanted { state, volumes, off_nominal_volumes, priority, plan: Value::Null, aircraft };
    Ok(of_outcome(blocking(&uss, move |uss| uss.put_flight(&id, &wanted, Mode::IfAllowed)).await?))
}

async fn flights(State(uss): State<Arc<Uss>>, headers: HeaderMap) -> Result<Response, Problem> {
    client(&uss, &headers, &[OPERATOR])?;
    let flights: Vec<_> = uss.flights().into_values().collect();
    Ok(Json(json!({ "flights": flights })).into_response())
}

async fn get_flight(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[OPERATOR])?;
    let flight =
        uss.flight(&id(&text)?).ok_or_else(|| Problem::not_found(format!("there is no flight {text}")))?;
    Ok(Json(json!({ "flight": flight, "telemetry": flight.telemetry })).into_response())
}

async fn end_flight(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[OPERATOR])?;
    let id = id(&text)?;
    let ended = blocking(&uss, move |uss| uss.end_flight(&id)).await?;
    Ok(of_outcome(ended.ok_or_else(|| Problem::not_found(format!("there is no flight {text}")))?))
}

async fn telemetry(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[OPERATOR])?;
    let (id, telemetry): (String, Telemetry) = (id(&text)?, body(&bytes)?);
    uss.telemetry(&id, telemetry)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn put_constraint(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let provider = client(&uss, &headers, &[OPERATOR])?;
    let (id, details): (String, ConstraintDetails) = (id(&text)?, body(&bytes)?);
    match blocking(&uss, move |uss| uss.put_constraint(&id, details)).await? {
        Ok(constraint) => {
            let record = json!({
                "constraint_id": constraint.reference.id, "constraint_provider_id": provider.name,
            });
            uss.logs.record(Record::ConstraintProviderAssociations { record });
            Ok(Json(json!({ "constraint": constraint })).into_response())
        }
        Err(outcome) => Ok(of_outcome(outcome)),
    }
}

async fn end_constraint(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[OPERATOR])?;
    let id = id(&text)?;
    match blocking(&uss, move |uss| uss.end_constraint(&id)).await? {
        Ok(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(false) => Err(Problem::not_found(format!("there is no constraint {text}"))),
        Err(outcome) => Ok(of_outcome(outcome)),
    }
}

/// From one time to another, RFC 3339.
#[derive(Deserialize)]
pub(crate) struct Span {
    pub(crate) after: Option<String>,
    pub(crate) before: Option<String>,
}

impl Span {
    pub(crate) fn read(&self, now: Moment) -> Result<(Moment, Moment), Problem> {
        let instant = |text: &String| Time { value: text.clone(), format: "RFC3339".into() }.instant();
        let after = self.after.as_ref().map(instant).transpose()?;
        let before = self.before.as_ref().map(instant).transpose()?;
        Ok((after.unwrap_or(Moment::MIN), before.unwrap_or(now)))
    }
}

async fn notices(
    State(uss): State<Arc<Uss>>,
    Query(span): Query<Span>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[OPERATOR])?;
    let (after, before) = span.read(uss.now())?;
    Ok(Json(json!({ "notices": uss.notices(after, before) })).into_response())
}
