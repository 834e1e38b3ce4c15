//! What follows from a statement for what is agreed, owed and on record. It is the same code for own and heard statements, live
//! and from the journal, in the order in which they are shown.

use super::{Line, Said};
use crate::act::{Act, Deed, Person};
use crate::ballots::Cut;
use crate::body::{Body, Missed, MissedDeadline};
use crate::books::{Instant, Raised};
use crate::case::{CaseKind, CaseStatus, Step};
use crate::delivery::DeliveryState;
use crate::obligation::{Heard, Obligation, Owed, Stage};
use crate::peer::{Disputed, Peer};
use crate::standing::Position;
use crate::{Level, LineError, StatementRef};
use hotline_ledger::{KeyId, KeyRing, PartyName, SignedCertificate};

impl Line {
    /// How much of each ledger has been shown.
    pub fn cut(&self) -> Cut {
        let mut cut: Cut = self.peers.iter().map(|(name, peer)| (name.clone(), peer.ledger.shown)).collect();
        cut.insert(self.party().clone(), self.ledger.shown);
        cut
    }

    /// Members that the rulebook names and that are not yet known as peers become peers.
    pub(super) fn take_in_members(&mut self) -> Result<(), LineError> {
        let joined = self.rulebook().joined.clone();
        for member in joined {
            let name = PartyName::new(&member.party)?;
            if name != *self.party() && !self.peers.contains_key(&name) {
                self.peers.insert(name, Peer::new(member.keys()?));
            }
        }
        Ok(())
    }

    /// A statement takes effect.
    pub(super) fn note(&mut self, said: &Said) {
        let (reference, time) = (&said.reference, said.time);
        self.books.ballots.pass(reference, time, &said.causes);
        match &said.body {
            Body::Certificate(bytes, name) => {
                if let (Some(name), Some(keys)) = (name.value(), self.keys(&reference.party))
                    && let Some(key) = key_of(keys, bytes)
                {
                    self.books.names.insert((reference.party.clone(), key), name.to_owned());
                }
                self.out.changed.insert(reference.party.clone());
            }
            Body::FlightNotice(notice) => {
                let day = self.books.health.on(time);
                day.notices += 1;
                day.notices_late += u64::from(notice.late);
                day.flights += u64::from(notice.version == 1);
            }
            Body::ConflictAlert(alert) => {
                self.books.health.conflict(&alert.conflict, time);
                let deadlines = &self.rulebook().deadlines;
                let within_s = match alert.level {
                    Level::Warning => deadlines.acknowledge_warning_s,
                    Level::Advisory | Level::Caution => deadlines.acknowledge_other_s,
                };
                self.books.raised.insert(reference.clone(), Raised { at: time, within_s });
                self.books.forget_old_alerts();
                let acknowledged = &self.books.acknowledged;
                let parties = self.peers.keys().chain([self.own.known.party()]);
                let early: Vec<_> = parties
                    .filter_map(|party| acknowledged.get(&(reference.clone(), party.clone())))
                    .map(|at| at.0)
                    .collect();
                for at in early {
                    self.books.health.acknowledged(time, at, within_s);
                }
            }
            Body::MissedDeadline(missed) => self.note_missed(reference, missed),
            Body::ScheduledCheck(to) => {
                let (members, deadlines) = (self.members(), self.rulebook().deadlines);
                let heard = Heard {
                    statement: reference,
                    time,
                    at: self.time,
                    members: &members,
                    deadlines: &deadlines,
                };
                let keys = self.books.obligations.hear_check(&heard, to);
                self.count_answers(reference, None, &keys);
                self.out.owed.extend(keys);
            }
            Body::Dispute(dispute) => {
                // Whoever says so: the proof is looked at, not the word.
                if dispute.party != *self.party() {
                    self.dispute(&dispute.party, &dispute.proof);
                    if reference.party == *self.party()
                        && let Some(disputed) =
                            self.peers.get_mut(&dispute.party).and_then(|p| p.disputed.as_mut())
                    {
                        disputed.told = true;
                    }
                } else if dispute.proof.check(&self.name, self.party(), &self.own.known).is_ok() {
                    self.set_speech(super::Speech::Forked(reference.number));
                }
            }
            Body::Act(act) => {
                if let Some(person) = &said.person {
                    self.note_act(said, act, person);
                }
            }
            _ => {}
        }
        self.decide();
    }

