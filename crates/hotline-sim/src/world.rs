//! The cores of several parties on a simulated network, with crashes, from one seed.

use crate::Random;
use hotline_airspace::{Seconds, shifted};
use hotline_ledger::{Certificate, PartyName, Role, SigningKey};
use hotline_line::{History, LineConfig, Message, OwnKeys, PeerKeys, Record, Rulebook};
use hotline_picture::{Core, Event};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What may go wrong, each once in so many chances; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// A connection breaks, with all that is under way.
    pub cut_one_in: u64,
    /// A party's node crashes, and loses what was not yet stored.
    pub crash_one_in: u64,
    /// A step of a party's clock, of up to an hour either way.
    pub clock_step_one_in: u64,
    /// The most milliseconds that a message takes.
    pub delay_ms: u64,
}

struct Disk {
    stored: Vec<Record>,
    snapshot: Option<(u64, Vec<u8>)>,
}

impl History for Disk {
    fn record(&self, place: u64) -> Option<Record> {
        self.stored.get(place as usize).cloned()
    }
}

/// One party of the world.
struct Party {
    config: LineConfig,
    core: Core,
    disk: Disk,
    clock_off: Seconds,
    /// Every alert that its officer has been shown, and every statement number heard of each peer, in order.
    shown: BTreeSet<String>,
}

/// Messages under way from one party to another, each with the time of its arrival; each lane keeps its order.
type Wire = BTreeMap<(usize, usize), [VecDeque<(u64, Message)>; 3]>;

/// The world.
pub struct World {
    names: Vec<PartyName>,
    parties: Vec<Party>,
    wire: Wire,
    connected: BTreeSet<(usize, usize)>,
    random: Random,
    faults: Faults,
    now_ms: u64,
}

const BEGIN: i64 = 1_800_000_000;

fn keys(name: &PartyName, seed: u8) -> OwnKeys {
    let [root, node, officer] = [0, 1, 2].map(|i| SigningKey::from_bytes(&[seed * 3 + i; 32]));
    let mut known = PeerKeys::new(name.clone(), root.verifying_key());
    for (key, role, holder) in [(&node, Role::Node, "node"), (&officer, Role::Officer, "officer")] {
        let certificate = Certificate {
            party: name.clone(),
            role,
            holder: holder.into(),
            key: key.verifying_key(),
            not_before: Timestamp::UNIX_EPOCH,
            not_after: Timestamp::from_second(BEGIN * 2).expect("an instant of this calendar"),
        };
        known.certify(certificate.sign(&root).bytes()).expect("by its own root key");
    }
    OwnKeys { known, node, officers: vec![officer] }
}

