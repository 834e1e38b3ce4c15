//! A running node: the core on a thread of its own, the journal on another, and around them the link to the peers,
//! the officers' console and the planners' interface.
//!
//! The five types to know:
//! - [`Folder`]: a node's folder on disk, made by `hotline init` and `hotline pair`.
//! - [`Config`]: what its `node.toml` says.
//! - [`Node`]: the running node.
//! - [`Introduction`]: what one party hands to another before they can speak.
//! - [`Clock`]: real time, or time that runs faster, for recordings.
//!
//! ```no_run
//! # async fn run() -> Result<(), hotline_node::NodeError> {
//! let folder = hotline_node::Folder::open("./blue", "the passphrase of its keys")?;
//! let node = hotline_node::Node::start(folder, hotline_node::Clock::real()).await?;
//! println!("console on http://{}", node.console_address());
//! node.stop().await;
//! # Ok(())
//! # }
//! ```

mod api;
mod carried;
mod carrier;
mod carrying;
mod catalogue;
mod clock;
mod config;
mod console;
mod deeds;
mod engine;
mod error;
mod evidence;
mod flooding;
mod folder;
mod http;
mod inbox;
mod introduction;
mod key_folder;
mod keys_at_rest;
mod lanes;
mod link;
#[cfg(test)]
mod link_tests;
mod node;
mod output;
mod persons;
mod pinned_tls;
mod planners;
mod recovery;
mod suppliers;
mod view;
mod view_line;

pub use api::{FlightInput, RestrictionInput, TrackInput, VolumeInput};
pub use carried::check_carried;
pub use catalogue::{Catalogue, FIRST_LANGUAGE, Phrase, PhraseKind, check_language};
pub use clock::Clock;
pub use config::{Config, PeerAddress, SuppliersConfig};
pub use deeds::{ChangeInput, DeedInput, WordsInput};
pub use error::NodeError;
pub use evidence::{WITHHOLDABLE, Wanted, export, export_from_folder};
pub use flooding::flood;
pub use folder::{Folder, NewSecrets};
pub use introduction::Introduction;
pub use key_folder::{
    AddedKey, drop_key, keep_key, list_keys, make_key, protect_key, revocation, use_node_key,
};
pub use keys_at_rest::{MIN_PASSPHRASE, MIN_PIN};
pub use node::Node;
pub use persons::{Listed, Persons};
pub use recovery::{open_journal, recover};
