//! What a supplier does by itself: finishing what a crash or a silent DSS left open, ending flights whose time is over,
//! delivering telemetry at its time, forgetting what has ended.

use crate::flight::Pending;
use crate::uss::Uss;
use crate::volumes::timestamp;
use crate::wire::{IntentState, Telemetry, Time};
use jiff::Timestamp;
use std::sync::{Arc, TryLockError};
use std::time::{Duration, Instant};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(500);
/// How often what is left open is tried.
const TRY_EVERY: Duration = Duration::from_secs(5);
/// How long one look may take what waits for others; the rest has its turn at the next.
const LOOK_FOR: Duration = Duration::from_secs(5);

/// Starts it; it ends when the supplier is gone.
pub(crate) fn start(uss: &Arc<Uss>) {
    // What waits for others keeps nothing else waiting.
    every(uss, "uss-telemetry", EVERY, |uss| {
        uss.deliver_telemetry();
        uss.remote_id.forget_old(uss.time());
    });
    every(uss, "uss-areas", EVERY, |uss| uss.keep_service_areas());
    every(uss, "uss-upkeep", TRY_EVERY, |uss| {
        uss.finish_open();
        uss.end_what_is_over();
        uss.look_for_lost();
    });
}

fn every(uss: &Arc<Uss>, name: &str, pause: Duration, look: impl Fn(&Arc<Uss>) + Send + 'static) {
    let uss = Arc::downgrade(uss);
    let work = move || {
        while let Some(uss) = uss.upgrade() {
            look(&uss);
            drop(uss);
            std::thread::sleep(pause);
        }
    };
    std::thread::Builder::new().name(name.into()).spawn(work).expect("a thread can be started");
}

/// Whether a look may go on.
pub(crate) fn in_time(begun: Instant) -> bool {
    begun.elapsed() < LOOK_FOR
}

fn is_over(end: &Time, now: Timestamp) -> bool {
    end.instant().is_ok_and(|end| timestamp(end) <= now)
}

impl Uss {
    fn deliver_telemetry(self: &Arc<Self>) {
        let now = self.time();
        let mut due: Vec<(String, Telemetry)> = Vec::new();
        for flight in self.state().flights.values_mut() {
            while let Some((_, next)) = flight.queued.front()
                && is_over(&next.time_measured, now)
            {
                let (_, next) = flight.queued.pop_front().expect("looked at above");
                due.push((flight.id.clone(), next));
            }
        }
        for (id, telemetry) in due {
            if let Err(why) = self.telemetry(&id, telemetry) {
                tracing::warn!("queued telemetry of flight {id}: {}", why.message());
            }
        }
    }

    fn finish_open(&self) {
        let open: Vec<String> =
            self.state().flights.values().filter(|f| f.pending.is_some()).map(|f| f.id.clone()).collect();
        let begun = Instant::now();
        for id in open.into_iter().take_while(|_| in_time(begun)) {
            let turn = self.turn(&format!("flight/{id}"));
            // Whoever is at it now finishes it.
            let Ok(_turn) = turn.try_lock().or_else(|e| match e {
                TryLockError::Poisoned(turn) => Ok(turn.into_inner()),
                TryLockError::WouldBlock => Err(()),
            }) else {
                continue;
            };
            let Some(mut flight) = self.flight(&id) else { continue };
            let ends = matches!(flight.pending, Some(Pending::Delete));
            match self.settle(&mut flight) {
                Ok(true) if !ends => self.tell_again(&flight),
                Ok(_) => {}
                Err(why) => tracing::warn!("flight {id}: what came of its change is not known yet: {why}"),
            }
        }
        let constraints: Vec<_> = self.state().constraints.clone().into_iter().collect();
        for (id, own) in constraints.into_iter().take_while(|_| in_time(begun)) {
            let tried = if own.deleting {
                self.end_constraint(&id).map(|_| ())
            } else if let Some(details) = own.pending {
                self.put_constraint(&id, details).map(|_| ())
            } else {
                continue;
            };
            if let Err(why) = tried {
                tracing::warn!("constraint {id} is tried again: {why:?}");
            }
        }
    }

    fn end_what_is_over(&self) {
        let now = self.time();
        let over: Vec<String> = {
            let state = self.state();
            let ended = |f: &&crate::Flight| {
                let still_flown = f.telemetry.is_some() && f.state() != Some(IntentState::Accepted);
                f.pending.is_none()
                    && !still_flown
                    && f.intent.as_ref().is_some_and(|i| is_over(&i.reference.time_end, now))
            };
            state.flights.values().filter(ended).map(|f| f.id.clone()).collect()
        };
        let begun = Instant::now();
        for id in over.into_iter().take_while(|_| in_time(begun)) {
            tracing::info!("flight {id} is over");
            if let Some(crate::Outcome::Failed(why)) = self.end_flight(&id) {
                tracing::warn!("flight {id} could not be ended at the DSS: {why}");
            }
        }
        let mut state = self.state();
        state.intents_known.retain(|_, i| !is_over(&i.reference.time_end, now));
        state.constraints_known.retain(|_, c| !is_over(&c.reference.time_end, now));
        let gone: Vec<String> = state
            .constraints
            .iter()
            .filter(|(_, own)| own.constraint.as_ref().is_some_and(|c| is_over(&c.reference.time_end, now)))
            .map(|(id, _)| id.clone())
            .collect();
        drop(state);
        for id in gone.into_iter().take_while(|_| in_time(begun)) {
            if let Err(why) = self.end_constraint(&id) {
                tracing::warn!("constraint {id} is over and could not be ended: {why:?}");
            }
        }
    }
}
