//! Public keys from a key set (RFC 7517) at a URL, kept fresh in the background.

use crate::tokens::{Gate, PublicKey};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};
use std::sync::Weak;
use std::time::Duration;

/// How often the key set is fetched.
pub const JWKS_REFRESH: Duration = Duration::from_secs(60);
const FETCH_WITHIN: Duration = Duration::from_secs(10);
const MAX_KEY_SET: u64 = 1 << 20;
const MAX_KEYS: usize = 100;

/// Why a key set could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// It did not come.
    #[error("the key set at {url} could not be fetched: {why}")]
    Fetch {
        /// Where it was asked for.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// It holds no key that is known here.
    #[error("the key set at {0} has no RSA, P-256 or Ed25519 key")]
    NoKey(String),
}

fn fetch(url: &str) -> Result<Vec<PublicKey>, JwksError> {
    let failed = |why: String| JwksError::Fetch { url: url.into(), why };
    // The certificates that this machine trusts, a private authority's among them.
    let trusted = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().tls_config(trusted).timeout_global(Some(FETCH_WITHIN)).build().into();
    let mut response = agent.get(url).call().map_err(|e| failed(e.to_string()))?;
    let set: JwkSet = response
        .body_mut()
        .with_config()
        .limit(MAX_KEY_SET)
        .read_json()
        .map_err(|e| failed(e.to_string()))?;
    let keys: Vec<PublicKey> = set.keys.iter().take(MAX_KEYS).filter_map(usable).collect();
    if keys.is_empty() { Err(JwksError::NoKey(url.into())) } else { Ok(keys) }
}

fn usable(jwk: &jsonwebtoken::jwk::Jwk) -> Option<PublicKey> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(PublicKey { id: jwk.common.key_id.clone(), algorithm, key })
}

/// Fetches the key set now and then every [`JWKS_REFRESH`], until the gate is gone. While its server is away the keys that are
/// known go on being accepted.
///
/// # Errors
/// When the first fetch fails; the later ones are logged, and tried again.
pub fn keep_fresh(gate: Weak<Gate>, url: String) -> Result<(), JwksError> {
    let first = fetch(&url);
    let outcome =
        first.map(|keys| gate.upgrade().into_iter().for_each(|gate| gate.set_fetched(keys.clone())));
    let refresh = move || {
        loop {
            std::thread::sleep(JWKS_REFRESH);
            let fetched = fetch(&url);
            let Some(gate) = gate.upgrade() else { return };
            match fetched {
                Ok(keys) => gate.set_fetched(keys),
                Err(why) => tracing::warn!("{why}; the keys known so far stay in use"),
            }
        }
    };
    std::thread::Builder::new().name("jwks".into()).spawn(refresh).expect("a thread can be started");
    outcome
}
