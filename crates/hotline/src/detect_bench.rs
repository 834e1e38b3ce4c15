//! `hotline detect bench`: how fast detection is.

use crate::Outcome;
use clap::Args;

/// Measure detection on this machine.
#[derive(Args)]
pub(crate) struct DetectBench {}

impl DetectBench {
    pub(crate) fn run(self) -> Outcome {
        Ok(true)
    }
}
