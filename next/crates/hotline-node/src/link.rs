//! The link to the peers: QUIC, TLS 1.3, both sides known by their pinned Ed25519 keys as raw public keys (RFC
//! 7250). Of two parties the one whose name sorts first calls, the other answers.
//!
//! Each side opens one stream a lane, so that a full lower lane never holds up a higher one. A message is a length
//! of four bytes, big-endian, and that many bytes. What a peer may send is metered: beyond its allowance its
//! streams are read more slowly, which slows only this peer.

use crate::NodeError;
use crate::engine::Engine;
use crate::pinned_tls::{Pinned, endpoint};
use hotline_ledger::PartyName;
use hotline_line::{Lane, LineConfig, MAX_MESSAGE_BYTES, Message};
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use rustls::pki_types::CertificateDer;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, error::TrySendError};

const LANES: [Lane; 3] = [Lane::Urgent, Lane::Ledger, Lane::Tracks];
/// Messages that may wait for a peer in each lane. When the first two are full the connection is ended, to be
/// begun anew from what the peer holds; when the third is full, tracks are dropped: newer ones follow.
const WAITING: [usize; 3] = [1_024, 4_096, 64];
/// What a peer may send without being slowed, bytes a second, and at once.
const ALLOWED_PER_SECOND: f64 = 8.0e6;
const ALLOWED_AT_ONCE: f64 = 32.0e6;
const CALL_AGAIN: Duration = Duration::from_millis(700);
/// A call that is not answered by then is given up and made anew.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// The way to a connected peer.
#[derive(Debug, Clone)]
pub(crate) struct LinkHandle {
    lanes: Arc<[mpsc::Sender<Message>; 3]>,
    connection: Connection,
}

impl LinkHandle {
    pub(crate) fn send(&self, message: Message) {
        let lane = message.lane();
        // When the connection has ended its lanes are closed; what was not sent will be asked for on the next one.
        let full = matches!(self.lanes[lane as usize].try_send(message), Err(TrySendError::Full(_)));
        if full && lane != Lane::Tracks {
            tracing::warn!("a peer does not keep up: the connection begins anew");
            self.close();
        }
    }

    pub(crate) fn close(&self) {
        self.connection.close(VarInt::from_u32(1), b"begin anew");
    }
}

/// The peers that are connected now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links(Arc<Mutex<BTreeMap<PartyName, LinkHandle>>>);

impl Links {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PartyName, LinkHandle>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn get(&self, peer: &PartyName) -> Option<LinkHandle> {
        self.lock().get(peer).cloned()
    }

    fn replace(&self, peer: &PartyName, new: LinkHandle) -> Option<LinkHandle> {
        self.lock().insert(peer.clone(), new)
    }

    /// Takes a peer's connection out, unless a newer one has taken its place.
    fn remove(&self, peer: &PartyName, connection: &Connection) -> bool {
        let mut links = self.lock();
        let mine = links.get(peer).is_some_and(|l| l.connection.stable_id() == connection.stable_id());
        if mine {
            links.remove(peer);
        }
        mine
    }

    pub(crate) fn all(&self) -> Vec<LinkHandle> {
        self.lock().values().cloned().collect()
    }
}

