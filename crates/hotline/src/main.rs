//! `hotline`: the command line of a deconfliction line.

mod acts;
mod bench;
mod bench_alert;
mod bench_line;
mod bench_store;
mod bench_utm;
mod bench_utm_client;
mod bench_utm_places;
mod callsheet;
mod carry;
mod check;
mod client;
mod demo;
mod demo_summary;
mod demo_traffic;
mod detect;
mod detect_bench;
mod detect_bench_oracle;
mod detect_bench_plans;
mod detect_bench_plot;
mod detect_daa;
mod detect_tables;
mod detect_tracks;
mod dss;
mod evidence;
mod gate;
mod health;
mod keys;
mod node;
mod output;
mod secrets;
mod sim;
mod threads;
mod uss;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A deconfliction line between air operators who share airspace but no command.
#[derive(Parser)]
#[command(version, about, long_about = None, after_help = "Start with `make demo`, or with `hotline init --help`.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(node::Init),
    Words(node::Words),
    Pair(node::Pair),
    Node(node::Run),
    Status(node::Status),
    Act(acts::Act),
    Say(acts::Say),
    Cases(acts::Cases),
    Votes(acts::Votes),
    Record(acts::Record),
    Health(health::Health),
    Callsheet(callsheet::Callsheet),
    Key(keys::Key),
    Restore(keys::Restore),
    ExportLine(carry::ExportLine),
    ImportLine(carry::ImportLine),
    Export(evidence::Export),
    Verify(evidence::Verify),
    Check(check::Check),
    Detect(detect::Detect),
    Dss(dss::Dss),
    Uss(uss::Serve),
    Dev(dss::Dev),
    Demo(demo::Demo),
    Sim(sim::Sim),
    Bench(bench::Bench),
}

/// What a command ends with: 0 when all is well, 1 when what was asked about is not, 2 when it could not be done.
pub(crate) type Outcome = Result<bool, String>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Init(command) => command.run(),
        Command::Words(command) => command.run(),
        Command::Pair(command) => command.run(),
        Command::Node(command) => command.run(),
        Command::Status(command) => command.run(),
        Command::Act(command) => command.run(),
        Command::Say(command) => command.run(),
        Command::Cases(command) => command.run(),
        Command::Votes(command) => command.run(),
        Command::Record(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Callsheet(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::ExportLine(command) => command.run(),
        Command::ImportLine(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Detect(command) => command.run(),
        Command::Dss(command) => command.run(),
        Command::Uss(command) => command.run(),
        Command::Dev(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Sim(command) => command.run(),
        Command::Bench(command) => command.run(),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("hotline: {why}");
            ExitCode::from(2)
        }
    }
}
