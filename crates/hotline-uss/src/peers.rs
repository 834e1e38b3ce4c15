//! What other suppliers tell this one, and what it means for its own flights.

use crate::Uss;
use crate::around::check_intent;
use crate::http::AskError;
use crate::volumes::{exact_all, overlap};
use crate::wire::{Constraint, ConstraintNotice, Intent, IntentNotice, SubscriptionState};
use crate::{keep, wire};
use axum::http::StatusCode;
use hotline_utm::Problem;

fn checked(subscriptions: &[SubscriptionState]) -> Result<(), Problem> {
    if subscriptions.is_empty() {
        return Err(Problem::invalid("subscriptions needs at least one entry"));
    }
    let wrong = subscriptions.iter().find(|s| uuid::Uuid::try_parse(&s.subscription_id).is_err());
    wrong.map_or(Ok(()), |s| Err(Problem::invalid(format!("{:?} is no subscription_id", s.subscription_id))))
}

/// Whether a notice may take the place of what is known: its manager must be the one who tells, its version not older.
fn may_replace<T: PartialEq>(
    client: &str,
    told: (&str, i32, &T),
    known: Option<(&str, i32, &T)>,
) -> Result<bool, Problem> {
    let (manager, version, entity) = told;
    if manager != client {
        return Err(Problem::forbidden(format!("{client} does not manage what {manager} manages")));
    }
    let Some((known_manager, known_version, known)) = known else { return Ok(true) };
    if known_manager != client {
        return Err(Problem::forbidden(format!("{client} does not manage this: {known_manager} does")));
    }
    if version < known_version || (version == known_version && entity != known) {
        let why =
            format!("version {version} is not newer than {known_version}, which is known, or not the same");
        return Err(Problem::with(StatusCode::CONFLICT, why));
    }
    Ok(version > known_version)
}

/// Where others rest on what is told, it counts only if the DSS has it too.
fn confirm(client: &str, version: i32, at_dss: Result<(String, i32), AskError>) -> Result<(), Problem> {
    match at_dss {
        Ok((manager, at_dss)) if manager == client && at_dss >= version => Ok(()),
        Ok((manager, at_dss)) => Err(Problem::forbidden(format!(
            "the DSS has version {at_dss} of {manager}, not version {version} of {client}"
        ))),
        Err(e) if e.status() == Some(404) => Err(Problem::forbidden("the DSS has no such entity")),
        // The next look at the DSS finds it.
        Err(e) => Err(Problem::unavailable(e.to_string())),
    }
}

impl Uss {
    /// Takes a notification of an intent.
    pub(crate) fn hear_intent(&self, client: &str, notice: IntentNotice) -> Result<(), Problem> {
        checked(&notice.subscriptions)?;
        let id = notice.operational_intent_id;
        let Some(intent) = notice.operational_intent else {
            let mut state = self.state();
            if let Some(known) = state.intents_known.get(&id)
                && known.reference.manager != client
            {
                let why = format!("{client} does not manage {id}: {} does", known.reference.manager);
                return Err(Problem::forbidden(why));
            }
            state.flights.values_mut().for_each(|flight| flight.conflicts.retain(|c| *c != id));
            if state.intents_known.remove(&id).is_some() {
                drop(state);
                self.told();
            }
            return Ok(());
        };
        if intent.reference.id != id {
            let why = format!("operational_intent_id is {id}, the reference's id {}", intent.reference.id);
            return Err(Problem::invalid(why));
        }
        check_intent(&intent).map_err(Problem::invalid)?;
        let known = self.state().intents_known.get(&id).cloned();
        // What else a reference says, such as an availability, may differ by whom it was asked of.
        let content = |i: &Intent| (i.reference.ovn.clone(), i.reference.state, i.details.clone());
        let (new, old) = (content(&intent), known.as_ref().map(content));
        let known = known.as_ref().zip(old.as_ref());
        let known = known.map(|(i, content)| (i.reference.manager.as_str(), i.reference.version, content));
        if may_replace(client, (&intent.reference.manager, intent.reference.version, &new), known)? {
            if self.is_listened_to() {
                let confirmed = self.dss.intent(&self.http, &id);
                confirm(client, intent.reference.version, confirmed.map(|r| (r.manager, r.version)))?;
            }
            self.know_intent(intent.clone());
            self.look_for_conflicts(&intent);
        }
        Ok(())
    }

