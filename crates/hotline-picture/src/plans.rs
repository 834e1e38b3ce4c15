//! What a planner files.

use hotline_airspace::{Category, Volume4};
use hotline_line::{FlightId, Purpose};

/// A flight as its planner files it; the version is the node's to give.
#[derive(Debug, Clone, PartialEq)]
pub struct FlightPlan {
    /// The planner's name for the flight.
    pub flight: FlightId,
    /// Where and when.
    pub volumes: Vec<Volume4>,
    /// How many aircraft.
    pub aircraft: u32,
    /// What kind.
    pub category: Category,
    /// What for.
    pub purpose: Purpose,
    /// Call sign; may be empty.
    pub callsign: String,
    /// The unit that flies; may be empty.
    pub unit: String,
    /// Transponder code, if known.
    pub squawk: Option<u16>,
}
