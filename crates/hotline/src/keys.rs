//! `hotline key`: a node's keys, from their making to their end; and `hotline restore`.

use crate::Outcome;
use crate::client::Client;
use crate::say;
use crate::secrets::{PassphraseFile, ask, ask_twice, first_line};
use clap::{Args, Subcommand};
use hotline_ledger::Role;
use hotline_node::{Folder, drop_key, keep_key, list_keys, make_key, protect_key, revocation, use_node_key};
use jiff::Timestamp;
use serde_json::json;
use std::path::PathBuf;

/// List, add, revoke and protect a node's keys.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline key list ./blue\n  hotline key add ./blue --officer 'Cpt. C. Brown'\n  hotline key revoke ./blue officer-2 --reason 'left the service'\n  hotline key protect ./blue officer-1\n\nThe node's own key is rotated in four steps, while the node runs but for the restart:\n  hotline key add ./blue --node\n  hotline key use ./blue node-2        (when the peers have given receipts: hotline status)\n  restart the node\n  hotline key revoke ./blue node --reason 'rotated'"
)]
pub(crate) struct Key {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List the keys
    List {
        /// The node's folder
        folder: PathBuf,
    },
    /// Make and certify a further key, and say so on the line: the node must run
    Add {
        /// The node's folder
        folder: PathBuf,
        /// For an officer of this name
        #[arg(long, group = "whose")]
        officer: Option<String>,
        /// For a supervisor of this name
        #[arg(long, group = "whose")]
        supervisor: Option<String>,
        /// For the node itself
        #[arg(long, group = "whose")]
        node: bool,
        /// A file with the new PIN; without it you are asked
        #[arg(long, value_name = "FILE")]
        pin_file: Option<PathBuf>,
        #[command(flatten)]
        passphrase: PassphraseFile,
    },
    /// Revoke a key, and say so on the line: from there on nothing by it counts
    Revoke {
        /// The node's folder
        folder: PathBuf,
        /// Which, such as officer-2
        key: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        passphrase: PassphraseFile,
    },
    /// From the next start on, sign with another node key
    Use {
        /// The node's folder
        folder: PathBuf,
        /// Which, such as node-2
        key: String,
    },
    /// Choose another PIN or passphrase for a key
    Protect {
        /// The node's folder
        folder: PathBuf,
        /// Which, such as officer-1, node or root
        key: String,
    },
}

impl Key {
    pub(crate) fn run(self) -> Outcome {
        let words = |e: hotline_node::NodeError| e.to_string();
        match self.what {
            What::List { folder } => {
                for (holder, role, id, until) in list_keys(&folder).map_err(words)? {
                    say!("{holder:16} {:10} {id}  valid to {until}", role.as_str());
                }
            }
            What::Add { folder, officer, supervisor, node, pin_file, passphrase } => {
                let (role, name) = match (officer, supervisor, node) {
                    (Some(name), _, _) => (Role::Officer, name),
                    (_, Some(name), _) => (Role::Supervisor, name),
                    (_, _, true) => (Role::Node, "node".into()),
                    _ => {
                        return Err("say whose key it is: --officer NAME, --supervisor NAME or --node".into());
                    }
                };
                // The node must run to say it: better to know before a key is made.
                let client = Client::of(&folder)?;
                client.get("/health")?;
                let passphrase = passphrase.read()?;
                let secret = match (role, &pin_file) {
                    (Role::Node, _) => passphrase.clone(),
                    (_, Some(path)) => first_line(path)?,
                    (_, None) => ask_twice(&format!("new PIN for {name}"), "--pin-file")?,
                };
                let added =
                    make_key(&folder, &passphrase, role, &name, &secret, Timestamp::now()).map_err(words)?;
                let told = json!({ "certificate": added.certificate_base64(), "name": added.name });
                if let Err(why) = client.post("/api/certify", &told) {
                    drop_key(&folder, &added).map_err(words)?;
                    return Err(format!("{why}: no key was added"));
                }
                keep_key(&folder, &added).map_err(words)?;
                say!("{} of {} is certified, and the line has been told", added.holder, added.name);
                say!("restart the node to use it");
            }
            What::Revoke { folder, key, reason, passphrase } => {
                let signed = revocation(&folder, &passphrase.read()?, &key, &reason).map_err(words)?;
                Client::of(&folder)?.post("/api/revoke", &json!({ "revocation": signed }))?;
                say!("{key} is revoked, and the line has been told");
            }
            What::Use { folder, key } => {
                use_node_key(&folder, &key).map_err(words)?;
                say!("from its next start on the node signs with {key}");
            }
            What::Protect { folder, key } => {
                let old = ask(&format!("old secret of {key}"), "a terminal")?;
                let new = ask_twice(&format!("new secret of {key}"), "a terminal")?;
                protect_key(&folder, &key, &old, &new).map_err(words)?;
                say!("{key} is protected anew");
            }
        }
        Ok(true)
    }
}

/// Mark a folder that was restored from a copy, so that the node asks the others what it has said since.
#[derive(Args)]
#[command(
    after_help = "Example:\n  cp -a /backup/blue ./blue && hotline restore ./blue && hotline node ./blue\n\nThe node then says nothing before every member has told it how much of its ledger they hold, and takes back what it lacks: it must not say other things under numbers that it has used."
)]
pub(crate) struct Restore {
    /// The node's folder
    folder: PathBuf,
}

impl Restore {
    pub(crate) fn run(self) -> Outcome {
        Folder::mark_restored(&self.folder).map_err(|e| e.to_string())?;
        say!(
            "{} is marked as restored: the node listens to all members before it speaks",
            self.folder.display()
        );
        Ok(true)
    }
}
