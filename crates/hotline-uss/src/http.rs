//! Asking others: tokens from the party's authority, requests with them, and a record of each exchange.

use crate::logs::Logs;
use crate::wire::{Exchange, Time};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hotline_utm::Clock;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// How long one request may take.
pub const ASK_WITHIN: Duration = Duration::from_secs(10);
/// A token is taken anew when it would end within this, seconds.
const TOKEN_MARGIN: i64 = 60;
/// How long a token is used whose end cannot be read, seconds.
const TOKEN_UNREAD: i64 = 300;
/// The most tokens that are held; beyond it they are taken anew.
const MAX_TOKENS: usize = 10_000;
/// The longest answer that is read, bytes.
const MAX_ANSWER: u64 = 16 << 20;

/// Where tokens come from.
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// `GET url?grant_type=client_credentials&scope=…&intended_audience=…&issuer=…&sub=…`, as development servers do.
    Query {
        /// The token endpoint.
        url: String,
        /// The own name.
        sub: String,
    },
    /// OAuth 2.0 client credentials (RFC 6749, 4.4): a form with the client's identifier and secret, and the `audience`.
    ClientCredentials {
        /// The token endpoint.
        url: String,
        /// The client's identifier.
        id: String,
        /// The client's secret; never logged.
        secret: Secret,
    },
}

