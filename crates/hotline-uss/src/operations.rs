//! For those who run a supplier: is it alive, is it ready, what does it do.

use crate::Uss;
use crate::api::blocking;
use crate::keep::to;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hotline_utm::Problem;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// An exchange: with whom in which part, and with what result (0 where there was no answer).
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct Exchanged {
    pub(crate) role: String,
    pub(crate) status: i32,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: String,
}

/// What is counted, for Prometheus.
pub(crate) struct Measures {
    registry: Registry,
    pub(crate) exchanges: Family<Exchanged, Counter>,
    things: Family<Kind, Gauge>,
}

impl Default for Measures {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("hotline_uss");
        let (exchanges, things) = (Family::<Exchanged, Counter>::default(), Family::<Kind, Gauge>::default());
        registry.register("exchanges", "Requests to others and of others", exchanges.clone());
        registry.register(
            "things",
            "Flights by state, constraints, what is known, what waits",
            things.clone(),
        );
        Self { registry, exchanges, things }
    }
}

pub(crate) fn routes() -> Router<Arc<Uss>> {
    Router::new().route("/healthy", get(healthy)).route("/ready", get(ready)).route("/metrics", get(metrics))
}

/// The process answers.
async fn healthy() -> &'static str {
    "ok\n"
}

/// Flights can be planned, as far as this supplier is concerned: its disk takes a record.
async fn ready(State(uss): State<Arc<Uss>>) -> Result<&'static str, Problem> {
    let kept = blocking(&uss, |uss| uss.keep.change(vec![to("probe".into(), &uss.now().micros())])).await?;
    kept.map(|()| "ready\n").map_err(|e| Problem::unavailable(e.to_string()))
}

async fn metrics(State(uss): State<Arc<Uss>>) -> Response {
    let measures = uss.logs.measures();
    let set = |kind: &str, count: usize| {
        measures.things.get_or_create(&Kind { kind: kind.into() }).set(count as i64);
    };
    let state = uss.state();
    for (name, wanted) in [
        ("flights_accepted", crate::wire::IntentState::Accepted),
        ("flights_activated", crate::wire::IntentState::Activated),
        ("flights_nonconforming", crate::wire::IntentState::Nonconforming),
        ("flights_contingent", crate::wire::IntentState::Contingent),
    ] {
        set(name, state.flights.values().filter(|f| f.state() == Some(wanted)).count());
    }
    set("changes_unsettled", state.flights.values().filter(|f| f.pending.is_some()).count());
    set("constraints", state.constraints.len());
    set("intents_known", state.intents_known.len());
    set("constraints_known", state.constraints_known.len());
    drop(state);
    set("notifications_waiting", uss.outbox.waiting_count());
    set("aircraft_shown", uss.remote_id.aircraft().len());
    let mut text = String::new();
    encode(&mut text, &measures.registry).expect("writing to memory does not fail");
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, form)], text).into_response()
}
