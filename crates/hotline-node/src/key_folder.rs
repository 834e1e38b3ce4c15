//! Keys that are added to a node, revoked, and protected anew: what `hotline key` does.

use crate::folder::{key_file, new_certificate};
use crate::keys_at_rest::{MIN_PASSPHRASE, MIN_PIN, new_key, protect, read_key};
use crate::{Config, Introduction, NodeError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hotline_ledger::{KeyId, KeyRing, Revocation, Role};
use jiff::Timestamp;
use std::fs;
use std::path::Path;

/// A key that was made and certified, still to be said on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedKey {
    /// Its designation, such as `officer-2`.
    pub holder: String,
    /// Who holds it.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The certificate by the root key.
    pub certificate: Vec<u8>,
}

impl AddedKey {
    /// The certificate as the node's interface takes it.
    pub fn certificate_base64(&self) -> String {
        STANDARD.encode(&self.certificate)
    }
}

fn read(path: &Path) -> Result<String, NodeError> {
    fs::read_to_string(path).map_err(NodeError::file(path))
}

/// Writes a file whole or not at all.
fn replace(path: &Path, content: &str) -> Result<(), NodeError> {
    let new = path.with_extension("new");
    fs::write(&new, content).and_then(|()| fs::rename(&new, path)).map_err(NodeError::file(path))
}

fn look(folder: &Path) -> Result<(Config, Introduction, KeyRing), NodeError> {
    let file = folder.join("node.toml");
    let config = Config::from_toml(&read(&file)?).map_err(|why| NodeError::content(&file, why))?;
    let file = folder.join("introduction.toml");
    let (introduction, keys) = Introduction::read(&read(&file)?, &file)?;
    Ok((config, introduction, keys))
}

/// The keys of a node: designation, role, identifier, and until when each is valid.
///
/// # Errors
/// Naming the file that is wrong.
pub fn list_keys(folder: &Path) -> Result<Vec<(String, Role, KeyId, Timestamp)>, NodeError> {
    let (_, _, keys) = look(folder)?;
    let of = |c: &hotline_ledger::SignedCertificate| {
        let held = c.certificate();
        (held.holder.clone(), held.role, c.key_id(), held.not_after)
    };
    Ok(keys.certificates().map(|(c, _)| of(c)).collect())
}

/// Makes a further key: its file, encrypted with `secret` (the passphrase for a node key, a PIN for a person's), and its
/// certificate. Once the line has been told of it, [`keep_key`] gives it its place in the folder; else [`drop_key`].
///
/// # Errors
/// When the passphrase is wrong or the folder cannot be written.
pub fn make_key(
    folder: &Path,
    passphrase: &str,
    role: Role,
    name: &str,
    secret: &str,
    now: Timestamp,
) -> Result<AddedKey, NodeError> {
    let (_, _, keys) = look(folder)?;
    let root = read_key(&key_file(folder, "root"), passphrase)?;
    let least = if role == Role::Node { MIN_PASSPHRASE } else { MIN_PIN };
    if secret.chars().count() < least {
        return Err(NodeError::Secret(format!("at least {least} characters are needed")));
    }
    if name.len() > 80 || name.trim().is_empty() || name.contains(char::is_control) {
        return Err(NodeError::Secret(format!("name {name:?}: 1 to 80 bytes on one line")));
    }
    let same = keys.certificates().filter(|(c, _)| c.certificate().role == role).count();
    let holder = format!("{}-{}", role.as_str(), same + 1);
    let key = new_key(&key_file(folder, &holder), secret)?;
    let certificate = new_certificate(keys.party(), &key, role, &holder, now).sign(&root);
    let certificate = certificate.bytes().to_vec();
    Ok(AddedKey { holder, role, name: name.to_owned(), certificate })
}

/// A key that the line has been told of takes its place in the folder.
///
/// # Errors
/// When the folder cannot be written.
pub fn keep_key(folder: &Path, added: &AddedKey) -> Result<(), NodeError> {
    let (mut config, mut introduction, _) = look(folder)?;
    introduction.add(&added.certificate);
    match added.role {
        Role::Officer => config.officers.push(added.name.clone()),
        Role::Supervisor => config.supervisors.push(added.name.clone()),
        // It is used once node.toml names it.
        Role::Node => {}
    }
    replace(&folder.join("introduction.toml"), &introduction.to_toml())?;
    write_config(folder, &config)
}

/// A key that the line could not be told of is no key.
///
/// # Errors
/// When its file cannot be removed.
pub fn drop_key(folder: &Path, added: &AddedKey) -> Result<(), NodeError> {
    let path = key_file(folder, &added.holder);
    fs::remove_file(&path).map_err(NodeError::file(path))
}

fn write_config(folder: &Path, config: &Config) -> Result<(), NodeError> {
    let path = folder.join("node.toml");
    let toml = toml::to_string(config).map_err(|e| NodeError::content(&path, e))?;
    replace(&path, &toml)
}

/// From the next start on the node signs with another of its certified node keys.
///
/// # Errors
/// When there is no such key.
pub fn use_node_key(folder: &Path, holder: &str) -> Result<(), NodeError> {
    let (mut config, _, keys) = look(folder)?;
    let known = keys
        .certificates()
        .any(|(c, _)| c.certificate().role == Role::Node && c.certificate().holder == holder);
    if !known || !key_file(folder, holder).exists() {
        let why =
            format!("there is no node key {holder} in this folder: make one with `hotline key add --node`");
        return Err(NodeError::content(folder.join("keys"), why));
    }
    config.node_key = holder.to_owned();
    write_config(folder, &config)
}

/// The revocation of a key by the root key, base64, to be said on the line.
///
/// # Errors
/// When the passphrase is wrong or there is no such key.
pub fn revocation(folder: &Path, passphrase: &str, holder: &str, reason: &str) -> Result<String, NodeError> {
    let (_, _, keys) = look(folder)?;
    let root = read_key(&key_file(folder, "root"), passphrase)?;
    let found = keys.certificates().find(|(c, _)| c.certificate().holder == holder);
    let Some((certificate, _)) = found else {
        let all: Vec<&str> = keys.certificates().map(|(c, _)| c.certificate().holder.as_str()).collect();
        let why = format!("there is no key {holder}: the keys are {}", all.join(", "));
        return Err(NodeError::content(folder.join("introduction.toml"), why));
    };
    let revocation =
        Revocation { party: keys.party().clone(), key: certificate.key_id(), reason: reason.to_owned() };
    Ok(STANDARD.encode(revocation.sign(&root)?))
}

/// Encrypts a key anew: another PIN or passphrase.
///
/// # Errors
/// When the old one is wrong, or the new one too short.
pub fn protect_key(folder: &Path, holder: &str, old: &str, new: &str) -> Result<(), NodeError> {
    let least = if holder == "root" || holder.starts_with("node") { MIN_PASSPHRASE } else { MIN_PIN };
    if new.chars().count() < least {
        return Err(NodeError::Secret(format!("at least {least} characters are needed")));
    }
    let path = key_file(folder, holder);
    let key = read_key(&path, old)?;
    protect(&path, &key, new)
}
