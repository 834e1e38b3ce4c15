//! What a journal refuses, and why.

/// Why the journal did not do what was asked. Nothing was accepted then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk has no room.
    #[error(
        "the disk is full: nothing of this batch was accepted; what was accepted before is safe. Free space and try again"
    )]
    DiskFull,
    /// The disk or the file system failed.
    #[error("the disk failed: {0}; nothing of this batch was accepted")]
    Disk(String),
    /// Another process has the journal open.
    #[error(
        "the journal is in use by another process: a node runs on this folder; stop it first, or ask it over its interface"
    )]
    InUse,
    /// What was read is not what was written.
    #[error("{what} is damaged on the disk (its checksum does not fit): restore the folder from a back-up")]
    Corrupt {
        /// Which record or snapshot.
        what: String,
    },
    /// A record is too large.
    #[error("a record of {size} bytes: at most {limit} are allowed")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Too much waits for the disk.
    #[error("too many requests wait for the disk; nothing of this one was accepted. Ask again later")]
    Busy,
    /// It waited for the disk until after its deadline.
    #[error("the request waited for the disk until after its deadline; nothing of it was accepted")]
    Late,
    /// The committer has stopped.
    #[error("the journal is closed")]
    Closed,
}
