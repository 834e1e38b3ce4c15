//! Reads a configuration in the published text format: lines of `key = value [unit]`, comments after `#`.

use super::configuration::{
    AlertLevel, Alerter, BelowMinAirspeed, Configuration, KindSettings, Stability, TerminalArea,
};
use super::units::{Dimension, quantity};
use super::{ReadError, Region};
use crate::volume::{TcasTable, TcasThresholds, TimeVariable, Volume, WellClear, ZScores};
use hotline_airspace::{Metres, Seconds};
use rustc_hash::FxHashMap;
use std::cell::Cell;

/// The most lines of a configuration.
pub(super) const MAX_LINES: usize = 100_000;
/// The longest look-ahead, seconds.
pub(super) const MAX_LOOKAHEAD_S: f64 = 3600.0;
/// The most levels of an alerter.
const MAX_LEVELS: usize = 16;
/// Rows of a TCAS table.
const TCAS_ROWS: usize = 8;

struct Entry<'a> {
    value: &'a str,
    line: usize,
    used: Cell<bool>,
}

/// The file's entries, and which of them were asked for.
struct Entries<'a>(FxHashMap<&'a str, Entry<'a>>);

impl<'a> Entries<'a> {
    fn read(text: &'a str) -> Result<Self, ReadError> {
        let mut entries = FxHashMap::default();
        for (line, content) in (1..).zip(text.lines()) {
            if line > MAX_LINES {
                return Err(ReadError::at(line, 1, format!("more than {MAX_LINES} lines")));
            }
            let content = content.split('#').next().unwrap_or("").trim();
            if content.is_empty() {
                continue;
            }
            let Some((key, value)) = content.split_once('=') else {
                return Err(ReadError::at(line, 1, format!("`{content}` is not `key = value`")));
            };
            let entry = Entry { value: value.trim(), line, used: Cell::new(false) };
            if let Some(earlier) = entries.insert(key.trim(), entry) {
                return Err(ReadError::at(
                    line,
                    1,
                    format!("`{}` is already given in line {}", key.trim(), earlier.line),
                ));
            }
        }
        Ok(Self(entries))
    }

    fn entry(&self, key: &str) -> Result<&Entry<'a>, ReadError> {
        let entry = self.0.get(key).ok_or_else(|| ReadError::missing(format!("`{key}` is missing")))?;
        entry.used.set(true);
        Ok(entry)
    }

    fn parsed<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, ReadError> {
        let entry = self.entry(key)?;
        parse(entry.value).map_err(|why| ReadError::at(entry.line, 1, format!("{key}: {why}")))
    }

    fn quantity(&self, key: &str, dimension: Dimension) -> Result<f64, ReadError> {
        self.parsed(key, |text| quantity(text, dimension))
    }

    /// A quantity of 0 or more.
    fn size(&self, key: &str, dimension: Dimension) -> Result<f64, ReadError> {
        self.parsed(key, |text| {
            let value = quantity(text, dimension)?;
            if value >= 0.0 { Ok(value) } else { Err(format!("{text} must not be below 0")) }
        })
    }

    /// A quantity above 0.
    fn positive(&self, key: &str, dimension: Dimension) -> Result<f64, ReadError> {
        self.parsed(key, |text| {
            let value = quantity(text, dimension)?;
            if value > 0.0 { Ok(value) } else { Err(format!("{text} must be above 0")) }
        })
    }

    fn flag(&self, key: &str) -> Result<bool, ReadError> {
        self.parsed(key, |text| match text {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => Err(format!("`{text}` is not true or false")),
        })
    }

    fn integer(&self, key: &str, low: i64, high: i64) -> Result<i64, ReadError> {
        self.parsed(key, |text| match text.parse::<i64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => Err(format!("`{text}` is not a whole number from {low} to {high}")),
        })
    }

    fn region(&self, key: &str) -> Result<Region, ReadError> {
        self.parsed(key, |text| match text {
            "NONE" => Ok(Region::None),
            "FAR" => Ok(Region::Far),
            "MID" => Ok(Region::Mid),
            "NEAR" => Ok(Region::Near),
            _ => Err(format!("`{text}` is not NONE, FAR, MID or NEAR")),
        })
    }

    /// The keys that nobody asked for, with their lines.
    fn unused(&self) -> Vec<(usize, String)> {
        let mut left: Vec<_> =
            self.0.iter().filter(|(_, e)| !e.used.get()).map(|(k, e)| (e.line, (*k).to_owned())).collect();
        left.sort_unstable();
        left
    }
}

