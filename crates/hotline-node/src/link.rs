//! The link to the peers: QUIC, TLS 1.3, both sides known by their pinned Ed25519 keys as raw public keys (RFC
//! 7250). Of two parties the one whose name sorts first calls, the other answers.
//!
//! Each side opens one stream a lane, so that a full lower lane never holds up a higher one. A message is a length
//! of four bytes, big-endian, and that many bytes. What a peer may send is metered: beyond its allowance its
//! streams are read more slowly, which slows only this peer.

use crate::NodeError;
use crate::engine::Engine;
use hotline_ledger::{PartyName, SigningKey, VerifyingKey};
use hotline_line::{Lane, LineConfig, MAX_MESSAGE_BYTES, Message};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{Connection, Endpoint, RecvStream, SendStream, TransportConfig, VarInt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const PROTOCOL: &[u8] = b"hotline/1";
const LANES: [Lane; 3] = [Lane::Urgent, Lane::Ledger, Lane::Tracks];
/// Messages that may wait for a peer in each lane. When the first two are full the connection is ended, to be
/// begun anew from what the peer holds; when the third is full, tracks are dropped: newer ones follow.
const WAITING: [usize; 3] = [1_024, 4_096, 64];
/// What a peer may send without being slowed, bytes a second, and at once.
const ALLOWED_PER_SECOND: f64 = 8.0e6;
const ALLOWED_AT_ONCE: f64 = 32.0e6;
const KEEP_ALIVE: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(6);
const CALL_AGAIN: Duration = Duration::from_millis(700);
/// A call that is not answered by then is given up and made anew.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// The header of an Ed25519 SubjectPublicKeyInfo (RFC 8410).
const SPKI_HEADER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The header of an Ed25519 PKCS #8 private key (RFC 8410).
const PKCS8_HEADER: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

fn spki(key: &VerifyingKey) -> Vec<u8> {
    [&SPKI_HEADER[..], key.as_bytes()].concat()
}

/// The parties by the keys that their nodes may show.
#[derive(Debug, Clone)]
struct Pinned(Vec<(PartyName, Vec<u8>)>);

impl Pinned {
    fn new(config: &LineConfig) -> Self {
        let keys = config.peers.iter().flat_map(|p| p.node_keys().map(|k| (p.party().clone(), spki(&k))));
        Self(keys.collect())
    }

    fn party(&self, shown: &CertificateDer<'_>) -> Option<&PartyName> {
        self.0.iter().find(|(_, key)| key.as_slice() == shown.as_ref()).map(|(party, _)| party)
    }
}

/// Accepts exactly the pinned keys: any party's on answering, the called party's on calling.
#[derive(Debug)]
struct PinVerifier {
    pinned: Pinned,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinVerifier {
    fn check(&self, shown: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        match self.pinned.party(shown) {
            Some(_) => Ok(()),
            None => {
                Err(rustls::Error::General("the key that was shown is not that of a paired party".into()))
            }
        }
    }

    fn signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = SubjectPublicKeyInfoDer::from(shown.as_ref());
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }
}

const NO_TLS12: rustls::Error =
    rustls::Error::PeerIncompatible(rustls::PeerIncompatible::Tls13RequiredForQuic);

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(shown).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(NO_TLS12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for PinVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(shown).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(NO_TLS12)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

fn trouble(e: impl std::fmt::Display) -> NodeError {
    NodeError::Link(e.to_string())
}

fn transport() -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(VarInt::from_u32(IDLE.as_millis() as u32).into()))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(LANES.len() as u32));
    Arc::new(transport)
}

/// The endpoint: the same key answers and calls.
fn endpoint(key: &SigningKey, pinned: &Pinned, listen: SocketAddr) -> Result<Endpoint, NodeError> {
    let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
    let secret = PrivatePkcs8KeyDer::from([&PKCS8_HEADER[..], &key.to_bytes()].concat());
    let signer = provider.key_provider.load_private_key(PrivateKeyDer::from(secret)).map_err(trouble)?;
    let shown = CertificateDer::from(spki(&key.verifying_key()));
    let own = Arc::new(CertifiedKey::new(vec![shown], signer));
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(PinVerifier { pinned: pinned.clone(), algorithms });

    let tls13 = &[&rustls::version::TLS13];
    let mut server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(tls13)
        .map_err(trouble)?
        .with_client_cert_verifier(verifier.clone())
        .with_cert_resolver(Arc::new(rustls::server::AlwaysResolvesServerRawPublicKeys::new(own.clone())));
    server.alpn_protocols = vec![PROTOCOL.to_vec()];
    let mut server =
        quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(server).map_err(trouble)?));
    server.transport_config(transport());

    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(tls13)
        .map_err(trouble)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(rustls::client::AlwaysResolvesClientRawPublicKeys::new(own)));
    client.alpn_protocols = vec![PROTOCOL.to_vec()];
    let mut client = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(client).map_err(trouble)?));
    client.transport_config(transport());

    let mut endpoint =
        Endpoint::server(server, listen).map_err(|source| NodeError::Listen { address: listen, source })?;
    endpoint.set_default_client_config(client);
    Ok(endpoint)
}

/// The way to a connected peer.
#[derive(Debug, Clone)]
pub(crate) struct LinkHandle {
    lanes: Arc<[mpsc::Sender<Message>; 3]>,
    connection: Connection,
}

impl LinkHandle {
    pub(crate) fn send(&self, message: Message) {
        let lane = message.lane();
        if self.lanes[lane as usize].try_send(message).is_err() && lane != Lane::Tracks {
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
