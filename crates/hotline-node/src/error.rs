//! What keeps a node from doing its work.

use std::path::PathBuf;

/// Why the node could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file's content is not what it should be.
    #[error("{path}: {why}", path = path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// A folder that would be overwritten.
    #[error("{path} has a node already: choose another folder, or remove it first", path = .0.display())]
    Exists(PathBuf),
    /// A passphrase or PIN that cannot be used.
    #[error("{0}")]
    Secret(String),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] hotline_journal::JournalError),
    /// Evidence.
    #[error(transparent)]
    Evidence(#[from] hotline_evidence::EvidenceError),
    /// The line.
    #[error(transparent)]
    Line(#[from] hotline_line::LineError),
    /// Keys, signatures, words.
    #[error(transparent)]
    Ledger(#[from] hotline_ledger::LedgerError),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The TLS or QUIC set-up.
    #[error("link: {0}")]
    Link(String),
    /// A peer that the rulebook names has not been paired.
    #[error("party {0} is in the rulebook but not paired: run `hotline pair` with its introduction")]
    NotPaired(String),
    /// No random numbers from the system.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

impl NodeError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }

    pub(crate) fn content(path: impl Into<PathBuf>, why: impl std::fmt::Display) -> Self {
        Self::Content { path: path.into(), why: why.to_string() }
    }
}
