//! The journal on the local disk, in one redb file.
//!
//! redb writes new pages beside the old ones and then moves one root, so a torn or lost write before the sync
//! leaves the last commit as it was: on opening, an unfinished tail is recognised and dropped. Each record and
//! snapshot carries a CRC-32C of its own, so that damage to what was once accepted is told, not passed on.

use crate::{FORGOTTEN_AT_ONCE, FaultyDisk, Journal, JournalError, MAX_READ_BYTES, MAX_RECORD};
use redb::{
    Database, DatabaseError, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition,
};
use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::RwLock;

const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
const SNAPSHOTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("snapshots");
/// Memory for pages of the file, bytes.
const CACHE: usize = 32 << 20;

type Opener = Box<dyn Fn() -> Result<Database, JournalError> + Send + Sync>;

/// A journal in one file. After a failed write the file is opened anew, since the engine stops at the first
/// error; until that works, everything is refused.
pub struct EmbeddedJournal {
    open: Opener,
    database: RwLock<Option<Database>>,
}

fn disk(e: impl std::fmt::Display) -> JournalError {
    JournalError::Disk(e.to_string())
}

fn storage(e: StorageError) -> JournalError {
    match e {
        StorageError::Io(e)
            if matches!(
                e.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
            ) =>
        {
            JournalError::DiskFull
        }
        StorageError::Corrupted(what) => {
            JournalError::Corrupt { what: format!("the journal's file ({what})") }
        }
        other => disk(other),
    }
}

fn database(e: DatabaseError) -> JournalError {
    match e {
        DatabaseError::DatabaseAlreadyOpen => JournalError::InUse,
        DatabaseError::Storage(e) => storage(e),
        other => disk(other),
    }
}

/// Any of redb's errors, by way of its common one.
fn engine(e: impl Into<redb::Error>) -> JournalError {
    match e.into() {
        redb::Error::Io(e) => storage(StorageError::Io(e)),
        redb::Error::Corrupted(what) => storage(StorageError::Corrupted(what)),
        other => disk(other),
    }
}

/// The checksum is over number and content, so that a record cannot stand in another's place.
fn sealed(number: u64, content: &[u8]) -> Vec<u8> {
    let sum = crc32c::crc32c_append(crc32c::crc32c(&number.to_be_bytes()), content);
    [&sum.to_be_bytes()[..], content].concat()
}

fn unsealed(number: u64, stored: &[u8]) -> Option<&[u8]> {
    let (sum, content) = stored.split_first_chunk::<4>()?;
    let right = crc32c::crc32c_append(crc32c::crc32c(&number.to_be_bytes()), content);
    (u32::from_be_bytes(*sum) == right).then_some(content)
}

/// The engine panics where it meets a page that damage has made nonsense of; for us that is damage like any
/// other, to be told.
fn told<T>(work: impl FnOnce() -> Result<T, JournalError>) -> Result<T, JournalError> {
    std::panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(JournalError::Corrupt { what: "the journal's file".into() }))
}

impl EmbeddedJournal {
    /// Opens the journal in a file, making it when there is none.
    ///
    /// # Errors
    /// [`JournalError::InUse`] when another process has it open; disk errors.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref().to_owned();
        Self::with(Box::new(move || {
            Database::builder().set_cache_size(CACHE).create(&path).map_err(database)
        }))
    }

    /// Opens the journal on a simulated disk.
    ///
    /// # Errors
    /// As [`EmbeddedJournal::open`].
    pub fn on_disk(faulty: FaultyDisk) -> Result<Self, JournalError> {
        Self::with(Box::new(move || {
            Database::builder().set_cache_size(CACHE).create_with_backend(faulty.clone()).map_err(database)
        }))
    }

    fn with(open: Opener) -> Result<Self, JournalError> {
        let database = told(|| {
            let database = open()?;
            let write = database.begin_write().map_err(engine)?;
            write.open_table(RECORDS).map_err(engine)?;
            write.open_table(SNAPSHOTS).map_err(engine)?;
            write.commit().map_err(engine)?;
            Ok(database)
        })?;
        Ok(Self { open, database: RwLock::new(Some(database)) })
    }

    /// Works with the open file.
    fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let guard = self.database.read().map_err(|_| JournalError::Closed)?;
        let database = guard.as_ref().ok_or_else(|| disk("the journal's file could not be opened again"))?;
        told(|| work(database))
    }

    fn with_table<T>(
        &self,
        table: TableDefinition<'static, u64, &'static [u8]>,
        work: impl FnOnce(ReadOnlyTable<u64, &'static [u8]>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.with_database(|database| {
            work(database.begin_read().map_err(engine)?.open_table(table).map_err(engine)?)
        })
    }

    /// Runs a durable transaction; after a failure the file is opened anew.
    fn write(
        &self,
        change: impl Fn(&redb::WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), JournalError> {
        let result = self.with_database(|database| {
            let mut write = database.begin_write().map_err(engine)?;
            write.set_durability(Durability::Immediate).map_err(engine)?;
            change(&write).map_err(engine)?;
            write.commit().map_err(engine)
        });
        if result.is_err() {
            let mut database = self.database.write().map_err(|_| JournalError::Closed)?;
            drop(database.take());
            *database = told(&self.open).ok();
        }
        result
    }
}

