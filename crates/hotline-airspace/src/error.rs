//! What can be wrong with a description of airspace.

/// Why a value was refused. Each message says what was wrong, with which value, and what would be right.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AirspaceError {
    /// A latitude outside the globe, or not a number.
    #[error("latitude {0} is not within -90 to 90 degrees")]
    Latitude(f64),
    /// A longitude that is out of range, or not a number.
    #[error("longitude {0} is not within -180 to 180 degrees")]
    Longitude(f64),
    /// An altitude that is not a number or absurd.
    #[error("altitude {0} m is not within -1000 to 100000 m")]
    Altitude(f64),
    /// A band whose lower edge lies above its upper edge.
    #[error("altitude band from {lower} m to {upper} m: the lower edge must not be above the upper edge")]
    BandUpsideDown {
        /// Lower edge, metres.
        lower: f64,
        /// Upper edge, metres.
        upper: f64,
    },
    /// The two edges of a band have different datums.
    #[error("the two edges of an altitude band must have the same datum")]
    BandDatums,
    /// A circle's radius is not usable.
    #[error("radius {0} m is not above 0 and at most 500000 m")]
    Radius(f64),
    /// A polygon with too few or too many vertices.
    #[error("a polygon of {0} vertices: 3 to 500 are allowed")]
    VertexCount(usize),
    /// A polygon that crosses itself.
    #[error("the polygon's edges {0} and {1} cross: list the vertices in order around its border")]
    SelfIntersecting(usize, usize),
    /// A polygon too large to be treated in one local plane.
    #[error("the polygon reaches {0} m from its middle: at most 500000 m are allowed")]
    PolygonTooLarge(f64),
    /// An interval that ends before it starts, or at its start.
    #[error("time interval from {start} to {end}: its start must be before its end")]
    Interval {
        /// Start of the refused interval.
        start: jiff::Timestamp,
        /// End of the refused interval.
        end: jiff::Timestamp,
    },
    /// A speed that no aircraft here has.
    #[error("{what} {value} m/s is not within 0 to {limit} m/s in size")]
    Speed {
        /// Which speed.
        what: &'static str,
        /// The refused value, m/s.
        value: f64,
        /// The limit, m/s.
        limit: f64,
    },
    /// A direction that is not a number.
    #[error("track {0} is not within 0 to 360 degrees")]
    Track(f64),
}
