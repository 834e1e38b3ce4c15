//! A node's folder: keys, configuration, rulebook, peers' introductions, journal.
//!
//! ```text
//! node.toml          configuration          rulebook.toml     the rulebook that the line begins with
//! keys/root.pem      keys/node.pem          encrypted with the passphrase
//! keys/officer-N.pem keys/supervisor-N.pem  each encrypted with its holder's PIN
//! introduction.toml  to be handed to peers  peers/NAME.toml   their introductions
//! contacts.toml      how the others are reached when the line is down, for the call sheet
//! api-token          for planners' systems (secret)           journal.redb
//! phrases/xx.ftl     further languages of the phrase catalogue
//! handed-over/       evidence that was handed over while the node did not run, still to be said
//! restored           put here by `hotline restore`: the node listens to all members before it speaks
//! ```

use crate::keys_at_rest::{MIN_PASSPHRASE, MIN_PIN, new_key, random, read_key, write_secret};
use crate::output::hex;
use crate::persons::Listed;
use crate::{Config, Introduction, NodeError};
use hotline_ledger::{Certificate, Fingerprint, KeyId, KeyRing, PartyName, Role, SigningKey};
use hotline_line::{Body, Handover, LineConfig, OwnKeys, Rulebook};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fs;
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
    /// Its persons on watch.
    pub persons: Vec<Listed>,
    /// Its peers, with their addresses.
    pub peers: Vec<(KeyRing, std::net::SocketAddr)>,
    /// What planners' systems must show.
    pub api_token: String,
}

fn write(path: &Path, content: &str) -> Result<(), NodeError> {
    fs::write(path, content).map_err(NodeError::file(path))
}

fn read(path: &Path) -> Result<String, NodeError> {
    fs::read_to_string(path).map_err(NodeError::file(path))
}

const NO_CONTACTS: &str = "# How the other parties are reached when the line is down: printed on the call sheet.\n#\n# [[contact]]\n# party = \"green\"\n# who = \"duty officer\"\n# how = \"telephone\"\n# at = \"+00 000 000000\"\n# languages = \"ru en\"\n";

/// What protects the keys of a new node.
#[derive(Clone)]
pub struct NewSecrets {
    /// Encrypts the root key and the node key.
    pub passphrase: String,
    /// Each officer's PIN, in the order of the configuration.
    pub officer_pins: Vec<String>,
    /// Each supervisor's PIN.
    pub supervisor_pins: Vec<String>,
}

impl std::fmt::Debug for NewSecrets {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewSecrets")
    }
}

