//! What the console sees: plain JSON views of the core, and the stream of what changes.

use crate::Listed;
use crate::link::Links;
use crate::view_line::{view_dealings, view_owed, view_spoken};
use hotline_airspace::{Area, Category, Datum, Volume4};
use hotline_ledger::PartyName;
use hotline_line::{ConflictKey, Delivery, Message, PeerStatus, Withholdable};
use hotline_picture::{Alert, Core, Detection, Event, InForce, Intent, Track};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// Events that a slow console may lag behind before it is given the whole state anew.
const STREAM_DEPTH: usize = 4_096;
/// The newest deliveries that a console is given at first.
const DELIVERIES_SHOWN: usize = 200;

/// One event of the console's stream, encoded.
#[derive(Debug, Clone)]
pub(crate) struct ConsoleEvent {
    pub(crate) name: &'static str,
    pub(crate) data: Arc<str>,
}

impl ConsoleEvent {
    pub(crate) fn new(name: &'static str, data: &Value) -> Self {
        Self { name, data: data.to_string().into() }
    }
}

/// Where the core's effects go: to the consoles and to the peers.
#[derive(Clone)]
pub(crate) struct Outlet {
    stream: broadcast::Sender<ConsoleEvent>,
    links: Links,
    /// Why nothing can be recorded at the moment.
    trouble: Arc<Mutex<Option<String>>>,
    /// Counts changes of flights and restrictions.
    plans: Arc<AtomicU64>,
}

