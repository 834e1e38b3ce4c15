//! What the people and planners of the parties do in the simulator: a little of everything, at random.

use crate::{Random, World};
use hotline_airspace::{
    Altitude, AltitudeBand, Area, Category, Datum, Degrees, Metres, MetresPerSecond, Position, Seconds,
    TimeInterval, TrackState, Volume4, shifted,
};
use hotline_ledger::{PartyName, Root};
use hotline_line::{
    CaseKind, CaseStatus, CaseStep, Change, Choice, Deed, FlightId, Links, Owed, Proposal, Purpose, Reply,
    Restriction, Severity, SharedTrack, StatementRef, Step, Words,
};
use hotline_picture::FlightPlan;
use jiff::{SignedDuration, Timestamp};

/// Where everything happens: near each other, so that plans and aircraft conflict now and then.
const PLACE: (f64, f64) = (40.0, 35.0);

/// What happens, each once in so many seconds on average.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Something is done by someone.
    pub deed_s: u64,
    /// Two aircraft of different parties fly towards each other.
    pub encounter_s: u64,
    /// An officer looks at what is to be answered.
    pub answer_s: u64,
    /// Whether rules are voted on.
    pub votes: bool,
}

/// Two aircraft on their way towards each other.
struct Encounter {
    parties: [usize; 2],
    began: u64,
    id: u64,
}

/// The people and planners.
pub struct Workload {
    random: Random,
    pace: Pace,
    encounters: Vec<Encounter>,
    number: u64,
    /// A party that does not vote, since it tells two stories.
    pub silent_voter: Option<usize>,
}

fn words(random: &mut Random) -> Words {
    match random.below(3) {
        0 => Words::phrase("stay-clear", &[("place", "N40 E035"), ("level", "FL180")], "en", "Stay clear"),
        1 => Words::free("ru", "Добрый день"),
        _ => Words::free("en", "Confirm you hear us"),
    }
}

fn volume(random: &mut Random, now: Timestamp) -> Volume4 {
    let (lat, lon) = (PLACE.0 + random.between(-0.5, 0.5), PLACE.1 + random.between(-0.5, 0.5));
    let altitude = |m| Altitude::new(Metres::new(m), Datum::Barometric).expect("within range");
    let low = random.between(0.0, 6_000.0);
    let start = shifted(now, Seconds::new(random.between(10.0, 1_200.0)));
    let end = shifted(start, Seconds::new(random.between(60.0, 1_800.0)));
    let centre = Position::new(Degrees::new(lat), Degrees::new(lon)).expect("within range");
    Volume4 {
        area: Area::circle(centre, Metres::new(random.between(500.0, 15_000.0))).expect("within range"),
        altitude: AltitudeBand::new(altitude(low), altitude(low + 600.0)).expect("in order"),
        time: TimeInterval::new(start, end).expect("in order"),
    }
}

impl Workload {
    /// People and planners from a seed.
    pub fn new(seed: u64, pace: Pace) -> Self {
        Self { random: Random::new(seed), pace, encounters: Vec::new(), number: 0, silent_voter: None }
    }

    /// What happens in one second. What is refused is no fault: people try what is not allowed too.
    pub fn second(&mut self, world: &mut World) {
        let count = world.count();
        for party in 0..count {
            if self.random.one_in(self.pace.deed_s) {
                self.deed(world, party);
            }
            if self.random.one_in(self.pace.answer_s) {
                self.answer(world, party);
            }
        }
        if self.random.one_in(self.pace.encounter_s) {
            let a = self.random.below(count as u64) as usize;
            let b = (a + 1 + self.random.below(count as u64 - 1) as usize) % count;
            self.number += 1;
            self.encounters.push(Encounter { parties: [a, b], began: world.now_ms(), id: self.number });
        }
        self.fly(world);
    }