    fn note_missed(&mut self, reference: &StatementRef, missed: &MissedDeadline) {
        let own = reference.party == *self.party();
        match &missed.missed {
            Missed::Statement(statement) => {
                let obligations = &mut self.books.obligations;
                // Only the two who have a part in it say so; anyone else's word has no effect.
                if reference.party != statement.party && reference.party != missed.party {
                    return;
                }
                if obligations.mark_missed(statement, &missed.party, missed.stage) {
                    self.out.owed.insert((statement.clone(), missed.party.clone()));
                }
                if statement.party == *self.party() {
                    let state = match missed.stage {
                        Stage::NextOfficer => DeliveryState::Expired,
                        Stage::Supervisor | Stage::CallSheet => DeliveryState::Escalated,
                    };
                    self.advance(&missed.party, statement.number, state, missed.due);
                }
            }
            Missed::Receipt(number) => {
                if own && let Some(peer) = self.peers.get_mut(&missed.party) {
                    if peer.receipted() <= *number {
                        peer.receipt_missed = Some(*number);
                    }
                    self.advance(&missed.party, *number, DeliveryState::Expired, missed.due);
                }
            }
            Missed::Alert(..) => {
                if missed.stage == Stage::NextOfficer {
                    self.books.health.missed_alert(&missed.missed, &missed.party, missed.due);
                }
            }
            Missed::Report(_) => {}
        }
    }

    fn note_act(&mut self, said: &Said, act: &Act, person: &Person) {
        let (reference, time, deed) = (&said.reference, said.time, act.deed());
        let party = &reference.party;
        let members = self.members();
        let deadlines = self.rulebook().deadlines;
        let heard =
            Heard { statement: reference, time, at: self.time, members: &members, deadlines: &deadlines };
        let touched = self.books.obligations.hear(&heard, deed, person);
        for (statement, by) in &touched.keys {
            self.note_answer(statement, by, touched.met.is_some(), time);
        }
        self.count_answers(reference, touched.met.as_ref(), &touched.keys);
        self.out.owed.extend(touched.keys);
        match deed {
            Deed::Acknowledge { alerts, .. } => {
                for alert in alerts {
                    let key = (alert.clone(), party.clone());
                    if self.books.acknowledged.contains_key(&key) {
                        continue;
                    }
                    self.books.acknowledged.insert(key, Instant(act.time()));
                    if let Some(raised) = self.books.raised.get(alert).copied() {
                        self.books.health.acknowledged(raised.at, act.time(), raised.within_s);
                    }
                }
                self.books.forget_old_alerts();
            }
            Deed::Case(step) => {
                let position_s = deadlines.position_s;
                let case = self.books.cases.hear(reference, time, step, &members, position_s);
                if let Some(name) = case {
                    self.note_protest(&name, &step.step, said);
                    self.out.cases.insert(name);
                }
            }
            Deed::Position { about, words, supersedes } => {
                let position = Position {
                    statement: reference.clone(),
                    time,
                    about: about.clone(),
                    words: words.clone(),
                    supersedes: *supersedes,
                    superseded_by: None,
                };
                self.books.standings.take_position(position);
            }
            Deed::Propose(proposal) => {
                self.books.ballots.propose(reference, time, proposal);
                self.out.ballots.insert(reference.clone());
            }
            Deed::Vote { proposal, choice } => {
                self.books.ballots.vote(proposal, reference, time, *choice, said.causes.clone());
                self.out.ballots.insert(proposal.clone());
            }
            Deed::Withdraw { proposal } => {
                self.books.ballots.withdraw(reference, *proposal);
                let proposal = StatementRef { party: party.clone(), number: *proposal };
                self.out.ballots.insert(proposal);
            }
            Deed::Suspend(words) => {
                if self.books.standings.suspend(reference, time, words) {
                    self.books.health.suspended(party, time);
                }
                self.note_standing();
            }
            Deed::Restore(_) => {
                if self.books.standings.restore(party).is_some() {
                    self.books.health.restored(party, time);
                }
                self.note_standing();
            }
            Deed::Leave(_) => {
                self.books.standings.leave(reference);
                self.books.ballots.leave(reference);
                let gone = party.clone();
                let released = self.books.obligations.release(|o| o.by == gone);
                self.out.owed.extend(released);
                self.note_standing();
            }
            Deed::Message { .. } | Deed::Request { .. } | Deed::Answer { .. } | Deed::Check { .. } => {}
        }
    }

