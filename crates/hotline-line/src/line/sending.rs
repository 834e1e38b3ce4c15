//! What is sent: greetings, the own ledger, what others lack of third ledgers, heads, checks; and the state of the line.

use super::{History, LISTENING, Line, Speech};
use crate::delivery::DeliveryState;
use crate::message::{BATCH_BYTES, Entry, MAX_ENTRIES, Message};
use crate::peer::{BATCHES_EACH_CALL, Call, Connection, LineState, Peer};
use crate::{LineError, Record};
use hotline_airspace::seconds_between;
use hotline_ledger::PartyName;
use jiff::{SignedDuration, Timestamp};

/// How many statements may be under way to a peer without its receipt.
const WINDOW: u64 = 2_048;
/// So often the newest heads of other ledgers are told, and ledgers asked for that lag behind.
const GOSSIP_EVERY: SignedDuration = SignedDuration::from_secs(1);
/// So often all heads are told anew.
const TELL_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// What was sent and not receipted for so long is sent again.
const SEND_AGAIN: SignedDuration = SignedDuration::from_secs(6);

fn since(at: Option<Timestamp>, now: Timestamp) -> Option<SignedDuration> {
    // A clock that was set back counts as time gone by, so that nothing waits for it.
    at.map(|at| now.duration_since(at).abs())
}

impl Line {
    /// The node begins to run. It listens first.
    pub fn begin(&mut self, now: Timestamp) {
        self.at(now);
        let until = (!self.restored).then(|| self.time.saturating_add(LISTENING).unwrap_or(Timestamp::MAX));
        self.speech = if crate::broken!(SpeakAtOnce) { Speech::Free } else { Speech::Listening(until) };
        self.peers.values_mut().for_each(|p| p.says_held = None);
        self.settle_speech();
    }

    /// A connection with a peer stands; both sides begin with a hello.
    ///
    /// # Errors
    /// [`LineError::UnknownParty`] for whoever is not a member.
    pub fn connected(&mut self, name: &PartyName) -> Result<(), LineError> {
        if !self.is_member(name) {
            return Err(LineError::UnknownParty(name.clone()));
        }
        let hello = self.hello(name)?;
        let now = self.time;
        let peer = self.peer(name)?;
        let held = peer.receipted();
        peer.connection = Some(Connection { sent: held, held, greeted: false, moved: now, hello_at: now });
        peer.last_check = None;
        peer.told.clear();
        self.out.send.push((name.clone(), hello));
        Ok(())
    }

    /// The connection with a peer is gone.
    pub fn disconnected(&mut self, name: &PartyName) {
        if let Some(peer) = self.peers.get_mut(name) {
            peer.connection = None;
        }
    }

    pub(super) fn hello(&self, name: &PartyName) -> Result<Message, LineError> {
        let peer = self.peers.get(name).ok_or_else(|| LineError::UnknownParty(name.clone()))?;
        let rulebook = self.books.ballots.in_force().hash.0;
        let head = peer.head.as_ref().map_or(Vec::new(), |h| h.note.clone());
        Ok(Message::Hello { rulebook, held: peer.ledger.size(), size: self.ledger.size(), head })
    }

    /// Sends a peer what it lacks of the own ledger, as far as the window allows. Whether everything has been sent.
    pub(super) fn pump(&mut self, name: &PartyName, history: Option<&dyn History>) -> bool {
        if crate::broken!(NoCatchUp) {
            return false;
        }
        loop {
            let peer = &self.peers[name];
            let Some(connection) = peer.connection.as_ref().filter(|c| c.greeted) else { return false };
            let (first, size) = (connection.sent, self.ledger.size());
            if first >= size {
                return true;
            }
            if first >= connection.held + WINDOW {
                return false;
            }
            let ledger = self.party().clone();
            let entries = self.batch(&ledger, first, size, history);
            if entries.is_empty() {
                // Older than what is in memory: sent when history can be read.
                return false;
            }
            let upto = first + entries.len() as u64;
            let checkpoint = self.own_head(upto);
            self.out.send.push((name.clone(), Message::Entries { ledger, first, entries, checkpoint }));
            self.peers.get_mut(name).and_then(|p| p.connection.as_mut()).expect("seen above").sent = upto;
            let now = self.time;
            self.peers.get_mut(name).and_then(|p| p.connection.as_mut()).expect("seen above").moved = now;
            self.store(Record::Sent(name.clone(), upto, now));
            self.mark(name, upto, DeliveryState::Sent, now);
        }
    }

