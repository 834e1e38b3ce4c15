//! A peer's flight or restriction as it stands at the party's DSS: only what reaches into the coordinated airspace, in
//! heights above the ellipsoid, in parts that a DSS takes.

use hotline_airspace::{
    Altitude, AltitudeBand, Area, Datum, DatumConversions, Metres, Position, TrackState, Volume4,
    cover_circle, cover_polygon,
};
use hotline_detect::distance_between;
use hotline_uss::Tile;
use hotline_uss::wire::Volume4 as WireVolume;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The most cells of one part; services in the field take about so many.
const MAX_CELLS: usize = 2_000;
/// What cannot be converted reaches from here to there, metres above the ellipsoid.
const ANYWHERE: (f64, f64) = (-1_000.0, 30_000.0);

/// A part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mirrored {
    pub(crate) volumes: Vec<WireVolume>,
    pub(crate) start: Timestamp,
}

/// An identifier made of names: a UUID in the form of version 4, the same for the same names.
pub(crate) fn identifier(names: &[&str]) -> String {
    let mut hash = Sha256::new();
    for name in names {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name.as_bytes());
    }
    let bytes: [u8; 16] = hash.finalize()[..16].try_into().expect("a hash of 32 bytes");
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Whether an area reaches into the tiles.
pub(crate) fn reaches(tiles: &[Tile], area: &Area) -> bool {
    met(tiles, area).next().is_some()
}

fn met<'a>(tiles: &'a [Tile], area: &'a Area) -> impl Iterator<Item = &'a Tile> {
    let (centre, reach) = area.bounding_circle();
    // Most are far away, which is seen without geodesics: a degree of latitude is at least 110.5 km, one of longitude at least
    // 110.5 km times the cosine of the latitude that is farther from the equator.
    const DEGREE: f64 = 110_500.0;
    let near = move |tile: &&Tile| {
        let (middle, half) = tile.area.bounding_circle();
        let reach = (reach + half).get();
        let (a, b) = (centre.latitude().get(), middle.latitude().get());
        let apart = (centre.longitude().get() - middle.longitude().get()).abs();
        let apart = apart.min(360.0 - apart);
        let farthest = (a.abs().max(b.abs()) + reach / DEGREE).min(90.0).to_radians().cos();
        (a - b).abs() * DEGREE <= reach && apart * DEGREE * farthest <= reach
    };
    tiles.iter().filter(near).filter(move |tile| distance_between(&tile.area, area).get() <= 0.0)
}

/// Whether volumes are the same but for what the line rounds: a millimetre, a millisecond, a billionth of a degree.
pub(crate) fn same_on_the_line(one: &[Volume4], other: &[Volume4]) -> bool {
    let near = |a: f64, b: f64, by: f64| (a - b).abs() <= by;
    let place = |a: Position, b: Position| {
        near(a.latitude().get(), b.latitude().get(), 2e-9)
            && near(a.longitude().get(), b.longitude().get(), 2e-9)
    };
    let instant = |a: Timestamp, b: Timestamp| a.as_millisecond().abs_diff(b.as_millisecond()) <= 1;
    let area = |a: &Area, b: &Area| match (a, b) {
        (Area::Circle { centre: a, radius: r }, Area::Circle { centre: b, radius: s }) => {
            place(*a, *b) && near(r.get(), s.get(), 2e-3)
        }
        (Area::Polygon(a), Area::Polygon(b)) => {
            let (a, b) = (a.vertices(), b.vertices());
            a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| place(a, b))
        }
        _ => false,
    };
    let volume = |a: &Volume4, b: &Volume4| {
        let height = |a: hotline_airspace::Altitude, b: hotline_airspace::Altitude| {
            a.datum() == b.datum() && near(a.metres().get(), b.metres().get(), 2e-3)
        };
        area(&a.area, &b.area)
            && height(a.altitude.lower(), b.altitude.lower())
            && height(a.altitude.upper(), b.altitude.upper())
            && instant(a.time.start(), b.time.start())
            && instant(a.time.end(), b.time.end())
    };
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| volume(a, b))
}

/// Heights above the ellipsoid that the band surely lies within.
fn heights(band: AltitudeBand, conversions: &DatumConversions) -> (f64, f64) {
    let (low, high) = (band.lower().metres().get(), band.upper().metres().get());
    match conversions.between(band.datum(), Datum::Ellipsoid) {
        Some((offset, error)) => (low + offset - error, high + offset + error),
        None => ANYWHERE,
    }
}

/// A state with its height above the ellipsoid, if that can be told.
pub(crate) fn above_ellipsoid(state: &TrackState, conversions: &DatumConversions) -> Option<TrackState> {
    let (offset, _) = conversions.between(state.altitude().datum(), Datum::Ellipsoid)?;
    let height = state.altitude().metres().get() + offset;
    let altitude = Altitude::new(Metres::new(height), Datum::Ellipsoid).ok()?;
    let (speed, climb) = (state.ground_speed(), state.vertical_speed());
    TrackState::new(state.time(), state.position(), altitude, speed, state.track(), climb).ok()
}

