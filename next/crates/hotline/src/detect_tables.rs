//! `hotline detect relative` and `hotline detect pairs`: tables of encounters, a row a row.

use crate::Outcome;
use crate::detect::{Rows, configuration};
use clap::{Args, ValueEnum};
use hotline_airspace::{Metres, Seconds};
use hotline_detect::daa::{Aircraft, Encounter, Guidance, Kind, Place, Uncertainty, Workspace};
use hotline_detect::{Minima, OwnVertical, Relative, TimeVariable, Volume, WellClear};
use hotline_feeds::{Numbers, open};
use std::path::PathBuf;

const FOOT: f64 = 0.3048;
const KNOT: f64 = 1852.0 / 3600.0;
const FPM: f64 = FOOT / 60.0;

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Shape {
    Taumod,
    Tcpa,
    Tep,
    Cylinder,
}

/// Whether and when relative states violate a volume within their windows.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline detect relative states.csv.gz --volume tep --tcoa-s 20\n  hotline detect relative - --volume cylinder --radius-m 9260 --height-m 304.8 < states.csv\n\nReads the columns sx_m,sy_m,sz_m,vx_mps,vy_mps,vz_mps (own minus other: east, north, up) and the window B_s,T_s.\nWrites now,conflict,in_s,out_s: violated now, violated within the window (1 or 0), first and last time."
)]
pub(crate) struct RelativeStates {
    /// The table, plain or gzipped
    file: PathBuf,
    /// The volume
    #[arg(long, value_enum)]
    volume: Shape,
    /// Horizontal distance of the well-clear volumes, metres
    #[arg(long, default_value_t = 1219.2, conflicts_with_all = ["radius_m", "height_m"])]
    dthr_m: f64,
    /// Their vertical distance, metres
    #[arg(long, default_value_t = 137.16, conflicts_with_all = ["radius_m", "height_m"])]
    zthr_m: f64,
    /// Their time threshold, seconds
    #[arg(long, default_value_t = 35.0, conflicts_with_all = ["radius_m", "height_m"])]
    tthr_s: f64,
    /// Their time to co-altitude, seconds
    #[arg(long, default_value_t = 0.0, conflicts_with_all = ["radius_m", "height_m"])]
    tcoa_s: f64,
    /// Radius of the cylinder, metres
    #[arg(long, default_value_t = 9260.0)]
    radius_m: f64,
    /// Half the height of the cylinder, metres
    #[arg(long, default_value_t = 304.8)]
    height_m: f64,
}

impl RelativeStates {
    fn volume(&self) -> Result<Volume, String> {
        let variable = match self.volume {
            Shape::Cylinder => {
                let minima = Minima::new(Metres::new(self.radius_m), Metres::new(self.height_m));
                return minima.map(Volume::from).map_err(|e| e.to_string());
            }
            Shape::Taumod => TimeVariable::TauMod,
            Shape::Tcpa => TimeVariable::Tcpa,
            Shape::Tep => TimeVariable::Tep,
        };
        let (dthr, zthr) = (Metres::new(self.dthr_m), Metres::new(self.zthr_m));
        let (tthr, tcoa) = (Seconds::new(self.tthr_s), Seconds::new(self.tcoa_s));
        WellClear::new(variable, dthr, zthr, tthr, tcoa).map(Volume::from).map_err(|e| e.to_string())
    }

    pub(crate) fn run(self) -> Outcome {
        const COLUMNS: [&str; 8] = ["sx_m", "sy_m", "sz_m", "vx_mps", "vy_mps", "vz_mps", "B_s", "T_s"];
        let volume = self.volume()?;
        let refused = |e: &dyn std::fmt::Display| format!("{}: {e}", self.file.display());
        let source = open(&self.file).map_err(|e| e.to_string())?;
        let table = Numbers::read(source, COLUMNS).map_err(|e| refused(&e))?;
        let mut rows = Rows::new();
        rows.row(format_args!("now,conflict,in_s,out_s"))?;
        let own = OwnVertical::default();
        for (number, row) in (1..).zip(table) {
            let [sx, sy, sz, vx, vy, vz, begin, end] = row.map_err(|e| refused(&e))?;
            let refused = |e| refused(&format!("row {number}, B_s and T_s: {e}"));
            let pair = Relative::new([sx, sy, sz], [vx, vy, vz]).map_err(refused)?;
            let now = u8::from(volume.violated(&pair, own));
            match volume.violation(&pair, own, Seconds::new(begin), Seconds::new(end)).map_err(refused)? {
                Some(v) => rows.row(format_args!("{now},1,{},{}", v.enters.get(), v.leaves.get()))?,
                None => rows.row(format_args!("{now},0,,"))?,
            }
        }
        rows.finish()?;
        Ok(true)
    }
}

