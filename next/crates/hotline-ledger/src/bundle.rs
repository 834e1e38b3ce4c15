//! Evidence: one file that an inspector checks alone.

use crate::{LedgerError, LineName, PartyName, RangeProof, SigningKey, VerifyingKey, cose};
use jiff::Timestamp;
use minicbor::{Decoder, Encoder};

/// The largest bundle that is read, bytes.
pub const MAX_BUNDLE_BYTES: usize = 2 << 30;
const MAX_PARTIES: u64 = 16;
const MAX_PER_PARTY: u64 = 1 << 16;
const WHAT: &str = "a hotline evidence bundle v1";

/// One party's part of a bundle: a range of its ledger without gaps, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleParty {
    /// The party.
    pub party: PartyName,
    /// Its root key, to be compared with the fingerprint that the inspector knows.
    pub root: VerifyingKey,
    /// Certificates by that root key, encoded.
    pub certificates: Vec<Vec<u8>>,
    /// The number of the first statement in the range.
    pub first: u64,
    /// The signed statements of the range, encoded.
    pub entries: Vec<Vec<u8>>,
    /// The party's own signed head that covers the range.
    pub checkpoint: Vec<u8>,
    /// That the range is complete under that head.
    pub proof: RangeProof,
    /// Receipts by other parties for that head or others: cosigner and note. A receipt for another head counts
    /// for the statements that a range proof of its own shows under it.
    pub receipts: Vec<(PartyName, Vec<u8>, RangeProof)>,
}

/// A bundle of evidence, signed whole by the party that exported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The line.
    pub line: LineName,
    /// Who exported it.
    pub exporter: PartyName,
    /// When.
    pub exported: Timestamp,
    /// The first instant that was asked for.
    pub from: Timestamp,
    /// The last instant that was asked for.
    pub to: Timestamp,
    /// The parties' parts.
    pub parties: Vec<BundleParty>,
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write_proof(out: &mut Encoder<Vec<u8>>, proof: &RangeProof) -> Written {
    out.array(proof.hashes.len() as u64)?;
    proof.hashes.iter().try_for_each(|h| out.bytes(h).map(|_| ()))
}

fn write_list(out: &mut Encoder<Vec<u8>>, items: &[Vec<u8>]) -> Written {
    out.array(items.len() as u64)?;
    items.iter().try_for_each(|item| out.bytes(item).map(|_| ()))
}

impl Bundle {
    fn to_cbor(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::new());
        let mut write = || -> Written {
            out.array(6)?.str(self.line.as_str())?.str(self.exporter.as_str())?;
            for instant in [self.exported, self.from, self.to] {
                out.i64(instant.as_millisecond())?;
            }
            out.array(self.parties.len() as u64)?;
            for part in &self.parties {
                out.array(8)?.str(part.party.as_str())?.bytes(part.root.as_bytes())?;
                write_list(&mut out, &part.certificates)?;
                out.u64(part.first)?;
                write_list(&mut out, &part.entries)?;
                out.bytes(&part.checkpoint)?;
                write_proof(&mut out, &part.proof)?;
                out.array(part.receipts.len() as u64)?;
                for (cosigner, note, proof) in &part.receipts {
                    out.array(3)?.str(cosigner.as_str())?.bytes(note)?;
                    write_proof(&mut out, proof)?;
                }
            }
            Ok(())
        };
        write().expect("writing to memory");
        out.into_writer()
    }

    /// Signs the whole bundle with the exporter's node key and encodes it.
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        cose::sign(key, WHAT, self.to_cbor())
    }

    /// Reads a bundle. The exporter's signature is checked with the key that `find_key` names; all the rest is
    /// for [`crate::verify_bundle`] to check.
    ///
    /// # Errors
    /// When too large, malformed, not in its one encoding, or not so signed.
    pub(crate) fn open(
        bytes: &[u8],
        find_key: impl FnOnce(crate::KeyId, &Bundle) -> Option<VerifyingKey>,
    ) -> Result<Self, LedgerError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(LedgerError::TooLarge { what: WHAT, size: bytes.len(), limit: MAX_BUNDLE_BYTES });
        }
        let mut parsed = Err(LedgerError::malformed(WHAT, "it has no payload"));
        let opened = cose::open(bytes, WHAT, |id, payload| {
            parsed = Self::from_cbor(payload);
            parsed.as_ref().ok().and_then(|bundle| find_key(id, bundle))
        });
        match (parsed, opened) {
            (parsed, Ok(_)) => parsed,
            (Err(content), Err(LedgerError::UnknownKey { .. })) => Err(content),
            (_, Err(e)) => Err(e),
        }
    }

    fn from_cbor(bytes: &[u8]) -> Result<Self, LedgerError> {
        let mut d = Decoder::new(bytes);
        let bundle = read_bundle(&mut d)?;
        if bundle.to_cbor() != bytes {
            return Err(LedgerError::NotCanonical(WHAT));
        }
        Ok(bundle)
    }
}

