//! The line: the own ledger, the peers' ledgers as held here, receipts, delivery, what is agreed and owed, and the state of the line.

mod hearing;
mod ledgers;
mod noting;
mod recalling;
mod replaying;
mod sending;
mod two_histories;

pub(crate) use replaying::KeptPeer;

use crate::act::{Act, Person};
use crate::body::Body;
use crate::books::Books;
use crate::delivery::{Deliveries, Delivery, DeliveryState};
use crate::message::{Entry, Message};
use crate::obligation::Obligation;
use crate::peer::{Call, HeldLedger, Peer, PeerStatus};
use crate::{LineError, OwnKeys, Record, Rulebook, SharedTrack, StatementRef};
use hotline_ledger::{
    Checkpoint, KeyId, KeyRing, LineName, Openings, PartyName, Receipt, SaltSecret, Statement, Tree, origin,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How many of a ledger's newest entries are kept in memory; older ones are read from the journal.
pub const ENTRIES_KEPT: usize = 4_096;
/// The most statements of one party that wait for their causes; beyond it no more are taken in from it.
pub const MAX_WAITING: usize = 20_000;
/// After a start a node listens so long before it speaks, unless all peers have told it sooner how much they hold of its
/// ledger: whoever has lost statements in a restored disk must not sign others under their numbers.
pub const LISTENING: SignedDuration = SignedDuration::from_secs(3);

/// What a line needs to start.
#[derive(Debug, Clone)]
pub struct LineConfig {
    /// The rulebook that the line began with.
    pub rulebook: Rulebook,
    /// The own keys.
    pub own: OwnKeys,
    /// The keys of the first peers.
    pub peers: Vec<KeyRing>,
    /// The node's folder was restored from a copy: it must not speak before every member has told it what it holds.
    pub restored: bool,
}

/// Reads back what was stored: record `place` of the journal.
pub trait History {
    /// The record of that number, if it can be read.
    fn record(&self, place: u64) -> Option<Record>;
}

/// A statement that has been said, here or by a peer, in its place of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Who said it, and its number.
    pub reference: StatementRef,
    /// When, by the speaker's clock.
    pub time: Timestamp,
    /// What the speaker had heard before.
    pub causes: BTreeMap<PartyName, u64>,
    /// What it says. An act of a person whose signature does not check has no effect: it is unknown.
    pub body: Body,
    /// The person whose act it is.
    pub person: Option<Person>,
    /// It came ahead of its place and will come again in it.
    pub ahead: bool,
}

/// Whether the node may speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speech {
    /// It may.
    Free,
    /// It listens first: until then, or until all members have said what they hold of its ledger.
    Listening(Option<Timestamp>),
    /// A peer holds so many statements of its ledger, and this node fewer: it was restored from an old copy, and first
    /// asks for what it has said since.
    Behind(u64),
    /// The ledger was said in two different ways from this statement on: two nodes run with the same key, or an old copy has
    /// spoken. It must not say anything more.
    Forked(u64),
    /// It is not a member, or no longer.
    NotMember,
}

/// What is to be done after an input.
#[derive(Debug, Default)]
pub struct LineOutput {
    /// To be stored, in this order, before anything of `send` is sent.
    pub records: Vec<Record>,
    /// To be sent once `records` are durable.
    pub send: Vec<(PartyName, Message)>,
    /// Tracks that a peer shared.
    pub tracks: Vec<(PartyName, SharedTrack)>,
    /// Statements that came in, in order.
    pub said: Vec<Said>,
    /// Own statements whose delivery moved.
    pub moved: BTreeSet<u64>,
    /// Peers whose status changed.
    pub changed: BTreeSet<PartyName>,
    /// Obligations that changed: statement and who owes.
    pub owed: BTreeSet<(StatementRef, PartyName)>,
    /// Cases that changed.
    pub cases: BTreeSet<StatementRef>,
    /// Proposals that changed.
    pub ballots: BTreeSet<StatementRef>,
    /// Another rulebook is in force, or members have come or gone.
    pub rulebook: bool,
    /// Whether the node may speak has changed.
    pub speech: bool,
    /// A party has suspended or restored the line, or has left it.
    pub standing: bool,
    /// What was refused, to be logged and shown.
    pub refused: Vec<(PartyName, LineError)>,
}

/// The line of one node to its peers.
#[derive(Debug)]
pub struct Line {
    name: LineName,
    own: OwnKeys,
    salts: SaltSecret,
    ledger: HeldLedger,
    peers: BTreeMap<PartyName, Peer>,
    books: Books,
    deliveries: Deliveries,
    next_place: u64,
    speech: Speech,
    /// The call for what is lost of the own ledger.
    recall: Call,
    restored: bool,
    time: Timestamp,
    /// The newest own head.
    own_head: Option<Checkpoint>,
    last_gossip: Option<Timestamp>,
    last_told_again: Option<Timestamp>,
    out: LineOutput,
}

