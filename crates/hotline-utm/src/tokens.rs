//! Who may ask: bearer tokens (RFC 6750, RFC 7519) against configured public keys.

use crate::Problem;
use axum::http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// The longest token that is looked at, bytes.
const MAX_TOKEN: usize = 16 << 10;
/// How many checked tokens are remembered until they expire; beyond it all are forgotten and checked anew.
const MAX_REMEMBERED: usize = 20_000;

/// A key that tokens may be signed with.
#[derive(Clone)]
pub struct PublicKey {
    /// The key's name in a key set, if it came from one.
    pub(crate) id: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no public key that is known here.
    #[error("this is no RSA, P-256 or Ed25519 public key in PEM: {0}")]
    NotAKey(String),
}

impl PublicKey {
    /// A key in PEM: RSA (for RS256), P-256 (ES256) or Ed25519 (EdDSA).
    ///
    /// # Errors
    /// When it is none of these.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let found = |algorithm, key| Self { id: None, algorithm, key };
        // Another algorithm than the key's is never tried: a token cannot choose how it is checked.
        DecodingKey::from_rsa_pem(pem)
            .map(|key| found(Algorithm::RS256, key))
            .or_else(|_| DecodingKey::from_ec_pem(pem).map(|key| found(Algorithm::ES256, key)))
            .or_else(|_| DecodingKey::from_ed_pem(pem).map(|key| found(Algorithm::EdDSA, key)))
            .map_err(|e| KeyError::NotAKey(e.to_string()))
    }
}

/// Who asks, and what the token allows.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// The token's `sub`.
    pub name: Arc<str>,
    scopes: Vec<String>,
}

impl Client {
    /// Whether the token has a scope.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scopes {
    Text(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    scope: Option<Scopes>,
    exp: u64,
}

/// Checks tokens. Keys may be replaced while it works.
pub struct Gate {
    fixed: Vec<PublicKey>,
    fetched: RwLock<Vec<PublicKey>>,
    audiences: Vec<String>,
    issuer: Option<String>,
    remembered: RwLock<HashMap<String, (u64, Arc<Client>)>>,
}

impl Gate {
    /// Tokens must be signed by one of the keys, for one of the audiences and, if given, by the issuer.
    pub fn new(keys: Vec<PublicKey>, audiences: Vec<String>, issuer: Option<String>) -> Self {
        Self { fixed: keys, fetched: RwLock::default(), audiences, issuer, remembered: RwLock::default() }
    }

    /// Takes the keys of a key set in place of those before; tokens are checked anew.
    pub(crate) fn set_fetched(&self, keys: Vec<PublicKey>) {
        *self.fetched.write().unwrap_or_else(std::sync::PoisonError::into_inner) = keys;
        self.remembered.write().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }

    /// Who asks; the token must have at least one of the scopes.
    ///
    /// # Errors
    /// 401 without a token that is accepted at `now` (seconds since 1970), 403 without a scope.
    pub fn check(&self, headers: &HeaderMap, scopes: &[&str], now: u64) -> Result<Arc<Client>, Problem> {
        let client = self.authenticate(headers, now)?;
        if scopes.iter().any(|scope| client.has(scope)) {
            return Ok(client);
        }
        Err(Problem::forbidden(format!(
            "the token has none of the scopes that this needs: {}",
            scopes.join(", ")
        )))
    }

    /// Who asks, whatever the token allows.
    ///
    /// # Errors
    /// 401 without a token that is accepted at `now` (seconds since 1970).
    pub fn authenticate(&self, headers: &HeaderMap, now: u64) -> Result<Arc<Client>, Problem> {
        let missing = || Problem::unauthenticated("an Authorization header `Bearer <token>` is needed");
        let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(missing)?;
        let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(missing());
        }
        if token.len() > MAX_TOKEN {
            return Err(Problem::unauthenticated(format!("the token is longer than {MAX_TOKEN} bytes")));
        }
        let remembered = self.remembered.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((until, client)) = remembered.get(token)
            && now < *until
        {
            return Ok(client.clone());
        }
        drop(remembered);
        let (until, client) = self.verify(token, now)?;
        let mut remembered = self.remembered.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(token.to_owned(), (until, client.clone()));
        Ok(client)
    }

    fn verify(&self, token: &str, now: u64) -> Result<(u64, Arc<Client>), Problem> {
        let refused = |why: String| Problem::unauthenticated(format!("the token is not accepted: {why}"));
        let header = jsonwebtoken::decode_header(token).map_err(|e| refused(e.to_string()))?;
        let fetched = self.fetched.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let mut last = format!("no configured key signs with {:?}", header.alg);
        for key in self.fixed.iter().chain(&fetched) {
            let named_otherwise = key.id.is_some() && header.kid.is_some() && key.id != header.kid;
            if key.algorithm != header.alg || named_otherwise {
                continue;
            }
            let mut validation = Validation::new(key.algorithm);
            validation.leeway = 0;
            validation.validate_nbf = true;
            validation.set_audience(&self.audiences);
            validation.set_required_spec_claims(&["exp", "aud", "sub"]);
            if let Some(issuer) = &self.issuer {
                validation.set_issuer(&[issuer]);
            }
            match jsonwebtoken::decode::<Claims>(token, &key.key, &validation) {
                Ok(data) => return client_of(data.claims, now).map_err(|why| refused(why.into())),
                Err(e) => last = e.to_string(),
            }
        }
        Err(refused(last))
    }
}

fn client_of(claims: Claims, now: u64) -> Result<(u64, Arc<Client>), &'static str> {
    let scopes: Vec<String> = match claims.scope {
        Some(Scopes::Text(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Scopes::List(list)) => list,
        None => Vec::new(),
    };
    if scopes.iter().all(String::is_empty) {
        return Err("it has no scope");
    }
    if claims.sub.is_empty() {
        return Err("its sub is empty");
    }
    if claims.exp <= now {
        return Err("it has expired");
    }
    Ok((claims.exp, Arc::new(Client { name: claims.sub.into(), scopes })))
}
