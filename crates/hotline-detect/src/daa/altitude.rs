//! Flying to an altitude: accelerate to the vertical rate, hold it, level out at the target.
//!
//! While the climb changes, violations are looked for at whole seconds, as the reference does; while it is held
//! and in the level flight that begins a second after levelling out, in closed form.

use super::sweep::{Leg, Rows, Scene};
use crate::Relative;
use crate::volume::{Row, Span};

/// Level flight is judged from so long after levelling out, seconds.
const SETTLING: f64 = 1.0;

/// The own aircraft's vertical motion to a target: constant acceleration between these times.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Profile {
    /// Accelerates until here ...
    accelerated: f64,
    /// ... holds the rate until here ...
    held: f64,
    /// ... and levels out until here.
    level: f64,
    start: f64,
    /// The rate that is held.
    top: f64,
    acceleration: f64,
    /// The acceleration when levelling out.
    braking: f64,
}

impl Profile {
    /// The profile from a climb of `start` over a difference of altitude. A climb towards the target that is
    /// already faster than `rate` is kept.
    fn new(difference: f64, start: f64, rate: f64, acceleration: f64) -> Self {
        // Where it would come to rest if it levelled out at once decides which way to go.
        let rest = start * start.abs() / (2.0 * acceleration);
        let up = if difference >= rest { 1.0 } else { -1.0 };
        let mut top = up * rate.max(start * up);
        let way = |top: f64| (start + top) * (top - start).abs() + top * top.abs();
        let left = |top: f64| difference - way(top) / (2.0 * acceleration);
        if left(top) * up < 0.0 {
            // Too near to reach the rate: brake as soon as 2 top^2 = 2 a d + start^2.
            top = up * (acceleration * difference * up + start * start / 2.0).max(0.0).sqrt();
        }
        let accelerated = (top - start).abs() / acceleration;
        let held = accelerated + if top == 0.0 { 0.0 } else { (left(top) / top).max(0.0) };
        Self {
            accelerated,
            held,
            level: held + top.abs() / acceleration,
            start,
            top,
            acceleration: acceleration * (top - start).signum(),
            braking: -acceleration * top.signum(),
        }
    }

    /// Height gained and climb at a time.
    fn at(&self, t: f64) -> (f64, f64) {
        let first = t.min(self.accelerated);
        let gained = (self.start + self.acceleration * first / 2.0) * first;
        if t <= self.accelerated {
            return (gained, self.start + self.acceleration * first);
        }
        let gained = gained + self.top * (t.min(self.held) - self.accelerated);
        if t <= self.held {
            return (gained, self.top);
        }
        let last = t.min(self.level) - self.held;
        let gained = gained + (self.top + self.braking * last / 2.0) * last;
        (gained, if t >= self.level { 0.0 } else { self.top + self.braking * last })
    }
}

/// One row of the volume against the own aircraft's vertical motion.
struct Judge {
    row: Row,
    horizontal: Span,
    pair: Relative,
    altitude: f64,
    other_climb: f64,
    lookahead: f64,
}

impl Judge {
    /// When the volume is violated going straight on at `climb` from a height gained by time `t`.
    #[inline]
    fn straight(&self, t: f64, gained: f64, climb: f64) -> Span {
        let layer = self.row.in_layer(self.altitude + gained, climb);
        let sz = self.pair.s[2] + gained - self.other_climb * t;
        layer.later(t).meet(self.row.vertical_from(t, sz, climb - self.other_climb)).meet(self.horizontal)
    }

    /// The hull of the whole seconds of [from, to] at which the volume is violated.
    fn sampled(&self, profile: &Profile, from: f64, to: f64) -> Span {
        let mut hull = Span::NEVER;
        if !self.horizontal.meets(from, to) {
            return hull;
        }
        let mut t = from.ceil();
        while t <= to && t < self.lookahead {
            let (gained, climb) = profile.at(t);
            if self.straight(t, gained, climb).meets(t, t) {
                hull = hull.hull(Span { from: t, to: t });
            }
            t += 1.0;
        }
        hull
    }
}

