//! A river valley that two air forces, a rescue service and drones share.
//!
//! The river is the border of everyday life: one party (the first) works north-east of it, the other south-west,
//! each on its own levels, so that most of the day nothing conflicts. What does is arranged: two plans that
//! conflict, two formations that merge, an aircraft that leaves its plan, a restriction entered.

use crate::valley_map::{RIVER, TOWNS};
use crate::{Motion, Random};
use hotline_airspace::{
    Altitude, AltitudeBand, Area, Category, Datum, Degrees, Feet, Knots, LocalPlane, Metres, MetresPerSecond,
    PlanePoint, Position, Seconds, TimeInterval, TrackState, Volume4, geodesy, shifted,
};
use hotline_line::{FlightId, Purpose, Restriction, SharedTrack};
use hotline_picture::FlightPlan;
use jiff::Timestamp;

/// One aircraft of the simulation.
#[derive(Debug, Clone)]
pub struct Aircraft {
    /// Whose: 0 or 1.
    pub party: usize,
    /// Its name within the party.
    pub id: FlightId,
    /// Call sign.
    pub callsign: String,
    /// What kind.
    pub category: Category,
    /// The flight it flies.
    pub flight: Option<FlightId>,
    motion: Motion,
    altitude: Feet,
    /// The formation that avoids a merger turns off at this second.
    turns_at: Option<f64>,
    /// An aircraft that leaves its plan does so at this second.
    leaves_at: Option<f64>,
}

/// Something that is entered at a second of the simulation.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A party files a flight.
    File(usize, FlightPlan),
    /// A party enters a restriction.
    Restrict(usize, Restriction),
    /// A party lifts one.
    Lift(usize, FlightId),
}

/// The valley and all in it.
#[derive(Debug)]
pub struct Valley {
    plane: LocalPlane,
    start: Timestamp,
    aircraft: Vec<Aircraft>,
    happenings: Vec<(f64, Happening)>,
}

/// How long plans last.
const PLANNED: Seconds = Seconds::new(4.0 * 3600.0);
/// The formations are this far apart at first, metres, and meet at this speed each.
const MERGER_APART: f64 = 46_000.0;
const MERGER_KNOTS: f64 = 430.0;
/// When the first party's formation turns off, and how fast, degrees a second.
const MERGER_TURNS: f64 = 55.0;
const TURN_RATE: f64 = 3.0;
/// When an aircraft leaves its plan, and how fast it goes sideways, m/s.
const LEAVES_AT: f64 = 5.0;
const LEAVES_AT_SPEED: f64 = 110.0;

fn id(text: &str) -> FlightId {
    FlightId::new(text).expect("names of the simulation are valid")
}

impl Valley {
    /// The valley of a seed, whose second 0 is `start`.
    pub fn new(seed: u64, start: Timestamp) -> Self {
        let middle = Position::new(Degrees::new(35.3), Degrees::new(40.1)).expect("a position on the globe");
        let mut valley = Self { plane: LocalPlane::new(middle), start, aircraft: vec![], happenings: vec![] };
        let mut random = Random::new(seed);
        valley.patrols(&mut random);
        valley.transports(&mut random);
        valley.rescue(&mut random);
        valley.drones(&mut random);
        valley.merger();
        valley.leaver();
        valley.conflicting_plans();
        valley.restriction();
        valley.happenings.sort_by(|a, b| a.0.total_cmp(&b.0));
        valley
    }

    /// All aircraft.
    pub fn aircraft(&self) -> &[Aircraft] {
        &self.aircraft
    }

    /// What is entered, sorted by its second.
    pub fn happenings(&self) -> &[(f64, Happening)] {
        &self.happenings
    }

    /// The reports of all aircraft of a party at a second of the simulation.
    pub fn reports(&self, party: usize, second: f64) -> Vec<SharedTrack> {
        let time = shifted(self.start, Seconds::new(second));
        self.aircraft.iter().filter(|a| a.party == party).map(|a| self.report(a, second, time)).collect()
    }

    fn place(&self, aircraft: &Aircraft, second: f64) -> Position {
        let mut at = aircraft.motion.at(Seconds::new(second));
        if let Some(turns) = aircraft.turns_at.filter(|t| second > *t) {
            at = turned(&aircraft.motion, turns, second);
        }
        if let Some(leaves) = aircraft.leaves_at.filter(|t| second > *t) {
            at.x -= LEAVES_AT_SPEED * (second - leaves).min(400.0);
        }
        self.plane.unproject(at)
    }

