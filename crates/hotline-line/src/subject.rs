//! What can be in conflict, how grave, and what names a conflict.

use crate::LineError;
use crate::codec::{In, Out, Written, encoded};
use hotline_ledger::PartyName;
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

macro_rules! numbered {
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

            pub(crate) fn read(from: &mut In<'_>) -> Result<Self, LineError> {
                let number = from.u8()?;
                let found = Self::ALL.iter().copied().find(|v| v.number() == number);
                found.ok_or_else(|| from.bad(format!("{} is no {}", number, stringify!($name))))
            }
        }
    };
}

numbered!(
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

numbered!(
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

numbered!(
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// Whose it is.
    pub party: PartyName,
    /// Which one.
    pub id: FlightId,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.party, self.id)
    }
}

/// What names a conflict, the same on every node: its kind and its one or two subjects, sorted where the kind
/// does not tell them apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConflictKey {
    /// What conflicts with what.
    pub kind: ConflictKind,
    /// The first subject.
    pub first: Subject,
    /// The second; the same as the first for a nonconforming aircraft.
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

    pub(crate) fn put(&self, e: &mut Out) -> Written {
        e.array(5)?.u8(self.kind.number())?;
        for subject in [&self.first, &self.second] {
            e.str(subject.party.as_str())?.str(subject.id.as_str())?;
        }
        Ok(())
    }

    pub(crate) fn read(from: &mut In<'_>) -> Result<Self, LineError> {
        from.fields(5)?;
        let kind = ConflictKind::read(from)?;
        let subject = |from: &mut In<'_>| {
            Ok::<_, LineError>(Subject { party: from.party()?, id: FlightId::new(&from.text(MAX_ID)?)? })
        };
        let (first, second) = (subject(from)?, subject(from)?);
        let key = Self::new(kind, first.clone(), second);
        if key.first != first { Err(from.bad("the subjects are not in order")) } else { Ok(key) }
    }
}

impl fmt::Display for ConflictKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind.as_str(), self.first, self.second)
    }
}

/// A statement of a party by its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementRef {
    /// Who said it.
    pub party: PartyName,
    /// Its number in the party's ledger.
    pub number: u64,
}
