//! A whole node but for its waiting.
//!
//! Each input changes the state at once and says what must be stored ([`Effects::records`]), what may be done once
//! that is durable ([`Effects::after`]), and what an officer sees without waiting for the disk
//! ([`Effects::at_once`]): a conflict that this node detects is shown first and recorded second. When storing
//! fails, the shell drops what was to follow and builds the core anew from the journal: nothing that was not
//! stored has been shown as accepted or told to a peer.

mod acts;
mod commands;
mod hearing;
mod starting;
mod ticking;

pub(crate) use commands::segment_root;

use crate::recorder::Recorder;
use crate::{Alerts, Conversation, Event, Picture, Tally};
use hotline_ledger::PartyName;
use hotline_line::{
    Body, ConflictClear, ConflictKey, FlightId, FlightNotice, Line, LineConfig, LineError, Message, Record,
    StatementRef,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The most live flights of one party.
pub(crate) const MAX_FLIGHTS: usize = 1_000_000;
/// The most restrictions of one party.
pub(crate) const MAX_RESTRICTIONS: usize = 10_000;

/// A statement that the reader has seen, and what its speaker had seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The statement.
    pub reference: StatementRef,
    /// How many statements of each other party its speaker had seen.
    pub causes: BTreeMap<PartyName, u64>,
}

/// What is to be done after an input.
#[derive(Debug, Default)]
pub struct Effects {
    /// To be stored, in this order, as one unit.
    pub records: Vec<Record>,
    /// To be sent to peers once the records are durable.
    pub send: Vec<(PartyName, Message)>,
    /// To be shown once the records are durable.
    pub after: Vec<Event>,
    /// To be shown at once.
    pub at_once: Vec<Event>,
    /// Tracks to be sent to peers at once; older ones may be dropped for newer.
    pub tracks: Vec<(PartyName, Message)>,
    /// Which statements have been taken into the picture, in order: what the reader has seen.
    pub heard: Vec<Heard>,
}

/// The core of a node.
#[derive(Debug)]
pub struct Core {
    line: Line,
    picture: Picture,
    alerts: Alerts,
    tally: Tally,
    conversation: Conversation,
    recorder: Recorder,
    /// Own flights that are not said while the own party has the line suspended, and where in the journal they are.
    withheld: BTreeMap<FlightId, (FlightNotice, u64)>,
    /// When the persons on watch were last asked by the schedule.
    last_person_check: Option<Timestamp>,
    time: Timestamp,
    last_expiry: Option<Timestamp>,
    effects: Effects,
    touched: BTreeSet<ConflictKey>,
    /// Why nothing may be said at the moment.
    muted: Option<String>,
}

impl Core {
    /// A core with an empty journal.
    ///
    /// # Errors
    /// When the rulebook does not fit the parties.
    pub fn new(config: LineConfig) -> Result<Self, LineError> {
        let line = Line::new(config)?;
        let picture = Picture::new(line.party().clone(), line.rulebook())?;
        Ok(Self {
            alerts: Alerts::new(line.rulebook().deadlines),
            picture,
            line,
            tally: Tally::default(),
            conversation: Conversation::default(),
            recorder: Recorder::default(),
            withheld: BTreeMap::new(),
            last_person_check: None,
            time: Timestamp::UNIX_EPOCH,
            last_expiry: None,
            effects: Effects::default(),
            touched: BTreeSet::new(),
            muted: None,
        })
    }

    /// The line.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The picture.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The alerts.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// What was said, counted.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What persons have said lately.
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The flight recorder.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Own flights that are withheld while the line is suspended.
    pub fn withheld(&self) -> impl Iterator<Item = &FlightNotice> {
        self.withheld.values().map(|(notice, _)| notice)
    }

    /// What the clock showed last.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The clock shows `now`; it may have been set back.
    fn at(&mut self, now: Timestamp) {
        self.time = now;
    }

    /// Something in the journal happened then.
    fn seen(&mut self, at: Timestamp) {
        self.time = self.time.max(at);
    }

    /// Nothing can be stored (or can be again): while so, this node detects and shows, but says nothing.
    pub fn mute(&mut self, why: Option<String>) {
        self.muted = why;
    }

    /// Takes over the tracks and detections of a core that this one replaces.
    pub fn take_over(&mut self, old: Self) {
        self.picture.take_over(old.picture);
        self.recorder.take_over(old.recorder);
        self.seen(old.time);
    }

    /// What is to be done after the inputs since the last call.
    pub fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    // ---- the joints ----