impl Configuration {
    /// Reads the text of a configuration file. Beside it come the lines and keys that were not understood and
    /// had no effect: tell the user.
    ///
    /// # Errors
    /// [`ReadError`] with the line, when something is missing or out of range.
    pub fn parse(text: &str) -> Result<(Self, Vec<(usize, String)>), ReadError> {
        let entries = Entries::read(text)?;
        let configuration = configuration(&entries)?;
        configuration.direction.check("hdir")?;
        configuration.speed.check("hs")?;
        configuration.vertical_speed.check("vs")?;
        configuration.altitude.check("alt")?;
        Ok((configuration, entries.unused()))
    }
}

fn kind(
    e: &Entries<'_>,
    name: &str,
    dimension: Dimension,
    [below, above]: [&str; 2],
) -> Result<KindSettings, ReadError> {
    let (min, max) = if dimension == Dimension::Angle {
        (0.0, std::f64::consts::TAU)
    } else {
        let range =
            (e.quantity(&format!("min_{name}"), dimension)?, e.quantity(&format!("max_{name}"), dimension)?);
        if range.0 >= range.1 {
            let line = e.entry(&format!("max_{name}"))?.line;
            return Err(ReadError::at(line, 1, format!("max_{name} must be above min_{name}")));
        }
        range
    };
    Ok(KindSettings {
        step: e.positive(&format!("step_{name}"), dimension)?,
        min,
        max,
        below: e.size(below, dimension)?,
        above: e.size(above, dimension)?,
        recovery: e.flag(&format!("recovery_{name}"))?,
        preferred_persistence: e.size(&format!("persistence_preferred_{name}"), dimension)?,
    })
}

