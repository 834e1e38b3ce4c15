//! Signed heads of ledgers (C2SP tlog-checkpoint) and peers' receipts for them (C2SP tlog-cosignature v1).

use crate::{LedgerError, LineName, PartyName, SigningKey, VerifyingKey};
use ed25519_dalek::{Signature, Signer as _};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use signed_note::{Note, Signer, VerificationError, Verifier, Verifiers};
use tlog_tiles::tlog::Hash;

const WHAT: &str = "a checkpoint";
const MAX_BYTES: usize = 8 * 1024;
/// Signature types of C2SP signed notes.
const ED25519: u8 = 0x01;
const COSIGNATURE_V1: u8 = 0x04;

/// The origin line of a party's ledger on a line; it is also the name of the key that signs its heads.
pub fn origin(line: &LineName, party: &PartyName) -> String {
    format!("hotline/{line}/{party}")
}

/// A key as signed notes name it: name, four-byte identifier, and how it signs.
struct NoteKey {
    name: String,
    kind: u8,
    public: VerifyingKey,
    secret: Option<(SigningKey, Timestamp)>,
}

impl NoteKey {
    fn id(&self) -> u32 {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.kind])
            .chain_update(self.public.as_bytes())
            .finalize();
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    /// What a cosignature signs: a header, the time, and the checkpoint.
    fn cosigned(time: u64, message: &[u8]) -> Vec<u8> {
        [format!("cosignature/v1\ntime {time}\n").as_bytes(), message].concat()
    }
}

impl Signer for NoteKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        let (key, time) = self.secret.as_ref().ok_or_else(ed25519_dalek::SignatureError::new)?;
        if self.kind == ED25519 {
            return Ok(key.sign(message).to_vec());
        }
        let time = u64::try_from(time.as_second()).unwrap_or(0);
        let signature = key.sign(&Self::cosigned(time, message));
        Ok([&time.to_be_bytes()[..], &signature.to_bytes()].concat())
    }
}

impl Verifier for NoteKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let checks = |message: &[u8], signature: &[u8]| {
            Signature::from_slice(signature).is_ok_and(|s| self.public.verify_strict(message, &s).is_ok())
        };
        if self.kind == ED25519 {
            return checks(message, signature);
        }
        match signature.split_first_chunk::<8>() {
            Some((time, signature)) => checks(&Self::cosigned(u64::from_be_bytes(*time), message), signature),
            None => false,
        }
    }
}

struct One<'a>(&'a NoteKey);

impl Verifiers for One<'_> {
    fn verifier(&self, name: &str, id: u32) -> Result<&dyn Verifier, VerificationError> {
        if name == self.0.name && id == self.0.id() {
            return Ok(self.0);
        }
        Err(VerificationError::UnknownKey { name: name.to_owned(), id })
    }
}

fn note_key(name: String, kind: u8, public: VerifyingKey) -> NoteKey {
    NoteKey { name, kind, public, secret: None }
}

/// A head of a ledger whose signature by the ledger's party has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The signed note.
    pub note: Vec<u8>,
    /// How many statements it covers.
    pub size: u64,
    /// The root of the tree over them.
    pub root: [u8; 32],
}

impl Checkpoint {
    /// Signs a head with the party's node key.
    pub fn sign(origin: &str, size: u64, root: [u8; 32], key: &SigningKey) -> Self {
        let text = tlog_tiles::Checkpoint::new(origin, size, Hash(root), "").expect("an origin is not empty");
        let mut note = Note::new(&text.to_bytes(), &[]).expect("a checkpoint is a well-formed text");
        let signer = NoteKey {
            name: origin.to_owned(),
            kind: ED25519,
            public: key.verifying_key(),
            secret: Some((key.clone(), Timestamp::UNIX_EPOCH)),
        };
        note.add_sigs(&[&signer]).expect("names of parties and lines are valid key names");
        Self { note: note.to_bytes(), size, root }
    }

    /// How many statements a note says it covers, and under which root, without looking at who has signed it.
    ///
    /// # Errors
    /// When malformed, of another origin, or not in its one encoding.
    pub fn glance(note: &[u8], origin: &str) -> Result<(u64, [u8; 32]), LedgerError> {
        read(note, origin).map(|(_, checkpoint)| (checkpoint.size, checkpoint.root))
    }

    /// Reads a head and checks that `key` signed it for `origin`.
    ///
    /// # Errors
    /// When malformed, of another origin, not in its one encoding, or not so signed.
    pub fn open(note: &[u8], origin: &str, key: &VerifyingKey) -> Result<Self, LedgerError> {
        let (parsed, checkpoint) = read(note, origin)?;
        parsed
            .verify(&One(&note_key(origin.to_owned(), ED25519, *key)))
            .map_err(|_| LedgerError::Signature(WHAT))?;
        Ok(checkpoint)
    }
}

