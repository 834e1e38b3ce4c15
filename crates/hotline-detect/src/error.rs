//! What a detector refuses.

/// Why a detection was refused. It never answers "no conflict" to a question that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum DetectError {
    /// A coordinate or speed is NaN or infinite.
    #[error("{0} is not a finite number")]
    NotFinite(&'static str),
    /// A minimum is not a positive length.
    #[error("{what} {value} m must be above 0 m")]
    Minimum {
        /// Which minimum.
        what: &'static str,
        /// The refused value, metres.
        value: f64,
    },
    /// Places that cannot be compared or do not exist.
    #[error("{0}")]
    Place(&'static str),
    /// A time threshold is negative or not finite.
    #[error("{what} {value} s must be 0 s or more")]
    Threshold {
        /// Which threshold.
        what: &'static str,
        /// The refused value, seconds.
        value: f64,
    },
    /// A window that ends before it begins, or whose ends are not finite.
    #[error("window from {begin} s to {end} s: its end must not be before its begin, and both finite")]
    Window {
        /// Begin of the refused window, seconds.
        begin: f64,
        /// End of the refused window, seconds.
        end: f64,
    },
}
