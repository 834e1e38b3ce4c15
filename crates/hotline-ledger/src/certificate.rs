//! Who may speak for a party: its root key certifies node keys and officer keys.

use crate::{KeyId, LedgerError, PartyName, SigningKey, VerifyingKey, cose};
use jiff::Timestamp;
use minicbor::{Decoder, Encoder};

/// What a certified key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Signs the party's statements and checkpoints, and speaks for it on the network.
    Node,
    /// A person on watch: signs acknowledgements, messages, answers.
    Officer,
    /// A person who may also sign what has weight: suspension, votes, the end of a case.
    Supervisor,
}

impl Role {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Officer => "officer",
            Self::Supervisor => "supervisor",
        }
    }

    /// Whether it is a person's.
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Officer | Self::Supervisor)
    }

    const fn number(self) -> u8 {
        match self {
            Self::Node => 1,
            Self::Officer => 2,
            Self::Supervisor => 3,
        }
    }
}

/// A root key's word that a key speaks for the party in a role, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The party.
    pub party: PartyName,
    /// What the key may do.
    pub role: Role,
    /// Who holds it, by a designation such as "node" or "officer-2", 1 to 64 bytes. A person's name is not in the
    /// certificate: it can be withheld from an inspector.
    pub holder: String,
    /// The key.
    pub key: VerifyingKey,
    /// First instant of validity, to the second.
    pub not_before: Timestamp,
    /// Last instant of validity, to the second.
    pub not_after: Timestamp,
}

const WHAT: &str = "a hotline certificate v1";
const MAX_BYTES: usize = 512;
const MAX_HOLDER: usize = 64;

impl Certificate {
    fn to_cbor(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::new());
        out.array(6)
            .and_then(|e| e.str(self.party.as_str()))
            .and_then(|e| e.u8(self.role.number()))
            .and_then(|e| e.str(&self.holder))
            .and_then(|e| e.bytes(self.key.as_bytes()))
            .and_then(|e| e.i64(self.not_before.as_second()))
            .and_then(|e| e.i64(self.not_after.as_second()))
            .expect("writing to memory");
        out.into_writer()
    }

    fn from_cbor(bytes: &[u8]) -> Result<Self, LedgerError> {
        let bad = |why: String| LedgerError::malformed(WHAT, why);
        let mut d = Decoder::new(bytes);
        let mut read = || -> Result<_, minicbor::decode::Error> {
            Ok((d.array()?, d.str()?, d.u8()?, d.str()?, d.bytes()?, d.i64()?, d.i64()?))
        };
        let (length, party, role, holder, key, from, to) = read().map_err(|e| bad(e.to_string()))?;
        if length != Some(6) {
            return Err(bad("6 fields are expected".into()));
        }
        let known = [Role::Node, Role::Officer, Role::Supervisor].into_iter().find(|r| r.number() == role);
        let role = known
            .ok_or_else(|| bad(format!("role {role} is none of 1 (node), 2 (officer), 3 (supervisor)")))?;
        if holder.is_empty() || holder.len() > MAX_HOLDER {
            return Err(bad(format!("the holder's name must have 1 to {MAX_HOLDER} bytes")));
        }
        let key = key.try_into().map_err(|_| bad("a key has 32 bytes".into()))?;
        let instant = |s: i64| Timestamp::from_second(s).map_err(|e| bad(e.to_string()));
        let certificate = Self {
            party: PartyName::new(party)?,
            role,
            holder: holder.to_owned(),
            key: VerifyingKey::from_bytes(key)
                .map_err(|_| bad("the key is not a point of the curve".into()))?,
            not_before: instant(from)?,
            not_after: instant(to)?,
        };
        if certificate.to_cbor() != bytes {
            return Err(LedgerError::NotCanonical(WHAT));
        }
        Ok(certificate)
    }

    /// Signs the certificate with the party's root key.
    pub fn sign(self, root: &SigningKey) -> SignedCertificate {
        let bytes = cose::sign(root, WHAT, self.to_cbor());
        SignedCertificate { bytes, certificate: self }
    }

    /// Whether it is valid at an instant.
    pub fn valid_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }
}

/// A certificate whose signature by a root key has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCertificate {
    bytes: Vec<u8>,
    certificate: Certificate,
}

impl SignedCertificate {
    /// Reads a certificate and checks that `root` signed it for `party`.
    ///
    /// # Errors
    /// When malformed, too large, for another party, or not signed by that root key.
    pub fn open(bytes: &[u8], party: &PartyName, root: &VerifyingKey) -> Result<Self, LedgerError> {
        if bytes.len() > MAX_BYTES {
            return Err(LedgerError::TooLarge { what: WHAT, size: bytes.len(), limit: MAX_BYTES });
        }
        let (payload, _) = cose::open(bytes, WHAT, |id, _| (id == KeyId::of(root)).then_some(*root))?;
        let certificate = Certificate::from_cbor(&payload)?;
        if certificate.party != *party {
            let why = format!("it is for party {}, not {party}", certificate.party);
            return Err(LedgerError::malformed(WHAT, why));
        }
        Ok(Self { bytes: bytes.to_vec(), certificate })
    }

    /// Its content.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its encoding.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The identifier of the certified key.
    pub fn key_id(&self) -> KeyId {
        KeyId::of(&self.certificate.key)
    }
}
