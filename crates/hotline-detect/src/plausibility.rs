//! Whether a track can be believed: reports of one identity, one after the other.
//!
//! A report is compared with what an aircraft can fly. What cannot be reached from the last report begins a second
//! branch, which is not believed until it has been consistent for a while; when reports keep coming in on both
//! branches, the identity is in use twice. A report in which nothing at all is new says nothing new: it is judged as
//! the last one was.

use hotline_airspace::{Metres, MetresPerSecond, Seconds, TrackState, geodesy, seconds_between};
use jiff::Timestamp;

/// Why a report is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Implausible {
    /// The position cannot be reached from the one before; or this track began with such a jump a short while ago.
    Jump,
    /// The speed cannot have changed so much since the report before.
    SpeedJump,
    /// The same identity is heard at two places far apart.
    DuplicateIdentity,
    /// Everything else changes, the position does not.
    Frozen,
    /// The report's time is not that of its arrival, or not after the time of the one before.
    TimeShifted,
    /// The position does not move as the reported velocity says.
    PositionAgainstVelocity,
    /// Altitude, speed or climb that this kind of aircraft does not fly.
    OutOfEnvelope,
}

impl std::fmt::Display for Implausible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Jump => "jump",
            Self::SpeedJump => "speed jump",
            Self::DuplicateIdentity => "duplicate identity",
            Self::Frozen => "frozen position",
            Self::TimeShifted => "time-shifted",
            Self::PositionAgainstVelocity => "position against velocity",
            Self::OutOfEnvelope => "out of envelope",
        })
    }
}

/// What a kind of aircraft flies at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Envelope {
    /// Highest ground speed.
    pub max_speed: MetresPerSecond,
    /// Highest rate of climb or descent.
    pub max_climb: MetresPerSecond,
    /// Lowest altitude.
    pub floor: Metres,
    /// Highest altitude.
    pub ceiling: Metres,
    /// Above this altitude ...
    pub high: Metres,
    /// ... the ground speed is at least this.
    pub min_speed_when_high: MetresPerSecond,
}

impl Envelope {
    /// Of an aircraft that nothing is known about: up to 780 kt and 12 000 ft/min, below 60 000 ft, and not below
    /// 78 kt above 20 000 ft.
    pub const UNKNOWN: Self = Self {
        max_speed: MetresPerSecond::new(400.0),
        max_climb: MetresPerSecond::new(61.0),
        floor: Metres::new(-500.0),
        ceiling: Metres::new(18_300.0),
        high: Metres::new(6_100.0),
        min_speed_when_high: MetresPerSecond::new(40.0),
    };
    /// Of a small unmanned aircraft: up to 100 kt, below 10 000 ft.
    pub const SMALL_UNMANNED: Self = Self {
        max_speed: MetresPerSecond::new(52.0),
        max_climb: MetresPerSecond::new(20.0),
        floor: Metres::new(-500.0),
        ceiling: Metres::new(3_050.0),
        high: Metres::new(f64::INFINITY),
        min_speed_when_high: MetresPerSecond::new(0.0),
    };
    /// Of a helicopter: up to 220 kt, below 25 000 ft.
    pub const HELICOPTER: Self = Self {
        max_speed: MetresPerSecond::new(113.0),
        max_climb: MetresPerSecond::new(30.0),
        floor: Metres::new(-500.0),
        ceiling: Metres::new(7_620.0),
        high: Metres::new(f64::INFINITY),
        min_speed_when_high: MetresPerSecond::new(0.0),
    };

    fn holds(&self, state: &TrackState) -> bool {
        let (altitude, speed) = (state.altitude().metres(), state.ground_speed());
        speed <= self.max_speed
            && state.vertical_speed().abs() <= self.max_climb
            && altitude >= self.floor
            && altitude <= self.ceiling
            && (altitude <= self.high || speed >= self.min_speed_when_high)
    }
}

