//! Planning a flight through any DSS: gather what is around, hold the plan against the rules, tell the DSS with the key,
//! notify the subscribers.
//!
//! What is about to be told to the DSS is written down first, and what it has taken is written down together with the
//! notifications that follow, so that a crash at any point leaves a flight that is either as before or as told.

use crate::around::{areas, is_ahead};
use crate::dss_client::{PutError, STRATEGIC_AND_CONSTRAINTS};
use crate::flight::{Flight, Pending};
use crate::http::AskError;
use crate::keep::to;
use crate::logs::Record;
use crate::outbox::Kind;
use crate::remote_id::AircraftDetails;
use crate::rules::{Findings, Plan, judge, may_become};
use crate::uss::{ConstraintRule, MAX_OWN, Uss};
use crate::volumes::{exact_all, overlap, span};
use crate::wire::{Intent, IntentDetails, IntentState, Subscriber, Time, Volume4};
use hotline_airspace as airspace;
use hotline_utm::scopes::{CONFORMANCE, STRATEGIC};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::PoisonError;

/// How often a plan is tried while the airspace changes under it.
const MAX_TRIES: usize = 5;
/// How far ahead a flight may be planned (F3548 `OiMaxPlanHorizon`, 30 days).
pub const PLAN_HORIZON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far in the future the beginning of a flight may lie that is flown now: clocks differ.
const EARLY: SignedDuration = SignedDuration::from_secs(5);

/// What an operator wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The state of the intent.
    pub state: IntentState,
    /// Where it is meant to be.
    pub volumes: Vec<Volume4>,
    /// Where it may be while it is not nominal.
    pub off_nominal_volumes: Vec<Volume4>,
    /// The higher goes first.
    pub priority: i64,
    /// What the operator gave, to be shown again.
    pub plan: Value,
    /// Who flies what.
    pub aircraft: AircraftDetails,
}

/// How a plan is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// If the rules allow it.
    IfAllowed,
    /// Only what would come of it.
    Hypothetical,
    /// It stands already, elsewhere: what it meets is told, and forbids nothing.
    AsItIs,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is so.
    Done {
        /// The flight as it is now.
        flight: Box<Flight>,
        /// What the operator is to know.
        advisories: Vec<String>,
    },
    /// The rules do not allow it; nothing has changed.
    Rejected(String),
    /// Somebody else did not do what was needed; nothing has changed, as far as is known.
    Failed(String),
}

impl Outcome {
    fn failed(why: impl std::fmt::Display) -> Self {
        Self::Failed(why.to_string())
    }
}

impl From<AskError> for Outcome {
    fn from(why: AskError) -> Self {
        Self::failed(why)
    }
}

impl Uss {
    /// A flight as it is now.
    pub fn flight(&self, id: &str) -> Option<Flight> {
        self.state().flights.get(id).cloned()
    }

    /// All flights, by the operators' names.
    pub fn flights(&self) -> std::collections::BTreeMap<String, Flight> {
        self.state().flights.clone()
    }

    /// Plans a flight, or changes it.
    pub fn put_flight(&self, id: &str, wanted: &Wanted, mode: Mode) -> Outcome {
        let turn = self.turn(&format!("flight/{id}"));
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.put_in_turn(id, wanted, mode)
    }

