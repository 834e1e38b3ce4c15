//! Proposals, votes, and the chain of rulebooks.
//!
//! Every node computes the outcome alone from the ledgers, and must never come to another one than any other node, however
//! much of the ledgers each holds at the time. This is how:
//!
//! - A party's first vote on a proposal counts, if its own time is not after the deadline. Times in a ledger do not run
//!   backwards, so once a ledger has gone past the deadline without a vote, the party is absent for good.
//! - A proposal is decided when the outcome no longer depends on votes that may still come, and its proposer has voted,
//!   withdrawn, or let the deadline pass. A decision can therefore not be undone by anything said later.
//! - A party has one affirmative vote for each version of the rulebook: a further one counts only if, in what the party held
//!   when giving it, the earlier proposal had been decided otherwise. Changes need more than half of the votes,
//!   so two changes of one version are never both adopted, and versions form a chain.
//!
//! A party that has signed two histories of its ledger is absent from every vote that is not yet decided where the proof is held.

use crate::proposal::Proposal;
use crate::voting::{Choice, Matter, Outcome, Standing};
use crate::{LineError, Rulebook, StatementRef};
use hotline_ledger::{PartyName, Root};
use jiff::Timestamp;
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// The most proposals of one party to one version of the rulebook; further ones are void.
pub const MAX_PROPOSALS: usize = 100;

/// How many statements of each party's ledger are looked at.
pub type Cut = BTreeMap<PartyName, u64>;

/// A vote that was cast.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cast {
    /// Its number in the voter's ledger.
    #[n(0)]
    pub number: u64,
    /// How.
    #[n(1)]
    pub choice: Choice,
    /// What the voter held when casting it.
    #[n(2)]
    cut: Cut,
}

/// A proposal and its votes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Ballot {
    /// The statement that proposed it.
    #[n(0)]
    pub statement: StatementRef,
    /// When.
    #[cbor(n(1), with = "crate::cbor::instant")]
    pub time: Timestamp,
    /// What.
    #[n(2)]
    pub proposal: Proposal,
    /// The votes, first one of each party.
    #[n(3)]
    pub votes: BTreeMap<PartyName, Cast>,
    /// The number of the proposer's withdrawal.
    #[n(4)]
    withdrawn: Option<u64>,
    /// The first statement of each party after the deadline.
    #[n(5)]
    passed: BTreeMap<PartyName, u64>,
    /// What has come of it, once that is certain.
    #[n(6)]
    pub outcome: Option<Outcome>,
    /// Why it is void.
    #[n(7)]
    pub void: Option<String>,
}

/// A version of the rulebook.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The rulebook.
    pub rulebook: Rulebook,
    /// Its hash.
    pub hash: Root,
    /// The proposal that made it; nothing for the first.
    pub adopted: Option<StatementRef>,
}

/// All proposals, and the versions of the rulebook.
#[derive(Debug, Clone)]
pub struct Ballots {
    versions: Vec<Version>,
    ballots: BTreeMap<StatementRef, Ballot>,
    /// Those that are not decided.
    open: BTreeSet<StatementRef>,
    /// The statement by which a party left.
    left: BTreeMap<PartyName, u64>,
    disputed: BTreeSet<PartyName>,
}

/// Whether whoever made a statement had heard another.
fn knew(other: &StatementRef, statement: &StatementRef, causes: &Cut) -> bool {
    if other.party == statement.party {
        return other.number < statement.number;
    }
    causes.get(&other.party).is_some_and(|count| *count > other.number)
}

fn version(rulebook: Rulebook, adopted: Option<StatementRef>) -> Version {
    Version { hash: Root(rulebook.hash()), rulebook, adopted }
}

impl Ballots {
    /// The ballots of a line that begins with this rulebook.
    pub fn new(first: Rulebook) -> Self {
        Self {
            versions: vec![version(first, None)],
            ballots: BTreeMap::new(),
            open: BTreeSet::new(),
            left: BTreeMap::new(),
            disputed: BTreeSet::new(),
        }
    }

    /// The rulebook in force.
    pub fn in_force(&self) -> &Version {
        self.versions.last().expect("there is always the first")
    }

    /// All versions, the first first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// A proposal.
    pub fn get(&self, statement: &StatementRef) -> Option<&Ballot> {
        self.ballots.get(statement)
    }

