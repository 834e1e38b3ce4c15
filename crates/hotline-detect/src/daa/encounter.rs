//! One own aircraft and its traffic in a common flat frame.

use super::Uncertainty;
use crate::volume::{Deviations, OwnVertical};
use crate::{DetectError, Relative};
use hotline_airspace::{Metres, MetresPerSecond};

/// Radius of the sphere on which a nautical mile is a minute of arc, metres.
pub const SPHERE_RADIUS: f64 = 1852.0 * 60.0 * 180.0 / std::f64::consts::PI;

/// A velocity in the plane is the mean one over this time of flight along the great circle, seconds: what the
/// reference does, and what its figures agree with to the last printed digit.
const VELOCITY_BASE: f64 = 10.0;

/// Where an aircraft is, seen from above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// On the sphere: latitude and longitude, radians.
    Geodetic {
        /// Latitude, north positive.
        latitude: f64,
        /// Longitude, east positive.
        longitude: f64,
    },
    /// In a plane: east and north, metres.
    Flat {
        /// East.
        x: f64,
        /// North.
        y: f64,
    },
}

impl Default for Place {
    fn default() -> Self {
        Self::Flat { x: 0.0, y: 0.0 }
    }
}

/// The state of one aircraft at the time of an encounter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aircraft {
    /// Where it is.
    pub place: Place,
    /// Its altitude, metres; all of one encounter have the same datum.
    pub altitude: f64,
    /// Velocity over the ground: east, north, up, metres a second.
    pub velocity: [f64; 3],
    /// Which of the configuration's alerters judges it, from 1; 0: none.
    pub alerter: usize,
    /// How uncertain its state is.
    pub uncertainty: Uncertainty,
}

/// Traffic as the own aircraft sees it in the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Traffic {
    /// Own position minus traffic's, metres.
    pub(crate) s: [f64; 3],
    /// Traffic's velocity through the air.
    pub(crate) velocity: [f64; 3],
    pub(crate) alerter: usize,
    /// Of own and traffic together.
    pub(crate) deviations: Deviations,
    pub(crate) place: Place,
    pub(crate) altitude: f64,
    /// Levels (as bits) that hysteresis judges by their early alerting time.
    pub(crate) early: u32,
}

/// Own aircraft and traffic of one instant in the plane tangent at the own aircraft.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Encounter {
    /// Own altitude, metres.
    pub(crate) altitude: f64,
    /// Own velocity through the air.
    pub(crate) velocity: [f64; 3],
    /// The own aircraft's alerter.
    pub(crate) alerter: usize,
    pub(crate) place: Place,
    pub(crate) traffic: Vec<Traffic>,
}

