//! `hotline bench`: the measurements of BENCHMARKS.md.

use crate::{Outcome, bench_alert, bench_line, bench_store, bench_utm};
use clap::{Args, Subcommand};

/// Measure this machine: alert latency, durable statements, start-up, memory.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline bench alert --tracks 10000 --flood\n  hotline bench catch-up\n  hotline bench evidence --statements 1000000\n  hotline bench statements\n  hotline bench startup --records 1000000\n  hotline bench memory\n  hotline bench utm --seconds 10"
)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// From a track update entering one node to the alert leaving on the other's console stream
    Alert {
        /// Tracks in the air, half of each party, each reported once a second
        #[arg(long, default_value_t = 10_000)]
        tracks: usize,
        /// Conflicts that are brought about
        #[arg(long, default_value_t = 200)]
        conflicts: usize,
        /// A third party floods both nodes meanwhile
        #[arg(long)]
        flood: bool,
    },
    /// One node has said much while the other was away: how long until the other holds it all
    CatchUp {
        /// Statements
        #[arg(long, default_value_t = 100_000)]
        statements: u64,
    },
    /// Evidence of many statements, made and checked
    Evidence {
        /// Statements
        #[arg(long, default_value_t = 1_000_000)]
        statements: u64,
    },
    /// Durable signed statements a second, one at a time and grouped
    Statements {
        /// Seconds for each measurement
        #[arg(long, default_value_t = 4.0)]
        seconds: f64,
    },
    /// Recovery of a node whose journal has many records
    Startup {
        /// Records
        #[arg(long, default_value_t = 1_000_000)]
        records: u64,
    },
    /// The standards' interfaces: intents, service areas, searches, start, growth
    Utm(bench_utm::Utm),
    /// Memory for each live intent
    Memory {
        /// Intents
        #[arg(long, default_value_t = 100_000)]
        intents: usize,
    },
}

impl Bench {
    pub(crate) fn run(self) -> Outcome {
        match self.what {
            What::Alert { tracks, conflicts, flood } => bench_alert::run(tracks, conflicts, flood),
            What::CatchUp { statements } => bench_line::catch_up(statements),
            What::Evidence { statements } => bench_line::evidence(statements),
            What::Statements { seconds } => bench_store::statements(seconds),
            What::Startup { records } => bench_store::startup(records),
            What::Utm(utm) => utm.run(),
            What::Memory { intents } => bench_store::memory(intents),
        }
    }
}
