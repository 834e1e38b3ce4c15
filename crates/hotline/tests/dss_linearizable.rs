//! What many clients saw of a DSS that was killed and started again while they worked has one order that explains it.
//!
//! Each intent is a register of its own: the history of each is checked alone (Herlihy and Wing, 1990: linearizability is
//! local), by trying the orders that real time allows (Wing and Gong, 1993) and remembering what was tried (Lowe, 2017). A
//! search counts as one read of each intent. What a client got no answer for may have happened, once, or not.

use hotline_dss::Moment;
use hotline_utm::TokenServer;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

const CLIENTS: u64 = 8;
const INTENTS: u32 = 5;
const KILLS: u32 = 4;
const BETWEEN_KILLS: Duration = Duration::from_millis(900);
const SEED: u64 = 7;
/// A pool's log is kept so long after a snapshot.
const LOG_KEPT: Duration = Duration::from_secs(32);

/// The state of a register: the intent's version and OVN.
type State = Option<(i64, String)>;

#[derive(Debug, Clone)]
enum Operation {
    Create { ovn: String },
    Update { from: String, ovn: String },
    Delete { ovn: String },
    Read,
}

#[derive(Debug, Clone, PartialEq)]
enum Seen {
    /// Done; for writes the version that came of it, for reads what there was.
    Done(State),
    /// Refused: there is one, or of another version.
    Conflict,
    /// Refused: there is none.
    None,
    /// No answer came.
    Unknown,
}

#[derive(Debug, Clone)]
struct Event {
    operation: Operation,
    seen: Seen,
    from: Duration,
    to: Duration,
}

/// The state after an event that happens in a state; none when it cannot happen there.
fn after(state: &State, event: &Event) -> Option<State> {
    let next = match (&event.operation, state) {
        (Operation::Create { ovn }, None) => Some(Some((1, ovn.clone()))),
        (Operation::Update { from, ovn }, Some((version, current))) if current == from => {
            Some(Some((version + 1, ovn.clone())))
        }
        (Operation::Delete { ovn }, Some((_, current))) if current == ovn => Some(None),
        _ => None,
    };
    match (&event.operation, &event.seen) {
        (Operation::Read, Seen::Done(seen)) => (seen == state).then(|| state.clone()),
        (Operation::Read, _) => Some(state.clone()),
        (Operation::Delete { .. }, Seen::Done(_)) => next,
        (_, Seen::Done(seen)) => next.filter(|next| next == seen),
        (_, Seen::Unknown) => next,
        (_, Seen::Conflict) => (next.is_none() && state.is_some()).then(|| state.clone()),
        (_, Seen::None) => (next.is_none() && state.is_none()).then(|| state.clone()),
    }
}

/// Whether some order explains the events of one register.
fn linearizable(events: &[Event]) -> bool {
    fn search(
        events: &[Event],
        left: &mut Vec<usize>,
        state: &State,
        tried: &mut HashSet<(Vec<usize>, State)>,
    ) -> bool {
        // What nobody got an answer for need not have happened.
        if left.iter().all(|&e| events[e].seen == Seen::Unknown) {
            return true;
        }
        if !tried.insert((left.clone(), state.clone())) {
            return false;
        }
        // Only what began before everything left had ended can be the next.
        let first_end = left.iter().map(|&e| events[e].to).min().unwrap_or(Duration::MAX);
        for place in 0..left.len() {
            let event = left[place];
            if events[event].from > first_end {
                continue;
            }
            if let Some(next) = after(state, &events[event]) {
                left.remove(place);
                if search(events, left, &next, tried) {
                    return true;
                }
                left.insert(place, event);
            }
        }
        false
    }
    let mut left: Vec<usize> = (0..events.len()).collect();
    left.sort_by_key(|&e| events[e].from);
    search(events, &mut left, &None, &mut HashSet::new())
}

