//! Whose signatures count, from which statement of a party's ledger on, and up to which.

use crate::{Certificate, KeyId, LedgerError, PartyName, Revocation, Role, SignedCertificate, VerifyingKey};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The most certificates that are kept of one party.
pub const MAX_CERTIFICATES: usize = 1_024;

/// A certificate and from where to where in the party's ledger it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    certificate: SignedCertificate,
    /// It counts for statements after this one; nothing when it came with the introduction.
    certified: Option<u64>,
    /// The statement that revoked it, and its time.
    revoked: Option<(u64, Timestamp)>,
    /// The signed revocation.
    revocation: Vec<u8>,
}

/// The keys that speak for a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRing {
    party: PartyName,
    root: VerifyingKey,
    held: BTreeMap<KeyId, Held>,
}

impl KeyRing {
    /// A party with its root key, and no certified keys yet.
    pub fn new(party: PartyName, root: VerifyingKey) -> Self {
        Self { party, root, held: BTreeMap::new() }
    }

    /// Takes in a certificate that came with the party's introduction: it counts for the whole ledger.
    ///
    /// # Errors
    /// When it is not by this party's root key, or too many are known already.
    pub fn introduce(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        self.take(bytes, None)
    }

    /// Takes in a certificate that statement `number` of the party's ledger carries: it counts after it.
    ///
    /// # Errors
    /// When it is not by this party's root key, or too many are known already.
    pub fn certify(&mut self, bytes: &[u8], number: u64) -> Result<(), LedgerError> {
        self.take(bytes, Some(number))
    }

    fn take(&mut self, bytes: &[u8], certified: Option<u64>) -> Result<(), LedgerError> {
        let certificate = SignedCertificate::open(bytes, &self.party, &self.root)?;
        let id = certificate.key_id();
        if self.held.len() >= MAX_CERTIFICATES && !self.held.contains_key(&id) {
            return Err(LedgerError::TooLarge {
                what: "a party's list of certified keys",
                size: self.held.len() + 1,
                limit: MAX_CERTIFICATES,
            });
        }
        match self.held.get_mut(&id) {
            // Said again, as a new ledger's first statements do: what was known stays, a longer validity is taken.
            Some(held) => {
                if certificate.certificate().not_after > held.certificate.certificate().not_after {
                    held.certificate = certificate;
                }
            }
            None => {
                let held = Held { certificate, certified, revoked: None, revocation: Vec::new() };
                self.held.insert(id, held);
            }
        }
        Ok(())
    }

    /// Takes in a revocation that statement `number` of the party's ledger carries, said at `time`: from that
    /// statement on nothing by the key counts. Gives the key.
    ///
    /// # Errors
    /// When it is not by this party's root key.
    pub fn revoke(&mut self, bytes: &[u8], number: u64, time: Timestamp) -> Result<KeyId, LedgerError> {
        let revocation = Revocation::open(bytes, &self.party, &self.root)?;
        if let Some(held) = self.held.get_mut(&revocation.key)
            && held.revoked.is_none()
        {
            held.revoked = Some((number, time));
            held.revocation = bytes.to_vec();
        }
        Ok(revocation.key)
    }

    /// The party.
    pub fn party(&self) -> &PartyName {
        &self.party
    }

    /// Its root key.
    pub fn root(&self) -> &VerifyingKey {
        &self.root
    }

    /// Its certificates, each with the statement that revoked it, if one did.
    pub fn certificates(&self) -> impl Iterator<Item = (&SignedCertificate, Option<u64>)> {
        self.held.values().map(|h| (&h.certificate, h.revoked.map(|(number, _)| number)))
    }

    /// For a snapshot: each certificate, the statement that carried it, and the revocation with its place and time.
    #[allow(clippy::type_complexity)]
    pub fn parts(
        &self,
    ) -> impl Iterator<Item = (&SignedCertificate, Option<u64>, Option<(&[u8], u64, Timestamp)>)> {
        self.held.values().map(|h| {
            let revoked = h.revoked.map(|(number, time)| (h.revocation.as_slice(), number, time));
            (&h.certificate, h.certified, revoked)
        })
    }

    fn counting(&self, id: KeyId, at: Timestamp, number: u64) -> Option<&Certificate> {
        let held = self.held.get(&id)?;
        let after = held.certified.is_none_or(|certified| number > certified);
        let before = held.revoked.is_none_or(|(revoked, _)| number < revoked);
        let certificate = held.certificate.certificate();
        (after && before && certificate.valid_at(at)).then_some(certificate)
    }

