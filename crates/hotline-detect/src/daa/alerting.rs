//! Alert levels and the time to the corrective volume.

use super::configuration::{AlertLevel, Alerter, Configuration, KindSettings, TerminalArea};
use super::encounter::{Encounter, Place, SPHERE_RADIUS, Traffic};
use super::sweep::{Scene, Sweep, waypoints};
use super::targets::{Grid, Kind};
use crate::Violation;
use crate::volume::{Errors, Span};

impl TerminalArea {
    fn contains(&self, place: Place, altitude: f64) -> bool {
        let Place::Geodetic { latitude, longitude } = place else { return false };
        // Haversine.
        let half = |x: f64| (x / 2.0).sin().powi(2);
        let h = half(latitude - self.latitude_rad)
            + latitude.cos() * self.latitude_rad.cos() * half(longitude - self.longitude_rad);
        let distance = 2.0 * SPHERE_RADIUS * h.clamp(0.0, 1.0).sqrt().asin();
        distance <= self.radius_m && altitude <= self.height_m
    }
}

impl AlertLevel {
    /// What the state of traffic may be wrong by, as far as it matters to this level.
    pub(crate) fn errors(&self, configuration: &Configuration, traffic: &Traffic) -> Option<Errors> {
        self.uncertain.then(|| traffic.deviations.errors(&configuration.z_scores))
    }

    /// The alerting time, or the early one while hysteresis holds the level.
    pub(crate) fn time(&self, index: usize, traffic: &Traffic) -> f64 {
        if u32::try_from(index).is_ok_and(|i| traffic.early.checked_shr(i).unwrap_or(0) & 1 == 1) {
            self.early_alerting_time_s
        } else {
            self.alerting_time_s
        }
    }
}

impl Configuration {
    /// The alerter that judges one aircraft of an encounter, if any. Inside the terminal area it is that of the
    /// area.
    pub(crate) fn alerter_of(&self, encounter: &Encounter, traffic: &Traffic) -> Option<&Alerter> {
        let (number, place, altitude) = if self.ownship_centric_alerting {
            (encounter.alerter, encounter.place, encounter.altitude)
        } else {
            (traffic.alerter, traffic.place, traffic.altitude)
        };
        let number = match &self.terminal_area {
            Some(area) if number > 0 && area.contains(place, altitude) => area.alerter,
            _ => number,
        };
        self.alerters.get(number.checked_sub(1)?)
    }

    /// Whether the terminal area forbids horizontal recovery here.
    pub(crate) fn recovery_forbidden(&self, encounter: &Encounter, kind: Kind) -> bool {
        matches!(kind, Kind::Direction | Kind::Speed)
            && self.terminal_area.is_some_and(|area| {
                !area.horizontal_recovery && area.contains(encounter.place, encounter.altitude)
            })
    }

    /// The alert level of one aircraft (by index): the most severe whose volume is violated within its alerting
    /// time, both flying straight on; 0 if none is, or no alerter judges it, or there is no such aircraft.
    pub fn alert_level(&self, encounter: &Encounter, index: usize) -> usize {
        let Some(traffic) = encounter.traffic.get(index) else { return 0 };
        let Some(alerter) = self.alerter_of(encounter, traffic) else { return 0 };
        let pair = encounter.pair(traffic);
        let holds = |(number, level): (usize, &AlertLevel)| {
            let window = Span { from: 0.0, to: level.time(number, traffic) };
            let errors = level.errors(self, traffic);
            level.volume.within(&pair, encounter.own_vertical(), window, errors).is_some()
                || (level.spread != [0.0; 4] && self.spread_conflicts(encounter, traffic, level, window.to))
        };
        alerter.levels.iter().enumerate().rposition(holds).map_or(0, |number| number + 1)
    }

    /// Whether a manoeuvre of at most the level's spread leads to its volume within the time.
    fn spread_conflicts(
        &self,
        encounter: &Encounter,
        traffic: &Traffic,
        level: &AlertLevel,
        time: f64,
    ) -> bool {
        Kind::ALL.into_iter().zip(level.spread).any(|(kind, spread)| {
            let Some(manoeuvre) = self.manoeuvre(encounter, kind).filter(|_| spread > 0.0) else {
                return false;
            };
            let settings = KindSettings { below: spread, above: spread, ..*self.settings(kind) };
            let grid = Grid::new(&settings, encounter, kind);
            let mut sweep = Sweep::default();
            let mut path = Vec::new();
            waypoints(self, encounter, (&grid, manoeuvre), &mut path);
            let scene =
                Scene { configuration: self, encounter, traffic, grid: &grid, manoeuvre, path: &path };
            sweep.fill(&scene, &level.volume, level.errors(self, traffic));
            sweep.any_conflict(&self.window(time))
        })
    }

    /// When the volume of the corrective region is violated by one aircraft (by index) within the look-ahead.
    pub fn time_to_violation(&self, encounter: &Encounter, index: usize) -> Option<Violation> {
        let traffic = encounter.traffic.get(index)?;
        let alerter = self.alerter_of(encounter, traffic)?;
        let level = &alerter.levels[alerter.level_of(self.corrective_region)?];
        let window = Span { from: 0.0, to: self.lookahead_s };
        let errors = level.errors(self, traffic);
        level
            .volume
            .within(&encounter.pair(traffic), encounter.own_vertical(), window, errors)
            .map(Span::violation)
    }
}
