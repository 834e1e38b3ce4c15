//! A DSS whose answers are lost, a supplier that is killed meanwhile, and requests that are damaged in any way.

mod common;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use common::{Country, Served, altitude, id, listen_again, listener, plan, time, until, volume};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Passes requests on to a DSS.
struct Between {
    dss: String,
    /// 0: passes everything; 1: carries the next change out, but loses its answer; 2: loses all answers.
    loses: Arc<AtomicU8>,
}

async fn pass(
    State(between): State<Arc<Between>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let url = format!("{}{}", between.dss, uri.path_and_query().unwrap());
    let authorization = headers.get("authorization").cloned();
    let changes = method == Method::PUT || method == Method::DELETE;
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = ureq::http::Request::builder().method(method.as_str()).uri(url);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let mut answer = if body.is_empty() {
            agent.run(request.body(()).unwrap()).unwrap()
        } else {
            agent.run(request.body(body.to_vec()).unwrap()).unwrap()
        };
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    });
    let (status, text) = asked.await.unwrap();
    match between.loses.load(Ordering::SeqCst) {
        2 => StatusCode::GATEWAY_TIMEOUT.into_response(),
        1 if changes => {
            between.loses.store(0, Ordering::SeqCst);
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        _ => (StatusCode::from_u16(status).unwrap(), text).into_response(),
    }
}

#[test]
fn an_answer_that_is_lost_is_found_out() {
    let country = Country::new();
    let loses = Arc::new(AtomicU8::new(0));
    let between = Arc::new(Between { dss: country.dss.clone(), loses: loses.clone() });
    let router = axum::Router::new().fallback(pass).with_state(between);
    let proxy = Served::start(listener(), router);
    let port = listener();
    let address = port.local_addr().unwrap();
    let one = country.supplier_on("uss1", port, |s| s.dss = proxy.url());
    let here = || volume(47.0, 8.0, -5, 600);

    // Taken, though the answer was lost: that is asked at once.
    loses.store(1, Ordering::SeqCst);
    let planned = one.plan(&id(1), plan("Planned", "Nominal", 0, here()));
    assert_eq!((planned.0.as_str(), planned.1.as_str()), ("Completed", "Planned"), "{}", planned.2);
    assert!(one.entity(&id(1)).reference.version > 1, "told once more, so that the DSS names whom to notify");
    // Not even that is answered: it has failed, as far as is known, and what came of it is found out later.
    loses.store(2, Ordering::SeqCst);
    assert_eq!(one.plan(&id(1), plan("InUse", "Nominal", 0, here())).0, "Failed");
    loses.store(0, Ordering::SeqCst);
    // The look at what is around failed: nothing was begun, so it can be asked for again.
    let flown = one.plan(&id(1), plan("InUse", "Nominal", 0, here()));
    assert_eq!(flown.1, "OkToFly", "{}", flown.2);

    // Ended, but neither the answer nor the supplier is there to see it: it ends when the supplier is back.
    let entity = one.entity(&id(1)).reference.id;
    loses.store(2, Ordering::SeqCst);
    assert_eq!(one.plan(&id(1), plan("Closed", "Nominal", 0, here())).0, "Failed");
    drop(one);
    loses.store(0, Ordering::SeqCst);
    let one = country.supplier_on("uss1", listen_again(address), |s| s.dss = proxy.url());
    until("the flight is ended", || one.uss().flight(&id(1)).is_none());
    let path = format!("/dss/v1/operational_intent_references/{entity}");
    assert_eq!(country.ask_dss("uss1", "utm.strategic_coordination", "GET", &path, None).0, 404);
}

/// Draws from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }

    /// Changes something somewhere.
    fn damage(&mut self, value: &mut Value) {
        let odd = [
            json!(null),
            json!(-1),
            json!(1e308),
            json!(""),
            json!("x".repeat(3_000)),
            json!([]),
            json!({}),
            json!(true),
            json!("9999-12-31T23:59:59Z"),
            json!(i64::MIN),
        ];
        let replacement = odd[self.below(odd.len())].clone();
        let mut at = value;
        for _ in 0..self.below(8) {
            if at.as_object().is_some_and(|o| !o.is_empty()) {
                let fields = at.as_object_mut().expect("looked at above");
                let key = fields.keys().nth(self.below(fields.len())).unwrap().clone();
                if self.below(12) == 0 {
                    fields.remove(&key);
                    return;
                }
                at = &mut fields[&key];
            } else if at.as_array().is_some_and(|a| !a.is_empty()) {
                let all = at.as_array_mut().expect("looked at above");
                let n = self.below(all.len());
                at = &mut all[n];
            }
        }
        *at = replacement;
    }
}

