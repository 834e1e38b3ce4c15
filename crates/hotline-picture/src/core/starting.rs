//! From the journal and its snapshots to a running core.

use super::{Core, Effects};
use crate::{Detection, snapshot};
use hotline_ledger::{KeyId, UncheckedStatement};
use hotline_line::{
    Body, ConflictKey, Entry, History, Line, LineConfig, LineError, Record, Said, StatementRef, Withholdable,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

fn missing(place: u64) -> LineError {
    LineError::Malformed {
        what: "a snapshot",
        why: format!("record {place} of the journal is not what it refers to"),
    }
}

fn decode(kind: &str, entry: &Entry) -> Result<Body, LineError> {
    let openings = hotline_ledger::Openings::from_bytes(&entry.openings)?;
    Body::decode(kind, &entry.statement, &openings)
}

impl Core {
    /// Takes in a record of the journal.
    ///
    /// # Errors
    /// When the record does not fit what came before it.
    pub fn replay(&mut self, record: &Record) -> Result<(), LineError> {
        let place = self.line.next_place();
        for said in self.line.replay(record)? {
            self.seen(said.time);
            self.hear(said);
        }
        match record {
            Record::Withheld(kind, entry) => self.replay_withheld(kind, entry, place)?,
            Record::Recorded(segment, _, _) => self.recorder.replay(*segment, place),
            _ => {}
        }
        self.effects = Effects::default();
        self.touched.clear();
        Ok(())
    }

    fn replay_withheld(&mut self, kind: &str, entry: &Entry, place: u64) -> Result<(), LineError> {
        match decode(kind, entry)? {
            Body::FlightNotice(notice) => self.hear_withheld(notice, place),
            Body::FlightEnd(end) => self.hear_withheld_end(&end.flight),
            _ => {}
        }
        Ok(())
    }

    /// The state after all records so far. The picture is not in it, only where in the journal the statements are
    /// that it is made of.
    pub fn snapshot(&self) -> Vec<u8> {
        let intents = self.picture.intents().filter_map(|i| i.reference.as_ref());
        let restrictions = self.picture.restrictions().map(|r| &r.reference);
        let alerts = self.alerts.iter().flat_map(|a| a.statements.iter().chain(&a.others));
        let spoken = self.conversation.iter().map(|s| &s.statement);
        let place = |r: &StatementRef| self.line.places(&r.party).get(r.number as usize).copied();
        let mut places: BTreeSet<u64> =
            intents.chain(restrictions).chain(alerts).chain(spoken).filter_map(place).collect();
        places.extend(self.withheld.values().map(|(_, place)| *place));
        snapshot::encode(&snapshot::Snapshot {
            time: self.time,
            line: self.line.snapshot(),
            tally: self.tally.clone(),
            places: places.into_iter().collect(),
            segments: self.recorder.segments().collect(),
            last_person_check: self.last_person_check,
        })
    }

    /// The core as it was when the snapshot was taken; `history` reads the journal.
    ///
    /// # Errors
    /// When the snapshot is malformed, of another node, or the journal lacks what it refers to.
    pub fn restore(config: LineConfig, bytes: &[u8], history: &dyn History) -> Result<Self, LineError> {
        let kept = snapshot::decode(bytes)?;
        let mut core = Self::new(config.clone())?;
        core.line = Line::restore(config, &kept.line, history)?;
        core.take_rulebook();
        for place in kept.places {
            let entry = match history.record(place).ok_or_else(|| missing(place))? {
                Record::Own(entry) | Record::Heard(_, entry) => entry,
                Record::Withheld(kind, entry) => {
                    core.replay_withheld(&kind, &entry, place)?;
                    continue;
                }
                _ => return Err(missing(place)),
            };
            let read = UncheckedStatement::read(&entry.statement)?;
            let statement = read.statement();
            let openings = hotline_ledger::Openings::from_bytes(&entry.openings)?;
            let body = Body::decode(&statement.kind, &statement.body, &openings)?;
            core.seen(statement.time);
            let said = core.line.look_at(statement, body);
            core.hear(Said { ahead: true, ..said });
        }
        for (number, first, count) in kept.segments {
            core.recorder.keep(number, first, count);
        }
        core.tally = kept.tally;
        core.last_person_check = kept.last_person_check;
        core.seen(kept.time);
        _ = core.line.take_output();
        core.effects = Effects::default();
        core.touched.clear();
        Ok(core)
    }

    /// All records have been replayed. The node listens first to what its peers hold of its ledger; what this node had said to be
    /// in conflict counts as seen now, so that it is cleared or confirmed like anything else.
    pub fn start(&mut self, now: Timestamp) {
        self.at(now);
        self.picture.fresh.clear();
        let own = self.line.party().clone();
        for alert in self.alerts.iter() {
            if let Some(assertion) = alert.asserted.get(&own) {
                let said = &assertion.alert;
                self.picture.detections_mut().resume(Detection {
                    key: alert.key.clone(),
                    level: said.level,
                    first_seen: said.detected,
                    last_seen: now,
                    begins: said.begins,
                    ends: said.ends,
                    closest: said.closest,
                    place: said.place,
                });
            }
        }
        self.line.begin(self.time);
        self.reconcile();
    }

    /// Whether the node may speak has changed. When it may, a new ledger begins with the own certificates, and what
    /// is seen and was not yet said is said.
    pub(super) fn begin_to_speak(&mut self) {
        if self.line.may_speak().is_err() || self.muted.is_some() {
            return;
        }
        let own = self.line.party().clone();
        if self.line.tree(&own).is_some_and(|t| t.size() == 0) {
            let keys = self.line.own_keys().clone();
            for (certificate, _) in keys.known.certificates() {
                let id = KeyId::of(&certificate.certificate().key);
                let name = keys.names.get(&id).cloned().unwrap_or_default();
                let about = certificate.certificate().holder.clone();
                let body = Body::Certificate(certificate.bytes().to_vec(), Withholdable::new(name));
                self.say_or_show(body, about);
            }
        }
        let seen: Vec<ConflictKey> = self.picture.detections().iter().map(|d| d.key.clone()).collect();
        self.picture.detections_mut().changed.extend(seen);
    }
}
