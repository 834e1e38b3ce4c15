//! What waits for the core: four lanes, the more urgent always first, each with a limit.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// The most inputs that may wait in one lane; whoever brings more waits.
const MAX_WAITING: usize = 8_192;

/// Which lane an input waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// What this node's own people, and the node itself, want: no peer ever stands before it.
    Own,
    /// Alerts, acknowledgements and checks of peers.
    First,
    /// Own tracks, notices.
    Second,
    /// Peers' ledgers and tracks.
    Third,
}

#[derive(Debug)]
struct Lanes<T> {
    lanes: [VecDeque<T>; 4],
    open: bool,
}

/// A queue with four lanes between any number of writers and one reader.
#[derive(Debug)]
pub(crate) struct Inbox<T> {
    lanes: Mutex<Lanes<T>>,
    filled: Condvar,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Self {
        let lanes = Lanes { lanes: Default::default(), open: true };
        Self { lanes: Mutex::new(lanes), filled: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes<T>> {
        self.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn try_put(&self, urgency: Urgency, input: T) -> Result<(), Option<T>> {
        let mut lanes = self.lock();
        if !lanes.open {
            return Err(None);
        }
        let lane = &mut lanes.lanes[urgency as usize];
        if lane.len() >= MAX_WAITING {
            return Err(Some(input));
        }
        lane.push_back(input);
        drop(lanes);
        self.filled.notify_one();
        Ok(())
    }

    /// Puts an input in; waits while its lane is full. False when the inbox has been closed.
    pub(crate) async fn put(&self, urgency: Urgency, input: T) -> bool {
        let mut input = input;
        loop {
            match self.try_put(urgency, input) {
                Ok(()) => return true,
                Err(None) => return false,
                Err(Some(back)) => input = back,
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Puts an input in at once, over the limit if need be: for what the node itself says, which is bounded.
    pub(crate) fn put_own(&self, input: T) {
        let mut lanes = self.lock();
        if lanes.open {
            lanes.lanes[Urgency::Own as usize].push_back(input);
            drop(lanes);
            self.filled.notify_one();
        }
    }

    /// The next input, waiting at most so long. Nothing when there is none by then.
    pub(crate) fn take(&self, wait: Duration) -> Option<T> {
        let mut lanes = self.lock();
        let next = |lanes: &mut Lanes<T>| lanes.lanes.iter_mut().find_map(VecDeque::pop_front);
        if let Some(input) = next(&mut lanes) {
            return Some(input);
        }
        let mut lanes =
            self.filled.wait_timeout(lanes, wait).unwrap_or_else(std::sync::PoisonError::into_inner).0;
        next(&mut lanes)
    }

    /// Nothing more is let in.
    pub(crate) fn close(&self) {
        self.lock().open = false;
        self.filled.notify_one();
    }

    /// Whether more may still come.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn urgent_first_then_in_order() {
        let inbox = Inbox::new();
        for (urgency, input) in [
            (Urgency::Third, 1),
            (Urgency::Second, 2),
            (Urgency::First, 3),
            (Urgency::First, 4),
            (Urgency::Own, 5),
        ] {
            assert!(inbox.put(urgency, input).await);
        }
        let taken: Vec<i32> = std::iter::from_fn(|| inbox.take(Duration::ZERO)).collect();
        assert_eq!(taken, [5, 3, 4, 2, 1]);
        inbox.close();
        assert!(!inbox.put(Urgency::First, 6).await);
    }
}
