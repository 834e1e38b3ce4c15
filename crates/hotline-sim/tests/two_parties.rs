//! Two and three parties under cuts, crashes, delays and wrong clocks. A failure prints its seed; run it again
//! with `HOTLINE_SEED=n cargo test -p hotline-sim`.

use hotline_line::FlightId;
use hotline_sim::{Faults, Happening, Random, Valley, Weather, World};

fn seeds() -> Vec<u64> {
    match std::env::var("HOTLINE_SEED") {
        Ok(seed) => vec![seed.parse().expect("HOTLINE_SEED is a number")],
        Err(_) => (1..=6).collect(),
    }
}

/// Everything that a day of the valley brings, on a faulty network; then calm, and all must agree.
#[test]
fn nothing_is_lost_and_all_agree_in_the_end() {
    for seed in seeds() {
        println!("seed {seed}");
        let faults = Faults {
            weather: Weather { delay_ms: 400, ..Weather::default() },
            cut_every_s: 20,
            cut_s: 5,
            crash_every_s: 60,
            clock_step_every_s: 120,
            sync_ms: 10,
            ..Faults::default()
        };
        let count = 2 + (seed % 2) as usize;
        let mut world = World::new(count, seed, faults);
        let start = world.clock(0);
        let valley = Valley::new(seed, start);
        let mut random = Random::new(seed ^ 0xABCD);
        let mut happenings = valley.happenings().iter().filter(|(at, _)| *at < 60.0).peekable();
        for second in 0..90u32 {
            while let Some((_, happening)) = happenings.next_if(|(at, _)| *at <= f64::from(second)) {
                act(&mut world, happening.clone());
            }
            for party in 0..2 {
                // Tracks carry the party's own clock, however wrong.
                let reports: Vec<_> = valley.reports(party, f64::from(second));
                world.act(party, |core, now| _ = core.own_tracks(reports, now));
            }
            for party in 0..2 {
                let open: Vec<_> = world
                    .core(party)
                    .alerts()
                    .iter()
                    .filter(|a| a.awaits(world.name(party)))
                    .map(|a| a.key.clone())
                    .collect();
                for key in open.into_iter().filter(|_| random.one_in(3)) {
                    // One that has been cleared meanwhile cannot be acknowledged.
                    _ = world.acknowledge(party, &key);
                }
            }
            world.run(1_000);
            world.check();
        }
        world.calm();
        world.run(60_000);
        world.check();
        world.check_settled();
        let merger =
            |w: &World, p: usize| w.shown(p).iter().any(|k| k.starts_with("tracks/") && k.contains(":M1/"));
        assert!(merger(&world, 0) && merger(&world, 1), "both officers saw the formations merge");
    }
}

fn act(world: &mut World, happening: Happening) {
    match happening {
        // A node that is down, or listens after a start, takes nothing in.
        Happening::File(party, plan) => _ = world.act(party, |core, now| core.file_flight(plan, now)),
        Happening::Restrict(party, restriction) => {
            _ = world.act(party, |core, now| core.restrict(restriction, now));
        }
        Happening::Lift(party, id) => _ = world.act(party, |core, now| core.lift(id, now)),
    }
}

/// What is accepted survives a crash right after: the flight is known again, its number is not used twice.
#[test]
fn a_crash_right_after_acceptance() {
    let mut world = World::new(2, 5, Faults::default());
    world.run(5_000);
    let valley = Valley::new(1, world.clock(0));
    for n in 0..20 {
        let Some((_, Happening::File(0, plan))) = valley.happenings().get(n).cloned() else { continue };
        let mut version = 0;
        world.act(0, |core, now| version = core.file_flight(plan.clone(), now).unwrap());
        assert_eq!(version, 1);
        world.crash(0);
        // The node listens first to what its peer holds.
        world.run(5_000);
        world.check();
        let known = world.core(0).picture().intents().any(|i| i.notice.flight == plan.flight);
        assert!(known, "{}", plan.flight);
    }
    world.act(0, |core, now| {
        let unknown = core.end_flight(FlightId::new("nowhere").unwrap(), now);
        assert!(unknown.unwrap_err().to_string().contains("nowhere is not known"));
    });
    world.run(5_000);
    world.check_settled();
}
