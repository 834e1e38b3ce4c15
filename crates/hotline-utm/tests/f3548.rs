//! Operational intents, constraints, subscriptions, availability and reports, as a supplier sees them.

mod common;
use common::*;
use serde_json::{Value, json};

const OIR: &str = "/dss/v1/operational_intent_references";
const CONSTRAINTS: &str = "/dss/v1/constraint_references";
const SUBSCRIPTIONS: &str = "/dss/v1/subscriptions";

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[test]
fn an_intent_from_plan_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let path = format!("{OIR}/{}", id(1));
    let sc = |sub: &str, method: &str, path: &str, body| server.ask(sub, STRATEGIC, method, path, body);

    assert_eq!(sc("uss1", "GET", &path, None).0, 404);
    assert_eq!(
        sc("uss1", "PUT", &path, Some(intent(47.0, 8.0, "Activated", &[]))).0,
        400,
        "created as Accepted only"
    );
    let (status, made) = sc("uss1", "PUT", &path, Some(intent(47.0, 8.0, "Accepted", &[])));
    assert_eq!((status, made["operational_intent_reference"]["version"].as_i64()), (201, Some(1)), "{made}");
    assert_eq!(made["operational_intent_reference"]["manager"], "uss1");
    let ovn = text(&made, "/operational_intent_reference/ovn").to_owned();
    let subscription = text(&made, "/operational_intent_reference/subscription_id").to_owned();
    assert_eq!(made["subscribers"][0]["subscriptions"][0]["subscription_id"], *subscription);

    // Others see it without its OVN, and cannot change it.
    let (_, seen) = sc("uss2", "GET", &path, None);
    assert_eq!(text(&seen, "/operational_intent_reference/ovn"), "Available from USS");
    let put = |o: &str, state: &str| (format!("{path}/{o}"), Some(intent(47.0, 8.0, state, &[])));
    let (versioned, body) = put(&ovn, "Activated");
    assert_eq!(sc("uss2", "PUT", &versioned, body).0, 403);
    let (stale, body) = put("an-ovn-that-never-was", "Activated");
    assert_eq!(sc("uss1", "PUT", &stale, body).0, 409);
    assert_eq!(sc("uss1", "PUT", &path, Some(intent(47.0, 8.0, "Accepted", &[]))).0, 409, "exists");
    let unknown = format!("{OIR}/{}/{ovn}", id(99));
    assert_eq!(sc("uss1", "PUT", &unknown, Some(intent(47.0, 8.0, "Accepted", &[]))).0, 400);
    assert_eq!(sc("uss1", "DELETE", &unknown, None).0, 404);

    let (versioned, body) = put(&ovn, "Activated");
    let (status, activated) = sc("uss1", "PUT", &versioned, body);
    assert_eq!((status, activated["operational_intent_reference"]["version"].as_i64()), (200, Some(2)));
    let second = text(&activated, "/operational_intent_reference/ovn").to_owned();
    assert_ne!(second, ovn);
    let old = format!("{SUBSCRIPTIONS}/{subscription}");
    assert_eq!(sc("uss1", "GET", &old, None).0, 404, "the implicit subscription before served nothing else");

    // Off its plan: another scope, no key.
    let (versioned, body) = put(&second, "Nonconforming");
    assert_eq!(sc("uss1", "PUT", &versioned, body.clone()).0, 403);
    let both = format!("{STRATEGIC} {CONFORMANCE}");
    let (status, off) = server.ask("uss1", &both, "PUT", &versioned, body);
    assert_eq!(status, 200, "{off}");
    let third = text(&off, "/operational_intent_reference/ovn").to_owned();

    let area = json!({ "area_of_interest": volume(47.0, 8.0, 0, 60) });
    let (_, found) = sc("uss2", "POST", &format!("{OIR}/query"), Some(area.clone()));
    assert_eq!(found["operational_intent_references"].as_array().unwrap().len(), 1);
    let elsewhere = json!({ "area_of_interest": volume(48.0, 8.0, 0, 60) });
    let (_, none) = sc("uss2", "POST", &format!("{OIR}/query"), Some(elsewhere));
    assert_eq!(none["operational_intent_references"], json!([]));

    assert_eq!(sc("uss2", "DELETE", &format!("{path}/{third}"), None).0, 403);
    assert_eq!(sc("uss1", "DELETE", &format!("{path}/{second}"), None).0, 409);
    let (status, gone) = sc("uss1", "DELETE", &format!("{path}/{third}"), None);
    assert_eq!((status, text(&gone, "/operational_intent_reference/ovn")), (200, &*third));
    assert_eq!(sc("uss1", "GET", &path, None).0, 404);
    let (_, left) = sc("uss1", "POST", &format!("{SUBSCRIPTIONS}/query"), Some(area));
    assert_eq!(left["subscriptions"], json!([]));
}

