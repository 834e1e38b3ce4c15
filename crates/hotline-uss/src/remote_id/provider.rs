//! A service provider's answers: the aircraft in a view, and their details.

use super::{Aircraft, AircraftDetails, Edition, NEAR_REAL_TIME, View};
use crate::Uss;
use crate::api::{OPERATOR, body, client, id};
use crate::conformance::track;
use crate::volumes::moment;
use crate::wire::{Telemetry, Time};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hotline_airspace::TrackState;
use hotline_utm::Problem;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

fn time(edition: Edition, at: Timestamp) -> Value {
    let written = Time::at(moment(at));
    match edition {
        Edition::Of2019 => json!(written.value),
        Edition::Of2022 => json!(written),
    }
}

fn position(track: &TrackState) -> Value {
    json!({
        "lat": track.position().latitude().get(), "lng": track.position().longitude().get(),
        "alt": track.altitude().metres().get(), "accuracy_h": "HAUnknown", "accuracy_v": "VAUnknown",
        "extrapolated": false,
    })
}

fn current(edition: Edition, track: &TrackState) -> Value {
    json!({
        "timestamp": time(edition, track.time()), "timestamp_accuracy": 0.0, "operational_status": "Undeclared",
        "position": position(track), "track": track.track().get() % 360.0, "speed": track.ground_speed().get(),
        "speed_accuracy": "SAUnknown", "vertical_speed": track.vertical_speed().get(),
    })
}

fn kind(edition: Edition, details: &AircraftDetails) -> &str {
    match (edition, details.aircraft_type.as_str()) {
        (_, "") => "NotDeclared",
        (Edition::Of2019, "HybridLift") => "VTOL",
        (Edition::Of2022, "VTOL") => "HybridLift",
        (_, given) => given,
    }
}

/// The aircraft in a view, with their positions of the last `recent`.
pub(super) fn flights(uss: &Uss, edition: Edition, view: &View, recent: SignedDuration) -> Vec<Value> {
    let now = uss.time();
    let in_view = |t: &TrackState| {
        t.time() + NEAR_REAL_TIME >= now
            && view.has(t.position().latitude().get(), t.position().longitude().get())
    };
    let shown = |(id, aircraft): (&String, &Aircraft)| {
        if !aircraft.positions.iter().any(in_view) {
            return None;
        }
        let mut flight =
            json!({ "id": id, "aircraft_type": kind(edition, &aircraft.details), "simulated": false });
        let last = aircraft.positions.back()?;
        flight["current_state"] = current(edition, last);
        if recent > SignedDuration::ZERO {
            // Within the view, and one on each side of where it was left: what is outside is nobody's business here.
            let all: Vec<&TrackState> =
                aircraft.positions.iter().filter(|t| t.time() + recent >= now).collect();
            let near = |i: usize| all[i.saturating_sub(1)..(i + 2).min(all.len())].iter().any(|t| in_view(t));
            let some = (0..all.len()).filter(|&i| near(i)).map(|i| all[i]);
            let recent = |t: &TrackState| json!({ "time": time(edition, t.time()), "position": position(t) });
            flight["recent_positions"] = some.map(recent).collect();
        }
        Some(flight)
    };
    uss.remote_id.aircraft().iter().filter_map(shown).collect()
}

#[derive(Deserialize)]
pub(super) struct Asked {
    pub(super) view: Option<String>,
    #[serde(default)]
    include_recent_positions: bool,
    #[serde(default)]
    recent_positions_duration: f64,
}

impl Asked {
    pub(super) fn view(&self) -> Result<View, Problem> {
        View::read(self.view.as_deref().ok_or_else(|| Problem::invalid("the parameter view is needed"))?)
    }
}

fn answer(uss: &Uss, edition: Edition, view: &View, recent: SignedDuration) -> Response {
    let flights = flights(uss, edition, view, recent);
    Json(json!({ "timestamp": time(edition, uss.time()), "flights": flights })).into_response()
}

