//! Flight planning (v1): a tester's user plans, flies and closes flights.

use super::closed_volume;
use crate::Uss;
use crate::api::{Span, blocking, body, client, id};
use crate::planning::{Mode, Outcome, Wanted};
use crate::remote_id::AircraftDetails;
use crate::volumes::{exact, exact_all, overlap};
use crate::wire::{Altitude, IntentState, LatLng, Telemetry, Time, Volume4};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use hotline_utm::Problem;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const DIRECT: &str = "interuss.flight_planning.direct_automated_test";
const PLAN: &str = "interuss.flight_planning.plan";

pub(super) fn routes() -> Router<Arc<Uss>> {
    Router::new()
        .route("/flight_planning/v1/status", get(planning_status))
        .route("/flight_planning/v1/clear_area_requests", post(clear_area))
        .route("/flight_planning/v1/flight_plans/{id}", put(upsert).delete(delete))
        .route("/flight_planning/v1/user_notifications", get(user_notifications))
}

async fn planning_status(State(uss): State<Arc<Uss>>, headers: HeaderMap) -> Result<Response, Problem> {
    client(&uss, &headers, &[DIRECT])?;
    Ok(Json(json!({
        "status": "Ready", "api_name": "Flight Planning Automated Testing Interface", "api_version": "v0.7.0",
    }))
    .into_response())
}

