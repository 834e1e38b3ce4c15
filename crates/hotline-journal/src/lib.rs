//! A durable, ordered log of records, with group commit and snapshots.
//!
//! A record is accepted when [`Journal::append`] or a [`GroupCommit`] says so, and then it is on the disk: killed
//! processes, power cuts and torn writes do not lose it. A disk that is full or broken refuses the whole batch
//! and says why; what was accepted before stays readable.
//!
//! The four types to know:
//! - [`Journal`]: what a durable log does, whichever engine is below.
//! - [`EmbeddedJournal`]: the engine on the local disk (redb; the choice is measured by `benches/stores.rs`).
//! - [`GroupCommit`]: many writers, one sync.
//! - [`FaultyDisk`]: a disk that tears, forgets and fills up, for tests and simulations.
//!
//! ```
//! use hotline_journal::{EmbeddedJournal, FaultyDisk, Journal};
//! let disk = FaultyDisk::new(1);
//! let journal = EmbeddedJournal::on_disk(disk.clone())?;
//! assert_eq!(journal.append(&[b"first".to_vec(), b"second".to_vec()])?, 0);
//! disk.crash();
//! drop(journal);
//! disk.restart();
//! let journal = EmbeddedJournal::on_disk(disk)?;
//! assert_eq!(journal.read(0, 10)?, [b"first".to_vec(), b"second".to_vec()]);
//! # Ok::<(), hotline_journal::JournalError>(())
//! ```

mod embedded;
mod error;
mod faulty_disk;
mod group_commit;

pub use embedded::EmbeddedJournal;
pub use error::JournalError;
pub use faulty_disk::FaultyDisk;
pub use group_commit::{Committed, GroupCommit, MAX_GROUP_BYTES, MAX_QUEUED};

/// The largest record, bytes.
pub const MAX_RECORD: usize = 1 << 20;
/// The most bytes of records that one [`Journal::read`] gives (a single larger record is given alone).
pub const MAX_READ_BYTES: usize = 8 << 20;
/// The most records that one [`Journal::forget`] forgets.
pub const FORGOTTEN_AT_ONCE: u64 = 5_000;

/// A durable, ordered log. Records are numbered from 0 without gaps.
pub trait Journal: Send + Sync {
    /// Appends records in order as one unit, durably: all of them or none. Gives the number of the first.
    ///
    /// # Errors
    /// When a record is too large, or the disk is full or fails. Then none of them was accepted.
    fn append(&self, records: &[Vec<u8>]) -> Result<u64, JournalError>;

    /// How many records have been appended, forgotten ones included.
    ///
    /// # Errors
    /// When the disk fails.
    fn len(&self) -> Result<u64, JournalError>;

    /// Whether there is none.
    ///
    /// # Errors
    /// When the disk fails.
    fn is_empty(&self) -> Result<bool, JournalError> {
        Ok(self.len()? == 0)
    }

    /// Forgets the records before number `upto`, whose effect is kept elsewhere, but never the last one; a bounded number at a
    /// time. Gives whether there are more.
    ///
    /// # Errors
    /// When the disk is full or fails.
    fn forget(&self, upto: u64) -> Result<bool, JournalError>;

    /// Records from number `from` on, at most `limit` and [`MAX_READ_BYTES`]; none past the end.
    ///
    /// # Errors
    /// When the disk fails, or [`JournalError::Corrupt`] when a record is not what was written.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError>;

    /// Keeps a snapshot of the state after the first `upto` records, in place of the one before.
    ///
    /// # Errors
    /// When the disk is full or fails; the snapshot before then stays.
    fn save_snapshot(&self, upto: u64, state: &[u8]) -> Result<(), JournalError>;

    /// The newest snapshot: how many records it covers, and the state.
    ///
    /// # Errors
    /// When the disk fails, or the snapshot is not what was written.
    fn snapshot(&self) -> Result<Option<(u64, Vec<u8>)>, JournalError>;
}
