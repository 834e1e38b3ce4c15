//! What must hold, checked while the world runs.
//!
//! 1. What was accepted as durable is never lost.
//! 2. Each statement is read once, in its party's order, and never before its causes.
//! 3. No two nodes come to different outcomes of a vote, or to different rulebooks of one version.
//! 4. Two histories of one ledger are found as soon as two honest peers who were told different ones exchange heads.
//! 5. An alert of the highest level reaches a connected peer's officer within a second.
//! 6. When all is calm, all honest ledgers and all that follows from them are alike, and nothing is left open that should not be.
//! 7. Nothing that a peer sends stops a node, or makes it keep ever more in memory.

use crate::network::Network;
use crate::node::Node;
use hotline_ledger::{Checkpoint, PartyName, origin};
use hotline_line::{LISTENING, Level, Outcome, StatementRef};
use hotline_picture::{Alert, Event, Heard};
use std::collections::{BTreeMap, BTreeSet};

/// An alert must reach a connected peer's officer within so long.
const ALERT_MS: u64 = 1_000;
/// The most violations that are listed.
const MAX_LISTED: usize = 20;
/// What a node may keep in memory of each peer beside the hashes of its ledger.
const KEPT_OF_A_PEER: usize = 26_000;

struct Expected {
    by: usize,
    at: usize,
    conflict: String,
    statement: StatementRef,
    until: u64,
}

/// The watch over a world.
pub struct Watch {
    violations: Vec<String>,
    /// The hashes of each party's statements that were accepted.
    promised: Vec<Vec<[u8; 32]>>,
    /// How many statements of each party each reader has seen.
    read: Vec<BTreeMap<PartyName, u64>>,
    outcomes: BTreeMap<StatementRef, (Outcome, PartyName)>,
    rulebooks: BTreeMap<u64, ([u8; 32], PartyName)>,
    /// Alerts that are to be shown.
    expected: Vec<Expected>,
    alerted: BTreeSet<StatementRef>,
    /// When each connection was made.
    connected: BTreeMap<(usize, usize), u64>,
    /// Nodes that were restored from a copy and have not yet caught up.
    catching_up: BTreeSet<usize>,
    distrusted: BTreeSet<usize>,
    /// Whether the network keeps what it is given.
    pub(crate) reliable: bool,
    alerts_shown: u64,
}