#[test]
fn a_plan_over_another_needs_its_ovn() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let sc =
        |sub: &str, n: u32, body| server.ask(sub, STRATEGIC, "PUT", &format!("{OIR}/{}", id(n)), Some(body));
    let (_, first) = sc("uss1", 1, intent(47.0, 8.0, "Accepted", &[]));
    let ovn = text(&first, "/operational_intent_reference/ovn").to_owned();
    let (status, refused) = sc("uss2", 2, intent(47.001, 8.0, "Accepted", &[]));
    assert_eq!(status, 409);
    assert_eq!(refused["missing_operational_intents"][0]["id"], *id(1));
    assert_eq!(refused["missing_operational_intents"][0]["ovn"], "Available from USS");
    assert_eq!(sc("uss2", 2, intent(47.001, 8.0, "Accepted", &[&ovn])).0, 201);
    // Above it, after it and elsewhere nothing is needed.
    let mut above = intent(47.0, 8.0, "Accepted", &[]);
    above["extents"][0]["volume"]["altitude_lower"] = altitude(121.0);
    above["extents"][0]["volume"]["altitude_upper"] = altitude(200.0);
    assert_eq!(sc("uss3", 3, above).0, 201);
    let mut after = intent(47.0, 8.0, "Accepted", &[]);
    after["extents"][0]["time_start"] = time(40);
    after["extents"][0]["time_end"] = time(50);
    assert_eq!(sc("uss3", 4, after).0, 201);

    // What a supplier that is down has only planned holds nobody up; it may not plan itself.
    let available = |uss: &str, version: &str, state: &str| {
        let body = json!({ "old_version": version, "availability": state });
        server.ask("arbiter", ARBITRATION, "PUT", &format!("/dss/v1/uss_availability/{uss}"), Some(body))
    };
    let (status, set) = available("uss1", "", "Down");
    assert_eq!((status, set["status"]["availability"].as_str()), (200, Some("Down")));
    assert_eq!(available("uss1", "", "Normal").0, 409);
    let (_, second) = server.ask("uss2", STRATEGIC, "GET", &format!("{OIR}/{}", id(2)), None);
    let second = text(&second, "/operational_intent_reference/ovn").to_owned();
    assert_eq!(sc("uss3", 5, intent(47.0, 8.0, "Accepted", &[&second])).0, 201);
    assert_eq!(sc("uss1", 6, intent(50.0, 8.0, "Accepted", &[])).0, 412);
    assert_eq!(server.ask("uss1", STRATEGIC, "DELETE", &format!("{OIR}/{}/{ovn}", id(1)), None).0, 412);
    let (_, seen) = server.ask("uss2", STRATEGIC, "GET", &format!("{OIR}/{}", id(1)), None);
    assert_eq!(seen["operational_intent_reference"]["uss_availability"], "Down");
    let version = text(&set, "/version").to_owned();
    assert_eq!(available("uss1", &version, "Normal").0, 200);
    assert_eq!(server.ask("uss1", STRATEGIC, "DELETE", &format!("{OIR}/{}/{ovn}", id(1)), None).0, 200);
    let (_, unknown) = server.ask("x", ARBITRATION, "GET", "/dss/v1/uss_availability/nobody", None);
    assert_eq!(unknown, json!({ "version": "", "status": { "uss": "nobody", "availability": "Unknown" } }));
}

