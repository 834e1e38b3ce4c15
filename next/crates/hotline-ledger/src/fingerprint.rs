//! Fingerprints of root keys, as words to read over the phone.

use crate::LedgerError;
use bip39::Mnemonic;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

/// The first 128 bits of the SHA-256 of a root key, shown as 12 words of the BIP 39 English list (the last one
/// carries a checksum, so that a misheard word is usually caught by itself).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a key.
    pub fn of(key: &VerifyingKey) -> Self {
        let hash = Sha256::new().chain_update(b"hotline root key\n").chain_update(key.as_bytes()).finalize();
        Self(hash[..16].try_into().expect("a SHA-256 has 32 bytes"))
    }

    /// Twelve words, separated by spaces.
    pub fn words(&self) -> String {
        let mnemonic = Mnemonic::from_entropy(&self.0).expect("16 bytes are a valid length");
        mnemonic.words().collect::<Vec<_>>().join(" ")
    }

    /// Compares words as heard on the phone, in any case and spacing, with the right ones.
    ///
    /// # Errors
    /// [`LedgerError::WordCount`] unless there are twelve, [`LedgerError::Word`] for the first wrong one.
    pub fn check_words(&self, said: &str) -> Result<(), LedgerError> {
        let said: Vec<String> = said.split_whitespace().map(str::to_lowercase).collect();
        if said.len() != 12 {
            return Err(LedgerError::WordCount(said.len()));
        }
        let right = self.words();
        match right.split(' ').zip(&said).position(|(right, said)| right != said) {
            Some(i) => Err(LedgerError::Word { position: i + 1, said: said[i].clone() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_word_is_named() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[3; 32]).verifying_key();
        let print = Fingerprint::of(&key);
        let mut words: Vec<String> = print.words().split(' ').map(str::to_owned).collect();
        assert!(print.check_words(&words.join("  ").to_uppercase()).is_ok());
        words[4] = if words[4] == "abandon" { "zoo".into() } else { "abandon".into() };
        let heard = words.join(" ");
        assert_eq!(print.check_words(&heard), Err(LedgerError::Word { position: 5, said: words[4].clone() }));
        assert_eq!(print.check_words("one two"), Err(LedgerError::WordCount(2)));
    }
}
