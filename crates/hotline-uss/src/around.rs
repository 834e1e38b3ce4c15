//! What is around a plan: intents and constraints of others with their details, gathered from the DSS and from the suppliers
//! that manage them. Their version tokens are the key that the DSS asks for.

use crate::Uss;
use crate::http::AskError;
use crate::rules::{Details, Other};
use crate::uss::{ConstraintRule, MAX_KNOWN};
use crate::volumes::{self, exact_all};
use crate::wire::{
    Availability, Constraint, ConstraintReference, Exchange, Intent, IntentReference, Time, Volume4,
};
use hotline_utm::scopes::{CONSTRAINT_PROCESSING, STRATEGIC};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How many suppliers or areas are asked at a time.
const AT_ONCE: usize = 8;

/// What is around.
pub(crate) struct Around {
    pub(crate) others: Vec<Other>,
    pub(crate) constraints: Vec<(Constraint, Vec<hotline_airspace::Volume4>)>,
    pub(crate) key: Vec<String>,
}

#[derive(Deserialize)]
struct IntentAnswer {
    operational_intent: Intent,
}

#[derive(Deserialize)]
struct ConstraintAnswer {
    constraint: Constraint,
}

/// Does something for each, some at a time; the first error ends it.
pub(crate) fn each<T: Sync, R: Send, E: Send>(
    all: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let mut done = Vec::with_capacity(all.len());
    for some in all.chunks(AT_ONCE) {
        let results: Vec<Result<R, E>> = match some {
            [one] => vec![work(one)],
            some => std::thread::scope(|scope| {
                let started: Vec<_> = some.iter().map(|one| scope.spawn(|| work(one))).collect();
                started.into_iter().map(|s| s.join().expect("asking does not panic")).collect()
            }),
        };
        for result in results {
            done.push(result?);
        }
    }
    Ok(done)
}

