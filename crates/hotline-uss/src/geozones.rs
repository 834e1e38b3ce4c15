//! Zones from published data sets (EUROCAE ED-269, JSON): loaded, held against plans, and asked about on the map.
//!
//! Heights in a data set are above ground or sea level. What cannot be compared with heights above the ellipsoid counts
//! as reaching there. A zone's schedule within its dates is not looked at: it counts for all of them.

use crate::Uss;
use crate::constraints::{Impact, impact_of_restriction};
use crate::volumes::overlap;
use hotline_airspace::{
    Altitude, AltitudeBand, Area, Datum, Degrees, Feet, Metres, Position, TimeInterval, Volume4,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// The most zones of one data set.
pub const MAX_ZONES: usize = 20_000;

/// The most data sets at a time.
pub const MAX_SOURCES: usize = 100;

/// A data set and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) url: String,
    /// `Activating`, `Ready`, `Unsupported`, `Rejected` or `Error`.
    pub(crate) status: &'static str,
    pub(crate) message: Option<String>,
    pub(crate) zones: Arc<Vec<Zone>>,
}

/// A zone.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) restriction: String,
    pub(crate) u_space_class: Vec<String>,
    pub(crate) volumes: Vec<Volume4>,
}

impl Zone {
    pub(crate) fn impact(&self) -> Option<Impact> {
        impact_of_restriction(&self.restriction)
    }
}