/// A position may be reported so late or so coarsely, metres.
const POSITION_SLACK: f64 = 2_000.0;
/// An aircraft may have been so much faster between two reports than in either of them.
const SPEED_MARGIN: f64 = 1.3;
/// Ground speed changes at most so fast, metres a second squared, beyond a sudden change of `SPEED_SLACK`.
const ACCELERATION: f64 = 8.0;
const SPEED_SLACK: f64 = 40.0;
/// A branch is believed after so long without a fault, seconds, and so many reports.
const PROBATION: f64 = 30.0;
const PROBATION_REPORTS: u32 = 3;
/// Reports that so often change between two branches, each time within so many seconds, are of two aircraft.
const ALTERNATIONS: u32 = 3;
const BOTH_HEARD: f64 = 60.0;
/// A position that has not moved for so long, seconds, while so many reports changed otherwise, and that should have
/// moved so far, metres, is frozen.
const FROZEN_TIME: f64 = 20.0;
const FROZEN_REPORTS: u32 = 5;
const FROZEN_WAY: f64 = 3_000.0;
/// A steady flight over so long, seconds, at least so far, metres, must have gone where its velocity says, within this
/// part of the way and the slack.
const STEADY: std::ops::RangeInclusive<f64> = 20.0..=120.0;
const STEADY_WAY: f64 = 4_000.0;
const STEADY_PART: f64 = 0.5;
/// A report may arrive so late and so early, seconds.
const MAX_LATE: f64 = 15.0;
const MAX_EARLY: f64 = 5.0;

/// One story that the reports of an identity may tell.
#[derive(Debug, Clone, Copy)]
struct Branch {
    last: TrackState,
    /// When the last position was first reported.
    placed: Timestamp,
    /// Reports since then that had something else new.
    changes: u32,
    /// An earlier report to compare the way flown with.
    anchor: TrackState,
    /// The last comparison found the way flown wrong. A single one may be: position and velocity come in different
    /// messages.
    astray: bool,
    /// When the branch, if not yet believed, was last at fault, and its reports since.
    probation: Option<(Timestamp, u32)>,
}

impl Branch {
    fn new(state: &TrackState, believed: bool) -> Self {
        Self {
            last: *state,
            placed: state.time(),
            changes: 0,
            anchor: *state,
            astray: false,
            probation: (!believed).then_some((state.time(), 0)),
        }
    }

    fn reaches(&self, state: &TrackState) -> bool {
        let time = seconds_between(self.placed, state.time()).get().max(0.0);
        let speed = self.last.ground_speed().get().max(state.ground_speed().get());
        let way = geodesy::distance(self.last.position(), state.position()).get();
        way <= speed * SPEED_MARGIN * time + POSITION_SLACK
    }

    /// What is wrong with a report that is reachable, and the branch with that report.
    fn follow(&mut self, state: &TrackState, faults: &mut Vec<Implausible>) {
        let elapsed = seconds_between(self.last.time(), state.time()).get();
        let change = (state.ground_speed() - self.last.ground_speed()).abs().get();
        if change > ACCELERATION * elapsed + SPEED_SLACK {
            faults.push(Implausible::SpeedJump);
        }
        if state.position() == self.last.position() {
            self.changes += 1;
            let still = seconds_between(self.placed, state.time()).get();
            let way = still * self.last.ground_speed().get().min(state.ground_speed().get());
            if still > FROZEN_TIME && self.changes >= FROZEN_REPORTS && way > FROZEN_WAY {
                faults.push(Implausible::Frozen);
            }
        } else {
            (self.placed, self.changes) = (state.time(), 0);
            self.compare_way(state, faults);
        }
        self.last = *state;
    }

    fn compare_way(&mut self, state: &TrackState, faults: &mut Vec<Implausible>) {
        let elapsed = seconds_between(self.anchor.time(), state.time()).get();
        if elapsed < *STEADY.start() {
            return;
        }
        let (before, now) = (self.anchor.ground_speed().get(), state.ground_speed().get());
        let turn = (state.track().get() - self.anchor.track().get() + 540.0).rem_euclid(360.0) - 180.0;
        let steady = turn.abs() < 20.0 && (before - now).abs() < 0.2 * before.max(now);
        let way = (before + now) / 2.0 * elapsed;
        if steady && STEADY.contains(&elapsed) && way > STEADY_WAY {
            let (gone, bearing) = geodesy::distance_and_bearing(self.anchor.position(), state.position());
            let aside = (bearing.get() - self.anchor.track().get() - turn / 2.0).to_radians();
            let (along, across) = (gone.get() * aside.cos() - way, gone.get() * aside.sin());
            let astray = along.hypot(across) > STEADY_PART * way + POSITION_SLACK;
            if std::mem::replace(&mut self.astray, astray) && astray {
                faults.push(Implausible::PositionAgainstVelocity);
            }
        }
        self.anchor = *state;
    }

