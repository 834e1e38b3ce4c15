//! The statements of a file that was checked, told in the order of their times.

use crate::format::{Frame, Frames};
use crate::{Account, EvidenceError};
use hotline_ledger::{PartyName, Statement, UncheckedStatement};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// A statement that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The statement.
    pub statement: Statement,
    /// What opens its sealed fields.
    pub openings: Vec<u8>,
    /// Who has proven to hold it, and since when at the latest.
    pub receipted: Vec<(PartyName, Timestamp)>,
}

/// One party's statements, read as they are asked for.
struct Stream<R> {
    frames: Frames<BufReader<R>>,
    party: PartyName,
    next: Option<(Statement, Vec<u8>)>,
}

impl<R: Read> Stream<R> {
    fn advance(&mut self) -> Result<Option<(Statement, Vec<u8>)>, EvidenceError> {
        let read = match self.frames.next()? {
            Frame::Entry(statement, openings) => {
                let statement = UncheckedStatement::read(&statement)?.statement().clone();
                Some((statement, openings.into()))
            }
            _ => None,
        };
        Ok(std::mem::replace(&mut self.next, read))
    }
}

/// Tells the statements of all parties. Those that could not be read at all end their party's part; the account has said so.
pub struct Told<'a, R> {
    streams: Vec<Stream<R>>,
    account: &'a Account,
}

impl<'a, R: Read + Seek> Told<'a, R> {
    /// Opens the file anew for each party: `open` is called as often as there are parties.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(
        account: &'a Account,
        mut open: impl FnMut() -> std::io::Result<R>,
    ) -> Result<Self, EvidenceError> {
        let mut streams = Vec::new();
        for party in account.parties.iter().filter(|p| p.count > 0) {
            let mut file = open()?;
            file.seek(SeekFrom::Start(party.at))?;
            let frames = Frames::resume(BufReader::with_capacity(1 << 16, file), party.at);
            let mut stream = Stream { frames, party: party.party.clone(), next: None };
            stream.advance()?;
            streams.push(stream);
        }
        Ok(Self { streams, account })
    }

    /// The next statement.
    ///
    /// # Errors
    /// When the file cannot be read on.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Said>, EvidenceError> {
        let key = |s: &&mut Stream<R>| s.next.as_ref().map(|(said, _)| (said.time, s.party.clone()));
        let first = self.streams.iter_mut().filter(|s| s.next.is_some()).min_by_key(key);
        let Some(stream) = first else { return Ok(None) };
        let Some((statement, openings)) = stream.advance()? else { return Ok(None) };
        let held = self.account.party(&statement.party).map(|p| p.receipted(statement.number));
        let held: BTreeMap<_, _> = held.unwrap_or_default();
        let receipted = held.into_iter().map(|(party, since)| (party.clone(), since)).collect();
        Ok(Some(Said { statement, openings, receipted }))
    }
}
