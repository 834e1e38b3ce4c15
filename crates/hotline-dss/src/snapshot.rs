//! The state as a list of things, so that it can be written without holding the machine up, and built again.

use crate::machine::Machine;
use crate::{
    Availability, Constraint, Instance, Intent, Moment, Report, RidSubscription, ServiceArea, Settings,
    Subscription, codec,
};
use minicbor::{Decode, Encode};
use std::sync::Arc;

/// One thing of the state.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[allow(missing_docs)] // Each is the thing it is named for.
pub enum Item {
    #[n(0)]
    Now(#[n(0)] Moment),
    #[n(1)]
    Intent(#[cbor(n(0), with = "shared")] Arc<Intent>),
    #[n(2)]
    Constraint(#[cbor(n(0), with = "shared")] Arc<Constraint>),
    #[n(3)]
    Subscription(#[cbor(n(0), with = "shared")] Arc<Subscription>),
    #[n(4)]
    ServiceArea(#[cbor(n(0), with = "shared")] Arc<ServiceArea>),
    #[n(5)]
    RidSubscription(#[cbor(n(0), with = "shared")] Arc<RidSubscription>),
    #[n(6)]
    Availability(
        #[cbor(n(0), with = "codec::text")] Arc<str>,
        #[cbor(n(1), with = "codec::text")] Arc<str>,
        #[n(2)] Availability,
    ),
    #[n(7)]
    Report(#[cbor(n(0), with = "shared")] Arc<Report>),
    #[n(8)]
    Instance(#[n(0)] Instance),
}

mod shared {
    use minicbor::{Decode, Decoder, Encode, Encoder, encode::Write};
    use minicbor::{decode::Error as Unreadable, encode::Error as Unwritable};
    use std::sync::Arc;

    pub(super) fn encode<C, T: Encode<C>, W: Write>(
        value: &Arc<T>,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), Unwritable<W::Error>> {
        T::encode(value, e, context)
    }

    pub(super) fn decode<'b, C, T: Decode<'b, C>>(
        d: &mut Decoder<'b>,
        context: &mut C,
    ) -> Result<Arc<T>, Unreadable> {
        T::decode(d, context).map(Arc::new)
    }
}

impl Machine {
    /// Everything there is. Entities are shared, not copied.
    pub fn items(&self) -> Vec<Item> {
        let mut items = vec![Item::Now(self.now())];
        items.extend(self.subscriptions.all().cloned().map(Item::Subscription));
        items.extend(self.intents.all().cloned().map(Item::Intent));
        items.extend(self.constraints.all().cloned().map(Item::Constraint));
        items.extend(self.areas.all().cloned().map(Item::ServiceArea));
        items.extend(self.rid_subscriptions.all().cloned().map(Item::RidSubscription));
        let availabilities = self.availabilities.iter();
        items.extend(availabilities.map(|(uss, (v, a))| Item::Availability(uss.clone(), v.clone(), *a)));
        items.extend(self.reports.iter().cloned().map(Item::Report));
        items.extend(self.instances.values().cloned().map(Item::Instance));
        items
    }

    /// A machine with what was there.
    pub fn from_items(settings: Settings, items: impl IntoIterator<Item = Item>) -> Self {
        let mut machine = Self::new(settings);
        items.into_iter().for_each(|item| machine.restore(item));
        machine
    }

    /// Puts one thing back.
    pub fn restore(&mut self, item: Item) {
        match item {
            Item::Now(now) => self.now = now,
            Item::Intent(intent) => {
                if let Some(subscription) = intent.subscription {
                    self.dependents.entry(subscription).or_default().insert(intent.id);
                }
                self.intents.put(intent);
            }
            Item::Constraint(constraint) => self.constraints.put(constraint),
            Item::Subscription(subscription) => self.subscriptions.put(subscription),
            Item::ServiceArea(area) => self.areas.put(area),
            Item::RidSubscription(subscription) => self.rid_subscriptions.put(subscription),
            Item::Availability(uss, version, availability) => {
                self.availabilities.insert(uss, (version, availability));
            }
            Item::Report(report) => self.keep_report(Report::clone(&report)),
            Item::Instance(instance) => {
                self.instances.insert(instance.name.clone(), instance);
            }
        }
    }
}
