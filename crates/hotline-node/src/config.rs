//! A node's `node.toml`.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What a node's configuration says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The own party, as in the rulebook.
    pub party: String,
    /// Where the officers' console and the planners' interface listen: a loopback address.
    pub console: SocketAddr,
    /// Where the link listens for peers (UDP).
    pub link: SocketAddr,
    /// The address that peers are told in the introduction, when it is not the one listened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachable: Option<SocketAddr>,
    /// Which of its certified node keys the node signs with.
    #[serde(default = "first_node_key", skip_serializing_if = "is_first_node_key")]
    pub node_key: String,
    /// Names of the officers on this node, in the order of their keys.
    pub officers: Vec<String>,
    /// The supervisors, by name: they also sign what has weight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supervisors: Vec<String>,
    /// Other addresses for peers than those in their introductions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peer: Vec<PeerAddress>,
    /// A snapshot is taken after so many records.
    #[serde(default = "snapshot_every")]
    pub snapshot_every: u64,
    /// The party's UAS service suppliers, if they are joined to the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppliers: Option<SuppliersConfig>,
}

/// How a party's service suppliers are joined to the line: the node is one of them, at the party's DSS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuppliersConfig {
    /// Where this node listens for suppliers.
    pub listen: SocketAddr,
    /// Where suppliers reach that.
    pub base_url: String,
    /// The base URL of the party's DSS.
    pub dss: String,
    /// The node's name at the DSS, as in its tokens.
    pub name: String,
    /// The token endpoint of the party's authority.
    pub token_url: String,
    /// The node's client identifier there (OAuth 2.0 client credentials); left out for development token servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// A file with the client's secret, in the node's folder or absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// The authority's public keys, PEM files in the node's folder or absolute.
    pub public_keys: Vec<PathBuf>,
    /// What the `aud` of suppliers' tokens may be: this node's host name.
    pub audiences: Vec<String>,
    /// An authority to trust for https in place of this machine's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The airspace that is coordinated: rectangles `[south, west, north, east]` in degrees.
    pub areas: Vec<[f64; 4]>,
    /// Whether the interfaces for automated tests are served: for tests only.
    #[serde(default)]
    pub test_interfaces: bool,
    /// The priority that peers' flights have for the party's suppliers.
    #[serde(default)]
    pub priority: i64,
}

/// Where a peer is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerAddress {
    /// The peer.
    pub party: String,
    /// Its address.
    pub address: SocketAddr,
}

/// The node key of a new node.
pub(crate) fn first_node_key() -> String {
    "node".into()
}

fn is_first_node_key(name: &str) -> bool {
    name == "node"
}

fn snapshot_every() -> u64 {
    100_000
}

impl Config {
    /// The configuration of a new node: one officer after the other, no addresses but its own.
    pub fn new(party: &str, console: SocketAddr, link: SocketAddr) -> Self {
        Self {
            party: party.into(),
            console,
            link,
            reachable: None,
            node_key: first_node_key(),
            officers: vec!["Duty officer".into()],
            supervisors: vec![],
            peer: vec![],
            snapshot_every: snapshot_every(),
            suppliers: None,
        }
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        if !config.console.ip().is_loopback() {
            return Err(format!(
                "console = \"{}\": whoever reaches the console speaks for the party, so it must be a loopback address such as 127.0.0.1:7401",
                config.console
            ));
        }
        if config.officers.is_empty() || config.snapshot_every == 0 {
            return Err("officers needs at least one name, and snapshot_every must be above 0".into());
        }
        Ok(config)
    }
}
