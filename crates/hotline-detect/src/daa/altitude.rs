//! Flying to an altitude: accelerate to the vertical rate, hold it, level out at the target.

use super::configuration::Configuration;
use super::encounter::Encounter;
use super::targets::Grid;
use crate::Relative;
use crate::volume::{Span, Volume};

/// The own aircraft's vertical motion to a target: constant acceleration between these times.
#[derive(Debug, Clone, Copy)]
struct Profile {
    /// Accelerates until here, then holds the rate ...
    accelerated: f64,
    /// ... until here, then levels out ...
    held: f64,
    /// ... until here.
    level: f64,
    first: f64,
    rate: f64,
    last: f64,
    start: f64,
}

impl Profile {
    /// The profile from climb `start` over a difference of altitude.
    fn new(difference: f64, start: f64, rate: f64, acceleration: f64) -> Self {
        // Where it would stop if it levelled out at once decides which way to go first.
        let stop = start * start.abs() / (2.0 * acceleration);
        let up = if difference >= stop { 1.0 } else { -1.0 };
        let rate = rate.max(start * up);
        let mut top = up * rate;
        let way = |top: f64| {
            let first = (top - start) / acceleration;
            (start + top) / 2.0 * first.abs() + top * top.abs() / (2.0 * acceleration)
        };
        if (difference - way(top)) * up < 0.0 {
            // Too near to reach the rate: turn round earlier, at top^2 = (2 a |d| + start^2) / 2 upwards.
            let square = acceleration * difference * up + start * start / 2.0;
            top = up * square.max(0.0).sqrt();
        }
        let accelerated = (top - start).abs() / acceleration;
        let rest = difference - way(top);
        let held = accelerated + if top == 0.0 { 0.0 } else { (rest / top).max(0.0) };
        let level = held + top.abs() / acceleration;
        Self {
            accelerated,
            held,
            level,
            first: acceleration * (top - start).signum(),
            rate: top,
            last: -acceleration * top.signum(),
            start,
        }
    }

    /// Height gained and climb at a time.
    fn at(&self, t: f64) -> (f64, f64) {
        let first = t.min(self.accelerated);
        let mut z = (self.start + self.first * first / 2.0) * first;
        if t <= self.accelerated {
            return (z, self.start + self.first * first);
        }
        let hold = (t.min(self.held) - self.accelerated).max(0.0);
        z += self.rate * hold;
        if t <= self.held {
            return (z, self.rate);
        }
        let last = (t.min(self.level) - self.held).max(0.0);
        z += (self.rate + self.last * last / 2.0) * last;
        if t >= self.level { (z, 0.0) } else { (z, self.rate + self.last * last) }
    }
}

pub(crate) fn var(i: usize) -> f64 {
    static V: std::sync::OnceLock<Vec<f64>> = std::sync::OnceLock::new();
    let v = V.get_or_init(|| std::env::var("VAR").unwrap_or_default().split(',').filter_map(|x| x.parse().ok()).collect());
    v.get(i).copied().unwrap_or(0.0)
}

/// Spans of violation of every altitude target; gives the number of spans a target has.
pub(crate) fn fill(
    configuration: &Configuration,
    encounter: &Encounter,
    pair: &Relative,
    grid: &Grid,
    volume: &Volume,
    spans: &mut Vec<Span>,
    reached: &mut Vec<f64>,
    legs: &mut Vec<f64>,
) -> usize {
    let (rate, acceleration) = (configuration.vertical_rate_mps, configuration.vertical_acceleration_mps2);
    let own_climb = encounter.velocity[2];
    let other_climb = own_climb - pair.v[2];
    let horizontals: Vec<Span> =
        volume.rows().iter().map(|r| r.shape.horizontal([pair.s[0], pair.s[1]], [pair.v[0], pair.v[1]])).collect();
    let per: usize = 2 * volume.rows().len() + 2;
    for index in 0..grid.len() {
        let difference = grid.flown(index) - encounter.altitude;
        let profile = Profile::new(difference, own_climb, rate, acceleration);
        let before = spans.len();
        // Straight on from a time of the profile.
        let straight = |t: f64, row: &crate::volume::Row, horizontal: Span| {
            let (z, climb) = profile.at(t);
            let (sz, vz) = (pair.s[2] + z - other_climb * t, climb - other_climb);
            let layer = row.in_layer(encounter.altitude + z, climb);
            layer.meet(row.shape.vertical(sz, vz)).later(t).meet(horizontal)
        };
        let sample = |from: f64, to: f64| {
            let mut hull = Span::NEVER;
            let mut t = from;
            while t <= to && t < configuration.lookahead_s {
                for (row, horizontal) in volume.rows().iter().zip(&horizontals) {
                    if straight(t, row, *horizontal).meets(t, t) {
                        hull = hull.hull(Span { from: t, to: t });
                    }
                }
                t += 1.0;
            }
            hull
        };
        for (row, horizontal) in volume.rows().iter().zip(&horizontals) {
            let hold = Span { from: profile.accelerated, to: profile.held };
            spans.push(straight(profile.accelerated, row, *horizontal).meet(hold));
        }
        let tl = match var(7) as i32 { 0 => profile.level, 1 => profile.level + 1.0, 2 => profile.held + (profile.level - profile.held).floor() + 1.0, 3 => profile.held + (profile.level - profile.held).ceil() + 1.0, 4 => profile.level.ceil(), _ => profile.level.floor() + 1.0 };
        let first = sample(var(5), profile.accelerated + var(2));
        let last = sample(match var(4) as i32 { 0 => profile.held, 1 => profile.held + 1.0, 2 => profile.held.ceil(), _ => profile.held.floor() + 1.0 }, profile.level + var(3));
        if var(1) == 0.0 { spans.push(first); spans.push(last) } else { spans.push(last); spans.push(first) }
        for (row, horizontal) in volume.rows().iter().zip(&horizontals) {
            let level = Span { from: tl, to: f64::INFINITY };
            spans.push(straight(tl, row, *horizontal).meet(level));
        }
        debug_assert_eq!(spans.len() - before, per);
        reached.push(tl);
        legs.push(profile.accelerated);
    }
    per
}
