//! A third party joins a line of two by vote, speaks, and is heard by both; its key is rotated; it leaves.

mod nodes;

use hotline_ledger::Role;
use hotline_node::{Config, Folder, NewSecrets, Node, keep_key, make_key, revocation, use_node_key};
use jiff::Timestamp;
use nodes::{PASSPHRASE, ask, file, flights, free_link, pair, speaks, start, state, until};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn init(root: &Path, party: &str, link: SocketAddr) -> PathBuf {
    let folder = root.join(party);
    let config = Config {
        supervisors: vec!["Supervisor".into()],
        ..Config::new(party, "127.0.0.1:0".parse().unwrap(), link)
    };
    let secrets = NewSecrets {
        passphrase: PASSPHRASE.into(),
        officer_pins: vec!["2718".into()],
        supervisor_pins: vec!["3141".into()],
    };
    Folder::init(&folder, &config, hotline_line::Rulebook::EXAMPLE, &secrets, Timestamp::now()).unwrap();
    folder
}

/// Does something as the supervisor.
async fn act(node: &Node, deed: Value) -> Result<String, String> {
    let url = format!("http://{}/console/", node.console_address());
    let done = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let pin = json!({ "holder": "supervisor-1", "pin": "3141" }).to_string();
        let signed = agent.post(format!("{url}sign-in")).send(pin).unwrap();
        let cookie = signed.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let mut answer =
            agent.post(format!("{url}act")).header("cookie", cookie).send(deed.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        if !answer.status().is_success() {
            return Err(text);
        }
        let answer: Value = serde_json::from_str(&text).unwrap();
        Ok(answer["statement"].as_str().unwrap().to_owned())
    });
    done.await.unwrap()
}

fn words(text: &str) -> Value {
    json!({ "language": "en", "text": text })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_joins_rotates_its_key_and_leaves() {
    let root = tempfile::tempdir().unwrap();
    let [blue_f, green_f, red_f] =
        ["blue", "green", "red"].map(|party| init(root.path(), party, free_link()));
    // The two founders have met; the third knows them, and they know nothing of it yet.
    pair(&blue_f, &green_f);
    pair(&green_f, &blue_f);
    pair(&red_f, &blue_f);
    pair(&red_f, &green_f);
    let (blue, green, mut red) = (start(&blue_f).await, start(&green_f).await, start(&red_f).await);
    speaks(&blue, &blue_f).await;
    speaks(&green, &green_f).await;
    file(&blue, &blue_f, 1).await;
    until("red knows that it is no member", PATIENCE, async || {
        state(&red, &red_f).await["dealings"]["speech"]["state"] == "not-member"
    })
    .await;

    let introduction = std::fs::read_to_string(red_f.join("introduction.toml")).unwrap();
    let change = json!({ "matter": "accession", "introduction": introduction });
    let proposal = json!({ "do": "propose", "class": "accession", "change": change, "words": words("Red joins"), "within_s": 600 });
    let proposal = act(&blue, proposal).await.unwrap();
    for node in [&blue, &green] {
        let vote = json!({ "do": "vote", "proposal": proposal, "choice": "yes" });
        let begin = std::time::Instant::now();
        // The proposal may still be on its way to green.
        while let Err(why) = act(node, vote.clone()).await {
            assert!(why.contains("there is no proposal") && begin.elapsed() < PATIENCE, "{why}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    for (node, folder) in [(&blue, &blue_f), (&green, &green_f)] {
        until("red is a member", PATIENCE, async || {
            state(node, folder).await["rulebook"]["parties"] == json!(["blue", "green", "red"])
        })
        .await;
    }
    speaks(&red, &red_f).await;
    assert_eq!(flights(&red, &red_f, "blue").await, ["F1"]);
    file(&red, &red_f, 2).await;
    for (node, folder) in [(&blue, &blue_f), (&green, &green_f)] {
        until("all hear red", PATIENCE, async || flights(node, folder, "red").await == ["F2"]).await;
    }

    // Red's node gets another key: certified on the line, used after a restart, the old one revoked by the root key.
    let added = make_key(&red_f, PASSPHRASE, Role::Node, "node", PASSPHRASE, Timestamp::now()).unwrap();
    let body = json!({ "certificate": added.certificate_base64(), "name": added.name });
    ask(red.console_address(), &red_f, "POST", "/api/certify", Some(body)).await.unwrap();
    keep_key(&red_f, &added).unwrap();
    until("the certificate is receipted", PATIENCE, async || {
        let summary = ask(red.console_address(), &red_f, "GET", "/console/summary", None).await.unwrap();
        let own = &summary["parties"]["red"];
        own["receipts_by"]["blue"] == own["statements"] && own["receipts_by"]["green"] == own["statements"]
    })
    .await;
    use_node_key(&red_f, &added.holder).unwrap();
    red.stop().await;
    red = start(&red_f).await;
    speaks(&red, &red_f).await;
    let revoked = revocation(&red_f, PASSPHRASE, "node", "rotated").unwrap();
    let body = json!({ "revocation": revoked });
    ask(red.console_address(), &red_f, "POST", "/api/revoke", Some(body)).await.unwrap();
    file(&red, &red_f, 3).await;
    for (node, folder) in [(&blue, &blue_f), (&green, &green_f)] {
        until("all hear red by its new key", PATIENCE, async || {
            flights(node, folder, "red").await == ["F2", "F3"]
        })
        .await;
    }

    act(&red, json!({ "do": "leave", "words": words("Farewell") })).await.unwrap();
    for (node, folder) in [(&blue, &blue_f), (&green, &green_f)] {
        until("red has left", PATIENCE, async || {
            state(node, folder).await["dealings"]["standings"]["members"] == json!(["blue", "green"])
        })
        .await;
    }
    for node in [blue, green, red] {
        node.stop().await;
    }
}

/// A node whose folder comes back from an old copy hears what it had said, and says nothing else under the same numbers.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_node_takes_back_what_it_has_said() {
    let root = tempfile::tempdir().unwrap();
    let [blue_f, green_f] = ["blue", "green"].map(|party| init(root.path(), party, free_link()));
    pair(&blue_f, &green_f);
    pair(&green_f, &blue_f);
    let (mut blue, green) = (start(&blue_f).await, start(&green_f).await);
    speaks(&blue, &blue_f).await;
    file(&blue, &blue_f, 1).await;
    blue.stop().await;
    let copy = std::fs::read(blue_f.join("journal.redb")).unwrap();
    blue = start(&blue_f).await;
    for n in 2..=30 {
        file(&blue, &blue_f, n).await;
    }
    until("green holds all", PATIENCE, async || flights(&green, &green_f, "blue").await.len() == 30).await;
    blue.stop().await;

    std::fs::write(blue_f.join("journal.redb"), copy).unwrap();
    Folder::mark_restored(&blue_f).unwrap();
    blue = start(&blue_f).await;
    assert_eq!(flights(&blue, &blue_f, "blue").await.len(), 1);
    // It waits for its turn, and is said after what was lost.
    speaks(&blue, &blue_f).await;
    assert_eq!(flights(&blue, &blue_f, "blue").await.len(), 30);
    file(&blue, &blue_f, 31).await;
    until("green hears it", PATIENCE, async || flights(&green, &green_f, "blue").await.len() == 31).await;
    assert_eq!(state(&green, &green_f).await["peers"][0]["disputed"], Value::Null);
    until("the mark is gone", PATIENCE, async || !blue_f.join("restored").exists()).await;
    blue.stop().await;
    green.stop().await;
}
