//! COSE_Sign1 with EdDSA, in one encoding only.

use crate::LedgerError;
use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable, iana};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;

/// The first eight bytes of a key's SHA-256, by which signatures name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// The identifier of a key.
    pub fn of(key: &VerifyingKey) -> Self {
        let hash = Sha256::digest(key.as_bytes());
        Self(hash[..8].try_into().expect("a SHA-256 has 32 bytes"))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Signs a payload. `what` becomes part of what is signed, so that a signature made for one purpose cannot be
/// used for another.
pub fn sign(key: &SigningKey, what: &'static str, payload: Vec<u8>) -> Vec<u8> {
    let id = KeyId::of(&key.verifying_key());
    let header = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(id.0.to_vec()).build();
    CoseSign1Builder::new()
        .protected(header)
        .payload(payload)
        .create_signature(what.as_bytes(), |message| key.sign(message).to_bytes().to_vec())
        .build()
        .to_tagged_vec()
        .expect("a message of our own making encodes")
}

/// Reads a message of the one allowed encoding; the signature is not yet checked.
fn read(bytes: &[u8], what: &'static str) -> Result<(CoseSign1, KeyId), LedgerError> {
    let message = CoseSign1::from_tagged_slice(bytes).map_err(|e| LedgerError::malformed(what, e))?;
    let header = &message.protected.header;
    let id: [u8; 8] = header
        .key_id
        .as_slice()
        .try_into()
        .map_err(|_| LedgerError::malformed(what, "its key identifier must have 8 bytes"))?;
    let plain = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(id.to_vec()).build();
    let canonical = message.clone().to_tagged_vec().is_ok_and(|again| again == bytes)
        && message.protected.original_data.as_deref() == plain.clone().to_vec().ok().as_deref();
    if *header != plain || !message.unprotected.is_empty() || !canonical {
        return Err(LedgerError::NotCanonical(what));
    }
    if message.payload.is_none() {
        return Err(LedgerError::malformed(what, "it has no payload"));
    }
    Ok((message, KeyId(id)))
}

/// Payload and key of a message that this node checked before it stored it; the signature is not checked again.
pub(crate) fn parse(bytes: &[u8], what: &'static str) -> Result<(Vec<u8>, KeyId), LedgerError> {
    let (message, id) = read(bytes, what)?;
    Ok((message.payload.expect("seen by read"), id))
}

/// Checks a signed payload and gives the payload and the key's identifier. The key is found by the caller, who
/// sees the payload too (not yet trusted), since which keys are valid may depend on it.
///
/// # Errors
/// When malformed, not in its one allowed encoding, signed by a key that the caller does not name, or wrongly.
pub fn open(
    bytes: &[u8],
    what: &'static str,
    find_key: impl FnOnce(KeyId, &[u8]) -> Option<VerifyingKey>,
) -> Result<(Vec<u8>, KeyId), LedgerError> {
    let (message, id) = read(bytes, what)?;
    let payload = message.payload.as_deref().expect("seen by read");
    let key = find_key(id, payload).ok_or(LedgerError::UnknownKey { what, key: id.to_string() })?;
    message.verify_signature(what.as_bytes(), |signature, data| {
        let signature = Signature::from_slice(signature).map_err(|_| LedgerError::Signature(what))?;
        key.verify_strict(data, &signature).map_err(|_| LedgerError::Signature(what))
    })?;
    Ok((message.payload.expect("seen by read"), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_found() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let signed = sign(&key, "a test", b"payload".to_vec());
        let find = |id, _: &[u8]| (id == KeyId::of(&key.verifying_key())).then(|| key.verifying_key());
        assert_eq!(open(&signed, "a test", find).unwrap().0, b"payload");
        assert!(open(&signed, "another use", find).is_err());
        for at in 0..signed.len() * 8 {
            let mut bent = signed.clone();
            bent[at / 8] ^= 1 << (at % 8);
            assert!(open(&bent, "a test", find).is_err(), "bit {at}");
        }
        let mut longer = signed.clone();
        longer.push(0);
        assert!(open(&longer, "a test", find).is_err());
    }
}
