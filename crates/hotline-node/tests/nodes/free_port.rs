//! A loopback port for a node's link, which stays free until the node takes it.
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems give out by themselves (from 32768 on Linux), which would be anybody's by the time
/// the node starts.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
static NEXT: AtomicU16 = AtomicU16::new(0);

/// Free for UDP and TCP, since a link listens on both, and given out once by this process. Tests that run in two
/// processes at once begin at different places.
pub(crate) fn free_link() -> SocketAddr {
    let width = PORTS.end - PORTS.start;
    let begin = (std::process::id() % 1_000) as u16 * 12;
    (0..width)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed))
        .map(|n| SocketAddr::from((Ipv4Addr::LOCALHOST, PORTS.start + begin.wrapping_add(n) % width)))
        .find(|address| UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok())
        .expect("a free port")
}
