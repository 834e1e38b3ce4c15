//! Alert levels and the time to the corrective volume.

use super::encounter::{Encounter, Traffic};
use super::{Alerter, Configuration};
use crate::volume::Span;
use crate::Violation;

impl Configuration {
    /// The alerter that judges one aircraft of an encounter, if any.
    pub(crate) fn alerter_of(&self, encounter: &Encounter, traffic: &Traffic) -> Option<&Alerter> {
        let number = if self.ownship_centric_alerting { encounter.alerter } else { traffic.alerter };
        self.alerters.get(number.checked_sub(1)?)
    }

    /// The alert level of one aircraft (by index): the most severe whose volume is violated within its alerting
    /// time, both flying straight on; 0 if none is, or no alerter judges it, or there is no such aircraft.
    pub fn alert_level(&self, encounter: &Encounter, index: usize) -> usize {
        let Some(traffic) = encounter.traffic.get(index) else { return 0 };
        let Some(alerter) = self.alerter_of(encounter, traffic) else { return 0 };
        let pair = encounter.pair(traffic);
        let holds = |level: &super::AlertLevel| {
            let window = Span { from: 0.0, to: level.alerting_time_s };
            level.volume.within(&pair, encounter.own_vertical(), window).is_some()
        };
        alerter.levels.iter().rposition(holds).map_or(0, |index| index + 1)
    }

    /// When the volume of the corrective region is violated by one aircraft (by index) within the look-ahead.
    pub fn time_to_violation(&self, encounter: &Encounter, index: usize) -> Option<Violation> {
        let traffic = encounter.traffic.get(index)?;
        let alerter = self.alerter_of(encounter, traffic)?;
        let level = &alerter.levels[alerter.level_of(self.corrective_region)?];
        let window = Span { from: 0.0, to: self.lookahead_s };
        level.volume.within(&encounter.pair(traffic), encounter.own_vertical(), window).map(Span::violation)
    }
}
