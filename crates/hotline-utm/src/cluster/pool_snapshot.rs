//! The pool's snapshot: the state in pieces under keys of its own, so that the log need not be kept for ever and an instance that comes
//! new has something to begin with.

use super::etcd::{ClusterError, Etcd, bytes, number, range_end, text};
use crate::StoreError;
use crate::snapshot_file;
use crate::store::{ANSWER_WITHIN, Shared};
use hotline_dss::{Machine, Settings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How often an instance looks whether a snapshot is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long an instance that has died holds others up, seconds.
const LEASE: u64 = 60;
/// How long the log is kept after the snapshot that covers it. That a batch is not put twice rests on its key being there, so this is longer
/// than a batch may be tried; and an instance that is behind has so long to see it.
const LOG_KEPT: Duration = Duration::from_secs(3 * ANSWER_WITHIN.as_secs());
/// One piece (etcd's own limit for a request is 1.5 MiB).
const PIECE: usize = 512 << 10;
/// How many keys are looked at, and removed, at a time (etcd's own limit for a transaction is 128).
const AT_ONCE: usize = 100;

#[derive(Serialize, Deserialize)]
struct Head {
    revision: u64,
    pieces: usize,
}

fn piece(prefix: &str, revision: u64, n: usize) -> String {
    format!("{prefix}/snapshot/{revision:020}/{n:06}")
}

fn head_key(prefix: &str) -> String {
    format!("{prefix}/snapshot-head")
}

async fn head(etcd: &mut Etcd, prefix: &str) -> Result<Option<Head>, ClusterError> {
    let found = etcd.get(&head_key(prefix)).await?;
    Ok(found.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// The pool's snapshot, when it is newer than a position.
pub(super) async fn load(
    etcd: &mut Etcd,
    prefix: &str,
    settings: Settings,
    position: u64,
) -> Result<Option<(u64, Machine)>, StoreError> {
    let told = |e: ClusterError| StoreError::Cluster(e.to_string());
    loop {
        let Some(head) = head(etcd, prefix).await.map_err(told)?.filter(|h| h.revision > position) else {
            return Ok(None);
        };
        let mut whole = Vec::new();
        for n in 0..head.pieces {
            match etcd.get(&piece(prefix, head.revision, n)).await.map_err(told)? {
                Some(part) => whole.extend(part),
                None => break,
            }
        }
        match snapshot_file::read(&whole[..], settings) {
            Ok((revision, machine)) => return Ok(Some((revision, machine))),
            // A newer one may have taken its place while it was read.
            Err(why) => {
                let again = self::head(etcd, prefix).await.map_err(told)?;
                if again.is_none_or(|again| again.revision == head.revision) {
                    return Err(StoreError::Cluster(format!("the pool's snapshot is damaged: {why}")));
                }
            }
        }
    }
}

/// Writes snapshots of the pool when they are due, and takes from the log what they cover.
pub(super) async fn keep(mut etcd: Etcd, prefix: String, shared: Arc<Shared>) {
    // The snapshot since which this instance counts.
    let mut newest = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if !shared.snapshot_is_due() {
            continue;
        }
        if let Ok(Some(head)) = head(&mut etcd, &prefix).await
            && head.revision > newest
        {
            // Another instance has written one meanwhile, or this one has: the count begins anew.
            newest = head.revision;
            shared.kept(shared.since_kept());
            continue;
        }
        match write(&mut etcd, &prefix, &shared).await {
            Ok(true) => tracing::info!("the log before the pool's snapshot is gone"),
            Ok(false) => {}
            Err(why) => tracing::warn!("the pool's snapshot could not be written: {why}"),
        }
    }
}

/// Writes a snapshot, unless another instance does, and takes from the log what it covers. Gives whether it was written.
async fn write(etcd: &mut Etcd, prefix: &str, shared: &Shared) -> Result<bool, ClusterError> {
    let granted = etcd.call_any("/v3/lease/grant", &json!({ "TTL": LEASE.to_string() })).await?;
    let lease = number(&granted["ID"]);
    let written = if etcd.create(&format!("{prefix}/snapshotting"), b"", Some(lease)).await? {
        write_alone(etcd, prefix, shared).await.map(Some)
    } else {
        Ok(None)
    };
    etcd.call_any("/v3/lease/revoke", &json!({ "ID": lease.to_string() })).await?;
    let Some(revision) = written? else { return Ok(false) };
    tracing::info!("the pool's snapshot of revision {revision} was written");
    // From here on everyone can begin with it, and what it covers can go after a while.
    tokio::time::sleep(LOG_KEPT).await;
    cut(etcd, prefix, revision).await.map(|()| true)
}

/// Gives the revision that the snapshot covers.
async fn write_alone(etcd: &mut Etcd, prefix: &str, shared: &Shared) -> Result<u64, ClusterError> {
    let before = etcd.modified(&head_key(prefix)).await?;
    let since = shared.since_kept();
    let (revision, items) = shared.items();
    let whole = tokio::task::spawn_blocking(move || snapshot_file::written(revision, items)).await;
    let whole = whole.map_err(|e| ClusterError::Refused(e.to_string()))?;
    let pieces = whole.len().div_ceil(PIECE);
    for (n, part) in whole.chunks(PIECE).enumerate() {
        put(etcd, &piece(prefix, revision, n), part).await?;
    }
    let head = serde_json::to_vec(&Head { revision, pieces }).expect("a head is JSON");
    // Never over a newer one: its writer takes away what an older one would point at.
    if !etcd.replace(&head_key(prefix), &head, before).await? {
        return Err(ClusterError::Refused("another instance wrote a snapshot meanwhile".into()));
    }
    shared.kept(since);
    Ok(revision)
}

/// Removes what a snapshot covers.
async fn cut(etcd: &mut Etcd, prefix: &str, revision: u64) -> Result<(), ClusterError> {
    let old =
        json!({ "key": text(format!("{prefix}/snapshot/")), "range_end": text(piece(prefix, revision, 0)) });
    etcd.call_any("/v3/kv/deleterange", &old).await?;
    let log = format!("{prefix}/log/");
    let covered = json!({
        "key": text(&log), "range_end": text(range_end(&log)), "keys_only": true, "limit": AT_ONCE.to_string(),
        "max_mod_revision": revision.to_string(),
    });
    loop {
        let found = etcd.call_any("/v3/kv/range", &covered).await?;
        let keys: Vec<&Value> = found["kvs"].as_array().into_iter().flatten().map(|kv| &kv["key"]).collect();
        if keys.is_empty() {
            break;
        }
        let removals: Vec<Value> = keys
            .into_iter()
            .map(|key| json!({ "request_delete_range": { "key": text(bytes(key)) } }))
            .collect();
        etcd.call_any("/v3/kv/txn", &json!({ "success": removals })).await?;
    }
    let compacted = etcd.call_any("/v3/kv/compaction", &json!({ "revision": revision.to_string() })).await;
    // Another may have compacted further already.
    match compacted {
        Err(ClusterError::Refused(_)) => Ok(()),
        other => other.map(|_| ()),
    }
}

async fn put(etcd: &mut Etcd, key: &str, value: &[u8]) -> Result<(), ClusterError> {
    etcd.call_any("/v3/kv/put", &json!({ "key": text(key), "value": text(value) })).await.map(|_| ())
}
