//! The link to the peers: TLS 1.3, both sides known by their pinned Ed25519 keys as raw public keys (RFC 7250), over
//! QUIC or, where that does not come through, over TCP. Of two parties the one whose name sorts first calls, the other
//! answers.
//!
//! A message is a length of four bytes, big-endian, and that many bytes, on the lane it belongs to. What a peer may
//! send is metered: beyond its allowance its lanes are read more slowly, which slows only this peer. Who may connect
//! and where each is called follows the line: members, their keys, and addresses as the rulebook says.

use crate::NodeError;
use crate::carrier::{Carrier, Closer, Groups, call_quic, call_tcp, over_quic};
use crate::engine::Engine;
use crate::lanes::serve;
use crate::pinned_tls::{Pinned, Tls};
use hotline_ledger::{PartyName, VerifyingKey};
use hotline_line::{Lane, Line, Message, OwnKeys};
use quinn::{Endpoint, VarInt};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const CALL_AGAIN: Duration = Duration::from_millis(700);
/// While a peer is reached over TCP only, QUIC is tried so often.
const TRY_QUIC_AGAIN: Duration = Duration::from_secs(30);
/// Who may connect and where each is called is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The most TCP connections that have not yet shown who they are; further ones are closed at once.
const MAX_STRANGERS: usize = 256;

/// The way to a connected peer.
#[derive(Debug, Clone)]
pub(crate) struct LinkHandle {
    pub(crate) lanes: Arc<[mpsc::Sender<Message>; 3]>,
    pub(crate) closer: Closer,
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
        self.closer.close(1, "begin anew");
    }

    /// What carries it.
    pub(crate) fn carried_by(&self) -> &'static str {
        self.closer.name()
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

    pub(crate) fn replace(&self, peer: &PartyName, new: LinkHandle) -> Option<LinkHandle> {
        self.lock().insert(peer.clone(), new)
    }

    /// Takes a peer's connection out, unless a newer one has taken its place.
    pub(crate) fn remove(&self, peer: &PartyName, closer: &Closer) -> bool {
        let mut links = self.lock();
        let mine = links.get(peer).is_some_and(|l| l.closer.is(closer));
        if mine {
            links.remove(peer);
        }
        mine
    }

    pub(crate) fn all(&self) -> Vec<(PartyName, LinkHandle)> {
        self.lock().iter().map(|(peer, link)| (peer.clone(), link.clone())).collect()
    }
}

/// A member: the keys its node may show, and where it is called if the folder says nothing else.
struct Member {
    party: PartyName,
    keys: Vec<VerifyingKey>,
    address: Option<SocketAddr>,
}

fn members(line: &Line) -> Vec<Member> {
    let joined = &line.rulebook().joined;
    let own = line.party();
    let others = line.members().into_iter().filter(|party| party != own);
    others
        .filter_map(|party| {
            let keys = line.keys(&party)?.node_keys().collect();
            let address =
                joined.iter().find(|j| j.party == party.as_str()).and_then(|j| j.address.parse().ok());
            Some(Member { party, keys, address })
        })
        .collect()
}

/// The running link.
pub(crate) struct Link {
    endpoint: Endpoint,
    tasks: JoinSet<()>,
}

/// Both sockets of the link, on the same port.
async fn sockets(tls: &Tls, listen: SocketAddr) -> Result<(Endpoint, TcpListener), NodeError> {
    // A port that the system chose for datagrams may be taken for connections: then another is asked for.
    let tries = if listen.port() == 0 { 16 } else { 1 };
    let mut failed = None;
    for _ in 0..tries {
        let endpoint = tls.quic(listen)?;
        let address = endpoint.local_addr().map_err(NodeError::file("link"))?;
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok((endpoint, listener)),
            Err(source) => failed = Some(NodeError::Listen { address, source }),
        }
    }
    Err(failed.expect("it was tried"))
}

