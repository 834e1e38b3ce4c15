//! Durable statements, recovery, and memory for intents: one core and its journal in this process.

use crate::Outcome;
use crate::demo::make_folders;
use crate::demo_summary::spread;
use crate::say;
use hotline_airspace::{
    Altitude, AltitudeBand, Area, Category, Datum, Degrees, Metres, Position, Seconds, TimeInterval, Volume4,
    shifted,
};
use hotline_journal::{GroupCommit, Journal};
use hotline_line::{FlightId, History, Purpose, Record};
use hotline_node::{open_journal, recover};
use hotline_picture::{Core, FlightPlan};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many commands that wait a busy node takes together; it takes up to 256.
const TOGETHER: u64 = 64;

/// Runs with a folder that is removed afterwards.
pub(crate) fn with_folder(name: &str, measure: impl FnOnce(&Path) -> Outcome) -> Outcome {
    let root = std::env::temp_dir().join(format!("hotline-bench-{name}-{}", std::process::id()));
    let measured = measure(&root);
    std::fs::remove_dir_all(&root).map_err(|e| format!("{}: {e}", root.display()))?;
    measured
}

/// A journal that is not read.
struct Nothing;

impl History for Nothing {
    fn record(&self, _: u64) -> Option<Record> {
        None
    }
}

/// A flight of five volumes.
fn plan(n: u64, start: Timestamp) -> FlightPlan {
    let altitude = |m| Altitude::new(Metres::new(m), Datum::Barometric).expect("a flyable altitude");
    let volumes = (0..5).map(|leg| {
        let place = ((n * 7_919) % 60_000) as f64;
        let (lat, lon) =
            (-60.0 + (place % 300.0) * 0.4, -170.0 + (place / 300.0) * 1.7 + f64::from(leg) * 0.05);
        let centre = Position::new(Degrees::new(lat), Degrees::new(lon)).expect("on the globe");
        let begin = shifted(start, Seconds::new(600.0 + 600.0 * f64::from(leg)));
        Volume4 {
            area: Area::circle(centre, Metres::new(2_000.0)).expect("a circle"),
            altitude: AltitudeBand::new(altitude(1_000.0), altitude(1_300.0)).expect("low is below high"),
            time: TimeInterval::new(begin, shifted(begin, Seconds::new(900.0))).expect("some time"),
        }
    });
    FlightPlan {
        flight: FlightId::new(&format!("F{n}")).expect("a plain name"),
        volumes: volumes.collect(),
        aircraft: 1,
        category: Category::Aeroplane,
        purpose: Purpose::Transport,
        callsign: format!("CALL{n}"),
        unit: "1 Sqn".into(),
        squawk: None,
    }
}

pub(crate) fn core(root: &Path) -> Result<(Core, Arc<dyn Journal>, hotline_line::LineConfig), String> {
    let [folder, _] = make_folders(root, 7_671, 7_771, false)?;
    let journal = open_journal(&folder.journal()).map_err(|e| e.to_string())?;
    let config = folder.line_config();
    let mut core = Core::new(config.clone()).map_err(|e| e.to_string())?;
    // No peer is there to tell this node what it holds of its ledger: it listens its time, which began a little ago.
    core.start(shifted(Timestamp::now(), Seconds::new(-5.0)));
    core.tick(Timestamp::now(), &Nothing);
    Ok((core, journal, config))
}

/// Files a flight and gives what is to be stored.
pub(crate) fn said(core: &mut Core, n: u64, now: Timestamp) -> Result<Vec<Vec<u8>>, String> {
    core.file_flight(plan(n, now), now).map_err(|e| e.to_string())?;
    Ok(core.take_effects().records.iter().map(Record::to_bytes).collect())
}

