//! The parameters that the parties agreed on. Every node must have the same; its hash says so.

use crate::LineError;
use crate::codec::encoded;
use crate::proposal::{Candidate, CertificateBytes};
use crate::voting::{Everyone, Matter, Needed, VoteRule};
use hotline_airspace::{DatumConversion, DatumConversions, Metres, NauticalMiles};
use hotline_ledger::{KeyRing, LineName, PartyName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

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
    /// For a peer's node to report a conflict of a notice.
    pub conflict_report_s: f64,
    /// For a person to answer a request with wilco or unable.
    pub answer_s: f64,
    /// For a person to read a message.
    pub read_s: f64,
    /// For a person to answer a communication check.
    pub person_check_s: f64,
    /// For a person to acknowledge that the line was suspended or restored.
    pub standing_s: f64,
    /// For a party's position on a case.
    pub position_s: f64,
}

/// What happens after a deadline has passed: at once the next officer is told; then, if nothing is done, others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// So long after the deadline the supervisor is told.
    pub supervisor_s: f64,
    /// So long after the deadline the call sheet is to be used.
    pub call_sheet_s: f64,
}

/// What goes on while a party has suspended the line. Conflict alerts, acknowledgements, communication checks, votes and restoration always do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// Whether the suspending party's flight notices are said; if not, they stay with its node until it restores the line.
    pub notices: bool,
    /// Whether its restrictions are said.
    pub restrictions: bool,
    /// Whether its officers' messages and requests are said.
    pub messages: bool,
    /// Which tracks are shared between the suspending party and the others.
    pub disclosure: Disclosure,
}

/// How the daily index of health is made: 100 times the weighted mean of the components' scores from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthRule {
    /// Weight of: share of alerts acknowledged within their deadline.
    pub acknowledged: f64,
    /// Weight of: share of requests, messages and checks answered within their deadline.
    pub answered: f64,
    /// Weight of: share of flight notices that were not late.
    pub notices: f64,
    /// Weight of: conflicts for 1 000 flights, from none (1) to `conflicts_worst` or more (0).
    pub conflicts: f64,
    /// Conflicts for 1 000 flights that score 0.
    pub conflicts_worst: f64,
    /// Weight of: open protests, from none (1) to `protests_worst` or more (0).
    pub protests: f64,
    /// Open protests that score 0.
    pub protests_worst: f64,
    /// Weight of: share of the day in which no party had the line suspended.
    pub suspension: f64,
}

/// A member that joined after the line began; the keys of the first members were exchanged in person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// Its name.
    pub party: String,
    /// Its root key, hexadecimal.
    pub root: String,
    /// Its certificates at the time, hexadecimal.
    pub certificates: Vec<String>,
    /// Where its node is reached.
    pub address: String,
}

impl Joined {
    /// Its keys, checked.
    ///
    /// # Errors
    /// When they are not valid.
    pub fn keys(&self) -> Result<KeyRing, LineError> {
        let bad = |why: String| LineError::Rulebook(format!("joined party {}: {why}", self.party));
        let root: [u8; 32] = unhex(&self.root)
            .and_then(|b| b.try_into().ok())
            .ok_or_else(|| bad("a root key is 64 hexadecimal digits".into()))?;
        let certificate = |text: &String| {
            unhex(text).map(CertificateBytes).ok_or_else(|| bad("a certificate is hexadecimal".into()))
        };
        let certificates = self.certificates.iter().map(certificate).collect::<Result<_, _>>()?;
        let candidate = Candidate {
            party: PartyName::new(&self.party)?,
            root,
            certificates,
            address: self.address.clone(),
        };
        candidate.keys()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |i: usize| u8::from_str_radix(text.get(i..i + 2)?, 16).ok();
    text.len().is_multiple_of(2).then(|| (0..text.len()).step_by(2).map(digit).collect()).flatten()
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
    /// Which version of the rulebook it is: 1 for the one that the line began with.
    #[serde(default = "first")]
    pub version: u64,
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
    /// Time between two communication checks of the persons on watch, 0 for none, up to a day.
    pub person_checks_s: f64,
    /// What turns pressure altitude into height above the ellipsoid: offset and error in metres, if agreed.
    pub barometric_m: Option<(f64, f64)>,
    /// What turns height above ground into height above the ellipsoid: offset and error in metres, if agreed.
    pub above_ground_m: Option<(f64, f64)>,
    /// What happens after a deadline has passed.
    pub escalation: Escalation,
    /// What goes on while a party has suspended the line.
    pub suspension: Suspension,
    /// How health is measured.
    pub health: HealthRule,
    /// The classes of matters and how they are voted on.
    pub voting: BTreeMap<String, VoteRule>,
    /// Members that joined later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Joined>,
}

const fn first() -> u64 {
    1
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

    pub(crate) fn check(&self) -> Result<(), LineError> {
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
            self.deadlines.conflict_report_s,
            self.deadlines.answer_s,
            self.deadlines.read_s,
            self.deadlines.person_check_s,
            self.deadlines.standing_s,
            self.escalation.supervisor_s,
            self.escalation.call_sheet_s,
        ] {
            within("deadlines", value, 1.0, 86_400.0, "1 to 86400 s are allowed")?;
        }
        within("position_s", self.deadlines.position_s, 60.0, 2_592_000.0, "60 s to 30 days is allowed")?;
        within("person_checks_s", self.person_checks_s, 0.0, 86_400.0, "0 (none) to 86400 s is allowed")?;
        let order = "the call sheet follows the supervisor";
        within("call_sheet_s", self.escalation.call_sheet_s, self.escalation.supervisor_s, 86_400.0, order)?;
        for rule in [self.disclosure, self.suspension.disclosure] {
            if let Disclosure::WithinNm(distance) = rule {
                within("disclosure", distance, 0.0, 10_000.0, "within-nm from 0 to 10000 is allowed")?;
            }
        }
        let h = &self.health;
        let weights = [h.acknowledged, h.answered, h.notices, h.conflicts, h.protests, h.suspension];
        for weight in weights {
            within("a weight of health", weight, 0.0, 1_000.0, "0 to 1000 is allowed")?;
        }
        within("the sum of health's weights", weights.iter().sum(), 1e-6, 1e4, "one must be above 0")?;
        for worst in [h.conflicts_worst, h.protests_worst] {
            within("a worst value of health", worst, 1e-3, 1e9, "0.001 to 1e9 is allowed")?;
        }
        self.check_voting()?;
        for (offset, error) in [self.barometric_m, self.above_ground_m].into_iter().flatten() {
            within("a datum's offset", offset, -1e4, 1e4, "-10000 to 10000 m are allowed")?;
            within("a datum's error", error, 0.0, 1e4, "0 to 10000 m are allowed")?;
        }
        Ok(())
    }