#[test]
fn subscriptions_are_told_and_cover_what_depends_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let path = format!("{SUBSCRIPTIONS}/{}", id(10));
    let mut wide = volume(47.0, 8.0, 0, 60);
    wide["volume"]["outline_circle"]["radius"]["value"] = json!(3000);
    let put = json!({
        "extents": wide, "uss_base_url": "https://one.example", "notify_for_operational_intents": true,
    });
    assert_eq!(
        server.ask("uss1", PROCESSING, "PUT", &path, Some(put.clone())).0,
        403,
        "the scope for intents"
    );
    let mut nothing = put.clone();
    nothing["notify_for_operational_intents"] = json!(false);
    assert_eq!(server.ask("uss1", STRATEGIC, "PUT", &path, Some(nothing)).0, 400);
    let mut long = put.clone();
    long["extents"]["time_end"] = time(25 * 60);
    assert_eq!(server.ask("uss1", STRATEGIC, "PUT", &path, Some(long)).0, 400);
    let (status, made) = server.ask("uss1", STRATEGIC, "PUT", &path, Some(put.clone()));
    assert_eq!((status, made["subscription"]["notification_index"].as_i64()), (200, Some(0)));
    let version = text(&made, "/subscription/version").to_owned();
    assert_eq!(server.ask("uss1", STRATEGIC, "PUT", &path, Some(put.clone())).0, 409);
    assert_eq!(server.ask("uss2", STRATEGIC, "GET", &path, None).0, 403);

    let mut plan = intent(47.0, 8.0, "Accepted", &[]);
    plan.as_object_mut().unwrap().remove("new_subscription");
    plan["subscription_id"] = json!(id(10));
    let oir = format!("{OIR}/{}", id(1));
    let (status, planned) = server.ask("uss1", STRATEGIC, "PUT", &oir, Some(plan.clone()));
    assert_eq!(status, 201, "{planned}");
    assert_eq!(planned["subscribers"][0]["uss_base_url"], "https://one.example");
    assert_eq!(planned["subscribers"][0]["subscriptions"][0]["notification_index"], 1);
    for (what, change) in
        [("another's", ("uss2", id(10))), ("none", ("uss1", id(77))), ("no UUID", ("uss1", "sub".to_owned()))]
    {
        let mut wrong = plan.clone();
        wrong["subscription_id"] = json!(change.1);
        let (status, _) = server.ask(change.0, STRATEGIC, "PUT", &format!("{OIR}/{}", id(2)), Some(wrong));
        assert_eq!(status, 400, "{what}");
    }
    let mut outside = plan.clone();
    outside["extents"] = json!([volume(47.5, 8.0, 1, 30)]);
    assert_eq!(server.ask("uss1", STRATEGIC, "PUT", &format!("{OIR}/{}", id(2)), Some(outside)).0, 400);

    let (_, seen) = server.ask("uss1", STRATEGIC, "GET", &path, None);
    assert_eq!(seen["subscription"]["dependent_operational_intents"], json!([id(1)]));
    assert_eq!(seen["subscription"]["version"], *version, "a notification is no change");
    let versioned = format!("{path}/{version}");
    assert_eq!(server.ask("uss1", STRATEGIC, "DELETE", &versioned, None).0, 400, "an intent depends on it");
    let mut narrow = put.clone();
    narrow["extents"] = volume(47.5, 8.0, 0, 60);
    assert_eq!(server.ask("uss1", STRATEGIC, "PUT", &versioned, Some(narrow)).0, 400);
    let (status, changed) = server.ask("uss1", STRATEGIC, "PUT", &versioned, Some(put));
    assert_eq!((status, changed["operational_intent_references"].as_array().unwrap().len()), (200, 1));
    assert_eq!(changed["subscription"]["notification_index"], 1);

    let ovn = text(&planned, "/operational_intent_reference/ovn");
    let (_, ended) = server.ask("uss1", STRATEGIC, "DELETE", &format!("{oir}/{ovn}"), None);
    assert_eq!(ended["subscribers"][0]["subscriptions"][0]["notification_index"], 2);
    let version = text(&changed, "/subscription/version");
    assert_eq!(server.ask("uss2", STRATEGIC, "DELETE", &format!("{path}/{version}"), None).0, 403);
    assert_eq!(server.ask("uss1", STRATEGIC, "DELETE", &format!("{path}/{version}x"), None).0, 409);
    assert_eq!(server.ask("uss1", STRATEGIC, "DELETE", &format!("{path}/{version}"), None).0, 200);
    assert_eq!(server.ask("uss1", STRATEGIC, "GET", &path, None).0, 404);
}

