//! A paired peer that sends garbage, and strangers that do: the node goes on, and says what was wrong.

#[path = "../tests/nodes/free_port.rs"]
mod free_port;

use crate::pinned_tls::{Pinned, Tls};
use crate::{Clock, Config, Folder, Introduction, NewSecrets, Node};
use free_port::free_link;
use hotline_line::{Message, Rulebook};
use jiff::Timestamp;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PASSPHRASE: &str = "correct horse";

fn init(root: &Path, party: &str, link: SocketAddr) -> PathBuf {
    let config = Config { snapshot_every: 1_000, ..Config::new(party, "127.0.0.1:0".parse().unwrap(), link) };
    let secrets = NewSecrets {
        passphrase: PASSPHRASE.into(),
        officer_pins: vec!["2718".into()],
        supervisor_pins: vec![],
    };
    Folder::init(root.join(party), &config, Rulebook::EXAMPLE, &secrets, Timestamp::now()).unwrap();
    root.join(party)
}

fn pair(own: &Path, peer: &Path) {
    let path = peer.join("introduction.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (introduction, _) = Introduction::read(&text, &path).unwrap();
    Folder::pair(own, &path, &introduction.fingerprint().unwrap().words()).unwrap();
}

/// A message as it goes over a lane.
fn frame(lane: u8, bytes: &[u8]) -> Vec<u8> {
    [&[lane][..], &(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn get(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_ends_its_own_connection_only() {
    let root = tempfile::tempdir().unwrap();
    let (blue, green) = (init(root.path(), "blue", free_link()), init(root.path(), "green", free_link()));
    pair(&blue, &green);
    pair(&green, &blue);
    let node = Node::start(Folder::open(&green, PASSPHRASE).unwrap(), Clock::real()).await.unwrap();

    // A stranger's packets.
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for n in 0..500u32 {
        let packet: Vec<u8> = (0..n % 1400).map(|i| (i * 31 + n) as u8).collect();
        stranger.send_to(&packet, node.link_address()).unwrap();
    }
    // A stranger's requests.
    assert!(get(node.console_address(), b"NONSENSE\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert!(
        get(node.console_address(), b"GET /console/state HTTP/1.1\r\nhost: evil.example\r\n\r\n")
            .contains("403")
    );

    // The paired peer, with its real key, sends what is not a message.
    let folder = Folder::open(&blue, PASSPHRASE).unwrap();
    let config = folder.line_config();
    let pinned = Pinned::default();
    let green_keys = &config.peers[0];
    pinned.set(&green_keys.node_keys().map(|key| (green_keys.party().clone(), key)).collect::<Vec<_>>());
    let caller = Tls::new(&config.own.node, &pinned).unwrap().quic("127.0.0.1:0".parse().unwrap()).unwrap();
    let check = Message::Check { nonce: 1, time: Timestamp::UNIX_EPOCH }.to_bytes();
    let garbage: [(&str, Vec<u8>); 5] = [
        ("a lane that is not", vec![9]),
        ("an endless message", [&[1][..], &u32::MAX.to_be_bytes()].concat()),
        ("not a message", frame(1, &[0xff; 40])),
        ("a message in the wrong lane", frame(1, &check)),
        ("an empty message", frame(0, &[])),
    ];
    for (what, bytes) in garbage {
        let connection = caller.connect(node.link_address(), "hotline").unwrap().await.unwrap();
        let mut stream = connection.open_uni().await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let closed = tokio::time::timeout(Duration::from_secs(5), connection.closed()).await;
        let why = closed.unwrap_or_else(|_| panic!("{what}: the connection stays")).to_string();
        assert!(why.contains("malformed"), "{what}: {why}");
    }
    caller.close(0u32.into(), b"");

    // After all that the real peer is served as ever.
    let peer = Node::start(folder, Clock::real()).await.unwrap();
    let begin = std::time::Instant::now();
    let request = b"GET /console/state HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    let state = || {
        let mut stream = TcpStream::connect(node.console_address()).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    while !state().contains("\"state\":\"normal\"") {
        assert!(begin.elapsed() < Duration::from_secs(20), "the line does not come up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    peer.stop().await;
    node.stop().await;
}
