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
        let up = if difference >= 0.0 { 1.0 } else { -1.0 };
        let mut top = up * rate;
        let way = |top: f64| {
            let first = (top - start) / acceleration;
            (start + top) / 2.0 * first.abs() + top * top.abs() / (2.0 * acceleration)
        };
        if (difference - way(top)) * up < 0.0 {
            // Too near to reach the rate: turn round earlier, at top^2 = (2 a |d| + start^2) / 2 upwards.
            let square = acceleration * difference.abs() + start * start / 2.0;
            top = up * square.sqrt();
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

/// Spans of violation of every altitude target; gives the number of spans a target has.
pub(crate) fn fill(
    configuration: &Configuration,
    encounter: &Encounter,
    pair: &Relative,
    grid: &Grid,
    volume: &Volume,
    spans: &mut Vec<Span>,
    reached: &mut Vec<f64>,
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
        for (from, to) in [(0.0, profile.accelerated), (profile.held, profile.level)] {
            let mut hull = Span::NEVER;
            let mut t = from;
            while t <= to + 1.0 {
                for (row, horizontal) in volume.rows().iter().zip(&horizontals) {
                    if straight(t, row, *horizontal).meets(t, t) {
                        hull = hull.hull(Span { from: t, to: t });
                    }
                }
                t += 1.0;
            }
            spans.push(hull);
        }
        for (row, horizontal) in volume.rows().iter().zip(&horizontals) {
            let hold = Span { from: profile.accelerated, to: profile.held };
            spans.push(straight(profile.accelerated, row, *horizontal).meet(hold));
            let level = Span { from: profile.level, to: f64::INFINITY };
            spans.push(straight(profile.level, row, *horizontal).meet(level));
        }
        debug_assert_eq!(spans.len() - before, per);
        reached.push(profile.level);
    }
    per
}