    pub(crate) fn put_in_turn(&self, id: &str, wanted: &Wanted, mode: Mode) -> Outcome {
        let flight = self.flight(id).unwrap_or_else(|| Flight::new(id));
        if flight.pending.is_some() {
            return Outcome::failed("what came of the change before is still being asked of the DSS");
        }
        let volumes = match self.checked(&flight, wanted) {
            Ok(volumes) => volumes,
            Err(why) => return Outcome::Rejected(why),
        };
        if flight.intent.is_none() && wanted.state == IntentState::Activated && mode != Mode::Hypothetical {
            return self.plan_and_activate(id, wanted, mode);
        }
        let entity = match &flight.intent {
            Some(intent) => intent.reference.id.clone(),
            None => match new_id() {
                Ok(id) => id,
                Err(why) => return Outcome::Failed(why),
            },
        };
        let mut flight = flight;
        for _ in 0..MAX_TRIES {
            let (key, mut findings) = match self.look(&flight, &entity, wanted, &volumes) {
                Ok(found) => found,
                Err(why) => return why.into(),
            };
            if mode == Mode::AsItIs {
                let told = std::mem::take(&mut findings.forbidden);
                findings.advisories.extend(told);
            }
            if !findings.forbidden.is_empty() {
                self.attempt(&entity, &key, &[], &[], Some(&findings.forbidden.join("; ")));
                return Outcome::Rejected(findings.forbidden.join("; "));
            }
            if mode == Mode::Hypothetical {
                return Outcome::Done { flight: Box::new(flight), advisories: findings.advisories };
            }
            match self.tell(&mut flight, &entity, wanted, &key) {
                Ok(()) => return Outcome::Done { flight: Box::new(flight), advisories: findings.advisories },
                Err(Told::Again) => {}
                Err(Told::Not(why)) => return Outcome::Failed(why),
            }
        }
        Outcome::failed(format!("the airspace kept changing while the flight was planned, {MAX_TRIES} times"))
    }

    /// An intent begins as Accepted, also when it is flown at once.
    fn plan_and_activate(&self, id: &str, wanted: &Wanted, mode: Mode) -> Outcome {
        let planned = Wanted { state: IntentState::Accepted, ..wanted.clone() };
        let outcome = self.put_in_turn(id, &planned, mode);
        if !matches!(outcome, Outcome::Done { .. }) {
            return outcome;
        }
        let outcome = self.put_in_turn(id, wanted, mode);
        if !matches!(outcome, Outcome::Done { .. }) {
            // Nobody has asked for it to be planned only.
            self.end_in_turn(id);
        }
        outcome
    }

    /// Tells the DSS of a flight once more as it stands, so that it names whom to notify.
    pub(crate) fn tell_again(&self, flight: &Flight) {
        let Some(intent) = &flight.intent else { return };
        let wanted = Wanted {
            state: intent.reference.state,
            volumes: intent.details.volumes.clone(),
            off_nominal_volumes: intent.details.off_nominal_volumes.clone(),
            priority: intent.details.priority,
            plan: flight.plan.clone(),
            aircraft: flight.aircraft.clone(),
        };
        if let Outcome::Rejected(why) | Outcome::Failed(why) =
            self.put_in_turn(&flight.id, &wanted, Mode::AsItIs)
        {
            tracing::warn!("flight {}: those around it were not told of its change: {why}", flight.id);
        }
    }

    /// Whether a plan is one at all.
    fn checked(&self, flight: &Flight, wanted: &Wanted) -> Result<Vec<airspace::Volume4>, String> {
        let before = flight.state();
        if !may_become(before, wanted.state) {
            let from = before.map_or("none".to_owned(), |s| format!("{s:?}"));
            return Err(format!("an intent cannot go from {from} to {:?}", wanted.state));
        }
        if before.is_none() && self.state().flights.len() >= MAX_OWN {
            return Err(format!("{MAX_OWN} flights are all that this supplier manages at a time"));
        }
        let inside = exact_all(&wanted.volumes)?;
        let mut all = inside.clone();
        all.extend(exact_all(&wanted.off_nominal_volumes)?);
        let ((start, end), now) = (span(&all).ok_or("a flight needs at least one volume")?, self.time());
        if wanted.state.is_nominal() && (inside.is_empty() || !wanted.off_nominal_volumes.is_empty()) {
            return Err(format!("{:?} needs volumes, and no off-nominal ones", wanted.state));
        }
        if !wanted.state.is_nominal() && wanted.off_nominal_volumes.is_empty() {
            return Err(format!("{:?} needs off-nominal volumes", wanted.state));
        }
        if all.iter().any(|v| v.time.end() <= now) {
            return Err(format!("a volume ended before now, {now}"));
        }
        if wanted.state == IntentState::Accepted && start > now + PLAN_HORIZON {
            return Err(format!("it begins at {start}, more than 30 days from now"));
        }
        if wanted.state == IntentState::Activated && !(start <= now + EARLY && now < end) {
            return Err(format!("it is flown from {start} to {end}, and now it is {now}"));
        }
        Ok(all)
    }

