//! Any request that the standards' files describe, whole or damaged, is answered as they say.

mod common;
use common::*;
use serde_json::{Value, json};

const SCOPES: &str = "utm.strategic_coordination utm.conformance_monitoring_sa utm.constraint_management \
    utm.constraint_processing utm.availability_arbitration rid.display_provider rid.service_provider \
    dss.read.identification_service_areas dss.write.identification_service_areas interuss.pool_status.read \
    interuss.pool_status.heartbeat.write";
const ROUNDS: u32 = 600;

/// A value of a schema: whole, as an example of it.
fn example(schema: &Value, document: &Value, name: &str) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = document.pointer(reference.trim_start_matches('#')).unwrap();
        return example(found, document, name);
    }
    if let Some(all) = schema["anyOf"].as_array().or_else(|| schema["allOf"].as_array()) {
        return example(&all[0], document, name);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            // A volume has one outline only.
            let fields = fields.filter(|(name, _)| *name != "outline_polygon" && *name != "subscription_id");
            fields.map(|(name, field)| (name.clone(), example(field, document, name))).collect()
        }
        Some("array") => json!([example(&schema["items"], document, name)]),
        Some("number" | "integer") => json!(if name == "value" { 100.0 } else { 8.0 }),
        Some("boolean") => json!(true),
        _ => match (name, schema["enum"][0].as_str()) {
            (_, Some(first)) => json!(first),
            (name, _) if name.ends_with("url") => json!("https://uss.example.com"),
            ("value" | "time_end", _) => json!(in_minutes(20)),
            ("time_start", _) => json!(in_minutes(10)),
            _ => json!("0123456789abcdef"),
        },
    }
}

/// The next number of a seed (SplitMix64, Steele and others, 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Damages a value at a random place.
fn damaged(value: &mut Value, at: &mut impl FnMut(usize) -> usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() && at(4) > 0 => {
            let name = fields.keys().nth(at(fields.len())).unwrap().clone();
            match at(6) {
                0 => _ = fields.remove(&name),
                _ => damaged(&mut fields[&name], at),
            }
        }
        Value::Array(items) if !items.is_empty() && at(4) > 0 => {
            let place = at(items.len());
            damaged(&mut items[place], at);
        }
        other => {
            let others = [
                json!(null),
                json!(-1),
                json!(1e300),
                json!(""),
                json!("x"),
                json!([]),
                json!({}),
                json!(true),
                json!(in_minutes(-30)),
                json!("Nonconforming"),
                json!(47.0),
                json!(id(3)),
            ];
            *other = others[at(others.len())].clone();
        }
    }
}

#[test]
fn any_request_is_answered_as_the_files_say() {
    if contracts().is_empty() {
        println!("skipped: the standards' files are not at hand");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let document = |contract: &'static Contract| contract.document();
    let operations: Vec<(String, String, Value, &'static Value)> = contracts()
        .iter()
        .flat_map(|c| c.operations().into_iter().map(move |(m, p, o)| (m, p, o, document(c))))
        .collect();
    assert!(operations.len() > 40, "{}", operations.len());
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let mut versions: Vec<String> = vec!["0123456789abcdef".into()];
    let mut answered = std::collections::BTreeMap::new();
    let mut state: u64 = seed;
    for _ in 0..ROUNDS {
        let mut at = |below: usize| random(&mut state) as usize % below.max(1);
        let (method, template, operation, document) = &operations[at(operations.len())];
        let part = |part: &str, at: &mut dyn FnMut(usize) -> usize| match part {
            "{entityid}" | "{subscriptionid}" | "{id}" if at(12) > 0 => id(at(4) as u32),
            "{ovn}" | "{version}" => versions[versions.len() - 1 - at(versions.len().min(6))].clone(),
            "{uss_id}" => format!("uss{}", at(3)),
            part if part.starts_with('{') => "no-uuid".into(),
            part => part.to_owned(),
        };
        let mut path: String = template.split('/').map(|p| part(p, &mut at)).collect::<Vec<_>>().join("/");
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let mut asked: Vec<String> = Vec::new();
        for parameter in parameters {
            match parameter["name"].as_str().unwrap() {
                _ if at(8) == 0 => {}
                "area" if at(6) > 0 => asked.push("area=7.9,7.9,7.9,8.1,8.1,8.1,8.1,7.9".into()),
                name if name.contains("time") => asked.push(format!("{name}={}", in_minutes(15))),
                name => asked.push(format!("{name}=uss1")),
            }
        }
        if !asked.is_empty() {
            path += &format!("?{}", asked.join("&"));
        }
        let schema = operation.pointer("/requestBody/content/application~1json/schema");
        let body = schema.map(|schema| {
            let mut body = example(schema, document, "");
            if at(3) == 0 {
                damaged(&mut body, &mut at);
            }
            body
        });
        let sub = ["uss1", "uss2"][at(8) / 7];
        let scope = if at(20) == 0 { "another" } else { SCOPES };
        let (status, answer) = server.ask(sub, scope, method, &path, body);
        assert!(status < 500, "{method} {path}: {status} {answer}");
        for known in [
            "/operational_intent_reference/ovn",
            "/constraint_reference/ovn",
            "/subscription/version",
            "/service_area/version",
            "/version",
        ] {
            versions.extend(
                answer.pointer(known).and_then(Value::as_str).filter(|v| v.len() > 12).map(str::to_owned),
            );
        }
        *answered.entry(status).or_insert(0) += 1;
    }
    println!("{answered:?}");
    for status in [200, 201, 400, 403, 404, 409] {
        assert!(answered.contains_key(&status), "{status} never happened: {answered:?}");
    }
}
