//! Reads scenarios in the published text format (`.daa`): one line an aircraft and instant, under a line of column
//! names and a line of units.

use super::units::{Dimension, factor};
use super::{Aircraft, Place, ReadError, Uncertainty};
use rustc_hash::FxHashMap;

/// The most lines of a scenario.
pub const MAX_SCENARIO_LINES: usize = 2_000_000;
/// Times that differ by less, seconds, are one instant.
const SAME_TIME: f64 = 1e-6;

/// One instant of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Time, seconds.
    pub time: f64,
    /// The own aircraft.
    pub own: Aircraft,
    /// The traffic that has a line for this instant, in the order of first appearance in the file.
    pub traffic: Vec<(String, Aircraft)>,
}

/// A scenario: the states of an own aircraft and its traffic over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name of the own aircraft: that of the first line.
    pub own: String,
    /// Its instants, earliest first.
    pub steps: Vec<Step>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Column {
    Name,
    Latitude,
    Longitude,
    X,
    Y,
    Altitude,
    Track,
    GroundSpeed,
    VerticalSpeed,
    East,
    North,
    Time,
    Alerter,
    /// Standard deviations: position E, N, EN, up, velocity E, N, EN, up.
    Deviation(usize),
    Other,
}

const DEVIATIONS: [&str; 8] =
    ["s_ew_std", "s_ns_std", "s_en_std", "sz_std", "v_ew_std", "v_ns_std", "v_en_std", "vz_std"];

impl Column {
    fn named(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        if let Some(number) = DEVIATIONS.iter().position(|d| *d == name) {
            return Self::Deviation(number);
        }
        match name.as_str() {
            "name" | "aircraft" | "id" => Self::Name,
            "lat" | "latitude" => Self::Latitude,
            "lon" | "long" | "longitude" => Self::Longitude,
            "sx" | "x" => Self::X,
            "sy" | "y" => Self::Y,
            "alt" | "altitude" | "sz" | "z" => Self::Altitude,
            "trk" | "track" => Self::Track,
            "gs" | "groundspeed" => Self::GroundSpeed,
            "vs" | "verticalspeed" | "vz" => Self::VerticalSpeed,
            "vx" => Self::East,
            "vy" => Self::North,
            "time" | "tm" | "t" => Self::Time,
            "alerter" => Self::Alerter,
            _ => Self::Other,
        }
    }

    fn dimension(self) -> Dimension {
        match self {
            Self::Latitude | Self::Longitude | Self::Track => Dimension::Angle,
            Self::X | Self::Y | Self::Altitude | Self::Deviation(0..=3) => Dimension::Length,
            Self::GroundSpeed | Self::VerticalSpeed | Self::East | Self::North | Self::Deviation(_) => {
                Dimension::Speed
            }
            Self::Time => Dimension::Time,
            Self::Name | Self::Alerter | Self::Other => Dimension::None,
        }
    }
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c == ',' || c == ';' || c.is_whitespace()).filter(|f| !f.is_empty())
}

/// The columns with the sizes of their units.
struct Header {
    columns: Vec<(Column, f64)>,
    at: FxHashMap<Column, usize>,
}

impl Header {
    fn read(names: (usize, &str), units: Option<(usize, &str)>) -> Result<Self, ReadError> {
        let columns: Vec<Column> = fields(names.1).map(Column::named).collect();
        let at: FxHashMap<Column, usize> =
            columns.iter().enumerate().rev().map(|(index, column)| (*column, index)).collect();
        let has = |wanted: &[Column]| wanted.iter().all(|c| at.contains_key(c));
        let fine = has(&[Column::Name, Column::Altitude, Column::VerticalSpeed, Column::Time])
            && (has(&[Column::Latitude, Column::Longitude]) || has(&[Column::X, Column::Y]))
            && (has(&[Column::Track, Column::GroundSpeed]) || has(&[Column::East, Column::North]));
        if !fine {
            let why = "the first line must name the columns: NAME, lat lon alt (or sx sy sz), trk gs vs (or vx \
                       vy vz), time";
            return Err(ReadError::at(names.0, 1, why.into()));
        }
        let Some((line, text)) = units else {
            return Err(ReadError::at(names.0 + 1, 1, "a line of units such as [deg] is missing".into()));
        };
        let units: Vec<&str> = fields(text).collect();
        if units.len() != columns.len() {
            let why = format!("{} units for {} columns", units.len(), columns.len());
            return Err(ReadError::at(line, 1, why));
        }
        let sized = |(index, (column, unit)): (usize, (&Column, &&str))| {
            let unit = unit.trim_start_matches('[').trim_end_matches(']');
            match column {
                Column::Name | Column::Alerter | Column::Other => Ok((*column, 1.0)),
                _ => factor(unit, column.dimension())
                    .map(|size| (*column, size))
                    .map_err(|why| ReadError::at(line, index + 1, why)),
            }
        };
        let columns = columns.iter().zip(&units).enumerate().map(sized).collect::<Result<_, _>>()?;
        Ok(Self { columns, at })
    }