#[derive(Deserialize)]
struct DataSet {
    features: Vec<Feature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feature {
    identifier: String,
    #[serde(default)]
    name: String,
    restriction: String,
    #[serde(default)]
    u_space_class: Value,
    #[serde(default)]
    applicability: Vec<Applicability>,
    geometry: Vec<Geometry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Applicability {
    permanent: Option<String>,
    start_date_time: Option<Timestamp>,
    end_date_time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Geometry {
    uom_dimensions: String,
    lower_limit: Option<f64>,
    upper_limit: Option<f64>,
    horizontal_projection: Projection,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Projection {
    Circle { center: [f64; 2], radius: f64 },
    Polygon { coordinates: Vec<Vec<[f64; 2]>> },
}

fn position([lng, lat]: [f64; 2]) -> Result<Position, String> {
    Position::new(Degrees::new(lat), Degrees::new(lng)).map_err(|e| e.to_string())
}

fn area(projection: &Projection, metres: impl Fn(f64) -> Metres) -> Result<Area, String> {
    match projection {
        Projection::Circle { center, radius } => {
            Area::circle(position(*center)?, metres(*radius)).map_err(|e| e.to_string())
        }
        Projection::Polygon { coordinates } => {
            let [ring] = coordinates.as_slice() else {
                return Err(format!(
                    "a polygon of {} rings: only those without holes are known",
                    coordinates.len()
                ));
            };
            let mut corners: Vec<Position> = ring.iter().copied().map(position).collect::<Result<_, _>>()?;
            if corners.len() > 1 && corners.first() == corners.last() {
                corners.pop();
            }
            Area::polygon(corners).map_err(|e| e.to_string())
        }
    }
}

fn times(applicability: &[Applicability]) -> Result<Vec<TimeInterval>, String> {
    let always = || TimeInterval::new(Timestamp::MIN, Timestamp::MAX).map_err(|e| e.to_string());
    if applicability.is_empty() {
        return Ok(vec![always()?]);
    }
    let one = |a: &Applicability| {
        if a.permanent.as_deref() == Some("YES") {
            return always();
        }
        let (start, end) =
            (a.start_date_time.unwrap_or(Timestamp::MIN), a.end_date_time.unwrap_or(Timestamp::MAX));
        TimeInterval::new(start, end).map_err(|e| e.to_string())
    };
    applicability.iter().map(one).collect()
}

impl Feature {
    fn zone(&self) -> Result<Zone, String> {
        let times = times(&self.applicability)?;
        let mut volumes = Vec::new();
        for geometry in &self.geometry {
            let in_feet = match geometry.uom_dimensions.as_str() {
                "M" => false,
                "FT" => true,
                other => return Err(format!("uomDimensions {other:?} is neither M nor FT")),
            };
            let metres = |n: f64| if in_feet { Feet::new(n).into() } else { Metres::new(n) };
            let height = |n: Option<f64>, open: f64| {
                // Kept in a datum that is not that of plans: heights then count as not comparable.
                let at = n.map_or(Metres::new(open), metres);
                Altitude::new(at, Datum::AboveGround).map_err(|e| e.to_string())
            };
            let band = AltitudeBand::new(
                height(geometry.lower_limit, 0.0)?,
                height(geometry.upper_limit, 30_000.0)?,
            );
            let (altitude, area) =
                (band.map_err(|e| e.to_string())?, area(&geometry.horizontal_projection, metres)?);
            volumes.extend(times.iter().map(|&time| Volume4 { area: area.clone(), altitude, time }));
        }
        let u_space_class = match &self.u_space_class {
            Value::String(class) => vec![class.clone()],
            Value::Array(classes) => classes.iter().filter_map(|c| c.as_str().map(str::to_owned)).collect(),
            _ => vec![],
        };
        let name = format!("{} {}", self.identifier, self.name).trim().to_owned();
        Ok(Zone { name, restriction: self.restriction.clone(), u_space_class, volumes })
    }
}

/// Reads a data set.
///
/// # Errors
/// What is wrong with it, and in which zone.
pub(crate) fn read(text: &str) -> Result<Vec<Zone>, String> {
    let set: DataSet = serde_json::from_str(text).map_err(|e| format!("it is no ED-269 data set: {e}"))?;
    if set.features.len() > MAX_ZONES {
        return Err(format!("{} zones: {MAX_ZONES} are allowed", set.features.len()));
    }
    set.features.iter().map(|f| f.zone().map_err(|e| format!("zone {}: {e}", f.identifier))).collect()
}

impl Uss {
    /// Loads a data set behind the answer. `false` when its name stands for another one already, or there are too many.
    pub(crate) fn load_source(self: &Arc<Self>, id: &str, url: &str, format: &str) -> bool {
        let mut state = self.state();
        if let Some(known) = state.sources.get(id) {
            return known.url == url;
        }
        if state.sources.len() >= MAX_SOURCES {
            return false;
        }
        let source = |status, message| Source { url: url.into(), status, message, zones: Arc::default() };
        if format != "ED-269" {
            let why = format!("format {format:?} is not known here: ED-269 is");
            state.sources.insert(id.into(), source("Unsupported", Some(why)));
            return true;
        }
        state.sources.insert(id.into(), source("Activating", None));
        drop(state);
        let (uss, id, url) = (self.clone(), id.to_owned(), url.to_owned());
        std::thread::spawn(move || {
            let loaded = match uss.http.fetch(&url) {
                Err(why) => Err(("Error", why.to_string())),
                Ok(text) => read(&text).map_err(|why| ("Rejected", why)),
            };
            if let Some(source) = uss.state().sources.get_mut(&id) {
                match loaded {
                    Ok(zones) => (source.status, source.zones) = ("Ready", Arc::new(zones)),
                    Err((status, why)) => (source.status, source.message) = (status, Some(why)),
                }
            }
        });
        true
    }

    /// The zones that volumes meet, and what each means.
    pub(crate) fn zones_met(&self, volumes: &[Volume4]) -> Vec<(Impact, String)> {
        let sources: Vec<Arc<Vec<Zone>>> = self.state().sources.values().map(|s| s.zones.clone()).collect();
        let zones = sources.iter().flat_map(|zones| zones.iter());
        let met = zones.filter(|zone| overlap(volumes, &zone.volumes));
        met.filter_map(|z| Some((z.impact()?, format!("meets zone {} ({})", z.name, z.restriction))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONES: &str = r#"{ "title": "test", "features": [
        { "identifier": "ZA", "country": "CHE", "name": "Airport", "type": "COMMON", "restriction": "PROHIBITED",
          "applicability": [{ "permanent": "NO", "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2026-12-31T00:00:00Z" }],
          "zoneAuthority": [], "geometry": [{ "uomDimensions": "M", "lowerLimit": 0, "lowerVerticalReference": "AGL",
            "upperLimit": 120, "upperVerticalReference": "AGL",
            "horizontalProjection": { "type": "Circle", "center": [8.5, 47.4], "radius": 5000 } }] },
        { "identifier": "ZB", "country": "CHE", "type": "COMMON", "restriction": "CONDITIONAL", "uSpaceClass": "EUROCONTROL",
          "applicability": [{ "permanent": "YES" }], "zoneAuthority": [], "geometry": [{ "uomDimensions": "FT",
            "horizontalProjection": { "type": "Polygon", "coordinates": [[[8.0, 47.0], [8.1, 47.0], [8.1, 47.1], [8.0, 47.0]]] } }] } ] }"#;

    #[test]
    fn a_data_set_is_read() {
        let zones = read(ZONES).unwrap();
        assert_eq!(zones.len(), 2);
        assert_eq!(zones[0].impact(), Some(Impact::Block));
        assert_eq!(zones[1].impact(), Some(Impact::Advise));
        assert_eq!(zones[1].u_space_class, ["EUROCONTROL"]);
        let Area::Polygon(polygon) = &zones[1].volumes[0].area else { panic!("a polygon") };
        assert_eq!(polygon.vertices().len(), 3, "the closing vertex is no vertex");
        let wrong = read(&ZONES.replace("\"M\"", "\"KM\"")).unwrap_err();
        assert!(wrong.contains("ZA") && wrong.contains("KM"), "{wrong}");
    }
}