#[test]
fn damaged_requests_are_answered_as_the_files_say() {
    let country = Country::new();
    let one = country.supplier("uss1");
    one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.0, 8.0, -5, 600)));
    let intent = json!(one.entity(&id(1)));
    let subscriptions = json!([{ "subscription_id": id(9), "notification_index": 1 }]);
    let strategic = "utm.strategic_coordination";
    let telemetry = json!({
        "time_measured": time(0), "position": { "longitude": 8.0, "latitude": 47.0, "altitude": altitude(80.0) },
        "velocity": { "speed": 10.0, "units_speed": "MetersPerSecond", "track": 90.0 },
    });
    let position = json!({ "location": { "lat": 47.0, "lng": 8.0 }, "altitude": altitude(80.0) });
    let extent = volume(47.0, 8.0, -5, 600);
    let requests = [
        (
            strategic,
            "POST",
            "/uss/v1/operational_intents".to_owned(),
            json!({
                "operational_intent_id": intent["reference"]["id"], "operational_intent": intent, "subscriptions": subscriptions,
            }),
        ),
        (
            "utm.constraint_management",
            "POST",
            "/uss/v1/constraints".to_owned(),
            json!({
                "constraint_id": id(3), "subscriptions": subscriptions,
                "constraint": { "reference": intent["reference"], "details": { "volumes": [extent] } },
            }),
        ),
        (
            strategic,
            "POST",
            "/uss/v1/reports".to_owned(),
            json!({ "exchange": {
            "url": "https://a", "method": "GET", "recorder_role": "Client", "request_time": time(0), "request_source": "a",
        } }),
        ),
        (
            "interuss.flight_planning.direct_automated_test",
            "POST",
            "/flight_planning/v1/clear_area_requests".to_owned(),
            json!({
                "request_id": "r", "extent": volume(10.0, 8.0, -5, 600),
            }),
        ),
        (
            "interuss.geospatial_map.query",
            "POST",
            "/geospatial_map/v1/map/queries".to_owned(),
            json!({
                "checks": [{ "filter_sets": [{ "position": position, "volumes4d": [extent], "after": "2026-01-01T00:00:00Z",
                    "resulting_operational_impact": "Block", "ed269": { "acceptable_restrictions": ["PROHIBITED"] } }] }],
            }),
        ),
        (
            "rid.service_provider",
            "POST",
            format!("/uss/identification_service_areas/{}", id(8)),
            json!({
                "subscriptions": subscriptions,
            }),
        ),
        ("hotline.operator", "POST", format!("/operator/v1/flights/{}/telemetry", id(1)), telemetry.clone()),
        ("hotline.operator", "POST", "/operator/v1/aircraft/a".to_owned(), json!({ "telemetry": telemetry })),
        (
            "hotline.operator",
            "PUT",
            format!("/operator/v1/flights/{}", id(2)),
            json!({
                "state": "Accepted", "volumes": [volume(12.0, 8.0, 60, 600)], "priority": 1,
            }),
        ),
        (
            "interuss.flight_planning.plan",
            "PUT",
            format!("/flight_planning/v1/flight_plans/{}", id(4)),
            json!({
                "flight_plan": plan("Planned", "Nominal", 0, volume(14.0, 8.0, 60, 600)), "execution_style": "IfAllowed",
                "request_id": "r",
            }),
        ),
    ];
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("SEED={seed}");
    let mut draw = Draw(seed);
    let mut refused = 0;
    for n in 0..400 {
        let (scope, method, path, mut body) = requests[n % requests.len()].clone();
        for _ in 0..=draw.below(2) {
            draw.damage(&mut body);
        }
        // The interfaces for tests do not describe 400: only that nothing breaks is looked at there.
        let of_tests = path.starts_with("/flight_planning") || path.starts_with("/geospatial_map");
        let (status, answer) = if of_tests {
            one.ask_loosely("uss1", scope, method, &path, Some(body.clone()))
        } else {
            one.ask("uss1", scope, method, &path, Some(body.clone()))
        };
        assert!(status < 500, "{method} {path} {status}: {answer}\n{body}");
        refused += usize::from(status >= 400);
    }
    assert!(refused > 200, "{refused} of 400 were refused");
}

