//! The index over plans, measured.

use serde_json::Value;

pub(crate) fn run(_intents: usize, _figure: impl Fn(&str, &Value)) -> Result<(), String> {
    Ok(())
}
