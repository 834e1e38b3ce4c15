//! When an aircraft flown straight on will be inside a volume.

use crate::area_distance::{border, edges, inside};
use crate::{Dilation, Violation};
use hotline_airspace::{
    Area, DatumConversions, LocalPlane, PlanePoint, Seconds, TrackState, Volume4, seconds_between,
};

/// A closed interval of seconds.
type Span = (f64, f64);

fn meet(a: Span, b: Span) -> Option<Span> {
    let both = (a.0.max(b.0), a.1.min(b.1));
    (both.0 <= both.1).then_some(both)
}

/// When the point moving from the origin at (vx, vy) is within `radius` of `centre`.
fn near_point(v: (f64, f64), centre: PlanePoint, radius: f64) -> Option<Span> {
    let v2 = v.0 * v.0 + v.1 * v.1;
    let c = centre.x * centre.x + centre.y * centre.y - radius * radius;
    if v2 == 0.0 {
        return (c <= 0.0).then_some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let along = centre.x * v.0 + centre.y * v.1;
    let delta = along * along - v2 * c;
    (delta >= 0.0).then(|| ((along - delta.sqrt()) / v2, (along + delta.sqrt()) / v2))
}

/// When the moving point is beside the segment, within `radius` of its line.
fn beside_segment(v: (f64, f64), (a, b): (PlanePoint, PlanePoint), radius: f64) -> Option<Span> {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length = dx.hypot(dy);
    if length == 0.0 {
        return None;
    }
    let (ux, uy) = (dx / length, dy / length);
    // Linear conditions low <= offset + rate t <= high.
    let held = |offset: f64, rate: f64, low: f64, high: f64| {
        if rate == 0.0 {
            return (low <= offset && offset <= high).then_some((f64::NEG_INFINITY, f64::INFINITY));
        }
        let (p, q) = ((low - offset) / rate, (high - offset) / rate);
        Some((p.min(q), p.max(q)))
    };
    let along = held(-a.x * ux - a.y * uy, v.0 * ux + v.1 * uy, 0.0, length)?;
    let across = held(a.x * uy - a.y * ux, v.1 * ux - v.0 * uy, -radius, radius)?;
    meet(along, across)
}

/// When the moving point crosses the segment.
fn crossing(v: (f64, f64), (a, b): (PlanePoint, PlanePoint)) -> Option<f64> {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let turn = v.0 * dy - v.1 * dx;
    if turn == 0.0 {
        return None;
    }
    let t = (a.x * dy - a.y * dx) / turn;
    let share = (a.x * v.1 - a.y * v.0) / turn;
    (0.0..=1.0).contains(&share).then_some(t)
}

/// All spans in [0, T] in which the moving point is within `radius` of the polygon, sorted and joined.
fn near_polygon(v: (f64, f64), drawn: &[PlanePoint], radius: f64, lookahead: f64) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut cuts: Vec<f64> = vec![0.0, lookahead];
    for (a, b) in edges(drawn) {
        spans.extend([near_point(v, a, radius), beside_segment(v, (a, b), radius)].into_iter().flatten());
        cuts.extend(crossing(v, (a, b)).filter(|t| (0.0..=lookahead).contains(t)));
    }
    cuts.sort_unstable_by(f64::total_cmp);
    for pair in cuts.windows(2) {
        let middle = (pair[0] + pair[1]) / 2.0;
        if inside(drawn, PlanePoint { x: v.0 * middle, y: v.1 * middle }) {
            spans.push((pair[0], pair[1]));
        }
    }
    let mut spans: Vec<Span> = spans.into_iter().filter_map(|s| meet(s, (0.0, lookahead))).collect();
    spans.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.0 <= last.1 + 1e-9 => last.1 = last.1.max(span.1),
            _ => joined.push(span),
        }
    }
    joined
}

/// When the aircraft, flown straight on from its state, will first be inside the volume (or closer to it than
/// the dilation) within the look-ahead. Times are counted from the state's time. Borders belong to the volume.
/// An altitude of a datum that cannot be converted counts as inside.
pub fn track_enters(
    track: &TrackState,
    volume: &Volume4,
    dilation: &Dilation,
    lookahead: Seconds,
    conversions: &DatumConversions,
) -> Option<Violation> {
    let time = volume.time.widened(dilation.time);
    let from = track.time();
    let window = (seconds_between(from, time.start()).get(), seconds_between(from, time.end()).get());
    let window = meet(window, (0.0, lookahead.get()))?;
    let window = meet(window, in_band(track, volume, dilation, conversions)?)?;

    let plane = LocalPlane::new(track.position());
    let (sin, cos) = track.track().get().to_radians().sin_cos();
    let v = (track.ground_speed().get() * sin, track.ground_speed().get() * cos);
    let spans = match &volume.area {
        Area::Circle { centre, radius } => {
            let reach = (*radius + dilation.horizontal).get();
            Vec::from_iter(near_point(v, plane.project(*centre), reach))
        }
        Area::Polygon(polygon) => {
            near_polygon(v, &border(polygon, plane), dilation.horizontal.get(), lookahead.get())
        }
    };
    let (enters, leaves) = spans.into_iter().find_map(|span| meet(span, window))?;
    Some(Violation { enters: Seconds::new(enters), leaves: Seconds::new(leaves) })
}

fn in_band(
    track: &TrackState,
    volume: &Volume4,
    dilation: &Dilation,
    conversions: &DatumConversions,
) -> Option<Span> {
    let always = (f64::NEG_INFINITY, f64::INFINITY);
    let Some((offset, error)) = conversions.between(volume.altitude.datum(), track.altitude().datum()) else {
        return Some(always);
    };
    let slack = dilation.vertical.get() + error;
    let low = volume.altitude.lower().metres().get() + offset - slack;
    let high = volume.altitude.upper().metres().get() + offset + slack;
    let (height, climb) = (track.altitude().metres().get(), track.vertical_speed().get());
    if climb == 0.0 {
        return (low <= height && height <= high).then_some(always);
    }
    let (a, b) = ((low - height) / climb, (high - height) / climb);
    Some((a.min(b), a.max(b)))
}