/// What the whole is for: however many plan at once, no two flights of the same priority are ever accepted that overlap.
#[test]
fn whoever_plans_at_the_same_time_nothing_overlaps() {
    let country = Country::new();
    let suppliers: Vec<_> = ["uss1", "uss2", "uss3"].into_iter().map(|name| country.supplier(name)).collect();
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("SEED={seed}");
    std::thread::scope(|scope| {
        for (n, supplier) in suppliers.iter().enumerate() {
            for thread in 0..2_u32 {
                scope.spawn(move || {
                    let mut draw = Draw(seed + 100 * n as u64 + u64::from(thread));
                    for flight in 0..12 {
                        // Circles of 300 m within some kilometres.
                        let place = |draw: &mut Draw| draw.below(400) as f64 * 1e-4;
                        let area = volume(47.0 + place(&mut draw), 8.0 + place(&mut draw), -5, 1_800);
                        let usage = if draw.below(2) == 0 { "Planned" } else { "InUse" };
                        let name = id(1_000 * (n as u32 + 1) + 100 * thread + flight);
                        let outcome = supplier.plan(&name, plan(usage, "Nominal", 0, area));
                        assert!(
                            ["Completed", "Rejected", "Failed"].contains(&outcome.0.as_str()),
                            "{}",
                            outcome.2
                        );
                    }
                });
            }
        }
    });
    let mut accepted: Vec<(f64, f64)> = Vec::new();
    for flight in suppliers.iter().flat_map(|s| s.uss().flights().into_values()) {
        let circle = flight.intent.unwrap().details.volumes[0].volume.outline_circle.clone().unwrap();
        let centre = circle.center.unwrap();
        accepted.push((centre.lat, centre.lng));
    }
    let at = |(lat, lng): (f64, f64)| {
        hotline_airspace::Position::new(
            hotline_airspace::Degrees::new(lat),
            hotline_airspace::Degrees::new(lng),
        )
        .unwrap()
    };
    for (i, &one) in accepted.iter().enumerate() {
        for &other in &accepted[..i] {
            let apart = hotline_airspace::geodesy::distance(at(one), at(other)).get();
            assert!(apart > 600.0, "{one:?} and {other:?} are {apart} m apart, 300 m each");
        }
    }
    assert!(accepted.len() > 10, "only {} of 72 were accepted", accepted.len());
}

#[test]
fn tokens_come_by_client_credentials_too() {
    let country = Country::new();
    let issuer = country.keys.clone();
    let asked = Arc::new(std::sync::Mutex::new(String::new()));
    let heard = asked.clone();
    let token = move |body: String| async move {
        *heard.lock().unwrap() = body.clone();
        if !body.contains("client_secret=s%26cret") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let field = |name: &str| {
            let pair = body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            pair.unwrap().replace('+', " ").replace("%20", " ")
        };
        let token = issuer.token("uss1", &field("scope"), &field("audience"));
        axum::Json(json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }))
            .into_response()
    };
    let authority =
        Served::start(listener(), axum::Router::new().route("/oauth", axum::routing::post(token)));
    let source = |secret: &str| hotline_uss::TokenSource::ClientCredentials {
        url: format!("{}/oauth", authority.url()),
        id: "uss1".into(),
        secret: hotline_uss::Secret(secret.into()),
    };
    let one = country.supplier_on("uss1", listener(), |s| s.tokens = source("s&cret"));
    let planned = one.plan(&id(1), plan("Planned", "Nominal", 0, volume(47.0, 8.0, -5, 600)));
    assert_eq!(planned.1, "Planned", "{}", planned.2);
    let body = asked.lock().unwrap().clone();
    assert!(body.contains("grant_type=client_credentials") && body.contains("audience=127.0.0.1"), "{body}");
    let two = country.supplier_on("uss2", listener(), |s| s.tokens = source("wrong"));
    let refused = two.plan(&id(2), plan("Planned", "Nominal", 0, volume(47.1, 8.0, -5, 600)));
    assert!(
        refused.0 == "Failed" && refused.2["notes"].as_str().unwrap().contains("no token"),
        "{}",
        refused.2
    );
    assert!(!format!("{:?}", two.uss().settings).contains("wrong"), "a secret is not shown");
}