#[test]
fn the_checker_knows_right_from_wrong() {
    let event = |operation, seen, from, to| Event {
        operation,
        seen,
        from: Duration::from_millis(from),
        to: Duration::from_millis(to),
    };
    let create = || Operation::Create { ovn: "a".into() };
    let there = || Seen::Done(Some((1, "a".into())));
    let made = event(create(), there(), 0, 10);
    assert!(linearizable(&[made.clone(), event(Operation::Read, there(), 5, 6)]));
    assert!(linearizable(&[made.clone(), event(Operation::Read, Seen::Done(None), 5, 6)]));
    assert!(!linearizable(&[made.clone(), event(Operation::Read, Seen::Done(None), 11, 12)]), "a stale read");
    assert!(!linearizable(&[made.clone(), event(create(), there(), 20, 30)]), "made twice");
    let unknown = event(create(), Seen::Unknown, 0, u64::MAX);
    assert!(linearizable(&[unknown.clone(), event(Operation::Read, there(), 50, 60)]));
    assert!(linearizable(&[unknown.clone(), event(Operation::Read, Seen::Done(None), 50, 60)]));
    let both = [event(Operation::Read, there(), 50, 60), event(Operation::Read, Seen::Done(None), 70, 80)];
    assert!(!linearizable(&[vec![unknown], both.to_vec()].concat()), "it came and went");
}

struct Service(Child);

impl Service {
    /// Starts an instance; on a cluster, as one of a pool.
    fn start(folder: &Path, instance: usize, etcd: Option<&str>) -> (Self, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
        command.args(["dss", "--listen", "127.0.0.1:0", "--audience", "localhost", "--public-key"]);
        command.arg(folder.join("public.pem")).arg("--data").arg(folder.join(format!("data{instance}")));
        if let Some(members) = etcd {
            let pool = folder.file_name().unwrap().to_string_lossy().into_owned();
            command.args(["--etcd", members, "--pool", &pool, "--instance", &format!("dss-{instance}")]);
            // Snapshots of the pool are taken, and its log is cut, while all this goes on.
            command.args(["--snapshot-every", "200"]);
        } else {
            command.args(["--snapshot-every", "100"]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        (Self(child), address)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SIGKILL: nothing is flushed, nobody is told.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

struct Client {
    /// Of the instances.
    addresses: Arc<RwLock<Vec<String>>>,
    at: usize,
    agent: ureq::Agent,
    token: String,
    random: u64,
}

impl Client {
    fn next(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z ^ (z >> 27)) >> 11) % below
    }

    /// The status and body; none without an answer.
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
        let addresses = self.addresses.read().unwrap();
        let address = addresses[self.at % addresses.len()].clone();
        drop(addresses);
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .header("authorization", format!("Bearer {}", self.token));
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let mut response = self.agent.run(request.body(body).unwrap()).ok()?;
        let status = response.status().as_u16();
        Some((status, response.body_mut().read_json().ok()?))
    }

    fn suffix(&mut self) -> String {
        let now = jiff::Timestamp::now().as_millisecond() as u128;
        let random = u128::from(self.next(1 << 40)) << 20 | u128::from(self.next(1 << 20));
        uuid::Uuid::from_u128(now << 80 | 0x7 << 76 | 0b10 << 62 | random).to_string()
    }
}

fn id(n: u32) -> String {
    format!("{n:08x}-0000-4000-8000-000000000001")
}

fn body(n: u32, suffix: &str) -> Value {
    let time = |minutes| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
        json!({ "value": at.to_string(), "format": "RFC3339" })
    };
    let altitude = |metres: f64| json!({ "value": metres, "reference": "W84", "units": "M" });
    // One above the other, so that none needs another's OVN, and one search finds all.
    let lower = f64::from(n) * 100.0;
    json!({
        "extents": [{
            "volume": {
                "outline_circle": { "center": { "lat": 47, "lng": 8 }, "radius": { "value": 50, "units": "M" } },
                "altitude_lower": altitude(lower), "altitude_upper": altitude(lower + 50.0),
            },
            "time_start": time(1), "time_end": time(30),
        }],
        "state": "Accepted", "uss_base_url": "https://uss.example.com", "requested_ovn_suffix": suffix,
    })
}

