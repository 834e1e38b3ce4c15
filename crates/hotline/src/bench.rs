use crate::Outcome;
use clap::Args;

/// Measure.
#[derive(Args)]
pub(crate) struct Bench {}

impl Bench {
    pub(crate) fn run(self) -> Outcome {
        Ok(true)
    }
}
