//! Power cuts, torn writes, full disks and flipped bits on a simulated disk.

use hotline_journal::{EmbeddedJournal, FaultyDisk, Journal, JournalError};
use proptest::prelude::*;

fn record(number: u64, size: usize) -> Vec<u8> {
    let mut made = number.to_be_bytes().to_vec();
    made.resize(size.max(8), number as u8);
    made
}

fn check(journal: &EmbeddedJournal, accepted: &[Vec<u8>], perhaps: usize) -> usize {
    let mut found = Vec::new();
    loop {
        let more = journal.read(found.len() as u64, 100).unwrap();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    assert!(found.len() >= accepted.len(), "{} of {} accepted records are left", found.len(), accepted.len());
    assert_eq!(&found[..accepted.len()], accepted);
    assert!(
        found.len() == accepted.len() || found.len() == accepted.len() + perhaps,
        "a batch is whole or not there"
    );
    found.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Crash at a random point of every life, over several lives: what was accepted is there, in order.
    #[test]
    fn accepted_records_survive_power_cuts(seed: u64, lives in prop::collection::vec((1usize..12, 1usize..5, 8usize..6000), 1..6)) {
        let disk = FaultyDisk::new(seed);
        let mut accepted: Vec<Vec<u8>> = Vec::new();
        for (commits, batch, size) in lives {
            let journal = EmbeddedJournal::on_disk(disk.clone()).unwrap();
            check(&journal, &accepted, 0);
            for _ in 0..commits {
                let records: Vec<_> = (0..batch).map(|i| record((accepted.len() + i) as u64, size)).collect();
                prop_assert_eq!(journal.append(&records).unwrap(), accepted.len() as u64);
                accepted.extend(records);
            }
            // One more batch is under way when the power goes.
            disk.crash();
            let torn: Vec<_> = (0..batch).map(|i| record((accepted.len() + i) as u64, size)).collect();
            prop_assert!(journal.append(&torn).is_err());
            drop(journal);
            disk.restart();
        }
        let journal = EmbeddedJournal::on_disk(disk).unwrap();
        check(&journal, &accepted, 0);
    }

    /// The tail of a batch that was being written is dropped, or the batch is there whole.
    #[test]
    fn a_torn_tail_is_cut(seed: u64, before in 1u64..20, batch in 1usize..20) {
        let disk = FaultyDisk::new(seed);
        let journal = EmbeddedJournal::on_disk(disk.clone()).unwrap();
        let accepted: Vec<_> = (0..before).map(|i| record(i, 700)).collect();
        journal.append(&accepted).unwrap();
        let writer = {
            let disk = disk.clone();
            std::thread::spawn(move || { std::thread::yield_now(); disk.crash(); })
        };
        let torn: Vec<_> = (0..batch as u64).map(|i| record(before + i, 5000)).collect();
        let perhaps = journal.append(&torn);
        writer.join().unwrap();
        drop(journal);
        disk.restart();
        let journal = EmbeddedJournal::on_disk(disk).unwrap();
        let mut sure = accepted;
        if perhaps.is_ok() { sure.extend(torn); check(&journal, &sure, 0); } else { check(&journal, &sure, batch); }
    }

    /// A flipped bit is told or harmless; it never changes what is read.
    #[test]
    fn flipped_bits_are_told(seed: u64, at: u64) {
        let disk = FaultyDisk::new(seed);
        let journal = EmbeddedJournal::on_disk(disk.clone()).unwrap();
        let records: Vec<_> = (0..50).map(|i| record(i, 300)).collect();
        journal.append(&records).unwrap();
        drop(journal);
        disk.flip_bit(at % (disk.size() * 8));
        let Ok(journal) = EmbeddedJournal::on_disk(disk) else { return Ok(()) };
        match journal.read(0, 100) {
            Ok(found) => prop_assert_eq!(found, records),
            Err(e) => prop_assert!(e.to_string().contains("damaged") || e.to_string().contains("disk"), "{e}"),
        }
    }
}

#[test]
fn a_full_disk_is_refused_and_recovers() {
    let disk = FaultyDisk::new(5);
    let journal = EmbeddedJournal::on_disk(disk.clone()).unwrap();
    let mut accepted = Vec::new();
    disk.set_room(disk.size());
    let refused = loop {
        let records = vec![record(accepted.len() as u64, 100_000)];
        match journal.append(&records) {
            Ok(_) => accepted.extend(records),
            Err(e) => break e,
        }
    };
    assert!(matches!(refused, JournalError::DiskFull), "{refused}");
    check(&journal, &accepted, 0);
    assert!(journal.save_snapshot(1, &vec![0; 10_000_000]).is_err());
    disk.set_room(u64::MAX);
    let records = vec![record(accepted.len() as u64, 100_000)];
    journal.append(&records).unwrap();
    accepted.extend(records);
    check(&journal, &accepted, 0);
    drop(journal);
    check(&EmbeddedJournal::on_disk(disk).unwrap(), &accepted, 0);
}

#[test]
fn snapshots_replace_each_other() {
    let disk = FaultyDisk::new(5);
    let journal = EmbeddedJournal::on_disk(disk.clone()).unwrap();
    assert_eq!(journal.snapshot().unwrap(), None);
    journal.append(&[record(0, 10), record(1, 10)]).unwrap();
    journal.save_snapshot(1, b"after one").unwrap();
    journal.save_snapshot(2, b"after two").unwrap();
    drop(journal);
    let journal = EmbeddedJournal::on_disk(disk).unwrap();
    assert_eq!(journal.snapshot().unwrap(), Some((2, b"after two".to_vec())));
    assert!(matches!(journal.append(&[vec![0; 2 << 20]]), Err(JournalError::TooLarge { .. })));
}

#[test]
fn what_is_forgotten_keeps_its_numbers() {
    let disk = FaultyDisk::new(9);
    let journal = EmbeddedJournal::on_disk(disk.clone()).unwrap();
    let all: Vec<Vec<u8>> = (0..12_000).map(|n| record(n, 20)).collect();
    journal.append(&all).unwrap();
    let mut steps = 1;
    while journal.forget(11_000).unwrap() {
        steps += 1;
    }
    assert_eq!(steps, 3, "a bounded number at a time");
    assert!(journal.read(10_999, 1).is_err(), "forgotten");
    assert_eq!(journal.read(11_000, 1).unwrap(), [all[11_000].clone()]);
    assert!(!journal.forget(u64::MAX).unwrap());
    disk.crash();
    drop(journal);
    disk.restart();
    let journal = EmbeddedJournal::on_disk(disk).unwrap();
    assert_eq!(journal.len().unwrap(), 12_000, "the last one is never forgotten");
    assert_eq!(journal.append(&[record(12_000, 20)]).unwrap(), 12_000);
    assert_eq!(journal.read(11_999, 5).unwrap(), [all[11_999].clone(), record(12_000, 20)]);
}
