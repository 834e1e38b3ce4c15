//! Conflicts made known: by whom, how grave, who has read them, and whose deadline has passed.

use hotline_airspace::{Seconds, seconds_between, shifted};
use hotline_ledger::PartyName;
use hotline_line::{
    ConflictAlert, ConflictKey, ConflictKind, Deadlines, Escalation, Level, Stage, StatementRef,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The most alerts that are kept for display; closed ones go first. All are in the ledgers.
pub const MAX_ALERTS: usize = 2_000;
/// The most other statements that are remembered of one episode.
const MAX_OTHERS: usize = 256;
/// How long a closed alert stays on display.
const SHOWN_AFTER_CLOSE: Seconds = Seconds::new(600.0);

/// One party's word that there is a conflict.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// The statement.
    pub reference: StatementRef,
    /// When it was said, by the speaker's clock.
    pub said: Timestamp,
    /// What it says.
    pub alert: ConflictAlert,
}

/// An officer has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// Who.
    pub officer: String,
    /// When, by the clock of the officer's node.
    pub time: Timestamp,
    /// The level that was read.
    pub level: Level,
}

/// A conflict made known.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Which conflict.
    pub key: ConflictKey,
    /// How grave: the gravest that any party says.
    pub level: Level,
    /// When it was first said at this level.
    pub raised: Timestamp,
    /// By when it is to be read.
    pub due: Timestamp,
    /// What each party says of it; a party that says it is over is gone from here.
    pub asserted: BTreeMap<PartyName, Assertion>,
    /// All statements that raised it in this episode, those of parties for whom it is over among them.
    pub statements: BTreeSet<StatementRef>,
    /// All other statements about this episode: that it is over, was read, or was not read in time.
    pub others: BTreeSet<StatementRef>,
    /// Who has read it.
    pub acks: BTreeMap<PartyName, Ack>,
    /// Whose deadline has passed unread, at which level, and who has been told.
    pub missed: BTreeMap<(PartyName, Level), Stage>,
    /// Whose node has not reported the conflict in time.
    pub unreported: BTreeSet<PartyName>,
    /// Since when it is over for everyone.
    pub closed: Option<Timestamp>,
}

impl Alert {
    /// Whether a party's officer has yet to read it at its level.
    pub fn awaits(&self, party: &PartyName) -> bool {
        self.key.parties().any(|p| p == party)
            && self.acks.get(party).is_none_or(|ack| ack.level < self.level)
    }

    /// Whether every party's officer has read it.
    pub fn settled(&self) -> bool {
        !self.key.parties().any(|p| self.awaits(p))
    }
}

/// All alerts on display.
#[derive(Debug)]
pub struct Alerts {
    by_key: BTreeMap<ConflictKey, Alert>,
    deadlines: Deadlines,
}

impl Alerts {
    pub(crate) fn new(deadlines: Deadlines) -> Self {
        Self { by_key: BTreeMap::new(), deadlines }
    }

    fn due(&self, level: Level, raised: Timestamp) -> Timestamp {
        let span = match level {
            Level::Warning => self.deadlines.acknowledge_warning_s,
            Level::Advisory | Level::Caution => self.deadlines.acknowledge_other_s,
        };
        shifted(raised, Seconds::new(span))
    }

    /// A party says that there is a conflict. Whether that changes anything. A statement that came ahead of its
    /// place comes twice and counts once.
    pub(crate) fn asserted(
        &mut self,
        reference: StatementRef,
        said: Timestamp,
        alert: ConflictAlert,
    ) -> bool {
        let (key, level) = (alert.conflict.clone(), alert.level);
        let due = self.due(level, said);
        let known = self.by_key.get(&key).filter(|a| a.closed.is_none() || a.statements.contains(&reference));
        let mut new = known.cloned().unwrap_or_else(|| Alert {
            key: key.clone(),
            level,
            raised: said,
            due,
            asserted: BTreeMap::new(),
            statements: BTreeSet::new(),
            others: BTreeSet::new(),
            acks: BTreeMap::new(),
            missed: BTreeMap::new(),
            unreported: BTreeSet::new(),
            closed: None,
        });
        if !new.statements.insert(reference.clone()) {
            return false;
        }
        if level > new.level {
            (new.level, new.raised, new.due) = (level, said, due);
        }
        new.asserted.insert(reference.party.clone(), Assertion { reference, said, alert });
        self.by_key.insert(key, new);
        self.bound();
        true
    }

    /// Another statement about an alert, beside those that raise it.
    pub(crate) fn remember(&mut self, key: &ConflictKey, reference: StatementRef) {
        if let Some(alert) = self.by_key.get_mut(key)
            && alert.others.len() < MAX_OTHERS
        {
            alert.others.insert(reference);
        }
    }

