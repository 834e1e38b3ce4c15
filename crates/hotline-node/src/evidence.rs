//! Evidence from a node's journal.
//!
//! It is made beside the running core: the core is asked twice for what only it knows, where things are and what proves
//! them, each in little more than no time; the reading and writing of any length goes on without it.

use crate::Folder;
use crate::NodeError;
use crate::recovery::{Pages, damaged, open_journal, recover};
use hotline_evidence::{Certified, Header, PartyHead, Placed, ReceiptFrame, RecordedFrame, Section, Writer};
use hotline_journal::Journal;
use hotline_ledger::{LineName, Openings, PartyName, Root, SigningKey, Tree, UncheckedStatement};
use hotline_line::{Body, Entry, Handover, LineError, Record};
use hotline_picture::Core;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;

/// The most receipts of one party for a range.
const MAX_RECEIPTS: usize = 512;
/// What can be withheld.
pub const WITHHOLDABLE: [&str; 4] = ["purpose", "callsign", "unit", "name"];
const MAX_TEXT: usize = 200;

/// What is asked for, for whom and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The first instant.
    pub from: Timestamp,
    /// The last.
    pub to: Timestamp,
    /// For whom.
    pub recipient: String,
    /// Why.
    pub reason: String,
    /// Fields that are withheld: `purpose`, `callsign`, `unit`, `name`.
    #[serde(default)]
    pub withheld: Vec<String>,
    /// Own aircraft whose flight recorder is handed over too.
    #[serde(default)]
    pub aircraft: Vec<String>,
}

impl Wanted {
    fn check(&self) -> Result<(), NodeError> {
        let refuse =
            |what, value: String, allowed| Err(LineError::OutOfRange { what, value, allowed }.into());
        if self.from > self.to {
            let value = format!("{} to {}", self.from, self.to);
            return refuse("the range", value, "its start must not be after its end");
        }
        for (what, text) in [("the recipient", &self.recipient), ("the reason", &self.reason)] {
            if text.trim().is_empty() || text.len() > MAX_TEXT || text.contains(char::is_control) {
                return refuse(what, format!("{text:?}"), "1 to 200 bytes on one line");
            }
        }
        if let Some(field) = self.withheld.iter().find(|f| !WITHHOLDABLE.contains(&f.as_str())) {
            return refuse("a withheld field", format!("{field:?}"), "purpose, callsign, unit or name");
        }
        Ok(())
    }

    /// What is said about it on the line.
    pub(crate) fn handover(&self, hash: [u8; 32]) -> Handover {
        Handover {
            recipient: self.recipient.clone(),
            reason: self.reason.clone(),
            from: self.from,
            to: self.to,
            withheld: self.withheld.clone(),
            hash: Root(hash),
        }
    }
}

/// A key, and the numbers of the statements that certified and revoked it.
struct HeldKey {
    certificate: Vec<u8>,
    certified: Option<u64>,
    revoked: Option<u64>,
}

/// One party's part, as the core knows it.
struct Part {
    party: PartyName,
    root: [u8; 32],
    keys: Vec<HeldKey>,
    places: Vec<u64>,
    /// Receipts: by whom, how many statements each covers, and its place.
    receipts: Vec<(PartyName, Vec<(u64, u64)>)>,
    // What is chosen of it.
    size: u64,
    begin: u64,
    end: u64,
    head: Vec<u8>,
    // What proves it.
    proof: Vec<Root>,
    extensions: Vec<Vec<Vec<Root>>>,
    placed: BTreeMap<u64, Vec<Root>>,
}

/// Evidence on its way.
pub(crate) struct Making {
    line: LineName,
    own: PartyName,
    node: SigningKey,
    parts: Vec<Part>,
    segments: BTreeMap<u64, (u64, u64)>,
}

fn roots(hashes: Vec<[u8; 32]>) -> Vec<Root> {
    hashes.into_iter().map(Root).collect()
}

impl Making {
    /// First question to the core: where everything is.
    pub(crate) fn begin(core: &Core) -> Self {
        let line = core.line();
        let own = line.party().clone();
        let everyone = || line.peers().chain([line.party()]);
        let part = |party: &PartyName| {
            let keys = line.keys(party)?;
            let held = keys.parts().map(|(certificate, certified, revoked)| HeldKey {
                certificate: certificate.bytes().to_vec(),
                certified,
                revoked: revoked.map(|(_, number, _)| number),
            });
            let receipts = everyone().filter(|by| *by != party);
            Some(Part {
                party: party.clone(),
                root: *keys.root().as_bytes(),
                keys: held.collect(),
                places: line.places(party).to_vec(),
                receipts: receipts.map(|by| (by.clone(), line.receipt_places(by, party).to_vec())).collect(),
                size: 0,
                begin: 0,
                end: 0,
                head: Vec::new(),
                proof: Vec::new(),
                extensions: Vec::new(),
                placed: BTreeMap::new(),
            })
        };
        Self {
            line: line.name().clone(),
            node: line.own_keys().node.clone(),
            parts: everyone().filter_map(part).collect(),
            segments: core.recorder().segments().map(|(n, first, count)| (n, (first, count))).collect(),
            own,
        }
    }

