//! A peer that floods, for measuring what it does to others: `hotline bench alert --flood`.

use crate::carrier::{Carrier, call_quic};
use crate::pinned_tls::{Pinned, Tls};
use crate::{Folder, NodeError};
use hotline_ledger::PartyName;
use hotline_line::Message;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Calls every peer whose name sorts after this party's, with its real key, and sends as much as the connection takes on all
/// lanes: checks to be answered, calls for ledgers, tracks, all well formed. Until `stop`; counts messages in `sent`.
///
/// # Errors
/// When the link cannot be set up.
pub async fn flood(folder: &Folder, stop: Arc<AtomicBool>, sent: Arc<AtomicU64>) -> Result<(), NodeError> {
    let pinned = Pinned::default();
    let keys = folder.peers.iter().flat_map(|(keys, _)| keys.node_keys().map(|k| (keys.party().clone(), k)));
    pinned.set(&keys.collect::<Vec<_>>());
    let endpoint = Tls::new(&folder.own.node, &pinned)?.quic("127.0.0.1:0".parse().expect("an address"))?;
    let own = folder.own.known.party().clone();
    let mut tasks = tokio::task::JoinSet::new();
    for (keys, address) in folder.peers.iter().filter(|(keys, _)| own < *keys.party()) {
        let (endpoint, pinned, peer, address) =
            (endpoint.clone(), pinned.clone(), keys.party().clone(), *address);
        let (stop, sent) = (stop.clone(), sent.clone());
        tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                match call_quic(&endpoint, address, &pinned).await {
                    Ok(carrier) => pour(carrier, &peer, &stop, &sent).await,
                    Err(why) => tracing::debug!("{peer}: {why}"),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    tasks.join_all().await;
    Ok(())
}

async fn pour(carrier: Carrier, peer: &PartyName, stop: &AtomicBool, sent: &AtomicU64) {
    let frame = |message: &Message| {
        let bytes = message.to_bytes();
        [&(bytes.len() as u32).to_be_bytes()[..], &bytes].concat()
    };
    let check = |n: u64| frame(&Message::Check { nonce: n, time: Timestamp::now() });
    let want = frame(&Message::Want { ledger: peer.clone(), from: 0 });
    let tracks = frame(&Message::Tracks(Vec::new()));
    let [mut urgent, mut ledger, mut third] = carrier.writers;
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        // A few hundred at a time, so that writing costs little beside sending.
        let checks: Vec<u8> = (0..256).flat_map(|i| check(n + i)).collect();
        let written = async {
            urgent.write_all(&checks).await?;
            ledger.write_all(&want.repeat(16)).await?;
            third.write_all(&tracks.repeat(16)).await
        };
        match tokio::time::timeout(Duration::from_secs(2), written).await {
            Ok(Ok(())) => {}
            // It is slowed, or has been cut off: it calls again.
            _ => break,
        }
        n += 256;
        sent.fetch_add(288, Ordering::Relaxed);
    }
    carrier.closer.close(0, "enough");
}
