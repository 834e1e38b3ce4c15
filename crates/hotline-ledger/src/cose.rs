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

impl KeyId {
    /// The identifier of these eight bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its eight bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl<C> minicbor::Encode<C> for KeyId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for KeyId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?.try_into();
        bytes.map(Self).map_err(|_| minicbor::decode::Error::message("a key identifier has 8 bytes"))
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

/// A signed payload in its one encoding, whose signature is not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    /// The payload.
    pub payload: Vec<u8>,
    /// The key that it names.
    pub key: KeyId,
    what: &'static str,
    signed: Vec<u8>,
    signature: Signature,
}

impl Unchecked {
    /// Reads a signed payload for one purpose.
    ///
    /// # Errors
    /// When malformed or not in its one allowed encoding.
    pub fn read(bytes: &[u8], what: &'static str) -> Result<Self, LedgerError> {
        let (message, key) = read(bytes, what)?;
        let signed = message.tbs_data(what.as_bytes());
        let signature =
            Signature::from_slice(&message.signature).map_err(|_| LedgerError::Signature(what))?;
        Ok(Self { payload: message.payload.expect("seen by read"), key, what, signed, signature })
    }

    /// Checks the signature, strictly: no malleable signatures, no weak keys.
    ///
    /// # Errors
    /// [`LedgerError::Signature`].
    pub fn check(&self, key: &VerifyingKey) -> Result<(), LedgerError> {
        key.verify_strict(&self.signed, &self.signature).map_err(|_| LedgerError::Signature(self.what))
    }
}

/// Checks many signatures at once, in a little more than half the time that one after the other takes. It says only whether all of
/// them are good. A key's holder can make a signature that passes here and not alone; nobody else can, so that it is
/// the holder's word all the same.
pub fn check_all(signed: &[Unchecked], keys: &[VerifyingKey]) -> bool {
    let messages: Vec<&[u8]> = signed.iter().map(|u| u.signed.as_slice()).collect();
    let signatures: Vec<Signature> = signed.iter().map(|u| u.signature).collect();
    keys.iter().all(|key| !key.is_weak()) && ed25519_dalek::verify_batch(&messages, &signatures, keys).is_ok()
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
    let read = Unchecked::read(bytes, what)?;
    let key = find_key(read.key, &read.payload)
        .ok_or_else(|| LedgerError::UnknownKey { what, key: read.key.to_string() })?;
    read.check(&key)?;
    Ok((read.payload, read.key))
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
