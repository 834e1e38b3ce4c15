//! Whether a track stays inside its own plan.

use crate::{Dilation, distance_to};
use hotline_airspace::{DatumConversions, Metres, Seconds, TrackState, Volume4, seconds_between};
use jiff::Timestamp;

/// How far a track is outside its plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    /// Horizontal distance to the nearest volume in force.
    pub horizontal: Metres,
    /// Vertical distance to that volume's band.
    pub vertical: Metres,
}

/// How far a track is outside the volumes of its plan that are in force at its time, or nothing when it is
/// inside one of them by the tolerances, or when none is in force (then there is nothing to conform to).
pub fn deviation(
    track: &TrackState,
    volumes: &[Volume4],
    tolerance: &Dilation,
    conversions: &DatumConversions,
) -> Option<Deviation> {
    let mut nearest: Option<Deviation> = None;
    for volume in volumes.iter().filter(|v| v.time.widened(tolerance.time).contains(track.time())) {
        let away = Deviation {
            horizontal: distance_to(&volume.area, track.position()),
            vertical: Metres::new(outside_band(track, volume, conversions)),
        };
        if away.horizontal <= tolerance.horizontal && away.vertical <= tolerance.vertical {
            return None;
        }
        if nearest.is_none_or(|n| away.horizontal + away.vertical < n.horizontal + n.vertical) {
            nearest = Some(away);
        }
    }
    nearest
}

/// Metres above or below the band, 0 inside. The doubt of a conversion is in the aircraft's favour, and so is
/// an altitude that cannot be compared.
fn outside_band(track: &TrackState, volume: &Volume4, conversions: &DatumConversions) -> f64 {
    let band = volume.altitude;
    let Some((offset, error)) = conversions.between(band.datum(), track.altitude().datum()) else {
        return 0.0;
    };
    let height = track.altitude().metres().get() - offset;
    let (low, high) = (band.lower().metres().get() - error, band.upper().metres().get() + error);
    (low - height).max(height - high).max(0.0)
}

/// Whether a track is where and when its plan says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Conformance {
    /// Inside a volume of the plan, by the tolerances.
    Inside,
    /// Outside all of them.
    Outside {
        /// Horizontal distance to the nearest volume, 0 above, below or inside it.
        horizontal: Metres,
        /// Vertical distance to its band.
        vertical: Metres,
        /// Time until it comes into force, or since it ended, 0 while in force.
        time: Seconds,
    },
    /// The plan has no volumes: there is nothing to be inside of.
    NoVolumes,
}

/// Whether a track is inside its plan in all four dimensions: an aircraft that flies before its plan begins, after it
/// ends or between two of its volumes is outside, as ASTM F3548 counts it. The nearest volume is the one that is least
/// far in units of the tolerances (a metre or a second where a tolerance is 0).
pub fn conformance(
    track: &TrackState,
    volumes: &[Volume4],
    tolerance: &Dilation,
    conversions: &DatumConversions,
) -> Conformance {
    let mut nearest: Option<(f64, Conformance)> = None;
    for volume in volumes {
        let before = seconds_between(track.time(), volume.time.start());
        let after = seconds_between(volume.time.end(), track.time());
        let time = Seconds::new(before.get().max(after.get()).max(0.0));
        let horizontal = distance_to(&volume.area, track.position());
        let vertical = Metres::new(outside_band(track, volume, conversions));
        if horizontal <= tolerance.horizontal && vertical <= tolerance.vertical && time <= tolerance.time {
            return Conformance::Inside;
        }
        let far = horizontal.get() / tolerance.horizontal.get().max(1.0)
            + vertical.get() / tolerance.vertical.get().max(1.0)
            + time.get() / tolerance.time.get().max(1.0);
        if nearest.is_none_or(|(least, _)| far < least) {
            nearest = Some((far, Conformance::Outside { horizontal, vertical, time }));
        }
    }
    nearest.map_or(Conformance::NoVolumes, |(_, outside)| outside)
}

/// The state of an intent as its own operator's monitoring gives it (ASTM F3548: a flight is to be inside its volumes
/// for most of its time, and an excursion is to end).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntentConformance {
    /// Inside, or outside for no longer than is allowed.
    Conforming,
    /// Outside for longer, or too often.
    Nonconforming,
    /// Nonconforming for so long that it is not expected to come back.
    Contingent,
}

/// When excursions count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConformanceRules {
    /// An excursion may last so long.
    pub allowed_excursion: Seconds,
    /// After so long outside the intent is contingent.
    pub contingent_after: Seconds,
    /// The part of the time so far that has to be inside, once `judged_after` has passed.
    pub inside_share: f64,
    /// Before that, only the length of an excursion counts.
    pub judged_after: Seconds,
}

impl Default for ConformanceRules {
    /// 95 % of the time inside; an excursion of 10 s; contingent after 60 s.
    fn default() -> Self {
        Self {
            allowed_excursion: Seconds::new(10.0),
            contingent_after: Seconds::new(60.0),
            inside_share: 0.95,
            judged_after: Seconds::new(120.0),
        }
    }
}

