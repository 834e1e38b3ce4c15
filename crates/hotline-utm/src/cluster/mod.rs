//! The same machine on an etcd cluster: several instances serve one pool.
//!
//! A batch of commands is put once, under a key of its own that must not exist yet, so that a repeated try cannot double it.
//! The order is that of etcd's revisions, as a watch shows it to every instance; each applies all batches and answers its
//! clients when it sees its own come back. Whether a batch whose put was not answered got through is settled by putting
//! nothing under its key: one of the two is there first, and stays.
//!
//! Reads are local and fresh: before one is answered, this instance has applied everything that was in the cluster when the
//! read came. One question to the cluster serves all reads that wait.

mod etcd;
mod pool_snapshot;

pub use etcd::{ClusterError, ClusterOptions};

use crate::StoreError;
use crate::store::{Shared, Waiting};
use etcd::{Etcd, Put, number, text};
use hotline_dss::{Answer, Entry, Machine, NONCE_BYTES, Settings};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

/// How many commands may wait for the cluster; more are refused.
const MAX_WAITING: usize = 16_384;
/// How many reads may wait to be fresh; more are refused.
const MAX_FENCES: usize = 65_536;
/// A batch takes no more commands once it has so many bytes (etcd's own limit is 1.5 MiB).
const MAX_BATCH: usize = 512 << 10;
/// How long a read may wait to be fresh.
const FRESH_WITHIN: Duration = Duration::from_secs(5);
/// Between tries.
const PAUSE: Duration = Duration::from_millis(50);

type Answered = oneshot::Sender<Result<Answer, StoreError>>;
type Fence = oneshot::Sender<Result<(), StoreError>>;
type Pending = Arc<Mutex<HashMap<Vec<u8>, Vec<Answered>>>>;

/// This instance's part of the cluster.
pub(crate) struct Cluster {
    queue: mpsc::Sender<Waiting>,
    fences: mpsc::Sender<Fence>,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn locked(pending: &Pending) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, Vec<Answered>>> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

fn told(why: &ClusterError) -> StoreError {
    StoreError::Cluster(why.to_string())
}

/// A file name for this pool on this cluster.
///
/// # Errors
/// When no member answers.
pub(crate) async fn name(options: &ClusterOptions) -> Result<String, StoreError> {
    let mut etcd = Etcd::new(options).map_err(|e| told(&e))?;
    let asked = json!({ "key": text(&options.prefix), "count_only": true });
    let answer = etcd.call_any("/v3/kv/range", &asked).await.map_err(|e| told(&e))?;
    let cluster = number(&answer["header"]["cluster_id"]);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    Ok(format!("pool{}-{cluster:x}.snapshot", options.prefix.chars().map(plain).collect::<String>()))
}

/// The state that an instance starts with: its own folder's, or the pool's when that is newer.
///
/// # Errors
/// When no member answers, the pool has other settings, or the folder is of another pool.
pub(crate) async fn begin(
    options: &ClusterOptions,
    settings: Settings,
    position: u64,
) -> Result<Option<(u64, Machine)>, StoreError> {
    let mut etcd = Etcd::new(options).map_err(|e| told(&e))?;
    let key = format!("{}/settings", options.prefix);
    let mine = json!({ "retention_micros": settings.retention }).to_string();
    while !etcd.create(&key, mine.as_bytes(), None).await.map_err(|e| told(&e))? {
        match etcd.get(&key).await.map_err(|e| told(&e))? {
            Some(pools) if pools == mine.as_bytes() => break,
            Some(pools) => {
                let pools = String::from_utf8_lossy(&pools).into_owned();
                let why = format!(
                    "this pool runs with {pools}, this instance was started with {mine}: make them alike"
                );
                return Err(StoreError::Cluster(why));
            }
            None => {}
        }
    }
    let head = etcd.call_any("/v3/kv/range", &json!({ "key": text(&key) })).await.map_err(|e| told(&e))?;
    let revision = number(&head["header"]["revision"]);
    if position > revision {
        return Err(StoreError::Cluster(format!(
            "this folder has seen revision {position}, the cluster is at {revision}: the folder is of another pool"
        )));
    }
    pool_snapshot::load(&mut etcd, &options.prefix, settings, position).await
}

impl Cluster {
    /// Joins; [`begin`] has been called.
    pub(crate) fn start(options: &ClusterOptions, shared: Arc<Shared>) -> Result<Self, StoreError> {
        let etcd = Etcd::new(options).map_err(|e| told(&e))?;
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        let (fences, asked) = mpsc::channel(MAX_FENCES);
        let (stop, stopping) = watch::channel(false);
        let (applied, seen) = watch::channel(shared.position());
        let pending = Pending::default();
        let prefix = options.prefix.clone();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime can be made");
            runtime.block_on(async move {
                let writer = Writer {
                    etcd: etcd.another(),
                    prefix: prefix.clone(),
                    pending: pending.clone(),
                    shared: shared.clone(),
                };
                let watcher = Watcher {
                    etcd: etcd.another(),
                    prefix: prefix.clone(),
                    pending,
                    shared: shared.clone(),
                    applied,
                };
                tokio::spawn(watcher.run());
                tokio::spawn(fence(etcd.another(), prefix.clone(), asked, seen));
                tokio::spawn(pool_snapshot::keep(etcd, prefix, shared));
                // Ends when nobody can submit any more and all that waited is written.
                writer.run(waiting).await;
                let mut stopping = stopping;
                _ = stopping.wait_for(|stop| *stop).await;
            });
        };
        let thread =
            std::thread::Builder::new().name("cluster".into()).spawn(run).expect("a thread can be started");
        Ok(Self { queue, fences, stop, thread: Some(thread) })
    }