    /// The own head over so many statements; the newest is signed once.
    pub(super) fn own_head(&mut self, size: u64) -> Vec<u8> {
        match &self.own_head {
            Some(head) if head.size == size => head.note.clone(),
            _ => {
                let head = self.sign_own_head(size);
                let note = head.note.clone();
                self.own_head = Some(head);
                note
            }
        }
    }

    /// Entries of a ledger from `first` on and before `end`, as many as go into one message.
    fn batch(&self, ledger: &PartyName, first: u64, end: u64, history: Option<&dyn History>) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        for number in first..end.min(first + MAX_ENTRIES as u64) {
            let Some(entry) = self.entry(ledger, number, history) else { break };
            bytes += entry.len();
            if bytes > BATCH_BYTES && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        entries
    }

    /// A statement of a ledger, from memory or history.
    pub(super) fn entry(
        &self,
        ledger: &PartyName,
        number: u64,
        history: Option<&dyn History>,
    ) -> Option<Entry> {
        let held = self.held(ledger)?;
        if let Some(entry) = held.recent(number) {
            return Some(entry.clone());
        }
        match history?.record(*held.places.get(number as usize)?)? {
            Record::Own(entry) | Record::Heard(_, entry) => Some(entry),
            _ => None,
        }
    }

    /// Sends on what is held of any ledger under a head that its party signed.
    pub(super) fn relay(&mut self, to: &PartyName, ledger: &PartyName, from: u64, history: &dyn History) {
        let own = self.party().clone();
        let head = if *ledger == own {
            let size = self.ledger.size();
            Some((size, self.own_head(size)))
        } else {
            self.peers.get(ledger).and_then(|p| p.head.as_ref()).map(|h| (h.size, h.note.clone()))
        };
        let Some((size, checkpoint)) = head else { return };
        let mut first = from;
        for _ in 0..BATCHES_EACH_CALL {
            let entries = if first < size { self.batch(ledger, first, size, Some(history)) } else { vec![] };
            if entries.is_empty() {
                return;
            }
            let upto = first + entries.len() as u64;
            let (ledger, checkpoint) = (ledger.clone(), checkpoint.clone());
            self.out.send.push((to.clone(), Message::Entries { ledger, first, entries, checkpoint }));
            first = upto;
        }
    }

    // ---- time ----

    /// Time has passed: checks that are due are sent, states of the line judged, heads told, ledgers asked for. Call it
    /// several times a second.
    pub fn tick(&mut self, now: Timestamp, history: &dyn History) {
        self.at(now);
        let now = self.time;
        self.settle_speech();
        let names: Vec<PartyName> = self.peers.keys().cloned().collect();
        // What was told may have been lost on the way.
        let again = since(self.last_told_again, now).is_none_or(|s| s >= TELL_AGAIN);
        if again {
            self.last_told_again = Some(now);
            self.peers.values_mut().for_each(|p| p.told.clear());
        }
        let gossip = since(self.last_gossip, now).is_none_or(|s| s >= GOSSIP_EVERY);
        if gossip {
            self.last_gossip = Some(now);
        }
        for name in &names {
            let check = SignedDuration::try_from_secs_f64(self.rulebook().check_s).unwrap_or_default();
            let peer = self.peers.get_mut(name).expect("a name from the map");
            let due = since(peer.last_check.map(|c| c.1), now).is_none_or(|s| s >= check);
            if peer.connection.is_some() && due {
                let nonce = peer.last_check.map_or(0, |(n, _)| n) + 1 + (now.as_millisecond() as u64) % 1_000;
                peer.last_check = Some((nonce, now));
                self.out.send.push((name.clone(), Message::Check { nonce, time: now }));
            }
            self.pump(name, Some(history));
            self.judge(name);
            if gossip {
                self.tell_heads(name);
                self.ask_for(name);
                self.record_offences(name);
                self.resume_peer(name);
            }
        }
        if gossip {
            self.recall_again();
        }
        self.release();
    }

    /// What a connection has lost is sent again, and a peer whose statements were refused for a while is asked to start again from
    /// what is held.
    fn resume_peer(&mut self, name: &PartyName) {
        let now = self.time;
        let peer = self.peers.get_mut(name).expect("a name from the map");
        if let Some(connection) =
            peer.connection.as_mut().filter(|c| now.duration_since(c.moved).abs() >= SEND_AGAIN)
        {
            connection.moved = now;
            if !connection.greeted {
                connection.hello_at = now;
                if let Ok(hello) = self.hello(name) {
                    self.out.send.push((name.clone(), hello));
                }
                return;
            }
            connection.sent = connection.sent.min(connection.held);
        }
        let connected = peer.connection.as_ref().is_some_and(|c| c.greeted);
        if std::mem::take(&mut peer.stalled)
            && connected
            && let Ok(hello) = self.hello(name)
        {
            self.out.send.push((name.clone(), hello));
        }
    }

