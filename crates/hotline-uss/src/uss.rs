//! A supplier: what it is set to, what it knows, and what it keeps.

use crate::flight::{Flight, OwnConstraint};
use crate::geozones::Source;
use crate::http::{AskError, Http, TokenSource};
use crate::keep::Keep;
use crate::logs::{Logs, Record};
use crate::outbox::Outbox;
use crate::remote_id::{Edition, RemoteId};
use crate::wire::{Constraint, Intent, Time};
use crate::{dss_client::DssClient, volumes};
use hotline_detect::ConformanceRules;
use hotline_dss::Moment;
use hotline_journal::JournalError;
use hotline_utm::{Clock, Gate};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most entities of other suppliers that are remembered; beyond it, those that end first are asked for anew.
pub const MAX_KNOWN: usize = 50_000;
/// The most notices to operators that can still be asked for.
pub const MAX_NOTICES: usize = 10_000;
/// The most flights and constraints of this supplier at a time.
pub const MAX_OWN: usize = 20_000;

/// What constraints mean for plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintRule {
    /// A plan that meets one is refused; an ED-269 zone that is only conditional is an advisory.
    Block,
    /// A plan that meets one is told so.
    Advise,
    /// They are not looked at, and no scope for them is needed.
    Ignore,
}

/// How a supplier is set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name: the `sub` of its tokens, the manager of what it makes.
    pub name: String,
    /// Where other suppliers reach it.
    pub base_url: String,
    /// The base URL of the DSS that it plans through.
    pub dss: String,
    /// Where its tokens come from.
    pub tokens: TokenSource,
    /// An authority, in PEM, to trust in place of this machine's.
    pub authority: Option<PathBuf>,
    /// Whether intents of the same priority may overlap.
    pub equal_priority_allowed: bool,
    /// What constraints mean.
    pub constraints: ConstraintRule,
    /// When a flight is not as planned.
    pub conformance: ConformanceRules,
    /// Where everything is kept.
    pub data: PathBuf,
    /// In which edition of F3411 others are asked.
    pub remote_id: Edition,
    /// Whether the interfaces for automated tests are served.
    pub test_interfaces: bool,
}

/// Why a supplier cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("{path}: {why}")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        why: std::io::Error,
    },
    /// What it keeps cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It cannot ask anybody.
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// What an operator is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub at: Time,
    /// About which flight.
    pub flight: String,
    /// What.
    pub message: String,
    /// With how many intents it conflicts, where that is what it says.
    pub conflicts: Option<usize>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) flights: BTreeMap<String, Flight>,
    pub(crate) constraints: BTreeMap<String, OwnConstraint>,
    pub(crate) intents_known: HashMap<String, Intent>,
    pub(crate) constraints_known: HashMap<String, Constraint>,
    pub(crate) notices: VecDeque<Notice>,
    pub(crate) sources: BTreeMap<String, Source>,
    busy: HashMap<String, Arc<Mutex<()>>>,
}

/// The answers to requests that may be repeated, by the names of the requests.
#[derive(Default)]
pub(crate) struct Answers(Mutex<(HashMap<String, Value>, VecDeque<String>)>);

impl Answers {
    /// The most that are remembered.
    const MOST: usize = 5_000;

    pub(crate) fn get(&self, request: &str) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.get(request).cloned()
    }

    pub(crate) fn put(&self, request: String, answer: Value) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.1.len() >= Self::MOST
            && let Some(oldest) = held.1.pop_front()
        {
            held.0.remove(&oldest);
        }
        held.1.push_back(request.clone());
        held.0.insert(request, answer);
    }
}

impl State {
    /// Takes a flight as it is now; what only memory has of it stays.
    pub(crate) fn put(&mut self, mut flight: Flight) {
        if let Some(now) = self.flights.get_mut(&flight.id) {
            flight.telemetry = now.telemetry.take();
            flight.queued = std::mem::take(&mut now.queued);
            flight.monitor = now.monitor.take();
        }
        self.flights.insert(flight.id.clone(), flight);
    }
}

