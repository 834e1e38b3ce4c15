//! A flight of this supplier's operators, and a constraint that it manages.

use crate::remote_id::AircraftDetails;
use crate::wire::{Constraint, ConstraintDetails, Intent, IntentDetails, IntentState, Telemetry};
use hotline_detect::ConformanceMonitor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;

/// What is being told to the DSS, written down before it is said: after a crash it is found out what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// Since when, in microseconds since 1970.
    Put {
        entity: String,
        details: IntentDetails,
        since: i64,
    },
    Delete,
}

/// A flight.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flight {
    /// The operator's name for it.
    pub id: String,
    /// As the DSS has taken it last.
    pub intent: Option<Intent>,
    pub(crate) pending: Option<Pending>,
    /// What the operator asked for, as it was given.
    pub plan: Value,
    /// Who flies what.
    #[serde(default)]
    pub aircraft: AircraftDetails,
    /// Where the aircraft was last.
    #[serde(skip)]
    pub telemetry: Option<Telemetry>,
    #[serde(skip)]
    pub(crate) queued: VecDeque<(String, Telemetry)>,
    #[serde(skip)]
    pub(crate) monitor: Option<ConformanceMonitor>,
    /// With which intents its operator knows of a conflict.
    #[serde(default)]
    pub(crate) conflicts: Vec<String>,
}

impl Flight {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            intent: None,
            pending: None,
            plan: Value::Null,
            aircraft: AircraftDetails::default(),
            telemetry: None,
            queued: VecDeque::new(),
            monitor: None,
            conflicts: Vec::new(),
        }
    }

    /// Its state, if the DSS has it.
    pub fn state(&self) -> Option<IntentState> {
        self.intent.as_ref().map(|intent| intent.reference.state)
    }
}

/// A constraint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnConstraint {
    /// As the DSS has taken it last.
    pub constraint: Option<Constraint>,
    pub(crate) pending: Option<ConstraintDetails>,
    pub(crate) deleting: bool,
}
