//! What is counted, for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct Request {
    pub(crate) route: String,
    pub(crate) method: String,
    pub(crate) status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct Kind {
    pub(crate) kind: &'static str,
}

/// Counters of a service.
pub struct Measures {
    registry: Registry,
    pub(crate) requests: Family<Request, Counter>,
    pub(crate) seconds: Histogram,
    pub(crate) applied: Counter,
    pub(crate) stored: Family<Kind, Gauge>,
    pub(crate) behind: Gauge,
}

impl Default for Measures {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("hotline");
        let requests = Family::<Request, Counter>::default();
        // From a quarter of a millisecond to eight seconds.
        let seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        let applied = Counter::default();
        let stored = Family::<Kind, Gauge>::default();
        let behind = Gauge::default();
        registry.register("requests", "Requests answered", requests.clone());
        registry.register("request_seconds", "Time to answer a request", seconds.clone());
        registry.register("commands_applied", "Commands applied since the start", applied.clone());
        registry.register("stored", "Entities stored, ended ones included", stored.clone());
        registry.register(
            "commands_since_snapshot",
            "Commands that the newest snapshot does not cover",
            behind.clone(),
        );
        Self { registry, requests, seconds, applied, stored, behind }
    }
}

impl Measures {
    pub(crate) fn written(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to memory does not fail");
        text
    }
}
