//! `hotline init`, `words`, `pair`, `node`, `status`: a node from its making to its running.

use crate::Outcome;
use crate::client::Client;
use crate::say;
use crate::secrets::{PassphraseFile, new_secrets};
use clap::Args;
use hotline_line::Rulebook;
use hotline_node::{Clock, Config, Folder, Introduction, Node};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// Make a new node: keys, configuration, rulebook, introduction.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline init ./blue --party blue --console 127.0.0.1:7401 --link 0.0.0.0:7501 --officer 'Maj. A. Smith' --supervisor 'Col. B. Jones'\n\nYou are asked for a passphrase, which protects the node's keys and is asked for whenever it starts, and for a PIN for each person, with which they sign.\n\nThen agree on rulebook.toml with the other parties, hand them introduction.toml, and read them your words over the phone."
)]
pub(crate) struct Init {
    /// The node's folder; must not have a node yet
    folder: PathBuf,
    /// The party's name, as in the rulebook
    #[arg(long)]
    party: String,
    /// Where the console listens (loopback)
    #[arg(long, default_value = "127.0.0.1:7401")]
    console: SocketAddr,
    /// Where the link listens for peers (UDP)
    #[arg(long, default_value = "0.0.0.0:7501")]
    link: SocketAddr,
    /// The address that peers reach the link at, when it is another
    #[arg(long)]
    reachable: Option<SocketAddr>,
    /// An officer's name; may be given more than once
    #[arg(long = "officer", default_value = "Duty officer")]
    officers: Vec<String>,
    /// A supervisor's name; may be given more than once
    #[arg(long = "supervisor", default_value = "Supervisor")]
    supervisors: Vec<String>,
    /// A rulebook to use instead of the example
    #[arg(long)]
    rulebook: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseFile,
    /// A file with a PIN for each person, lines such as `officer-1 2718`; without it you are asked
    #[arg(long, value_name = "FILE")]
    pins_file: Option<PathBuf>,
}

impl Init {
    pub(crate) fn run(self) -> Outcome {
        let rulebook = match &self.rulebook {
            Some(path) => std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?,
            None => Rulebook::EXAMPLE.to_owned(),
        };
        let config = Config {
            reachable: self.reachable,
            officers: self.officers,
            supervisors: self.supervisors,
            ..Config::new(&self.party, self.console, self.link)
        };
        // What is wrong with the rest is said before anyone is asked for secrets.
        Folder::check_new(&self.folder, &config, &rulebook).map_err(|e| e.to_string())?;
        let secrets = new_secrets(&self.passphrase, self.pins_file.as_deref(), &config)?;
        let print = Folder::init(&self.folder, &config, &rulebook, &secrets, Timestamp::now())
            .map_err(|e| e.to_string())?;
        say!("made a node for party {} in {}", config.party, self.folder.display());
        say!("hand {} to the other parties by any way,", self.folder.join("introduction.toml").display());
        say!("and read them these words over the phone:\n\n    {}\n", print.words());
        Ok(true)
    }
}

/// Show the words of an introduction, to be read over the phone.
#[derive(Args)]
#[command(after_help = "Example:\n  hotline words ./blue/introduction.toml")]
pub(crate) struct Words {
    /// The introduction
    introduction: PathBuf,
}

impl Words {
    pub(crate) fn run(self) -> Outcome {
        let text = std::fs::read_to_string(&self.introduction)
            .map_err(|e| format!("{}: {e}", self.introduction.display()))?;
        let (introduction, _) = Introduction::read(&text, &self.introduction).map_err(|e| e.to_string())?;
        say!("{}: {}", introduction.party, introduction.fingerprint()?.words());
        Ok(true)
    }
}

/// Take in a peer's introduction, after comparing its words.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline pair ./blue green-introduction.toml --words 'abandon ability ... about'\n\nThe words are those that the peer's officer reads to you over the phone. A wrong word is refused."
)]
pub(crate) struct Pair {
    /// The own node's folder
    folder: PathBuf,
    /// The peer's introduction
    introduction: PathBuf,
    /// The twelve words heard on the phone
    #[arg(long)]
    words: String,
}

impl Pair {
    pub(crate) fn run(self) -> Outcome {
        let party = Folder::pair(&self.folder, &self.introduction, &self.words).map_err(|e| e.to_string())?;
        say!("paired with {party}");
        Ok(true)
    }
}

