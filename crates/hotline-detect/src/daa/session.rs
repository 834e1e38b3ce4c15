//! Alerting and guidance over time: what keeps alerts and bands steady from one update to the next.
//!
//! - Persistence of M in N: an alert level, and the region of a value of guidance, is shown when it or a worse one
//!   was found in M of the last N updates.
//! - Hysteresis: a level that was shown within the hysteresis time is looked for with its early alerting time.
//! - A level that was shown stays for at least the persistence time. A resolution stays while it still leads out (of
//!   speed, while the nearest one is not far from it).
//!
//! Time comes with the updates; nothing here reads a clock.

use super::Region;
use super::bands::{Band, Guidance, Workspace, choose_side, resolutions, unrolled};
use super::configuration::Configuration;
use super::encounter::{Aircraft, Encounter};
use super::targets::{Kind, SLIVER};
use crate::{DetectError, Violation};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::hash::Hash;

/// One aircraft's alert at an update.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert<K> {
    /// Which aircraft.
    pub traffic: K,
    /// The alert level that is shown, 0 for none.
    pub level: usize,
    /// When the corrective volume is violated within the look-ahead.
    pub violation: Option<Violation>,
}

/// What an update found.
#[derive(Debug, Clone, PartialEq)]
pub struct Update<K> {
    /// In the order of the traffic given.
    pub alerts: Vec<Alert<K>>,
    /// In the order of [`Kind::ALL`].
    pub guidance: Vec<Guidance>,
}

/// The last levels of one aircraft.
#[derive(Debug, Clone, Default)]
struct Track {
    found: VecDeque<usize>,
    shown: usize,
    /// When each level began to be shown, and when it last was.
    since: Vec<Option<(f64, f64)>>,
    seen: u64,
}

/// The last bands of one kind.
#[derive(Debug, Clone)]
struct Shown {
    /// Bands, and the region that left nothing free.
    found: VecDeque<(Vec<Band>, Region)>,
    saturated: Region,
    up: f64,
    down: f64,
    prefers_up: bool,
}

impl Default for Shown {
    fn default() -> Self {
        let found = VecDeque::new();
        Self { found, saturated: Region::None, up: f64::NAN, down: f64::NAN, prefers_up: false }
    }
}

/// Alerting and guidance of one own aircraft over time. `K` tells aircraft apart.
#[derive(Debug)]
pub struct Session<'c, K> {
    configuration: &'c Configuration,
    encounter: Encounter,
    workspace: Workspace,
    tracks: FxHashMap<K, Track>,
    kinds: [Shown; 4],
    updates: u64,
}

/// The greatest value that at least `m` of the values are not below; while there are fewer, all of them.
fn in_m<T: Ord + Copy>(values: impl Iterator<Item = T>, m: usize) -> Option<T> {
    let mut sorted: Vec<T> = values.collect();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted.get(m.min(sorted.len()).saturating_sub(1)).copied()
}

impl<'c, K: Clone + Eq + Hash> Session<'c, K> {
    /// A session without history.
    pub fn new(configuration: &'c Configuration) -> Self {
        Self {
            configuration,
            encounter: Encounter::default(),
            workspace: Workspace::default(),
            tracks: FxHashMap::default(),
            kinds: Default::default(),
            updates: 0,
        }
    }

    /// The states of an instant, later than those before. Traffic that is left out is forgotten.
    ///
    /// # Errors
    /// Those of [`Encounter::set`]; the session is then as it was.
    pub fn update(
        &mut self,
        time: f64,
        own: &Aircraft,
        traffic: &[(K, Aircraft)],
        wind: [f64; 3],
    ) -> Result<Update<K>, DetectError> {
        if !time.is_finite() {
            return Err(DetectError::NotFinite("time"));
        }
        let states: Vec<Aircraft> = traffic.iter().map(|(_, a)| *a).collect();
        let encounter = Encounter::new(own, &states, wind)?;
        self.encounter = encounter;
        self.updates += 1;
        let alerts =
            traffic.iter().enumerate().map(|(index, (key, _))| self.alert(time, index, key)).collect();
        let updates = self.updates;
        self.tracks.retain(|_, track| track.seen == updates);
        let guidance = (0..Kind::ALL.len()).map(|number| self.guidance(number)).collect();
        Ok(Update { alerts, guidance })
    }

    fn alert(&mut self, time: f64, index: usize, key: &K) -> Alert<K> {
        let stability = &self.configuration.stability;
        let track = self.tracks.entry(key.clone()).or_default();
        track.seen = self.updates;
        let held = |(number, since): (usize, &Option<(f64, f64)>)| match since {
            Some((_, last)) if time - last <= stability.hysteresis_s => {
                1u32.checked_shl(number as u32).unwrap_or(0)
            }
            _ => 0,
        };
        let early = track.since.iter().enumerate().map(held).fold(0, |bits, bit| bits | bit);
        self.encounter.traffic[index].early = early;
        let found = self.configuration.alert_level(&self.encounter, index);
        track.found.push_back(found);
        let n = (stability.n as usize).max(1);
        while track.found.len() > n {
            track.found.pop_front();
        }
        let m = (stability.m as usize).clamp(1, n);
        let mut level = in_m(track.found.iter().copied(), m).unwrap_or(0);
        if level < track.shown {
            let stays = |number: &usize| matches!(track.since.get(number - 1), Some(Some((since, _))) if time - since < stability.persistence_s);
            level = (level + 1..=track.shown).rev().find(stays).unwrap_or(level);
        }
        track.since.resize(track.since.len().max(level), None);
        for (number, since) in track.since.iter_mut().enumerate() {
            *since = match *since {
                Some((begin, _)) if number < level && number < track.shown => Some((begin, time)),
                _ if number < level => Some((time, time)),
                before => before,
            };
        }
        track.shown = level;
        let violation = self.configuration.time_to_violation(&self.encounter, index);
        Alert { traffic: key.clone(), level, violation }
    }

