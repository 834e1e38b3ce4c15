//! Two nodes over real sockets: the peer is cut off for a while and returns; a node is killed; a key is wrong.

mod nodes;

use hotline_node::{Folder, Introduction, Node};
use nodes::{PASSPHRASE, ask, file, flights, free_link, init, pair, start, state, until};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;

const PARTIES: [&str; 2] = ["blue", "green"];

/// Passes packets both ways between a caller and a node, or drops them.
struct Relay {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Relay {
    async fn start(to: SocketAddr) -> Self {
        let outside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let inside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let (address, cut) = (outside.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let caller = Arc::new(std::sync::Mutex::new(None));
        let (out, ins, who, stop) = (outside.clone(), inside.clone(), caller.clone(), cut.clone());
        tokio::spawn(async move {
            let mut packet = [0; 65_536];
            while let Ok((length, from)) = out.recv_from(&mut packet).await {
                *who.lock().unwrap() = Some(from);
                if !stop.load(Ordering::SeqCst) {
                    _ = ins.send_to(&packet[..length], to).await;
                }
            }
        });
        let stop = cut.clone();
        tokio::spawn(async move {
            let mut packet = [0; 65_536];
            while let Ok((length, _)) = inside.recv_from(&mut packet).await {
                let to = *caller.lock().unwrap();
                if let Some(to) = to.filter(|_| !stop.load(Ordering::SeqCst)) {
                    _ = outside.send_to(&packet[..length], to).await;
                }
            }
        });
        Self { address, cut }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_and_back_nothing_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let green_link = free_link();
    let relay = Relay::start(green_link).await;
    let blue_folder = init(root.path(), "blue", free_link(), Some(("green", relay.address)));
    let green_folder = init(root.path(), "green", green_link, None);
    pair(&blue_folder, &green_folder);
    pair(&green_folder, &blue_folder);
    let (blue, mut green) = (start(&blue_folder).await, start(&green_folder).await);
    let line = async |node: &Node, folder: &Path| {
        state(node, folder).await["peers"][0]["state"].as_str().unwrap().to_owned()
    };
    let both = async |blue: &Node, green: &Node, what: &str| {
        line(blue, &blue_folder).await == what && line(green, &green_folder).await == what
    };
    until("the line comes up", Duration::from_secs(20), async || both(&blue, &green, "normal").await).await;
    file(&blue, &blue_folder, 1).await;
    until("green hears of it", Duration::from_secs(5), async || {
        flights(&green, &green_folder, "blue").await.len() == 1
    })
    .await;

    relay.cut.store(true, Ordering::SeqCst);
    let down = until("both say that the line is down", Duration::from_secs(15), async || {
        both(&blue, &green, "down").await
    })
    .await;
    assert!(down < Duration::from_secs(10), "down after {down:?}");
    for n in 2..=40 {
        file(&blue, &blue_folder, n).await;
        if n % 2 == 0 {
            file(&green, &green_folder, n).await;
        }
    }
    // Meanwhile green is killed and starts again, from snapshots and records.
    green.stop().await;
    green = start(&green_folder).await;
    assert_eq!(flights(&green, &green_folder, "green").await.len(), 20);
    assert_eq!(flights(&green, &green_folder, "blue").await.len(), 1);

    relay.cut.store(false, Ordering::SeqCst);
    until("the line comes back", Duration::from_secs(15), async || both(&blue, &green, "normal").await).await;
    until("everything has come over", Duration::from_secs(10), async || {
        flights(&green, &green_folder, "blue").await.len() == 40
            && flights(&blue, &blue_folder, "green").await.len() == 20
    })
    .await;
    let expected: Vec<String> = (1..=40).map(|n| format!("F{n}")).collect();
    assert_eq!(flights(&green, &green_folder, "blue").await, expected);

    // Same ledgers, in the same order to the last bit, with receipts for everything.
    let summary = async |node: &Node, folder: &Path| {
        ask(node.console_address(), folder, "GET", "/console/summary", None).await.unwrap()["parties"].clone()
    };
    let agreed = async || summary(&blue, &blue_folder).await == summary(&green, &green_folder).await;
    until("both sides agree", Duration::from_secs(10), agreed).await;
    let parties = summary(&blue, &blue_folder).await;
    assert_eq!(parties["blue"]["receipts_by"]["green"], parties["blue"]["statements"]);
    blue.stop().await;
    green.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_the_right_name_is_not_let_in() {
    let root = tempfile::tempdir().unwrap();
    let green_link = free_link();
    let blue_folder = init(root.path(), "blue", free_link(), None);
    let green_folder = init(root.path(), "green", green_link, None);
    pair(&blue_folder, &green_folder);
    pair(&green_folder, &blue_folder);
    // Another node that says it is blue, with keys of its own.
    let elsewhere = root.path().join("elsewhere");
    let impostor_folder = init(&elsewhere, "blue", free_link(), None);
    pair(&impostor_folder, &green_folder);
    let (impostor, green) = (start(&impostor_folder).await, start(&green_folder).await);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(state(&green, &green_folder).await["peers"][0]["state"], "down");
    assert_eq!(state(&impostor, &impostor_folder).await["peers"][0]["state"], "down");
    impostor.stop().await;
    green.stop().await;
}

#[test]
fn a_wrong_word_is_refused_and_nothing_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let [blue, green] = PARTIES.map(|p| init(root.path(), p, free_link(), None));
    let introduction = green.join("introduction.toml");
    let text = std::fs::read_to_string(&introduction).unwrap();
    let (read, _) = Introduction::read(&text, &introduction).unwrap();
    let words = read.fingerprint().unwrap().words();
    let mut wrong: Vec<&str> = words.split(' ').collect();
    wrong[7] = if wrong[7] == "zoo" { "zone" } else { "zoo" };
    let refused = Folder::pair(&blue, &introduction, &wrong.join(" ")).unwrap_err().to_string();
    assert!(refused.contains("word 8") && refused.contains("do not pair"), "{refused}");
    assert!(
        Folder::open(&blue, PASSPHRASE)
            .unwrap_err()
            .to_string()
            .contains("green is in the rulebook but not paired")
    );
    Folder::pair(&blue, &introduction, &words).unwrap();
    Folder::open(&blue, PASSPHRASE).unwrap();
    // A changed introduction is refused whatever the words.
    std::fs::write(&introduction, text.replacen("party = \"green\"", "party = \"blue\"", 1)).unwrap();
    let refused = Folder::pair(&blue, &introduction, &words).unwrap_err().to_string();
    assert!(refused.contains("certificate 1"), "{refused}");
}
