//! Statements on their way into the picture, whoever said them.

use super::{Core, Heard, MAX_FLIGHTS, MAX_RESTRICTIONS};
use crate::{CoreError, Event};
use hotline_ledger::PartyName;
use hotline_line::{Body, Missed, Said, Subject};

impl Core {
    /// Takes a statement into the picture.
    pub(super) fn hear(&mut self, said: Said) {
        if !said.ahead {
            self.tally.count(&said);
            let (reference, causes) = (said.reference.clone(), said.causes.clone());
            self.effects.heard.push(Heard { reference, causes });
        }
        let party = said.reference.party.clone();
        let now = self.time;
        match said.body {
            Body::FlightNotice(notice) => {
                let known = Subject { party: party.clone(), id: notice.flight.clone() };
                if self.picture.flights_of(&party) >= MAX_FLIGHTS && self.picture.intent(&known).is_none() {
                    return self.refuse(party, "live flights", MAX_FLIGHTS);
                }
                if party == *self.line.party() {
                    self.withheld.remove(&notice.flight);
                }
                let subject = self.picture.hear_notice(&party, Some(said.reference), notice, now);
                self.effects.after.push(Event::Flight(subject));
            }
            Body::FlightEnd(end) => {
                if party == *self.line.party() {
                    self.withheld.remove(&end.flight);
                }
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
                    // What came ahead of its place rests on nothing that is still to be stored.
                    if let Some(alert) = self.alerts.get(&key).filter(|_| said.ahead) {
                        self.effects.at_once.push(Event::Alert(Box::new(alert.clone())));
                    }
                    self.touched.insert(key);
                }
            }
            Body::ConflictClear(clear) => {
                self.alerts.remember(&clear.conflict, said.reference);
                if self.alerts.cleared(&party, &clear.conflict, said.time) {
                    self.touched.insert(clear.conflict);
                }
            }
            Body::Act(act) => {
                if let Some(person) = said.person {
                    self.hear_act(said.reference, said.time, &act, person);
                }
            }
            Body::MissedDeadline(missed) => match &missed.missed {
                Missed::Alert(conflict, level) => {
                    self.alerts.remember(conflict, said.reference);
                    if self.alerts.mark_missed(conflict, &missed.party, *level, missed.stage) {
                        self.touched.insert(conflict.clone());
                    }
                }
                Missed::Report(conflict) => {
                    self.alerts.remember(conflict, said.reference);
                    if self.alerts.mark_unreported(conflict, &missed.party) {
                        self.touched.insert(conflict.clone());
                    }
                }
                Missed::Statement(_) | Missed::Receipt(_) => {}
            },
            Body::ScheduledCheck(_) => {
                if party == *self.line.party() {
                    // By the clock, not by the statement's time: that stays ahead when the clock is set back.
                    self.last_person_check = Some(now);
                }
            }
            // The line has noted what they mean.
            Body::Certificate(..)
            | Body::Revocation(_)
            | Body::Dispute(_)
            | Body::Segment(_)
            | Body::Handover(_)
            | Body::Unknown(_) => {}
        }
    }

    pub(super) fn restrictions_of(&self, party: &PartyName) -> usize {
        self.picture.restrictions().filter(|r| r.subject.party == *party).count()
    }

    /// A statement of a party beyond a limit stays in the ledger and has no effect on the picture.
    fn refuse(&mut self, party: PartyName, what: &'static str, limit: usize) {
        let why = CoreError::Limit { what, limit }.to_string();
        self.effects.at_once.push(Event::Refused(party, why));
    }
}
