//! The standards' volumes as the exact geometry that plans are compared with.
//!
//! F3548 GEN0500: an overlap of 1 cm is a conflict, a gap of more than 1 cm is none. The DSS' cells are coarser on purpose.

use crate::wire::{Altitude, Circle, LatLng, Polygon, Radius, Time, Volume3, Volume4};
use hotline_airspace as airspace;
use hotline_airspace::{
    AltitudeBand, Area, Datum, DatumConversions, Degrees, Metres, Position, TimeInterval,
};
use hotline_detect::{Dilation, volumes_conflict};
use hotline_dss::Moment;
use jiff::Timestamp;

/// The most volumes of one intent.
pub const MAX_VOLUMES: usize = airspace::MAX_VOLUMES;

/// The standards allow -8000 m.
const LOWEST: f64 = -1_000.0;

/// An instant as the standards' microseconds.
pub(crate) fn moment(at: Timestamp) -> Moment {
    Moment::from_micros(at.as_microsecond())
}

/// An instant as a civil timestamp, held at the ends.
pub(crate) fn timestamp(at: Moment) -> Timestamp {
    Timestamp::from_microsecond(at.micros()).unwrap_or(if at.micros() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// A time of a volume.
pub(crate) fn instant(time: Option<&Time>, what: &str) -> Result<Timestamp, String> {
    let time = time.ok_or_else(|| format!("a volume needs {what}"))?;
    time.instant().map(timestamp).map_err(|e| e.message().to_owned())
}

fn position(at: &LatLng) -> Result<Position, String> {
    Position::new(Degrees::new(at.lat), Degrees::new(at.lng)).map_err(|e| e.to_string())
}

fn altitude(altitude: Option<&Altitude>, what: &str) -> Result<airspace::Altitude, String> {
    let altitude = altitude.ok_or_else(|| format!("a volume needs {what}"))?;
    // Below the lowest ground there is nothing: what reaches deeper ends there.
    let metres = altitude.metres().map_err(|e| e.message().to_owned())?.max(LOWEST);
    airspace::Altitude::new(Metres::new(metres), Datum::Ellipsoid).map_err(|e| e.to_string())
}

fn area(volume: &Volume3) -> Result<Area, String> {
    match (&volume.outline_circle, &volume.outline_polygon) {
        (Some(Circle { center: Some(centre), radius: Some(radius) }), None) if radius.units == "M" => {
            Area::circle(position(centre)?, Metres::new(radius.value)).map_err(|e| e.to_string())
        }
        (None, Some(polygon)) => {
            let corners = polygon.vertices.iter().map(position).collect::<Result<_, _>>()?;
            Area::polygon(corners).map_err(|e| e.to_string())
        }
        (Some(_), None) => Err("a circle needs center and radius in units \"M\"".into()),
        _ => Err("a volume needs exactly one of outline_circle and outline_polygon".into()),
    }
}

/// One volume, with all its bounds.
pub(crate) fn exact(volume: &Volume4) -> Result<airspace::Volume4, String> {
    let lower = altitude(volume.volume.altitude_lower.as_ref(), "altitude_lower")?;
    let upper = altitude(volume.volume.altitude_upper.as_ref(), "altitude_upper")?;
    let start = instant(volume.time_start.as_ref(), "time_start")?;
    let end = instant(volume.time_end.as_ref(), "time_end")?;
    Ok(airspace::Volume4 {
        area: area(&volume.volume)?,
        altitude: AltitudeBand::new(lower, upper).map_err(|e| e.to_string())?,
        time: TimeInterval::new(start, end).map_err(|e| e.to_string())?,
    })
}

/// All of them; which one is wrong is said.
pub(crate) fn exact_all<'a>(
    volumes: impl IntoIterator<Item = &'a Volume4>,
) -> Result<Vec<airspace::Volume4>, String> {
    let numbered = volumes.into_iter().enumerate();
    let all: Vec<_> =
        numbered.map(|(i, v)| exact(v).map_err(|e| format!("volume {i}: {e}"))).collect::<Result<_, _>>()?;
    if all.len() > MAX_VOLUMES {
        return Err(format!("{} volumes: {MAX_VOLUMES} are allowed", all.len()));
    }
    Ok(all)
}

/// Whether any two of them share airspace at the same time. Borders that only touch count.
pub(crate) fn overlap(one: &[airspace::Volume4], other: &[airspace::Volume4]) -> bool {
    let (none, same) = (Dilation::default(), DatumConversions::default());
    one.iter().any(|a| other.iter().any(|b| volumes_conflict(a, b, &none, &same).is_some()))
}

/// When the first begins and the last ends.
pub(crate) fn span(volumes: &[airspace::Volume4]) -> Option<(Timestamp, Timestamp)> {
    let start = volumes.iter().map(|v| v.time.start()).min()?;
    Some((start, volumes.iter().map(|v| v.time.end()).max()?))
}

/// A circle between two heights for a time, as the standards write it.
pub(crate) fn circle(
    centre: Position,
    radius: Metres,
    heights: (f64, f64),
    time: (Timestamp, Timestamp),
) -> Volume4 {
    let outline = Circle {
        center: Some(latlng(centre)),
        radius: Some(Radius { value: radius.get(), units: "M".into() }),
    };
    let volume = Volume3 { outline_circle: Some(outline), outline_polygon: None, ..between(heights) };
    timed(volume, time)
}

fn between((lower, upper): (f64, f64)) -> Volume3 {
    let at = |value| Some(Altitude { value, reference: "W84".into(), units: "M".into() });
    Volume3 {
        outline_circle: None,
        outline_polygon: None,
        altitude_lower: at(lower),
        altitude_upper: at(upper),
    }
}

fn timed(volume: Volume3, (start, end): (Timestamp, Timestamp)) -> Volume4 {
    let at = |t| Some(Time::at(moment(t)));
    Volume4 { volume, time_start: at(start), time_end: at(end) }
}

fn latlng(at: Position) -> LatLng {
    LatLng { lat: at.latitude().get(), lng: at.longitude().get() }
}

/// A volume of this project as the standards write it. `heights` are metres above the ellipsoid.
pub fn written(area: &Area, heights: (f64, f64), time: (Timestamp, Timestamp)) -> Volume4 {
    match area {
        Area::Circle { centre, radius } => circle(*centre, *radius, heights, time),
        Area::Polygon(polygon) => {
            let vertices = polygon.vertices().iter().map(|&p| latlng(p)).collect();
            let volume = Volume3 { outline_polygon: Some(Polygon { vertices }), ..between(heights) };
            timed(volume, time)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::geodesy;
    use serde_json::json;

    fn disc(lat: f64, lng: f64, radius: f64) -> airspace::Volume4 {
        let at = |value: f64| json!({ "value": value, "reference": "W84", "units": "M" });
        let time = |value: &str| json!({ "value": value, "format": "RFC3339" });
        let volume = json!({
            "volume": {
                "outline_circle": { "center": { "lat": lat, "lng": lng }, "radius": { "value": radius, "units": "M" } },
                "altitude_lower": at(50.0), "altitude_upper": at(120.0),
            },
            "time_start": time("2026-01-01T00:00:00Z"), "time_end": time("2026-01-01T01:00:00Z"),
        });
        exact(&serde_json::from_value(volume).unwrap()).unwrap()
    }

    /// F3548 GEN0500, for circles and for squares, at several latitudes and directions.
    #[test]
    fn a_centimetre_counts() {
        for lat in [0.0, 47.3, -69.9] {
            let centre = Position::new(Degrees::new(lat), Degrees::new(8.5)).unwrap();
            for bearing in [0.0, 37.0, 90.0, 200.0] {
                let beside = |gap: f64| {
                    let there = geodesy::destination(centre, Degrees::new(bearing), Metres::new(700.0 + gap));
                    disc(there.latitude().get(), there.longitude().get(), 400.0)
                };
                let here = [disc(lat, 8.5, 300.0)];
                assert!(overlap(&here, &[beside(-0.01)]), "{lat} {bearing}");
                assert!(!overlap(&here, &[beside(0.0101)]), "{lat} {bearing}");
            }
            let square = |west: f64| {
                let corner = |north: f64, east: f64| {
                    let up = geodesy::destination(centre, Degrees::new(0.0), Metres::new(north));
                    geodesy::destination(up, Degrees::new(90.0), Metres::new(east))
                };
                let corners = [(0.0, west), (0.0, west + 500.0), (500.0, west + 500.0), (500.0, west)];
                let area = Area::polygon(corners.map(|(n, e)| corner(n, e)).to_vec()).unwrap();
                airspace::Volume4 { area, ..disc(lat, 8.5, 1.0) }
            };
            assert!(overlap(&[square(0.0)], &[square(499.99)]), "{lat}");
            assert!(!overlap(&[square(0.0)], &[square(500.0101)]), "{lat}");
        }
    }
}
