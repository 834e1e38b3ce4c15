//! The file: a sealed file whose parts are frames, each in CBOR.
//!
//! ```text
//! HOTLINE EVIDENCE 2
//! header        line, exporter, when, what was asked for, for whom and why, which fields are withheld
//! for each party:    party        name, root key, which range of its ledger, its signed head, what proves the range
//!                    certified*   each of its keys, and the statements that certified and revoked it
//! for each party:    section      which party
//!                    receipt*     who has held its ledger up to where, and since when
//!                    entry*       the signed statements of the range, in order, with what opens their sealed fields
//! recorded*     parts of the exporter's flight recorder
//! end           the exporter's signature over the SHA-256 of everything before
//! ```

use crate::EvidenceError;
use crate::sealed_file::SealedReader;
use hotline_ledger::{LineName, PartyName, Root};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::io::Read;

pub(crate) const MAGIC: &str = "HOTLINE EVIDENCE 2\n";
/// The largest frame, bytes.
pub const MAX_FRAME: usize = 1 << 20;
pub(crate) const WHAT: &str = "hotline evidence v2";

/// What was asked for, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    /// The line.
    #[n(0)]
    pub line: LineName,
    /// Who made the file.
    #[n(1)]
    pub exporter: PartyName,
    /// When, milliseconds since 1970.
    #[n(2)]
    pub exported_ms: i64,
    /// The first instant that was asked for.
    #[n(3)]
    pub from_ms: i64,
    /// The last.
    #[n(4)]
    pub to_ms: i64,
    /// For whom.
    #[n(5)]
    pub recipient: String,
    /// Why.
    #[n(6)]
    pub reason: String,
    /// The fields that are withheld.
    #[n(7)]
    pub withheld: Vec<String>,
}

/// A party: a range of its ledger without gaps, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PartyHead {
    /// The party.
    #[n(0)]
    pub party: PartyName,
    /// Its root key, to be compared with the fingerprint that the inspector knows.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// The number of the first statement in the range.
    #[n(2)]
    pub first: u64,
    /// How many statements are in the range.
    #[n(3)]
    pub count: u64,
    /// The party's own signed head that covers the range; empty when the exporter holds nothing of it.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub head: Vec<u8>,
    /// That the range is complete under that head.
    #[n(5)]
    pub proof: Vec<Root>,
}

/// A statement somewhere in the ledger, and that it is there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Placed {
    /// Its number.
    #[n(0)]
    pub number: u64,
    /// The signed statement.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// That it has this number under the party's head.
    #[n(2)]
    pub proof: Vec<Root>,
}

/// A key that speaks for a party.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Certified {
    /// The certificate by the root key.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
    /// The statement that carries it: it counts after it. Nothing for a key that was introduced before the line began.
    #[n(1)]
    pub certified: Option<Placed>,
    /// The statement that revokes it: it counts before it.
    #[n(2)]
    pub revoked: Option<Placed>,
}

/// The statements of one party follow.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Section {
    /// Which party.
    #[n(0)]
    pub party: PartyName,
}

/// Another party's receipt for the ledger of the section's party.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReceiptFrame {
    /// Who gave it.
    #[n(0)]
    pub by: PartyName,
    /// The cosigned head.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub note: Vec<u8>,
    /// That the party's head extends it.
    #[n(2)]
    pub extension: Vec<Root>,
}

/// What one of the exporter's aircraft did in one segment of its flight recorder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RecordedFrame {
    /// The segment.
    #[n(0)]
    pub segment: u64,
    /// Which leaf of the segment's tree.
    #[n(1)]
    pub index: u64,
    /// The leaf.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub leaf: Vec<u8>,
    /// That it is that leaf under the segment's root, which its statement carries.
    #[n(3)]
    pub proof: Vec<Root>,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Frame {
    #[n(0)]
    Header(#[n(0)] Header),
    #[n(1)]
    Party(#[n(0)] PartyHead),
    #[n(2)]
    Certified(#[n(0)] Certified),
    #[n(3)]
    Section(#[n(0)] Section),
    #[n(4)]
    Receipt(#[n(0)] ReceiptFrame),
    #[n(5)]
    Entry(#[n(0)] ByteVec, #[n(1)] ByteVec),
    #[n(6)]
    Recorded(#[n(0)] RecordedFrame),
    #[n(7)]
    End(#[n(0)] ByteVec),
}

impl Frame {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory")
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Header(_) => "a header",
            Self::Party(_) => "a party",
            Self::Certified(_) => "a key",
            Self::Section(_) => "a section",
            Self::Receipt(_) => "a receipt",
            Self::Entry(..) => "a statement",
            Self::Recorded(_) => "a part of the flight recorder",
            Self::End(_) => "the end",
        }
    }
}

/// Whether bytes begin like evidence.
pub fn is_evidence(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC.as_bytes())
}

/// Reads frames.
pub(crate) struct Frames<R>(SealedReader<R>);

impl<R: Read> Frames<R> {
    pub(crate) fn open(from: R) -> Result<Self, EvidenceError> {
        SealedReader::open(from, MAGIC, MAX_FRAME).map(Self).ok_or(EvidenceError::NotEvidence)
    }

    /// Goes on where a frame begins, in a file that has been checked.
    pub(crate) fn resume(from: R, at: u64) -> Self {
        Self(SealedReader::resume(from, at, MAX_FRAME))
    }

    /// Where the next frame begins.
    pub(crate) fn at(&self) -> u64 {
        self.0.at()
    }

    pub(crate) fn bad<T>(&self, why: impl std::fmt::Display) -> Result<T, EvidenceError> {
        Err(EvidenceError::Malformed { at: self.at(), why: why.to_string() })
    }

    /// The next frame. The end is not covered by the signature: it is the signature.
    pub(crate) fn next(&mut self) -> Result<Frame, EvidenceError> {
        let bytes = self.0.part().or_else(|why| self.bad(why))?;
        let frame: Frame = minicbor::decode(&bytes).or_else(|e| self.bad(e))?;
        if frame.to_bytes() != bytes {
            return self.bad(format!("{} is not in its one encoding", frame.name()));
        }
        if !matches!(frame, Frame::End(_)) {
            self.0.cover(&bytes);
        }
        Ok(frame)
    }

    /// The hash of all that was read before the end.
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.0.hash()
    }

    /// Nothing may follow the end.
    pub(crate) fn expect_nothing(&mut self) -> Result<(), EvidenceError> {
        self.0.expect_nothing().or_else(|why| self.bad(why))
    }

    /// What a frame should have been.
    pub(crate) fn unexpected<T>(&self, frame: &Frame, expected: &str) -> Result<T, EvidenceError> {
        self.bad(format!("{} where {expected} is expected", frame.name()))
    }
}
