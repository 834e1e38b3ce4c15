//! Service areas and subscriptions of both editions of F3411, as a supplier sees them.

mod common;
use common::*;
use serde_json::{Value, json};

const V2: &str = "/rid/v2/dss";
const V1: &str = "/v1/dss";
const DISPLAY: &str = "rid.display_provider";
const SERVICE: &str = "rid.service_provider";
const READ: &str = "dss.read.identification_service_areas";
const WRITE: &str = "dss.write.identification_service_areas";

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

fn vertices() -> Value {
    let corner = |lat: f64, lng: f64| json!({ "lat": lat, "lng": lng });
    json!([corner(47.0, 8.0), corner(47.0, 8.02), corner(47.02, 8.02), corner(47.02, 8.0)])
}

const AREA: &str = "47.0,8.0,47.0,8.02,47.02,8.02,47.02,8.0";
const HUGE: &str = "40.0,8.0,40.0,10.0,42.0,10.0,42.0,8.0";

fn put_v2(minutes: i64) -> Value {
    json!({
        "extents": {
            "volume": { "outline_polygon": { "vertices": vertices() }, "altitude_lower": altitude(20.0), "altitude_upper": altitude(400.0) },
            "time_start": time(0),
            "time_end": time(minutes),
        },
        "uss_base_url": "https://uss.example.com/rid",
    })
}

fn put_v1(minutes: i64, field: &str, value: Value) -> Value {
    let mut body = json!({
        "extents": {
            "spatial_volume": { "footprint": { "vertices": vertices() }, "altitude_lo": 20, "altitude_hi": 400 },
            "time_start": in_minutes(0),
            "time_end": in_minutes(minutes),
        },
    });
    body[field] = value;
    body
}

#[test]
fn a_service_area_and_who_is_told_of_it_in_the_edition_of_2022() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let area = format!("{V2}/identification_service_areas/{}", id(1));
    let subscription = format!("{V2}/subscriptions/{}", id(2));
    let (status, made) = server.ask("display", DISPLAY, "PUT", &subscription, Some(put_v2(60)));
    assert_eq!((status, &made["service_areas"]), (200, &json!([])), "{made}");

    assert_eq!(server.ask("uss1", DISPLAY, "PUT", &area, Some(put_v2(60))).0, 403);
    let (status, put) = server.ask("uss1", SERVICE, "PUT", &area, Some(put_v2(60)));
    assert_eq!(status, 200, "{put}");
    assert_eq!(put["subscribers"][0]["url"], "https://uss.example.com/rid");
    assert_eq!(
        put["subscribers"][0]["subscriptions"][0],
        json!({ "subscription_id": id(2), "notification_index": 1 })
    );
    assert_eq!(server.ask("uss1", SERVICE, "PUT", &area, Some(put_v2(60))).0, 409);
    assert_eq!(server.ask("uss1", SERVICE, "GET", &area, None).0, 200);

    let search = format!("{V2}/identification_service_areas?area={AREA}");
    let (_, found) = server.ask("display", DISPLAY, "GET", &search, None);
    assert_eq!(found["service_areas"][0]["id"], *id(1));
    let later = format!("{search}&earliest_time={}", in_minutes(61));
    assert_eq!(server.ask("display", DISPLAY, "GET", &later, None).1["service_areas"], json!([]));
    let earlier = format!("{search}&latest_time={}", in_minutes(-1));
    assert_eq!(server.ask("display", DISPLAY, "GET", &earlier, None).1["service_areas"], json!([]));
    assert_eq!(server.ask("uss1", SERVICE, "GET", &search, None).0, 403);

    let version = text(&put, "/service_area/version").to_owned();
    assert_eq!(server.ask("uss1", SERVICE, "PUT", &format!("{area}/fake_version"), Some(put_v2(50))).0, 400);
    assert_eq!(server.ask("uss1", SERVICE, "PUT", &format!("{area}/0000000000000"), Some(put_v2(50))).0, 409);
    assert_eq!(server.ask("uss2", SERVICE, "PUT", &format!("{area}/{version}"), Some(put_v2(50))).0, 403);
    let (status, changed) =
        server.ask("uss1", SERVICE, "PUT", &format!("{area}/{version}"), Some(put_v2(50)));
    assert_eq!(
        (status, changed["subscribers"][0]["subscriptions"][0]["notification_index"].as_i64()),
        (200, Some(2))
    );
    let version = text(&changed, "/service_area/version");
    assert_eq!(server.ask("uss2", SERVICE, "DELETE", &format!("{area}/{version}"), None).0, 403);
    let (status, gone) = server.ask("uss1", SERVICE, "DELETE", &format!("{area}/{version}"), None);
    assert_eq!(
        (status, gone["subscribers"][0]["subscriptions"][0]["notification_index"].as_i64()),
        (200, Some(3))
    );
    assert_eq!(server.ask("uss1", SERVICE, "GET", &area, None).0, 404);
    assert_eq!(server.ask("uss1", SERVICE, "DELETE", &format!("{area}/{version}"), None).0, 404);

    let (_, mine) = server.ask("display", DISPLAY, "GET", &format!("{V2}/subscriptions?area={AREA}"), None);
    assert_eq!(mine["subscriptions"][0]["notification_index"], 3);
    let (_, others) = server.ask("other", DISPLAY, "GET", &format!("{V2}/subscriptions?area={AREA}"), None);
    assert_eq!(others["subscriptions"], json!([]));
    let version = text(&mine, "/subscriptions/0/version");
    assert_eq!(server.ask("other", DISPLAY, "DELETE", &format!("{subscription}/{version}"), None).0, 403);
    assert_eq!(server.ask("display", DISPLAY, "DELETE", &format!("{subscription}/{version}"), None).0, 200);
    assert_eq!(server.ask("display", DISPLAY, "GET", &subscription, None).0, 404);
}

