//! Remote ID (ASTM F3411): this supplier's aircraft for display providers, as a service provider; and everybody's in a view,
//! as a display provider.
//!
//! Served in both editions, 2019 and 2022; asked of others in the one that the supplier is set to.

mod areas;
mod display;
mod provider;

use crate::Uss;
use axum::Router;
use axum::routing::{get, post};
use hotline_airspace::{Degrees, Metres, Position, TrackState, geodesy};
use hotline_utm::Problem;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use areas::ServiceAreas;

/// Positions are shown for so long (F3411 `NetMaxNearRealTimeDataPeriod`).
pub const NEAR_REAL_TIME: SignedDuration = SignedDuration::from_secs(60);
/// The longest diagonal of a view (F3411-22a `NetMaxDisplayAreaDiagonal`), metres.
pub const MAX_DIAGONAL: f64 = 7_000.0;
/// The longest diagonal of a view with single aircraft (F3411-22a `NetDetailsMaxDisplayAreaDiagonal`), metres.
pub const MAX_DETAILS_DIAGONAL: f64 = 2_000.0;
/// The most aircraft at a time; further ones are refused.
pub const MAX_AIRCRAFT: usize = 20_000;
/// The most positions of one aircraft.
const MAX_POSITIONS: usize = 120;

/// An edition of F3411.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// F3411-19.
    Of2019,
    /// F3411-22a.
    Of2022,
}

impl Edition {
    /// The scope of those who show aircraft to people.
    pub(crate) const fn display(self) -> &'static str {
        match self {
            Self::Of2019 => "dss.read.identification_service_areas",
            Self::Of2022 => "rid.display_provider",
        }
    }

    /// The scope of those who have aircraft to show.
    pub(crate) const fn service(self) -> &'static str {
        match self {
            Self::Of2019 => "dss.write.identification_service_areas",
            Self::Of2022 => "rid.service_provider",
        }
    }

    /// Where a DSS has the service areas.
    pub(crate) fn areas(self, dss: &str) -> String {
        let path = match self {
            Self::Of2019 => "v1/dss/identification_service_areas",
            Self::Of2022 => "rid/v2/dss/identification_service_areas",
        };
        format!("{}/{path}", dss.trim_end_matches('/'))
    }

    /// Where a supplier's flights are asked for.
    pub(crate) fn flights(self, base_url: &str) -> String {
        let path = match self {
            Self::Of2019 => "v1/uss/flights",
            Self::Of2022 => "uss/flights",
        };
        format!("{}/{path}", base_url.trim_end_matches('/'))
    }
}

/// What is known of an aircraft beside its positions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AircraftDetails {
    /// The kind of aircraft, as F3411 names it (`Helicopter` are multirotors too).
    #[serde(default)]
    pub aircraft_type: String,
    /// The operator's registration.
    #[serde(default)]
    pub operator_id: String,
    /// The aircraft's serial number.
    #[serde(default)]
    pub serial_number: String,
    /// The aircraft's registration.
    #[serde(default)]
    pub registration: String,
    /// What it flies for.
    #[serde(default)]
    pub description: String,
    /// Where the operator is: latitude and longitude, degrees.
    #[serde(default)]
    pub operator_location: Option<(f64, f64)>,
}

/// An aircraft that is shown.
#[derive(Debug, Clone)]
pub(crate) struct Aircraft {
    pub(crate) details: AircraftDetails,
    /// The latest one last.
    pub(crate) positions: VecDeque<TrackState>,
}

/// What a supplier shows and has seen.
#[derive(Default)]
pub(crate) struct RemoteId {
    aircraft: Mutex<BTreeMap<String, Aircraft>>,
    /// Which supplier shows a flight: for its details.
    shown_by: Mutex<HashMap<String, String>>,
    pub(crate) areas: ServiceAreas,
}

impl RemoteId {
    /// The aircraft that are shown.
    pub(crate) fn aircraft(&self) -> MutexGuard<'_, BTreeMap<String, Aircraft>> {
        self.aircraft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets positions that are not near real time any more.
    pub(crate) fn forget_old(&self, now: Timestamp) {
        let mut all = self.aircraft();
        for aircraft in all.values_mut() {
            while aircraft.positions.front().is_some_and(|p| p.time() + NEAR_REAL_TIME < now) {
                aircraft.positions.pop_front();
            }
        }
        all.retain(|_, aircraft| !aircraft.positions.is_empty());
    }
}

