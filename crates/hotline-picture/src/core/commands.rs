//! What planners, feeds and peers bring in.

use super::{Core, MAX_FLIGHTS, MAX_RESTRICTIONS};
use crate::{CoreError, Event, FlightPlan};
use hotline_airspace::seconds_between;
use hotline_ledger::{PartyName, Revocation, Root, SignedCertificate};
use hotline_line::{
    Body, Disclosure, FlightEnd, FlightId, FlightNotice, Handover, History, LineError, MAX_TRACKS, Message,
    Offence, Record, Restriction, RestrictionLift, SharedTrack, Subject, Withholdable,
};
use jiff::Timestamp;

impl Core {
    /// Files a flight, or a new version of one. Gives its version.
    ///
    /// # Errors
    /// When it ends in the past or a limit is reached.
    pub fn file_flight(&mut self, plan: FlightPlan, now: Timestamp) -> Result<u32, CoreError> {
        self.at(now);
        self.may_say()?;
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
            purpose: Withholdable::new(plan.purpose.as_str()),
            callsign: Withholdable::new(plan.callsign),
            unit: Withholdable::new(plan.unit),
            squawk: plan.squawk,
            late,
        };
        if self.holds_back_notices() {
            self.withhold(notice)?;
        } else {
            self.say(Body::FlightNotice(notice), subject.id.to_string())?;
        }
        self.reconcile();
        Ok(version)
    }

    /// Whether the own party has suspended the line and the rulebook says that its notices stay here then.
    pub(super) fn holds_back_notices(&self) -> bool {
        let suspended = self.line.books().standings.suspended(self.line.party()).is_some();
        suspended && !self.line.rulebook().suspension.notices
    }

    fn withhold(&mut self, notice: FlightNotice) -> Result<(), CoreError> {
        if let Some(why) = &self.muted {
            return Err(LineError::Muted(why.clone()).into());
        }
        let place = self.line.withhold(&Body::FlightNotice(notice.clone()));
        self.hear_withheld(notice, place);
        Ok(())
    }

    pub(super) fn hear_withheld(&mut self, notice: FlightNotice, place: u64) {
        let own = self.line.party().clone();
        self.withheld.insert(notice.flight.clone(), (notice.clone(), place));
        let subject = self.picture.hear_notice(&own, None, notice, self.time);
        self.effects.after.push(Event::Flight(subject));
    }

    /// Ends a flight of the own party.
    ///
    /// # Errors
    /// When no such flight is known.
    pub fn end_flight(&mut self, flight: FlightId, now: Timestamp) -> Result<(), CoreError> {
        self.at(now);
        let subject = Subject { party: self.line.party().clone(), id: flight.clone() };
        let known = self.picture.intent(&subject);
        let known = known.ok_or_else(|| CoreError::UnknownFlight(flight.clone()))?;
        let (version, said) = (known.notice.version, known.reference.is_some());
        let end = FlightEnd { flight: flight.clone(), version };
        // A first version that was never said ends without a word; that is remembered all the same.
        if !said && version == 1 {
            if let Some(why) = &self.muted {
                return Err(LineError::Muted(why.clone()).into());
            }
            self.line.withhold(&Body::FlightEnd(end));
            self.hear_withheld_end(&flight);
        } else {
            self.say(Body::FlightEnd(end), subject.id.to_string())?;
        }
        self.reconcile();
        Ok(())
    }

    pub(super) fn hear_withheld_end(&mut self, flight: &FlightId) {
        let subject = Subject { party: self.line.party().clone(), id: flight.clone() };
        self.withheld.remove(flight);
        self.picture.hear_end(&subject);
        self.effects.after.push(Event::Flight(subject));
    }

    /// Enters a restriction, in place of one of the same name.
    ///
    /// # Errors
    /// When it ends in the past, a limit is reached, or the suspended line does not carry it.
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
        if self.line.books().standings.suspended(own).is_some()
            && !self.line.rulebook().suspension.restrictions
        {
            return Err(CoreError::Suspended("restrictions"));
        }
        let about = restriction.id.to_string();
        self.say(Body::Restriction(restriction), about)?;
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

    /// Which of the own tracks a peer is shown.
    fn disclosure(&self, peer: &PartyName) -> Disclosure {
        let standings = &self.line.books().standings;
        let suspended = [self.line.party(), peer].iter().any(|p| standings.suspended(p).is_some());
        let rulebook = self.line.rulebook();
        if suspended { rulebook.suspension.disclosure } else { rulebook.disclosure }
    }

    /// Reports of the own party's aircraft. Gives how many were taken in (newer than what was known).
    pub fn own_tracks(&mut self, reports: Vec<SharedTrack>, now: Timestamp) -> usize {
        self.at(now);
        let own = self.line.party().clone();
        let slots: Vec<(u32, SharedTrack)> = reports
            .into_iter()
            .filter_map(|report| Some((self.picture.hear_track(&own, report.clone(), self.time)?, report)))
            .collect();
        slots.iter().for_each(|(_, report)| self.recorder.hear(report));
        let peers: Vec<PartyName> = self.line.peers().cloned().collect();
        for peer in peers.into_iter().filter(|p| self.line.is_member(p)).collect::<Vec<_>>() {
            let rule = self.disclosure(&peer);
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
    /// When the party is not a member of this line.
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

    /// Something that was carried here from a peer by hand.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub fn carried_in(
        &mut self,
        peer: &PartyName,
        message: Message,
        now: Timestamp,
        history: &dyn History,
    ) -> Result<(), CoreError> {
        if let Some(why) = &self.muted {
            return Err(LineError::Muted(why.clone()).into());
        }
        self.at(now);
        let taken = self.line.carried_in(peer, message, self.time, history);
        self.reconcile();
        Ok(taken?)
    }

    /// A peer has sent something that cannot be read.
    pub fn garbage(&mut self, peer: &PartyName, now: Timestamp) {
        self.at(now);
        self.line.offend(peer, Offence::Garbage);
    }

    /// Certifies a further key of the own party.
    ///
    /// # Errors
    /// When the certificate is not by the party's root key.
    pub fn certify(&mut self, certificate: &[u8], name: &str, now: Timestamp) -> Result<(), CoreError> {
        self.at(now);
        let known = &self.line.own_keys().known;
        let checked = SignedCertificate::open(certificate, known.party(), known.root());
        let holder = checked.map_err(LineError::from)?.certificate().holder.clone();
        self.say(Body::Certificate(certificate.to_vec(), Withholdable::new(name)), holder)?;
        self.reconcile();
        Ok(())
    }

    /// Revokes a key of the own party, by its root key's word.
    ///
    /// # Errors
    /// When it is not by the root key, or is of the node's own key: that one cannot speak against itself.
    pub fn revoke(&mut self, revocation: &[u8], now: Timestamp) -> Result<(), CoreError> {
        self.at(now);
        let keys = self.line.own_keys();
        let read = Revocation::open(revocation, keys.known.party(), keys.known.root());
        let read = read.map_err(LineError::from)?;
        if read.key == hotline_ledger::KeyId::of(&keys.node.verifying_key()) {
            return Err(CoreError::OwnKey);
        }
        self.say(Body::Revocation(revocation.to_vec()), read.key.to_string())?;
        self.reconcile();
        Ok(())
    }

    /// Evidence was handed over: who got what is on the record too.
    ///
    /// # Errors
    /// When the line refuses to speak.
    pub fn handed_over(&mut self, handover: Handover, now: Timestamp) -> Result<(), CoreError> {
        self.at(now);
        let about = handover.recipient.clone();
        self.say(Body::Handover(handover), about)?;
        self.reconcile();
        Ok(())
    }

    /// Closes the segment of the flight recorder that is open: its leaves are kept, its root is said.
    pub(super) fn close_segment(&mut self) {
        if self.line.may_speak().is_err() || self.muted.is_some() {
            return;
        }
        let line = &self.line;
        let Some(closed) = self.recorder.close(self.time, |segment, id| line.recorder_salt(segment, id))
        else {
            return;
        };
        let first = self.line.next_place();
        for (aircraft, leaf) in &closed.leaves {
            self.line.keep(Record::Recorded(closed.segment.number, aircraft.clone(), leaf.clone()));
        }
        self.recorder.keep(closed.segment.number, first, closed.leaves.len() as u64);
        let about = format!("segment {}", closed.segment.number);
        self.say_or_show(Body::Segment(closed.segment), about);
    }
}

/// The root of a segment from its leaves.
pub(crate) fn segment_root<'a>(leaves: impl Iterator<Item = &'a [u8]>) -> Root {
    let mut tree = hotline_ledger::Tree::default();
    leaves.for_each(|leaf| _ = tree.append(leaf));
    Root(tree.root(tree.size()).expect("the whole tree"))
}
