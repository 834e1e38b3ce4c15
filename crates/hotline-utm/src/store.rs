//! The machine, its journal and its snapshots.
//!
//! A command is written to the journal, together with all that wait, and then applied. Readers see only what was
//! durable and wait for no disk. While the disk has not answered for something beyond its deadline, nobody is answered at
//! all: nobody can have seen that it was not done, so it may still turn out done.

use crate::measures::Measures;
use crate::snapshot_file;
use hotline_dss::{Answer, Command, Entry, Machine, Moment, NONCE_BYTES, Settings};
use hotline_journal::{EmbeddedJournal, GroupCommit, Journal, JournalError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a request may wait to be carried out, before it is refused.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A snapshot is taken after so many commands.
pub const SNAPSHOT_EVERY: u64 = 300_000;
/// How often the snapshot's thread looks whether one is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const RECORDS_READ: usize = 10_000;

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// Why a store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The journal refused it; nothing was changed.
    #[error("{0}")]
    Journal(Arc<JournalError>),
    /// The disk has not answered for longer than a request may wait.
    #[error("the disk has not answered for {} seconds; ask again later", ANSWER_WITHIN.as_secs())]
    Stalled,
    /// What was kept cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The store is closing.
    #[error("the service is stopping")]
    Closing,
}

struct State {
    machine: Machine,
    /// How many records of the journal have been applied.
    position: u64,
}

struct Waiting {
    entry: Entry,
    answer: oneshot::Sender<Result<Answer, StoreError>>,
}

struct Shared {
    state: RwLock<State>,
    clock: Clock,
    /// The deadline of what is being written, or the end of time.
    writing: AtomicI64,
    /// How many records the newest snapshot covers.
    kept: AtomicU64,
    stopping: AtomicBool,
}

/// The durable airspace representation.
pub struct Store {
    shared: Arc<Shared>,
    commit: GroupCommit<Waiting>,
    submitted: AtomicU64,
    journal: Arc<EmbeddedJournal>,
    folder: PathBuf,
    keeper: Option<std::thread::JoinHandle<()>>,
}

fn unpoisoned<T>(result: Result<T, PoisonError<T>>) -> T {
    // The machine changes nothing after the last check of a command, and no check panics half way.
    result.unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Opens the store in a folder, making it when there is none, and brings it to where it was.
    ///
    /// # Errors
    /// When the folder or what is in it cannot be read or written, or another process uses it.
    pub fn open(
        folder: &Path,
        settings: Settings,
        clock: Clock,
        measures: Arc<Measures>,
    ) -> Result<Self, StoreError> {
        let unreadable =
            |e: &dyn std::fmt::Display| StoreError::Unreadable(format!("{}: {e}", folder.display()));
        std::fs::create_dir_all(folder).map_err(|e| unreadable(&e))?;
        let refused = |e| StoreError::Journal(Arc::new(e));
        let journal = Arc::new(EmbeddedJournal::open(folder.join("journal.redb")).map_err(refused)?);
        let (position, machine) =
            snapshot_file::load(folder, settings)?.unwrap_or((0, Machine::new(settings)));
        let mut state = State { machine, position };
        let kept = position;
        state.replay(&*journal)?;
        let shared = Arc::new(Shared {
            state: RwLock::new(state),
            clock,
            writing: AtomicI64::new(i64::MAX),
            kept: AtomicU64::new(kept),
            stopping: AtomicBool::new(false),
        });
        let (looking, applying) = (shared.clone(), shared.clone());
        let gate = move |waiting: &Waiting| looking.admit(waiting);
        let done = move |committed, waiting| applying.committed(committed, waiting, &measures);
        let commit = GroupCommit::with_gate(journal.clone(), gate, done);
        let mut store = Self {
            shared,
            commit,
            submitted: AtomicU64::new(0),
            journal,
            folder: folder.into(),
            keeper: None,
        };
        store.keeper = Some(store.start_keeper());
        Ok(store)
    }

    /// Makes a command durable, applies it and gives the answer.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed then.
    pub async fn submit(&self, client: Arc<str>, command: Command) -> Result<Answer, StoreError> {
        if self.shared.stopping.load(Ordering::Relaxed) {
            return Err(StoreError::Closing);
        }
        let at = self.now()?;
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|e| StoreError::Unreadable(format!("no random numbers: {e}")))?;
        let deadline = at.later(ANSWER_WITHIN.as_micros() as i64);
        let entry = Entry { at, deadline, client, nonce, command };
        let record = minicbor::to_vec(&entry).expect("writing to memory does not fail");
        let (answer, answered) = oneshot::channel();
        // Commands do not build on each other: the refusal of one is not that of the next.
        let epoch = self.submitted.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting { entry, answer };
        self.commit.submit(epoch, vec![record], waiting).map_err(|e| StoreError::Journal(Arc::new(e)))?;
        answered.await.unwrap_or(Err(StoreError::Closing))
    }

    /// The state, to be read.
    ///
    /// # Errors
    /// [`StoreError::Stalled`] while it is not known whether something that should be in it is.
    pub fn read(&self) -> Result<impl std::ops::Deref<Target = Machine> + '_, StoreError> {
        self.now()?;
        Ok(Reading(unpoisoned(self.shared.state.read())))
    }

    /// The time, unless the disk has stalled.
    fn now(&self) -> Result<Moment, StoreError> {
        let now = (self.shared.clock)();
        if now.micros() > self.shared.writing.load(Ordering::Acquire) {
            return Err(StoreError::Stalled);
        }
        Ok(now)
    }

    /// How many commands have been applied since the journal began, and how many of them the newest snapshot covers.
    pub fn positions(&self) -> (u64, u64) {
        (unpoisoned(self.shared.state.read()).position, self.shared.kept.load(Ordering::Relaxed))
    }

    fn start_keeper(&self) -> std::thread::JoinHandle<()> {
        let (shared, journal, folder) = (self.shared.clone(), self.journal.clone(), self.folder.clone());
        let keep = move || {
            while !shared.stopping.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK_EVERY);
                let position = unpoisoned(shared.state.read()).position;
                if position - shared.kept.load(Ordering::Relaxed) >= SNAPSHOT_EVERY
                    && let Err(why) = shared.keep(&*journal, &folder)
                {
                    tracing::error!("no snapshot could be written: {why}; the journal goes on growing");
                    std::thread::sleep(ANSWER_WITHIN);
                }
            }
        };
        std::thread::Builder::new().name("snapshots".into()).spawn(keep).expect("a thread can be started")
    }

    /// Carries out what is waiting, writes a snapshot and stops.
    ///
    /// # Errors
    /// When the snapshot cannot be written; the journal has everything all the same.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.commit.stop();
        if let Some(keeper) = self.keeper.take() {
            _ = keeper.join();
        }
        let (position, kept) = self.positions();
        if position == kept { Ok(()) } else { self.shared.keep(&*self.journal, &self.folder) }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.commit.stop();
        if let Some(keeper) = self.keeper.take() {
            _ = keeper.join();
        }
    }
}

