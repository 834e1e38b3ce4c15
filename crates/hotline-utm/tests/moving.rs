//! Entities moved from one service to another as lines of JSON.

mod common;

use common::{Server, id, intent, volume};
use hotline_utm::{Keeping, Store, import_entities, read_entity, write_entity};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

fn lines(folder: &Path) -> Vec<String> {
    let mut store = Store::open(folder, Keeping::default(), common::real_clock(), Arc::default()).unwrap();
    let (_, items) = store.everything();
    store.close().unwrap();
    let mut lines: Vec<String> = items.iter().filter_map(write_entity).collect();
    lines.sort();
    lines
}

#[test]
fn what_is_moved_is_there_as_it_was() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(from.path());
    let path = |n: u32| format!("/dss/v1/operational_intent_references/{}", id(n));
    let (status, made) =
        server.ask("uss1", common::STRATEGIC, "PUT", &path(1), Some(intent(47.0, 8.0, "Accepted", &[])));
    assert_eq!(status, 201, "{made}");
    let ovn = made["operational_intent_reference"]["ovn"].as_str().unwrap().to_owned();
    let constraint =
        json!({ "extents": [volume(47.1, 8.0, 1, 30)], "uss_base_url": "https://uss.example.com" });
    let at = format!("/dss/v1/constraint_references/{}", id(2));
    assert_eq!(server.ask("uss1", common::MANAGEMENT, "PUT", &at, Some(constraint)).0, 201);
    let area = json!({ "extents": volume(47.2, 8.0, 1, 30), "uss_base_url": "https://uss.example.com" });
    let at = format!("/rid/v2/dss/identification_service_areas/{}", id(3));
    assert_eq!(server.ask("uss1", "rid.service_provider", "PUT", &at, Some(area.clone())).0, 200);
    let at = format!("/rid/v2/dss/subscriptions/{}", id(4));
    assert_eq!(server.ask("uss2", "rid.display_provider", "PUT", &at, Some(area)).0, 200);
    let down = json!({ "old_version": "", "availability": "Down" });
    assert_eq!(
        server.ask("a", common::ARBITRATION, "PUT", "/dss/v1/uss_availability/uss9", Some(down)).0,
        200
    );
    drop(server);

    let written = lines(from.path());
    let kind =
        |line: &String| serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned();
    let mut kinds: Vec<String> = written.iter().map(kind).collect();
    kinds.sort();
    let all = [
        "constraint",
        "identification_service_area",
        "operational_intent",
        "remote_id_subscription",
        "subscription",
        "uss_availability",
    ];
    assert_eq!(kinds, all);
    let items: Vec<_> = written.iter().map(|line| read_entity(line).unwrap()).collect();
    assert_eq!(import_entities(to.path(), Keeping::default(), items.clone()).unwrap(), all.len());
    assert_eq!(lines(to.path()), written);
    let again = import_entities(to.path(), Keeping::default(), items.clone()).unwrap_err().to_string();
    assert!(again.contains("is there already; nothing was taken"), "{again}");
    let orphan: Vec<_> =
        items.into_iter().filter(|item| matches!(item, hotline_dss::Item::Intent(_))).collect();
    let empty = tempfile::tempdir().unwrap();
    let refused = import_entities(empty.path(), Keeping::default(), orphan).unwrap_err().to_string();
    assert!(refused.contains("needs the subscription"), "{refused}");

    // The new service goes on where the old one was: its manager changes the intent with the OVN that it has.
    let server = Server::start(to.path());
    let (status, changed) = server.ask(
        "uss1",
        common::STRATEGIC,
        "PUT",
        &format!("{}/{ovn}", path(1)),
        Some(intent(47.0, 8.0, "Activated", &[])),
    );
    assert_eq!(
        (status, changed["operational_intent_reference"]["version"].as_i64()),
        (200, Some(2)),
        "{changed}"
    );
}

#[test]
fn a_line_may_have_volumes_or_the_cells_of_a_database() {
    let line = |place: Value| {
        json!({
            "kind": "constraint", "id": id(1), "manager": "uss1", "version": 3, "ovn": "abc",
            "uss_base_url": "https://uss.example.com", "where": place,
        })
        .to_string()
    };
    assert!(read_entity(&line(json!({ "extents": [volume(47.0, 8.0, 1, 30)] }))).is_ok());
    let cell = hotline_airspace::cover_circle(
        hotline_airspace::Position::new(
            hotline_airspace::Degrees::new(-47.0),
            hotline_airspace::Degrees::new(-170.0),
        )
        .unwrap(),
        hotline_airspace::Metres::new(10.0),
    )
    .unwrap()[0];
    let times = |cells: Value| {
        line(
            json!({ "cells": cells, "time_start": "2026-01-01T00:00:00Z", "time_end": "2026-01-02T00:00:00Z" }),
        )
    };
    let as_numbers = read_entity(&times(json!([cell.s2_id().cast_signed()]))).unwrap();
    assert_eq!(read_entity(&times(json!([cell.s2_id().to_string()]))).unwrap(), as_numbers);
    for (wrong, why) in [
        (times(json!([12])), "level 13"),
        (times(json!([])), "0 cells"),
        (line(json!({ "cells": ["1"] })), "level 13"),
        (line(json!({})), "extents"),
        ("{\"kind\":\"reservation\"}".into(), "reservation"),
        (times(json!(["1"])).replace("uss_base_url", "base_url"), "base_url"),
    ] {
        let told = read_entity(&wrong).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}
