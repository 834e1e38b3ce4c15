//! From the journal on the disk to a running core.

use crate::NodeError;
use hotline_journal::{EmbeddedJournal, Journal, JournalError};
use hotline_line::{Entry, History, LineConfig, Record};
use hotline_picture::Core;
use std::path::Path;
use std::sync::Arc;

/// How many records are read at a time.
const PAGE: usize = 10_000;
/// How many records are read at a time when they are asked for one by one.
const READ_AHEAD: usize = 256;

/// Reads single records back for the core.
pub(crate) struct FromJournal<'a>(pub(crate) &'a dyn Journal);

impl History for FromJournal<'_> {
    fn record(&self, place: u64) -> Option<Record> {
        let read = self.0.read(place, 1).ok()?;
        Record::from_bytes(read.first()?).ok()
    }
}

/// Opens a node's journal.
///
/// # Errors
/// When it is in use or damaged, or the disk fails.
pub fn open_journal(path: &Path) -> Result<Arc<dyn Journal>, NodeError> {
    Ok(Arc::new(EmbeddedJournal::open(path)?))
}

/// Builds the core from the newest snapshot and the records after it. `progress` is told how many records of how
/// many have been replayed.
///
/// # Errors
/// When the journal cannot be read or is not this node's.
pub fn recover(
    journal: &dyn Journal,
    config: LineConfig,
    mut progress: impl FnMut(u64, u64),
) -> Result<Core, NodeError> {
    let total = journal.len()?;
    let (mut core, mut next) = match journal.snapshot()? {
        Some((upto, state)) => (Core::restore(config, &state, &FromJournal(journal))?, upto),
        None => (Core::new(config)?, 0),
    };
    while next < total {
        let page = journal.read(next, PAGE)?;
        if page.is_empty() {
            return Err(JournalError::Corrupt { what: format!("record {next}") }.into());
        }
        for bytes in &page {
            core.replay(&Record::from_bytes(bytes)?)?;
        }
        next += page.len() as u64;
        progress(next, total);
    }
    Ok(core)
}

/// What is not where it should be in the journal.
pub(crate) fn damaged(place: u64) -> NodeError {
    JournalError::Corrupt { what: format!("record {place}") }.into()
}

/// Reads records, some at a time.
pub(crate) struct Pages<'a> {
    journal: &'a dyn Journal,
    first: u64,
    page: Vec<Vec<u8>>,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(journal: &'a dyn Journal) -> Self {
        Self { journal, first: 0, page: Vec::new() }
    }

    pub(crate) fn record(&mut self, place: u64) -> Result<Record, NodeError> {
        if place < self.first || place >= self.first + self.page.len() as u64 {
            self.page = self.journal.read(place, READ_AHEAD)?;
            self.first = place;
        }
        let bytes = self.page.get((place - self.first) as usize).ok_or_else(|| damaged(place))?;
        Ok(Record::from_bytes(bytes)?)
    }

    pub(crate) fn entry(&mut self, place: u64) -> Result<Entry, NodeError> {
        match self.record(place)? {
            Record::Own(entry) | Record::Heard(_, entry) => Ok(entry),
            _ => Err(damaged(place)),
        }
    }
}
