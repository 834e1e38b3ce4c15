//! `kill -9` at random moments, and a file that may not grow, on the real file system in processes of their own.

use hotline_journal::{EmbeddedJournal, GroupCommit, Journal};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const FOLDER: &str = "HOTLINE_JOURNAL_TEST_FOLDER";

/// Not a test: what the tests below run in a process of its own. Appends numbered records through a group commit
/// and prints each number once it is accepted, and why when one is refused.
#[test]
#[ignore = "run by the other tests in a process of its own"]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let journal: Arc<dyn Journal> =
        Arc::new(EmbeddedJournal::open(format!("{folder}/journal.redb")).unwrap());
    let start = journal.len().unwrap();
    let mut commit = GroupCommit::start(journal, |committed, number: u64| {
        let mut out = std::io::stdout().lock();
        match committed {
            Ok(at) if at == number => writeln!(out, "accepted {number}").unwrap(),
            Ok(at) => writeln!(out, "misplaced {number} at {at}").unwrap(),
            Err(e) => writeln!(out, "refused {number}: {e}").unwrap(),
        }
    });
    for number in start..start + 12_000 {
        let mut record = number.to_be_bytes().to_vec();
        record.resize(8 + (number % 977) as usize, 7);
        if commit.submit(0, vec![record], number).is_err() {
            break;
        }
        if number % 50 == 0 {
            std::thread::sleep(std::time::Duration::from_micros(500));
        }
    }
    commit.stop();
}

fn spawn(folder: &std::path::Path, prefix: &str) -> Child {
    let me = std::env::current_exe().unwrap();
    let run = format!("{prefix} exec '{}' --exact child --ignored --nocapture", me.display());
    Command::new("bash").args(["-c", &run]).env(FOLDER, folder).stdout(Stdio::piped()).spawn().unwrap()
}

fn check(folder: &std::path::Path, accepted: u64) -> u64 {
    let journal = EmbeddedJournal::open(folder.join("journal.redb")).unwrap();
    let len = journal.len().unwrap();
    assert!(len >= accepted, "{accepted} were accepted, {len} are left");
    let mut next = 0;
    while next < len {
        for record in journal.read(next, 500).unwrap() {
            assert_eq!(record[..8], next.to_be_bytes());
            assert_eq!(record.len(), 8 + (next % 977) as usize);
            next += 1;
        }
    }
    len
}

#[test]
fn killed_at_random_moments_nothing_accepted_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut accepted = 0;
    for life in 0..12u64 {
        let mut child = spawn(folder.path(), "");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut left = 1 + (life * 7919) % 800;
        for line in lines.by_ref() {
            let line = line.unwrap();
            assert!(!line.contains("misplaced") && !line.contains("refused"), "{line}");
            if let Some(number) = line.split("accepted ").nth(1) {
                accepted = accepted.max(number.parse::<u64>().unwrap() + 1);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
        child.kill().unwrap();
        // What it had still printed before it died counts too.
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.split("accepted ").nth(1).and_then(|n| n.parse::<u64>().ok()) {
                accepted = accepted.max(number + 1);
            }
        }
        child.wait().unwrap();
        accepted = check(folder.path(), accepted);
    }
    assert!(accepted > 1_000);
}

#[test]
fn a_file_that_may_not_grow_is_refused_clearly() {
    let folder = tempfile::tempdir().unwrap();
    // 3 MiB at most; the signal that would end the process is ignored, so that the write fails instead.
    let mut child = spawn(folder.path(), "trap '' XFSZ; ulimit -f 3072;");
    let (mut accepted, mut refused) = (0, 0);
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        if let Some(number) = line.split("accepted ").nth(1).and_then(|n| n.parse::<u64>().ok()) {
            accepted = number + 1;
        } else if line.contains("refused") {
            assert!(
                line.contains("the disk is full") && line.contains("nothing of this batch was accepted"),
                "{line}"
            );
            refused += 1;
        }
    }
    child.wait().unwrap();
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
    check(folder.path(), accepted);
}

#[test]
fn a_second_process_is_told_that_the_journal_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let _open = EmbeddedJournal::open(&path).unwrap();
    let Err(refused) = EmbeddedJournal::open(&path) else { panic!("opened twice") };
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
}
