//! The cylinder around an aircraft, and when another on a straight path is inside it.

use crate::volume::{Shape, Span};
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

pub(crate) fn violation_in(pair: &Relative, minima: &Minima, begin: f64, end: f64) -> Option<Violation> {
    let shape = Shape::cylinder(minima.horizontal, minima.vertical);
    shape.within(pair, Span { from: begin, to: end }).map(Span::violation)
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
    let window = Span::window(begin, end)?;
    Ok(violation_in(pair, minima, window.from, window.to))
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
        let closing = [10.0, 0.0, 0.0];
        assert_eq!(violation([-9270.0, 0.0, 0.0], closing, 0.0, 1.0), None, "reaches the border at the end");
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
