//! The machine, and where its commands are made durable: a journal on this disk, or an etcd cluster.
//!
//! A command is made durable together with all that wait, and then applied. Readers see only what was durable and wait for
//! no disk.

use crate::cluster::{self, Cluster, ClusterOptions};
use crate::embedded::Embedded;
use crate::measures::Measures;
use crate::snapshot_file;
use hotline_dss::{Answer, Command, Entry, Item, Machine, Moment, NONCE_BYTES, Settings};
use hotline_journal::JournalError;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a request may wait to be carried out, before it is refused.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How a store keeps what it has.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// What all instances of a pool must have alike.
    pub settings: Settings,
    /// A snapshot is taken after so many commands.
    pub snapshot_every: u64,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { settings: Settings::default(), snapshot_every: 300_000 }
    }
}

/// The file that [`Store::back_up`] writes.
const BACK_UP: &str = "backup";

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// Why a store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The journal refused it; nothing was changed.
    #[error("{0}")]
    Journal(Arc<JournalError>),
    /// The cluster did not take it, or cannot be asked; nothing was changed.
    #[error("{0}")]
    Cluster(String),
    /// This instance was left behind and cannot tell.
    #[error(
        "it is not known whether this was carried out; read, or ask again with the same identifier and version"
    )]
    Untold,
    /// The disk has not answered for longer than a request may wait.
    #[error("the disk has not answered for {} seconds; ask again later", ANSWER_WITHIN.as_secs())]
    Stalled,
    /// What was kept cannot be read, or cannot be kept.
    #[error("{0}")]
    Unreadable(String),
    /// The store is closing.
    #[error("the service is stopping")]
    Closing,
}

/// A command that waits to be made durable, and who waits for its answer.
pub(crate) struct Waiting {
    pub(crate) entry: Entry,
    /// The entry as it is written.
    pub(crate) record: Vec<u8>,
    pub(crate) answer: oneshot::Sender<Result<Answer, StoreError>>,
}

struct State {
    machine: Machine,
    /// How much has been applied: records of the journal, or the cluster's revision.
    position: u64,
}

/// What requests and those who write share.
pub(crate) struct Shared {
    state: RwLock<State>,
    keeping: Keeping,
    clock: Clock,
    measures: Arc<Measures>,
    /// How many commands have been applied since the newest snapshot.
    since_kept: AtomicU64,
    pub(crate) stopping: AtomicBool,
}

impl Shared {
    fn reading(&self) -> RwLockReadGuard<'_, State> {
        // The machine changes nothing after the last check of a command, and no check panics half way.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Moment {
        (self.clock)()
    }

    pub(crate) const fn settings(&self) -> Settings {
        self.keeping.settings
    }

    /// Whether a snapshot is due.
    pub(crate) fn snapshot_is_due(&self) -> bool {
        self.since_kept() >= self.keeping.snapshot_every
    }

    pub(crate) fn position(&self) -> u64 {
        self.reading().position
    }

    pub(crate) fn since_kept(&self) -> u64 {
        self.since_kept.load(Ordering::Relaxed)
    }

    /// A snapshot has been taken that covers so many commands more than the one before.
    pub(crate) fn kept(&self, commands: u64) {
        self.since_kept.fetch_sub(commands, Ordering::Relaxed);
    }

    /// Everything there is, and how much of the log it covers.
    pub(crate) fn items(&self) -> (u64, Vec<Item>) {
        let state = self.reading();
        (state.position, state.machine.items())
    }

    /// Applies commands that are durable, up to a position of the log.
    pub(crate) fn apply(&self, entries: &[Entry], position: u64) -> Vec<Answer> {
        let mut state = self.writing();
        let answers = entries.iter().map(|entry| state.machine.apply(entry)).collect();
        state.position = position;
        drop(state);
        self.since_kept.fetch_add(entries.len() as u64, Ordering::Relaxed);
        self.measures.applied.inc_by(entries.len() as u64);
        answers
    }

    /// Goes on from another state.
    pub(crate) fn replace(&self, machine: Machine, position: u64) {
        *self.writing() = State { machine, position };
    }
}

enum Log {
    Embedded(Embedded),
    Cluster(Cluster),
}

/// The durable airspace representation.
pub struct Store {
    shared: Arc<Shared>,
    log: Log,
    folder: PathBuf,
    /// The snapshot's file in the folder.
    snapshot: String,
}

fn shared(
    machine: Machine,
    position: u64,
    keeping: Keeping,
    clock: Clock,
    measures: Arc<Measures>,
) -> Arc<Shared> {
    Arc::new(Shared {
        state: RwLock::new(State { machine, position }),
        keeping,
        clock,
        measures,
        since_kept: AtomicU64::new(0),
        stopping: AtomicBool::new(false),
    })
}

