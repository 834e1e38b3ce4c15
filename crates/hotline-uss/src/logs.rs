//! The records that the standard asks a supplier to keep (F3548 GEN0105 and the log sets of its interface): exchanges,
//! planning attempts, notices to operators, what operators said, positions. One file a day, one JSON object a line.

use crate::operations::{Exchanged, Measures};
use crate::wire::{Exchange, Telemetry, Time};
use hotline_utm::Clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

/// The most records that wait to be written; further ones are dropped, and the drop is logged.
const MAX_WAITING: usize = 10_000;
/// The largest day, bytes, that is given as a log set; a larger one is read from its file.
const MAX_SET: u64 = 256 << 20;

/// One line of a log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Record {
    Messages { record: Box<Exchange> },
    OperatorNotifications { record: Value },
    OperatorAssociations { record: Value },
    PlanningAttempts { record: Value },
    Position { intent: String, time_received: Time, telemetry: Box<Telemetry> },
    ConstraintProviderAssociations { record: Value },
}

/// Writes records behind everything else.
pub(crate) struct Logs {
    folder: PathBuf,
    name: String,
    queue: SyncSender<(String, Record)>,
    clock: Clock,
    measures: Measures,
}

fn day_of(clock: &Clock) -> String {
    Time::at(clock()).value.chars().take(10).collect()
}

fn write(
    folder: &Path,
    open: &mut Option<(String, File)>,
    day: String,
    record: &Record,
) -> std::io::Result<()> {
    if open.as_ref().is_none_or(|(of, _)| *of != day) {
        let path = folder.join(format!("{day}.jsonl"));
        *open = Some((day, OpenOptions::new().create(true).append(true).open(path)?));
    }
    let (_, file) = open.as_mut().expect("opened above");
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    file.write_all(&line)
}

impl Logs {
    pub(crate) fn open(folder: PathBuf, name: &str, clock: Clock) -> std::io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let (queue, waiting) = sync_channel::<(String, Record)>(MAX_WAITING);
        let into = folder.clone();
        std::thread::Builder::new().name("uss-logs".into()).spawn(move || {
            let mut open = None;
            for (day, record) in waiting {
                if let Err(why) = write(&into, &mut open, day, &record) {
                    tracing::error!("a record could not be written into {}: {why}", into.display());
                    open = None;
                }
            }
        })?;
        Ok(Self { folder, name: name.into(), queue, clock, measures: Measures::default() })
    }

    /// The supplier's own name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn record(&self, record: Record) {
        match self.queue.try_send((day_of(&self.clock), record)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::error!("a record is lost: {MAX_WAITING} wait to be written")
            }
            Err(TrySendError::Disconnected(_)) => tracing::error!("a record is lost: its writer has stopped"),
        }
    }

    pub(crate) const fn measures(&self) -> &Measures {
        &self.measures
    }

    pub(crate) fn exchange(&self, exchange: Exchange) {
        let counted = Exchanged { role: exchange.recorder_role.clone(), status: exchange.response_code };
        self.measures.exchanges.get_or_create(&counted).inc();
        self.record(Record::Messages { record: Box::new(exchange) });
    }

    /// The log set of a day (`2026-01-31`), as the standard's `USSLogSet`.
    pub(crate) fn set(&self, day: &str) -> Result<Option<Value>, String> {
        let is_day = day.len() == 10 && day.chars().all(|c| c.is_ascii_digit() || c == '-');
        let path = self.folder.join(format!("{day}.jsonl"));
        if !is_day || !path.exists() {
            return Ok(None);
        }
        let told = |e: std::io::Error| format!("{}: {e}", path.display());
        let length = path.metadata().map_err(told)?.len();
        if length > MAX_SET {
            return Err(format!(
                "{day} has {length} bytes of records, {MAX_SET} are given at once: read {}",
                path.display()
            ));
        }
        let mut set = json!({
            "messages": [], "operator_notifications": [], "operator_inputs": [], "operator_associations": [],
            "planning_attempts": [], "operational_intent_positions": [], "constraint_provider_associations": [],
        });
        let mut positions: std::collections::BTreeMap<String, Vec<Value>> = Default::default();
        for line in BufReader::new(File::open(&path).map_err(told)?).lines() {
            let line = line.map_err(told)?;
            // A line that was cut off by a crash is left out.
            let Ok(record) = serde_json::from_str::<Record>(&line) else { continue };
            let (kind, value) = match record {
                Record::Messages { record } => ("messages", json!(record)),
                Record::OperatorNotifications { record } => ("operator_notifications", record),
                Record::OperatorAssociations { record } => ("operator_associations", record),
                Record::PlanningAttempts { record } => ("planning_attempts", record),
                Record::ConstraintProviderAssociations { record } => {
                    ("constraint_provider_associations", record)
                }
                Record::Position { intent, time_received, telemetry } => {
                    let position = json!({ "time_received": time_received, "telemetry": telemetry });
                    positions.entry(intent).or_default().push(position);
                    continue;
                }
            };
            set[kind].as_array_mut().expect("made above").push(value);
        }
        let of_intents = positions.into_iter();
        set["operational_intent_positions"] = of_intents
            .map(|(intent, positions)| json!({ "operational_intent_id": intent, "positions": positions }))
            .collect();
        Ok(Some(set))
    }
}
