//! HTTP: the officers' console, its stream, and the planners' interface, on one loopback address.
//!
//! The console's own calls must come from its own page: requests that a browser sends for another site are
//! refused, and so is any `Host` but a loopback one. The planners' interface asks for the bearer token in the
//! node's folder.

use crate::api::{FlightInput, RestrictionInput, TrackInput};
use crate::engine::{Command, Engine, Refusal};
use crate::evidence;
use crate::view::{ConsoleEvent, Outlet, view_plans, view_state, view_summary, view_tracks};
use crate::{Clock, NodeError};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use hotline_journal::Journal;
use hotline_line::ConflictKey;
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::broadcast::error::RecvError;

/// The console as the build made it.
static CONSOLE: Dir<'_> = include_dir!("$OUT_DIR/console");
/// The largest request body, bytes.
const MAX_BODY: usize = 16 << 20;
/// The most tracks in one request.
const MAX_TRACKS: usize = 20_000;
/// Tracks go to the consoles so often.
const TRACKS_EVERY: Duration = Duration::from_millis(1_000);

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) outlet: Outlet,
    pub(crate) clock: Clock,
    pub(crate) token: Arc<str>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) overlay: Option<Arc<str>>,
}

/// What goes wrong with a request: a status, and words.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        use hotline_line::LineError;
        use hotline_picture::CoreError;
        let status = match &refusal {
            Refusal::Core(CoreError::Line(LineError::Muted(_))) | Refusal::Disk(_) => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            Refusal::Core(
                CoreError::UnknownFlight(_) | CoreError::UnknownRestriction(_) | CoreError::UnknownAlert(_),
            ) => StatusCode::NOT_FOUND,
            Refusal::Core(CoreError::AlreadyAcknowledged(_)) => StatusCode::CONFLICT,
            Refusal::Core(_) => StatusCode::BAD_REQUEST,
            Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, refusal.to_string())
    }
}

fn bad(why: impl ToString) -> Refused {
    Refused(StatusCode::BAD_REQUEST, why.to_string())
}

type Answer = Result<Json<Value>, Refused>;

pub(crate) fn router(app: App) -> Router {
    let planners = Router::new()
        .route("/flights/{id}", put(file_flight).delete(end_flight))
        .route("/restrictions/{id}", put(restrict).delete(lift))
        .route("/tracks", post(own_tracks))
        .route("/export", get(export))
        .layer(axum::middleware::from_fn_with_state(app.clone(), planners_only));
    let console = Router::new()
        .route("/state", get(async |State(app): State<App>| look(&app, state(&app)).await))
        .route("/plans", get(async |State(app): State<App>| look(&app, view_plans).await))
        .route("/summary", get(async |State(app): State<App>| look(&app, view_summary).await))
        .route("/stream", get(follow))
        .route("/acknowledge", post(acknowledge))
        .route("/overlay", get(overlay));
    Router::new()
        .nest("/api", planners)
        .nest("/console", console)
        .route("/health", get(async || Json(json!({ "ok": true }))))
        .fallback(file)
        .layer(axum::middleware::from_fn(own_page_only))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(app)
}

/// Whether a `Host` or `Origin` names this machine's loopback.
fn is_loopback(host: &str) -> bool {
    let name =
        host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    matches!(name, "localhost" | "[::1]")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn from_own_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let host = text("host").unwrap_or_default();
    let same = text("origin").is_none_or(|o| o.strip_prefix("http://") == Some(host));
    let own = text("sec-fetch-site").is_none_or(|s| s == "same-origin" || s == "none");
    is_loopback(host) && same && own
}

/// Refuses requests that another site's page makes a browser send.
async fn own_page_only(request: Request, next: Next) -> Response {
    if !from_own_page(request.headers()) {
        return Refused(
            StatusCode::FORBIDDEN,
            "only the console's own page may ask this, over a loopback address".into(),
        )
        .into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("no-referrer"));
    response
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

/// Reads a JSON body; what is wrong is named with line and column.
fn read<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|e| bad(format!("body: {e}")))
}

async fn look(app: &App, view: impl FnOnce(&hotline_picture::Core) -> Value + Send + 'static) -> Answer {
    app.engine.look(view).await.map(Json).ok_or(Refused::from(Refusal::Stopping))
}

fn state(app: &App) -> impl FnOnce(&hotline_picture::Core) -> Value + Send + 'static {
    let (speed, trouble) = (app.clock.speed(), app.outlet.trouble());
    move |core| view_state(core, speed, trouble.as_deref())
}

async fn file_flight(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let input: FlightInput = read(&body)?;
    let plan = input.read(&id).map_err(bad)?;
    let version = app.engine.command(Command::FileFlight(plan)).await?;
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
struct AcknowledgeInput {
    id: String,
    #[serde(default)]
    officer: usize,
}

async fn acknowledge(State(app): State<App>, body: Bytes) -> Answer {
    let input: AcknowledgeInput = read(&body)?;
    let id = input.id.clone();
    let find = move |core: &hotline_picture::Core| -> Option<ConflictKey> {
        core.alerts().iter().find(|a| a.key.to_string() == id).map(|a| a.key.clone())
    };
    let key = app.engine.look(find).await.flatten();
    let key =
        key.ok_or_else(|| Refused(StatusCode::NOT_FOUND, format!("there is no open alert {}", input.id)))?;
    app.engine.command(Command::Acknowledge(key, input.officer)).await?;
    Ok(Json(json!({ "acknowledged": input.id })))
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

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

async fn file(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    match CONSOLE.get_file(path) {
        Some(file) => ([(header::CONTENT_TYPE, content_type(path))], file.contents()).into_response(),
        None => Refused(StatusCode::NOT_FOUND, format!("there is no /{path}")).into_response(),
    }
}
