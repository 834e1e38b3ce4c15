//! Where the clients of the load fly, and the bodies they send.

use hotline_airspace::{Cell, Degrees, Metres, Position, cover_circle};
use std::fmt::Write;
use std::sync::Arc;

/// Where and when something is planned.
pub(crate) struct Place {
    latitude: f64,
    longitude: f64,
    /// Seconds from now.
    start: i64,
    end: i64,
    busy: bool,
}

impl Place {
    /// In the busy cell, each at a time of its own within the hour.
    pub(crate) fn busy(n: usize) -> Self {
        let start = 60 + (n % 100) as i64 * 30;
        Self { latitude: 47.0005, longitude: 8.004, start, end: start + 20, busy: true }
    }

    /// Over the whole hour in the busy cell.
    pub(crate) fn over_all() -> Self {
        Self { start: 30, end: 4_000, ..Self::busy(0) }
    }

    /// Somewhere in a country of some 500 by 800 km, on a grid of golden steps.
    pub(crate) fn spread(n: usize) -> Self {
        let step = |ratio: f64| (n as f64 * ratio).fract();
        let (latitude, longitude) = (43.0 + 5.0 * step(0.754_877_666), 0.5 + 10.0 * step(0.569_840_291));
        Self { latitude, longitude, start: 60, end: 1_800, busy: false }
    }

    /// Whether it is in the busy cell.
    pub(crate) const fn is_busy(&self) -> bool {
        self.busy
    }

    /// Its cells with a radius.
    pub(crate) fn cells(&self, radius: f64) -> Arc<[Cell]> {
        let centre =
            Position::new(Degrees::new(self.latitude), Degrees::new(self.longitude)).expect("on the globe");
        cover_circle(centre, Metres::new(radius)).expect("a small circle").into()
    }

    /// As an outline.
    pub(crate) fn circle(&self, radius: u32) -> String {
        let Self { latitude, longitude, .. } = self;
        format!(
            r#""outline_circle":{{"center":{{"lat":{latitude},"lng":{longitude}}},"radius":{{"value":{radius},"units":"M"}}}}"#
        )
    }

    /// As the area of a search.
    pub(crate) fn square(&self) -> String {
        let (s, n, w, e) = (self.latitude, self.latitude + 0.005, self.longitude, self.longitude + 0.005);
        format!("{s},{w},{s},{e},{n},{e},{n},{w}")
    }
}

pub(crate) fn altitude(metres: u32) -> String {
    format!(r#"{{"value":{metres},"reference":"W84","units":"M"}}"#)
}

/// An instant so many seconds from now.
pub(crate) fn time(seconds: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    format!(r#"{{"value":"{at}","format":"RFC3339"}}"#)
}

const URL: &str = "https://uss.example.com";

pub(crate) fn intent_body(place: &Place, state: &str, key: &[String]) -> String {
    // 50 m of radius keep it within the one cell.
    let radius = if place.busy { 50 } else { 300 };
    let mut body = format!(
        r#"{{"extents":[{{"volume":{{{},"altitude_lower":{},"altitude_upper":{}}},"time_start":{},"time_end":{}}}],"state":"{state}","uss_base_url":"{URL}","new_subscription":{{"uss_base_url":"{URL}"}},"key":["#,
        place.circle(radius),
        altitude(50),
        altitude(120),
        time(place.start),
        time(place.end)
    );
    for (n, ovn) in key.iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        write!(body, r#"{comma}"{ovn}""#).expect("a string takes all");
    }
    body.push_str("]}");
    body
}

pub(crate) fn service_area_body(place: &Place) -> String {
    format!(
        r#"{{"extents":{{"volume":{{{},"altitude_lower":{},"altitude_upper":{}}},"time_start":{},"time_end":{}}},"uss_base_url":"{URL}"}}"#,
        place.circle(300),
        altitude(50),
        altitude(120),
        time(0),
        time(place.end)
    )
}
