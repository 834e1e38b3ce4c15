//! Constraints: what they mean for plans, and those that this supplier manages itself.

use crate::Uss;
use crate::flight::OwnConstraint;
use crate::keep::to;
use crate::outbox::Kind;
use crate::planning::Outcome;
use crate::uss::{ConstraintRule, MAX_OWN};
use crate::volumes::{exact_all, span};
use crate::wire::{Constraint, ConstraintDetails};
use serde_json::{Value, json};
use std::sync::PoisonError;

/// What a constraint or zone means for a plan that meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Impact {
    /// It is refused.
    Block,
    /// Its operator is told.
    Advise,
}

/// What an ED-269 zone means, by its restriction.
pub(crate) fn impact_of_restriction(restriction: &str) -> Option<Impact> {
    match restriction {
        "NO_RESTRICTION" => None,
        // Whether the operator has the authorisation or meets the condition, only the operator knows.
        "REQ_AUTHORISATION" | "CONDITIONAL" => Some(Impact::Advise),
        _ => Some(Impact::Block),
    }
}

/// What a constraint means.
pub(crate) fn impact(constraint: &Constraint, rule: ConstraintRule) -> Option<Impact> {
    let restriction = constraint.details.geozone.as_ref().and_then(|zone| zone["restriction"].as_str());
    let of_zone = restriction.map_or(Some(Impact::Block), impact_of_restriction);
    match rule {
        ConstraintRule::Ignore => None,
        ConstraintRule::Advise => of_zone.map(|_| Impact::Advise),
        ConstraintRule::Block => of_zone,
    }
}

impl Uss {
    /// A constraint of this supplier's as the DSS has it.
    pub fn constraint(&self, id: &str) -> Option<Constraint> {
        self.state().constraints.get(id).and_then(|c| c.constraint.clone())
    }

    /// All constraints that the DSS has taken, by their identifiers.
    pub fn constraints(&self) -> std::collections::BTreeMap<String, Constraint> {
        let state = self.state();
        state.constraints.iter().filter_map(|(id, own)| Some((id.clone(), own.constraint.clone()?))).collect()
    }

    /// Makes a constraint, or changes it. `id` is its identifier at the DSS too: a UUID of version 4.
    ///
    /// # Errors
    /// What is wrong with it, or why the DSS has not taken it.
    pub fn put_constraint(&self, id: &str, details: ConstraintDetails) -> Result<Constraint, Outcome> {
        let turn = self.turn(&format!("constraint/{id}"));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let rejected = |why: String| Outcome::Rejected(why);
        let volumes = exact_all(&details.volumes).map_err(rejected)?;
        let (_, end) =
            span(&volumes).ok_or_else(|| rejected("a constraint needs at least one volume".into()))?;
        if end <= self.time() {
            return Err(rejected(format!("it ended at {end}")));
        }
        let before = self.state().constraints.get(id).cloned();
        if before.is_none() && self.state().constraints.len() >= MAX_OWN {
            return Err(rejected(format!(
                "{MAX_OWN} constraints are all that this supplier manages at a time"
            )));
        }
        let mut own = OwnConstraint {
            constraint: before.and_then(|own| own.constraint),
            pending: Some(details.clone()),
            deleting: false,
        };
        self.keep_constraint(id, &own)?;
        let ovn = own.constraint.as_ref().and_then(|c| c.reference.ovn.as_deref());
        let body = json!({ "extents": details.volumes, "uss_base_url": self.settings.base_url });
        let mut changed = self.dss.put_constraint(&self.http, id, ovn, &body);
        if matches!(&changed, Err(e) if e.status() == Some(409)) {
            // Taken before, when the answer was lost.
            let current = self.dss.constraint(&self.http, id)?;
            if current.manager == self.settings.name {
                changed = self.dss.put_constraint(&self.http, id, current.ovn.as_deref(), &body);
            }
        }
        let changed = match changed {
            Ok(changed) => changed,
            Err(why) => {
                // Refused outright it stays as it was; otherwise it is tried again.
                if why.status().is_some_and(|s| s < 500) {
                    own.pending = None;
                    self.keep_constraint(id, &own)?;
                }
                return Err(why.into());
            }
        };
        let constraint = Constraint { reference: changed.constraint_reference, details };
        own = OwnConstraint { constraint: Some(constraint.clone()), pending: None, deleting: false };
        let kept = to(format!("constraint/{id}"), &own);
        self.with_notes(Kind::Constraint, &changed.subscribers, id, &json!(constraint), vec![kept])
            .map_err(Outcome::Failed)?;
        self.state().constraints.insert(id.into(), own);
        self.told();
        Ok(constraint)
    }

    /// Ends a constraint.
    ///
    /// # Errors
    /// Why the DSS has not ended it; it is tried again by itself.
    pub fn end_constraint(&self, id: &str) -> Result<bool, Outcome> {
        let turn = self.turn(&format!("constraint/{id}"));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut own) = self.state().constraints.get(id).cloned() else { return Ok(false) };
        own.deleting = true;
        self.keep_constraint(id, &own)?;
        let current = match self.dss.constraint(&self.http, id) {
            Ok(reference) => Some(reference),
            Err(e) if e.status() == Some(404) => None,
            Err(e) => return Err(e.into()),
        };
        let subscribers = match current {
            Some(reference) => self.dss.delete_constraint(&self.http, &reference)?.subscribers,
            None => Vec::new(),
        };
        let gone = (format!("constraint/{id}"), None);
        self.with_notes(Kind::Constraint, &subscribers, id, &Value::Null, vec![gone])
            .map_err(Outcome::Failed)?;
        self.state().constraints.remove(id);
        self.told();
        Ok(true)
    }

    fn keep_constraint(&self, id: &str, own: &OwnConstraint) -> Result<(), Outcome> {
        let is_nothing = own.constraint.is_none() && own.pending.is_none();
        let name = format!("constraint/{id}");
        let change = if is_nothing { (name, None) } else { to(name, own) };
        self.keep.change(vec![change]).map_err(|e| Outcome::Failed(e.to_string()))?;
        let mut state = self.state();
        if is_nothing {
            state.constraints.remove(id);
        } else {
            state.constraints.insert(id.into(), own.clone());
        }
        Ok(())
    }
}
