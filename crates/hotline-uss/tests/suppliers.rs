//! What suppliers say to each other: notifications, conformance, telemetry, records; across restarts and silence.

mod common;

use common::{Country, altitude, id, listen_again, listener, plan, time, until, volume};
use hotline_uss::Edition;
use serde_json::{Value, json};

const STRATEGIC: &str = "utm.strategic_coordination";
const CONFORMANCE: &str = "utm.conformance_monitoring_sa";
const MANAGEMENT: &str = "utm.constraint_management";
const PROCESSING: &str = "utm.constraint_processing";
const OPERATOR: &str = "hotline.operator";

fn position(lat: f64, lng: f64) -> Value {
    json!({
        "time_measured": time(0),
        "position": { "longitude": lng, "latitude": lat, "altitude": altitude(80.0), "accuracy_h": "HA3m", "accuracy_v": "VA3m", "extrapolated": false },
        "velocity": { "speed": 10.0, "units_speed": "MetersPerSecond", "track": 90.0 },
    })
}

#[test]
fn a_flight_that_leaves_its_volumes_is_told_and_may_come_back() {
    let country = Country::new();
    let one = country.supplier_on("uss1", listener(), |s| {
        s.conformance.allowed_excursion = hotline_airspace::Seconds::new(0.2);
        s.conformance.contingent_after = hotline_airspace::Seconds::new(12.0);
    });
    let flight = id(1);
    assert_eq!(one.plan(&flight, plan("InUse", "Nominal", 0, volume(47.0, 8.0, -5, 600))).1, "OkToFly");
    let entity = one.entity(&flight).reference.id;
    let telemetry_path = format!("/uss/v1/operational_intents/{entity}/telemetry");
    assert_eq!(
        one.ask("uss2", CONFORMANCE, "GET", &telemetry_path, None).0,
        409,
        "nominal: nobody's business"
    );
    let path = format!("/operator/v1/flights/{flight}/telemetry");
    let fly = |lat: f64| {
        let (status, answer) = one.ask("op", OPERATOR, "POST", &path, Some(position(lat, 8.0)));
        assert_eq!(status, 204, "{answer}");
    };
    let state = || one.uss().flight(&flight).unwrap().state().map(|s| format!("{s:?}")).unwrap();
    fly(47.0);
    assert_eq!(state(), "Activated");
    until("outside for long enough", || {
        fly(47.01);
        state() == "Nonconforming"
    });
    let told = one.entity(&flight);
    assert!(!told.details.off_nominal_volumes.is_empty() && !told.details.volumes.is_empty());
    let (status, telemetry) = one.ask("uss2", CONFORMANCE, "GET", &telemetry_path, None);
    assert_eq!((status, telemetry["telemetry"]["position"]["latitude"].as_f64()), (200, Some(47.01)));
    until("back inside", || {
        fly(47.0);
        state() == "Activated"
    });
    until("outside for too long", || {
        fly(47.01);
        state() == "Contingent"
    });
    assert!(one.entity(&flight).details.volumes.is_empty(), "a contingent intent has no volumes to be in");
    fly(47.0);
    assert_eq!(
        one.plan(&flight, plan("InUse", "Nominal", 0, volume(47.0, 8.0, -5, 600))).0,
        "Rejected",
        "for good"
    );
    let day = time(0)["value"].as_str().unwrap()[..10].to_owned();
    until("the records are written", || {
        let (status, set) = one.ask("op", OPERATOR, "GET", &format!("/uss/v1/log_sets/{day}"), None);
        let has = |kind: &str| !set[kind].as_array().unwrap().is_empty();
        status == 200
            && ["messages", "planning_attempts", "operator_notifications", "operator_associations"]
                .into_iter()
                .all(has)
            && has("operational_intent_positions")
    });
    let (_, set) = one.ask("op", OPERATOR, "GET", &format!("/uss/v1/log_sets/{day}"), None);
    assert!(set.to_string().contains(".(left out)"), "tokens are kept without what makes them usable");
    assert_eq!(one.ask("op", OPERATOR, "GET", "/uss/v1/log_sets/..%2Fuss.redb", None).0, 404);
    assert_eq!(one.ask("op", OPERATOR, "GET", "/ready", None), (200, json!("ready\n")));
    let (_, measures) = one.ask("op", OPERATOR, "GET", "/metrics", None);
    let measures = measures.as_str().unwrap();
    assert!(measures.contains("hotline_uss_things{kind=\"flights_contingent\"} 1"), "{measures}");
    assert!(measures.contains("hotline_uss_exchanges_total{role=\"Client\",status=\"201\"} 1"), "{measures}");
}

