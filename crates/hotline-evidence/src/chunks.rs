//! The statements of one section, checked in batches on all cores, their results taken in order.
//!
//! Only so many batches are under way as there is room for: a file of any length is checked in the same memory.

use crate::format::Header;
use hotline_ledger::{KeyRing, LedgerError, PartyName, Root, SignedStatement, Tree, UncheckedStatement};
use hotline_line::{Body, Deed};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// How many statements are checked at a time.
pub(crate) const BATCH: usize = 256;

/// Statements as they are read.
pub(crate) struct Batch {
    /// Which section it belongs to.
    pub(crate) section: usize,
    /// Counts the batches of the section.
    pub(crate) order: usize,
    /// The number of the first.
    pub(crate) first: u64,
    pub(crate) entries: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What is told of a batch.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) leaves: Vec<[u8; 32]>,
    /// The first and the last time.
    pub(crate) times: Option<(Timestamp, Timestamp)>,
    /// What does not check: statement and why.
    pub(crate) problems: Vec<(u64, String)>,
    /// Who has signed two histories, by proofs that the statements carry and that check, and from which statement on.
    pub(crate) disputed: Vec<(PartyName, u64)>,
    /// Segments of the flight recorder: number, aircraft, root.
    pub(crate) segments: Vec<(u64, u32, Root)>,
}

/// The parties' keys, in the order of the sections.
pub(crate) struct Keys {
    pub(crate) header: Header,
    pub(crate) rings: BTreeMap<PartyName, KeyRing>,
}

/// One statement's content after its signature, its place and what it carries.
fn look(checked: &mut Checked, signed: &SignedStatement, openings: &[u8], keys: &Keys) {
    let statement = signed.statement();
    let number = statement.number;
    let mut problem = |what: String| checked.problems.push((number, what));
    let read = match hotline_ledger::Openings::from_bytes(openings) {
        Ok(read) => read,
        Err(e) => return problem(e.to_string()),
    };
    let told = |kind: &str| Deed::KINDS.contains(&kind) || matches!(kind, "dispute" | "segment");
    if read.0.is_empty() && !told(&statement.kind) {
        return;
    }
    let body = match Body::decode(&statement.kind, &statement.body, &read) {
        Ok(body) => body,
        // It was said so, and is told so in words; that it cannot be read is not the file's fault.
        Err(_) => return,
    };
    match body {
        Body::Act(act) => {
            let Some(ring) = keys.rings.get(&statement.party) else { return };
            let find = |id, at| ring.person(id, at, number);
            if let Err(e) = act.check(&statement.line, &statement.party, find) {
                problem(format!("the person's signature: {e}"));
            }
        }
        Body::Dispute(dispute) => {
            // Of a party whose keys are not in the file nothing can be said.
            let Some(ring) = keys.rings.get(&dispute.party) else { return };
            match dispute.proof.check(&keys.header.line, &dispute.party, ring) {
                Ok(number) => checked.disputed.push((dispute.party, number)),
                Err(e) => problem(format!("its proof against {}: {e}", dispute.party)),
            }
        }
        Body::Segment(segment) => checked.segments.push((segment.number, segment.aircraft, segment.root)),
        _ if !read.0.is_empty() => {
            let mut opened = 0;
            let mut count =
                |field: &hotline_line::Withholdable| opened += usize::from(field.value().is_some());
            match &body {
                Body::FlightNotice(n) => [&n.purpose, &n.callsign, &n.unit].into_iter().for_each(&mut count),
                Body::Certificate(_, name) => count(name),
                _ => {}
            }
            if opened != read.0.len() {
                problem("a field was opened with another value than the one that was sealed".into());
            }
        }
        _ => {}
    }
}

fn check(batch: &Batch, party: &PartyName, keys: &Keys) -> Checked {
    let mut checked = Checked::default();
    let ring = keys.rings.get(party);
    let mut readable = Vec::new();
    for (number, (bytes, openings)) in (batch.first..).zip(&batch.entries) {
        checked.leaves.push(Tree::leaf_of(bytes));
        let read = UncheckedStatement::read(bytes).map_err(|e| e.to_string()).and_then(|read| {
            let said = read.statement();
            if said.line != keys.header.line || said.party != *party {
                return Err(format!("it was said by {} on line {}", said.party, said.line));
            }
            if said.number != number {
                return Err(format!("it is number {} of the ledger, not {number}", said.number));
            }
            Ok(read)
        });
        match read {
            Ok(read) => readable.push((read, openings)),
            Err(why) => checked.problems.push((number, why)),
        }
    }
    let mut last: Option<Timestamp> = None;
    for (read, _) in &readable {
        let time = read.statement().time;
        if last.is_some_and(|last| time < last) {
            let what = "its time is before the previous one's".to_owned();
            checked.problems.push((read.statement().number, what));
        }
        last = Some(time);
        checked.times = Some((checked.times.map_or(time, |(first, _)| first), time));
    }
    let find = |id, said: &hotline_ledger::Statement| {
        ring.and_then(|ring| ring.node(id, said.time, said.number)).map(|c| c.key)
    };
    let all: Vec<UncheckedStatement> = readable.iter().map(|(read, _)| read.clone()).collect();
    match UncheckedStatement::check_all(all, find) {
        Ok(signed) => {
            for (signed, (_, openings)) in signed.iter().zip(&readable) {
                look(&mut checked, signed, openings, keys);
            }
        }
        // One of them is wrong: each is looked at alone, so that every wrong one is named.
        Err(_) => {
            for (read, openings) in readable {
                let number = read.statement().number;
                match read.check(find) {
                    Ok(signed) => look(&mut checked, &signed, openings, keys),
                    Err(e) => checked.problems.push((number, e.to_string())),
                }
            }
        }
    }
    checked
}

