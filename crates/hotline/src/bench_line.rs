//! Catching up after a partition, and checking evidence: how long they take.

use crate::Outcome;
use crate::bench_store::{core, resident, said, with_folder};
use crate::client::Client;
use crate::demo::{PARTIES, Process};
use crate::say;
use hotline_evidence::verify;
use hotline_line::Record;
use hotline_node::{Wanted, export};
use jiff::Timestamp;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::time::{Duration, Instant};

/// Fills blue's journal with so many statements. The node must not run.
fn fill(root: &Path, count: u64) -> Result<(), String> {
    let (mut core, journal, _) = core(root)?;
    let begin = Instant::now();
    let mut batch: Vec<Vec<u8>> = core.take_effects().records.iter().map(Record::to_bytes).collect();
    let mut stored = 0;
    for n in 0.. {
        batch.extend(said(&mut core, n % 20_000, Timestamp::now())?);
        let last = stored + batch.len() as u64 >= count;
        if batch.len() >= 5_000 || last {
            stored += batch.len() as u64;
            journal.append(&std::mem::take(&mut batch)).map_err(|e| e.to_string())?;
        }
        if last {
            break;
        }
    }
    journal.save_snapshot(core.line().next_place(), &core.snapshot()).map_err(|e| e.to_string())?;
    say!("made {stored} statements ({:.0?})", begin.elapsed());
    Ok(())
}

/// One node has said much while the other was away; they meet.
pub(crate) fn catch_up(count: u64) -> Outcome {
    with_folder("catch-up", |root| {
        fill(root, count)?;
        let folder = |party: &str| root.join(party);
        let blue = Process::start(&folder(PARTIES[0]), None)?;
        let clients = [Client::of(&folder(PARTIES[0]))?, Client::of(&folder(PARTIES[1]))?];
        clients[0].wait_ready(Duration::from_secs(60))?;
        let total =
            clients[0].get("/console/summary")?["parties"]["blue"]["statements"].as_u64().unwrap_or(0);
        let green = Process::start(&folder(PARTIES[1]), None)?;
        clients[1].wait_ready(Duration::from_secs(60))?;
        let held = |client: &Client| -> Result<u64, String> {
            Ok(client.get("/console/summary")?["parties"]["blue"]["statements"].as_u64().unwrap_or(0))
        };
        let patience = Instant::now();
        while held(&clients[1])? == 0 {
            if patience.elapsed() > Duration::from_secs(30) {
                return Err("the two do not meet".into());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let begin = Instant::now();
        while held(&clients[1])? < total {
            if begin.elapsed() > Duration::from_secs(600) {
                return Err("it does not end".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let took = begin.elapsed();
        let receipted = || -> Result<u64, String> {
            let summary = clients[0].get("/console/summary")?;
            Ok(summary["parties"]["blue"]["receipts_by"]["green"].as_u64().unwrap_or(0))
        };
        while receipted()? < total {
            std::thread::sleep(Duration::from_millis(20));
        }
        say!(
            "{total} statements caught up in {took:.2?}: {:.0} a second; the receipt for all of them after {:.2?}",
            total as f64 / took.as_secs_f64(),
            begin.elapsed()
        );
        blue.stop()?;
        green.stop()?;
        Ok(true)
    })
}

/// Evidence of so many statements, made and checked.
pub(crate) fn evidence(count: u64) -> Outcome {
    with_folder("evidence", |root| {
        let path = root.join("evidence.hotline");
        {
            fill(root, count)?;
            let journal =
                hotline_node::open_journal(&root.join("blue/journal.redb")).map_err(|e| e.to_string())?;
            let folder = crate::demo::open_folder(&root.join("blue"))?;
            let core = hotline_node::recover(&*journal, folder.line_config(), |_, _| ())
                .map_err(|e| e.to_string())?;
            let wanted = Wanted {
                from: Timestamp::UNIX_EPOCH,
                to: Timestamp::now(),
                recipient: "the bench".into(),
                reason: "to measure".into(),
                withheld: vec![],
                aircraft: vec![],
            };
            let begin = Instant::now();
            let file = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(|e| e.to_string())?);
            export(&core, &*journal, &wanted, Timestamp::now(), file, |_, _| ())
                .map_err(|e| e.to_string())?;
            let size = std::fs::metadata(&path).map_err(|e| e.to_string())?.len();
            say!("written in {:.1?}: {:.0} MB", begin.elapsed(), size as f64 / 1e6);
        }
        let before = resident()?;
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let mut most = before;
        let begin = Instant::now();
        let file = BufReader::with_capacity(1 << 20, File::open(&path).map_err(|e| e.to_string())?);
        let account = verify(file, workers, |p| {
            if p.statements % 8_192 == 0 {
                most = most.max(resident().unwrap_or(0));
            }
        });
        let account = account.map_err(|e| e.to_string())?;
        let took = begin.elapsed();
        let statements: u64 = account.parties.iter().map(|p| p.count).sum();
        say!(
            "checked {statements} statements in {took:.1?} on {workers} cores: {:.0} a second; at most {:.0} MB more memory",
            statements as f64 / took.as_secs_f64(),
            (most - before) as f64 / 1e6
        );
        Ok(account.holds())
    })
}
