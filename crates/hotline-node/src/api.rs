//! The planners' interface: JSON in, checked and turned into what the core understands.

use hotline_airspace::{
    Altitude, AltitudeBand, Area, Category, Datum, Degrees, Feet, FeetPerMinute, Knots, Metres,
    MetresPerSecond, Position, TimeInterval, TrackState, Volume4,
};
use hotline_line::{FlightId, Purpose, Restriction, SharedTrack};
use hotline_picture::FlightPlan;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A 4D volume: a circle (`centre`, `radius_m`) or a polygon (`vertices`), positions as `[longitude, latitude]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeInput {
    /// Centre of a circle, `[longitude, latitude]` in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centre: Option<[f64; 2]>,
    /// Radius of a circle, metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_m: Option<f64>,
    /// Vertices of a polygon, each `[longitude, latitude]` in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertices: Option<Vec<[f64; 2]>>,
    /// Lower edge, metres.
    pub lower_m: f64,
    /// Upper edge, metres.
    pub upper_m: f64,
    /// `w84`, `baro` or `agl`.
    pub datum: String,
    /// RFC 3339.
    pub start: Timestamp,
    /// RFC 3339.
    pub end: Timestamp,
}

/// A flight.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlightInput {
    /// Where and when.
    pub volumes: Vec<VolumeInput>,
    /// How many aircraft; 1 when left out.
    #[serde(default = "one")]
    pub aircraft: u32,
    /// `aeroplane`, `helicopter`, `unmanned` or `unknown`.
    #[serde(default = "unknown")]
    pub category: String,
    /// `transport`, `patrol`, `refuelling`, `rescue`, `unmanned` or `other`.
    #[serde(default = "other")]
    pub purpose: String,
    /// Call sign.
    #[serde(default)]
    pub callsign: String,
    /// The unit that flies.
    #[serde(default)]
    pub unit: String,
    /// Four octal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub squawk: Option<String>,
}

/// A restriction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestrictionInput {
    /// Where and when.
    pub volumes: Vec<VolumeInput>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// A report of an own aircraft: either `alt_ft` (barometric) or `alt_m` (height above the WGS84 ellipsoid).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackInput {
    /// The party's name for the aircraft.
    pub id: String,
    /// Call sign.
    #[serde(default)]
    pub callsign: String,
    /// As in [`FlightInput::category`].
    #[serde(default = "unknown")]
    pub category: String,
    /// The flight it flies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flight: Option<String>,
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// Degrees.
    pub lat: f64,
    /// Degrees.
    pub lon: f64,
    /// Pressure altitude, feet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_ft: Option<f64>,
    /// Height above the ellipsoid, metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_m: Option<f64>,
    /// Ground speed, knots.
    pub gs_kt: f64,
    /// Direction over ground, degrees true.
    pub trk: f64,
    /// Vertical speed, feet a minute; 0 when left out.
    #[serde(default)]
    pub vs_fpm: f64,
}

fn one() -> u32 {
    1
}

fn unknown() -> String {
    "unknown".into()
}

fn other() -> String {
    "other".into()
}

fn category(name: &str) -> Result<Category, String> {
    match name {
        "aeroplane" => Ok(Category::Aeroplane),
        "helicopter" => Ok(Category::Helicopter),
        "unmanned" => Ok(Category::Unmanned),
        "unknown" => Ok(Category::Unknown),
        other => Err(format!("category {other:?} is none of aeroplane, helicopter, unmanned, unknown")),
    }
}

fn position(at: [f64; 2]) -> Result<Position, String> {
    Position::new(Degrees::new(at[1]), Degrees::new(at[0])).map_err(|e| e.to_string())
}

impl VolumeInput {
    fn read(&self) -> Result<Volume4, String> {
        let datum = match self.datum.as_str() {
            "w84" => Datum::Ellipsoid,
            "baro" => Datum::Barometric,
            "agl" => Datum::AboveGround,
            other => return Err(format!("datum {other:?} is none of w84, baro, agl")),
        };
        let area = match (self.centre, self.radius_m, &self.vertices) {
            (Some(centre), Some(radius), None) => Area::circle(position(centre)?, Metres::new(radius)),
            (None, None, Some(vertices)) => {
                Area::polygon(vertices.iter().map(|&v| position(v)).collect::<Result<_, _>>()?)
            }
            _ => return Err("a volume has either centre and radius_m, or vertices".into()),
        };
        let altitude = |m| Altitude::new(Metres::new(m), datum).map_err(|e| e.to_string());
        Ok(Volume4 {
            area: area.map_err(|e| e.to_string())?,
            altitude: AltitudeBand::new(altitude(self.lower_m)?, altitude(self.upper_m)?)
                .map_err(|e| e.to_string())?,
            time: TimeInterval::new(self.start, self.end).map_err(|e| e.to_string())?,
        })
    }
}

fn volumes(inputs: &[VolumeInput]) -> Result<Vec<Volume4>, String> {
    if inputs.is_empty() || inputs.len() > hotline_airspace::MAX_VOLUMES {
        return Err(format!("{} volumes: 1 to {} are allowed", inputs.len(), hotline_airspace::MAX_VOLUMES));
    }
    let read = |(i, v): (usize, &VolumeInput)| v.read().map_err(|e| format!("volumes[{i}]: {e}"));
    inputs.iter().enumerate().map(read).collect()
}

impl FlightInput {
    /// What the core understands.
    ///
    /// # Errors
    /// Naming the field that is wrong and what would be right.
    pub fn read(&self, flight: &str) -> Result<FlightPlan, String> {
        let squawk = match &self.squawk {
            None => None,
            Some(code) if code.len() == 4 => Some(
                u16::from_str_radix(code, 8).map_err(|_| format!("squawk {code:?}: four octal digits"))?,
            ),
            Some(code) => return Err(format!("squawk {code:?}: four octal digits")),
        };
        Ok(FlightPlan {
            flight: FlightId::new(flight).map_err(|e| e.to_string())?,
            volumes: volumes(&self.volumes)?,
            aircraft: self.aircraft,
            category: category(&self.category)?,
            purpose: Purpose::from_name(&self.purpose).ok_or_else(|| {
                format!(
                    "purpose {:?} is none of {}",
                    self.purpose,
                    Purpose::ALL.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ")
                )
            })?,
            callsign: self.callsign.clone(),
            unit: self.unit.clone(),
            squawk,
        })
    }
}

impl RestrictionInput {
    /// What the core understands.
    ///
    /// # Errors
    /// Naming the field that is wrong and what would be right.
    pub fn read(&self, id: &str) -> Result<Restriction, String> {
        Ok(Restriction {
            id: FlightId::new(id).map_err(|e| e.to_string())?,
            volumes: volumes(&self.volumes)?,
            reason: self.reason.clone(),
        })
    }
}

impl TrackInput {
    /// What the core understands.
    ///
    /// # Errors
    /// Naming what is wrong and what would be right.
    pub fn read(&self) -> Result<SharedTrack, String> {
        let altitude = match (self.alt_ft, self.alt_m) {
            (Some(ft), None) => Altitude::new(Feet::new(ft).into(), Datum::Barometric),
            (None, Some(m)) => Altitude::new(Metres::new(m), Datum::Ellipsoid),
            _ => return Err("either alt_ft or alt_m is needed".into()),
        };
        if self.callsign.len() > 16 {
            return Err(format!("call sign {:?}: at most 16 bytes", self.callsign));
        }
        let speed = |kt: f64| MetresPerSecond::from(Knots::new(kt));
        let state = TrackState::new(
            Timestamp::from_millisecond(self.time_ms).map_err(|e| e.to_string())?,
            position([self.lon, self.lat])?,
            altitude.map_err(|e| e.to_string())?,
            speed(self.gs_kt),
            Degrees::new(self.trk),
            FeetPerMinute::new(self.vs_fpm).into(),
        );
        Ok(SharedTrack {
            id: FlightId::new(&self.id).map_err(|e| e.to_string())?,
            callsign: self.callsign.clone(),
            category: category(&self.category)?,
            flight: self.flight.as_deref().map(FlightId::new).transpose().map_err(|e| e.to_string())?,
            state: state.map_err(|e| e.to_string())?,
        })
    }
}
