//! How well the parties get on, measured from the ledgers alone, so that every node that holds them finds the same.
//!
//! Each day (UTC, by the speakers' clocks) has its counts; six components score from 0 to 1, and the index is 100 times their mean with the
//! rulebook's weights. A component without anything to measure that day is left out, with its weight.

use crate::obligation::{Obligation, Owed};
use crate::{ConflictKey, HealthRule, Missed, StatementRef};
use hotline_airspace::seconds_between;
use hotline_ledger::PartyName;
use jiff::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// The most days that are kept, ten years.
pub const MAX_DAYS: usize = 3_660;
const DAY_S: i64 = 86_400;
/// Upper ends of the classes of answering times, seconds; one more class for what is longer.
pub const CLASSES: [f64; 9] = [2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// What was counted on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Day {
    /// Alerts that an officer acknowledged in time, and late.
    #[n(0)]
    pub acknowledged: u64,
    /// See [`Day::acknowledged`].
    #[n(1)]
    pub acknowledged_late: u64,
    /// Alerts that were not acknowledged by their deadline.
    #[n(2)]
    pub alerts_missed: u64,
    /// Answers that were due: to requests, messages, checks, suspensions, cases.
    #[n(3)]
    pub asked: u64,
    /// Those of them that came in time.
    #[n(4)]
    pub answered: u64,
    /// Flight notices.
    #[n(5)]
    pub notices: u64,
    /// Flight notices with less lead than agreed.
    #[n(6)]
    pub notices_late: u64,
    /// Different flights of which notice was given for the first time.
    #[n(7)]
    pub flights: u64,
    /// Different conflicts that were made known.
    #[n(8)]
    pub conflicts: u64,
    /// Protests that were opened.
    #[n(9)]
    pub protests: u64,
    /// Protests that were open at the end of the day, or now.
    #[n(10)]
    pub protests_open: u64,
    /// Seconds in which at least one party had the line suspended.
    #[n(11)]
    pub suspended_s: u64,
    /// Suspensions that began.
    #[n(12)]
    pub suspensions: u64,
    /// Acknowledgement times by class.
    #[n(13)]
    pub times: Vec<u64>,
    /// Their sum, milliseconds.
    #[n(14)]
    pub times_sum_ms: u64,
    /// Communication checks between persons that were due.
    #[n(15)]
    pub checks_asked: u64,
    /// Those of them that were answered in time.
    #[n(16)]
    pub checks_answered: u64,
}

/// One component of the index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Its name.
    pub name: &'static str,
    /// Its weight.
    pub weight: f64,
    /// Its score from 0 to 1, when there was anything to measure.
    pub score: Option<f64>,
}

impl Day {
    /// Mean acknowledgement time, seconds.
    pub fn mean_time(&self) -> Option<f64> {
        let count: u64 = self.times.iter().sum();
        (count > 0).then(|| self.times_sum_ms as f64 / 1e3 / count as f64)
    }

    /// The components of the day's index.
    pub fn components(&self, rule: &HealthRule) -> [Component; 6] {
        let share = |good: u64, bad: u64| (good + bad > 0).then(|| good as f64 / (good + bad) as f64);
        let down = |value: f64, worst: f64| (1.0 - value / worst).clamp(0.0, 1.0);
        let conflicts = (self.flights > 0)
            .then(|| down(self.conflicts as f64 * 1_000.0 / self.flights as f64, rule.conflicts_worst));
        let component = |name, weight, score| Component { name, weight, score };
        [
            component(
                "acknowledged",
                rule.acknowledged,
                // Most that were acknowledged late were missed before.
                share(self.acknowledged, self.acknowledged_late.max(self.alerts_missed)),
            ),
            component(
                "answered",
                rule.answered,
                share(self.answered, self.asked.saturating_sub(self.answered)),
            ),
            component(
                "notices",
                rule.notices,
                share(self.notices - self.notices_late.min(self.notices), self.notices_late),
            ),
            component("conflicts", rule.conflicts, conflicts),
            component("protests", rule.protests, Some(down(self.protests_open as f64, rule.protests_worst))),
            component("suspension", rule.suspension, Some(down(self.suspended_s as f64, DAY_S as f64))),
        ]
    }

