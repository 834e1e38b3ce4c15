//! A file that is signed as a whole: a line of text that says what it is, then parts, the last of which is a signature over the
//! SHA-256 of everything before it. A part is its length in four bytes, big-endian, and that many bytes.

use hotline_ledger::{Root, SigningKey, sign_payload};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// What is signed: the hash of everything before the signature.
pub fn sealed_payload(hash: [u8; 32]) -> Vec<u8> {
    minicbor::to_vec(Root(hash)).expect("writing to memory")
}

/// Writes such a file, part by part.
#[derive(Debug)]
pub struct SealedWriter<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> SealedWriter<W> {
    /// Begins a file with its first line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut to: W, first_line: &str) -> io::Result<Self> {
        to.write_all(first_line.as_bytes())?;
        Ok(Self { to, hash: Sha256::new_with_prefix(first_line) })
    }

    /// Writes a part of less than 4 GiB.
    ///
    /// # Errors
    /// When it cannot be written, or is larger.
    pub fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?.to_be_bytes();
        self.hash.update(length);
        self.hash.update(bytes);
        self.to.write_all(&length)?;
        self.to.write_all(bytes)
    }

    /// Signs the whole for the purpose `what`; `last` makes the last part of the signature. Gives the hash that was signed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn seal(
        mut self,
        key: &SigningKey,
        what: &'static str,
        last: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> io::Result<[u8; 32]> {
        let hash = self.hash.clone().finalize().into();
        let signed = sign_payload(key, what, sealed_payload(hash));
        self.part(&last(signed))?;
        self.to.flush()?;
        Ok(hash)
    }
}

/// Reads such a file, part by part.
#[derive(Debug)]
pub struct SealedReader<R> {
    from: R,
    at: u64,
    hash: Sha256,
    largest: usize,
}

impl<R: Read> SealedReader<R> {
    /// Begins to read. Nothing when the first line is another. No part may be larger than `largest` bytes.
    pub fn open(mut from: R, first_line: &str, largest: usize) -> Option<Self> {
        let mut found = vec![0; first_line.len()];
        from.read_exact(&mut found).ok()?;
        let hash = Sha256::new_with_prefix(first_line);
        (found == first_line.as_bytes()).then_some(Self { from, at: found.len() as u64, hash, largest })
    }

    /// Goes on where a part begins, in a file that has been checked.
    pub(crate) fn resume(from: R, at: u64, largest: usize) -> Self {
        Self { from, at, hash: Sha256::new(), largest }
    }

    /// Where the next part begins.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next part.
    ///
    /// # Errors
    /// When the file ends before it, or it is too large.
    pub fn part(&mut self) -> Result<Vec<u8>, String> {
        let ends = |e: io::Error| format!("it ends before the signature over the whole: {e}");
        let mut length = [0; 4];
        self.from.read_exact(&mut length).map_err(ends)?;
        let size = u32::from_be_bytes(length) as usize;
        if size > self.largest {
            return Err(format!("a part of {size} bytes, at most {} are allowed", self.largest));
        }
        let mut bytes = vec![0; size];
        self.from.read_exact(&mut bytes).map_err(ends)?;
        self.at += 4 + size as u64;
        Ok(bytes)
    }

    /// The part that was read is one of those that the signature covers.
    pub fn cover(&mut self, part: &[u8]) {
        self.hash.update((part.len() as u32).to_be_bytes());
        self.hash.update(part);
    }

    /// The hash of all that was covered.
    pub fn hash(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// The signature has been read: nothing may follow it.
    ///
    /// # Errors
    /// When something does, or the file cannot be read.
    pub fn expect_nothing(&mut self) -> Result<(), String> {
        match self.from.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err("something follows the signature over the whole".into()),
            Err(e) => Err(e.to_string()),
        }
    }
}
