//! What the line stores before it acts on it. Records are facts, not commands: what has been signed is replayed
//! as it was signed, whichever version of the software reads it.

use crate::LineError;
use crate::codec::{In, encoded, put_instant};
use crate::message::{Entry, MAX_OPENING_BYTES};
use crate::peer::LineState;
use hotline_ledger::{MAX_PROOF, MAX_STATEMENT_BYTES, PartyName};
use jiff::Timestamp;

/// What a peer did that is not as agreed, beside signing two histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offence {
    /// It sent more than its quota.
    Flood,
    /// It sent what cannot be read, or is not signed as it should be.
    Garbage,
}

impl Offence {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Garbage => "garbage",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Flood => 0,
            Self::Garbage => 1,
        }
    }
}

/// One record of a node's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A statement of the own party.
    Own(Entry),
    /// A statement of a peer, checked.
    Heard(PartyName, Entry),
    /// A peer's receipt for the own ledger.
    ReceiptGot(PartyName, Vec<u8>),
    /// The receipt given to a peer for its ledger.
    ReceiptGiven(PartyName, Vec<u8>),
    /// The own ledger up to (not including) a number was handed to the connection with a peer.
    Sent(PartyName, u64, Timestamp),
    /// The line to a peer changed its state.
    State(PartyName, LineState, Timestamp),
    /// Proof that a party has signed two histories, and when it was found.
    Disputed(PartyName, Vec<u8>, Timestamp),
    /// What a peer did that is not as agreed, how often since the last such record, and when.
    Offence(PartyName, Offence, u64, Timestamp),
    /// What the suspended line withholds for now, to be said when the line is restored: its kind, and its body with openings.
    Withheld(String, Entry),
    /// A part of the flight recorder: segment, aircraft, salted leaf.
    Recorded(u64, String, Vec<u8>),
}

const WHAT: &str = "a journal record";
const MAX_NOTE: usize = 8 * 1024;
/// The largest part of the flight recorder, bytes.
pub const MAX_LEAF: usize = 512 * 1024;

fn read_entry(d: &mut In<'_>) -> Result<Entry, LineError> {
    Ok(Entry { statement: d.bytes(MAX_STATEMENT_BYTES)?, openings: d.bytes(MAX_OPENING_BYTES)? })
}

impl Record {
    /// Its encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoded(|e| {
            match self {
                Self::Own(entry) => e.array(3)?.u8(1)?.bytes(&entry.statement)?.bytes(&entry.openings)?,
                Self::Heard(party, entry) => {
                    e.array(4)?.u8(2)?.str(party.as_str())?.bytes(&entry.statement)?.bytes(&entry.openings)?
                }
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
                Self::Disputed(party, proof, at) => {
                    e.array(4)?.u8(7)?.str(party.as_str())?.bytes(proof)?;
                    return put_instant(e, *at);
                }
                Self::Offence(party, offence, count, at) => {
                    e.array(5)?.u8(8)?.str(party.as_str())?.u8(offence.number())?.u64(*count)?;
                    return put_instant(e, *at);
                }
                Self::Withheld(kind, entry) => {
                    e.array(4)?.u8(9)?.str(kind)?.bytes(&entry.statement)?.bytes(&entry.openings)?
                }
                Self::Recorded(segment, aircraft, leaf) => {
                    e.array(4)?.u8(10)?.u64(*segment)?.str(aircraft)?.bytes(leaf)?
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
            (1, 3) => Self::Own(read_entry(&mut d)?),
            (2, 4) => Self::Heard(d.party()?, read_entry(&mut d)?),
            (3, 3) => Self::ReceiptGot(d.party()?, d.bytes(MAX_NOTE)?),
            (4, 3) => Self::ReceiptGiven(d.party()?, d.bytes(MAX_NOTE)?),
            (5, 4) => Self::Sent(d.party()?, d.u64()?, d.instant()?),
            (6, 4) => {
                let (party, number) = (d.party()?, d.u8()?);
                let state = LineState::from_number(number).ok_or_else(|| d.bad("an unknown line state"))?;
                Self::State(party, state, d.instant()?)
            }
            (7, 4) => Self::Disputed(d.party()?, d.bytes(MAX_PROOF)?, d.instant()?),
            (8, 5) => {
                let (party, number) = (d.party()?, d.u8()?);
                let known = [Offence::Flood, Offence::Garbage].into_iter().find(|o| o.number() == number);
                let offence = known.ok_or_else(|| d.bad("an unknown offence"))?;
                Self::Offence(party, offence, d.u64()?, d.instant()?)
            }
            (9, 4) => Self::Withheld(d.text(32)?, read_entry(&mut d)?),
            (10, 4) => Self::Recorded(d.u64()?, d.text(64)?, d.bytes(MAX_LEAF)?),
            _ => return Err(d.bad(format!("kind {tag} with {fields} fields"))),
        };
        d.end()?;
        Ok(record)
    }
}
