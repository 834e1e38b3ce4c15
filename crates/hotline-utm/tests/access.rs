//! Who may ask, and the auxiliary interface.

mod common;
use common::*;
use hotline_utm::TokenServer;
use serde_json::{Value, json};

const READ: &str = "dss.read.identification_service_areas";
const POOL: &str = "interuss.pool_status.read";

#[test]
fn only_whole_tokens_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let path = "/aux/v1/validate_oauth?owner=uss1";
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims("uss1", READ);
        change(&mut claims);
        let token = tokens().token(&claims).unwrap();
        server.ask_with(&format!("Bearer {token}"), "GET", path, None).0
    };
    assert_eq!(with(&|_| ()), 200);
    assert_eq!(with(&|c| c["aud"] = json!(["elsewhere", "other"])), 200);
    let past = jiff::Timestamp::now().as_second() - 1;
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Value));
    let refused: [Change<'_>; 8] = [
        ("expired", &|c| c["exp"] = json!(past)),
        ("not yet", &|c| c["nbf"] = json!(past + 300)),
        ("another audience", &|c| c["aud"] = json!("elsewhere")),
        ("no audience", &|c| c["aud"] = Value::Null),
        ("no scope", &|c| c["scope"] = Value::Null),
        ("an empty scope", &|c| c["scope"] = json!("")),
        ("nobody", &|c| c["sub"] = json!("")),
        ("for ever", &|c| c["exp"] = Value::Null),
    ];
    for (what, change) in refused {
        assert_eq!(with(change), 401, "{what}");
    }
    assert_eq!(with(&|c| c["scope"] = json!("utm.strategic_coordination")), 403);
    assert_eq!(with(&|c| c["sub"] = json!("uss2")), 403, "another owner");

    let good = tokens().token(&claims("uss1", READ)).unwrap();
    let [head, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let stranger = TokenServer::new(real_clock()).unwrap().token(&claims("uss1", READ)).unwrap();
    let last = if signature.ends_with('A') { 'B' } else { 'A' };
    for (what, value) in [
        ("no header", String::new()),
        ("another scheme", format!("Basic {good}")),
        ("no token", "Bearer ".into()),
        ("no JWT", "Bearer x.y.z".into()),
        ("unsigned", format!("Bearer {none}.{body}.")),
        ("unsigned, with a signature", format!("Bearer {none}.{body}.{signature}")),
        ("a stranger's", format!("Bearer {stranger}")),
        ("another signature", format!("Bearer {head}.{body}.{last}{}", &signature[1..])),
    ] {
        assert_eq!(server.ask_with(&value, "GET", path, None).0, 401, "{what}");
    }
}

#[test]
fn the_pool_and_its_instances() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let (status, version) = server.ask_with("", "GET", "/aux/v1/version", None);
    assert_eq!(
        (status, version["version"].as_str()),
        (200, Some(concat!("hotline/", env!("CARGO_PKG_VERSION"))))
    );
    assert_eq!(server.ask("x", POOL, "GET", "/aux/v1/pool", None), (200, json!({ "dar_id": "tests" })));
    assert_eq!(server.ask("x", READ, "GET", "/aux/v1/pool", None).0, 403);
    for path in ["/aux/v1/configuration/ca_certs", "/aux/v1/configuration/accepted_ca_certs"] {
        assert_eq!(server.ask_with("", "GET", path, None), (200, json!({ "CAs": [] })));
    }
    assert_eq!(server.ask("x", POOL, "GET", "/aux/v1/configuration/global_options", None).0, 200);
    let beat = "/aux/v1/pool/dss_instances/heartbeat";
    let scope = "interuss.pool_status.heartbeat.write";
    assert_eq!(server.ask("operator", scope, "PUT", beat, None).0, 400);
    let next = in_minutes(5);
    let path = format!("{beat}?source=by%20hand&next_heartbeat_expected_before={next}");
    let (status, all) = server.ask("operator", scope, "PUT", &path, None);
    assert_eq!(status, 201);
    assert_eq!(all["dss_instances"][0]["most_recent_heartbeat"]["source"], "by hand");
    assert_eq!(all["dss_instances"][0]["most_recent_heartbeat"]["reporter"], "operator");
    let past = format!("{beat}?source=x&next_heartbeat_expected_before={}", in_minutes(-5));
    assert_eq!(server.ask("operator", scope, "PUT", &past, None).0, 400);
    let (_, listed) = server.ask("x", POOL, "GET", "/aux/v1/pool/dss_instances", None);
    assert_eq!(listed["dss_instances"][0]["id"], "dss-1");
}

#[test]
fn operators_see_what_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let get = |path: &str| server.send("", "GET", path, None);
    assert_eq!(get("/healthy"), (200, json!("ok\n")));
    assert_eq!(get("/ready"), (200, json!("ready\n")));
    assert_eq!(get("/nowhere").0, 404);
    assert_eq!(server.send("", "PATCH", "/aux/v1/version", None).0, 405);
    let (_, Value::String(text)) = get("/metrics") else { panic!("no text") };
    assert!(text.contains(r#"hotline_requests_total{route="/ready",method="GET",status="200"} 1"#), "{text}");
    assert!(text.contains(r#"hotline_stored{kind="operational_intents"} 0"#), "{text}");
    assert!(text.trim_end().ends_with("# EOF"));
}

#[test]
fn the_token_server_gives_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let pem = tokens().private_key().unwrap();
        let issuer = TokenServer::from_pem(&pem, real_clock()).unwrap();
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, issuer.service()).await.unwrap();
        });
    });
    let issuer = heard.recv().unwrap();
    let ask = |query: &str| -> (u16, Value) {
        let mut answer = agent().get(format!("http://{issuer}/token?{query}")).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
    };
    assert_eq!(ask("scope=x&sub=y").0, 400);
    assert_eq!(ask("intended_audience=localhost&scope=x&sub=y&expire=soon").0, 400);
    let (status, given) = ask(&format!("intended_audience=localhost&scope={READ}%20{POOL}&sub=uss1"));
    assert_eq!(status, 200);
    let bearer = format!("Bearer {}", given["access_token"].as_str().unwrap());
    assert_eq!(server.ask_with(&bearer, "GET", "/aux/v1/validate_oauth?owner=uss1", None).0, 200);
    assert_eq!(server.ask_with(&bearer, "GET", "/aux/v1/pool", None).0, 200);
}
