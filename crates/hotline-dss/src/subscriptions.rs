//! Subscriptions to intents and constraints, and the times that all subscriptions have in common.

use crate::intents::{current, existing};
use crate::machine::{Machine, Nonce};
use crate::{
    Answer, Command, Extent, Id, MAX_START_AGE, MAX_SUBSCRIPTION, Moment, Refusal, Subscription, Window,
};
use std::sync::Arc;

impl Machine {
    pub(crate) fn put_subscription(
        &mut self,
        client: &Arc<str>,
        command: &Command,
        nonce: &Nonce<'_>,
    ) -> Result<Answer, Refusal> {
        let Command::PutSubscription { id, version, window, url, for_intents, for_constraints } = command
        else {
            unreachable!("the caller matched the command")
        };
        if !for_intents && !for_constraints {
            let why = "a subscription must ask for operational intents or for constraints";
            return Err(Refusal::Invalid(why.into()));
        }
        let old = self.subscriptions.get(*id).cloned();
        let old =
            current("subscription", *id, version.as_deref(), client, old, |s| (&s.manager, &s.version))?;
        let extent = self.subscription_extent(window, old.as_ref().map(|o| &o.extent))?;
        for intent in self.dependents.get(id).into_iter().flatten() {
            let needed = self.intents.get(*intent).map(|i| &i.extent);
            // Its start is left out: a subscription may not begin long ago, an intent that flies may have.
            let from = extent.start.max(self.now());
            if !for_intents || needed.is_some_and(|needed| !extent.covers(needed, from)) {
                return Err(Refusal::Invalid(format!(
                    "operational intent {intent} depends on subscription {id}, which would no longer cover it"
                )));
            }
        }
        let subscription = Arc::new(Subscription {
            id: *id,
            manager: client.clone(),
            version: nonce.version(),
            index: old.as_ref().map_or(0, |o| o.index),
            extent,
            url: url.clone(),
            for_intents: *for_intents,
            for_constraints: *for_constraints,
            implicit: old.is_some_and(|o| o.implicit),
        });
        self.subscriptions.put(subscription.clone());
        let (extent, now) = (&subscription.extent, self.now());
        Ok(Answer::Subscription {
            subscription: self.subscription_view(&subscription),
            intents: if *for_intents { self.find_intents(extent, now) } else { Vec::new() },
            constraints: if *for_constraints { self.find_constraints(extent, now) } else { Vec::new() },
        })
    }

    pub(crate) fn delete_subscription(
        &mut self,
        client: &Arc<str>,
        id: Id,
        version: &str,
    ) -> Result<Answer, Refusal> {
        let old = self.subscriptions.get(id).cloned();
        let old = existing("subscription", id, version, client, old, |s| (&s.manager, &s.version))?;
        let subscription = self.subscription_view(&old);
        if let [intent, ..] = subscription.dependents[..] {
            return Err(Refusal::Invalid(format!(
                "subscription {id} cannot be deleted: operational intent {intent} depends on it"
            )));
        }
        self.subscriptions.remove(id);
        Ok(Answer::Subscription { subscription, intents: Vec::new(), constraints: Vec::new() })
    }

    /// The extent of a subscription: from now, or from when the old one began, for a day, where nothing else is said.
    pub(crate) fn subscription_extent(
        &self,
        window: &Window,
        old: Option<&Extent>,
    ) -> Result<Extent, Refusal> {
        let start = self.start_of(window, old)?;
        let end = window.end.or(old.map(|o| o.end)).unwrap_or(start.later(MAX_SUBSCRIPTION));
        if end.since(start) > MAX_SUBSCRIPTION {
            return Err(Refusal::Invalid("a subscription may last 24 hours at most".into()));
        }
        self.placed(window, start, end)
    }

    pub(crate) fn start_of(&self, window: &Window, old: Option<&Extent>) -> Result<Moment, Refusal> {
        match window.start {
            Some(start) if self.now().since(start) > MAX_START_AGE => {
                Err(Refusal::Invalid("the start time lies more than five minutes in the past".into()))
            }
            Some(start) => Ok(start),
            None => Ok(old.map_or(self.now(), |o| o.start)),
        }
    }

    pub(crate) fn placed(&self, window: &Window, start: Moment, end: Moment) -> Result<Extent, Refusal> {
        if end <= start {
            return Err(Refusal::Invalid("the end time must be after the start time".into()));
        }
        if end < self.now() {
            return Err(Refusal::Invalid("the end time lies in the past".into()));
        }
        Ok(Extent { cells: window.cells.clone(), lower: window.lower, upper: window.upper, start, end })
    }
}
