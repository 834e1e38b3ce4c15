//! A whole node but for its waiting.
//!
//! Each input changes the state at once and says what must be stored ([`Effects::records`]), what may be done once
//! that is durable ([`Effects::after`]), and what an officer sees without waiting for the disk
//! ([`Effects::at_once`]): a conflict that this node detects is shown first and recorded second. When storing
//! fails, the shell drops what was to follow and builds the core anew from the journal: nothing that was not
//! stored has been shown as accepted or told to a peer.

mod starting;

use crate::{Alerts, CoreError, Event, FlightPlan, Picture, Tally};
use hotline_airspace::{Seconds, seconds_between};
use hotline_ledger::{PartyName, Role};
use hotline_line::{
    Acknowledgement, Body, ConflictClear, ConflictKey, FlightEnd, FlightId, FlightNotice, History, Line,
    LineConfig, LineError, MAX_TRACKS, Message, MissedDeadline, Record, Restriction, RestrictionLift, Said,
    SharedTrack, Subject,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The most live flights of one party.
const MAX_FLIGHTS: usize = 1_000_000;
/// The most restrictions of one party.
const MAX_RESTRICTIONS: usize = 10_000;

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
}

/// The core of a node.
#[derive(Debug)]
pub struct Core {
    line: Line,
    picture: Picture,
    alerts: Alerts,
    tally: Tally,
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

