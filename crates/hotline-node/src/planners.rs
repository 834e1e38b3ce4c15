//! The planners' interface: flights, restrictions, own tracks, evidence. It asks for the bearer token in the node's folder.

use crate::NodeError;
use crate::api::{FlightInput, RestrictionInput, TrackInput};
use crate::engine::{Command, Done, Refusal};
use crate::evidence::{Making, Wanted};
use crate::http::{Answer, App, Refused, bad, read, send_file};
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Seek};
use subtle::ConstantTimeEq;

/// The most tracks in one request.
const MAX_TRACKS: usize = 20_000;

pub(crate) fn routes(app: &App) -> Router<App> {
    Router::new()
        .route("/flights/{id}", put(file_flight).delete(end_flight))
        .route("/restrictions/{id}", put(restrict).delete(lift))
        .route("/tracks", post(own_tracks))
        .route("/export", post(export))
        .route("/certify", post(certify))
        .route("/revoke", post(revoke))
        .merge(crate::carrying::routes())
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

/// Makes evidence: the core is only asked where things are and what proves them, and goes on meanwhile. That it is handed
/// over is said on the line before it is.
async fn export(State(app): State<App>, body: Bytes) -> Result<Response, Refused> {
    let wanted: Wanted = read(&body)?;
    let stopping = || Refused::from(Refusal::Stopping);
    let failed = |e: NodeError| match e {
        NodeError::Line(_) => bad(e),
        other => Refused(StatusCode::INTERNAL_SERVER_ERROR, other.to_string()),
    };
    let blocked = |e: tokio::task::JoinError| Refused(StatusCode::INTERNAL_SERVER_ERROR, e.to_string());
    let mut making = app.engine.look(Making::begin).await.ok_or_else(stopping)?;
    let (journal, asked) = (app.journal.clone(), wanted.clone());
    let chosen = move || making.choose(&*journal, &asked).map(|()| making);
    let mut making = tokio::task::spawn_blocking(chosen).await.map_err(blocked)?.map_err(failed)?;
    let proven = app.engine.look(move |core| making.prove(core).map(|()| making)).await;
    let making = proven.ok_or_else(stopping)?.map_err(failed)?;
    let (journal, asked, now) = (app.journal.clone(), wanted.clone(), app.clock.now());
    let written = move || -> Result<(File, [u8; 32]), NodeError> {
        // Without a name: it is gone when it has been sent.
        let mut file = tempfile::tempfile().map_err(NodeError::file("a temporary file"))?;
        let hash = making.write(&*journal, &asked, now, BufWriter::new(&file), |_, _| ())?;
        file.rewind().map_err(NodeError::file("a temporary file"))?;
        Ok((file, hash))
    };
    let (file, hash) = tokio::task::spawn_blocking(written).await.map_err(blocked)?.map_err(failed)?;
    app.engine.command(Command::HandedOver(wanted.handover(hash))).await?;
    Ok(send_file(file).into_response())
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