impl Watch {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            violations: Vec::new(),
            promised: vec![Vec::new(); count],
            read: vec![BTreeMap::new(); count],
            outcomes: BTreeMap::new(),
            rulebooks: BTreeMap::new(),
            expected: Vec::new(),
            alerted: BTreeSet::new(),
            connected: BTreeMap::new(),
            catching_up: BTreeSet::new(),
            distrusted: BTreeSet::new(),
            reliable: true,
            alerts_shown: 0,
        }
    }

    /// A party that cheats: nothing is expected of it.
    pub(crate) fn distrust(&mut self, party: usize) {
        self.distrusted.insert(party);
    }

    pub(crate) fn add_node(&mut self) {
        self.promised.push(Vec::new());
        self.read.push(BTreeMap::new());
    }

    fn honest(&self, party: usize) -> bool {
        !self.distrusted.contains(&party)
    }

    pub(crate) fn violation(&mut self, what: String) {
        if self.violations.len() < MAX_LISTED {
            self.violations.push(what);
        }
    }

    pub(crate) fn violations(&self) -> &[String] {
        &self.violations
    }

    /// How many alerts of the highest level have reached connected peers in time.
    pub fn alerts_shown(&self) -> u64 {
        self.alerts_shown
    }

    // ---- 1: durable ----

    pub(crate) fn durable(&mut self, i: usize, node: &Node, own_size: u64) {
        let Some(tree) = node.core.line().tree(&node.name) else { return };
        for number in self.promised[i].len() as u64..own_size {
            if let Some(leaf) = tree.leaf(number) {
                self.promised[i].push(leaf);
            }
        }
        if node.disk.waiting.is_empty() && self.honest(i) {
            self.decisions(node);
        }
        if self.catching_up.contains(&i) && node.core.line().may_speak().is_ok() {
            self.catching_up.remove(&i);
            self.check_promised(i, node);
        }
    }

    fn check_promised(&mut self, i: usize, node: &Node) {
        if !self.honest(i) {
            return;
        }
        let tree = node.core.line().tree(&node.name);
        let lost = |(number, leaf): (usize, &[u8; 32])| {
            (tree.and_then(|t| t.leaf(number as u64)) != Some(*leaf)).then_some(number)
        };
        if let Some(number) = self.promised[i].iter().enumerate().find_map(lost) {
            self.violation(format!(
                "property 1: {} had accepted statement {number}, and has lost or changed it",
                node.name
            ));
        }
    }

    pub(crate) fn crashed(&mut self, i: usize) {
        self.expected.retain(|e| e.by != i && e.at != i);
        self.connected.retain(|(a, b), _| *a != i && *b != i);
    }

    /// A disk was damaged, and is replaced by an old copy: what nobody else holds is gone with it.
    pub(crate) fn restored(&mut self, i: usize, nodes: &[Node]) {
        self.catching_up.insert(i);
        let others = nodes.iter().enumerate().filter(|(j, n)| *j != i && n.disk.waiting.is_empty());
        let held =
            others.filter_map(|(_, n)| n.core.line().tree(&nodes[i].name)).map(hotline_ledger::Tree::size);
        self.promised[i].truncate(held.max().unwrap_or(0) as usize);
    }

    /// Whether any node is catching up after its disk was replaced.
    pub(crate) fn any_catching_up(&self) -> bool {
        !self.catching_up.is_empty()
    }

    pub(crate) fn restarted(&mut self, i: usize, node: &Node) {
        if !self.catching_up.contains(&i) {
            self.check_promised(i, node);
        }
        let line = node.core.line();
        self.read[i] =
            line.peers().chain([line.party()]).map(|party| (party.clone(), line.shown(party))).collect();
    }

    // ---- 2 and 3: reading and deciding ----

    pub(crate) fn heard(&mut self, i: usize, nodes: &[Node], heard: &[Heard]) {
        if heard.is_empty() || !self.honest(i) {
            return;
        }
        let node = &nodes[i];
        let line = node.core.line();
        for one in heard {
            let name = &one.reference;
            let next = self.read[i].get(&name.party).copied().unwrap_or(0);
            if next != name.number {
                self.violation(format!("property 2: {} reads {name} where #{next} is next", node.name));
            }
            for (party, count) in &one.causes {
                let read = self.read[i].get(party).copied().unwrap_or(0);
                let disputed = line.status(party).is_some_and(|s| s.disputed.is_some());
                if read < *count && !disputed {
                    self.violation(format!(
                        "property 2: {} reads {name} before {party}#{}, which {name} had heard",
                        node.name,
                        count - 1
                    ));
                }
            }
            self.read[i].insert(name.party.clone(), name.number + 1);
        }
    }

    fn decisions(&mut self, node: &Node) {
        let ballots = &node.core.line().books().ballots;
        let mut wrong = Vec::new();
        for ballot in ballots.iter() {
            let Some(outcome) = ballot.outcome else { continue };
            let known = self.outcomes.entry(ballot.statement.clone()).or_insert((outcome, node.name.clone()));
            if known.0 != outcome {
                wrong.push(format!(
                    "property 3: {} holds {} {}, {} holds it {}",
                    node.name,
                    ballot.statement,
                    outcome.as_str(),
                    known.1,
                    known.0.as_str()
                ));
            }
        }
        for version in ballots.versions() {
            let number = version.rulebook.version;
            let known = self.rulebooks.entry(number).or_insert((version.hash.0, node.name.clone()));
            if known.0 != version.hash.0 {
                wrong.push(format!(
                    "property 3: {} and {} have different rulebooks {number}",
                    node.name, known.1
                ));
            }
        }
        wrong.into_iter().for_each(|w| self.violation(w));
    }

    // ---- 4: two histories ----

    pub(crate) fn told_heads(&mut self, node: &Node, by: &PartyName, heads: &[(PartyName, Vec<u8>)]) {
        let line = node.core.line();
        if line.status(by).is_none_or(|s| s.disputed.is_some()) {
            return;
        }
        for (ledger, note) in heads {
            let (Some(tree), Some(keys)) = (line.tree(ledger), line.keys(ledger)) else { continue };
            let name = origin(line.name(), ledger);
            let Some(head) = keys.all_node_keys().find_map(|k| Checkpoint::open(note, &name, &k).ok()) else {
                continue;
            };
            let held = line.head(ledger).map_or(0, |h| h.size);
            let differs = head.size > 0 && head.size <= held && tree.root(head.size) != Some(head.root);
            let found = ledger == line.party() || line.status(ledger).is_some_and(|s| s.disputed.is_some());
            if differs && !found {
                self.violation(format!(
                    "property 4: {} was told by {by} of another history of {ledger} and has not seen it",
                    node.name
                ));
            }
        }
    }

    /// In the end nobody holds one story of a party and has missed that another honest node holds a different one.
    fn two_stories(&mut self, nodes: &[Node], honest: &[&Node]) {
        let cheats: BTreeSet<&PartyName> = self.distrusted.iter().map(|i| &nodes[*i].name).collect();
        let mut missed = Vec::new();
        for cheat in cheats {
            for (i, a) in honest.iter().enumerate() {
                for b in &honest[i + 1..] {
                    let (x, y) = (a.core.line(), b.core.line());
                    let head = |line: &hotline_line::Line| line.head(cheat).map_or(0, |h| h.size);
                    let size = head(x).min(head(y));
                    let root = |line: &hotline_line::Line| line.tree(cheat).and_then(|t| t.root(size));
                    let found =
                        |line: &hotline_line::Line| line.status(cheat).is_some_and(|s| s.disputed.is_some());
                    if root(x) != root(y) && !(found(x) && found(y)) {
                        missed.push(format!(
                            "property 4: {} and {} were told two stories by {cheat}, and do not know",
                            a.name, b.name
                        ));
                    }
                }
            }
        }
        missed.into_iter().for_each(|m| self.violation(m));
    }

    // ---- 5: alerts ----

    pub(crate) fn connected(&mut self, i: usize, j: usize, now: u64) {
        self.connected.insert((i.min(j), i.max(j)), now);
    }

    pub(crate) fn cut(&mut self, i: usize, j: usize) {
        self.connected.remove(&(i.min(j), i.max(j)));
        self.expected.retain(|e| (e.by, e.at) != (i, j) && (e.by, e.at) != (j, i));
    }

    /// Alerts that a party has just said, durably.
    pub(crate) fn said_alerts(
        &mut self,
        i: usize,
        nodes: &[Node],
        network: &Network,
        events: &[Event],
        now: u64,
    ) {
        if !self.reliable || !self.honest(i) {
            return;
        }
        for event in events {
            let Event::Alert(alert) = event else { continue };
            let Some(said) = alert.asserted.get(&nodes[i].name) else { continue };
            if said.alert.level != Level::Warning || !self.alerted.insert(said.reference.clone()) {
                continue;
            }
            for (j, peer) in nodes.iter().enumerate().filter(|(j, _)| *j != i) {
                let settled = self
                    .connected
                    .get(&(i.min(j), i.max(j)))
                    .is_some_and(|at| now - at > LISTENING.as_millis() as u64);
                if settled && network.is_connected(i, j) && peer.is_up() && self.honest(j) {
                    self.expected.push(Expected {
                        by: i,
                        at: j,
                        conflict: alert.key.to_string(),
                        statement: said.reference.clone(),
                        until: now + ALERT_MS,
                    });
                }
            }
        }
    }

    pub(crate) fn alert_shown(&mut self, j: usize, alert: &Alert, now: u64) {
        let before = self.expected.len();
        self.expected.retain(|e| e.at != j || now > e.until || !alert.statements.contains(&e.statement));
        self.alerts_shown += (before - self.expected.len()) as u64;
    }

    pub(crate) fn overdue_alerts(&mut self, now: u64) {
        let (late, waiting): (Vec<Expected>, Vec<Expected>) =
            std::mem::take(&mut self.expected).into_iter().partition(|e| e.until < now);
        self.expected = waiting;
        for e in late {
            self.violation(format!(
                "property 5: alert {} ({}) of party {} was not shown at party {} within a second",
                e.conflict, e.statement, e.by, e.at
            ));
        }
    }

    // ---- 7: memory ----

    pub(crate) fn memory(&mut self, node: &Node) {
        let line = node.core.line();
        let most = line.peers().count() * KEPT_OF_A_PEER;
        if line.kept_in_memory() > most {
            self.violation(format!(
                "property 7: {} keeps {} things of its peers in memory, more than {most}",
                node.name,
                line.kept_in_memory()
            ));
        }
    }

    // ---- 6: in the end ----

    /// All honest nodes hold the same, and what follows from it is the same.
    pub(crate) fn settled(&mut self, nodes: &[Node]) {
        let honest: Vec<&Node> =
            nodes.iter().enumerate().filter(|(i, _)| self.honest(*i)).map(|p| p.1).collect();
        let mut wrong = Vec::new();
        for owner in &honest {
            let Some(own) = owner.core.line().tree(&owner.name) else { continue };
            for other in honest.iter().filter(|o| o.name != owner.name) {
                if !other.core.line().is_member(&owner.name) || !owner.core.line().is_member(&other.name) {
                    continue;
                }
                let line = other.core.line();
                let copy = line.tree(&owner.name);
                let held = copy.map_or(0, hotline_ledger::Tree::size);
                if held != own.size() || copy.and_then(|t| t.root(held)) != own.root(held) {
                    wrong.push(format!(
                        "{} holds {held} of {}'s {} statements, or others",
                        other.name,
                        owner.name,
                        own.size()
                    ));
                }
                if line.shown(&owner.name) != held {
                    wrong.push(format!(
                        "{} has shown {} of {held} statements of {}, waiting for {:?}; speech {:?}",
                        other.name,
                        line.shown(&owner.name),
                        owner.name,
                        line.waits_for(&owner.name),
                        line.speech(),
                    ));
                }
                let receipted = owner.core.line().status(&other.name).map_or(0, |s| s.receipted);
                if receipted != own.size() {
                    wrong.push(format!(
                        "{} has receipts for {receipted} of {} statements from {}",
                        owner.name,
                        own.size(),
                        other.name
                    ));
                }
            }
            if let Err(e) = owner.core.line().may_speak()
                && owner.core.line().is_member(&owner.name)
            {
                wrong.push(format!("{} may still not speak: {e}", owner.name));
            }
        }
        if self.distrusted.is_empty()
            && let Some((first, others)) = honest.split_first()
        {
            for other in others {
                for what in different(first, other) {
                    wrong.push(format!("{} and {} differ in {what}", first.name, other.name));
                }
            }
        }
        self.two_stories(nodes, &honest);
        for (i, node) in nodes.iter().enumerate() {
            if self.honest(i) {
                self.check_promised(i, node);
                self.decisions(node);
            }
        }
        wrong.into_iter().for_each(|w| self.violation(format!("property 6: {w}")));
    }
}

/// In what two settled nodes differ that must be alike.
fn different(a: &Node, b: &Node) -> Vec<String> {
    let (x, y) = (a.core.line().books(), b.core.line().books());
    let now = a.core.time().max(b.core.time());
    let mut found = Vec::new();
    let mut same = |what: &str, alike: bool| {
        if !alike {
            found.push(what.to_owned());
        }
    };
    same("the tally", a.core.tally() == b.core.tally());
    same("cases", x.cases == y.cases);
    same("suspensions and positions", x.standings == y.standings);
    same("health", x.health_days(now) == y.health_days(now));
    same("the rulebook", a.core.line().rulebook() == b.core.line().rulebook());
    for ballot in x.ballots.iter() {
        let other = y.ballots.get(&ballot.statement);
        if other.is_none_or(|o| o.outcome != ballot.outcome) {
            let outcome = other.map(|o| o.outcome);
            found.push(format!("the vote on {}: {:?} and {outcome:?}", ballot.statement, ballot.outcome));
        }
    }
    found
}
