//! Where an aircraft is and how it moves.

use crate::{
    AirspaceError, Altitude, Degrees, MetresPerSecond, Position, Seconds, geodesy, seconds_between, shifted,
};
use jiff::Timestamp;

/// The fastest ground speed that is accepted, m/s (about 2 900 kt).
pub const MAX_GROUND_SPEED: MetresPerSecond = MetresPerSecond::new(1_500.0);
/// The fastest climb or descent that is accepted, m/s (about 59 000 ft/min).
pub const MAX_VERTICAL_SPEED: MetresPerSecond = MetresPerSecond::new(300.0);

/// What kind of aircraft it is, as far as separation is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Category {
    /// Crewed aeroplane.
    Aeroplane,
    /// Crewed helicopter.
    Helicopter,
    /// Aircraft without a crew on board.
    Unmanned,
    /// Not known.
    #[default]
    Unknown,
}

/// One state of an aircraft: where it was at an instant, and its velocity then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackState {
    time: Timestamp,
    position: Position,
    altitude: Altitude,
    ground_speed: MetresPerSecond,
    track: Degrees,
    vertical_speed: MetresPerSecond,
}

impl TrackState {
    /// A state. `track` is the direction of motion over ground, true, 0 to 360; climbing is positive.
    ///
    /// # Errors
    /// [`AirspaceError::Speed`] beyond [`MAX_GROUND_SPEED`] or [`MAX_VERTICAL_SPEED`], [`AirspaceError::Track`]
    /// for a direction out of range; also when one is not a number.
    pub fn new(
        time: Timestamp,
        position: Position,
        altitude: Altitude,
        ground_speed: MetresPerSecond,
        track: Degrees,
        vertical_speed: MetresPerSecond,
    ) -> Result<Self, AirspaceError> {
        let speed = |what, value: MetresPerSecond, limit: MetresPerSecond| AirspaceError::Speed {
            what,
            value: value.get(),
            limit: limit.get(),
        };
        if !(0.0..=MAX_GROUND_SPEED.get()).contains(&ground_speed.get()) {
            return Err(speed("ground speed", ground_speed, MAX_GROUND_SPEED));
        }
        if !(0.0..=MAX_VERTICAL_SPEED.get()).contains(&vertical_speed.get().abs()) {
            return Err(speed("vertical speed", vertical_speed, MAX_VERTICAL_SPEED));
        }
        if !(0.0..=360.0).contains(&track.get()) {
            return Err(AirspaceError::Track(track.get()));
        }
        Ok(Self { time, position, altitude, ground_speed, track, vertical_speed })
    }

    /// When it was there.
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Where it was.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// How high it was.
    pub const fn altitude(&self) -> Altitude {
        self.altitude
    }

    /// Its speed over ground.
    pub const fn ground_speed(&self) -> MetresPerSecond {
        self.ground_speed
    }

    /// Its direction over ground, true.
    pub const fn track(&self) -> Degrees {
        self.track
    }

    /// Its vertical speed, climbing positive.
    pub const fn vertical_speed(&self) -> MetresPerSecond {
        self.vertical_speed
    }

    /// The state at another instant, flown along the geodesic of its track at constant speeds.
    #[must_use]
    pub fn dead_reckoned(&self, to: Timestamp) -> Self {
        let span: Seconds = seconds_between(self.time, to);
        if span.get() == 0.0 {
            return *self;
        }
        let (position, track) = geodesy::along(self.position, self.track, self.ground_speed * span);
        Self {
            time: shifted(self.time, span),
            position,
            track,
            altitude: self.altitude.moved(self.vertical_speed * span),
            ..*self
        }
    }
}
