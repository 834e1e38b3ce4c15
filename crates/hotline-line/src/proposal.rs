//! What is proposed to be decided by vote.

use crate::voting::Matter;
use crate::{LineError, Rulebook, Words};
use hotline_ledger::{KeyRing, PartyName, Root, VerifyingKey};
use jiff::Timestamp;
use minicbor::{Decode, Encode};

/// The most certificates in an accession.
const MAX_CERTIFICATES: usize = 64;
/// The longest rulebook in a proposal, bytes.
pub const MAX_RULEBOOK: usize = 48 * 1024;
const MAX_CLASS: usize = 32;

/// A party that would join.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Candidate {
    /// Its name.
    #[n(0)]
    pub party: PartyName,
    /// Its root key, whose words those who vote compare.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// Its certificates.
    #[n(2)]
    pub certificates: Vec<CertificateBytes>,
    /// Where its node is reached.
    #[n(3)]
    pub address: String,
}

/// An encoded certificate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct CertificateBytes(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

impl Candidate {
    /// Its keys, checked.
    ///
    /// # Errors
    /// When a certificate is not by the root key, or none is for a node.
    pub fn keys(&self) -> Result<KeyRing, LineError> {
        let root = VerifyingKey::from_bytes(&self.root)
            .map_err(|_| LineError::malformed("a candidate's root key", "it is not a point of the curve"))?;
        let mut keys = KeyRing::new(self.party.clone(), root);
        self.certificates.iter().try_for_each(|c| keys.introduce(&c.0))?;
        if keys.node_keys().next().is_none() {
            return Err(LineError::malformed("a candidate", "it has no certificate for a node key"));
        }
        Ok(keys)
    }
}

/// What changes when it is adopted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Change {
    /// The rulebook's parameters: the whole new rulebook, as TOML.
    #[n(0)]
    Rulebook(#[n(0)] String),
    /// A new member.
    #[n(1)]
    Accession(#[n(0)] Candidate),
    /// A member is removed.
    #[n(2)]
    Expulsion(#[n(0)] PartyName),
    /// No rule: a decision only.
    #[n(3)]
    Resolution,
}

impl Change {
    /// What kind of matter it is.
    pub const fn matter(&self) -> Matter {
        match self {
            Self::Rulebook(_) => Matter::Rulebook,
            Self::Accession(_) => Matter::Accession,
            Self::Expulsion(_) => Matter::Expulsion,
            Self::Resolution => Matter::Resolution,
        }
    }

    /// The rulebook after the change; nothing for a resolution.
    ///
    /// # Errors
    /// When the change cannot be made to `base`.
    pub fn apply(&self, base: &Rulebook) -> Result<Option<Rulebook>, LineError> {
        let next = match self {
            Self::Resolution => return Ok(None),
            Self::Rulebook(text) => {
                let next = Rulebook::from_toml(text)?;
                if next.line != base.line || next.parties != base.parties || next.joined != base.joined {
                    let why = "a change of parameters keeps the line's name and members: members come and go by accession and expulsion";
                    return Err(LineError::OutOfPlace(why.into()));
                }
                next
            }
            Self::Accession(candidate) => {
                candidate.keys()?;
                base.with_member(candidate)?
            }
            Self::Expulsion(party) => base.without_member(party)?,
        };
        let next = Rulebook { version: base.version + 1, ..next };
        next.check()?;
        Ok(Some(next))
    }
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Proposal {
    /// What it says, in the proposer's words.
    #[n(0)]
    pub title: Words,
    /// The class of its rule in the rulebook, such as `substantive`.
    #[n(1)]
    pub class: String,
    /// What changes.
    #[n(2)]
    pub change: Change,
    /// The hash of the rulebook that it would change, and by which it is voted on.
    #[n(3)]
    pub base: Root,
    /// The last instant at which a vote counts, by the voter's clock.
    #[cbor(n(4), with = "crate::cbor::instant")]
    pub deadline: Timestamp,
    /// The parties to the dispute that it is about.
    #[n(5)]
    pub dispute: Vec<PartyName>,
}

impl Proposal {
    pub(crate) fn check(&self) -> Result<(), LineError> {
        self.title.check()?;
        let refuse = |what: &'static str, allowed: &'static str| {
            Err(LineError::OutOfRange { what, value: "over a limit".into(), allowed })
        };
        if self.class.is_empty() || self.class.len() > MAX_CLASS {
            return refuse("a proposal's class", "1 to 32 bytes");
        }
        if self.dispute.len() > 15 {
            return refuse("parties to a dispute", "at most 15");
        }
        match &self.change {
            Change::Rulebook(text) if text.len() > MAX_RULEBOOK => {
                refuse("a proposed rulebook", "at most 49152 bytes")
            }
            Change::Accession(c) if c.certificates.len() > MAX_CERTIFICATES || c.address.len() > 64 => {
                refuse("a candidate", "at most 64 certificates, an address of at most 64 bytes")
            }
            _ => Ok(()),
        }
    }
}