#[test]
fn a_notification_waits_for_a_supplier_that_is_away_and_outlives_a_restart() {
    let country = Country::new();
    let away = listener();
    let address = away.local_addr().unwrap();
    let one = country.supplier("uss1");
    let one_address = one.address;
    {
        let two = country.supplier_on("uss2", away, |_| {});
        assert_eq!(two.plan(&id(2), plan("InUse", "Nominal", 0, volume(47.0055, 8.0, -5, 600))).1, "OkToFly");
    }
    // Near enough for the DSS' cells, not overlapping.
    assert_eq!(
        one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.0, 8.0, -5, 600))).1,
        "NotPlanned",
        "away"
    );
    let two = country.supplier_on("uss2", listen_again(address), |_| {});
    assert_eq!(
        two.uss().flight(&id(2)).unwrap().state().map(|s| format!("{s:?}")).as_deref(),
        Some("Activated")
    );
    assert_eq!(
        one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.0, 8.0, -5, 600))).1,
        "Planned",
        "back"
    );
    let entity = one.entity(&id(1)).reference.id;
    drop(two);
    // Changed while the other is away, and this one restarted before it could tell.
    assert_eq!(one.plan(&id(1), plan("InUse", "Nominal", 0, volume(47.0, 8.0, -5, 600))).1, "OkToFly");
    drop(one);
    let one = country.supplier_on("uss1", listen_again(one_address), |_| {});
    assert_eq!(one.entity(&id(1)).reference.id, entity);
    let two = country.supplier_on("uss2", listen_again(address), |_| {});
    let day = time(0)["value"].as_str().unwrap()[..10].to_owned();
    until("the other was told", || {
        let (_, set) = two.ask("op", OPERATOR, "GET", &format!("/uss/v1/log_sets/{day}"), None);
        let heard = |m: &Value| {
            m["recorder_role"] == "Server"
                && m["request_source"] == "uss1"
                && m["response_code"] == 204
                && m["url"].as_str().unwrap().ends_with("/uss/v1/operational_intents")
        };
        set["messages"].as_array().is_some_and(|all| all.iter().any(heard))
    });
}

