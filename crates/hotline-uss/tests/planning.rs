//! Two suppliers plan through one DSS: the rules of priority, of what is flown, of suppliers that are down.

mod common;

use common::{Country, altitude, id, plan, time, until, volume};
use serde_json::{Value, json};

const STRATEGIC: &str = "utm.strategic_coordination";
const DAY: i64 = 86_400;

fn answer(of: &(String, String, Value)) -> (&str, &str) {
    (&of.0, &of.1)
}

#[test]
fn what_overlaps_is_refused_and_accepted_after_a_change() {
    let country = Country::new();
    let (one, two) = (country.supplier("uss1"), country.supplier("uss2"));
    let (first, second) = (id(1), id(2));
    let here = || volume(47.0, 8.0, -5, 600);
    assert_eq!(answer(&one.plan(&first, plan("Planned", "Nominal", 0, here()))), ("Completed", "Planned"));
    let refused = two.plan(&second, plan("Planned", "Nominal", 0, volume(47.002, 8.0, -5, 600)));
    assert_eq!(answer(&refused), ("Rejected", "NotPlanned"));
    assert!(refused.2["notes"].as_str().unwrap().contains(&one.entity(&first).reference.id), "{}", refused.2);
    assert!(two.uss().flight(&second).is_none(), "nothing is left of a refused plan");
    // 300 m + 300 m and a gap: about 667 m to the north.
    let accepted = two.plan(&second, plan("Planned", "Nominal", 0, volume(47.006, 8.0, -5, 600)));
    assert_eq!(answer(&accepted), ("Completed", "Planned"));
    assert_eq!(accepted.2["includes_advisories"], "NoAdvisoriesOrConditions");
    // Another supplier gets the details, the DSS shows no OVN to it.
    let entity = two.entity(&second).reference.id;
    let (status, details) =
        two.ask("uss1", STRATEGIC, "GET", &format!("/uss/v1/operational_intents/{entity}"), None);
    assert_eq!((status, details["operational_intent"]["details"]["priority"].as_i64()), (200, Some(0)));
    assert_eq!(
        details["operational_intent"]["reference"]["ovn"].as_str(),
        two.entity(&second).reference.ovn.as_deref()
    );

    // Flown, moved into the other: refused, and it stays as it was.
    assert_eq!(
        answer(&two.plan(&second, plan("InUse", "Nominal", 0, volume(47.006, 8.0, -5, 600)))),
        ("Completed", "OkToFly")
    );
    assert_eq!(answer(&two.plan(&second, plan("InUse", "Nominal", 0, here()))), ("Rejected", "OkToFly"));
    assert_eq!(
        answer(&two.plan(&second, plan("Planned", "Nominal", 0, here()))),
        ("Rejected", "OkToFly"),
        "not back"
    );
    // What is really flown is told, allowed or not.
    let flown = two.plan_in("InReality", &second, plan("InUse", "Nominal", 0, here()));
    assert_eq!(answer(&flown), ("Completed", "OffNominal"));
    until("the other operator knows of the conflict", || {
        let path =
            format!("/flight_planning/v1/user_notifications?after={}", time(-60)["value"].as_str().unwrap());
        let (_, told) = one.ask("tester", "interuss.flight_planning.plan", "GET", &path, None);
        told["user_notifications"].as_array().unwrap().iter().any(|n| n["conflicts"] == "Single")
    });
    // Closed: out of the DSS, and gone for the other.
    assert_eq!(answer(&two.plan(&second, plan("Closed", "Nominal", 0, here()))), ("Completed", "Closed"));
    let path = format!("/dss/v1/operational_intent_references/{entity}");
    assert_eq!(country.ask_dss("uss2", STRATEGIC, "GET", &path, None).0, 404);
}

#[test]
fn the_higher_priority_goes_first() {
    let country = Country::new();
    let (one, two) = (country.supplier("uss1"), country.supplier("uss2"));
    let (low, high) = (id(1), id(2));
    let here = || volume(47.0, 8.0, -5, 600);
    assert_eq!(answer(&one.plan(&low, plan("Planned", "Nominal", 0, here()))), ("Completed", "Planned"));
    let over = two.plan(&high, plan("Planned", "Nominal", 100, here()));
    assert_eq!(answer(&over), ("Completed", "Planned"));
    assert_eq!(over.2["includes_advisories"], "AtLeastOneAdvisoryOrCondition");
    assert_eq!(answer(&one.plan(&low, plan("InUse", "Nominal", 0, here()))), ("Rejected", "Planned"));
    // Hypothetically only: nothing changes.
    let asked = one.plan_in("Hypothetical", &id(3), plan("Planned", "Nominal", 101, here()));
    assert_eq!(answer(&asked), ("Completed", "Planned"));
    assert!(one.uss().flight(&id(3)).is_none());
    // The same request again gives the same answer.
    let body = json!({ "flight_plan": plan("Planned", "Nominal", 0, volume(47.1, 8.0, 5, 60)), "execution_style": "IfAllowed", "request_id": "again" });
    let path = format!("/flight_planning/v1/flight_plans/{}", id(4));
    let ask = || one.ask("tester", "interuss.flight_planning.plan", "PUT", &path, Some(body.clone()));
    assert_eq!(ask(), ask());
    // The test's director clears the area.
    let extent = json!({ "volume": { "outline_circle": { "center": { "lat": 47.0, "lng": 8.0 }, "radius": { "value": 1000.0, "units": "M" } } } });
    let clear = json!({ "request_id": "clear", "extent": extent });
    let direct = "interuss.flight_planning.direct_automated_test";
    let (status, cleared) =
        two.ask("tester", direct, "POST", "/flight_planning/v1/clear_area_requests", Some(clear));
    assert_eq!((status, &cleared["outcome"]["success"]), (200, &json!(true)));
    assert!(two.uss().flight(&high).is_none());
    let (status, _) =
        two.ask("tester", direct, "DELETE", &format!("/flight_planning/v1/flight_plans/{high}"), None);
    assert_eq!(status, 404);
    assert_eq!(answer(&one.plan(&low, plan("InUse", "Nominal", 0, here()))), ("Completed", "OkToFly"));
}

