//! The network between the parties: connections with three lanes each, that lose, delay, double, and damage what they carry.

use crate::Random;
use hotline_line::Message;
use std::collections::{BTreeMap, BTreeSet};

/// What may go wrong with a message, each once in so many; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// The most milliseconds that a message takes.
    pub delay_ms: u64,
    /// A message is lost.
    pub lose_one_in: u64,
    /// A message comes twice.
    pub double_one_in: u64,
    /// A message does not keep its place in its lane.
    pub reorder_one_in: u64,
    /// A bit of a message is flipped.
    pub damage_one_in: u64,
}

/// What has happened to messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Carried {
    /// Delivered.
    pub delivered: u64,
    /// Lost, with their connection or alone.
    pub lost: u64,
    /// Doubled.
    pub doubled: u64,
    /// Out of their place.
    pub reordered: u64,
    /// Damaged.
    pub damaged: u64,
}

/// A message under way.
pub(crate) struct Letter {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) bytes: Vec<u8>,
}

/// The network.
pub(crate) struct Network {
    pub(crate) weather: Weather,
    pub(crate) carried: Carried,
    /// By time of arrival and number.
    under_way: BTreeMap<(u64, u64), Letter>,
    number: u64,
    /// When the last of each way and lane arrives: lanes keep their order.
    last: BTreeMap<(usize, usize, u8), u64>,
    connected: BTreeSet<(usize, usize)>,
}

fn pair(i: usize, j: usize) -> (usize, usize) {
    (i.min(j), i.max(j))
}

impl Network {
    pub(crate) fn new(weather: Weather) -> Self {
        Self {
            weather,
            carried: Carried::default(),
            under_way: BTreeMap::new(),
            number: 0,
            last: BTreeMap::new(),
            connected: BTreeSet::new(),
        }
    }

    pub(crate) fn is_connected(&self, i: usize, j: usize) -> bool {
        self.connected.contains(&pair(i, j))
    }

    pub(crate) fn connect(&mut self, i: usize, j: usize) {
        self.connected.insert(pair(i, j));
    }

    /// Cuts a connection, with all that is under way.
    pub(crate) fn cut(&mut self, i: usize, j: usize) -> bool {
        let was = self.connected.remove(&pair(i, j));
        let before = self.under_way.len();
        self.under_way.retain(|_, l| pair(l.from, l.to) != pair(i, j));
        self.carried.lost += (before - self.under_way.len()) as u64;
        self.last.retain(|(a, b, _), _| pair(*a, *b) != pair(i, j));
        was
    }

    pub(crate) fn send(&mut self, now: u64, from: usize, to: usize, message: &Message, random: &mut Random) {
        if !self.is_connected(from, to) {
            return;
        }
        let weather = self.weather;
        if random.one_in(weather.lose_one_in) {
            self.carried.lost += 1;
            return;
        }
        let mut bytes = message.to_bytes();
        if random.one_in(weather.damage_one_in) {
            let at = random.below(bytes.len() as u64 * 8) as usize;
            bytes[at / 8] ^= 1 << (at % 8);
            self.carried.damaged += 1;
        }
        let arrival = now + 1 + random.below(weather.delay_ms + 1);
        let lane = (from, to, message.lane() as u8);
        let arrival = if random.one_in(weather.reorder_one_in) {
            self.carried.reordered += 1;
            arrival + random.below(weather.delay_ms + 1)
        } else {
            let arrival = self.last.get(&lane).map_or(arrival, |last| arrival.max(*last));
            self.last.insert(lane, arrival);
            arrival
        };
        if random.one_in(weather.double_one_in) {
            self.carried.doubled += 1;
            self.post(
                arrival + random.below(weather.delay_ms + 1),
                Letter { from, to, bytes: bytes.clone() },
            );
        }
        self.post(arrival, Letter { from, to, bytes });
    }

    /// Puts bytes of anyone's making on the way.
    pub(crate) fn post(&mut self, arrival: u64, letter: Letter) {
        self.number += 1;
        self.under_way.insert((arrival, self.number), letter);
    }

    /// When the next message arrives.
    pub(crate) fn next_arrival(&self) -> Option<u64> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next message that has arrived.
    pub(crate) fn arrived(&mut self, now: u64) -> Option<Letter> {
        if self.next_arrival()? > now {
            return None;
        }
        self.carried.delivered += 1;
        self.under_way.pop_first().map(|(_, letter)| letter)
    }
}