#[test]
fn constraints_are_known_to_those_who_process_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let path = format!("{CONSTRAINTS}/{}", id(1));
    let put = json!({ "extents": [volume(47.0, 8.0, 0, 60)], "uss_base_url": "https://authority.example" });
    assert_eq!(server.ask("authority", PROCESSING, "PUT", &path, Some(put.clone())).0, 403);
    let (status, made) = server.ask("authority", MANAGEMENT, "PUT", &path, Some(put.clone()));
    assert_eq!(status, 201, "{made}");
    assert_eq!(server.ask("authority", MANAGEMENT, "PUT", &path, Some(put.clone())).0, 409);
    assert_eq!(server.ask("other", MANAGEMENT, "PUT", &path, Some(put.clone())).0, 403);
    let ovn = text(&made, "/constraint_reference/ovn").to_owned();
    let (_, seen) = server.ask("uss1", PROCESSING, "GET", &path, None);
    assert_eq!(text(&seen, "/constraint_reference/ovn"), "Available from USS");

    // Who processes constraints needs their OVNs.
    let both = format!("{STRATEGIC} {PROCESSING}");
    let oir = format!("{OIR}/{}", id(2));
    let mut plan = intent(47.0, 8.0, "Accepted", &[]);
    plan["new_subscription"]["notify_for_constraints"] = json!(true);
    assert_eq!(server.ask("uss1", STRATEGIC, "PUT", &oir, Some(plan.clone())).0, 403);
    let (status, refused) = server.ask("uss1", &both, "PUT", &oir, Some(plan.clone()));
    assert_eq!((status, refused["missing_constraints"][0]["id"].as_str()), (409, Some(&*id(1))));
    plan["key"] = json!([ovn]);
    let (status, planned) = server.ask("uss1", &both, "PUT", &oir, Some(plan));
    assert_eq!(status, 201);
    let known = text(&planned, "/operational_intent_reference/ovn");
    let second = Some(intent(47.0, 8.0, "Accepted", &[known]));
    assert_eq!(server.ask("uss2", STRATEGIC, "PUT", &format!("{OIR}/{}", id(3)), second).0, 201);

    let (status, changed) = server.ask("authority", MANAGEMENT, "PUT", &format!("{path}/{ovn}"), Some(put));
    assert_eq!((status, changed["constraint_reference"]["version"].as_i64()), (200, Some(2)));
    assert_eq!(
        changed["subscribers"].as_array().unwrap().len(),
        1,
        "only one watches constraints: {changed}"
    );
    let area = json!({ "area_of_interest": volume(47.0, 8.0, 0, 60) });
    let (_, found) = server.ask("uss1", PROCESSING, "POST", &format!("{CONSTRAINTS}/query"), Some(area));
    assert_eq!(found["constraint_references"].as_array().unwrap().len(), 1);
    let ovn = text(&changed, "/constraint_reference/ovn");
    assert_eq!(server.ask("authority", MANAGEMENT, "DELETE", &format!("{path}/{ovn}"), None).0, 200);
    assert_eq!(server.ask("authority", MANAGEMENT, "DELETE", &format!("{path}/{ovn}"), None).0, 404);
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let path = format!("{OIR}/{}", id(1));
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 20] = [
        ("no extents", |b| b["extents"] = json!([])),
        ("no times", |b| b["extents"][0]["time_start"] = Value::Null),
        ("no altitude", |b| b["extents"][0]["volume"]["altitude_lower"] = Value::Null),
        ("upside down", |b| b["extents"][0]["volume"]["altitude_lower"] = altitude(500.0)),
        ("feet", |b| b["extents"][0]["volume"]["altitude_lower"]["units"] = json!("FT")),
        ("above sea", |b| b["extents"][0]["volume"]["altitude_lower"]["reference"] = json!("MSL")),
        ("too high", |b| b["extents"][0]["volume"]["altitude_upper"] = altitude(1e6)),
        ("ends before it starts", |b| b["extents"][0]["time_end"] = time(0)),
        ("over", |b| {
            b["extents"][0]["time_start"] = time(-60);
            b["extents"][0]["time_end"] = time(-1);
        }),
        ("no zone", |b| b["extents"][0]["time_end"]["value"] = json!("2030-01-01T00:00:00")),
        ("another zone", |b| b["extents"][0]["time_end"]["value"] = json!("2030-01-01T00:00:00+02:00")),
        ("off the globe", |b| b["extents"][0]["volume"]["outline_circle"]["center"]["lat"] = json!(91)),
        ("no radius", |b| b["extents"][0]["volume"]["outline_circle"]["radius"]["value"] = json!(0)),
        ("too large", |b| b["extents"][0]["volume"]["outline_circle"]["radius"]["value"] = json!(40_000)),
        ("two outlines", |b| {
            let point = |lat: f64, lng: f64| json!({ "lat": lat, "lng": lng });
            b["extents"][0]["volume"]["outline_polygon"] =
                json!({ "vertices": [point(47.0, 8.0), point(47.1, 8.0), point(47.0, 8.1)] });
        }),
        ("no TLS", |b| b["uss_base_url"] = json!("http://uss.example")),
        ("no URL", |b| b["uss_base_url"] = json!("")),
        ("no state", |b| b["state"] = json!("Flying")),
        ("two subscriptions", |b| b["subscription_id"] = json!(id(5))),
        ("an old OVN asked for", |b| {
            b["requested_ovn_suffix"] = json!("01890a5d-ac96-774b-bcce-b302099a8057")
        }),
    ];
    for (what, change) in changes {
        let mut body = intent(47.0, 8.0, "Accepted", &[]);
        change(&mut body);
        let (status, answer) = server.ask("uss1", STRATEGIC, "PUT", &path, Some(body));
        assert_eq!(status, 400, "{what}: {answer}");
        assert!(text(&answer, "/message").len() > 10, "{what}: {answer}");
    }
    assert_eq!(
        server
            .ask(
                "uss1",
                STRATEGIC,
                "PUT",
                &format!("{OIR}/not-a-uuid"),
                Some(intent(47.0, 8.0, "Accepted", &[]))
            )
            .0,
        400
    );
    assert_eq!(server.ask("uss1", STRATEGIC, "POST", &format!("{OIR}/query"), Some(json!({}))).0, 400);
    let (status, _) = server.send("Bearer x", "PUT", &path, Some("{"));
    assert_eq!(status, 401, "who asks is looked at first");
    let large = "x".repeat(hotline_utm::MAX_BODY + 1);
    let token = tokens().token(&claims("uss1", STRATEGIC)).unwrap();
    assert_eq!(server.send(&format!("Bearer {token}"), "PUT", &path, Some(&large)).0, 413);
    assert_eq!(server.ask("uss1", STRATEGIC, "GET", &path, None).0, 404, "nothing was made");
}