impl LineOutput {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.send.is_empty()
            && self.tracks.is_empty()
            && self.said.is_empty()
            && self.moved.is_empty()
            && self.changed.is_empty()
            && self.owed.is_empty()
            && self.cases.is_empty()
            && self.ballots.is_empty()
            && self.refused.is_empty()
            && !(self.rulebook || self.speech || self.standing)
    }
}

impl Line {
    /// A line with empty ledgers.
    ///
    /// # Errors
    /// When a peer is not a party of the rulebook.
    pub fn new(config: LineConfig) -> Result<Self, LineError> {
        let members = config.rulebook.party_names()?;
        if let Some(stranger) = config.peers.iter().map(KeyRing::party).find(|p| !members.contains(p)) {
            return Err(LineError::UnknownParty(stranger.clone()));
        }
        let mut line = Self {
            name: LineName::new(&config.rulebook.line)?,
            salts: SaltSecret::of(&config.own.node),
            ledger: HeldLedger::default(),
            peers: BTreeMap::new(),
            books: Books::new(config.rulebook, &config.own),
            own: config.own,
            deliveries: Deliveries::default(),
            next_place: 0,
            speech: Speech::Listening(None),
            recall: Call::default(),
            restored: config.restored,
            time: Timestamp::UNIX_EPOCH,
            own_head: None,
            last_gossip: None,
            last_told_again: None,
            out: LineOutput::default(),
        };
        for keys in config.peers {
            line.peers.insert(keys.party().clone(), Peer::new(keys));
        }
        line.take_in_members()?;
        Ok(line)
    }

    // ---- looking ----

    /// The line's name.
    pub fn name(&self) -> &LineName {
        &self.name
    }

    /// The own party.
    pub fn party(&self) -> &PartyName {
        self.own.known.party()
    }

    /// The rulebook in force.
    pub fn rulebook(&self) -> &Rulebook {
        &self.books.ballots.in_force().rulebook
    }

    /// What is agreed, owed and on record.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// The own keys.
    pub fn own_keys(&self) -> &OwnKeys {
        &self.own
    }

    /// All other parties that are or were members.
    pub fn peers(&self) -> impl Iterator<Item = &PartyName> {
        self.peers.keys()
    }

    /// The members now, the own party among them if it is one.
    pub fn members(&self) -> Vec<PartyName> {
        let names = self.rulebook().party_names().unwrap_or_default();
        names.into_iter().filter(|n| self.books.standings.left(n).is_none()).collect()
    }

    /// Whether a party is a member now.
    pub fn is_member(&self, party: &PartyName) -> bool {
        self.rulebook().parties.iter().any(|p| p == party.as_str())
            && self.books.standings.left(party).is_none()
    }

    /// A party's keys: the own or a peer's.
    pub fn keys(&self, party: &PartyName) -> Option<&KeyRing> {
        if party == self.party() { Some(&self.own.known) } else { self.peers.get(party).map(|p| &p.keys) }
    }

    /// The name of who holds a key, if it has been told; else the designation in the certificate.
    pub fn person_name(&self, party: &PartyName, person: &Person) -> String {
        self.books.name_of(party, person.key).unwrap_or(&person.holder).to_owned()
    }

    /// The name that belongs to a key.
    pub fn name_of(&self, party: &PartyName, key: KeyId) -> Option<&str> {
        self.books.name_of(party, key)
    }

    /// Whether the node may speak.
    pub fn speech(&self) -> &Speech {
        &self.speech
    }

    /// How many records the journal has, counting those that are still to be stored.
    pub fn next_place(&self) -> u64 {
        self.next_place
    }

    /// What is shown of a peer.
    pub fn status(&self, name: &PartyName) -> Option<PeerStatus> {
        let peer = self.peers.get(name)?;
        Some(PeerStatus {
            state: peer.state,
            since: peer.state_since,
            last_answer: peer.last_answer,
            round_trip_ms: peer.round_trip_ms,
            clock_ahead_ms: peer.clock_ahead_ms,
            held: peer.ledger.size(),
            shown: peer.ledger.shown,
            waits_for: self.waits_for(name),
            receipted: peer.receipted(),
            same_rulebook: peer.same_rulebook,
            disputed: peer.disputed.clone(),
            member: self.is_member(name),
            offences: peer.recorded.iter().map(|(o, n)| (*o, *n)).collect(),
        })
    }

    /// The statement that the next one of a party refers to and that has not been shown.
    pub fn waits_for(&self, party: &PartyName) -> Option<StatementRef> {
        let first = &self.held(party)?.waiting.front()?.statement;
        let missing = first.causes.iter().find(|(name, count)| self.shown(name) < **count);
        missing.map(|(name, count)| StatementRef { party: name.clone(), number: count - 1 })
    }