fn cells(area: &Area) -> Option<usize> {
    match area {
        Area::Circle { centre, radius } => cover_circle(*centre, *radius).ok(),
        Area::Polygon(polygon) => cover_polygon(polygon.vertices()).ok(),
    }
    .map(|cells| cells.len())
}

/// The parts of these volumes that stand at the DSS now: what has ended, or is farther ahead than a DSS takes, is left out. A volume larger than a DSS takes
/// stands as the tiles that it reaches into: more airspace than it needs, never less.
pub(crate) fn mirrored(
    volumes: &[Volume4],
    tiles: &[Tile],
    conversions: &DatumConversions,
    now: Timestamp,
) -> Vec<Mirrored> {
    let soon = |v: &Volume4| v.time.end() > now && v.time.start() < now + hotline_uss::PLAN_HORIZON;
    let mut pieces: Vec<(usize, WireVolume, Timestamp)> = Vec::new();
    for volume in volumes.iter().filter(|v| soon(v) && reaches(tiles, &v.area)) {
        let heights = heights(volume.altitude, conversions);
        let time = (volume.time.start(), volume.time.end());
        let mut piece = |area: &Area, count| {
            pieces.push((count, hotline_uss::written(area, heights, time), volume.time.start()));
        };
        match cells(&volume.area) {
            Some(count) => piece(&volume.area, count),
            None => {
                let met: Vec<&Tile> = met(tiles, &volume.area).collect();
                met.iter().for_each(|tile| piece(&tile.area, cells(&tile.area).unwrap_or(MAX_CELLS)));
            }
        }
    }
    let mut parts: Vec<(usize, Mirrored)> = Vec::new();
    for (count, volume, start) in pieces {
        match parts.last_mut() {
            Some((sum, part))
                if *sum + count <= MAX_CELLS && part.volumes.len() < hotline_uss::MAX_VOLUMES =>
            {
                *sum += count;
                part.start = part.start.min(start);
                part.volumes.push(volume);
            }
            _ => parts.push((count, Mirrored { volumes: vec![volume], start })),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::{DatumConversion, Degrees, TimeInterval};

    fn volume(lat: f64, radius: f64, datum: Datum) -> Volume4 {
        let at = |m| Altitude::new(Metres::new(m), datum).unwrap();
        let centre = Position::new(Degrees::new(lat), Degrees::new(8.2)).unwrap();
        let time = |t: &str| t.parse().unwrap();
        Volume4 {
            area: Area::circle(centre, Metres::new(radius)).unwrap(),
            altitude: AltitudeBand::new(at(100.0), at(200.0)).unwrap(),
            time: TimeInterval::new(time("2026-01-01T00:00:00Z"), time("2026-01-01T01:00:00Z")).unwrap(),
        }
    }

    #[test]
    fn what_reaches_into_the_airspace_stands_there() {
        let tiles = Tile::cut(&[[47.0, 8.0, 47.8, 8.4]], |place| identifier(&[place])).unwrap();
        let none = DatumConversions::default();
        let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let look = |volumes: &[Volume4], conversions| mirrored(volumes, &tiles, conversions, begin);
        assert!(look(&[volume(48.5, 1_000.0, Datum::Ellipsoid)], &none).is_empty(), "elsewhere");
        let here = volume(47.3, 1_000.0, Datum::Ellipsoid);
        let parts = look(&[here.clone(), here.clone()], &none);
        assert_eq!((parts.len(), parts[0].volumes.len()), (1, 2));
        let height = |part: &Mirrored| part.volumes[0].volume.altitude_upper.as_ref().unwrap().value;
        assert_eq!(height(&parts[0]), 200.0);
        let pressure = [volume(47.3, 1_000.0, Datum::Barometric)];
        assert_eq!(height(&look(&pressure, &none)[0]), 30_000.0, "not comparable: anywhere");
        let conversion = DatumConversion { offset: Metres::new(50.0), error: Metres::new(300.0) };
        let stated = DatumConversions { barometric: Some(conversion), above_ground: None };
        assert_eq!(height(&look(&pressure, &stated)[0]), 550.0, "with its doubt");
        let wide = look(&[volume(47.3, 60_000.0, Datum::Ellipsoid)], &none);
        assert_eq!(wide.iter().map(|p| p.volumes.len()).sum::<usize>(), tiles.len(), "as the tiles");
        assert!(mirrored(&[here], &tiles, &none, "2026-01-01T01:00:00Z".parse().unwrap()).is_empty(), "over");
        assert_eq!(identifier(&["a", "b"]), identifier(&["a", "b"]));
        assert_ne!(identifier(&["a", "b"]), identifier(&["ab", ""]));
    }
}
