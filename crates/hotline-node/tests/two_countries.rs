//! Two countries, each with its own authority, DSS and suppliers, joined by a line: a supplier of one plans around what a
//! supplier of the other has planned, without a shared database.

#[path = "../../hotline-uss/tests/common/mod.rs"]
mod country;
mod nodes;

use country::{Country, Keys, Supplier, id, plan, volume};
use hotline_node::{Config, Node, SuppliersConfig};
use nodes::{free_link, init, pair, start, state, until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

const BORDER: [f64; 4] = [46.9, 7.9, 47.1, 8.1];
const WITHIN: Duration = Duration::from_secs(30);

/// Joins a country's suppliers to its party's node.
fn join(folder: &Path, country: &Country, name: &str) {
    std::fs::write(folder.join("authority.pem"), &country.keys.public).unwrap();
    let toml = std::fs::read_to_string(folder.join("node.toml")).unwrap();
    let mut config = Config::from_toml(&toml).unwrap();
    let listen = free_link();
    config.suppliers = Some(SuppliersConfig {
        listen,
        base_url: format!("http://{listen}"),
        dss: country.dss.clone(),
        name: name.into(),
        token_url: format!("{}/token", country.tokens.url()),
        client_id: None,
        client_secret_file: None,
        public_keys: vec![PathBuf::from("authority.pem")],
        audiences: vec!["127.0.0.1".into()],
        ca: None,
        areas: vec![BORDER],
        test_interfaces: true,
        priority: 0,
    });
    std::fs::write(folder.join("node.toml"), toml::to_string(&config).unwrap()).unwrap();
}

async fn tried(supplier: &Supplier, flight: &str, wanted: Value) -> (String, String, Value) {
    // The suppliers of the tests block.
    tokio::task::block_in_place(|| supplier.plan(flight, wanted))
}

/// What stands at a country's DSS around a place, but for one supplier's own.
fn standing(country: &Country, kind: &str, scope: &str, but: &str) -> Vec<Value> {
    let asked = json!({ "area_of_interest": volume(47.0, 8.0, -5, 3_600) });
    let path = format!("/dss/v1/{kind}_references/query");
    let (status, found) =
        tokio::task::block_in_place(|| country.ask_dss("looker", scope, "POST", &path, Some(asked)));
    assert_eq!(status, 200, "{found}");
    let all = found[format!("{kind}_references")].as_array().unwrap().clone();
    all.into_iter().filter(|r| r["manager"] != but).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_plan_is_refused_across_the_border_and_accepted_after_a_change() {
    let root = tempfile::tempdir().unwrap();
    let green_link = free_link();
    let blue_folder = init(root.path(), "blue", free_link(), Some(("green", green_link)));
    let green_folder = init(root.path(), "green", green_link, None);
    pair(&blue_folder, &green_folder);
    pair(&green_folder, &blue_folder);
    // Each country's authority signs with a key of its own: no token of one is worth anything in the other.
    let (west, east) =
        tokio::task::block_in_place(|| (Country::with(Keys::new()), Country::with(Keys::new())));
    assert_ne!(west.keys.public, east.keys.public);
    join(&blue_folder, &west, "hotline-blue");
    join(&green_folder, &east, "hotline-green");
    let (western, eastern) =
        tokio::task::block_in_place(|| (west.supplier("uss-west"), east.supplier("uss-east")));
    let (blue, green) = (start(&blue_folder).await, start(&green_folder).await);
    let up = async |node: &Node, folder: &Path| state(node, folder).await["peers"][0]["state"] == "normal";
    until("the line comes up", WITHIN, async || {
        up(&blue, &blue_folder).await && up(&green, &green_folder).await
    })
    .await;

    let here = || volume(47.0, 8.0, 60, 1_800);
    let first = tried(&western, &id(1), plan("Planned", "Nominal", 0, here())).await;
    assert_eq!(first.0, "Completed", "{}", first.2);
    const STRATEGIC: &str = "utm.strategic_coordination";
    let mirrored = || standing(&east, "operational_intent", STRATEGIC, "uss-east");
    until("it stands in the east, managed by the node there", WITHIN, async || {
        mirrored().iter().any(|r| r["manager"] == "hotline-green" && r["state"] == "Accepted")
    })
    .await;

    // Refused, with the reason; then moved clear of it, and accepted.
    let overlapping =
        tried(&eastern, &id(2), plan("Planned", "Nominal", 0, volume(47.003, 8.0, 60, 1_800))).await;
    assert_eq!(
        (overlapping.0.as_str(), overlapping.1.as_str()),
        ("Rejected", "NotPlanned"),
        "{}",
        overlapping.2
    );
    assert!(overlapping.2["notes"].as_str().unwrap().contains("hotline-green"), "{}", overlapping.2);
    let moved = tried(&eastern, &id(2), plan("Planned", "Nominal", 0, volume(47.02, 8.0, 60, 1_800))).await;
    assert_eq!((moved.0.as_str(), moved.1.as_str()), ("Completed", "Planned"), "{}", moved.2);

    // And the other way round.
    let asked = async || {
        let over =
            tried(&western, &id(3), plan("Planned", "Nominal", 0, volume(47.02, 8.0, 60, 1_800))).await;
        if over.0 == "Completed" {
            tried(&western, &id(3), plan("Closed", "Nominal", 0, here())).await;
        }
        over.0 == "Rejected" && over.2["notes"].as_str().unwrap().contains("hotline-blue")
    };
    until("what the east has planned is refused in the west", WITHIN, asked).await;

    // A restriction of the west's authority is a constraint in the east, until it is lifted.
    let constraint = format!("/operator/v1/constraints/{}", id(5));
    let details = json!({ "volumes": [volume(46.98, 8.0, 60, 1_800)], "type": "example.rescue" });
    let operator = |method: &str, body: Option<Value>| {
        tokio::task::block_in_place(|| western.ask("op", "hotline.operator", method, &constraint, body)).0
    };
    assert_eq!(operator("PUT", Some(details)), 200);
    let closed = || standing(&east, "constraint", "utm.constraint_processing", "");
    let close = json!({ "area_of_interest": volume(46.98, 8.0, 60, 1_800) });
    let found = async || {
        let path = "/dss/v1/constraint_references/query";
        let ask = || east.ask_dss("looker", "utm.constraint_processing", "POST", path, Some(close.clone()));
        tokio::task::block_in_place(ask).1["constraint_references"].as_array().unwrap().len()
    };
    until("the restriction stands in the east", WITHIN, async || found().await == 1).await;
    assert!(closed().is_empty(), "only where it is");
    assert_eq!(operator("DELETE", None), 204);
    until("it is lifted in the east", WITHIN, async || found().await == 0).await;

    // An unmanned aircraft of the party is shown by remote ID, to whoever displays in the west.
    let fly = json!([{
        "id": "UAV-7", "category": "unmanned", "time_ms": jiff::Timestamp::now().as_millisecond(), "lat": 47.0, "lon": 8.0,
        "alt_m": 90.0, "gs_kt": 20.0, "trk": 90.0,
    }]);
    until("the aircraft is shown", WITHIN, async || {
        let mut fly = fly.clone();
        fly[0]["time_ms"] = json!(jiff::Timestamp::now().as_millisecond());
        nodes::ask(blue.console_address(), &blue_folder, "POST", "/api/tracks", Some(fly)).await.unwrap();
        let path = "/display/v1/display_data?view=46.998,7.998,47.002,8.002";
        let (status, seen) =
            tokio::task::block_in_place(|| western.ask("op", "hotline.operator", "GET", path, None));
        status == 200 && seen["flights"].as_array().unwrap().iter().any(|f| f["id"] == "UAV-7")
    })
    .await;

    // The node is a supplier itself: what is planned there goes the same way.
    let own = Supplier::at("hotline-green", green.suppliers_address().unwrap(), &east);
    let there = tried(&own, &id(6), plan("Planned", "Nominal", 0, volume(46.96, 8.0, 60, 1_800))).await;
    assert_eq!(there.0, "Completed", "{}", there.2);
    until("it is refused in the west", WITHIN, async || {
        let over =
            tried(&western, &id(7), plan("Planned", "Nominal", 0, volume(46.96, 8.0, 60, 1_800))).await;
        if over.0 == "Completed" {
            tried(&western, &id(7), plan("Closed", "Nominal", 0, here())).await;
        }
        over.0 == "Rejected" && over.2["notes"].as_str().unwrap().contains("hotline-blue")
    })
    .await;
    assert_eq!(tried(&own, &id(6), plan("Closed", "Nominal", 0, here())).await.1, "Closed");

    // Ended in the west: free in the east.
    let ended = tried(&western, &id(1), plan("Closed", "Nominal", 0, here())).await;
    assert_eq!(ended.1, "Closed");
    until("it is gone in the east", WITHIN, async || {
        mirrored().iter().all(|r| r["manager"] != "hotline-green")
    })
    .await;
    let free = tried(&eastern, &id(4), plan("Planned", "Nominal", 0, here())).await;
    assert_eq!(free.0, "Completed", "{}", free.2);
    blue.stop().await;
    green.stop().await;
}
