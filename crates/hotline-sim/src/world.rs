//! The cores of several parties on a simulated network, with disks that fail, clocks that are wrong, and parties that cheat; all from one
//! seed.
//!
//! The world goes from event to event: a message arrives, a disk has synced, a node looks at its clock, something goes wrong. What must
//! hold is checked at each ([`crate::Watch`]); what does not is a violation, with the seed that shows it.

mod misfortune;

use crate::adversary::Adversary;
use crate::network::{Letter, Network};
use crate::node::{Follow, Keys, Node};
use crate::{Carried, Random, Watch, Weather};
use hotline_airspace::{Seconds, shifted};
use hotline_ledger::PartyName;
use hotline_line::{Deed, LineConfig, Message, Rulebook};
use hotline_picture::{Core, CoreError, Effects, Event};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What may go wrong. Rates are once in so many seconds on average, for each connection or party; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// What happens to messages.
    pub weather: Weather,
    /// A connection breaks, with all that is under way, for up to `cut_s`.
    pub cut_every_s: u64,
    /// How long a connection stays cut at most, seconds; at least one.
    pub cut_s: u64,
    /// A party's node crashes, and loses what was not yet synced.
    pub crash_every_s: u64,
    /// How long it is down at most, seconds.
    pub down_s: u64,
    /// A step of a party's clock, of up to an hour either way; half of them right it again.
    pub clock_step_every_s: u64,
    /// How much clocks go wrong at most, parts per million.
    pub drift_ppm: f64,
    /// A party's disk is full for up to a minute.
    pub full_every_s: u64,
    /// A party's disk is damaged: it is replaced, with the last copy that its administrator kept.
    pub damage_every_s: u64,
    /// The most milliseconds that a sync takes.
    pub sync_ms: u64,
}

/// What has gone wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct Injected {
    /// Connections cut.
    pub cuts: u64,
    /// Nodes crashed.
    pub crashes: u64,
    /// Clocks stepped.
    pub clock_steps: u64,
    /// Disks that were full.
    pub full: u64,
    /// Disks restored from a copy.
    pub restored: u64,
    /// Messages that a cheating party made.
    pub forged: u64,
}

/// A party that tells two stories.
struct Twin {
    party: usize,
    node: usize,
    side: BTreeSet<usize>,
}

/// The world.
pub struct World {
    pub(crate) nodes: Vec<Node>,
    pub(crate) network: Network,
    pub(crate) random: Random,
    pub(crate) faults: Faults,
    pub(crate) injected: Injected,
    pub(crate) adversary: Option<Adversary>,
    pub(crate) watch: Watch,
    pub(crate) now_ms: u64,
    /// A party that tells two stories: its second node, and who talks to that one.
    twin: Option<Twin>,
    /// When each pair may connect again.
    cut_until: Vec<((usize, usize), u64)>,
    next_tick: u64,
    next_second: u64,
    tick_ms: u64,
}

const BEGIN: i64 = 1_800_000_000;

impl World {
    /// A world of so many parties.
    pub fn new(count: usize, seed: u64, faults: Faults) -> Self {
        Self::with_rulebook(count, seed, faults, |_| ())
    }

    /// The same under a changed rulebook.
    pub fn with_rulebook(
        count: usize,
        seed: u64,
        faults: Faults,
        change: impl FnOnce(&mut Rulebook),
    ) -> Self {
        let names: Vec<PartyName> =
            (0..count).map(|i| PartyName::new(&format!("party-{i}")).expect("a plain name")).collect();
        let mut rulebook = Rulebook::from_toml(Rulebook::EXAMPLE).expect("the example is valid");
        rulebook.parties = names.iter().map(ToString::to_string).collect();
        change(&mut rulebook);
        let all: Vec<Keys> = names.iter().zip(1u8..).map(|(name, i)| Keys::new(name, i)).collect();
        let nodes = (0..count).map(|i| {
            let others = all.iter().enumerate().filter(|(j, _)| *j != i);
            let config = LineConfig {
                rulebook: rulebook.clone(),
                own: all[i].own.clone(),
                peers: others.map(|(_, k)| k.own.known.clone()).collect(),
                restored: false,
            };
            Node::new(config, all[i].clone()).expect("the rulebook fits")
        });
        let mut random = Random::new(seed);
        let mut nodes: Vec<Node> = nodes.collect();
        for node in &mut nodes {
            node.drift_ppm = random.between(-faults.drift_ppm, faults.drift_ppm);
        }
        let mut watch = Watch::new(count);
        let weather = faults.weather;
        watch.reliable =
            weather.lose_one_in == 0 && weather.damage_one_in == 0 && weather.reorder_one_in == 0;
        let mut world = Self {
            watch,
            nodes,
            network: Network::new(faults.weather),
            random,
            faults,
            injected: Injected::default(),
            adversary: None,
            now_ms: 0,
            twin: None,
            cut_until: Vec::new(),
            next_tick: 0,
            next_second: 0,
            tick_ms: 100,
        };
        for i in 0..count {
            let now = world.clock(i);
            world.nodes[i].core.start(now);
            world.settle(i);
        }
        world
    }

