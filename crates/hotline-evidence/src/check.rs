//! The check: what a file proves, without trusting anyone.

use crate::EvidenceError;
use crate::account::{Account, Disputed, MAX_PROBLEMS, PartyAccount, Problem, RecordedAircraft, Sighting};
use crate::chunks::{BATCH, Batch, Checked, Keys, Pool, RootFold};
use crate::format::{Frame, Frames, Header, PartyHead, ReceiptFrame, RecordedFrame, WHAT};
use crate::keys::{Known, known};
use crate::sealed_file::sealed_payload;
use hotline_ledger::{
    Checkpoint, Fingerprint, LedgerError, PartyName, RangeProof, Receipt, Root, Tree, extends, open_signed,
    origin,
};
use hotline_line::RecordedLeaf;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::Read;

const MAX_PARTIES: usize = 64;
const MAX_CERTIFIED: usize = 1_024;
const MAX_RECEIPTS: usize = 65_536;
/// The most aircraft, and the most segments of the flight recorder, of which account is kept.
const MAX_AIRCRAFT: usize = 100_000;
const MAX_SEGMENTS: usize = 1_000_000;

/// How far the check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub bytes: u64,
    /// Statements read.
    pub statements: u64,
}

fn instant(ms: i64) -> Result<Timestamp, String> {
    Timestamp::from_millisecond(ms).map_err(|e| e.to_string())
}

/// What does not check.
#[derive(Default)]
struct Problems {
    listed: Vec<Problem>,
    count: u64,
}

impl Problems {
    fn add(&mut self, party: &PartyName, about: impl Into<String>, what: impl Into<String>) {
        self.count += 1;
        if self.listed.len() < MAX_PROBLEMS {
            self.listed.push(Problem { party: party.clone(), about: about.into(), what: what.into() });
        }
    }
}

struct Party {
    head: PartyHead,
    known: Option<Known>,
}

/// Checks a file with nothing but the file itself, with so many threads beside this one.
///
/// # Errors
/// When it is not evidence, cannot be read to its end, or the exporter's signature over it does not check: then nothing
/// in it can be relied on. Anything else that does not check is listed in the account's problems.
pub fn verify(
    from: impl Read,
    workers: usize,
    mut progress: impl FnMut(Progress),
) -> Result<Account, EvidenceError> {
    let mut frames = Frames::open(from)?;
    let header = match frames.next()? {
        Frame::Header(header) => header,
        other => return frames.unexpected(&other, "the header"),
    };
    for ms in [header.exported_ms, header.from_ms, header.to_ms] {
        if let Err(why) = instant(ms) {
            return frames.bad(why);
        }
    }
    let mut problems = Problems::default();
    let (parties, next) = read_parties(&mut frames, &header, &mut problems)?;
    let rings = parties.iter().filter_map(|p| Some((p.head.party.clone(), p.known.as_ref()?.keys.clone())));
    let keys = Keys { header: header.clone(), rings: rings.collect() };

    let mut sections: BTreeMap<PartyName, SectionRead> = BTreeMap::new();
    let mut disputed = Vec::new();
    let mut segments: BTreeMap<u64, (u32, Root)> = BTreeMap::new();
    let mut statements = 0;
    let mut next = std::thread::scope(|scope| -> Result<Frame, EvidenceError> {
        let mut next = next;
        let mut pool = Pool::start(scope, workers.max(1), &keys);
        let mut order = 0;
        while let Frame::Section(section) = next {
            let Some(party) = parties.iter().find(|p| p.head.party == section.party) else {
                return frames.bad(format!("{} is not among the parties", section.party));
            };
            if sections.contains_key(&section.party) {
                return frames.bad(format!("a second section of {}", section.party));
            }
            let read = read_section(
                scope,
                &mut frames,
                &mut pool,
                order,
                party,
                &keys,
                &mut problems,
                &mut |bytes, n| {
                    progress(Progress { bytes, statements: statements + n });
                },
            )?;
            order += 1;
            statements += read.0.count;
            let (mut read, after) = read;
            for (party, number) in std::mem::take(&mut read.disputed) {
                disputed.push(Disputed { party, number, told_by: section.party.clone() });
            }
            if section.party == header.exporter {
                segments = std::mem::take(&mut read.segments);
            }
            sections.insert(section.party, read);
            next = after;
        }
        Ok(next)
    })?;

    let mut recorded = BTreeMap::new();
    while let Frame::Recorded(part) = next {
        if let Err(why) = take_recorded(&part, &segments, &mut recorded) {
            problems.add(&header.exporter, format!("flight recorder, segment {}", part.segment), why);
        }
        next = frames.next()?;
    }
    let Frame::End(signed) = next else { return frames.unexpected(&next, "the end") };
    check_end(&header, &keys, frames.hash(), &signed)?;
    frames.expect_nothing()?;

    let mut accounts = Vec::new();
    for party in parties {
        let name = party.head.party.clone();
        let section = sections.remove(&name);
        if section.is_none() && (party.head.count > 0 || !party.head.head.is_empty()) {
            problems.add(&name, "the party", "its statements are not in the file");
        }
        if let Some(account) = settle(&header, party, section.unwrap_or_default(), &mut problems) {
            accounts.push(account);
        }
    }
    Ok(Account {
        header,
        parties: accounts,
        disputed,
        recorded,
        problems: problems.listed,
        problem_count: problems.count,
    })
}

