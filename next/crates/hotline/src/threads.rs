//! Runs the jobs of a detection pass on all cores.

use hotline_detect::Executor;
use std::sync::atomic::{AtomicUsize, Ordering};

/// As many threads as told.
pub(crate) struct Threads(pub(crate) usize);

impl Threads {
    /// One for each core.
    pub(crate) fn all() -> Self {
        Self(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl Executor for Threads {
    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= jobs {
                    return;
                }
                job(number);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.0.clamp(1, jobs.max(1)) {
                scope.spawn(work);
            }
            work();
        });
    }
}
