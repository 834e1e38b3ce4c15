//! `hotline demo`: two nodes as two processes on this machine, joined by a line, with traffic.

use crate::Outcome;
use crate::client::Client;
use crate::demo_summary::{Watch, summary};
use crate::demo_traffic::Traffic;
use crate::say;
use clap::Args;
use hotline_ledger::Fingerprint;
use hotline_line::Rulebook;
use hotline_node::{Config, Folder, NewSecrets};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Run two nodes with traffic on this machine.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hotline demo\n  hotline demo --duration 60 --auto-ack\n  hotline demo --recording traffic.csv.gz --speed 20\n\nWith --duration it ends by itself, prints a summary, and exits with 0 only if both sides agree on it."
)]
pub(crate) struct Demo {
    /// Where the two nodes' folders are made; what an earlier demo left there is removed
    #[arg(long, default_value = "demo-data")]
    folder: PathBuf,
    /// Stop after so many seconds and print a summary
    #[arg(long)]
    duration: Option<f64>,
    /// Acknowledge alerts as scripted officers would
    #[arg(long)]
    auto_ack: bool,
    /// Play a recording instead of the simulated valley
    #[arg(long)]
    recording: Option<PathBuf>,
    /// How many times as fast as real time
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Seed of the simulated traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// First port of the consoles (the second follows)
    #[arg(long, default_value_t = 7401)]
    console_port: u16,
    /// First port of the links (the second follows)
    #[arg(long, default_value_t = 7501)]
    link_port: u16,
}

/// The parties of the demo.
pub(crate) const PARTIES: [&str; 2] = ["blue", "green"];
const OFFICERS: [&str; 2] = ["Maj. Harper", "Maj. Orlov"];
const SUPERVISORS: [&str; 2] = ["Col. Reyes", "Col. Sokolov"];
/// The demo's secrets are no secrets: anyone may sign in and try.
const PASSPHRASE: &str = "a demo's passphrase";
pub(crate) const OFFICER_PIN: &str = "2718";
const SUPERVISOR_PIN: &str = "3141";
/// A file that marks a folder as the demo's own, to be removed without asking.
const MARK: &str = ".hotline-demo";
/// A scripted officer takes so long to read an alert, seconds of the demo's clock.
const READING: f64 = 1.5;
/// After the traffic has stopped, both sides get so long to settle.
const SETTLING: Duration = Duration::from_secs(45);

/// A node's process; it stops when its input ends, so it never outlives the demo.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(folder: &Path, clock: Option<&str>) -> Result<Self, String> {
        let me = std::env::current_exe().map_err(|e| e.to_string())?;
        let log = std::fs::File::create(folder.join("node.log")).map_err(|e| e.to_string())?;
        let mut command = Command::new(me);
        let passphrase = folder.with_file_name("passphrase");
        command.arg("node").arg(folder).arg("--until-input-ends").arg("--passphrase-file").arg(passphrase);
        if let Some(clock) = clock {
            command.args(["--clock", clock]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        Ok(Self(command.spawn().map_err(|e| e.to_string())?))
    }

    pub(crate) fn stop(mut self) -> Result<(), String> {
        drop(self.0.stdin.take());
        let status = self.0.wait().map_err(|e| e.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("a node ended with {status}: see its node.log")) }
    }
}

/// Makes the folders of two paired nodes under `root`; what an earlier demo left there is removed.
pub(crate) fn make_folders(
    root: &Path,
    console_port: u16,
    link_port: u16,
    recording: bool,
) -> Result<[Folder; 2], String> {
    let folders = make_line(root, &PARTIES, console_port, link_port, recording)?;
    Ok(folders.try_into().expect("two of them"))
}

/// Opens a folder that was made here.
pub(crate) fn open_folder(path: &Path) -> Result<Folder, String> {
    Folder::open(path, PASSPHRASE).map_err(|e| e.to_string())
}