/// What the profiles of all targets far enough to one side have in common.
struct Far {
    profile: Profile,
    /// Difference of altitude that is left to hold the rate for is that to the target minus this.
    way: f64,
    /// From the end of holding to level flight.
    braking: f64,
    speeding_up: Leg,
    /// While holding for ever.
    hold: Span,
}

impl Far {
    fn new(judge: &Judge, side: f64, start: f64, rate: f64, acceleration: f64) -> Self {
        let profile = Profile::new(side * FAR_AWAY, start, rate, acceleration);
        let (gained, climb) = profile.at(profile.accelerated);
        let braking = profile.top.abs() / acceleration;
        Self {
            profile,
            way: gained + profile.top * braking / 2.0,
            braking,
            speeding_up: Leg { span: judge.sampled(&profile, 0.0, profile.accelerated), base: f64::INFINITY },
            hold: judge.straight(profile.accelerated, gained, climb),
        }
    }

    /// The profile over a difference of altitude, if that is far enough.
    #[inline]
    fn profile(&self, difference: f64) -> Option<Profile> {
        let time = (difference - self.way) / self.profile.top;
        let held = self.profile.accelerated + time;
        (time >= 0.0).then_some(Profile { held, level: held + self.braking, ..self.profile })
    }
}

/// An altitude farther away than any target, metres.
const FAR_AWAY: f64 = 1e9;

/// Legs of every altitude target, for each row of the volume: speeding up, holding, levelling out, level; none at all
/// when there is never a violation. Gives the number of legs a target has.
pub(crate) fn fill(scene: &Scene<'_>, rows: impl Rows, legs: &mut Vec<Leg>) -> usize {
    const NEVER: Leg = Leg { span: Span::NEVER, base: 0.0 };
    let (configuration, encounter, grid) = (scene.configuration, scene.encounter, scene.grid);
    let (rate, acceleration) = (configuration.vertical_rate_mps, configuration.vertical_acceleration_mps2);
    let (start, pair) = (encounter.velocity[2], encounter.pair(scene.traffic));
    let stride = 4 * rows.len();
    for (number, row) in rows.enumerate() {
        let judge = Judge {
            row,
            horizontal: row.horizontal(&pair),
            pair,
            altitude: encounter.altitude,
            other_climb: start - pair.v[2],
            lookahead: configuration.lookahead_s,
        };
        if !judge.horizontal.meets(0.0, judge.lookahead) {
            continue;
        }
        legs.resize(grid.len() * stride, NEVER);
        let sides = [1.0, -1.0].map(|side| Far::new(&judge, side, start, rate, acceleration));
        for index in 0..grid.len() {
            let difference = grid.flown(index) - encounter.altitude;
            let far = &sides[usize::from(difference < 0.0)];
            let (profile, speeding_up, hold) = match far.profile(difference) {
                Some(profile) => (profile, far.speeding_up, far.hold),
                None => {
                    let profile = Profile::new(difference, start, rate, acceleration);
                    let (gained, climb) = profile.at(profile.accelerated);
                    let span = judge.sampled(&profile, 0.0, profile.accelerated);
                    let hold = judge.straight(profile.accelerated, gained, climb);
                    (profile, Leg { span, base: f64::INFINITY }, hold)
                }
            };
            let settled = profile.level + SETTLING;
            let of = &mut legs[index * stride + 4 * number..][..4];
            let held = Span { from: profile.accelerated, to: profile.held };
            of[0] = speeding_up;
            of[1] = Leg { span: hold.meet(held), base: profile.accelerated };
            of[2] = Leg { span: judge.sampled(&profile, profile.held, settled), base: settled };
            let level = Span { from: settled, to: f64::INFINITY };
            if judge.horizontal.meets(settled, judge.lookahead) {
                let (gained, _) = profile.at(settled);
                of[3] = Leg { span: judge.straight(settled, gained, 0.0).meet(level), base: settled };
            }
        }
    }
    stride
}
