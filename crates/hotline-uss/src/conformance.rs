//! Conformance: positions of the own flights against their volumes, and what follows for their intents.

use crate::logs::Record;
use crate::planning::{Mode, Outcome, Wanted};
use crate::volumes::{circle, exact_all, moment, timestamp};
use crate::wire::{IntentDetails, IntentState, Telemetry, Time};
use crate::{Flight, Uss};
use hotline_airspace::{
    Altitude, Datum, DatumConversions, Degrees, Metres, MetresPerSecond, Position, TrackState,
};
use hotline_detect::{Conformance, ConformanceMonitor, Dilation, IntentConformance, conformance};
use hotline_utm::Problem;
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;

/// Within so far around its last position a flight is taken to be while it is not nominal, at least.
const LEAST_RADIUS: f64 = 500.0;
/// For so long it may go on as it flies.
const OFF_NOMINAL_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How long it may go on in its direction before its volume is made anew, seconds of flight.
const DRIFT: f64 = 60.0;
/// How far above and below.
const HEIGHTS: f64 = 150.0;
/// Telemetry may come so late, or early.
const MAX_OFFSET: SignedDuration = SignedDuration::from_mins(5);
/// A flown flight whose telemetry stops for so long is not known to conform.
pub const TELEMETRY_LOST: SignedDuration = SignedDuration::from_secs(60);

/// A report as a track.
pub(crate) fn track(telemetry: &Telemetry) -> Result<TrackState, String> {
    let at = telemetry.time_measured.instant().map_err(|e| e.message().to_owned())?;
    let position = telemetry.position.as_ref().ok_or("a position is needed")?;
    let altitude = position.altitude.as_ref().ok_or("an altitude is needed")?;
    let height = altitude.metres().map_err(|e| e.message().to_owned())?;
    let (speed, direction) = match &telemetry.velocity {
        Some(v) if v.units_speed != "MetersPerSecond" => {
            return Err(format!("units_speed is {:?}, where MetersPerSecond is needed", v.units_speed));
        }
        Some(v) => (v.speed, v.track % 360.0),
        None => (0.0, 0.0),
    };
    let place = Position::new(Degrees::new(position.latitude), Degrees::new(position.longitude));
    TrackState::new(
        timestamp(at),
        place.map_err(|e| e.to_string())?,
        Altitude::new(Metres::new(height), Datum::Ellipsoid).map_err(|e| e.to_string())?,
        MetresPerSecond::new(speed),
        Degrees::new(direction),
        MetresPerSecond::new(0.0),
    )
    .map_err(|e| e.to_string())
}

/// Whether a position is of about now. What is not can be neither judged nor shown.
pub(crate) fn is_of_now(measured: jiff::Timestamp, now: jiff::Timestamp) -> Result<(), Problem> {
    if measured.duration_since(now).abs() <= MAX_OFFSET {
        return Ok(());
    }
    let within = MAX_OFFSET.as_secs();
    Err(Problem::invalid(format!(
        "measured at {measured}, and now it is {now}; {within} s apart are allowed"
    )))
}

fn state_of(conformance: IntentConformance) -> IntentState {
    match conformance {
        IntentConformance::Conforming => IntentState::Activated,
        IntentConformance::Nonconforming => IntentState::Nonconforming,
        IntentConformance::Contingent => IntentState::Contingent,
    }
}

impl Uss {
    /// Takes a position of a flight. What follows for its intent is done behind it.
    ///
    /// # Errors
    /// When there is no such flight, or the position is none.
    pub fn telemetry(self: &Arc<Self>, id: &str, telemetry: Telemetry) -> Result<(), Problem> {
        let track = track(&telemetry).map_err(Problem::invalid)?;
        is_of_now(track.time(), self.time())?;
        let mut state = self.state();
        let flight = state.flights.get_mut(id).filter(|f| f.intent.is_some());
        let flight = flight.ok_or_else(|| Problem::not_found(format!("there is no flight {id}")))?;
        let intent = flight.intent.clone().expect("looked for above");
        self.logs.record(Record::Position {
            intent: intent.reference.id.clone(),
            time_received: Time::at(self.now()),
            telemetry: Box::new(telemetry.clone()),
        });
        flight.telemetry = Some(telemetry);
        let volumes = exact_all(&intent.details.volumes).unwrap_or_default();
        let found = if intent.reference.state == IntentState::Accepted {
            // Nothing is to be flown yet.
            let none = Metres::new(0.0);
            let time = hotline_airspace::Seconds::new(f64::MAX);
            Conformance::Outside { horizontal: none, vertical: none, time }
        } else {
            conformance(&track, &volumes, &Dilation::default(), &DatumConversions::default())
        };
        let rules = self.settings.conformance;
        let monitor = flight.monitor.get_or_insert_with(|| ConformanceMonitor::new(rules));
        let wanted = state_of(monitor.report(track.time(), found));
        let aircraft = flight.aircraft.clone();
        drop(state);
        self.show(&intent.reference.id, Some(&aircraft), track)?;
        self.follow(id, wanted, intent.reference.state, &track);
        Ok(())
    }