    /// Nodes look at their clocks so often, milliseconds; 100 when nothing is said.
    pub fn tick_every(&mut self, ms: u64) {
        self.tick_ms = ms;
    }

    /// One party cheats from now on.
    pub fn corrupt(&mut self, adversary: Adversary) {
        self.watch.distrust(adversary.party());
        self.adversary = Some(adversary);
    }

    // ---- looking ----

    /// How many parties there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// A party's name.
    pub fn name(&self, party: usize) -> &PartyName {
        &self.nodes[party].name
    }

    /// A party's core.
    pub fn core(&self, party: usize) -> &Core {
        &self.nodes[party].core
    }

    /// Conflicts that a party's officer has been shown.
    pub fn shown(&self, party: usize) -> &BTreeSet<String> {
        &self.nodes[party].shown
    }

    /// Milliseconds since the beginning.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// What has gone wrong so far.
    pub fn injected(&self) -> Injected {
        self.injected
    }

    /// What has happened to messages.
    pub fn carried(&self) -> Carried {
        self.network.carried
    }

    /// What does not hold, if anything.
    pub fn violations(&self) -> &[String] {
        self.watch.violations()
    }

    /// A party's clock.
    pub fn clock(&self, party: usize) -> Timestamp {
        let begin = Timestamp::from_second(BEGIN).expect("an instant of this calendar");
        let node = &self.nodes[party];
        let gone = self.now_ms as f64 / 1e3 * (1.0 + node.drift_ppm * 1e-6);
        shifted(begin, Seconds::new(gone) + node.clock_off)
    }

    pub(crate) fn index(&self, name: &PartyName) -> Option<usize> {
        self.nodes.iter().position(|n| n.name == *name)
    }

    /// A party begins to tell those of `side` another story than the rest: a second node runs on a copy of its disk.
    pub fn fork(&mut self, party: usize, side: BTreeSet<usize>) {
        let mut config = self.nodes[party].config.clone();
        config.restored = false;
        let keys = self.nodes[party].keys.clone();
        let mut twin = Node::new(config, keys).expect("the rulebook fits");
        self.nodes[party].disk.back_up();
        twin.disk.backup = self.nodes[party].disk.backup.clone();
        twin.disk.restore_backup();
        twin.recover().expect("its own journal");
        self.watch.distrust(party);
        self.watch.distrust(self.nodes.len());
        self.watch.add_node();
        for &j in &side {
            self.cut(party, j);
        }
        let node = self.nodes.len();
        self.nodes.push(twin);
        self.watch.restarted(node, &self.nodes[node]);
        self.twin = Some(Twin { party, node, side });
        let now = self.clock(node);
        self.nodes[node].core.start(now);
        self.settle(node);
    }

    /// Whether two nodes talk to each other, as far as a party that tells two stories goes.
    fn may_meet(&self, i: usize, j: usize) -> bool {
        let Some(twin) = &self.twin else { return true };
        let fits = |a: usize, b: usize| {
            if a == twin.node {
                twin.side.contains(&b)
            } else if a == twin.party {
                !twin.side.contains(&b) && b != twin.node
            } else {
                true
            }
        };
        fits(i, j) && fits(j, i)
    }

    // ---- acting ----

