//! What persons have said lately, for display.

use hotline_line::{Act, Deed, Person, StatementRef};
use jiff::Timestamp;
use std::collections::VecDeque;

/// The newest that are kept; all are in the ledgers.
pub const MAX_SPOKEN: usize = 500;

/// Something that a person said.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// The statement.
    pub statement: StatementRef,
    /// When, by the speaker's clock.
    pub time: Timestamp,
    /// Who.
    pub person: Person,
    /// The person's name, where it has been told.
    pub name: String,
    /// What.
    pub deed: Deed,
}

/// The newest that was said.
#[derive(Debug, Clone, Default)]
pub struct Conversation(VecDeque<Spoken>);

impl Conversation {
    /// Takes in an act, if it is one to be shown here. Acknowledgements of alerts are shown with the alerts.
    pub(crate) fn hear(
        &mut self,
        statement: StatementRef,
        time: Timestamp,
        act: &Act,
        person: Person,
        name: String,
    ) -> Option<Spoken> {
        if matches!(act.deed(), Deed::Acknowledge { .. }) || self.0.iter().any(|s| s.statement == statement) {
            return None;
        }
        let spoken = Spoken { statement, time, person, name, deed: act.deed().clone() };
        self.0.push_back(spoken.clone());
        if self.0.len() > MAX_SPOKEN {
            self.0.pop_front();
        }
        Some(spoken)
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Spoken> {
        self.0.iter()
    }
}