/// The same for any parties.
pub(crate) fn make_line(
    root: &Path,
    parties: &[&str],
    console_port: u16,
    link_port: u16,
    recording: bool,
) -> Result<Vec<Folder>, String> {
    let io = |e: std::io::Error| format!("{}: {e}", root.display());
    if root.exists() {
        if !root.join(MARK).exists() {
            return Err(format!(
                "{} is there already and is not a demo's: name another with --folder",
                root.display()
            ));
        }
        std::fs::remove_dir_all(root).map_err(io)?;
    }
    std::fs::create_dir_all(root).map_err(io)?;
    std::fs::write(root.join(MARK), "").map_err(io)?;
    std::fs::write(root.join("passphrase"), PASSPHRASE).map_err(io)?;
    let mut rulebook = Rulebook::EXAMPLE.to_owned();
    if recording {
        // Recorded aircraft report as seldom as every ten seconds or more.
        rulebook = rulebook.replacen("track_age_s = 15 ", "track_age_s = 30 ", 1);
    }
    rulebook = rulebook.replacen("[\"blue\", \"green\"]", &format!("{parties:?}"), 1);
    for (i, party) in parties.iter().enumerate() {
        let port = |first: u16| SocketAddr::from(([127, 0, 0, 1], first + i as u16));
        let config = Config {
            officers: vec![OFFICERS[i % 2].into()],
            supervisors: vec![SUPERVISORS[i % 2].into()],
            ..Config::new(party, port(console_port), port(link_port))
        };
        let secrets = NewSecrets {
            passphrase: PASSPHRASE.into(),
            officer_pins: vec![OFFICER_PIN.into()],
            supervisor_pins: vec![SUPERVISOR_PIN.into()],
        };
        Folder::init(root.join(party), &config, &rulebook, &secrets, Timestamp::now())
            .map_err(|e| e.to_string())?;
    }
    for own in parties {
        for peer in parties.iter().filter(|peer| *peer != own) {
            let introduction = root.join(peer).join("introduction.toml");
            let text = std::fs::read_to_string(&introduction).map_err(io)?;
            let (read, _) =
                hotline_node::Introduction::read(&text, &introduction).map_err(|e| e.to_string())?;
            let words = read.fingerprint()?.words();
            Folder::pair(&root.join(own), &introduction, &words).map_err(|e| e.to_string())?;
        }
    }
    let open = |party: &&str| Folder::open(root.join(party), PASSPHRASE).map_err(|e| e.to_string());
    parties.iter().map(open).collect()
}

impl Demo {
    pub(crate) fn run(self) -> Outcome {
        if !(0.1..=1000.0).contains(&self.speed) {
            return Err(format!("--speed {}: 0.1 to 1000 is allowed", self.speed));
        }
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)).map_err(|e| e.to_string())?;

        let folders =
            make_folders(&self.folder, self.console_port, self.link_port, self.recording.is_some())?;
        for (party, folder) in PARTIES.iter().zip(&folders) {
            say!(
                "{party}'s words, as read over the phone: {}",
                Fingerprint::of(folder.own.known.root()).words()
            );
            if self.recording.is_none() {
                let overlay = folder.path().join("overlay.geojson");
                std::fs::write(&overlay, hotline_sim::overlay())
                    .map_err(|e| format!("{}: {e}", overlay.display()))?;
            }
        }
        // The demo's clock starts a little from now, so that both nodes and the traffic share one beginning.
        let at = Timestamp::now();
        let mut traffic = match &self.recording {
            None => Traffic::valley(self.seed, at),
            Some(path) => Traffic::recording(path)?,
        };
        say!("{}", traffic.describe());
        let from = traffic.start();
        let clock =
            (self.recording.is_some() || self.speed != 1.0).then(|| format!("{from},{at},{}", self.speed));
        let processes = folders
            .iter()
            .map(|f| Process::start(f.path(), clock.as_deref()))
            .collect::<Result<Vec<_>, _>>()?;
        let clients = [0, 1].map(|i| Client::new(folders[i].config.console, &folders[i].api_token));
        for client in &clients {
            client.wait_ready(Duration::from_secs(20)).map_err(|e| {
                format!("a node does not start: {e}; see node.log in {}", self.folder.display())
            })?;
        }
        for (party, folder) in PARTIES.iter().zip(&folders) {
            say!("{party}'s console: http://{}", folder.config.console);
        }
        say!("sign in there with PIN {OFFICER_PIN} as an officer, {SUPERVISOR_PIN} as a supervisor");
        match self.duration {
            Some(seconds) => say!("running for {seconds} s"),
            None => say!("running until interrupted (Ctrl-C)"),
        }

        let clock = DemoClock { from, at, speed: self.speed };
        let watch = Watch::new(clock);
        let followers = self.follow(&clients, &watch, &interrupted);
        let end = self.duration.map(|s| Instant::now() + Duration::from_secs_f64(s));
        while !interrupted.load(Ordering::SeqCst) && end.is_none_or(|end| Instant::now() < end) {
            traffic.feed(clock.second(), &clients)?;
            std::thread::sleep(Duration::from_millis(100));
        }
        let verdict = if self.duration.is_some() && !interrupted.load(Ordering::SeqCst) {
            settle(&clients, self.auto_ack)?;
            summary(&clients, &watch, &traffic, from, clock.now())
        } else {
            Ok(true)
        };
        interrupted.store(true, Ordering::SeqCst);
        for process in processes {
            process.stop()?;
        }
        for follower in followers {
            // A follower that panicked has said so.
            _ = follower.join();
        }
        say!("both nodes have stopped");
        verdict
    }

    /// Watches both consoles, and acknowledges as asked.
    fn follow(
        &self,
        clients: &[Client; 2],
        watch: &Watch,
        stop: &Arc<AtomicBool>,
    ) -> Vec<std::thread::JoinHandle<()>> {
        let mut threads = Vec::new();
        for (i, client) in clients.iter().enumerate() {
            let (to_read, reading) = channel();
            let auto = self.auto_ack.then_some(to_read);
            let (client, watch, stop) = (client.clone(), watch.clone(), stop.clone());
            if self.auto_ack {
                let (client, stop, speed) = (client.clone(), stop.clone(), self.speed);
                threads.push(std::thread::spawn(move || scripted_officer(&client, &reading, &stop, speed)));
            }
            threads.push(std::thread::spawn(move || {
                let followed = client.follow(|name, data| {
                    let alerts = watch.hear(i, name, data);
                    if let Some(to_read) = &auto {
                        alerts.into_iter().for_each(|id| _ = to_read.send((Instant::now(), id)));
                    }
                    !stop.load(Ordering::SeqCst)
                });
                if let Err(e) = followed
                    && !stop.load(Ordering::SeqCst)
                {
                    eprintln!("the stream of {}'s console ended: {e}", PARTIES[i]);
                }
            }));
        }
        threads
    }
}