    /// No more faults, all clocks are set right, nobody cheats.
    pub fn calm(&mut self) {
        self.faults = Faults::default();
        self.network.weather = Weather { delay_ms: self.network.weather.delay_ms, ..Weather::default() };
        self.cut_until.clear();
        self.adversary = None;
        for node in &mut self.nodes {
            (node.clock_off, node.drift_ppm, node.disk.full) = (Seconds::new(0.0), 0.0, false);
        }
    }

    /// A party does something, if its node runs.
    pub fn act<T>(&mut self, party: usize, act: impl FnOnce(&mut Core, Timestamp) -> T) -> Option<T> {
        if !self.nodes[party].is_up() {
            return None;
        }
        let now = self.clock(party);
        let done = act(&mut self.nodes[party].core, now);
        self.settle(party);
        Some(done)
    }

    /// A person of a party does something.
    ///
    /// # Errors
    /// What the core refuses.
    pub fn do_deed(
        &mut self,
        party: usize,
        deed: Deed,
    ) -> Result<Option<hotline_line::StatementRef>, CoreError> {
        let now = self.clock(party);
        let act = self.nodes[party].sign(deed, now)?;
        self.act(party, |core, now| core.act(act, now)).transpose()
    }

    /// An officer of a party acknowledges an alert.
    ///
    /// # Errors
    /// What the core refuses.
    pub fn acknowledge(&mut self, party: usize, key: &hotline_line::ConflictKey) -> Result<(), CoreError> {
        let deed = self.core(party).acknowledgement(key)?;
        self.do_deed(party, deed).map(|_| ())
    }

    /// Takes over what a core wants: stored on the disk, and sent and shown when that is synced.
    pub(crate) fn settle(&mut self, i: usize) {
        let effects = self.nodes[i].core.take_effects();
        let Effects { records, send, after, at_once, tracks, heard } = effects;
        self.watch.heard(i, &self.nodes, &heard);
        self.see(i, &at_once);
        for (peer, message) in tracks {
            self.send(i, &peer, &message);
        }
        if self.nodes[i].retry_at.is_some() {
            // Nothing can be stored: only checks go out, as the engine does it.
            self.see(i, &after);
            let check = |m: &Message| matches!(m, Message::Check { .. } | Message::Answer { .. });
            for (peer, message) in send.into_iter().filter(|(_, m)| check(m)) {
                self.send(i, &peer, &message);
            }
            return;
        }
        if records.is_empty() && self.nodes[i].disk.waiting.is_empty() {
            self.follow(i, Follow { send, after, own_size: 0 });
            return;
        }
        let done_at = self.now_ms + self.random.below(self.faults.sync_ms + 1);
        self.nodes[i].submit(&records, send, after, done_at);
        if self.faults.sync_ms == 0 {
            self.sync(i);
        }
    }

    fn follow(&mut self, i: usize, follow: Follow) {
        self.watch.durable(i, &self.nodes[i], follow.own_size);
        self.watch.said_alerts(i, &self.nodes, &self.network, &follow.after, self.now_ms);
        self.see(i, &follow.after);
        for (peer, message) in &follow.send {
            self.send(i, peer, message);
        }
    }

    fn see(&mut self, i: usize, events: &[Event]) {
        for event in events {
            match event {
                Event::Detected(d) => _ = self.nodes[i].shown.insert(d.key.to_string()),
                Event::Alert(a) => {
                    self.watch.alert_shown(i, a, self.now_ms);
                    self.nodes[i].shown.insert(a.key.to_string());
                }
                _ => {}
            }
        }
    }

    fn send(&mut self, i: usize, peer: &PartyName, message: &Message) {
        let to_twin = self.twin.as_ref().filter(|t| t.side.contains(&i) && self.nodes[t.party].name == *peer);
        let to = to_twin.map(|t| t.node).or_else(|| self.index(peer));
        if let Some(j) = to {
            self.network.send(self.now_ms, i, j, message, &mut self.random);
        }
    }

    // ---- time ----

