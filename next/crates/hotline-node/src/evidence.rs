//! Evidence from a node's journal.

use crate::recovery::{open_journal, recover};
use crate::{Folder, NodeError};
use hotline_journal::Journal;
use hotline_ledger::{Bundle, BundleParty, PartyName, RangeProof, UncheckedStatement};
use hotline_line::{LineError, Record};
use hotline_picture::Core;
use jiff::Timestamp;

/// The most receipts of one party for a range, and the most leaves to be hashed for checking them.
const MAX_RECEIPTS: usize = 512;
const MAX_HASHED: usize = 5_000_000;

fn damaged(place: u64) -> NodeError {
    hotline_journal::JournalError::Corrupt { what: format!("record {place}") }.into()
}

fn record(journal: &dyn Journal, place: u64) -> Result<Record, NodeError> {
    let read = journal.read(place, 1)?;
    Ok(Record::from_bytes(read.first().ok_or_else(|| damaged(place))?)?)
}

fn entry(journal: &dyn Journal, place: u64) -> Result<Vec<u8>, NodeError> {
    match record(journal, place)? {
        Record::Own(entry) | Record::Heard(_, entry) => Ok(entry.statement),
        _ => Err(damaged(place)),
    }
}

/// The receipts that tell most of statements `begin..end`: up to the first that covers all of them, thinned evenly
/// when there are too many, the last kept.
fn telling(receipts: impl Iterator<Item = (u64, u64)>, begin: u64, end: u64) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for receipt in receipts.filter(|(size, _)| *size > begin) {
        all.push(receipt);
        if receipt.0 >= end {
            break;
        }
    }
    let most = (MAX_HASHED / (end - begin).max(1) as usize).clamp(1, MAX_RECEIPTS);
    let step = all.len().div_ceil(most).max(1);
    let mut kept: Vec<(u64, u64)> = all.iter().rev().step_by(step).copied().collect();
    kept.reverse();
    kept
}

fn time(journal: &dyn Journal, place: u64) -> Result<Timestamp, NodeError> {
    Ok(UncheckedStatement::read(&entry(journal, place)?)?.statement().time)
}

/// The first statement of a ledger for which `past` holds; times never run backwards.
fn first(
    journal: &dyn Journal,
    places: &[u64],
    past: impl Fn(Timestamp) -> bool,
) -> Result<usize, NodeError> {
    let (mut low, mut high) = (0, places.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if past(time(journal, places[middle])?) { high = middle } else { low = middle + 1 }
    }
    Ok(low)
}

/// Makes a bundle of everything that was said between two instants by any party, signed by this node. One
/// statement before and one after the range, where there are any, show that nothing was left out at its ends.
///
/// # Errors
/// When the range is empty or the journal cannot be read.
pub fn export(
    core: &Core,
    journal: &dyn Journal,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Vec<u8>, NodeError> {
    if from > to {
        let value = format!("{from} to {to}");
        return Err(LineError::OutOfRange {
            what: "the range",
            value,
            allowed: "its start must not be after its end",
        }
        .into());
    }
    let line = core.line();
    let own = line.party();
    let parties = line.peers().chain([own]).map(|party| part(core, journal, party, from, to));
    let bundle = Bundle {
        line: line.name().clone(),
        exporter: own.clone(),
        exported: now,
        from,
        to,
        parties: parties.collect::<Result<_, _>>()?,
    };
    Ok(bundle.sign(&line.own_keys().node))
}

fn part(
    core: &Core,
    journal: &dyn Journal,
    party: &PartyName,
    from: Timestamp,
    to: Timestamp,
) -> Result<BundleParty, NodeError> {
    let line = core.line();
    let tree = line.tree(party).ok_or_else(|| LineError::UnknownParty(party.clone()))?;
    let keys = line.keys(party).ok_or_else(|| LineError::UnknownParty(party.clone()))?;
    // What is not durable yet is not evidence; what a peer has not signed a head for neither.
    let stored = journal.len()?;
    let places = line.places(party);
    let durable = places.partition_point(|&place| place < stored) as u64;
    // Of a peer, the newest head that is durable here is the one in the newest durable receipt given for it: a newer
    // one may be under way to the disk at this moment.
    let head = if party == own(core) {
        Some((durable, line.sign_own_head(durable).note))
    } else {
        let given = line.receipt_places(own(core), party);
        match given.iter().rfind(|(size, place)| *place < stored && *size <= durable) {
            None => None,
            Some(&(size, place)) => match record(journal, place)? {
                Record::ReceiptGiven(_, note) => Some((size, note)),
                _ => return Err(damaged(place)),
            },
        }
    };
    let (size, checkpoint) = head.unwrap_or_default();
    let places = &places[..size as usize];
    let begin = first(journal, places, |t| t >= from)?.saturating_sub(1);
    let end = (first(journal, places, |t| t > to)? + 1).min(places.len());
    let entries =
        places[begin..end].iter().map(|&place| entry(journal, place)).collect::<Result<Vec<_>, _>>()?;
    let (begin, end) = (begin as u64, end as u64);
    let prove = |from: u64, to: u64, size: u64| {
        if from < to { tree.prove_range(from, to, size) } else { RangeProof { hashes: vec![] } }
    };
    let mut receipts = Vec::new();
    for by in line.peers().chain([own(core)]).filter(|by| *by != party) {
        let places = line.receipt_places(by, party);
        let durable = |&&(covers, place): &&(u64, u64)| place < stored && covers <= tree.size();
        for (size, place) in telling(places.iter().filter(durable).copied(), begin, end) {
            let (Record::ReceiptGot(_, note) | Record::ReceiptGiven(_, note)) = record(journal, place)?
            else {
                return Err(damaged(place));
            };
            receipts.push((by.clone(), note, prove(begin, end.min(size), size)));
        }
    }
    Ok(BundleParty {
        party: party.clone(),
        root: *keys.root(),
        certificates: keys.certificates().map(|(c, _)| c.bytes().to_vec()).collect(),
        first: begin,
        entries,
        checkpoint,
        proof: prove(begin, end, size),
        receipts,
    })
}

fn own(core: &Core) -> &PartyName {
    core.line().party()
}

/// Makes a bundle from a node's folder, while no node runs on it.
///
/// # Errors
/// As [`export`]; also when a node runs on the folder.
pub fn export_from_folder(
    folder: &Folder,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Vec<u8>, NodeError> {
    let journal = open_journal(&folder.journal())?;
    let core = recover(&*journal, folder.line_config(), |_, _| ())?;
    export(&core, &*journal, from, to, now)
}