fn read(note: &[u8], origin: &str) -> Result<(Note, Checkpoint), LedgerError> {
    if note.len() > MAX_BYTES {
        return Err(LedgerError::TooLarge { what: WHAT, size: note.len(), limit: MAX_BYTES });
    }
    let parsed = Note::from_bytes(note).map_err(|e| LedgerError::malformed(WHAT, e))?;
    let text =
        tlog_tiles::Checkpoint::from_bytes(parsed.text()).map_err(|e| LedgerError::malformed(WHAT, e))?;
    if text.origin() != origin {
        let why = format!("its origin is {:?}, not {origin:?}", text.origin());
        return Err(LedgerError::malformed(WHAT, why));
    }
    if parsed.to_bytes() != note || text.to_bytes() != parsed.text() {
        return Err(LedgerError::NotCanonical(WHAT));
    }
    let checkpoint = Checkpoint { note: note.to_vec(), size: text.size(), root: text.hash().0 };
    Ok((parsed, checkpoint))
}

/// A peer's proof that it holds a ledger up to a head, and that this extends all it held before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The head with the peer's cosignature.
    pub note: Vec<u8>,
    /// How many statements it covers.
    pub size: u64,
    /// The root of the tree over them.
    pub root: [u8; 32],
    /// When the peer signed it, by its clock, to the second.
    pub time: Timestamp,
}

/// Cosigns a head that one has checked against one's own copy. The key is named by the cosigner's own origin.
pub fn cosign(checkpoint: &Checkpoint, cosigner: &str, key: &SigningKey, time: Timestamp) -> Receipt {
    let mut note = Note::from_bytes(&checkpoint.note).expect("it was read as a note before");
    let signer = NoteKey {
        name: cosigner.to_owned(),
        kind: COSIGNATURE_V1,
        public: key.verifying_key(),
        secret: Some((key.clone(), time)),
    };
    note.add_sigs(&[&signer]).expect("names of parties and lines are valid key names");
    let time = Timestamp::from_second(time.as_second().max(0)).expect("a second of a valid instant");
    Receipt { note: note.to_bytes(), size: checkpoint.size, root: checkpoint.root, time }
}

impl Receipt {
    /// Reads a receipt: a head of `origin` signed by `key` and cosigned by `cosigner_key` under `cosigner`.
    ///
    /// # Errors
    /// When malformed, of another origin, or either signature is missing or wrong.
    pub fn open(
        note: &[u8],
        origin: &str,
        key: &VerifyingKey,
        cosigner: &str,
        cosigner_key: &VerifyingKey,
    ) -> Result<Self, LedgerError> {
        let (parsed, checkpoint) = read(note, origin)?;
        let wrong = |_| LedgerError::Signature("a receipt");
        parsed.verify(&One(&note_key(origin.to_owned(), ED25519, *key))).map_err(wrong)?;
        let (signatures, _) = parsed
            .verify(&One(&note_key(cosigner.to_owned(), COSIGNATURE_V1, *cosigner_key)))
            .map_err(wrong)?;
        let time = signatures[0].signature().first_chunk::<8>().map_or(0, |t| u64::from_be_bytes(*t));
        let time = i64::try_from(time).ok().and_then(|t| Timestamp::from_second(t).ok());
        let time =
            time.ok_or_else(|| LedgerError::malformed("a receipt", "its time is not of this calendar"))?;
        Ok(Self { note: checkpoint.note, size: checkpoint.size, root: checkpoint.root, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_cosigned_and_every_bent_byte_found() {
        let (ours, theirs) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let (us, them) = ("hotline/valley/blue", "hotline/valley/green");
        let head = Checkpoint::sign(us, 42, [7; 32], &ours);
        assert_eq!(Checkpoint::open(&head.note, us, &ours.verifying_key()), Ok(head.clone()));
        assert!(Checkpoint::open(&head.note, them, &ours.verifying_key()).is_err());
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let receipt = cosign(&head, them, &theirs, at);
        let open =
            |note: &[u8]| Receipt::open(note, us, &ours.verifying_key(), them, &theirs.verifying_key());
        assert_eq!(open(&receipt.note), Ok(receipt.clone()));
        assert!(open(&head.note).is_err(), "a head alone is no receipt");
        for i in 0..receipt.note.len() {
            let mut bent = receipt.note.clone();
            bent[i] ^= 1;
            assert!(open(&bent).is_err(), "byte {i}");
        }
    }
}