    /// Lets so many milliseconds pass.
    pub fn run(&mut self, span_ms: u64) {
        let end = self.now_ms + span_ms;
        while self.now_ms < end {
            let syncs = self.nodes.iter().filter_map(|n| n.disk.waiting.front().map(|b| b.done_at));
            let next = syncs.chain(self.network.next_arrival()).chain([self.next_tick, end]).min();
            self.now_ms = next.unwrap_or(end).max(self.now_ms);
            for i in 0..self.nodes.len() {
                self.sync(i);
            }
            while let Some(letter) = self.network.arrived(self.now_ms) {
                self.deliver(letter);
            }
            if self.now_ms >= self.next_tick {
                self.next_tick = self.now_ms + self.tick_ms;
                self.tick();
            }
        }
    }

    fn tick(&mut self) {
        if self.now_ms >= self.next_second {
            self.next_second = self.now_ms + 1_000;
            self.misfortunes();
        }
        for i in 0..self.nodes.len() {
            if self.nodes[i].down_until.is_some_and(|at| at <= self.now_ms) {
                self.power_on(i);
            }
            if !self.nodes[i].is_up() {
                continue;
            }
            if self.nodes[i].retry_at.is_some_and(|at| at <= self.now_ms) {
                self.try_disk_again(i);
            }
            let now = self.clock(i);
            let node = &mut self.nodes[i];
            node.core.tick(now, &node.disk);
            // The administrator removes the mark once the node has caught up and speaks.
            if node.config.restored && node.core.line().may_speak().is_ok() {
                node.config.restored = false;
            }
            self.settle(i);
        }
        self.with_adversary(Adversary::tick);
        self.watch.overdue_alerts(self.now_ms);
    }

    fn with_adversary(&mut self, act: impl FnOnce(&mut Adversary, &mut Self)) {
        if let Some(mut adversary) = self.adversary.take() {
            act(&mut adversary, self);
            self.adversary = Some(adversary);
        }
    }

    fn connect(&mut self, i: usize, j: usize) {
        let member = |a: usize, b: usize| self.nodes[a].core.line().is_member(&self.nodes[b].name);
        if !member(i, j) || !member(j, i) {
            return;
        }
        self.network.connect(i, j);
        self.watch.connected(i, j, self.now_ms);
        for (a, b) in [(i, j), (j, i)] {
            let (now, name) = (self.clock(a), self.nodes[b].name.clone());
            if let Err(e) = self.nodes[a].core.connected(&name, now) {
                self.watch.violation(format!("{name} cannot connect: {e}"));
            }
            self.settle(a);
        }
    }

    fn deliver(&mut self, letter: Letter) {
        let Letter { from, to, bytes } = letter;
        if !self.nodes[to].is_up() {
            return;
        }
        let name = self.nodes[from].name.clone();
        let now = self.clock(to);
        let Ok(message) = Message::from_bytes(&bytes) else {
            // As the shell does it: the connection begins anew.
            self.nodes[to].core.garbage(&name, now);
            self.settle(to);
            self.partition(from, to, 1_000);
            return;
        };
        if let Some(mut adversary) = self.adversary.take() {
            let taken = adversary.hears(self, from, to, &message);
            self.adversary = Some(adversary);
            if taken {
                return;
            }
        }
        let muted = self.nodes[to].retry_at.is_some();
        let checks = matches!(message, Message::Check { .. } | Message::Answer { .. } | Message::Tracks(_));
        if muted && !checks && !matches!(message, Message::Urgent(_)) {
            return;
        }
        let heads = match &message {
            Message::Heads(heads) => Some(heads.clone()),
            _ => None,
        };
        let node = &mut self.nodes[to];
        node.core.receive(&name, message, now, &node.disk);
        if let Some(heads) = heads {
            self.watch.told_heads(&self.nodes[to], &name, &heads);
        }
        self.watch.memory(&self.nodes[to]);
        self.settle(to);
    }

    // ---- checking ----

    /// What must hold when all is calm and has settled.
    ///
    /// # Panics
    /// When anything does not hold, or did not earlier.
    pub fn check_settled(&mut self) {
        self.settle_check();
        self.check();
    }

    /// What does not hold now, with what must hold when all has settled.
    pub fn settled_violations(&mut self) -> Vec<String> {
        self.settle_check();
        self.violations().to_vec()
    }

    pub(crate) fn settle_check(&mut self) {
        self.watch.settled(&self.nodes);
    }

    /// # Panics
    /// When anything has been found that does not hold.
    pub fn check(&self) {
        assert!(self.violations().is_empty(), "{:#?}", self.violations());
    }
}
