//! Entities of one kind: by identifier, by cell, by end.

use crate::cell_index::CellIndex;
use crate::{Constraint, Extent, Id, Intent, Moment, RidSubscription, ServiceArea, Subscription};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What can stand on a shelf.
pub(crate) trait Placed {
    fn id(&self) -> Id;
    fn extent(&self) -> &Extent;
}

macro_rules! placed {
    ($($kind:ty),*) => { $(impl Placed for $kind {
        fn id(&self) -> Id {
            self.id
        }
        fn extent(&self) -> &Extent {
            &self.extent
        }
    })* };
}
placed!(Intent, Constraint, Subscription, ServiceArea, RidSubscription);

#[derive(Debug)]
pub(crate) struct Shelf<E> {
    slots: Vec<Option<Arc<E>>>,
    free: Vec<u32>,
    by_id: FxHashMap<Id, u32>,
    index: CellIndex,
    /// Ends of what is in the index. (By identifiers, not slots: which slot an entity has depends on what was there before it,
    /// and a machine that was built from a snapshot must do all in the same order.)
    live: BTreeSet<(Moment, Id)>,
    /// Ends of what has left the index and is kept for a while.
    ended: BTreeSet<(Moment, Id)>,
}

impl<E> Default for Shelf<E> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_id: FxHashMap::default(),
            index: CellIndex::default(),
            live: BTreeSet::new(),
            ended: BTreeSet::new(),
        }
    }
}

impl<E: Placed> Shelf<E> {
    pub(crate) fn get(&self, id: Id) -> Option<&Arc<E>> {
        self.by_id.get(&id).and_then(|&slot| self.slots[slot as usize].as_ref())
    }

    /// How many there are, ended ones included.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<E>> {
        self.slots.iter().flatten()
    }

    pub(crate) fn put(&mut self, entity: Arc<E>) {
        let id = entity.id();
        let slot = match self.by_id.get(&id) {
            Some(&slot) => {
                self.unplace(slot);
                slot
            }
            None => {
                let slot = self.free.pop().unwrap_or_else(|| {
                    self.slots.push(None);
                    u32::try_from(self.slots.len() - 1)
                        .expect("memory ends before four thousand million entities")
                });
                self.by_id.insert(id, slot);
                slot
            }
        };
        self.index.insert(slot, entity.extent());
        self.live.insert((entity.extent().end, id));
        self.slots[slot as usize] = Some(entity);
    }

    pub(crate) fn remove(&mut self, id: Id) -> Option<Arc<E>> {
        let slot = self.by_id.remove(&id)?;
        self.unplace(slot);
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    fn unplace(&mut self, slot: u32) {
        let Some(entity) = &self.slots[slot as usize] else { return };
        let end = (entity.extent().end, entity.id());
        if self.live.remove(&end) {
            self.index.remove(slot, entity.extent());
        } else {
            self.ended.remove(&end);
        }
    }

    /// What overlaps the extent and has not ended, by identifier.
    pub(crate) fn overlapping(&self, extent: &Extent, now: Moment) -> impl Iterator<Item = &Arc<E>> {
        let found = self.index.overlapping(extent);
        let found = found.into_iter().filter_map(|slot| self.slots[slot as usize].as_ref());
        let mut found: Vec<&Arc<E>> = found.filter(|entity| entity.extent().end >= now).collect();
        found.sort_unstable_by_key(|entity| entity.id());
        found.into_iter()
    }

    /// Changes an entity without moving it.
    pub(crate) fn change(&mut self, id: Id, change: impl FnOnce(&mut E))
    where
        E: Clone,
    {
        let slot = self.by_id.get(&id).map(|&slot| slot as usize);
        if let Some(entity) = slot.and_then(|slot| self.slots[slot].as_mut()) {
            change(Arc::make_mut(entity));
        }
    }

    /// Takes at most `most` that have ended out of the index, and gives the identifiers of at most as many whose
    /// end is before `kept_from`.
    pub(crate) fn retire(&mut self, now: Moment, kept_from: Moment, most: usize) -> Vec<Id> {
        for _ in 0..most {
            let Some(&(end, id)) = self.live.first().filter(|(end, _)| *end < now) else { break };
            self.live.pop_first();
            self.ended.insert((end, id));
            if let Some(&slot) = self.by_id.get(&id)
                && let Some(entity) = &self.slots[slot as usize]
            {
                self.index.remove(slot, entity.extent());
            }
        }
        self.ended.iter().take_while(|(end, _)| *end < kept_from).take(most).map(|(_, id)| *id).collect()
    }
}