/// Alert level, time to violation and guidance bands of encounters of two aircraft, each by itself.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline detect pairs encounters.csv.gz --config DO_365B_no_SUM.conf > results.csv\n\nReads the columns own_lat_deg,own_lon_deg,own_alt_ft,own_trk_deg,own_gs_kt,own_vs_fpm and the same with int_.\nEach row stands alone: no hysteresis, no persistence, no M of N. Bands are low:high:REGION joined by semicolons."
)]
pub(crate) struct Pairs {
    /// The table, plain or gzipped
    file: PathBuf,
    /// The configuration
    #[arg(long)]
    config: PathBuf,
}

const PAIR_COLUMNS: [&str; 12] = [
    "own_lat_deg",
    "own_lon_deg",
    "own_alt_ft",
    "own_trk_deg",
    "own_gs_kt",
    "own_vs_fpm",
    "int_lat_deg",
    "int_lon_deg",
    "int_alt_ft",
    "int_trk_deg",
    "int_gs_kt",
    "int_vs_fpm",
];

/// The unit in which a kind is written.
pub(crate) fn unit(kind: Kind) -> f64 {
    match kind {
        Kind::Direction => 1f64.to_radians(),
        Kind::Speed => KNOT,
        Kind::VerticalSpeed => FPM,
        Kind::Altitude => FOOT,
    }
}

fn aircraft(cells: &[f64]) -> Aircraft {
    let (sin, cos) = cells[3].to_radians().sin_cos();
    let speed = cells[4] * KNOT;
    Aircraft {
        place: Place::Geodetic { latitude: cells[0].to_radians(), longitude: cells[1].to_radians() },
        altitude: cells[2] * FOOT,
        velocity: [speed * sin, speed * cos, cells[5] * FPM],
        alerter: 1,
        uncertainty: Uncertainty::default(),
    }
}

/// The encounter of a row of cells in the order of the columns.
pub(crate) fn pair_encounter(cells: &[f64]) -> Result<Encounter, String> {
    if cells.len() < PAIR_COLUMNS.len() {
        return Err(format!("a row of {} numbers instead of {}", cells.len(), PAIR_COLUMNS.len()));
    }
    Encounter::new(&aircraft(&cells[..6]), &[aircraft(&cells[6..12])], [0.0; 3]).map_err(|e| e.to_string())
}

fn bands(guidance: &Guidance) -> String {
    let unit = unit(guidance.kind);
    // + 0.0: never a negative zero.
    let band = |b: &hotline_detect::daa::Band| {
        format!("{:.6}:{:.6}:{}", b.from / unit + 0.0, b.to / unit + 0.0, b.region)
    };
    guidance.bands.iter().map(band).collect::<Vec<_>>().join(";")
}

fn resolution(value: f64, kind: Kind) -> String {
    if value.is_nan() {
        "nan".into()
    } else if value.is_infinite() {
        if value > 0.0 { "inf".into() } else { "-inf".into() }
    } else {
        format!("{:.6}", value / unit(kind) + 0.0)
    }
}

impl Pairs {
    pub(crate) fn run(self) -> Outcome {
        let configuration = configuration(&self.config)?;
        let refused = |e: &dyn std::fmt::Display| format!("{}: {e}", self.file.display());
        let source = open(&self.file).map_err(|e| e.to_string())?;
        let table = Numbers::read(source, PAIR_COLUMNS).map_err(|e| refused(&e))?;
        let mut rows = Rows::new();
        rows.row(format_args!(
            "row,alert_level,ttv_in_s,ttv_out_s,hdir_bands,hs_bands,vs_bands,alt_bands,\
             res_right_deg,res_left_deg,res_up_fpm,res_down_fpm"
        ))?;
        let (mut workspace, mut encounter) = (Workspace::default(), Encounter::default());
        for (number, row) in table.enumerate() {
            let cells = row.map_err(|e| refused(&e))?;
            encounter
                .set(&aircraft(&cells[..6]), &[aircraft(&cells[6..])], [0.0; 3])
                .map_err(|e| refused(&format!("row {}: {e}", number + 1)))?;
            let level = configuration.alert_level(&encounter, 0);
            let time = match configuration.time_to_violation(&encounter, 0) {
                Some(v) => format!("{:.9},{:.9}", v.enters.get(), v.leaves.get()),
                None => ",".into(),
            };
            let found = Kind::ALL.map(|kind| configuration.guidance(&encounter, kind, &mut workspace));
            let [hdir, hs, vs, alt] = found.each_ref().map(bands);
            let [right, left] = [found[0].up, found[0].down].map(|x| resolution(x, Kind::Direction));
            let [up, down] = [found[2].up, found[2].down].map(|x| resolution(x, Kind::VerticalSpeed));
            rows.row(format_args!(
                "{number},{level},{time},{hdir},{hs},{vs},{alt},{right},{left},{up},{down}"
            ))?;
        }
        rows.finish()?;
        Ok(true)
    }
}
