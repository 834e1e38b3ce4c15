//! An authority, a DSS and suppliers on loopback, and the standards' files that every answer is held against.

#![allow(dead_code, unreachable_pub)] // Each test uses a part.

mod contract;

pub use contract::contracts;
use hotline_dss::Moment;
use hotline_journal::JournalError;
use hotline_uss::{ConstraintRule, Settings, StartError, TokenSource, Uss};
use hotline_utm::{
    BaseUrls, Clock, Dss, Gate, Identity, Keeping, Measures, PublicKey, Store, TokenServer, serve,
};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub fn real_clock() -> Clock {
    Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()))
}

/// An authority's key.
#[derive(Clone)]
pub struct Keys {
    private: String,
    pub public: String,
}

impl Keys {
    /// A new one, which takes a while.
    pub fn new() -> Self {
        let server = TokenServer::new(real_clock()).unwrap();
        Self { private: server.private_key().unwrap(), public: server.public_key().unwrap() }
    }

    /// One for all tests that need no other.
    fn shared() -> Self {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        KEYS.get_or_init(Self::new).clone()
    }

    /// A token of this authority.
    pub fn token(&self, sub: &str, scope: &str, audience: &str) -> String {
        let claims = json!({
            "sub": sub, "scope": scope, "aud": audience, "iss": "tests",
            "exp": jiff::Timestamp::now().as_second() + 600,
        });
        TokenServer::from_pem(&self.private, real_clock()).unwrap().token(&claims).unwrap()
    }

    fn gate(&self) -> Arc<Gate> {
        let key = PublicKey::from_pem(self.public.as_bytes()).unwrap();
        Arc::new(Gate::new(vec![key], vec!["127.0.0.1".into()], None))
    }
}