    /// Whether something may be said now: that it could not be stored comes before that the line does not yet take it.
    fn may_say(&self) -> Result<(), LineError> {
        match &self.muted {
            Some(why) => Err(LineError::Muted(why.clone())),
            None => self.line.may_speak(),
        }
    }

    fn say(&mut self, body: Body, about: String) -> Result<StatementRef, LineError> {
        self.may_say()?;
        let said = self.line.say(body, about, self.time)?;
        let reference = said.reference.clone();
        self.hear(said);
        Ok(reference)
    }

    /// For what the node says of itself: when it may not speak, its own officer sees why.
    fn say_or_show(&mut self, body: Body, about: String) {
        if let Err(e) = self.say(body, about) {
            let own = self.line.party().clone();
            self.effects.at_once.push(Event::Refused(own, e.to_string()));
        }
    }

    /// Brings what is said into line with what is seen, and gathers what has come of it.
    fn reconcile(&mut self) {
        loop {
            self.gather_line();
            let changed = std::mem::take(&mut self.picture.detections_mut().changed);
            for detection in std::mem::take(&mut self.picture.fresh) {
                self.effects.at_once.push(Event::Detected(Box::new(detection)));
            }
            if changed.is_empty() {
                break;
            }
            for key in changed {
                self.tell(&key);
            }
        }
        for key in std::mem::take(&mut self.touched) {
            if let Some(alert) = self.alerts.get(&key) {
                self.effects.after.push(Event::Alert(Box::new(alert.clone())));
            }
        }
    }

    /// Says what this node sees of a conflict, if its last word on it was another. Only of those it has a part in.
    fn tell(&mut self, key: &ConflictKey) {
        let own = self.line.party().clone();
        let ours = key.parties().any(|p| *p == own);
        let only_theirs_to_tell = key.parties().count() > 1 || self.line.peers().count() > 1;
        if (!ours && only_theirs_to_tell) || self.line.may_speak().is_err() {
            return;
        }
        let said = self.alerts.get(key).and_then(|a| a.asserted.get(&own)).map(|a| a.alert.level);
        match (self.picture.detections().get(key), said) {
            (Some(seen), said) if said.is_none_or(|level| level < seen.level) => {
                let alert = seen.alert();
                self.say_or_show(Body::ConflictAlert(alert), key.to_string());
            }
            (None, Some(_)) => {
                let clear = ConflictClear { conflict: key.clone(), since: self.time };
                self.say_or_show(Body::ConflictClear(clear), key.to_string());
            }
            _ => {}
        }
    }

    /// Takes over what the line has to store, send and show, and hears what came in.
    fn gather_line(&mut self) {
        loop {
            let out = self.line.take_output();
            if out.is_empty() {
                return;
            }
            self.effects.records.extend(out.records);
            self.effects.send.extend(out.send);
            for peer in out.changed {
                if let Some(status) = self.line.status(&peer) {
                    self.effects.after.push(Event::Peer(peer, Box::new(status)));
                }
            }
            for number in out.moved {
                if let Some(delivery) = self.line.delivery(number) {
                    self.effects.after.push(Event::Delivery(Box::new(delivery.clone())));
                }
            }
            let books = self.line.books();
            for (statement, by) in out.owed {
                if let Some(obligation) = books.obligations.get(&statement, &by) {
                    self.effects.after.push(Event::Owed(Box::new(obligation.clone())));
                }
            }
            let cases = out.cases.iter().filter_map(|name| books.cases.get(name));
            self.effects.after.extend(cases.map(|case| Event::Case(Box::new(case.clone()))));
            self.effects.after.extend(out.ballots.into_iter().map(Event::Ballot));
            for (peer, e) in out.refused {
                self.effects.at_once.push(Event::Refused(peer, e.to_string()));
            }
            for (peer, report) in out.tracks {
                self.picture.hear_track(&peer, report, self.time);
            }
            if out.standing {
                self.effects.after.push(Event::Standing);
            }
            if out.rulebook {
                self.take_rulebook();
            }
            if out.speech {
                self.effects.at_once.push(Event::Speech);
                self.begin_to_speak();
            }
            out.said.into_iter().for_each(|said| self.hear(said));
        }
    }

    /// Another rulebook is in force: what is seen is judged by it.
    fn take_rulebook(&mut self) {
        let rulebook = self.line.rulebook().clone();
        self.alerts.set_deadlines(rulebook.deadlines);
        if let Err(e) = self.picture.set_rulebook(&rulebook, self.time) {
            let own = self.line.party().clone();
            self.effects.at_once.push(Event::Refused(own, e.to_string()));
        }
        self.effects.after.push(Event::Rulebook);
    }
}
