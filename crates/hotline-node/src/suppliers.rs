//! The party's UAS service suppliers joined to the line.
//!
//! The node is a supplier at the party's own DSS. What other suppliers plan or restrict in the agreed airspace is filed on the
//! line as the party's flights and restrictions, under the line's own rules; what peers file there stands at the DSS as
//! intents and constraints that the node manages. So the systems of two countries coordinate across a border without a
//! shared database, and each keeps its own authority.
//!
//! Both ways are a comparison of what should be with what is, made again at every change and every minute: nothing that was
//! missed, by a crash or a silent DSS, stays missed.

mod filing;
mod mirror;
mod putting;

use crate::config::SuppliersConfig;
use crate::engine::{Command, Done, Engine, Refusal};
use crate::view::Outlet;
use crate::{Clock, NodeError};
use hotline_airspace::Category;
use hotline_detect::ConformanceRules;
use hotline_dss::Moment;
use hotline_line::SharedTrack;
use hotline_uss::{AircraftDetails, ConstraintRule, Edition, Secret, Settings, Tile, TokenSource, Uss};
use hotline_utm::{Gate, PublicKey};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How often it is looked whether peers' plans have changed.
const TICK: Duration = Duration::from_millis(200);
/// How often the DSS is asked for everything.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// After a failure, so soon.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// What did not work is tried again after so long.
const RETRY: Duration = Duration::from_secs(5);
/// Peers' plans are compared with the DSS at least so often: the time of a flight comes without anybody saying so.
const ROUND_EVERY: Duration = Duration::from_secs(10);
/// How often own aircraft are shown.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// The joined suppliers, until they are stopped.
pub(crate) struct Suppliers {
    stop: Arc<AtomicBool>,
    work: std::thread::JoinHandle<()>,
    server: tokio::task::JoinHandle<()>,
    pub(crate) address: std::net::SocketAddr,
}

fn settings(config: &SuppliersConfig, folder: &Path) -> Result<Settings, NodeError> {
    let tokens = match (&config.client_id, &config.client_secret_file) {
        (None, None) => TokenSource::Query { url: config.token_url.clone(), sub: config.name.clone() },
        (Some(id), Some(file)) => {
            let path = folder.join(file);
            let secret = std::fs::read_to_string(&path).map_err(NodeError::file(&path))?;
            let secret = Secret(secret.trim().into());
            TokenSource::ClientCredentials { url: config.token_url.clone(), id: id.clone(), secret }
        }
        _ => {
            let why = "suppliers: client_id and client_secret_file are given together, or neither";
            return Err(NodeError::content(folder.join("node.toml"), why));
        }
    };
    Ok(Settings {
        name: config.name.clone(),
        base_url: config.base_url.clone(),
        dss: config.dss.clone(),
        tokens,
        authority: config.ca.as_ref().map(|path| folder.join(path)),
        equal_priority_allowed: false,
        constraints: ConstraintRule::Block,
        conformance: ConformanceRules::default(),
        data: folder.join("suppliers"),
        remote_id: Edition::Of2022,
        test_interfaces: config.test_interfaces,
    })
}

fn gate(config: &SuppliersConfig, folder: &Path) -> Result<Gate, NodeError> {
    let key = |path: &PathBuf| {
        let path = folder.join(path);
        let pem = std::fs::read(&path).map_err(NodeError::file(&path))?;
        PublicKey::from_pem(&pem).map_err(|e| NodeError::content(&path, e))
    };
    let keys = config.public_keys.iter().map(key).collect::<Result<_, _>>()?;
    Ok(Gate::new(keys, config.audiences.clone(), None))
}

