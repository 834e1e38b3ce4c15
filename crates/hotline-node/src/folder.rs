//! A node's folder: keys, configuration, rulebook, peers' introductions, journal.
//!
//! ```text
//! node.toml          configuration          rulebook.toml     the rulebook
//! keys/root.key      keys/node.key          keys/officer-N.key (secret: mode 0600)
//! introduction.toml  to be handed to peers  peers/NAME.toml   their introductions
//! api-token          for planners' systems (secret)           journal.redb
//! ```

use crate::{Config, Introduction, NodeError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hotline_ledger::{Certificate, Fingerprint, PartyName, Role, SigningKey};
use hotline_line::{LineConfig, OwnKeys, PeerKeys, Rulebook};
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How long certificates of a new node are valid.
const VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 365 * 5);

/// A node's folder, read and checked.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Its rulebook.
    pub rulebook: Rulebook,
    /// Its keys.
    pub own: OwnKeys,
    /// Its peers, with their addresses.
    pub peers: Vec<(PeerKeys, std::net::SocketAddr)>,
    /// What planners' systems must show.
    pub api_token: String,
}

fn random<const N: usize>() -> Result<[u8; N], NodeError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NodeError::Random)?;
    Ok(bytes)
}

/// Writes a file that only its owner can read, and never over an existing one.
fn write_secret(path: &Path, content: &str) -> Result<(), NodeError> {
    let options = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = options.map_err(NodeError::file(path))?;
    file.write_all(content.as_bytes()).and_then(|()| file.sync_all()).map_err(NodeError::file(path))
}

fn write(path: &Path, content: &str) -> Result<(), NodeError> {
    fs::write(path, content).map_err(NodeError::file(path))
}

fn read(path: &Path) -> Result<String, NodeError> {
    fs::read_to_string(path).map_err(NodeError::file(path))
}

fn read_key(path: &Path) -> Result<SigningKey, NodeError> {
    let bytes = STANDARD.decode(read(path)?.trim()).map_err(|e| NodeError::content(path, e))?;
    let bytes: [u8; 32] =
        bytes.try_into().map_err(|_| NodeError::content(path, "a secret key has 32 bytes"))?;
    Ok(SigningKey::from_bytes(&bytes))
}

fn new_key(path: &Path) -> Result<SigningKey, NodeError> {
    let secret = random::<32>()?;
    write_secret(path, &format!("{}\n", STANDARD.encode(secret)))?;
    Ok(SigningKey::from_bytes(&secret))
}

impl Folder {
    /// Makes a new node: keys, certificates, configuration, a rulebook to be agreed on, and the introduction.
    ///
    /// # Errors
    /// When the folder has a node already, or cannot be written.
    pub fn init(
        path: impl Into<PathBuf>,
        config: &Config,
        rulebook: &str,
        now: Timestamp,
    ) -> Result<Fingerprint, NodeError> {
        let path = path.into();
        if path.join("node.toml").exists() || path.join("keys").exists() {
            return Err(NodeError::Exists(path));
        }
        let party = PartyName::new(&config.party)?;
        let toml = toml::to_string(config).map_err(|e| NodeError::content(path.join("node.toml"), e))?;
        Config::from_toml(&toml).map_err(|why| NodeError::content(path.join("node.toml"), why))?;
        Rulebook::from_toml(rulebook)?;
        for folder in [path.clone(), path.join("keys"), path.join("peers")] {
            fs::create_dir_all(&folder).map_err(NodeError::file(folder))?;
        }
        let root = new_key(&path.join("keys/root.key"))?;
        let node = new_key(&path.join("keys/node.key"))?;
        let mut keys = PeerKeys::new(party.clone(), root.verifying_key());
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let mut certify = |key: &SigningKey, role, holder: &str| {
            let certificate = Certificate {
                party: party.clone(),
                role,
                holder: holder.to_owned(),
                key: key.verifying_key(),
                // Peers' clocks, and the past of a recording, may be behind ours.
                not_before: Timestamp::UNIX_EPOCH,
                not_after: now.saturating_add(VALIDITY).unwrap_or(now),
            };
            keys.certify(certificate.sign(&root).bytes())
        };
        certify(&node, Role::Node, "node")?;
        for (i, officer) in config.officers.iter().enumerate() {
            let key = new_key(&path.join(format!("keys/officer-{}.key", i + 1)))?;
            certify(&key, Role::Officer, officer)?;
        }
        let introduction = Introduction::new(&keys, config.reachable.unwrap_or(config.link));
        write_secret(&path.join("api-token"), &format!("{}\n", hex(&random::<32>()?)))?;
        write(&path.join("rulebook.toml"), rulebook)?;
        write(&path.join("introduction.toml"), &introduction.to_toml())?;
        write(&path.join("node.toml"), &toml)?;
        Ok(Fingerprint::of(keys.root()))
    }

