//! How far each of the own statements has come with each peer.

use hotline_ledger::PartyName;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// How many of the newest statements are followed for display; all are in the ledger and the journal.
pub const MAX_DELIVERIES: usize = 2_000;

/// How far a statement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    /// Durable here.
    Queued,
    /// Handed to the connection.
    Sent,
    /// A receipt covers it.
    Delivered,
    /// An officer of the peer has read it.
    Read,
    /// It was answered.
    Answered,
    /// Its deadline has passed without an answer.
    Expired,
    /// Supervisor or call sheet have been told so.
    Escalated,
}

impl DeliveryState {
    /// Its name in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Answered => "answered",
            Self::Expired => "expired",
            Self::Escalated => "escalated",
        }
    }

    pub(crate) const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Answered,
        Self::Expired,
        Self::Escalated,
    ];
}

/// One statement on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number in the own ledger.
    pub number: u64,
    /// Its kind.
    pub kind: String,
    /// What it is about, in a few words.
    pub about: String,
    /// When it was queued.
    pub queued: Timestamp,
    /// For each peer when it reached which state.
    pub reached: BTreeMap<PartyName, Vec<(DeliveryState, Timestamp)>>,
}

impl Delivery {
    /// The state with a peer: the last that was reached.
    pub fn state(&self, peer: &PartyName) -> DeliveryState {
        self.reached.get(peer).and_then(|r| r.last()).map_or(DeliveryState::Queued, |r| r.0)
    }

    fn has(&self, peer: &PartyName, state: DeliveryState) -> bool {
        self.reached.get(peer).is_some_and(|r| r.iter().any(|(s, _)| *s == state))
    }

    /// Whether it has been handed over to a peer as far as `state`, which is sent or delivered.
    fn is_as_far(&self, peer: &PartyName, state: DeliveryState) -> bool {
        self.has(peer, state) || (state == DeliveryState::Sent && self.has(peer, DeliveryState::Delivered))
    }
}

/// The newest statements on their way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deliveries {
    newest: VecDeque<Delivery>,
}

impl Deliveries {
    pub(crate) fn queued(&mut self, number: u64, kind: &str, about: String, at: Timestamp) {
        self.newest.push_back(Delivery {
            number,
            kind: kind.into(),
            about,
            queued: at,
            reached: BTreeMap::new(),
        });
        if self.newest.len() > MAX_DELIVERIES {
            self.newest.pop_front();
        }
    }

    /// Puts one in as it was.
    pub(crate) fn put(&mut self, delivery: Delivery) {
        self.newest.push_back(delivery);
    }

    /// All statements before `upto` have reached a state with a peer. Gives the numbers that newly did.
    pub(crate) fn reached(
        &mut self,
        peer: &PartyName,
        upto: u64,
        state: DeliveryState,
        at: Timestamp,
    ) -> Vec<u64> {
        let mut moved = Vec::new();
        for delivery in self.newest.iter_mut().rev().skip_while(|d| d.number >= upto) {
            if delivery.is_as_far(peer, state) {
                break;
            }
            delivery.reached.entry(peer.clone()).or_default().push((state, at));
            moved.push(delivery.number);
        }
        moved
    }

    /// One statement was read, answered, not answered in time, or that was passed on. Whether that is new.
    pub(crate) fn advance(
        &mut self,
        peer: &PartyName,
        number: u64,
        state: DeliveryState,
        at: Timestamp,
    ) -> bool {
        let Some(first) = self.newest.front().map(|d| d.number) else { return false };
        let Some(delivery) = number.checked_sub(first).and_then(|i| self.newest.get_mut(i as usize)) else {
            return false;
        };
        // What has been answered is settled; what was read or answered late is so all the same.
        if delivery.has(peer, state) || delivery.has(peer, DeliveryState::Answered) {
            return false;
        }
        delivery.reached.entry(peer.clone()).or_default().push((state, at));
        true
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Delivery> {
        let first = self.newest.front()?.number;
        self.newest.get(number.checked_sub(first)? as usize)
    }

    pub(crate) fn newest(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.newest.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_told_once_and_an_answer_settles() {
        use DeliveryState::{Answered, Delivered, Escalated, Expired, Read, Sent};
        let (peer, at) = (PartyName::new("green").unwrap(), Timestamp::UNIX_EPOCH);
        let mut all = Deliveries::default();
        (0..3).for_each(|i| all.queued(i, "message", String::new(), at));
        assert_eq!(all.reached(&peer, 2, Sent, at), [1, 0]);
        assert_eq!(all.reached(&peer, 3, Sent, at), [2]);
        assert_eq!(all.reached(&peer, 2, Delivered, at), [1, 0]);
        assert!(all.advance(&peer, 0, Read, at) && !all.advance(&peer, 0, Read, at));
        assert!(!all.advance(&peer, 9, Read, at));
        assert_eq!(all.reached(&peer, 3, Delivered, at), [2]);
        assert_eq!(all.reached(&peer, 3, Sent, at), [] as [u64; 0], "delivered was sent");
        assert!(all.advance(&peer, 1, Expired, at) && all.advance(&peer, 1, Escalated, at));
        assert_eq!(all.get(1).unwrap().state(&peer), Escalated);
        assert!(all.advance(&peer, 1, Answered, at) && !all.advance(&peer, 1, Expired, at));
        assert_eq!(all.get(1).unwrap().state(&peer), Answered);
    }
}