    /// All proposals.
    pub fn iter(&self) -> impl Iterator<Item = &Ballot> {
        self.ballots.values()
    }

    /// The proposals that are not decided.
    pub fn open(&self) -> impl Iterator<Item = &Ballot> {
        self.open.iter().filter_map(|name| self.ballots.get(name))
    }

    fn base(&self, proposal: &Proposal) -> Option<&Version> {
        self.versions.iter().find(|v| v.hash == proposal.base)
    }

    /// Who has a vote on a proposal.
    pub fn voters(&self, proposal: &Proposal) -> Vec<PartyName> {
        let names = self.base(proposal).and_then(|v| v.rulebook.party_names().ok()).unwrap_or_default();
        let removed = match &proposal.change {
            crate::proposal::Change::Expulsion(party) => Some(party.clone()),
            _ => None,
        };
        names.into_iter().filter(|n| Some(n) != removed.as_ref()).collect()
    }

    /// Whether a proposal is in order, whoever looks.
    fn in_order(&self, statement: &StatementRef, proposal: &Proposal) -> Result<(), LineError> {
        let out = |why: String| Err(LineError::OutOfPlace(why));
        let Some(base) = self.base(proposal) else {
            return out("it would change a rulebook that was never in force".into());
        };
        let Some(rule) = base.rulebook.voting.get(&proposal.class) else {
            return out(format!("the rulebook has no class of matters {:?}", proposal.class));
        };
        let matter = proposal.change.matter();
        if !rule.matters.contains(&matter) {
            return out(format!("a {} may not be decided as {:?}", matter.as_str(), proposal.class));
        }
        if !base.rulebook.parties.iter().any(|p| p == statement.party.as_str()) {
            return out(format!("{} is not a member", statement.party));
        }
        let of_party = |b: &&Ballot| b.statement.party == statement.party && b.proposal.base == proposal.base;
        if self.iter().filter(of_party).count() >= MAX_PROPOSALS {
            return out(format!("{MAX_PROPOSALS} proposals to one version of the rulebook are allowed"));
        }
        proposal.change.apply(&base.rulebook).map(|_| ())
    }

    /// Whether a proposal may be made here and now.
    ///
    /// # Errors
    /// With why not.
    pub fn may_propose(&self, own: &PartyName, proposal: &Proposal, now: Timestamp) -> Result<(), LineError> {
        let next = StatementRef { party: own.clone(), number: u64::MAX };
        if proposal.deadline <= now {
            return Err(LineError::OutOfPlace(format!("the deadline {} has passed", proposal.deadline)));
        }
        if proposal.base != self.in_force().hash {
            return Err(LineError::OutOfPlace("another version of the rulebook is in force".into()));
        }
        self.in_order(&next, proposal)
    }

    /// Whether the own party may cast this vote here and now.
    ///
    /// # Errors
    /// With why not.
    pub fn may_vote(
        &self,
        own: &PartyName,
        statement: &StatementRef,
        choice: Choice,
        now: Timestamp,
        cut: &Cut,
    ) -> Result<(), LineError> {
        let out = |why: String| Err(LineError::OutOfPlace(why));
        let Some(ballot) = self.ballots.get(statement) else {
            return out(format!("there is no proposal {statement}"));
        };
        if let Some(outcome) = ballot.outcome {
            return out(format!("proposal {statement} has been decided: {}", outcome.as_str()));
        }
        if ballot.votes.contains_key(own) {
            return out(format!("{own} has voted on {statement} already"));
        }
        if now > ballot.proposal.deadline {
            return out(format!("the deadline {} has passed", ballot.proposal.deadline));
        }
        if !self.voters(&ballot.proposal).contains(own) {
            return out(format!("{own} has no vote on {statement}"));
        }
        let cast = Cast { number: u64::MAX, choice, cut: cut.clone() };
        match self.earlier_yes(own, ballot, &cast) {
            Some(other) => out(format!(
                "{own} has voted for {other}, which would change the same version of the rulebook and is not yet decided"
            )),
            None => Ok(()),
        }
    }

