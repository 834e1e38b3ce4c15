//! What the two editions of F3411 have in common: identification service areas and subscriptions to them.
//!
//! Both editions work on one store. What differs, their scopes and the form of what is sent and answered, is an [`Edition`].

use crate::dss::{body, identifier};
use crate::geometry::{instant, open, searched_cells, window};
use crate::{Dss, Problem};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::routing::{get, put};
use axum::{Json, Router};
use hotline_dss::{Answer, Command, Moment, RidSubscription, ServiceArea, ToNotify, Window};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// An edition of the standard.
pub(crate) trait Edition: Send + Sync + 'static {
    /// The path of the interface's part for a DSS.
    const BASE: &'static str;
    /// Scopes that allow searching, and subscribing.
    const READ: &'static [&'static str];
    /// Scopes that allow asking for one service area.
    const READ_AREA: &'static [&'static str];
    /// Scopes that allow asking for one subscription.
    const READ_SUBSCRIPTION: &'static [&'static str];
    /// Scopes that allow changing service areas.
    const WRITE: &'static [&'static str];
    /// The body by which an area is put.
    type PutArea: DeserializeOwned + Send;
    /// The body by which a subscription is put.
    type PutSubscription: DeserializeOwned + Send;

    /// Where and when, and the base URL of the flights.
    fn area(put: Self::PutArea) -> Result<(Window, String), Problem>;
    /// Where and when, and the base URL of the subscriber.
    fn subscription(put: Self::PutSubscription) -> Result<(Window, String), Problem>;
    /// A service area in JSON.
    fn area_body(area: &ServiceArea) -> Value;
    /// A subscription in JSON.
    fn subscription_body(subscription: &RidSubscription) -> Value;
}

pub(crate) fn routes<E: Edition>() -> Router<Arc<Dss>> {
    let (areas, subscriptions) = ("identification_service_areas", "subscriptions");
    let base = E::BASE;
    Router::new()
        .route(&format!("{base}/{areas}"), get(search_areas::<E>))
        .route(&format!("{base}/{areas}/{{id}}"), get(get_area::<E>).put(create_area::<E>))
        .route(&format!("{base}/{areas}/{{id}}/{{version}}"), put(update_area::<E>).delete(delete_area::<E>))
        .route(&format!("{base}/{subscriptions}"), get(search_subscriptions::<E>))
        .route(
            &format!("{base}/{subscriptions}/{{id}}"),
            get(get_subscription::<E>).put(create_subscription::<E>),
        )
        .route(
            &format!("{base}/{subscriptions}/{{id}}/{{version}}"),
            put(update_subscription::<E>).delete(delete_subscription::<E>),
        )
}

fn notices(told: Vec<ToNotify>) -> Value {
    let state = |(id, index): &(hotline_dss::Id, i32)| json!({ "subscription_id": id.to_string(), "notification_index": index });
    let one = |n: ToNotify| {
        let subscriptions: Vec<Value> = n.subscriptions.iter().map(state).collect();
        json!({ "url": *n.url, "subscriptions": subscriptions })
    };
    told.into_iter().map(one).collect()
}

/// The parameters of a search.
#[derive(Deserialize)]
struct Search {
    area: Option<String>,
    earliest_time: Option<String>,
    latest_time: Option<String>,
}

type Searched = Result<Query<Search>, QueryRejection>;

fn asked_area(query: Searched) -> Result<Window, Problem> {
    let Query(Search { area, earliest_time, latest_time }) =
        query.map_err(|e| Problem::invalid(e.body_text()))?;
    let area = area.ok_or_else(|| Problem::invalid("the parameter area is needed"))?;
    let time = |text: Option<String>| text.filter(|t| !t.is_empty()).map(|t| instant(&t)).transpose();
    window(searched_cells(&area)?, None, None, time(earliest_time)?, time(latest_time)?)
}

async fn search_areas<E: Edition>(
    State(dss): State<Arc<Dss>>,
    query: Searched,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    dss.client(&headers, E::READ)?;
    let asked = open(asked_area(query)?);
    let found = dss.read().await?.find_service_areas(&asked, (dss.clock)());
    let found: Vec<Value> = found.iter().map(|area| E::area_body(area)).collect();
    Ok(Json(json!({ "service_areas": found })))
}

async fn get_area<E: Edition>(
    State(dss): State<Arc<Dss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    dss.client(&headers, E::READ_AREA)?;
    let id = identifier(&id)?;
    let found = dss.read().await?.service_area(id);
    let found =
        found.ok_or_else(|| Problem::not_found(format!("there is no identification service area {id}")))?;
    Ok(Json(json!({ "service_area": E::area_body(&found) })))
}