    /// Health counts what a statement asks of others, and what it answers in time.
    fn count_answers(
        &mut self,
        statement: &StatementRef,
        met: Option<&Obligation>,
        touched: &[(StatementRef, PartyName)],
    ) {
        let books = &mut self.books;
        for (asking, by) in touched.iter().filter(|(asking, _)| asking == statement) {
            if let Some(owed) = books.obligations.get(asking, by).filter(|o| o.owed != Owed::Vote) {
                books.health.asked(owed.due, owed.owed == Owed::Check);
            }
        }
        let in_time =
            |o: &&Obligation| o.owed != Owed::Vote && o.met.as_ref().is_some_and(|m| m.time <= o.due);
        if let Some(met) = met.filter(in_time) {
            books.health.answered(met.due, met.owed == Owed::Check);
        }
    }

    fn note_answer(&mut self, statement: &StatementRef, by: &PartyName, met: bool, time: jiff::Timestamp) {
        if statement.party != *self.party() || by == self.party() {
            return;
        }
        let Some(obligation) = self.books.obligations.get(statement, by) else { return };
        let (read, owed) = (obligation.read.is_some(), obligation.owed);
        if read {
            self.advance(by, statement.number, DeliveryState::Read, time);
        }
        if met && owed != Owed::Read {
            self.advance(by, statement.number, DeliveryState::Answered, time);
        }
    }

    fn note_protest(&mut self, name: &StatementRef, step: &Step, said: &Said) {
        let Some(case) = self.books.cases.get(name).filter(|c| c.kind == CaseKind::Protest) else { return };
        if matches!(step, Step::Open { .. }) {
            self.books.health.protest_opened(name, said.time);
            return;
        }
        let since = (case.status() == CaseStatus::Resolved)
            .then(|| case.resolved.values().map(|r| r.time).max())
            .flatten();
        self.books.health.protest_resolved(name, since);
    }

    fn note_standing(&mut self) {
        self.out.standing = true;
        let names: Vec<PartyName> = self.peers.keys().cloned().collect();
        for name in names {
            self.judge(&name);
            self.out.changed.insert(name);
        }
    }

    /// Decides the proposals that can be decided now.
    fn decide(&mut self) {
        if self.books.ballots.open().next().is_none() {
            return;
        }
        let cut = self.cut();
        let before = self.books.ballots.versions().len();
        for name in self.books.ballots.decide(&cut) {
            let released = self.books.obligations.release(|o| o.owed == Owed::Vote && o.statement == name);
            self.out.owed.extend(released);
            self.out.ballots.insert(name);
        }
        if self.books.ballots.versions().len() != before {
            self.out.rulebook = true;
            if let Err(e) = self.take_in_members() {
                self.out.refused.push((self.party().clone(), e));
            }
            self.settle_speech();
            // Everyone hears which rulebook is in force here.
            let names: Vec<PartyName> = self.peers.keys().cloned().collect();
            for name in names {
                let greeted = |p: &Peer| p.connection.as_ref().is_some_and(|c| c.greeted);
                if self.peers.get(&name).is_some_and(greeted)
                    && let Ok(hello) = self.hello(&name)
                {
                    self.out.send.push((name, hello));
                }
            }
        }
    }

    /// Proof of two histories from the journal.
    pub(super) fn replay_dispute(&mut self, name: &PartyName, proof: &[u8], since: jiff::Timestamp) {
        let Some(peer) = self.peers.get_mut(name) else { return };
        let read = hotline_ledger::Misconduct::from_bytes(proof);
        let number = read.ok().and_then(|p| p.check(&self.name, name, &peer.keys).ok()).unwrap_or(0);
        let told = peer.disputed.as_ref().is_some_and(|d| d.told);
        peer.disputed = Some(Disputed { number, since, proof: proof.to_vec(), told });
        self.books.ballots.dispute(name);
    }
}

/// The key that a certificate certifies, if it counts: only so many are kept of a party.
fn key_of(keys: &KeyRing, certificate: &[u8]) -> Option<KeyId> {
    let id = SignedCertificate::open(certificate, keys.party(), keys.root()).ok()?.key_id();
    keys.certificates().any(|(c, _)| c.key_id() == id).then_some(id)
}
