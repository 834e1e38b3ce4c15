//! What statements say.

use crate::act::{Act, Deed};
use crate::obligation::Stage;
use crate::{ConflictKey, FlightId, Level, LineError, Purpose, StatementRef, Withholdable};
use hotline_airspace::{Category, Position, Seconds, Volume4};
use hotline_ledger::{Misconduct, PartyName, Root};
use jiff::Timestamp;
use minicbor::{Decode, Encode};

/// The longest text in a statement (names, reasons), bytes.
pub const MAX_TEXT: usize = 200;

/// A text that fits into a statement.
///
/// # Errors
/// [`LineError::OutOfRange`] when longer than [`MAX_TEXT`] or with control characters.
pub(crate) fn check_text(what: &'static str, text: &str) -> Result<(), LineError> {
    if text.len() > MAX_TEXT || text.contains(char::is_control) {
        let value = format!("{:?}", text.chars().take(80).collect::<String>());
        return Err(LineError::OutOfRange {
            what,
            value,
            allowed: "at most 200 bytes without control characters",
        });
    }
    Ok(())
}

/// What a party will fly; a later version replaces the earlier.
#[derive(Debug, Clone, PartialEq)]
pub struct FlightNotice {
    /// The flight.
    pub flight: FlightId,
    /// From 1, rising with each change.
    pub version: u32,
    /// Where and when.
    pub volumes: Vec<Volume4>,
    /// How many aircraft, 1 to 1000.
    pub aircraft: u32,
    /// What kind of aircraft.
    pub category: Category,
    /// What for; can be withheld from an inspector.
    pub purpose: Withholdable,
    /// Call sign; may be empty; can be withheld from an inspector.
    pub callsign: Withholdable,
    /// Which unit flies; may be empty; can be withheld from an inspector.
    pub unit: Withholdable,
    /// Transponder code, four octal digits as a number (0o7777 at most), if known.
    pub squawk: Option<u16>,
    /// Whether it was filed with less lead than the rulebook asks for.
    pub late: bool,
}

impl FlightNotice {
    /// What for, if it is not withheld.
    pub fn purpose(&self) -> Option<Purpose> {
        self.purpose.value().and_then(Purpose::from_name)
    }
}

/// A flight is over, or will not be flown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlightEnd {
    /// The flight.
    pub flight: FlightId,
    /// The version that ends.
    pub version: u32,
}

/// Airspace that must be kept clear until lifted or expired.
#[derive(Debug, Clone, PartialEq)]
pub struct Restriction {
    /// Its name.
    pub id: FlightId,
    /// Where and when.
    pub volumes: Vec<Volume4>,
    /// Why.
    pub reason: String,
}

/// A restriction is no longer in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestrictionLift {
    /// Its name.
    pub id: FlightId,
}

/// A conflict made known.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictAlert {
    /// Which conflict.
    pub conflict: ConflictKey,
    /// How grave.
    pub level: Level,
    /// When the speaker detected it, by its clock.
    pub detected: Timestamp,
    /// When it begins.
    pub begins: Timestamp,
    /// When it ends if nothing changes.
    pub ends: Timestamp,
    /// Closest approach: seconds from detection, horizontal and vertical distance in metres, where known.
    pub closest: Option<(Seconds, f64, f64)>,
    /// Where.
    pub place: Position,
}

/// The speaker no longer sees the conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictClear {
    /// Which conflict.
    pub conflict: ConflictKey,
    /// Since when.
    pub since: Timestamp,
}