fn reference(found: &Value) -> State {
    let ovn = found["ovn"].as_str().unwrap().to_owned();
    Some((found["version"].as_i64().unwrap(), ovn))
}

/// One thing a client does, and what it saw of which intents.
fn one(client: &mut Client, known: &mut [String], begin: Instant) -> Vec<(u32, Event)> {
    const BASE: &str = "/dss/v1/operational_intent_references";
    let n = client.next(u64::from(INTENTS)) as u32;
    let path = format!("{BASE}/{}", id(n));
    let from = begin.elapsed();
    let event = |operation, seen, to| Event { operation, seen, from, to };
    let kind = client.next(10);
    if kind == 0 {
        let area = json!({ "area_of_interest": { "volume": {
            "outline_circle": { "center": { "lat": 47, "lng": 8 }, "radius": { "value": 50, "units": "M" } } } } });
        let Some((200, all)) = client.ask("POST", &format!("{BASE}/query"), Some(area)) else {
            return Vec::new();
        };
        let to = begin.elapsed();
        let all = all["operational_intent_references"].as_array().unwrap().clone();
        let state = |n: u32| all.iter().find(|f| f["id"] == *id(n)).and_then(reference);
        return (0..INTENTS).map(|n| (n, event(Operation::Read, Seen::Done(state(n)), to))).collect();
    }
    let (operation, answer) = match kind {
        1 | 2 => (Operation::Read, client.ask("GET", &path, None)),
        3..=5 => {
            let suffix = client.suffix();
            let ovn = format!("{}_{suffix}", id(n));
            (Operation::Create { ovn }, client.ask("PUT", &path, Some(body(n, &suffix))))
        }
        6..=8 => {
            let (suffix, from) = (client.suffix(), known[n as usize].clone());
            let ovn = format!("{}_{suffix}", id(n));
            let answer = client.ask("PUT", &format!("{path}/{from}"), Some(body(n, &suffix)));
            (Operation::Update { from, ovn }, answer)
        }
        _ => {
            let ovn = known[n as usize].clone();
            (Operation::Delete { ovn: ovn.clone() }, client.ask("DELETE", &format!("{path}/{ovn}"), None))
        }
    };
    let to = begin.elapsed();
    let (seen, to) = match answer {
        Some((200 | 201, found)) => {
            let state = reference(&found["operational_intent_reference"]);
            known[n as usize] = state.as_ref().unwrap().1.clone();
            (Seen::Done(state), to)
        }
        Some((409, _)) => (Seen::Conflict, to),
        Some((404, _)) if matches!(operation, Operation::Read) => (Seen::Done(None), to),
        Some((404 | 400, _)) => (Seen::None, to),
        // Refused while starting or stopping: nothing was done.
        Some((503 | 504, _)) => return Vec::new(),
        // It cannot tell.
        Some((500, _)) => (Seen::Unknown, Duration::MAX),
        Some((status, answer)) => panic!("{status} {answer}"),
        None if matches!(operation, Operation::Read) => return Vec::new(),
        None => (Seen::Unknown, Duration::MAX),
    };
    vec![(n, event(operation, seen, to))]
}

