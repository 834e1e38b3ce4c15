//! What tests break on purpose, to see that the simulator finds it. Only compiled for them.

/// One thing that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Statements are shown before their causes.
    IgnoreCauses,
    /// The heads of other ledgers are not told.
    TellNoHeads,
    /// Heads are not compared.
    CompareNoHeads,
    /// Votes are counted when they arrive, whatever may still come.
    CountEarly,
    /// What is urgent does not go ahead.
    NothingUrgent,
    /// A greeting is not answered with what the peer lacks.
    NoCatchUp,
    /// A restored node speaks at once.
    SpeakAtOnce,
}