/// Threads that end when this is dropped, also within another runtime.
struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    fn new() -> Self {
        let two = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Self(Some(two.unwrap()))
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.as_ref().unwrap().spawn(work);
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

/// A router on a port of its own, until it is dropped.
pub struct Served {
    pub address: std::net::SocketAddr,
    _threads: Threads,
}

impl Served {
    pub fn start(listener: std::net::TcpListener, router: axum::Router) -> Self {
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let threads = Threads::new();
        threads.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self { address, _threads: threads }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Listens again where somebody has listened who is ending.
pub fn listen_again(address: std::net::SocketAddr) -> std::net::TcpListener {
    let mut bound = std::net::TcpListener::bind(address);
    until("the port is free again", || {
        if bound.is_err() {
            bound = std::net::TcpListener::bind(address);
        }
        bound.is_ok()
    });
    bound.unwrap()
}

pub fn listener() -> std::net::TcpListener {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A country: its authority and its DSS.
pub struct Country {
    pub keys: Keys,
    pub tokens: Served,
    pub dss: String,
    _threads: Threads,
    pub folder: tempfile::TempDir,
}

impl Country {
    pub fn new() -> Self {
        Self::with(Keys::shared())
    }

    pub fn with(keys: Keys) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tokens = TokenServer::from_pem(&keys.private, real_clock()).unwrap();
        let tokens = Served::start(listener(), tokens.service());
        let measures = Arc::new(Measures::default());
        let store =
            Store::open(&folder.path().join("dss"), Keeping::default(), real_clock(), measures.clone())
                .unwrap();
        let identity = Identity { pool: "tests".into(), instance: "dss-1".into(), endpoint: None };
        let dss = Arc::new(Dss {
            store,
            gate: keys.gate(),
            base_urls: BaseUrls::Any,
            identity,
            measures,
            clock: real_clock(),
        });
        let threads = Threads::new();
        let listener = listener();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        threads.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            serve(dss, listener, std::future::pending()).await.unwrap();
        });
        Self { keys, tokens, dss: format!("http://{address}"), _threads: threads, folder }
    }

    pub fn settings(&self, name: &str, base_url: &str) -> Settings {
        Settings {
            name: name.into(),
            base_url: base_url.into(),
            dss: self.dss.clone(),
            tokens: TokenSource::Query { url: format!("{}/token", self.tokens.url()), sub: name.into() },
            authority: None,
            equal_priority_allowed: false,
            constraints: ConstraintRule::Block,
            conformance: hotline_detect::ConformanceRules::default(),
            data: self.folder.path().join(name),
            remote_id: hotline_uss::Edition::Of2022,
            test_interfaces: true,
        }
    }

    pub fn supplier(&self, name: &str) -> Supplier {
        self.supplier_on(name, listener(), |_| {})
    }

    pub fn supplier_on(
        &self,
        name: &str,
        listener: std::net::TcpListener,
        set: impl FnOnce(&mut Settings),
    ) -> Supplier {
        let mut settings = self.settings(name, &format!("http://{}", listener.local_addr().unwrap()));
        set(&mut settings);
        // One that was dropped may still be ending what it was at.
        let mut opened = Uss::open(settings.clone(), self.keys.gate(), real_clock(), None);
        until("nobody else has the folder open", || {
            if matches!(opened, Err(StartError::Journal(JournalError::InUse))) {
                opened = Uss::open(settings.clone(), self.keys.gate(), real_clock(), None);
            }
            !matches!(opened, Err(StartError::Journal(JournalError::InUse)))
        });
        let uss = opened.unwrap();
        let served = Served::start(listener, hotline_uss::service(uss.clone()));
        let address = served.address;
        Supplier {
            name: name.into(),
            uss: Some(uss),
            _served: Some(served),
            address,
            keys: self.keys.clone(),
        }
    }

    /// Asks the DSS as somebody.
    pub fn ask_dss(
        &self,
        sub: &str,
        scope: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        ask(&self.keys, &self.dss, sub, scope, method, path, body)
    }
}

pub struct Supplier {
    pub name: String,
    uss: Option<Arc<Uss>>,
    _served: Option<Served>,
    pub address: std::net::SocketAddr,
    keys: Keys,
}

impl Supplier {
    /// One that runs elsewhere.
    pub fn at(name: &str, address: std::net::SocketAddr, country: &Country) -> Self {
        Self { name: name.into(), uss: None, _served: None, address, keys: country.keys.clone() }
    }

    /// The one that runs here.
    pub fn uss(&self) -> &Arc<Uss> {
        self.uss.as_ref().unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks as somebody; the answer is held against the standards' files.
    pub fn ask(&self, sub: &str, scope: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let (status, answer) = ask(&self.keys, &self.url(), sub, scope, method, path, body);
        contracts().iter().for_each(|contract| contract.check(method, path, status, &answer));
        (status, answer)
    }

    /// Asks as somebody; the answer may be one that no file describes.
    pub fn ask_loosely(
        &self,
        sub: &str,
        scope: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        ask(&self.keys, &self.url(), sub, scope, method, path, body)
    }

    /// Asks as the tests' user does: to plan a flight; gives the result and the flight's status.
    pub fn plan(&self, id: &str, plan: Value) -> (String, String, Value) {
        self.plan_in("IfAllowed", id, plan)
    }

    pub fn plan_in(&self, style: &str, id: &str, plan: Value) -> (String, String, Value) {
        static REQUEST: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let request = REQUEST.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let body =
            json!({ "flight_plan": plan, "execution_style": style, "request_id": request.to_string() });
        let path = format!("/flight_planning/v1/flight_plans/{id}");
        let (status, answer) = self.ask("tester", "interuss.flight_planning.plan", "PUT", &path, Some(body));
        assert_eq!(status, 200, "{answer}");
        let text = |field: &str| answer[field].as_str().unwrap().to_owned();
        (text("planning_result"), text("flight_plan_status"), answer.clone())
    }

    pub fn entity(&self, flight: &str) -> hotline_uss::wire::Intent {
        self.uss().flight(flight).unwrap().intent.unwrap()
    }
}

fn ask(
    keys: &Keys,
    base: &str,
    sub: &str,
    scope: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let token = keys.token(sub, scope, "127.0.0.1");
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{base}{path}"))
        .header("authorization", format!("Bearer {token}"));
    let mut response = match body {
        Some(body) => agent.run(request.body(body.to_string()).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    }
    .unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub fn id(n: u32) -> String {
    format!("{n:08x}-0000-4000-8000-000000000001")
}

pub fn time(seconds: i64) -> Value {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    json!({ "value": at.to_string(), "format": "RFC3339" })
}

pub fn altitude(metres: f64) -> Value {
    json!({ "value": metres, "reference": "W84", "units": "M" })
}

/// A circle of 300 m, from 50 m up to 120 m, from so many seconds to so many seconds from now.
pub fn volume(lat: f64, lng: f64, from: i64, to: i64) -> Value {
    json!({
        "volume": {
            "outline_circle": { "center": { "lat": lat, "lng": lng }, "radius": { "value": 300.0, "units": "M" } },
            "altitude_lower": altitude(50.0),
            "altitude_upper": altitude(120.0),
        },
        "time_start": time(from),
        "time_end": time(to),
    })
}

/// A flight plan as the tests' user gives it.
pub fn plan(usage: &str, uas: &str, priority: i64, area: Value) -> Value {
    json!({
        "basic_information": { "usage_state": usage, "uas_state": uas, "area": [area] },
        "astm_f3548_21": { "priority": priority },
        "uas": { "aircraft_type": "Helicopter", "serial_number": "INTCJ123-4567-890" },
        "operator": { "registration_numbers": [{ "identifier": "N.123456" }] },
    })
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}: not within 30 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}
