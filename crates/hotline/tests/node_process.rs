//! A node as a process: killed at random moments, and on a disk that fills up.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const HOTLINE: &str = env!("CARGO_BIN_EXE_hotline");

/// A passphrase and PINs in files, as an administrator of many nodes has them.
fn secrets(root: &Path) -> (PathBuf, PathBuf) {
    let (passphrase, pins) = (root.join("passphrase"), root.join("pins"));
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    std::fs::write(&pins, "officer-1 2718\nsupervisor-1 3141\n").unwrap();
    (passphrase, pins)
}

fn run(root: &Path, arguments: &[&str]) -> (bool, String) {
    let passphrase = root.join("passphrase");
    let done =
        Command::new(HOTLINE).args(arguments).env("HOTLINE_PASSPHRASE_FILE", passphrase).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), text)
}

/// A node that is paired with a peer that never runs. Its name sorts last, so that it calls nobody.
fn folder(root: &Path) -> PathBuf {
    let path = |party: &str| root.join(party).to_str().unwrap().to_owned();
    let (_, pins) = secrets(root);
    for party in ["blue", "green"] {
        let (made, text) = run(
            root,
            &[
                "init",
                &path(party),
                "--party",
                party,
                "--console",
                "127.0.0.1:0",
                "--link",
                "127.0.0.1:0",
                "--pins-file",
                pins.to_str().unwrap(),
            ],
        );
        assert!(made, "{text}");
    }
    let introduction = root.join("blue/introduction.toml");
    let (shown, words) = run(root, &["words", introduction.to_str().unwrap()]);
    assert!(shown);
    let words = words.trim().strip_prefix("blue: ").unwrap();
    let (paired, text) =
        run(root, &["pair", &path("green"), introduction.to_str().unwrap(), "--words", words]);
    assert!(paired, "{text}");
    root.join("green")
}

struct Running {
    child: Child,
    base: String,
    token: String,
    agent: ureq::Agent,
}

