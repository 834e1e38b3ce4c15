//! Whose signatures count.

use crate::LineError;
use ed25519_dalek::{SigningKey, VerifyingKey};
use hotline_ledger::{Certificate, KeyId, PartyName, Role, SignedCertificate};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// The own party's keys: a node key, and the keys of the officers on this node.
#[derive(Clone)]
pub struct OwnKeys {
    /// What the peers know of this party.
    pub known: PeerKeys,
    /// Signs statements, checkpoints and receipts.
    pub node: SigningKey,
    /// Sign acknowledgements.
    pub officers: Vec<SigningKey>,
}

impl fmt::Debug for OwnKeys {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKeys").field("known", &self.known).finish_non_exhaustive()
    }
}

/// The keys that speak for a party.
#[derive(Debug, Clone)]
pub struct PeerKeys {
    party: PartyName,
    root: VerifyingKey,
    certificates: BTreeMap<KeyId, SignedCertificate>,
}

/// The most certificates that are kept of one party.
const MAX_CERTIFICATES: usize = 256;

impl PeerKeys {
    /// A party with its root key, and no certified keys yet.
    pub fn new(party: PartyName, root: VerifyingKey) -> Self {
        Self { party, root, certificates: BTreeMap::new() }
    }

    /// Takes in a certificate by the root key.
    ///
    /// # Errors
    /// When it is not by this party's root key, or too many are known already.
    pub fn certify(&mut self, bytes: &[u8]) -> Result<(), LineError> {
        let certificate = SignedCertificate::open(bytes, &self.party, &self.root)?;
        if self.certificates.len() >= MAX_CERTIFICATES
            && !self.certificates.contains_key(&certificate.key_id())
        {
            let value = self.certificates.len().to_string();
            return Err(LineError::OutOfRange {
                what: "certificates",
                value,
                allowed: "256 of a party are kept",
            });
        }
        self.certificates.insert(certificate.key_id(), certificate);
        Ok(())
    }

    /// The party.
    pub fn party(&self) -> &PartyName {
        &self.party
    }

    /// Its root key.
    pub fn root(&self) -> &VerifyingKey {
        &self.root
    }

    /// Its certificates.
    pub fn certificates(&self) -> impl Iterator<Item = &SignedCertificate> {
        self.certificates.values()
    }

    /// The certificate of a key that may act in a role at an instant.
    pub fn find(&self, role: Role, id: KeyId, at: Timestamp) -> Option<&Certificate> {
        let certificate = self.certificates.get(&id)?.certificate();
        (certificate.role == role && certificate.valid_at(at)).then_some(certificate)
    }

    /// The keys of its nodes.
    pub fn node_keys(&self) -> impl Iterator<Item = VerifyingKey> {
        self.certificates()
            .map(SignedCertificate::certificate)
            .filter(|c| c.role == Role::Node)
            .map(|c| c.key)
    }
}
