//! A position on the WGS84 ellipsoid.

use crate::{AirspaceError, Degrees};

/// A geodetic position on WGS84. Latitude is within [-90, 90], longitude within [-180, 180).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
}

impl Position {
    /// A position from its latitude (north positive) and longitude (east positive, within [-180, 180]; 180 is
    /// kept as -180).
    ///
    /// # Errors
    /// [`AirspaceError::Latitude`] or [`AirspaceError::Longitude`] when one is out of range or not a number.
    pub fn new(latitude: Degrees, longitude: Degrees) -> Result<Self, AirspaceError> {
        let (latitude, longitude) = (latitude.get(), longitude.get());
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(AirspaceError::Latitude(latitude));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(AirspaceError::Longitude(longitude));
        }
        let longitude = if longitude == 180.0 { -180.0 } else { longitude };
        Ok(Self { latitude, longitude })
    }

    /// Latitude, north positive.
    pub const fn latitude(self) -> Degrees {
        Degrees::new(self.latitude)
    }

    /// Longitude, east positive, within [-180, 180).
    pub const fn longitude(self) -> Degrees {
        Degrees::new(self.longitude)
    }

    /// From values that a geodesic computation gave: longitude is brought into range.
    pub(crate) fn from_geodesic(latitude: f64, longitude: f64) -> Self {
        let mut longitude = longitude;
        if longitude >= 180.0 {
            longitude -= 360.0;
        }
        if longitude < -180.0 {
            longitude += 360.0;
        }
        Self { latitude: latitude.clamp(-90.0, 90.0), longitude }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_on_the_globe() {
        let at = |lat, lon| Position::new(Degrees::new(lat), Degrees::new(lon));
        assert!(at(90.0, 180.0).is_ok());
        assert_eq!(at(90.1, 0.0), Err(AirspaceError::Latitude(90.1)));
        assert_eq!(at(0.0, -180.5), Err(AirspaceError::Longitude(-180.5)));
        assert!(at(f64::NAN, 0.0).is_err());
        assert!(at(0.0, f64::INFINITY).is_err());
    }
}