#[test]
fn both_editions_see_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let callbacks = json!({ "identification_service_area_url": "https://display.example/isa" });
    let subscription = format!("{V1}/subscriptions/{}", id(2));
    let (status, _) =
        server.ask("display", READ, "PUT", &subscription, Some(put_v1(60, "callbacks", callbacks)));
    assert_eq!(status, 200);
    let path = format!("{V1}/identification_service_areas/{}", id(1));
    let body = put_v1(60, "flights_url", json!("https://uss.example/flights"));
    let (status, put) = server.ask("uss1", WRITE, "PUT", &path, Some(body));
    assert_eq!(
        (status, put["subscribers"][0]["url"].as_str()),
        (200, Some("https://display.example/isa")),
        "{put}"
    );
    let (_, seen) =
        server.ask("display", DISPLAY, "GET", &format!("{V2}/identification_service_areas/{}", id(1)), None);
    assert_eq!(seen["service_area"]["version"], put["service_area"]["version"]);
    let (_, found) =
        server.ask("display", READ, "GET", &format!("{V1}/identification_service_areas?area={AREA}"), None);
    assert_eq!(found["service_areas"][0]["flights_url"], "https://uss.example/flights");
    let version = text(&put, "/service_area/version");
    let over = format!("{V2}/identification_service_areas/{}/{version}", id(1));
    assert_eq!(server.ask("uss1", SERVICE, "DELETE", &over, None).0, 200);
    assert_eq!(server.ask("uss1", READ, "GET", &path, None).0, 404);
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let area = format!("{V2}/identification_service_areas/{}", id(1));
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 8] = [
        ("no vertices", |b| b["extents"]["volume"]["outline_polygon"]["vertices"] = json!([])),
        ("no outline", |b| b["extents"]["volume"]["outline_polygon"] = Value::Null),
        ("no end", |b| b["extents"]["time_end"] = Value::Null),
        ("an old start", |b| b["extents"]["time_start"] = time(-10)),
        ("ends before it starts", |b| b["extents"]["time_end"] = time(-1)),
        ("no URL", |b| b["uss_base_url"] = Value::Null),
        ("no TLS", |b| b["uss_base_url"] = json!("http://uss.example")),
        ("crossing edges", |b| {
            b["extents"]["volume"]["outline_polygon"]["vertices"].as_array_mut().unwrap().swap(1, 2)
        }),
    ];
    for (what, change) in changes {
        let mut body = put_v2(60);
        change(&mut body);
        let (status, answer) = server.ask("uss1", SERVICE, "PUT", &area, Some(body));
        assert_eq!(status, 400, "{what}: {answer}");
    }
    let mut huge = put_v2(60);
    let corner = |lat: f64, lng: f64| json!({ "lat": lat, "lng": lng });
    huge["extents"]["volume"]["outline_polygon"]["vertices"] =
        json!([corner(40., 8.), corner(40., 10.), corner(42., 10.)]);
    let (status, answer) = server.ask("uss1", SERVICE, "PUT", &area, Some(huge));
    assert_eq!(status, 400);
    assert!(text(&answer, "/message").contains("too large"));
    let search = |area: &str| {
        server.ask("display", DISPLAY, "GET", &format!("{V2}/identification_service_areas{area}"), None).0
    };
    assert_eq!(search(""), 400);
    assert_eq!(search("?area=1,2,3"), 400);
    assert_eq!(search("?area=47,8,47,x,48,8"), 400);
    assert_eq!(search(&format!("?area={HUGE}")), 413);
    assert_eq!(search(&format!("?area={AREA}&earliest_time=yesterday")), 400);
    let day = format!("{V2}/subscriptions/{}", id(3));
    assert_eq!(server.ask("display", DISPLAY, "PUT", &day, Some(put_v2(24 * 60 + 1))).0, 400);

    // Ten of one owner in a place, not eleven.
    for n in 10..20 {
        let path = format!("{V2}/subscriptions/{}", id(n));
        assert_eq!(server.ask("display", DISPLAY, "PUT", &path, Some(put_v2(60))).0, 200);
    }
    let eleventh = format!("{V2}/subscriptions/{}", id(20));
    assert_eq!(server.ask("display", DISPLAY, "PUT", &eleventh, Some(put_v2(60))).0, 429);
    assert_eq!(server.ask("other", DISPLAY, "PUT", &eleventh, Some(put_v2(60))).0, 200);
}
