//! Volumes and times as the standards write them in JSON, and what the machine compares.

use crate::Problem;
use hotline_airspace::{Cell, Degrees, Metres, Position, cover_circle, cover_polygon};
use hotline_dss::{Extent, MAX_CELLS, Moment, Window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most volumes of one request.
const MAX_VOLUMES: usize = 1_000;
const ALTITUDES: std::ops::RangeInclusive<f64> = -8_000.0..=100_000.0;

/// A position, degrees.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct LatLng {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lng: f64,
}

/// An outline of vertices in order.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Polygon {
    /// Three or more; the last one is joined to the first.
    pub vertices: Vec<LatLng>,
}

/// A length.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Radius {
    /// How long.
    pub value: f64,
    /// `M`.
    pub units: String,
}

/// A round outline.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Circle {
    /// Its middle.
    pub center: Option<LatLng>,
    /// Its radius.
    pub radius: Option<Radius>,
}

/// How high.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Altitude {
    /// Metres above the reference.
    pub value: f64,
    /// `W84`: the WGS84 ellipsoid.
    pub reference: String,
    /// `M`.
    pub units: String,
}

/// A time with its format (F3548 and F3411-22a).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Time {
    /// RFC 3339 with `Z`.
    pub value: String,
    /// `RFC3339`.
    pub format: String,
}

/// A piece of airspace: an outline between two altitudes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Volume3 {
    /// A round outline; this or the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline_circle: Option<Circle>,
    /// An outline of vertices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline_polygon: Option<Polygon>,
    /// From here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude_lower: Option<Altitude>,
    /// Up to here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude_upper: Option<Altitude>,
}

/// A volume of F3548 and F3411-22a.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Volume4 {
    /// Where.
    pub volume: Volume3,
    /// From when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_start: Option<Time>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_end: Option<Time>,
}

/// RFC 3339, in UTC, as the standards ask.
pub(crate) fn instant(text: &str) -> Result<Moment, Problem> {
    let wrong =
        || Problem::invalid(format!("{text:?} is no time in RFC 3339 with `Z`, as 2026-01-31T12:00:00Z"));
    if !text.ends_with('Z') || text.as_bytes().get(10) != Some(&b'T') {
        return Err(wrong());
    }
    let at: Timestamp = text.parse().map_err(|_| wrong())?;
    Ok(Moment::from_micros(at.as_microsecond()))
}

/// An instant as RFC 3339.
pub(crate) fn written(at: Moment) -> String {
    Timestamp::from_microsecond(at.micros()).unwrap_or(Timestamp::MAX).to_string()
}

impl Time {
    /// An instant.
    pub fn at(moment: Moment) -> Self {
        Self { value: written(moment), format: "RFC3339".into() }
    }

    /// The instant it names.
    ///
    /// # Errors
    /// When it is none.
    pub fn instant(&self) -> Result<Moment, Problem> {
        if self.format != "RFC3339" {
            return Err(Problem::invalid(format!(
                "a time's format must be \"RFC3339\", not {:?}",
                self.format
            )));
        }
        instant(&self.value)
    }
}

impl Altitude {
    /// Metres above the ellipsoid.
    ///
    /// # Errors
    /// When it is given otherwise, or out of range.
    pub fn metres(&self) -> Result<f64, Problem> {
        let Self { value, reference, units } = self;
        if reference != "W84" || units != "M" {
            let why = format!(
                "an altitude must have reference \"W84\" and units \"M\", not {reference:?} and {units:?}"
            );
            return Err(Problem::invalid(why));
        }
        in_range(*value)
    }
}

fn in_range(altitude: f64) -> Result<f64, Problem> {
    if ALTITUDES.contains(&altitude) {
        return Ok(altitude);
    }
    Err(Problem::invalid(format!("altitude {altitude} m is not within -8000 to 100000 m")))
}

fn position(at: &LatLng) -> Result<Position, Problem> {
    let found = Position::new(Degrees::new(at.lat), Degrees::new(at.lng));
    found.map_err(|e| Problem::invalid(e.to_string()))
}

/// The cells of a polygon.
pub(crate) fn polygon_cells(vertices: &[LatLng]) -> Result<Vec<Cell>, Problem> {
    let corners: Vec<Position> = vertices.iter().map(position).collect::<Result<_, _>>()?;
    cover_polygon(&corners).map_err(cover_problem)
}

// The interfaces have 413 for areas that are too large, but the clients in the field expect 400 where something is
// written; only searches are answered with 413 (see `searched_cells`).
fn cover_problem(e: hotline_airspace::CoverError) -> Problem {
    Problem::invalid(e.to_string())
}

