//! Protected volumes around an aircraft, and when another on a straight path is inside one.
//!
//! Every volume here is the meeting of a horizontal and a vertical condition, and on straight paths each of them
//! holds during one interval of time (or never). So "when is it violated" is the meeting of two intervals, each
//! in closed form, and whoever varies only the vertical motion computes the horizontal interval once. Thresholds
//! that depend on the own aircraft's altitude (TCAS) are rows of such conditions, each for its layer of altitude.
//!
//! Source: Munoz, Narkawicz, Chamberlain, Consiglio, Upchurch, "A family of well-clear boundary models for the
//! integration of UAS in the NAS", AIAA 2014; Munoz, Narkawicz, Chamberlain, "A TCAS-II resolution advisory
//! detection algorithm", AIAA 2013.

mod shape;
mod tcas;
mod uncertain;
mod well_clear;

pub(crate) use shape::{Shape, Span};
pub use tcas::{TcasTable, TcasThresholds};
pub(crate) use uncertain::{Deviations, Errors};
pub use uncertain::{Uncertainty, ZScores};
pub use well_clear::{TimeVariable, WellClear};

use crate::{DetectError, Minima, Relative, Violation};
use hotline_airspace::{Metres, MetresPerSecond, Seconds};

/// A volume that is to be kept clear around an aircraft: a cylinder ([`Minima`], border outside), a member of the
/// well-clear family ([`WellClear`], border inside) or the thresholds of a TCAS table ([`TcasTable`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// Lowest first, at least one; the first reaches down without bound.
    rows: Vec<Row>,
}

/// The shape that holds while the own aircraft is in a layer of altitude.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// Lower and upper bound of the own altitude, metres.
    pub(crate) layer: Span,
    pub(crate) shape: Shape,
}

/// Altitude and climb of the own aircraft, which choose the thresholds of a TCAS table.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OwnVertical {
    /// Altitude now.
    pub altitude: Metres,
    /// Rate of climb.
    pub climb: MetresPerSecond,
}

impl From<Shape> for Volume {
    fn from(shape: Shape) -> Self {
        Self { rows: vec![Row { layer: Span::ALWAYS, shape }] }
    }
}

impl From<Minima> for Volume {
    fn from(minima: Minima) -> Self {
        Shape::cylinder(minima.horizontal().get(), minima.vertical().get()).into()
    }
}

impl From<WellClear> for Volume {
    fn from(well_clear: WellClear) -> Self {
        well_clear.shape().into()
    }
}

impl From<&TcasTable> for Volume {
    fn from(table: &TcasTable) -> Self {
        Self { rows: table.rows() }
    }
}

/// An altitude so little above the edge of a layer, metres, still belongs to the one below.
const LAYER_EDGE: f64 = 1e-6;

impl Row {
    /// While the own aircraft, on a straight path, is in the layer.
    #[inline]
    pub(crate) fn in_layer(&self, altitude: f64, climb: f64) -> Span {
        let Span { from: low, to: high } = self.layer;
        if climb == 0.0 {
            return if low + LAYER_EDGE < altitude && altitude <= high + LAYER_EDGE {
                Span::ALWAYS
            } else {
                Span::NEVER
            };
        }
        let (a, b) = ((low - altitude) / climb, (high - altitude) / climb);
        Span { from: a.min(b), to: a.max(b) }
    }
}

impl Volume {
    /// Makes it no volume at all, equal to none that can be made.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }

    /// The rows, with these errors of the state.
    #[inline]
    pub(crate) fn rows(&self, errors: Option<Errors>) -> impl ExactSizeIterator<Item = Row> + '_ {
        self.rows.iter().map(move |row| Row { shape: Shape { errors, ..row.shape }, ..*row })
    }

    /// The hull of the times of violation within a window, straight paths.
    #[inline]
    pub(crate) fn within(
        &self,
        pair: &Relative,
        own: OwnVertical,
        window: Span,
        errors: Option<Errors>,
    ) -> Option<Span> {
        if let ([only], None) = (self.rows.as_slice(), &errors) {
            return only.shape.within(pair, window);
        }
        let mut hull = Span::NEVER;
        for row in self.rows(errors) {
            let window = row.in_layer(own.altitude.get(), own.climb.get()).meet(window);
            if let Some(found) = window.is_some().then(|| row.shape.within(pair, window)).flatten() {
                hull = hull.hull(found);
            }
        }
        hull.is_some().then_some(hull)
    }

    /// Whether the volume is violated in this state.
    pub fn violated(&self, pair: &Relative, own: OwnVertical) -> bool {
        self.within(pair, own, Span { from: 0.0, to: 0.0 }, None).is_some()
    }

    /// The first and the last time of violation within [`begin`, `end`], both aircraft on straight paths.
    ///
    /// # Errors
    /// [`DetectError::Window`] when the window ends before it begins or is not finite.
    pub fn violation(
        &self,
        pair: &Relative,
        own: OwnVertical,
        begin: Seconds,
        end: Seconds,
    ) -> Result<Option<Violation>, DetectError> {
        Ok(self.within(pair, own, Span::window(begin, end)?, None).map(Span::violation))
    }
}
