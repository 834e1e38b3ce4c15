//! A client of a node's HTTP interfaces.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::time::Duration;
use ureq::Agent;

/// An answer is waited for so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest bundle that is fetched, bytes.
const MAX_BUNDLE: u64 = 2 << 30;

/// Speaks to one node.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
    token: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, token: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(3)))
            .timeout_recv_response(Some(PATIENCE))
            .build()
            .new_agent();
        Self { agent, base: format!("http://{address}"), token: format!("Bearer {token}") }
    }

    fn answer(
        &self,
        path: &str,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, String> {
        let mut response =
            response.map_err(|e| format!("{}{path}: {e}: does a node run there?", self.base))?;
        let status = response.status();
        let value: Value =
            response.body_mut().read_json().map_err(|e| format!("{}{path}: {e}", self.base))?;
        if status.is_success() {
            Ok(value)
        } else {
            Err(format!("{status}: {}", value["error"].as_str().unwrap_or("no reason given")))
        }
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value, String> {
        let response =
            self.agent.get(format!("{}{path}", self.base)).header("authorization", &self.token).call();
        self.answer(path, response)
    }

    pub(crate) fn put(&self, path: &str, body: &impl serde::Serialize) -> Result<Value, String> {
        let request = self.agent.put(format!("{}{path}", self.base)).header("authorization", &self.token);
        self.answer(path, request.send_json(body))
    }

    pub(crate) fn post(&self, path: &str, body: &impl serde::Serialize) -> Result<Value, String> {
        let request = self.agent.post(format!("{}{path}", self.base)).header("authorization", &self.token);
        self.answer(path, request.send_json(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Result<Value, String> {
        let request = self.agent.delete(format!("{}{path}", self.base)).header("authorization", &self.token);
        self.answer(path, request.call())
    }

    /// Fetches a bundle of evidence.
    pub(crate) fn export(&self, from: jiff::Timestamp, to: jiff::Timestamp) -> Result<Vec<u8>, String> {
        let path = format!("{}/api/export?from={from}&to={to}", self.base);
        let response = self.agent.get(&path).header("authorization", &self.token).call();
        let mut response = response.map_err(|e| format!("{path}: {e}"))?;
        let status = response.status();
        let bytes =
            response.body_mut().with_config().limit(MAX_BUNDLE).read_to_vec().map_err(|e| e.to_string())?;
        if status.is_success() {
            Ok(bytes)
        } else {
            Err(format!("{status}: {}", String::from_utf8_lossy(&bytes)))
        }
    }

    /// Follows the console's stream until `hear` returns false or the stream ends. It is given each event's name
    /// and data.
    pub(crate) fn follow(&self, mut hear: impl FnMut(&str, &str) -> bool) -> Result<(), String> {
        let response =
            self.agent.get(format!("{}/console/stream", self.base)).call().map_err(|e| e.to_string())?;
        let (mut name, mut data) = (String::new(), String::new());
        for line in BufReader::with_capacity(1 << 16, response.into_body().into_reader()).lines() {
            let line = line.map_err(|e| e.to_string())?;
            if let Some(event) = line.strip_prefix("event: ") {
                name = event.to_owned();
            } else if let Some(part) = line.strip_prefix("data: ") {
                data.push_str(part);
            } else if line.is_empty() && !name.is_empty() {
                if !hear(&name, &data) {
                    return Ok(());
                }
                name.clear();
                data.clear();
            }
        }
        Ok(())
    }

    /// Waits until the node answers.
    pub(crate) fn wait_ready(&self, patience: Duration) -> Result<(), String> {
        let begin = std::time::Instant::now();
        loop {
            match self.get("/health") {
                Ok(_) => return Ok(()),
                Err(e) if begin.elapsed() > patience => return Err(e),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}