/// A secret, not shown.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// Why somebody else did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AskError {
    /// No token was to be had.
    #[error("no token from {url}: {why}")]
    Token {
        /// The token endpoint.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// There was no answer.
    #[error("{url} does not answer: {why}")]
    Silent {
        /// What was asked.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// It was refused.
    #[error("{url} answered {status}: {body}")]
    Refused {
        /// What was asked.
        url: String,
        /// With which status.
        status: u16,
        /// What was said.
        body: String,
    },
    /// The answer is not what the standard says.
    #[error("{url} answered what is not in the standard: {why}")]
    Unreadable {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The authority's certificate cannot be used.
    #[error("{path}: {why}")]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl AskError {
    /// The status of a refusal.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

#[derive(Deserialize)]
struct Ends {
    exp: i64,
}

type Held = HashMap<(String, &'static str), (i64, Arc<str>)>;

/// Asks others, as one supplier.
pub(crate) struct Http {
    agent: ureq::Agent,
    source: TokenSource,
    tokens: Mutex<Held>,
    logs: Arc<Logs>,
    clock: Clock,
}

impl Http {
    pub(crate) fn new(
        source: TokenSource,
        authority: Option<PathBuf>,
        logs: Arc<Logs>,
        clock: Clock,
    ) -> Result<Self, AskError> {
        let roots = match authority {
            None => RootCerts::PlatformVerifier,
            Some(path) => {
                let told = |why: String| AskError::Certificate { path: path.display().to_string(), why };
                let pem = std::fs::read(&path).map_err(|e| told(e.to_string()))?;
                let root = Certificate::from_pem(&pem).map_err(|e| told(e.to_string()))?;
                RootCerts::Specific(Arc::new(vec![root.to_owned()]))
            }
        };
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ASK_WITHIN))
            .max_redirects(0)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build()
            .into();
        Ok(Self { agent, source, tokens: Mutex::default(), logs, clock })
    }

    fn seconds(&self) -> i64 {
        (self.clock)().micros() / 1_000_000
    }

    fn token(&self, url: &str, scope: &'static str) -> Result<Arc<str>, AskError> {
        let audience = url.parse::<Uri>().ok().and_then(|u| u.host().map(str::to_owned)).unwrap_or_default();
        let (key, now) = ((audience.clone(), scope), self.seconds());
        let mut held = self.tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((ends, token)) = held.get(&key)
            && now + TOKEN_MARGIN < *ends
        {
            return Ok(token.clone());
        }
        if held.len() >= MAX_TOKENS {
            held.clear();
        }
        let token: Arc<str> = self.fetch_token(&audience, scope)?.into();
        let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let ends = claims.and_then(|c| serde_json::from_slice(&c).ok()).map(|Ends { exp }| exp);
        held.insert(key, (ends.unwrap_or(now + TOKEN_UNREAD + TOKEN_MARGIN), token.clone()));
        Ok(token)
    }

    fn fetch_token(&self, audience: &str, scope: &str) -> Result<String, AskError> {
        let (url, answered) = match &self.source {
            TokenSource::Query { url, sub } => {
                let asked = self.agent.get(url).query("grant_type", "client_credentials");
                let asked = asked.query("scope", scope).query("intended_audience", audience);
                (url, asked.query("issuer", "dummy").query("sub", sub).call())
            }
            TokenSource::ClientCredentials { url, id, secret } => {
                let form = [
                    ("grant_type", "client_credentials"),
                    ("client_id", id),
                    ("client_secret", &secret.0),
                    ("scope", scope),
                    ("audience", audience),
                ];
                (url, self.agent.post(url).send_form(form))
            }
        };
        let failed = |why: String| AskError::Token { url: url.clone(), why };
        let mut response = answered.map_err(|e| failed(e.to_string()))?;
        if !response.status().is_success() {
            return Err(failed(format!("status {}", response.status())));
        }
        let read: TokenAnswer = response.body_mut().read_json().map_err(|e| failed(e.to_string()))?;
        Ok(read.access_token)
    }

    /// Asks, with a token of one scope (or several, separated by spaces).
    pub(crate) fn ask(
        &self,
        method: &str,
        url: &str,
        scope: &'static str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), AskError> {
        let token = self.token(url, scope)?;
        let sent = body.map(Value::to_string);
        let begun = (self.clock)();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        let silent = |why: String| AskError::Silent { url: url.into(), why };
        let answered = match &sent {
            Some(text) => request.body(text.clone()).map(|r| self.agent.run(r)),
            None => request.body(()).map(|r| self.agent.run(r)),
        };
        let answered = answered.map_err(|e| silent(e.to_string()))?.and_then(|mut response| {
            let text = response.body_mut().with_config().limit(MAX_ANSWER).read_to_string()?;
            Ok((response.status().as_u16(), text))
        });
        let (code, text, problem) = match &answered {
            Ok((status, text)) => (i32::from(*status), text.as_str(), None),
            Err(e) => (0, "", Some(e.to_string())),
        };
        self.logs.exchange(Exchange {
            url: url.into(),
            method: method.into(),
            headers: vec![format!("Authorization: Bearer {}", without_signature(&token))],
            recorder_role: "Client".into(),
            request_source: self.logs.name().into(),
            request_time: Time::at(begun),
            request_body: STANDARD.encode(sent.unwrap_or_default()),
            response_time: answered.is_ok().then(|| Time::at((self.clock)())),
            response_body: STANDARD.encode(text),
            response_code: code,
            problem,
        });
        let (status, text) = answered.map_err(|e| silent(e.to_string()))?;
        if text.is_empty() {
            return Ok((status, Value::Null));
        }
        // What is no JSON is kept as text, for the message.
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Fetches a public file.
    pub(crate) fn fetch(&self, url: &str) -> Result<String, AskError> {
        let silent = |e: ureq::Error| AskError::Silent { url: url.into(), why: e.to_string() };
        let mut response = self.agent.get(url).call().map_err(silent)?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            return Err(AskError::Refused { url: url.into(), status, body: String::new() });
        }
        response.body_mut().with_config().limit(MAX_ANSWER).read_to_string().map_err(silent)
    }

    /// Asks for what must succeed.
    pub(crate) fn must<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        url: &str,
        scope: &'static str,
        body: Option<&Value>,
    ) -> Result<T, AskError> {
        let (status, answer) = self.ask(method, url, scope, body)?;
        if !(200..300).contains(&status) {
            return Err(AskError::Refused { url: url.into(), status, body: answer.to_string() });
        }
        serde_json::from_value(answer)
            .map_err(|e| AskError::Unreadable { url: url.into(), why: e.to_string() })
    }
}

/// A token without what makes it usable, for records.
pub(crate) fn without_signature(token: &str) -> String {
    token.rsplit_once('.').map_or_else(|| "(not a JWT)".into(), |(said, _)| format!("{said}.(left out)"))
}
