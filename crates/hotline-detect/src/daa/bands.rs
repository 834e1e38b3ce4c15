//! Guidance bands: which directions, speeds, vertical speeds and altitudes lead into conflict, and the ways out.

use super::Region;
use super::configuration::{Configuration, KindSettings};
use super::encounter::{Encounter, Traffic};
use super::recovery::{self, Recovery};
use super::sweep::{Scene, Sweep, Timeline, Waypoint, Window, waypoints};
use super::targets::{Grid, Kind, Manoeuvre};
use crate::volume::{Errors, Span, Volume};

/// A range of values of one region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Lower edge; radians from 0 to a full turn, metres a second, or metres.
    pub from: f64,
    /// Upper edge.
    pub to: f64,
    /// Its region.
    pub region: Region,
}

/// Guidance of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Guidance {
    /// What it is about.
    pub kind: Kind,
    /// The own value.
    pub own: f64,
    /// Bands in rising order without gaps over the range of the kind; none when guidance is not given.
    pub bands: Vec<Band>,
    /// The nearest value above (to the right) that is outside the corrective region and worse ones: not a number
    /// when the own value is not in such a band, infinite when there is none.
    pub up: f64,
    /// The same below (to the left), negative infinity when there is none.
    pub down: f64,
    /// Whether the way up (right) is the smaller change.
    pub prefers_up: bool,
    /// The most severe region that leaves nothing free; [`Region::None`] when all leave something.
    pub saturated: Region,
    /// How recovery was found, if it was needed and there is one.
    pub recovery: Option<Recovery>,
}

/// Memory that is used again from one call to the next.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// One for each aircraft of traffic.
    pub(crate) sweeps: Vec<Sweep>,
    /// The same for the recovery cylinder.
    pub(crate) cylinders: Vec<Sweep>,
    pub(crate) timelines: Vec<Timeline>,
    pub(crate) path: Vec<Waypoint>,
    pub(crate) cells: Vec<bool>,
}

impl Workspace {
    fn prepare(&mut self, traffic: usize) {
        for sweeps in [&mut self.sweeps, &mut self.cylinders] {
            sweeps.resize_with(sweeps.len().max(traffic), Sweep::default);
            sweeps.iter_mut().for_each(Sweep::clear);
        }
        self.timelines.resize_with(self.timelines.len().max(traffic), Timeline::default);
    }
}

/// Regions from the most severe one.
pub(crate) const SEVERITY: [Region; 3] = [Region::Near, Region::Mid, Region::Far];

/// Aircraft that shape the bands of one region.
pub(crate) struct Shaper<'a> {
    /// Its index in the encounter.
    pub(crate) index: usize,
    pub(crate) traffic: &'a Traffic,
    pub(crate) volume: &'a Volume,
    pub(crate) errors: Option<Errors>,
    pub(crate) horizon: f64,
    /// In conflict rather than peripheral.
    pub(crate) conflict: bool,
}

impl Configuration {
    /// The aircraft of an encounter whose alerter has a level for the region, with their horizons.
    pub(crate) fn shapers<'a>(&'a self, encounter: &'a Encounter, region: Region) -> Vec<Shaper<'a>> {
        let shaper = |(index, traffic): (usize, &'a Traffic)| {
            let alerter = self.alerter_of(encounter, traffic)?;
            let number = alerter.level_of(region)?;
            let level = &alerter.levels[number];
            let window = Span { from: 0.0, to: self.lookahead_s };
            let errors = level.errors(self, traffic);
            let violation =
                level.volume.within(&encounter.pair(traffic), encounter.own_vertical(), window, errors);
            let time = level.time(number, traffic);
            let conflict = violation.is_some_and(|v| v.from <= time);
            let horizon = if conflict { self.lookahead_s } else { time.min(self.lookahead_s) };
            Some(Shaper { index, traffic, volume: &level.volume, errors, horizon, conflict })
        };
        encounter.traffic.iter().enumerate().filter_map(shaper).collect()
    }

