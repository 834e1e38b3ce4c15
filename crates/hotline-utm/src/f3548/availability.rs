//! `/dss/v1/uss_availability` and `/dss/v1/reports`.

use super::wire::availability_name;
use super::{ARBITRATION, CONFORMANCE, CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING, STRATEGIC};
use crate::dss::body;
use crate::geometry::Time;
use crate::{Dss, Problem};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hotline_dss::{Answer, Availability, Command};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// The longest name of a supplier.
const MAX_NAME: usize = 256;
/// The longest report, bytes.
const MAX_REPORT: usize = 256 << 10;

#[derive(Deserialize)]
struct Set {
    old_version: String,
    availability: String,
}

/// A report of an exchange that went wrong.
#[derive(Deserialize, Serialize)]
pub(super) struct ErrorReport {
    report_id: Option<String>,
    exchange: Exchange,
}

#[derive(Deserialize, Serialize)]
struct Exchange {
    url: String,
    method: String,
    #[serde(default)]
    headers: Vec<String>,
    recorder_role: Role,
    request_time: Time,
    #[serde(default)]
    request_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time: Option<Time>,
    #[serde(default)]
    response_body: String,
    #[serde(default)]
    response_code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// The file asks for it without saying what it is; clients do not send it.
    request_source: Option<String>,
}

#[derive(Deserialize, Serialize)]
enum Role {
    Client,
    Server,
}

fn answer(uss: &str, version: &str, availability: Availability) -> Response {
    let status = json!({ "uss": uss, "availability": availability_name(availability) });
    Json(json!({ "version": version, "status": status })).into_response()
}

pub(super) async fn get(
    State(dss): State<Arc<Dss>>,
    Path(uss): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    dss.client(&headers, &[ARBITRATION, STRATEGIC, CONFORMANCE])?;
    let (version, availability) = dss.read().await?.availability(&uss);
    Ok(answer(&uss, &version, availability))
}

pub(super) async fn set(
    State(dss): State<Arc<Dss>>,
    Path(uss): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let client = dss.client(&headers, &[ARBITRATION])?;
    if uss.len() > MAX_NAME {
        return Err(Problem::invalid(format!("a supplier's name has {MAX_NAME} bytes at most")));
    }
    let set: Set = body(&bytes)?;
    let availability = match set.availability.as_str() {
        "Unknown" => Availability::Unknown,
        "Normal" => Availability::Normal,
        "Down" => Availability::Down,
        other => {
            return Err(Problem::invalid(format!(
                "{other:?} is no availability: Unknown, Normal and Down are"
            )));
        }
    };
    let command =
        Command::SetAvailability { uss: uss.into(), old_version: set.old_version.into(), availability };
    match dss.change(&client, command).await? {
        Answer::Availability { uss, version, availability } => Ok(answer(&uss, &version, availability)),
        other => Err(Problem::failed(format!("an availability was answered with {other:?}"))),
    }
}

pub(super) async fn report(
    State(dss): State<Arc<Dss>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let scopes = [CONSTRAINT_MANAGEMENT, CONSTRAINT_PROCESSING, STRATEGIC, CONFORMANCE, ARBITRATION];
    let client = dss.client(&headers, &scopes)?;
    if bytes.len() > MAX_REPORT {
        return Err(Problem::invalid(format!("a report has {MAX_REPORT} bytes at most")));
    }
    let mut report: ErrorReport = body(&bytes)?;
    for time in
        [Some(&report.exchange.request_time), report.exchange.response_time.as_ref()].into_iter().flatten()
    {
        time.instant()?;
    }
    report.exchange.request_source.get_or_insert_with(|| client.name.to_string());
    let content = serde_json::to_string(&report).map_err(|e| Problem::failed(e.to_string()))?;
    match dss.change(&client, Command::Report { content: content.into() }).await? {
        Answer::Report { id } => {
            report.report_id = Some(id.to_string());
            Ok((StatusCode::CREATED, Json(report)).into_response())
        }
        other => Err(Problem::failed(format!("a report was answered with {other:?}"))),
    }
}
