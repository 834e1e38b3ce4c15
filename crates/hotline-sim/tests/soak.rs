//! A fixed budget of seeds of the whole protocol under all faults. A failure prints its seed; run it again with
//! `HOTLINE_SEED=n cargo test -p hotline-sim --test soak`.

use hotline_sim::{Soak, run_seed};

#[test]
fn seeds_hold() {
    let seeds: Vec<u64> = match std::env::var("HOTLINE_SEED") {
        Ok(seed) => vec![seed.parse().expect("HOTLINE_SEED is a number")],
        Err(_) => (1..=std::env::var("HOTLINE_SEEDS").map_or(16, |n| n.parse().expect("a number"))).collect(),
    };
    let mut broken = 0;
    for seed in seeds {
        let report = run_seed(&Soak::SHORT, seed);
        println!(
            "seed {seed}: {} statements, {} alerts in time, {:?}, {:?}",
            report.statements, report.alerts, report.injected, report.carried
        );
        for violation in &report.violations {
            println!("  {violation}");
        }
        broken += usize::from(!report.violations.is_empty());
    }
    assert_eq!(broken, 0, "seeds in which something does not hold: see above");
}

/// Half a day of five parties in which a proof of two histories counted only when it could be shown after a statement of the
/// other history, which never came.
#[test]
fn a_proof_counts_once_it_is_heard() {
    let report = run_seed(&Soak::LONG, 118_019);
    assert_eq!(report.violations, Vec::<String>::new());
}