    /// The day's index, 0 to 100.
    pub fn index(&self, rule: &HealthRule) -> f64 {
        let measured: Vec<(f64, f64)> =
            self.components(rule).iter().filter_map(|c| Some((c.weight, c.score?))).collect();
        let weights: f64 = measured.iter().map(|m| m.0).sum();
        if weights == 0.0 {
            return 100.0;
        }
        100.0 * measured.iter().map(|(weight, score)| weight * score).sum::<f64>() / weights
    }
}

/// A span of time, seconds since 1970; without an end it goes on.
type Span = (i64, Option<i64>);

/// The counts of all days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Health {
    #[n(0)]
    days: BTreeMap<i64, Day>,
    /// When each party had the line suspended.
    #[n(1)]
    suspended: BTreeMap<PartyName, Vec<Span>>,
    /// From when to when each protest was open.
    #[n(2)]
    protests: BTreeMap<StatementRef, Span>,
    /// The conflicts that were counted on the newest days.
    #[n(3)]
    conflicts: BTreeSet<(i64, ConflictKey)>,
    /// The missed acknowledgements that were counted on the newest days.
    #[n(4)]
    missed: BTreeSet<(i64, Missed, PartyName)>,
}

/// The most suspensions of one party that are kept.
const MAX_SPANS: usize = 1_000;
/// The most protests that are kept.
const MAX_PROTESTS: usize = 10_000;
/// The most different conflicts of a day that are told apart.
const MAX_CONFLICTS: usize = 100_000;

/// The day of an instant, counted from 1970.
pub fn day_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(DAY_S)
}

/// How many seconds of `day` up to `now` lie in any of the spans.
fn covered(spans: &[Span], day: i64, now: i64) -> u64 {
    let (from, to) = (day * DAY_S, ((day + 1) * DAY_S).min(now));
    let mut within: Vec<(i64, i64)> = spans
        .iter()
        .map(|(a, b)| ((*a).max(from), b.unwrap_or(now).min(to)))
        .filter(|(a, b)| a < b)
        .collect();
    within.sort_unstable();
    let (mut total, mut end) = (0, i64::MIN);
    for (a, b) in within {
        total += (b - a.max(end)).max(0);
        end = end.max(b);
    }
    total as u64
}