    /// Name, time and state of a line.
    fn row<'a>(&self, line: usize, text: &'a str) -> Result<(&'a str, f64, Aircraft), ReadError> {
        let cells: Vec<&str> = fields(text).collect();
        if cells.len() < self.columns.len() {
            let why = format!("{} fields, but {} columns", cells.len(), self.columns.len());
            return Err(ReadError::at(line, cells.len() + 1, why));
        }
        let number = |column: Column| -> Result<f64, ReadError> {
            let Some(&index) = self.at.get(&column) else { return Ok(0.0) };
            match cells[index].parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(value * self.columns[index].1),
                _ => {
                    let why = format!("`{}` is not a finite number", cells[index]);
                    Err(ReadError::at(line, index + 1, why))
                }
            }
        };
        let latitude = number(Column::Latitude)?;
        if latitude.abs() > std::f64::consts::FRAC_PI_2 + 1e-9 {
            let why = format!("latitude `{}` is beyond a pole", cells[self.at[&Column::Latitude]]);
            return Err(ReadError::at(line, self.at[&Column::Latitude] + 1, why));
        }
        let place = if self.at.contains_key(&Column::Latitude) {
            Place::Geodetic { latitude, longitude: number(Column::Longitude)? }
        } else {
            Place::Flat { x: number(Column::X)?, y: number(Column::Y)? }
        };
        let up = number(Column::VerticalSpeed)?;
        let velocity = if self.at.contains_key(&Column::Track) {
            let (sin, cos) = number(Column::Track)?.sin_cos();
            let speed = number(Column::GroundSpeed)?;
            [speed * sin, speed * cos, up]
        } else {
            [number(Column::East)?, number(Column::North)?, up]
        };
        let alerter = match self.at.get(&Column::Alerter) {
            None => 1,
            Some(&index) => cells[index].parse::<usize>().map_err(|_| {
                ReadError::at(line, index + 1, format!("alerter `{}` is not a whole number", cells[index]))
            })?,
        };
        let deviation = |number_of: usize| number(Column::Deviation(number_of)).map(|d| d * d.abs());
        let uncertainty = Uncertainty {
            position: [deviation(0)?, deviation(1)?, deviation(2)?],
            vertical_position: deviation(3)?,
            velocity: [deviation(4)?, deviation(5)?, deviation(6)?],
            vertical_velocity: deviation(7)?,
        };
        let aircraft =
            Aircraft { place, altitude: number(Column::Altitude)?, velocity, alerter, uncertainty };
        Ok((cells[self.at[&Column::Name]], number(Column::Time)?, aircraft))
    }
}

impl Scenario {
    /// Reads the text of a scenario.
    ///
    /// # Errors
    /// [`ReadError`] with line and field, when something is missing, out of range or not a number.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        let mut lines = (1..).zip(text.lines()).filter(|(_, l)| {
            let l = l.trim();
            !l.is_empty() && !l.starts_with('#')
        });
        let names = lines.next().ok_or_else(|| ReadError::missing("the scenario is empty".into()))?;
        let header = Header::read(names, lines.next())?;
        let mut order: Vec<&str> = Vec::new();
        let mut known: FxHashMap<&str, usize> = FxHashMap::default();
        let mut rows: Vec<(f64, usize, Aircraft)> = Vec::new();
        for (line, text) in lines {
            if line > MAX_SCENARIO_LINES {
                return Err(ReadError::at(line, 1, format!("more than {MAX_SCENARIO_LINES} lines")));
            }
            let (name, time, aircraft) = header.row(line, text)?;
            let number = *known.entry(name).or_insert_with(|| {
                order.push(name);
                order.len() - 1
            });
            rows.push((time, number, aircraft));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let Some(own) = order.first() else {
            return Err(ReadError::missing("the scenario has no aircraft".into()));
        };
        let mut steps: Vec<Step> = Vec::new();
        for instant in rows.chunk_by(|a, b| b.0 - a.0 < SAME_TIME) {
            let Some((time, _, own)) = instant.iter().find(|r| r.1 == 0) else { continue };
            let others = instant.iter().filter(|r| r.1 != 0);
            let traffic = others.map(|(_, number, a)| (order[*number].to_owned(), *a)).collect();
            steps.push(Step { time: *time, own: *own, traffic });
        }
        Ok(Self { own: (*own).to_owned(), steps })
    }
}
