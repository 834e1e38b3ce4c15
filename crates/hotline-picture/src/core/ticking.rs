//! What happens because time passes.

use super::Core;
use hotline_airspace::{Seconds, seconds_between};
use hotline_ledger::PartyName;
use hotline_line::{
    Body, Dispute, FlightNotice, History, LineState, Missed, MissedDeadline, Stage, Withholdable,
};
use jiff::Timestamp;

/// What is due is looked for so often.
const LOOK_EVERY: Seconds = Seconds::new(1.0);

impl Core {
    /// Time has passed. Call it several times a second.
    pub fn tick(&mut self, now: Timestamp, history: &dyn History) {
        self.at(now);
        self.line.tick(self.time, history);
        // A clock that was set back counts as time gone by.
        let since = |at| Seconds::new(seconds_between(at, self.time).get().abs());
        let due = self.last_expiry.is_none_or(|at| since(at) >= LOOK_EVERY);
        if due {
            self.last_expiry = Some(self.time);
            self.picture.tick(self.time);
            self.alerts.expire(self.time);
            if self.line.may_speak().is_ok() && self.muted.is_none() {
                self.say_what_is_due();
            }
        }
        self.reconcile();
    }

    fn say_what_is_due(&mut self) {
        let own = self.line.party().clone();
        let escalation = self.line.rulebook().escalation;
        for (conflict, party, level, due, stage) in self.alerts.overdue(&own, self.time, &escalation) {
            self.alerts.mark_missed(&conflict, &party, level, stage);
            self.touched.insert(conflict.clone());
            self.say_missed(Missed::Alert(conflict, level), party, due, stage);
        }
        let within = Seconds::new(self.line.rulebook().deadlines.conflict_report_s);
        for (conflict, party, due) in self.alerts.unreported(&own, self.time, within) {
            // One that cannot be reached is not late with its report but with its receipts.
            if self.line.status(&party).is_none_or(|s| s.state == LineState::Down) {
                continue;
            }
            self.alerts.mark_unreported(&conflict, &party);
            self.touched.insert(conflict.clone());
            self.say_missed(Missed::Report(conflict), party, due, Stage::NextOfficer);
        }
        for (owed, stage) in self.line.overdue() {
            let due = owed.due_for(&own);
            self.say_missed(Missed::Statement(owed.statement), owed.by, due, stage);
        }
        for (party, number, due) in self.line.receipts_overdue() {
            self.say_missed(Missed::Receipt(number), party, due, Stage::NextOfficer);
        }
        for (party, proof) in self.line.to_be_told() {
            let about = party.to_string();
            self.say_or_show(Body::Dispute(Box::new(Dispute { party, proof })), about);
        }
        self.check_persons();
        self.close_segment();
        if !self.holds_back_notices() && !self.withheld.is_empty() {
            self.say_withheld();
        }
    }

    fn say_missed(&mut self, missed: Missed, party: PartyName, due: Timestamp, stage: Stage) {
        let about = match &missed {
            Missed::Alert(conflict, _) | Missed::Report(conflict) => conflict.to_string(),
            Missed::Statement(statement) => statement.to_string(),
            Missed::Receipt(number) => format!("receipt from #{number} on"),
        };
        self.say_or_show(Body::MissedDeadline(MissedDeadline { missed, party, due, stage }), about);
    }

    /// The persons on watch at the peers are asked on the agreed schedule, if they can be reached.
    fn check_persons(&mut self) {
        let every = self.line.rulebook().person_checks_s;
        let last = self.last_person_check.get_or_insert(self.time);
        if every <= 0.0 || seconds_between(*last, self.time).get().abs() < every {
            return;
        }
        let reached = |p: &&PartyName| self.line.status(p).is_some_and(|s| s.state != LineState::Down);
        let to: Vec<PartyName> =
            self.line.peers().filter(|p| self.line.is_member(p)).filter(reached).cloned().collect();
        self.last_person_check = Some(self.time);
        if !to.is_empty() {
            let about = to.iter().map(PartyName::as_str).collect::<Vec<_>>().join(" ");
            self.say_or_show(Body::ScheduledCheck(to), about);
        }
    }

    /// The line is restored: what was withheld and is still to be flown is said.
    fn say_withheld(&mut self) {
        let renew = |field: &Withholdable| field.renewed().unwrap_or_else(|| Withholdable::new(""));
        for (flight, (notice, _)) in std::mem::take(&mut self.withheld) {
            let over = notice.volumes.iter().all(|v| v.time.end() <= self.time);
            if over {
                continue;
            }
            let notice = FlightNotice {
                purpose: renew(&notice.purpose),
                callsign: renew(&notice.callsign),
                unit: renew(&notice.unit),
                ..notice
            };
            self.say_or_show(Body::FlightNotice(notice), flight.to_string());
        }
    }
}
