//! What every request needs: the store, the gate, the clock, the rules.

use crate::measures::Measures;
use crate::{Client, Gate, Problem, Store, StoreError};
use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use hotline_dss::{Answer, Command, Id, Machine};
use hotline_journal::JournalError;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The largest body of a request, bytes.
pub const MAX_BODY: usize = 768 << 10;

/// Which base URLs suppliers may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseUrls {
    /// `https` only.
    Secure,
    /// `http` too: for development.
    Any,
}

/// What this instance is called in its pool.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The name of the airspace representation that the pool shares.
    pub pool: String,
    /// This instance's name.
    pub instance: Arc<str>,
    /// Where it is reached, if that is said.
    pub endpoint: Option<Arc<str>>,
}

/// A discovery and synchronization service.
pub struct Dss {
    /// What is stored.
    pub store: Store,
    /// Who may ask.
    pub gate: Arc<Gate>,
    /// Which base URLs are accepted.
    pub base_urls: BaseUrls,
    /// What the instance is called.
    pub identity: Identity,
    /// What is counted.
    pub measures: Arc<Measures>,
    /// Where the time comes from.
    pub clock: crate::Clock,
}

impl Dss {
    /// Who asks; the token must have one of the scopes.
    pub(crate) fn client(&self, headers: &HeaderMap, scopes: &[&str]) -> Result<Arc<Client>, Problem> {
        self.gate.check(headers, scopes, ((self.clock)().micros() / 1_000_000).max(0) as u64)
    }

    /// Carries a command out for a client.
    pub(crate) async fn change(&self, client: &Client, command: Command) -> Result<Answer, Problem> {
        match self.store.submit(client.name.clone(), command).await {
            Ok(Answer::Refused(refusal)) => Err(refusal.into()),
            Ok(answer) => Ok(answer),
            Err(why) => Err(why.into()),
        }
    }

    /// The state, to be read.
    pub(crate) async fn read(&self) -> Result<impl std::ops::Deref<Target = Machine> + '_, Problem> {
        Ok(self.store.read().await?)
    }

    /// Whether a supplier may be reached there.
    pub(crate) fn base_url(&self, url: &str) -> Result<Arc<str>, Problem> {
        let parsed: Option<Uri> = url.parse().ok();
        let scheme = parsed.as_ref().filter(|u| u.host().is_some()).and_then(Uri::scheme_str);
        match (scheme, self.base_urls) {
            (Some("https"), _) | (Some("http"), BaseUrls::Any) => Ok(url.into()),
            (Some("http"), BaseUrls::Secure) => {
                Err(Problem::invalid(format!("base URL {url:?} must begin with https://")))
            }
            _ => Err(Problem::invalid(format!("{url:?} is no base URL, as https://uss.example.com"))),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(why: StoreError) -> Self {
        match &why {
            StoreError::Journal(e) => match **e {
                JournalError::Late => Self::late(why.to_string()),
                JournalError::DiskFull => Self::no_room(why.to_string()),
                JournalError::TooLarge { .. } => Self::too_large(why.to_string()),
                _ => Self::unavailable(why.to_string()),
            },
            StoreError::Stalled | StoreError::Closing | StoreError::Cluster(_) => {
                Self::unavailable(why.to_string())
            }
            StoreError::Unreadable(_) | StoreError::Untold => Self::failed(why.to_string()),
        }
    }
}

/// A body as JSON of a form.
///
/// # Errors
/// 400 with what is wrong with it.
pub fn body<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|e| Problem::invalid(format!("the body is not the JSON that this needs: {e}")))
}

/// An identifier: a UUID of version 4.
///
/// # Errors
/// 400 when it is none.
pub fn identifier(text: &str) -> Result<Id, Problem> {
    let canonical = text.len() == 36;
    let parsed = uuid::Uuid::try_parse(text)
        .ok()
        .filter(|u| canonical && u.get_version_num() == 4 && u.get_variant() == uuid::Variant::RFC4122);
    parsed.map(Id).ok_or_else(|| Problem::invalid(format!("{text:?} is no UUID of version 4")))
}
