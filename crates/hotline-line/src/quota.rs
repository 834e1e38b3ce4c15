//! What a peer may send before it is refused. Bytes are metered where the connection is read; here it is the work that
//! messages make.

use hotline_airspace::seconds_between;
use jiff::Timestamp;

/// What is counted, each with a quota of its own: so many a second, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Statements that go ahead, and communication checks.
    Urgent,
    /// Receipts and heads.
    Control,
    /// Greetings and calls for ledgers: what makes much to be sent.
    Calls,
    /// New statements of a ledger.
    Statements,
}

/// Urgent messages a second, and at once.
pub const URGENT_QUOTA: (f64, f64) = (200.0, 2_000.0);
/// Control messages a second, and at once.
pub const CONTROL_QUOTA: (f64, f64) = (200.0, 4_000.0);
/// Calls a second, and at once.
pub const CALL_QUOTA: (f64, f64) = (4.0, 40.0);
/// New statements a second, and at once: a catch-up after days fits into the latter.
pub const STATEMENT_QUOTA: (f64, f64) = (2_000.0, 500_000.0);

/// An allowance that refills with time.
#[derive(Debug, Clone, Default)]
struct Bucket {
    /// How much of it is used.
    used: f64,
    at: Option<Timestamp>,
}

impl Bucket {
    fn take(&mut self, count: f64, (rate, most): (f64, f64), now: Timestamp) -> bool {
        let passed = self.at.map_or(0.0, |at| seconds_between(at, now).get()).max(0.0);
        self.at = Some(now);
        self.used = (self.used - passed * rate).max(0.0);
        if self.used + count > most {
            return false;
        }
        self.used += count;
        true
    }
}

/// The quotas of one peer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quotas {
    urgent: Bucket,
    control: Bucket,
    calls: Bucket,
    statements: Bucket,
}

impl Quotas {
    /// Whether so many more are within the quota; if so they are counted.
    pub(crate) fn take(&mut self, class: Class, count: usize, now: Timestamp) -> bool {
        let (bucket, quota) = match class {
            Class::Urgent => (&mut self.urgent, URGENT_QUOTA),
            Class::Control => (&mut self.control, CONTROL_QUOTA),
            Class::Calls => (&mut self.calls, CALL_QUOTA),
            Class::Statements => (&mut self.statements, STATEMENT_QUOTA),
        };
        bucket.take(count as f64, quota, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_refills() {
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        let mut quotas = Quotas::default();
        let taken = (0..5_000).filter(|_| quotas.take(Class::Urgent, 1, at(0))).count();
        assert_eq!(taken, 2_000);
        assert!(!quotas.take(Class::Urgent, 1, at(0)) && quotas.take(Class::Control, 1, at(0)));
        let taken = (0..5_000).filter(|_| quotas.take(Class::Urgent, 1, at(1_000))).count();
        assert_eq!(taken, 200);
        assert!(!quotas.take(Class::Urgent, 1, at(500)), "a clock that runs backwards gives nothing");
    }
}