type Job = (Batch, PartyName);
type Done = (usize, usize, Checked);

/// The cores at work.
pub(crate) struct Pool {
    jobs: SyncSender<Job>,
    done: Receiver<Done>,
    /// What came before its turn.
    early: BTreeMap<(usize, usize), Checked>,
    next: (usize, usize),
    under_way: usize,
    room: usize,
}

impl Pool {
    /// Starts workers that end when the pool is dropped.
    pub(crate) fn start<'scope>(
        scope: &'scope std::thread::Scope<'scope, '_>,
        workers: usize,
        keys: &'scope Keys,
    ) -> Self {
        let room = workers * 4;
        let (jobs, waiting) = sync_channel::<Job>(room);
        let (results, done): (Sender<Done>, _) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..workers {
            let (waiting, results) = (waiting.clone(), results.clone());
            scope.spawn(move || {
                loop {
                    let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((batch, party)) = job else { return };
                    // Whoever takes the results waits for each: a batch that breaks the checker must not keep it waiting.
                    let checked = catch_unwind(AssertUnwindSafe(|| check(&batch, &party, keys)));
                    let checked = checked.unwrap_or_else(|_| Checked {
                        problems: vec![(batch.first, "the checker failed on it or on one after it".into())],
                        ..Checked::default()
                    });
                    if results.send((batch.section, batch.order, checked)).is_err() {
                        return;
                    }
                }
            });
        }
        Self { jobs, done, early: BTreeMap::new(), next: (0, 0), under_way: 0, room }
    }

    /// Gives a batch to the workers; takes results with `take` as long as there is no room for it.
    pub(crate) fn give(&mut self, batch: Batch, party: &PartyName, take: &mut dyn FnMut(Checked)) {
        while self.under_way >= self.room {
            self.take_one(take);
        }
        self.under_way += 1;
        self.jobs.send((batch, party.clone())).expect("the workers wait for more");
    }

    fn take_one(&mut self, take: &mut dyn FnMut(Checked)) {
        if let Some(checked) = self.early.remove(&self.next) {
            self.next.1 += 1;
            self.under_way -= 1;
            return take(checked);
        }
        let (section, order, checked) = self.done.recv().expect("the workers are there");
        self.early.insert((section, order), checked);
    }

    /// Takes all that is still under way: the section has ended.
    pub(crate) fn finish_section(&mut self, take: &mut dyn FnMut(Checked)) {
        while self.under_way > 0 {
            self.take_one(take);
        }
        self.next = (self.next.0 + 1, 0);
    }
}

/// A root that is computed while its leaves come in, by a thread of its own.
pub(crate) struct RootFold<'scope> {
    leaves: SyncSender<Vec<[u8; 32]>>,
    root: std::thread::ScopedJoinHandle<'scope, Result<[u8; 32], LedgerError>>,
}

impl<'scope> RootFold<'scope> {
    /// Waits for `count` leaves from number `first` on, of a tree of `size`.
    pub(crate) fn start(
        scope: &'scope std::thread::Scope<'scope, '_>,
        proof: &[Root],
        first: u64,
        count: u64,
        size: u64,
    ) -> Self {
        let proof = hotline_ledger::RangeProof { hashes: proof.iter().map(|r| r.0).collect() };
        let (leaves, come) = sync_channel::<Vec<[u8; 32]>>(4);
        let root = scope.spawn(move || proof.root_of_hashes(first, count, size, come.into_iter().flatten()));
        Self { leaves, root }
    }

    pub(crate) fn take(&self, leaves: Vec<[u8; 32]>) {
        // More leaves than were announced are no longer waited for; that is told where they are counted.
        _ = self.leaves.send(leaves);
    }

    pub(crate) fn root(self) -> Result<[u8; 32], LedgerError> {
        drop(self.leaves);
        self.root.join().unwrap_or(Err(LedgerError::Proof("the range proof")))
    }
}
