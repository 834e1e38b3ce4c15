//! Names of parties and lines.

use crate::LedgerError;
use std::fmt;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// A name of 1 to 32 characters of a-z, 0-9 and -, the first a letter or digit.
            ///
            /// # Errors
            /// [`LedgerError::Name`] for any other text.
            pub fn new(text: &str) -> Result<Self, LedgerError> {
                let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
                if text.is_empty() || text.len() > 32 || !text.bytes().all(fits) || text.starts_with('-') {
                    return Err(LedgerError::Name(text.chars().take(64).collect()));
                }
                Ok(Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                d: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                Self::new(d.str()?).map_err(minicbor::decode::Error::message)
            }
        }

        impl std::str::FromStr for $name {
            type Err = LedgerError;
            fn from_str(text: &str) -> Result<Self, LedgerError> {
                Self::new(text)
            }
        }
    };
}

name!(
    /// The name of a party on a line.
    PartyName
);
name!(
    /// The name of a line.
    LineName
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        assert!(PartyName::new("blue-2").is_ok());
        for bad in ["", "Blue", "-a", "a b", "a/b", "ä", &"x".repeat(33)] {
            assert!(PartyName::new(bad).is_err(), "{bad}");
        }
    }
}