fn configuration(e: &Entries<'_>) -> Result<Configuration, ReadError> {
    use Dimension::{Acceleration, Angle, AngularRate, Length, None as Plain, Speed, Time};
    for key in ["conflict_crit", "recovery_crit"] {
        if e.flag(key)? {
            let line = e.entry(key)?.line;
            return Err(ReadError::at(
                line,
                1,
                format!("{key}: implicit coordination is not offered; use false"),
            ));
        }
    }
    // How finely contours are drawn: this library draws none.
    e.quantity("contour_thr", Angle)?;
    let alerters = alerters(e)?;
    Ok(Configuration {
        lookahead_s: e.parsed("lookahead_time", |text| match quantity(text, Time)? {
            time if time > 0.0 && time <= MAX_LOOKAHEAD_S => Ok(time),
            _ => Err(format!("`{text}` must be above 0 and at most {MAX_LOOKAHEAD_S} s")),
        })?,
        direction: kind(e, "hdir", Angle, ["left_hdir", "right_hdir"])?,
        speed: kind(e, "hs", Speed, ["below_relative_hs", "above_relative_hs"])?,
        vertical_speed: kind(e, "vs", Speed, ["below_relative_vs", "above_relative_vs"])?,
        altitude: kind(e, "alt", Length, ["below_relative_alt", "above_relative_alt"])?,
        min_airspeed_mps: e.size("min_airspeed", Speed)?,
        horizontal_acceleration_mps2: e.size("horizontal_accel", Acceleration)?,
        vertical_acceleration_mps2: e.size("vertical_accel", Acceleration)?,
        turn_rate_rps: e.size("turn_rate", AngularRate)?,
        bank_angle_rad: e.size("bank_angle", Angle)?,
        vertical_rate_mps: e.size("vertical_rate", Speed)?,
        min_horizontal_recovery_m: e.size("min_horizontal_recovery", Length)?,
        min_vertical_recovery_m: e.size("min_vertical_recovery", Length)?,
        ca_bands: e.flag("ca_bands")?,
        ca_factor: e.parsed("ca_factor", |text| {
            let value = quantity(text, Plain)?;
            if value > 0.0 && value < 1.0 { Ok(value) } else { Err("must be between 0 and 1".into()) }
        })?,
        horizontal_nmac_m: e.positive("horizontal_nmac", Length)?,
        vertical_nmac_m: e.positive("vertical_nmac", Length)?,
        recovery_stability_time_s: e.size("recovery_stability_time", Time)?,
        stability: Stability {
            hysteresis_s: e.size("hysteresis_time", Time)?,
            persistence_s: e.size("persistence_time", Time)?,
            bands: e.flag("bands_persistence")?,
            m: e.integer("alerting_m", 0, 64)? as u32,
            n: e.integer("alerting_n", 0, 64)? as u32,
        },
        z_scores: ZScores {
            horizontal_position: e.size("h_pos_z_score", Plain)?,
            horizontal_velocity_min: e.size("h_vel_z_score_min", Plain)?,
            horizontal_velocity_max: e.size("h_vel_z_score_max", Plain)?,
            horizontal_velocity_distance_m: e.size("h_vel_z_distance", Length)?,
            vertical_position: e.size("v_pos_z_score", Plain)?,
            vertical_velocity: e.size("v_vel_z_score", Plain)?,
        },
        terminal_area: terminal_area(e, alerters.len())?,
        below_min_airspeed: match e.integer("hdir_bands_below_min_as", -1, 1)? {
            0 => BelowMinAirspeed::Disabled,
            1 => BelowMinAirspeed::Instantaneous,
            _ => BelowMinAirspeed::Kinematic,
        },
        ownship_centric_alerting: e.flag("ownship_centric_alerting")?,
        bands_from_now: e.flag("bands_add_time_to_maneuver")?,
        corrective_region: e.region("corrective_region")?,
        alerters,
    })
}

fn terminal_area(e: &Entries<'_>, alerters: usize) -> Result<Option<TerminalArea>, ReadError> {
    let logic = e.integer("dta_logic", -1, 1)?;
    let area = TerminalArea {
        latitude_rad: e.quantity("dta_latitude", Dimension::Angle)?,
        longitude_rad: e.quantity("dta_longitude", Dimension::Angle)?,
        radius_m: e.size("dta_radius", Dimension::Length)?,
        height_m: e.size("dta_height", Dimension::Length)?,
        alerter: e.integer("dta_alerter", 0, alerters as i64)? as usize,
        horizontal_recovery: logic == 1,
    };
    Ok((logic != 0 && area.alerter > 0).then_some(area))
}

fn alerters(e: &Entries<'_>) -> Result<Vec<Alerter>, ReadError> {
    let names = e.entry("alerters")?;
    let mut alerters = Vec::new();
    for name in names.value.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        let mut levels = Vec::new();
        while e.0.contains_key(format!("{name}_alert_{}_detector", levels.len() + 1).as_str()) {
            if levels.len() == MAX_LEVELS {
                let why = format!("alerter {name} has more than {MAX_LEVELS} levels");
                return Err(ReadError::at(names.line, 1, why));
            }
            levels.push(level(e, name, levels.len() + 1)?);
        }
        if levels.is_empty() {
            return Err(ReadError::at(
                names.line,
                1,
                format!("alerter {name} has no level `{name}_alert_1_...`"),
            ));
        }
        alerters.push(Alerter { name: name.to_owned(), levels });
    }
    if alerters.is_empty() {
        return Err(ReadError::at(names.line, 1, "alerters: at least one must be named".into()));
    }
    Ok(alerters)
}