impl Uss {
    /// Takes a position of an own aircraft, to be shown to display providers.
    ///
    /// # Errors
    /// When there are too many aircraft, or the position is not of about now.
    pub fn show(
        &self,
        id: &str,
        details: Option<&AircraftDetails>,
        track: TrackState,
    ) -> Result<(), Problem> {
        crate::conformance::is_of_now(track.time(), self.time())?;
        let mut all = self.remote_id.aircraft();
        if !all.contains_key(id) && all.len() >= MAX_AIRCRAFT {
            return Err(Problem::unavailable(format!(
                "{MAX_AIRCRAFT} aircraft are all that can be shown at a time"
            )));
        }
        let new = || Aircraft { details: AircraftDetails::default(), positions: VecDeque::new() };
        let aircraft = all.entry(id.into()).or_insert_with(new);
        if let Some(details) = details {
            aircraft.details = details.clone();
        }
        if aircraft.positions.back().is_none_or(|last| last.time() < track.time()) {
            aircraft.positions.push_back(track);
        }
        if aircraft.positions.len() > MAX_POSITIONS {
            aircraft.positions.pop_front();
        }
        Ok(())
    }
}

/// A rectangle of latitudes and longitudes that somebody looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) south: f64,
    pub(crate) west: f64,
    pub(crate) north: f64,
    pub(crate) east: f64,
}

impl View {
    /// `lat1,lng1,lat2,lng2`: two opposite corners.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        let wrong = || Problem::invalid(format!("view {text:?} must be lat1,lng1,lat2,lng2 in degrees"));
        let numbers: Vec<f64> =
            text.split(',').map(|n| n.trim().parse()).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let [lat1, lng1, lat2, lng2] = numbers[..] else { return Err(wrong()) };
        let corner = |lat, lng| Position::new(Degrees::new(lat), Degrees::new(lng)).map_err(|_| wrong());
        let (a, b) = (corner(lat1, lng1)?, corner(lat2, lng2)?);
        // The smaller side is meant, across the antimeridian too.
        let (west, east) = if (lng1 - lng2).abs() > 180.0 {
            (lng1.max(lng2), lng1.min(lng2))
        } else {
            (lng1.min(lng2), lng1.max(lng2))
        };
        let view = Self { south: lat1.min(lat2), north: lat1.max(lat2), west, east };
        let diagonal = geodesy::distance(a, b).get();
        if diagonal > MAX_DIAGONAL {
            let why = format!("the view's diagonal is {diagonal:.0} m; {MAX_DIAGONAL} m are allowed");
            return Err(Problem::too_large(why));
        }
        Ok(view)
    }

    pub(crate) fn diagonal(&self) -> Metres {
        geodesy::distance(self.corner(self.south, self.west), self.corner(self.north, self.east))
    }

    fn corner(&self, lat: f64, lng: f64) -> Position {
        Position::new(Degrees::new(lat), Degrees::new(lng)).expect("checked when it was read")
    }

    pub(crate) fn has(&self, lat: f64, lng: f64) -> bool {
        let across = self.west > self.east;
        let in_width =
            if across { lng >= self.west || lng <= self.east } else { self.west <= lng && lng <= self.east };
        self.south <= lat && lat <= self.north && in_width
    }

    /// As others write it.
    pub(crate) fn written(&self) -> String {
        format!("{},{},{},{}", self.south, self.west, self.north, self.east)
    }

    /// Its corners as a polygon of the standard's searches.
    pub(crate) fn corners(&self) -> String {
        let Self { south, west, north, east } = self;
        format!("{south},{west},{north},{west},{north},{east},{south},{east}")
    }
}

pub(crate) fn routes() -> Router<Arc<Uss>> {
    Router::new()
        .route("/uss/flights", get(provider::flights_22a))
        .route("/uss/flights/{id}/details", get(provider::details_22a))
        .route(
            "/uss/identification_service_areas/{id}",
            get(provider::service_area).post(provider::area_changed_22a),
        )
        .route("/v1/uss/flights", get(provider::flights_19))
        .route("/v1/uss/flights/{id}/details", get(provider::details_19))
        .route("/v1/uss/identification_service_areas/{id}", post(provider::area_changed_19))
        .route("/display/v1/display_data", get(display::display_data))
        .route("/display/v1/display_data/{id}", get(display::details))
        .route("/operator/v1/aircraft/{id}", post(provider::operator_position))
}