/// Follows one flight. Time between two reports counts as the earlier one says.
#[derive(Debug, Clone)]
pub struct ConformanceMonitor {
    rules: ConformanceRules,
    last: Option<(Timestamp, bool)>,
    outside_since: Option<Timestamp>,
    inside: f64,
    total: f64,
    contingent: bool,
}

impl ConformanceMonitor {
    /// A monitor for a flight that begins.
    pub fn new(rules: ConformanceRules) -> Self {
        Self { rules, last: None, outside_since: None, inside: 0.0, total: 0.0, contingent: false }
    }

    /// The part of the time so far that was inside; 1 before any time has passed.
    pub fn inside_share(&self) -> f64 {
        if self.total > 0.0 { self.inside / self.total } else { 1.0 }
    }

    /// Takes the next report's conformance; reports that are not later are ignored. A contingent intent stays so.
    pub fn report(&mut self, at: Timestamp, conformance: Conformance) -> IntentConformance {
        let inside = !matches!(conformance, Conformance::Outside { .. });
        if let Some((before, was_inside)) = self.last {
            if at <= before {
                return self.state(before);
            }
            let passed = seconds_between(before, at).get();
            self.total += passed;
            self.inside += if was_inside { passed } else { 0.0 };
        }
        self.last = Some((at, inside));
        self.outside_since = if inside { None } else { self.outside_since.or(Some(at)) };
        self.state(at)
    }

    fn state(&mut self, at: Timestamp) -> IntentConformance {
        let outside = self.outside_since.map_or(Seconds::new(0.0), |since| seconds_between(since, at));
        self.contingent |= outside > self.rules.contingent_after;
        let too_often =
            self.total >= self.rules.judged_after.get() && self.inside_share() < self.rules.inside_share;
        if self.contingent {
            IntentConformance::Contingent
        } else if outside > self.rules.allowed_excursion || too_often {
            IntentConformance::Nonconforming
        } else {
            IntentConformance::Conforming
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::{
        Altitude, AltitudeBand, Area, Datum, Degrees, MetresPerSecond, Position, TimeInterval,
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn altitude(metres: f64) -> Altitude {
        Altitude::new(Metres::new(metres), Datum::Ellipsoid).unwrap()
    }

    #[test]
    fn all_four_dimensions_count() {
        let centre = Position::new(Degrees::new(47.0), Degrees::new(8.0)).unwrap();
        let volume = |start, end| Volume4 {
            area: Area::circle(centre, Metres::new(500.0)).unwrap(),
            altitude: AltitudeBand::new(altitude(100.0), altitude(200.0)).unwrap(),
            time: TimeInterval::new(at(start), at(end)).unwrap(),
        };
        let plan = [volume(100, 200), volume(300, 400)];
        let track = |second, metres| {
            let still = MetresPerSecond::new(0.0);
            TrackState::new(at(second), centre, altitude(metres), still, Degrees::new(0.0), still).unwrap()
        };
        let tolerance = Dilation { time: Seconds::new(5.0), ..Dilation::default() };
        let look = |second, metres| {
            conformance(&track(second, metres), &plan, &tolerance, &DatumConversions::default())
        };
        assert_eq!(look(150, 150.0), Conformance::Inside);
        assert_eq!(look(203, 150.0), Conformance::Inside, "by the tolerance");
        let outside = |vertical, time| Conformance::Outside {
            horizontal: Metres::new(0.0),
            vertical: Metres::new(vertical),
            time: Seconds::new(time),
        };
        assert_eq!(look(40, 150.0), outside(0.0, 60.0), "before it begins");
        assert_eq!(look(260, 150.0), outside(0.0, 40.0), "between two volumes");
        assert_eq!(look(150, 230.0), outside(30.0, 0.0));
        let nothing = conformance(&track(0, 0.0), &[], &tolerance, &DatumConversions::default());
        assert_eq!(nothing, Conformance::NoVolumes);
    }

    #[test]
    fn an_excursion_has_its_time() {
        let outside = Conformance::Outside {
            horizontal: Metres::new(50.0),
            vertical: Metres::new(0.0),
            time: Seconds::new(0.0),
        };
        let mut monitor = ConformanceMonitor::new(ConformanceRules::default());
        let mut look = |second, conformance| monitor.report(at(second), conformance);
        assert_eq!(look(0, Conformance::Inside), IntentConformance::Conforming);
        assert_eq!(look(10, outside), IntentConformance::Conforming);
        assert_eq!(look(20, outside), IntentConformance::Conforming, "10 s are allowed");
        assert_eq!(look(21, outside), IntentConformance::Nonconforming);
        assert_eq!(look(22, Conformance::Inside), IntentConformance::Conforming);
        assert_eq!(
            look(130, Conformance::Inside),
            IntentConformance::Nonconforming,
            "12 of 130 s are too many"
        );
        assert_eq!(look(400, Conformance::Inside), IntentConformance::Conforming, "12 of 400 s are not");
        assert_eq!(look(401, outside), IntentConformance::Conforming);
        assert_eq!(look(470, outside), IntentConformance::Contingent);
        assert_eq!(look(471, Conformance::Inside), IntentConformance::Contingent, "and stays so");
    }
}
