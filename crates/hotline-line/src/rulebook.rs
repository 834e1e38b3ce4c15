//! The parameters that the parties agreed on. Every node must have the same; its hash says so.

use crate::LineError;
use crate::codec::encoded;
use hotline_airspace::{DatumConversion, DatumConversions, Metres, NauticalMiles};
use hotline_ledger::{LineName, PartyName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Separation minima and dilation of plans.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Separation {
    /// Horizontal minimum, nautical miles.
    pub horizontal_nm: f64,
    /// Vertical minimum, feet.
    pub vertical_ft: f64,
}

/// Deadlines in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    /// For an officer to acknowledge an alert of the highest level.
    pub acknowledge_warning_s: f64,
    /// For an officer to acknowledge an alert below it.
    pub acknowledge_other_s: f64,
    /// For a peer's receipt of a statement.
    pub receipt_s: f64,
}

/// Which of a party's tracks its peers see.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Disclosure {
    /// All of them.
    All,
    /// None.
    None,
    /// Those within so many nautical miles of one of the peer's own aircraft.
    WithinNm(f64),
    /// Those that are in a conflict with the peer.
    InConflict,
}

/// The rulebook of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rulebook {
    /// The line's name.
    pub line: String,
    /// The parties, two to fifteen.
    pub parties: Vec<String>,
    /// Between aircraft that both have crews, or are of unknown kind.
    pub crewed: Separation,
    /// Where one of the two is unmanned.
    pub unmanned: Separation,
    /// How far ahead tracks are followed, 1 to 1200 s.
    pub lookahead_s: f64,
    /// A conflict that begins within this time is a warning; one later is a caution.
    pub warning_s: f64,
    /// A conflict is over when it has not been seen for so long.
    pub clear_after_s: f64,
    /// A track older than this takes no part.
    pub track_age_s: f64,
    /// How far plans must be apart beyond their own borders.
    pub plans: Separation,
    /// How far an aircraft may be outside its plan before it is nonconforming.
    pub conformance: Separation,
    /// How much earlier or later than its plan an aircraft may be, seconds.
    pub conformance_s: f64,
    /// The least time between a flight notice and the flight, seconds; shorter is marked late.
    pub lead_s: f64,
    /// Deadlines.
    pub deadlines: Deadlines,
    /// Time between two communication checks of the machines, 0.5 to 60 s.
    pub check_s: f64,
    /// Without an answer for so long the line is degraded.
    pub degraded_s: f64,
    /// Without an answer for so long the line is down; at most 10 s in any sensible rulebook.
    pub down_s: f64,
    /// Which tracks are shared.
    pub disclosure: Disclosure,
    /// What turns pressure altitude into height above the ellipsoid: offset and error in metres, if agreed.
    pub barometric_m: Option<(f64, f64)>,
    /// What turns height above ground into height above the ellipsoid: offset and error in metres, if agreed.
    pub above_ground_m: Option<(f64, f64)>,
}

impl Rulebook {
    /// A rulebook to start from, as `hotline init` writes it.
    pub const EXAMPLE: &'static str = include_str!("rulebook.example.toml");

    /// Reads a rulebook and checks every parameter.
    ///
    /// # Errors
    /// [`LineError::Rulebook`] with line and column of what cannot be read, [`LineError::OutOfRange`] for what is
    /// not allowed.
    pub fn from_toml(text: &str) -> Result<Self, LineError> {
        let rulebook: Self = toml::from_str(text).map_err(|e| LineError::Rulebook(e.to_string()))?;
        rulebook.check()?;
        Ok(rulebook)
    }