#[test]
fn what_others_may_say() {
    let country = Country::new();
    let (one, two) = (country.supplier("uss1"), country.supplier("uss2"));
    two.plan(&id(2), plan("Planned", "Nominal", 7, volume(47.0, 8.0, -5, 600)));
    let intent = json!(two.entity(&id(2)));
    let entity = intent["reference"]["id"].clone();
    let notice = |intent: Value| {
        let subscriptions = json!([{ "subscription_id": id(9), "notification_index": 1 }]);
        json!({ "operational_intent_id": entity, "operational_intent": intent, "subscriptions": subscriptions })
    };
    let tell = |client: &str, notice: Value| {
        one.ask(client, STRATEGIC, "POST", "/uss/v1/operational_intents", Some(notice)).0
    };
    let changed = |field: &str, value: Value| {
        let mut intent = intent.clone();
        *intent.pointer_mut(field).unwrap() = value;
        intent
    };
    assert_eq!(tell("uss2", notice(intent.clone())), 204);
    assert_eq!(tell("uss2", notice(intent.clone())), 204, "again");
    assert_eq!(tell("uss3", notice(intent.clone())), 403, "somebody else's");
    assert_eq!(
        tell("uss2", notice(changed("/details/priority", json!(8)))),
        409,
        "the same version, another intent"
    );
    assert_eq!(tell("uss2", notice(changed("/reference/version", json!(0)))), 409, "older");
    assert_eq!(tell("uss2", notice(changed("/reference/version", json!(5)))), 204, "newer");
    assert_eq!(tell("uss2", notice(changed("/reference/state", json!("Flying")))), 400);
    assert_eq!(tell("uss2", notice(changed("/details/volumes", json!([])))), 400, "nowhere");
    assert_eq!(tell("uss2", notice(changed("/reference/ovn", json!("")))), 400);
    let mut without = notice(intent.clone());
    without["subscriptions"] = json!([]);
    assert_eq!(tell("uss2", without), 400);
    let gone = json!({ "operational_intent_id": entity, "subscriptions": [{ "subscription_id": id(9), "notification_index": 2 }] });
    assert_eq!(tell("uss3", gone.clone()), 403);
    assert_eq!(tell("uss2", gone), 204);
    assert_eq!(one.ask("uss2", CONFORMANCE, "POST", "/uss/v1/operational_intents", Some(json!({}))).0, 403);
    let report = json!({ "exchange": {
        "url": "https://uss1.example/uss/v1/operational_intents", "method": "POST", "recorder_role": "Client",
        "request_time": time(0), "request_source": "uss2",
    } });
    let (status, kept) = one.ask("uss2", STRATEGIC, "POST", "/uss/v1/reports", Some(report));
    assert_eq!((status, kept["report_id"].as_str().is_some()), (201, true), "{kept}");
    assert_eq!(
        one.ask("uss2", STRATEGIC, "GET", &format!("/uss/v1/operational_intents/{}", id(77)), None).0,
        404
    );
}

