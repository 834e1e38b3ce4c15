//! Identification service areas and subscriptions to them (F3411, both editions over one store).

use crate::intents::{current, existing};
use crate::machine::{Machine, Nonce, grouped};
use crate::{
    Answer, Extent, Id, MAX_RID_SUBSCRIPTIONS, Moment, Refusal, RidSubscription, ServiceArea, ToNotify,
    Window,
};
use hotline_airspace::Cell;
use std::sync::Arc;

impl Machine {
    pub(crate) fn put_area(
        &mut self,
        client: &Arc<str>,
        id: Id,
        version: Option<&str>,
        window: &Window,
        url: &Arc<str>,
        nonce: &Nonce<'_>,
    ) -> Result<Answer, Refusal> {
        let old = self.areas.get(id).cloned();
        let old = current(AREA, id, version, client, old, |a| (&a.owner, &a.version))?;
        let before = old.as_ref().map(|o| &o.extent);
        let start = self.start_of(window, before)?;
        let end = window.end.or(before.map(|o| o.end));
        let end = end.ok_or_else(|| Refusal::Invalid("a service area needs an end time".into()))?;
        let extent = self.placed(window, start, end)?;
        let area = Arc::new(ServiceArea {
            id,
            owner: client.clone(),
            version: nonce.version(),
            extent,
            url: url.clone(),
        });
        self.areas.put(area.clone());
        let subscribers = self.notify_of_area(before, Some(&area.extent));
        Ok(Answer::ServiceArea { area, subscribers })
    }

    pub(crate) fn delete_area(
        &mut self,
        client: &Arc<str>,
        id: Id,
        version: &str,
    ) -> Result<Answer, Refusal> {
        let old = self.areas.get(id).cloned();
        let area = existing(AREA, id, version, client, old, |a| (&a.owner, &a.version))?;
        self.areas.remove(id);
        let subscribers = self.notify_of_area(Some(&area.extent), None);
        Ok(Answer::ServiceArea { area, subscribers })
    }

    pub(crate) fn put_rid_subscription(
        &mut self,
        client: &Arc<str>,
        id: Id,
        version: Option<&str>,
        window: &Window,
        url: &Arc<str>,
        nonce: &Nonce<'_>,
    ) -> Result<Answer, Refusal> {
        let old = self.rid_subscriptions.get(id).cloned();
        let old = current("subscription", id, version, client, old, |s| (&s.owner, &s.version))?;
        let extent = self.subscription_extent(window, old.as_ref().map(|o| &o.extent))?;
        self.not_too_many(client, id, &extent)?;
        let subscription = Arc::new(RidSubscription {
            id,
            owner: client.clone(),
            version: nonce.version(),
            index: old.map_or(0, |o| o.index),
            extent,
            url: url.clone(),
        });
        self.rid_subscriptions.put(subscription.clone());
        let wanted = Extent { start: Moment::MIN, end: Moment::MAX, ..in_cells(&subscription.extent) };
        let areas = self.find_service_areas(&wanted, self.now());
        Ok(Answer::RidSubscription { subscription, areas })
    }

    pub(crate) fn delete_rid_subscription(
        &mut self,
        client: &Arc<str>,
        id: Id,
        version: &str,
    ) -> Result<Answer, Refusal> {
        let old = self.rid_subscriptions.get(id).cloned();
        let subscription = existing("subscription", id, version, client, old, |s| (&s.owner, &s.version))?;
        self.rid_subscriptions.remove(id);
        Ok(Answer::RidSubscription { subscription, areas: Vec::new() })
    }

    fn not_too_many(&self, client: &Arc<str>, id: Id, extent: &Extent) -> Result<(), Refusal> {
        let everywhere = in_cells(extent);
        let others: Vec<&Arc<RidSubscription>> = self
            .rid_subscriptions
            .overlapping(&everywhere, self.now())
            .filter(|s| s.owner == *client && s.id != id)
            .collect();
        if others.len() < MAX_RID_SUBSCRIPTIONS {
            return Ok(());
        }
        let has = |cell: &Cell, s: &RidSubscription| s.extent.cells.binary_search(cell).is_ok();
        let full = |cell: &&Cell| others.iter().filter(|s| has(cell, s)).count() >= MAX_RID_SUBSCRIPTIONS;
        if extent.cells.iter().find(full).is_none() {
            return Ok(());
        }
        let why =
            format!("{client} has {MAX_RID_SUBSCRIPTIONS} subscriptions in a part of this area already");
        Err(Refusal::TooMany(why))
    }

    /// Counts a notification for every subscription in the cells, whatever its altitudes: flights of a service area may be
    /// anywhere in its cells.
    fn notify_of_area(&mut self, before: Option<&Extent>, after: Option<&Extent>) -> Vec<ToNotify> {
        let now = self.now();
        let mut touched: Vec<Id> = Vec::new();
        for extent in [before, after].into_iter().flatten() {
            touched.extend(self.rid_subscriptions.overlapping(&in_cells(extent), now).map(|s| s.id));
        }
        touched.sort_unstable();
        touched.dedup();
        let mut told = Vec::with_capacity(touched.len());
        for id in touched {
            self.rid_subscriptions.change(id, |s| {
                s.index = s.index.saturating_add(1);
                told.push((s.url.clone(), id, s.index));
            });
        }
        grouped(told)
    }
}

const AREA: &str = "identification service area";

fn in_cells(extent: &Extent) -> Extent {
    Extent {
        cells: extent.cells.clone(),
        lower: f64::NEG_INFINITY,
        upper: f64::INFINITY,
        start: Moment::MIN,
        end: Moment::MAX,
    }
}