impl Health {
    /// The days of which there is anything, oldest first: the day counted from 1970, and its counts up to `now`. `pending` are
    /// the obligations that are open.
    pub(crate) fn days<'a>(
        &self,
        now: Timestamp,
        pending: impl Iterator<Item = &'a Obligation>,
    ) -> Vec<(i64, Day)> {
        let at = now;
        let now = now.as_second();
        let spans: Vec<Span> = self.suspended.values().flatten().copied().collect();
        let mut filled: Vec<(i64, Day)> = self
            .days
            .iter()
            // What is due on a day to come is counted there already.
            .filter(|(day, _)| **day <= day_of(at))
            .map(|(day, counts)| {
                let end = ((day + 1) * DAY_S).min(now.max(day * DAY_S + 1));
                let open = |s: &&Span| s.0 < end && s.1.is_none_or(|closed| closed >= end);
                let counts = Day {
                    suspended_s: covered(&spans, *day, now),
                    protests_open: self.protests.values().filter(open).count() as u64,
                    ..counts.clone()
                };
                (*day, counts)
            })
            .collect();
        // What is not yet due is not yet missed.
        for owed in pending.filter(|o| o.due > at && o.owed != Owed::Vote) {
            if let Some((_, day)) = filled.iter_mut().find(|(day, _)| *day == day_of(owed.due)) {
                day.asked = day.asked.saturating_sub(1);
                day.checks_asked = day.checks_asked.saturating_sub(u64::from(owed.owed == Owed::Check));
            }
        }
        filled
    }

    pub(crate) fn on(&mut self, time: Timestamp) -> &mut Day {
        if self.days.len() >= MAX_DAYS {
            self.days.pop_first();
        }
        self.days
            .entry(day_of(time))
            .or_insert_with(|| Day { times: vec![0; CLASSES.len() + 1], ..Day::default() })
    }

    /// A conflict was made known; each counts once a day.
    pub(crate) fn conflict(&mut self, key: &ConflictKey, at: Timestamp) {
        let day = day_of(at);
        while self.conflicts.first().is_some_and(|(d, _)| d + 2 <= day) {
            self.conflicts.pop_first();
        }
        if self.conflicts.len() < MAX_CONFLICTS && self.conflicts.insert((day, key.clone())) {
            self.on(at).conflicts += 1;
        }
    }

    /// An answer will be due.
    pub(crate) fn asked(&mut self, due: Timestamp, check: bool) {
        let day = self.on(due);
        day.asked += 1;
        day.checks_asked += u64::from(check);
    }

    /// It came in time.
    pub(crate) fn answered(&mut self, due: Timestamp, check: bool) {
        let day = self.on(due);
        day.answered += 1;
        day.checks_answered += u64::from(check);
    }

    pub(crate) fn acknowledged(&mut self, raised: Timestamp, at: Timestamp, within_s: f64) {
        let took = seconds_between(raised, at).get().max(0.0);
        let day = self.on(at);
        if took <= within_s {
            day.acknowledged += 1;
        } else {
            day.acknowledged_late += 1;
        }
        let class = CLASSES.iter().position(|end| took <= *end).unwrap_or(CLASSES.len());
        day.times[class] += 1;
        day.times_sum_ms += (took * 1e3) as u64;
    }

    /// An alert was not acknowledged by its deadline. Several nodes say so; it counts once for each party.
    pub(crate) fn missed_alert(&mut self, missed: &Missed, party: &PartyName, due: Timestamp) {
        let day = day_of(due);
        while self.missed.first().is_some_and(|(d, _, _)| d + 2 <= day) {
            self.missed.pop_first();
        }
        if self.missed.len() < MAX_CONFLICTS && self.missed.insert((day, missed.clone(), party.clone())) {
            self.on(due).alerts_missed += 1;
        }
    }

    pub(crate) fn suspended(&mut self, party: &PartyName, at: Timestamp) {
        self.on(at).suspensions += 1;
        let spans = self.suspended.entry(party.clone()).or_default();
        spans.push((at.as_second(), None));
        if spans.len() > MAX_SPANS {
            spans.remove(0);
        }
    }

    pub(crate) fn restored(&mut self, party: &PartyName, at: Timestamp) {
        if let Some((_, end)) = self.suspended.get_mut(party).and_then(|s| s.last_mut()) {
            end.get_or_insert(at.as_second());
        }
    }

    pub(crate) fn protest_opened(&mut self, case: &StatementRef, at: Timestamp) {
        self.on(at).protests += 1;
        if self.protests.len() < MAX_PROTESTS {
            self.protests.insert(case.clone(), (at.as_second(), None));
        }
    }

    /// A protest is resolved since then, or open again.
    pub(crate) fn protest_resolved(&mut self, case: &StatementRef, since: Option<Timestamp>) {
        if let Some(span) = self.protests.get_mut(case) {
            span.1 = since.map(Timestamp::as_second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn suspensions_that_overlap_count_once_and_over_midnight() {
        let (blue, green) = (PartyName::new("blue").unwrap(), PartyName::new("green").unwrap());
        let mut health = Health::default();
        health.suspended(&blue, at(DAY_S - 100));
        health.suspended(&green, at(DAY_S - 50));
        health.restored(&blue, at(DAY_S + 20));
        health.restored(&green, at(DAY_S + 10));
        health.on(at(DAY_S + 30));
        // Something is due on a day to come.
        health.on(at(5 * DAY_S));
        let days = health.days(at(2 * DAY_S), std::iter::empty());
        assert_eq!(days.iter().map(|(_, d)| d.suspended_s).collect::<Vec<_>>(), [100, 20]);
    }

    #[test]
    fn the_index_weighs_what_was_measured() {
        let rule = crate::Rulebook::from_toml(crate::Rulebook::EXAMPLE).unwrap().health;
        let mut health = Health::default();
        for took in [3, 12, 45] {
            health.acknowledged(at(0), at(took), 30.0);
        }
        let day = &health.days(at(60), std::iter::empty())[0].1;
        assert_eq!((day.acknowledged, day.acknowledged_late), (2, 1));
        assert_eq!(day.mean_time(), Some(20.0));
        // Weights 4 (acknowledged, 2/3), 1 (protests, 1), 3 (suspension, 1); nothing else was measured.
        let expected = 100.0 * (4.0 * 2.0 / 3.0 + 1.0 + 3.0) / 8.0;
        assert!((day.index(&rule) - expected).abs() < 1e-9);
    }
}
