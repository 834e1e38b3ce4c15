//! The one form in which all volumes are computed.

use super::TimeVariable;
use super::uncertain::Errors;
use crate::{DetectError, Relative, Violation};
use hotline_airspace::Seconds;

/// Without vertical motion a difference of height so near an open border, metres, is on it: what is equal in feet
/// is not after conversion to metres.
const ON_BORDER: f64 = 1e-9;

/// A closed interval of time, seconds; ends may be infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl Span {
    pub(crate) const ALWAYS: Self = Self { from: f64::NEG_INFINITY, to: f64::INFINITY };
    pub(crate) const NEVER: Self = Self { from: f64::INFINITY, to: f64::NEG_INFINITY };

    /// A window that was asked for.
    pub(crate) fn window(begin: Seconds, end: Seconds) -> Result<Self, DetectError> {
        let (from, to) = (begin.get(), end.get());
        if !(from <= to && from.is_finite() && to.is_finite()) {
            return Err(DetectError::Window { begin: from, end: to });
        }
        Ok(Self { from, to })
    }

    /// The meeting of two intervals; empty ones stay empty.
    #[inline]
    pub(crate) fn meet(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// Whether some instant is in it.
    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self.from <= self.to
    }

    /// The smallest interval around both.
    #[inline]
    pub(crate) fn hull(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    /// Whether it meets a window.
    #[inline]
    pub(crate) fn meets(self, from: f64, to: f64) -> bool {
        self.from.max(from) <= self.to.min(to)
    }

    /// The same later.
    #[inline]
    pub(crate) fn later(self, by: f64) -> Self {
        Self { from: self.from + by, to: self.to + by }
    }

    pub(crate) fn violation(self) -> Violation {
        Violation { enters: Seconds::new(self.from), leaves: Seconds::new(self.to) }
    }
}

/// Horizontal and vertical thresholds, SI units. The time variable says how `time` is counted; 0 and
/// [`TimeVariable::TauMod`] make it a plain circle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    /// Horizontal distance that is too near, metres.
    pub(crate) radius: f64,
    /// Time threshold, seconds.
    pub(crate) time: f64,
    pub(crate) variable: TimeVariable,
    /// Only while the aircraft are, or will come, within this distance, metres.
    pub(crate) miss: f64,
    /// Vertical distance that is too near, metres.
    pub(crate) height: f64,
    /// Threshold of the time to co-altitude, seconds.
    pub(crate) coaltitude: f64,
    /// Whether the border is outside.
    pub(crate) open: bool,
    /// What the state may be wrong by; none: it is taken as it is.
    pub(crate) errors: Option<Errors>,
}

impl Shape {
    pub(crate) fn cylinder(radius: f64, height: f64) -> Self {
        Self {
            radius,
            time: 0.0,
            variable: TimeVariable::TauMod,
            miss: radius,
            height,
            coaltitude: 0.0,
            open: true,
            errors: None,
        }
    }

    /// The interval of all time in which the vertical condition holds, [`Span::NEVER`] if it never does.
    ///
    /// Too near is |sz| <= height, or a time to co-altitude of at most `coaltitude`, that is
    /// |sz| <= coaltitude |vz| while closing: entered at the larger of the two distances.
    #[inline]
    pub(crate) fn vertical(&self, sz: f64, vz: f64) -> Span {
        if let Some(errors) = &self.errors {
            return self.vertical_uncertain(sz, vz, errors);
        }
        if vz == 0.0 {
            let inside = if self.open { sz.abs() < self.height - ON_BORDER } else { sz.abs() <= self.height };
            return if inside { Span::ALWAYS } else { Span::NEVER };
        }
        let begins = self.height.max(self.coaltitude * vz.abs());
        let up = vz.signum();
        let span = Span { from: (-up * begins - sz) / vz, to: (up * self.height - sz) / vz };
        if self.open && span.from >= span.to { Span::NEVER } else { span }
    }