impl Link {
    pub(crate) async fn start(
        own: &OwnKeys,
        listen: SocketAddr,
        addresses: BTreeMap<PartyName, SocketAddr>,
        links: &Links,
        engine: &Engine,
    ) -> Result<Self, NodeError> {
        let pinned = Pinned::default();
        let tls = Tls::new(&own.node, &pinned)?;
        let (endpoint, listener) = sockets(&tls, listen).await?;
        let shared = Shared {
            own: own.known.party().clone(),
            endpoint: endpoint.clone(),
            connector: tls.connector(),
            pinned,
            links: links.clone(),
            engine: engine.clone(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(tend(addresses, shared.clone()));
        tasks.spawn(answer_tcp(listener, tls.acceptor(), shared.clone()));
        tasks.spawn(answer_quic(shared));
        Ok(Self { endpoint, tasks })
    }

    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    pub(crate) async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.endpoint.close(VarInt::from_u32(0), b"the node stops");
        self.endpoint.wait_idle().await;
    }
}

#[derive(Clone)]
pub(crate) struct Shared {
    own: PartyName,
    endpoint: Endpoint,
    connector: TlsConnector,
    pinned: Pinned,
    pub(crate) links: Links,
    pub(crate) engine: Engine,
}

/// Keeps who may connect, and who is called where, as the line says.
async fn tend(addresses: BTreeMap<PartyName, SocketAddr>, shared: Shared) {
    let mut calls: BTreeMap<PartyName, (SocketAddr, AbortHandle)> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    let mut pinned = Vec::new();
    while let Some(members) = shared.engine.look(|core| members(core.line())).await {
        let keys: Vec<_> =
            members.iter().flat_map(|m| m.keys.iter().map(|key| (m.party.clone(), *key))).collect();
        if keys != pinned {
            shared.pinned.set(&keys);
            // Whoever is connected by a key that no longer counts, or is no member any more, is so no longer.
            let of = |all: &[(PartyName, VerifyingKey)], party: &PartyName| -> Vec<VerifyingKey> {
                all.iter().filter(|(p, _)| p == party).map(|(_, key)| *key).collect()
            };
            let links = shared.links.all();
            let changed = links.iter().filter(|(party, _)| of(&keys, party) != of(&pinned, party));
            changed.for_each(|(_, link)| link.close());
            pinned = keys;
        }
        let called = members
            .iter()
            .filter(|m| shared.own < m.party)
            .filter_map(|m| Some((m.party.clone(), addresses.get(&m.party).copied().or(m.address)?)));
        let called: BTreeMap<PartyName, SocketAddr> = called.collect();
        calls.retain(|party, (address, task)| {
            let stays = called.get(party) == Some(address);
            if !stays {
                task.abort();
            }
            stays
        });
        for (party, address) in called {
            calls
                .entry(party.clone())
                .or_insert_with(|| (address, tasks.spawn(call(party, address, shared.clone()))));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn answer_quic(shared: Shared) {
    let mut tasks = JoinSet::new();
    while let Some(incoming) = shared.endpoint.accept().await {
        let shared = shared.clone();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let from = incoming.remote_address();
            let connection = match incoming.await {
                Ok(connection) => connection,
                Err(e) => return tracing::warn!("a call from {from} was refused: {e}"),
            };
            match over_quic(connection, &shared.pinned).await {
                Ok(carrier) => answer(carrier, shared).await,
                Err(why) => tracing::warn!("a call from {from} was refused: {why}"),
            }
        });
    }
}

async fn answer_tcp(listener: TcpListener, acceptor: TlsAcceptor, shared: Shared) {
    let (groups, strangers) = (Groups::default(), Arc::new(Semaphore::new(MAX_STRANGERS)));
    let mut tasks = JoinSet::new();
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(e) => {
                tracing::warn!("a connection could not be accepted: {e}");
                tokio::time::sleep(CALL_AGAIN).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        let Ok(stranger) = strangers.clone().try_acquire_owned() else { continue };
        let (shared, acceptor, groups) = (shared.clone(), acceptor.clone(), groups.clone());
        tasks.spawn(async move {
            let taken = groups.take_in(stream, &acceptor, &shared.pinned).await;
            drop(stranger);
            match taken {
                Ok(Some(carrier)) => answer(carrier, shared).await,
                Ok(None) => {}
                Err(why) => tracing::warn!("a call from {from} was refused: {why}"),
            }
        });
    }
}

async fn answer(carrier: Carrier, shared: Shared) {
    if carrier.party < shared.own {
        serve(carrier, &shared).await;
    } else {
        carrier.closer.close(2, "this party does not call, it answers");
    }
}

async fn call(peer: PartyName, address: SocketAddr, shared: Shared) {
    let quic = async || call_quic(&shared.endpoint, address, &shared.pinned).await;
    let mut next = None;
    loop {
        let called = match next.take() {
            Some(carrier) => Ok(carrier),
            None => match quic().await {
                Ok(carrier) => Ok(carrier),
                Err(by_quic) => call_tcp(&shared.connector, address, &shared.pinned)
                    .await
                    .map_err(|by_tcp| format!("QUIC: {by_quic}; TCP: {by_tcp}")),
            },
        };
        match called {
            Ok(carrier) if carrier.party == peer => {
                let by_tcp = carrier.empty_frames.is_some();
                let better = async {
                    loop {
                        tokio::time::sleep(TRY_QUIC_AGAIN).await;
                        match quic().await {
                            Ok(carrier) if carrier.party == peer => return carrier,
                            _ => {}
                        }
                    }
                };
                tokio::select! {
                    () = serve(carrier, &shared) => {}
                    carrier = better, if by_tcp => next = Some(carrier),
                }
            }
            Ok(carrier) => {
                tracing::warn!("{address} is not {peer} but {}: check its address", carrier.party);
                carrier.closer.close(2, "another party was called");
            }
            Err(why) => tracing::debug!("calling {peer} at {address}: {why}"),
        }
        if next.is_none() {
            tokio::time::sleep(CALL_AGAIN).await;
        }
    }
}