fn bad(why: impl std::fmt::Display) -> LedgerError {
    LedgerError::malformed(WHAT, why)
}

fn count(d: &mut Decoder<'_>, limit: u64) -> Result<u64, LedgerError> {
    match d.array().map_err(bad)? {
        Some(n) if n <= limit => Ok(n),
        Some(n) => Err(bad(format!("{n} items where at most {limit} are allowed"))),
        None => Err(bad("a list must have a definite length")),
    }
}

fn fields(d: &mut Decoder<'_>, expected: u64) -> Result<(), LedgerError> {
    let found = count(d, expected)?;
    if found == expected { Ok(()) } else { Err(bad(format!("{expected} fields are expected, not {found}"))) }
}

fn read_list(d: &mut Decoder<'_>, limit: u64) -> Result<Vec<Vec<u8>>, LedgerError> {
    (0..count(d, limit)?).map(|_| d.bytes().map(<[u8]>::to_vec).map_err(bad)).collect()
}

fn read_proof(d: &mut Decoder<'_>) -> Result<RangeProof, LedgerError> {
    let hash =
        |d: &mut Decoder<'_>| d.bytes().map_err(bad)?.try_into().map_err(|_| bad("a hash has 32 bytes"));
    let hashes = (0..count(d, 128)?).map(|_| hash(d)).collect::<Result<_, _>>()?;
    Ok(RangeProof { hashes })
}

fn instant(d: &mut Decoder<'_>) -> Result<Timestamp, LedgerError> {
    Timestamp::from_millisecond(d.i64().map_err(bad)?).map_err(bad)
}

fn read_bundle(d: &mut Decoder<'_>) -> Result<Bundle, LedgerError> {
    fields(d, 6)?;
    let line = LineName::new(d.str().map_err(bad)?)?;
    let exporter = PartyName::new(d.str().map_err(bad)?)?;
    let (exported, from, to) = (instant(d)?, instant(d)?, instant(d)?);
    let mut parties = Vec::new();
    for _ in 0..count(d, MAX_PARTIES)? {
        fields(d, 8)?;
        let party = PartyName::new(d.str().map_err(bad)?)?;
        let root = d.bytes().map_err(bad)?.try_into().map_err(|_| bad("a key has 32 bytes"))?;
        let root =
            VerifyingKey::from_bytes(root).map_err(|_| bad("the root key is not a point of the curve"))?;
        let certificates = read_list(d, MAX_PER_PARTY)?;
        let first = d.u64().map_err(bad)?;
        let entries = read_list(d, u64::MAX)?;
        let checkpoint = d.bytes().map_err(bad)?.to_vec();
        let proof = read_proof(d)?;
        let mut receipts = Vec::new();
        for _ in 0..count(d, MAX_PER_PARTY)? {
            fields(d, 3)?;
            let cosigner = PartyName::new(d.str().map_err(bad)?)?;
            receipts.push((cosigner, d.bytes().map_err(bad)?.to_vec(), read_proof(d)?));
        }
        parties.push(BundleParty { party, root, certificates, first, entries, checkpoint, proof, receipts });
    }
    Ok(Bundle { line, exporter, exported, from, to, parties })
}