/// Lets clients work on instances while `disturb` does its worst, and checks what they saw.
fn histories(
    folder: &Path,
    etcd: Option<&str>,
    instances: usize,
    pause: u64,
    disturb: impl FnOnce(&mut dyn FnMut(usize)),
) {
    let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
    let tokens = TokenServer::new(clock).unwrap();
    std::fs::write(folder.join("public.pem"), tokens.public_key().unwrap()).unwrap();
    let expires = jiff::Timestamp::now().as_second() + 600;
    let claims =
        json!({ "sub": "uss1", "scope": "utm.strategic_coordination", "aud": "localhost", "exp": expires });
    let token = tokens.token(&claims).unwrap();
    println!("seed {SEED}");

    let (mut services, first): (Vec<_>, Vec<_>) =
        (0..instances).map(|n| Service::start(folder, n, etcd)).map(|(s, a)| (Some(s), a)).unzip();
    let addresses = Arc::new(RwLock::new(first));
    let (begin, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let events: Arc<Mutex<Vec<Vec<Event>>>> = Arc::new(Mutex::new(vec![Vec::new(); INTENTS as usize]));
    let work = |n: u64| {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(20))).build().into();
        let (addresses, token) = (addresses.clone(), token.clone());
        let mut client = Client { addresses, at: n as usize, agent, token, random: SEED + n };
        let (stop, events) = (stop.clone(), events.clone());
        std::thread::spawn(move || {
            let mut known = vec!["an-ovn-that-never-was".to_owned(); INTENTS as usize];
            while !stop.load(Ordering::Relaxed) {
                client.at = client.next(64) as usize;
                let seen = one(&mut client, &mut known, begin);
                let mut events = events.lock().unwrap();
                seen.into_iter().for_each(|(n, event)| events[n as usize].push(event));
                drop(events);
                // Few enough for the checker, many enough to meet.
                std::thread::sleep(Duration::from_millis(pause + client.next(4 * pause)));
            }
        })
    };
    let clients: Vec<_> = (0..CLIENTS).map(work).collect();
    disturb(&mut |n| {
        drop(services[n].take());
        let (next, there) = Service::start(folder, n, etcd);
        services[n] = Some(next);
        addresses.write().unwrap()[n] = there;
    });
    stop.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().unwrap());
    drop(services);

    let events = events.lock().unwrap();
    let count = |wanted: fn(&Event) -> bool| events.iter().flatten().filter(|e| wanted(e)).count();
    let (unknown, done) =
        (count(|e| e.seen == Seen::Unknown), count(|e| matches!(e.seen, Seen::Done(Some(_)))));
    println!(
        "{} events, {done} done, {unknown} without an answer",
        events.iter().map(Vec::len).sum::<usize>()
    );
    let mut ends: Vec<Duration> =
        events.iter().flatten().filter(|e| e.to < Duration::MAX).map(|e| e.to).collect();
    ends.sort();
    let longest = ends.windows(2).map(|w| w[1] - w[0]).max().unwrap_or_default();
    println!("longest time in which nobody got an answer: {:.1} s", longest.as_secs_f64());
    assert!(done > 200, "too little happened: {done}");
    for (n, events) in events.iter().enumerate() {
        assert!(linearizable(events), "no order explains what was seen of intent {n}: {events:#?}");
    }
}

#[test]
fn histories_under_kills_have_an_order() {
    let folder = tempfile::tempdir().unwrap();
    histories(folder.path(), None, 1, 5, |restart| {
        for _ in 0..KILLS {
            std::thread::sleep(BETWEEN_KILLS);
            restart(0);
        }
        std::thread::sleep(BETWEEN_KILLS);
    });
}

fn signal(which: &str, process: &str) {
    assert!(Command::new("kill").args([which, process]).status().unwrap().success());
}

#[test]
fn histories_on_a_cluster_have_an_order() {
    let (Ok(members), Ok(processes)) = (std::env::var("HOTLINE_ETCD"), std::env::var("HOTLINE_ETCD_PIDS"))
    else {
        println!("skipped: HOTLINE_ETCD is not set; `make test-cluster` starts three members");
        return;
    };
    let processes: Vec<&str> = processes.split(' ').collect();
    let folder = tempfile::tempdir().unwrap();
    histories(folder.path(), Some(&members), 3, 15, |restart| {
        let wait = || std::thread::sleep(BETWEEN_KILLS);
        wait();
        restart(0);
        wait();
        // A member stands still, an instance dies meanwhile, and both come back.
        signal("-STOP", processes[0]);
        wait();
        restart(1);
        std::thread::sleep(4 * BETWEEN_KILLS);
        signal("-CONT", processes[0]);
        wait();
        // One is lost for good.
        signal("-KILL", processes[1]);
        std::thread::sleep(6 * BETWEEN_KILLS);
        restart(2);
        wait();
        // One that has never been there begins with the pool's snapshot, once the log before that is gone.
        std::thread::sleep(LOG_KEPT);
        std::fs::remove_dir_all(folder.path().join("data0")).unwrap();
        restart(0);
        wait();
    });
}
