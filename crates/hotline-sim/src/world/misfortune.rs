//! What goes wrong in the world, and how nodes come back from it: disks, power, connections, clocks.

use super::World;
use hotline_airspace::Seconds;
use hotline_picture::Core;

impl World {
    /// What the disk has synced by now is followed up; what it refuses begins the core anew.
    pub(super) fn sync(&mut self, i: usize) {
        while self.nodes[i].disk.waiting.front().is_some_and(|b| b.done_at <= self.now_ms) {
            let refused = self.nodes[i].disk.full
                && self.nodes[i].disk.waiting.front().is_some_and(|b| !b.records.is_empty());
            if refused {
                return self.disk_refuses(i);
            }
            if let Some(batch) = self.nodes[i].disk.sync() {
                self.follow(i, batch.then);
            }
        }
        if self.random.one_in(400) {
            let node = &mut self.nodes[i];
            // Only of a state that is on the disk.
            if node.disk.waiting.is_empty() && node.core.line().next_place() == node.disk.len() {
                let state = node.core.snapshot();
                node.disk.save_snapshot(node.disk.len(), state);
            }
        }
        if self.random.one_in(2_000) {
            self.nodes[i].disk.back_up();
        }
    }

    /// A full disk refuses a batch, and all later ones that build on it: the core is built anew, mute, and its tracks go on.
    fn disk_refuses(&mut self, i: usize) {
        let now_ms = self.now_ms;
        let node = &mut self.nodes[i];
        node.disk.waiting.clear();
        let old_config = node.config.clone();
        let fresh = Core::new(old_config).expect("the rulebook fits");
        let old = std::mem::replace(&mut node.core, fresh);
        if let Err(e) = node.recover() {
            self.watch.violation(format!("{} cannot read its journal: {e}", node.name));
            return;
        }
        node.core.take_over(old);
        node.core.mute(Some("the disk is full".into()));
        node.retry_at = Some(now_ms + 3_000);
        self.watch.restarted(i, &self.nodes[i]);
    }

    pub(super) fn try_disk_again(&mut self, i: usize) {
        let now = self.clock(i);
        let node = &mut self.nodes[i];
        let old =
            std::mem::replace(&mut node.core, Core::new(node.config.clone()).expect("the rulebook fits"));
        if let Err(e) = node.recover() {
            self.watch.violation(format!("{} cannot read its journal: {e}", node.name));
            return;
        }
        node.core.take_over(old);
        node.retry_at = None;
        node.core.start(now);
        self.watch.restarted(i, &self.nodes[i]);
        self.cut_all(i);
        self.settle(i);
    }

    pub(super) fn cut(&mut self, i: usize, j: usize) {
        if self.network.cut(i, j) {
            let (a, b) = (self.nodes[i].name.clone(), self.nodes[j].name.clone());
            self.nodes[i].core.disconnected(&b);
            self.nodes[j].core.disconnected(&a);
            self.watch.cut(i, j);
        }
    }

    pub(super) fn cut_all(&mut self, i: usize) {
        for j in (0..self.nodes.len()).filter(|j| *j != i) {
            self.cut(i, j);
        }
    }

    /// Cuts a connection for so many milliseconds.
    pub fn partition(&mut self, i: usize, j: usize, ms: u64) {
        self.cut(i, j);
        self.cut_until.retain(|(pair, _)| *pair != (i.min(j), i.max(j)));
        self.cut_until.push(((i.min(j), i.max(j)), self.now_ms + ms));
    }

    /// Kills a party's node and starts it again from its disk at once.
    pub fn crash(&mut self, i: usize) {
        self.power_off(i);
        self.power_on(i);
    }

    pub(super) fn power_off(&mut self, i: usize) {
        self.cut_all(i);
        let random = &mut self.random;
        let node = &mut self.nodes[i];
        node.disk.crash(|| random.one_in(2));
        node.retry_at = None;
        self.watch.crashed(i);
    }

    pub(super) fn power_on(&mut self, i: usize) {
        self.nodes[i].down_until = None;
        if let Err(e) = self.nodes[i].recover() {
            self.watch.violation(format!("{} cannot read its journal: {e}", self.nodes[i].name));
            return;
        }
        self.watch.restarted(i, &self.nodes[i]);
        let now = self.clock(i);
        self.nodes[i].core.start(now);
        self.settle(i);
    }

    /// Loses a record that was synced: what no disk may do, for a test of the watch.
    pub fn lose_a_synced_record(&mut self, i: usize) {
        self.power_off(i);
        self.nodes[i].disk.lose_last();
        self.power_on(i);
    }

    /// A party's disk is damaged and replaced, with the last copy on it.
    pub fn restore_from_copy(&mut self, i: usize, marked: bool) {
        self.power_off(i);
        self.nodes[i].disk.restore_backup();
        self.nodes[i].config.restored = marked;
        self.watch.restored(i, &self.nodes);
        self.injected.restored += 1;
        self.power_on(i);
    }

    /// Keeps a copy of a party's disk.
    pub fn back_up(&mut self, i: usize) {
        self.nodes[i].disk.back_up();
    }

    pub(super) fn misfortunes(&mut self) {
        let faults = self.faults;
        let count = self.nodes.len();
        for i in 0..count {
            for j in i + 1..count {
                let until = self.cut_until.iter().find(|(p, _)| *p == (i, j)).map_or(0, |(_, at)| *at);
                if self.network.is_connected(i, j) {
                    if self.random.one_in(faults.cut_every_s) {
                        self.injected.cuts += 1;
                        // Mostly short, sometimes as long as may be.
                        let most = if self.random.one_in(5) { faults.cut_s.max(1) } else { 10 };
                        let ms = (1 + self.random.below(most)) * 1_000;
                        self.partition(i, j, ms);
                    }
                } else if until <= self.now_ms
                    && self.nodes[i].is_up()
                    && self.nodes[j].is_up()
                    && self.may_meet(i, j)
                {
                    self.connect(i, j);
                }
            }
            if !self.nodes[i].is_up() {
                continue;
            }
            if self.random.one_in(faults.crash_every_s) {
                self.injected.crashes += 1;
                let down = self.random.below(faults.down_s.max(1)) * 1_000;
                self.power_off(i);
                self.nodes[i].down_until = Some(self.now_ms + down);
                continue;
            }
            if self.random.one_in(faults.clock_step_every_s) {
                self.injected.clock_steps += 1;
                let right = self.random.one_in(2);
                let step = if right { 0.0 } else { self.random.between(-3600.0, 3600.0) };
                self.nodes[i].clock_off = Seconds::new(step);
            }
            if self.nodes[i].disk.full {
                self.nodes[i].disk.full = !self.random.one_in(20);
            } else if self.random.one_in(faults.full_every_s) {
                self.injected.full += 1;
                self.nodes[i].disk.full = true;
            }
            // Two damaged disks at once lose what only the two held.
            if self.random.one_in(faults.damage_every_s) && !self.watch.any_catching_up() {
                self.restore_from_copy(i, true);
            }
        }
    }
}