/// Reads each alert for a while, then acknowledges it.
fn scripted_officer(client: &Client, alerts: &Receiver<(Instant, String)>, stop: &AtomicBool, speed: f64) {
    let client = match client.signed_in("officer-1", OFFICER_PIN) {
        Ok(client) => client,
        Err(e) => return eprintln!("signing in: {e}"),
    };
    let reading = Duration::from_secs_f64(READING / speed);
    while !stop.load(Ordering::SeqCst) {
        let Ok((since, id)) = alerts.recv_timeout(Duration::from_millis(200)) else { continue };
        std::thread::sleep(reading.saturating_sub(since.elapsed()));
        if stop.load(Ordering::SeqCst) {
            return;
        }
        if let Err(e) = client.post("/console/acknowledge", &json!({ "id": id }))
            && !e.contains("already")
            && !e.contains("no open alert")
        {
            eprintln!("acknowledging {id}: {e}");
        }
    }
}

/// Waits until both nodes hold the same and nothing more is under way.
fn settle(clients: &[Client; 2], all_read: bool) -> Result<(), String> {
    let begin = Instant::now();
    let mut last: Option<[Value; 2]> = None;
    while begin.elapsed() < SETTLING {
        std::thread::sleep(Duration::from_millis(500));
        let now = [clients[0].get("/console/summary")?, clients[1].get("/console/summary")?];
        let same = now[0]["parties"] == now[1]["parties"];
        let read = !all_read || now.iter().all(|s| s["alerts_awaiting"] == 0);
        let quiet = last.as_ref().is_some_and(|last| last[0]["parties"] == now[0]["parties"]);
        if same && read && quiet {
            return Ok(());
        }
        last = Some(now);
    }
    Ok(())
}

/// The clock that the demo shares with its nodes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DemoClock {
    from: Timestamp,
    at: Timestamp,
    speed: f64,
}

impl DemoClock {
    pub(crate) fn second(&self) -> f64 {
        Timestamp::now().duration_since(self.at).as_secs_f64() * self.speed
    }

    pub(crate) fn now(&self) -> Timestamp {
        let gone = SignedDuration::try_from_secs_f64(self.second()).unwrap_or(SignedDuration::ZERO);
        self.from.saturating_add(gone).unwrap_or(self.from)
    }

    /// Real seconds since an instant of this clock, milliseconds since 1970.
    pub(crate) fn real_seconds_since(&self, ms: i64) -> f64 {
        (self.now().as_microsecond() as f64 / 1e6 - ms as f64 / 1e3) / self.speed
    }
}
