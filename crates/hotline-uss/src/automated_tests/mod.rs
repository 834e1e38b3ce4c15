//! The InterUSS interfaces for automated tests, served only when a supplier is started with them: flight planning (v1),
//! versioning, geospatial map (v1). They use the ways that operators use.

mod flight_planning;
mod geospatial_map;

use crate::Uss;
use crate::api::client;
use crate::wire::{Altitude, Time, Volume3, Volume4};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use hotline_utm::Problem;
use serde_json::json;
use std::sync::Arc;

pub(crate) use flight_planning::is_flight_plan;

const VERSIONS: &str = "interuss.versioning.read_system_versions";

pub(crate) fn routes() -> Router<Arc<Uss>> {
    Router::new()
        .route("/versioning/versions/{system}", get(version))
        .merge(flight_planning::routes())
        .merge(geospatial_map::routes())
}

/// A volume whose open ends reach as far as there is anything.
fn closed_volume(open: &Volume4) -> Volume4 {
    let height = |given: &Option<Altitude>, value| {
        let at = || Altitude { value, reference: "W84".into(), units: "M".into() };
        Some(given.clone().unwrap_or_else(at))
    };
    let time = |given: &Option<Time>, value: &str| {
        Some(given.clone().unwrap_or_else(|| Time { value: value.into(), format: "RFC3339".into() }))
    };
    Volume4 {
        volume: Volume3 {
            altitude_lower: height(&open.volume.altitude_lower, -8_000.0),
            altitude_upper: height(&open.volume.altitude_upper, 100_000.0),
            ..open.volume.clone()
        },
        time_start: time(&open.time_start, "1970-01-01T00:00:00Z"),
        time_end: time(&open.time_end, "9000-01-01T00:00:00Z"),
    }
}

async fn version(
    State(uss): State<Arc<Uss>>,
    Path(system): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[VERSIONS])?;
    // One program does it all: whatever boundary is meant, this is its version.
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    Ok(Json(json!({ "system_identity": system, "system_version": version })).into_response())
}
