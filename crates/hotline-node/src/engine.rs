//! The core on a thread of its own, and the journal behind it.
//!
//! The core never waits for the disk: what it wants to store goes to the journal's thread together with what is to
//! be sent, shown and answered once that is durable. When storing fails, everything that was to follow is dropped,
//! callers are told why, and the core is built anew from the journal; its tracks and detections go on, so that
//! conflicts are still seen and shown while nothing can be recorded.

use crate::clock::Clock;
use crate::inbox::{Inbox, Urgency};
use crate::recovery::{FromJournal, recover};
use crate::view::Outlet;
use hotline_journal::{Committed, GroupCommit, Journal};
use hotline_ledger::PartyName;
use hotline_line::{
    Act, FlightId, Handover, LineConfig, LineError, Message, Restriction, SharedTrack, Speech, StatementRef,
};
use hotline_picture::{Core, CoreError, Effects, FlightPlan};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The core looks at its clock at least so often.
const TICK: Duration = Duration::from_millis(100);
/// After a failure of the disk, so long passes before it is tried again.
const RETRY: Duration = Duration::from_secs(3);
/// The most batches of effects that are gathered into one submission to the journal.
const MAX_GATHERED: usize = 256;
/// What comes in while the node still listens, as it does for a few seconds after a start, waits so long for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most commands that wait so; further ones are refused at once.
const MAX_PATIENT: usize = 4_096;

/// What an officer, a planner or an administrator wants done.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    FileFlight(FlightPlan),
    EndFlight(FlightId),
    Restrict(Restriction),
    Lift(FlightId),
    Act(Box<Act>),
    /// A further key of the own party, and the name of who holds it.
    Certify(Vec<u8>, String),
    Revoke(Vec<u8>),
    HandedOver(Handover),
    /// What was carried here from a peer by hand.
    CarriedIn(PartyName, Box<Message>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    Version(u32),
    Said(StatementRef),
    Yes,
}

/// Why it was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The core refused it.
    Core(CoreError),
    /// It could not be stored.
    Disk(String),
    /// The node is stopping.
    Stopping,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Core(e) => e.fmt(f),
            Self::Disk(why) => f.write_str(why),
            Self::Stopping => f.write_str("the node is stopping"),
        }
    }
}

type Answer = oneshot::Sender<Result<Done, Refusal>>;

pub(crate) enum Input {
    Do(Command, Answer),
    OwnTracks(Vec<SharedTrack>, oneshot::Sender<usize>),
    /// A connection with a peer stands; which one.
    Connected(PartyName, u64),
    /// It is gone, and all that came over it has been put before this.
    Disconnected(PartyName, u64),
    Message(PartyName, Message),
    /// A peer has sent what cannot be read.
    Garbage(PartyName),
    Look(Box<dyn FnOnce(&Core) + Send>),
    StoreFailed(String),
    Stored,
    Stop,
}

/// What follows once a submission is durable.
struct Follow {
    effects: Effects,
    answers: Vec<(Answer, Done)>,
}

/// The way to the core.
#[derive(Clone)]
pub(crate) struct Engine {
    inbox: Arc<Inbox<Input>>,
}

impl Engine {
    /// Starts the threads on a recovered core.
    pub(crate) fn start(
        core: Core,
        journal: Arc<dyn Journal>,
        config: LineConfig,
        clock: Clock,
        outlet: Outlet,
        snapshot_every: u64,
        restored: Option<PathBuf>,
    ) -> (Self, std::thread::JoinHandle<()>) {
        let inbox = Arc::new(Inbox::new());
        let commit = {
            let (outlet, inbox, own) = (outlet.clone(), inbox.clone(), core.line().party().clone());
            GroupCommit::start(journal.clone(), move |committed, follow| {
                follow_up(committed, follow, &outlet, &inbox, &own)
            })
        };
        let snapshot_at = journal.snapshot().ok().flatten().map_or(0, |(upto, _)| upto) + snapshot_every;
        let mut run = Run {
            core,
            journal,
            config,
            clock,
            outlet,
            inbox: inbox.clone(),
            commit,
            epoch: 0,
            retry: None,
            snapshot_every,
            snapshot_at,
            connections: BTreeMap::new(),
            patient: VecDeque::new(),
            restored,
            follow: Follow { effects: Effects::default(), answers: vec![] },
        };
        let thread = std::thread::Builder::new().name("core".into());
        let thread = thread.spawn(move || run.run()).expect("a thread can be started");
        (Self { inbox }, thread)
    }