    /// The certificate of the node key that may sign statement `number`, said at `at`.
    pub fn node(&self, id: KeyId, at: Timestamp, number: u64) -> Option<&Certificate> {
        self.counting(id, at, number).filter(|c| c.role == Role::Node)
    }

    /// The certificate of the person whose signature, made at `at`, statement `number` carries.
    pub fn person(&self, id: KeyId, at: Timestamp, number: u64) -> Option<&Certificate> {
        self.counting(id, at, number).filter(|c| c.role.is_person())
    }

    /// The node keys that may sign a head over `size` statements.
    pub fn head_keys(&self, size: u64) -> impl Iterator<Item = VerifyingKey> {
        self.nodes()
            .filter(move |h| {
                h.revoked.is_none_or(|(revoked, _)| size <= revoked)
                    && h.certified.is_none_or(|certified| size > certified)
            })
            .map(|h| h.certificate.certificate().key)
    }

    /// The node keys whose receipts, given at `at`, count.
    pub fn receipt_keys(&self, at: Timestamp) -> impl Iterator<Item = VerifyingKey> {
        self.nodes()
            .filter(move |h| {
                h.revoked.is_none_or(|(_, time)| at <= time) && h.certificate.certificate().valid_at(at)
            })
            .map(|h| h.certificate.certificate().key)
    }

    /// All node keys that were ever certified, for reading what they may have signed.
    pub fn all_node_keys(&self) -> impl Iterator<Item = VerifyingKey> {
        self.nodes().map(|h| h.certificate.certificate().key)
    }

    /// The node keys that are not revoked: who shows one of them may connect.
    pub fn node_keys(&self) -> impl Iterator<Item = VerifyingKey> {
        self.nodes().filter(|h| h.revoked.is_none()).map(|h| h.certificate.certificate().key)
    }

    fn nodes(&self) -> impl Iterator<Item = &Held> {
        self.held.values().filter(|h| h.certificate.certificate().role == Role::Node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn certificate(root: &SigningKey, key: &SigningKey, role: Role) -> Vec<u8> {
        let certificate = Certificate {
            party: PartyName::new("blue").unwrap(),
            role,
            holder: "someone".into(),
            key: key.verifying_key(),
            not_before: at(0),
            not_after: at(1_000),
        };
        certificate.sign(root).bytes().to_vec()
    }

    #[test]
    fn keys_count_from_where_they_are_certified_to_where_they_are_revoked() {
        let [root, old, new, person] = [1, 2, 3, 4].map(|i| SigningKey::from_bytes(&[i; 32]));
        let id = |key: &SigningKey| KeyId::of(&key.verifying_key());
        let mut ring = KeyRing::new(PartyName::new("blue").unwrap(), root.verifying_key());
        ring.introduce(&certificate(&root, &old, Role::Node)).unwrap();
        ring.certify(&certificate(&root, &new, Role::Node), 10).unwrap();
        ring.certify(&certificate(&root, &person, Role::Supervisor), 11).unwrap();
        let revocation = Revocation { party: ring.party().clone(), key: id(&old), reason: "rotated".into() };
        ring.revoke(&revocation.sign(&root).unwrap(), 12, at(500)).unwrap();

        assert!(ring.node(id(&old), at(1), 0).is_some() && ring.node(id(&old), at(1), 11).is_some());
        assert!(ring.node(id(&old), at(1), 12).is_none(), "from the revocation on it does not count");
        assert!(ring.node(id(&new), at(1), 10).is_none() && ring.node(id(&new), at(1), 11).is_some());
        assert!(ring.node(id(&new), at(2_000), 20).is_none(), "its time is over");
        assert!(ring.node(id(&person), at(1), 20).is_none() && ring.person(id(&person), at(1), 20).is_some());
        assert_eq!(ring.head_keys(5).collect::<Vec<_>>(), [old.verifying_key()]);
        assert_eq!(ring.head_keys(13).collect::<Vec<_>>(), [new.verifying_key()]);
        assert_eq!(ring.node_keys().collect::<Vec<_>>(), [new.verifying_key()]);
        assert_eq!(ring.receipt_keys(at(499)).count(), 2);
        assert_eq!(ring.receipt_keys(at(501)).count(), 1);
        // A certificate by any other key is refused.
        assert!(ring.introduce(&certificate(&old, &new, Role::Node)).is_err());
    }
}