/// The running link.
pub(crate) struct Link {
    endpoint: Endpoint,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Link {
    pub(crate) fn start(
        config: &LineConfig,
        listen: SocketAddr,
        addresses: &BTreeMap<PartyName, SocketAddr>,
        links: &Links,
        engine: &Engine,
    ) -> Result<Self, NodeError> {
        let pinned = Pinned::new(config);
        let endpoint = endpoint(&config.own.node, &pinned, listen)?;
        let own = config.own.known.party().clone();
        let mut tasks = Vec::new();
        let shared = Shared { pinned, links: links.clone(), engine: engine.clone() };
        tasks.push(tokio::spawn(answer(endpoint.clone(), own.clone(), shared.clone())));
        for (peer, address) in addresses.iter().filter(|(peer, _)| own < **peer) {
            tasks.push(tokio::spawn(call(endpoint.clone(), peer.clone(), *address, shared.clone())));
        }
        Ok(Self { endpoint, tasks })
    }

    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    pub(crate) async fn stop(self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        self.endpoint.close(VarInt::from_u32(0), b"the node stops");
        self.endpoint.wait_idle().await;
    }
}

#[derive(Clone)]
struct Shared {
    pinned: Pinned,
    links: Links,
    engine: Engine,
}

impl Shared {
    /// The party at the other end, by the key it has shown.
    fn party(&self, connection: &Connection) -> Option<PartyName> {
        let identity = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
        self.pinned.party(identity.first()?).cloned()
    }
}

async fn answer(endpoint: Endpoint, own: PartyName, shared: Shared) {
    while let Some(incoming) = endpoint.accept().await {
        let (shared, own) = (shared.clone(), own.clone());
        tokio::spawn(async move {
            let from = incoming.remote_address();
            let connection = match incoming.await {
                Ok(connection) => connection,
                Err(e) => return tracing::warn!("a call from {from} was refused: {e}"),
            };
            match shared.party(&connection) {
                Some(peer) if peer < own => serve(connection, peer, shared).await,
                _ => connection.close(VarInt::from_u32(2), b"this party does not call, it answers"),
            }
        });
    }
}

async fn call(endpoint: Endpoint, peer: PartyName, address: SocketAddr, shared: Shared) {
    loop {
        // The name is not looked at: keys are pinned.
        let called = async {
            endpoint.connect(address, "hotline").map_err(|e| e.to_string())?.await.map_err(|e| e.to_string())
        };
        match tokio::time::timeout(CALL_TIMEOUT, called).await {
            Ok(Ok(connection)) => match shared.party(&connection) {
                Some(party) if party == peer => serve(connection, party, shared.clone()).await,
                other => tracing::warn!("{address} is not {peer} but {other:?}: check its address"),
            },
            Ok(Err(e)) => tracing::debug!("calling {peer} at {address}: {e}"),
            Err(_) => tracing::debug!("calling {peer} at {address}: no answer"),
        }
        tokio::time::sleep(CALL_AGAIN).await;
    }
}

/// Serves a connection until it ends.
async fn serve(connection: Connection, peer: PartyName, shared: Shared) {
    tracing::info!("connected with {peer} at {}", connection.remote_address());
    let (senders, receivers): (Vec<_>, Vec<_>) = WAITING.iter().map(|&n| mpsc::channel(n)).unzip();
    let lanes: [mpsc::Sender<Message>; 3] = senders.try_into().expect("three lanes");
    let handle = LinkHandle { lanes: Arc::new(lanes), connection: connection.clone() };
    if let Some(old) = shared.links.replace(&peer, handle) {
        old.close();
    }
    let mut writers = tokio::task::JoinSet::new();
    for (lane, receiver) in LANES.into_iter().zip(receivers) {
        writers.spawn(write_lane(connection.clone(), lane, receiver));
    }
    shared.engine.connected(peer.clone()).await;

    let meter = Arc::new(tokio::sync::Mutex::new(Meter::new()));
    let mut readers = tokio::task::JoinSet::new();
    while let Ok(stream) = connection.accept_uni().await {
        let (peer, shared, meter, connection) =
            (peer.clone(), shared.clone(), meter.clone(), connection.clone());
        readers.spawn(async move {
            if let Err(why) = read_lane(stream, &peer, &shared.engine, &meter).await {
                tracing::warn!("{peer}: {why}; the connection begins anew");
                connection.close(VarInt::from_u32(3), b"malformed");
            }
        });
    }
    // Messages that came in go to the core before the word that the connection is gone.
    readers.join_all().await;
    writers.abort_all();
    if shared.links.remove(&peer, &connection) {
        tracing::info!(
            "connection with {peer} ended: {:?}",
            connection.close_reason().map(|r| r.to_string())
        );
        shared.engine.disconnected(peer).await;
    }
}

async fn write_lane(connection: Connection, lane: Lane, mut messages: mpsc::Receiver<Message>) {
    let Ok(mut stream) = connection.open_uni().await else { return };
    let priority = LANES.len() as i32 - lane as i32;
    let write = async |stream: &mut SendStream, bytes: &[u8]| stream.write_all(bytes).await;
    if stream.set_priority(priority).is_err() || write(&mut stream, &[lane as u8]).await.is_err() {
        return;
    }
    while let Some(message) = messages.recv().await {
        let bytes = message.to_bytes();
        let length = u32::try_from(bytes.len()).expect("messages are bounded").to_be_bytes();
        if write(&mut stream, &length).await.is_err() || write(&mut stream, &bytes).await.is_err() {
            return;
        }
    }
}

/// Reads one lane until the stream ends. An error is the peer's fault.
async fn read_lane(
    mut stream: RecvStream,
    peer: &PartyName,
    engine: &Engine,
    meter: &tokio::sync::Mutex<Meter>,
) -> Result<(), String> {
    let mut lane = [0];
    if stream.read_exact(&mut lane).await.is_err() {
        return Ok(());
    }
    let lane = *LANES.get(usize::from(lane[0])).ok_or_else(|| format!("there is no lane {}", lane[0]))?;
    loop {
        let mut length = [0; 4];
        if stream.read_exact(&mut length).await.is_err() {
            return Ok(());
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_MESSAGE_BYTES {
            return Err(format!("a message of {length} bytes where at most {MAX_MESSAGE_BYTES} are allowed"));
        }
        let wait = meter.lock().await.pay(length + 4);
        if !wait.is_zero() {
            tracing::warn!("{peer} sends more than its allowance: slowed by {} ms", wait.as_millis());
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
}

impl Meter {
    fn new() -> Self {
        Self { left: ALLOWED_AT_ONCE, filled: Instant::now() }
    }

    /// Pays for so many bytes; gives how long to wait until they are paid for.
    fn pay(&mut self, bytes: usize) -> Duration {
        let now = Instant::now();
        let earned = now.duration_since(self.filled).as_secs_f64() * ALLOWED_PER_SECOND;
        self.left = (self.left + earned).min(ALLOWED_AT_ONCE) - bytes as f64;
        self.filled = now;
        Duration::from_secs_f64((-self.left / ALLOWED_PER_SECOND).max(0.0))
    }
}