    pub(crate) fn window(&self, horizon: f64) -> Window {
        Window { horizon, lookahead: self.lookahead_s, from_now: self.bands_from_now }
    }

    /// Guidance of one kind for an encounter.
    pub fn guidance(&self, encounter: &Encounter, kind: Kind, workspace: &mut Workspace) -> Guidance {
        let grid = Grid::new(self.settings(kind), encounter, kind);
        let Some(manoeuvre) = self.manoeuvre(encounter, kind) else {
            return Guidance {
                kind,
                own: grid.own,
                bands: Vec::new(),
                up: f64::NAN,
                down: f64::NAN,
                prefers_up: false,
                saturated: Region::None,
                recovery: None,
            };
        };
        let cells = grid.len() - 1;
        let mut regions = vec![Region::None; cells];
        let (mut recovery, mut saturated) = (None, Region::None);
        let mut violated_now = false;
        workspace.prepare(encounter.traffic.len());
        waypoints(self, encounter, (&grid, manoeuvre), &mut workspace.path);
        for region in SEVERITY {
            let shapers = self.shapers(encounter, region);
            if shapers.is_empty() {
                continue;
            }
            let free = &mut workspace.cells;
            free.clear();
            free.resize(cells, true);
            for shaper in &shapers {
                let sweep = &mut workspace.sweeps[shaper.index];
                let traffic = shaper.traffic;
                let path = workspace.path.as_slice();
                let scene = Scene { configuration: self, encounter, traffic, grid: &grid, manoeuvre, path };
                sweep.fill(&scene, shaper.volume, shaper.errors);
                let window = self.window(shaper.horizon);
                if shaper.conflict || sweep.any_conflict(&window) {
                    sweep.keep_free(&window, free);
                }
            }
            grid.drop_slivers(free);
            for (colour, free) in regions.iter_mut().zip(free.iter()) {
                if *colour == Region::None && !free {
                    *colour = region;
                }
            }
            if region == self.corrective_region {
                let instant = Span { from: 0.0, to: 0.0 };
                let own = encounter.own_vertical();
                let now = |s: &Shaper<'_>| {
                    s.volume.within(&encounter.pair(s.traffic), own, instant, s.errors).is_some()
                };
                violated_now = shapers.iter().any(now);
            }
            if !free.contains(&true) {
                saturated = region;
                let wanted = self.settings(kind).recovery && !self.recovery_forbidden(encounter, kind);
                if region >= self.corrective_region && wanted {
                    recovery = recovery::find(self, encounter, (&grid, manoeuvre), workspace);
                    if recovery.is_some() {
                        for (colour, free) in regions.iter_mut().zip(&workspace.cells) {
                            if *free {
                                *colour = Region::Recovery;
                            }
                        }
                    }
                }
                break;
            }
            if violated_now && manoeuvre == Manoeuvre::Instantaneous && region == self.corrective_region {
                for (colour, free) in regions.iter_mut().zip(free.iter()) {
                    if *free {
                        *colour = Region::Recovery;
                    }
                }
            }
        }
        grid.settle_edges(&mut regions);
        Guidance { saturated, recovery, ..finish(self, &grid, &regions) }
    }
}

fn finish(configuration: &Configuration, grid: &Grid, regions: &[Region]) -> Guidance {
    let corrective = configuration.corrective_region;
    let bad = |r: Region| r != Region::Recovery && r >= corrective;
    // Runs of cells of one region.
    let mut runs: Vec<Band> = Vec::new();
    for (index, region) in regions.iter().enumerate() {
        match runs.last_mut() {
            Some(last) if last.region == *region => last.to = grid.edge(index + 1),
            _ => runs.push(Band { from: grid.edge(index), to: grid.edge(index + 1), region: *region }),
        }
    }
    let (up, down) = resolutions(grid.kind, grid.own, &runs, bad);
    let (_, prefers_up) = choose_side(grid.kind, grid.own, up, down);
    let bands = if grid.kind == Kind::Direction { around(runs, grid.closed) } else { runs };
    Guidance {
        kind: grid.kind,
        own: grid.own,
        bands,
        up,
        down,
        prefers_up,
        saturated: Region::None,
        recovery: None,
    }
}