/// Run a node until it is interrupted.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline node ./blue\n  hotline node ./blue --passphrase-file /run/credentials/hotline\n\nThe log goes to standard error; HOTLINE_LOG sets its level (error, warn, info, debug)."
)]
pub(crate) struct Run {
    /// The node's folder
    folder: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseFile,
    /// Run on a faster clock: FROM,AT,SPEED (it showed FROM when the real clock showed AT)
    #[arg(long, value_parser = parse_clock, hide = true)]
    clock: Option<Clock>,
    /// Stop when standard input ends
    #[arg(long, hide = true)]
    until_input_ends: bool,
}

fn parse_clock(text: &str) -> Result<Clock, String> {
    let parts: Vec<&str> = text.split(',').collect();
    let [from, at, speed] = parts[..] else { return Err("FROM,AT,SPEED is expected".into()) };
    let instant = |t: &str| t.parse::<Timestamp>().map_err(|e| format!("{t}: {e}"));
    let speed: f64 = speed.parse().map_err(|e| format!("{speed}: {e}"))?;
    if !(0.1..=1000.0).contains(&speed) {
        return Err(format!("speed {speed}: 0.1 to 1000 is allowed"));
    }
    Ok(Clock::scaled(instant(from)?, instant(at)?, speed))
}

impl Run {
    pub(crate) fn run(self) -> Outcome {
        let filter = EnvFilter::try_from_env("HOTLINE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
        Folder::look(&self.folder).map_err(|e| e.to_string())?;
        let folder = Folder::open(&self.folder, &self.passphrase.read()?).map_err(|e| e.to_string())?;
        let clock = self.clock.unwrap_or(Clock::real());
        let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
        runtime.block_on(async {
            let party = folder.config.party.clone();
            let node = Node::start(folder, clock).await.map_err(|e| e.to_string())?;
            say!("{party}: console on http://{}, link on {}", node.console_address(), node.link_address());
            if let Some(address) = node.suppliers_address() {
                say!("{party}: for service suppliers on http://{address}");
            }
            wait_for_end(self.until_input_ends).await?;
            node.stop().await;
            Ok(true)
        })
    }
}

pub(crate) async fn wait_for_end(input_too: bool) -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let input = async {
        if !input_too {
            return std::future::pending().await;
        }
        let drain = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        // Whether it ends or fails, it is over.
        _ = tokio::task::spawn_blocking(drain).await;
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|e| e.to_string()),
        _ = terminated.recv() => Ok(()),
        () = input => Ok(()),
    }
}

/// Show the state of a running node.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline status ./blue\n  hotline status ./blue --json\n\nExit code 1 when the line to any peer is not normal, an alert waits for this party, or nothing can be recorded."
)]
pub(crate) struct Status {
    /// The node's folder
    folder: PathBuf,
    /// Print the whole state as JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) fn run(self) -> Outcome {
        let state = Client::of(&self.folder)?.get("/console/state")?;
        let party = state["party"].as_str().unwrap_or_default();
        let empty = vec![];
        let list = |name: &str| state[name].as_array().unwrap_or(&empty).clone();
        let awaits_us = |alert: &serde_json::Value| {
            alert["awaits"].as_array().is_some_and(|a| a.iter().any(|p| p == party))
        };
        let waiting = list("alerts").iter().filter(|a| awaits_us(a)).count();
        let normal = list("peers").iter().all(|p| p["state"] == "normal");
        if self.json {
            say!("{state:#}");
        } else {
            say!(
                "line {}, party {party}, rulebook {}",
                state["line"].as_str().unwrap_or(""),
                &state["rulebook_hash"].as_str().unwrap_or("")[..16]
            );
            for peer in list("peers") {
                say!(
                    "peer {}: {}, {} of its statements held, {} of ours receipted, answer in {} ms",
                    peer["party"].as_str().unwrap_or(""),
                    peer["state"].as_str().unwrap_or(""),
                    peer["held"],
                    peer["receipted"],
                    peer["round_trip_ms"]
                );
            }
            if let Some(why) = state["dealings"]["speech"]["why"].as_str() {
                say!("NOTHING IS SAID: {why}");
            }
            if let Some(why) = state["trouble"].as_str() {
                say!("NOTHING CAN BE RECORDED: {why}");
            }
            say!(
                "{} tracks, {} alerts, {waiting} waiting for {party}",
                state["tracks"]["tracks"].as_array().map_or(0, Vec::len),
                list("alerts").len()
            );
        }
        Ok(normal && waiting == 0 && state["trouble"].is_null())
    }
}