fn level(e: &Entries<'_>, alerter: &str, number: usize) -> Result<AlertLevel, ReadError> {
    let key = |what: &str| format!("{alerter}_alert_{number}_{what}");
    let (volume, uncertain) = volume(e, alerter, e.entry(&key("detector"))?.value)?;
    Ok(AlertLevel {
        region: e.region(&key("region"))?,
        alerting_time_s: e.size(&key("alerting_time"), Dimension::Time)?,
        early_alerting_time_s: e.size(&key("early_alerting_time"), Dimension::Time)?,
        spread: [
            e.size(&key("spread_hdir"), Dimension::Angle)?,
            e.size(&key("spread_hs"), Dimension::Speed)?,
            e.size(&key("spread_vs"), Dimension::Speed)?,
            e.size(&key("spread_alt"), Dimension::Length)?,
        ],
        volume,
        uncertain,
    })
}

/// The volume of a detector, and whether sensor uncertainty enlarges it.
fn volume(e: &Entries<'_>, alerter: &str, detector: &str) -> Result<(Volume, bool), ReadError> {
    let named = format!("{alerter}_load_core_detection_{detector}");
    let class = e.entry(&named)?;
    let refused = |why: String| ReadError::at(class.line, 1, why);
    let key = |what: &str| format!("{alerter}_{detector}_{what}");
    let well_clear = |variable| {
        let volume = WellClear::new(
            variable,
            Metres::new(e.quantity(&key("WCV_DTHR"), Dimension::Length)?),
            Metres::new(e.quantity(&key("WCV_ZTHR"), Dimension::Length)?),
            Seconds::new(e.quantity(&key("WCV_TTHR"), Dimension::Time)?),
            Seconds::new(e.quantity(&key("WCV_TCOA"), Dimension::Time)?),
        );
        volume.map(Volume::from).map_err(|why| refused(format!("{alerter}_{detector}: {why}")))
    };
    let name = class.value.rsplit('.').next().unwrap_or("");
    let (name, uncertain) = name.strip_suffix("_SUM").map_or((name, false), |plain| (plain, true));
    let volume = match name {
        "WCV_TAUMOD" => well_clear(TimeVariable::TauMod)?,
        "WCV_TCPA" => well_clear(TimeVariable::Tcpa)?,
        "WCV_TEP" => well_clear(TimeVariable::Tep)?,
        "CDCylinder" => {
            let minima = crate::Minima::new(
                Metres::new(e.quantity(&key("D"), Dimension::Length)?),
                Metres::new(e.quantity(&key("H"), Dimension::Length)?),
            );
            Volume::from(minima.map_err(|why| refused(format!("{alerter}_{detector}: {why}")))?)
        }
        "TCAS3D" => Volume::from(&tcas_table(e, &key)?),
        other => {
            let why = format!(
                "{named}: `{other}` is not WCV_TAUMOD, WCV_TCPA, WCV_TEP (each with or without _SUM), \
                 CDCylinder or TCAS3D"
            );
            return Err(refused(why));
        }
    };
    Ok((volume, uncertain))
}

/// Row k of the table holds from level k - 1 of the altitudes; the first row holds below the first level.
fn tcas_table(e: &Entries<'_>, key: &impl Fn(&str) -> String) -> Result<TcasTable, ReadError> {
    let mut levels = Vec::new();
    for row in 1..=TCAS_ROWS {
        let of = |what: &str, dimension| e.size(&key(&format!("TCAS_{what}_{row}")), dimension);
        let from_altitude_m = match row {
            1 => f64::NEG_INFINITY,
            _ => e.quantity(&key(&format!("TCAS_level_{}", row - 1)), Dimension::Length)?,
        };
        levels.push(TcasThresholds {
            from_altitude_m,
            tau_s: of("TAU", Dimension::Time)?,
            tcoa_s: of("TCOA", Dimension::Time)?,
            dmod_m: of("DMOD", Dimension::Length)?,
            zthr_m: of("ZTHR", Dimension::Length)?,
            hmd_m: of("HMD", Dimension::Length)?,
        });
    }
    let filter = e.flag(&key("TCAS_HMDFilter"))?;
    Ok(TcasTable::new(levels, filter).expect("eight rows"))
}