/// An own value so near an edge is at it; radians, metres a second or metres.
const AT_EDGE: f64 = 1e-6;
const FULL_TURN: f64 = std::f64::consts::TAU;

fn turn(x: f64) -> f64 {
    x.rem_euclid(FULL_TURN)
}

/// By how much more the way down changes than the way up (infinite when only one leads out), and whether the way
/// up is to be preferred.
pub(crate) fn choose_side(kind: Kind, own: f64, up: f64, down: f64) -> (f64, bool) {
    let (up_change, down_change) = match kind {
        Kind::Direction => (turn(up - own), turn(own - down)),
        _ => (up - own, own - down),
    };
    match (up.is_finite(), down.is_finite()) {
        (true, true) => (down_change - up_change, up_change <= down_change),
        (up, _) => (f64::INFINITY, up),
    }
}

/// The nearest values outside the bad bands on each side of the own value. The runs are in rising order around it.
pub(crate) fn resolutions(kind: Kind, own: f64, runs: &[Band], bad: impl Fn(Region) -> bool) -> (f64, f64) {
    let inside = |b: &&Band| b.from - AT_EDGE <= own && own <= b.to + AT_EDGE;
    // At an edge the own value is outside if one of the bands there is not bad.
    if runs.is_empty() || runs.iter().filter(inside).any(|b| !bad(b.region)) {
        return (f64::NAN, f64::NAN);
    }
    let up = runs.iter().find(|b| b.from >= own && !bad(b.region)).map(|b| b.from);
    let down = runs.iter().rfind(|b| b.to <= own && !bad(b.region)).map(|b| b.to);
    let wrap = |x: f64| if kind == Kind::Direction { turn(x) } else { x };
    (up.map_or(f64::INFINITY, wrap), down.map_or(f64::NEG_INFINITY, wrap))
}

/// Bands in rising order around the own value: those of the compass are cut opposite to it, or at the limits.
pub(crate) fn unrolled(bands: &[Band], kind: Kind, own: f64, settings: &KindSettings) -> Vec<Band> {
    if kind != Kind::Direction {
        return bands.to_vec();
    }
    let half = FULL_TURN / 2.0;
    let (low, high) = (own - settings.below.min(half), own + settings.above.min(half));
    let mut runs = Vec::with_capacity(bands.len() + 2);
    for lap in [-FULL_TURN, 0.0, FULL_TURN] {
        for band in bands {
            let (from, to) = ((band.from + lap).max(low), (band.to + lap).min(high));
            if to - from > 1e-9 {
                runs.push(Band { from, to, region: band.region });
            }
        }
    }
    runs
}

/// Bands around the compass, from 0 to a full turn.
fn around(runs: Vec<Band>, closed: bool) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::with_capacity(runs.len() + 2);
    for run in runs {
        let from = turn(run.from);
        let to = from + (run.to - run.from);
        bands.push(Band { from, to: to.min(FULL_TURN), ..run });
        if to > FULL_TURN {
            bands.push(Band { from: 0.0, to: to - FULL_TURN, ..run });
        }
    }
    bands.retain(|b| b.to - b.from > 1e-12);
    bands.sort_by(|a, b| a.from.total_cmp(&b.from));
    let mut joined: Vec<Band> = Vec::with_capacity(bands.len());
    for band in bands {
        match joined.last_mut() {
            Some(last) if last.region == band.region && band.from - last.to < 1e-9 => last.to = band.to,
            _ => joined.push(band),
        }
    }
    if closed {
        if let Some(first) = joined.first_mut() {
            first.from = 0.0;
        }
        if let Some(last) = joined.last_mut() {
            last.to = FULL_TURN;
        }
    }
    joined
}
