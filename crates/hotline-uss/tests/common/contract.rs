//! The standards' files beside the project, which answers are held against; without them this is skipped, with a word.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// One file, with the base path it is served under.
pub struct Contract {
    base: &'static str,
    document: Value,
}

const FILES: &[(&str, &str)] = &[
    ("astm-f3548-21-utm.yaml", ""),
    ("astm-f3411-22a-remoteid.yaml", ""),
    ("astm-f3411-19-remoteid.yaml", ""),
    ("automated-testing/flight_planning/v1/flight_planning.yaml", "/flight_planning/v1"),
    ("automated-testing/versioning/versioning.yaml", "/versioning"),
    ("automated-testing/geospatial_map/v1/geospatial_map.yaml", "/geospatial_map/v1"),
    ("automated-testing/rid/v1/observation.yaml", "/display/v1"),
];

fn read(path: &Path) -> Value {
    serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Takes the schemas of other files that are referred to into this one.
fn bundle(document: &mut Value, folder: &Path) {
    let mut files = Vec::new();
    rewrite(document, &mut files);
    let mut known: Vec<String> = Vec::new();
    while let Some(file) = files.pop() {
        if known.contains(&file) {
            continue;
        }
        let mut other = read(&folder.join(&file));
        rewrite(&mut other, &mut files);
        let schemas = other["components"]["schemas"].as_object().cloned().unwrap_or_default();
        let own = document["components"]["schemas"].as_object_mut().unwrap();
        schemas.into_iter().for_each(|(name, schema)| _ = own.entry(name).or_insert(schema));
        known.push(file);
    }
}

fn rewrite(value: &mut Value, files: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some((file, inside)) = reference.clone().split_once('#')
                && !file.is_empty()
            {
                files.push(file.trim_start_matches("./").to_owned());
                *reference = format!("#{inside}");
            }
            fields.values_mut().for_each(|v| rewrite(v, files));
        }
        Value::Array(all) => all.iter_mut().for_each(|v| rewrite(v, files)),
        _ => {}
    }
}

pub fn contracts() -> &'static [Contract] {
    static CONTRACTS: OnceLock<Vec<Contract>> = OnceLock::new();
    CONTRACTS.get_or_init(|| {
        let standards = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/standards");
        if !standards.exists() {
            eprintln!(
                "skipped: the standards' files are not beside this project; answers are not held against them"
            );
            return Vec::new();
        }
        let one = |(file, base): &(&str, &'static str)| {
            let path = standards.join(file);
            let mut document = read(&path);
            bundle(&mut document, path.parent().unwrap());
            Contract { base, document }
        };
        FILES.iter().map(one).collect()
    })
}

impl Contract {
    /// That an answer is one that the file knows for the request; what the file does not describe is not looked at.
    pub fn check(&self, method: &str, path: &str, status: u16, answer: &Value) {
        let Some(path) = path.split('?').next().unwrap().strip_prefix(self.base) else { return };
        let asked: Vec<&str> = path.split('/').collect();
        let fits = |template: &&String| {
            let parts: Vec<&str> = template.split('/').collect();
            parts.len() == asked.len() && parts.iter().zip(&asked).all(|(t, a)| t.starts_with('{') || t == a)
        };
        let paths = self.document["paths"].as_object().unwrap();
        let Some(template) = paths.keys().find(fits) else { return };
        let Some(operation) = paths[template].get(method.to_lowercase()) else { return };
        // Two files describe success only.
        if status >= 400 && (path.starts_with("/uss/v1/log_sets/") || path == "/display_data") {
            return;
        }
        let responses = operation["responses"].as_object().unwrap();
        let described = responses.get(&status.to_string());
        let described =
            described.unwrap_or_else(|| panic!("{method} {path}: {status} is not in the file: {answer}"));
        let Some(schema) = described.pointer("/content/application~1json/schema") else { return };
        let whole = json!({ "allOf": [schema], "components": self.document["components"] });
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft4)
            .should_validate_formats(true)
            .build(&whole)
            .unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(answer).map(|e| format!("{e} at {}", e.instance_path())).collect();
        // The map's file requires one spelling of a field and describes another; the longitudes of the observation's file
        // are to be at least 180 and at most -180.
        let known = |e: &String| {
            e.contains("featuresSelectionOutcome") || e.contains("of 180 at") || e.contains("of -180 at")
        };
        let wrong: Vec<&String> = wrong.iter().filter(|e| !known(e)).collect();
        assert!(wrong.is_empty(), "{method} {path} {status}: {wrong:?}\n{answer}");
    }
}
