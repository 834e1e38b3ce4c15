//! Ending a flight, and finding out what came of a change that was begun.

use crate::Uss;
use crate::flight::{Flight, Pending};
use crate::http::AskError;
use crate::outbox::Kind;
use crate::planning::{Outcome, Told};
use crate::wire::{Intent, IntentReference, Subscriber};
use serde_json::Value;
use std::sync::PoisonError;

/// There are services that carry out what was asked after the one who asked has given up. What is not there after so long,
/// microseconds, will not come.
const LATE: i64 = 30 * 1_000_000;

impl Uss {
    /// Ends a flight.
    pub fn end_flight(&self, id: &str) -> Option<Outcome> {
        let turn = self.turn(&format!("flight/{id}"));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.end_in_turn(id)
    }

    pub(crate) fn end_in_turn(&self, id: &str) -> Option<Outcome> {
        let mut flight = self.flight(id)?;
        if let Some(Pending::Put { .. }) = flight.pending
            && let Err(why) = self.settle(&mut flight)
        {
            return Some(Outcome::Failed(why));
        }
        let Some(intent) = flight.intent.clone() else {
            return Some(self.dropped(flight, &[]));
        };
        flight.pending = Some(Pending::Delete);
        if let Err(Told::Not(why)) = self.kept(&flight) {
            return Some(Outcome::Failed(why));
        }
        Some(match self.delete(&intent.reference) {
            Ok(subscribers) => self.dropped(flight, &subscribers),
            // It is tried again by itself.
            Err(why) => why.into(),
        })
    }

    /// Deletes an intent at the DSS, which may have forgotten it; whom to tell.
    fn delete(&self, reference: &IntentReference) -> Result<Vec<Subscriber>, AskError> {
        let mut deleted = self.dss.delete_intent(&self.http, reference);
        if matches!(&deleted, Err(e) if e.status() == Some(409)) {
            let current = self.dss.intent(&self.http, &reference.id)?;
            deleted = self.dss.delete_intent(&self.http, &current);
        }
        match deleted {
            Ok(changed) => Ok(changed.subscribers),
            Err(e) if e.status() == Some(404) => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    fn dropped(&self, mut flight: Flight, subscribers: &[Subscriber]) -> Outcome {
        let entity = flight.intent.as_ref().map(|i| i.reference.id.clone()).unwrap_or_default();
        let gone = (format!("flight/{}", flight.id), None);
        if let Err(why) = self.with_notes(Kind::Intent, subscribers, &entity, &Value::Null, vec![gone]) {
            return Outcome::Failed(why);
        }
        self.state().flights.remove(&flight.id);
        self.told();
        flight.pending = None;
        Outcome::Done { flight: Box::new(flight), advisories: vec![] }
    }

    /// Finds out what came of a change that was begun, and finishes it. Gives whether it was taken.
    pub(crate) fn settle(&self, flight: &mut Flight) -> Result<bool, String> {
        match flight.pending.clone() {
            None => Ok(true),
            Some(Pending::Delete) => {
                let Some(intent) = flight.intent.clone() else { return Ok(true) };
                let subscribers = self.delete(&intent.reference).map_err(|e| e.to_string())?;
                match self.dropped(flight.clone(), &subscribers) {
                    Outcome::Failed(why) => Err(why),
                    _ => Ok(true),
                }
            }
            Some(Pending::Put { entity, details, since }) => {
                let found = match self.dss.intent(&self.http, &entity) {
                    Ok(reference) => Some(reference),
                    Err(e) if e.status() == Some(404) => None,
                    Err(e) => return Err(e.to_string()),
                };
                let known = flight.intent.as_ref().map(|i| i.reference.version);
                let taken = found.filter(|r| r.manager == self.settings.name && Some(r.version) != known);
                if taken.is_none() && self.now().micros() - since < LATE {
                    return Err(format!(
                        "the DSS has not taken it yet; that is sure after {} s",
                        LATE / 1_000_000
                    ));
                }
                flight.pending = None;
                let was_taken = taken.is_some();
                if let Some(reference) = taken {
                    flight.intent = Some(Intent { reference, details });
                }
                if flight.intent.is_none() {
                    return match self.dropped(flight.clone(), &[]) {
                        Outcome::Failed(why) => Err(why),
                        _ => Ok(false),
                    };
                }
                self.kept(flight).map_err(|_| "it could not be kept".to_owned())?;
                Ok(was_taken)
            }
        }
    }
}