/// What should have been answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Missed {
    /// An alert, at a level.
    #[n(0)]
    Alert(#[n(0)] ConflictKey, #[n(1)] Level),
    /// A statement.
    #[n(1)]
    Statement(#[n(0)] StatementRef),
    /// Receipts for the own ledger, from this statement on.
    #[n(2)]
    Receipt(#[n(0)] u64),
    /// The report of a conflict that the notices show.
    #[n(3)]
    Report(#[n(0)] ConflictKey),
}

/// A deadline has passed without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct MissedDeadline {
    /// What should have been answered.
    #[n(0)]
    pub missed: Missed,
    /// By whom.
    #[n(1)]
    pub party: PartyName,
    /// By when.
    #[cbor(n(2), with = "crate::cbor::instant")]
    pub due: Timestamp,
    /// Who is told.
    #[n(3)]
    pub stage: Stage,
}

/// A party has signed two things that cannot both be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Which party.
    pub party: PartyName,
    /// The proof.
    pub proof: Misconduct,
}

/// Tracks of own flights were recorded; whoever holds the record can later show any aircraft's part of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Segment {
    /// Counts the segments of the party from 0.
    #[n(0)]
    pub number: u64,
    /// From when.
    #[cbor(n(1), with = "crate::cbor::instant")]
    pub from: Timestamp,
    /// To when.
    #[cbor(n(2), with = "crate::cbor::instant")]
    pub to: Timestamp,
    /// How many aircraft: the leaves of the tree.
    #[n(3)]
    pub aircraft: u32,
    /// The root over one leaf for each aircraft.
    #[n(4)]
    pub root: Root,
}

/// Evidence was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Handover {
    /// For whom.
    #[n(0)]
    pub recipient: String,
    /// Why.
    #[n(1)]
    pub reason: String,
    /// The first instant that was asked for.
    #[cbor(n(2), with = "crate::cbor::instant")]
    pub from: Timestamp,
    /// The last.
    #[cbor(n(3), with = "crate::cbor::instant")]
    pub to: Timestamp,
    /// The fields that were withheld.
    #[n(4)]
    pub withheld: Vec<String>,
    /// The SHA-256 of the file.
    #[n(5)]
    pub hash: Root,
}

/// What a statement says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A key that speaks for the party, signed by its root key, and the name of who holds it.
    Certificate(Vec<u8>, Withholdable),
    /// A key that speaks for it no longer, signed by its root key.
    Revocation(Vec<u8>),
    /// What will be flown, or a change of it.
    FlightNotice(FlightNotice),
    /// A flight is over.
    FlightEnd(FlightEnd),
    /// Airspace to keep clear.
    Restriction(Restriction),
    /// A restriction is lifted.
    RestrictionLift(RestrictionLift),
    /// A conflict is made known.
    ConflictAlert(ConflictAlert),
    /// A conflict is over.
    ConflictClear(ConflictClear),
    /// What a person does, with the person's signature, which is checked when it is heard.
    Act(Box<Act>),
    /// The agreed time for a communication check between persons has come: a person answers.
    ScheduledCheck(Vec<PartyName>),
    /// Something was not answered in time.
    MissedDeadline(MissedDeadline),
    /// A party has signed two histories.
    Dispute(Box<Dispute>),
    /// Tracks were recorded.
    Segment(Segment),
    /// Evidence was handed over.
    Handover(Handover),
    /// A kind that this version does not know: kept in the ledger, shown by its name.
    Unknown(String),
}

impl Body {
    /// The name of its kind in the statement.
    pub fn kind(&self) -> &str {
        match self {
            Self::Certificate(..) => "certificate",
            Self::Revocation(_) => "revocation",
            Self::FlightNotice(_) => "flight-notice",
            Self::FlightEnd(_) => "flight-end",
            Self::Restriction(_) => "restriction",
            Self::RestrictionLift(_) => "restriction-lift",
            Self::ConflictAlert(_) => "conflict-alert",
            Self::ConflictClear(_) => "conflict-clear",
            Self::Act(act) => act.deed().kind(),
            Self::ScheduledCheck(_) => "scheduled-check",
            Self::MissedDeadline(_) => "missed-deadline",
            Self::Dispute(_) => "dispute",
            Self::Segment(_) => "segment",
            Self::Handover(_) => "handover",
            Self::Unknown(kind) => kind,
        }
    }

    /// Whether it goes ahead of everything else.
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::ConflictAlert(_) | Self::ScheduledCheck(_) => true,
            Self::Act(act) => matches!(
                act.deed(),
                Deed::Acknowledge { .. } | Deed::Check { .. } | Deed::Request { .. } | Deed::Answer { .. }
            ),
            _ => false,
        }
    }
}