fn merged<R>(found: Vec<Vec<R>>, id: impl Fn(&R) -> String) -> Vec<R> {
    found.into_iter().flatten().map(|r| (id(&r), r)).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Whether details are those of a reference and can be used.
pub(crate) fn check_intent(intent: &Intent) -> Result<Vec<hotline_airspace::Volume4>, String> {
    if intent.reference.ovn.as_deref().is_none_or(str::is_empty) {
        return Err("its reference has no ovn".into());
    }
    let (inside, outside) = (intent.details.volumes.len(), intent.details.off_nominal_volumes.len());
    if intent.reference.state.is_nominal() && (inside == 0 || outside > 0) {
        return Err(format!(
            "an intent in {:?} has volumes and no off_nominal_volumes, not {inside} and {outside}",
            intent.reference.state
        ));
    }
    if !intent.reference.state.is_nominal() && outside == 0 {
        return Err(format!("an intent in {:?} has off_nominal_volumes", intent.reference.state));
    }
    exact_all(intent.details.all())
}

impl Uss {
    /// Everything around these volumes but the intent `own`.
    pub(crate) fn around(&self, areas: &[Volume4], own: &str) -> Result<Around, AskError> {
        let found = each(areas, |area| self.dss.intents(&self.http, area))?;
        let references: Vec<IntentReference> =
            merged(found, |r| r.id.clone()).into_iter().filter(|r| r.id != own).collect();
        let mut around = Around { others: Vec::new(), constraints: Vec::new(), key: Vec::new() };
        for (other, ovn) in each(&references, |reference| self.details_of(reference))? {
            around.others.push(other);
            around.key.extend(ovn);
        }
        if self.settings.constraints != ConstraintRule::Ignore {
            let found = each(areas, |area| self.dss.constraints(&self.http, area))?;
            let references = merged(found, |r: &ConstraintReference| r.id.clone());
            for (constraint, volumes) in each(&references, |reference| self.constraint_of(reference))? {
                around.key.extend(constraint.reference.ovn.clone());
                around.constraints.push((constraint, volumes));
            }
        }
        Ok(around)
    }

    /// Forgets what turned out to be old.
    pub(crate) fn forget(&self, intents: &[String], constraints: &[String]) {
        let mut state = self.state();
        intents.iter().for_each(|id| _ = state.intents_known.remove(id));
        constraints.iter().for_each(|id| _ = state.constraints_known.remove(id));
    }

    fn details_of(&self, reference: &IntentReference) -> Result<(Other, Option<String>), AskError> {
        let other = |details| Other {
            id: reference.id.clone(),
            manager: reference.manager.clone(),
            state: reference.state,
            details,
        };
        match self.intent_details(reference) {
            Ok((intent, volumes)) => {
                let priority = intent.details.priority;
                Ok((other(Details::Known { priority, volumes }), intent.reference.ovn))
            }
            Err(_) if reference.uss_availability == Availability::Down => Ok((other(Details::Lost), None)),
            Err(why) => Err(why),
        }
    }

    /// An intent with its details: an own one, a known one, or asked for.
    pub(crate) fn intent_details(
        &self,
        reference: &IntentReference,
    ) -> Result<(Intent, Vec<hotline_airspace::Volume4>), AskError> {
        let url = format!(
            "{}/uss/v1/operational_intents/{}",
            reference.uss_base_url.trim_end_matches('/'),
            reference.id
        );
        let known = {
            let state = self.state();
            let mut own = state.flights.values().filter_map(|f| f.intent.as_ref());
            let own = own.find(|i| i.reference.id == reference.id).cloned();
            let known = state.intents_known.get(&reference.id);
            own.or_else(|| known.filter(|i| i.reference.version == reference.version).cloned())
        };
        let (intent, is_new) = match known {
            Some(intent) => (intent, false),
            None => {
                let answer: IntentAnswer = self.http.must("GET", &url, STRATEGIC, None)?;
                (answer.operational_intent, true)
            }
        };
        let wrong = |why: String| AskError::Unreadable { url: url.clone(), why };
        if intent.reference.id != reference.id || intent.reference.manager != reference.manager {
            let why = wrong(format!(
                "it is the intent {} of {}, where the DSS has {} of {}",
                intent.reference.id, intent.reference.manager, reference.id, reference.manager
            ));
            self.report(&url, &why);
            return Err(why);
        }
        let volumes = check_intent(&intent).map_err(|why| {
            let why = wrong(why);
            self.report(&url, &why);
            why
        })?;
        if is_new {
            self.know_intent(intent.clone());
        }
        Ok((intent, volumes))
    }

    pub(crate) fn constraint_of(
        &self,
        reference: &ConstraintReference,
    ) -> Result<(Constraint, Vec<hotline_airspace::Volume4>), AskError> {
        let url =
            format!("{}/uss/v1/constraints/{}", reference.uss_base_url.trim_end_matches('/'), reference.id);
        let known = {
            let state = self.state();
            let own = state.constraints.get(&reference.id).and_then(|c| c.constraint.clone());
            let known = state.constraints_known.get(&reference.id);
            own.or_else(|| known.filter(|c| c.reference.version == reference.version).cloned())
        };
        let (constraint, is_new) = match known {
            Some(constraint) => (constraint, false),
            None => {
                let answer: ConstraintAnswer = self.http.must("GET", &url, CONSTRAINT_PROCESSING, None)?;
                (answer.constraint, true)
            }
        };
        let volumes = exact_all(&constraint.details.volumes).map_err(|why| {
            let why = AskError::Unreadable { url: url.clone(), why };
            self.report(&url, &why);
            why
        })?;
        if is_new {
            self.know_constraint(constraint.clone());
        }
        Ok((constraint, volumes))
    }

    /// Remembers an intent of somebody else.
    pub(crate) fn know_intent(&self, intent: Intent) {
        let mut state = self.state();
        if state.intents_known.len() >= MAX_KNOWN {
            let ends = |i: &Intent| i.reference.time_end.instant().map_or(i64::MIN, |at| at.micros());
            let first = state.intents_known.values().min_by_key(|i| ends(i)).map(|i| i.reference.id.clone());
            first.iter().for_each(|id| _ = state.intents_known.remove(id));
        }
        state.intents_known.insert(intent.reference.id.clone(), intent.clone());
        drop(state);
        if intent.reference.manager != self.settings.name {
            self.told();
        }
    }

    /// Remembers a constraint of somebody else.
    pub(crate) fn know_constraint(&self, constraint: Constraint) {
        let mut state = self.state();
        if state.constraints_known.len() >= MAX_KNOWN {
            let ends = |c: &Constraint| c.reference.time_end.instant().map_or(i64::MIN, |at| at.micros());
            let first =
                state.constraints_known.values().min_by_key(|c| ends(c)).map(|c| c.reference.id.clone());
            first.iter().for_each(|id| _ = state.constraints_known.remove(id));
        }
        state.constraints_known.insert(constraint.reference.id.clone(), constraint.clone());
        drop(state);
        if constraint.reference.manager != self.settings.name {
            self.told();
        }
    }

    /// Tells the DSS that a supplier answers what the standard does not allow.
    fn report(&self, url: &str, why: &AskError) {
        tracing::warn!("{why}");
        let now = Time::at(self.now());
        let exchange = Exchange {
            url: url.into(),
            method: "GET".into(),
            headers: vec![],
            recorder_role: "Client".into(),
            request_source: self.settings.name.clone(),
            request_time: now.clone(),
            request_body: String::new(),
            response_time: Some(now),
            response_body: String::new(),
            response_code: 200,
            problem: Some(why.to_string()),
        };
        let reported: Result<Value, AskError> = self.dss.report(&self.http, &json!({ "exchange": exchange }));
        if let Err(why) = reported {
            tracing::warn!("the report was not taken: {why}");
        }
    }
}

/// The areas to ask the DSS about: the volumes themselves.
pub(crate) fn areas<'a>(details: impl Iterator<Item = &'a Volume4>) -> Vec<Volume4> {
    let mut areas: Vec<Volume4> = Vec::new();
    for volume in details {
        if !areas.contains(volume) {
            areas.push(volume.clone());
        }
    }
    areas
}

/// Whether a volume ends in the future.
pub(crate) fn is_ahead(volume: &Volume4, now: jiff::Timestamp) -> bool {
    volumes::instant(volume.time_end.as_ref(), "time_end").is_ok_and(|end| end > now)
}
