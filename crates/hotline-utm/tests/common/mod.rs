//! A service on loopback, and the standards' files that every answer is held against.

#![allow(dead_code, unreachable_pub)] // Each test uses a part.

use hotline_dss::Moment;
use hotline_utm::{
    BaseUrls, Clock, Dss, Gate, Identity, Keeping, Measures, PublicKey, Store, TokenServer, serve,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub const STRATEGIC: &str = "utm.strategic_coordination";
pub const CONFORMANCE: &str = "utm.conformance_monitoring_sa";
pub const MANAGEMENT: &str = "utm.constraint_management";
pub const PROCESSING: &str = "utm.constraint_processing";
pub const ARBITRATION: &str = "utm.availability_arbitration";

pub fn real_clock() -> Clock {
    Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()))
}

/// One key for all tests: making one takes a while.
pub fn tokens() -> &'static TokenServer {
    static SERVER: OnceLock<TokenServer> = OnceLock::new();
    SERVER.get_or_init(|| TokenServer::new(real_clock()).unwrap())
}

pub fn claims(sub: &str, scope: &str) -> Value {
    let expires = jiff::Timestamp::now().as_second() + 600;
    json!({ "sub": sub, "scope": scope, "aud": "localhost", "iss": "tests", "exp": expires })
}

pub struct Server {
    pub address: String,
    pub agent: ureq::Agent,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    contracts: &'static [Contract],
}

pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(60))).max_idle_connections_per_host(100).build().into()
}

impl Server {
    pub fn start(folder: &Path) -> Self {
        Self::with_clock(folder, real_clock())
    }

    pub fn with_clock(folder: &Path, clock: Clock) -> Self {
        let key = PublicKey::from_pem(tokens().public_key().unwrap().as_bytes()).unwrap();
        let measures = Arc::new(Measures::default());
        let store = Store::open(folder, Keeping::default(), clock.clone(), measures.clone()).unwrap();
        let gate = Arc::new(Gate::new(vec![key], vec!["localhost".into(), "other".into()], None));
        let identity = Identity { pool: "tests".into(), instance: "dss-1".into(), endpoint: None };
        let dss = Arc::new(Dss { store, gate, base_urls: BaseUrls::Secure, identity, measures, clock });
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (told, heard) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                serve(dss.clone(), listener, async { _ = stopped.await }).await.unwrap();
            });
            drop(runtime);
            Arc::try_unwrap(dss).map(|mut dss| dss.store.close().unwrap()).unwrap_or(());
        });
        let address = format!("http://{}", heard.recv().unwrap());
        Self { address, agent: agent(), stop: Some(stop), thread: Some(thread), contracts: contracts() }
    }

    /// Asks as a client with scopes; the answer is held against the standard's file.
    pub fn ask(&self, sub: &str, scope: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let token = tokens().token(&claims(sub, scope)).unwrap();
        self.ask_with(&format!("Bearer {token}"), method, path, body)
    }

    pub fn ask_with(
        &self,
        authorization: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let text = body.map(|b| b.to_string());
        let (status, answer) = self.send(authorization, method, path, text.as_deref());
        for contract in self.contracts {
            contract.check(method, path, status, &answer);
        }
        (status, answer)
    }

    pub fn send(&self, authorization: &str, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("authorization", authorization)
            .header("content-type", "application/json");
        let mut response = match body {
            Some(body) => self.agent.run(request.body(body.to_owned()).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        }
        .unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Connections that are kept open would hold the graceful end up.
        self.agent = agent();
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// A file of a standard.
pub struct Contract {
    paths: Vec<(Vec<String>, Value)>,
    document: Value,
}

fn standards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/standards")
}

/// The files, where they are at hand.
pub fn contracts() -> &'static [Contract] {
    static CONTRACTS: OnceLock<Vec<Contract>> = OnceLock::new();
    CONTRACTS.get_or_init(|| {
        let files = [
            ("astm-f3548-21-utm.yaml", ""),
            ("astm-f3411-19-remoteid.yaml", ""),
            ("astm-f3411-22a-remoteid.yaml", "/rid/v2"),
            ("dss-aux.yaml", ""),
        ];
        let read = |(name, prefix): (&str, &'static str)| {
            let path = standards().join(name);
            let Ok(text) = std::fs::read_to_string(&path) else {
                println!("skipped: answers are not held against {}, which is not at hand", path.display());
                return None;
            };
            let document: Value = serde_yaml_ng::from_str(&text).unwrap();
            let split = |path: &String| format!("{prefix}{path}").split('/').map(str::to_owned).collect();
            let paths = document["paths"].as_object().unwrap();
            let paths = paths.iter().map(|(path, operations)| (split(path), operations.clone())).collect();
            Some(Contract { paths, document })
        };
        files.into_iter().filter_map(read).collect()
    })
}