    fn fly(&mut self, world: &mut World) {
        self.encounters.retain(|e| world.now_ms() - e.began < 40_000);
        for e in &self.encounters {
            let gone = (world.now_ms() - e.began) as f64 / 1e3;
            for (side, party) in e.parties.into_iter().enumerate() {
                // 250 m/s towards each other from 22 km apart: within the minima after half a minute.
                let metres = (11_000.0 - 250.0 * gone) * if side == 0 { -1.0 } else { 1.0 };
                let lon = PLACE.1 + metres / 85_000.0;
                let position = Position::new(Degrees::new(PLACE.0), Degrees::new(lon)).expect("within range");
                let state = TrackState::new(
                    world.clock(party),
                    position,
                    Altitude::new(Metres::new(5_000.0), Datum::Barometric).expect("within range"),
                    MetresPerSecond::new(250.0),
                    Degrees::new(if side == 0 { 90.0 } else { 270.0 }),
                    MetresPerSecond::new(0.0),
                );
                let id = FlightId::new(&format!("E{}", e.id)).expect("a plain name");
                let track = SharedTrack {
                    id,
                    callsign: String::new(),
                    category: Category::Aeroplane,
                    flight: None,
                    state: state.expect("within range"),
                };
                world.act(party, |core, now| core.own_tracks(vec![track], now));
            }
        }
    }

    fn other(&mut self, world: &World, party: usize) -> PartyName {
        let count = world.count() as u64;
        let other = (party as u64 + 1 + self.random.below(count - 1)) % count;
        world.name(other as usize).clone()
    }

    fn try_deed(&mut self, world: &mut World, party: usize, deed: Deed) {
        // What is out of place is refused, and that is as it should be.
        _ = world.do_deed(party, deed);
    }

    fn deed(&mut self, world: &mut World, party: usize) {
        let now = world.clock(party);
        let own = world.name(party).clone();
        let other = self.other(world, party);
        match self.random.below(14) {
            0..=3 => {
                let flight = FlightId::new(&format!("F{}", self.random.below(12))).expect("a plain name");
                let plan = FlightPlan {
                    flight,
                    volumes: vec![volume(&mut self.random, now)],
                    aircraft: 1,
                    category: Category::Aeroplane,
                    purpose: Purpose::Patrol,
                    callsign: "ALPHA".into(),
                    unit: "1st".into(),
                    squawk: Some(0o1234),
                };
                _ = world.act(party, |core, now| core.file_flight(plan, now));
            }
            4 => {
                let flight = world.core(party).picture().intents().find(|i| i.subject.party == own);
                if let Some(flight) = flight.map(|i| i.notice.flight.clone()) {
                    _ = world.act(party, |core, now| core.end_flight(flight, now));
                }
            }
            5 => {
                let id = FlightId::new(&format!("R{}", self.random.below(3))).expect("a plain name");
                if self.random.one_in(3) {
                    _ = world.act(party, |core, now| core.lift(id, now));
                } else {
                    let volumes = vec![volume(&mut self.random, now)];
                    let restriction = Restriction { id, volumes, reason: "firing".into() };
                    _ = world.act(party, |core, now| core.restrict(restriction, now));
                }
            }
            6 => {
                let words = words(&mut self.random);
                self.try_deed(world, party, Deed::Message { to: vec![other], words, reply_to: None });
            }
            7 => {
                let (words, read_back) = (words(&mut self.random), self.random.one_in(2));
                self.try_deed(world, party, Deed::Request { to: vec![other], words, read_back });
            }
            8 => self.try_deed(world, party, Deed::Check { to: vec![] }),
            9 => self.case(world, party, other),
            10 => {
                let last = world.core(party).line().books().standings.positions(&own, "").last();
                let supersedes = last.filter(|p| p.superseded_by.is_none()).map(|p| p.statement.number);
                let supersedes = supersedes.filter(|_| self.random.one_in(2));
                let words = words(&mut self.random);
                self.try_deed(world, party, Deed::Position { about: "the strike".into(), words, supersedes });
            }
            11 => {
                let words = Words::free("en", "Standing");
                let suspended = world.core(party).line().books().standings.suspended(&own).is_some();
                let deed = if suspended { Deed::Restore(words) } else { Deed::Suspend(words) };
                self.try_deed(world, party, deed);
            }
            _ if self.pace.votes && self.silent_voter != Some(party) => self.vote(world, party, now),
            _ => {}
        }
    }