    pub(crate) async fn command(&self, command: Command) -> Result<Done, Refusal> {
        let (answer, answered) = oneshot::channel();
        if !self.inbox.put(Urgency::Own, Input::Do(command, answer)).await {
            return Err(Refusal::Stopping);
        }
        answered.await.unwrap_or(Err(Refusal::Stopping))
    }

    pub(crate) async fn own_tracks(&self, reports: Vec<SharedTrack>) -> Result<usize, Refusal> {
        let (answer, answered) = oneshot::channel();
        if !self.inbox.put(Urgency::Second, Input::OwnTracks(reports, answer)).await {
            return Err(Refusal::Stopping);
        }
        answered.await.map_err(|_| Refusal::Stopping)
    }

    pub(crate) async fn connected(&self, peer: PartyName, connection: u64) {
        self.inbox.put(Urgency::Own, Input::Connected(peer, connection)).await;
    }

    /// To be called when all messages of the connection have been handed over.
    pub(crate) async fn disconnected(&self, peer: PartyName, connection: u64) {
        self.inbox.put(Urgency::Third, Input::Disconnected(peer, connection)).await;
    }

    pub(crate) async fn message(&self, peer: PartyName, message: Message) -> bool {
        let urgency = match message.lane() {
            hotline_line::Lane::Urgent => Urgency::First,
            hotline_line::Lane::Ledger | hotline_line::Lane::Tracks => Urgency::Third,
        };
        self.inbox.put(urgency, Input::Message(peer, message)).await
    }

    pub(crate) async fn garbage(&self, peer: PartyName) {
        self.inbox.put(Urgency::Third, Input::Garbage(peer)).await;
    }

    /// Looks at the core.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Core) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let input = Input::Look(Box::new(move |core| _ = answer.send(look(core))));
        self.inbox.put(Urgency::Second, input).await;
        answered.await.ok()
    }

    /// Stops after what is waiting has been done.
    pub(crate) fn stop(&self) {
        self.inbox.put_own(Input::Stop);
    }
}

fn follow_up(
    committed: Committed,
    follow: Follow,
    outlet: &Outlet,
    inbox: &Inbox<Input>,
    own: &hotline_ledger::PartyName,
) {
    match committed {
        Ok(_) => {
            for (peer, message) in follow.effects.send {
                outlet.send(&peer, message);
            }
            for event in &follow.effects.after {
                outlet.show(event, own);
            }
            for (answer, value) in follow.answers {
                // Whoever asked may have gone.
                _ = answer.send(Ok(value));
            }
            if !follow.effects.records.is_empty() {
                inbox.put_own(Input::Stored);
            }
        }
        Err(e) => {
            for (answer, _) in follow.answers {
                _ = answer.send(Err(Refusal::Disk(e.to_string())));
            }
            inbox.put_own(Input::StoreFailed(e.to_string()));
        }
    }
}

struct Run {
    core: Core,
    journal: Arc<dyn Journal>,
    config: LineConfig,
    clock: Clock,
    outlet: Outlet,
    inbox: Arc<Inbox<Input>>,
    commit: GroupCommit<Follow>,
    /// Counts the cores built after failures.
    epoch: u64,
    /// When the disk is tried again; the core is muted until then.
    retry: Option<Instant>,
    snapshot_every: u64,
    snapshot_at: u64,
    /// The connection that stands with each peer.
    connections: BTreeMap<PartyName, u64>,
    /// What waits until the node may speak, and until when.
    patient: VecDeque<(Command, Answer, Instant)>,
    /// The mark of a folder that was restored from a copy, to be taken away once the node speaks again.
    restored: Option<PathBuf>,
    follow: Follow,
}

impl Run {
    fn run(&mut self) {
        let mut last_tick = Instant::now();
        let mut gathered = 0;
        loop {
            let due = TICK.saturating_sub(last_tick.elapsed());
            // While effects wait to be submitted, only take what is there.
            let wait = if gathered > 0 { Duration::ZERO } else { due };
            let input = self.inbox.take(wait);
            let idle = input.is_none();
            match input {
                Some(Input::Stop) => {
                    self.inbox.close();
                }
                Some(input) => {
                    self.handle(input);
                    gathered += 1;
                }
                None if !self.inbox.is_open() => break,
                None => {}
            }
            if last_tick.elapsed() >= TICK {
                last_tick = Instant::now();
                self.tick();
                gathered += 1;
            }
            self.gather();
            if gathered > 0 && (idle || gathered >= MAX_GATHERED) {
                self.submit();
                gathered = 0;
            }
        }
        self.submit();
        self.commit.stop();
        if let Some(writing) = self.snapshot() {
            // It reports its own failure.
            _ = writing.join();
        }
    }

