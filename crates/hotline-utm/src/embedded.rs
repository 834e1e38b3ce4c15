//! The journal on this disk.
//!
//! While the disk has not answered for something beyond its deadline, nobody is answered at all: nobody can have seen that
//! it was not done, so it may still turn out done.

use crate::StoreError;
use crate::snapshot_file;
use crate::store::{ANSWER_WITHIN, Shared, Waiting};
use hotline_dss::Entry;
use hotline_journal::{EmbeddedJournal, GroupCommit, Journal, JournalError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the snapshot's thread looks whether one is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many records are read at a time.
const RECORDS_READ: usize = 10_000;

pub(crate) struct Embedded {
    shared: Arc<Shared>,
    commit: GroupCommit<Waiting>,
    submitted: AtomicU64,
    /// The deadline of what is being written, microseconds, or the end of time.
    writing: Arc<AtomicI64>,
    keeper: Option<JoinHandle<()>>,
}

fn refused(e: JournalError) -> StoreError {
    StoreError::Journal(Arc::new(e))
}

impl Embedded {
    /// Opens the journal and applies what it has beyond the state.
    pub(crate) fn start(shared: Arc<Shared>, folder: &Path) -> Result<Self, StoreError> {
        let journal = Arc::new(EmbeddedJournal::open(folder.join("journal.redb")).map_err(refused)?);
        replay(&shared, &*journal)?;
        let writing = Arc::new(AtomicI64::new(i64::MAX));
        let (looking, applying) = ((shared.clone(), writing.clone()), (shared.clone(), writing.clone()));
        let gate = move |waiting: &Waiting| {
            let (shared, writing) = &looking;
            let deadline = waiting.entry.deadline;
            if shared.now() > deadline {
                return Err(JournalError::Late);
            }
            writing.fetch_min(deadline.micros(), Ordering::AcqRel);
            Ok(())
        };
        let done = move |committed: Result<u64, Arc<JournalError>>, waiting: Waiting| {
            let (shared, writing) = &applying;
            let outcome = committed.map_err(StoreError::Journal);
            let outcome = outcome.map(|number| shared.apply(&[waiting.entry], number + 1).remove(0));
            writing.store(i64::MAX, Ordering::Release);
            // Whoever asked may have gone: the command was carried out all the same.
            _ = waiting.answer.send(outcome);
        };
        let commit = GroupCommit::with_gate(journal.clone(), gate, done);
        let keeper = keeper(shared.clone(), journal, folder.to_owned());
        Ok(Self { shared, commit, submitted: AtomicU64::new(0), writing, keeper: Some(keeper) })
    }

    pub(crate) fn submit(&self, mut waiting: Waiting) -> Result<(), StoreError> {
        self.answers()?;
        let record = std::mem::take(&mut waiting.record);
        // Commands do not build on each other: the refusal of one is not that of the next.
        let epoch = self.submitted.fetch_add(1, Ordering::Relaxed);
        self.commit.try_submit(epoch, vec![record], waiting).map_err(refused)
    }

    /// That the disk answers.
    pub(crate) fn answers(&self) -> Result<(), StoreError> {
        let stalled = self.shared.now().micros() > self.writing.load(Ordering::Acquire);
        if stalled { Err(StoreError::Stalled) } else { Ok(()) }
    }

    pub(crate) fn stop(&mut self) {
        self.commit.stop();
        if let Some(keeper) = self.keeper.take() {
            _ = keeper.join();
        }
    }
}

fn replay(shared: &Shared, journal: &dyn Journal) -> Result<(), StoreError> {
    let mut position = shared.position();
    let len = journal.len().map_err(refused)?;
    if position > len {
        return Err(StoreError::Unreadable(format!(
            "the snapshot covers {position} commands, the journal has only {len}: they are not of the same folder"
        )));
    }
    while position < len {
        let records = journal.read(position, RECORDS_READ).map_err(refused)?;
        let read = |(number, record): (u64, &Vec<u8>)| {
            minicbor::decode(record).map_err(|e| {
                StoreError::Unreadable(format!("command {number} of the journal cannot be read: {e}"))
            })
        };
        let entries: Vec<Entry> = (position..).zip(&records).map(read).collect::<Result<_, _>>()?;
        position += entries.len() as u64;
        shared.apply(&entries, position);
    }
    Ok(())
}

/// Writes snapshots when they are due, and lets the journal forget what they cover.
fn keeper(shared: Arc<Shared>, journal: Arc<EmbeddedJournal>, folder: PathBuf) -> JoinHandle<()> {
    let run = move || {
        while !shared.stopping.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_EVERY);
            if shared.snapshot_is_due()
                && let Err(why) = keep(&shared, &*journal, &folder)
            {
                tracing::error!("no snapshot could be written: {why}; the journal goes on growing");
                std::thread::sleep(ANSWER_WITHIN);
            }
        }
    };
    std::thread::Builder::new().name("snapshots".into()).spawn(run).expect("a thread can be started")
}

fn keep(shared: &Shared, journal: &dyn Journal, folder: &Path) -> Result<(), StoreError> {
    let since = shared.since_kept();
    let (position, items) = shared.items();
    snapshot_file::save(folder, snapshot_file::OWN, position, items)?;
    shared.kept(since);
    while journal.forget(position).map_err(refused)? {}
    Ok(())
}
