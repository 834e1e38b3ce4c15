//! One party of the world: its core, its disk, its clock, and the keys of its people.

use crate::disk::{Batch, Disk};
use hotline_airspace::Seconds;
use hotline_ledger::{Certificate, KeyId, KeyRing, PartyName, Role, SigningKey};
use hotline_line::{Act, Deed, LineConfig, LineError, Message, OwnKeys, Record};
use hotline_picture::{Core, Event};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What follows once a batch is durable.
#[derive(Default)]
pub(crate) struct Follow {
    pub(crate) send: Vec<(PartyName, Message)>,
    pub(crate) after: Vec<Event>,
    /// How many own statements there are with this batch.
    pub(crate) own_size: u64,
}

/// A party's keys of all kinds.
#[derive(Clone)]
pub struct Keys {
    /// What the node has.
    pub own: OwnKeys,
    /// The root key.
    pub root: SigningKey,
    /// An officer's key.
    pub officer: SigningKey,
    /// A supervisor's key.
    pub supervisor: SigningKey,
}

impl Keys {
    /// The keys of a party from a seed.
    pub fn new(name: &PartyName, seed: u8) -> Self {
        let key = |i: u8| SigningKey::from_bytes(&[seed.wrapping_mul(5).wrapping_add(i); 32]);
        let [root, node, officer, supervisor] = [key(0), key(1), key(2), key(3)];
        let mut known = KeyRing::new(name.clone(), root.verifying_key());
        let mut names = std::collections::BTreeMap::new();
        for (key, role, holder) in [
            (&node, Role::Node, "node"),
            (&officer, Role::Officer, "officer-1"),
            (&supervisor, Role::Supervisor, "supervisor-1"),
        ] {
            let certificate = Certificate {
                party: name.clone(),
                role,
                holder: holder.into(),
                key: key.verifying_key(),
                not_before: Timestamp::UNIX_EPOCH,
                not_after: Timestamp::from_second(8_000_000_000).expect("an instant of this calendar"),
            };
            known.introduce(certificate.sign(&root).bytes()).expect("by its own root key");
            names.insert(KeyId::of(&key.verifying_key()), format!("{name} {holder}"));
        }
        Self { own: OwnKeys { known, node, names }, root, officer, supervisor }
    }
}

/// A party of the world.
pub(crate) struct Node {
    pub(crate) name: PartyName,
    pub(crate) config: LineConfig,
    pub(crate) keys: Keys,
    pub(crate) core: Core,
    pub(crate) disk: Disk<Follow>,
    pub(crate) clock_off: Seconds,
    /// How much the clock goes wrong, parts per million.
    pub(crate) drift_ppm: f64,
    /// Conflicts that its officer has been shown.
    pub(crate) shown: BTreeSet<String>,
    /// When it tries its disk again; it is mute until then.
    pub(crate) retry_at: Option<u64>,
    /// When power returns.
    pub(crate) down_until: Option<u64>,
}

impl Node {
    pub(crate) fn new(config: LineConfig, keys: Keys) -> Result<Self, LineError> {
        Ok(Self {
            name: config.own.known.party().clone(),
            core: Core::new(config.clone())?,
            config,
            keys,
            disk: Disk::default(),
            clock_off: Seconds::new(0.0),
            drift_ppm: 0.0,
            shown: BTreeSet::new(),
            retry_at: None,
            down_until: None,
        })
    }

    /// Signs a deed as whoever may do it.
    pub(crate) fn sign(&self, deed: Deed, now: Timestamp) -> Result<Act, LineError> {
        let key = match deed.role() {
            Role::Supervisor => &self.keys.supervisor,
            _ => &self.keys.officer,
        };
        Act::sign(self.core.line().name(), &self.name, deed, now, key)
    }

    /// Builds the core anew from what is on the disk.
    pub(crate) fn recover(&mut self) -> Result<(), LineError> {
        let (mut core, from) = match self.disk.snapshot() {
            Some((upto, bytes)) => (Core::restore(self.config.clone(), &bytes, &self.disk)?, upto),
            None => (Core::new(self.config.clone())?, 0),
        };
        for place in from..self.disk.len() {
            let record = hotline_line::History::record(&self.disk, place);
            core.replay(&record.ok_or(LineError::Malformed {
                what: "a journal record",
                why: format!("record {place} cannot be read"),
            })?)?;
        }
        self.core = core;
        Ok(())
    }

    /// Hands what the core wants stored to the disk.
    pub(crate) fn submit(
        &mut self,
        records: &[Record],
        send: Vec<(PartyName, Message)>,
        after: Vec<Event>,
        done_at: u64,
    ) {
        let own_size = self.core.line().tree(&self.name).map_or(0, hotline_ledger::Tree::size);
        let done_at = self.disk.waiting.back().map_or(done_at, |last| done_at.max(last.done_at));
        self.disk.waiting.push_back(Batch {
            records: records.iter().map(Record::to_bytes).collect(),
            done_at,
            then: Follow { send, after, own_size },
        });
    }

    pub(crate) fn is_up(&self) -> bool {
        self.down_until.is_none()
    }
}
