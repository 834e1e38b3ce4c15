//! Many writers, one sync: whatever arrives while one commit is under way goes into the next.

use crate::{Journal, JournalError};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// The most batches that may wait for the disk; beyond it writers wait.
pub const MAX_QUEUED: usize = 16_384;
/// A commit takes no further batches once it has so many bytes.
pub const MAX_GROUP_BYTES: usize = 4 << 20;

/// What became of a batch: the number of its first record, or why it was refused (shared by all batches of one
/// commit).
pub type Committed = Result<u64, Arc<JournalError>>;

struct Batch<T> {
    epoch: u64,
    records: Vec<Vec<u8>>,
    token: T,
}

/// A thread that commits batches in the order they come, as many at once as are waiting, and then hands each
/// batch's token on with what became of it, in the same order. A batch without records passes through after all
/// that was submitted before it.
pub struct GroupCommit<T> {
    queue: Option<SyncSender<Batch<T>>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> GroupCommit<T> {
    /// Starts the thread. `done` is called on it for each batch; it must not block for long.
    pub fn start(journal: Arc<dyn Journal>, done: impl FnMut(Committed, T) + Send + 'static) -> Self {
        Self::with_gate(journal, |_| Ok(()), done)
    }

    /// As [`GroupCommit::start`], with a last look at each batch before it is written: what `gate` refuses is handed
    /// on as refused, alone.
    pub fn with_gate(
        journal: Arc<dyn Journal>,
        gate: impl FnMut(&T) -> Result<(), JournalError> + Send + 'static,
        done: impl FnMut(Committed, T) + Send + 'static,
    ) -> Self {
        let (queue, batches) = sync_channel(MAX_QUEUED);
        let thread = std::thread::Builder::new().name("journal".into());
        let thread =
            thread.spawn(move || run(&*journal, &batches, gate, done)).expect("a thread can be started");
        Self { queue: Some(queue), thread: Some(thread) }
    }

    /// Submits a batch of an epoch; once a batch of an epoch has been refused, all later ones of the same epoch or
    /// an earlier one are refused too, since they build on it. Waits while [`MAX_QUEUED`] batches are waiting for the disk.
    ///
    /// # Errors
    /// [`JournalError::Closed`] after [`GroupCommit::stop`].
    pub fn submit(&self, epoch: u64, records: Vec<Vec<u8>>, token: T) -> Result<(), JournalError> {
        let queue = self.queue.as_ref().ok_or(JournalError::Closed)?;
        match queue.try_send(Batch { epoch, records, token }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(batch)) => queue.send(batch).map_err(|_| JournalError::Closed),
            Err(TrySendError::Disconnected(_)) => Err(JournalError::Closed),
        }
    }

    /// As [`GroupCommit::submit`], but never waits.
    ///
    /// # Errors
    /// [`JournalError::Busy`] while [`MAX_QUEUED`] batches are waiting for the disk; [`JournalError::Closed`].
    pub fn try_submit(&self, epoch: u64, records: Vec<Vec<u8>>, token: T) -> Result<(), JournalError> {
        let queue = self.queue.as_ref().ok_or(JournalError::Closed)?;
        queue.try_send(Batch { epoch, records, token }).map_err(|e| match e {
            TrySendError::Full(_) => JournalError::Busy,
            TrySendError::Disconnected(_) => JournalError::Closed,
        })
    }

    /// Commits what is waiting, then stops.
    pub fn stop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nothing left to commit.
            _ = thread.join();
        }
    }
}

impl<T> Drop for GroupCommit<T> {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

fn run<T>(
    journal: &dyn Journal,
    batches: &Receiver<Batch<T>>,
    mut gate: impl FnMut(&T) -> Result<(), JournalError>,
    mut done: impl FnMut(Committed, T),
) {
    // The newest epoch of which a batch has been refused, and why.
    let mut refused: Option<(u64, Arc<JournalError>)> = None;
    while let Ok(first) = batches.recv() {
        let mut group = vec![first];
        let mut bytes = 0;
        while bytes < MAX_GROUP_BYTES {
            let Ok(batch) = batches.try_recv() else { break };
            bytes += batch.records.iter().map(Vec::len).sum::<usize>();
            group.push(batch);
        }
        let mut records = Vec::new();
        let mut tokens = Vec::with_capacity(group.len());
        let mut newest = 0;
        for batch in group {
            if let Some((_, why)) = refused.as_ref().filter(|(epoch, _)| batch.epoch <= *epoch) {
                done(Err(why.clone()), batch.token);
                continue;
            }
            if let Err(why) = gate(&batch.token) {
                done(Err(Arc::new(why)), batch.token);
                continue;
            }
            newest = batch.epoch;
            tokens.push((records.len() as u64, batch.token));
            records.extend(batch.records);
        }
        if tokens.is_empty() {
            continue;
        }
        let committed = if records.is_empty() { journal.len() } else { journal.append(&records) };
        match committed {
            Ok(first) => tokens.into_iter().for_each(|(offset, token)| done(Ok(first + offset), token)),
            Err(e) => {
                let e = Arc::new(e);
                refused = Some((newest, e.clone()));
                tokens.into_iter().for_each(|(_, token)| done(Err(e.clone()), token));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmbeddedJournal, FaultyDisk};
    use std::sync::mpsc::channel;

    #[test]
    fn after_a_refusal_its_epoch_is_refused_until_the_next() {
        let disk = FaultyDisk::new(3);
        let journal = Arc::new(EmbeddedJournal::on_disk(disk.clone()).unwrap());
        let (told, heard) = channel();
        let mut commit = GroupCommit::start(journal.clone(), move |committed, name: &str| {
            told.send((name, committed.map_err(|e| e.to_string()))).unwrap();
        });
        let next = |epoch, size, name| {
            commit.submit(epoch, vec![vec![1; size]], name).unwrap();
            heard.recv().unwrap()
        };
        assert_eq!(next(0, 10, "fits"), ("fits", Ok(0)));
        disk.set_room(disk.size());
        // The file has some room left of its own: it takes one or a few large records to fill it.
        assert!((0..50).any(|_| next(0, 900_000, "large").1.is_err()));
        disk.set_room(u64::MAX);
        assert!(next(0, 10, "builds on the refused one").1.is_err());
        let len = journal.len().unwrap();
        assert_eq!(next(1, 10, "a new epoch"), ("a new epoch", Ok(len)));
        commit.stop();
        assert!(commit.submit(1, vec![], "closed").is_err());
    }
}
