//! Operational intents and constraints.

use crate::machine::{Machine, Nonce, grouped};
use crate::{
    Answer, Availability, Command, Constraint, Extent, Id, Intent, IntentState, NewSubscription, Refusal,
    Subscription, SubscriptionChoice, ToNotify,
};
use std::sync::Arc;

/// Which changes a subscription is told of.
#[derive(Clone, Copy)]
enum Of {
    Intents,
    Constraints,
}

impl Machine {
    pub(crate) fn put_intent(
        &mut self,
        client: &Arc<str>,
        command: &Command,
        nonce: &Nonce<'_>,
    ) -> Result<Answer, Refusal> {
        let Command::PutIntent { id, ovn, extent, key, state, url, subscription, requested_ovn } = command
        else {
            unreachable!("the caller matched the command")
        };
        let old = self.intents.get(*id).cloned();
        let old = current("operational intent", *id, ovn.as_deref(), client, old, |i| (&i.manager, &i.ovn))?;
        if old.is_none() && *state != IntentState::Accepted {
            let why = format!("an operational intent is created as Accepted, not as {state:?}");
            return Err(Refusal::Invalid(why));
        }
        self.not_past(extent)?;
        if state.is_nominal() {
            self.not_down(client, "put an operational intent into Accepted or Activated")?;
        }
        let attached = self.choose(client, subscription, *state, extent, nonce)?;
        if state.is_nominal() {
            self.check_key(*id, extent, key, attached.as_ref().is_some_and(|s| s.for_constraints))?;
        }

        // Nothing is refused from here on.
        let attached = attached.map(|subscription| {
            let id = subscription.id;
            self.subscriptions.put(Arc::new(subscription));
            id
        });
        let intent = Arc::new(Intent {
            id: *id,
            manager: client.clone(),
            version: old.as_ref().map_or(1, |old| old.version.saturating_add(1)),
            state: *state,
            ovn: requested_ovn.clone().unwrap_or_else(|| nonce.ovn()),
            extent: extent.clone(),
            url: url.clone(),
            subscription: attached,
        });
        if let Some(old) = &old {
            self.release(old, attached);
        }
        if let Some(subscription) = attached {
            self.dependents.entry(subscription).or_default().insert(*id);
        }
        self.intents.put(intent.clone());
        let subscribers = self.notify(Of::Intents, old.as_ref().map(|o| &o.extent), Some(extent));
        Ok(Answer::Intent { intent: self.view(&intent), subscribers })
    }

    pub(crate) fn delete_intent(&mut self, client: &Arc<str>, id: Id, ovn: &str) -> Result<Answer, Refusal> {
        let old = self.intents.get(id).cloned();
        let old = existing("operational intent", id, ovn, client, old, |i| (&i.manager, &i.ovn))?;
        self.not_down(client, "delete an operational intent")?;
        let subscribers = self.notify(Of::Intents, Some(&old.extent), None);
        let intent = self.view(&old);
        self.drop_intent(id);
        Ok(Answer::Intent { intent, subscribers })
    }

    /// Removes an intent, and the subscription that came with it when it serves nothing else.
    pub(crate) fn drop_intent(&mut self, id: Id) {
        if let Some(old) = self.intents.remove(id) {
            self.release(&old, None);
        }
    }

    fn release(&mut self, old: &Intent, kept: Option<Id>) {
        let Some(subscription) = old.subscription.filter(|&s| Some(s) != kept) else { return };
        let Some(dependents) = self.dependents.get_mut(&subscription) else { return };
        dependents.remove(&old.id);
        if dependents.is_empty() {
            self.dependents.remove(&subscription);
            if self.subscriptions.get(subscription).is_some_and(|s| s.implicit) {
                self.subscriptions.remove(subscription);
            }
        }
    }

    /// The subscription an intent is to have, as it will be.
    fn choose(
        &self,
        client: &Arc<str>,
        choice: &SubscriptionChoice,
        state: IntentState,
        extent: &Extent,
        nonce: &Nonce<'_>,
    ) -> Result<Option<Subscription>, Refusal> {
        match choice {
            SubscriptionChoice::None if state == IntentState::Accepted => Ok(None),
            SubscriptionChoice::None => Err(Refusal::Invalid(format!(
                "an operational intent that is {state:?} needs a subscription: give subscription_id or new_subscription"
            ))),
            SubscriptionChoice::New(NewSubscription { url, for_constraints }) => Ok(Some(Subscription {
                id: nonce.id(),
                manager: client.clone(),
                version: nonce.version(),
                index: 0,
                extent: extent.clone(),
                url: url.clone(),
                for_intents: true,
                for_constraints: *for_constraints,
                implicit: true,
            })),
            SubscriptionChoice::Existing(id) => {
                let invalid = |why: &str| Refusal::Invalid(format!("subscription {id} {why}"));
                let found = self.subscriptions.get(*id).ok_or_else(|| invalid("does not exist"))?;
                if found.manager != *client {
                    return Err(invalid("belongs to another client"));
                }
                if !found.for_intents {
                    return Err(invalid("does not notify of operational intents"));
                }
                if found.extent.covers(extent, self.now()) {
                    return Ok(Some(Subscription::clone(found)));
                }
                if !found.implicit {
                    return Err(invalid("does not cover the operational intent's area, altitudes and times"));
                }
                let whole = found.extent.union(extent).ok_or_else(|| invalid("would have too many cells"))?;
                Ok(Some(Subscription { extent: whole, ..Subscription::clone(found) }))
            }
        }
    }