#[derive(Deserialize)]
struct Upsert {
    flight_plan: Value,
    execution_style: Style,
    request_id: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
enum Style {
    Hypothetical,
    IfAllowed,
    InReality,
}

#[derive(Deserialize)]
struct FlightPlan {
    basic_information: Basic,
    astm_f3548_21: Option<F3548>,
    operator: Option<Operator>,
    uas: Option<Uas>,
    telemetry: Option<FlightTelemetry>,
}

#[derive(Deserialize)]
struct Basic {
    usage_state: Usage,
    uas_state: Option<UasState>,
    #[serde(default)]
    area: Vec<Volume4>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
enum Usage {
    Planned,
    InUse,
    Closed,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
enum UasState {
    Nominal,
    OffNominal,
    Contingent,
    NotSpecified,
}

#[derive(Deserialize)]
struct F3548 {
    #[serde(default)]
    priority: i64,
}

#[derive(Deserialize)]
struct Operator {
    #[serde(default)]
    registration_numbers: Vec<Registration>,
}

#[derive(Deserialize)]
struct Registration {
    identifier: String,
}

#[derive(Deserialize)]
struct Uas {
    #[serde(default)]
    aircraft_type: String,
    #[serde(default)]
    serial_number: String,
    #[serde(default)]
    registration_numbers: Vec<Registration>,
}

#[derive(Deserialize)]
struct FlightTelemetry {
    #[serde(default)]
    states: Vec<AircraftState>,
}

#[derive(Deserialize)]
struct AircraftState {
    id: String,
    timestamp: Time,
    position: Option<AircraftPosition>,
    #[serde(default)]
    speed: f64,
    #[serde(default)]
    track: f64,
}

#[derive(Deserialize)]
struct AircraftPosition {
    location: Option<LatLng>,
    #[serde(default)]
    altitudes: Vec<Altitude>,
    accuracy_h: Option<String>,
    accuracy_v: Option<String>,
}

impl AircraftState {
    fn telemetry(self) -> Option<(String, Telemetry)> {
        let position = self.position?;
        let at = position.location?;
        let altitude = position.altitudes.into_iter().find(|a| a.reference == "W84")?;
        let position = json!({
            "longitude": at.lng, "latitude": at.lat, "altitude": altitude, "extrapolated": false,
            "accuracy_h": position.accuracy_h, "accuracy_v": position.accuracy_v,
        });
        let velocity = json!({ "speed": self.speed, "units_speed": "MetersPerSecond", "track": self.track });
        let telemetry = Telemetry {
            time_measured: self.timestamp,
            position: serde_json::from_value(position).ok()?,
            velocity: serde_json::from_value(velocity).ok()?,
        };
        Some((self.id, telemetry))
    }
}

/// Whether these bytes are a flight plan whose volumes are some.
pub(crate) fn is_flight_plan(bytes: &[u8]) -> bool {
    serde_json::from_slice::<FlightPlan>(bytes).is_ok_and(|p| exact_all(&p.basic_information.area).is_ok())
}

fn status_of(state: Option<IntentState>) -> &'static str {
    match state {
        None => "NotPlanned",
        Some(IntentState::Accepted) => "Planned",
        Some(IntentState::Activated) => "OkToFly",
        Some(IntentState::Nonconforming | IntentState::Contingent) => "OffNominal",
    }
}

fn result(uss: &Uss, id: &str, result: &str, notes: &str) -> Value {
    let status = status_of(uss.flight(id).and_then(|f| f.state()));
    json!({ "planning_result": result, "notes": notes, "flight_plan_status": status })
}

async fn upsert(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[PLAN])?;
    let (id, asked): (String, Upsert) = (id(&text)?, body(&bytes)?);
    let plan: FlightPlan = serde_json::from_value(asked.flight_plan.clone())
        .map_err(|e| Problem::invalid(format!("flight_plan is not as the interface has it: {e}")))?;
    if let Some(before) = uss.answers.get(&asked.request_id) {
        return Ok(Json(before).into_response());
    }
    let request = asked.request_id.clone();
    let answer =
        blocking(&uss, move |uss| carry_out(uss, &id, plan, asked.flight_plan, asked.execution_style))
            .await?;
    uss.answers.put(request, answer.clone());
    Ok(Json(answer).into_response())
}

fn carry_out(uss: &Arc<Uss>, id: &str, plan: FlightPlan, given: Value, style: Style) -> Value {
    let state = match (plan.basic_information.usage_state, plan.basic_information.uas_state) {
        (Usage::Closed, _) => return close(uss, id, style),
        (Usage::Planned, None | Some(UasState::Nominal | UasState::NotSpecified)) => IntentState::Accepted,
        (Usage::Planned, Some(_)) => {
            return result(uss, id, "Rejected", "a flight that is only planned is nominal");
        }
        (Usage::InUse, None | Some(UasState::Nominal | UasState::NotSpecified)) => IntentState::Activated,
        (Usage::InUse, Some(UasState::OffNominal)) => IntentState::Nonconforming,
        (Usage::InUse, Some(UasState::Contingent)) => IntentState::Contingent,
    };
    let area = plan.basic_information.area;
    let otherwise = area.iter().flat_map(|v| [&v.volume.altitude_lower, &v.volume.altitude_upper]).flatten();
    if let Some(altitude) = otherwise.into_iter().find(|a| a.reference != "W84") {
        let why = format!("altitudes must be given above the ellipsoid (W84), not {}", altitude.reference);
        return result(uss, id, "NotSupported", &why);
    }
    let before = uss.flight(id).and_then(|f| f.intent).map(|i| i.details);
    let inside = before.as_ref().map(|d| d.volumes.clone()).filter(|v| !v.is_empty());
    let (volumes, off_nominal_volumes) = match state {
        IntentState::Accepted | IntentState::Activated => (area.clone(), vec![]),
        IntentState::Nonconforming => (inside.clone().unwrap_or_default(), area.clone()),
        IntentState::Contingent => (vec![], area.clone()),
    };
    let first = |all: Vec<Registration>| all.into_iter().next().map(|r| r.identifier).unwrap_or_default();
    let mut aircraft = AircraftDetails {
        operator_id: plan.operator.map(|o| first(o.registration_numbers)).unwrap_or_default(),
        ..AircraftDetails::default()
    };
    if let Some(uas) = plan.uas {
        aircraft.aircraft_type = uas.aircraft_type;
        aircraft.serial_number = uas.serial_number;
        aircraft.registration = first(uas.registration_numbers);
    }
    let priority = plan.astm_f3548_21.map_or(0, |f| f.priority);
    let wanted = Wanted { state, volumes, off_nominal_volumes, priority, plan: given, aircraft };
    let mode = if style == Style::Hypothetical { Mode::Hypothetical } else { Mode::IfAllowed };
    let mut outcome = uss.put_flight(id, &wanted, mode);
    // It is flown, whether it may be or not: others must know.
    if let (Outcome::Rejected(_), Style::InReality, IntentState::Activated, Some(inside)) =
        (&outcome, style, state, inside)
    {
        let told = Wanted {
            state: IntentState::Nonconforming,
            volumes: inside,
            off_nominal_volumes: area,
            ..wanted
        };
        outcome = uss.put_flight(id, &told, Mode::IfAllowed);
    }
    match outcome {
        Outcome::Done { flight, advisories } => {
            let states = plan.telemetry.map(|t| t.states).unwrap_or_default();
            if style != Style::Hypothetical {
                queue(uss, id, states);
            }
            let status =
                if style == Style::Hypothetical { status_of(Some(state)) } else { status_of(flight.state()) };
            let inclusion = if advisories.is_empty() {
                "NoAdvisoriesOrConditions"
            } else {
                "AtLeastOneAdvisoryOrCondition"
            };
            json!({
                "planning_result": "Completed", "flight_plan_status": status, "includes_advisories": inclusion,
                "notes": advisories.join("; "),
            })
        }
        Outcome::Rejected(why) => result(uss, id, "Rejected", &why),
        Outcome::Failed(why) => result(uss, id, "Failed", &why),
    }
}

/// The telemetry of a plan takes the place of what was queued before.
fn queue(uss: &Arc<Uss>, id: &str, states: Vec<AircraftState>) {
    let mut queued: Vec<(String, Telemetry)> =
        states.into_iter().filter_map(AircraftState::telemetry).collect();
    queued.sort_by_key(|(_, t)| t.time_measured.instant().unwrap_or_default());
    if let Some(flight) = uss.state().flights.get_mut(id) {
        flight.queued = queued.into();
    }
}

fn close(uss: &Arc<Uss>, id: &str, style: Style) -> Value {
    let closed = |notes: &str| {
        json!({
            "planning_result": "Completed", "flight_plan_status": "Closed", "notes": notes,
            "includes_advisories": "NoAdvisoriesOrConditions",
        })
    };
    if style == Style::Hypothetical {
        return closed("");
    }
    match uss.end_flight(id) {
        None => result(uss, id, "Rejected", "there is no such flight plan"),
        Some(Outcome::Done { .. }) => closed(""),
        Some(Outcome::Rejected(why) | Outcome::Failed(why)) => result(uss, id, "Failed", &why),
    }
}

async fn delete(
    State(uss): State<Arc<Uss>>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[DIRECT])?;
    let id = id(&text)?;
    if uss.flight(&id).is_none() {
        return Err(Problem::not_found(format!("there is no flight plan {id}")));
    }
    let answer = blocking(&uss, move |uss| close(uss, &id, Style::IfAllowed)).await?;
    Ok(Json(answer).into_response())
}

