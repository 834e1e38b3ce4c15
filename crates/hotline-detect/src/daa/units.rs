//! Quantities as the published files write them: a number and a unit in brackets.

/// What a quantity measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    None,
    Time,
    Length,
    Speed,
    Acceleration,
    Angle,
    AngularRate,
}

const FOOT: f64 = 0.3048;
const NAUTICAL_MILE: f64 = 1852.0;
/// Standard acceleration of free fall, metres a second squared.
pub(crate) const STANDARD_GRAVITY: f64 = 9.80665;
const DEGREE: f64 = std::f64::consts::PI / 180.0;

/// Unit, what it measures, and its size in SI units and radians.
const UNITS: [(&str, Dimension, f64); 33] = [
    ("unitless", Dimension::None, 1.0),
    ("none", Dimension::None, 1.0),
    ("s", Dimension::Time, 1.0),
    ("min", Dimension::Time, 60.0),
    ("h", Dimension::Time, 3600.0),
    ("hour", Dimension::Time, 3600.0),
    ("m", Dimension::Length, 1.0),
    ("meter", Dimension::Length, 1.0),
    ("km", Dimension::Length, 1000.0),
    ("ft", Dimension::Length, FOOT),
    ("nmi", Dimension::Length, NAUTICAL_MILE),
    ("NM", Dimension::Length, NAUTICAL_MILE),
    ("nm", Dimension::Length, NAUTICAL_MILE),
    ("m/s", Dimension::Speed, 1.0),
    ("mps", Dimension::Speed, 1.0),
    ("km/h", Dimension::Speed, 1000.0 / 3600.0),
    ("kph", Dimension::Speed, 1000.0 / 3600.0),
    ("knot", Dimension::Speed, NAUTICAL_MILE / 3600.0),
    ("kts", Dimension::Speed, NAUTICAL_MILE / 3600.0),
    ("kn", Dimension::Speed, NAUTICAL_MILE / 3600.0),
    ("nmi/s", Dimension::Speed, NAUTICAL_MILE),
    ("ft/s", Dimension::Speed, FOOT),
    ("fpm", Dimension::Speed, FOOT / 60.0),
    ("ft/min", Dimension::Speed, FOOT / 60.0),
    ("m/s^2", Dimension::Acceleration, 1.0),
    ("m/s2", Dimension::Acceleration, 1.0),
    ("ft/s^2", Dimension::Acceleration, FOOT),
    ("G", Dimension::Acceleration, STANDARD_GRAVITY),
    ("g", Dimension::Acceleration, STANDARD_GRAVITY),
    ("deg", Dimension::Angle, DEGREE),
    ("rad", Dimension::Angle, 1.0),
    ("deg/s", Dimension::AngularRate, DEGREE),
    ("rad/s", Dimension::AngularRate, 1.0),
];

/// The size of a unit in SI units and radians.
///
/// # Errors
/// In words, when there is no such unit or it measures something else.
pub(crate) fn factor(unit: &str, dimension: Dimension) -> Result<f64, String> {
    let Some((_, measures, size)) = UNITS.iter().find(|(name, ..)| *name == unit) else {
        return Err(format!("unknown unit [{unit}]"));
    };
    if *measures == dimension {
        return Ok(*size);
    }
    let would_be: Vec<&str> =
        UNITS.iter().filter(|(_, d, _)| *d == dimension).map(|(name, ..)| *name).collect();
    Err(format!("unit [{unit}] does not measure this; one of {} would", would_be.join(", ")))
}

/// Reads `0.66 [nmi]`, or a bare number, which is in SI units and radians.
///
/// # Errors
/// In words, when it is not a finite number or has an unfit unit.
pub(crate) fn quantity(text: &str, dimension: Dimension) -> Result<f64, String> {
    let (number, unit) = match text.split_once('[') {
        None => (text, None),
        Some((number, rest)) => {
            let unit =
                rest.trim_end().strip_suffix(']').ok_or_else(|| format!("`{text}` has no closing ]"))?;
            (number, Some(unit.trim()))
        }
    };
    let value: f64 = number.trim().parse().map_err(|_| format!("`{}` is not a number", number.trim()))?;
    if !value.is_finite() {
        return Err(format!("{value} is not a finite number"));
    }
    Ok(value * unit.map_or(Ok(1.0), |unit| factor(unit, dimension))?)
}
