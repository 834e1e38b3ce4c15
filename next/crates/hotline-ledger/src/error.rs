//! What can be wrong with what was said.

/// Why a signed object was refused. Each message says what was wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
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
    /// It is larger than allowed.
    #[error("{what} has {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// What was read.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The signature does not fit the key and the content.
    #[error("the signature on {0} is not valid for the key it names")]
    Signature(&'static str),
    /// No key is known by that identifier.
    #[error("{what} is signed by key {key}, which is not certified for this party and role at that time")]
    UnknownKey {
        /// What was signed.
        what: &'static str,
        /// The identifier of the key.
        key: String,
    },
    /// A name that may not be used.
    #[error("name {0:?}: 1 to 32 characters of a-z, 0-9 and - are allowed, the first a letter or digit")]
    Name(String),
    /// A fingerprint word that is not the right one.
    #[error(
        "word {position} is {said:?}, but the introduction's key says otherwise: do not pair, ask again on the phone"
    )]
    Word {
        /// Which word, from 1.
        position: usize,
        /// What was said.
        said: String,
    },
    /// Too few or too many words.
    #[error("{0} words were given, a fingerprint has 12")]
    WordCount(usize),
    /// A proof that does not lead to the root.
    #[error("{0} does not lead to the signed root")]
    Proof(&'static str),
}

impl LedgerError {
    pub(crate) fn malformed(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Malformed { what, why: why.to_string() }
    }
}
