//! Passphrases and PINs: from a file, or asked for on the terminal; never from the command line, where others can read them.

use clap::Args;
use hotline_node::{Config, NewSecrets};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Where a passphrase comes from.
#[derive(Args, Clone)]
pub(crate) struct PassphraseFile {
    /// A file with the passphrase of the node's keys; without it you are asked
    #[arg(long, env = "HOTLINE_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

pub(crate) fn first_line(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Asks for something that is not shown while it is typed.
pub(crate) fn ask(what: &str, option: &str) -> Result<String, String> {
    if !std::io::stdin().is_terminal() {
        return Err(format!("{what} is needed: give it in a file with {option}, or run this in a terminal"));
    }
    rpassword::prompt_password(format!("{what}: ")).map_err(|e| e.to_string())
}

pub(crate) fn ask_twice(what: &str, option: &str) -> Result<String, String> {
    let first = ask(what, option)?;
    if first == ask(&format!("{what}, again"), option)? {
        return Ok(first);
    }
    Err(format!("{what}: what was typed the second time is not the same"))
}

impl PassphraseFile {
    /// The passphrase of an existing node.
    pub(crate) fn read(&self) -> Result<String, String> {
        match &self.passphrase_file {
            Some(path) => first_line(path),
            None => ask("passphrase of the node's keys", "--passphrase-file"),
        }
    }

    fn new_one(&self) -> Result<String, String> {
        match &self.passphrase_file {
            Some(path) => first_line(path),
            None => ask_twice("new passphrase for the node's keys", "--passphrase-file"),
        }
    }
}

/// What protects the keys of a new node. A file of PINs has one line for each person, `officer-1 2718`.
pub(crate) fn new_secrets(
    passphrase: &PassphraseFile,
    pins: Option<&Path>,
    config: &Config,
) -> Result<NewSecrets, String> {
    let passphrase = passphrase.new_one()?;
    let given = match pins {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let read = |line: &str| match line.split_once(' ') {
                Some((holder, pin)) => Ok((holder.to_owned(), pin.trim().to_owned())),
                None => Err(format!("{}: lines such as `officer-1 2718` are expected", path.display())),
            };
            text.lines().filter(|l| !l.trim().is_empty()).map(read).collect::<Result<Vec<_>, _>>()?
        }
        None => Vec::new(),
    };
    let pin = |role: &str, number: usize, name: &str| {
        let holder = format!("{role}-{number}");
        match (given.iter().find(|(h, _)| *h == holder), pins) {
            (Some((_, pin)), _) => Ok(pin.clone()),
            (None, Some(path)) => Err(format!("{}: it has no PIN for {holder}", path.display())),
            (None, None) => ask_twice(&format!("new PIN for {holder}, {name}"), "--pins-file"),
        }
    };
    let of = |role: &str, names: &[String]| {
        names.iter().enumerate().map(|(i, name)| pin(role, i + 1, name)).collect::<Result<Vec<_>, _>>()
    };
    Ok(NewSecrets {
        passphrase,
        officer_pins: of("officer", &config.officers)?,
        supervisor_pins: of("supervisor", &config.supervisors)?,
    })
}

/// Who acts from the command line.
#[derive(Args, Clone)]
pub(crate) struct Person {
    /// Who acts, such as officer-1 or supervisor-1
    #[arg(long = "as", value_name = "WHO", default_value = "officer-1")]
    pub(crate) holder: String,
    /// A file with the person's PIN; without it you are asked
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
}

impl Person {
    pub(crate) fn pin(&self) -> Result<String, String> {
        match &self.pin_file {
            Some(path) => first_line(path),
            None => ask(&format!("PIN of {}", self.holder), "--pin-file"),
        }
    }
}
