//! Nodes in this process, over real sockets, for the tests.
#![allow(dead_code, unreachable_pub)]

mod free_port;

pub(crate) use free_port::free_link;
use hotline_node::{Clock, Config, Folder, Introduction, NewSecrets, Node, PeerAddress};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub const PASSPHRASE: &str = "correct horse";

pub fn init(root: &Path, party: &str, link: SocketAddr, peer: Option<(&str, SocketAddr)>) -> PathBuf {
    let folder = root.join(party);
    let config = Config {
        peer: peer.map(|(party, address)| PeerAddress { party: party.into(), address }).into_iter().collect(),
        snapshot_every: 7,
        ..Config::new(party, "127.0.0.1:0".parse().unwrap(), link)
    };
    let secrets = NewSecrets {
        passphrase: PASSPHRASE.into(),
        officer_pins: vec!["2718".into()],
        supervisor_pins: vec![],
    };
    Folder::init(&folder, &config, hotline_line::Rulebook::EXAMPLE, &secrets, Timestamp::now()).unwrap();
    folder
}

pub fn pair(own: &Path, peer: &Path) {
    let introduction = peer.join("introduction.toml");
    let text = std::fs::read_to_string(&introduction).unwrap();
    let (read, _) = Introduction::read(&text, &introduction).unwrap();
    Folder::pair(own, &introduction, &read.fingerprint().unwrap().words()).unwrap();
}

pub async fn start(folder: &Path) -> Node {
    Node::start(Folder::open(folder, PASSPHRASE).unwrap(), Clock::real()).await.unwrap()
}

/// Asks a node, as a planner or an officer.
pub async fn ask(
    node: SocketAddr,
    folder: &Path,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Result<Value, String> {
    let token = std::fs::read_to_string(folder.join("api-token")).unwrap();
    let (method, url) = (method.to_owned(), format!("http://{node}{path}"));
    let asked = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let bearer = format!("Bearer {}", token.trim());
        let mut answer = match method.as_str() {
            "GET" => agent.get(&url).header("authorization", &bearer).call(),
            "PUT" => agent.put(&url).header("authorization", &bearer).send(body.unwrap().to_string()),
            _ => agent.post(&url).header("authorization", &bearer).send(body.unwrap().to_string()),
        }
        .map_err(|e| e.to_string())?;
        let text = answer.body_mut().read_to_string().map_err(|e| e.to_string())?;
        if answer.status().is_success() {
            serde_json::from_str(&text).map_err(|e| e.to_string())
        } else {
            Err(text)
        }
    });
    asked.await.unwrap()
}

pub async fn state(node: &Node, folder: &Path) -> Value {
    ask(node.console_address(), folder, "GET", "/console/state", None).await.unwrap()
}

pub async fn until(what: &str, patience: Duration, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < patience, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    begin.elapsed()
}

pub fn flight(n: u32) -> Value {
    let hour = |h: i64| Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(h)).unwrap();
    json!({ "callsign": format!("F{n}"), "volumes": [{
        "centre": [40.0 + f64::from(n), 35.0], "radius_m": 1000.0, "lower_m": 0.0, "upper_m": 500.0, "datum": "baro", "start": hour(1), "end": hour(2),
    }] })
}

pub async fn file(node: &Node, folder: &Path, n: u32) {
    ask(node.console_address(), folder, "PUT", &format!("/api/flights/N{n:03}"), Some(flight(n)))
        .await
        .unwrap();
}

/// Call signs of a party's flights as a node knows them, in the order of their ids.
pub async fn flights(node: &Node, folder: &Path, party: &str) -> Vec<String> {
    let plans = state(node, folder).await["plans"]["flights"].clone();
    let of = plans.as_array().unwrap().iter().filter(|f| f["party"] == party);
    of.map(|f| f["callsign"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the node may speak.
pub async fn speaks(node: &Node, folder: &Path) {
    until("the node speaks", Duration::from_secs(15), async || {
        state(node, folder).await["dealings"]["speech"]["state"] == "free"
    })
    .await;
}