impl Suppliers {
    pub(crate) async fn start(
        config: &SuppliersConfig,
        folder: &Path,
        engine: Engine,
        outlet: Outlet,
        clock: Clock,
    ) -> Result<Self, NodeError> {
        let wrong = |why: String| NodeError::content(folder.join("node.toml"), format!("suppliers: {why}"));
        let named = |place: &str| mirror::identifier(&[&config.name, place]);
        let tiles = Tile::cut(&config.areas, named).map_err(|e| wrong(e.to_string()))?;
        let (told, changes) = mpsc::sync_channel(1);
        let time: hotline_utm::Clock = Arc::new(move || Moment::from_micros(clock.now().as_microsecond()));
        let uss = Uss::open(settings(config, folder)?, Arc::new(gate(config, folder)?), time, Some(told));
        let uss = uss.map_err(|e| wrong(e.to_string()))?;
        let listener = tokio::net::TcpListener::bind(config.listen).await;
        let listener = listener.map_err(|source| NodeError::Listen { address: config.listen, source })?;
        let address = listener.local_addr().map_err(NodeError::file("suppliers"))?;
        let router = hotline_uss::service(uss.clone());
        let server = tokio::spawn(async move {
            if let Err(why) = axum::serve(listener, router).await {
                tracing::error!("the suppliers' interface: {why}");
            }
        });
        let stop = Arc::new(AtomicBool::new(false));
        let mut joined = Joined {
            uss,
            engine,
            outlet,
            clock,
            tiles,
            priority: config.priority,
            runtime: Handle::current(),
            stop: stop.clone(),
            seen: false,
            shown_at: Instant::now(),
            failed: BTreeMap::new(),
        };
        let work = std::thread::Builder::new().name("suppliers".into());
        let work = work.spawn(move || joined.run(&changes)).map_err(NodeError::file("suppliers"))?;
        Ok(Self { stop, work, server, address })
    }

    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.server.abort();
        let work = self.work;
        // A panic of the thread has been printed.
        _ = tokio::task::spawn_blocking(move || work.join()).await;
    }
}

struct Joined {
    uss: Arc<Uss>,
    engine: Engine,
    outlet: Outlet,
    clock: Clock,
    tiles: Vec<Tile>,
    priority: i64,
    runtime: Handle,
    stop: Arc<AtomicBool>,
    /// Whether the DSS has been seen whole: until then, what is not known is not taken to be gone.
    seen: bool,
    shown_at: Instant,
    /// What did not work, and when it is tried again.
    failed: BTreeMap<String, Instant>,
}

impl Joined {
    fn run(&mut self, changes: &Receiver<()>) {
        let (mut look_at, mut round_at, mut plans) = (Instant::now(), Instant::now(), u64::MAX);
        while !self.stop.load(Ordering::Relaxed) {
            let mut changed = match changes.recv_timeout(TICK) {
                Ok(_) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while changes.try_recv().is_ok() {}
            if Instant::now() >= look_at {
                let looked = self.uss.look_at(&self.tiles);
                look_at = Instant::now() + if looked.is_ok() { LOOK_EVERY } else { LOOK_AGAIN };
                match looked {
                    Ok(()) => (self.seen, changed) = (true, true),
                    Err(why) => tracing::warn!("what suppliers plan is not known: {why}"),
                }
            }
            let now = Instant::now();
            let retry = self.failed.values().any(|at| *at <= now);
            self.failed.retain(|_, at| *at > now);
            if self.seen && (changed || retry) {
                self.file_on_the_line();
            }
            let current = self.outlet.plans_changed();
            if current != plans || retry || now >= round_at {
                (plans, round_at) = (current, now + ROUND_EVERY);
                self.put_to_the_dss();
            }
            self.show_tracks();
        }
    }

    /// Shows the party's own unmanned aircraft in the coordinated airspace by remote ID.
    fn show_tracks(&mut self) {
        if self.shown_at.elapsed() < SHOW_EVERY {
            return;
        }
        self.shown_at = Instant::now();
        let look = self.engine.look(|core| {
            let own = core.picture().own();
            let unmanned = |t: &&hotline_picture::Track| {
                t.subject.party == *own && t.report.category == Category::Unmanned
            };
            let tracks = core.picture().tracks().iter().filter(unmanned).map(|t| t.report.clone());
            (tracks.collect::<Vec<SharedTrack>>(), core.line().rulebook().conversions())
        });
        let Some((tracks, conversions)) = self.runtime.block_on(look) else { return };
        for report in tracks {
            let Some(state) = mirror::above_ellipsoid(&report.state, &conversions) else { continue };
            let details =
                AircraftDetails { description: report.callsign.clone(), ..AircraftDetails::default() };
            if let Err(why) = self.uss.show(report.id.as_str(), Some(&details), state) {
                tracing::warn!("remote ID of {}: {}", report.id, why.message());
            }
        }
    }

    fn command(&self, command: Command) -> Result<Done, Refusal> {
        self.runtime.block_on(self.engine.command(command))
    }

    /// Whether something may be tried, having failed before or not.
    fn may_try(&self, what: &str) -> bool {
        self.failed.get(what).is_none_or(|at| *at <= Instant::now())
    }

    fn failed(&mut self, what: &str, why: impl std::fmt::Display) {
        tracing::warn!("{what}: {why}");
        self.failed.insert(what.into(), Instant::now() + RETRY);
    }
}
