//! `hotline sim`: whole worlds of parties, networks, disks, clocks and cheats, each from its seed, until time is up.

use crate::Outcome;
use crate::say;
use clap::Args;
use hotline_sim::{Report, Soak, run_seed};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Run the simulator: crashes, torn writes, partitions, wrong clocks, cheating parties, until time is up.
#[derive(Args)]
#[command(
    after_help = "Example:\n  hotline sim --seconds 600\n  hotline sim --seed 17\n  hotline sim --long --hours 10000\n\nEvery world is made from its seed alone: a seed that breaks something is printed, and breaks it again with --seed. Exit code 1 when anything broke."
)]
pub(crate) struct Sim {
    /// Stop after so many seconds of this machine's time; the worlds begun are finished
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Stop after so many simulated hours instead
    #[arg(long)]
    hours: Option<f64>,
    /// Only this seed
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Half a day of five parties for each seed, instead of a quarter of an hour of four with much in it
    #[arg(long)]
    long: bool,
    /// Worlds at the same time; as many as there are cores when left out
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Default)]
struct Sum {
    seeds: u64,
    simulated_s: u64,
    statements: u64,
    alerts: u64,
    faults: [u64; 6],
    messages: [u64; 5],
    broken: Vec<Report>,
}

impl Sum {
    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.simulated_s += report.simulated_s;
        self.statements += report.statements;
        self.alerts += report.alerts;
        let i = report.injected;
        let faults = [i.cuts, i.crashes, i.clock_steps, i.full, i.restored, i.forged];
        let c = report.carried;
        let messages = [c.delivered, c.lost, c.doubled, c.reordered, c.damaged];
        self.faults.iter_mut().zip(faults).for_each(|(sum, n)| *sum += n);
        self.messages.iter_mut().zip(messages).for_each(|(sum, n)| *sum += n);
        if !report.violations.is_empty() {
            self.broken.push(report);
        }
    }
}

impl Sim {
    pub(crate) fn run(self) -> Outcome {
        let soak = if self.long { Soak::LONG } else { Soak::SHORT };
        if !(0.0..1e7).contains(&self.seconds) {
            return Err(format!("--seconds {}: 0 to 10000000 is allowed", self.seconds));
        }
        let threads = match (self.seed, self.threads) {
            (Some(_), _) => 1,
            (None, Some(n)) => n.clamp(1, 256),
            (None, None) => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let first = self.seed.unwrap_or(self.from);
        say!(
            "{} parties, {} simulated seconds for each seed, from seed {first} on",
            soak.parties,
            soak.seconds
        );
        let (begin, end) = (Instant::now(), Duration::from_secs_f64(self.seconds));
        let target = self.hours.map(|hours| (hours * 3_600.0) as u64);
        let (next, stop, sum) = (AtomicU64::new(first), AtomicBool::new(false), Mutex::new(Sum::default()));
        let bar = ProgressBar::new(target.unwrap_or(self.seconds as u64));
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} s  {msg}").expect("a template"));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        let report = run_seed(&soak, seed);
                        for violation in &report.violations {
                            bar.suspend(|| say!("seed {seed}: {violation}"));
                        }
                        let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        sum.add(report);
                        let up = match target {
                            Some(target) => sum.simulated_s >= target,
                            None => begin.elapsed() >= end,
                        };
                        bar.set_position(target.map_or(begin.elapsed().as_secs(), |_| sum.simulated_s));
                        bar.set_message(format!("{} seeds, {} broken", sum.seeds, sum.broken.len()));
                        if up || self.seed.is_some() {
                            stop.store(true, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        bar.finish_and_clear();
        let sum = sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let took = begin.elapsed().as_secs_f64();
        let hours = sum.simulated_s as f64 / 3_600.0;
        say!(
            "{} seeds, {hours:.1} simulated hours in {took:.0} s: {:.0} times real time",
            sum.seeds,
            sum.simulated_s as f64 / took
        );
        say!("{} statements, {} alerts of the highest level shown in time", sum.statements, sum.alerts);
        let [cuts, crashes, steps, full, restored, forged] = sum.faults;
        say!(
            "faults: {cuts} connections cut, {crashes} nodes crashed, {steps} clocks stepped, {full} disks full, {restored} restored from old copies, {forged} messages of cheats"
        );
        let [arrived, lost, doubled, reordered, damaged] = sum.messages;
        say!(
            "messages: {arrived} arrived, {lost} lost, {doubled} doubled, {reordered} reordered, {damaged} damaged"
        );
        if sum.broken.is_empty() {
            say!("nothing broke: all seven properties held");
        }
        for report in &sum.broken {
            say!("BROKEN: seed {}: {}", report.seed, report.violations.join("; "));
        }
        Ok(sum.broken.is_empty())
    }
}
