//! What can be wrong with a feed.

/// Why a feed was refused.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not CSV.
    #[error("line {line}: {why}")]
    Csv {
        /// Where, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// A column that is needed is not there.
    #[error("line 1: there is no column {missing}; the columns are {wanted}")]
    Column {
        /// Which.
        missing: &'static str,
        /// All that are needed.
        wanted: String,
    },
    /// A field is not what it should be.
    #[error("line {line}, column {column}: {value:?} {why}")]
    Field {
        /// Where, from 1.
        line: u64,
        /// Which column.
        column: &'static str,
        /// What it is.
        value: String,
        /// What would be right.
        why: String,
    },
}