#[test]
fn what_is_no_flight_is_refused() {
    let country = Country::new();
    let one = country.supplier("uss1");
    let flight = id(1);
    let refused = |plan: Value| {
        let outcome = one.plan(&flight, plan);
        assert_eq!(outcome.1, "NotPlanned", "{}", outcome.2);
        outcome.0
    };
    assert_eq!(refused(plan("Planned", "Nominal", 0, volume(47.0, 8.0, -600, -5))), "Rejected", "over");
    assert_eq!(
        refused(plan("Planned", "Nominal", 0, volume(47.0, 8.0, 31 * DAY, 31 * DAY + 60))),
        "Rejected",
        "too far ahead"
    );
    assert_eq!(refused(plan("InUse", "Nominal", 0, volume(47.0, 8.0, 60, 600))), "Rejected", "not begun");
    assert_eq!(
        refused(plan("Planned", "OffNominal", 0, volume(47.0, 8.0, 60, 600))),
        "Rejected",
        "planned to be wrong"
    );
    let mut ground = volume(47.0, 8.0, 60, 600);
    ground["volume"]["altitude_lower"]["reference"] = json!("SFC");
    assert_eq!(refused(plan("Planned", "Nominal", 0, ground)), "NotSupported");
    let mut upside_down = volume(47.0, 8.0, 60, 600);
    upside_down["volume"]["altitude_lower"] = altitude(500.0);
    assert_eq!(refused(plan("Planned", "Nominal", 0, upside_down)), "Rejected");
    let (status, version) = one.ask(
        "tester",
        "interuss.versioning.read_system_versions",
        "GET",
        "/versioning/versions/a.b",
        None,
    );
    assert_eq!((status, version["system_version"].as_str().unwrap().starts_with('v')), (200, true));
    assert_eq!(one.ask("tester", STRATEGIC, "GET", "/versioning/versions/a.b", None).0, 403);
    assert_eq!(one.ask("tester", STRATEGIC, "GET", "/flight_planning/v1/status", None).0, 403);
}

#[test]
fn suppliers_that_are_down() {
    let country = Country::new();
    let one = country.supplier("uss1");
    // Somebody whose details nobody can get, as nothing listens there.
    let intent = |lat: f64, state: &str, key: &[String]| {
        json!({
            "extents": [volume(lat, 8.0, -5, 600)], "key": key, "state": state, "uss_base_url": "http://127.0.0.1:9",
            "new_subscription": { "uss_base_url": "http://127.0.0.1:9" },
        })
    };
    let path = |n: u32| format!("/dss/v1/operational_intent_references/{}", id(n));
    let (status, planned) =
        country.ask_dss("gone", STRATEGIC, "PUT", &path(11), Some(intent(47.0, "Accepted", &[])));
    assert_eq!(status, 201, "{planned}");
    let (status, flown) =
        country.ask_dss("gone", STRATEGIC, "PUT", &path(12), Some(intent(48.0, "Accepted", &[])));
    assert_eq!(status, 201, "{flown}");
    let ovn = flown["operational_intent_reference"]["ovn"].as_str().unwrap();
    let (status, _) = country.ask_dss(
        "gone",
        STRATEGIC,
        "PUT",
        &format!("{}/{ovn}", path(12)),
        Some(intent(48.0, "Activated", &[])),
    );
    assert_eq!(status, 200);
    // It is there, as far as is known: what it flies cannot be found out, so nothing is planned.
    let silent = one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.0, 8.0, -5, 600)));
    assert_eq!(answer(&silent), ("Failed", "NotPlanned"));
    let down = json!({ "old_version": "", "availability": "Down" });
    let (status, _) = country.ask_dss(
        "arbiter",
        "utm.availability_arbitration",
        "PUT",
        "/dss/v1/uss_availability/gone",
        Some(down),
    );
    assert_eq!(status, 200);
    let over = one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.0, 8.0, -5, 600)));
    assert_eq!(answer(&over), ("Completed", "Planned"), "{}", over.2);
    assert_eq!(over.2["includes_advisories"], "AtLeastOneAdvisoryOrCondition");
    let against = one.plan(&id(2), plan("Planned", "Nominal", 0, volume(48.0, 8.0, -5, 600)));
    assert_eq!(answer(&against), ("Rejected", "NotPlanned"), "{}", against.2);
}
