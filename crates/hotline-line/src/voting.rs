//! Rules of voting, as data, and counting by them.
//!
//! A rule says how many affirmative votes are needed, whose negative vote is a veto, and whether a party to a dispute abstains.
//! With that, Article 27 of the Charter of the United Nations is a rule like any other: nine of fifteen, the permanent members
//! as veto holders on substantive matters, none on procedural ones, an abstention or absence never a veto.

use hotline_ledger::PartyName;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// How many affirmative votes carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Needed {
    /// So many.
    Count(u32),
    /// Those of all who have a vote.
    Word(Everyone),
}

/// The word for it in a rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Everyone {
    /// All who have a vote; a party that the matter removes has none.
    All,
}

/// What may be decided under a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "kebab-case")]
#[cbor(index_only)]
pub enum Matter {
    /// A change of the rulebook's parameters.
    #[n(0)]
    Rulebook,
    /// A new member.
    #[n(1)]
    Accession,
    /// The removal of a member.
    #[n(2)]
    Expulsion,
    /// A decision that changes no rule.
    #[n(3)]
    Resolution,
}

impl Matter {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rulebook => "rulebook",
            Self::Accession => "accession",
            Self::Expulsion => "expulsion",
            Self::Resolution => "resolution",
        }
    }
}

/// One class of matters and how it is voted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteRule {
    /// What may be decided in this class.
    pub matters: Vec<Matter>,
    /// How many affirmative votes carry.
    pub needed: Needed,
    /// Whose negative vote defeats it.
    #[serde(default)]
    pub veto: Vec<String>,
    /// Whether a party to the dispute abstains.
    #[serde(default)]
    pub dispute_abstains: bool,
}

/// A vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Choice {
    /// In favour.
    #[n(0)]
    Yes,
    /// Against.
    #[n(1)]
    No,
    /// Neither.
    #[n(2)]
    Abstain,
}

impl Choice {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Abstain => "abstain",
        }
    }
}

/// Where a member stands in a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Has voted.
    Cast(Choice),
    /// Has not, and can no longer.
    Absent,
    /// May still vote.
    Pending,
}

/// What has come of a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Outcome {
    /// Whatever the others do, it is adopted.
    #[n(0)]
    Adopted,
    /// Whatever the others do, it is not adopted.
    #[n(1)]
    NotAdopted,
    /// Its proposer has withdrawn it.
    #[n(2)]
    Withdrawn,
    /// It was never in order: the reason is beside it.
    #[n(3)]
    Void,
}

impl Outcome {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::NotAdopted => "not-adopted",
            Self::Withdrawn => "withdrawn",
            Self::Void => "void",
        }
    }
}

impl VoteRule {
    /// Counts the votes of those who have one; nothing while it depends on votes that may still come.
    pub fn count(&self, members: &[(PartyName, Standing)], dispute: &[PartyName]) -> Option<Outcome> {
        let decided = |pending: Choice| {
            let choice = |member: &(PartyName, Standing)| match member.1 {
                _ if self.dispute_abstains && dispute.contains(&member.0) => Some(Choice::Abstain),
                Standing::Cast(choice) => Some(choice),
                Standing::Absent => None,
                Standing::Pending => Some(pending),
            };
            let yes = members.iter().filter(|m| choice(m) == Some(Choice::Yes)).count();
            let needed = match self.needed {
                Needed::Count(count) => count as usize,
                Needed::Word(Everyone::All) => members.len(),
            };
            let vetoed = members
                .iter()
                .any(|m| choice(m) == Some(Choice::No) && self.veto.iter().any(|v| v == m.0.as_str()));
            yes >= needed && !vetoed
        };
        match (decided(Choice::No), decided(Choice::Yes)) {
            (true, _) => Some(Outcome::Adopted),
            (_, false) => Some(Outcome::NotAdopted),
            _ => None,
        }
    }
}
