//! A cheap test of two aircraft that is never wrong when it says that they do not meet.

use crate::kinematics::MEAN_RADIUS;

/// How far an aircraft's place in space may be from where its pair's flat frame has it, when it flies `path` and the
/// other at most `others`: a velocity is turned by at most d / (2 R), and the chord of d is shorter than its arc by
/// d^3 / (24 R^2), shared by two.
pub(crate) fn bend(path: f64, others: f64, widest: f64) -> f64 {
    let apart = widest + path + others;
    path * apart / (2.0 * MEAN_RADIUS) + apart * apart * apart / (48.0 * MEAN_RADIUS * MEAN_RADIUS)
}

/// When, within [0, lookahead], two aircraft are nearer than `height` vertically.
#[inline]
pub(crate) fn near_vertically(apart: f64, closing: f64, height: f64, lookahead: f64) -> Option<[f64; 2]> {
    const STILL: f64 = 0.1;
    if closing.abs() * lookahead < STILL {
        return (apart.abs() <= height + STILL).then_some([0.0, lookahead]);
    }
    let (a, b) = ((-height - apart) / closing, (height - apart) / closing);
    let window = [a.min(b).max(0.0), a.max(b).min(lookahead)];
    (window[0] <= window[1]).then_some(window)
}

/// Whether the distance in space comes down to `reach` within a window, straight on from the relative place and
/// velocity.
#[inline]
pub(crate) fn near_in_space(s: [f64; 3], v: [f64; 3], window: [f64; 2], reach: f64) -> bool {
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let (v2, closing) = (dot(v, v), dot(s, v));
    let t = if v2 > 0.0 { (-closing / v2).clamp(window[0], window[1]) } else { window[0] };
    dot(s, s) + t * (2.0 * closing + t * v2) <= reach * reach
}