/// A point of the sphere with its east and north, as unit vectors.
struct Frame {
    up: [f64; 3],
    east: [f64; 3],
    north: [f64; 3],
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

impl Frame {
    fn at(latitude: f64, longitude: f64) -> Self {
        let (sin_lat, cos_lat) = latitude.sin_cos();
        let (sin_lon, cos_lon) = longitude.sin_cos();
        Self {
            up: [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
            east: [-sin_lon, cos_lon, 0.0],
            north: [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
        }
    }

    /// The vector that an aircraft here, flying `velocity` along its great circle, moves by in a second: the mean
    /// over [`VELOCITY_BASE`], in metres.
    fn motion(&self, velocity: [f64; 3]) -> [f64; 3] {
        let speed = velocity[0].hypot(velocity[1]);
        if speed == 0.0 {
            return [0.0; 3];
        }
        let angle = speed * VELOCITY_BASE / SPHERE_RADIUS;
        let ahead = SPHERE_RADIUS / VELOCITY_BASE * angle.sin() / speed;
        // cos - 1 without cancellation.
        let down = -2.0 * SPHERE_RADIUS / VELOCITY_BASE * (angle / 2.0).sin().powi(2);
        std::array::from_fn(|i| {
            ahead * (velocity[0] * self.east[i] + velocity[1] * self.north[i]) + down * self.up[i]
        })
    }
}

impl Encounter {
    /// The encounter of an own aircraft with traffic, seen in the plane tangent at the own aircraft (orthographic
    /// projection), with a wind (the direction it blows towards: east, north, up, metres a second) that moves all
    /// of them. `traffic` is cleared and filled, so an `Encounter` can be used again without allocating.
    ///
    /// # Errors
    /// [`DetectError::NotFinite`] for a state that is not finite, [`DetectError::Place`] when some places are on
    /// the sphere and some in a plane, or a latitude is beyond a pole.
    pub fn set(&mut self, own: &Aircraft, traffic: &[Aircraft], wind: [f64; 3]) -> Result<(), DetectError> {
        own.check()?;
        if !wind.iter().all(|x| x.is_finite()) {
            return Err(DetectError::NotFinite("wind"));
        }
        let frame = match own.place {
            Place::Geodetic { latitude, longitude } => Some(Frame::at(latitude, longitude)),
            Place::Flat { .. } => None,
        };
        let airborne = |v: [f64; 3]| std::array::from_fn(|i| v[i] - wind[i]);
        let flat = |motion: [f64; 3], climb: f64, frame: &Frame| {
            [dot(motion, frame.east), dot(motion, frame.north), climb]
        };
        self.altitude = own.altitude;
        self.alerter = own.alerter;
        self.place = own.place;
        self.velocity = airborne(match &frame {
            Some(frame) => flat(frame.motion(own.velocity), own.velocity[2], frame),
            None => own.velocity,
        });
        self.traffic.clear();
        for other in traffic {
            other.check()?;
            let (x, y, velocity) = match (other.place, own.place, &frame) {
                (Place::Geodetic { latitude, longitude }, _, Some(frame)) => {
                    let there = Frame::at(latitude, longitude);
                    let along = |axis| SPHERE_RADIUS * dot(there.up, axis);
                    let motion = there.motion(other.velocity);
                    (along(frame.east), along(frame.north), flat(motion, other.velocity[2], frame))
                }
                (Place::Flat { x, y }, Place::Flat { x: x0, y: y0 }, None) => {
                    (x - x0, y - y0, other.velocity)
                }
                _ => {
                    return Err(DetectError::Place(
                        "own aircraft and traffic must both be given on the sphere or both in a plane",
                    ));
                }
            };
            self.traffic.push(Traffic {
                s: [-x, -y, own.altitude - other.altitude],
                velocity: airborne(velocity),
                alerter: other.alerter,
                deviations: own.uncertainty.with(&other.uncertainty),
                place: other.place,
                altitude: other.altitude,
                early: 0,
            });
        }
        Ok(())
    }

    /// A new encounter; see [`Encounter::set`].
    ///
    /// # Errors
    /// Those of [`Encounter::set`].
    pub fn new(own: &Aircraft, traffic: &[Aircraft], wind: [f64; 3]) -> Result<Self, DetectError> {
        let mut made = Self::default();
        made.set(own, traffic, wind)?;
        Ok(made)
    }

    /// The relative state of the own aircraft and one of its traffic, by index.
    pub fn relative(&self, index: usize) -> Option<Relative> {
        self.traffic.get(index).map(|t| self.pair(t))
    }

    pub(crate) fn own_vertical(&self) -> OwnVertical {
        OwnVertical { altitude: Metres::new(self.altitude), climb: MetresPerSecond::new(self.velocity[2]) }
    }

    pub(crate) fn pair(&self, traffic: &Traffic) -> Relative {
        Relative { s: traffic.s, v: std::array::from_fn(|i| self.velocity[i] - traffic.velocity[i]) }
    }
}

impl Aircraft {
    fn check(&self) -> Result<(), DetectError> {
        let place = match self.place {
            Place::Geodetic { latitude, longitude } => {
                if latitude.abs() > std::f64::consts::FRAC_PI_2 + 1e-9 {
                    return Err(DetectError::Place("a latitude must be between -90 and 90 degrees"));
                }
                [latitude, longitude]
            }
            Place::Flat { x, y } => [x, y],
        };
        if !place.iter().all(|x| x.is_finite()) {
            return Err(DetectError::NotFinite("position"));
        }
        if !self.altitude.is_finite() {
            return Err(DetectError::NotFinite("altitude"));
        }
        if !self.velocity.iter().all(|x| x.is_finite()) {
            return Err(DetectError::NotFinite("velocity"));
        }
        self.uncertainty.check()
    }
}
