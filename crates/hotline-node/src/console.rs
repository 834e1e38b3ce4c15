//! The officers' console: its stream, who is signed in, and what they do.

use crate::deeds::DeedInput;
use crate::engine::{Command, Done, Refusal};
use crate::http::{Answer, App, Refused, bad, read};
use crate::view::{ConsoleEvent, view_plans, view_state, view_summary, view_tracks};
use crate::view_line::{view_dealings, view_health, view_positions};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use hotline_ledger::PartyName;
use hotline_line::{Act, ConflictKey, Deed};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// Tracks go to the consoles so often.
const TRACKS_EVERY: Duration = Duration::from_millis(1_000);
/// The cookie that names a session.
const COOKIE: &str = "hotline-session";

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/state", get(async |State(app): State<App>| look(&app, state(&app)).await))
        .route("/plans", get(async |State(app): State<App>| look(&app, view_plans).await))
        .route("/summary", get(async |State(app): State<App>| look(&app, view_summary).await))
        .route("/dealings", get(async |State(app): State<App>| look(&app, view_dealings).await))
        .route("/health", get(async |State(app): State<App>| look(&app, view_health).await))
        .route("/record/{party}", get(record))
        .route("/stream", get(follow))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/session", get(session))
        .route("/act", post(act))
        .route("/acknowledge", post(acknowledge))
        .route("/phrases", get(phrases))
        .route("/overlay", get(overlay))
}

async fn look(app: &App, view: impl FnOnce(&hotline_picture::Core) -> Value + Send + 'static) -> Answer {
    app.engine.look(view).await.map(Json).ok_or(Refused::from(Refusal::Stopping))
}

fn state(app: &App) -> impl FnOnce(&hotline_picture::Core) -> Value + Send + 'static {
    let (speed, trouble) = (app.clock.speed(), app.outlet.trouble());
    let (persons, carriers) = (app.persons.clone(), app.outlet.carriers());
    move |core| view_state(core, persons.listed(), &carriers, speed, trouble.as_deref())
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    about: String,
}

/// What a party has put on record about a topic.
async fn record(State(app): State<App>, Path(party): Path<String>, Query(about): Query<About>) -> Answer {
    let party = PartyName::new(&party).map_err(bad)?;
    look(&app, move |core| view_positions(core, &party, &about.about)).await
}

/// The phrases of the catalogue in every language.
async fn phrases(State(app): State<App>) -> Json<Value> {
    Json(app.catalogue.view())
}

// ---- who is on watch ----

fn token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = cookies.flat_map(|c| c.split(';')).filter_map(|c| c.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

fn signed_out() -> Refused {
    Refused(StatusCode::UNAUTHORIZED, "nobody is signed in: sign in with your PIN first".into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// Who, such as `officer-1`.
    holder: String,
    pin: String,
}

fn view_person(person: &crate::Listed) -> Value {
    json!({ "holder": person.holder, "name": person.name, "role": person.role.as_str() })
}

async fn sign_in(State(app): State<App>, body: Bytes) -> Result<Response, Refused> {
    let input: SignIn = read(&body)?;
    let persons = app.persons.clone();
    // It costs a tenth of a second of computing, on purpose: nothing else waits for it.
    let signed = tokio::task::spawn_blocking(move || persons.sign_in(&input.holder, &input.pin)).await;
    let token = signed.map_err(bad)?.map_err(|why| Refused(StatusCode::UNAUTHORIZED, why))?;
    let person = app.persons.who(&token).map(view_person);
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
    let mut response = Json(person).into_response();
    response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(bad)?);
    Ok(response)
}

async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Json<Value> {
    if let Some(token) = token(&headers) {
        app.persons.sign_out(token);
    }
    Json(json!({ "signed_out": true }))
}

async fn session(State(app): State<App>, headers: HeaderMap) -> Json<Value> {
    Json(token(&headers).and_then(|t| app.persons.who(t)).map_or(Value::Null, view_person))
}

// ---- what they do ----

/// Signs a deed with the key of whoever is signed in, and says it.
async fn sign_and_say(app: &App, headers: &HeaderMap, deed: Deed) -> Answer {
    let key = token(headers).and_then(|t| app.persons.key(t)).ok_or_else(signed_out)?;
    let names = app.engine.look(|core| (core.line().name().clone(), core.line().party().clone())).await;
    let (line, party) = names.ok_or(Refused::from(Refusal::Stopping))?;
    let act = Act::sign(&line, &party, deed, app.clock.now(), &key).map_err(bad)?;
    match app.engine.command(Command::Act(Box::new(act))).await? {
        Done::Said(statement) => Ok(Json(json!({ "statement": statement.to_string() }))),
        Done::Version(_) | Done::Yes => Ok(Json(json!({}))),
    }
}

async fn act(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let input: DeedInput = read(&body)?;
    let now = app.clock.now();
    let deed = app.engine.look(move |core| input.read(core.line(), now)).await;
    let deed = deed.ok_or(Refused::from(Refusal::Stopping))?.map_err(bad)?;
    sign_and_say(&app, &headers, deed).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcknowledgeInput {
    id: String,
}

async fn acknowledge(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let input: AcknowledgeInput = read(&body)?;
    let id = input.id.clone();
    let find = move |core: &hotline_picture::Core| {
        let key: Option<ConflictKey> =
            core.alerts().iter().find(|a| a.key.to_string() == id).map(|a| a.key.clone());
        key.map(|key| core.acknowledgement(&key))
    };
    let unknown = || Refused(StatusCode::NOT_FOUND, format!("there is no open alert {}", input.id));
    let found = app.engine.look(find).await.flatten().ok_or_else(unknown)?;
    let deed = found.map_err(|e| Refused::from(Refusal::Core(e)))?;
    sign_and_say(&app, &headers, deed).await
}

async fn overlay(State(app): State<App>) -> Response {
    let text =
        app.overlay.as_deref().unwrap_or("{\"type\":\"FeatureCollection\",\"features\":[]}").to_owned();
    ([(header::CONTENT_TYPE, "application/geo+json")], text).into_response()
}

fn sse(event: &ConsoleEvent) -> Event {
    Event::default().event(event.name).data(&*event.data)
}

/// The stream: the whole state first, then what changes, and all tracks once a second. A console that lags too far
/// behind is given the whole state anew.
async fn follow(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = app.outlet.listen();
    let begin = {
        let app = app.clone();
        stream::once(async move { whole_state(&app).await })
    };
    let for_changes = app.clone();
    let changes = stream::unfold(changes, move |mut changes| {
        let app = for_changes.clone();
        async move {
            let event = match changes.recv().await {
                Ok(event) => sse(&event),
                Err(RecvError::Lagged(_)) => whole_state(&app).await,
                Err(RecvError::Closed) => return None,
            };
            Some((event, changes))
        }
    });
    Sse::new(begin.chain(changes).map(Ok)).keep_alive(KeepAlive::default())
}

async fn whole_state(app: &App) -> Event {
    let state = app.engine.look(state(app)).await.unwrap_or(Value::Null);
    sse(&ConsoleEvent::new("state", &state))
}

/// Sends all tracks to the consoles, as long as there are any.
pub(crate) async fn send_tracks(app: App) {
    let mut timer = tokio::time::interval(TRACKS_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        if app.outlet.listeners() == 0 {
            continue;
        }
        let Some(tracks) = app.engine.look(view_tracks).await else { return };
        app.outlet.event(&ConsoleEvent::new("tracks", &tracks));
    }
}
