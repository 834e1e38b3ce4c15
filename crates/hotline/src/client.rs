//! A client of a node's HTTP interfaces.

use hotline_node::{Folder, Wanted};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::time::Duration;
use ureq::Agent;

/// An answer is waited for so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Speaks to one node.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
    token: String,
    cookie: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, token: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(3)))
            .timeout_recv_response(Some(PATIENCE))
            .build()
            .new_agent();
        Self {
            agent,
            base: format!("http://{address}"),
            token: format!("Bearer {token}"),
            cookie: String::new(),
        }
    }

    /// A client of the node that runs on a folder.
    pub(crate) fn of(folder: &std::path::Path) -> Result<Self, String> {
        let (config, token) = Folder::look(folder).map_err(|e| e.to_string())?;
        Ok(Self::new(config.console, &token))
    }

    /// The same for a person who has signed in.
    pub(crate) fn signed_in(&self, holder: &str, pin: &str) -> Result<Self, String> {
        let request = self.agent.post(format!("{}/console/sign-in", self.base));
        let response = request.send_json(serde_json::json!({ "holder": holder, "pin": pin }));
        let cookie = response.as_ref().ok().and_then(|r| {
            let cookie = r.headers().get("set-cookie")?.to_str().ok()?;
            cookie.split(';').next().map(str::to_owned)
        });
        self.answer("/console/sign-in", response)?;
        let cookie = cookie.ok_or("the node gave no session")?;
        Ok(Self { cookie, ..self.clone() })
    }

    /// Ends a person's session.
    pub(crate) fn sign_out(&self) -> Result<(), String> {
        self.post("/console/sign-out", &serde_json::json!({})).map(|_| ())
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
        self.answer(path, request.header("cookie", &self.cookie).send_json(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Result<Value, String> {
        let request = self.agent.delete(format!("{}{path}", self.base)).header("authorization", &self.token);
        self.answer(path, request.call())
    }

    /// Fetches evidence into a file.
    pub(crate) fn export(&self, wanted: &Wanted, mut to: impl Write) -> Result<u64, String> {
        let path = format!("{}/api/export", self.base);
        let request = self.agent.post(&path).header("authorization", &self.token);
        // Making it may take long.
        let request = request.config().timeout_recv_response(None).build();
        let mut response = request.send_json(wanted).map_err(|e| format!("{path}: {e}"))?;
        let status = response.status();
        if !status.is_success() {
            let why: Value = response.body_mut().read_json().map_err(|e| format!("{path}: {e}"))?;
            return Err(format!("{status}: {}", why["error"].as_str().unwrap_or("no reason given")));
        }
        std::io::copy(&mut response.into_body().into_reader(), &mut to).map_err(|e| e.to_string())
    }

    /// Fetches what is to be carried to a peer into a file. Gives its size, and how far each ledger is carried with it.
    pub(crate) fn export_line(
        &self,
        to: &str,
        marks: &BTreeMap<String, u64>,
        mut file: impl Write,
    ) -> Result<(u64, BTreeMap<String, u64>), String> {
        let path = format!("{}/api/export-line", self.base);
        let request = self.agent.post(&path).header("authorization", &self.token);
        let request = request.config().timeout_recv_response(None).build();
        let body = serde_json::json!({ "to": to, "marks": marks });
        let mut response =
            request.send_json(body).map_err(|e| format!("{path}: {e}: does a node run there?"))?;
        let status = response.status();
        if !status.is_success() {
            let why: Value = response.body_mut().read_json().map_err(|e| format!("{path}: {e}"))?;
            return Err(format!("{status}: {}", why["error"].as_str().unwrap_or("no reason given")));
        }
        let marks = response.headers().get("x-hotline-marks").and_then(|v| v.to_str().ok()).unwrap_or("{}");
        let marks = serde_json::from_str(marks).map_err(|e| format!("{path}: {e}"))?;
        let size =
            std::io::copy(&mut response.into_body().into_reader(), &mut file).map_err(|e| e.to_string())?;
        file.flush().map_err(|e| e.to_string())?;
        Ok((size, marks))
    }

    /// Brings a carried file to the node.
    pub(crate) fn import_line(&self, file: std::fs::File) -> Result<Value, String> {
        let request = self.agent.post(format!("{}/api/import-line", self.base));
        let request = request.header("authorization", &self.token);
        let request = request.config().timeout_recv_response(None).build();
        self.answer("/api/import-line", request.send(file))
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