/// The parties with their keys; and the frame after them.
fn read_parties<R: Read>(
    frames: &mut Frames<R>,
    header: &Header,
    problems: &mut Problems,
) -> Result<(Vec<Party>, Frame), EvidenceError> {
    let mut parties: Vec<Party> = Vec::new();
    let mut next = frames.next()?;
    while let Frame::Party(head) = next {
        if parties.len() >= MAX_PARTIES || parties.iter().any(|p| p.head.party == head.party) {
            return frames
                .bad(format!("{} comes twice, or there are more than {MAX_PARTIES} parties", head.party));
        }
        let mut certified = Vec::new();
        next = frames.next()?;
        while let Frame::Certified(one) = next {
            if certified.len() >= MAX_CERTIFIED {
                return frames.bad(format!("more than {MAX_CERTIFIED} keys of {}", head.party));
            }
            certified.push(one);
            next = frames.next()?;
        }
        let name = head.party.clone();
        let known =
            known(&header.line, &head, &certified, &mut |about, what| problems.add(&name, about, what));
        parties.push(Party { head, known });
    }
    Ok((parties, next))
}

/// What one section has.
#[derive(Default)]
struct SectionRead {
    receipts: Vec<Sighting>,
    count: u64,
    root: Option<[u8; 32]>,
    times: Option<(Timestamp, Timestamp)>,
    /// Who has signed two histories, by the first proof that checks, and from which statement on.
    disputed: BTreeMap<PartyName, u64>,
    /// Aircraft and root of each segment of the flight recorder.
    segments: BTreeMap<u64, (u32, Root)>,
    at: u64,
}

impl SectionRead {
    fn take(&mut self, party: &PartyName, checked: Checked, fold: &RootFold<'_>, problems: &mut Problems) {
        fold.take(checked.leaves);
        if let Some((first, last)) = checked.times {
            if self.times.is_some_and(|(_, before)| first < before) {
                problems.add(party, "statements", "times run backwards");
            }
            self.times = Some((self.times.map_or(first, |(begin, _)| begin), last));
        }
        for (number, what) in checked.problems {
            problems.add(party, format!("statement {number}"), what);
        }
        for (about, number) in checked.disputed {
            self.disputed.entry(about).or_insert(number);
        }
        for (number, aircraft, root) in checked.segments {
            if self.segments.len() < MAX_SEGMENTS {
                self.segments.insert(number, (aircraft, root));
            }
        }
    }
}