    /// A party says that a conflict is over.
    pub(crate) fn cleared(&mut self, party: &PartyName, key: &ConflictKey, at: Timestamp) -> bool {
        let Some(alert) = self.by_key.get_mut(key) else { return false };
        if alert.asserted.remove(party).is_none() {
            return false;
        }
        if alert.asserted.is_empty() {
            alert.closed = Some(at);
        }
        true
    }

    /// An officer of a party has read an alert.
    pub(crate) fn acknowledged(
        &mut self,
        party: &PartyName,
        key: &ConflictKey,
        alerts: &[StatementRef],
        new: Ack,
    ) -> bool {
        let Some(alert) = self.by_key.get_mut(key) else { return false };
        if !alerts.iter().any(|r| alert.statements.contains(r)) {
            return false;
        }
        match alert.acks.get(party) {
            Some(known) if known.level >= new.level => false,
            _ => {
                alert.acks.insert(party.clone(), new);
                true
            }
        }
    }

    /// Marks that a party's deadline was missed and who was told. Whether that is new.
    pub(crate) fn mark_missed(
        &mut self,
        key: &ConflictKey,
        party: &PartyName,
        level: Level,
        stage: Stage,
    ) -> bool {
        let Some(alert) = self.by_key.get_mut(key) else { return false };
        let known = alert.missed.get(&(party.clone(), level));
        let new = known.is_none_or(|known| *known < stage);
        if new {
            alert.missed.insert((party.clone(), level), stage);
        }
        new
    }

    /// Marks that a party's node has not reported a conflict in time. Whether that is new.
    pub(crate) fn mark_unreported(&mut self, key: &ConflictKey, party: &PartyName) -> bool {
        self.by_key.get_mut(key).is_some_and(|alert| alert.unreported.insert(party.clone()))
    }

    /// Every alert and party whose deadline has passed unread, with the next stage that is reached. Only those that concern
    /// `own`, and closed ones too: that it passed by itself does not mean that it was read.
    pub(crate) fn overdue(
        &self,
        own: &PartyName,
        now: Timestamp,
        escalation: &Escalation,
    ) -> Vec<(ConflictKey, PartyName, Level, Timestamp, Stage)> {
        let mut found = Vec::new();
        for alert in self.by_key.values().filter(|a| a.key.parties().any(|p| p == own)) {
            let Some(stage) = Stage::reached(alert.due, now, escalation) else { continue };
            for party in alert.key.parties() {
                let known = alert.missed.get(&(party.clone(), alert.level));
                if alert.awaits(party) && known.is_none_or(|known| *known < stage) {
                    found.push((alert.key.clone(), party.clone(), alert.level, alert.due, stage));
                }
            }
        }
        found
    }

    /// Conflicts of plans that `own` has made known, and the other party's node has not by its deadline though it held
    /// the notices.
    pub(crate) fn unreported(
        &self,
        own: &PartyName,
        now: Timestamp,
        within: Seconds,
    ) -> Vec<(ConflictKey, PartyName, Timestamp)> {
        let plans = [ConflictKind::Plans, ConflictKind::PlanRestriction];
        let open = |a: &&Alert| a.closed.is_none() && plans.contains(&a.key.kind);
        let mut found = Vec::new();
        for alert in self.by_key.values().filter(open) {
            let Some(said) = alert.asserted.get(own) else { continue };
            let due = shifted(said.said, within);
            let silent = |p: &&PartyName| {
                *p != own
                    && !alert.unreported.contains(*p)
                    && !alert.statements.iter().any(|s| s.party == **p)
            };
            if due < now {
                found.extend(alert.key.parties().filter(silent).map(|p| (alert.key.clone(), p.clone(), due)));
            }
        }
        found
    }

    /// Other deadlines are agreed.
    pub(crate) fn set_deadlines(&mut self, deadlines: Deadlines) {
        self.deadlines = deadlines;
    }

    /// Takes alerts from display that have long been over and were read or missed.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.by_key.retain(|_, alert| {
            let old = |at: Timestamp| seconds_between(at, now) > SHOWN_AFTER_CLOSE;
            !(alert.closed.is_some_and(old) && (alert.settled() || alert.due < now))
        });
    }

    fn bound(&mut self) {
        if self.by_key.len() <= MAX_ALERTS {
            return;
        }
        let rank = |a: &&Alert| (a.closed.is_none(), !a.settled(), a.raised);
        if let Some(key) = self.by_key.values().min_by_key(rank).map(|a| a.key.clone()) {
            self.by_key.remove(&key);
        }
    }

    /// An alert by its conflict.
    pub fn get(&self, key: &ConflictKey) -> Option<&Alert> {
        self.by_key.get(key)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.by_key.values()
    }
}
