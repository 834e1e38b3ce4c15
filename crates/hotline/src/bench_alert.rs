//! How long an alert takes across the line, with many tracks in the air: two node processes, real sockets.

use crate::Outcome;
use crate::client::Client;
use crate::demo::{Process, make_line};
use crate::demo_summary::spread;
use crate::say;
use hotline_node::TrackInput;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The background is spread over so many degrees each way, as dense as the busiest airspace.
const SPREAD_DEG: f64 = 12.0;
/// A conflict is brought about so often.
const EVERY: Duration = Duration::from_millis(150);

/// When each conflict was shown on each of the two consoles.
type Shown = Arc<Mutex<[BTreeMap<String, Instant>; 2]>>;

fn track(id: String, lat: f64, lon: f64, alt_ft: f64, trk: f64) -> TrackInput {
    TrackInput {
        id,
        callsign: String::new(),
        category: "aeroplane".into(),
        flight: None,
        time_ms: Timestamp::now().as_millisecond(),
        lat,
        lon,
        alt_ft: Some(alt_ft),
        alt_m: None,
        gs_kt: 400.0,
        trk,
        vs_fpm: 0.0,
    }
}

/// Half the aircraft each, spread evenly; the parties are on different levels, so that the background is looked
/// at in every pair test but has no conflict of its own.
fn background(party: usize, count: usize) -> Vec<TrackInput> {
    let side = (count as f64).sqrt().ceil() as usize;
    let at = |n: usize| SPREAD_DEG * n as f64 / side as f64;
    let level = |n: usize| if party == 0 { 10_000.0 } else { 25_000.0 } + 1_000.0 * (n % 10) as f64;
    (0..count)
        .map(|n| track(format!("bg{n}"), 35.0 + at(n / side), at(n % side), level(n), (n % 360) as f64))
        .collect()
}

pub(crate) fn run(tracks: usize, conflicts: usize, flooded: bool) -> Outcome {
    let root = std::env::temp_dir().join(format!("hotline-bench-{}", std::process::id()));
    let measured = measure(&root, tracks, conflicts, flooded);
    std::fs::remove_dir_all(&root).map_err(|e| format!("{}: {e}", root.display()))?;
    measured
}

fn measure(root: &Path, tracks: usize, conflicts: usize, flooded: bool) -> Outcome {
    // The third party has a name that sorts first, so that it calls the others; it is no node, it only floods.
    let parties: &[&str] = if flooded { &["blue", "green", "amber"] } else { &["blue", "green"] };
    let folders = make_line(root, parties, 7_661, 7_761, false)?;
    let processes =
        folders[..2].iter().map(|f| Process::start(f.path(), None)).collect::<Result<Vec<_>, _>>()?;
    let clients = [0, 1].map(|i| Client::new(folders[i].config.console, &folders[i].api_token));
    for client in &clients {
        client.wait_ready(Duration::from_secs(20))?;
    }
    let (flood_ends, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flooder = folders.into_iter().nth(2).map(|folder| {
        let (stop, sent) = (flood_ends.clone(), sent.clone());
        std::thread::spawn(move || -> Result<(), String> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|e| e.to_string())?;
            runtime.block_on(hotline_node::flood(&folder, stop, sent)).map_err(|e| e.to_string())
        })
    });
    let shown: Shown = Arc::default();
    let done = Arc::new(AtomicBool::new(false));
    for (i, client) in clients.iter().enumerate() {
        let (client, shown, done) = (client.clone(), shown.clone(), done.clone());
        std::thread::spawn(move || {
            let followed = client.follow(|name, data| {
                let now = Instant::now();
                if matches!(name, "detected" | "alert") {
                    // The key is all that is needed of it, so that reading costs as little as it can.
                    if let Some(id) =
                        data.split("\"id\":\"tracks/").nth(1).and_then(|rest| rest.split('"').next())
                    {
                        let mut shown = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        shown[i].entry(id.to_owned()).or_insert(now);
                    }
                }
                true
            });
            if let Err(e) = followed
                && !done.load(Ordering::SeqCst)
            {
                eprintln!("a console's stream ended: {e}");
            }
        });
    }
    // The background, once a second for each party, on threads of their own.
    for (party, client) in clients.iter().enumerate() {
        let client = client.clone();
        std::thread::spawn(move || {
            let mut reports = background(party, tracks / 2);
            loop {
                let begin = Instant::now();
                // In ten parts, as feeds come, not all at once.
                let part = reports.len().div_ceil(10);
                for chunk in reports.chunks_mut(part.max(1)) {
                    let now = Timestamp::now().as_millisecond();
                    chunk.iter_mut().for_each(|t| t.time_ms = now);
                    if client.post("/api/tracks", &chunk).is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(85).saturating_sub(begin.elapsed() / 10));
                }
                std::thread::sleep(Duration::from_secs(1).saturating_sub(begin.elapsed()));
            }
        });
    }
    std::thread::sleep(Duration::from_secs(4));
    let in_the_air = clients[1].get("/console/summary")?["tracks"].as_u64().unwrap_or(0);
    say!("{in_the_air} tracks on the second node, each reported about once a second");

    let mut begun: BTreeMap<String, Instant> = BTreeMap::new();
    for n in 0..conflicts {
        // Far from the background, each pair far from the others: two aircraft head on, 15 nmi apart.
        let (lat, lon) = (-40.0 + (n % 50) as f64, 100.0 + (n / 50) as f64 * 2.0);
        let (theirs, ours) = (
            track(format!("G{n}"), lat, lon + 0.3, 5_000.0, 270.0),
            track(format!("B{n}"), lat, lon, 5_000.0, 90.0),
        );
        clients[1].post("/api/tracks", &[theirs])?;
        std::thread::sleep(EVERY);
        let begin = Instant::now();
        clients[0].post("/api/tracks", &[ours])?;
        begun.insert(format!("blue:B{n}/green:G{n}"), begin);
    }
    std::thread::sleep(Duration::from_secs(2));
    let shown = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut complete = true;
    for (i, what) in ["on the first node's own console", "on the second node's console, across the line"]
        .iter()
        .enumerate()
    {
        let times: Vec<f64> = begun
            .iter()
            .filter_map(|(id, begin)| Some(shown[i].get(id)?.duration_since(*begin).as_secs_f64() * 1e3))
            .collect();
        complete &= times.len() == begun.len();
        let count = times.len();
        if let Some((median, p99, worst)) = spread(times) {
            say!(
                "from the update to the alert {what}: median {median:.1} ms, p99 {p99:.1} ms, largest {worst:.1} ms ({count} of {conflicts})"
            );
        }
    }
    if let Some(flooder) = flooder {
        flood_ends.store(true, Ordering::SeqCst);
        flooder.join().map_err(|_| "the flooding peer has failed")??;
        let offences = clients[0].get("/console/state")?["peers"][0]["offences"].clone();
        say!(
            "the flooding peer sent {} messages; the first node has recorded of it: {offences}",
            sent.load(Ordering::SeqCst)
        );
    }
    done.store(true, Ordering::SeqCst);
    for process in processes {
        process.stop()?;
    }
    if !complete {
        say!("some alerts did not come");
    }
    Ok(complete)
}
