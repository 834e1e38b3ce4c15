//! A display provider: everybody's aircraft in a view, from the service providers that the DSS names.

use super::provider::{Asked, details as own_details, flights};
use super::{Edition, MAX_DETAILS_DIAGONAL, NEAR_REAL_TIME, View};
use crate::Uss;
use crate::api::{OPERATOR, blocking, client};
use crate::around::each;
use crate::http::AskError;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use hotline_airspace::{Degrees, Metres, Position, geodesy};
use hotline_utm::Problem;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

const READ: &[&str] = &[Edition::Of2019.display(), Edition::Of2022.display(), OPERATOR];
/// The most flights whose supplier is remembered.
const MAX_REMEMBERED: usize = 50_000;
/// An aircraft in a cluster is at least so far from its border (F3411 `NetMinObfuscationDistance`), metres.
const OBFUSCATION: f64 = 300.0;
/// A cluster is at least this part of the view (F3411 `NetMinClusterSize`).
const LEAST_CLUSTER: f64 = 0.15;

#[derive(Deserialize)]
struct Areas {
    #[serde(default)]
    service_areas: Vec<Area>,
}

#[derive(Deserialize)]
struct Area {
    /// In the edition of 2022.
    uss_base_url: Option<String>,
    /// In the edition of 2019.
    flights_url: Option<String>,
}

#[derive(Deserialize)]
struct Flights {
    #[serde(default)]
    flights: Vec<Value>,
}

/// Everybody's flights in a view.
fn seen(uss: &Uss, view: &View) -> Result<Vec<Value>, AskError> {
    let edition = uss.settings.remote_id;
    let now = crate::wire::Time::at(uss.now()).value;
    let (areas, corners) = (edition.areas(&uss.settings.dss), view.corners());
    let url = format!("{areas}?area={corners}&earliest_time={now}&latest_time={now}");
    let areas: Areas = uss.http.must("GET", &url, edition.display(), None)?;
    let flights_url = |area: Area| match edition {
        Edition::Of2019 => area.flights_url,
        Edition::Of2022 => area.uss_base_url.map(|base| edition.flights(&base)),
    };
    let own = edition.flights(&uss.settings.base_url);
    let urls: BTreeSet<String> = areas.service_areas.into_iter().filter_map(flights_url).collect();
    let mut all = flights(uss, edition, view, NEAR_REAL_TIME);
    let others: Vec<String> = urls.into_iter().filter(|url| *url != own).collect();
    let recent = match edition {
        Edition::Of2019 => "include_recent_positions=true",
        Edition::Of2022 => "recent_positions_duration=60",
    };
    let asked = each(&others, |base| -> Result<_, AskError> {
        let url = format!("{base}?view={}&{recent}", view.written());
        let theirs: Result<Flights, AskError> = uss.http.must("GET", &url, edition.display(), None);
        // The others are shown all the same.
        let theirs = theirs.map_or_else(
            |why| {
                tracing::warn!("{why}");
                vec![]
            },
            |theirs| theirs.flights,
        );
        Ok((base.clone(), theirs))
    })?;
    let mut shown_by = uss.remote_id.shown_by.lock().unwrap_or_else(PoisonError::into_inner);
    for (base, theirs) in asked {
        if shown_by.len() > MAX_REMEMBERED {
            shown_by.clear();
        }
        let ids = theirs.iter().filter_map(|f| f["id"].as_str());
        ids.for_each(|id| _ = shown_by.insert(id.into(), base.clone()));
        all.extend(theirs);
    }
    Ok(all)
}

fn shown(flight: &Value, view: &View) -> Value {
    let state = &flight["current_state"];
    let place = |p: &Value| json!({ "lat": p["lat"], "lng": p["lng"], "alt": p["alt"] });
    let inside =
        |p: &Value| p["lat"].as_f64().zip(p["lng"].as_f64()).is_some_and(|(lat, lng)| view.has(lat, lng));
    let recent = flight["recent_positions"].as_array().cloned().unwrap_or_default();
    let path: Vec<Value> = recent.iter().map(|r| &r["position"]).filter(|p| inside(p)).map(place).collect();
    json!({
        "id": flight["id"], "aircraft_type": flight["aircraft_type"],
        "current_state": {
            "timestamp": state["timestamp"].get("value").unwrap_or(&state["timestamp"]), "operational_status": state["operational_status"],
            "track": state["track"], "speed": state["speed"], "speed_accuracy": state["speed_accuracy"],
            "vertical_speed": state["vertical_speed"],
        },
        "most_recent_position": place(&state["position"]),
        "recent_paths": if path.is_empty() { json!([]) } else { json!([{ "positions": path }]) },
    })
}

