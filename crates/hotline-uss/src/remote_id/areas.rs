//! The identification service areas that tell display providers where this supplier's aircraft are: squares of a tenth of a
//! degree, as long as there are aircraft in them.

use super::Edition;
use crate::Uss;
use crate::http::AskError;
use crate::outbox::{Kind, notes};
use crate::volumes::moment;
use crate::wire::{Subscriber, SubscriptionState, Time};
use hotline_airspace::TrackState;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// An area is announced for so long, and anew when half of it has passed.
const FOR: SignedDuration = SignedDuration::from_mins(30);
/// It is ended when no aircraft has been in it for so long.
const UNUSED_FOR: SignedDuration = SignedDuration::from_mins(3);
/// After a failure it is tried again after so long.
const RETRY: SignedDuration = SignedDuration::from_secs(10);

/// Where aircraft may be, metres above the ellipsoid.
const LOWEST: f64 = -1_000.0;
const HIGHEST: f64 = 30_000.0;

/// A square: tenths of degrees north and east of its south-western corner.
type Square = (i32, i32);

#[derive(Debug, Clone)]
struct Announced {
    id: String,
    /// None before the DSS has taken it.
    version: Option<String>,
    ends: Timestamp,
    used: Timestamp,
    tried: Timestamp,
}

/// What is announced.
#[derive(Default)]
pub(crate) struct ServiceAreas(Mutex<BTreeMap<Square, Announced>>);

#[derive(Deserialize)]
struct Put {
    service_area: Value,
    #[serde(default)]
    subscribers: Vec<RidSubscriber>,
}

#[derive(Deserialize)]
struct RidSubscriber {
    url: String,
    subscriptions: Vec<RidSubscription>,
}

#[derive(Deserialize)]
struct RidSubscription {
    subscription_id: String,
    #[serde(default)]
    notification_index: i64,
}

fn square(track: &TrackState) -> Square {
    let tenths = |degrees: f64| (degrees * 10.0).floor() as i32;
    // The pole and the antimeridian belong to the squares beside them.
    (tenths(track.position().latitude().get()).min(899), tenths(track.position().longitude().get()).min(1799))
}

fn extents(edition: Edition, (lat, lng): Square, from: Timestamp, until: Timestamp) -> Value {
    let degrees = |tenths: i32| f64::from(tenths) / 10.0;
    let corner = |lat, lng| json!({ "lat": degrees(lat), "lng": degrees(lng) });
    let vertices = [corner(lat, lng), corner(lat, lng + 1), corner(lat + 1, lng + 1), corner(lat + 1, lng)];
    let (from, until) = (Time::at(moment(from)), Time::at(moment(until)));
    match edition {
        Edition::Of2019 => json!({
            "spatial_volume": { "footprint": { "vertices": vertices }, "altitude_lo": LOWEST, "altitude_hi": HIGHEST },
            "time_start": from.value, "time_end": until.value,
        }),
        Edition::Of2022 => json!({
            "volume": { "outline_polygon": { "vertices": vertices } }, "time_start": from, "time_end": until,
        }),
    }
}

impl Uss {
    /// Announces the squares with aircraft, ends those without.
    pub(crate) fn keep_service_areas(&self) {
        let now = self.time();
        let used: BTreeSet<Square> =
            self.remote_id.aircraft().values().filter_map(|a| a.positions.back()).map(square).collect();
        let mut announced = self.remote_id.areas.0.lock().unwrap_or_else(PoisonError::into_inner);
        for &at in &used {
            if let Some(area) = announced.get_mut(&at) {
                area.used = now;
                continue;
            }
            match crate::planning::new_id() {
                Ok(id) => {
                    let new = Announced { id, version: None, ends: now, used: now, tried: Timestamp::MIN };
                    announced.insert(at, new);
                }
                Err(why) => tracing::error!("no service area: {why}"),
            }
        }
        let due: Vec<(Square, Announced)> = announced
            .iter()
            .filter(|(_, a)| (a.ends - now) < FOR / 2 || a.used + UNUSED_FOR < now)
            .filter(|(_, a)| a.tried < now - RETRY)
            .map(|(at, a)| (*at, a.clone()))
            .collect();
        for (at, _) in &due {
            announced.entry(*at).and_modify(|a| a.tried = now);
        }
        drop(announced);
        for (at, area) in due {
            let outcome = if area.used + UNUSED_FOR < now {
                self.withdraw(at, &area)
            } else {
                self.announce(at, area, now)
            };
            if let Err(why) = outcome {
                tracing::warn!("a service area for remote ID: {why}");
            }
        }
    }

    fn area_url(&self, area: &Announced) -> String {
        let version = area.version.as_ref().map(|v| format!("/{v}")).unwrap_or_default();
        format!("{}/{}{version}", self.settings.remote_id.areas(&self.settings.dss), area.id)
    }

    fn announce(&self, at: Square, mut area: Announced, now: Timestamp) -> Result<(), AskError> {
        let ends = now + FOR;
        let edition = self.settings.remote_id;
        let mut body = json!({ "extents": extents(edition, at, now, ends) });
        match edition {
            Edition::Of2019 => body["flights_url"] = json!(edition.flights(&self.settings.base_url)),
            Edition::Of2022 => body["uss_base_url"] = json!(self.settings.base_url),
        }
        let put: Put = self.http.must("PUT", &self.area_url(&area), edition.service(), Some(&body))?;
        area.version = put.service_area["version"].as_str().map(str::to_owned);
        area.ends = ends;
        let mut announced = self.remote_id.areas.0.lock().unwrap_or_else(PoisonError::into_inner);
        announced.insert(at, area.clone());
        drop(announced);
        self.tell_of_area(&area.id, put.subscribers, &put.service_area);
        Ok(())
    }

    fn withdraw(&self, at: Square, area: &Announced) -> Result<(), AskError> {
        if area.version.is_some() {
            let deleted: Result<Put, AskError> =
                self.http.must("DELETE", &self.area_url(area), self.settings.remote_id.service(), None);
            match deleted {
                Ok(deleted) => self.tell_of_area(&area.id, deleted.subscribers, &Value::Null),
                Err(e) if e.status() == Some(404) => {}
                Err(e) => return Err(e),
            }
        }
        self.remote_id.areas.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&at);
        Ok(())
    }

    /// In memory only: an area that nobody renews ends by itself.
    fn tell_of_area(&self, id: &str, subscribers: Vec<RidSubscriber>, area: &Value) {
        let one = |s: RidSubscription| SubscriptionState {
            subscription_id: s.subscription_id,
            notification_index: s.notification_index,
        };
        let all = subscribers.into_iter().map(|s| Subscriber {
            uss_base_url: s.url,
            subscriptions: s.subscriptions.into_iter().map(one).collect(),
        });
        let kind = match self.settings.remote_id {
            Edition::Of2019 => Kind::ServiceArea19,
            Edition::Of2022 => Kind::ServiceArea,
        };
        let notes = notes(self, &all.collect::<Vec<_>>(), kind, id, area);
        let first = self.outbox.numbers(notes.len());
        self.outbox.send((first..).zip(notes).collect());
    }

    /// The extents of an own service area.
    pub(crate) fn service_area_extents(&self, id: &str) -> Option<Value> {
        let announced = self.remote_id.areas.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, area) = announced.iter().find(|(_, area)| area.id == id)?;
        Some(extents(Edition::Of2022, *at, area.ends - FOR, area.ends))
    }
}
