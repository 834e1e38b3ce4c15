//! What is agreed, owed and on record: everything that follows from what the parties said.

use crate::ballots::Ballots;
use crate::case::Cases;
use crate::codec::{In, Out, Written};
use crate::health::{Day, Health};
use crate::obligation::Obligations;
use crate::standing::Standings;
use crate::{LineError, OwnKeys, Rulebook, StatementRef};
use hotline_ledger::{KeyId, PartyName};
use jiff::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// The most alert statements whose times are remembered, for measuring how soon they are acknowledged.
pub(crate) const MAX_ALERT_TIMES: usize = 10_000;

/// When an alert was raised, and how long there is to acknowledge it.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Raised {
    #[cbor(n(0), with = "crate::cbor::instant")]
    pub(crate) at: Timestamp,
    #[n(1)]
    pub(crate) within_s: f64,
}

/// A moment, as it is kept in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Instant(#[cbor(n(0), with = "crate::cbor::instant")] pub(crate) Timestamp);

/// Everything that follows from what was said.
#[derive(Debug, Clone)]
pub struct Books {
    /// Proposals, votes, and the rulebook in force.
    pub ballots: Ballots,
    /// Who owes whom an answer.
    pub obligations: Obligations,
    /// Cases.
    pub cases: Cases,
    /// Suspensions, departures, positions.
    pub standings: Standings,
    /// How well the parties get on.
    pub(crate) health: Health,
    /// Who holds which key.
    pub(crate) names: BTreeMap<(PartyName, KeyId), String>,
    pub(crate) raised: BTreeMap<StatementRef, Raised>,
    /// When each party first acknowledged an alert statement. One that came ahead may be acknowledged before it comes in its
    /// place.
    pub(crate) acknowledged: BTreeMap<(StatementRef, PartyName), Instant>,
}

impl Books {
    pub(crate) fn new(rulebook: Rulebook, own: &OwnKeys) -> Self {
        let party = own.known.party();
        Self {
            ballots: Ballots::new(rulebook),
            obligations: Obligations::default(),
            cases: Cases::default(),
            standings: Standings::default(),
            health: Health::default(),
            names: own.names.iter().map(|(key, name)| ((party.clone(), *key), name.clone())).collect(),
            raised: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
        }
    }

    /// Health by day, oldest first, up to `now`: the day counted from 1970, and its counts.
    pub fn health_days(&self, now: Timestamp) -> Vec<(i64, Day)> {
        self.health.days(now, self.obligations.open())
    }

    /// Whether the newest day's index is the lowest there ever was; nothing before the second day.
    pub fn is_lowest_ever(&self, now: Timestamp) -> Option<bool> {
        let rule = &self.ballots.in_force().rulebook.health;
        let indices: Vec<f64> = self.health_days(now).iter().map(|(_, day)| day.index(rule)).collect();
        let (newest, before) = indices.split_last()?;
        before.iter().copied().reduce(f64::min).map(|lowest| *newest < lowest)
    }

    /// Drops the oldest half of the alerts' times when there are too many.
    pub(crate) fn forget_old_alerts(&mut self) {
        if self.raised.len() > MAX_ALERT_TIMES {
            let mut times: Vec<Timestamp> = self.raised.values().map(|r| r.at).collect();
            let middle = times.len() / 2;
            let middle = *times.select_nth_unstable(middle).1;
            self.raised.retain(|_, r| r.at > middle);
        }
        if self.acknowledged.len() > 4 * MAX_ALERT_TIMES {
            let raised = &self.raised;
            self.acknowledged.retain(|(alert, _), _| raised.contains_key(alert));
        }
    }

    pub(crate) fn name_of(&self, party: &PartyName, key: KeyId) -> Option<&str> {
        self.names.get(&(party.clone(), key)).map(String::as_str)
    }

    pub(crate) fn put(&self, e: &mut Out) -> Written {
        e.array(8)?;
        self.ballots.put(e)?;
        e.encode(&self.obligations)?.encode(&self.cases)?.encode(&self.standings)?.encode(&self.health)?;
        e.encode(&self.names)?.encode(&self.raised)?.encode(&self.acknowledged)?.ok()
    }

    pub(crate) fn read(d: &mut In<'_>) -> Result<Self, LineError> {
        d.fields(8)?;
        Ok(Self {
            ballots: Ballots::read(d)?,
            obligations: d.decode()?,
            cases: d.decode()?,
            standings: d.decode()?,
            health: d.decode()?,
            names: d.decode()?,
            raised: d.decode()?,
            acknowledged: d.decode()?,
        })
    }
}