impl Journal for EmbeddedJournal {
    fn append(&self, records: &[Vec<u8>]) -> Result<u64, JournalError> {
        if let Some(large) = records.iter().find(|r| r.len() > MAX_RECORD) {
            return Err(JournalError::TooLarge { size: large.len(), limit: MAX_RECORD });
        }
        let first = self.len()?;
        let done = self.write(|write| {
            let mut table = write.open_table(RECORDS)?;
            for (number, record) in (first..).zip(records) {
                table.insert(number, sealed(number, record).as_slice())?;
            }
            Ok(())
        });
        // An error after the commit had reached the disk is no error: the records are there.
        match done {
            Err(_)
                if !records.is_empty() && self.len().is_ok_and(|len| len == first + records.len() as u64) =>
            {
                Ok(first)
            }
            other => other.map(|()| first),
        }
    }

    fn len(&self) -> Result<u64, JournalError> {
        self.with_table(RECORDS, |table| {
            let last = table.last().map_err(engine)?;
            Ok(last.map_or(0, |(number, _)| number.value() + 1))
        })
    }

    fn forget(&self, upto: u64) -> Result<bool, JournalError> {
        // The last one tells where the numbers go on.
        let upto = upto.min(self.len()?.saturating_sub(1));
        let first = self.with_table(RECORDS, |table| {
            Ok(table.first().map_err(engine)?.map_or(upto, |(number, _)| number.value()))
        })?;
        if first >= upto {
            return Ok(false);
        }
        let end = upto.min(first + FORGOTTEN_AT_ONCE);
        self.write(|write| {
            let mut table = write.open_table(RECORDS)?;
            table.retain_in(..end, |_, _| false)?;
            Ok(())
        })?;
        Ok(end < upto)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        self.with_table(RECORDS, |table| {
            let mut found = Vec::new();
            let mut bytes = 0;
            for entry in table.range(from..).map_err(engine)?.take(limit) {
                let (number, stored) = entry.map_err(engine)?;
                let expected = from + found.len() as u64;
                let whole = unsealed(expected, stored.value()).filter(|_| number.value() == expected);
                let content =
                    whole.ok_or_else(|| JournalError::Corrupt { what: format!("record {expected}") })?;
                bytes += content.len();
                if bytes > MAX_READ_BYTES && !found.is_empty() {
                    break;
                }
                found.push(content.to_vec());
            }
            Ok(found)
        })
    }

    fn save_snapshot(&self, upto: u64, state: &[u8]) -> Result<(), JournalError> {
        self.write(|write| {
            let mut table = write.open_table(SNAPSHOTS)?;
            table.retain(|_, _| false)?;
            table.insert(upto, sealed(upto, state).as_slice())?;
            Ok(())
        })
    }

    fn snapshot(&self) -> Result<Option<(u64, Vec<u8>)>, JournalError> {
        self.with_table(SNAPSHOTS, |table| {
            let Some((upto, stored)) = table.last().map_err(engine)? else { return Ok(None) };
            let upto = upto.value();
            match unsealed(upto, stored.value()) {
                Some(state) => Ok(Some((upto, state.to_vec()))),
                None => Err(JournalError::Corrupt { what: format!("the snapshot after {upto} records") }),
            }
        })
    }
}
