//! `hotline bench utm`: a DSS as a process of its own, with its journal on the disk, under the load of many clients on the
//! same machine.

use crate::bench_store::with_folder;
use crate::bench_utm_client::{Caller, Ended, Reply, run_for};
use crate::bench_utm_places::{Place, altitude, intent_body, service_area_body, time};
use crate::demo_summary::spread;
use crate::detect_bench_plot::{Series, log_log};
use crate::{Outcome, say};
use hotline_dss::{
    Answer, Command, Constraint, Entry, Extent, Id, Intent, IntentState, Item, Machine, Moment, Settings,
};
use hotline_utm::{TokenServer, write_snapshot};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many clients create, change and end intents at the same time.
const WRITERS: usize = 100;
/// How many search at the same time.
const SEARCHERS: usize = 64;
/// How many work on service areas at the same time.
const AREA_CLIENTS: usize = 100;
/// How many intents overlap in the busy cell.
const OVERLAPPING: usize = 50;

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Utm {
    /// Seconds for each workload
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Live entities for the searches and the start
    #[arg(long, default_value_t = 1_000_000)]
    entities: u32,
    /// Only this workload: cell, country, areas, searches, growth
    #[arg(long)]
    only: Option<String>,
    /// With the journal on an etcd cluster: the members' client URLs, separated by commas; intents only
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    etcd: Vec<String>,
    /// Where the plot of growth goes
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

/// A running service; stopped when dropped.
struct Service {
    child: Child,
    address: String,
    started: Duration,
}

impl Service {
    fn start(folder: &Path, tokens: &TokenServer, etcd: &[String]) -> Result<Self, String> {
        let told = |e: std::io::Error| e.to_string();
        std::fs::create_dir_all(folder).map_err(told)?;
        let key = folder.join("public.pem");
        std::fs::write(&key, tokens.public_key()?).map_err(told)?;
        let begin = Instant::now();
        let mut command = std::process::Command::new(std::env::current_exe().map_err(told)?);
        command.args(["dss", "--listen", "127.0.0.1:0", "--audience", "localhost", "--public-key"]);
        command.arg(&key).arg("--data").arg(folder.join("data"));
        if !etcd.is_empty() {
            // A pool of its own for each run.
            let pool =
                format!("bench-{}-{}", std::process::id(), folder.file_name().unwrap_or_default().display());
            command.args(["--etcd", &etcd.join(","), "--pool", &pool]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(told)?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("the service has no output")?;
        BufReader::new(output).read_line(&mut line).map_err(told)?;
        let address = line.trim().rsplit("http://").next().unwrap_or_default().to_owned();
        if address.is_empty() {
            return Err("the service did not start".into());
        }
        Ok(Self { child, address, started: begin.elapsed() })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has nothing to lose: what it answered is on the disk.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn token(tokens: &TokenServer, sub: &str, scope: &str) -> Result<String, String> {
    let expires = jiff::Timestamp::now().as_second() + 3600;
    tokens.token(&json!({ "sub": sub, "scope": scope, "aud": "localhost", "exp": expires }))
}

const STRATEGIC: &str = "utm.strategic_coordination";

impl Utm {
    pub(crate) fn run(self) -> Outcome {
        let tokens = TokenServer::new(crate::gate::real_clock())?;
        let on_disk = self.etcd.is_empty();
        let wanted = |name: &str| match self.only.as_deref() {
            Some(only) => only == name,
            None => on_disk || name == "cell" || name == "country",
        };
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        with_folder("utm", |root| {
            if wanted("cell") {
                runtime.block_on(self.intents("one busy cell", &root.join("cell"), &tokens, Place::busy))?;
            }
            if wanted("country") {
                runtime.block_on(self.intents(
                    "spread over a country",
                    &root.join("country"),
                    &tokens,
                    Place::spread,
                ))?;
            }
            if wanted("areas") {
                runtime.block_on(self.areas(&root.join("areas"), &tokens))?;
            }
            if wanted("searches") {
                runtime.block_on(self.searches(&root.join("searches"), &tokens))?;
            }
            if wanted("growth") {
                self.growth()?;
            }
            std::fs::create_dir_all(root).map_err(|e| e.to_string())?;
            Ok(true)
        })
    }

    fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Intents from plan to end: created, activated, ended, one after the other by each client.
    async fn intents(
        &self,
        name: &str,
        folder: &Path,
        tokens: &TokenServer,
        place: fn(usize) -> Place,
    ) -> Result<(), String> {
        let service = Service::start(folder, tokens, &self.etcd)?;
        // What overlaps all of the busy cell's intents, of five suppliers; far from those that are spread.
        let mut key: Vec<String> = Vec::new();
        let overlapping = if place(0).is_busy() { OVERLAPPING } else { 0 };
        for n in 0..overlapping {
            let mut caller =
                Caller::new(&service.address, token(tokens, &format!("uss{}", n % 5), STRATEGIC)?).await?;
            let body = intent_body(&Place::over_all(), "Accepted", &key);
            let path = format!("/dss/v1/operational_intent_references/{}", uuid(1, n as u64));
            let reply = caller.call("PUT", &path, Some(&body)).await?;
            key.push(reply.expect(201)?.field("ovn")?);
        }
        let key = Arc::new(key);
        let mut clients = Vec::new();
        for n in 0..WRITERS {
            let caller =
                Caller::new(&service.address, token(tokens, &format!("client{}", n % 10), STRATEGIC)?)
                    .await?;
            let key = key.clone();
            clients.push((caller, move |caller: Caller, round: u64, ended: Ended| {
                one_intent(caller, n, round, place, key.clone(), ended)
            }));
        }
        let (seconds, times) = run_for(self.span(), clients).await?;
        told(
            &format!("{name}: writes of intents, {overlapping} others overlap each, {WRITERS} clients"),
            seconds,
            times,
        )
    }

    async fn areas(&self, folder: &Path, tokens: &TokenServer) -> Result<(), String> {
        let service = Service::start(folder, tokens, &self.etcd)?;
        let mut clients = Vec::new();
        for n in 0..AREA_CLIENTS {
            let scopes = "rid.service_provider rid.display_provider";
            let caller = Caller::new(&service.address, token(tokens, &format!("client{n}"), scopes)?).await?;
            clients.push((caller, move |caller: Caller, round: u64, ended: Ended| {
                one_area(caller, n, round, ended)
            }));
        }
        let (seconds, times) = run_for(self.span(), clients).await?;
        told(
            &format!("service areas created, searched, deleted, {AREA_CLIENTS} clients, no error"),
            seconds,
            times,
        )
    }

    async fn searches(&self, folder: &Path, tokens: &TokenServer) -> Result<(), String> {
        let data = folder.join("data");
        std::fs::create_dir_all(&data).map_err(|e| e.to_string())?;
        write_snapshot(&data, 0, crowd(self.entities)).map_err(|e| e.to_string())?;
        let service = Service::start(folder, tokens, &self.etcd)?;
        let started = service.started.as_secs_f64();
        say!("start with {} live entities: {started:.2} s from the process' start to serving", self.entities);
        let mut clients = Vec::new();
        for n in 0..SEARCHERS {
            let caller = Caller::new(&service.address, token(tokens, "searcher", STRATEGIC)?).await?;
            clients.push((caller, move |caller: Caller, round: u64, ended: Ended| {
                one_search(caller, n, round, ended)
            }));
        }
        let (seconds, times) = run_for(self.span(), clients).await?;
        told(&format!("searches over {} live entities, {SEARCHERS} clients", self.entities), seconds, times)
    }

    /// What a write costs the machine alone, against how much is alive.
    fn growth(&self) -> Result<(), String> {
        let mut spread_out = Series { name: "spread over a country".into(), points: Vec::new(), dots: false };
        let mut in_a_cell = Series { name: "all in one cell".into(), points: Vec::new(), dots: false };
        for live in [1_000, 10_000, 100_000, 1_000_000] {
            for (series, busy) in [(&mut spread_out, false), (&mut in_a_cell, true)] {
                let cost = cost_of_a_write(live, busy)?;
                say!("a write with {live} live intents, {}: {cost:.1} us in the machine", series.name);
                series.points.push((f64::from(live), cost));
            }
        }
        let Some(folder) = &self.plots else { return Ok(()) };
        let plot = log_log(
            "A write against the live intents",
            "live intents",
            "microseconds, without journal and HTTP",
            &[spread_out, in_a_cell],
        );
        let path = folder.join("utm-growth.svg");
        std::fs::write(&path, plot).map_err(|e| format!("{}: {e}", path.display()))
    }
}

fn told(what: &str, seconds: f64, times: Vec<f64>) -> Result<(), String> {
    let count = times.len();
    let (median, p99, largest) = spread(times).ok_or("nothing was measured")?;
    say!(
        "{what}: {:.0}/s, median {:.1} ms, p99 {:.1} ms, largest {:.0} ms",
        count as f64 / seconds,
        median * 1e3,
        p99 * 1e3,
        largest * 1e3
    );
    Ok(())
}

/// A UUID of version 4 for a client's thing.
pub(crate) fn uuid(kind: u64, n: u64) -> Id {
    let number = u128::from(kind) << 96 | u128::from(n & 0xffff_ffff_ffff);
    Id(uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid())
}

async fn one_intent(
    mut caller: Caller,
    n: usize,
    round: u64,
    place: fn(usize) -> Place,
    key: Arc<Vec<String>>,
    mut ended: Ended,
) -> Result<(Caller, Ended), String> {
    let path = format!("/dss/v1/operational_intent_references/{}", uuid(100 + n as u64, round));
    let place = place(n + WRITERS * round as usize % 10_000);
    let reply: Reply = caller.call("PUT", &path, Some(&intent_body(&place, "Accepted", &key))).await?;
    let ovn = ended.took(reply.expect(201)?).field("ovn")?;
    let body = intent_body(&place, "Activated", &key);
    let reply = caller.call("PUT", &format!("{path}/{ovn}"), Some(&body)).await?;
    let ovn = ended.took(reply.expect(200)?).field("ovn")?;
    let reply = caller.call("DELETE", &format!("{path}/{ovn}"), None).await?;
    ended.took(reply.expect(200)?);
    Ok((caller, ended))
}

async fn one_area(
    mut caller: Caller,
    n: usize,
    round: u64,
    mut ended: Ended,
) -> Result<(Caller, Ended), String> {
    let path = format!("/rid/v2/dss/identification_service_areas/{}", uuid(1_000 + n as u64, round));
    let place = Place::spread(n * 17 + round as usize);
    let reply = caller.call("PUT", &path, Some(&service_area_body(&place))).await?;
    let version = ended.took(reply.expect(200)?).field("version")?;
    let search = format!("/rid/v2/dss/identification_service_areas?area={}", place.square());
    let reply = caller.call("GET", &search, None).await?;
    ended.took(reply.expect(200)?);
    let reply = caller.call("DELETE", &format!("{path}/{version}"), None).await?;
    ended.took(reply.expect(200)?);
    Ok((caller, ended))
}

async fn one_search(
    mut caller: Caller,
    n: usize,
    round: u64,
    mut ended: Ended,
) -> Result<(Caller, Ended), String> {
    let place = Place::spread(n * 7_919 + round as usize * 104_729);
    let area = format!(
        r#"{{"area_of_interest":{{"volume":{{{},"altitude_lower":{},"altitude_upper":{}}},"time_start":{},"time_end":{}}}}}"#,
        place.circle(1_000),
        altitude(0),
        altitude(500),
        time(0),
        time(3_600)
    );
    let reply = caller.call("POST", "/dss/v1/operational_intent_references/query", Some(&area)).await?;
    ended.took(reply.expect(200)?);
    Ok((caller, ended))
}

fn now() -> Moment {
    (crate::gate::real_clock())()
}

fn extent(place: &Place) -> Extent {
    let cells = place.cells(300.0);
    Extent { cells, lower: 50.0, upper: 120.0, start: now(), end: now().later(7_200_000_000) }
}

/// So many live entities over a country: intents, and a constraint for every tenth.
fn crowd(entities: u32) -> Vec<Item> {
    let one = |n: u32| {
        let (extent, url) = (extent(&Place::spread(n as usize * 31)), "https://uss.example.com".into());
        let (manager, ovn) = (format!("uss{}", n % 20).into(), format!("ovn-of-entity-{n:020}").into());
        if n.is_multiple_of(10) {
            let id = uuid(3, u64::from(n));
            return Item::Constraint(Arc::new(Constraint { id, manager, version: 1, ovn, extent, url }));
        }
        let (id, state) = (uuid(2, u64::from(n)), IntentState::Accepted);
        Item::Intent(Arc::new(Intent {
            id,
            manager,
            version: 1,
            state,
            ovn,
            extent,
            url,
            subscription: None,
        }))
    };
    std::iter::once(Item::Now(now())).chain((0..entities).map(one)).collect()
}

fn cost_of_a_write(live: u32, busy: bool) -> Result<f64, String> {
    /// How many writes are timed.
    const WRITES: u32 = 2_000;
    let extent = |n: u32| {
        // In one cell they follow each other, a minute each: at any time a few overlap.
        let place = if busy { Place::busy(0) } else { Place::spread(n as usize * 31) };
        let start = if busy { now().later(i64::from(n) * 60_000_000) } else { now() };
        let end = start.later(if busy { 60_000_000 } else { 7_200_000_000 });
        Extent { start, end, ..extent(&place) }
    };
    let put = |n: u32, key: Vec<Arc<str>>| Entry {
        at: now(),
        deadline: Moment::MAX,
        client: "uss".into(),
        nonce: std::array::from_fn(|k| (n >> (8 * (k % 4))) as u8),
        command: Command::PutIntent {
            id: uuid(4, u64::from(n)),
            ovn: None,
            extent: extent(n),
            key,
            state: IntentState::Accepted,
            url: "https://uss.example.com".into(),
            subscription: hotline_dss::SubscriptionChoice::None,
            requested_ovn: None,
        },
    };
    let intent = |n: u32| {
        let ovn = format!("ovn-of-entity-{n:020}").into();
        let (manager, url) = ("uss".into(), "https://uss.example.com".into());
        let (id, state) = (uuid(2, u64::from(n)), IntentState::Accepted);
        Item::Intent(Arc::new(Intent {
            id,
            manager,
            version: 1,
            state,
            ovn,
            extent: extent(n),
            url,
            subscription: None,
        }))
    };
    let mut machine = Machine::from_items(Settings::default(), (0..live).map(intent));
    let mut spent = Duration::ZERO;
    for n in 0..WRITES {
        let entry = put(n * (live / WRITES).max(1) % live, Vec::new());
        let Command::PutIntent { extent, .. } = &entry.command else { unreachable!("made above") };
        let key = machine.find_intents(extent, now()).iter().map(|i| i.entity.ovn.clone()).collect();
        let mut entry = entry;
        if let Command::PutIntent { key: given, .. } = &mut entry.command {
            *given = key;
        }
        let begin = Instant::now();
        let answer = machine.apply(&entry);
        spent += begin.elapsed();
        if let Answer::Refused(why) = answer {
            return Err(why.to_string());
        }
        let Command::PutIntent { id, .. } = entry.command else { unreachable!("made above") };
        let ovn = machine.intent(id).ok_or("it is gone")?.entity.ovn.clone();
        let command = Command::DeleteIntent { id, ovn };
        machine.apply(&Entry { command, ..entry });
    }
    Ok(spent.as_secs_f64() * 1e6 / f64::from(WRITES))
}