/// A supplier.
pub struct Uss {
    /// How it is set.
    pub settings: Settings,
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Clock,
    pub(crate) keep: Keep,
    pub(crate) logs: Arc<Logs>,
    pub(crate) http: Arc<Http>,
    pub(crate) dss: DssClient,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) remote_id: RemoteId,
    pub(crate) answers: Answers,
    state: Mutex<State>,
    changes: Option<SyncSender<()>>,
}

impl Uss {
    /// Opens what was kept. That something has changed, here or with others, is sent to `changes`, where somebody wants to know.
    ///
    /// # Errors
    /// When the data folder cannot be used, or the authority's certificate cannot.
    pub fn open(
        settings: Settings,
        gate: Arc<Gate>,
        clock: Clock,
        changes: Option<SyncSender<()>>,
    ) -> Result<Arc<Self>, StartError> {
        let folder = |path: &PathBuf, why| StartError::Folder { path: path.display().to_string(), why };
        std::fs::create_dir_all(&settings.data).map_err(|e| folder(&settings.data, e))?;
        let logs_folder = settings.data.join("logs");
        let logs = Logs::open(logs_folder.clone(), &settings.name, clock.clone());
        let logs = Arc::new(logs.map_err(|e| folder(&logs_folder, e))?);
        let keep = Keep::open(&settings.data.join("uss.redb"))?;
        let http =
            Http::new(settings.tokens.clone(), settings.authority.clone(), logs.clone(), clock.clone())?;
        let http = Arc::new(http);
        let outbox = Outbox::new(keep.all("out/")?);
        let state = State {
            flights: keep.all("flight/")?.into_iter().collect(),
            constraints: keep.all("constraint/")?.into_iter().collect(),
            ..State::default()
        };
        let dss = DssClient::new(&settings.dss);
        let uss = Arc::new(Self {
            settings,
            gate,
            clock,
            keep,
            logs,
            http,
            dss,
            outbox: Arc::new(outbox),
            remote_id: RemoteId::default(),
            answers: Answers::default(),
            state: Mutex::new(state),
            changes,
        });
        crate::outbox::start(&uss);
        crate::upkeep::start(&uss);
        Ok(uss)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Moment {
        (self.clock)()
    }

    pub(crate) fn time(&self) -> jiff::Timestamp {
        volumes::timestamp(self.now())
    }

    /// One thing at a time is done to a flight or constraint.
    pub(crate) fn turn(&self, name: &str) -> Arc<Mutex<()>> {
        let mut state = self.state();
        // Nobody waits for those that only this map holds.
        if state.busy.len() > MAX_OWN {
            state.busy.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        state.busy.entry(name.into()).or_default().clone()
    }

    /// Whether somebody wants to know what others change.
    pub(crate) const fn is_listened_to(&self) -> bool {
        self.changes.is_some()
    }

    /// Something has changed.
    pub(crate) fn told(&self) {
        if let Some(changes) = &self.changes {
            // Full: it is known already that something has. Gone: nobody wants to know any more.
            _ = changes.try_send(());
        }
    }

    /// Tells an operator; `requirement` is the standard's that asks for it.
    pub(crate) fn notify_operator(
        &self,
        flight: &str,
        requirement: &str,
        message: String,
        conflicts: Option<usize>,
    ) {
        let at = Time::at(self.now());
        tracing::info!("flight {flight}: {message}");
        self.logs.record(Record::OperatorNotifications {
            record: json!({
                "triggering_event_time": at, "notification_time": at, "notification_details": message,
                "notification_triggering_event": requirement,
            }),
        });
        let mut state = self.state();
        if state.notices.len() >= MAX_NOTICES {
            state.notices.pop_front();
        }
        state.notices.push_back(Notice { at, flight: flight.into(), message, conflicts });
    }

    /// The notices to operators from one time to another.
    pub fn notices(&self, after: Moment, before: Moment) -> Vec<Notice> {
        let within = |notice: &&Notice| notice.at.instant().is_ok_and(|at| after <= at && at <= before);
        self.state().notices.iter().filter(within).cloned().collect()
    }
}
