//! The state, and what every command has in common.

use crate::shelf::{Placed, Shelf};
use crate::{
    Answer, Availability, Command, Constraint, Entry, Extent, Heartbeat, Id, Instance, Intent, Moment,
    Refusal, Report, RidSubscription, ServiceArea, Subscription, SubscriptionView, ToNotify, View,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The most subscriptions to service areas that one owner has in a cell (F3411, DSS0030).
pub const MAX_RID_SUBSCRIPTIONS: usize = 10;
/// The most bytes of reports that are kept; the oldest go first.
pub const MAX_REPORT_BYTES: usize = 16 << 20;
/// The most DSS instances whose heartbeats are kept.
pub const MAX_INSTANCES: usize = 100;
/// How much that has ended is put away with each command: a bound on the work of one.
const RETIRED_AT_ONCE: usize = 32;

/// What all machines of a pool must have alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long what has ended can still be asked for by its identifier, microseconds.
    pub retention: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { retention: 3600 * 1_000_000 }
    }
}

/// The airspace representation.
#[derive(Debug, Default)]
pub struct Machine {
    pub(crate) settings: Settings,
    pub(crate) now: Moment,
    pub(crate) intents: Shelf<Intent>,
    pub(crate) constraints: Shelf<Constraint>,
    pub(crate) subscriptions: Shelf<Subscription>,
    pub(crate) areas: Shelf<ServiceArea>,
    pub(crate) rid_subscriptions: Shelf<RidSubscription>,
    /// The intents that name a subscription.
    pub(crate) dependents: FxHashMap<Id, BTreeSet<Id>>,
    pub(crate) availabilities: BTreeMap<Arc<str>, (Arc<str>, Availability)>,
    pub(crate) reports: VecDeque<Arc<Report>>,
    pub(crate) report_bytes: usize,
    pub(crate) instances: BTreeMap<Arc<str>, Instance>,
}

/// Random texts and identifiers from an entry's nonce; no two share a byte of it.
pub(crate) struct Nonce<'a>(&'a Entry);

