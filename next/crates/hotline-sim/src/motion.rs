//! How a simulated aircraft moves: where it is at any second.

use hotline_airspace::{PlanePoint, Seconds};

/// A path in a local plane, as a function of time alone.
#[derive(Debug, Clone)]
pub enum Motion {
    /// Around a point.
    Orbit {
        /// Centre, metres.
        centre: PlanePoint,
        /// Radius, metres.
        radius: f64,
        /// Speed, m/s; negative is anticlockwise.
        speed: f64,
        /// Where it starts, radians from north.
        phase: f64,
    },
    /// Along corner points at constant speed, there and back again.
    Shuttle {
        /// The corners, at least two, metres.
        corners: Vec<PlanePoint>,
        /// Speed, m/s.
        speed: f64,
        /// How far along it starts, metres.
        start: f64,
    },
}

impl Motion {
    /// Where it is after so many seconds, metres in the plane.
    pub fn at(&self, time: Seconds) -> PlanePoint {
        match self {
            Self::Orbit { centre, radius, speed, phase } => {
                let angle = phase + speed * time.get() / radius;
                PlanePoint { x: centre.x + radius * angle.sin(), y: centre.y + radius * angle.cos() }
            }
            Self::Shuttle { corners, speed, start } => along(corners, start + speed * time.get()),
        }
    }
}

/// The point so far along the corners; at the end it turns round.
fn along(corners: &[PlanePoint], way: f64) -> PlanePoint {
    let lengths: Vec<f64> = corners.windows(2).map(|w| (w[1].x - w[0].x).hypot(w[1].y - w[0].y)).collect();
    let total: f64 = lengths.iter().sum();
    if total <= 0.0 {
        return corners[0];
    }
    let mut left = way.rem_euclid(2.0 * total);
    if left > total {
        left = 2.0 * total - left;
    }
    for (pair, length) in corners.windows(2).zip(&lengths) {
        if left <= *length {
            let share = if *length > 0.0 { left / length } else { 0.0 };
            return PlanePoint {
                x: pair[0].x + share * (pair[1].x - pair[0].x),
                y: pair[0].y + share * (pair[1].y - pair[0].y),
            };
        }
        left -= length;
    }
    corners[corners.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let p = |x, y| PlanePoint { x, y };
        let motion = Motion::Shuttle {
            corners: vec![p(0.0, 0.0), p(100.0, 0.0), p(100.0, 50.0)],
            speed: 10.0,
            start: 0.0,
        };
        assert_eq!(motion.at(Seconds::new(5.0)), p(50.0, 0.0));
        assert_eq!(motion.at(Seconds::new(12.0)), p(100.0, 20.0));
        assert_eq!(motion.at(Seconds::new(18.0)), p(100.0, 20.0));
        assert_eq!(motion.at(Seconds::new(30.0)), p(0.0, 0.0));
    }
}
