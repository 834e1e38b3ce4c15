//! A crate may use only what the table of ARCHITECTURE.md lets it use, and the pure crates nothing that does input
//! or output, reads clocks or draws random numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each crate may use of the others.
const ARROWS: [(&str, &[&str]); 14] = [
    ("hotline-airspace", &[]),
    ("hotline-detect", &["airspace"]),
    ("hotline-ledger", &[]),
    ("hotline-line", &["airspace", "ledger"]),
    ("hotline-evidence", &["ledger", "line"]),
    ("hotline-picture", &["airspace", "detect", "ledger", "line"]),
    ("hotline-dss", &["airspace"]),
    ("hotline-journal", &[]),
    ("hotline-feeds", &["airspace"]),
    ("hotline-sim", &["airspace", "detect", "ledger", "line", "picture", "journal"]),
    ("hotline-utm", &["airspace", "dss", "journal"]),
    ("hotline-uss", &["airspace", "detect", "dss", "journal", "utm"]),
    (
        "hotline-node",
        &[
            "airspace", "detect", "ledger", "line", "picture", "journal", "feeds", "evidence", "dss", "utm",
            "uss",
        ],
    ),
    (
        "hotline",
        &[
            "airspace", "detect", "ledger", "line", "picture", "journal", "feeds", "evidence", "sim", "node",
            "dss", "utm", "uss",
        ],
    ),
];
/// The crates that think and do not wait.
const PURE: [&str; 6] = [
    "hotline-airspace",
    "hotline-detect",
    "hotline-dss",
    "hotline-ledger",
    "hotline-line",
    "hotline-picture",
];
const NOT_FOR_PURE: [&str; 9] =
    ["tokio", "quinn", "axum", "redb", "getrandom", "rand", "ureq", "tracing", "rayon"];
/// What a pure crate's code may not say: it would read a clock, open a file, start a thread or print.
const NOT_SAID: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "println!",
    "eprintln!",
    "std::env",
];

fn crates() -> BTreeMap<String, toml::Table> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(entry.unwrap().path().join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        (manifest["package"]["name"].as_str().unwrap().to_owned(), manifest)
    };
    std::fs::read_dir(folder).unwrap().map(read).collect()
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    manifest
        .get("dependencies")
        .and_then(|d| d.as_table())
        .into_iter()
        .flat_map(|d| d.keys().cloned())
        .collect()
}

#[test]
fn arrows_only_go_up() {
    let crates = crates();
    let known: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        crates.keys().filter(|c| !known.contains(&c.as_str())).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    for (name, may) in ARROWS {
        for used in dependencies(&crates[name]) {
            let Some(room) = used.strip_prefix("hotline-") else { continue };
            assert!(may.contains(&room), "{name} may not use {used}");
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let of = |path: PathBuf| if path.is_dir() { rust_files(&path) } else { vec![path] };
    entries.flat_map(of).filter(|p| p.extension().is_some_and(|e| e == "rs")).collect()
}

#[test]
fn pure_crates_do_not_wait() {
    let crates = crates();
    for name in PURE {
        for used in dependencies(&crates[name]) {
            assert!(!NOT_FOR_PURE.contains(&used.as_str()), "{name} is pure and may not use {used}");
        }
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        for path in rust_files(&sources) {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|l| !l.trim_start().starts_with("//")) {
                for word in NOT_SAID {
                    assert!(!line.contains(word), "{}: {word} in a pure crate", path.display());
                }
            }
        }
    }
}

/// The forbidden is really seen: the check above fails on a manifest that breaks it.
#[test]
fn a_forbidden_arrow_would_be_seen() {
    let manifest: toml::Table =
        "[dependencies]\nhotline-node.workspace = true\ntokio.workspace = true\n".parse().unwrap();
    let used = dependencies(&manifest);
    assert!(used.iter().any(|u| u.strip_prefix("hotline-").is_some_and(|room| !ARROWS[1].1.contains(&room))));
    assert!(used.iter().any(|u| NOT_FOR_PURE.contains(&u.as_str())));
}
