//! From the line to the suppliers: what peers have filed stands at the party's DSS.

use super::Joined;
use super::mirror::{Mirrored, identifier, mirrored};
use hotline_uss::wire::{Constraint, ConstraintDetails, IntentState};
use hotline_uss::{AircraftDetails, Mode, Outcome, Wanted};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// After so many failures a round ends.
const MAX_FAILED: usize = 2;
/// Under these names peers' plans stand at the DSS.
pub(super) const FROM_THE_LINE: &str = "line/";
const RESTRICTED: &str = "org.hotline.restriction";

/// Whether a constraint here is a peer's restriction.
pub(super) fn is_of_a_peer(constraint: &Constraint) -> bool {
    constraint.details.kind.as_ref().is_some_and(|kind| kind.starts_with(RESTRICTED))
}

impl Joined {
    /// Puts what peers have filed at the DSS, and ends what is gone.
    pub(super) fn put_to_the_dss(&mut self) {
        let look = self.engine.look(|core| {
            let own = core.picture().own().clone();
            let conversions = core.line().rulebook().conversions();
            let flights: Vec<_> = core
                .picture()
                .intents()
                .filter(|i| i.subject.party != own)
                .map(|i| (i.subject.clone(), i.notice.volumes.clone()))
                .collect();
            let restrictions: Vec<_> = core
                .picture()
                .restrictions()
                .filter(|r| r.subject.party != own)
                .map(|r| (r.subject.clone(), r.restriction.volumes.clone(), r.restriction.reason.clone()))
                .collect();
            (flights, restrictions, conversions)
        });
        let Some((flights, restrictions, conversions)) = self.runtime.block_on(look) else { return };
        let (tiles, now) = (&self.tiles, self.clock.now());
        let mut wanted: BTreeMap<String, Mirrored> = BTreeMap::new();
        for (subject, volumes) in &flights {
            for (n, part) in mirrored(volumes, tiles, &conversions, now).into_iter().enumerate() {
                wanted.insert(format!("{FROM_THE_LINE}{}/{}/{n}", subject.party, subject.id), part);
            }
        }
        let is = self.uss.flights();
        let before = self.failed.len();
        for (id, part) in &wanted {
            // A DSS that does not answer is not waited for over and over: the rest has its turn at the next round.
            if self.failed.len() > before + MAX_FAILED || self.stop.load(Ordering::Relaxed) {
                return;
            }
            let state = if part.start <= now { IntentState::Activated } else { IntentState::Accepted };
            let same = is.get(id).and_then(|f| f.intent.as_ref()).is_some_and(|i| {
                i.reference.state == state
                    && i.details.volumes == part.volumes
                    && i.details.priority == self.priority
            });
            if same || !self.may_try(id) {
                continue;
            }
            let plan = Wanted {
                state,
                volumes: part.volumes.clone(),
                off_nominal_volumes: vec![],
                priority: self.priority,
                plan: json!({ "from": "the line", "flight": id }),
                aircraft: AircraftDetails::default(),
            };
            // What is flown cannot go back to being planned: it is ended, and begins anew.
            if state == IntentState::Accepted
                && is.get(id).is_some_and(|f| f.state() == Some(IntentState::Activated))
            {
                self.end(id);
            }
            match self.uss.put_flight(id, &plan, Mode::AsItIs) {
                Outcome::Done { .. } => {}
                Outcome::Rejected(why) | Outcome::Failed(why) => self.failed(id, why),
            }
        }
        let gone: Vec<String> =
            is.into_keys().filter(|id| id.starts_with(FROM_THE_LINE) && !wanted.contains_key(id)).collect();
        gone.iter().for_each(|id| self.end(id));
        let mut wanted: BTreeMap<String, ConstraintDetails> = BTreeMap::new();
        for (subject, volumes, reason) in &restrictions {
            for (n, part) in mirrored(volumes, &self.tiles, &conversions, now).into_iter().enumerate() {
                let id = identifier(&[subject.party.as_str(), subject.id.as_str(), &n.to_string()]);
                let kind = format!("{RESTRICTED}: {}: {reason}", subject.party);
                wanted
                    .insert(id, ConstraintDetails { volumes: part.volumes, kind: Some(kind), geozone: None });
            }
        }
        let is = self.uss.constraints();
        for (id, details) in &wanted {
            if self.failed.len() > before + MAX_FAILED || self.stop.load(Ordering::Relaxed) {
                return;
            }
            if is.get(id).is_some_and(|c| c.details == *details) || !self.may_try(id) {
                continue;
            }
            if let Err(why) = self.uss.put_constraint(id, details.clone()) {
                self.failed(id, format!("{why:?}"));
            }
        }
        for (id, _) in is.iter().filter(|(id, c)| is_of_a_peer(c) && !wanted.contains_key(*id)) {
            if let Err(why) = self.uss.end_constraint(id) {
                self.failed(id, format!("{why:?}"));
            }
        }
    }

    fn end(&mut self, id: &str) {
        if !self.may_try(id) {
            return;
        }
        if let Some(Outcome::Failed(why) | Outcome::Rejected(why)) = self.uss.end_flight(id) {
            self.failed(id, why);
        }
    }
}
