//! Whole worlds from seeds: what a seed means, and what came of it.

use crate::adversary::{Adversary, Trick};
use crate::workload::{Pace, Workload};
use crate::{Carried, Faults, Injected, Random, Weather, World};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How long a world of the soak runs, and how many parties it has.
#[derive(Debug, Clone, Copy)]
pub struct Soak {
    /// Parties.
    pub parties: usize,
    /// Simulated seconds, before all is calm.
    pub seconds: u64,
    /// Nodes look at their clocks so often, milliseconds.
    pub tick_ms: u64,
    /// What people do.
    pub pace: Pace,
}

impl Soak {
    /// A short world with much in it: for every change of the code.
    pub const SHORT: Self = Self {
        parties: 4,
        seconds: 900,
        tick_ms: 250,
        pace: Pace { deed_s: 12, encounter_s: 90, answer_s: 10, votes: true },
    };
    /// Half a day of a line of five: for hours and hours.
    pub const LONG: Self = Self {
        parties: 5,
        seconds: 43_200,
        tick_ms: 1_000,
        pace: Pace { deed_s: 900, encounter_s: 1_800, answer_s: 45, votes: true },
    };
}

/// So often the end is put off while somebody still speaks, three seconds each.
const MAX_WAITS: usize = 100;

/// What came of a seed.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Simulated seconds.
    pub simulated_s: u64,
    /// Statements of all parties.
    pub statements: u64,
    /// What went wrong.
    pub injected: Injected,
    /// What happened to messages.
    pub carried: Carried,
    /// Alerts of the highest level that reached connected peers in time.
    pub alerts: u64,
    /// What does not hold.
    pub violations: Vec<String>,
}

/// What a seed brings: which faults, and who cheats how.
fn scene(soak: &Soak, seed: u64, random: &mut Random) -> (World, Workload) {
    // The longer a world, the rarer its faults, so that work gets done between them.
    let scale = (soak.seconds / 900).max(1);
    let rare = |random: &mut Random, s: u64| if random.one_in(3) { 0 } else { s * scale.min(12) };
    let unreliable = random.one_in(2);
    let one_in = |random: &mut Random, n: u64| if unreliable && !random.one_in(3) { n } else { 0 };
    let faults = Faults {
        weather: Weather {
            delay_ms: random.below(400),
            lose_one_in: one_in(random, 150),
            double_one_in: one_in(random, 50),
            reorder_one_in: one_in(random, 80),
            damage_one_in: one_in(random, 4_000),
        },
        cut_every_s: rare(random, 60),
        cut_s: soak.seconds / 6,
        crash_every_s: rare(random, 200),
        down_s: 90,
        clock_step_every_s: rare(random, 600),
        drift_ppm: if random.one_in(2) { 200.0 } else { 0.0 },
        full_every_s: rare(random, 400),
        damage_every_s: rare(random, 900),
        sync_ms: random.below(30),
    };
    let mut world = World::with_rulebook(soak.parties, seed, faults, |rulebook| {
        rulebook.check_s = if soak.tick_ms >= 1_000 { 10.0 } else { 2.0 };
        rulebook.degraded_s = rulebook.check_s * 2.5;
        rulebook.down_s = rulebook.check_s * 4.0;
        rulebook.person_checks_s = if random.one_in(2) { 1_800.0 } else { 0.0 };
        rulebook.deadlines.position_s = 3_600.0;
        if random.one_in(2)
            && let Some(rule) = rulebook.voting.get_mut("substantive")
        {
            let most = soak.parties as u32;
            rule.needed = hotline_line::Needed::Count((most / 2 + 1).max(2).min(most));
        }
    });
    world.tick_every(soak.tick_ms);
    let workload = Workload::new(seed ^ 0x00AB_CDEF, soak.pace);
    (world, workload)
}

/// Runs one seed to its end.
pub fn run_seed(soak: &Soak, seed: u64) -> Report {
    let done = catch_unwind(AssertUnwindSafe(|| run(soak, seed)));
    done.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        let violation = format!("property 7: a node panicked: {}", text.unwrap_or_default());
        Report { seed, violations: vec![violation], ..Report::default() }
    })
}

fn run(soak: &Soak, seed: u64) -> Report {
    let mut random = Random::new(seed);
    let (mut world, mut workload) = scene(soak, seed, &mut random);
    let cheat_at = random.below(soak.seconds / 2);
    let trick = random.below(8);
    let cheater = random.below(soak.parties as u64) as usize;
    for second in 0..soak.seconds {
        world.run(1_000);
        if second == cheat_at {
            cheat(&mut world, &mut workload, cheater, trick, &mut random);
        }
        workload.second(&mut world);
        if !world.violations().is_empty() {
            return report(&world, seed);
        }
    }
    world.calm();
    // Whatever is still open is answered or missed by then, and everything told.
    world.run(300_000);
    // Deadlines make nodes speak by themselves: what was said in the last moments is given the time to arrive.
    let quiet = (0..MAX_WAITS).any(|_| {
        let before = said(&world);
        world.run(3_000);
        said(&world) == before
    });
    if !quiet {
        world.watch.violation("property 6: the nodes speak on and on by themselves".into());
    }
    world.settle_check();
    report(&world, seed)
}

fn cheat(world: &mut World, workload: &mut Workload, cheater: usize, trick: u64, random: &mut Random) {
    let others: Vec<usize> = (0..world.count()).filter(|i| *i != cheater).collect();
    let some = |random: &mut Random| -> BTreeSet<usize> {
        let mut some: BTreeSet<usize> = others.iter().copied().filter(|_| random.one_in(2)).collect();
        some.insert(others[0]);
        some
    };
    match trick {
        0 => world.corrupt(Adversary::new(cheater, Trick::Flood)),
        1 => world.corrupt(Adversary::new(cheater, Trick::Garbage)),
        2 => world.corrupt(Adversary::new(cheater, Trick::Replay)),
        3 => world.corrupt(Adversary::new(cheater, Trick::Withhold(some(random)))),
        4 => {
            // It votes no more, since nothing can be said of votes by one who tells two stories.
            workload.silent_voter = Some(cheater);
            world.fork(cheater, some(random));
        }
        // Nobody cheats.
        _ => {}
    }
}

/// How many statements all parties have said.
fn said(world: &World) -> u64 {
    let own = |i| world.core(i).line().tree(world.name(i)).map_or(0, hotline_ledger::Tree::size);
    (0..world.count()).map(own).sum()
}

fn report(world: &World, seed: u64) -> Report {
    Report {
        seed,
        simulated_s: world.now_ms() / 1_000,
        statements: said(world),
        injected: world.injected(),
        carried: world.carried(),
        alerts: world.watch.alerts_shown(),
        violations: world.violations().to_vec(),
    }
}
