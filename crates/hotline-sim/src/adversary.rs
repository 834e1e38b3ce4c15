//! A party that cheats: floods, sends garbage, repeats what it said, or withholds it from some.
//!
//! What it signs is its own node's; what it makes of the wire is in here. Telling two stories is [`crate::World::fork`].

use crate::World;
use crate::network::Letter;
use hotline_line::Message;
use std::collections::{BTreeSet, VecDeque};

/// How a party cheats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trick {
    /// It sends far more than it may, of all kinds.
    Flood,
    /// It sends bytes that are not messages, and damaged ones.
    Garbage,
    /// It sends again what it sent long ago, to anyone.
    Replay,
    /// It does not send its ledger to some.
    Withhold(BTreeSet<usize>),
}

/// How many messages a flood has at each look at the clock.
const FLOOD: usize = 60;
/// In a long world it floods for a quarter of an hour, and then for a minute in ten: milliseconds.
const FLOODS_FIRST: u64 = 900_000;
const FLOODS: (u64, u64) = (60_000, 600_000);
/// How many of its own messages it remembers.
const REMEMBERED: usize = 400;

/// A party that cheats.
pub struct Adversary {
    party: usize,
    trick: Trick,
    remembered: VecDeque<Vec<u8>>,
}

impl Adversary {
    /// A party that cheats in a way.
    pub fn new(party: usize, trick: Trick) -> Self {
        Self { party, trick, remembered: VecDeque::new() }
    }

    pub(crate) fn party(&self) -> usize {
        self.party
    }

    /// Whether a message is kept from whom it is for.
    pub(crate) fn hears(&mut self, _: &World, from: usize, to: usize, message: &Message) -> bool {
        if from != self.party {
            return false;
        }
        self.remembered.push_back(message.to_bytes());
        if self.remembered.len() > REMEMBERED {
            self.remembered.pop_front();
        }
        match &self.trick {
            Trick::Withhold(victims) => {
                matches!(message, Message::Entries { .. } | Message::Urgent(_)) && victims.contains(&to)
            }
            _ => false,
        }
    }

    pub(crate) fn tick(&mut self, world: &mut World) {
        let peers: Vec<usize> =
            (0..world.nodes.len()).filter(|j| world.network.is_connected(self.party, *j)).collect();
        if peers.is_empty() || !world.nodes[self.party].is_up() {
            return;
        }
        let rests = world.now_ms > FLOODS_FIRST && world.now_ms % FLOODS.1 >= FLOODS.0;
        let count = match self.trick {
            Trick::Flood if rests => 0,
            Trick::Flood => FLOOD,
            Trick::Garbage => usize::from(world.random.one_in(20)),
            Trick::Replay => 2,
            Trick::Withhold(_) => 0,
        };
        for _ in 0..count {
            let to = peers[world.random.below(peers.len() as u64) as usize];
            if let Some(bytes) = self.make(world) {
                world.injected.forged += 1;
                let arrival = world.now_ms + 1 + world.random.below(200);
                world.network.post(arrival, Letter { from: self.party, to, bytes });
            }
        }
    }

    fn remembered(&self, world: &mut World) -> Option<Vec<u8>> {
        let at = world.random.below(self.remembered.len().max(1) as u64) as usize;
        self.remembered.get(at).cloned()
    }

    fn make(&self, world: &mut World) -> Option<Vec<u8>> {
        match self.trick {
            Trick::Garbage => {
                let mut bytes = self.remembered(world).unwrap_or_else(|| vec![0x82, 0x18]);
                for _ in 0..1 + world.random.below(8) {
                    let at = world.random.below(bytes.len() as u64) as usize;
                    bytes[at] = world.random.bits() as u8;
                }
                if world.random.one_in(4) {
                    bytes.truncate(world.random.below(bytes.len() as u64) as usize);
                }
                Some(bytes)
            }
            Trick::Flood => {
                let line = world.nodes[self.party].core.line();
                let own = line.party().clone();
                let number = world.random.bits();
                let message = match number % 6 {
                    0 => Message::Check { nonce: number, time: world.clock(self.party) },
                    1 => Message::Want { ledger: own, from: 0 },
                    2 => Message::Hello {
                        rulebook: [number as u8; 32],
                        held: number % 1_000,
                        size: number,
                        head: vec![],
                    },
                    3 => Message::Heads(vec![(own, vec![b'x'; 200])]),
                    4 => Message::Answer { nonce: number, time: world.clock(self.party) },
                    _ => return self.remembered(world),
                };
                Some(message.to_bytes())
            }
            Trick::Replay => self.remembered(world),
            Trick::Withhold(_) => None,
        }
    }
}