    /// The interval of all time in which the horizontal condition holds, [`Span::NEVER`] if it never does.
    ///
    /// With t* the time of closest approach, d its distance and v the relative speed, the circle is entered and
    /// left at t* -/+ sqrt(x), x = (radius^2 - d^2) / v^2. The time variable moves the entry forward; for taumod
    /// to the smaller root of a quadratic, t* - T/2 - sqrt(T^2/4 + x).
    #[inline]
    pub(crate) fn horizontal(&self, s: [f64; 2], v: [f64; 2]) -> Span {
        if let Some(errors) = &self.errors {
            return self.horizontal_uncertain(s, v, errors);
        }
        let v2 = v[0] * v[0] + v[1] * v[1];
        let c = s[0] * s[0] + s[1] * s[1] - self.radius * self.radius;
        if v2 == 0.0 {
            let inside = if self.open { c < 0.0 } else { c <= 0.0 };
            return if inside { Span::ALWAYS } else { Span::NEVER };
        }
        let cross = s[0] * v[1] - s[1] * v[0];
        let delta = self.radius * self.radius * v2 - cross * cross;
        if self.open && delta <= 0.0 {
            return Span::NEVER;
        }
        let closest = -(s[0] * v[0] + s[1] * v[1]) / v2;
        let (x, outside) = (delta / v2 / v2, c / v2);
        if delta < 0.0 {
            return self.time_only(cross, v2, closest, x, outside);
        }
        // The root of larger size without cancellation, the other from their product.
        let half = x.sqrt();
        let (enters, leaves) = if closest >= 0.0 {
            let leaves = closest + half;
            (if leaves > 0.0 { outside / leaves } else { 0.0 }, leaves)
        } else {
            let enters = closest - half;
            (enters, outside / enters)
        };
        let leaves =
            if self.miss < self.radius { leaves.min(self.leaves_miss(cross, v2, closest)) } else { leaves };
        if self.time == 0.0 {
            return Span { from: enters, to: leaves };
        }
        let from = match self.variable {
            TimeVariable::TauMod => tau_entry(closest, self.time, x, outside),
            TimeVariable::Tcpa => enters.min(closest - self.time),
            TimeVariable::Tep => enters - self.time,
        };
        Span { from, to: leaves }
    }

    /// When the circle of the miss distance is left.
    #[cold]
    fn leaves_miss(&self, cross: f64, v2: f64, closest: f64) -> f64 {
        let delta = self.miss * self.miss * v2 - cross * cross;
        if delta < 0.0 { f64::NEG_INFINITY } else { closest + delta.sqrt() / v2 }
    }

    /// The closest approach is outside the circle: only a table whose miss distance is larger is violated, while
    /// taumod is below the threshold.
    #[cold]
    fn time_only(&self, cross: f64, v2: f64, closest: f64, x: f64, outside: f64) -> Span {
        let half2 = self.time * self.time / 4.0 + x;
        if half2 < 0.0 || cross * cross > self.miss * self.miss * v2 {
            return Span::NEVER;
        }
        let to = closest - self.time / 2.0 + half2.sqrt();
        Span { from: tau_entry(closest, self.time, x, outside), to }
    }

    /// When the volume is violated, of all time.
    #[inline]
    pub(crate) fn ever(&self, pair: &Relative) -> Span {
        let vertical = self.vertical(pair.s[2], pair.v[2]);
        if !vertical.is_some() {
            return vertical;
        }
        vertical.meet(self.horizontal([pair.s[0], pair.s[1]], [pair.v[0], pair.v[1]]))
    }

    /// When it is violated within a window.
    #[inline]
    pub(crate) fn within(&self, pair: &Relative, window: Span) -> Option<Span> {
        let ever = self.ever(pair);
        // An open border is not reached at the very end of the window.
        if self.open && !(ever.from < window.to && ever.to > window.from) {
            return None;
        }
        let found = ever.meet(window);
        found.is_some().then_some(found)
    }
}

/// The smaller root of t^2 + (T - 2 t*) t + (c / v^2 - T t*) = 0, with c / v^2 = t*^2 - x.
#[inline]
fn tau_entry(closest: f64, time: f64, x: f64, outside: f64) -> f64 {
    let middle = closest - time / 2.0;
    let half = (time * time / 4.0 + x).max(0.0).sqrt();
    if middle > 0.0 { (outside - time * closest) / (middle + half) } else { middle - half }
}
