//! The cylinder around an aircraft, and when another on a straight path is inside it.

use crate::{DetectError, Relative};
use hotline_airspace::{Metres, Seconds};

/// Separation minima: violated while the horizontal distance is below `horizontal` and the vertical distance
/// below `vertical`, both strictly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minima {
    horizontal: f64,
    vertical: f64,
}

impl Minima {
    /// Minima above 0.
    ///
    /// # Errors
    /// [`DetectError::Minimum`] when one is not above 0 or not finite.
    pub fn new(horizontal: Metres, vertical: Metres) -> Result<Self, DetectError> {
        for (what, value) in [("horizontal minimum", horizontal.get()), ("vertical minimum", vertical.get())]
        {
            if !(value > 0.0 && value.is_finite()) {
                return Err(DetectError::Minimum { what, value });
            }
        }
        Ok(Self { horizontal: horizontal.get(), vertical: vertical.get() })
    }

    /// Minima that are known to be above 0.
    pub(crate) fn unchecked(horizontal: Metres, vertical: Metres) -> Self {
        Self { horizontal: horizontal.get(), vertical: vertical.get() }
    }

    /// The radius of the cylinder.
    pub const fn horizontal(&self) -> Metres {
        Metres::new(self.horizontal)
    }

    /// Half the height of the cylinder.
    pub const fn vertical(&self) -> Metres {
        Metres::new(self.vertical)
    }

    /// The same with a taller cylinder, for altitudes that are only known to within `error`.
    pub(crate) fn taller(&self, error: f64) -> Self {
        Self { vertical: self.vertical + error, ..*self }
    }
}

/// When minima are violated within a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Violation {
    /// The first time of violation, not before the window's begin.
    pub enters: Seconds,
    /// The last time of violation, not after the window's end.
    pub leaves: Seconds,
}

/// An open interval of time; everything when nothing moves and the condition holds.
const ALWAYS: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// When |s2 + t v2| < radius: the roots of a quadratic, or always or never without relative motion.
/// The larger root is computed without cancellation, the other from their product.
fn inside_circle(pair: &Relative, radius: f64) -> Option<(f64, f64)> {
    let [sx, sy, _] = pair.s;
    let [vx, vy, _] = pair.v;
    let v2 = pair.v_squared();
    let c = sx * sx + sy * sy - radius * radius;
    if v2 == 0.0 {
        return (c < 0.0).then_some(ALWAYS);
    }
    let cross = sx * vy - sy * vx;
    let delta = radius * radius * v2 - cross * cross;
    if delta <= 0.0 {
        return None;
    }
    let (closing, root) = (pair.closing(), delta.sqrt());
    if closing <= 0.0 {
        let leaves = (root - closing) / v2;
        Some((c / (root - closing), leaves))
    } else {
        Some((-(closing + root) / v2, -c / (closing + root)))
    }
}

/// When |sz + t vz| < half height.
fn inside_slab(sz: f64, vz: f64, half_height: f64) -> Option<(f64, f64)> {
    if vz == 0.0 {
        return (sz.abs() < half_height).then_some(ALWAYS);
    }
    let (a, b) = ((-half_height - sz) / vz, (half_height - sz) / vz);
    Some((a.min(b), a.max(b)))
}

/// The open interval of all time in which the minima are violated, if any.
pub(crate) fn violation_ever(pair: &Relative, minima: &Minima) -> Option<(f64, f64)> {
    let slab = inside_slab(pair.s[2], pair.v[2], minima.vertical)?;
    let circle = inside_circle(pair, minima.horizontal)?;
    let both = (slab.0.max(circle.0), slab.1.min(circle.1));
    (both.0 < both.1).then_some(both)
}

pub(crate) fn violation_in(pair: &Relative, minima: &Minima, begin: f64, end: f64) -> Option<Violation> {
    let (enters, leaves) = violation_ever(pair, minima)?;
    (enters < end && leaves > begin)
        .then(|| Violation { enters: Seconds::new(enters.max(begin)), leaves: Seconds::new(leaves.min(end)) })
}