fn kept(folder: &Path, name: &str, settings: Settings) -> Result<(u64, Machine), StoreError> {
    let unreadable = |e: std::io::Error| StoreError::Unreadable(format!("{}: {e}", folder.display()));
    std::fs::create_dir_all(folder).map_err(unreadable)?;
    Ok(snapshot_file::load(folder, name, settings)?.unwrap_or((0, Machine::new(settings))))
}

impl Store {
    /// Opens a store with a journal in a folder, making it when there is none, and brings it to where it was.
    ///
    /// # Errors
    /// When the folder or what is in it cannot be read or written, or another process uses it.
    pub fn open(
        folder: &Path,
        keeping: Keeping,
        clock: Clock,
        measures: Arc<Measures>,
    ) -> Result<Self, StoreError> {
        let snapshot = snapshot_file::OWN.to_owned();
        let (position, machine) = kept(folder, &snapshot, keeping.settings)?;
        let shared = shared(machine, position, keeping, clock, measures);
        let log = Log::Embedded(Embedded::start(shared.clone(), folder)?);
        Ok(Self { shared, log, folder: folder.into(), snapshot })
    }

    /// Joins a pool on an etcd cluster. The folder has a snapshot only, for a quicker start.
    ///
    /// # Errors
    /// When no member answers, the pool's settings are others, or the folder is of another pool.
    pub async fn join(
        cluster: &ClusterOptions,
        folder: &Path,
        keeping: Keeping,
        clock: Clock,
        measures: Arc<Measures>,
    ) -> Result<Self, StoreError> {
        // The positions of another cluster, or of a journal, mean something else.
        let snapshot = cluster::name(cluster).await?;
        let (mut position, mut machine) = kept(folder, &snapshot, keeping.settings)?;
        if let Some(newer) = cluster::begin(cluster, keeping.settings, position).await? {
            (position, machine) = newer;
        }
        let shared = shared(machine, position, keeping, clock, measures);
        let log = Log::Cluster(Cluster::start(cluster, shared.clone())?);
        Ok(Self { shared, log, folder: folder.into(), snapshot })
    }

    /// Makes a command durable, applies it and gives the answer.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed then, but for [`StoreError::Untold`].
    pub async fn submit(&self, client: Arc<str>, command: Command) -> Result<Answer, StoreError> {
        if self.shared.stopping.load(Ordering::Relaxed) {
            return Err(StoreError::Closing);
        }
        let at = self.shared.now();
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|e| StoreError::Unreadable(format!("no random numbers: {e}")))?;
        let deadline = at.later(ANSWER_WITHIN.as_micros() as i64);
        let entry = Entry { at, deadline, client, nonce, command };
        let record = minicbor::to_vec(&entry).expect("writing to memory does not fail");
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { entry, record, answer };
        match &self.log {
            Log::Embedded(log) => log.submit(waiting)?,
            Log::Cluster(log) => log.submit(waiting)?,
        }
        answered.await.unwrap_or(Err(StoreError::Closing))
    }

    /// The state, to be read: with everything in it that was answered before this was called, by whichever instance.
    ///
    /// # Errors
    /// While it is not known whether something that should be in it is.
    pub async fn read(&self) -> Result<impl std::ops::Deref<Target = Machine> + '_, StoreError> {
        match &self.log {
            Log::Embedded(log) => log.answers()?,
            Log::Cluster(log) => log.fresh().await?,
        }
        Ok(Reading(self.shared.reading()))
    }

    /// How many commands have been applied since the newest snapshot.
    pub fn since_snapshot(&self) -> u64 {
        self.shared.since_kept()
    }

    /// Everything there is, and how much of the log it covers.
    pub fn everything(&self) -> (u64, Vec<Item>) {
        self.shared.items()
    }

    /// Writes the state as it is now into a file of the folder, while requests go on. Put as `snapshot` into an empty folder, a
    /// store begins with it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn back_up(&self) -> Result<PathBuf, StoreError> {
        let (_, items) = self.shared.items();
        snapshot_file::save(&self.folder, BACK_UP, 0, items)?;
        Ok(self.folder.join(BACK_UP))
    }

    /// Carries out what is waiting, writes a snapshot and stops.
    ///
    /// # Errors
    /// When the snapshot cannot be written; nothing is lost all the same.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.stop();
        let (position, items) = self.shared.items();
        snapshot_file::save(&self.folder, &self.snapshot, position, items)
    }

    fn stop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        match &mut self.log {
            Log::Embedded(log) => log.stop(),
            Log::Cluster(log) => log.stop(),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Reading<'a>(RwLockReadGuard<'a, State>);

impl std::ops::Deref for Reading<'_> {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.0.machine
    }
}
