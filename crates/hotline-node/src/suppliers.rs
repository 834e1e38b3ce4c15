//! The party's UAS service suppliers joined to the line.
//!
//! The node is a supplier at the party's own DSS. What other suppliers plan or restrict in the agreed airspace is filed on the
//! line as the party's flights and restrictions, under the line's own rules; what peers file there stands at the DSS as
//! intents and constraints that the node manages. So the systems of two countries coordinate across a border without a
//! shared database, and each keeps its own authority.
//!
//! Both ways are a comparison of what should be with what is, made again at every change and every minute: nothing that was
//! missed, by a crash or a silent DSS, stays missed.

use crate::config::SuppliersConfig;
use crate::engine::{Command, Done, Engine, Refusal};
use crate::mirror::{Mirrored, mirrored, same_on_the_line};
use crate::view::Outlet;
use crate::{Clock, NodeError};
use hotline_airspace::{Category, Volume4};
use hotline_detect::ConformanceRules;
use hotline_dss::Moment;
use hotline_line::{FlightId, Purpose, Restriction, SharedTrack};
use hotline_picture::FlightPlan;
use hotline_uss::wire::{ConstraintDetails, IntentState};
use hotline_uss::{
    AircraftDetails, ConstraintRule, Mode, Outcome, PeerChange, Secret, Settings, Tile, TokenSource, Uss,
    Wanted,
};
use hotline_utm::{Gate, PublicKey};
use serde_json::json;
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
/// Under these names peers' plans stand at the DSS.
const FROM_THE_LINE: &str = "line/";
const RESTRICTED: &str = "org.hotline.restriction";
/// What suppliers plan is filed under these names, with their identifiers.
const FLIGHT: &str = "uss-intent-";
const RESTRICTION: &str = "uss-constraint-";

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
        equal_priority_allowed: true,
        constraints: ConstraintRule::Ignore,
        conformance: ConformanceRules::default(),
        data: folder.join("suppliers"),
        test_interfaces: false,
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
        let named = |place: &str| crate::mirror::identifier(&[&config.name, place]);
        let tiles = Tile::cut(&config.areas, named).map_err(|e| wrong(e.to_string()))?;
        let (told, changes) = mpsc::channel();
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
    fn run(&mut self, changes: &Receiver<PeerChange>) {
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
                self.to_the_line();
            }
            let current = self.outlet.plans_changed();
            if current != plans || retry || now >= round_at {
                (plans, round_at) = (current, now + ROUND_EVERY);
                self.to_the_suppliers();
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
            let Some(state) = crate::mirror::above_ellipsoid(&report.state, &conversions) else { continue };
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

    /// Files what suppliers plan and restrict, ends what is gone.
    fn to_the_line(&mut self) {
        let look = self.engine.look(|core| {
            let own = core.picture().own().clone();
            let ours = |party: &hotline_ledger::PartyName, id: &FlightId, prefix: &str| {
                *party == own && id.as_str().starts_with(prefix)
            };
            let flights: BTreeMap<FlightId, Vec<Volume4>> = core
                .picture()
                .intents()
                .filter(|i| ours(&i.subject.party, &i.subject.id, FLIGHT))
                .map(|i| (i.subject.id.clone(), i.notice.volumes.clone()))
                .collect();
            let restrictions: BTreeMap<FlightId, Vec<Volume4>> = core
                .picture()
                .restrictions()
                .filter(|r| ours(&r.subject.party, &r.subject.id, RESTRICTION))
                .map(|r| (r.subject.id.clone(), r.restriction.volumes.clone()))
                .collect();
            (flights, restrictions)
        });
        let Some((mut filed, mut restricted)) = self.runtime.block_on(look) else { return };
        for (intent, volumes) in self.uss.intents_of_others() {
            let Some((id, volumes)) = self.for_the_line(FLIGHT, &intent.reference.id, volumes) else {
                continue;
            };
            if filed.remove(&id).is_some_and(|is| same_on_the_line(&is, &volumes))
                || !self.may_try(id.as_str())
            {
                continue;
            }
            let plan = FlightPlan {
                flight: id.clone(),
                volumes,
                aircraft: 1,
                category: Category::Unmanned,
                purpose: Purpose::Unmanned,
                callsign: String::new(),
                unit: intent.reference.manager.chars().take(32).collect(),
                squawk: None,
            };
            if let Err(why) = self.command(Command::FileFlight(plan)) {
                self.failed(id.as_str(), why);
            }
        }
        for (constraint, volumes) in self.uss.constraints_of_others() {
            let found = self.for_the_line(RESTRICTION, &constraint.reference.id, volumes);
            let Some((id, volumes)) = found else { continue };
            if restricted.remove(&id).is_some_and(|is| same_on_the_line(&is, &volumes))
                || !self.may_try(id.as_str())
            {
                continue;
            }
            let kind = constraint.details.kind.unwrap_or_else(|| "constraint".into());
            let reason: String =
                format!("{kind}, {}", constraint.reference.manager).chars().take(100).collect();
            let restriction = Restriction { id: id.clone(), volumes, reason };
            if let Err(why) = self.command(Command::Restrict(restriction)) {
                self.failed(id.as_str(), why);
            }
        }
        let over = |volumes: &[Volume4], now| volumes.iter().all(|v| v.time.end() <= now);
        let now = self.clock.now();
        for (id, volumes) in filed {
            if !over(&volumes, now)
                && self.may_try(id.as_str())
                && let Err(why) = self.command(Command::EndFlight(id.clone()))
            {
                self.failed(id.as_str(), why);
            }
        }
        for (id, volumes) in restricted {
            if !over(&volumes, now)
                && self.may_try(id.as_str())
                && let Err(why) = self.command(Command::Lift(id.clone()))
            {
                self.failed(id.as_str(), why);
            }
        }
    }

    /// What of a supplier's entity is the line's business: the volumes in the coordinated airspace, under a name there.
    fn for_the_line(
        &self,
        prefix: &str,
        id: &str,
        volumes: Vec<Volume4>,
    ) -> Option<(FlightId, Vec<Volume4>)> {
        let inside: Vec<Volume4> = volumes.into_iter().filter(|v| self.concerns(v)).collect();
        let id = FlightId::new(&format!("{prefix}{id}")).ok()?;
        (!inside.is_empty()).then_some((id, inside))
    }

    fn concerns(&self, volume: &Volume4) -> bool {
        crate::mirror::reaches(&self.tiles, &volume.area)
    }

    /// Puts what peers have filed at the DSS, ends what is gone, and shows the party's own unmanned aircraft by remote ID.
    fn to_the_suppliers(&mut self) {
        let look = self.engine.look(|core| {
            let own = core.picture().own().clone();
            let conversions = core.line().rulebook().conversions();
            let flights: Vec<_> = core
                .picture()
                .intents()
                .filter(|i| i.subject.party != own)
                .map(|i| (i.subject.clone(), i.notice.volumes.clone()))
                .collect();
            let restrictions: Vec<_> = core
                .picture()
                .restrictions()
                .filter(|r| r.subject.party != own)
                .map(|r| (r.subject.clone(), r.restriction.volumes.clone(), r.restriction.reason.clone()))
                .collect();
            (flights, restrictions, conversions)
        });
        let Some((flights, restrictions, conversions)) = self.runtime.block_on(look) else { return };
        let (tiles, now) = (&self.tiles, self.clock.now());
        let mut wanted: BTreeMap<String, Mirrored> = BTreeMap::new();
        for (subject, volumes) in &flights {
            for (n, part) in mirrored(volumes, tiles, &conversions, now).into_iter().enumerate() {
                wanted.insert(format!("{FROM_THE_LINE}{}/{}/{n}", subject.party, subject.id), part);
            }
        }
        let is = self.uss.flights();
        for (id, part) in &wanted {
            let state = if part.start <= now { IntentState::Activated } else { IntentState::Accepted };
            let same = is.get(id).and_then(|f| f.intent.as_ref()).is_some_and(|i| {
                i.reference.state == state
                    && i.details.volumes == part.volumes
                    && i.details.priority == self.priority
            });
            if same || !self.may_try(id) {
                continue;
            }
            let plan = Wanted {
                state,
                volumes: part.volumes.clone(),
                off_nominal_volumes: vec![],
                priority: self.priority,
                plan: json!({ "from": "the line", "flight": id }),
                aircraft: AircraftDetails::default(),
            };
            // What is flown cannot go back to being planned: it is ended, and begins anew.
            if state == IntentState::Accepted
                && is.get(id).is_some_and(|f| f.state() == Some(IntentState::Activated))
            {
                self.end(id);
            }
            match self.uss.put_flight(id, &plan, Mode::AsItIs) {
                Outcome::Done { .. } => {}
                Outcome::Rejected(why) | Outcome::Failed(why) => self.failed(id, why),
            }
        }
        let gone: Vec<String> =
            is.into_keys().filter(|id| id.starts_with(FROM_THE_LINE) && !wanted.contains_key(id)).collect();
        gone.iter().for_each(|id| self.end(id));
        let mut wanted: BTreeMap<String, ConstraintDetails> = BTreeMap::new();
        for (subject, volumes, reason) in &restrictions {
            for (n, part) in mirrored(volumes, &self.tiles, &conversions, now).into_iter().enumerate() {
                let id =
                    crate::mirror::identifier(&[subject.party.as_str(), subject.id.as_str(), &n.to_string()]);
                let kind = format!("{RESTRICTED}: {}: {reason}", subject.party);
                wanted
                    .insert(id, ConstraintDetails { volumes: part.volumes, kind: Some(kind), geozone: None });
            }
        }
        let is = self.uss.constraints();
        for (id, details) in &wanted {
            if is.get(id).is_some_and(|c| c.details == *details) || !self.may_try(id) {
                continue;
            }
            if let Err(why) = self.uss.put_constraint(id, details.clone()) {
                self.failed(id, format!("{why:?}"));
            }
        }
        let ours = |c: &hotline_uss::wire::Constraint| {
            c.details.kind.as_ref().is_some_and(|k| k.starts_with(RESTRICTED))
        };
        for (id, _) in is.iter().filter(|(id, c)| ours(c) && !wanted.contains_key(*id)) {
            if let Err(why) = self.uss.end_constraint(id) {
                self.failed(id, format!("{why:?}"));
            }
        }
    }

    fn end(&mut self, id: &str) {
        if !self.may_try(id) {
            return;
        }
        if let Some(Outcome::Failed(why) | Outcome::Rejected(why)) = self.uss.end_flight(id) {
            self.failed(id, why);
        }
    }
}