    fn report(&self, aircraft: &Aircraft, second: f64, time: Timestamp) -> SharedTrack {
        // Speed and direction from where it is half a second before and after, as a tracker would have them.
        let (before, here, after) = (
            self.place(aircraft, second - 0.5),
            self.place(aircraft, second),
            self.place(aircraft, second + 0.5),
        );
        let (way, bearing) = geodesy::distance_and_bearing(before, after);
        let state = TrackState::new(
            time,
            here,
            Altitude::new(aircraft.altitude.into(), Datum::Barometric).expect("a flyable altitude"),
            MetresPerSecond::new(way.get()),
            bearing,
            MetresPerSecond::new(0.0),
        );
        SharedTrack {
            id: aircraft.id.clone(),
            callsign: aircraft.callsign.clone(),
            category: aircraft.category,
            flight: aircraft.flight.clone(),
            state: state.expect("a flyable state"),
        }
    }

    fn point(&self, lon: f64, lat: f64) -> PlanePoint {
        self.plane
            .project(Position::new(Degrees::new(lat), Degrees::new(lon)).expect("a position on the globe"))
    }

    /// A point beside the river: so far down it (0 to 1), and so many metres to the party's side.
    fn beside(&self, party: usize, share: f64, away: f64) -> PlanePoint {
        let at = share.clamp(0.0, 0.999) * (RIVER.len() - 1) as f64;
        let (i, part) = (at as usize, at.fract());
        let (a, b) = (self.point(RIVER[i].0, RIVER[i].1), self.point(RIVER[i + 1].0, RIVER[i + 1].1));
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let length = dx.hypot(dy);
        // Going south-east, the first party's side (north-east) is on the left.
        let side = if party == 0 { away } else { -away };
        PlanePoint { x: a.x + part * dx - side * dy / length, y: a.y + part * dy + side * dx / length }
    }

    fn volume(&self, area: Area, low: f64, high: f64, from: f64, span: Seconds) -> Volume4 {
        let altitude =
            |ft| Altitude::new(Feet::new(ft).into(), Datum::Barometric).expect("a flyable altitude");
        let start = shifted(self.start, Seconds::new(from));
        Volume4 {
            area,
            altitude: AltitudeBand::new(altitude(low), altitude(high)).expect("low is below high"),
            time: TimeInterval::new(start, shifted(start, span)).expect("a plan lasts some time"),
        }
    }

    fn circle(&self, centre: PlanePoint, radius: f64) -> Area {
        Area::circle(self.plane.unproject(centre), Metres::new(radius)).expect("a circle of a few kilometres")
    }

    /// A corridor of half-width `half` along a straight leg.
    fn corridor(&self, a: PlanePoint, b: PlanePoint, half: f64) -> Area {
        let length = (b.x - a.x).hypot(b.y - a.y);
        let (ux, uy) = ((b.x - a.x) / length * half, (b.y - a.y) / length * half);
        let corners = [
            (a.x - ux - uy, a.y - uy + ux),
            (b.x + ux - uy, b.y + uy + ux),
            (b.x + ux + uy, b.y + uy - ux),
            (a.x - ux + uy, a.y - uy - ux),
        ];
        let vertices = corners.map(|(x, y)| self.plane.unproject(PlanePoint { x, y }));
        Area::polygon(vertices.to_vec()).expect("a rectangle")
    }

    #[allow(clippy::too_many_arguments)]
    fn fly(
        &mut self,
        party: usize,
        name: &str,
        callsign: String,
        category: Category,
        purpose: Purpose,
        motion: Motion,
        altitude: f64,
        area: Area,
    ) -> usize {
        let flight = id(&format!("F-{name}"));
        let volume = self.volume(area, altitude - 400.0, altitude + 400.0, -60.0, PLANNED);
        let plan = FlightPlan {
            flight: flight.clone(),
            volumes: vec![volume],
            aircraft: 1,
            category,
            purpose,
            callsign: callsign.clone(),
            unit: String::new(),
            squawk: None,
        };
        self.happenings.push((0.0, Happening::File(party, plan)));
        self.aircraft.push(Aircraft {
            party,
            id: id(name),
            callsign,
            category,
            flight: Some(flight),
            motion,
            altitude: Feet::new(altitude),
            turns_at: None,
            leaves_at: None,
        });
        self.aircraft.len() - 1
    }

    /// Fighters on patrol, far to their own side, high.
    fn patrols(&mut self, random: &mut Random) {
        for party in 0..2 {
            for n in 0..24 {
                let share = 0.04 + 0.92 * f64::from(n) / 23.0;
                let centre = self.beside(party, share, 26_000.0 + 14_000.0 * f64::from(n % 3));
                let motion = Motion::Orbit {
                    centre,
                    radius: 7_000.0,
                    speed: MetresPerSecond::from(Knots::new(random.between(330.0, 420.0))).get(),
                    phase: random.between(0.0, std::f64::consts::TAU),
                };
                let level = 21_000.0 + 2_000.0 * f64::from(n % 5) + if party == 0 { 0.0 } else { 1_000.0 };
                let callsign = format!("{}{:02}", ["VIPER", "SOKOL"][party], n + 1);
                let area = self.circle(centre, 8_500.0);
                let name = format!("P{:02}", n + 1);
                self.fly(party, &name, callsign, Category::Aeroplane, Purpose::Patrol, motion, level, area);
            }
        }
    }

