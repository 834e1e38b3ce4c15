//! What persons do.

use super::Core;
use crate::{CoreError, Event};
use hotline_line::{Act, Body, CaseStep, ConflictKey, Deed, LineError, Reply, StatementRef, Step};
use jiff::Timestamp;

impl Core {
    /// What an officer signs to acknowledge an alert.
    ///
    /// # Errors
    /// When there is no such alert, it is not ours, or it has been acknowledged at its level.
    pub fn acknowledgement(&self, key: &ConflictKey) -> Result<Deed, CoreError> {
        let own = self.line.party();
        let alert = self.alerts.get(key).ok_or_else(|| CoreError::UnknownAlert(key.clone()))?;
        if !key.parties().any(|p| p == own) {
            return Err(CoreError::NotOurs(key.clone()));
        }
        if !alert.awaits(own) {
            return Err(CoreError::AlreadyAcknowledged(key.clone()));
        }
        // The newest are named when there are very many.
        let skip = alert.statements.len().saturating_sub(hotline_line::MAX_REFS);
        let alerts = alert.statements.iter().skip(skip).cloned().collect();
        Ok(Deed::Acknowledge { conflict: key.clone(), level: alert.level, alerts })
    }

    /// Says what a person of this party has signed.
    ///
    /// # Errors
    /// When the signature does not count, the person may not do it, or it is out of place.
    pub fn act(&mut self, act: Act, now: Timestamp) -> Result<StatementRef, CoreError> {
        self.at(now);
        self.line.check_act(&act)?;
        self.in_place(act.deed())?;
        let about = act.deed().about();
        let said = self.say(Body::Act(Box::new(act)), about)?;
        self.reconcile();
        Ok(said)
    }

    /// Whether a deed may be done as things stand.
    fn in_place(&self, deed: &Deed) -> Result<(), CoreError> {
        let out = |why: String| Err(CoreError::Line(LineError::OutOfPlace(why)));
        let own = self.line.party();
        let books = self.line.books();
        let suspended = books.standings.suspended(own);
        match deed {
            Deed::Acknowledge { conflict, .. } => self.acknowledgement(conflict).map(|_| ()),
            Deed::Message { to, .. } | Deed::Request { to, .. } | Deed::Check { to } => {
                if let Some(stranger) = to.iter().find(|p| !self.line.is_member(p)) {
                    return Err(LineError::UnknownParty(stranger.clone()).into());
                }
                let carried = matches!(deed, Deed::Check { .. }) || self.line.rulebook().suspension.messages;
                if suspended.is_some() && !carried {
                    return Err(CoreError::Suspended("messages"));
                }
                Ok(())
            }
            Deed::Answer { to, reply } => {
                let Some(owed) = books.obligations.get(to, own) else {
                    return out(format!("nothing is owed for {to}"));
                };
                if owed.met.is_some() {
                    return out(format!("{to} has been answered"));
                }
                match reply {
                    Reply::Wilco if owed.read_back.is_some() => {
                        out(format!("{to} asks for a read-back before wilco"))
                    }
                    _ => Ok(()),
                }
            }
            Deed::Case(CaseStep { case, step }) => match case {
                Some(name) if books.cases.get(name).is_none() => out(format!("there is no case {name}")),
                None if books.cases.open_of(own) >= hotline_line::MAX_CASES => {
                    Err(CoreError::Limit { what: "open cases", limit: hotline_line::MAX_CASES })
                }
                _ => match step {
                    Step::Triage { owner, .. } if !self.line.is_member(owner) => {
                        Err(LineError::UnknownParty(owner.clone()).into())
                    }
                    _ => Ok(()),
                },
            },
            Deed::Position { supersedes: Some(number), .. } => {
                let earlier = StatementRef { party: own.clone(), number: *number };
                match books.standings.position(&earlier) {
                    None => out(format!("{earlier} is not a position of this party")),
                    Some(p) if p.superseded_by.is_some() => out(format!(
                        "{earlier} has been superseded already, by #{}",
                        p.superseded_by.unwrap_or_default()
                    )),
                    Some(_) => Ok(()),
                }
            }
            Deed::Position { .. } => Ok(()),
            Deed::Propose(proposal) => Ok(books.ballots.may_propose(own, proposal, self.time)?),
            Deed::Vote { proposal, choice } => {
                let cut = self.line.cut();
                Ok(books.ballots.may_vote(own, proposal, *choice, self.time, &cut)?)
            }
            Deed::Withdraw { proposal } => {
                let name = StatementRef { party: own.clone(), number: *proposal };
                match books.ballots.get(&name) {
                    None => out(format!("{name} is not a proposal of this party")),
                    Some(b) if b.outcome.is_some() => out(format!("{name} has been decided")),
                    Some(b) if b.votes.contains_key(own) => {
                        out(format!("{own} has voted on {name}: it can no longer be withdrawn"))
                    }
                    Some(b) if self.time > b.proposal.deadline => out(format!(
                        "the deadline {} has passed: {name} can no longer be withdrawn",
                        b.proposal.deadline
                    )),
                    Some(_) => Ok(()),
                }
            }
            Deed::Suspend(_) if suspended.is_some() => out("the line is suspended already".into()),
            Deed::Restore(_) if suspended.is_none() => out("this party has not suspended the line".into()),
            Deed::Suspend(_) | Deed::Restore(_) | Deed::Leave(_) => Ok(()),
        }
    }

    /// A person's act takes effect on what is shown; what it means for the line, the line has noted.
    pub(super) fn hear_act(
        &mut self,
        statement: StatementRef,
        time: Timestamp,
        act: &Act,
        person: hotline_line::Person,
    ) {
        let name = self.line.person_name(&statement.party, &person);
        if let Deed::Acknowledge { conflict, level, alerts } = act.deed() {
            let own = self.line.party().clone();
            let party = statement.party.clone();
            for read in alerts.iter().filter(|r| r.party == own && party != own) {
                let state = hotline_line::DeliveryState::Read;
                self.line.advance(&party, read.number, state, act.time());
            }
            let ack = crate::Ack { officer: name, time: act.time(), level: *level };
            if self.alerts.acknowledged(&party, conflict, alerts, ack) {
                self.touched.insert(conflict.clone());
            }
            self.alerts.remember(conflict, statement);
            return;
        }
        if let Some(spoken) = self.conversation.hear(statement, time, act, person, name) {
            self.effects.after.push(Event::Spoken(Box::new(spoken)));
        }
    }
}