#[derive(Deserialize)]
struct ClearArea {
    #[allow(dead_code)] // Clearing again does no harm: the request needs no name.
    request_id: String,
    extent: Volume4,
}

async fn clear_area(
    State(uss): State<Arc<Uss>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[DIRECT])?;
    let asked: ClearArea = body(&bytes)?;
    let area = exact(&closed_volume(&asked.extent)).map_err(Problem::invalid)?;
    let cleared = move |uss: &Arc<Uss>| {
        let all: Vec<_> = uss.state().flights.values().cloned().collect();
        let area = [area];
        let inside = all.into_iter().filter(|f| {
            let volumes = f.intent.as_ref().map(|i| exact_all(i.details.all()).unwrap_or_default());
            volumes.is_some_and(|v| overlap(&v, &area))
        });
        let mut wrong = Vec::new();
        for flight in inside {
            if let Some(Outcome::Failed(why) | Outcome::Rejected(why)) = uss.end_flight(&flight.id) {
                wrong.push(format!("{}: {why}", flight.id));
            }
        }
        wrong
    };
    let wrong = blocking(&uss, cleared).await?;
    let outcome = json!({ "success": wrong.is_empty(), "message": wrong.join("; ") });
    Ok(Json(json!({ "outcome": outcome })).into_response())
}

async fn user_notifications(
    State(uss): State<Arc<Uss>>,
    Query(span): Query<Span>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    client(&uss, &headers, &[PLAN])?;
    if span.after.is_none() {
        return Err(Problem::invalid("the parameter after is needed"));
    }
    let (after, before) = span.read(uss.now())?;
    if before < after {
        return Err(Problem::invalid("before must not be earlier than after"));
    }
    let one = |notice: crate::uss::Notice| {
        let conflicts = match notice.conflicts {
            None => "Unknown",
            Some(0) => "None",
            Some(1) => "Single",
            Some(_) => "Multiple",
        };
        json!({ "observed_at": notice.at, "message": notice.message, "conflicts": conflicts })
    };
    let all: Vec<Value> = uss.notices(after, before).into_iter().map(one).collect();
    Ok(Json(json!({ "user_notifications": all })).into_response())
}
