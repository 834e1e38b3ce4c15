//! A root key's word that a key speaks for the party no longer.

use crate::{KeyId, LedgerError, PartyName, SigningKey, VerifyingKey, cose};
use minicbor::{Decoder, Encoder};

const WHAT: &str = "a hotline revocation v1";
const MAX_BYTES: usize = 512;
const MAX_REASON: usize = 120;

/// A key is revoked: from the statement that says so on, nothing signed by it counts. It is signed by the root key,
/// so that whoever has stolen a node key can revoke nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The party.
    pub party: PartyName,
    /// The revoked key.
    pub key: KeyId,
    /// Why, at most 120 bytes.
    pub reason: String,
}

impl Revocation {
    fn to_cbor(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::new());
        out.array(3)
            .and_then(|e| e.str(self.party.as_str()))
            .and_then(|e| e.bytes(self.key.as_bytes()))
            .and_then(|e| e.str(&self.reason))
            .expect("writing to memory");
        out.into_writer()
    }

    /// Signs it with the party's root key.
    ///
    /// # Errors
    /// When the reason is too long.
    pub fn sign(&self, root: &SigningKey) -> Result<Vec<u8>, LedgerError> {
        if self.reason.len() > MAX_REASON {
            return Err(LedgerError::TooLarge {
                what: "a revocation's reason",
                size: self.reason.len(),
                limit: MAX_REASON,
            });
        }
        Ok(cose::sign(root, WHAT, self.to_cbor()))
    }

    /// Reads a revocation and checks that `root` signed it for `party`.
    ///
    /// # Errors
    /// When malformed, too large, for another party, or not signed by that root key.
    pub fn open(bytes: &[u8], party: &PartyName, root: &VerifyingKey) -> Result<Self, LedgerError> {
        if bytes.len() > MAX_BYTES {
            return Err(LedgerError::TooLarge { what: WHAT, size: bytes.len(), limit: MAX_BYTES });
        }
        let (payload, _) = cose::open(bytes, WHAT, |id, _| (id == KeyId::of(root)).then_some(*root))?;
        let bad = |e: minicbor::decode::Error| LedgerError::malformed(WHAT, e);
        let mut d = Decoder::new(&payload);
        let length = d.array().map_err(bad)?;
        let (said, key, reason) =
            (d.str().map_err(bad)?, d.bytes().map_err(bad)?, d.str().map_err(bad)?.to_owned());
        let key = key.try_into().map_err(|_| LedgerError::malformed(WHAT, "a key identifier has 8 bytes"))?;
        let revocation = Self { party: PartyName::new(said)?, key: KeyId::from_bytes(key), reason };
        if length != Some(3) || revocation.to_cbor() != payload || revocation.reason.len() > MAX_REASON {
            return Err(LedgerError::NotCanonical(WHAT));
        }
        if revocation.party != *party {
            let why = format!("it is for party {}, not {party}", revocation.party);
            return Err(LedgerError::malformed(WHAT, why));
        }
        Ok(revocation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_root_key_revokes() {
        let (root, node) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let party = PartyName::new("blue").unwrap();
        let key = KeyId::of(&node.verifying_key());
        let said = Revocation { party: party.clone(), key, reason: "lost".into() };
        let signed = said.sign(&root).unwrap();
        assert_eq!(Revocation::open(&signed, &party, &root.verifying_key()), Ok(said.clone()));
        let by_node = said.sign(&node).unwrap();
        assert!(Revocation::open(&by_node, &party, &root.verifying_key()).is_err());
        let green = PartyName::new("green").unwrap();
        assert!(Revocation::open(&signed, &green, &root.verifying_key()).is_err());
        assert!(Revocation { reason: "x".repeat(200), ..said }.sign(&root).is_err());
    }
}
