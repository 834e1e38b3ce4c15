//! All aircraft that this node sees: its own party's and those that peers share.

use hotline_airspace::{Metres, Seconds, seconds_between};
use hotline_detect::{Kinematics, PairFinder};
use hotline_ledger::PartyName;
use hotline_line::{SharedTrack, Subject};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The most tracks of one party; further ones are refused until older ones have gone.
pub const MAX_TRACKS_PER_PARTY: usize = 50_000;

/// One aircraft.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Whose it is, and which.
    pub subject: Subject,
    /// The newest report.
    pub report: SharedTrack,
    /// When the report came in.
    pub received: Timestamp,
    /// When it was last compared with volumes.
    pub(crate) volumes_checked: Option<Timestamp>,
    /// Whether it was outside its own plan then.
    pub outside_plan: bool,
    kinematics: Kinematics,
}

impl Track {
    /// Its kinematics at an instant, flown straight on.
    pub(crate) fn at(&self, now: Timestamp) -> Kinematics {
        self.kinematics.advanced(seconds_between(self.report.state.time(), now))
    }
}

/// The table of tracks, with a pair finder over them.
#[derive(Debug)]
pub struct TrackTable {
    finder: PairFinder<u32>,
    slots: Vec<Option<Track>>,
    free: Vec<u32>,
    by_subject: BTreeMap<Subject, u32>,
    counts: BTreeMap<PartyName, usize>,
}

impl TrackTable {
    /// An empty table for a look-ahead and the widest minimum in use.
    pub fn new(lookahead: Seconds, widest: Metres) -> Self {
        Self {
            finder: PairFinder::new(lookahead, widest),
            slots: Vec::new(),
            free: Vec::new(),
            by_subject: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Another look-ahead and widest minimum are in use.
    pub(crate) fn set_reach(&mut self, lookahead: Seconds, widest: Metres) {
        self.finder = PairFinder::new(lookahead, widest);
        for (slot, track) in (0..).zip(&self.slots) {
            if let Some(track) = track {
                self.finder.update(slot, track.kinematics);
            }
        }
    }

    /// Puts a report in. Nothing for a report that is not newer than the one known, or when the party has
    /// [`MAX_TRACKS_PER_PARTY`] tracks already.
    pub(crate) fn update(&mut self, party: &PartyName, report: SharedTrack, now: Timestamp) -> Option<u32> {
        let subject = Subject { party: party.clone(), id: report.id.clone() };
        let known = self.by_subject.get(&subject).copied();
        if let Some(old) = known.and_then(|slot| self.get(slot))
            && report.state.time() <= old.report.state.time()
        {
            return None;
        }
        let slot = match known {
            Some(slot) => slot,
            None => {
                let count = self.counts.entry(party.clone()).or_default();
                if *count >= MAX_TRACKS_PER_PARTY {
                    return None;
                }
                *count += 1;
                let slot = self.free.pop().unwrap_or_else(|| {
                    self.slots.push(None);
                    self.slots.len() as u32 - 1
                });
                self.by_subject.insert(subject.clone(), slot);
                slot
            }
        };
        let kinematics = Kinematics::new(&report.state);
        let (volumes_checked, outside_plan) =
            self.get(slot).map_or((None, false), |t| (t.volumes_checked, t.outside_plan));
        self.slots[slot as usize] =
            Some(Track { subject, report, received: now, volumes_checked, outside_plan, kinematics });
        self.finder.update(slot, kinematics);
        Some(slot)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&Track> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Track> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Visits every track that may conflict with this one.
    pub(crate) fn near(&self, slot: u32, mut visit: impl FnMut(&Track)) {
        self.finder.near(slot, |other, _| {
            if let Some(track) = self.get(other) {
                visit(track);
            }
        });
    }

    /// Whether an aircraft of `party` is within a distance of this one.
    pub(crate) fn party_within(&self, slot: u32, distance: Metres, party: &PartyName) -> bool {
        self.finder
            .any_within(slot, distance, |other| self.get(other).is_some_and(|t| t.subject.party == *party))
    }

    /// Takes out all tracks whose report is older than `age`.
    pub(crate) fn expire(&mut self, now: Timestamp, age: Seconds) {
        let old = |t: &Track| seconds_between(t.report.state.time(), now) > age;
        for slot in 0..self.slots.len() as u32 {
            if let Some(track) = self.get(slot).filter(|t| old(t)) {
                let subject = track.subject.clone();
                self.slots[slot as usize] = None;
                self.finder.remove(slot);
                self.by_subject.remove(&subject);
                self.free.push(slot);
                if let Some(count) = self.counts.get_mut(&subject.party) {
                    *count -= 1;
                }
            }
        }
    }

    /// All tracks, by subject.
    pub fn iter(&self) -> impl Iterator<Item = &Track> {
        self.by_subject.values().filter_map(|&slot| self.get(slot))
    }

    /// A track by its subject.
    pub fn find(&self, subject: &Subject) -> Option<&Track> {
        self.get(*self.by_subject.get(subject)?)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_subject.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }
}
