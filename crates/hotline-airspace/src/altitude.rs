//! Altitudes with their datum, and what may be said about two of different datums.

use crate::{AirspaceError, Metres};

/// What an altitude is measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Datum {
    /// Height above the WGS84 ellipsoid.
    Ellipsoid,
    /// Pressure altitude, standard setting 1013.25 hPa.
    Barometric,
    /// Height above the ground below.
    AboveGround,
}

/// An altitude and what it is measured from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Altitude {
    metres: Metres,
    datum: Datum,
}

const LOWEST: f64 = -1_000.0;
const HIGHEST: f64 = 100_000.0;

impl Altitude {
    /// An altitude of -1 000 m to 100 000 m.
    ///
    /// # Errors
    /// [`AirspaceError::Altitude`] outside that range or when not a number.
    pub fn new(metres: Metres, datum: Datum) -> Result<Self, AirspaceError> {
        if !(LOWEST..=HIGHEST).contains(&metres.get()) {
            return Err(AirspaceError::Altitude(metres.get()));
        }
        Ok(Self { metres, datum })
    }

    /// The number of metres above the datum.
    pub const fn metres(self) -> Metres {
        self.metres
    }

    /// What it is measured from.
    pub const fn datum(self) -> Datum {
        self.datum
    }

    /// The altitude moved by so much, kept within the allowed range.
    #[must_use]
    pub fn moved(self, by: Metres) -> Self {
        Self { metres: Metres::new((self.metres + by).get().clamp(LOWEST, HIGHEST)), datum: self.datum }
    }
}

/// A band of altitudes, both edges included, of one datum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AltitudeBand {
    lower: Altitude,
    upper: Altitude,
}

impl AltitudeBand {
    /// A band from its two edges.
    ///
    /// # Errors
    /// When the lower edge is above the upper, or their datums differ.
    pub fn new(lower: Altitude, upper: Altitude) -> Result<Self, AirspaceError> {
        if lower.datum != upper.datum {
            return Err(AirspaceError::BandDatums);
        }
        let (low, high) = (lower.metres.get(), upper.metres.get());
        if low > high {
            return Err(AirspaceError::BandUpsideDown { lower: low, upper: high });
        }
        Ok(Self { lower, upper })
    }

    /// The lower edge.
    pub const fn lower(self) -> Altitude {
        self.lower
    }

    /// The upper edge.
    pub const fn upper(self) -> Altitude {
        self.upper
    }

    /// What both edges are measured from.
    pub const fn datum(self) -> Datum {
        self.lower.datum
    }

    /// Whether two bands, one of them widened by `dilation` on each side, share an altitude (edges included).
    /// Bands of different datums are compared through `conversions`, widened by the conversion's error; where
    /// no conversion is stated the answer is yes, since nobody can show that they are apart.
    pub fn overlaps(self, other: Self, dilation: Metres, conversions: &DatumConversions) -> bool {
        let Some((offset, error)) = conversions.between(other.datum(), self.datum()) else { return true };
        let slack = dilation.get() + error;
        let (low, high) = (other.lower.metres.get() + offset, other.upper.metres.get() + offset);
        self.lower.metres.get() - slack <= high && low <= self.upper.metres.get() + slack
    }
}

/// How altitudes of a datum become heights above the ellipsoid: add `offset`, give or take `error`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DatumConversion {
    /// What is added to the altitude.
    pub offset: Metres,
    /// How far off the result may be.
    pub error: Metres,
}

/// The conversions that the parties agreed on; none where they agreed on none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DatumConversions {
    /// From pressure altitude.
    pub barometric: Option<DatumConversion>,
    /// From height above ground.
    pub above_ground: Option<DatumConversion>,
}

impl DatumConversions {
    /// Offset and error, in metres, that take an altitude of datum `from` to datum `to`.
    pub fn between(self, from: Datum, to: Datum) -> Option<(f64, f64)> {
        if from == to {
            return Some((0.0, 0.0));
        }
        let (from, to) = (self.to_ellipsoid(from)?, self.to_ellipsoid(to)?);
        Some(((from.offset - to.offset).get(), (from.error + to.error).get()))
    }

    fn to_ellipsoid(self, datum: Datum) -> Option<DatumConversion> {
        match datum {
            Datum::Ellipsoid => Some(DatumConversion { offset: Metres::new(0.0), error: Metres::new(0.0) }),
            Datum::Barometric => self.barometric,
            Datum::AboveGround => self.above_ground,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(low: f64, high: f64, datum: Datum) -> AltitudeBand {
        let at = |m| Altitude::new(Metres::new(m), datum).unwrap();
        AltitudeBand::new(at(low), at(high)).unwrap()
    }

    #[test]
    fn edges_touch() {
        let none = DatumConversions::default();
        let (a, b) = (band(0.0, 100.0, Datum::Ellipsoid), band(100.0, 200.0, Datum::Ellipsoid));
        assert!(a.overlaps(b, Metres::new(0.0), &none));
        let c = band(100.01, 200.0, Datum::Ellipsoid);
        assert!(!a.overlaps(c, Metres::new(0.0), &none));
        assert!(a.overlaps(c, Metres::new(0.02), &none));
    }

    #[test]
    fn datums_are_compared_only_through_a_stated_conversion() {
        let (w84, baro) = (band(0.0, 100.0, Datum::Ellipsoid), band(5000.0, 5100.0, Datum::Barometric));
        assert!(w84.overlaps(baro, Metres::new(0.0), &DatumConversions::default()), "unknown is not apart");
        let stated = DatumConversions {
            barometric: Some(DatumConversion { offset: Metres::new(50.0), error: Metres::new(300.0) }),
            above_ground: None,
        };
        assert!(!w84.overlaps(baro, Metres::new(0.0), &stated));
        assert_eq!(stated.between(Datum::Ellipsoid, Datum::Barometric), Some((-50.0, 300.0)));
    }
}