    pub(crate) fn submit(&self, waiting: Waiting) -> Result<(), StoreError> {
        self.queue.try_send(waiting).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => {
                StoreError::Cluster("too many requests wait for the cluster".into())
            }
            mpsc::error::TrySendError::Closed(_) => StoreError::Closing,
        })
    }

    /// Waits until everything that was in the cluster when this was called has been applied here.
    pub(crate) async fn fresh(&self) -> Result<(), StoreError> {
        let (fence, done) = oneshot::channel();
        self.fences
            .try_send(fence)
            .map_err(|_| StoreError::Cluster("too many reads wait for the cluster".into()))?;
        done.await.unwrap_or(Err(StoreError::Closing))
    }

    pub(crate) fn stop(&mut self) {
        _ = self.stop.send(true);
        let (closed, _) = mpsc::channel(1);
        self.queue = closed;
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// Puts batches.
struct Writer {
    etcd: Etcd,
    prefix: String,
    pending: Pending,
    shared: Arc<Shared>,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        while let Some(first) = waiting.recv().await {
            let mut batch = vec![first];
            let mut size = batch[0].record.len();
            while size < MAX_BATCH
                && let Ok(next) = waiting.try_recv()
            {
                size += next.record.len();
                batch.push(next);
            }
            let now = self.shared.now();
            let (batch, late): (Vec<_>, Vec<_>) = batch.into_iter().partition(|w| w.entry.deadline >= now);
            late.into_iter()
                .for_each(|waiting| _ = waiting.answer.send(Ok(Answer::Refused(hotline_dss::Refusal::Late))));
            if !batch.is_empty() {
                self.put(batch).await;
            }
        }
    }

    async fn put(&mut self, batch: Vec<Waiting>) {
        // The nonce of an entry is in no other.
        let nonce: &[u8; NONCE_BYTES] = &batch[0].entry.nonce;
        let name: String = nonce[..16].iter().map(|b| format!("{b:02x}")).collect();
        let key = format!("{}/log/{name}", self.prefix);
        let deadline = batch.iter().map(|w| w.entry.deadline).max().unwrap_or_default();
        let value: Vec<u8> = batch.iter().flat_map(|w| w.record.iter().copied()).collect();
        locked(&self.pending).insert(key.clone().into_bytes(), batch.into_iter().map(|w| w.answer).collect());
        loop {
            let outcome = if self.shared.now() > deadline {
                // So late it must not come any more: nothing takes its place, unless it is there.
                self.create(&key, &[])
                    .await
                    .map(|nothing| nothing.then_some("the cluster did not answer in time"))
            } else {
                self.create(&key, &value).await.map(|_| None)
            };
            let why = match outcome {
                Ok(None) => return,
                Ok(Some(why)) => StoreError::Cluster(why.into()),
                Err(ClusterError::Unreachable { endpoint, why }) => {
                    tracing::warn!("etcd member {endpoint}: {why}; trying another");
                    sleep(PAUSE).await;
                    continue;
                }
                Err(other) => told(&other),
            };
            let refused = locked(&self.pending).remove(key.as_bytes()).unwrap_or_default();
            refused.into_iter().for_each(|answer| _ = answer.send(Err(why.clone())));
            return;
        }
    }

    /// Puts a batch under its key unless that is taken, and moves the head with it.
    async fn create(&mut self, key: &str, value: &[u8]) -> Result<bool, ClusterError> {
        let absent =
            json!({ "key": text(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0" });
        let put = json!({ "request_put": { "key": text(key), "value": text(value) } });
        let head = json!({ "request_put": { "key": text(format!("{}/head", self.prefix)), "value": "" } });
        let txn = json!({ "compare": [absent], "success": [put, head] });
        Ok(self.etcd.call("/v3/kv/txn", &txn).await?["succeeded"].as_bool().unwrap_or(false))
    }
}

/// Applies what the watch shows.
struct Watcher {
    etcd: Etcd,
    prefix: String,
    pending: Pending,
    shared: Arc<Shared>,
    applied: watch::Sender<u64>,
}

impl Watcher {
    async fn run(mut self) {
        loop {
            let Err(why) = self.follow().await;
            match why {
                ClusterError::Compacted(revision) => {
                    tracing::info!(
                        "the history before revision {revision} is gone; taking the pool's snapshot"
                    );
                    let (settings, position) = (self.shared.settings(), self.shared.position());
                    match pool_snapshot::load(&mut self.etcd, &self.prefix, settings, position).await {
                        Ok(Some((revision, machine))) => self.jump(machine, revision),
                        Ok(None) => {
                            tracing::error!("the pool has no snapshot that covers what was compacted")
                        }
                        Err(why) => tracing::warn!("the pool's snapshot cannot be taken: {why}"),
                    }
                }
                why => tracing::warn!("{why}; watching anew"),
            }
            self.etcd.turn();
            sleep(PAUSE).await;
        }
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, ClusterError> {
        let from = self.shared.position() + 1;
        let mut watch = self.etcd.another().watch(&format!("{}/log/", self.prefix), from).await?;
        loop {
            match watch.next().await? {
                Some(puts) => puts.into_iter().for_each(|put| self.apply(put)),
                None => {
                    if newest(&mut self.etcd, &self.prefix).await? > self.shared.position() {
                        return Err(ClusterError::Refused("the watch has fallen silent".into()));
                    }
                }
            }
        }
    }

    /// Goes on from the pool's snapshot. What became of the batches that it covers cannot be told any more.
    fn jump(&self, machine: Machine, revision: u64) {
        self.shared.replace(machine, revision);
        self.applied.send_replace(revision);
        let lost: Vec<_> = locked(&self.pending).drain().flat_map(|(_, asked)| asked).collect();
        lost.into_iter().for_each(|asked| _ = asked.send(Err(StoreError::Untold)));
    }

    fn apply(&self, put: Put) {
        let entries = entries(&put.value);
        if entries.is_none() {
            // All instances see the same bytes, so all leave it out.
            tracing::error!("the batch of revision {} cannot be read; it is left out", put.revision);
        }
        let answers = self.shared.apply(&entries.unwrap_or_default(), put.revision);
        self.applied.send_replace(put.revision);
        let mine = locked(&self.pending).remove(&put.key).unwrap_or_default();
        // Whoever asked may have gone: the command was carried out all the same.
        mine.into_iter().zip(answers).for_each(|(asked, answer)| _ = asked.send(Ok(answer)));
    }
}

fn entries(value: &[u8]) -> Option<Vec<Entry>> {
    let mut decoder = minicbor::Decoder::new(value);
    let mut entries = Vec::new();
    while decoder.position() < value.len() {
        entries.push(decoder.decode().ok()?);
    }
    Some(entries)
}

/// The revision of the newest batch.
async fn newest(etcd: &mut Etcd, prefix: &str) -> Result<u64, ClusterError> {
    etcd.modified(&format!("{prefix}/head")).await
}

/// Answers reads that want to be fresh.
async fn fence(mut etcd: Etcd, prefix: String, mut asked: mpsc::Receiver<Fence>, seen: watch::Receiver<u64>) {
    while let Some(first) = asked.recv().await {
        let mut waiting = vec![first];
        while let Ok(next) = asked.try_recv() {
            waiting.push(next);
        }
        let newest = newest(&mut etcd, &prefix).await;
        let mut seen = seen.clone();
        tokio::spawn(async move {
            let outcome = match newest {
                Err(why) => Err(told(&why)),
                Ok(revision) => {
                    match timeout(FRESH_WITHIN, seen.wait_for(|applied| *applied >= revision)).await {
                        Ok(Ok(_)) => Ok(()),
                        _ => Err(StoreError::Cluster(
                            "this instance is behind the cluster; ask again later".into(),
                        )),
                    }
                }
            };
            waiting.into_iter().for_each(|fence| _ = fence.send(outcome.clone()));
        });
    }
}
