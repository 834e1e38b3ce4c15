//! The router, and serving it until told to stop.

use crate::{Dss, MAX_BODY, Problem, auxiliary, f3411_19, f3411_22a, f3548, operations, remote_id};
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::{Router, middleware};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long requests under way may take to end once the service is told to stop.
pub const DRAIN: Duration = Duration::from_secs(15);
/// How often an instance gives a sign of life to its pool.
const BEAT: Duration = Duration::from_secs(60);

/// All interfaces of a DSS.
pub fn service(dss: Arc<Dss>) -> Router {
    Router::new()
        .merge(f3548::routes())
        .merge(remote_id::routes::<f3411_19::Edition19>())
        .merge(remote_id::routes::<f3411_22a::Edition22a>())
        .merge(auxiliary::routes())
        .merge(operations::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(dss.clone(), operations::counted))
        .with_state(dss)
}

async fn unknown(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

async fn not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::not_allowed(format!("{} does not know the method {method}", uri.path()))
}

/// Serves until `stop` is done, then lets requests under way end within [`DRAIN`].
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    dss: Arc<Dss>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopped, mut stopping) = tokio::sync::watch::channel(false);
    let beats = tokio::spawn(beats(dss.clone()));
    let graceful = async move {
        stop.await;
        _ = stopped.send(true);
    };
    let serving = axum::serve(listener, service(dss)).with_graceful_shutdown(graceful);
    let drained = async {
        // An error means that the sender is gone, with the server.
        _ = stopping.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(DRAIN).await;
    };
    let outcome = tokio::select! {
        outcome = serving => outcome,
        () = drained => Ok(()),
    };
    beats.abort();
    outcome
}

async fn beats(dss: Arc<Dss>) {
    let mut source = "startup";
    loop {
        let now = (dss.clock)();
        let next = now.later(2 * BEAT.as_micros() as i64);
        if let Err(why) = auxiliary::beat_now(&dss, None, source, now, Some(next)).await {
            tracing::warn!("no heartbeat could be noted: {why:?}");
        }
        source = "periodic";
        tokio::time::sleep(BEAT).await;
    }
}
