//! The planners' interface: flights, restrictions, own tracks, evidence. It asks for the bearer token in the node's folder.

use crate::api::{FlightInput, RestrictionInput, TrackInput};
use crate::engine::{Command, Done, Refusal};
use crate::http::{Answer, App, Refused, bad, read};
use crate::{NodeError, evidence};
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

/// The most tracks in one request.
const MAX_TRACKS: usize = 20_000;

pub(crate) fn routes(app: &App) -> Router<App> {
    Router::new()
        .route("/flights/{id}", put(file_flight).delete(end_flight))
        .route("/restrictions/{id}", put(restrict).delete(lift))
        .route("/tracks", post(own_tracks))
        .route("/export", get(export))
        .route("/certify", post(certify))
        .route("/revoke", post(revoke))
        .layer(axum::middleware::from_fn_with_state(app.clone(), planners_only))
}

async fn planners_only(State(app): State<App>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    let right = shown.is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(app.token.as_bytes())));
    if !right {
        let why = "the planners' interface asks for `Authorization: Bearer` with the token in the node's folder (api-token)";
        return Refused(StatusCode::UNAUTHORIZED, why.into()).into_response();
    }
    next.run(request).await
}

async fn file_flight(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let input: FlightInput = read(&body)?;
    let plan = input.read(&id).map_err(bad)?;
    let Done::Version(version) = app.engine.command(Command::FileFlight(plan)).await? else {
        return Err(bad("a flight that is filed has a version"));
    };
    Ok(Json(json!({ "flight": id, "version": version })))
}

fn id(text: &str) -> Result<hotline_line::FlightId, Refused> {
    hotline_line::FlightId::new(text).map_err(bad)
}

async fn end_flight(State(app): State<App>, Path(name): Path<String>) -> Answer {
    app.engine.command(Command::EndFlight(id(&name)?)).await?;
    Ok(Json(json!({ "flight": name, "ended": true })))
}

async fn restrict(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let input: RestrictionInput = read(&body)?;
    app.engine.command(Command::Restrict(input.read(&id).map_err(bad)?)).await?;
    Ok(Json(json!({ "restriction": id })))
}

async fn lift(State(app): State<App>, Path(name): Path<String>) -> Answer {
    app.engine.command(Command::Lift(id(&name)?)).await?;
    Ok(Json(json!({ "restriction": name, "lifted": true })))
}

/// Takes a list of tracks. One bad report does not stop the others: each refused one is named with why.
async fn own_tracks(State(app): State<App>, body: Bytes) -> Answer {
    let inputs: Vec<TrackInput> = read(&body)?;
    if inputs.len() > MAX_TRACKS {
        return Err(bad(format!("{} tracks: at most {MAX_TRACKS} at once", inputs.len())));
    }
    let (mut tracks, mut refused) = (Vec::with_capacity(inputs.len()), Vec::new());
    for (i, input) in inputs.iter().enumerate() {
        match input.read() {
            Ok(track) => tracks.push(track),
            Err(why) => refused.push(json!({ "index": i, "id": input.id, "why": why })),
        }
    }
    let given = tracks.len();
    let taken = app.engine.own_tracks(tracks).await?;
    Ok(Json(json!({ "taken": taken, "stale": given - taken, "refused": refused })))
}

#[derive(Deserialize)]
struct Range {
    from: jiff::Timestamp,
    to: jiff::Timestamp,
}

async fn export(State(app): State<App>, Query(range): Query<Range>) -> Result<Vec<u8>, Refused> {
    let (journal, now) = (app.journal.clone(), app.clock.now());
    let made = app.engine.look(move |core| evidence::export(core, &*journal, range.from, range.to, now));
    match made.await {
        Some(Ok(bundle)) => Ok(bundle),
        Some(Err(e @ NodeError::Journal(_))) => {
            Err(Refused(StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))
        }
        Some(Err(e)) => Err(bad(e)),
        None => Err(Refusal::Stopping.into()),
    }
}


#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CertifyInput {
    /// A certificate by the party's root key, base64.
    certificate: String,
    /// Who holds the key.
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokeInput {
    /// A revocation by the party's root key, base64.
    revocation: String,
}

fn from_base64(text: &str) -> Result<Vec<u8>, Refused> {
    STANDARD.decode(text).map_err(|e| bad(format!("it is not base64: {e}")))
}

async fn certify(State(app): State<App>, body: Bytes) -> Answer {
    let input: CertifyInput = read(&body)?;
    app.engine.command(Command::Certify(from_base64(&input.certificate)?, input.name)).await?;
    Ok(Json(json!({ "certified": true })))
}

async fn revoke(State(app): State<App>, body: Bytes) -> Answer {
    let input: RevokeInput = read(&body)?;
    app.engine.command(Command::Revoke(from_base64(&input.revocation)?)).await?;
    Ok(Json(json!({ "revoked": true })))
}