    /// Chooses what of it is asked for, from what is durable. One statement before and one after the range, where there
    /// are any, show that nothing was left out at its ends.
    pub(crate) fn choose(&mut self, journal: &dyn Journal, wanted: &Wanted) -> Result<(), NodeError> {
        wanted.check()?;
        let stored = journal.len()?;
        let mut pages = Pages::new(journal);
        for part in &mut self.parts {
            // What is not durable yet is not evidence; what a peer has not signed a head for neither.
            part.places.truncate(part.places.partition_point(|&place| place < stored));
            let durable = part.places.len() as u64;
            for (_, receipts) in &mut part.receipts {
                receipts.retain(|(size, place)| *place < stored && *size <= durable);
            }
            part.size = durable;
            if part.party != self.own {
                // The newest head of a peer that is durable here is the one in the newest receipt given for it.
                let given = part.receipts.iter().find(|(by, _)| *by == self.own);
                match given.and_then(|(_, all)| all.last()) {
                    None => part.size = 0,
                    Some(&(size, place)) => {
                        let Record::ReceiptGiven(_, note) = pages.record(place)? else {
                            return Err(damaged(place));
                        };
                        (part.size, part.head) = (size, note);
                    }
                }
            }
            let places = &part.places[..part.size as usize];
            let mut first = |past: &dyn Fn(Timestamp) -> bool| -> Result<usize, NodeError> {
                let (mut low, mut high) = (0, places.len());
                while low < high {
                    let middle = usize::midpoint(low, high);
                    let entry = pages.entry(places[middle])?;
                    let time = UncheckedStatement::read(&entry.statement)?.statement().time;
                    if past(time) { high = middle } else { low = middle + 1 }
                }
                Ok(low)
            };
            part.begin = first(&|t| t >= wanted.from)?.saturating_sub(1) as u64;
            part.end = (first(&|t| t > wanted.to)? as u64 + 1).min(part.size);
            let (begin, end, size) = (part.begin, part.end, part.size);
            for (_, receipts) in &mut part.receipts {
                *receipts = telling(receipts, begin, end, size);
            }
            part.keys.retain(|key| key.certified.is_none_or(|number| number < size));
            part.keys.iter_mut().for_each(|key| key.revoked = key.revoked.filter(|number| *number < size));
        }
        Ok(())
    }

    /// Second question to the core: what proves what was chosen.
    pub(crate) fn prove(&mut self, core: &Core) -> Result<(), NodeError> {
        let line = core.line();
        for part in &mut self.parts {
            let gone =
                || NodeError::from(LineError::OutOfPlace("the ledger has just changed: ask again".into()));
            let tree: &Tree = line.tree(&part.party).filter(|t| t.size() >= part.size).ok_or_else(gone)?;
            if part.party == self.own {
                part.head = line.sign_own_head(part.size).note;
            }
            if part.begin < part.end {
                part.proof = roots(tree.prove_range(part.begin, part.end, part.size).hashes);
            }
            let extensions = part.receipts.iter().map(|(_, receipts)| {
                let prove = |(size, _): &(u64, u64)| {
                    roots(tree.prove_extension(*size, part.size).unwrap_or_default())
                };
                receipts.iter().map(prove).collect()
            });
            part.extensions = extensions.collect();
            let numbers = part.keys.iter().flat_map(|key| [key.certified, key.revoked]).flatten();
            let prove = |number| (number, roots(tree.prove_range(number, number + 1, part.size).hashes));
            part.placed = numbers.map(prove).collect();
        }
        Ok(())
    }

