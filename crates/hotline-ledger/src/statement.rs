//! What a party says: signed, numbered, never altered.

use crate::cose::Unchecked;
use crate::{KeyId, LedgerError, LineName, PartyName, SigningKey, VerifyingKey, cose};
use jiff::Timestamp;
use minicbor::{Decoder, Encoder};
use std::collections::BTreeMap;

/// The largest body of a statement, bytes.
pub const MAX_BODY: usize = 128 * 1024;
/// The largest encoded statement, bytes.
pub const MAX_STATEMENT_BYTES: usize = MAX_BODY + 4 * 1024;
/// The most parties a statement can refer to as heard before it.
const MAX_CAUSES: usize = 16;
const MAX_KIND: usize = 32;
const WHAT: &str = "a hotline statement v1";

/// One entry of a party's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The line it is said on.
    pub line: LineName,
    /// Who says it.
    pub party: PartyName,
    /// Its number in the party's ledger, from 0, without gaps.
    pub number: u64,
    /// When it was said by the party's clock, to the millisecond; never earlier than the statement before it.
    pub time: Timestamp,
    /// How many statements of each other party the speaker held when saying it.
    pub causes: BTreeMap<PartyName, u64>,
    /// What kind of statement it is.
    pub kind: String,
    /// Its content, deterministic CBOR as the kind prescribes.
    pub body: Vec<u8>,
}

impl Statement {
    /// The deterministic CBOR of the statement: an array of seven, integers and lengths in their shortest form.
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::with_capacity(self.body.len() + 128));
        let mut write = || -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
            out.array(7)?.str(self.line.as_str())?.str(self.party.as_str())?.u64(self.number)?;
            out.i64(self.time.as_millisecond())?.array(self.causes.len() as u64)?;
            for (party, count) in &self.causes {
                out.array(2)?.str(party.as_str())?.u64(*count)?;
            }
            out.str(&self.kind)?.bytes(&self.body)?;
            Ok(())
        };
        write().expect("writing to memory");
        out.into_writer()
    }

    /// Reads a statement from its deterministic CBOR.
    ///
    /// # Errors
    /// When malformed, over a limit, or encoded in any other way.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, LedgerError> {
        let bad = |why: &str| LedgerError::malformed(WHAT, why);
        let fail = |e: minicbor::decode::Error| LedgerError::malformed(WHAT, e);
        let mut d = Decoder::new(bytes);
        if d.array().map_err(fail)? != Some(7) {
            return Err(bad("7 fields are expected"));
        }
        let line = LineName::new(d.str().map_err(fail)?)?;
        let party = PartyName::new(d.str().map_err(fail)?)?;
        let number = d.u64().map_err(fail)?;
        let time = d.i64().map_err(fail)?;
        let time = Timestamp::from_millisecond(time).map_err(|e| LedgerError::malformed(WHAT, e))?;
        let count = d.array().map_err(fail)?.ok_or_else(|| bad("causes must have a definite length"))?;
        if count > MAX_CAUSES as u64 {
            return Err(bad("at most 16 causes are allowed"));
        }
        let mut causes = BTreeMap::new();
        for _ in 0..count {
            if d.array().map_err(fail)? != Some(2) {
                return Err(bad("a cause is a party and a number"));
            }
            causes.insert(PartyName::new(d.str().map_err(fail)?)?, d.u64().map_err(fail)?);
        }
        let kind = d.str().map_err(fail)?;
        if kind.is_empty() || kind.len() > MAX_KIND {
            return Err(bad("a kind has 1 to 32 bytes"));
        }
        let body = d.bytes().map_err(fail)?;
        if body.len() > MAX_BODY {
            return Err(LedgerError::TooLarge {
                what: "a statement's body",
                size: body.len(),
                limit: MAX_BODY,
            });
        }
        let statement =
            Self { line, party, number, time, causes, kind: kind.to_owned(), body: body.to_vec() };
        if statement.to_cbor() != bytes {
            return Err(LedgerError::NotCanonical(WHAT));
        }
        Ok(statement)
    }

    /// Signs the statement with a node key.
    pub fn sign(self, key: &SigningKey) -> SignedStatement {
        let bytes = cose::sign(key, WHAT, self.to_cbor());
        SignedStatement { bytes, key: KeyId::of(&key.verifying_key()), statement: self }
    }
}

/// A statement whose signature is still to be checked, one by one or many at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncheckedStatement {
    bytes: Vec<u8>,
    signed: Unchecked,
    statement: Statement,
}

impl UncheckedStatement {
    /// Reads a statement.
    ///
    /// # Errors
    /// When malformed or too large.
    pub fn read(bytes: &[u8]) -> Result<Self, LedgerError> {
        if bytes.len() > MAX_STATEMENT_BYTES {
            return Err(LedgerError::TooLarge { what: WHAT, size: bytes.len(), limit: MAX_STATEMENT_BYTES });
        }
        let signed = Unchecked::read(bytes, WHAT)?;
        let statement = Statement::from_cbor(&signed.payload)?;
        Ok(Self { bytes: bytes.to_vec(), signed, statement })
    }

