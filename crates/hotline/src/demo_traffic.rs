//! The traffic of the demo: the simulated valley, or a recording.

use crate::client::Client;
use crate::demo::PARTIES;
use hotline_airspace::{Area, Category, Datum, Feet, FeetPerMinute, Knots, Volume4, seconds_between};
use hotline_feeds::{Recording, Row, open};
use hotline_line::SharedTrack;
use hotline_node::{FlightInput, RestrictionInput, TrackInput, VolumeInput};
use hotline_picture::FlightPlan;
use hotline_sim::{Happening, Valley};
use jiff::Timestamp;
use std::path::Path;

enum Source {
    Valley { valley: Valley, next_second: f64, next_happening: usize },
    Recording { rows: Vec<Row>, next: usize, incomplete: u64 },
}

/// Traffic that is fed to two nodes.
pub(crate) struct Traffic {
    source: Source,
    start: Timestamp,
    /// How many reports have been sent.
    pub(crate) reports: u64,
    /// How many flights have been filed.
    pub(crate) flights: u64,
    /// How many different aircraft there are.
    pub(crate) aircraft: usize,
}

impl Traffic {
    pub(crate) fn valley(seed: u64, start: Timestamp) -> Self {
        let valley = Valley::new(seed, start);
        let aircraft = valley.aircraft().len();
        let source = Source::Valley { valley, next_second: 0.0, next_happening: 0 };
        Self { source, start, reports: 0, flights: 0, aircraft }
    }

    pub(crate) fn recording(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let mut recording = open(path).and_then(Recording::read).map_err(|e| format!("{name}: {e}"))?;
        let mut rows =
            recording.by_ref().collect::<Result<Vec<_>, _>>().map_err(|e| format!("{name}: {e}"))?;
        rows.sort_by_key(|r| r.state.time());
        let start = rows.first().ok_or_else(|| format!("{name}: it has no usable report"))?.state.time();
        let aircraft = rows.iter().map(|r| &r.icao24).collect::<std::collections::BTreeSet<_>>().len();
        let incomplete = recording.incomplete();
        Ok(Self {
            source: Source::Recording { rows, next: 0, incomplete },
            start,
            reports: 0,
            flights: 0,
            aircraft,
        })
    }

    pub(crate) fn start(&self) -> Timestamp {
        self.start
    }

    pub(crate) fn describe(&self) -> String {
        match &self.source {
            Source::Valley { .. } => format!(
                "traffic: a simulated river valley, {} aircraft of two air forces, a rescue service (flying for {}) and drones",
                self.aircraft, PARTIES[1]
            ),
            Source::Recording { rows, incomplete, .. } => format!(
                "traffic: {} reports of {} aircraft ({incomplete} incomplete ones left out); aircraft whose address ends in an even digit (0 2 4 6 8 a c e) fly for {}, the others for {}",
                rows.len(),
                self.aircraft,
                PARTIES[0],
                PARTIES[1]
            ),
        }
    }

