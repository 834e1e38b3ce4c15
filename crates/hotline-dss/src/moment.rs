//! Instants as whole microseconds, so that what was stored is what was asked for.

use minicbor::{Decode, Encode};

/// An instant: microseconds since 1970 began, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Moment(#[n(0)] i64);

const SECOND: i64 = 1_000_000;
/// How far in the past the start of a subscription or service area may lie, microseconds.
pub const MAX_START_AGE: i64 = 5 * 60 * SECOND;
/// The longest subscription, microseconds.
pub const MAX_SUBSCRIPTION: i64 = 24 * 3600 * SECOND;

impl Default for Moment {
    fn default() -> Self {
        Self::MIN
    }
}

impl Moment {
    /// Before everything.
    pub const MIN: Self = Self(i64::MIN);
    /// After everything.
    pub const MAX: Self = Self(i64::MAX);

    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// So many microseconds later, held at the ends.
    #[must_use]
    pub const fn later(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from an earlier instant to this one.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
