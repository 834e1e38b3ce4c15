//! Which store for the journal: durable appends a second on redb and on fjall, one at a time and grouped.
//! Prints a table; `BENCHMARKS.md` keeps the result.

use fjall::{KeyspaceCreateOptions, PersistMode};
use hotline_journal::{EmbeddedJournal, Journal};
use std::time::{Duration, Instant};

const RECORD: usize = 400;
const SPAN: Duration = Duration::from_secs(3);

/// Appends until the time is up; gives records a second and the median time of a commit.
fn measure(group: usize, mut append: impl FnMut(u64, &[Vec<u8>])) -> (f64, Duration) {
    let records = vec![vec![7u8; RECORD]; group];
    let (begin, mut next, mut times) = (Instant::now(), 0, Vec::new());
    while begin.elapsed() < SPAN {
        let one = Instant::now();
        append(next, &records);
        times.push(one.elapsed());
        next += group as u64;
    }
    let rate = next as f64 / begin.elapsed().as_secs_f64();
    times.sort_unstable();
    (rate, times[times.len() / 2])
}

fn bare_file(folder: &std::path::Path, group: usize) -> (f64, Duration) {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.join(format!("bare-{group}"))).unwrap();
    measure(group, |_, records| {
        records.iter().for_each(|r| file.write_all(r).unwrap());
        file.sync_data().unwrap();
    })
}

fn redb(folder: &std::path::Path, group: usize) -> (f64, Duration) {
    let journal = EmbeddedJournal::open(folder.join(format!("redb-{group}"))).unwrap();
    measure(group, |_, records| _ = journal.append(records).unwrap())
}

fn fjall(folder: &std::path::Path, group: usize) -> (f64, Duration) {
    let database = fjall::Database::builder(folder.join(format!("fjall-{group}"))).open().unwrap();
    let log = database.keyspace("records", KeyspaceCreateOptions::default).unwrap();
    measure(group, |first, records| {
        let mut batch = database.batch();
        for (number, record) in (first..).zip(records) {
            batch.insert(&log, number.to_be_bytes(), record.as_slice());
        }
        batch.commit().unwrap();
        database.persist(PersistMode::SyncData).unwrap();
    })
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!("durable appends of {RECORD}-byte records in {}", folder.path().display());
    println!("{:>6} {:>10} {:>14} {:>16}", "group", "store", "records/s", "median commit");
    for group in [1, 10, 100, 1000] {
        for (name, (rate, median)) in [
            ("bare file", bare_file(folder.path(), group)),
            ("redb", redb(folder.path(), group)),
            ("fjall", fjall(folder.path(), group)),
        ] {
            println!("{group:>6} {name:>10} {rate:>14.0} {:>13.0} us", median.as_secs_f64() * 1e6);
        }
    }
}
