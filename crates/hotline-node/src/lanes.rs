//! One connection with a peer, from its beginning to its end: its lanes written and read, and what it may send metered.

use crate::carrier::{Carrier, LANES, Reader, Writer};
use crate::engine::Engine;
use crate::link::{LinkHandle, Shared};
use hotline_ledger::PartyName;
use hotline_line::{MAX_MESSAGE_BYTES, Message};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Messages that may wait for a peer in each lane. When the first two are full the connection is ended, to be
/// begun anew from what the peer holds; when the third is full, tracks are dropped: newer ones follow.
const WAITING: [usize; 3] = [1_024, 4_096, 64];
/// What a peer may send without being slowed, bytes a second, and at once.
const ALLOWED_PER_SECOND: f64 = 16.0e6;
const ALLOWED_AT_ONCE: f64 = 64.0e6;
/// What a message costs beside its bytes: many small ones are as much work as few large ones.
const MESSAGE_COST: usize = 4_096;
/// That a peer is slowed is logged so often at most.
const TELL_SLOWED: Duration = Duration::from_secs(10);
/// Serves a connection until it ends.
pub(crate) async fn serve(carrier: Carrier, shared: &Shared) {
    let Carrier { party: peer, writers, readers: mut incoming, closer, empty_frames } = carrier;
    tracing::info!("connected with {peer} by {}", closer.name());
    let (senders, receivers): (Vec<_>, Vec<_>) = WAITING.iter().map(|&n| mpsc::channel(n)).unzip();
    let lanes: [mpsc::Sender<Message>; 3] = senders.try_into().expect("three lanes");
    let handle = LinkHandle { lanes: Arc::new(lanes), closer: closer.clone() };
    if let Some(old) = shared.links.replace(&peer, handle) {
        old.close();
    }
    let (every, idle) = empty_frames.unzip();
    let mut tasks = JoinSet::new();
    for (writer, receiver) in writers.into_iter().zip(receivers) {
        let closer = closer.clone();
        tasks.spawn(async move {
            if !write_lane(writer, receiver, every).await {
                closer.close(0, "a lane has ended");
            }
        });
    }
    static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
    let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    shared.engine.connected(peer.clone(), connection).await;

    let meter = Arc::new(tokio::sync::Mutex::new(Meter::new()));
    let mut readers = JoinSet::new();
    while let Some(stream) = incoming.recv().await {
        let (peer, engine, meter, closer) =
            (peer.clone(), shared.engine.clone(), meter.clone(), closer.clone());
        readers.spawn(async move {
            let ended = tokio::select! {
                ended = read_lane(stream, &peer, &engine, &meter, idle) => ended,
                // A QUIC stream ends with its connection, after what has come in by then has been read.
                () = closer.closed(), if idle.is_some() => Ok(()),
            };
            match ended {
                Ok(()) => closer.close(0, "a lane has ended"),
                Err(why) => {
                    tracing::warn!("{peer}: {why}; the connection begins anew");
                    engine.garbage(peer).await;
                    closer.close(3, "malformed");
                }
            }
        });
    }
    // Messages that came in go to the core before the word that the connection is gone.
    readers.join_all().await;
    tasks.abort_all();
    if shared.links.remove(&peer, &closer) {
        tracing::info!("the connection with {peer} has ended");
        shared.engine.disconnected(peer, connection).await;
    }
}

/// Writes one lane until there is nothing more to come. False when the connection fails.
async fn write_lane(
    mut stream: Writer,
    mut messages: mpsc::Receiver<Message>,
    empty_frames: Option<Duration>,
) -> bool {
    loop {
        let message = match empty_frames {
            None => messages.recv().await,
            Some(every) => match tokio::time::timeout(every, messages.recv()).await {
                Ok(message) => message,
                Err(_) => {
                    if stream.write_all(&[0; 4]).await.is_err() || stream.flush().await.is_err() {
                        return false;
                    }
                    continue;
                }
            },
        };
        let Some(message) = message else { return true };
        let bytes = message.to_bytes();
        let length = u32::try_from(bytes.len()).expect("messages are bounded").to_be_bytes();
        let written = async {
            stream.write_all(&length).await?;
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        if written.await.is_err() {
            return false;
        }
    }
}

/// Reads one lane until the stream ends. An error is the peer's fault.
async fn read_lane(
    mut stream: Reader,
    peer: &PartyName,
    engine: &Engine,
    meter: &tokio::sync::Mutex<Meter>,
    idle: Option<Duration>,
) -> Result<(), String> {
    let mut lane = [0];
    if stream.read_exact(&mut lane).await.is_err() {
        return Ok(());
    }
    let lane = *LANES.get(usize::from(lane[0])).ok_or_else(|| format!("there is no lane {}", lane[0]))?;
    loop {
        let mut length = [0; 4];
        let read = async { stream.read_exact(&mut length).await.is_ok() };
        let there = match idle {
            None => read.await,
            Some(idle) => tokio::time::timeout(idle, read).await.unwrap_or(false),
        };
        if !there {
            return Ok(());
        }
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 && idle.is_some() {
            continue;
        }
        if length > MAX_MESSAGE_BYTES {
            return Err(format!("a message of {length} bytes where at most {MAX_MESSAGE_BYTES} are allowed"));
        }
        let (wait, tell) = meter.lock().await.pay(length + MESSAGE_COST);
        if tell {
            tracing::warn!("{peer} sends more than its allowance: slowed by {} ms", wait.as_millis());
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let mut bytes = vec![0; length];
        if stream.read_exact(&mut bytes).await.is_err() {
            return Ok(());
        }
        let message = Message::from_bytes(&bytes).map_err(|e| e.to_string())?;
        if message.lane() != lane {
            return Err("a message came in the wrong lane".into());
        }
        if !engine.message(peer.clone(), message).await {
            return Ok(());
        }
    }
}

/// An allowance that refills with time.
#[derive(Debug)]
struct Meter {
    left: f64,
    filled: Instant,
    /// When it was last told that the peer is slowed.
    told: Option<Instant>,
}

impl Meter {
    fn new() -> Self {
        Self { left: ALLOWED_AT_ONCE, filled: Instant::now(), told: None }
    }

    /// Pays for so many bytes; gives how long to wait until they are paid for, and whether that is to be told.
    fn pay(&mut self, bytes: usize) -> (Duration, bool) {
        let now = Instant::now();
        let earned = now.duration_since(self.filled).as_secs_f64() * ALLOWED_PER_SECOND;
        self.left = (self.left + earned).min(ALLOWED_AT_ONCE) - bytes as f64;
        self.filled = now;
        let wait = Duration::from_secs_f64((-self.left / ALLOWED_PER_SECOND).max(0.0));
        let tell = !wait.is_zero() && self.told.is_none_or(|at| now.duration_since(at) >= TELL_SLOWED);
        if tell {
            self.told = Some(now);
        }
        (wait, tell)
    }
}