    /// Takes in a proposal.
    pub(crate) fn propose(&mut self, statement: &StatementRef, time: Timestamp, proposal: &Proposal) {
        let void = self.in_order(statement, proposal).err().map(|e| e.to_string());
        let ballot = Ballot {
            statement: statement.clone(),
            time,
            proposal: proposal.clone(),
            votes: BTreeMap::new(),
            withdrawn: None,
            passed: BTreeMap::new(),
            outcome: void.as_ref().map(|_| Outcome::Void),
            void,
        };
        if ballot.outcome.is_none() {
            self.open.insert(statement.clone());
        }
        self.ballots.insert(statement.clone(), ballot);
    }

    /// Takes in a vote. `cut` is what the voter held.
    pub(crate) fn vote(
        &mut self,
        proposal: &StatementRef,
        voter: &StatementRef,
        time: Timestamp,
        choice: Choice,
        mut cut: Cut,
    ) {
        let Some(ballot) = self.ballots.get_mut(proposal) else { return };
        if !knew(proposal, voter, &cut)
            || time > ballot.proposal.deadline
            || ballot.votes.contains_key(&voter.party)
        {
            return;
        }
        cut.insert(voter.party.clone(), voter.number);
        ballot.votes.insert(voter.party.clone(), Cast { number: voter.number, choice, cut });
    }

    /// Takes in a withdrawal by the proposer.
    pub(crate) fn withdraw(&mut self, statement: &StatementRef, proposal: u64) {
        let name = StatementRef { party: statement.party.clone(), number: proposal };
        if let Some(ballot) = self.ballots.get_mut(&name) {
            ballot.withdrawn.get_or_insert(statement.number);
        }
    }

    /// A party has left: it is absent from then on.
    pub(crate) fn leave(&mut self, statement: &StatementRef) {
        self.left.entry(statement.party.clone()).or_insert(statement.number);
    }

    /// A party has signed two histories.
    pub(crate) fn dispute(&mut self, party: &PartyName) {
        self.disputed.insert(party.clone());
    }

    /// Every statement of a party that had heard of a proposal shows how far its time has gone. Others do not count: one node
    /// may hear them before the proposal, another after it.
    pub(crate) fn pass(&mut self, statement: &StatementRef, time: Timestamp, causes: &Cut) {
        for name in self.open.iter().filter(|name| knew(name, statement, causes)) {
            if let Some(ballot) = self.ballots.get_mut(name).filter(|b| time > b.proposal.deadline) {
                ballot.passed.entry(statement.party.clone()).or_insert(statement.number);
            }
        }
    }

    /// Decides what can be decided now, given how much of each ledger has been heard. Gives the proposals that were.
    pub(crate) fn decide(&mut self, view: &Cut) -> Vec<StatementRef> {
        let mut decided = Vec::new();
        loop {
            let found: Vec<(StatementRef, Outcome)> =
                self.open().filter_map(|b| Some((b.statement.clone(), self.evaluate(b, view)?))).collect();
            if found.is_empty() {
                return decided;
            }
            for (name, outcome) in found {
                self.settle(&name, outcome);
                decided.push(name);
            }
        }
    }

    fn settle(&mut self, name: &StatementRef, outcome: Outcome) {
        let current = self.in_force().clone();
        let Some(ballot) = self.ballots.get_mut(name) else { return };
        ballot.outcome = Some(outcome);
        self.open.remove(name);
        if outcome != Outcome::Adopted || ballot.proposal.base != current.hash {
            return;
        }
        if let Ok(Some(next)) = ballot.proposal.change.apply(&current.rulebook) {
            self.versions.push(version(next, Some(name.clone())));
        }
    }