impl NewSecrets {
    fn check(&self, config: &Config) -> Result<(), NodeError> {
        let refuse = |why: String| Err(NodeError::Secret(why));
        if self.passphrase.chars().count() < MIN_PASSPHRASE {
            return refuse(format!("a passphrase has at least {MIN_PASSPHRASE} characters"));
        }
        let pins = self.officer_pins.iter().chain(&self.supervisor_pins);
        if pins.clone().any(|pin| pin.chars().count() < MIN_PIN) {
            return refuse(format!("a PIN has at least {MIN_PIN} characters"));
        }
        if self.officer_pins.len() != config.officers.len()
            || self.supervisor_pins.len() != config.supervisors.len()
        {
            return refuse(format!(
                "one PIN for each of {} officers and {} supervisors is needed",
                config.officers.len(),
                config.supervisors.len()
            ));
        }
        Ok(())
    }
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
        secrets: &NewSecrets,
        now: Timestamp,
    ) -> Result<Fingerprint, NodeError> {
        let path = path.into();
        let toml = Self::check_new(&path, config, rulebook)?;
        let party = PartyName::new(&config.party)?;
        secrets.check(config)?;
        for folder in [path.clone(), path.join("keys"), path.join("peers")] {
            fs::create_dir_all(&folder).map_err(NodeError::file(folder))?;
        }
        let root = new_key(&key_file(&path, "root"), &secrets.passphrase)?;
        let node = new_key(&key_file(&path, "node"), &secrets.passphrase)?;
        let mut keys = KeyRing::new(party.clone(), root.verifying_key());
        let mut certify = |key: &SigningKey, role, holder: &str| {
            let certificate = new_certificate(&party, key, role, holder, now);
            keys.introduce(certificate.sign(&root).bytes())
        };
        certify(&node, Role::Node, "node")?;
        let persons = [(Role::Officer, &secrets.officer_pins), (Role::Supervisor, &secrets.supervisor_pins)];
        for (role, pins) in persons {
            for (i, pin) in pins.iter().enumerate() {
                let holder = format!("{}-{}", role.as_str(), i + 1);
                let key = new_key(&key_file(&path, &holder), pin)?;
                certify(&key, role, &holder)?;
            }
        }
        let introduction = Introduction::new(&keys, config.reachable.unwrap_or(config.link));
        write_secret(&path.join("api-token"), &format!("{}\n", hex(&random::<32>()?)))?;
        write(&path.join("rulebook.toml"), rulebook)?;
        write(&path.join("introduction.toml"), &introduction.to_toml())?;
        write(&path.join("contacts.toml"), NO_CONTACTS)?;
        write(&path.join("node.toml"), &toml)?;
        Ok(Fingerprint::of(keys.root()))
    }

    /// Whether a new node can be made there with this configuration and rulebook. Gives its `node.toml`.
    ///
    /// # Errors
    /// When the folder has a node already, or with what is wrong.
    pub fn check_new(path: &Path, config: &Config, rulebook: &str) -> Result<String, NodeError> {
        if path.join("node.toml").exists() || path.join("keys").exists() {
            return Err(NodeError::Exists(path.to_owned()));
        }
        PartyName::new(&config.party)?;
        let toml = toml::to_string(config).map_err(|e| NodeError::content(path.join("node.toml"), e))?;
        Config::from_toml(&toml).map_err(|why| NodeError::content(path.join("node.toml"), why))?;
        Rulebook::from_toml(rulebook)?;
        Ok(toml)
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
    pub fn open(path: impl Into<PathBuf>, passphrase: &str) -> Result<Self, NodeError> {
        let path = path.into();
        let file = path.join("node.toml");
        let config = Config::from_toml(&read(&file)?).map_err(|why| NodeError::content(&file, why))?;
        let rulebook = Rulebook::from_toml(&read(&path.join("rulebook.toml"))?)?;
        let file = path.join("introduction.toml");
        let (_, known) = Introduction::read(&read(&file)?, &file)?;
        let node = read_key(&key_file(&path, &config.node_key), passphrase)?;
        let persons = persons(&path, &config, &known)?;
        let names: BTreeMap<KeyId, String> = persons.iter().map(|p| (p.key, p.name.clone())).collect();
        let own = OwnKeys { known, node, names };
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
        Ok(Self { path, config, rulebook, own, persons, peers, api_token })
    }

    /// What a client of the running node needs: its configuration and the planners' token. No key is read.
    ///
    /// # Errors
    /// Naming the file and what is wrong with it.
    pub fn look(path: &Path) -> Result<(Config, String), NodeError> {
        let file = path.join("node.toml");
        let config = Config::from_toml(&read(&file)?).map_err(|why| NodeError::content(&file, why))?;
        Ok((config, read(&path.join("api-token"))?.trim().to_owned()))
    }

    /// Marks a folder that was restored from a copy.
    ///
    /// # Errors
    /// When there is no node in it, or it cannot be written.
    pub fn mark_restored(path: &Path) -> Result<(), NodeError> {
        Self::look(path)?;
        write(&path.join("restored"), "The node listens to all members before it speaks.\n")
    }

    /// The mark of a folder that was restored from a copy.
    pub fn restored_mark(&self) -> PathBuf {
        self.path.join("restored")
    }

    fn handovers(&self) -> PathBuf {
        self.path.join("handed-over")
    }

    /// Keeps that evidence was handed over while the node did not run, to be said on the line when it does.
    pub(crate) fn note_handover(&self, handover: &Handover) -> Result<(), NodeError> {
        let folder = self.handovers();
        fs::create_dir_all(&folder).map_err(NodeError::file(&folder))?;
        let path = folder.join(hex(&handover.hash.0));
        let bytes = Body::Handover(handover.clone())
            .encode(&mut |_, _| unreachable!("a handover has no sealed field"));
        fs::write(&path, bytes).map_err(NodeError::file(path))
    }

    /// What was handed over and has not been said, and the file of each.
    pub(crate) fn handovers_to_say(&self) -> Result<Vec<(PathBuf, Handover)>, NodeError> {
        let folder = self.handovers();
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for entry in fs::read_dir(&folder).map_err(NodeError::file(&folder))? {
            let path = entry.map_err(NodeError::file(&folder))?.path();
            let bytes = fs::read(&path).map_err(NodeError::file(&path))?;
            match Body::decode("handover", &bytes, &hotline_ledger::Openings::default()) {
                Ok(Body::Handover(handover)) => all.push((path, handover)),
                Ok(_) => {}
                Err(e) => return Err(NodeError::content(path, e)),
            }
        }
        Ok(all)
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
            restored: self.restored_mark().exists(),
        }
    }
}

/// A certificate of a key made here.
pub(crate) fn new_certificate(
    party: &PartyName,
    key: &SigningKey,
    role: Role,
    holder: &str,
    now: Timestamp,
) -> Certificate {
    Certificate {
        party: party.clone(),
        role,
        holder: holder.to_owned(),
        key: key.verifying_key(),
        // Peers' clocks, and the past of a recording, may be behind ours.
        not_before: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::from_second(now.saturating_add(VALIDITY).unwrap_or(now).as_second())
            .unwrap_or(now),
    }
}

/// The file of a key.
pub(crate) fn key_file(path: &Path, holder: &str) -> PathBuf {
    path.join(format!("keys/{holder}.pem"))
}

/// The persons whose keys are in the folder.
fn persons(path: &Path, config: &Config, known: &KeyRing) -> Result<Vec<Listed>, NodeError> {
    let mut listed = Vec::new();
    for (role, names) in [(Role::Officer, &config.officers), (Role::Supervisor, &config.supervisors)] {
        for (i, name) in names.iter().enumerate() {
            let holder = format!("{}-{}", role.as_str(), i + 1);
            let certificate = known.certificates().map(|(c, _)| c).find(|c| c.certificate().holder == holder);
            let certificate = certificate.ok_or_else(|| {
                NodeError::content(path.join("introduction.toml"), format!("{holder} is not certified in it"))
            })?;
            let pem = read(&key_file(path, &holder))?;
            listed.push(Listed { holder, name: name.clone(), role, key: certificate.key_id(), pem });
        }
    }
    Ok(listed)
}