#[allow(clippy::too_many_arguments)]
fn read_section<'scope, R: Read>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    frames: &mut Frames<R>,
    pool: &mut Pool,
    section: usize,
    party: &Party,
    keys: &Keys,
    problems: &mut Problems,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(SectionRead, Frame), EvidenceError> {
    let name = &party.head.party;
    let mut read = SectionRead { at: frames.at(), ..SectionRead::default() };
    let mut next = frames.next()?;
    while let Frame::Receipt(receipt) = next {
        if read.receipts.len() >= MAX_RECEIPTS {
            return frames.bad(format!("more than {MAX_RECEIPTS} receipts for the ledger of {name}"));
        }
        match check_receipt(party, keys, &receipt) {
            Ok(sighting) => read.receipts.push(sighting),
            Err(what) => problems.add(name, format!("receipt by {}", receipt.by), what),
        }
        read.at = frames.at();
        next = frames.next()?;
    }
    read.receipts.sort_by(|a, b| (&a.by, a.size, a.since).cmp(&(&b.by, b.size, b.since)));
    // Who holds more holds less too: each size since the earliest of those that are not smaller.
    for i in (1..read.receipts.len()).rev() {
        let (later, earlier) = (read.receipts[i].clone(), &mut read.receipts[i - 1]);
        if later.by == earlier.by {
            earlier.since = earlier.since.min(later.since);
        }
    }
    let mut order = 0;
    let begin = |order: usize, count: u64| Batch {
        section,
        order,
        first: party.head.first + count,
        entries: Vec::with_capacity(BATCH),
    };
    let mut batch = begin(order, 0);
    let mut results = Vec::new();
    let size = party.known.as_ref().and_then(|k| k.head.as_ref()).map_or(0, |head| head.size);
    let fold = RootFold::start(scope, &party.head.proof, party.head.first, party.head.count, size);
    while let Frame::Entry(statement, openings) = next {
        batch.entries.push((statement.into(), openings.into()));
        read.count += 1;
        if batch.entries.len() == BATCH {
            order += 1;
            let full = std::mem::replace(&mut batch, begin(order, read.count));
            pool.give(full, name, &mut |checked| results.push(checked));
            results.drain(..).for_each(|checked| read.take(name, checked, &fold, problems));
            progress(frames.at(), read.count);
        }
        next = frames.next()?;
    }
    if !batch.entries.is_empty() {
        pool.give(batch, name, &mut |checked| results.push(checked));
    }
    pool.finish_section(&mut |checked| results.push(checked));
    results.drain(..).for_each(|checked| read.take(name, checked, &fold, problems));
    read.root = fold.root().ok();
    Ok((read, next))
}

fn check_receipt(party: &Party, keys: &Keys, receipt: &ReceiptFrame) -> Result<Sighting, String> {
    let head = party.known.as_ref().and_then(|k| k.head.as_ref()).ok_or("the party's head does not check")?;
    let theirs = keys.rings.get(&receipt.by).ok_or("no key of its giver is in the file")?;
    let own = keys.rings.get(&party.head.party).ok_or("no key of the party is in the file")?;
    let (name, by) = (origin(&keys.header.line, &party.head.party), origin(&keys.header.line, &receipt.by));
    let pairs = theirs.all_node_keys().flat_map(|giver| own.all_node_keys().map(move |key| (giver, key)));
    let opened = pairs
        .filter_map(|(giver, key)| {
            Some((Receipt::open(&receipt.note, &name, &key, &by, &giver).ok()?, giver))
        })
        .find(|(opened, giver)| theirs.receipt_keys(opened.time).any(|key| key == *giver));
    let (opened, _) = opened.ok_or("its signatures do not check")?;
    if opened.size <= party.head.first {
        return Err("it covers no statement of the range".into());
    }
    let extension: Vec<[u8; 32]> = receipt.extension.iter().map(|r| r.0).collect();
    let same = opened.size == head.size && opened.root == head.root;
    if !same && !extends(&extension, head.size, head.root, opened.size, opened.root) {
        return Err("the ledger it was given for is not the one in the file".into());
    }
    Ok(Sighting { by: receipt.by.clone(), size: opened.size, since: opened.time })
}

fn check_end(header: &Header, keys: &Keys, hash: [u8; 32], signed: &[u8]) -> Result<(), EvidenceError> {
    let at = instant(header.exported_ms).unwrap_or_default();
    let found = open_signed(signed, WHAT, |id, found| {
        let ring = keys.rings.get(&header.exporter)?;
        let key = ring.receipt_keys(at).find(|key| hotline_ledger::KeyId::of(key) == id)?;
        (found == sealed_payload(hash)).then_some(key)
    });
    match found {
        Ok(_) => Ok(()),
        Err(LedgerError::UnknownKey { .. }) => {
            let why = "it is not over this content, or not by a key of the exporter";
            Err(EvidenceError::Signature(LedgerError::Malformed { what: "the signature", why: why.into() }))
        }
        Err(e) => Err(EvidenceError::Signature(e)),
    }
}