#[test]
fn a_client_may_ask_for_its_ovn() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let now = jiff::Timestamp::now().as_millisecond() as u128;
    let suffix = uuid::Uuid::from_u128(now << 80 | 0x7000 << 64 | 0x8000_0000_0000_0001).to_string();
    let mut plan = intent(47.0, 8.0, "Accepted", &[]);
    plan["requested_ovn_suffix"] = json!(suffix);
    let (status, made) = server.ask("uss1", STRATEGIC, "PUT", &format!("{OIR}/{}", id(1)), Some(plan));
    assert_eq!(
        (status, text(&made, "/operational_intent_reference/ovn")),
        (201, &*format!("{}_{suffix}", id(1)))
    );
}

#[test]
fn reports_get_an_identifier() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let exchange = json!({ "url": "https://x.example/a", "method": "PUT", "recorder_role": "Client", "request_time": time(0) });
    let (status, filed) =
        server.ask("uss1", STRATEGIC, "POST", "/dss/v1/reports", Some(json!({ "exchange": exchange })));
    assert_eq!(status, 201);
    assert!(!text(&filed, "/report_id").is_empty());
    assert_eq!(server.ask("uss1", STRATEGIC, "POST", "/dss/v1/reports", Some(json!({}))).0, 400);
}

#[test]
fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("{OIR}/{}", id(1));
    let server = Server::start(folder.path());
    let (_, made) = server.ask("uss1", STRATEGIC, "PUT", &path, Some(intent(47.0, 8.0, "Accepted", &[])));
    drop(server);
    assert!(folder.path().join("snapshot").exists());
    let server = Server::start(folder.path());
    let (status, seen) = server.ask("uss1", STRATEGIC, "GET", &path, None);
    assert_eq!((status, &seen["operational_intent_reference"]), (200, &made["operational_intent_reference"]));
}

#[test]
fn a_back_up_is_what_a_new_store_begins_with() {
    use hotline_dss::{Answer, Command};
    use hotline_utm::{Keeping, Measures, Store};
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |folder: &std::path::Path| {
        Store::open(folder, Keeping::default(), real_clock(), std::sync::Arc::new(Measures::default()))
            .unwrap()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let set = |uss: &str| Command::SetAvailability {
        uss: uss.into(),
        old_version: "".into(),
        availability: hotline_dss::Availability::Down,
    };
    let store = open(first.path());
    let submit = |store: &Store, uss| runtime.block_on(store.submit("arbiter".into(), set(uss))).unwrap();
    submit(&store, "uss1");
    let file = store.back_up().unwrap();
    submit(&store, "uss2");
    std::fs::copy(file, second.path().join("snapshot")).unwrap();
    let restored = open(second.path());
    assert!(matches!(submit(&restored, "uss1"), Answer::Refused(_)), "it is known, with another version");
    assert!(matches!(submit(&restored, "uss2"), Answer::Availability { .. }), "it came later");
    drop(restored);
    let again = open(second.path());
    assert!(matches!(submit(&again, "uss2"), Answer::Refused(_)));
}
