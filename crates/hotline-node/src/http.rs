//! HTTP: the officers' console, its stream, and the planners' interface, on one loopback address.
//!
//! The console's own calls must come from its own page: requests that a browser sends for another site are
//! refused, and so is any `Host` but a loopback one.

use crate::catalogue::Catalogue;
use crate::engine::{Engine, Refusal};
use crate::persons::Persons;
use crate::view::Outlet;
use crate::{Clock, console, planners};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use hotline_journal::Journal;
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;

/// The console as the build made it.
static CONSOLE: Dir<'_> = include_dir!("$OUT_DIR/console");
/// The largest request body, bytes.
const MAX_BODY: usize = 16 << 20;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) outlet: Outlet,
    pub(crate) clock: Clock,
    pub(crate) token: Arc<str>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) overlay: Option<Arc<str>>,
    pub(crate) persons: Persons,
    pub(crate) catalogue: Arc<Catalogue>,
}

/// What goes wrong with a request: a status, and words.
pub(crate) struct Refused(pub(crate) StatusCode, pub(crate) String);

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
            Refusal::Core(
                CoreError::AlreadyAcknowledged(_)
                | CoreError::Suspended(_)
                | CoreError::Line(LineError::OutOfPlace(_)),
            ) => StatusCode::CONFLICT,
            Refusal::Core(CoreError::Line(LineError::Silent(_))) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Core(CoreError::NotOurs(_) | CoreError::Line(LineError::NotAllowed { .. })) => {
                StatusCode::FORBIDDEN
            }
            Refusal::Core(_) => StatusCode::BAD_REQUEST,
            Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, refusal.to_string())
    }
}

pub(crate) fn bad(why: impl ToString) -> Refused {
    Refused(StatusCode::BAD_REQUEST, why.to_string())
}

pub(crate) type Answer = Result<Json<Value>, Refused>;

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .nest("/api", planners::routes(&app))
        .nest("/console", console::routes())
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

/// Reads a JSON body; what is wrong is named with line and column.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|e| bad(format!("body: {e}")))
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

/// A file as the body of an answer, some of it at a time.
pub(crate) fn send_file(mut file: std::fs::File) -> Body {
    let (sender, chunks) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(8);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut chunk = vec![0; 1 << 16];
            let read = file.read(&mut chunk).map(|length| {
                chunk.truncate(length);
                Bytes::from(chunk)
            });
            let last = read.as_ref().map_or(true, Bytes::is_empty);
            if sender.blocking_send(read).is_err() || last {
                return;
            }
        }
    });
    Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(chunks))
}
