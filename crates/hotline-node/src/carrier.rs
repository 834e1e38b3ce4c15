//! What carries the line to a peer: QUIC, or TLS over TCP where the network lets no datagrams through.
//!
//! Each side has one stream a lane, so that a full lower lane never holds up a higher one. QUIC has them in one
//! connection. Over TCP each lane is a connection of its own; the three that belong together begin with the lane and
//! the same sixteen bytes, drawn by the caller. TCP itself does not notice soon that the other end is gone, so that an
//! empty frame goes over every lane that has nothing else to say.

use crate::pinned_tls::Pinned;
use hotline_ledger::PartyName;
use hotline_line::Lane;
use quinn::{Connection, Endpoint, VarInt};
use rustls::pki_types::{CertificateDer, ServerName};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

pub(crate) const LANES: [Lane; 3] = [Lane::Urgent, Lane::Ledger, Lane::Tracks];
/// A call that is not answered by then is given up.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// Lanes of one caller that do not become three by then are dropped.
const GROUP_TIMEOUT: Duration = Duration::from_secs(5);
/// The most callers whose lanes are not complete.
const MAX_GROUPS: usize = 64;

pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Ends a connection and tells when it has ended.
#[derive(Debug, Clone)]
pub(crate) enum Closer {
    Quic(Connection),
    Tcp(u64, Arc<watch::Sender<bool>>),
}

impl Closer {
    fn tcp() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self::Tcp(NEXT.fetch_add(1, Ordering::Relaxed), Arc::new(watch::Sender::new(false)))
    }

    pub(crate) fn close(&self, code: u32, why: &str) {
        match self {
            Self::Quic(connection) => connection.close(VarInt::from_u32(code), why.as_bytes()),
            Self::Tcp(_, closed) => _ = closed.send_replace(true),
        }
    }

    pub(crate) async fn closed(&self) {
        match self {
            Self::Quic(connection) => _ = connection.closed().await,
            // The sender is in our hand: it cannot go before the word comes.
            Self::Tcp(_, closed) => _ = closed.subscribe().wait_for(|closed| *closed).await,
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Quic(a), Self::Quic(b)) => a.stable_id() == b.stable_id(),
            (Self::Tcp(a, _), Self::Tcp(b, _)) => a == b,
            _ => false,
        }
    }

    /// What carries it, as officers and administrators see it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Quic(_) => "QUIC",
            Self::Tcp(..) => "TLS over TCP",
        }
    }
}

/// A connection with a peer.
pub(crate) struct Carrier {
    pub(crate) party: PartyName,
    pub(crate) writers: [Writer; 3],
    /// Each begins with the number of its lane.
    pub(crate) readers: mpsc::Receiver<Reader>,
    pub(crate) closer: Closer,
    /// How often an empty frame goes over a lane, and after how long without one the peer counts as gone.
    pub(crate) empty_frames: Option<(Duration, Duration)>,
}

const EMPTY_FRAMES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(7));

/// The party at the other end of a QUIC connection, by the key it has shown.
fn party(connection: &Connection, pinned: &Pinned) -> Option<PartyName> {
    let identity = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    pinned.party(identity.first()?)
}

/// Makes a carrier of a QUIC connection, unless the peer does not let the lanes be opened in time.
pub(crate) async fn over_quic(connection: Connection, pinned: &Pinned) -> Result<Carrier, String> {
    let opened = tokio::time::timeout(CALL_TIMEOUT, open_lanes(connection, pinned)).await;
    opened.unwrap_or_else(|_| Err("its lanes cannot be opened".into()))
}

async fn open_lanes(connection: Connection, pinned: &Pinned) -> Result<Carrier, String> {
    let party = party(&connection, pinned).ok_or("the key that was shown is not that of a member")?;
    let mut writers = Vec::new();
    for lane in LANES {
        let mut stream = connection.open_uni().await.map_err(|e| e.to_string())?;
        stream.set_priority(LANES.len() as i32 - lane as i32).map_err(|e| e.to_string())?;
        stream.write_all(&[lane as u8]).await.map_err(|e| e.to_string())?;
        writers.push(Box::new(stream) as Writer);
    }
    let (sender, readers) = mpsc::channel(LANES.len());
    let accepting = connection.clone();
    tokio::spawn(async move {
        while let Ok(stream) = accepting.accept_uni().await {
            if sender.send(Box::new(stream) as Reader).await.is_err() {
                return;
            }
        }
    });
    let Ok(writers) = writers.try_into() else { unreachable!("three lanes") };
    Ok(Carrier { party, writers, readers, closer: Closer::Quic(connection), empty_frames: None })
}

/// Calls a peer over QUIC.
pub(crate) async fn call_quic(
    endpoint: &Endpoint,
    address: SocketAddr,
    pinned: &Pinned,
) -> Result<Carrier, String> {
    let called = async {
        // The name is not looked at: keys are pinned.
        let connecting = endpoint.connect(address, "hotline").map_err(|e| e.to_string())?;
        over_quic(connecting.await.map_err(|e| e.to_string())?, pinned).await
    };
    tokio::time::timeout(CALL_TIMEOUT, called).await.unwrap_or_else(|_| Err("no answer".into()))
}