struct Reading<'a>(RwLockReadGuard<'a, State>);

impl std::ops::Deref for Reading<'_> {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.0.machine
    }
}

impl State {
    fn replay(&mut self, journal: &dyn Journal) -> Result<(), StoreError> {
        let refused = |e| StoreError::Journal(Arc::new(e));
        let len = journal.len().map_err(refused)?;
        if self.position > len {
            return Err(StoreError::Unreadable(format!(
                "the snapshot covers {} commands, the journal has only {len}: they are not of the same folder",
                self.position
            )));
        }
        while self.position < len {
            for record in journal.read(self.position, RECORDS_READ).map_err(refused)? {
                let entry: Entry = minicbor::decode(&record).map_err(|e| {
                    StoreError::Unreadable(format!(
                        "command {} of the journal cannot be read: {e}",
                        self.position
                    ))
                })?;
                self.machine.apply(&entry);
                self.position += 1;
            }
        }
        Ok(())
    }
}

impl Shared {
    /// The last look before a command is written.
    fn admit(&self, waiting: &Waiting) -> Result<(), JournalError> {
        let deadline = waiting.entry.deadline;
        if (self.clock)() > deadline {
            return Err(JournalError::Late);
        }
        self.writing.fetch_min(deadline.micros(), Ordering::AcqRel);
        Ok(())
    }

    fn committed(&self, committed: Result<u64, Arc<JournalError>>, waiting: Waiting, measures: &Measures) {
        let Waiting { entry, answer } = waiting;
        let outcome = match committed {
            Ok(number) => {
                let mut state = unpoisoned(self.state.write());
                let answer = state.machine.apply(&entry);
                state.position = number + 1;
                measures.applied.inc();
                Ok(answer)
            }
            Err(why) => Err(StoreError::Journal(why)),
        };
        self.writing.store(i64::MAX, Ordering::Release);
        // Whoever asked may have gone: the command was carried out all the same.
        _ = answer.send(outcome);
    }

    /// Writes a snapshot and lets the journal forget what it covers.
    fn keep(&self, journal: &dyn Journal, folder: &Path) -> Result<(), StoreError> {
        let state = unpoisoned(self.state.read());
        let (position, items) = (state.position, state.machine.items());
        drop(state);
        snapshot_file::save(folder, position, items)?;
        self.kept.store(position, Ordering::Relaxed);
        while journal.forget(position).map_err(|e| StoreError::Journal(Arc::new(e)))? {}
        Ok(())
    }
}
