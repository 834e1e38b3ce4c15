//! Notifications to other suppliers: durable with the change they tell of, sent in order to each, tried again with growing
//! pauses.

use crate::Uss;
use crate::keep::{Change, to};
use crate::remote_id::Edition;
use crate::wire::Subscriber;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The pause after a first failure; it doubles with each further one.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A notification that could not be told for so long is given up, and recorded as such: the standard's reader asks the
/// DSS before each plan, so that nothing rests on it alone.
pub const GIVEN_UP_AFTER: i64 = 3_600 * 1_000_000;
/// To how many suppliers notifications go at a time.
const AT_ONCE: usize = 16;
/// The most notifications that wait; beyond it the oldest is given up.
const MAX_WAITING: usize = 50_000;

/// Of what a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Intent,
    Constraint,
    ServiceArea,
    /// Of the edition of 2019: its subscribers give the whole URL.
    ServiceArea19,
}

impl Kind {
    /// The names of an identifier and of the entity itself in a notification.
    const fn fields(self) -> (Option<&'static str>, &'static str) {
        match self {
            Self::Intent => (Some("operational_intent_id"), "operational_intent"),
            Self::Constraint => (Some("constraint_id"), "constraint"),
            Self::ServiceArea | Self::ServiceArea19 => (None, "service_area"),
        }
    }

    const fn scope(self) -> &'static str {
        match self {
            Self::Intent => hotline_utm::scopes::STRATEGIC,
            Self::Constraint => hotline_utm::scopes::CONSTRAINT_MANAGEMENT,
            Self::ServiceArea => Edition::Of2022.service(),
            Self::ServiceArea19 => Edition::Of2019.service(),
        }
    }
}

/// A notification to one supplier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    url: String,
    kind: Kind,
    id: String,
    body: Value,
    since: i64,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    notes: BTreeMap<u64, Note>,
    /// Suppliers that are being told.
    busy: HashSet<String>,
    /// Failures in a row, and when it is tried again.
    pauses: HashMap<String, (u32, Instant)>,
}

/// What is still to be told.
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

fn name(number: u64) -> String {
    format!("out/{number:020}")
}

