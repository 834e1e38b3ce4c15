//! The soonest way back to separation when every target conflicts.

use super::bands::{Shaper, Workspace};
use super::configuration::Configuration;
use super::encounter::Encounter;
use super::sweep::{Scene, Sweep, Window};
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
pub(crate) fn find<'a>(
    configuration: &'a Configuration,
    encounter: &'a Encounter,
    (grid, manoeuvre): (&'a Grid, Manoeuvre),
    workspace: &mut Workspace,
) -> Option<Recovery> {
    let shapers = configuration.shapers(encounter, configuration.corrective_region);
    let Workspace { sweeps, cylinders, cells } = workspace;
    let scene =
        |shaper: &Shaper<'a>| Scene { configuration, encounter, traffic: shaper.traffic, grid, manoeuvre };
    let fill = |sweeps: &mut [Sweep], volume: &Volume| {
        shapers.iter().for_each(|shaper| sweeps[shaper.index].fill(&scene(shaper), volume, None));
    };
    for shaper in &shapers {
        sweeps[shaper.index].fill(&scene(shaper), shaper.volume, shaper.errors);
    }
    // Whether anything is free with the volume from `switch` on and the cylinder until then.
    let free = |cylinders: &[Sweep], switch: f64, cells: &mut Vec<bool>| {
        cells.fill(true);
        for shaper in &shapers {
            let window = Window { switch, ..configuration.window(shaper.horizon) };
            let cylinder = &cylinders[shaper.index];
            if switch > shaper.horizon {
                cylinder.keep_free(None, &window, cells);
            } else {
                sweeps[shaper.index].keep_free(Some(cylinder), &window, cells);
            }
        }
        grid.drop_slivers(cells);
        cells.contains(&true)
    };
    let (nmac_horizontal, nmac_vertical) = (configuration.horizontal_nmac_m, configuration.vertical_nmac_m);
    fill(cylinders, &Shape::cylinder(nmac_horizontal, nmac_vertical).into());
    if !free(cylinders, f64::INFINITY, cells) {
        return None;
    }
    let (mut horizontal, mut vertical) = minima(configuration, encounter);
    for shrunk in 0.. {
        fill(cylinders, &Shape::cylinder(horizontal, vertical).into());
        if free(cylinders, f64::INFINITY, cells) {
            let lookahead = configuration.lookahead_s;
            let (mut low, mut high) = (0.0, lookahead);
            while high - low > PRECISION {
                let middle = (low + high) / 2.0;
                if free(cylinders, middle, cells) { high = middle } else { low = middle }
            }
            let time = (high + configuration.recovery_stability_time_s).min(lookahead);
            if free(cylinders, time, cells) {
                return Some(Recovery { time, horizontal, vertical, shrunk });
            }
        }
        horizontal = (horizontal * (1.0 - configuration.ca_factor)).max(nmac_horizontal);
        vertical = (vertical * (1.0 - configuration.ca_factor)).max(nmac_vertical);
        if !configuration.ca_bands || (horizontal <= nmac_horizontal && vertical <= nmac_vertical) {
            return None;
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