    /// Transports up and down the valley on the levels between.
    fn transports(&mut self, random: &mut Random) {
        for party in 0..2 {
            for n in 0..14 {
                let away = 8_000.0 + 1_500.0 * f64::from(n % 4);
                let (a, b) = (self.beside(party, 0.05, away), self.beside(party, 0.95, away));
                let length = (b.x - a.x).hypot(b.y - a.y);
                let motion = Motion::Shuttle {
                    corners: vec![a, b],
                    speed: MetresPerSecond::from(Knots::new(random.between(230.0, 290.0))).get(),
                    start: random.between(0.0, 2.0 * length),
                };
                let level = 9_000.0 + 2_400.0 * f64::from(n % 4) + if party == 0 { 0.0 } else { 1_200.0 };
                let callsign = format!("{}{}", ["HAUL", "VOLGA"][party], 20 + n);
                let area = self.corridor(a, b, 3_000.0);
                let name = format!("T{:02}", n + 1);
                self.fly(
                    party,
                    &name,
                    callsign,
                    Category::Aeroplane,
                    Purpose::Transport,
                    motion,
                    level,
                    area,
                );
            }
        }
    }

    /// The rescue service, which flies for the second party, low between the towns on its side.
    fn rescue(&mut self, random: &mut Random) {
        for n in 0..12 {
            let share = 0.1 + 0.8 * f64::from(n) / 11.0;
            let (a, b) = (self.beside(1, share - 0.05, 4_000.0), self.beside(1, share + 0.05, 5_500.0));
            let motion = Motion::Shuttle {
                corners: vec![a, b],
                speed: MetresPerSecond::from(Knots::new(random.between(95.0, 125.0))).get(),
                start: random.between(0.0, 5_000.0),
            };
            let area = self.corridor(a, b, 2_000.0);
            let (name, callsign) = (format!("R{:02}", n + 1), format!("RESCUE{}", n + 1));
            self.fly(1, &name, callsign, Category::Helicopter, Purpose::Rescue, motion, 2_500.0, area);
        }
    }

    /// Drones close to the ground on either side of the river.
    fn drones(&mut self, random: &mut Random) {
        for party in 0..2 {
            for n in 0..60 {
                let share = 0.03 + 0.94 * f64::from(n) / 59.0;
                let centre = self.beside(party, share, random.between(2_600.0, 9_000.0));
                let radius = random.between(250.0, 700.0);
                let motion = Motion::Orbit {
                    centre,
                    radius,
                    speed: random.between(-18.0, 18.0),
                    phase: random.between(0.0, std::f64::consts::TAU),
                };
                let (name, callsign) =
                    (format!("D{:02}", n + 1), format!("{}{:02}", ["BD", "GD"][party], n + 1));
                let area = self.circle(centre, radius + 300.0);
                let level = random.between(500.0, 900.0);
                self.fly(party, &name, callsign, Category::Unmanned, Purpose::Unmanned, motion, level, area);
            }
        }
    }

    /// Two formations of four, head on along the river on one level; the first party's turns off in time.
    fn merger(&mut self) {
        let (a, b) = (self.beside(0, 0.3, 0.0), self.beside(0, 0.7, 0.0));
        let length = (b.x - a.x).hypot(b.y - a.y);
        let (ux, uy) = ((b.x - a.x) / length, (b.y - a.y) / length);
        let middle = PlanePoint { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 };
        let speed = MetresPerSecond::from(Knots::new(MERGER_KNOTS)).get();
        for party in 0..2 {
            let ahead = if party == 0 { 1.0 } else { -1.0 };
            for n in 0..4 {
                let (back, side) = (500.0 * f64::from(n), 400.0 * f64::from(n % 2));
                let from = -ahead * (MERGER_APART / 2.0 + back);
                let start =
                    PlanePoint { x: middle.x + from * ux - side * uy, y: middle.y + from * uy + side * ux };
                let far = 400_000.0 * ahead;
                let end = PlanePoint { x: start.x + far * ux, y: start.y + far * uy };
                let callsign = format!("{}{}", ["TALON", "GROM"][party], n + 1);
                self.aircraft.push(Aircraft {
                    party,
                    id: id(&format!("M{}", n + 1)),
                    callsign,
                    category: Category::Aeroplane,
                    flight: None,
                    motion: Motion::Shuttle { corners: vec![start, end], speed, start: 0.0 },
                    altitude: Feet::new(18_000.0),
                    turns_at: (party == 0).then_some(MERGER_TURNS),
                    leaves_at: None,
                });
            }
        }
    }

