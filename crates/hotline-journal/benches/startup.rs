//! Opening and reading a journal of 1 000 000 records, after a clean stop and after a kill.

use hotline_journal::{EmbeddedJournal, Journal};
use std::time::Instant;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let journal = EmbeddedJournal::open(&path).unwrap();
    for _ in 0..1_000 {
        journal.append(&vec![vec![7; 400]; 1_000]).unwrap();
    }
    let killed = folder.path().join("killed.redb");
    // A copy of the file of a journal that is open is what a kill leaves behind.
    std::fs::copy(&path, &killed).unwrap();
    drop(journal);
    for (what, path) in [("clean stop", path), ("kill", killed)] {
        let begin = Instant::now();
        let journal = EmbeddedJournal::open(path).unwrap();
        let opened = begin.elapsed();
        let mut next = 0;
        loop {
            let read = journal.read(next, 10_000).unwrap().len() as u64;
            next += read;
            if read == 0 {
                break;
            }
        }
        println!(
            "after a {what}: opened in {opened:.2?}, {next} records read in {:.2?} in all",
            begin.elapsed()
        );
    }
}