/// Who calls, and the bytes that its lanes have in common.
type Caller = (PartyName, [u8; 16]);
type Lanes = [Option<TlsStream<TcpStream>>; 3];

fn over_tcp(party: PartyName, lanes: [TlsStream<TcpStream>; 3]) -> Carrier {
    let (sender, readers) = mpsc::channel(LANES.len());
    let mut number = 0;
    let writers = lanes.map(|lane| {
        let (reader, writer) = tokio::io::split(lane);
        // Which lane it is has been read already, from whoever called; the answering side sends no such byte.
        let reader = std::io::Cursor::new(vec![number]).chain(reader);
        number += 1;
        sender.try_send(Box::new(reader) as Reader).expect("room for three lanes");
        Box::new(writer) as Writer
    });
    Carrier { party, writers, readers, closer: Closer::tcp(), empty_frames: Some(EMPTY_FRAMES) }
}

fn tcp_party(certificates: Option<&[CertificateDer<'_>]>, pinned: &Pinned) -> Option<PartyName> {
    pinned.party(certificates?.first()?)
}

/// Calls a peer over TCP.
pub(crate) async fn call_tcp(
    connector: &TlsConnector,
    address: SocketAddr,
    pinned: &Pinned,
) -> Result<Carrier, String> {
    let mut group = [0; 16];
    getrandom::fill(&mut group).map_err(|e| e.to_string())?;
    let called = async {
        let (mut lanes, mut party) = (Vec::new(), None);
        for lane in LANES {
            let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
            stream.set_nodelay(true).map_err(|e| e.to_string())?;
            let name = ServerName::try_from("hotline").expect("a name");
            let mut stream = connector.connect(name, stream).await.map_err(|e| e.to_string())?;
            let shown = tcp_party(stream.get_ref().1.peer_certificates(), pinned);
            if shown.is_none() || (party.is_some() && shown != party) {
                return Err("the key that was shown is not that of a member".to_owned());
            }
            party = shown;
            stream.write_all(&[&[lane as u8][..], &group].concat()).await.map_err(|e| e.to_string())?;
            stream.flush().await.map_err(|e| e.to_string())?;
            lanes.push(TlsStream::from(stream));
        }
        let lanes = lanes.try_into().expect("three lanes");
        Ok(over_tcp(party.expect("three lanes"), lanes))
    };
    tokio::time::timeout(CALL_TIMEOUT, called).await.unwrap_or_else(|_| Err("no answer".into()))
}

/// Brings the lanes of each caller together.
#[derive(Clone, Default)]
pub(crate) struct Groups(Arc<Mutex<BTreeMap<Caller, (Instant, Lanes)>>>);

impl Groups {
    /// Takes in one lane; gives the carrier when it was the last of three.
    pub(crate) async fn take_in(
        &self,
        stream: TcpStream,
        acceptor: &TlsAcceptor,
        pinned: &Pinned,
    ) -> Result<Option<Carrier>, String> {
        let accepted = async {
            stream.set_nodelay(true).map_err(|e| e.to_string())?;
            let mut stream = acceptor.accept(stream).await.map_err(|e| e.to_string())?;
            let mut begin = [0; 17];
            stream.read_exact(&mut begin).await.map_err(|e| e.to_string())?;
            Ok::<_, String>((stream, begin))
        };
        let accepted = tokio::time::timeout(CALL_TIMEOUT, accepted).await;
        let (stream, begin) = accepted.unwrap_or_else(|_| Err("no greeting".into()))?;
        let party = tcp_party(stream.get_ref().1.peer_certificates(), pinned)
            .ok_or("the key that was shown is not that of a member")?;
        let group: [u8; 16] = begin[1..].try_into().expect("sixteen bytes");
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.retain(|_, (since, _)| since.elapsed() < GROUP_TIMEOUT);
        let key = (party, group);
        if groups.len() >= MAX_GROUPS && !groups.contains_key(&key) {
            return Err(format!("{MAX_GROUPS} callers have not opened all their lanes"));
        }
        let (_, lanes) = groups.entry(key.clone()).or_insert_with(|| (Instant::now(), [None, None, None]));
        let lane =
            lanes.get_mut(usize::from(begin[0])).ok_or_else(|| format!("there is no lane {}", begin[0]))?;
        if lane.is_some() {
            return Err(format!("lane {} came twice", begin[0]));
        }
        *lane = Some(TlsStream::from(stream));
        if lanes.iter().any(Option::is_none) {
            return Ok(None);
        }
        let (_, lanes) = groups.remove(&key).expect("it was just there");
        Ok(Some(over_tcp(key.0, lanes.map(|lane| lane.expect("all three are there")))))
    }
}