    /// The rulebook as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a rulebook is plain data")
    }

    fn check(&self) -> Result<(), LineError> {
        LineName::new(&self.line)?;
        let mut names = self.party_names()?;
        names.sort();
        names.dedup();
        if names.len() != self.parties.len() || !(2..=15).contains(&names.len()) {
            let value = format!("{:?}", self.parties);
            let allowed = "two to fifteen different parties are allowed";
            return Err(LineError::OutOfRange { what: "parties", value, allowed });
        }
        let within = |what, value: f64, low: f64, high: f64, allowed| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(LineError::OutOfRange { what, value: value.to_string(), allowed })
        };
        for (what, s) in [("crewed", &self.crewed), ("unmanned", &self.unmanned)] {
            within(what, s.horizontal_nm, 0.001, 100.0, "horizontal_nm from 0.001 to 100 is allowed")?;
            within(what, s.vertical_ft, 1.0, 20_000.0, "vertical_ft from 1 to 20000 is allowed")?;
        }
        for (what, s) in [("plans", &self.plans), ("conformance", &self.conformance)] {
            within(what, s.horizontal_nm, 0.0, 100.0, "horizontal_nm from 0 to 100 is allowed")?;
            within(what, s.vertical_ft, 0.0, 20_000.0, "vertical_ft from 0 to 20000 is allowed")?;
        }
        let seconds = "see the rulebook's documentation for its range in seconds";
        within("lookahead_s", self.lookahead_s, 1.0, 1200.0, seconds)?;
        within("warning_s", self.warning_s, 0.0, self.lookahead_s, seconds)?;
        within("clear_after_s", self.clear_after_s, 1.0, 600.0, seconds)?;
        within("track_age_s", self.track_age_s, 1.0, 120.0, seconds)?;
        within("conformance_s", self.conformance_s, 0.0, 3600.0, seconds)?;
        within("lead_s", self.lead_s, 0.0, 86_400.0, seconds)?;
        within("check_s", self.check_s, 0.5, 60.0, seconds)?;
        within("degraded_s", self.degraded_s, self.check_s, 600.0, seconds)?;
        within("down_s", self.down_s, self.degraded_s, 600.0, seconds)?;
        for value in [
            self.deadlines.acknowledge_warning_s,
            self.deadlines.acknowledge_other_s,
            self.deadlines.receipt_s,
        ] {
            within("deadlines", value, 1.0, 86_400.0, "1 to 86400 s are allowed")?;
        }
        if let Disclosure::WithinNm(distance) = self.disclosure {
            within("disclosure", distance, 0.0, 10_000.0, "within-nm from 0 to 10000 is allowed")?;
        }
        for (offset, error) in [self.barometric_m, self.above_ground_m].into_iter().flatten() {
            within("a datum's offset", offset, -1e4, 1e4, "-10000 to 10000 m are allowed")?;
            within("a datum's error", error, 0.0, 1e4, "0 to 10000 m are allowed")?;
        }
        Ok(())
    }

    /// The parties' names.
    ///
    /// # Errors
    /// When one is not a valid name.
    pub fn party_names(&self) -> Result<Vec<PartyName>, LineError> {
        Ok(self.parties.iter().map(|p| PartyName::new(p)).collect::<Result<_, _>>()?)
    }

    /// The conversions between datums.
    pub fn conversions(&self) -> DatumConversions {
        let conversion =
            |(offset, error)| DatumConversion { offset: Metres::new(offset), error: Metres::new(error) };
        DatumConversions {
            barometric: self.barometric_m.map(conversion),
            above_ground: self.above_ground_m.map(conversion),
        }
    }

    /// The widest horizontal minimum between aircraft.
    pub fn widest(&self) -> Metres {
        NauticalMiles::new(self.crewed.horizontal_nm.max(self.unmanned.horizontal_nm)).into()
    }

    /// The SHA-256 over all parameters as [`Rulebook::to_toml`] writes them, so that layout and comments of
    /// a file do not matter.
    pub fn hash(&self) -> [u8; 32] {
        let text = self.to_toml();
        Sha256::digest(encoded(|e| e.str("hotline rulebook v1")?.str(&text).map(|_| ()))).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_valid_and_layout_does_not_matter() {
        let rulebook = Rulebook::from_toml(Rulebook::EXAMPLE).unwrap();
        let again = Rulebook::from_toml(&rulebook.to_toml()).unwrap();
        assert_eq!(again.hash(), rulebook.hash());
        let mut other = rulebook.clone();
        other.crewed.horizontal_nm = 4.9;
        assert_ne!(other.hash(), rulebook.hash());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let with = |from: &str, to: &str| {
            let text = Rulebook::EXAMPLE.replacen(from, to, 1);
            assert_ne!(text, Rulebook::EXAMPLE, "{from}");
            Rulebook::from_toml(&text).unwrap_err().to_string()
        };
        assert!(with("lookahead_s = 120", "lookahead_s = 12000").contains("lookahead_s is 12000"));
        assert!(with("lookahead_s", "look_ahead").contains("look_ahead"));
        assert!(with("lookahead_s = 120", "lookahead_s = nan").contains("NaN"));
        assert!(with("check_s = 2", "check_s = \"2\"").contains("line"));
    }
}