    fn case(&mut self, world: &mut World, party: usize, other: PartyName) {
        let open =
            world.core(party).line().books().cases.iter().filter(|c| c.status() != CaseStatus::Resolved);
        let open: Vec<StatementRef> = open.map(|c| c.opened.clone()).collect();
        let words = words(&mut self.random);
        let own = world.name(party).clone();
        let step = if open.len() < 3 && self.random.one_in(2) || open.is_empty() {
            let kind = *CaseKind::ALL.get(self.random.below(3) as usize).expect("three kinds");
            let severity = Severity::Serious;
            let step =
                Step::Open { kind, severity, title: words, against: vec![other], links: Links::default() };
            CaseStep { case: None, step }
        } else {
            let case = open[self.random.below(open.len() as u64) as usize].clone();
            let step = match self.random.below(6) {
                0 => Step::Triage {
                    severity: Severity::Grave,
                    owner: own,
                    due: shifted(world.clock(party), Seconds::new(3_600.0)),
                },
                1 => Step::State(words),
                2 => Step::Link(Links { statements: vec![case.clone()], subjects: vec![] }),
                3 | 4 => Step::Resolve(words),
                _ if self.random.one_in(2) => Step::Raise(words),
                _ => Step::Reopen(words),
            };
            CaseStep { case: Some(case), step }
        };
        self.try_deed(world, party, Deed::Case(step));
    }

    fn vote(&mut self, world: &mut World, party: usize, now: Timestamp) {
        let line = world.core(party).line();
        let ballots = &line.books().ballots;
        let own = line.party();
        let open = ballots.iter().filter(|b| b.outcome.is_none() && !b.votes.contains_key(own));
        let open: Vec<StatementRef> = open.map(|b| b.statement.clone()).collect();
        if !open.is_empty() && !self.random.one_in(4) {
            let proposal = open[self.random.below(open.len() as u64) as usize].clone();
            if proposal.party == *own && self.random.one_in(6) {
                return self.try_deed(world, party, Deed::Withdraw { proposal: proposal.number });
            }
            let choice = match self.random.below(6) {
                0 => Choice::No,
                1 => Choice::Abstain,
                _ => Choice::Yes,
            };
            return self.try_deed(world, party, Deed::Vote { proposal, choice });
        }
        if open.len() > 3 {
            return;
        }
        let rulebook = ballots.in_force().rulebook.clone();
        let change = if self.random.one_in(3) {
            Change::Resolution
        } else {
            let mut next = rulebook;
            next.warning_s = (30 + self.random.below(60)) as f64;
            next.version += 1;
            Change::Rulebook(next.to_toml())
        };
        let span = SignedDuration::from_secs(60 + self.random.below(1_200) as i64);
        let proposal = Proposal {
            title: Words::free("en", "A change"),
            class: "substantive".into(),
            change,
            base: Root(ballots.in_force().hash.0),
            deadline: now.saturating_add(span).unwrap_or(now),
            dispute: vec![],
        };
        self.try_deed(world, party, Deed::Propose(proposal));
    }

    /// Alerts are acknowledged, questions answered; not always, and not always in time.
    fn answer(&mut self, world: &mut World, party: usize) {
        let own = world.name(party).clone();
        let core = world.core(party);
        let alerts: Vec<_> = core.alerts().iter().filter(|a| a.awaits(&own)).map(|a| a.key.clone()).collect();
        for key in alerts {
            if !self.random.one_in(5) {
                _ = world.acknowledge(party, &key);
            }
        }
        let owed = world.core(party).line().books().obligations.open().filter(|o| o.by == own);
        let owed: Vec<_> = owed.map(|o| (o.statement.clone(), o.owed, o.read_back.clone())).collect();
        for (to, owed, read_back) in owed {
            if self.random.one_in(4) {
                continue;
            }
            let reply = match (owed, read_back) {
                (Owed::Vote | Owed::Position, _) => continue,
                (Owed::Answer, Some(essentials)) if self.random.one_in(2) => Reply::ReadBack(essentials),
                (Owed::Answer, Some(_)) => Reply::ReadBack(vec![]),
                (Owed::Answer, None) if self.random.one_in(3) => Reply::Unable(Words::free("en", "Weather")),
                (Owed::Answer, None) => Reply::Wilco,
                _ => Reply::Read,
            };
            self.try_deed(world, party, Deed::Answer { to, reply });
        }
    }
}
