//! From the journal and its snapshots to a running core.

use super::{Core, Effects};
use crate::{Detection, snapshot};
use hotline_ledger::SignedStatement;
use hotline_line::{Body, ConflictKey, History, Line, LineConfig, LineError, Record, Said, StatementRef};
use jiff::Timestamp;
use std::collections::BTreeSet;

fn missing(place: u64) -> LineError {
    LineError::Malformed {
        what: "a snapshot",
        why: format!("record {place} of the journal is not a statement"),
    }
}

impl Core {
    /// Takes in a record of the journal.
    ///
    /// # Errors
    /// When the record does not fit what came before it.
    pub fn replay(&mut self, record: &Record) -> Result<(), LineError> {
        if let Some(said) = self.line.replay(record)? {
            self.at(said.time);
            self.hear(said);
        }
        self.effects = Effects::default();
        self.touched.clear();
        Ok(())
    }

    /// The state after all records so far. The picture is not in it, only where in the journal the statements are
    /// that it is made of.
    pub fn snapshot(&self) -> Vec<u8> {
        let intents = self.picture.intents().map(|i| &i.reference);
        let restrictions = self.picture.restrictions().map(|r| &r.reference);
        let alerts = self.alerts.iter().flat_map(|a| a.statements.iter().chain(&a.others));
        let place = |r: &StatementRef| self.line.places(&r.party).get(r.number as usize).copied();
        let places: BTreeSet<u64> = intents.chain(restrictions).chain(alerts).filter_map(place).collect();
        snapshot::encode(&snapshot::Snapshot {
            time: self.time,
            line: self.line.snapshot(),
            tally: self.tally.clone(),
            places: places.into_iter().collect(),
        })
    }

    /// The core as it was when the snapshot was taken; `history` reads the journal.
    ///
    /// # Errors
    /// When the snapshot is malformed, of another node, or the journal lacks what it refers to.
    pub fn restore(config: LineConfig, bytes: &[u8], history: &dyn History) -> Result<Self, LineError> {
        let kept = snapshot::decode(bytes)?;
        let mut core = Self::new(config.clone())?;
        core.line = Line::restore(config, &kept.line)?;
        for place in kept.places {
            let (Record::Own(bytes) | Record::Heard(_, bytes)) =
                history.record(place).ok_or_else(|| missing(place))?
            else {
                return Err(missing(place));
            };
            let signed = SignedStatement::from_own_store(&bytes)?;
            let said = signed.statement();
            let reference = StatementRef { party: said.party.clone(), number: said.number };
            let body = Body::from_cbor(&said.kind, &said.body)?;
            core.at(said.time);
            core.hear(Said { reference, time: said.time, body, ahead: true });
        }
        core.tally = kept.tally;
        core.at(kept.time);
        _ = core.line.take_output();
        core.effects = Effects::default();
        core.touched.clear();
        Ok(core)
    }

    /// All records have been replayed. What this node had said to be in conflict counts as seen now, so that it is
    /// cleared or confirmed like anything else; what it sees and had not yet said, it says. On a new ledger, the
    /// own certificates are said first.
    ///
    /// # Errors
    /// When the line refuses to speak.
    pub fn start(&mut self, now: Timestamp) -> Result<(), LineError> {
        self.at(now);
        self.picture.fresh.clear();
        let own = self.line.party().clone();
        if self.line.tree(&own).is_some_and(|t| t.size() == 0) {
            let certificates: Vec<_> = self.line.own_keys().known.certificates().cloned().collect();
            for certificate in certificates {
                let about = certificate.certificate().holder.clone();
                self.say(Body::Certificate(certificate.bytes().to_vec()), about)?;
            }
        }
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
        let seen: Vec<ConflictKey> = self.picture.detections().iter().map(|d| d.key.clone()).collect();
        self.picture.detections_mut().changed.extend(seen);
        self.reconcile();
        Ok(())
    }
}