pub(super) async fn flights_22a(
    State(uss): State<Arc<Uss>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[Edition::Of2022.display()])?;
    let seconds = asked.recent_positions_duration;
    if !(0.0..=60.0).contains(&seconds) {
        return Err(Problem::invalid(format!("recent_positions_duration {seconds} is not within 0 to 60 s")));
    }
    Ok(answer(&uss, Edition::Of2022, &asked.view()?, SignedDuration::from_secs_f64(seconds)))
}

pub(super) async fn flights_19(
    State(uss): State<Arc<Uss>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[Edition::Of2019.display()])?;
    let recent = if asked.include_recent_positions { NEAR_REAL_TIME } else { SignedDuration::ZERO };
    Ok(answer(&uss, Edition::Of2019, &asked.view()?, recent))
}

/// The details of an own aircraft.
pub(super) fn details(uss: &Uss, edition: Edition, id: &str) -> Result<Value, Problem> {
    let details = uss.remote_id.aircraft().get(id).map(|aircraft| aircraft.details.clone());
    let AircraftDetails { operator_id, serial_number, registration, description, operator_location, .. } =
        details.ok_or_else(|| Problem::not_found(format!("there is no flight {id}")))?;
    let mut details = json!({ "id": id, "operator_id": operator_id, "operation_description": description });
    let place = operator_location.map(|(lat, lng)| json!({ "lat": lat, "lng": lng }));
    match edition {
        Edition::Of2019 => {
            details["serial_number"] = json!(serial_number);
            details["registration_number"] = json!(registration);
            if let Some(place) = place {
                details["operator_location"] = place;
            }
        }
        Edition::Of2022 => {
            details["uas_id"] = json!({ "serial_number": serial_number, "registration_id": registration });
            if let Some(place) = place {
                details["operator_location"] = json!({ "position": place });
            }
        }
    }
    Ok(json!({ "details": details }))
}

pub(super) async fn details_22a(
    State(uss): State<Arc<Uss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    client(&uss, &headers, &[Edition::Of2022.display()])?;
    details(&uss, Edition::Of2022, &id).map(Json)
}

pub(super) async fn details_19(
    State(uss): State<Arc<Uss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    client(&uss, &headers, &[Edition::Of2019.display()])?;
    details(&uss, Edition::Of2019, &id).map(Json)
}

pub(super) async fn service_area(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    client(&uss, &headers, &[Edition::Of2022.display()])?;
    let extents = uss.service_area_extents(&id(&text)?);
    let extents = extents.ok_or_else(|| Problem::not_found(format!("there is no service area {text}")))?;
    Ok(Json(json!({ "extents": extents })))
}

#[derive(Deserialize)]
struct AreaNotice {
    subscriptions: Vec<Value>,
}

// Views are asked for anew each time, so that a notification changes nothing here; it is only taken.
fn area_changed(
    uss: &Uss,
    text: &str,
    headers: &HeaderMap,
    edition: Edition,
    bytes: &Bytes,
) -> Result<StatusCode, Problem> {
    client(uss, headers, &[edition.service()])?;
    id(text)?;
    let notice: AreaNotice = body(bytes)?;
    if notice.subscriptions.is_empty() {
        return Err(Problem::invalid("subscriptions needs at least one entry"));
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn area_changed_22a(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    area_changed(&uss, &text, &headers, Edition::Of2022, &bytes)
}

pub(super) async fn area_changed_19(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    area_changed(&uss, &text, &headers, Edition::Of2019, &bytes)
}

/// A position of an aircraft that flies without an intent of this supplier's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorPosition {
    telemetry: Telemetry,
    #[serde(default)]
    details: Option<AircraftDetails>,
}

pub(super) async fn operator_position(
    State(uss): State<Arc<Uss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    client(&uss, &headers, &[OPERATOR])?;
    if id.is_empty() || id.len() > 255 {
        return Err(Problem::invalid("an aircraft's identifier has 1 to 255 bytes"));
    }
    let OperatorPosition { telemetry, details } = body(&bytes)?;
    uss.show(&id, details.as_ref(), track(&telemetry).map_err(Problem::invalid)?)?;
    Ok(StatusCode::NO_CONTENT)
}
