//! TCAS II thresholds by sensitivity level.

use super::{Row, Shape, Span, TimeVariable};

/// The thresholds of one sensitivity level, SI units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TcasThresholds {
    /// The level holds for own altitudes from here up, metres.
    pub from_altitude_m: f64,
    /// Modified tau, seconds.
    pub tau_s: f64,
    /// Time to co-altitude, seconds.
    pub tcoa_s: f64,
    /// Horizontal distance (DMOD), metres.
    pub dmod_m: f64,
    /// Vertical distance, metres.
    pub zthr_m: f64,
    /// Horizontal miss distance, metres.
    pub hmd_m: f64,
}

/// A table of thresholds, lowest altitude first.
#[derive(Debug, Clone, PartialEq)]
pub struct TcasTable {
    levels: Vec<TcasThresholds>,
    miss_distance_filter: bool,
}

impl TcasTable {
    /// A table of at least one level, sorted here by altitude; whether encounters whose horizontal miss distance
    /// is large are left out.
    pub fn new(mut levels: Vec<TcasThresholds>, miss_distance_filter: bool) -> Option<Self> {
        levels.sort_by(|a, b| a.from_altitude_m.total_cmp(&b.from_altitude_m));
        (!levels.is_empty()).then_some(Self { levels, miss_distance_filter })
    }

    /// The thresholds of resolution advisories of TCAS II version 7.1 (RTCA DO-185B), levels 2 to 7.
    pub fn resolution_advisory() -> Self {
        // Altitude ft, tau s, DMOD nmi, ZTHR ft, HMD ft.
        const ROWS: [[f64; 5]; 8] = [
            [f64::NEG_INFINITY, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0],
            [1000.0, 15.0, 0.2, 600.0, 1215.0],
            [2350.0, 20.0, 0.35, 600.0, 2126.0],
            [5000.0, 25.0, 0.55, 600.0, 3342.0],
            [10_000.0, 30.0, 0.8, 600.0, 4861.0],
            [20_000.0, 35.0, 1.1, 700.0, 6683.0],
            [42_000.0, 35.0, 1.1, 800.0, 6683.0],
        ];
        let levels = ROWS.map(|[altitude, tau, dmod, zthr, hmd]| TcasThresholds {
            from_altitude_m: altitude * 0.3048,
            tau_s: tau,
            tcoa_s: tau,
            dmod_m: dmod * 1852.0,
            zthr_m: zthr * 0.3048,
            hmd_m: hmd * 0.3048,
        });
        Self { levels: levels.to_vec(), miss_distance_filter: true }
    }

    /// The thresholds for an own aircraft at this altitude, metres; below the lowest level those of the lowest.
    pub fn at(&self, own_altitude: f64) -> &TcasThresholds {
        let above = self.levels.iter().rposition(|l| own_altitude >= l.from_altitude_m);
        &self.levels[above.unwrap_or(0)]
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let above = self.levels.iter().skip(1).map(|l| l.from_altitude_m).chain([f64::INFINITY]);
        let row = |(number, (level, to)): (usize, (&TcasThresholds, f64))| Row {
            layer: Span { from: if number == 0 { f64::NEG_INFINITY } else { level.from_altitude_m }, to },
            shape: Shape {
                radius: level.dmod_m,
                time: level.tau_s,
                variable: TimeVariable::TauMod,
                miss: if self.miss_distance_filter { level.hmd_m } else { f64::INFINITY },
                height: level.zthr_m,
                coaltitude: level.tcoa_s,
                open: false,
                errors: None,
            },
        };
        self.levels.iter().zip(above).enumerate().map(row).collect()
    }
}
