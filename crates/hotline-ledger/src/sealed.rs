//! Fields that can be withheld later: the signed statement carries only a salted hash, and what opens it travels
//! beside.
//!
//! The hash is SHA-256 over a purpose, the salt, the field's name and the value, each with its length. The salt has 16 bytes, so that a
//! short value cannot be guessed from the hash. Salts come from a secret by HMAC-SHA-256 over line, statement and field: nothing needs to be
//! drawn at random, and nobody without the secret can tell one from noise.

use crate::{LedgerError, LineName};
use hmac::{Hmac, Mac};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

/// The most openings beside one statement.
pub const MAX_OPENINGS: usize = 8;
/// The longest value of a field that can be withheld, bytes.
pub const MAX_SEALED: usize = 256;
const WHAT: &str = "the openings of a statement";

/// The salted hash of a field, in the signed statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Sealed(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

/// What opens a sealed field: beside the statement, not in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Opening {
    /// The field's name.
    #[n(0)]
    pub field: String,
    /// Sixteen bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// Its value.
    #[n(2)]
    pub value: String,
}

/// The secret from which salts are made.
#[derive(Clone)]
pub struct SaltSecret([u8; 32]);

impl std::fmt::Debug for SaltSecret {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SaltSecret")
    }
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is allowed");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl SaltSecret {
    /// The secret that belongs to a node key: made from it one way.
    pub fn of(key: &crate::SigningKey) -> Self {
        Self(hmac(&key.to_bytes(), &[b"hotline salts v1"]))
    }

    /// The opening of a field of statement `number`.
    pub fn opening(&self, line: &LineName, number: u64, field: &str, value: &str) -> Opening {
        let hash = hmac(&self.0, &[line.as_str().as_bytes(), &number.to_be_bytes(), field.as_bytes()]);
        let salt = hash[..16].try_into().expect("16 of 32 bytes");
        Opening { field: field.into(), salt, value: value.into() }
    }
}

impl Opening {
    /// The hash that the statement carries.
    pub fn seal(&self) -> Sealed {
        let mut hash = Sha256::new().chain_update(b"hotline field v1\n").chain_update(self.salt);
        for text in [&self.field, &self.value] {
            hash = hash.chain_update((text.len() as u64).to_be_bytes()).chain_update(text);
        }
        Sealed(hash.finalize().into())
    }
}

/// All openings beside one statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Openings(pub Vec<Opening>);

impl Openings {
    /// The value of a field, if it is opened here and the opening fits the hash in the statement.
    pub fn value(&self, field: &str, sealed: &Sealed) -> Option<&str> {
        let opening = self.0.iter().find(|o| o.field == field)?;
        (opening.seal() == *sealed).then_some(opening.value.as_str())
    }

    /// Its encoding; nothing for none.
    pub fn to_bytes(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        minicbor::to_vec(&self.0).expect("writing to memory")
    }

    /// Reads openings.
    ///
    /// # Errors
    /// When malformed or over a limit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LedgerError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let limit = MAX_OPENINGS * (MAX_SEALED + 64);
        if bytes.len() > limit {
            return Err(LedgerError::TooLarge { what: WHAT, size: bytes.len(), limit });
        }
        let read: Vec<Opening> = minicbor::decode(bytes).map_err(|e| LedgerError::malformed(WHAT, e))?;
        if read.is_empty() || read.len() > MAX_OPENINGS || read.iter().any(|o| o.value.len() > MAX_SEALED) {
            return Err(LedgerError::malformed(WHAT, "1 to 8 openings of at most 256 bytes are allowed"));
        }
        let read = Self(read);
        if read.to_bytes() != bytes { Err(LedgerError::NotCanonical(WHAT)) } else { Ok(read) }
    }

    /// The same without some fields.
    pub fn without(&self, fields: &[String]) -> Self {
        Self(self.0.iter().filter(|o| !fields.contains(&o.field)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// And no other value, whoever says so.
    #[test]
    fn an_opening_opens_only_its_own_field() {
        let secret = SaltSecret::of(&crate::SigningKey::from_bytes(&[1; 32]));
        let line = LineName::new("valley").unwrap();
        let opening = secret.opening(&line, 3, "callsign", "LIFT7");
        let sealed = opening.seal();
        let openings = Openings(vec![opening.clone()]);
        assert_eq!(openings.value("callsign", &sealed), Some("LIFT7"));
        assert_eq!(openings.value("purpose", &sealed), None);
        let other = secret.opening(&line, 4, "callsign", "LIFT7");
        assert_ne!(other.seal(), sealed, "every statement has its own salt");
        let forged = Openings(vec![Opening { value: "LIFT8".into(), ..opening }]);
        assert_eq!(forged.value("callsign", &sealed), None);
        assert_eq!(Openings::from_bytes(&openings.to_bytes()), Ok(openings.clone()));
        assert_eq!(openings.without(&["callsign".into()]), Openings::default());
        assert_eq!(Openings::from_bytes(&[]), Ok(Openings::default()));
        assert!(Openings::from_bytes(&[0x80]).is_err() && Openings::from_bytes(b"x").is_err());
    }
}