    /// Delivery of an own statement, while it is among the newest.
    pub fn delivery(&self, number: u64) -> Option<&Delivery> {
        self.deliveries.get(number)
    }

    /// The newest own statements on their way, oldest first.
    pub fn deliveries(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.deliveries.newest()
    }

    /// The tree over a party's ledger as held here.
    pub fn tree(&self, party: &PartyName) -> Option<&Tree> {
        self.held(party).map(|l| &l.tree)
    }

    /// How many statements of a party have been shown to the reader.
    pub fn shown(&self, party: &PartyName) -> u64 {
        self.held(party).map_or(0, |l| l.shown)
    }

    fn held(&self, party: &PartyName) -> Option<&HeldLedger> {
        if party == self.party() { Some(&self.ledger) } else { self.peers.get(party).map(|p| &p.ledger) }
    }

    /// Where in the journal each statement of a party is.
    pub fn places(&self, party: &PartyName) -> &[u64] {
        self.held(party).map_or(&[], |l| &l.places)
    }

    /// How many statements of each other party a peer had seen when it said its newest statement that is held here.
    pub fn last_causes(&self, peer: &PartyName) -> BTreeMap<PartyName, u64> {
        let newest = self.peers.get(peer).and_then(|p| p.ledger.recent.back());
        let read = newest.and_then(|e| hotline_ledger::UncheckedStatement::read(&e.statement).ok());
        read.map(|r| r.statement().causes.clone()).unwrap_or_default()
    }

    /// The newest receipt of `by` for the ledger of `of`, where one of the two is the own party.
    pub fn receipt(&self, by: &PartyName, of: &PartyName) -> Option<&Receipt> {
        if of == self.party() {
            self.peers.get(by)?.receipt.as_ref()
        } else {
            self.peers.get(of).filter(|_| by == self.party())?.given.as_ref()
        }
    }

    /// Where in the journal all receipts of `by` for the ledger of `of` are, where one of the two is the own party:
    /// how many statements each covers, rising, and its place.
    pub fn receipt_places(&self, by: &PartyName, of: &PartyName) -> &[(u64, u64)] {
        let given = by == self.party();
        let peer = self.peers.get(if given { of } else { by }).filter(|_| given || of == self.party());
        peer.map_or(&[], |p| if given { &p.given_places } else { &p.got_places })
    }

    /// The newest head that a peer signed and that fits what is held.
    pub fn head(&self, party: &PartyName) -> Option<Checkpoint> {
        if party == self.party() {
            Some(self.sign_own_head(self.ledger.size()))
        } else {
            self.peers.get(party)?.head.clone()
        }
    }