#[test]
fn constraints_block_plans_and_are_told() {
    let country = Country::new();
    let (one, authority) = (country.supplier("uss1"), country.supplier("authority"));
    assert_eq!(one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.0, 8.0, -5, 600))).1, "Planned");
    let path = format!("/operator/v1/constraints/{}", id(5));
    let details = json!({ "volumes": [volume(47.0, 8.0, -5, 600)], "type": "example.rescue" });
    let (status, made) = authority.ask("op", OPERATOR, "PUT", &path, Some(details.clone()));
    assert_eq!(status, 200, "{made}");
    until("the operator below is told", || {
        one.uss()
            .notices(hotline_dss::Moment::MIN, hotline_dss::Moment::MAX)
            .iter()
            .any(|n| n.message.contains("constraint"))
    });
    let refused = one.plan(&id(2), plan("Planned", "Nominal", 0, volume(47.002, 8.0, 700, 800)));
    assert_eq!(refused.0, "Completed", "later: {}", refused.2);
    let refused = one.plan(&id(3), plan("Planned", "Nominal", 9, volume(47.002, 8.0, -5, 600)));
    assert_eq!(
        (refused.0.as_str(), refused.2["notes"].as_str().unwrap().contains("constraint")),
        ("Rejected", true)
    );
    let (status, seen) =
        authority.ask("uss1", PROCESSING, "GET", &format!("/uss/v1/constraints/{}", id(5)), None);
    assert_eq!((status, &seen["constraint"]["details"]["type"]), (200, &json!("example.rescue")));
    // On the map.
    let check = |impact: &str| {
        let position = json!({ "location": { "lat": 47.0, "lng": 8.0 }, "altitude": altitude(80.0) });
        let query = json!({ "checks": [{ "filter_sets": [{ "position": position, "resulting_operational_impact": impact }] }] });
        let (status, found) = one.ask(
            "tester",
            "interuss.geospatial_map.query",
            "POST",
            "/geospatial_map/v1/map/queries",
            Some(query),
        );
        assert_eq!(status, 200, "{found}");
        found["results"][0]["features_selection_outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!((check("Block").as_str(), check("Advise").as_str()), ("Present", "Absent"));
    let (status, _) = authority.ask("op", OPERATOR, "DELETE", &path, None);
    assert_eq!(status, 204);
    until("gone from the map", || check("Block") == "Absent");
    assert_eq!(one.ask("uss2", MANAGEMENT, "POST", "/uss/v1/constraints", Some(json!({}))).0, 400);
}

#[test]
fn zones_are_loaded_and_asked_about() {
    let country = Country::new();
    let one = country.supplier("uss1");
    let direct = "interuss.geospatial_map.direct_automated_test";
    let at = |n: u32| format!("/geospatial_map/v1/geospatial_data_sources/{}", id(n));
    let put = |n: u32, url: &str, format: &str| {
        let body = json!({ "https_source": { "url": url, "format": format } });
        one.ask("tester", direct, "PUT", &at(n), Some(body))
    };
    let (status, answer) = put(1, &format!("{}/healthy", one.url()), "ED-269");
    assert_eq!(status, 200, "{answer}");
    until("what is no data set is refused", || {
        one.ask("tester", direct, "GET", &at(1), None).1["data_source"]["status"] == "Rejected"
    });
    assert_eq!(put(1, "http://127.0.0.1:9/other", "ED-269").0, 409);
    put(2, "http://127.0.0.1:9/zones.json", "ED-269");
    until("what cannot be fetched is told", || {
        one.ask("tester", direct, "GET", &at(2), None).1["data_source"]["status"] == "Error"
    });
    assert_eq!(put(3, "http://127.0.0.1:9/zones.xml", "AIXM").1["data_source"]["status"], "Unsupported");
    let (_, all) = one.ask("tester", direct, "GET", "/geospatial_map/v1/geospatial_data_sources", None);
    assert_eq!(all["data_sources"].as_array().unwrap().len(), 3);
    assert_eq!(one.ask("tester", direct, "DELETE", &at(1), None).0, 200);
    assert_eq!(one.ask("tester", direct, "GET", &at(1), None).0, 404);
    let unknown = json!({ "checks": [{ "filter_sets": [{ "restriction_source": "FAA" }] }] });
    let (_, found) = one.ask(
        "tester",
        "interuss.geospatial_map.query",
        "POST",
        "/geospatial_map/v1/map/queries",
        Some(unknown),
    );
    assert_eq!(found["results"][0]["features_selection_outcome"], "UnsupportedFilter");
}

#[test]
fn a_zone_keeps_flights_out() {
    let country = Country::new();
    let one = country.supplier("uss1");
    let zones = json!({ "features": [{
        "identifier": "ZA", "restriction": "PROHIBITED", "applicability": [{ "permanent": "YES" }],
        "geometry": [{ "uomDimensions": "M", "lowerLimit": 0, "upperLimit": 120,
            "horizontalProjection": { "type": "Circle", "center": [8.0, 47.0], "radius": 1000 } }],
    }] });
    let served = common::Served::start(
        listener(),
        axum::Router::new()
            .route("/zones.json", axum::routing::get(move || async move { axum::Json(zones) })),
    );
    let direct = "interuss.geospatial_map.direct_automated_test";
    let at = format!("/geospatial_map/v1/geospatial_data_sources/{}", id(1));
    let source =
        json!({ "https_source": { "url": format!("{}/zones.json", served.url()), "format": "ED-269" } });
    assert_eq!(one.ask("tester", direct, "PUT", &at, Some(source)).0, 200);
    until("the zones are there", || {
        one.ask("tester", direct, "GET", &at, None).1["data_source"]["status"] == "Ready"
    });
    let inside = one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.0, 8.0, -5, 600)));
    assert_eq!((inside.0.as_str(), inside.2["notes"].as_str().unwrap().contains("ZA")), ("Rejected", true));
    let outside = one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.1, 8.0, -5, 600)));
    assert_eq!(outside.0, "Completed", "{}", outside.2);
}

#[test]
fn aircraft_are_shown_to_display_providers() {
    for edition in [Edition::Of2019, Edition::Of2022] {
        aircraft_are_shown_in(edition);
    }
}

