//! Geospatial map (v1): zones are loaded, and it is asked what is on the map.

use super::closed_volume;
use crate::Uss;
use crate::api::{blocking, body, client, id};
use crate::constraints::{Impact, impact, impact_of_restriction};
use crate::geozones::MAX_SOURCES;
use crate::uss::ConstraintRule;
use crate::volumes::{exact_all, overlap};
use crate::wire::{Altitude, LatLng, Volume4};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hotline_utm::Problem;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const MAP_DIRECT: &str = "interuss.geospatial_map.direct_automated_test";
const MAP_QUERY: &str = "interuss.geospatial_map.query";
/// The most checks of one map query.
const MAX_CHECKS: usize = 1_000;

pub(super) fn routes() -> Router<Arc<Uss>> {
    Router::new()
        .route("/geospatial_map/v1/status", get(map_status))
        .route("/geospatial_map/v1/geospatial_data_sources", get(list_sources))
        .route(
            "/geospatial_map/v1/geospatial_data_sources/{id}",
            get(get_source).put(put_source).delete(delete_source),
        )
        .route("/geospatial_map/v1/map/queries", post(query_map))
}

async fn map_status(State(uss): State<Arc<Uss>>, headers: HeaderMap) -> Result<Response, Problem> {
    client(&uss, &headers, &[MAP_DIRECT])?;
    Ok(Json(json!({
        "status": "Ready", "api_name": "Geospatial Map Provider Automated Testing Interface", "api_version": "v0.2.2",
    }))
    .into_response())
}

fn source(id: &str, source: &crate::geozones::Source) -> Value {
    let mut status = json!({ "id": id, "status": source.status });
    if let Some(message) = &source.message {
        status["message"] = json!(message);
    }
    status
}

async fn list_sources(State(uss): State<Arc<Uss>>, headers: HeaderMap) -> Result<Response, Problem> {
    client(&uss, &headers, &[MAP_DIRECT])?;
    let all: Vec<Value> = uss.state().sources.iter().map(|(id, s)| source(id, s)).collect();
    Ok(Json(json!({ "data_sources": all })).into_response())
}

async fn get_source(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[MAP_DIRECT])?;
    let id = id(&text)?;
    let state = uss.state();
    let found = state.sources.get(&id).map(|s| source(&id, s));
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no data source {id}")))?;
    Ok(Json(json!({ "data_source": found })).into_response())
}

#[derive(Deserialize)]
struct PutSource {
    https_source: Option<HttpsSource>,
}

#[derive(Deserialize)]
struct HttpsSource {
    url: String,
    format: Option<String>,
}

async fn put_source(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[MAP_DIRECT])?;
    let (id, asked): (String, PutSource) = (id(&text)?, body(&bytes)?);
    let Some(HttpsSource { url, format }) = asked.https_source else {
        let status = json!({ "id": id, "status": "Unsupported", "message": "https_source is the only kind known here" });
        return Ok(Json(json!({ "data_source": status })).into_response());
    };
    if !uss.load_source(&id, &url, format.as_deref().unwrap_or("ED-269")) {
        let why = format!("data source {id} was loaded from another URL, or {MAX_SOURCES} are loaded");
        return Err(Problem::with(StatusCode::CONFLICT, why));
    }
    let status = uss.state().sources.get(&id).map(|s| source(&id, s));
    Ok(Json(json!({ "data_source": status })).into_response())
}

async fn delete_source(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[MAP_DIRECT])?;
    let id = id(&text)?;
    uss.state().sources.remove(&id);
    let status = json!({ "id": id, "status": "Deactivated" });
    Ok(Json(json!({ "data_source": status })).into_response())
}

#[derive(Deserialize)]
struct MapQuery {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    // The file requires one spelling and describes the other.
    #[serde(default, alias = "filterSets")]
    filter_sets: Vec<FilterSet>,
}

#[derive(Deserialize)]
struct FilterSet {
    position: Option<MapPosition>,
    volumes4d: Option<Vec<Volume4>>,
    after: Option<jiff::Timestamp>,
    before: Option<jiff::Timestamp>,
    restriction_source: Option<String>,
    operation_rule_set: Option<String>,
    resulting_operational_impact: Option<WantedImpact>,
    ed269: Option<Ed269>,
}