    /// A transport of the second party that leaves its plan, away from the other side.
    fn leaver(&mut self) {
        let (a, b) = (self.beside(1, 0.15, 20_000.0), self.beside(1, 0.9, 20_000.0));
        let motion = Motion::Shuttle { corners: vec![a, b], speed: 125.0, start: 9_000.0 };
        let area = self.corridor(a, b, 1_500.0);
        let callsign = "VOLGA99".to_owned();
        let n = self.fly(1, "T99", callsign, Category::Aeroplane, Purpose::Transport, motion, 15_000.0, area);
        self.aircraft[n].leaves_at = Some(LEAVES_AT);
    }

    /// Two plans for the same airspace at the same time, filed within seconds of each other.
    fn conflicting_plans(&mut self) {
        let town = self.point(TOWNS[2].1, TOWNS[2].2);
        for (party, second, name, radius) in [(0, 4.0, "F-CONVOY", 4_000.0), (1, 7.0, "F-LIFT", 3_000.0)] {
            let area = self.circle(PlanePoint { x: town.x + 1_500.0 * party as f64, y: town.y }, radius);
            let plan = FlightPlan {
                flight: id(name),
                volumes: vec![self.volume(area, 3_500.0, 6_000.0, 1_800.0, Seconds::new(1_800.0))],
                aircraft: 2,
                category: Category::Helicopter,
                purpose: [Purpose::Transport, Purpose::Rescue][party],
                callsign: ["CONVOY1", "LIFT7"][party].into(),
                unit: String::new(),
                squawk: Some(0o4_321),
            };
            self.happenings.push((second, Happening::File(party, plan)));
        }
    }

    /// A restriction that the first party enters in the way of a rescue helicopter, and lifts later.
    fn restriction(&mut self) {
        let place = self.beside(1, 0.5, 5_000.0);
        let area = self.circle(place, 3_500.0);
        let volume = self.volume(area, 0.0, 4_500.0, 10.0, Seconds::new(3_600.0));
        let restriction =
            Restriction { id: id("R-1"), volumes: vec![volume], reason: "unexploded ordnance".into() };
        self.happenings.push((10.0, Happening::Restrict(0, restriction)));
        self.happenings.push((600.0, Happening::Lift(0, id("R-1"))));
    }
}

/// Where an aircraft is that turned right through a quarter circle at `turns` and then flew on.
fn turned(motion: &Motion, turns: f64, second: f64) -> PlanePoint {
    let (p, q) = (motion.at(Seconds::new(turns - 0.5)), motion.at(Seconds::new(turns + 0.5)));
    let (vx, vy) = (q.x - p.x, q.y - p.y);
    let speed = vx.hypot(vy);
    let rate = TURN_RATE.to_radians();
    let radius = speed / rate;
    let (ux, uy) = (vx / speed, vy / speed);
    // Right of the direction of flight.
    let (rx, ry) = (uy, -ux);
    let from = motion.at(Seconds::new(turns));
    let angle = ((second - turns) * rate).min(std::f64::consts::FRAC_PI_2);
    let straight = (second - turns - std::f64::consts::FRAC_PI_2 / rate).max(0.0) * speed;
    PlanePoint {
        x: from.x + radius * (angle.sin() * ux + (1.0 - angle.cos()) * rx) + straight * rx,
        y: from.y + radius * (angle.sin() * uy + (1.0 - angle.cos()) * ry) + straight * ry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_aircraft_that_fly_as_they_report() {
        let valley = Valley::new(1, Timestamp::UNIX_EPOCH);
        assert!(valley.aircraft().len() >= 200, "{}", valley.aircraft().len());
        for party in 0..2 {
            let (now, later) = (valley.reports(party, 30.0), valley.reports(party, 32.0));
            for (a, b) in now.iter().zip(&later) {
                let foretold = a.state.dead_reckoned(b.state.time()).position();
                let off = geodesy::distance(foretold, b.state.position()).get();
                assert!(off < 60.0, "{} is {off} m from where its report says", a.id);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_valley() {
        let (a, b) = (Valley::new(7, Timestamp::UNIX_EPOCH), Valley::new(7, Timestamp::UNIX_EPOCH));
        assert_eq!(a.reports(0, 12.5), b.reports(0, 12.5));
        assert_ne!(a.reports(0, 12.5), Valley::new(8, Timestamp::UNIX_EPOCH).reports(0, 12.5));
    }
}