fn aircraft_are_shown_in(edition: Edition) {
    let country = Country::new();
    let supplier = |name| country.supplier_on(name, listener(), |s| s.remote_id = edition);
    let (one, two) = (supplier("uss1"), supplier("uss2"));
    let path = "/operator/v1/aircraft/drone-1";
    let fly = |lng: f64| {
        let body = json!({ "telemetry": position(47.0, lng), "details": { "aircraft_type": "VTOL", "operator_id": "N.1", "serial_number": "S1" } });
        let (status, answer) = one.ask("op", OPERATOR, "POST", path, Some(body));
        assert_eq!(status, 204, "{answer}");
    };
    let view = "view=46.998,7.998,47.002,8.002";
    until("the other shows it, by way of the DSS", || {
        fly(8.0);
        let (status, seen) =
            two.ask("op", OPERATOR, "GET", &format!("/display/v1/display_data?{view}"), None);
        status == 200 && seen["flights"].as_array().unwrap().iter().any(|f| f["id"] == "drone-1")
    });
    let (status, details) = two.ask("op", OPERATOR, "GET", "/display/v1/display_data/drone-1", None);
    assert_eq!(
        (status, &details["operator"]["id"], &details["uas"]["id"]),
        (200, &json!("N.1"), &json!("S1"))
    );
    // A position of another time is refused: it could not be forgotten either.
    for wrong in ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"] {
        let mut body = json!({ "telemetry": position(47.0, 8.0) });
        body["telemetry"]["time_measured"]["value"] = json!(wrong);
        assert_eq!(one.ask("op", OPERATOR, "POST", path, Some(body)).0, 400, "{wrong}");
    }
    // Too wide for single aircraft: a cluster that hides them. Wider still: refused.
    let (_, seen) =
        two.ask("op", OPERATOR, "GET", "/display/v1/display_data?view=46.98,7.98,47.02,8.02", None);
    assert_eq!(
        (seen["flights"].as_array().unwrap().len(), &seen["clusters"][0]["number_of_flights"]),
        (0, &json!(1))
    );
    let area = seen["clusters"][0]["area_sqm"].as_f64().unwrap();
    assert!(area >= 600.0 * 600.0, "{area}");
    let (status, _) = two.ask("op", OPERATOR, "GET", "/display/v1/display_data?view=46.9,7.9,47.1,8.1", None);
    assert_eq!(status, 413);
    // What a service provider answers, in both editions.
    let display = "rid.display_provider";
    let (status, flights) =
        one.ask("dp", display, "GET", &format!("/uss/flights?{view}&recent_positions_duration=60"), None);
    assert_eq!((status, &flights["flights"][0]["aircraft_type"]), (200, &json!("HybridLift")), "{flights}");
    assert!(!flights["flights"][0]["recent_positions"].as_array().unwrap().is_empty());
    let read = "dss.read.identification_service_areas";
    let (status, flights) = one.ask("dp", read, "GET", &format!("/v1/uss/flights?{view}"), None);
    assert_eq!((status, &flights["flights"][0]["aircraft_type"]), (200, &json!("VTOL")), "{flights}");
    assert_eq!(one.ask("dp", read, "GET", "/v1/uss/flights/drone-1/details", None).0, 200);
    assert_eq!(one.ask("dp", display, "GET", "/uss/flights/drone-1/details", None).0, 200);
    assert_eq!(one.ask("dp", display, "GET", "/uss/flights/nobody/details", None).0, 404);
    assert_eq!(one.ask("dp", display, "GET", "/uss/flights", None).0, 400);
    assert_eq!(one.ask("dp", display, "GET", "/uss/flights?view=46.9,7.9,47.1,8.1", None).0, 413);
    assert_eq!(one.ask("dp", read, "GET", &format!("/uss/flights?{view}"), None).0, 403);
    let notice = json!({ "subscriptions": [{ "subscription_id": id(9), "notification_index": 1 }] });
    let path = format!("/uss/identification_service_areas/{}", id(8));
    assert_eq!(one.ask("sp", "rid.service_provider", "POST", &path, Some(notice)).0, 204);
    assert_eq!(one.ask("sp", display, "GET", &path, None).0, 404);
}