    fn guidance(&mut self, number: usize) -> Guidance {
        let kind = Kind::ALL[number];
        let configuration = self.configuration;
        let mut guidance = configuration.guidance(&self.encounter, kind, &mut self.workspace);
        let stability = &configuration.stability;
        let shown = &mut self.kinds[number];
        let n = (stability.n as usize).max(1);
        shown.found.push_back((guidance.bands.clone(), guidance.saturated));
        while shown.found.len() > n {
            shown.found.pop_front();
        }
        let m = (stability.m as usize).clamp(1, n);
        if n > 1 && !guidance.bands.is_empty() {
            let recovering = guidance.saturated >= configuration.corrective_region
                || guidance.bands.iter().any(|b| b.region == Region::Recovery);
            let saturated = in_m(shown.found.iter().map(|(_, s)| *s), m).unwrap_or(Region::None);
            let same = (shown.saturated == Region::None) == (saturated == Region::None);
            shown.saturated = saturated;
            let settings = configuration.settings(kind);
            guidance.bands = in_most(&shown.found, m, recovering, SLIVER * settings.step);
            let corrective = configuration.corrective_region;
            let bad = |r: Region| r != Region::Recovery && r >= corrective;
            let runs = unrolled(&guidance.bands, kind, guidance.own, settings);
            (guidance.up, guidance.down) = resolutions(kind, guidance.own, &runs, bad);
            if stability.bands && same {
                // A resolution stays while it still leads out; of speed, while the nearest one is not far from it.
                let limit = if kind == Kind::Speed { settings.preferred_persistence } else { f64::INFINITY };
                let out = |x: f64| {
                    !guidance.bands.iter().any(|b| bad(b.region) && b.from + EDGE < x && x < b.to - EDGE)
                };
                for (new, old) in [(&mut guidance.up, shown.up), (&mut guidance.down, shown.down)] {
                    if new.is_finite() && old.is_finite() && (*new - old).abs() <= limit && out(old) {
                        *new = old;
                    }
                }
            }
            let (difference, prefers_up) = choose_side(kind, guidance.own, guidance.up, guidance.down);
            let kept = stability.bands && difference.abs() <= settings.preferred_persistence;
            guidance.prefers_up = if kept { shown.prefers_up } else { prefers_up };
        }
        (shown.up, shown.down, shown.prefers_up) = (guidance.up, guidance.down, guidance.prefers_up);
        guidance
    }
}

/// Edges that differ by less are one; radians, metres a second or metres.
const EDGE: f64 = 1e-9;

/// For every value the region that it or a worse one had in `m` of the lists. What is free is called a way to
/// recover while there is recovery, and else not. What is `narrow` belongs to the worse of its neighbours: it only
/// comes of grids that moved with the own value.
fn in_most(lists: &VecDeque<(Vec<Band>, Region)>, m: usize, recovering: bool, narrow: f64) -> Vec<Band> {
    let mut edges: Vec<f64> =
        lists.iter().flat_map(|(bands, _)| bands).flat_map(|b| [b.from, b.to]).collect();
    edges.sort_unstable_by(f64::total_cmp);
    edges.dedup_by(|a, b| *a - *b < EDGE);
    let mut bands: Vec<Band> = Vec::new();
    for pair in edges.windows(2) {
        let middle = (pair[0] + pair[1]) / 2.0;
        let of = |(bands, _): &(Vec<Band>, Region)| {
            bands.iter().find(|b| b.from <= middle && middle <= b.to).map_or(Region::None, |b| b.region)
        };
        let region = match in_m(lists.iter().map(of), m).unwrap_or(Region::None) {
            Region::None | Region::Recovery if recovering => Region::Recovery,
            Region::Recovery => Region::None,
            region => region,
        };
        add(&mut bands, Band { from: pair[0], to: pair[1], region });
    }
    let severity = |band: Option<&Band>| match band {
        Some(Band { region: Region::Recovery, .. }) | None => Region::None,
        Some(band) => band.region,
    };
    let mut wide: Vec<Band> = Vec::new();
    for (index, band) in bands.iter().enumerate() {
        let mut band = *band;
        if band.to - band.from < narrow && bands.len() > 1 {
            let (before, after) = (wide.last(), bands.get(index + 1));
            let worse = if severity(before) > severity(after) || after.is_none() { before } else { after };
            band.region = worse.map_or(band.region, |neighbour| neighbour.region);
        }
        add(&mut wide, band);
    }
    wide
}

/// Appends a band, joined with the last one when that has the same region.
fn add(bands: &mut Vec<Band>, band: Band) {
    match bands.last_mut() {
        Some(last) if last.region == band.region => last.to = band.to,
        _ => bands.push(band),
    }
}
