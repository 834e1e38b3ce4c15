//! Time intervals, and seconds between two instants.

use crate::{AirspaceError, Seconds};
use jiff::{SignedDuration, Timestamp};

/// A span of time between two instants, both included. Its start is before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeInterval {
    start: Timestamp,
    end: Timestamp,
}

impl TimeInterval {
    /// An interval from its start and its end.
    ///
    /// # Errors
    /// [`AirspaceError::Interval`] when the start is not before the end.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, AirspaceError> {
        if start >= end {
            return Err(AirspaceError::Interval { start, end });
        }
        Ok(Self { start, end })
    }

    /// Its first instant.
    pub const fn start(self) -> Timestamp {
        self.start
    }

    /// Its last instant.
    pub const fn end(self) -> Timestamp {
        self.end
    }

    /// Whether two intervals share an instant; touching ends do.
    pub fn overlaps(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// Whether the instant lies within, ends included.
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at <= self.end
    }

    /// The interval made longer by so much on both ends.
    #[must_use]
    pub fn widened(self, by: Seconds) -> Self {
        Self { start: shifted(self.start, -by), end: shifted(self.end, by) }
    }
}

/// Seconds from `earlier` to `later`; negative when they are the other way round.
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> Seconds {
    Seconds::new(later.duration_since(earlier).as_secs_f64())
}

/// The instant so many seconds later (earlier when negative), held at the ends of the calendar.
pub fn shifted(at: Timestamp, by: Seconds) -> Timestamp {
    let by = SignedDuration::try_from_secs_f64(by.get()).unwrap_or(SignedDuration::ZERO);
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn touching_intervals_overlap() {
        let (a, b) = (TimeInterval::new(at(0), at(10)).unwrap(), TimeInterval::new(at(10), at(20)).unwrap());
        assert!(a.overlaps(b) && b.overlaps(a));
        assert!(!a.overlaps(TimeInterval::new(at(11), at(20)).unwrap()));
        assert!(TimeInterval::new(at(5), at(5)).is_err());
    }

    #[test]
    fn shifts_and_differences_agree() {
        let later = shifted(at(100), Seconds::new(2.5));
        assert_eq!(seconds_between(at(100), later), Seconds::new(2.5));
        assert_eq!(shifted(Timestamp::MAX, Seconds::new(1.0)), Timestamp::MAX);
    }
}
