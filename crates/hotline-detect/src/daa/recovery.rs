//! The soonest way back to separation when every target conflicts.

use super::bands::{SEVERITY, Workspace};
use super::configuration::Configuration;
use super::encounter::Encounter;
use super::sweep::{Sweep, Window};
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

/// Looks for recovery; leaves its cells in `workspace.cells`.
pub(crate) fn find(
    configuration: &Configuration,
    encounter: &Encounter,
    (grid, manoeuvre): (&Grid, Manoeuvre),
    workspace: &mut Workspace,
) -> Option<Recovery> {
    let shapers = configuration.shapers(encounter, configuration.corrective_region);
    debug_assert!(SEVERITY.contains(&configuration.corrective_region));
    let fill = |sweep: &mut Sweep, index: usize, volume: &Volume| {
        sweep.fill(configuration, encounter, shapers[index].traffic, (grid, manoeuvre), volume);
    };
    let mut volumes: Vec<Sweep> = vec![Sweep::default(); shapers.len()];
    let mut cylinders: Vec<Sweep> = vec![Sweep::default(); shapers.len()];
    for (index, shaper) in shapers.iter().enumerate() {
        fill(&mut volumes[index], index, shaper.volume);
    }
    let lookahead = configuration.lookahead_s;
    let cells = &mut workspace.cells;
    // Whether anything is free with the volume from `switch` on and the cylinder until then.
    let mut free = |cylinders: &[Sweep], switch: f64, cells: &mut Vec<bool>| {
        cells.fill(true);
        for (index, shaper) in shapers.iter().enumerate() {
            let window = Window { switch, ..configuration.window(shaper.horizon) };
            if switch > shaper.horizon {
                cylinders[index].keep_free(None, &window, cells);
            } else {
                volumes[index].keep_free(Some(&cylinders[index]), &window, cells);
            }
        }
        cells.contains(&true)
    };
    let (nmac_horizontal, nmac_vertical) = (configuration.horizontal_nmac_m, configuration.vertical_nmac_m);
    let nmac = Volume::from(Shape::cylinder(nmac_horizontal, nmac_vertical));
    for (index, sweep) in cylinders.iter_mut().enumerate() {
        fill(sweep, index, &nmac);
    }
    if !free(&cylinders, f64::INFINITY, cells) {
        return None;
    }
    let (mut horizontal, mut vertical) = minima(configuration, encounter);
    for shrunk in 0.. {
        let cylinder = Volume::from(Shape::cylinder(horizontal, vertical));
        for (index, sweep) in cylinders.iter_mut().enumerate() {
            fill(sweep, index, &cylinder);
        }
        if free(&cylinders, f64::INFINITY, cells) {
            let (mut low, mut high) = (0.0, lookahead);
            while high - low > PRECISION {
                let middle = (low + high) / 2.0;
                if free(&cylinders, middle, cells) { high = middle } else { low = middle }
            }
            let time = (high + configuration.recovery_stability_time_s).min(lookahead);
            if free(&cylinders, time, cells) {
                return Some(Recovery { time, horizontal, vertical, shrunk });
            }
        }
        if !configuration.ca_bands || (horizontal <= nmac_horizontal && vertical <= nmac_vertical) {
            return None;
        }
        horizontal = (horizontal * (1.0 - configuration.ca_factor)).max(nmac_horizontal);
        vertical = (vertical * (1.0 - configuration.ca_factor)).max(nmac_vertical);
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
