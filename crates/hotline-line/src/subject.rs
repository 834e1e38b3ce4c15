//! What can be in conflict, how grave, and what names a conflict.

use crate::LineError;
use crate::codec::{In, Out, Written, encoded};
use hotline_ledger::PartyName;
use minicbor::{Decode, Encode};
use std::fmt;

/// The longest identifier, bytes.
pub(crate) const MAX_ID: usize = 64;

/// The name that a party's planner gave to a flight or a restriction: 1 to 64 visible characters, its own
/// within the party.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlightId(Box<str>);

impl FlightId {
    /// A name of 1 to 64 bytes without white space or control characters.
    ///
    /// # Errors
    /// [`LineError::OutOfRange`] for any other text.
    pub fn new(text: &str) -> Result<Self, LineError> {
        let fits = !text.is_empty()
            && text.len() <= MAX_ID
            && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if !fits {
            return Err(LineError::OutOfRange {
                what: "an identifier",
                value: format!("{:?}", text.chars().take(80).collect::<String>()),
                allowed: "1 to 64 bytes without white space are allowed",
            });
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<C> minicbor::Encode<C> for FlightId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for FlightId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(minicbor::decode::Error::message)
    }
}

impl fmt::Display for FlightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FlightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! numbered_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in interfaces.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The one of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.as_str() == name)
            }

            pub(crate) const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)+ }
            }

            fn of_number(number: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.number() == number)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.u8(self.number())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let wrong = || minicbor::decode::Error::message(concat!("no such ", stringify!($name)));
                Self::of_number(d.u8()?).ok_or_else(wrong)
            }
        }
    };
}

numbered_enum!(
    /// What a flight is for.
    Purpose {
        /// Carrying people or goods.
        Transport = 1, "transport";
        /// Patrol or surveillance.
        Patrol = 2, "patrol";
        /// Refuelling in the air.
        Refuelling = 3, "refuelling";
        /// Search, rescue, medical.
        Rescue = 4, "rescue";
        /// Unmanned operation.
        Unmanned = 5, "unmanned";
        /// Anything else.
        Other = 6, "other";
    }
);

numbered_enum!(
    /// How grave an alert is.
    Level {
        /// To be known: plans that conflict, an aircraft outside its plan.
        Advisory = 1, "advisory";
        /// To be watched: a conflict within the look-ahead.
        Caution = 2, "caution";
        /// To be acted on at once: a conflict within the warning time.
        Warning = 3, "warning";
    }
);

numbered_enum!(
    /// What conflicts with what.
    ConflictKind {
        /// Two plans.
        Plans = 1, "plans";
        /// A plan and a restriction.
        PlanRestriction = 2, "plan-restriction";
        /// Two aircraft.
        Tracks = 3, "tracks";
        /// An aircraft and another party's plan.
        TrackPlan = 4, "track-plan";
        /// An aircraft and a restriction.
        TrackRestriction = 5, "track-restriction";
        /// An aircraft outside its own plan.
        Nonconforming = 6, "nonconforming";
    }
);

/// Something of a party's that can be in conflict: a flight, a restriction, an aircraft.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct Subject {
    /// Whose it is.
    #[n(0)]
    pub party: PartyName,
    /// Which one.
    #[n(1)]
    pub id: FlightId,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.party, self.id)
    }
}

/// What names a conflict, the same on every node: its kind and its one or two subjects, sorted where the kind
/// does not tell them apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct ConflictKey {
    /// What conflicts with what.
    #[n(0)]
    pub kind: ConflictKind,
    /// The first subject.
    #[n(1)]
    pub first: Subject,
    /// The second; the same as the first for a nonconforming aircraft.
    #[n(2)]
    pub second: Subject,
}

impl ConflictKey {
    /// The key of a conflict; two subjects of the same kind come in sorted order.
    pub fn new(kind: ConflictKind, a: Subject, b: Subject) -> Self {
        let symmetric = matches!(kind, ConflictKind::Plans | ConflictKind::Tracks);
        let (first, second) = if symmetric && b < a { (b, a) } else { (a, b) };
        Self { kind, first, second }
    }

    /// The parties that have something in it.
    pub fn parties(&self) -> impl Iterator<Item = &PartyName> {
        let second = (self.second.party != self.first.party).then_some(&self.second.party);
        std::iter::once(&self.first.party).chain(second)
    }

    /// Its encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoded(|e| self.put(e))
    }

    /// Reads a key.
    ///
    /// # Errors
    /// When malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LineError> {
        let mut d = In::new(bytes, "a conflict's name");
        let key = Self::read(&mut d)?;
        d.end()?;
        Ok(key)
    }

    /// Whether its subjects stand in their order.
    pub(crate) fn in_order(&self) -> bool {
        *self == Self::new(self.kind, self.first.clone(), self.second.clone())
    }

    pub(crate) fn put(&self, e: &mut Out) -> Written {
        e.encode(self).map(|_| ())
    }

    pub(crate) fn read(from: &mut In<'_>) -> Result<Self, LineError> {
        let key: Self = from.decode()?;
        if key.in_order() { Ok(key) } else { Err(from.bad("the subjects are not in order")) }
    }
}

impl fmt::Display for ConflictKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind.as_str(), self.first, self.second)
    }
}

/// A statement of a party by its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct StatementRef {
    /// Who said it.
    #[n(0)]
    pub party: PartyName,
    /// Its number in the party's ledger.
    #[n(1)]
    pub number: u64,
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.party, self.number)
    }
}

impl std::str::FromStr for StatementRef {
    type Err = LineError;
    fn from_str(text: &str) -> Result<Self, LineError> {
        let wrong = || LineError::OutOfRange {
            what: "a statement",
            value: format!("{:?}", text.chars().take(60).collect::<String>()),
            allowed: "PARTY#NUMBER is expected, such as blue#12",
        };
        let (party, number) = text.split_once('#').ok_or_else(wrong)?;
        Ok(Self { party: PartyName::new(party)?, number: number.parse().map_err(|_| wrong())? })
    }
}
