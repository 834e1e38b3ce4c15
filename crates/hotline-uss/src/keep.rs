//! What a supplier must not lose, by name, in a journal: flights, constraints, notifications that are still to be told.
//!
//! Each change of a thing is a record; the whole is small (a supplier's own flights) and lies in memory too, so that a snapshot now
//! and then keeps the journal short.

use hotline_journal::{EmbeddedJournal, Journal, JournalError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

/// After so many records a snapshot is taken.
const SNAPSHOT_EVERY: u64 = 2_000;
const READ_AT_ONCE: usize = 1_000;

/// Things by name.
pub(crate) struct Keep {
    journal: EmbeddedJournal,
    kept: Mutex<Kept>,
}

struct Kept {
    things: BTreeMap<String, Value>,
    since_snapshot: u64,
}

/// A change: a name and what it stands for now, nothing when it is gone.
pub(crate) type Change = (String, Option<Value>);

fn apply(things: &mut BTreeMap<String, Value>, (name, thing): Change) {
    match thing {
        Some(thing) => things.insert(name, thing),
        None => things.remove(&name),
    };
}

fn unreadable(e: &serde_json::Error) -> JournalError {
    JournalError::Corrupt { what: format!("what a supplier keeps ({e})") }
}

/// A change to a thing as it is now.
pub(crate) fn to(name: String, thing: &impl Serialize) -> Change {
    (name, Some(serde_json::to_value(thing).expect("forms are JSON")))
}

impl Keep {
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let journal = EmbeddedJournal::open(path)?;
        let (mut from, mut things) = (0, BTreeMap::new());
        if let Some((upto, state)) = journal.snapshot()? {
            things = serde_json::from_slice(&state).map_err(|e| unreadable(&e))?;
            from = upto;
        }
        let begin = from;
        loop {
            let records = journal.read(from, READ_AT_ONCE)?;
            if records.is_empty() {
                break;
            }
            from += records.len() as u64;
            for record in records {
                apply(&mut things, serde_json::from_slice(&record).map_err(|e| unreadable(&e))?);
            }
        }
        let kept = Kept { things, since_snapshot: from - begin };
        Ok(Self { journal, kept: Mutex::new(kept) })
    }

    /// Makes changes durable, all of them or none.
    pub(crate) fn change(&self, changes: Vec<Change>) -> Result<(), JournalError> {
        let record = |change| serde_json::to_vec(change).expect("forms are JSON");
        let records: Vec<Vec<u8>> = changes.iter().map(record).collect();
        let mut kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let upto = self.journal.append(&records)? + records.len() as u64;
        kept.since_snapshot += records.len() as u64;
        changes.into_iter().for_each(|change| apply(&mut kept.things, change));
        if kept.since_snapshot >= SNAPSHOT_EVERY {
            let state = serde_json::to_vec(&kept.things).expect("forms are JSON");
            // The changes stand either way; it is tried again at the next one.
            let shortened = self.journal.save_snapshot(upto, &state).and_then(|()| {
                kept.since_snapshot = 0;
                while self.journal.forget(upto)? {}
                Ok(())
            });
            if let Err(why) = shortened {
                tracing::warn!("the supplier's journal stays long: {why}");
            }
        }
        Ok(())
    }

    /// All things whose names begin so, by the rest of their names.
    pub(crate) fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<(String, T)>, JournalError> {
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let under = kept.things.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        let read = |(name, thing): (&String, &Value)| {
            let thing = serde_json::from_value(thing.clone()).map_err(|e| unreadable(&e))?;
            Ok((name[prefix.len()..].to_owned(), thing))
        };
        under.map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uss.redb");
        let keep = Keep::open(&path).unwrap();
        let all: Vec<u64> = (0..=2 * SNAPSHOT_EVERY).collect();
        for some in all.chunks(95) {
            keep.change(some.iter().map(|n| to(format!("a/{}", n % 10), n)).collect()).unwrap();
        }
        keep.change(vec![("a/3".into(), None), to("b/1".into(), &"other")]).unwrap();
        drop(keep);
        let keep = Keep::open(&path).unwrap();
        let found: Vec<(String, u64)> = keep.all("a/").unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["0", "1", "2", "4", "5", "6", "7", "8", "9"]);
        assert_eq!(found[0].1, 2 * SNAPSHOT_EVERY);
        assert_eq!(keep.all::<String>("b/").unwrap(), [("1".to_owned(), "other".to_owned())]);
    }
}
