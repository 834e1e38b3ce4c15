//! A disk that records are written to: what was synced stays, what was not may be lost, and it can be full or damaged.

use hotline_line::{History, Record};
use std::collections::VecDeque;

/// Records that are on their way to the disk, as one unit, with what may follow once they are there.
pub(crate) struct Batch<T> {
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) done_at: u64,
    pub(crate) then: T,
}

/// A copy of a disk's content, as an administrator keeps it.
#[derive(Clone, Default)]
pub(crate) struct Copy {
    synced: Vec<Vec<u8>>,
    snapshot: Option<(u64, Vec<u8>)>,
}

/// The disk.
pub(crate) struct Disk<T> {
    now: Copy,
    pub(crate) backup: Copy,
    pub(crate) waiting: VecDeque<Batch<T>>,
    pub(crate) full: bool,
}

impl<T> Default for Disk<T> {
    fn default() -> Self {
        Self { now: Copy::default(), backup: Copy::default(), waiting: VecDeque::new(), full: false }
    }
}

impl<T> History for Disk<T> {
    fn record(&self, place: u64) -> Option<Record> {
        Record::from_bytes(self.now.synced.get(place as usize)?).ok()
    }
}

impl<T> Disk<T> {
    pub(crate) fn len(&self) -> u64 {
        self.now.synced.len() as u64
    }

    pub(crate) fn snapshot(&self) -> Option<(u64, Vec<u8>)> {
        self.now.snapshot.clone()
    }

    pub(crate) fn save_snapshot(&mut self, upto: u64, state: Vec<u8>) {
        self.now.snapshot = Some((upto, state));
    }

    /// The first batch is there for good.
    pub(crate) fn sync(&mut self) -> Option<Batch<T>> {
        let mut batch = self.waiting.pop_front()?;
        self.now.synced.append(&mut batch.records);
        Some(batch)
    }

    /// Power is cut: of the batches that were not synced, the first few may be there all the same, each whole.
    pub(crate) fn crash(&mut self, mut survives: impl FnMut() -> bool) {
        while let Some(mut batch) = self.waiting.pop_front() {
            if !survives() {
                break;
            }
            self.now.synced.append(&mut batch.records);
        }
        self.waiting.clear();
    }

    /// Loses the last record although it was synced: what no disk may do.
    pub(crate) fn lose_last(&mut self) {
        self.now.synced.pop();
        if self.now.snapshot.as_ref().is_some_and(|(upto, _)| *upto > self.len()) {
            self.now.snapshot = None;
        }
    }

    /// An administrator keeps a copy.
    pub(crate) fn back_up(&mut self) {
        self.backup = self.now.clone();
    }

    /// The disk is damaged and replaced, with the copy on it.
    pub(crate) fn restore_backup(&mut self) {
        self.now = self.backup.clone();
        self.waiting.clear();
        self.full = false;
    }
}