impl Nonce<'_> {
    pub(crate) fn ovn(&self) -> Arc<str> {
        URL_SAFE_NO_PAD.encode(&self.0.nonce[..24]).into()
    }

    pub(crate) fn id(&self) -> Id {
        let bytes = self.0.nonce[24..40].try_into().expect("sixteen bytes");
        Id(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Letters and digits of base 32 only, since clients put it into addresses.
    pub(crate) fn version(&self) -> Arc<str> {
        let number = u64::from_be_bytes(self.0.nonce[40..48].try_into().expect("eight bytes"));
        let digit =
            |k: u32| char::from(b"0123456789abcdefghijklmnopqrstuv"[(number >> (5 * k)) as usize & 31]);
        (0..13).map(digit).collect::<String>().into()
    }
}

impl Machine {
    /// An empty machine.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The latest time of all entries.
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Carries out a command, or refuses it and changes nothing.
    pub fn apply(&mut self, entry: &Entry) -> Answer {
        self.now = self.now.max(entry.at);
        self.retire();
        if self.now > entry.deadline {
            return Answer::Refused(Refusal::Late);
        }
        let nonce = Nonce(entry);
        let client = &entry.client;
        let done = match &entry.command {
            Command::PutIntent { .. } => self.put_intent(client, &entry.command, &nonce),
            Command::DeleteIntent { id, ovn } => self.delete_intent(client, *id, ovn),
            Command::PutConstraint { id, ovn, extent, url } => {
                self.put_constraint(client, *id, ovn.as_deref(), extent, url, &nonce)
            }
            Command::DeleteConstraint { id, ovn } => self.delete_constraint(client, *id, ovn),
            Command::PutSubscription { .. } => self.put_subscription(client, &entry.command, &nonce),
            Command::DeleteSubscription { id, version } => self.delete_subscription(client, *id, version),
            Command::SetAvailability { uss, old_version, availability } => {
                self.set_availability(uss, old_version, *availability, &nonce)
            }
            Command::Report { content } => Ok(self.file_report(entry, content, &nonce)),
            Command::PutServiceArea { id, version, window, url } => {
                self.put_area(client, *id, version.as_deref(), window, url, &nonce)
            }
            Command::DeleteServiceArea { id, version } => self.delete_area(client, *id, version),
            Command::PutRidSubscription { id, version, window, url } => {
                self.put_rid_subscription(client, *id, version.as_deref(), window, url, &nonce)
            }
            Command::DeleteRidSubscription { id, version } => {
                self.delete_rid_subscription(client, *id, version)
            }
            Command::Heartbeat { instance, endpoint, heartbeat } => {
                self.note_heartbeat(instance, endpoint.as_ref(), heartbeat)
            }
        };
        done.unwrap_or_else(Answer::Refused)
    }

    fn retire(&mut self) {
        let (now, most) = (self.now, RETIRED_AT_ONCE);
        let kept_from = now.later(-self.settings.retention);
        for id in self.intents.retire(now, kept_from, most) {
            self.drop_intent(id);
        }
        for id in self.subscriptions.retire(now, kept_from, most) {
            // One that a stored intent names stays as long as the intent.
            if !self.dependents.contains_key(&id) {
                self.subscriptions.remove(id);
            }
        }
        for id in self.constraints.retire(now, kept_from, most) {
            self.constraints.remove(id);
        }
        for id in self.areas.retire(now, kept_from, most) {
            self.areas.remove(id);
        }
        for id in self.rid_subscriptions.retire(now, kept_from, most) {
            self.rid_subscriptions.remove(id);
        }
    }

    /// Whether a service supplier answers, with the version of that statement (empty when nobody has said).
    pub fn availability(&self, uss: &str) -> (Arc<str>, Availability) {
        self.availabilities.get(uss).cloned().unwrap_or_else(|| ("".into(), Availability::Unknown))
    }

    fn set_availability(
        &mut self,
        uss: &Arc<str>,
        old_version: &str,
        availability: Availability,
        nonce: &Nonce<'_>,
    ) -> Result<Answer, Refusal> {
        let (current, _) = self.availability(uss);
        if *current != *old_version {
            let current = if current.is_empty() { "none".into() } else { format!("{current:?}") };
            return Err(Refusal::Conflict(format!(
                "the availability's old_version {old_version:?} is not the current one ({current})"
            )));
        }
        let version = nonce.version();
        self.availabilities.insert(uss.clone(), (version.clone(), availability));
        Ok(Answer::Availability { uss: uss.clone(), version, availability })
    }

    fn file_report(&mut self, entry: &Entry, content: &Arc<str>, nonce: &Nonce<'_>) -> Answer {
        let id = nonce.id();
        let report = Report { id, reporter: entry.client.clone(), at: entry.at, content: content.clone() };
        self.keep_report(report);
        Answer::Report { id }
    }

    pub(crate) fn keep_report(&mut self, report: Report) {
        self.report_bytes += report.content.len();
        self.reports.push_back(Arc::new(report));
        while self.report_bytes > MAX_REPORT_BYTES {
            let Some(oldest) = self.reports.pop_front() else { break };
            self.report_bytes -= oldest.content.len();
        }
    }

    fn note_heartbeat(
        &mut self,
        name: &Arc<str>,
        endpoint: Option<&Arc<str>>,
        heartbeat: &Heartbeat,
    ) -> Result<Answer, Refusal> {
        let known = self.instances.get(name);
        if known.is_none() && self.instances.len() >= MAX_INSTANCES {
            return Err(Refusal::TooMany(format!("the pool has {MAX_INSTANCES} instances already")));
        }
        let instance = Instance {
            name: name.clone(),
            endpoint: endpoint.cloned().or_else(|| known.and_then(|k| k.endpoint.clone())),
            heartbeats: known.map_or(0, |k| k.heartbeats).saturating_add(1),
            heartbeat: heartbeat.clone(),
        };
        self.instances.insert(name.clone(), instance);
        Ok(Answer::Heartbeat)
    }

    /// The DSS instances that have given a sign of life, by name.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values()
    }

    /// The newest reports, oldest first.
    pub fn reports(&self) -> impl Iterator<Item = &Arc<Report>> {
        self.reports.iter()
    }

    pub(crate) fn view<T: Managed>(&self, entity: &Arc<T>) -> View<T> {
        let availability = self.availability(entity.manager()).1;
        View { entity: entity.clone(), availability }
    }

    pub(crate) fn subscription_view(&self, subscription: &Arc<Subscription>) -> SubscriptionView {
        let dependents = self.dependents.get(&subscription.id);
        SubscriptionView {
            subscription: subscription.clone(),
            dependents: dependents.into_iter().flatten().copied().collect(),
        }
    }

    /// An intent by its identifier.
    pub fn intent(&self, id: Id) -> Option<View<Intent>> {
        self.intents.get(id).map(|intent| self.view(intent))
    }

    /// A constraint by its identifier.
    pub fn constraint(&self, id: Id) -> Option<View<Constraint>> {
        self.constraints.get(id).map(|constraint| self.view(constraint))
    }

    /// A subscription by its identifier.
    pub fn subscription(&self, id: Id) -> Option<SubscriptionView> {
        self.subscriptions.get(id).map(|subscription| self.subscription_view(subscription))
    }

    /// A service area by its identifier.
    pub fn service_area(&self, id: Id) -> Option<Arc<ServiceArea>> {
        self.areas.get(id).cloned()
    }

    /// A subscription to service areas by its identifier.
    pub fn rid_subscription(&self, id: Id) -> Option<Arc<RidSubscription>> {
        self.rid_subscriptions.get(id).cloned()
    }

    /// The intents that overlap and have not ended.
    pub fn find_intents(&self, extent: &Extent, now: Moment) -> Vec<View<Intent>> {
        self.intents.overlapping(extent, now.max(self.now)).map(|intent| self.view(intent)).collect()
    }

    /// The constraints that overlap and have not ended.
    pub fn find_constraints(&self, extent: &Extent, now: Moment) -> Vec<View<Constraint>> {
        self.constraints.overlapping(extent, now.max(self.now)).map(|found| self.view(found)).collect()
    }

    /// A client's subscriptions that overlap and have not ended.
    pub fn find_subscriptions(&self, manager: &str, extent: &Extent, now: Moment) -> Vec<SubscriptionView> {
        let found = self.subscriptions.overlapping(extent, now.max(self.now));
        found.filter(|s| *s.manager == *manager).map(|s| self.subscription_view(s)).collect()
    }

    /// The service areas that overlap and have not ended.
    pub fn find_service_areas(&self, extent: &Extent, now: Moment) -> Vec<Arc<ServiceArea>> {
        self.areas.overlapping(extent, now.max(self.now)).cloned().collect()
    }

    /// An owner's subscriptions to service areas that overlap and have not ended.
    pub fn find_rid_subscriptions(
        &self,
        owner: &str,
        extent: &Extent,
        now: Moment,
    ) -> Vec<Arc<RidSubscription>> {
        let found = self.rid_subscriptions.overlapping(extent, now.max(self.now));
        found.filter(|s| *s.owner == *owner).cloned().collect()
    }

    /// How many there are of each kind: intents, constraints, subscriptions, service areas, subscriptions to them.
    pub fn counts(&self) -> [(&'static str, usize); 5] {
        [
            ("operational_intents", self.intents.len()),
            ("constraints", self.constraints.len()),
            ("subscriptions", self.subscriptions.len()),
            ("identification_service_areas", self.areas.len()),
            ("rid_subscriptions", self.rid_subscriptions.len()),
        ]
    }
}

/// What has a manager.
pub(crate) trait Managed: Placed {
    fn manager(&self) -> &str;
}

impl Managed for Intent {
    fn manager(&self) -> &str {
        &self.manager
    }
}

impl Managed for Constraint {
    fn manager(&self) -> &str {
        &self.manager
    }
}

/// Subscriptions grouped by whom to notify.
pub(crate) fn grouped(found: impl IntoIterator<Item = (Arc<str>, Id, i32)>) -> Vec<ToNotify> {
    let mut by_url: BTreeMap<Arc<str>, Vec<(Id, i32)>> = BTreeMap::new();
    for (url, id, index) in found {
        by_url.entry(url).or_default().push((id, index));
    }
    by_url.into_iter().map(|(url, subscriptions)| ToNotify { url, subscriptions }).collect()
}
