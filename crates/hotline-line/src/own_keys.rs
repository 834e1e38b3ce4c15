//! The own party's keys on this node.

use hotline_ledger::{KeyId, KeyRing, SigningKey};
use std::collections::BTreeMap;
use std::fmt;

/// The own party's keys: what the peers know of them, and the node key. Persons' keys are not here: they sign in the shell, once
/// their holders have unlocked them.
#[derive(Clone)]
pub struct OwnKeys {
    /// What the peers know of this party.
    pub known: KeyRing,
    /// Signs statements, checkpoints and receipts.
    pub node: SigningKey,
    /// The names of those who hold the keys: said beside the certificates.
    pub names: BTreeMap<KeyId, String>,
}

impl fmt::Debug for OwnKeys {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKeys").field("known", &self.known).finish_non_exhaustive()
    }
}