impl Running {
    /// Starts the node, with shell commands before it.
    fn start(folder: &Path, before: &str) -> Self {
        let passphrase = folder.with_file_name("passphrase");
        let (folder_name, file) = (folder.display(), passphrase.display());
        let command = format!(
            "{before} exec '{HOTLINE}' node '{folder_name}' --until-input-ends --passphrase-file '{file}'"
        );
        let mut child = Command::new("bash")
            .args(["-c", &command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.split("console on ").nth(1).and_then(|l| l.split(',').next());
        let base = base.unwrap_or_else(|| panic!("the node did not start: {line:?}")).to_owned();
        let token = std::fs::read_to_string(folder.join("api-token")).unwrap().trim().to_owned();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        Self { child, base, token, agent }
    }

    /// Files a flight: its version, or the status and why not; nothing when the node is gone.
    fn file(&self, n: u32) -> Option<Result<u64, (u16, String)>> {
        let hour =
            |h: i64| jiff::Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(h)).unwrap();
        let flight = json!({ "callsign": "X".repeat(100), "volumes": [{
            "centre": [f64::from(n % 180), 35.0], "radius_m": 1000.0, "lower_m": 0.0, "upper_m": 500.0, "datum": "baro",
            "start": hour(1), "end": hour(2),
        }] });
        let url = format!("{}/api/flights/F{n:05}", self.base);
        let asked = self
            .agent
            .put(url)
            .header("authorization", format!("Bearer {}", self.token))
            .send(flight.to_string());
        let mut answer = asked.ok()?;
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?;
        Some(if status == 200 {
            Ok(body["version"].as_u64()?)
        } else {
            Err((status, body["error"].as_str()?.to_owned()))
        })
    }

    fn flights(&self) -> Vec<String> {
        let mut answer = self.agent.get(format!("{}/console/plans", self.base)).call().unwrap();
        let plans: Value =
            serde_json::from_str(&answer.body_mut().with_config().limit(1 << 30).read_to_string().unwrap())
                .unwrap();
        plans["flights"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until the node has listened long enough to speak.
    fn wait_until_it_speaks(&self) {
        let begin = std::time::Instant::now();
        loop {
            let mut state = self.agent.get(format!("{}/console/dealings", self.base)).call().unwrap();
            let state: Value = serde_json::from_str(&state.body_mut().read_to_string().unwrap()).unwrap();
            if state["speech"]["state"] == "free" {
                return;
            }
            assert!(begin.elapsed().as_secs() < 20, "{}", state["speech"]);
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn killed_at_random_moments_every_accepted_flight_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let folder = folder(root.path());
    let (mut next, mut accepted) = (0, Vec::new());
    for life in 0..6u64 {
        let node = Running::start(&folder, "");
        let known = node.flights();
        for flight in &accepted {
            assert!(known.contains(flight), "{flight} was accepted and is gone after kill {life}");
        }
        node.wait_until_it_speaks();
        let wait = std::time::Duration::from_millis(30 + life * 977 % 300);
        std::thread::scope(|scope| {
            let filer = scope.spawn(|| {
                let mut filed = Vec::new();
                while let Some(Ok(_)) = node.file(next) {
                    filed.push(format!("F{next:05}"));
                    next += 1;
                    assert!(filed.len() < 100_000, "the node was not killed");
                }
                filed
            });
            std::thread::sleep(wait);
            // The shell's own, since not every machine has a program of that name.
            let kill = format!("kill -9 {}", node.child.id());
            let killed = Command::new("bash").args(["-c", &kill]).status();
            accepted.extend(filer.join().unwrap());
            assert!(killed.unwrap().success());
        });
        // The one that was under way may or may not have been kept; it is not filed again under this number.
        next += 1;
        node.kill();
    }
    assert!(accepted.len() > 50, "only {} were accepted", accepted.len());
    // The ledger of all of it has no gap and no double.
    let evidence = root.path().join("evidence");
    let (exported, text) = run(
        root.path(),
        &[
            "export",
            folder.to_str().unwrap(),
            "--from",
            "2020-01-01T00:00:00Z",
            "--to",
            "2100-01-01T00:00:00Z",
            "--recipient",
            "Board of inquiry",
            "--reason",
            "a test",
            "-o",
            evidence.to_str().unwrap(),
        ],
    );
    assert!(exported, "{text}");
    let (verified, account) = run(root.path(), &["verify", evidence.to_str().unwrap()]);
    assert!(verified, "{account}");
    assert!(account.contains("Board of inquiry"));
    for flight in &accepted {
        assert!(account.contains(&format!("gave notice of flight {flight} ")), "{flight}");
    }
}

#[test]
fn a_full_disk_is_refused_clearly_and_forgiven() {
    let root = tempfile::tempdir().unwrap();
    let folder = folder(root.path());
    // The file may not grow beyond 2 MiB; the signal for that is ignored, so that writing fails instead.
    let node = Running::start(&folder, "trap '' XFSZ; ulimit -f 2048;");
    let (mut accepted, mut refusals) = (Vec::new(), Vec::new());
    for n in 0..20_000 {
        match node.file(n).expect("the node lives on") {
            Ok(_) => accepted.push(format!("F{n:05}")),
            Err(refusal) => refusals.push(refusal),
        }
        if refusals.len() >= 3 {
            break;
        }
    }
    assert!(!accepted.is_empty() && refusals.len() >= 3, "{} accepted", accepted.len());
    for (status, why) in &refusals {
        assert_eq!(*status, 507);
        assert!(why.contains("the disk is full") && why.contains("accepted"), "{why}");
    }
    // It still answers, and shows what was accepted.
    let known = node.flights();
    assert!(accepted.iter().all(|f| known.contains(f)));
    // A console that is opened now says so too.
    let mut state = node.agent.get(format!("{}/console/state", node.base)).call().unwrap();
    let state: Value =
        serde_json::from_str(&state.body_mut().with_config().limit(1 << 30).read_to_string().unwrap())
            .unwrap();
    assert!(
        state["trouble"].as_str().is_some_and(|why| why.contains("the disk is full")),
        "{}",
        state["trouble"]
    );
    node.kill();
    // With room again everything that was accepted is there, and new flights are taken.
    let node = Running::start(&folder, "");
    let known = node.flights();
    assert!(accepted.iter().all(|f| known.contains(f)));
    assert_eq!(node.file(30_000), Some(Ok(1)));
    node.stop();
}