    /// Tells a peer the heads of other ledgers that it has not been told.
    fn tell_heads(&mut self, to: &PartyName) {
        if crate::broken!(TellNoHeads) {
            return;
        }
        let peer = &self.peers[to];
        if !peer.connection.as_ref().is_some_and(|c| c.greeted) {
            return;
        }
        let newer = |(name, other): (&PartyName, &Peer)| {
            let head = other.head.as_ref()?;
            let told = peer.told.get(name).copied();
            (told.is_none_or(|size| size < head.size)).then(|| (name.clone(), head.size, head.note.clone()))
        };
        let heads: Vec<(PartyName, u64, Vec<u8>)> = self.peers.iter().filter_map(newer).collect();
        if heads.is_empty() {
            return;
        }
        let peer = self.peers.get_mut(to).expect("seen above");
        peer.told.extend(heads.iter().map(|(name, size, _)| (name.clone(), *size)));
        let heads = heads.into_iter().map(|(name, _, note)| (name, note)).collect();
        self.out.send.push((to.clone(), Message::Heads(heads)));
    }

    /// Asks someone who holds more of a peer's ledger for it, when the peer itself does not bring it.
    fn ask_for(&mut self, ledger: &PartyName) {
        let now = self.time;
        let peer = &self.peers[ledger];
        let held = peer.ledger.size();
        if !peer.call.is_over(now) {
            return;
        }
        let greeted =
            |p: &PartyName| self.peers.get(p).and_then(|p| p.connection.as_ref()).is_some_and(|c| c.greeted);
        let claims = peer.claims.iter().filter(|(by, claim)| claim.size > held && greeted(by));
        let best = claims.max_by_key(|(_, claim)| claim.size).map(|(by, _)| by.clone());
        // Whoever refers to statements that this node lacks holds them.
        let cited = || {
            let waits = |(by, other): (&PartyName, &Peer)| {
                let first = other.ledger.waiting.front()?;
                let needs = first.statement.causes.get(ledger).is_some_and(|n| *n > held);
                (needs && by != ledger && greeted(by)).then(|| by.clone())
            };
            self.peers.iter().find_map(waits)
        };
        let Some(from) = best.or_else(cited) else { return };
        self.peers.get_mut(ledger).expect("seen above").call = Call::made(now);
        self.out.send.push((from, Message::Want { ledger: ledger.clone(), from: held }));
    }

    pub(super) fn judge(&mut self, name: &PartyName) {
        let now = self.time;
        let (degraded_s, down_s) = (self.rulebook().degraded_s, self.rulebook().down_s);
        let own = self.party().clone();
        let suspended = [name, &own].iter().any(|p| self.books.standings.suspended(p).is_some());
        let Some(peer) = self.peers.get_mut(name) else { return };
        // A clock that was set back must not make a silent line look fresh for long.
        if peer.last_answer.is_some_and(|at| at > now) {
            peer.last_answer = Some(now);
        }
        let silent = peer.last_answer.map(|at| seconds_between(at, now).get());
        let state = match silent {
            None => LineState::Down,
            Some(s) if s >= down_s => LineState::Down,
            Some(_) if suspended => LineState::Suspended,
            Some(s) if s >= degraded_s => LineState::Degraded,
            Some(_) if !peer.same_rulebook || peer.disputed.is_some() || peer.clock_differs() => {
                LineState::Degraded
            }
            Some(_) => LineState::Normal,
        };
        if state != peer.state {
            (peer.state, peer.state_since) = (state, now);
            self.store(Record::State(name.clone(), state, now));
            self.out.changed.insert(name.clone());
        }
    }

    /// The own statement whose receipt a peer owes for too long, once for each time it falls behind.
    pub fn receipts_overdue(&mut self) -> Vec<(PartyName, u64, Timestamp)> {
        let limit =
            SignedDuration::try_from_secs_f64(self.rulebook().deadlines.receipt_s).unwrap_or_default();
        let (size, now) = (self.ledger.size(), self.time);
        let mut overdue = Vec::new();
        for (name, peer) in &self.peers {
            let next = peer.receipted();
            if peer.receipt_missed.is_some() || next >= size || !self.is_member(name) {
                continue;
            }
            // One that is no longer followed is older than any deadline.
            let said = self.deliveries.get(next).map_or(Timestamp::UNIX_EPOCH, |d| d.queued);
            let due = said.saturating_add(limit).unwrap_or(now);
            if due < now {
                overdue.push((name.clone(), next, due));
            }
        }
        overdue
    }
}