    /// Takes a notification of a constraint.
    pub(crate) fn hear_constraint(&self, client: &str, notice: ConstraintNotice) -> Result<(), Problem> {
        checked(&notice.subscriptions)?;
        let id = notice.constraint_id;
        let Some(constraint) = notice.constraint else {
            let mut state = self.state();
            if let Some(known) = state.constraints_known.get(&id)
                && known.reference.manager != client
            {
                let why = format!("{client} does not manage {id}: {} does", known.reference.manager);
                return Err(Problem::forbidden(why));
            }
            if state.constraints_known.remove(&id).is_some() {
                drop(state);
                self.told();
            }
            return Ok(());
        };
        if constraint.reference.id != id {
            let why = format!("constraint_id is {id}, the reference's id {}", constraint.reference.id);
            return Err(Problem::invalid(why));
        }
        if constraint.reference.ovn.as_deref().is_none_or(str::is_empty) {
            return Err(Problem::invalid("its reference has no ovn"));
        }
        let volumes = exact_all(&constraint.details.volumes).map_err(Problem::invalid)?;
        let known = self.state().constraints_known.get(&id).cloned();
        let content = |c: &Constraint| (c.reference.ovn.clone(), c.details.clone());
        let (new, old) = (content(&constraint), known.as_ref().map(content));
        let known = known.as_ref().zip(old.as_ref());
        let known = known.map(|(c, content)| (c.reference.manager.as_str(), c.reference.version, content));
        let told = (constraint.reference.manager.as_str(), constraint.reference.version, &new);
        if may_replace(client, told, known)? {
            if self.is_listened_to() {
                let confirmed = self.dss.constraint(&self.http, &id);
                confirm(client, constraint.reference.version, confirmed.map(|r| (r.manager, r.version)))?;
            }
            let manager = constraint.reference.manager.clone();
            self.know_constraint(constraint);
            let own: Vec<(String, Intent)> = self.own_intents();
            for (flight, intent) in own {
                if overlap(&exact_all(intent.details.all()).unwrap_or_default(), &volumes) {
                    let message = format!("constraint {id} of {manager} meets this flight");
                    self.notify_operator(&flight, "CSTP0005", message, None);
                }
            }
        }
        Ok(())
    }

    fn own_intents(&self) -> Vec<(String, Intent)> {
        let state = self.state();
        let all = state.flights.values().filter_map(|f| Some((f.id.clone(), f.intent.clone()?)));
        all.collect()
    }

    /// Tells the operators whose flights an intent of somebody else meets now, and did not before (F3548 SCD0090, SCD0095).
    fn look_for_conflicts(&self, other: &Intent) {
        let theirs = exact_all(other.details.all()).unwrap_or_default();
        for (id, own) in self.own_intents() {
            if own.reference.id == other.reference.id {
                continue;
            }
            let meets = overlap(&exact_all(own.details.all()).unwrap_or_default(), &theirs);
            let mut state = self.state();
            let Some(flight) = state.flights.get_mut(&id) else { continue };
            let knew = flight.conflicts.contains(&other.reference.id);
            flight.conflicts.retain(|c| *c != other.reference.id);
            if meets {
                flight.conflicts.push(other.reference.id.clone());
            }
            let count = flight.conflicts.len();
            let kept = (meets != knew).then(|| keep::to(format!("flight/{id}"), flight));
            drop(state);
            if let Some(kept) = kept
                && let Err(why) = self.keep.change(vec![kept])
            {
                tracing::warn!("that flight {id} conflicts is known in memory only: {why}");
            }
            if meets && !knew {
                let message = format!(
                    "conflict with operational intent {} of {} ({:?}, priority {}, own {})",
                    other.reference.id,
                    other.reference.manager,
                    other.reference.state,
                    other.details.priority,
                    own.details.priority
                );
                let nominal = other.reference.state.is_nominal();
                let requirement = if nominal { "SCD0090" } else { "SCD0095" };
                self.notify_operator(&id, requirement, message, Some(count));
            }
        }
    }

    /// Own telemetry for others: only while the flight is not nominal.
    pub(crate) fn telemetry_for_others(&self, entity: &str) -> Result<Option<wire::Telemetry>, Problem> {
        let state = self.state();
        let own = |f: &&crate::Flight| f.intent.as_ref().is_some_and(|i| i.reference.id == entity);
        let flight = state.flights.values().find(own);
        let flight =
            flight.ok_or_else(|| Problem::not_found(format!("there is no operational intent {entity}")))?;
        if flight.state().is_none_or(wire::IntentState::is_nominal) {
            let why = format!("operational intent {entity} is nominal; telemetry is given when it is not");
            return Err(Problem::with(StatusCode::CONFLICT, why));
        }
        Ok(flight.telemetry.clone())
    }
}