#[derive(Deserialize)]
struct MapPosition {
    location: LatLng,
    altitude: Option<Altitude>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
enum WantedImpact {
    Block,
    Advise,
    BlockOrAdvise,
}

#[derive(Deserialize)]
struct Ed269 {
    u_space_class: Option<String>,
    #[serde(default)]
    acceptable_restrictions: Vec<String>,
}

/// Something on the map.
struct MapFeature {
    volumes: Vec<hotline_airspace::Volume4>,
    impact: Option<Impact>,
    restriction: Option<String>,
    u_space_class: Vec<String>,
}

impl FilterSet {
    /// Where and when is asked about; without limits where nothing is said.
    fn volumes(&self) -> Result<Option<Vec<hotline_airspace::Volume4>>, String> {
        let mut volumes = match &self.volumes4d {
            Some(volumes) => volumes.iter().map(closed_volume).collect(),
            None => vec![],
        };
        if let Some(MapPosition { location, altitude }) = &self.position {
            // A point: a circle of a millimetre.
            let point = json!({
                "volume": {
                    "outline_circle": { "center": location, "radius": { "value": 0.001, "units": "M" } },
                    "altitude_lower": altitude, "altitude_upper": altitude,
                },
            });
            let point: Volume4 = serde_json::from_value(point).map_err(|e| e.to_string())?;
            volumes.push(closed_volume(&point));
        }
        if self.position.is_none() && self.volumes4d.is_none() {
            return Ok(None);
        }
        exact_all(&volumes).map(Some)
    }

    fn selects(&self, feature: &MapFeature, volumes: Option<&[hotline_airspace::Volume4]>) -> bool {
        let here = volumes.is_none_or(|volumes| overlap(volumes, &feature.volumes));
        let after = self.after.is_none_or(|at| feature.volumes.iter().any(|v| v.time.end() >= at));
        let before = self.before.is_none_or(|at| feature.volumes.iter().any(|v| v.time.start() <= at));
        let impact = self.resulting_operational_impact.is_none_or(|wanted| match feature.impact {
            None => false,
            Some(Impact::Block) => wanted != WantedImpact::Advise,
            Some(Impact::Advise) => wanted != WantedImpact::Block,
        });
        let zone = self.ed269.as_ref().is_none_or(|ed269| {
            let class = ed269.u_space_class.as_ref().is_none_or(|c| feature.u_space_class.contains(c));
            let kinds = &ed269.acceptable_restrictions;
            class && (kinds.is_empty() || feature.restriction.as_ref().is_some_and(|r| kinds.contains(r)))
        });
        here && after && before && impact && zone
    }
}

fn check(check: &Check, features: &[MapFeature]) -> Value {
    let mut present = false;
    for set in &check.filter_sets {
        let unknown = [
            ("restriction_source", &set.restriction_source),
            ("operation_rule_set", &set.operation_rule_set),
        ];
        if let Some((name, _)) = unknown.iter().find(|(_, value)| value.is_some()) {
            let message = format!("the filter {name} is not known here");
            return json!({ "features_selection_outcome": "UnsupportedFilter", "message": message });
        }
        match set.volumes() {
            Err(why) => return json!({ "features_selection_outcome": "Error", "message": why }),
            Ok(volumes) => present |= features.iter().any(|f| set.selects(f, volumes.as_deref())),
        }
    }
    json!({ "features_selection_outcome": if present { "Present" } else { "Absent" } })
}

async fn query_map(
    State(uss): State<Arc<Uss>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[MAP_QUERY])?;
    let asked: MapQuery = body(&bytes)?;
    if asked.checks.len() > MAX_CHECKS {
        return Err(Problem::invalid(format!("{} checks: {MAX_CHECKS} are allowed", asked.checks.len())));
    }
    let looked = move |uss: &Arc<Uss>| {
        let features = features(uss);
        asked.checks.iter().map(|c| check(c, &features)).collect::<Vec<Value>>()
    };
    Ok(Json(json!({ "results": blocking(&uss, looked).await? })).into_response())
}

/// Everything on the map: zones of data sets, and constraints.
fn features(uss: &Uss) -> Vec<MapFeature> {
    let state = uss.state();
    let zones = state.sources.values().flat_map(|s| s.zones.iter()).map(|zone| MapFeature {
        volumes: zone.volumes.clone(),
        impact: zone.impact(),
        restriction: Some(zone.restriction.clone()),
        u_space_class: zone.u_space_class.clone(),
    });
    let own = state.constraints.values().filter_map(|c| c.constraint.as_ref());
    let constraints = state.constraints_known.values().chain(own).filter_map(|constraint| {
        let zone = constraint.details.geozone.as_ref();
        let restriction = zone.and_then(|z| z["restriction"].as_str()).map(str::to_owned);
        let of_zone = restriction.as_deref().map_or(Some(Impact::Block), impact_of_restriction);
        let rule = uss.settings.constraints;
        Some(MapFeature {
            volumes: exact_all(&constraint.details.volumes).ok()?,
            impact: if rule == ConstraintRule::Ignore { of_zone } else { impact(constraint, rule) },
            u_space_class: zone
                .and_then(|z| z["u_space_class"].as_str())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            restriction,
        })
    });
    zones.chain(constraints).collect()
}
