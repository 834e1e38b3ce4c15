//! The line where no datagram comes through, and where no connection stands at all.

mod nodes;

use hotline_node::{Folder, Node};
use nodes::{ask, file, flights, free_link, init, pair, speaks, start, state, until};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Passes connections on, but no datagrams.
async fn tcp_relay(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut to = TcpStream::connect(to).await.unwrap();
                // Either end may close.
                _ = copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn without_datagrams_the_line_stands_on_tcp() {
    let root = tempfile::tempdir().unwrap();
    let green_link = free_link();
    let relay = tcp_relay(green_link).await;
    let blue_folder = init(root.path(), "blue", free_link(), Some(("green", relay)));
    let green_folder = init(root.path(), "green", green_link, None);
    pair(&blue_folder, &green_folder);
    pair(&green_folder, &blue_folder);
    let (blue, green) = (start(&blue_folder).await, start(&green_folder).await);
    for (node, folder) in [(&blue, &blue_folder), (&green, &green_folder)] {
        until("the line comes up", Duration::from_secs(30), async || {
            state(node, folder).await["peers"][0]["state"] == "normal"
        })
        .await;
    }
    assert_eq!(state(&blue, &blue_folder).await["carriers"]["green"], "TLS over TCP");
    for n in 1..=20 {
        file(&blue, &blue_folder, n).await;
    }
    until("green hears of all", Duration::from_secs(10), async || {
        flights(&green, &green_folder, "blue").await.len() == 20
    })
    .await;
    // The keys count on TCP too: a stranger's greeting is refused.
    let stranger = TcpStream::connect(green.link_address()).await.unwrap();
    drop(stranger);
    assert_eq!(state(&green, &green_folder).await["peers"][0]["state"], "normal");
    blue.stop().await;
    green.stop().await;
}

async fn post(node: &Node, folder: &Path, path: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    let token = std::fs::read_to_string(folder.join("api-token")).unwrap();
    let url = format!("http://{}{path}", node.console_address());
    let asked = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let request = agent.post(&url).header("authorization", format!("Bearer {}", token.trim()));
        let mut answer = request.send(&body[..]).unwrap();
        (answer.status().as_u16(), answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap())
    });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_carried_by_hand_arrives_with_the_same_proof() {
    let root = tempfile::tempdir().unwrap();
    // Nobody answers at the addresses that they have of each other.
    let blue_folder = init(root.path(), "blue", free_link(), Some(("green", free_link())));
    let green_folder = init(root.path(), "green", free_link(), Some(("blue", free_link())));
    pair(&blue_folder, &green_folder);
    pair(&green_folder, &blue_folder);
    let (blue, green) = (start(&blue_folder).await, start(&green_folder).await);
    speaks(&blue, &blue_folder).await;
    speaks(&green, &green_folder).await;
    for n in 1..=40 {
        file(&blue, &blue_folder, n).await;
    }
    file(&green, &green_folder, 50).await;

    let export = async |node: &Node, folder: &Path, to: &str| {
        let (status, file) =
            post(node, folder, "/api/export-line", format!("{{\"to\":\"{to}\"}}").into()).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&file));
        file
    };
    let carried = export(&blue, &blue_folder, "green").await;
    // A file that was damaged on the way, or is for somebody else, changes nothing.
    let mut bent = carried.clone();
    bent[carried.len() / 2] ^= 1;
    for (what, bytes) in [("bent", &bent[..]), ("cut", &carried[..carried.len() - 7]), ("noise", b"noise")] {
        let (status, why) = post(&green, &green_folder, "/api/import-line", bytes.to_vec()).await;
        assert_eq!(status, 400, "{what}: {}", String::from_utf8_lossy(&why));
    }
    let (status, why) = post(&blue, &blue_folder, "/api/import-line", carried.clone()).await;
    assert!(status == 400 && String::from_utf8_lossy(&why).contains("it is for green"));
    assert_eq!(flights(&green, &green_folder, "blue").await.len(), 0);

    for _ in 0..2 {
        // Taken in twice it changes nothing.
        let (status, why) = post(&green, &green_folder, "/api/import-line", carried.clone()).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&why));
        assert_eq!(flights(&green, &green_folder, "blue").await.len(), 40);
    }
    // Back comes what green has said, and its receipt.
    let back = export(&green, &green_folder, "blue").await;
    assert_eq!(post(&blue, &blue_folder, "/api/import-line", back).await.0, 200);
    assert_eq!(flights(&blue, &blue_folder, "green").await, ["F50"]);
    let summary = ask(blue.console_address(), &blue_folder, "GET", "/console/summary", None).await.unwrap();
    let receipted = summary["parties"]["blue"]["receipts_by"]["green"].as_u64().unwrap();
    assert!(receipted >= 42, "{receipted}");
    // The next file has only what green has given no receipt for.
    let next = export(&blue, &blue_folder, "green").await;
    assert!(next.len() < carried.len() / 4, "{} of {}", next.len(), carried.len());
    blue.stop().await;
    green.stop().await;
    // What was carried is kept.
    Folder::open(&green_folder, nodes::PASSPHRASE).unwrap();
    let green = start(&green_folder).await;
    assert_eq!(flights(&green, &green_folder, "blue").await.len(), 40);
    green.stop().await;
}