    /// The signed head over the first `size` own statements.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn sign_own_head(&self, size: u64) -> Checkpoint {
        let root = self.ledger.tree.root(size).expect("a head within the ledger");
        Checkpoint::sign(&origin(&self.name, self.party()), size, root, &self.own.node)
    }

    /// How many things of peers are kept in memory beside their ledgers' hashes: bounded, whatever they send.
    pub fn kept_in_memory(&self) -> usize {
        let of = |p: &Peer| {
            p.ledger.recent.len() + p.ledger.waiting.len() + p.ahead.len() + p.claims.len() + p.told.len()
        };
        self.peers.values().map(of).sum()
    }

    // ---- saying ----

    /// Whether something may be said now.
    ///
    /// # Errors
    /// With why not.
    pub fn may_speak(&self) -> Result<(), LineError> {
        let why = match &self.speech {
            Speech::Free => return Ok(()),
            Speech::Listening(_) => {
                let missing: Vec<&str> = self.not_heard().map(PartyName::as_str).collect();
                format!(
                    "this node has just started and first listens to what {} hold of its ledger",
                    missing.join(", ")
                )
            }
            Speech::Behind(held) => format!(
                "a peer holds {held} statements of this ledger but this node only {}: it was restored from an old copy and must not speak before it has caught up",
                self.ledger.size()
            ),
            Speech::Forked(number) => format!(
                "statement {number} of this ledger has been said in two different ways: does a second node run with the same key? This one says nothing more"
            ),
            Speech::NotMember => "this party is not a member of the line".into(),
        };
        Err(LineError::Silent(why))
    }

    /// Says something: signs it, queues it for the journal and for every peer. `about` is for display.
    ///
    /// # Errors
    /// When the node may not speak, or the statement is over a limit.
    pub fn say(&mut self, body: Body, about: String, now: Timestamp) -> Result<Said, LineError> {
        self.may_speak()?;
        self.at(now);
        let now = Timestamp::from_millisecond(self.time.as_millisecond()).unwrap_or(self.time);
        let number = self.ledger.size();
        let (encoded, openings) = self.sealed(&body, number);
        // What is said must be readable by those who hear it: the same check, before saying it.
        let body = Body::decode(body.kind(), &encoded, &openings)?;
        let statement = Statement {
            line: self.name.clone(),
            party: self.party().clone(),
            number,
            time: self.ledger.last_time.map_or(now, |last| last.max(now)),
            causes: self.peers.iter().map(|(name, peer)| (name.clone(), peer.ledger.shown)).collect(),
            kind: body.kind().to_owned(),
            body: encoded,
        };
        let signed = statement.sign(&self.own.node);
        let entry = Entry { statement: signed.bytes().to_vec(), openings: openings.to_bytes() };
        let place = self.store(Record::Own(entry.clone()));
        let urgent = body.is_urgent() && !crate::broken!(NothingUrgent);
        self.append_own(signed.statement(), entry.clone(), about, place);
        self.ledger.shown = self.ledger.size();
        let said = self.said(signed.statement(), body);
        self.note(&said);
        if urgent {
            let connected =
                self.peers.iter().filter(|(_, p)| p.connection.as_ref().is_some_and(|c| c.greeted));
            let names: Vec<PartyName> = connected.map(|(name, _)| name.clone()).collect();
            self.out.send.extend(names.into_iter().map(|name| (name, Message::Urgent(entry.clone()))));
        }
        Ok(said)
    }

    /// A body as it is said in statement `number`, and what opens it.
    fn sealed(&self, body: &Body, number: u64) -> (Vec<u8>, Openings) {
        let mut openings = Openings::default();
        let encoded = body.encode(&mut |field, value| {
            let opening = self.salts.opening(&self.name, number, field, value);
            let sealed = opening.seal();
            openings.0.push(opening);
            sealed
        });
        (encoded, openings)
    }

    /// Keeps in the journal what may not be said now. Gives its place.
    pub fn withhold(&mut self, body: &Body) -> u64 {
        let (encoded, openings) = self.sealed(body, u64::MAX);
        let entry = Entry { statement: encoded, openings: openings.to_bytes() };
        self.store(Record::Withheld(body.kind().to_owned(), entry))
    }

    /// The salt of one aircraft's part of a segment of the flight recorder.
    pub fn recorder_salt(&self, segment: u64, aircraft: &str) -> [u8; 16] {
        self.salts.opening(&self.name, segment, "recorder", aircraft).salt
    }

    /// An own statement takes its place in the ledger.
    fn append_own(&mut self, statement: &Statement, entry: Entry, about: String, place: u64) {
        self.ledger.append(entry, statement.time, place);
        ledgers::take_keys(&mut self.own.known, statement);
        self.deliveries.queued(statement.number, &statement.kind, about, statement.time);
        self.out.moved.insert(statement.number);
    }

    fn store(&mut self, record: Record) -> u64 {
        self.out.records.push(record);
        self.next_place += 1;
        self.next_place - 1
    }

    /// Stores something that the node needs to remember and that is no statement.
    pub fn keep(&mut self, record: Record) -> u64 {
        self.store(record)
    }

    /// The clock shows `now`. It may have been set back; statements' own times never run backwards all the same.
    fn at(&mut self, now: Timestamp) {
        self.time = now;
    }

    /// Something in the journal happened then.
    fn seen(&mut self, at: Timestamp) {
        self.time = self.time.max(at);
    }

    /// Whether a person's act may be said: the signature checks, and the person may do it.
    ///
    /// # Errors
    /// With what does not hold.
    pub fn check_act(&self, act: &Act) -> Result<Person, LineError> {
        let number = self.ledger.size();
        act.check(&self.name, self.party(), |id, at| self.own.known.person(id, at, number))
    }

    /// What is to be done after the inputs since the last call.
    pub fn take_output(&mut self) -> LineOutput {
        let names: Vec<PartyName> = self.peers.keys().cloned().collect();
        names.iter().for_each(|name| _ = self.pump(name, None));
        std::mem::take(&mut self.out)
    }

    fn mark(&mut self, peer: &PartyName, upto: u64, state: DeliveryState, at: Timestamp) {
        let moved = self.deliveries.reached(peer, upto, state, at);
        self.out.moved.extend(moved);
    }

    /// Own statement `number` has come so far with a peer.
    pub fn advance(&mut self, peer: &PartyName, number: u64, state: DeliveryState, at: Timestamp) {
        if self.deliveries.advance(peer, number, state, at) {
            self.out.moved.insert(number);
        }
    }

    /// Obligations in which the own party has a part, whose next stage of escalation is reached.
    pub fn overdue(&self) -> Vec<(Obligation, crate::Stage)> {
        self.books.obligations.overdue(self.party(), self.time, &self.rulebook().escalation)
    }
}