    /// Takes in a peer's introduction, after its words were compared with those heard on the phone.
    ///
    /// # Errors
    /// When the introduction is not valid, a word is wrong, or the rulebook does not know the party. Nothing is
    /// changed then.
    pub fn pair(path: &Path, introduction: &Path, words: &str) -> Result<PartyName, NodeError> {
        let text = read(introduction)?;
        let (peer, keys) = Introduction::read(&text, introduction)?;
        Fingerprint::of(keys.root()).check_words(words)?;
        let rulebook = Rulebook::from_toml(&read(&path.join("rulebook.toml"))?)?;
        if !rulebook.parties.contains(&peer.party) {
            let why = format!(
                "party {} is not in the rulebook, whose parties are {:?}",
                peer.party, rulebook.parties
            );
            return Err(NodeError::content(introduction, why));
        }
        write(&path.join("peers").join(format!("{}.toml", peer.party)), &text)?;
        Ok(keys.party().clone())
    }

    /// Reads a node's folder.
    ///
    /// # Errors
    /// Naming the file and what is wrong with it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, NodeError> {
        let path = path.into();
        let file = path.join("node.toml");
        let config = Config::from_toml(&read(&file)?).map_err(|why| NodeError::content(&file, why))?;
        let rulebook = Rulebook::from_toml(&read(&path.join("rulebook.toml"))?)?;
        let file = path.join("introduction.toml");
        let (_, known) = Introduction::read(&read(&file)?, &file)?;
        let node = read_key(&path.join("keys/node.key"))?;
        let officers =
            (1..=config.officers.len()).map(|i| read_key(&path.join(format!("keys/officer-{i}.key"))));
        let own = OwnKeys { officers: officers.collect::<Result<_, _>>()?, known, node };
        if !own.known.node_keys().any(|k| k == own.node.verifying_key())
            || own.known.party().as_str() != config.party
        {
            return Err(NodeError::content(
                path.join("introduction.toml"),
                "it is not for this node's key and party",
            ));
        }
        let mut peers = Vec::new();
        for party in rulebook.parties.iter().filter(|p| **p != config.party) {
            let file = path.join("peers").join(format!("{party}.toml"));
            if !file.exists() {
                return Err(NodeError::NotPaired(party.clone()));
            }
            let (introduction, keys) = Introduction::read(&read(&file)?, &file)?;
            let other = config.peer.iter().find(|p| p.party == *party).map(|p| p.address);
            peers.push((keys, other.unwrap_or(introduction.address)));
        }
        let api_token = read(&path.join("api-token"))?.trim().to_owned();
        Ok(Self { path, config, rulebook, own, peers, api_token })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its journal is.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.redb")
    }

    /// What the line needs of it.
    pub fn line_config(&self) -> LineConfig {
        LineConfig {
            rulebook: self.rulebook.clone(),
            own: self.own.clone(),
            peers: self.peers.iter().map(|(keys, _)| keys.clone()).collect(),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
