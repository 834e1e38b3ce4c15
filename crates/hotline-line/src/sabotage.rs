//! What tests break on purpose, to see that the simulator finds it. Only compiled for them.

use std::cell::Cell;

/// One thing that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Statements are shown before their causes.
    IgnoreCauses,
    /// The heads of other ledgers are not told.
    TellNoHeads,
    /// Votes are counted when the deadline has passed here, whatever votes are still under way.
    CountEarly,
    /// What is urgent waits for its place.
    NothingUrgent,
    /// What a peer lacks is not sent.
    NoCatchUp,
    /// A node speaks at once after a start, whatever its peers hold of its ledger.
    SpeakAtOnce,
    /// What cannot be read stops the node.
    PanicOnGarbage,
}

thread_local! {
    static BROKEN: Cell<Option<Sabotage>> = const { Cell::new(None) };
}

/// Breaks one thing on this thread, or mends it.
pub fn sabotage(what: Option<Sabotage>) {
    BROKEN.set(what);
}

/// Whether it is broken.
pub(crate) fn is_broken(what: Sabotage) -> bool {
    BROKEN.get() == Some(what)
}