    /// The largest time seen so far.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    fn at(&mut self, now: Timestamp) {
        self.time = self.time.max(now);
    }

    /// Nothing can be stored (or can be again): while so, this node detects and shows, but says nothing.
    pub fn mute(&mut self, why: Option<String>) {
        self.muted = why;
    }

    /// Takes over the tracks and detections of a core that this one replaces.
    pub fn take_over(&mut self, old: Self) {
        self.picture.take_over(old.picture);
        self.at(old.time);
    }

    // ---- inputs ----

    /// Files a flight, or a new version of one. Gives its version.
    ///
    /// # Errors
    /// When it ends in the past or a limit is reached.
    pub fn file_flight(&mut self, plan: FlightPlan, now: Timestamp) -> Result<u32, CoreError> {
        self.at(now);
        let own = self.line.party().clone();
        let subject = Subject { party: own.clone(), id: plan.flight.clone() };
        let last = plan.volumes.iter().map(|v| v.time.end()).max().unwrap_or(Timestamp::MIN);
        if last <= self.time {
            return Err(CoreError::InThePast(last));
        }
        let known = self.picture.intent(&subject);
        if known.is_none() && self.picture.flights_of(&own) >= MAX_FLIGHTS {
            return Err(CoreError::Limit { what: "live flights", limit: MAX_FLIGHTS });
        }
        let version = known.map_or(1, |i| i.notice.version + 1);
        let first = plan.volumes.iter().map(|v| v.time.start()).min().unwrap_or(last);
        let late = seconds_between(self.time, first).get() < self.line.rulebook().lead_s;
        let notice = FlightNotice {
            flight: plan.flight,
            version,
            volumes: plan.volumes,
            aircraft: plan.aircraft,
            category: plan.category,
            purpose: plan.purpose,
            callsign: plan.callsign,
            squawk: plan.squawk,
            late,
        };
        // What is said must be readable by those who hear it: the same check, before saying it.
        let body = Body::FlightNotice(notice);
        let body = Body::from_cbor(body.kind(), &body.to_cbor())?;
        self.say(body, subject.id.to_string())?;
        self.reconcile();
        Ok(version)
    }

    /// Ends a flight of the own party.
    ///
    /// # Errors
    /// When no such flight is known.
    pub fn end_flight(&mut self, flight: FlightId, now: Timestamp) -> Result<(), CoreError> {
        self.at(now);
        let subject = Subject { party: self.line.party().clone(), id: flight.clone() };
        let version = self.picture.intent(&subject).map(|i| i.notice.version);
        let version = version.ok_or_else(|| CoreError::UnknownFlight(flight.clone()))?;
        self.say(Body::FlightEnd(FlightEnd { flight, version }), subject.id.to_string())?;
        self.reconcile();
        Ok(())
    }

    /// Enters a restriction, in place of one of the same name.
    ///
    /// # Errors
    /// When it ends in the past or a limit is reached.
    pub fn restrict(&mut self, restriction: Restriction, now: Timestamp) -> Result<(), CoreError> {
        self.at(now);
        let last = restriction.volumes.iter().map(|v| v.time.end()).max().unwrap_or(Timestamp::MIN);
        if last <= self.time {
            return Err(CoreError::InThePast(last));
        }
        let own = self.line.party();
        if self.restrictions_of(own) >= MAX_RESTRICTIONS {
            return Err(CoreError::Limit { what: "restrictions", limit: MAX_RESTRICTIONS });
        }
        let about = restriction.id.to_string();
        let body = Body::Restriction(restriction);
        let body = Body::from_cbor(body.kind(), &body.to_cbor())?;
        self.say(body, about)?;
        self.reconcile();
        Ok(())
    }

    /// Lifts a restriction of the own party.
    ///
    /// # Errors
    /// When no such restriction is known.
    pub fn lift(&mut self, id: FlightId, now: Timestamp) -> Result<(), CoreError> {
        self.at(now);
        let subject = Subject { party: self.line.party().clone(), id: id.clone() };
        if self.picture.restriction(&subject).is_none() {
            return Err(CoreError::UnknownRestriction(id));
        }
        self.say(Body::RestrictionLift(RestrictionLift { id }), subject.id.to_string())?;
        self.reconcile();
        Ok(())
    }

    /// An officer of this node acknowledges an alert, by the officer's own signature.
    ///
    /// # Errors
    /// When there is no such alert, it is not ours, or it has been acknowledged at its level.
    pub fn acknowledge(
        &mut self,
        key: &ConflictKey,
        officer: usize,
        now: Timestamp,
    ) -> Result<(), CoreError> {
        self.at(now);
        let own = self.line.party().clone();
        let alert = self.alerts.get(key).ok_or_else(|| CoreError::UnknownAlert(key.clone()))?;
        if !key.parties().any(|p| *p == own) {
            return Err(CoreError::NotOurs(key.clone()));
        }
        if !alert.awaits(&own) {
            return Err(CoreError::AlreadyAcknowledged(key.clone()));
        }
        let secret = self.line.own_keys().officers.get(officer).ok_or(CoreError::UnknownOfficer(officer))?;
        let (level, statements) = (alert.level, alert.statements.iter().cloned().collect());
        let (line, time) = (self.line.name(), self.time);
        let signed = Acknowledgement::sign(line, &own, key.clone(), level, statements, time, secret);
        self.say(Body::Acknowledgement(signed.signed), key.to_string())?;
        self.reconcile();
        Ok(())
    }

    /// Reports of the own party's aircraft. Gives how many were taken in (newer than what was known).
    pub fn own_tracks(&mut self, reports: Vec<SharedTrack>, now: Timestamp) -> usize {
        self.at(now);
        let own = self.line.party().clone();
        let slots: Vec<(u32, SharedTrack)> = reports
            .into_iter()
            .filter_map(|report| Some((self.picture.hear_track(&own, report.clone(), self.time)?, report)))
            .collect();
        let rule = self.line.rulebook().disclosure;
        let peers: Vec<PartyName> = self.line.peers().cloned().collect();
        for peer in peers {
            let shown = slots.iter().filter(|(slot, _)| self.picture.disclosed(*slot, &peer, rule));
            let shown: Vec<SharedTrack> = shown.map(|(_, report)| report.clone()).collect();
            for part in shown.chunks(MAX_TRACKS) {
                self.effects.tracks.push((peer.clone(), Message::Tracks(part.to_vec())));
            }
        }
        self.reconcile();
        slots.len()
    }

    /// A connection with a peer stands.
    ///
    /// # Errors
    /// When the party is not on this line.
    pub fn connected(&mut self, peer: &PartyName, now: Timestamp) -> Result<(), LineError> {
        self.at(now);
        self.line.connected(peer)?;
        self.reconcile();
        Ok(())
    }

    /// The connection with a peer is gone.
    pub fn disconnected(&mut self, peer: &PartyName) {
        self.line.disconnected(peer);
    }

    /// A message of a peer.
    pub fn receive(&mut self, peer: &PartyName, message: Message, now: Timestamp, history: &dyn History) {
        self.at(now);
        self.line.receive(peer, message, self.time, history);
        self.reconcile();
    }

    /// Time has passed. Call it several times a second.
    pub fn tick(&mut self, now: Timestamp, history: &dyn History) {
        self.at(now);
        self.line.tick(self.time, history);
        let due = self.last_expiry.is_none_or(|at| seconds_between(at, self.time) >= Seconds::new(1.0));
        if due {
            self.last_expiry = Some(self.time);
            self.picture.tick(self.time);
            self.alerts.expire(self.time);
            let own = self.line.party().clone();
            for (conflict, party, level, due) in self.alerts.overdue(&own, self.time) {
                self.alerts.mark_missed(&conflict, &party, level);
                let about = conflict.to_string();
                let missed = MissedDeadline { conflict, level, party, due };
                self.say_or_show(Body::MissedDeadline(missed), about);
            }
        }
        self.reconcile();
    }

    /// What is to be done after the inputs since the last call.
    pub fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    // ---- the joints ----

    fn say(&mut self, body: Body, about: String) -> Result<(), LineError> {
        if let Some(why) = &self.muted {
            return Err(LineError::Muted(why.clone()));
        }
        let said = self.line.say(body, about, self.time)?;
        self.hear(said);
        Ok(())
    }

    /// For what the node says of itself: when it may not speak, its own officer sees why.
    fn say_or_show(&mut self, body: Body, about: String) {
        if let Err(e) = self.say(body, about) {
            let own = self.line.party().clone();
            self.effects.at_once.push(Event::Refused(own, e.to_string()));
        }
    }

    /// Takes a statement into the picture, whoever said it.
    fn hear(&mut self, said: Said) {
        if !said.ahead {
            self.tally.count(&said);
        }
        let party = said.reference.party.clone();
        let now = self.time;
        match said.body {
            Body::FlightNotice(notice) => {
                let known = Subject { party: party.clone(), id: notice.flight.clone() };
                if self.picture.flights_of(&party) >= MAX_FLIGHTS && self.picture.intent(&known).is_none() {
                    return self.refuse(party, "live flights", MAX_FLIGHTS);
                }
                let subject = self.picture.hear_notice(&said.reference, notice, now);
                self.effects.after.push(Event::Flight(subject));
            }
            Body::FlightEnd(end) => {
                let subject = Subject { party, id: end.flight };
                self.picture.hear_end(&subject);
                self.effects.after.push(Event::Flight(subject));
            }
            Body::Restriction(restriction) => {
                let known = Subject { party: party.clone(), id: restriction.id.clone() };
                if self.restrictions_of(&party) >= MAX_RESTRICTIONS
                    && self.picture.restriction(&known).is_none()
                {
                    return self.refuse(party, "restrictions", MAX_RESTRICTIONS);
                }
                let subject = self.picture.hear_restriction(&said.reference, restriction, now);
                self.effects.after.push(Event::Restriction(subject));
            }
            Body::RestrictionLift(lift) => {
                let subject = Subject { party, id: lift.id };
                self.picture.hear_lift(&subject);
                self.effects.after.push(Event::Restriction(subject));
            }
            Body::ConflictAlert(alert) => {
                let key = alert.conflict.clone();
                if self.alerts.asserted(said.reference, said.time, alert) {
                    self.touched.insert(key);
                }
            }
            Body::ConflictClear(clear) => {
                self.alerts.remember(&clear.conflict, said.reference);
                if self.alerts.cleared(&party, &clear.conflict, said.time) {
                    self.touched.insert(clear.conflict);
                }
            }
            Body::Acknowledgement(signed) => {
                if let Some(conflict) = self.hear_acknowledgement(&party, &signed) {
                    self.alerts.remember(&conflict, said.reference);
                }
            }
            Body::MissedDeadline(missed) => {
                self.alerts.remember(&missed.conflict, said.reference);
                if self.alerts.mark_missed(&missed.conflict, &missed.party, missed.level)
                    || party == *self.line.party()
                {
                    self.touched.insert(missed.conflict);
                }
            }
            Body::Certificate(_) | Body::Unknown(_) => {}
        }
    }

    fn restrictions_of(&self, party: &PartyName) -> usize {
        self.picture.restrictions().filter(|r| r.subject.party == *party).count()
    }

    /// A statement of a party beyond a limit stays in the ledger and has no effect on the picture.
    fn refuse(&mut self, party: PartyName, what: &'static str, limit: usize) {
        let why = CoreError::Limit { what, limit }.to_string();
        self.effects.at_once.push(Event::Refused(party, why));
    }

    /// Gives the conflict that was acknowledged, when the signature counts.
    fn hear_acknowledgement(&mut self, party: &PartyName, signed: &[u8]) -> Option<ConflictKey> {
        let mut officer = String::new();
        let opened = Acknowledgement::open(signed, self.line.name(), party, |id, at| {
            let certificate = self.line.keys(party)?.find(Role::Officer, id, at)?;
            officer.clone_from(&certificate.holder);
            Some(certificate.key)
        });
        match opened {
            Err(e) => {
                self.effects.at_once.push(Event::Refused(party.clone(), e.to_string()));
                None
            }
            Ok(ack) => {
                let own = self.line.party().clone();
                for read in ack.alerts.iter().filter(|r| r.party == own && *party != own) {
                    self.line.mark_read(party, read.number, ack.time);
                }
                if self.alerts.acknowledged(party, officer, &ack) {
                    self.touched.insert(ack.conflict.clone());
                }
                Some(ack.conflict)
            }
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
        if !ours && only_theirs_to_tell {
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
            let quiet = out.said.is_empty() && out.tracks.is_empty();
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
            for (peer, e) in out.refused {
                self.effects.at_once.push(Event::Refused(peer, e.to_string()));
            }
            for (peer, report) in out.tracks {
                self.picture.hear_track(&peer, report, self.time);
            }
            out.said.into_iter().for_each(|said| self.hear(said));
            if quiet {
                break;
            }
        }
    }
}