/// One rectangle around all aircraft, wide enough that none can be told from its border.
fn clusters(flights: &[Value], view: &View) -> Vec<Value> {
    let places: Vec<(f64, f64)> = flights
        .iter()
        .map(|f| &f["current_state"]["position"])
        .filter_map(|p| p["lat"].as_f64().zip(p["lng"].as_f64()))
        .filter(|&(lat, lng)| view.has(lat, lng))
        .collect();
    if places.is_empty() {
        return vec![];
    }
    let least = |of: fn(&(f64, f64)) -> f64| places.iter().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| places.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    let at = |lat: f64, lng: f64| Position::new(Degrees::new(lat.clamp(-90.0, 90.0)), Degrees::new(lng)).ok();
    let moved = |from: Position, bearing: f64, way: f64| {
        geodesy::destination(from, Degrees::new(bearing), Metres::new(way))
    };
    let (Some(low), Some(high)) = (at(least(|p| p.0), least(|p| p.1)), at(most(|p| p.0), most(|p| p.1)))
    else {
        return vec![];
    };
    let sides = |a: Position, b: Position| {
        let across = at(a.latitude().get(), b.longitude().get()).unwrap_or(a);
        (geodesy::distance(a, across).get(), geodesy::distance(across, b).get())
    };
    let whole = view.diagonal().get().powi(2) / 2.0 * LEAST_CLUSTER;
    let (width, height) = sides(low, high);
    // Half of what each side grows by: enough for the distance, and for the least area.
    let for_area = (whole.sqrt() - width.min(height)).max(0.0) / 2.0;
    let grow = OBFUSCATION.max(for_area);
    let (low, high) =
        (moved(moved(low, 180.0, grow), 270.0, grow), moved(moved(high, 0.0, grow), 90.0, grow));
    let (width, height) = sides(low, high);
    let corner = |p: Position| json!({ "lat": p.latitude().get(), "lng": p.longitude().get() });
    vec![json!({
        "corners": [corner(low), corner(high)], "area_sqm": width * height, "number_of_flights": places.len(),
    })]
}

pub(super) async fn display_data(
    State(uss): State<Arc<Uss>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    client(&uss, &headers, READ)?;
    let view = asked.view()?;
    let flights = blocking(&uss, move |uss| seen(uss, &view)).await?;
    let flights = flights.map_err(|e| Problem::with(StatusCode::BAD_GATEWAY, e.to_string()))?;
    if view.diagonal().get() > MAX_DETAILS_DIAGONAL {
        return Ok(Json(json!({ "flights": [], "clusters": clusters(&flights, &view) })));
    }
    let shown: Vec<Value> = flights.iter().map(|f| shown(f, &view)).collect();
    Ok(Json(json!({ "flights": shown, "clusters": [] })))
}

pub(super) async fn details(
    State(uss): State<Arc<Uss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    client(&uss, &headers, READ)?;
    let given = blocking(&uss, move |uss| {
        let edition = uss.settings.remote_id;
        if let Ok(own) = own_details(uss, edition, &id) {
            return Ok(own);
        }
        let by = uss.remote_id.shown_by.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let base = by.ok_or_else(|| Problem::not_found(format!("no flight {id} has been seen in a view")))?;
        let url = format!("{base}/{id}/details");
        uss.http.must("GET", &url, edition.display(), None).map_err(|e: AskError| match e.status() {
            Some(404) => Problem::not_found(e.to_string()),
            _ => Problem::with(StatusCode::BAD_GATEWAY, e.to_string()),
        })
    })
    .await??;
    let details = &given["details"];
    // The later edition puts some of it deeper.
    let location = &details["operator_location"];
    let location = location.get("position").unwrap_or(location);
    let serial = details.get("serial_number").unwrap_or(&details["uas_id"]["serial_number"]);
    let (operator, uas) =
        (json!({ "id": details["operator_id"], "location": location }), json!({ "id": serial }));
    let without_null = |mut value: Value| {
        value.as_object_mut().into_iter().for_each(|o| o.retain(|_, v| !v.is_null()));
        value
    };
    Ok(Json(json!({ "operator": without_null(operator), "uas": without_null(uas) })))
}