    /// Its content, not yet to be trusted.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The key that it names.
    pub fn key_id(&self) -> KeyId {
        self.signed.key
    }

    fn known(
        &self,
        find_key: impl FnOnce(KeyId, &Statement) -> Option<VerifyingKey>,
    ) -> Result<VerifyingKey, LedgerError> {
        let unknown = || LedgerError::UnknownKey { what: WHAT, key: self.signed.key.to_string() };
        find_key(self.signed.key, &self.statement).ok_or_else(unknown)
    }

    /// Checks the signature with the key that `find_key` gives for its identifier, its speaker, number and time.
    ///
    /// # Errors
    /// When there is no such key, or the signature is not by it.
    pub fn check(
        self,
        find_key: impl FnOnce(KeyId, &Statement) -> Option<VerifyingKey>,
    ) -> Result<SignedStatement, LedgerError> {
        let key = self.known(find_key)?;
        self.signed.check(&key)?;
        Ok(self.trusted())
    }

    fn trusted(self) -> SignedStatement {
        SignedStatement { bytes: self.bytes, key: self.signed.key, statement: self.statement }
    }

    /// Checks many at once.
    ///
    /// # Errors
    /// The position of the first that is not good, and why.
    pub fn check_all(
        unchecked: Vec<Self>,
        find_key: impl Fn(KeyId, &Statement) -> Option<VerifyingKey>,
    ) -> Result<Vec<SignedStatement>, (usize, LedgerError)> {
        let mut keys = Vec::with_capacity(unchecked.len());
        for (i, one) in unchecked.iter().enumerate() {
            keys.push(one.known(&find_key).map_err(|e| (i, e))?);
        }
        let signed: Vec<Unchecked> = unchecked.iter().map(|u| u.signed.clone()).collect();
        if unchecked.len() < 3 || !crate::cose::check_all(&signed, &keys) {
            for (i, (one, key)) in signed.iter().zip(&keys).enumerate() {
                one.check(key).map_err(|e| (i, e))?;
            }
        }
        Ok(unchecked.into_iter().map(Self::trusted).collect())
    }
}

/// A statement with its signature, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    bytes: Vec<u8>,
    key: KeyId,
    statement: Statement,
}

impl SignedStatement {
    /// Reads a statement and checks its signature with the key that `find_key` gives for its identifier, its
    /// speaker and its time.
    ///
    /// # Errors
    /// When malformed, too large, or not signed by a key that may speak for the party then.
    pub fn open(
        bytes: &[u8],
        find_key: impl FnOnce(KeyId, &Statement) -> Option<VerifyingKey>,
    ) -> Result<Self, LedgerError> {
        UncheckedStatement::read(bytes)?.check(find_key)
    }

    /// Reads a statement that this node itself has stored after checking it.
    ///
    /// # Errors
    /// When the bytes are malformed.
    pub fn from_own_store(bytes: &[u8]) -> Result<Self, LedgerError> {
        Ok(UncheckedStatement::read(bytes)?.trusted())
    }

    /// Its content.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Its encoding: the leaf of the ledger's tree.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The identifier of the key that signed it.
    pub fn key_id(&self) -> KeyId {
        self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn statement(number: u64, time: i64, body: Vec<u8>, causes: &[(&str, u64)]) -> Statement {
        Statement {
            line: LineName::new("valley").unwrap(),
            party: PartyName::new("blue").unwrap(),
            number,
            time: Timestamp::from_millisecond(time).unwrap(),
            causes: causes.iter().map(|(p, n)| (PartyName::new(p).unwrap(), *n)).collect(),
            kind: "message".into(),
            body,
        }
    }

    proptest! {
        #[test]
        fn round_trip(number: u64, time in -1_000_000_000_000i64..5_000_000_000_000, body in prop::collection::vec(any::<u8>(), 0..300)) {
            let key = SigningKey::from_bytes(&[9; 32]);
            let said = statement(number, time, body, &[("green", 5), ("red", number)]);
            let signed = said.clone().sign(&key);
            let opened = SignedStatement::open(signed.bytes(), |_, _| Some(key.verifying_key())).unwrap();
            prop_assert_eq!(opened.statement(), &said);
            prop_assert_eq!(SignedStatement::from_own_store(signed.bytes()).unwrap(), opened);
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let key = SigningKey::from_bytes(&[9; 32]);
            prop_assert!(SignedStatement::open(&bytes, |_, _| Some(key.verifying_key())).is_err());
            prop_assert!(Statement::from_cbor(&bytes).is_err());
        }
    }

    #[test]
    fn a_longer_encoding_is_refused() {
        let cbor = statement(3, 0, vec![], &[]).to_cbor();
        // The number 3 as a two-byte integer.
        let at = cbor.iter().position(|&b| b == 3).unwrap();
        let mut longer = cbor[..at].to_vec();
        longer.extend([0x18, 3]);
        longer.extend(&cbor[at + 1..]);
        assert_eq!(Statement::from_cbor(&longer), Err(LedgerError::NotCanonical(WHAT)));
    }
}
