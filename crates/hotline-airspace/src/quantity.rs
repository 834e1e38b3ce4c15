//! Quantities that carry their unit in their type. SI inside; the others exist for the edges.

use std::ops::{Add, Div, Mul, Neg, Sub};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
        pub struct $name(f64);

        impl $name {
            #[doc = concat!("A quantity of that many ", $unit, ".")]
            pub const fn new(value: f64) -> Self {
                Self(value)
            }

            #[doc = concat!("The number of ", $unit, ".")]
            pub const fn get(self) -> f64 {
                self.0
            }

            /// Its size without sign.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }

            /// False for NaN and the infinities.
            pub const fn is_finite(self) -> bool {
                self.0.is_finite()
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }

        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)?;
                write!(f, " {}", $unit)
            }
        }
    };
}

macro_rules! convertible {
    ($from:ident, $to:ident, $factor:expr) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                Self(value.0 * $factor)
            }
        }

        impl From<$to> for $from {
            fn from(value: $to) -> Self {
                Self(value.0 / $factor)
            }
        }
    };
}

quantity!(
    /// A length in metres.
    Metres, "m"
);
quantity!(
    /// A length in international feet, 0.3048 m exactly.
    Feet, "ft"
);
quantity!(
    /// A length in nautical miles, 1852 m exactly.
    NauticalMiles, "nmi"
);
quantity!(
    /// A span of time in seconds.
    Seconds, "s"
);
quantity!(
    /// A speed in metres a second.
    MetresPerSecond, "m/s"
);
quantity!(
    /// A speed in knots, 1852 m an hour exactly.
    Knots, "kt"
);
quantity!(
    /// A vertical speed in feet a minute.
    FeetPerMinute, "ft/min"
);
quantity!(
    /// An angle in degrees. Directions are measured clockwise from true north.
    Degrees, "deg"
);

convertible!(Feet, Metres, 0.3048);
convertible!(NauticalMiles, Metres, 1852.0);
convertible!(Knots, MetresPerSecond, 1852.0 / 3600.0);
convertible!(FeetPerMinute, MetresPerSecond, 0.3048 / 60.0);

impl Mul<Seconds> for MetresPerSecond {
    type Output = Metres;
    fn mul(self, span: Seconds) -> Metres {
        Metres(self.0 * span.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_convert_exactly() {
        assert_eq!(Metres::from(Feet::new(1000.0)).get(), 304.8);
        assert_eq!(Metres::from(NauticalMiles::new(5.0)).get(), 9260.0);
        assert!((MetresPerSecond::from(Knots::new(3600.0)).get() - 1852.0).abs() < 1e-9);
        assert_eq!(FeetPerMinute::from(MetresPerSecond::new(0.3048)).get(), 60.0);
    }
}