    /// What the plan meets, and the key.
    fn look(
        &self,
        flight: &Flight,
        entity: &str,
        wanted: &Wanted,
        volumes: &[airspace::Volume4],
    ) -> Result<(Vec<String>, Findings), AskError> {
        if !wanted.state.is_nominal() {
            return Ok((Vec::new(), Findings::default()));
        }
        let around = self.around(&areas(wanted.volumes.iter()), entity)?;
        let before_volumes =
            flight.intent.as_ref().map(|i| exact_all(&i.details.volumes).unwrap_or_default());
        let before = flight.intent.as_ref().zip(before_volumes.as_ref());
        let before = before.map(|(i, volumes)| Plan {
            state: i.reference.state,
            priority: i.details.priority,
            volumes,
        });
        let plan = Plan { state: wanted.state, priority: wanted.priority, volumes };
        let equal = self.settings.equal_priority_allowed;
        let mut findings = judge(&plan, before.as_ref(), &around.others, equal);
        for (constraint, others) in &around.constraints {
            if !overlap(volumes, others) {
                continue;
            }
            let id = &constraint.reference.id;
            let what = format!("meets constraint {id} of {}", constraint.reference.manager);
            match crate::constraints::impact(constraint, self.settings.constraints) {
                Some(crate::constraints::Impact::Block) => findings.forbidden.push(what),
                Some(crate::constraints::Impact::Advise) => findings.advisories.push(what),
                None => {}
            }
        }
        for zone in self.zones_met(volumes) {
            match zone {
                (crate::constraints::Impact::Block, what) => findings.forbidden.push(what),
                (crate::constraints::Impact::Advise, what) => findings.advisories.push(what),
            }
        }
        Ok((around.key, findings))
    }

    /// Tells the DSS, and writes down what it has taken.
    fn tell(&self, flight: &mut Flight, entity: &str, wanted: &Wanted, key: &[String]) -> Result<(), Told> {
        let details = IntentDetails {
            volumes: wanted.volumes.clone(),
            off_nominal_volumes: wanted.off_nominal_volumes.clone(),
            priority: wanted.priority,
        };
        let ovn = flight.intent.as_ref().and_then(|i| i.reference.ovn.clone());
        let since = self.now().micros();
        flight.pending = Some(Pending::Put { entity: entity.into(), details: details.clone(), since });
        self.kept(flight)?;
        let (body, scope) = self.intent_body(flight, wanted, &details, key);
        match self.dss.put_intent(&self.http, entity, ovn.as_deref(), &body, scope) {
            Ok(changed) => {
                self.attempt(entity, key, &[], &[], None);
                flight.pending = None;
                flight.plan = wanted.plan.clone();
                flight.aircraft = wanted.aircraft.clone();
                let intent = Intent { reference: changed.operational_intent_reference, details };
                if flight.intent.is_none() && !wanted.aircraft.operator_id.is_empty() {
                    let operator = &wanted.aircraft.operator_id;
                    let record = json!({ "operational_intent_id": entity, "operator_id": operator });
                    self.logs.record(Record::OperatorAssociations { record });
                }
                flight.intent = Some(intent.clone());
                self.keep_and_notify(flight, &changed.subscribers, &json!(intent))?;
                Ok(())
            }
            Err(PutError::Missing { intents, constraints }) => {
                self.attempt(entity, key, &intents, &constraints, Some("the key was not complete"));
                self.forget(&intents, &constraints);
                flight.pending = None;
                self.kept(flight)?;
                Err(Told::Again)
            }
            Err(PutError::Stale(why)) => {
                self.attempt(entity, key, &[], &[], Some(&why));
                flight.pending = None;
                let reference = self.dss.intent(&self.http, entity).map_err(|e| Told::Not(e.to_string()))?;
                let Some(intent) = &mut flight.intent else { return Err(Told::Not(why)) };
                if intent.reference.ovn == reference.ovn {
                    self.kept(flight)?;
                    return Err(Told::Not(why));
                }
                intent.reference = reference;
                self.kept(flight)?;
                Err(Told::Again)
            }
            Err(PutError::Other(why)) => {
                self.attempt(entity, key, &[], &[], Some(&why.to_string()));
                // Refused outright: nothing has changed. Otherwise it is found out later what came of it.
                if why.status().is_some_and(|s| s < 500) || matches!(why, AskError::Token { .. }) {
                    flight.pending = None;
                    self.kept(flight)?;
                    return Err(Told::Not(why.to_string()));
                }
                match self.settle(flight) {
                    // It was taken, but whom to tell was lost with the answer: told once more, the DSS names them again.
                    Ok(true) => Err(Told::Again),
                    _ => Err(Told::Not(why.to_string())),
                }
            }
        }
    }