    /// A class whose decisions change the rulebook must need more than half of all votes: then no two changes of one
    /// version can both be adopted.
    fn check_voting(&self) -> Result<(), LineError> {
        let members = self.parties.len();
        for (class, rule) in &self.voting {
            let refuse = |value: String, allowed| {
                Err(LineError::OutOfRange {
                    what: "a voting rule",
                    value: format!("{class}: {value}"),
                    allowed,
                })
            };
            if class.is_empty() || class.len() > 32 || self.voting.len() > 32 {
                return refuse(String::new(), "at most 32 classes with names of 1 to 32 bytes are allowed");
            }
            if let Some(stranger) = rule.veto.iter().find(|v| !self.parties.contains(v)) {
                return refuse(format!("veto = {stranger}"), "only a party can hold a veto");
            }
            let changes = rule.matters.iter().any(|m| *m != Matter::Resolution);
            if let Needed::Count(count) = rule.needed {
                let least = if changes { members / 2 + 1 } else { 1 };
                if (count as usize) < least || count as usize > members {
                    let allowed = "votes up to the number of parties are allowed, and more than half of them where the rulebook is changed";
                    return refuse(format!("needed = {count}"), allowed);
                }
            }
        }
        for joined in &self.joined {
            if !self.parties.contains(&joined.party) {
                return Err(LineError::Rulebook(format!("joined party {} is not a party", joined.party)));
            }
            joined.keys()?;
        }
        Ok(())
    }

    /// The rulebook with one more member.
    ///
    /// # Errors
    /// When it is one already.
    pub fn with_member(&self, candidate: &Candidate) -> Result<Self, LineError> {
        let party = candidate.party.to_string();
        if self.parties.contains(&party) {
            return Err(LineError::OutOfPlace(format!("{party} is a member already")));
        }
        let mut next = self.clone();
        next.parties.push(party.clone());
        let certificates = candidate.certificates.iter().map(|c| hex(&c.0)).collect();
        let address = candidate.address.clone();
        next.joined.push(Joined { party, root: hex(&candidate.root), certificates, address });
        Ok(next)
    }

    /// The rulebook without a member; needed counts that no longer fit become those of all.
    ///
    /// # Errors
    /// When it is none.
    pub fn without_member(&self, party: &PartyName) -> Result<Self, LineError> {
        let party = party.as_str();
        if !self.parties.iter().any(|p| p == party) {
            return Err(LineError::OutOfPlace(format!("{party} is not a member")));
        }
        let mut next = self.clone();
        next.parties.retain(|p| p != party);
        next.joined.retain(|j| j.party != party);
        for rule in next.voting.values_mut() {
            rule.veto.retain(|v| v != party);
            if let Needed::Count(count) = rule.needed
                && count as usize > next.parties.len()
            {
                rule.needed = Needed::Word(Everyone::All);
            }
        }
        Ok(next)
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