    /// Whether the branch is believed, after a report with or without fault.
    fn proven(&mut self, at: Timestamp, faultless: bool) -> bool {
        let Some((since, reports)) = self.probation else { return true };
        if !faultless {
            self.probation = Some((at, 0));
            return false;
        }
        let done = seconds_between(since, at).get() >= PROBATION && reports + 1 >= PROBATION_REPORTS;
        self.probation = (!done).then_some((since, reports + 1));
        done
    }
}

/// Checks the reports of one identity.
#[derive(Debug, Clone)]
pub struct TrackCheck {
    envelope: Envelope,
    /// The believed branch, and another.
    main: Option<Branch>,
    other: Option<Branch>,
    /// Which of them the last report was on, how often that changed of late, and when last.
    on_main: bool,
    switches: u32,
    switched: Option<Timestamp>,
    faults: Vec<Implausible>,
    latest: Option<TrackState>,
}

impl TrackCheck {
    /// A check of a new identity.
    pub fn new(envelope: Envelope) -> Self {
        Self {
            envelope,
            main: None,
            other: None,
            on_main: true,
            switches: 0,
            switched: None,
            faults: Vec::new(),
            latest: None,
        }
    }

    /// What is implausible about the next report, in a fixed order; nothing when it can be believed. `received` is when
    /// it arrived, if that is known.
    pub fn report(&mut self, state: &TrackState, received: Option<Timestamp>) -> &[Implausible] {
        if let Some(latest) = &self.latest {
            let told = |s: &TrackState| {
                (s.position(), s.altitude(), s.ground_speed(), s.track(), s.vertical_speed())
            };
            if told(latest) == told(state) && state.time() > latest.time() && !Self::is_late(state, received)
            {
                return &self.faults;
            }
        }
        self.faults.clear();
        let old = self.latest.is_some_and(|latest| state.time() <= latest.time());
        if old || Self::is_late(state, received) {
            self.faults.push(Implausible::TimeShifted);
            if old {
                return &self.faults;
            }
        }
        self.latest = Some(*state);
        if !self.envelope.holds(state) {
            self.faults.push(Implausible::OutOfEnvelope);
        }
        self.place(state);
        self.faults.sort_unstable();
        &self.faults
    }

    fn is_late(state: &TrackState, received: Option<Timestamp>) -> bool {
        received.is_some_and(|at| {
            let late = seconds_between(state.time(), at);
            late > Seconds::new(MAX_LATE) || late < Seconds::new(-MAX_EARLY)
        })
    }

    /// Finds the branch that the report belongs to.
    fn place(&mut self, state: &TrackState) {
        let Some(main) = &mut self.main else {
            self.main = Some(Branch::new(state, true));
            return;
        };
        // When both reach, the nearer one.
        let nearer = |other: &Branch| {
            let way = |branch: &Branch| geodesy::distance(branch.last.position(), state.position());
            other.reaches(state) && way(other) < way(main)
        };
        if main.reaches(state) && !self.other.as_ref().is_some_and(nearer) {
            main.follow(state, &mut self.faults);
            if self.alternates(state.time(), true) {
                self.faults.push(Implausible::DuplicateIdentity);
            }
            return;
        }
        let main_heard = seconds_between(main.last.time(), state.time()).get() < BOTH_HEARD;
        let twice = self.alternates(state.time(), false);
        match &mut self.other {
            Some(other) if other.reaches(state) => {
                other.follow(state, &mut self.faults);
                let proven = other.proven(state.time(), self.faults.is_empty());
                if twice {
                    self.faults.push(Implausible::DuplicateIdentity);
                } else if proven && !main_heard {
                    self.main = self.other.take();
                    (self.on_main, self.switches) = (true, 0);
                } else {
                    self.faults.push(Implausible::Jump);
                }
            }
            _ => {
                self.faults.push(Implausible::Jump);
                self.other = Some(Branch::new(state, false));
            }
        }
    }