    /// Feeds what is due by this second of the demo's clock.
    pub(crate) fn feed(&mut self, second: f64, clients: &[Client; 2]) -> Result<(), String> {
        match &mut self.source {
            Source::Valley { valley, next_second, next_happening } => {
                while let Some((_, happening)) =
                    valley.happenings().get(*next_happening).filter(|(at, _)| *at <= second)
                {
                    *next_happening += 1;
                    self.flights += u64::from(matches!(happening, Happening::File(..)));
                    happen(happening, clients)?;
                }
                if second < *next_second {
                    return Ok(());
                }
                // At high speed only the newest second is of use.
                let due = second.floor();
                *next_second = due + 1.0;
                for (party, client) in clients.iter().enumerate() {
                    let reports: Vec<TrackInput> = valley.reports(party, due).iter().map(input).collect();
                    self.reports += reports.len() as u64;
                    send(client, &reports)?;
                }
            }
            Source::Recording { rows, next, .. } => {
                let mut due: [Vec<TrackInput>; 2] = [vec![], vec![]];
                while let Some(row) =
                    rows.get(*next).filter(|r| seconds_between(self.start, r.state.time()).get() <= second)
                {
                    *next += 1;
                    due[party_of(&row.icao24)].push(recorded(row));
                }
                for (client, reports) in clients.iter().zip(due) {
                    self.reports += reports.len() as u64;
                    for part in reports.chunks(10_000) {
                        send(client, part)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The printed rule: the last digit of the address.
fn party_of(icao24: &str) -> usize {
    let last = icao24.chars().last().and_then(|c| c.to_digit(16)).unwrap_or(1);
    (last % 2) as usize
}

fn send(client: &Client, reports: &[TrackInput]) -> Result<(), String> {
    if reports.is_empty() {
        return Ok(());
    }
    let answer = client.post("/api/tracks", &reports)?;
    match answer["refused"].as_array() {
        Some(refused) if !refused.is_empty() => Err(format!("tracks were refused: {}", answer["refused"])),
        _ => Ok(()),
    }
}

fn category(category: Category) -> &'static str {
    match category {
        Category::Aeroplane => "aeroplane",
        Category::Helicopter => "helicopter",
        Category::Unmanned => "unmanned",
        Category::Unknown => "unknown",
    }
}

pub(crate) fn input(track: &SharedTrack) -> TrackInput {
    let state = &track.state;
    TrackInput {
        id: track.id.to_string(),
        callsign: track.callsign.clone(),
        category: category(track.category).into(),
        flight: track.flight.as_ref().map(ToString::to_string),
        time_ms: state.time().as_millisecond(),
        lat: state.position().latitude().get(),
        lon: state.position().longitude().get(),
        alt_ft: Some(Feet::from(state.altitude().metres()).get()),
        alt_m: None,
        gs_kt: Knots::from(state.ground_speed()).get(),
        trk: state.track().get(),
        vs_fpm: FeetPerMinute::from(state.vertical_speed()).get(),
    }
}

fn recorded(row: &Row) -> TrackInput {
    let id = hotline_line::FlightId::new(&row.icao24).expect("the reader lets only plain addresses through");
    let track = SharedTrack {
        id,
        callsign: row.callsign.clone(),
        category: Category::Unknown,
        flight: None,
        state: row.state,
    };
    input(&track)
}

fn volume(volume: &Volume4) -> VolumeInput {
    let point = |p: hotline_airspace::Position| [p.longitude().get(), p.latitude().get()];
    let (centre, radius_m, vertices) = match &volume.area {
        Area::Circle { centre, radius } => (Some(point(*centre)), Some(radius.get()), None),
        Area::Polygon(polygon) => (None, None, Some(polygon.vertices().iter().map(|&v| point(v)).collect())),
    };
    let datum = match volume.altitude.datum() {
        Datum::Ellipsoid => "w84",
        Datum::Barometric => "baro",
        Datum::AboveGround => "agl",
    };
    VolumeInput {
        centre,
        radius_m,
        vertices,
        lower_m: volume.altitude.lower().metres().get(),
        upper_m: volume.altitude.upper().metres().get(),
        datum: datum.into(),
        start: volume.time.start(),
        end: volume.time.end(),
    }
}

fn flight(plan: &FlightPlan) -> FlightInput {
    FlightInput {
        volumes: plan.volumes.iter().map(volume).collect(),
        aircraft: plan.aircraft,
        category: category(plan.category).into(),
        purpose: plan.purpose.as_str().into(),
        callsign: plan.callsign.clone(),
        unit: plan.unit.clone(),
        squawk: plan.squawk.map(|code| format!("{code:04o}")),
    }
}

fn happen(happening: &Happening, clients: &[Client; 2]) -> Result<(), String> {
    match happening {
        Happening::File(party, plan) => {
            clients[*party].put(&format!("/api/flights/{}", plan.flight), &flight(plan))
        }
        Happening::Restrict(party, r) => {
            let input = RestrictionInput {
                volumes: r.volumes.iter().map(volume).collect(),
                reason: r.reason.clone(),
            };
            clients[*party].put(&format!("/api/restrictions/{}", r.id), &input)
        }
        Happening::Lift(party, id) => clients[*party].delete(&format!("/api/restrictions/{id}")),
    }
    .map(|_| ())
}