pub(crate) fn statements(seconds: f64) -> Outcome {
    with_folder("statements", |root| {
        let (mut core, journal, _) = core(root)?;
        let span = Duration::from_secs_f64(seconds);
        let first = core.take_effects().records.iter().map(Record::to_bytes).collect::<Vec<_>>();
        journal.append(&first).map_err(|e| e.to_string())?;

        let (begin, mut times, mut n) = (Instant::now(), Vec::new(), 0);
        while begin.elapsed() < span {
            let one = Instant::now();
            let records = said(&mut core, n, Timestamp::now())?;
            journal.append(&records).map_err(|e| e.to_string())?;
            times.push(one.elapsed().as_secs_f64() * 1e3);
            n += 1;
        }
        let rate = n as f64 / begin.elapsed().as_secs_f64();
        let (median, p99, _) = spread(times).ok_or("nothing was measured")?;
        say!("one at a time: {rate:.0} durable signed statements/s, median {median:.2} ms, p99 {p99:.2} ms");

        let durable = Arc::new(AtomicU64::new(0));
        let counted = durable.clone();
        let mut commit = GroupCommit::start(journal, move |committed, count| {
            if committed.is_ok() {
                counted.fetch_add(count, Ordering::Relaxed);
            }
        });
        let begin = Instant::now();
        while begin.elapsed() < span {
            // As a busy node does, which takes what waits for it together.
            let mut records = Vec::new();
            for _ in 0..TOGETHER {
                records.extend(said(&mut core, n, Timestamp::now())?);
                n += 1;
            }
            commit.submit(0, records, TOGETHER).map_err(|e| e.to_string())?;
        }
        commit.stop();
        let rate = durable.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64();
        say!(
            "grouped, {TOGETHER} at a time: {rate:.0} durable signed statements/s (flight notices of five volumes, checked against all others)"
        );
        Ok(true)
    })
}

pub(crate) fn startup(count: u64) -> Outcome {
    with_folder("startup", |root| {
        let (mut core, journal, config) = core(root)?;
        let begin = Instant::now();
        let mut batch: Vec<Vec<u8>> = core.take_effects().records.iter().map(Record::to_bytes).collect();
        let mut stored = 0;
        // Twenty thousand flights that are changed again and again.
        for n in 0.. {
            batch.extend(said(&mut core, n % 20_000, Timestamp::now())?);
            if batch.len() >= 5_000 || stored + batch.len() as u64 >= count {
                stored += batch.len() as u64;
                journal.append(&std::mem::take(&mut batch)).map_err(|e| e.to_string())?;
            }
            if stored >= count {
                break;
            }
        }
        say!("made {stored} records ({:.0?})", begin.elapsed());
        drop(journal);

        let path = root.join("blue/journal.redb");
        let measure = |what: &str| -> Result<(), String> {
            let begin = Instant::now();
            let journal = open_journal(&path).map_err(|e| e.to_string())?;
            let core = recover(&*journal, config.clone(), |_, _| ()).map_err(|e| e.to_string())?;
            let took = begin.elapsed();
            say!("recovery {what}: {took:.2?} ({} live intents)", core.picture().intents().count());
            Ok(())
        };
        measure("from the records alone")?;
        let journal = open_journal(&path).map_err(|e| e.to_string())?;
        journal.save_snapshot(core.line().next_place(), &core.snapshot()).map_err(|e| e.to_string())?;
        drop(journal);
        measure("with a snapshot")?;
        Ok(true)
    })
}

/// Resident memory of this process, bytes.
pub(crate) fn resident() -> Result<u64, String> {
    let text = std::fs::read_to_string("/proc/self/statm").map_err(|e| e.to_string())?;
    let pages: u64 =
        text.split(' ').nth(1).and_then(|p| p.parse().ok()).ok_or("/proc/self/statm is not as expected")?;
    Ok(pages * 4096)
}

pub(crate) fn memory(count: usize) -> Outcome {
    with_folder("memory", |root| {
        let (mut core, _, _) = core(root)?;
        let now = Timestamp::now();
        // What the ledger keeps in memory whatever is said is full before the measurement begins.
        for n in 0..5_000 {
            said(&mut core, n % 100, now)?;
        }
        let before = resident()?;
        for n in 0..count as u64 {
            said(&mut core, 1_000 + n, now)?;
        }
        let each = (resident()? - before) as f64 / count as f64;
        say!(
            "{count} live intents of five volumes: {each:.0} bytes each (picture, index, tree and places in the journal)"
        );
        Ok(true)
    })
}
