//! What the parties said, so that nobody can later deny, alter or forge it.
//!
//! Formats are those of published standards, by well-kept crates: statements are COSE_Sign1 (RFC 9052, EdDSA)
//! over deterministic CBOR (RFC 8949, 4.2); their hashes form an RFC 6962 tree; its heads are C2SP checkpoints
//! (signed notes), and a peer's receipt is a C2SP cosignature on such a head. No clock, no randomness, no files.
//!
//! The five types to know:
//! - [`Statement`] and [`SignedStatement`]: what a party says.
//! - [`Tree`]: the Merkle tree over a party's statements.
//! - [`Checkpoint`] and [`Receipt`]: a signed head, and a peer's proof that it holds everything up to it.
//! - [`Certificate`]: a root key's word that a key speaks for the party.
//! - [`KeyRing`]: whose signatures count, from where to where in a party's ledger.
//!
//! ```
//! use hotline_ledger::{Fingerprint, SigningKey};
//! let root = SigningKey::from_bytes(&[7; 32]);
//! let words = Fingerprint::of(&root.verifying_key()).words();
//! assert_eq!(words.split(' ').count(), 12);
//! assert!(Fingerprint::of(&root.verifying_key()).check_words(&words).is_ok());
//! ```

mod certificate;
mod checkpoint;
mod cose;
mod error;
mod fingerprint;
mod key_ring;
mod misconduct;
mod name;
mod revocation;
mod sealed;
mod statement;
mod tree;

pub use certificate::{Certificate, Role, SignedCertificate};
pub use checkpoint::{Checkpoint, Receipt, cosign, origin};
pub use cose::{KeyId, Unchecked, check_all, open as open_signed, sign as sign_payload};
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::LedgerError;
pub use fingerprint::Fingerprint;
pub use key_ring::{KeyRing, MAX_CERTIFICATES};
pub use misconduct::{MAX_PROOF, Misconduct, Root};
pub use name::{LineName, PartyName};
pub use revocation::Revocation;
pub use sealed::{MAX_OPENINGS, MAX_SEALED, Opening, Openings, SaltSecret, Sealed};
pub use statement::{MAX_BODY, MAX_STATEMENT_BYTES, SignedStatement, Statement, UncheckedStatement};
pub use tree::{RangeProof, Tree, extends};