    /// Takes over what the core wants done. What need not wait for the disk goes out at once; while nothing can be
    /// stored, that is all that goes out, with the communication checks: what the core would store is dropped, and
    /// so is the core itself when the disk is tried again.
    fn gather(&mut self) {
        let effects = self.core.take_effects();
        for event in &effects.at_once {
            self.outlet.show(event, self.core.line().party());
        }
        for (peer, message) in effects.tracks {
            self.outlet.send(&peer, message);
        }
        if self.retry.is_some() {
            let own = self.core.line().party();
            effects.after.iter().for_each(|event| self.outlet.show(event, own));
            let check = |m: &Message| matches!(m, Message::Check { .. } | Message::Answer { .. });
            for (peer, message) in effects.send.into_iter().filter(|(_, m)| check(m)) {
                self.outlet.send(&peer, message);
            }
            return;
        }
        let follow = &mut self.follow.effects;
        follow.records.extend(effects.records);
        follow.send.extend(effects.send);
        follow.after.extend(effects.after);
    }

    fn submit(&mut self) {
        let follow =
            std::mem::replace(&mut self.follow, Follow { effects: Effects::default(), answers: vec![] });
        let effects = &follow.effects;
        if effects.records.is_empty()
            && effects.send.is_empty()
            && effects.after.is_empty()
            && follow.answers.is_empty()
        {
            return;
        }
        let records = effects.records.iter().map(hotline_line::Record::to_bytes).collect();
        if self.commit.submit(self.epoch, records, follow).is_err() {
            tracing::error!("the journal's thread has stopped");
        }
    }

    fn handle(&mut self, input: Input) {
        let now = self.clock.now();
        match input {
            Input::Do(command, answer) => self.command(command, answer, Instant::now() + PATIENCE),
            Input::OwnTracks(reports, answer) => _ = answer.send(self.core.own_tracks(reports, now)),
            Input::Connected(peer, connection) => match self.core.connected(&peer, now) {
                Ok(()) => _ = self.connections.insert(peer, connection),
                Err(e) => tracing::warn!("{e}"),
            },
            // A newer connection may have been told of before.
            Input::Disconnected(peer, connection) => {
                if self.connections.get(&peer) == Some(&connection) {
                    self.connections.remove(&peer);
                    self.core.disconnected(&peer);
                }
            }
            // While nothing can be stored, a peer's ledger is not taken in: no receipt is given, and it comes again.
            Input::Message(peer, Message::Entries { .. } | Message::Receipt(_) | Message::Hello { .. })
                if self.retry.is_some() =>
            {
                tracing::debug!("{peer}: not taken in, since nothing can be stored");
            }
            Input::Message(peer, message) => {
                let history = FromJournal(&*self.journal);
                self.core.receive(&peer, message, now, &history);
            }
            Input::Garbage(peer) => self.core.garbage(&peer, now),
            Input::Look(look) => look(&self.core),
            Input::StoreFailed(why) => self.store_failed(&why),
            Input::Stored => {
                if self.core.line().next_place() >= self.snapshot_at {
                    self.snapshot();
                }
            }
            Input::Stop => {}
        }
    }

    /// Does a command, or lets it wait until `until` if all that is against it is that the node still listens.
    fn command(&mut self, command: Command, answer: Answer, until: Instant) {
        let listens = matches!(self.core.line().speech(), Speech::Listening(_) | Speech::Behind(_));
        let waits = listens && until > Instant::now() && self.patient.len() < MAX_PATIENT;
        let again = waits.then(|| command.clone());
        match (self.execute(command), again) {
            (Ok(done), _) => self.follow.answers.push((answer, done)),
            (Err(CoreError::Line(LineError::Silent(_))), Some(command)) => {
                self.patient.push_back((command, answer, until));
            }
            // Whoever asked may have gone.
            (Err(e), _) => _ = answer.send(Err(Refusal::Core(e))),
        }
    }