/// When two aircraft on straight paths violate the minima within [`begin`, `end`]: some instant t of the window
/// has |s2(t)| < horizontal and |sz(t)| < vertical. Grazing the border is no violation.
///
/// # Errors
/// [`DetectError::Window`] when the window ends before it begins or is not finite.
pub fn cylinder_violation(
    pair: &Relative,
    minima: &Minima,
    begin: Seconds,
    end: Seconds,
) -> Result<Option<Violation>, DetectError> {
    let (begin, end) = (begin.get(), end.get());
    if !(begin <= end && begin.is_finite() && end.is_finite()) {
        return Err(DetectError::Window { begin, end });
    }
    Ok(violation_in(pair, minima, begin, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn minima() -> Minima {
        Minima::new(Metres::new(9260.0), Metres::new(304.8)).unwrap()
    }

    fn violation(s: [f64; 3], v: [f64; 3], begin: f64, end: f64) -> Option<(f64, f64)> {
        let pair = Relative::new(s, v).unwrap();
        cylinder_violation(&pair, &minima(), Seconds::new(begin), Seconds::new(end))
            .unwrap()
            .map(|v| (v.enters.get(), v.leaves.get()))
    }

    #[test]
    fn degenerate_cases_are_defined() {
        let still = [0.0; 3];
        assert_eq!(
            violation([100.0, 0.0, 0.0], still, 0.0, 60.0),
            Some((0.0, 60.0)),
            "side by side for ever"
        );
        assert_eq!(violation([9260.0, 0.0, 0.0], still, 0.0, 60.0), None, "on the border is outside");
        assert_eq!(violation([0.0; 3], still, 5.0, 5.0), Some((5.0, 5.0)), "one instant");
        assert_eq!(violation([0.0, 0.0, 304.8], still, 0.0, 60.0), None);
        assert_eq!(violation([0.0, 0.0, 1000.0], [0.0, 0.0, -10.0], 0.0, 60.0), None, "descends too late");
        assert_eq!(
            violation([9260.0, -20_000.0, 0.0], [0.0, 200.0, 0.0], 0.0, 600.0),
            None,
            "a tangent grazes"
        );
        assert!(Relative::new([f64::NAN, 0.0, 0.0], still).is_err());
        let pair = Relative::new(still, still).unwrap();
        assert!(cylinder_violation(&pair, &minima(), Seconds::new(2.0), Seconds::new(1.0)).is_err());
        assert!(Minima::new(Metres::new(0.0), Metres::new(1.0)).is_err());
    }

    proptest! {
        /// What dense sampling finds is never missed, and what is reported is found by sampling inside it.
        #[test]
        fn agrees_with_sampling(
            sx in -60e3..60e3, sy in -60e3..60e3, sz in -3e3..3e3,
            vx in -600.0..600.0, vy in -600.0..600.0, vz in prop_oneof![Just(0.0), -50.0..50.0],
            begin in 0.0..60.0, span in 0.0..300.0,
        ) {
            let end = begin + span;
            let found = violation([sx, sy, sz], [vx, vy, vz], begin, end);
            let inside = |t: f64, slack: f64| {
                let at = |s: f64, v: f64| s + t * v;
                at(sx, vx).hypot(at(sy, vy)) < 9260.0 + slack && at(sz, vz).abs() < 304.8 + slack
            };
            for i in 0..=400 {
                let t = begin + span * f64::from(i) / 400.0;
                if inside(t, -1e-6) {
                    let (enters, leaves) = found.expect("sampling found a violation");
                    prop_assert!(enters <= t + 1e-9 && t <= leaves + 1e-9);
                }
            }
            if let Some((enters, leaves)) = found {
                prop_assert!(begin <= enters && enters <= leaves && leaves <= end);
                prop_assert!(inside((enters + leaves) / 2.0, 1e-6));
            }
        }

        /// Swapping the two aircraft, or turning the frame, changes nothing.
        #[test]
        fn symmetric(sx in -60e3..60e3, sy in -60e3..60e3, sz in -600.0..600.0,
                     vx in -600.0..600.0, vy in -600.0..600.0, vz in -20.0..20.0) {
            let one = violation([sx, sy, sz], [vx, vy, vz], 0.0, 300.0);
            prop_assert_eq!(one, violation([-sx, -sy, -sz], [-vx, -vy, -vz], 0.0, 300.0));
            prop_assert_eq!(one.is_some(), violation([sy, -sx, sz], [vy, -vx, vz], 0.0, 300.0).is_some());
        }
    }
}