impl Contract {
    /// The whole file.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The operations of a service's own paths: method, template, operation.
    pub fn operations(&self) -> Vec<(String, String, Value)> {
        let methods = |(path, operations): &(Vec<String>, Value)| {
            let path = path.join("/");
            let all = operations.as_object().unwrap().clone();
            let known =
                all.into_iter().filter(|(m, _)| ["get", "put", "post", "delete"].contains(&m.as_str()));
            known.map(move |(method, o)| (method.to_uppercase(), path.clone(), o)).collect::<Vec<_>>()
        };
        self.paths.iter().flat_map(methods).filter(|(_, path, _)| !path.contains("/uss/")).collect()
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let path = path.split('?').next().unwrap();
        let asked: Vec<&str> = path.split('/').collect();
        let fits = |template: &[String]| {
            template.len() == asked.len()
                && template.iter().zip(&asked).all(|(t, a)| t.starts_with('{') || t == a)
        };
        // One without a parameter goes before one with.
        let mut found: Vec<_> = self.paths.iter().filter(|(template, _)| fits(template)).collect();
        found.sort_by_key(|(template, _)| template.iter().filter(|t| t.starts_with('{')).count());
        found.first().and_then(|(_, operations)| operations.get(method.to_lowercase()))
    }

    /// That an answer is one that the file knows for the request.
    pub fn check(&self, method: &str, path: &str, status: u16, answer: &Value) {
        let Some(operation) = self.operation(method, path) else { return };
        // A version conflict of an availability has no status of its own in the file; services in the field give 409.
        if path.starts_with("/dss/v1/uss_availability/") && status == 409 {
            return;
        }
        let described = operation["responses"].get(status.to_string());
        let described =
            described.unwrap_or_else(|| panic!("{method} {path}: {status} is not in the file: {answer}"));
        let Some(schema) = described.pointer("/content/application~1json/schema") else { return };
        let whole = json!({ "allOf": [schema], "components": self.document["components"] });
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft4)
            .should_validate_formats(true)
            .build(&whole)
            .unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(answer).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{method} {path} {status}: {wrong:?}\n{answer}");
    }
}

pub fn id(n: u32) -> String {
    format!("{n:08x}-0000-4000-8000-000000000001")
}

pub fn in_minutes(minutes: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes)).to_string()
}

pub fn time(minutes: i64) -> Value {
    json!({ "value": in_minutes(minutes), "format": "RFC3339" })
}

pub fn altitude(metres: f64) -> Value {
    json!({ "value": metres, "reference": "W84", "units": "M" })
}

/// A circle of 300 m, from 50 m up to 120 m, so many minutes from now.
pub fn volume(lat: f64, lng: f64, from: i64, to: i64) -> Value {
    json!({
        "volume": {
            "outline_circle": { "center": { "lat": lat, "lng": lng }, "radius": { "value": 300, "units": "M" } },
            "altitude_lower": altitude(50.0),
            "altitude_upper": altitude(120.0),
        },
        "time_start": time(from),
        "time_end": time(to),
    })
}

pub fn intent(lat: f64, lng: f64, state: &str, key: &[&str]) -> Value {
    json!({
        "extents": [volume(lat, lng, 1, 30)],
        "key": key,
        "state": state,
        "uss_base_url": "https://uss.example.com",
        "new_subscription": { "uss_base_url": "https://uss.example.com" },
    })
}
