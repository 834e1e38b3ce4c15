//! What one party hands to another before they can speak: by any way, since the words read over the phone show
//! that it is genuine.

use crate::NodeError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hotline_ledger::{Fingerprint, KeyRing, PartyName, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::Path;

/// The largest introduction that is read, bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A party's introduction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Introduction {
    /// The party.
    pub party: String,
    /// Its root key, base64.
    pub root: String,
    /// Where its node is reached.
    pub address: SocketAddr,
    /// Certificates by the root key, base64.
    pub certificates: Vec<String>,
}

impl Introduction {
    /// The introduction of a party with these keys.
    pub fn new(keys: &KeyRing, address: SocketAddr) -> Self {
        Self {
            party: keys.party().to_string(),
            root: STANDARD.encode(keys.root().as_bytes()),
            address,
            certificates: keys.certificates().map(|(c, _)| STANDARD.encode(c.bytes())).collect(),
        }
    }

    /// Takes in a further certificate.
    pub(crate) fn add(&mut self, certificate: &[u8]) {
        self.certificates.push(STANDARD.encode(certificate));
    }

    /// Reads an introduction from TOML and checks that its root key signed its certificates.
    ///
    /// # Errors
    /// With what is wrong and where.
    pub fn read(text: &str, path: &Path) -> Result<(Self, KeyRing), NodeError> {
        if text.len() > MAX_BYTES {
            return Err(NodeError::content(path, "an introduction has at most 65536 bytes"));
        }
        let introduction: Self = toml::from_str(text).map_err(|e| NodeError::content(path, e))?;
        let keys = introduction.keys().map_err(|why| NodeError::content(path, why))?;
        Ok((introduction, keys))
    }

    /// Its keys, checked.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn keys(&self) -> Result<KeyRing, String> {
        let party = PartyName::new(&self.party).map_err(|e| e.to_string())?;
        let root: [u8; 32] = STANDARD
            .decode(&self.root)
            .map_err(|e| format!("root: {e}"))?
            .try_into()
            .map_err(|_| "root: a key has 32 bytes")?;
        let root = VerifyingKey::from_bytes(&root).map_err(|_| "root: not a point of the curve")?;
        let mut keys = KeyRing::new(party, root);
        for (i, text) in self.certificates.iter().enumerate() {
            let bytes = STANDARD.decode(text).map_err(|e| format!("certificate {}: {e}", i + 1))?;
            keys.introduce(&bytes).map_err(|e| format!("certificate {}: {e}", i + 1))?;
        }
        if keys.node_keys().next().is_none() {
            return Err("it has no certificate for a node key".into());
        }
        Ok(keys)
    }

    /// The introduction as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("an introduction is plain data")
    }

    /// The fingerprint of its root key.
    ///
    /// # Errors
    /// When its keys are not valid.
    pub fn fingerprint(&self) -> Result<Fingerprint, String> {
        Ok(Fingerprint::of(self.keys()?.root()))
    }
}
