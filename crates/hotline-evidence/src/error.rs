//! Why a file cannot be checked at all.

use hotline_ledger::LedgerError;

/// Why a file cannot be made, or is not evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// It does not begin like evidence.
    #[error("it is not hotline evidence: it does not begin with {expected:?}", expected = crate::format::MAGIC.trim_end())]
    NotEvidence,
    /// It cannot be read on from here.
    #[error("the evidence is malformed at byte {at}: {why}")]
    Malformed {
        /// Where in the file.
        at: u64,
        /// What is wrong.
        why: String,
    },
    /// The exporter's signature over the whole file does not check.
    #[error("the signature over the whole file does not check: {0}")]
    Signature(LedgerError),
    /// Something that is signed or hashed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