    /// The outcome of a proposal as far as `view` shows it.
    fn evaluate(&self, ballot: &Ballot, view: &Cut) -> Option<Outcome> {
        if ballot.void.is_some() {
            return Some(Outcome::Void);
        }
        let base = self.base(&ballot.proposal)?;
        let rule = base.rulebook.voting.get(&ballot.proposal.class)?;
        let proposer = &ballot.statement.party;
        let held = view.get(proposer).copied().unwrap_or(0);
        // It can be withdrawn until the proposer has voted, has left, or has said anything after the deadline: what comes
        // later may be heard by some after they have decided.
        let ends = [
            ballot.votes.get(proposer).map(|c| c.number),
            ballot.passed.get(proposer).copied(),
            self.left.get(proposer).copied(),
        ];
        let in_time = |w: u64| w < held && ends.iter().flatten().all(|end| w < *end);
        if ballot.withdrawn.is_some_and(in_time) {
            return Some(Outcome::Withdrawn);
        }
        let voters = self.voters(&ballot.proposal);
        if crate::broken!(CountEarly) && !ballot.passed.is_empty() {
            // As soon as one ledger has gone past the deadline, whoever has not voted here is taken for absent.
            let now = |p: PartyName| match self.standing(ballot, &p, view) {
                Standing::Pending => (p, Standing::Absent),
                standing => (p, standing),
            };
            let members: Vec<(PartyName, Standing)> = voters.into_iter().map(now).collect();
            return rule.count(&members, &ballot.proposal.dispute);
        }
        // Whoever may still withdraw it keeps it open, with or without a vote of their own.
        if self.standing(ballot, proposer, view) == Standing::Pending {
            return None;
        }
        let members: Vec<(PartyName, Standing)> =
            voters.into_iter().map(|p| (p.clone(), self.standing(ballot, &p, view))).collect();
        rule.count(&members, &ballot.proposal.dispute)
    }

    /// Where a party stands in a vote.
    pub fn standing(&self, ballot: &Ballot, party: &PartyName, view: &Cut) -> Standing {
        let held = view.get(party).copied().unwrap_or(0);
        if self.disputed.contains(party) {
            return Standing::Absent;
        }
        let left = self.left.get(party).filter(|n| **n < held);
        if let Some(cast) = ballot.votes.get(party).filter(|c| c.number < held) {
            let before_leaving = left.is_none_or(|n| cast.number < *n);
            let counts = before_leaving && self.earlier_yes(party, ballot, cast).is_none();
            return if counts { Standing::Cast(cast.choice) } else { Standing::Absent };
        }
        if left.is_some() || ballot.passed.get(party).is_some_and(|n| *n < held) {
            return Standing::Absent;
        }
        Standing::Pending
    }

    /// Another proposal to the same version for which the party had voted before this vote, and which in what it then held was
    /// not decided otherwise.
    fn earlier_yes(&self, party: &PartyName, ballot: &Ballot, cast: &Cast) -> Option<StatementRef> {
        if cast.choice != Choice::Yes || ballot.proposal.change.matter() == Matter::Resolution {
            return None;
        }
        let rival = |b: &&Ballot| {
            b.statement != ballot.statement
                && b.proposal.base == ballot.proposal.base
                && b.proposal.change.matter() != Matter::Resolution
                && b.votes.get(party).is_some_and(|v| v.choice == Choice::Yes && v.number < cast.number)
        };
        let lost = |o: Option<Outcome>| o.is_some_and(|o| o != Outcome::Adopted);
        self.iter().filter(rival).find(|b| !lost(self.evaluate(b, &cast.cut))).map(|b| b.statement.clone())
    }

    pub(crate) fn put(&self, e: &mut crate::codec::Out) -> crate::codec::Written {
        e.array(4)?.array(self.versions.len() as u64)?;
        for version in &self.versions {
            e.array(2)?.str(&version.rulebook.to_toml())?.encode(&version.adopted)?;
        }
        e.encode(&self.ballots)?.encode(&self.left)?.encode(&self.disputed)?.ok()
    }

    pub(crate) fn read(d: &mut crate::codec::In<'_>) -> Result<Self, LineError> {
        d.fields(4)?;
        let mut versions = Vec::new();
        for _ in 0..d.list(usize::MAX)? {
            d.fields(2)?;
            let rulebook = Rulebook::from_toml(&d.text(usize::MAX)?)?;
            versions.push(version(rulebook, d.decode()?));
        }
        if versions.is_empty() {
            return Err(d.bad("there is no rulebook"));
        }
        let ballots: BTreeMap<StatementRef, Ballot> = d.decode()?;
        let open = ballots.values().filter(|b| b.outcome.is_none()).map(|b| b.statement.clone()).collect();
        Ok(Self { versions, ballots, open, left: d.decode()?, disputed: d.decode()? })
    }
}

#[cfg(test)]
#[path = "ballots_tests.rs"]
mod tests;