impl Outbox {
    pub(crate) fn new(kept: Vec<(String, Note)>) -> Self {
        let notes: BTreeMap<u64, Note> =
            kept.into_iter().filter_map(|(n, note)| Some((n.parse().ok()?, note))).collect();
        let next = notes.last_key_value().map_or(0, |(n, _)| n + 1);
        Self { waiting: Mutex::new(Waiting { next, notes, ..Waiting::default() }), changed: Condvar::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers for notifications that are about to be kept.
    pub(crate) fn numbers(&self, count: usize) -> u64 {
        let mut waiting = self.waiting();
        waiting.next += count as u64;
        waiting.next - count as u64
    }

    /// How many wait.
    pub(crate) fn waiting_count(&self) -> usize {
        self.waiting().notes.len()
    }

    /// Takes notifications that have been kept.
    pub(crate) fn send(&self, notes: Vec<(u64, Note)>) {
        self.waiting().notes.extend(notes);
        self.changed.notify_all();
    }
}

/// The notifications of a change, to all subscribers but the supplier itself.
pub(crate) fn notes(
    uss: &Uss,
    subscribers: &[Subscriber],
    kind: Kind,
    id: &str,
    entity: &Value,
) -> Vec<Note> {
    let (id_field, field) = kind.fields();
    let others = subscribers.iter().filter(|s| s.uss_base_url != uss.settings.base_url);
    let note = |subscriber: &Subscriber| {
        let mut body = json!({ "subscriptions": subscriber.subscriptions });
        if let Some(name) = id_field {
            body[name] = json!(id);
        }
        if !entity.is_null() {
            body[field] = entity.clone();
        }
        Note { url: subscriber.uss_base_url.clone(), kind, id: id.into(), body, since: uss.now().micros() }
    };
    others.map(note).collect()
}

impl Uss {
    /// Keeps changes together with the notifications of them, then sends those.
    pub(crate) fn with_notes(
        &self,
        kind: Kind,
        subscribers: &[Subscriber],
        id: &str,
        entity: &Value,
        mut changes: Vec<Change>,
    ) -> Result<(), String> {
        let notes = notes(self, subscribers, kind, id, entity);
        let first = self.outbox.numbers(notes.len());
        let numbered: Vec<_> = (first..).zip(notes).collect();
        changes.extend(numbered.iter().map(|(n, note)| to(name(*n), note)));
        self.keep.change(changes).map_err(|e| e.to_string())?;
        self.outbox.send(numbered);
        Ok(())
    }
}

/// Starts the sender; it ends when the supplier is gone.
pub(crate) fn start(uss: &Arc<Uss>) {
    let (outbox, uss) = (uss.outbox.clone(), Arc::downgrade(uss));
    let work = move || {
        while uss.strong_count() > 0 {
            let mut waiting = outbox.waiting();
            match due(&mut waiting) {
                Some((number, note)) => {
                    drop(waiting);
                    let uss = uss.clone();
                    std::thread::spawn(move || tell(&uss, number, &note));
                }
                None => drop(outbox.changed.wait_timeout(waiting, Duration::from_millis(200))),
            }
        }
    };
    std::thread::Builder::new().name("uss-outbox".into()).spawn(work).expect("a thread can be started");
}

/// The next notification that can be told; its supplier is busy from now on.
fn due(waiting: &mut Waiting) -> Option<(u64, Note)> {
    if waiting.busy.len() >= AT_ONCE {
        return None;
    }
    let now = Instant::now();
    let free = |(_, note): &(&u64, &Note)| {
        !waiting.busy.contains(&note.url) && waiting.pauses.get(&note.url).is_none_or(|(_, at)| *at <= now)
    };
    let (number, note) = waiting.notes.iter().find(free)?;
    let found = (*number, note.clone());
    waiting.busy.insert(found.1.url.clone());
    Some(found)
}

fn tell(uss: &Weak<Uss>, number: u64, note: &Note) {
    let Some(uss) = uss.upgrade() else { return };
    let base = note.url.trim_end_matches('/');
    let url = match note.kind {
        Kind::Intent => format!("{base}/uss/v1/operational_intents"),
        Kind::Constraint => format!("{base}/uss/v1/constraints"),
        Kind::ServiceArea => format!("{base}/uss/identification_service_areas/{}", note.id),
        Kind::ServiceArea19 => format!("{base}/{}", note.id),
    };
    let told = uss.http.ask("POST", &url, note.kind.scope(), Some(&note.body));
    let done = match &told {
        // Refused for what it is: said again it would be refused again.
        Ok((status, answer)) if *status < 500 && ![408, 425, 429].contains(status) => {
            if *status >= 300 {
                tracing::warn!("{url} refused a notification with {status}: {answer}");
            }
            true
        }
        _ => {
            let given_up = uss.now().micros() - note.since > GIVEN_UP_AFTER;
            if given_up {
                tracing::error!("{url} could not be told for an hour: the notification is given up");
            }
            given_up
        }
    };
    if done && let Err(why) = uss.keep.change(vec![(name(number), None)]) {
        // It is told once more after a restart, which does no harm.
        tracing::warn!("a told notification stays in the journal: {why}");
    }
    let mut waiting = uss.outbox.waiting();
    waiting.busy.remove(&note.url);
    if done {
        waiting.notes.remove(&number);
        waiting.pauses.remove(&note.url);
    } else {
        let failures = waiting.pauses.get(&note.url).map_or(0, |(n, _)| *n);
        let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
        waiting.pauses.insert(note.url.clone(), (failures + 1, Instant::now() + pause));
        let why = told.map_or_else(|e| e.to_string(), |(status, _)| format!("status {status}"));
        tracing::warn!("{url} could not be told ({why}); again in {} s", pause.as_secs_f32());
    }
    let overflow = waiting.notes.len().saturating_sub(MAX_WAITING);
    let oldest: Vec<u64> = waiting.notes.keys().take(overflow).copied().collect();
    oldest.iter().for_each(|n| _ = waiting.notes.remove(n));
    drop(waiting);
    if overflow > 0 {
        tracing::error!("{overflow} notifications given up: {MAX_WAITING} wait");
        let gone = oldest.into_iter().map(|n| (name(n), None)).collect();
        if let Err(why) = uss.keep.change(gone) {
            tracing::warn!("they stay in the journal: {why}");
        }
    }
    uss.outbox.changed.notify_all();
}