    /// Whether reports come in on both branches by turns.
    fn alternates(&mut self, at: Timestamp, on_main: bool) -> bool {
        if on_main != self.on_main {
            let recent = self.switched.is_some_and(|last| seconds_between(last, at).get() < BOTH_HEARD);
            self.switches = if recent { self.switches + 1 } else { 1 };
            (self.on_main, self.switched) = (on_main, Some(at));
        }
        let recent = self.switched.is_some_and(|last| seconds_between(last, at).get() < BOTH_HEARD);
        recent && self.switches >= ALTERNATIONS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::{Altitude, Datum, Degrees, Position};

    struct Flight {
        lat: f64,
        lon: f64,
        speed: f64,
        time: i64,
    }

    impl Flight {
        fn new() -> Self {
            Self { lat: 47.0, lon: 8.0, speed: 220.0, time: 0 }
        }

        fn state(&self) -> TrackState {
            TrackState::new(
                Timestamp::from_second(self.time).unwrap(),
                Position::new(Degrees::new(self.lat), Degrees::new(self.lon)).unwrap(),
                Altitude::new(Metres::new(10_000.0 + (self.time % 7) as f64), Datum::Barometric).unwrap(),
                MetresPerSecond::new(self.speed),
                Degrees::new(0.0),
                MetresPerSecond::new(0.0),
            )
            .unwrap()
        }

        /// Flies north for some seconds.
        fn fly(&mut self, seconds: i64) -> TrackState {
            self.lat += self.speed * seconds as f64 / 111_200.0;
            self.time += seconds;
            self.state()
        }
    }

    fn check() -> TrackCheck {
        TrackCheck::new(Envelope::UNKNOWN)
    }

    #[test]
    fn an_ordinary_flight_is_believed_also_through_gaps_and_repetitions() {
        let (mut check, mut flight) = (check(), Flight::new());
        for gap in [1, 5, 10, 60, 300, 1, 1, 1] {
            let state = flight.fly(gap);
            assert_eq!(check.report(&state, Some(state.time())), []);
            for later in 1..40 {
                let again = TrackState::new(
                    Timestamp::from_second(flight.time + later).unwrap(),
                    state.position(),
                    state.altitude(),
                    state.ground_speed(),
                    state.track(),
                    state.vertical_speed(),
                );
                assert_eq!(check.report(&again.unwrap(), None), [], "says nothing new");
            }
            flight.fly(40);
        }
    }

    #[test]
    fn a_jump_is_not_believed_until_it_has_proved_itself() {
        let (mut check, mut flight) = (check(), Flight::new());
        (0..10).for_each(|_| assert_eq!(check.report(&flight.fly(5), None), []));
        flight.lon += 2.0;
        for _ in 0..4 {
            assert_eq!(check.report(&flight.fly(5), None), [Implausible::Jump]);
            // Long after the other story fell silent it may be true.
            flight.time += 10;
            flight.lat += flight.speed * 10.0 / 111_200.0;
        }
        let believed = (0..20).any(|_| check.report(&flight.fly(5), None).is_empty());
        assert!(believed);
    }

    #[test]
    fn two_aircraft_with_one_identity() {
        let (mut check, mut one, mut two) = (check(), Flight::new(), Flight::new());
        two.lon += 3.0;
        (0..5).for_each(|_| {
            check.report(&one.fly(4), None);
            two.fly(4);
        });
        let mut duplicates = 0;
        for _ in 0..10 {
            two.fly(2);
            two.time = one.time + 2;
            duplicates +=
                usize::from(check.report(&two.state(), None).contains(&Implausible::DuplicateIdentity));
            duplicates +=
                usize::from(check.report(&one.fly(4), None).contains(&Implausible::DuplicateIdentity));
        }
        assert!(duplicates >= 16, "{duplicates} of 20");
    }

    #[test]
    fn frozen_shifted_and_out_of_envelope() {
        let (mut tester, mut flight) = (check(), Flight::new());
        tester.report(&flight.fly(1), None);
        let frozen = (0..60).filter(|_| {
            flight.time += 1;
            tester.report(&flight.state(), None).contains(&Implausible::Frozen)
        });
        assert!(frozen.count() > 30);
        let mut tester = check();
        let state = flight.fly(1);
        let late = Timestamp::from_second(flight.time + 60).unwrap();
        assert_eq!(tester.report(&state, Some(late)), [Implausible::TimeShifted]);
        assert_eq!(tester.report(&state, None), [Implausible::TimeShifted], "not newer");
        flight.speed = 20.0;
        flight.time += 60;
        assert_eq!(tester.report(&flight.state(), None), [Implausible::OutOfEnvelope], "20 m/s at 10 km");
        let mut backwards = check();
        let mut flight = Flight::new();
        backwards.report(&flight.state(), None);
        flight.speed = -220.0;
        let mut faults = Vec::new();
        for _ in 0..12 {
            flight.lat += -220.0 * 5.0 / 111_200.0;
            flight.time += 5;
            let forwards = Flight { speed: 220.0, ..flight };
            faults.extend_from_slice(backwards.report(&forwards.state(), None));
        }
        assert!(faults.contains(&Implausible::PositionAgainstVelocity), "{faults:?}");
    }
}