    /// Moves an intent to the state that its flight is in, when it is another.
    fn follow(self: &Arc<Self>, id: &str, wanted: IntentState, is: IntentState, track: &TrackState) {
        let outgrown = !is.is_nominal() && self.outgrown(id, track);
        let moves = match (is, wanted) {
            (IntentState::Accepted, IntentState::Activated) => false,
            (IntentState::Contingent, _) => outgrown,
            (is, wanted) => is != wanted || outgrown,
        };
        if !moves {
            return;
        }
        let (uss, id, track) = (self.clone(), id.to_owned(), *track);
        std::thread::spawn(move || uss.change_state(&id, wanted, is, &track));
    }

    /// Whether a flight has left, or soon leaves, where it was said to be while not nominal.
    fn outgrown(&self, id: &str, track: &TrackState) -> bool {
        let Some(intent) = self.flight(id).and_then(|f| f.intent) else { return false };
        let volumes = exact_all(&intent.details.off_nominal_volumes).unwrap_or_default();
        let soon = track.dead_reckoned(track.time() + SignedDuration::from_secs(10));
        let inside = |t: &TrackState| {
            conformance(t, &volumes, &Dilation::default(), &DatumConversions::default())
                == Conformance::Inside
        };
        !inside(&soon)
    }

    fn change_state(&self, id: &str, wanted: IntentState, was: IntentState, track: &TrackState) {
        let turn = self.turn(&format!("flight/{id}"));
        // Somebody is at it; the next report tries again.
        let Ok(_turn) = turn.try_lock() else { return };
        let Some(flight) = self.flight(id) else { return };
        // Somebody else has moved it meanwhile.
        if flight.state() != Some(was) {
            return;
        }
        let told = |outcome: &Outcome| match outcome {
            Outcome::Done { .. } => {
                let message = format!("the flight is {wanted:?} now, it was {was:?}");
                self.notify_operator(id, "ACM0010", message, None);
            }
            Outcome::Rejected(why) | Outcome::Failed(why) => {
                tracing::warn!("flight {id} is {wanted:?}, its intent stays {was:?}: {why}");
            }
        };
        told(&self.put_in_turn(id, &off_nominal(&flight, wanted, track, self.time()), Mode::IfAllowed));
    }

    /// What is to be said of a flight in a state that is not nominal, or that comes back.
    pub(crate) fn state_change(&self, flight: &Flight, wanted: IntentState) -> Option<Wanted> {
        let track = flight.telemetry.as_ref().and_then(|t| track(t).ok())?;
        Some(off_nominal(flight, wanted, &track, self.time()))
    }

    /// Moves flights on whose telemetry has stopped (F3548: their position is not known).
    pub(crate) fn look_for_lost(self: &Arc<Self>) {
        let now = self.time();
        let lost = |flight: &&Flight| {
            let measured = flight.telemetry.as_ref().and_then(|t| t.time_measured.instant().ok());
            flight.state() == Some(IntentState::Activated)
                && measured.is_some_and(|at| timestamp(at) + TELEMETRY_LOST < now)
        };
        let lost: Vec<Flight> = self.state().flights.values().filter(lost).cloned().collect();
        let begun = std::time::Instant::now();
        for flight in lost.into_iter().take_while(|_| crate::upkeep::in_time(begun)) {
            let Some(wanted) = self.state_change(&flight, IntentState::Nonconforming) else { continue };
            if let Outcome::Done { .. } = self.put_flight(&flight.id, &wanted, Mode::IfAllowed) {
                let message =
                    format!("no position for {} s: the flight is Nonconforming", TELEMETRY_LOST.as_secs());
                self.notify_operator(&flight.id, "ACM0010", message, None);
            }
        }
    }
}

fn off_nominal(flight: &Flight, wanted: IntentState, track: &TrackState, now: jiff::Timestamp) -> Wanted {
    let details: IntentDetails = flight.intent.as_ref().map(|i| i.details.clone()).unwrap_or_default();
    let radius = LEAST_RADIUS.max(track.ground_speed().get() * DRIFT);
    let height = track.altitude().metres().get();
    let around = circle(
        track.position(),
        Metres::new(radius),
        (height - HEIGHTS, height + HEIGHTS),
        (now, now + OFF_NOMINAL_FOR),
    );
    let ahead = |v: &&crate::wire::Volume4| crate::around::is_ahead(v, now);
    let inside = details.volumes.iter().filter(ahead).cloned().collect();
    let (volumes, off_nominal_volumes) = match wanted {
        IntentState::Contingent => (vec![], vec![around]),
        IntentState::Nonconforming => (inside, vec![around]),
        IntentState::Accepted | IntentState::Activated => (inside, vec![]),
    };
    Wanted {
        state: wanted,
        volumes,
        off_nominal_volumes,
        priority: details.priority,
        plan: flight.plan.clone(),
        aircraft: flight.aircraft.clone(),
    }
}

/// A report at an instant, for those who write one.
pub fn report(at: jiff::Timestamp, track: &TrackState) -> Telemetry {
    let position = json!({
        "longitude": track.position().longitude().get(),
        "latitude": track.position().latitude().get(),
        "altitude": { "value": track.altitude().metres().get(), "reference": "W84", "units": "M" },
        "accuracy_h": "HAUnknown", "accuracy_v": "VAUnknown", "extrapolated": false,
    });
    let velocity = json!({
        "speed": track.ground_speed().get(), "units_speed": "MetersPerSecond", "track": track.track().get(),
    });
    Telemetry {
        time_measured: Time::at(moment(at)),
        position: serde_json::from_value(position).expect("a position"),
        velocity: serde_json::from_value(velocity).expect("a velocity"),
    }
}
