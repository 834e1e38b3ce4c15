//! The encoding of a core's snapshot.

use crate::{PartyTally, Tally};
use hotline_ledger::PartyName;
use hotline_line::{ConflictKey, Level, LineError};
use jiff::Timestamp;
use minicbor::{Decoder, Encoder};

const WHAT: &str = "a snapshot";

pub(crate) struct Snapshot {
    pub(crate) time: Timestamp,
    pub(crate) line: Vec<u8>,
    pub(crate) tally: Tally,
    /// Places in the journal of the statements that the picture is made of, in order.
    pub(crate) places: Vec<u64>,
    /// The segments of the flight recorder: number, first place in the journal, how many leaves.
    pub(crate) segments: Vec<(u64, u64, u64)>,
    pub(crate) last_person_check: Option<Timestamp>,
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn put_tally(e: &mut Encoder<Vec<u8>>, tally: &Tally) -> Written {
    e.array(tally.parties.len() as u64)?;
    for (party, said) in &tally.parties {
        e.array(4)?.str(party.as_str())?.array(said.by_kind.len() as u64)?;
        for (kind, count) in &said.by_kind {
            e.array(2)?.str(kind)?.u64(*count)?;
        }
        e.array(said.alerts.len() as u64)?;
        for (level, count) in &said.alerts {
            e.array(2)?.str(level.as_str())?.u64(*count)?;
        }
        e.array(said.conflicts.len() as u64)?;
        for conflict in &said.conflicts {
            e.bytes(&conflict.to_bytes())?;
        }
    }
    Ok(())
}

pub(crate) fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let mut e = Encoder::new(Vec::new());
    let mut write = || -> Written {
        e.array(6)?.i64(snapshot.time.as_millisecond())?.bytes(&snapshot.line)?;
        put_tally(&mut e, &snapshot.tally)?;
        e.array(snapshot.places.len() as u64)?;
        snapshot.places.iter().try_for_each(|p| e.u64(*p).map(|_| ()))?;
        e.encode(&snapshot.segments)?.encode(snapshot.last_person_check.map(|t| t.as_millisecond()))?.ok()
    };
    write().expect("writing to memory");
    e.into_writer()
}

fn bad(why: impl std::fmt::Display) -> LineError {
    LineError::Malformed { what: WHAT, why: why.to_string() }
}

fn list(d: &mut Decoder<'_>) -> Result<u64, LineError> {
    d.array().map_err(bad)?.ok_or_else(|| bad("a list must have a definite length"))
}

fn read_tally(d: &mut Decoder<'_>) -> Result<Tally, LineError> {
    let mut tally = Tally::default();
    for _ in 0..list(d)? {
        list(d)?;
        let party = PartyName::new(d.str().map_err(bad)?)?;
        let mut said = PartyTally::default();
        for _ in 0..list(d)? {
            list(d)?;
            let kind = d.str().map_err(bad)?.to_owned();
            said.by_kind.insert(kind, d.u64().map_err(bad)?);
        }
        for _ in 0..list(d)? {
            list(d)?;
            let level = d.str().map_err(bad)?;
            let level = Level::from_name(level).ok_or_else(|| bad("an unknown level"))?;
            said.alerts.insert(level, d.u64().map_err(bad)?);
        }
        for _ in 0..list(d)? {
            said.conflicts.insert(ConflictKey::from_bytes(d.bytes().map_err(bad)?)?);
        }
        tally.parties.insert(party, said);
    }
    Ok(tally)
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Snapshot, LineError> {
    let mut d = Decoder::new(bytes);
    list(&mut d)?;
    let time = Timestamp::from_millisecond(d.i64().map_err(bad)?).map_err(bad)?;
    let line = d.bytes().map_err(bad)?.to_vec();
    let tally = read_tally(&mut d)?;
    let places = (0..list(&mut d)?).map(|_| d.u64().map_err(bad)).collect::<Result<_, _>>()?;
    let segments = d.decode().map_err(bad)?;
    let last: Option<i64> = d.decode().map_err(bad)?;
    let last_person_check = last.map(Timestamp::from_millisecond).transpose().map_err(bad)?;
    Ok(Snapshot { time, line, tally, places, segments, last_person_check })
}