/// `lat,lng,lat,lng,…` of a search; too large an area is 413.
pub(crate) fn searched_cells(area: &str) -> Result<Vec<Cell>, Problem> {
    let wrong =
        || Problem::invalid("area must be lat1,lng1,lat2,lng2,lat3,lng3,… in degrees, three points or more");
    let numbers: Vec<f64> =
        area.split(',').map(|n| n.trim().parse()).collect::<Result<_, _>>().map_err(|_| wrong())?;
    let (points, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() || points.len() < 3 {
        return Err(wrong());
    }
    let corner = |&[lat, lng]: &[f64; 2]| position(&LatLng { lat, lng });
    let corners: Vec<Position> = points.iter().map(corner).collect::<Result<_, _>>()?;
    cover_polygon(&corners).map_err(|e| match e {
        hotline_airspace::CoverError::TooLarge(_) => Problem::too_large(e.to_string()),
        other => cover_problem(other),
    })
}

fn circle_cells(circle: &Circle) -> Result<Vec<Cell>, Problem> {
    let Circle { center: Some(centre), radius: Some(radius) } = circle else {
        return Err(Problem::invalid("a circle needs center and radius"));
    };
    if radius.units != "M" {
        return Err(Problem::invalid(format!("a radius must have units \"M\", not {:?}", radius.units)));
    }
    cover_circle(position(centre)?, Metres::new(radius.value)).map_err(cover_problem)
}

impl Volume4 {
    /// The volume with what it does not say left open.
    pub(crate) fn window(&self) -> Result<Window, Problem> {
        let cells = match (&self.volume.outline_circle, &self.volume.outline_polygon) {
            (Some(circle), None) => circle_cells(circle)?,
            (None, Some(polygon)) => polygon_cells(&polygon.vertices)?,
            _ => {
                return Err(Problem::invalid(
                    "a volume needs exactly one of outline_circle and outline_polygon",
                ));
            }
        };
        let lower = self.volume.altitude_lower.as_ref().map(Altitude::metres).transpose()?;
        let upper = self.volume.altitude_upper.as_ref().map(Altitude::metres).transpose()?;
        let start = self.time_start.as_ref().map(Time::instant).transpose()?;
        let end = self.time_end.as_ref().map(Time::instant).transpose()?;
        window(cells, lower, upper, start, end)
    }

    /// The volume as it is searched: without limits where it says none.
    pub(crate) fn searched(&self) -> Result<Extent, Problem> {
        Ok(open(self.window()?))
    }

    fn bounded(&self) -> Result<Extent, Problem> {
        let window = self.window()?;
        let (Some(_), Some(_)) = (window.start, window.end) else {
            return Err(Problem::invalid("each volume needs time_start and time_end"));
        };
        Ok(open(window))
    }
}

/// Makes a window of its parts.
pub(crate) fn window(
    cells: Vec<Cell>,
    lower: Option<f64>,
    upper: Option<f64>,
    start: Option<Moment>,
    end: Option<Moment>,
) -> Result<Window, Problem> {
    let lower = lower.map(in_range).transpose()?.unwrap_or(f64::NEG_INFINITY);
    let upper = upper.map(in_range).transpose()?.unwrap_or(f64::INFINITY);
    if lower > upper {
        return Err(Problem::invalid(format!(
            "altitude_lower {lower} m must not be above altitude_upper {upper} m"
        )));
    }
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(Problem::invalid("time_start must be before time_end"));
    }
    Ok(Window { cells: cells.into(), lower, upper, start, end })
}

/// A window without limits where it says none.
pub(crate) fn open(window: Window) -> Extent {
    let Window { cells, lower, upper, start, end } = window;
    Extent { cells, lower, upper, start: start.unwrap_or(Moment::MIN), end: end.unwrap_or(Moment::MAX) }
}

/// The union of an entity's volumes. Each must have times, and altitudes too where `altitudes` says so.
pub(crate) fn union(volumes: &[Volume4], altitudes: bool) -> Result<Extent, Problem> {
    if volumes.len() > MAX_VOLUMES {
        return Err(Problem::invalid(format!("{} extents: {MAX_VOLUMES} are allowed", volumes.len())));
    }
    let mut all: Option<Extent> = None;
    for volume in volumes {
        if altitudes && (volume.volume.altitude_lower.is_none() || volume.volume.altitude_upper.is_none()) {
            return Err(Problem::invalid("each volume needs altitude_lower and altitude_upper"));
        }
        let one = volume.bounded()?;
        if one.start >= one.end {
            return Err(Problem::invalid("time_start must be before time_end"));
        }
        all = Some(match all {
            None => one,
            Some(all) => all.union(&one).ok_or_else(|| {
                Problem::invalid(format!(
                    "the area is too large: all extents have more than {MAX_CELLS} cells of S2 level 13"
                ))
            })?,
        });
    }
    all.ok_or_else(|| Problem::invalid("at least one extent is needed"))
}