async fn create_area<E: Edition>(
    State(dss): State<Arc<Dss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    put_area::<E>(&dss, &id, None, &headers, &bytes).await
}

async fn update_area<E: Edition>(
    State(dss): State<Arc<Dss>>,
    Path((id, version)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    put_area::<E>(&dss, &id, Some(&version), &headers, &bytes).await
}

/// A version as this service makes them: other texts are no versions at all.
fn version(text: &str) -> Result<Arc<str>, Problem> {
    let wellformed =
        (1..=32).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'v'));
    if wellformed { Ok(text.into()) } else { Err(Problem::invalid(format!("{text:?} is no version"))) }
}

async fn put_area<E: Edition>(
    dss: &Dss,
    id: &str,
    old: Option<&str>,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Json<Value>, Problem> {
    let client = dss.client(headers, E::WRITE)?;
    let (id, version) = (identifier(id)?, old.map(version).transpose()?);
    let (window, url) = E::area(body(bytes)?)?;
    let command = Command::PutServiceArea { id, version, window, url: dss.base_url(&url)? };
    area_answer::<E>(dss.change(&client, command).await?)
}

async fn delete_area<E: Edition>(
    State(dss): State<Arc<Dss>>,
    Path((id, old)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let client = dss.client(&headers, E::WRITE)?;
    let command = Command::DeleteServiceArea { id: identifier(&id)?, version: version(&old)? };
    area_answer::<E>(dss.change(&client, command).await?)
}

fn area_answer<E: Edition>(answer: Answer) -> Result<Json<Value>, Problem> {
    match answer {
        Answer::ServiceArea { area, subscribers } => {
            Ok(Json(json!({ "service_area": E::area_body(&area), "subscribers": notices(subscribers) })))
        }
        other => Err(Problem::failed(format!("a service area was answered with {other:?}"))),
    }
}

async fn search_subscriptions<E: Edition>(
    State(dss): State<Arc<Dss>>,
    query: Searched,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let client = dss.client(&headers, E::READ)?;
    let mut asked = open(asked_area(query)?);
    (asked.start, asked.end) = (Moment::MIN, Moment::MAX);
    let found = dss.read().await?.find_rid_subscriptions(&client.name, &asked, (dss.clock)());
    let found: Vec<Value> = found.iter().map(|subscription| E::subscription_body(subscription)).collect();
    Ok(Json(json!({ "subscriptions": found })))
}

async fn get_subscription<E: Edition>(
    State(dss): State<Arc<Dss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    dss.client(&headers, E::READ_SUBSCRIPTION)?;
    let id = identifier(&id)?;
    let found = dss.read().await?.rid_subscription(id);
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no subscription {id}")))?;
    Ok(Json(json!({ "subscription": E::subscription_body(&found) })))
}

async fn create_subscription<E: Edition>(
    State(dss): State<Arc<Dss>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    put_subscription::<E>(&dss, &id, None, &headers, &bytes).await
}

async fn update_subscription<E: Edition>(
    State(dss): State<Arc<Dss>>,
    Path((id, version)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Value>, Problem> {
    put_subscription::<E>(&dss, &id, Some(&version), &headers, &bytes).await
}

async fn put_subscription<E: Edition>(
    dss: &Dss,
    id: &str,
    old: Option<&str>,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Json<Value>, Problem> {
    let client = dss.client(headers, E::READ)?;
    let (id, version) = (identifier(id)?, old.map(version).transpose()?);
    let (window, url) = E::subscription(body(bytes)?)?;
    let command = Command::PutRidSubscription { id, version, window, url: dss.base_url(&url)? };
    match dss.change(&client, command).await? {
        Answer::RidSubscription { subscription, areas } => {
            let areas: Vec<Value> = areas.iter().map(|area| E::area_body(area)).collect();
            Ok(Json(json!({ "subscription": E::subscription_body(&subscription), "service_areas": areas })))
        }
        other => Err(Problem::failed(format!("a subscription was answered with {other:?}"))),
    }
}

async fn delete_subscription<E: Edition>(
    State(dss): State<Arc<Dss>>,
    Path((id, old)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let client = dss.client(&headers, E::READ)?;
    let command = Command::DeleteRidSubscription { id: identifier(&id)?, version: version(&old)? };
    match dss.change(&client, command).await? {
        Answer::RidSubscription { subscription, .. } => {
            Ok(Json(json!({ "subscription": E::subscription_body(&subscription) })))
        }
        other => Err(Problem::failed(format!("a subscription was answered with {other:?}"))),
    }
}
