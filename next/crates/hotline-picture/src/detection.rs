//! The conflicts that this node itself sees at the moment.

use hotline_airspace::{Position, Seconds, seconds_between};
use hotline_line::{ConflictAlert, ConflictKey, ConflictKind, Level, Subject};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The most conflicts that are followed at a time. At the limit new ones are not taken in until others are over:
/// so many at once are an attack or a fault, and what is already known must go on being served.
pub const MAX_DETECTIONS: usize = 10_000;

/// A conflict that this node sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Which conflict.
    pub key: ConflictKey,
    /// How grave; within one conflict it only rises.
    pub level: Level,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// When it begins.
    pub begins: Timestamp,
    /// When it ends if nothing changes.
    pub ends: Timestamp,
    /// Seconds from `last_seen` to the closest approach, horizontal and vertical distance then, metres.
    pub closest: Option<(Seconds, f64, f64)>,
    /// Where.
    pub place: Position,
}

impl Detection {
    /// What is said on the line about it.
    pub fn alert(&self) -> ConflictAlert {
        ConflictAlert {
            conflict: self.key.clone(),
            level: self.level,
            detected: self.last_seen,
            begins: self.begins,
            ends: self.ends,
            closest: self.closest,
            place: self.place,
        }
    }

    /// Whether it stays until what it is about changes, rather than until it is no longer seen.
    fn stands(&self) -> bool {
        matches!(self.key.kind, ConflictKind::Plans | ConflictKind::PlanRestriction)
    }
}

/// All of them, and which have changed in a way that must be told.
#[derive(Debug, Default)]
pub struct Detections {
    live: BTreeMap<ConflictKey, Detection>,
    /// Conflicts that are new, graver or over since the last look.
    pub(crate) changed: BTreeSet<ConflictKey>,
}

impl Detections {
    /// A conflict is seen (again). Whether it is new or graver.
    pub(crate) fn seen(&mut self, new: Detection) -> bool {
        let full = self.live.len() >= MAX_DETECTIONS;
        match self.live.get_mut(&new.key) {
            None if full => false,
            None => {
                self.changed.insert(new.key.clone());
                self.live.insert(new.key.clone(), new);
                true
            }
            Some(known) => {
                let graver = new.level > known.level;
                let level = new.level.max(known.level);
                if graver {
                    self.changed.insert(new.key.clone());
                }
                *known = Detection { level, first_seen: known.first_seen, ..new };
                graver
            }
        }
    }

    /// A conflict is over.
    pub(crate) fn over(&mut self, key: &ConflictKey) {
        if self.live.remove(key).is_some() {
            self.changed.insert(key.clone());
        }
    }

    /// All of `subject`'s conflicts of these kinds are over, except `still`.
    pub(crate) fn over_for(
        &mut self,
        subject: &Subject,
        kinds: &[ConflictKind],
        still: &BTreeSet<ConflictKey>,
    ) {
        let about = |k: &&ConflictKey| {
            kinds.contains(&k.kind) && (k.first == *subject || k.second == *subject) && !still.contains(k)
        };
        let gone: Vec<ConflictKey> = self.live.keys().filter(about).cloned().collect();
        gone.iter().for_each(|key| self.over(key));
    }

    /// Conflicts that have not been seen for `span`, or whose time is past, are over.
    pub(crate) fn expire(&mut self, now: Timestamp, span: Seconds) {
        let gone = |d: &&Detection| {
            if d.stands() { d.ends < now } else { seconds_between(d.last_seen, now) >= span }
        };
        let gone: Vec<ConflictKey> = self.live.values().filter(gone).map(|d| d.key.clone()).collect();
        gone.iter().for_each(|key| self.over(key));
    }

    /// Takes a conflict as seen, without telling: what this node had said before a restart.
    pub(crate) fn resume(&mut self, detection: Detection) {
        self.live.entry(detection.key.clone()).or_insert(detection);
    }

    /// A conflict that is seen at the moment.
    pub fn get(&self, key: &ConflictKey) -> Option<&Detection> {
        self.live.get(key)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Detection> {
        self.live.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::Degrees;
    use hotline_ledger::PartyName;
    use hotline_line::FlightId;

    fn detection(n: usize, level: Level) -> Detection {
        let subject = |party: &str, id: String| Subject {
            party: PartyName::new(party).unwrap(),
            id: FlightId::new(&id).unwrap(),
        };
        let at = Timestamp::from_second(100).unwrap();
        Detection {
            key: ConflictKey::new(
                ConflictKind::Tracks,
                subject("blue", "A".into()),
                subject("green", format!("B{n}")),
            ),
            level,
            first_seen: at,
            last_seen: at,
            begins: at,
            ends: at,
            closest: None,
            place: Position::new(Degrees::new(0.0), Degrees::new(0.0)).unwrap(),
        }
    }

    #[test]
    fn a_level_only_rises() {
        let mut all = Detections::default();
        assert!(all.seen(detection(1, Level::Caution)), "new");
        assert!(!all.seen(detection(1, Level::Caution)), "known");
        assert!(all.seen(detection(1, Level::Warning)), "graver");
        assert!(!all.seen(detection(1, Level::Caution)), "not graver again");
        assert_eq!(all.get(&detection(1, Level::Caution).key).unwrap().level, Level::Warning);
    }

    #[test]
    fn at_the_limit_what_is_known_goes_on() {
        let mut all = Detections::default();
        (0..MAX_DETECTIONS).for_each(|n| assert!(all.seen(detection(n, Level::Caution))));
        assert!(!all.seen(detection(MAX_DETECTIONS, Level::Warning)), "beyond the limit");
        assert!(all.seen(detection(5, Level::Warning)), "a known one still rises");
        all.over(&detection(5, Level::Warning).key);
        assert!(all.seen(detection(MAX_DETECTIONS, Level::Warning)), "room again");
    }
}