impl Outlet {
    pub(crate) fn new(links: Links) -> Self {
        Self {
            stream: broadcast::channel(STREAM_DEPTH).0,
            links,
            trouble: Arc::default(),
            plans: Arc::default(),
        }
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<ConsoleEvent> {
        self.stream.subscribe()
    }

    /// How often flights and restrictions have changed.
    pub(crate) fn plans_changed(&self) -> u64 {
        self.plans.load(Ordering::Relaxed)
    }

    pub(crate) fn listeners(&self) -> usize {
        self.stream.receiver_count()
    }

    pub(crate) fn event(&self, event: &ConsoleEvent) {
        // Without a listener there is nobody to tell.
        _ = self.stream.send(event.clone());
    }

    /// Nothing can be recorded, and why; or it can be again.
    pub(crate) fn set_trouble(&self, why: Option<&str>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why.map(str::to_owned);
        self.event(&ConsoleEvent::new("trouble", &json!({ "why": why })));
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn show(&self, event: &Event, own: &PartyName) {
        if let Event::Refused(party, why) = event {
            tracing::warn!("{party}: {why}");
        }
        if matches!(event, Event::Flight(_) | Event::Restriction(_)) {
            self.plans.fetch_add(1, Ordering::Relaxed);
        }
        if self.listeners() > 0 {
            self.event(&view_event(event, own));
        }
    }

    pub(crate) fn send(&self, peer: &PartyName, message: Message) {
        if let Some(link) = self.links.get(peer) {
            link.send(message);
        }
    }

    /// Ends all connections, so that they begin anew.
    pub(crate) fn reconnect(&self) {
        self.links.all().iter().for_each(|(_, link)| link.close());
    }

    /// What carries the line to each connected peer.
    pub(crate) fn carriers(&self) -> Value {
        let all = self.links.all();
        all.iter()
            .map(|(party, link)| (party.to_string(), json!(link.carried_by())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

fn view_event(event: &Event, own: &PartyName) -> ConsoleEvent {
    match event {
        Event::Detected(detection) => ConsoleEvent::new("detected", &view_detection(detection)),
        Event::Alert(alert) => ConsoleEvent::new("alert", &view_alert(alert)),
        Event::Peer(party, status) => ConsoleEvent::new("peer", &view_peer(party, status)),
        Event::Delivery(delivery) => ConsoleEvent::new("delivery", &view_delivery(delivery)),
        Event::Flight(subject) | Event::Restriction(subject) => ConsoleEvent::new(
            "plans-changed",
            &json!({ "party": subject.party.as_str(), "id": subject.id.as_str() }),
        ),
        Event::Spoken(spoken) => ConsoleEvent::new("spoken", &view_spoken(spoken)),
        Event::Owed(owed) => ConsoleEvent::new("owed", &view_owed(owed, own)),
        // What these mean is more than one thing on screen: the console asks for it.
        Event::Case(case) => {
            ConsoleEvent::new("dealings-changed", &json!({ "case": case.opened.to_string() }))
        }
        Event::Ballot(statement) => {
            ConsoleEvent::new("dealings-changed", &json!({ "ballot": statement.to_string() }))
        }
        Event::Rulebook => ConsoleEvent::new("dealings-changed", &json!({ "rulebook": true })),
        Event::Standing => ConsoleEvent::new("dealings-changed", &json!({ "standing": true })),
        Event::Speech => ConsoleEvent::new("dealings-changed", &json!({ "speech": true })),
        Event::Refused(party, why) => {
            ConsoleEvent::new("refused", &json!({ "party": party.as_str(), "why": why }))
        }
    }
}

pub(crate) fn view_category(category: Category) -> &'static str {
    match category {
        Category::Aeroplane => "aeroplane",
        Category::Helicopter => "helicopter",
        Category::Unmanned => "unmanned",
        Category::Unknown => "unknown",
    }
}

pub(crate) fn view_datum(datum: Datum) -> &'static str {
    match datum {
        Datum::Ellipsoid => "w84",
        Datum::Barometric => "baro",
        Datum::AboveGround => "agl",
    }
}

fn view_key(key: &ConflictKey) -> Value {
    let subject = |s: &hotline_line::Subject| json!({ "party": s.party.as_str(), "id": s.id.as_str() });
    json!({
        "id": key.to_string(),
        "kind": key.kind.as_str(),
        "first": subject(&key.first),
        "second": subject(&key.second),
    })
}

fn rounded(x: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (x * scale).round() / scale
}

fn view_closest(closest: Option<(hotline_airspace::Seconds, f64, f64)>) -> Value {
    closest.map_or(Value::Null, |(time, horizontal, vertical)| {
        json!({ "in_s": rounded(time.get(), 1), "horizontal_m": rounded(horizontal, 0), "vertical_m": rounded(vertical, 0) })
    })
}

fn view_detection(d: &Detection) -> Value {
    json!({
        "key": view_key(&d.key),
        "level": d.level.as_str(),
        "detected_ms": d.last_seen.as_millisecond(),
        "begins_ms": d.begins.as_millisecond(),
        "ends_ms": d.ends.as_millisecond(),
        "closest": view_closest(d.closest),
        "place": [d.place.longitude().get(), d.place.latitude().get()],
    })
}

pub(crate) fn view_alert(alert: &Alert) -> Value {
    let newest = alert.asserted.values().max_by_key(|a| (a.alert.level, a.said)).map(|a| &a.alert);
    let detected = alert.asserted.values().map(|a| a.alert.detected).min();
    let acks: Value = alert
        .acks
        .iter()
        .map(|(party, ack)| {
            let ack = json!({ "officer": ack.officer, "time_ms": ack.time.as_millisecond(), "level": ack.level.as_str() });
            (party.to_string(), ack)
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({
        "key": view_key(&alert.key),
        "level": alert.level.as_str(),
        "raised_ms": alert.raised.as_millisecond(),
        "due_ms": alert.due.as_millisecond(),
        "detected_ms": detected.map(|d| d.as_millisecond()),
        "begins_ms": newest.map(|a| a.begins.as_millisecond()),
        "ends_ms": newest.map(|a| a.ends.as_millisecond()),
        "closest": view_closest(newest.and_then(|a| a.closest)),
        "place": newest.map(|a| [a.place.longitude().get(), a.place.latitude().get()]),
        "asserted_by": alert.asserted.keys().map(PartyName::as_str).collect::<Vec<_>>(),
        "awaits": alert.key.parties().filter(|p| alert.awaits(p)).map(PartyName::as_str).collect::<Vec<_>>(),
        "acks": acks,
        "missed": alert.missed.iter().map(|((p, level), stage)| json!({ "party": p.as_str(), "level": level.as_str(), "stage": stage.as_str() })).collect::<Vec<_>>(),
        "unreported": alert.unreported.iter().map(PartyName::as_str).collect::<Vec<_>>(),
        "closed_ms": alert.closed.map(|c| c.as_millisecond()),
    })
}

fn view_peer(party: &PartyName, status: &PeerStatus) -> Value {
    json!({
        "party": party.as_str(),
        "state": status.state.as_str(),
        "since_ms": status.since.as_millisecond(),
        "last_answer_ms": status.last_answer.map(|t| t.as_millisecond()),
        "round_trip_ms": status.round_trip_ms,
        "clock_ahead_ms": status.clock_ahead_ms,
        "held": status.held,
        "receipted": status.receipted,
        "same_rulebook": status.same_rulebook,
        "disputed": status.disputed.as_ref().map(|d| d.number),
        "member": status.member,
        "shown": status.shown,
        "waits_for": status.waits_for.as_ref().map(ToString::to_string),
        "offences": status.offences.iter().map(|(o, n)| (o.as_str().to_owned(), json!(n))).collect::<serde_json::Map<_, _>>(),
    })
}

fn view_delivery(delivery: &Delivery) -> Value {
    let reached: Value = delivery
        .reached
        .iter()
        .map(|(party, states)| {
            let states: Vec<Value> =
                states.iter().map(|(s, at)| json!([s.as_str(), at.as_millisecond()])).collect();
            (party.to_string(), states.into())
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({
        "number": delivery.number,
        "kind": delivery.kind,
        "about": delivery.about,
        "queued_ms": delivery.queued.as_millisecond(),
        "reached": reached,
    })
}

fn view_volume(volume: &Volume4) -> Value {
    let point = |p: hotline_airspace::Position| [p.longitude().get(), p.latitude().get()];
    let area = match &volume.area {
        Area::Circle { centre, radius } => json!({ "centre": point(*centre), "radius_m": radius.get() }),
        Area::Polygon(polygon) => {
            json!({ "vertices": polygon.vertices().iter().map(|&v| point(v)).collect::<Vec<_>>() })
        }
    };
    json!({
        "area": area,
        "lower_m": volume.altitude.lower().metres().get(),
        "upper_m": volume.altitude.upper().metres().get(),
        "datum": view_datum(volume.altitude.datum()),
        "start_ms": volume.time.start().as_millisecond(),
        "end_ms": volume.time.end().as_millisecond(),
    })
}

fn opened(field: &Withholdable) -> &str {
    field.value().unwrap_or_default()
}

fn view_intent(intent: &Intent) -> Value {
    let notice = &intent.notice;
    json!({
        "party": intent.subject.party.as_str(),
        "id": intent.subject.id.as_str(),
        "version": notice.version,
        "callsign": opened(&notice.callsign),
        "category": view_category(notice.category),
        "purpose": opened(&notice.purpose),
        "unit": opened(&notice.unit),
        "withheld": intent.reference.is_none(),
        "aircraft": notice.aircraft,
        "squawk": notice.squawk.map(|code| format!("{code:04o}")),
        "late": notice.late,
        "volumes": notice.volumes.iter().map(view_volume).collect::<Vec<_>>(),
    })
}

fn view_restriction(entered: &InForce) -> Value {
    json!({
        "party": entered.subject.party.as_str(),
        "id": entered.subject.id.as_str(),
        "reason": entered.restriction.reason,
        "volumes": entered.restriction.volumes.iter().map(view_volume).collect::<Vec<_>>(),
    })
}

/// A track as a short array, since there are many: party, id, call sign, category, flight, longitude, latitude,
/// altitude m, datum, ground speed m/s, track, vertical speed m/s, time ms, outside its plan.
fn view_track(track: &Track) -> Value {
    let state = &track.report.state;
    json!([
        track.subject.party.as_str(),
        track.subject.id.as_str(),
        track.report.callsign,
        view_category(track.report.category),
        track.report.flight.as_ref().map(hotline_line::FlightId::as_str),
        rounded(state.position().longitude().get(), 6),
        rounded(state.position().latitude().get(), 6),
        rounded(state.altitude().metres().get(), 1),
        view_datum(state.altitude().datum()),
        rounded(state.ground_speed().get(), 1),
        rounded(state.track().get(), 1),
        rounded(state.vertical_speed().get(), 1),
        state.time().as_millisecond(),
        track.outside_plan,
    ])
}

/// All tracks.
pub(crate) fn view_tracks(core: &Core) -> Value {
    json!({ "now_ms": core.time().as_millisecond(), "tracks": core.picture().tracks().iter().map(view_track).collect::<Vec<_>>() })
}

/// Flights and restrictions.
pub(crate) fn view_plans(core: &Core) -> Value {
    json!({
        "flights": core.picture().intents().map(view_intent).collect::<Vec<_>>(),
        "restrictions": core.picture().restrictions().map(view_restriction).collect::<Vec<_>>(),
    })
}

/// Everything that a console needs to begin.
pub(crate) fn view_state(
    core: &Core,
    persons: &[Listed],
    carriers: &Value,
    speed: f64,
    trouble: Option<&str>,
) -> Value {
    let line = core.line();
    let rulebook = line.rulebook();
    let own = line.party();
    let persons =
        persons.iter().map(|p| json!({ "holder": p.holder, "name": p.name, "role": p.role.as_str() }));
    let peers = line.peers().filter_map(|p| Some(view_peer(p, &line.status(p)?)));
    let deliveries: Vec<&Delivery> = line.deliveries().rev().take(DELIVERIES_SHOWN).collect();
    json!({
        "now_ms": core.time().as_millisecond(),
        "speed": speed,
        "trouble": trouble,
        "line": line.name().as_str(),
        "party": own.as_str(),
        "parties": rulebook.parties,
        "persons": persons.collect::<Vec<_>>(),
        "rulebook": rulebook,
        "rulebook_hash": crate::output::hex(&rulebook.hash()),
        "peers": peers.collect::<Vec<_>>(),
        "carriers": carriers,
        "alerts": core.alerts().iter().map(view_alert).collect::<Vec<_>>(),
        "deliveries": deliveries.into_iter().map(view_delivery).collect::<Vec<_>>(),
        "plans": view_plans(core),
        "tracks": view_tracks(core),
        "dealings": view_dealings(core),
    })
}

/// What was said by whom, counted from the ledgers held here: the same on every node that holds them.
pub(crate) fn view_summary(core: &Core) -> Value {
    let line = core.line();
    let own = line.party();
    let mut parties = serde_json::Map::new();
    for party in line.peers().chain([own]) {
        let tally = core.tally().parties.get(party).cloned().unwrap_or_default();
        let size = line.tree(party).map_or(0, hotline_ledger::Tree::size);
        let root = line.tree(party).and_then(|t| t.root(size)).map(|r| crate::output::hex(&r));
        let alerts: serde_json::Map<_, _> =
            tally.alerts.iter().map(|(level, n)| (level.as_str().to_owned(), json!(n))).collect();
        let receipts: serde_json::Map<_, _> = line
            .peers()
            .chain([own])
            .filter(|by| *by != party)
            .map(|by| (by.to_string(), json!(line.receipt(by, party).map_or(0, |r| r.size))))
            .collect();
        let summary = json!({
            "statements": size,
            "root": root,
            "by_kind": tally.by_kind,
            "alerts": alerts,
            "conflicts": tally.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "receipts_by": receipts,
        });
        parties.insert(party.to_string(), summary);
    }
    let awaiting = core.alerts().iter().filter(|a| !a.settled()).count();
    json!({
        "party": own.as_str(),
        "tracks": core.picture().tracks().len(),
        "flights": core.picture().intents().count(),
        "restrictions": core.picture().restrictions().count(),
        "alerts_awaiting": awaiting,
        "parties": parties,
    })
}
