//! What the line refuses, and why.

use hotline_airspace::AirspaceError;
use hotline_ledger::{LedgerError, PartyName};

/// Why something was refused. Each message says what was wrong and what would be right.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LineError {
    /// The bytes are not what they should be.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What was wrong with it.
        why: String,
    },
    /// It decodes, but not from the one encoding that is allowed.
    #[error("{0} is not in its deterministic encoding")]
    NotCanonical(&'static str),
    /// A number, text or list is outside what is allowed.
    #[error("{what} is {value}: {allowed}")]
    OutOfRange {
        /// What it is.
        what: &'static str,
        /// The refused value.
        value: String,
        /// What would be right.
        allowed: &'static str,
    },
    /// A signed object did not check.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A description of airspace did not check.
    #[error(transparent)]
    Airspace(#[from] AirspaceError),
    /// A rulebook could not be read.
    #[error("rulebook: {0}")]
    Rulebook(String),
    /// Nothing can be stored, so nothing may be said.
    #[error("nothing can be recorded at the moment, so nothing was accepted: {0}")]
    Muted(String),
    /// A person without the right.
    #[error("{holder} may not sign a {what}: that takes a supervisor's key")]
    NotAllowed {
        /// What was signed.
        what: &'static str,
        /// By whom.
        holder: String,
    },
    /// Something that may not be said as things stand.
    #[error("{0}")]
    OutOfPlace(String),
    /// The node may not speak now.
    #[error("{0}")]
    Silent(String),
    /// A peer has sent more than its quota.
    #[error("{party} sends more than its quota of {what}: refused")]
    Quota {
        /// Who.
        party: PartyName,
        /// Of what.
        what: &'static str,
    },
    /// A party that is not on this line.
    #[error("party {0} is not on this line")]
    UnknownParty(PartyName),
    /// A peer's ledger does not continue where our copy ends.
    #[error("{party} sent statement {got} where {expected} was expected")]
    Gap {
        /// Whose ledger.
        party: PartyName,
        /// The number that came.
        got: u64,
        /// The number that would have been right.
        expected: u64,
    },
    /// A peer said two different things under one number, or signed a head that does not fit what it said.
    #[error(
        "{party} has signed two different histories of its ledger (statement or head {number}): its statements are disputed"
    )]
    Equivocation {
        /// Who.
        party: PartyName,
        /// The number of the statement, or the size of the head.
        number: u64,
    },
    /// A statement that cannot be, such as one whose time runs backwards.
    #[error("statement {number} of {party}: {why}")]
    Statement {
        /// Who said it.
        party: PartyName,
        /// Its number.
        number: u64,
        /// What is wrong with it.
        why: String,
    },
}

impl LineError {
    pub(crate) fn malformed(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Malformed { what, why: why.to_string() }
    }
}
