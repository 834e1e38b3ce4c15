//! ASTM F3548-21: operational intents, constraints, subscriptions, availability, reports.

mod availability;
mod constraints;
pub(crate) mod intents;
mod subscriptions;
mod wire;

use crate::Dss;
use axum::Router;
use axum::routing::{get, post, put};
use std::sync::Arc;

/// Planning.
pub const STRATEGIC: &str = "utm.strategic_coordination";
/// Telling of what is not nominal.
pub const CONFORMANCE: &str = "utm.conformance_monitoring_sa";
/// Managing constraints.
pub const CONSTRAINT_MANAGEMENT: &str = "utm.constraint_management";
/// Reading constraints.
pub const CONSTRAINT_PROCESSING: &str = "utm.constraint_processing";
/// Setting availabilities.
pub const ARBITRATION: &str = "utm.availability_arbitration";

pub(crate) fn routes() -> Router<Arc<Dss>> {
    let intents = "/dss/v1/operational_intent_references";
    let constraints = "/dss/v1/constraint_references";
    let subscriptions = "/dss/v1/subscriptions";
    Router::new()
        .route(&format!("{intents}/query"), post(intents::query))
        .route(&format!("{intents}/{{id}}"), get(intents::get).put(intents::create))
        .route(&format!("{intents}/{{id}}/{{ovn}}"), put(intents::update).delete(intents::delete))
        .route(&format!("{constraints}/query"), post(constraints::query))
        .route(&format!("{constraints}/{{id}}"), get(constraints::get).put(constraints::create))
        .route(&format!("{constraints}/{{id}}/{{ovn}}"), put(constraints::update).delete(constraints::delete))
        .route(&format!("{subscriptions}/query"), post(subscriptions::query))
        .route(&format!("{subscriptions}/{{id}}"), get(subscriptions::get).put(subscriptions::create))
        .route(
            &format!("{subscriptions}/{{id}}/{{version}}"),
            put(subscriptions::update).delete(subscriptions::delete),
        )
        .route("/dss/v1/uss_availability/{uss}", get(availability::get).put(availability::set))
        .route("/dss/v1/reports", post(availability::report))
}

/// Which bodies of F3548 these bytes are.
pub(crate) fn forms_of(bytes: &[u8]) -> Vec<&'static str> {
    fn is<T: serde::de::DeserializeOwned>(bytes: &[u8], whole: impl Fn(&T) -> bool) -> bool {
        serde_json::from_slice(bytes).is_ok_and(|body| whole(&body))
    }
    let forms = [
        ("operational intent", is(bytes, intents::Put::is_whole)),
        ("constraint", is(bytes, constraints::Put::is_whole)),
        ("subscription", is(bytes, subscriptions::Put::is_whole)),
        ("query", is(bytes, wire::AreaOfInterest::is_whole)),
        ("report", is(bytes, |_: &availability::ErrorReport| true)),
    ];
    forms.into_iter().filter_map(|(name, is)| is.then_some(name)).collect()
}