    /// Writes it. `progress` is told how many statements of how many have been written. Gives the hash of the whole.
    pub(crate) fn write(
        mut self,
        journal: &dyn Journal,
        wanted: &Wanted,
        now: Timestamp,
        to: impl Write,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<[u8; 32], NodeError> {
        let header = Header {
            line: self.line.clone(),
            exporter: self.own.clone(),
            exported_ms: now.as_millisecond(),
            from_ms: wanted.from.as_millisecond(),
            to_ms: wanted.to.as_millisecond(),
            recipient: wanted.recipient.clone(),
            reason: wanted.reason.clone(),
            withheld: wanted.withheld.clone(),
        };
        let total = self.parts.iter().map(|p| p.end - p.begin).sum();
        let mut writer = Writer::new(to, header)?;
        let mut pages = Pages::new(journal);
        for part in &mut self.parts {
            writer.party(PartyHead {
                party: part.party.clone(),
                root: part.root,
                first: part.begin,
                count: part.end - part.begin,
                head: std::mem::take(&mut part.head),
                proof: std::mem::take(&mut part.proof),
            })?;
            for key in &part.keys {
                let mut placed = |number: Option<u64>| -> Result<Option<Placed>, NodeError> {
                    let Some(number) = number else { return Ok(None) };
                    let statement = pages.entry(part.places[number as usize])?.statement;
                    let proof = part.placed.get(&number).cloned().unwrap_or_default();
                    Ok(Some(Placed { number, statement, proof }))
                };
                let (certified, revoked) = (placed(key.certified)?, placed(key.revoked)?);
                writer.certified(Certified { certificate: key.certificate.clone(), certified, revoked })?;
            }
        }
        let (mut written, mut segments) = (0, Vec::new());
        for part in &self.parts {
            writer.section(Section { party: part.party.clone() })?;
            for ((by, receipts), extensions) in part.receipts.iter().zip(&part.extensions) {
                for ((_, place), extension) in receipts.iter().zip(extensions) {
                    let (Record::ReceiptGot(_, note) | Record::ReceiptGiven(_, note)) =
                        pages.record(*place)?
                    else {
                        return Err(damaged(*place));
                    };
                    writer.receipt(ReceiptFrame { by: by.clone(), note, extension: extension.clone() })?;
                }
            }
            for &place in &part.places[part.begin as usize..part.end as usize] {
                let entry = pages.entry(place)?;
                if part.party == self.own && !wanted.aircraft.is_empty() {
                    segments.extend(segment(&entry)?);
                }
                let openings = Openings::from_bytes(&entry.openings)?.without(&wanted.withheld);
                writer.entry(entry.statement, openings.to_bytes())?;
                written += 1;
                if written % 10_000 == 0 {
                    progress(written, total);
                }
            }
        }
        for number in segments {
            let Some(&(first, count)) = self.segments.get(&number) else { continue };
            let (mut tree, mut leaves) = (Tree::default(), Vec::new());
            for place in first..first + count {
                let Record::Recorded(_, aircraft, leaf) = pages.record(place)? else {
                    return Err(damaged(place));
                };
                tree.append(&leaf);
                leaves.push((aircraft, leaf));
            }
            for (index, (aircraft, leaf)) in (0..).zip(leaves) {
                if wanted.aircraft.contains(&aircraft) {
                    let proof = roots(tree.prove_range(index, index + 1, count).hashes);
                    writer.recorded(RecordedFrame { segment: number, index, leaf, proof })?;
                }
            }
        }
        Ok(writer.finish(&self.node)?)
    }
}

/// The segment of the flight recorder that a statement closes, if it does.
fn segment(entry: &Entry) -> Result<Option<u64>, NodeError> {
    let read = UncheckedStatement::read(&entry.statement)?;
    let said = read.statement();
    if said.kind != "segment" {
        return Ok(None);
    }
    match Body::decode(&said.kind, &said.body, &Openings::default())? {
        Body::Segment(segment) => Ok(Some(segment.number)),
        _ => Ok(None),
    }
}

/// The receipts that tell most of statements `begin..end` of a ledger of `size`: up to the first that covers all of
/// them, thinned evenly when there are too many, the last kept.
fn telling(receipts: &[(u64, u64)], begin: u64, end: u64, size: u64) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for receipt in receipts.iter().filter(|(covers, _)| *covers > begin && *covers <= size) {
        all.push(*receipt);
        if receipt.0 >= end {
            break;
        }
    }
    let step = all.len().div_ceil(MAX_RECEIPTS).max(1);
    let mut kept: Vec<(u64, u64)> = all.iter().rev().step_by(step).copied().collect();
    kept.reverse();
    kept
}

/// Makes evidence of everything that was said between two instants by any party, signed by this node, from a core that
/// stands still. Gives the hash of the whole.
///
/// # Errors
/// When what is asked for cannot be, the journal cannot be read or the file not written.
pub fn export(
    core: &Core,
    journal: &dyn Journal,
    wanted: &Wanted,
    now: Timestamp,
    to: impl Write,
    progress: impl FnMut(u64, u64),
) -> Result<[u8; 32], NodeError> {
    let mut making = Making::begin(core);
    making.choose(journal, wanted)?;
    making.prove(core)?;
    making.write(journal, wanted, now, to, progress)
}

/// Makes evidence from a node's folder, while no node runs on it. That it was handed over is said on the line as soon as the
/// node runs again.
///
/// # Errors
/// As [`export`]; also when a node runs on the folder.
pub fn export_from_folder(
    folder: &Folder,
    wanted: &Wanted,
    now: Timestamp,
    to: impl Write,
    progress: impl FnMut(u64, u64),
) -> Result<(), NodeError> {
    let journal = open_journal(&folder.journal())?;
    let core = recover(&*journal, folder.line_config(), |_, _| ())?;
    let hash = export(&core, &*journal, wanted, now, to, progress)?;
    folder.note_handover(&wanted.handover(hash))
}
