//! The soonest way back to separation when every target conflicts.

use super::bands::{Shaper, Workspace};
use super::configuration::Configuration;
use super::encounter::Encounter;
use super::sweep::{Scene, Timeline};
use super::targets::{Grid, Manoeuvre};
use crate::volume::{Shape, Volume};

/// How recovery was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// When separation is regained, seconds from now, the stability time included.
    pub time: f64,
    /// The horizontal distance that is kept until then, metres.
    pub horizontal: f64,
    /// The vertical distance that is kept until then, metres.
    pub vertical: f64,
    /// How often the cylinder was shrunk.
    pub shrunk: u32,
}

/// Recovery times are searched to this, seconds.
const PRECISION: f64 = 0.5;
/// The cylinder is shrunk at most so often.
const MAX_SHRUNK: u32 = 1000;

/// Looks for recovery; leaves its cells in `workspace.cells`.
pub(crate) fn find<'a>(
    configuration: &'a Configuration,
    encounter: &'a Encounter,
    (grid, manoeuvre): (&'a Grid, Manoeuvre),
    workspace: &mut Workspace,
) -> Option<Recovery> {
    let shapers = configuration.shapers(encounter, configuration.corrective_region);
    let Workspace { sweeps, cylinders, timelines, cells, path } = workspace;
    let scene = |shaper: &Shaper<'a>| Scene {
        configuration,
        encounter,
        traffic: shaper.traffic,
        grid,
        manoeuvre,
        path,
    };
    for shaper in &shapers {
        let sweep = &mut sweeps[shaper.index];
        sweep.fill(&scene(shaper), shaper.volume, shaper.errors);
        timelines[shaper.index].fill_volume(sweep, grid.len(), &configuration.window(shaper.horizon));
    }
    let mut fill = |(horizontal, vertical): (f64, f64), timelines: &mut [Timeline]| {
        let volume = Volume::from(Shape::cylinder(horizontal, vertical));
        for shaper in &shapers {
            let cylinder = &mut cylinders[shaper.index];
            cylinder.fill(&scene(shaper), &volume, None);
            let window = configuration.window(shaper.horizon);
            timelines[shaper.index].fill_cylinder(cylinder, grid.len(), &window);
        }
    };
    // Whether anything is free with the volume from `switch` on and the cylinder until then.
    let free = |timelines: &[Timeline], switch: f64, cells: &mut Vec<bool>| {
        cells.fill(true);
        shapers.iter().for_each(|shaper| timelines[shaper.index].keep_free(switch, cells));
        grid.drop_slivers(cells);
        cells.contains(&true)
    };
    let (nmac_horizontal, nmac_vertical) = (configuration.horizontal_nmac_m, configuration.vertical_nmac_m);
    fill((nmac_horizontal, nmac_vertical), timelines);
    if !free(timelines, f64::INFINITY, cells) {
        return None;
    }
    // Cylinders from the widest to the last that is wider than the near-midair one.
    let (horizontal, vertical) = minima(configuration, encounter);
    let shrunk = |times: u32| -> (f64, f64) {
        let factor = (1.0 - configuration.ca_factor).powi(times as i32);
        ((horizontal * factor).max(nmac_horizontal), (vertical * factor).max(nmac_vertical))
    };
    let is_nmac = |(h, v): (f64, f64)| h <= nmac_horizontal && v <= nmac_vertical;
    let last = if configuration.ca_bands {
        (1..MAX_SHRUNK).find(|n| is_nmac(shrunk(*n))).map_or(MAX_SHRUNK, |n| n - 1)
    } else {
        0
    };
    // What a cylinder leaves free, a smaller one does: look for the first that leaves something.
    let (mut low, mut high) = (0, last + 1);
    let mut leaves = |times: u32, timelines: &mut [Timeline], cells: &mut Vec<bool>| {
        fill(shrunk(times), timelines);
        free(timelines, f64::INFINITY, cells)
    };
    if leaves(0, timelines, cells) {
        high = 0;
    }
    while low < high {
        let middle = (low + high) / 2;
        if leaves(middle, timelines, cells) { high = middle } else { low = middle + 1 }
    }
    let lookahead = configuration.lookahead_s;
    for times in high..=last {
        let (horizontal, vertical) = shrunk(times);
        fill((horizontal, vertical), timelines);
        let (mut low, mut high) = (0.0, lookahead);
        while high - low > PRECISION {
            let middle = (low + high) / 2.0;
            if free(timelines, middle, cells) { high = middle } else { low = middle }
        }
        let time = (high + configuration.recovery_stability_time_s).min(lookahead);
        if free(timelines, time, cells) {
            return Some(Recovery { time, horizontal, vertical, shrunk: times });
        }
    }
    None
}

/// The cylinder that recovery first keeps clear of: as configured, or the thresholds of the TCAS resolution
/// advisory at the own altitude.
fn minima(configuration: &Configuration, encounter: &Encounter) -> (f64, f64) {
    let table = crate::volume::TcasTable::resolution_advisory();
    let level = table.at(encounter.altitude);
    let or = |configured: f64, standard: f64| if configured > 0.0 { configured } else { standard };
    (
        or(configuration.min_horizontal_recovery_m, level.hmd_m).max(configuration.horizontal_nmac_m),
        or(configuration.min_vertical_recovery_m, level.zthr_m).max(configuration.vertical_nmac_m),
    )
}