fn take_recorded(
    part: &RecordedFrame,
    segments: &BTreeMap<u64, (u32, Root)>,
    recorded: &mut BTreeMap<String, RecordedAircraft>,
) -> Result<(), String> {
    let (aircraft, root) =
        segments.get(&part.segment).ok_or("the statement that carries its root is not in the file")?;
    let proof = RangeProof { hashes: part.proof.iter().map(|r| r.0).collect() };
    let leaf = std::iter::once(Tree::leaf_of(&part.leaf));
    let found = proof.root_of_hashes(part.index, 1, u64::from(*aircraft), leaf);
    if found.ok() != Some(root.0) {
        return Err("it is not what the exporter committed to at the time".into());
    }
    let leaf = RecordedLeaf::from_bytes(&part.leaf).map_err(|e| e.to_string())?;
    let (Some(first), Some(last)) = (leaf.rows.first(), leaf.rows.last()) else { return Ok(()) };
    if recorded.len() >= MAX_AIRCRAFT && !recorded.contains_key(&leaf.aircraft) {
        return Err(format!("more than {MAX_AIRCRAFT} aircraft"));
    }
    let of = recorded.entry(leaf.aircraft).or_insert(RecordedAircraft {
        reports: 0,
        from_ms: first.time_ms,
        to_ms: last.time_ms,
    });
    of.reports += leaf.rows.len() as u64;
    (of.from_ms, of.to_ms) = (of.from_ms.min(first.time_ms), of.to_ms.max(last.time_ms));
    Ok(())
}

/// Brings a party's head, range and receipts together.
fn settle(
    header: &Header,
    party: Party,
    section: SectionRead,
    problems: &mut Problems,
) -> Option<PartyAccount> {
    let Party { head: claimed, known } = party;
    let name = claimed.party.clone();
    let known = known?;
    if claimed.count != section.count {
        let what = format!("{} statements were announced, {} are there", claimed.count, section.count);
        problems.add(&name, "range", what);
    }
    let mut complete = false;
    if let Some(head) = &known.head {
        if proven(head, &claimed, &section) {
            complete = fenced(header, &claimed, &section, head.size);
            if !complete {
                problems.add(&name, "range", "statements of the asked time may be missing at its ends");
            }
        } else {
            problems.add(&name, "range", "it is not the one under the party's signed head");
        }
    } else if section.count > 0 {
        problems.add(&name, "range", "there is no signed head that would prove it");
    }
    let covered = section.receipts.iter().map(|r| r.size).max().unwrap_or(0);
    let covered = covered.saturating_sub(claimed.first).min(section.count);
    Some(PartyAccount {
        fingerprint: Fingerprint::of(known.keys.root()).words(),
        certificates: known
            .keys
            .certificates()
            .map(|(c, revoked)| (c.certificate().clone(), revoked))
            .collect(),
        first: claimed.first,
        count: section.count,
        without_receipt: section.count - covered,
        ledger_size: known.head.as_ref().map_or(0, |h| h.size),
        complete,
        receipts: section.receipts,
        keys: known.keys,
        at: section.at,
        party: name,
    })
}

fn proven(head: &Checkpoint, claimed: &PartyHead, section: &SectionRead) -> bool {
    if section.count == 0 {
        let empty = Tree::default().root(0).expect("an empty tree has a root");
        return head.size == 0 && head.root == empty;
    }
    claimed.count == section.count && section.root == Some(head.root)
}

/// Whether the range reaches, on each side, beyond the asked time or to the end of the ledger.
fn fenced(header: &Header, claimed: &PartyHead, section: &SectionRead, size: u64) -> bool {
    let (from, to) = (instant(header.from_ms), instant(header.to_ms));
    let before = claimed.first == 0 || section.times.is_some_and(|(first, _)| from.is_ok_and(|f| first < f));
    let after = claimed.first + section.count == size
        || section.times.is_some_and(|(_, last)| to.is_ok_and(|t| last > t));
    before && after
}
