//! For those who run the service: is it alive, is it ready, what does it do.

use crate::measures::{Kind, Request};
use crate::{Dss, Problem};
use axum::Router;
use axum::extract::{MatchedPath, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn routes() -> Router<Arc<Dss>> {
    Router::new().route("/healthy", get(healthy)).route("/ready", get(ready)).route("/metrics", get(metrics))
}

/// The process answers.
async fn healthy() -> &'static str {
    "ok\n"
}

/// Requests can be served: the state is there and the disk answers.
async fn ready(State(dss): State<Arc<Dss>>) -> Result<&'static str, Problem> {
    dss.read().await?;
    Ok("ready\n")
}

async fn metrics(State(dss): State<Arc<Dss>>) -> Result<Response, Problem> {
    for (kind, count) in dss.read().await?.counts() {
        dss.measures.stored.get_or_create(&Kind { kind }).set(count as i64);
    }
    dss.measures.behind.set(dss.store.since_snapshot() as i64);
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, form)], dss.measures.written()).into_response())
}

/// Counts every request, and logs it without its token and body.
pub(crate) async fn counted(
    State(dss): State<Arc<Dss>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let method = request.method().to_string();
    // The route, not the path: a label for each identifier would grow without bound.
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("other", |path| path.as_str()).to_owned();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), start.elapsed());
    dss.measures.seconds.observe(took.as_secs_f64());
    tracing::info!(target: "hotline::request", %method, %path, status, micros = took.as_micros() as u64);
    dss.measures.requests.get_or_create(&Request { route, method, status }).inc();
    response
}