    /// That the key holds the version of everything that overlaps and itself needs one.
    fn check_key(
        &self,
        id: Id,
        extent: &Extent,
        key: &[Arc<str>],
        constraints_too: bool,
    ) -> Result<(), Refusal> {
        let mut held: Vec<&str> = key.iter().map(|ovn| &**ovn).collect();
        held.sort_unstable();
        let lacks = |ovn: &Arc<str>| held.binary_search(&&**ovn).is_err();
        // What is Accepted by a supplier that is down can neither be flown nor asked for.
        let asks = |intent: &Intent| match intent.state {
            IntentState::Accepted => self.availability(&intent.manager).1 != Availability::Down,
            state => state.is_nominal(),
        };
        let relevant = self.intents.overlapping(extent, self.now());
        let intents: Vec<_> =
            relevant.filter(|i| i.id != id && lacks(&i.ovn) && asks(i)).map(|i| self.view(i)).collect();
        let constraints: Vec<_> = if constraints_too {
            let relevant = self.constraints.overlapping(extent, self.now());
            relevant.filter(|c| lacks(&c.ovn)).map(|c| self.view(c)).collect()
        } else {
            Vec::new()
        };
        if intents.is_empty() && constraints.is_empty() {
            return Ok(());
        }
        Err(Refusal::MissingKey { intents, constraints })
    }

    fn not_down(&self, client: &str, what: &str) -> Result<(), Refusal> {
        if self.availability(client).1 != Availability::Down {
            return Ok(());
        }
        let why =
            format!("{client} is marked as Down and may not {what}; availability arbitration restores it");
        Err(Refusal::UssDown(why))
    }

    fn not_past(&self, extent: &Extent) -> Result<(), Refusal> {
        if extent.end >= self.now() {
            return Ok(());
        }
        Err(Refusal::Invalid("the end time lies in the past".into()))
    }

    pub(crate) fn put_constraint(
        &mut self,
        client: &Arc<str>,
        id: Id,
        ovn: Option<&str>,
        extent: &Extent,
        url: &Arc<str>,
        nonce: &Nonce<'_>,
    ) -> Result<Answer, Refusal> {
        let old = self.constraints.get(id).cloned();
        let old = current("constraint", id, ovn, client, old, |c| (&c.manager, &c.ovn))?;
        self.not_past(extent)?;
        let constraint = Arc::new(Constraint {
            id,
            manager: client.clone(),
            version: old.as_ref().map_or(1, |old| old.version.saturating_add(1)),
            ovn: nonce.ovn(),
            extent: extent.clone(),
            url: url.clone(),
        });
        self.constraints.put(constraint.clone());
        let subscribers = self.notify(Of::Constraints, old.as_ref().map(|o| &o.extent), Some(extent));
        Ok(Answer::Constraint { constraint: self.view(&constraint), subscribers })
    }

    pub(crate) fn delete_constraint(
        &mut self,
        client: &Arc<str>,
        id: Id,
        ovn: &str,
    ) -> Result<Answer, Refusal> {
        let old = self.constraints.get(id).cloned();
        let old = existing("constraint", id, ovn, client, old, |c| (&c.manager, &c.ovn))?;
        self.constraints.remove(id);
        let subscribers = self.notify(Of::Constraints, Some(&old.extent), None);
        Ok(Answer::Constraint { constraint: self.view(&old), subscribers })
    }

    /// Counts a notification for every subscription that overlaps the extent before or after the change.
    fn notify(&mut self, of: Of, before: Option<&Extent>, after: Option<&Extent>) -> Vec<ToNotify> {
        let now = self.now();
        let mut touched: Vec<Id> = Vec::new();
        for extent in [before, after].into_iter().flatten() {
            let found = self.subscriptions.overlapping(extent, now);
            let wanted = found.filter(|s| match of {
                Of::Intents => s.for_intents,
                Of::Constraints => s.for_constraints,
            });
            touched.extend(wanted.map(|s| s.id));
        }
        touched.sort_unstable();
        touched.dedup();
        let mut told = Vec::with_capacity(touched.len());
        for id in touched {
            self.subscriptions.change(id, |s| {
                s.index = s.index.saturating_add(1);
                told.push((s.url.clone(), id, s.index));
            });
        }
        grouped(told)
    }
}

/// The entity that a version is of: none when it is to be created and there is none.
pub(crate) fn current<E>(
    what: &str,
    id: Id,
    version: Option<&str>,
    client: &Arc<str>,
    old: Option<Arc<E>>,
    of: impl Fn(&E) -> (&Arc<str>, &Arc<str>),
) -> Result<Option<Arc<E>>, Refusal> {
    let Some(old) = old else {
        let none =
            |v| Refusal::Invalid(format!("there is no {what} {id}, so none of version {v:?} to change"));
        return version.map_or(Ok(None), |v| Err(none(v)));
    };
    let (owner, now) = of(&old);
    if owner != client {
        return Err(Refusal::Forbidden(format!("{what} {id} belongs to another client")));
    }
    match version {
        None => Err(Refusal::Conflict(format!("{what} {id} exists already; give its version to change it"))),
        Some(version) if *version == **now => Ok(Some(old)),
        Some(version) => {
            Err(Refusal::Conflict(format!("{version:?} is not the current version of {what} {id}")))
        }
    }
}

/// The entity that is to be removed.
pub(crate) fn existing<E>(
    what: &str,
    id: Id,
    version: &str,
    client: &Arc<str>,
    old: Option<Arc<E>>,
    of: impl Fn(&E) -> (&Arc<str>, &Arc<str>),
) -> Result<Arc<E>, Refusal> {
    let none = || Refusal::NotFound(format!("there is no {what} {id}"));
    if old.is_none() {
        return Err(none());
    }
    current(what, id, Some(version), client, old, of)?.ok_or_else(none)
}
