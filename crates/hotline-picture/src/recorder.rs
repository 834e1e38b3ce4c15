//! The flight recorder: what the own aircraft did, in segments whose roots are said on the line.

use crate::core::segment_root;
use hotline_airspace::{Seconds, seconds_between};
use hotline_line::{RecordedLeaf, Row, Segment, SharedTrack};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A segment is closed after so long.
const SEGMENT: Seconds = Seconds::new(60.0);
/// Reports of one aircraft nearer to each other than this are not all kept, milliseconds.
const APART_MS: i64 = 950;
/// The most reports in a segment; further ones are not recorded.
const MAX_ROWS: usize = 1_000_000;
/// The most reports of one aircraft in a segment.
const MAX_ROWS_EACH: usize = 2_000;

/// Where the leaves of a segment are: first place in the journal and how many.
type Places = (u64, u64);

/// A closed segment.
pub(crate) struct Closed {
    pub(crate) segment: Segment,
    pub(crate) leaves: Vec<(String, Vec<u8>)>,
}

/// The recorder.
#[derive(Debug, Default)]
pub struct Recorder {
    open: BTreeMap<String, Vec<Row>>,
    count: usize,
    since: Option<Timestamp>,
    next: u64,
    places: BTreeMap<u64, Places>,
}

impl Recorder {
    pub(crate) fn hear(&mut self, report: &SharedTrack) {
        if self.count >= MAX_ROWS {
            return;
        }
        let row = Row::new(&report.state);
        let rows = self.open.entry(report.id.to_string()).or_default();
        if rows.len() < MAX_ROWS_EACH && rows.last().is_none_or(|last| row.time_ms - last.time_ms >= APART_MS)
        {
            rows.push(row);
            self.count += 1;
            self.since.get_or_insert(report.state.time());
        }
    }

    /// Closes the segment when it is long enough and has anything in it.
    pub(crate) fn close(&mut self, now: Timestamp, salt: impl Fn(u64, &str) -> [u8; 16]) -> Option<Closed> {
        let since = self.since.filter(|since| seconds_between(*since, now) >= SEGMENT)?;
        let number = self.next;
        let leaves: Vec<(String, Vec<u8>)> = std::mem::take(&mut self.open)
            .into_iter()
            .map(|(aircraft, rows)| {
                let salt = salt(number, &aircraft);
                (aircraft.clone(), RecordedLeaf { aircraft, salt, rows }.to_bytes())
            })
            .collect();
        (self.count, self.since) = (0, None);
        let segment = Segment {
            number,
            from: since,
            to: now,
            aircraft: leaves.len() as u32,
            root: segment_root(leaves.iter().map(|(_, leaf)| leaf.as_slice())),
        };
        Some(Closed { segment, leaves })
    }

    /// A segment's leaves are in the journal.
    pub(crate) fn keep(&mut self, number: u64, first: u64, count: u64) {
        self.places.insert(number, (first, count));
        self.next = self.next.max(number + 1);
    }

    /// One more leaf is in the journal, as it is read back.
    pub(crate) fn replay(&mut self, number: u64, place: u64) {
        let places = self.places.entry(number).or_insert((place, 0));
        places.1 = place + 1 - places.0;
        self.next = self.next.max(number + 1);
    }

    pub(crate) fn take_over(&mut self, old: Self) {
        (self.open, self.count, self.since) = (old.open, old.count, old.since);
    }

    /// Where in the journal the leaves of a segment are: the first place, and how many.
    pub fn places(&self, number: u64) -> Option<(u64, u64)> {
        self.places.get(&number).copied()
    }

    /// All segments: number, first place in the journal, how many leaves.
    pub fn segments(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.places.iter().map(|(number, (first, count))| (*number, *first, *count))
    }
}