impl World {
    /// A world of so many parties, all connected.
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
        let all: Vec<OwnKeys> = names.iter().zip(1u8..).map(|(name, i)| keys(name, i)).collect();
        let parties = (0..count).map(|i| {
            let others = all.iter().enumerate().filter(|(j, _)| *j != i);
            let config = LineConfig {
                rulebook: rulebook.clone(),
                own: all[i].clone(),
                peers: others.map(|(_, k)| k.known.clone()).collect(),
            };
            let core = Core::new(config.clone()).expect("the rulebook fits");
            let disk = Disk { stored: vec![], snapshot: None };
            Party { config, core, disk, clock_off: Seconds::new(0.0), shown: BTreeSet::new() }
        });
        let mut world = Self {
            names,
            parties: parties.collect(),
            wire: BTreeMap::new(),
            connected: BTreeSet::new(),
            random: Random::new(seed),
            faults,
            now_ms: 0,
        };
        for i in 0..count {
            let now = world.clock(i);
            world.parties[i].core.start(now).expect("a new ledger can be spoken to");
            world.settle(i, false);
        }
        world
    }

    /// The names of the parties.
    pub fn names(&self) -> &[PartyName] {
        &self.names
    }

    /// A party's core.
    pub fn core(&self, party: usize) -> &Core {
        &self.parties[party].core
    }

    /// Conflicts that a party's officer has been shown.
    pub fn shown(&self, party: usize) -> &BTreeSet<String> {
        &self.parties[party].shown
    }

    /// A party's clock.
    pub fn clock(&self, party: usize) -> Timestamp {
        let begin = Timestamp::from_second(BEGIN).expect("an instant of this calendar");
        shifted(begin, Seconds::new(self.now_ms as f64 / 1e3) + self.parties[party].clock_off)
    }

    /// No more faults, and all clocks are set right.
    pub fn calm(&mut self) {
        self.faults = Faults { delay_ms: self.faults.delay_ms, ..Faults::default() };
        self.parties.iter_mut().for_each(|p| p.clock_off = Seconds::new(0.0));
    }

    /// A party does something.
    pub fn act(&mut self, party: usize, act: impl FnOnce(&mut Core, Timestamp)) {
        let now = self.clock(party);
        act(&mut self.parties[party].core, now);
        let crash = self.random.one_in(self.faults.crash_one_in);
        self.settle(party, crash);
    }

    /// Stores, sends and shows what a core wants; with a crash, a random part of what it wants is stored (records
    /// are written in order and as a unit, so all or none) and nothing is sent.
    fn settle(&mut self, i: usize, crash: bool) {
        let effects = self.parties[i].core.take_effects();
        for event in effects.at_once.iter().chain(if crash { &[][..] } else { &effects.after[..] }) {
            match event {
                Event::Detected(d) => _ = self.parties[i].shown.insert(d.key.to_string()),
                Event::Alert(a) => _ = self.parties[i].shown.insert(a.key.to_string()),
                _ => {}
            }
        }
        let stored = !crash || self.random.one_in(2);
        if stored {
            self.parties[i].disk.stored.extend(effects.records);
        }
        if crash {
            return self.crash(i);
        }
        for (peer, message) in effects.send.into_iter().chain(effects.tracks) {
            let j = self.names.iter().position(|n| *n == peer).expect("a party of this world");
            if self.connected.contains(&(i.min(j), i.max(j))) {
                // The wire carries bytes.
                let bytes = message.to_bytes();
                let message = Message::from_bytes(&bytes).expect("what is sent can be read");
                let lane = message.lane() as usize;
                let arrival = self.now_ms + self.random.below(self.faults.delay_ms + 1);
                let queue = &mut self.wire.entry((i, j)).or_default()[lane];
                let arrival = queue.back().map_or(arrival, |(last, _)| arrival.max(*last));
                queue.push_back((arrival, message));
            }
        }
        if self.random.one_in(50) {
            let party = &mut self.parties[i];
            party.disk.snapshot = Some((party.disk.stored.len() as u64, party.core.snapshot()));
        }
    }

    fn cut(&mut self, i: usize, j: usize) {
        self.connected.remove(&(i.min(j), i.max(j)));
        self.wire.remove(&(i, j));
        self.wire.remove(&(j, i));
        let (a, b) = (self.names[i].clone(), self.names[j].clone());
        self.parties[i].core.disconnected(&b);
        self.parties[j].core.disconnected(&a);
    }

    /// Kills a party's node and starts it again from its disk.
    pub fn crash(&mut self, i: usize) {
        for j in (0..self.names.len()).filter(|j| *j != i) {
            self.cut(i, j);
        }
        let now = self.clock(i);
        let party = &mut self.parties[i];
        let (mut core, from) = match &party.disk.snapshot {
            Some((upto, bytes)) => {
                let core = Core::restore(party.config.clone(), bytes, &party.disk);
                (core.expect("its own snapshot"), *upto as usize)
            }
            None => (Core::new(party.config.clone()).expect("the rulebook fits"), 0),
        };
        for record in &party.disk.stored[from..] {
            core.replay(record).expect("its own journal");
        }
        core.start(now).expect("it may speak");
        party.core = core;
        self.settle(i, false);
    }

    /// Lets so many milliseconds pass.
    pub fn run(&mut self, span_ms: u64) {
        let end = self.now_ms + span_ms;
        while self.now_ms < end {
            self.now_ms += 50;
            self.misfortunes();
            self.deliver();
            for i in 0..self.names.len() {
                let now = self.clock(i);
                let party = &mut self.parties[i];
                party.core.tick(now, &party.disk);
                let crash = self.random.one_in(self.faults.crash_one_in);
                self.settle(i, crash);
            }
        }
    }

    fn misfortunes(&mut self) {
        let count = self.names.len();
        for i in 0..count {
            for j in i + 1..count {
                if self.connected.contains(&(i, j)) {
                    if self.random.one_in(self.faults.cut_one_in) {
                        self.cut(i, j);
                    }
                } else if self.random.one_in(20) {
                    self.connect(i, j);
                }
            }
            if self.random.one_in(self.faults.clock_step_one_in) {
                self.parties[i].clock_off = Seconds::new(self.random.between(-3600.0, 3600.0));
            }
        }
    }

    fn connect(&mut self, i: usize, j: usize) {
        self.connected.insert((i, j));
        for (a, b) in [(i, j), (j, i)] {
            let (now, name) = (self.clock(a), self.names[b].clone());
            self.parties[a].core.connected(&name, now).expect("a party of this line");
            self.settle(a, false);
        }
    }

    fn deliver(&mut self) {
        let ways: Vec<(usize, usize)> = self.wire.keys().copied().collect();
        for (from, to) in ways {
            for lane in 0..3 {
                while let Some(message) = self.arrived(from, to, lane) {
                    let (now, name) = (self.clock(to), self.names[from].clone());
                    let party = &mut self.parties[to];
                    party.core.receive(&name, message, now, &party.disk);
                    let crash = self.random.one_in(self.faults.crash_one_in);
                    self.settle(to, crash);
                }
            }
        }
    }

    /// The next message of a lane that has arrived.
    fn arrived(&mut self, from: usize, to: usize, lane: usize) -> Option<Message> {
        let queue = &mut self.wire.get_mut(&(from, to))?[lane];
        queue.front().filter(|(at, _)| *at <= self.now_ms)?;
        queue.pop_front().map(|(_, message)| message)
    }

    /// What must hold at any time: what is stored can be read back, numbers have no gaps, causes come first. With
    /// the seed in the message, for the test that calls it.
    ///
    /// # Panics
    /// When it does not hold.
    pub fn check(&self) {
        for party in &self.parties {
            let mut heard: BTreeMap<PartyName, u64> = BTreeMap::new();
            for record in &party.disk.stored {
                let (Record::Own(bytes) | Record::Heard(_, bytes)) = record else { continue };
                let signed =
                    hotline_ledger::SignedStatement::from_own_store(bytes).expect("stored statements read");
                let said = signed.statement();
                let next = heard.entry(said.party.clone()).or_default();
                assert_eq!(*next, said.number, "each statement once and in order");
                *next += 1;
            }
        }
    }

    /// What must hold when all is calm and has settled: every node holds every ledger, alike to the last bit, with
    /// receipts for everything.
    ///
    /// # Panics
    /// When it does not hold.
    pub fn check_settled(&self) {
        for (i, owner) in self.names.iter().enumerate() {
            let own = self.core(i).line().tree(owner).expect("its own ledger");
            for (j, _) in self.names.iter().enumerate().filter(|(j, _)| *j != i) {
                let copy = self.core(j).line().tree(owner).expect("a peer's ledger");
                assert_eq!(own.size(), copy.size(), "{owner}'s ledger at {}", self.names[j]);
                assert_eq!(own.root(own.size()), copy.root(own.size()));
                let status = self.core(i).line().status(&self.names[j]).expect("a peer");
                assert_eq!(status.receipted, own.size(), "{}'s receipt for {owner}", self.names[j]);
                assert_eq!(self.core(i).tally(), self.core(j).tally());
            }
        }
    }
}
