//! What the line stores before it acts on it. Records are facts, not commands: what has been signed is replayed
//! as it was signed, whichever version of the software reads it.

use crate::LineError;
use crate::codec::{In, encoded, put_instant};
use crate::peer::LineState;
use hotline_ledger::{MAX_STATEMENT_BYTES, PartyName};
use jiff::Timestamp;

/// One record of a node's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A statement of the own party.
    Own(Vec<u8>),
    /// A statement of a peer, checked.
    Heard(PartyName, Vec<u8>),
    /// A peer's receipt for the own ledger.
    ReceiptGot(PartyName, Vec<u8>),
    /// The receipt given to a peer for its ledger.
    ReceiptGiven(PartyName, Vec<u8>),
    /// The own ledger up to (not including) a number was handed to the connection with a peer.
    Sent(PartyName, u64, Timestamp),
    /// The line to a peer changed its state.
    State(PartyName, LineState, Timestamp),
    /// Two signed objects of a peer that cannot both be: proof of equivocation.
    Disputed(PartyName, u64, Vec<u8>, Vec<u8>),
}

const WHAT: &str = "a journal record";
const MAX_NOTE: usize = 8 * 1024;

impl Record {
    /// Its encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoded(|e| {
            match self {
                Self::Own(bytes) => e.array(2)?.u8(1)?.bytes(bytes)?,
                Self::Heard(party, bytes) => e.array(3)?.u8(2)?.str(party.as_str())?.bytes(bytes)?,
                Self::ReceiptGot(party, note) => e.array(3)?.u8(3)?.str(party.as_str())?.bytes(note)?,
                Self::ReceiptGiven(party, note) => e.array(3)?.u8(4)?.str(party.as_str())?.bytes(note)?,
                Self::Sent(party, upto, at) => {
                    e.array(4)?.u8(5)?.str(party.as_str())?.u64(*upto)?;
                    return put_instant(e, *at);
                }
                Self::State(party, state, at) => {
                    e.array(4)?.u8(6)?.str(party.as_str())?.u8(state.number())?;
                    return put_instant(e, *at);
                }
                Self::Disputed(party, number, one, other) => {
                    e.array(5)?.u8(7)?.str(party.as_str())?.u64(*number)?.bytes(one)?.bytes(other)?
                }
            };
            Ok(())
        })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LineError> {
        let mut d = In::new(bytes, WHAT);
        let fields = d.list(5)?;
        let tag = d.u8()?;
        let record = match (tag, fields) {
            (1, 2) => Self::Own(d.bytes(MAX_STATEMENT_BYTES)?),
            (2, 3) => Self::Heard(d.party()?, d.bytes(MAX_STATEMENT_BYTES)?),
            (3, 3) => Self::ReceiptGot(d.party()?, d.bytes(MAX_NOTE)?),
            (4, 3) => Self::ReceiptGiven(d.party()?, d.bytes(MAX_NOTE)?),
            (5, 4) => Self::Sent(d.party()?, d.u64()?, d.instant()?),
            (6, 4) => {
                let (party, number) = (d.party()?, d.u8()?);
                let state = LineState::from_number(number).ok_or_else(|| d.bad("an unknown line state"))?;
                Self::State(party, state, d.instant()?)
            }
            (7, 5) => Self::Disputed(
                d.party()?,
                d.u64()?,
                d.bytes(MAX_STATEMENT_BYTES)?,
                d.bytes(MAX_STATEMENT_BYTES)?,
            ),
            _ => return Err(d.bad(format!("kind {tag} with {fields} fields"))),
        };
        d.end()?;
        Ok(record)
    }
}
