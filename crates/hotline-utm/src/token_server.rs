//! Tokens for development and tests: whoever asks gets one. Never for real use.

use crate::Problem;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const BITS: usize = 2048;
const LIFETIME: i64 = 3600;

/// Signs tokens with a key of its own.
pub struct TokenServer {
    key: RsaPrivateKey,
    signing: EncodingKey,
    clock: crate::Clock,
}

#[derive(Deserialize)]
struct Asked {
    intended_audience: Option<String>,
    scope: Option<String>,
    issuer: Option<String>,
    expire: Option<i64>,
    sub: Option<String>,
}

impl TokenServer {
    /// With a new key. Takes up to some seconds.
    ///
    /// # Errors
    /// When no random numbers are to be had.
    pub fn new(clock: crate::Clock) -> Result<Self, String> {
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, BITS).map_err(|e| e.to_string())?;
        Self::with_key(key, clock)
    }

    /// With a key in PEM (PKCS #8).
    ///
    /// # Errors
    /// When it is none.
    pub fn from_pem(pem: &str, clock: crate::Clock) -> Result<Self, String> {
        Self::with_key(RsaPrivateKey::from_pkcs8_pem(pem).map_err(|e| e.to_string())?, clock)
    }

    fn with_key(key: RsaPrivateKey, clock: crate::Clock) -> Result<Self, String> {
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|e| e.to_string())?;
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|e| e.to_string())?;
        Ok(Self { key, signing, clock })
    }

    /// The key that checks the tokens, in PEM.
    ///
    /// # Errors
    /// When the key cannot be written.
    pub fn public_key(&self) -> Result<String, String> {
        RsaPublicKey::from(&self.key).to_public_key_pem(LineEnding::LF).map_err(|e| e.to_string())
    }

    /// The key that signs the tokens, in PEM.
    ///
    /// # Errors
    /// When the key cannot be written.
    pub fn private_key(&self) -> Result<String, String> {
        self.key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(|e| e.to_string())
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(&self, claims: &Value) -> Result<String, String> {
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &self.signing).map_err(|e| e.to_string())
    }

    /// The router of `GET /token`.
    pub fn service(self) -> Router {
        Router::new().route("/token", get(issue)).with_state(Arc::new(self))
    }
}

async fn issue(
    State(server): State<Arc<TokenServer>>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(asked) = query.map_err(|e| Problem::invalid(e.body_text()))?;
    let needed = |name: &str, value: Option<String>| {
        value
            .filter(|v| !v.is_empty())
            .ok_or_else(|| Problem::invalid(format!("the parameter {name} is needed")))
    };
    let now = (server.clock)().micros() / 1_000_000;
    let claims = json!({
        "aud": needed("intended_audience", asked.intended_audience)?,
        "scope": needed("scope", asked.scope)?,
        "iss": asked.issuer.unwrap_or_else(|| "hotline-dev".into()),
        "exp": asked.expire.unwrap_or(now + LIFETIME),
        "sub": needed("sub", asked.sub)?,
        "jti": uuid_of_now()?,
    });
    let token = server.token(&claims).map_err(Problem::failed)?;
    Ok(Json(json!({ "access_token": token })))
}

fn uuid_of_now() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| Problem::failed(format!("no random numbers: {e}")))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
