//! A field that can be withheld from an inspector: sealed in what is signed, opened beside it.

use crate::LineError;
use crate::codec::{In, Out, Written};
use hotline_ledger::{Openings, Sealed};

/// A text that can be withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withholdable {
    /// To be sealed when it is said.
    New(String),
    /// Said, and opened here.
    Open(String, Sealed),
    /// Said, and withheld here.
    Withheld(Sealed),
}

impl Withholdable {
    /// A value that is still to be said.
    pub fn new(value: impl Into<String>) -> Self {
        Self::New(value.into())
    }

    /// The value, if it is not withheld.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::New(value) | Self::Open(value, _) => Some(value),
            Self::Withheld(_) => None,
        }
    }

    /// The same, to be said anew. What is withheld cannot be.
    pub fn renewed(&self) -> Option<Self> {
        self.value().map(Self::new)
    }

    pub(crate) fn put(
        &self,
        field: &'static str,
        e: &mut Out,
        seal: &mut dyn FnMut(&'static str, &str) -> Sealed,
    ) -> Written {
        let sealed = match self {
            Self::New(value) => seal(field, value),
            Self::Open(_, sealed) | Self::Withheld(sealed) => *sealed,
        };
        e.encode(sealed).map(|_| ())
    }

    pub(crate) fn read(field: &'static str, d: &mut In<'_>, openings: &Openings) -> Result<Self, LineError> {
        let sealed: Sealed = d.decode()?;
        Ok(match openings.value(field, &sealed) {
            Some(value) => Self::Open(value.to_owned(), sealed),
            None => Self::Withheld(sealed),
        })
    }
}
