//! A node's folder and its keys, for the complete line: keys encrypted at rest, and persons on watch who unlock theirs with a PIN.
//!
//! The rest of the node is still the one in `../crates/hotline-node`, on the line before.

mod config;
mod error;
mod folder;
mod introduction;
mod keys_at_rest;
mod output;
mod persons;

pub use config::{Config, PeerAddress};
pub use error::NodeError;
pub use folder::{Folder, NewSecrets};
pub use introduction::Introduction;
pub use keys_at_rest::{MIN_PASSPHRASE, MIN_PIN};
pub use persons::{Listed, Persons};
