//! Secret keys in files: PKCS #8 (RFC 5958), encrypted by PBES2 with scrypt and AES-256 (RFC 8018, RFC 7914), as PEM, so that
//! `openssl pkey` reads them too.

use crate::NodeError;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use hotline_ledger::SigningKey;
use pkcs8::{EncryptedPrivateKeyInfo, LineEnding, PrivateKeyInfo, SecretDocument};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// scrypt's cost, 2 to the power of it: 32 MiB and about a tenth of a second for each try.
const SCRYPT_LOG_N: u8 = 15;
const LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// The shortest passphrase, and the shortest PIN.
pub const MIN_PASSPHRASE: usize = 8;
/// See [`MIN_PASSPHRASE`].
pub const MIN_PIN: usize = 4;

pub(crate) fn random<const N: usize>() -> Result<[u8; N], NodeError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NodeError::Random)?;
    Ok(bytes)
}

/// Writes a file that only its owner can read, and never over an existing one.
pub(crate) fn write_secret(path: &Path, content: &str) -> Result<(), NodeError> {
    let options = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = options.map_err(NodeError::file(path))?;
    file.write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(NodeError::file(path))
}

/// Makes a new key and keeps it in a file, encrypted with a passphrase or PIN.
pub(crate) fn new_key(path: &Path, secret: &str) -> Result<SigningKey, NodeError> {
    let key = SigningKey::from_bytes(&random::<32>()?);
    write_secret(path, &encrypted(path, &key, secret)?)?;
    Ok(key)
}

/// Keeps a key encrypted with another secret, in the place of its file.
pub(crate) fn protect(path: &Path, key: &SigningKey, secret: &str) -> Result<(), NodeError> {
    let new = path.with_extension("new");
    // What an earlier try has left there is of no use.
    _ = fs::remove_file(&new);
    write_secret(&new, &encrypted(path, key, secret)?)?;
    fs::rename(&new, path).map_err(NodeError::file(path))
}

fn encrypted(path: &Path, key: &SigningKey, secret: &str) -> Result<String, NodeError> {
    let wrong = |e: pkcs8::Error| NodeError::content(path, e);
    let plain = key.to_pkcs8_der().map_err(|e| NodeError::content(path, e))?;
    let info = PrivateKeyInfo::try_from(plain.as_bytes()).map_err(wrong)?;
    let (salt, iv) = (random::<16>()?, random::<16>()?);
    let cost =
        pkcs8::pkcs5::scrypt::Params::new(SCRYPT_LOG_N, 8, 1, 32).map_err(|e| NodeError::content(path, e))?;
    let scheme = pkcs8::pkcs5::pbes2::Parameters::scrypt_aes256cbc(cost, &salt, &iv)
        .map_err(|e| NodeError::content(path, e))?;
    let encrypted: SecretDocument = info.encrypt_with_params(scheme, secret).map_err(wrong)?;
    let pem = encrypted.to_pem(LABEL, LineEnding::LF).map_err(|e| NodeError::content(path, e))?;
    Ok(pem.to_string())
}

/// Reads a key. A wrong passphrase or PIN is told from a damaged file.
pub(crate) fn read_key(path: &Path, secret: &str) -> Result<SigningKey, NodeError> {
    let pem = fs::read_to_string(path).map_err(NodeError::file(path))?;
    open_key(&pem, secret).map_err(|why| NodeError::content(path, why))
}

/// Opens a key that was read from its file.
pub(crate) fn open_key(pem: &str, secret: &str) -> Result<SigningKey, String> {
    let (label, document) = SecretDocument::from_pem(pem).map_err(|e| format!("it is not PEM: {e}"))?;
    if label != LABEL {
        return Err(format!("it holds a {label}, an {LABEL} is expected"));
    }
    let info = EncryptedPrivateKeyInfo::try_from(document.as_bytes())
        .map_err(|e| format!("it is not an encrypted PKCS #8 key: {e}"))?;
    let plain = info.decrypt(secret).map_err(|_| "the passphrase or PIN is wrong".to_owned())?;
    SigningKey::from_pkcs8_der(plain.as_bytes()).map_err(|e| format!("it is not an Ed25519 key: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_with_its_passphrase_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.pem");
        let key = new_key(&path, "correct horse").unwrap();
        assert_eq!(read_key(&path, "correct horse").unwrap().to_bytes(), key.to_bytes());
        assert!(read_key(&path, "wrong").unwrap_err().to_string().contains("passphrase or PIN is wrong"));
        assert!(new_key(&path, "again").is_err(), "never over an existing one");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