    fn intent_body(
        &self,
        flight: &Flight,
        wanted: &Wanted,
        details: &IntentDetails,
        key: &[String],
    ) -> (Value, &'static str) {
        let now = self.time();
        let extents: Vec<&Volume4> = details.all().filter(|v| is_ahead(v, now)).collect();
        let mut body = json!({
            "extents": extents, "key": key, "state": wanted.state, "uss_base_url": self.settings.base_url,
        });
        let subscription = flight.intent.as_ref().map(|i| i.reference.subscription_id.as_str());
        if let Some(id) = subscription.filter(|id| !wanted.state.is_nominal() && *id != NO_SUBSCRIPTION) {
            // The scope for what is not nominal does not make subscriptions.
            body["subscription_id"] = json!(id);
            return (body, CONFORMANCE);
        }
        let constraints = self.settings.constraints != ConstraintRule::Ignore;
        body["new_subscription"] =
            json!({ "uss_base_url": self.settings.base_url, "notify_for_constraints": constraints });
        match (wanted.state.is_nominal(), constraints) {
            (true, true) => (body, STRATEGIC_AND_CONSTRAINTS),
            (true, false) => (body, STRATEGIC),
            (false, _) => {
                body["new_subscription"]["notify_for_constraints"] = json!(false);
                (body, CONFORMANCE)
            }
        }
    }

    fn keep_and_notify(
        &self,
        flight: &Flight,
        subscribers: &[Subscriber],
        intent: &Value,
    ) -> Result<(), Told> {
        let entity = flight.intent.as_ref().map(|i| i.reference.id.clone()).unwrap_or_default();
        let kept = to(format!("flight/{}", flight.id), flight);
        self.with_notes(Kind::Intent, subscribers, &entity, intent, vec![kept]).map_err(Told::Not)?;
        self.state().put(flight.clone());
        self.told();
        Ok(())
    }

    /// Keeps a flight, in memory too, or forgets it when the DSS has never taken it and is not being asked.
    pub(crate) fn kept(&self, flight: &Flight) -> Result<(), Told> {
        let name = format!("flight/{}", flight.id);
        let is_nothing = flight.intent.is_none() && flight.pending.is_none();
        let change = if is_nothing { (name, None) } else { to(name, flight) };
        self.keep.change(vec![change]).map_err(|e| Told::Not(e.to_string()))?;
        if is_nothing {
            self.state().flights.remove(&flight.id);
        } else {
            self.state().put(flight.clone());
        }
        Ok(())
    }

    fn attempt(
        &self,
        entity: &str,
        key: &[String],
        intents: &[String],
        constraints: &[String],
        problem: Option<&str>,
    ) {
        let mut record = json!({
            "time": Time::at(self.now()), "ovns": key, "missing_operational_intents": intents,
            "missing_constraints": constraints, "operational_intent_id": entity,
        });
        if let Some(problem) = problem {
            record["problem"] = json!(problem);
        }
        self.logs.record(Record::PlanningAttempts { record });
    }
}

/// Where there is no subscription.
pub(crate) const NO_SUBSCRIPTION: &str = "00000000-0000-4000-8000-000000000000";

/// Why the DSS was not told.
pub(crate) enum Told {
    /// The airspace has changed: look again.
    Again,
    Not(String),
}

/// A new identifier.
pub(crate) fn new_id() -> Result<String, String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| format!("no random numbers: {e}"))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}