    fn execute(&mut self, command: Command) -> Result<Done, CoreError> {
        let (core, now) = (&mut self.core, self.clock.now());
        match command {
            Command::FileFlight(plan) => core.file_flight(plan, now).map(Done::Version),
            Command::EndFlight(flight) => core.end_flight(flight, now).map(|()| Done::Yes),
            Command::Restrict(restriction) => core.restrict(restriction, now).map(|()| Done::Yes),
            Command::Lift(id) => core.lift(id, now).map(|()| Done::Yes),
            Command::Act(act) => core.act(*act, now).map(Done::Said),
            Command::Certify(certificate, name) => core.certify(&certificate, &name, now).map(|()| Done::Yes),
            Command::Revoke(revocation) => core.revoke(&revocation, now).map(|()| Done::Yes),
            Command::CarriedIn(peer, message) => {
                let history = FromJournal(&*self.journal);
                core.carried_in(&peer, *message, now, &history).map(|()| Done::Yes)
            }
            Command::HandedOver(handover) => core.handed_over(handover, now).map(|()| Done::Yes),
        }
    }

    fn tick(&mut self) {
        if self.retry.is_some_and(|at| at <= Instant::now()) {
            self.rebuild(None);
        }
        let history = FromJournal(&*self.journal);
        self.core.tick(self.clock.now(), &history);
        let patient = std::mem::take(&mut self.patient);
        patient.into_iter().for_each(|(command, answer, until)| self.command(command, answer, until));
        self.unmark();
    }

    /// A restored node that speaks again, and has what it had said before durably, is a node like any other.
    fn unmark(&mut self) {
        if self.restored.is_none() {
            return;
        }
        let speaks = *self.core.line().speech() == Speech::Free && self.retry.is_none();
        if !speaks || self.journal.len().ok() != Some(self.core.line().next_place()) {
            return;
        }
        if let Some(mark) = self.restored.take() {
            self.config.restored = false;
            match std::fs::remove_file(&mark) {
                Ok(()) => tracing::info!("the restored ledger is complete again"),
                Err(e) => tracing::error!("{}: {e}", mark.display()),
            }
        }
    }

    /// A batch was refused. All later ones of its epoch are refused by the journal's thread, each tells so here;
    /// the first starts the new epoch.
    fn store_failed(&mut self, why: &str) {
        if self.retry.is_some() {
            return;
        }
        tracing::error!("{why}");
        self.outlet.set_trouble(Some(why));
        // Nothing that builds on the refused batch may be stored.
        self.follow.effects = Effects::default();
        for (answer, _) in self.follow.answers.drain(..) {
            _ = answer.send(Err(Refusal::Disk(why.to_owned())));
        }
        self.rebuild(Some(why));
    }

    /// Builds the core anew from what is durable: muted for a while after a failure, and once more, to be used in
    /// earnest, when the disk is tried again.
    fn rebuild(&mut self, muted: Option<&str>) {
        match recover(&*self.journal, self.config.clone(), |_, _| ()) {
            Ok(core) => {
                let old = std::mem::replace(&mut self.core, core);
                self.core.take_over(old);
                self.core.mute(muted.map(str::to_owned));
                self.epoch += 1;
                self.retry = muted.map(|_| Instant::now() + RETRY);
                if muted.is_none() {
                    self.outlet.set_trouble(None);
                    // Peers start again from what is durably held.
                    self.outlet.reconnect();
                    self.core.start(self.clock.now());
                }
            }
            Err(e) => {
                let why = format!("the journal cannot be read again: {e}");
                tracing::error!("{why}");
                self.core.mute(Some(why));
                self.retry = Some(Instant::now() + RETRY);
            }
        }
    }

    /// Keeps a snapshot, when everything the core knows is durable. The writing is done beside the core.
    fn snapshot(&mut self) -> Option<std::thread::JoinHandle<()>> {
        let upto = self.core.line().next_place();
        if self.retry.is_some() || self.journal.len().ok() != Some(upto) {
            return None;
        }
        self.snapshot_at = upto + self.snapshot_every;
        let (state, journal) = (self.core.snapshot(), self.journal.clone());
        let write = move || {
            if let Err(e) = journal.save_snapshot(upto, &state) {
                tracing::warn!("no snapshot: {e}");
            }
        };
        std::thread::Builder::new().name("snapshot".into()).spawn(write).ok()
    }
}
