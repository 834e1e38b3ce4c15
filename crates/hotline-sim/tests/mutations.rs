//! What the watch is worth: each thing that is broken on purpose must be found within a few seeds, by the property that it breaks.

use hotline_ledger::Root;
use hotline_line::sabotage::{Sabotage, sabotage};
use hotline_line::{Change, Choice, Deed, Proposal, Words};
use hotline_sim::{Faults, Soak, World, run_seed};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// The most seeds that are tried.
const SEEDS: u64 = 60;

fn found_by(what: Sabotage, property: &str) {
    sabotage(Some(what));
    let found = (1..=SEEDS).find_map(|seed| {
        let violations = run_seed(&Soak::SHORT, seed).violations;
        violations.into_iter().find(|v| v.contains(property)).map(|v| (seed, v))
    });
    sabotage(None);
    let (seed, violation) = found.unwrap_or_else(|| panic!("{what:?} was not found in {SEEDS} seeds"));
    println!("{what:?}: seed {seed}: {violation}");
}

#[test]
fn a_lost_record_is_found() {
    let mut world = World::new(2, 1, Faults::default());
    world.run(5_000);
    let statements = world.core(0).line().tree(world.name(0)).map(hotline_ledger::Tree::size);
    assert!(statements.is_some_and(|n| n > 0));
    // What is synced last may be no statement: as many as hold the certificates' are lost.
    for _ in 0..20 {
        world.lose_a_synced_record(0);
    }
    assert!(world.violations().iter().any(|v| v.contains("property 1")), "{:?}", world.violations());
}

#[test]
fn a_node_that_speaks_before_it_listens_is_found() {
    found_by(Sabotage::SpeakAtOnce, "property");
}

#[test]
fn statements_before_their_causes_are_found() {
    found_by(Sabotage::IgnoreCauses, "property 2");
}

/// A vote that is cast in time and arrives after the deadline: two of three voters, and the third is cut off.
fn late_arrival() -> Vec<String> {
    let mut world = World::new(3, 7, Faults::default());
    world.run(6_000);
    let base = Root(world.core(0).line().rulebook().hash());
    let deadline = world.clock(0).saturating_add(SignedDuration::from_secs(60)).unwrap();
    let proposal = Proposal {
        title: Words::free("en", "A decision"),
        class: "substantive".into(),
        change: Change::Resolution,
        base,
        deadline,
        dispute: vec![],
    };
    let proposal = world.do_deed(0, Deed::Propose(proposal)).unwrap().unwrap();
    world.run(2_000);
    for party in [0, 1] {
        world.do_deed(party, Deed::Vote { proposal: proposal.clone(), choice: Choice::Yes }).unwrap();
    }
    world.run(2_000);
    for party in [0, 1] {
        world.partition(party, 2, 120_000);
    }
    world.do_deed(2, Deed::Vote { proposal: proposal.clone(), choice: Choice::Yes }).unwrap();
    world.run(80_000);
    // Whoever speaks shows that its time has gone past the deadline.
    world.do_deed(0, Deed::Check { to: vec![] }).unwrap();
    world.run(60_000);
    world.calm();
    world.run(60_000);
    let outcome = |i: usize| world.core(i).line().books().ballots.get(&proposal).and_then(|b| b.outcome);
    println!("{:?}", (0..3).map(outcome).collect::<Vec<_>>());
    world.violations().to_vec()
}

#[test]
fn votes_counted_early_are_found() {
    assert_eq!(late_arrival(), Vec::<String>::new());
    sabotage(Some(Sabotage::CountEarly));
    let violations = late_arrival();
    sabotage(None);
    assert!(violations.iter().any(|v| v.contains("property 3")), "{violations:?}");
}

#[test]
fn alerts_that_wait_are_found() {
    found_by(Sabotage::NothingUrgent, "property 5");
}

#[test]
fn a_ledger_that_does_not_catch_up_is_found() {
    found_by(Sabotage::NoCatchUp, "property 6");
}

/// The panic is caught by the one who runs the seed, and told like any other violation.
#[test]
fn a_node_that_stops_at_garbage_is_found() {
    found_by(Sabotage::PanicOnGarbage, "property 7");
}

/// A party tells one peer another story than the other; the two peers say nothing of their own.
fn two_stories() -> Vec<String> {
    let mut world = World::new(3, 9, Faults::default());
    world.run(6_000);
    world.fork(0, BTreeSet::from([2]));
    world.run(6_000);
    for (node, text) in [(0, "one"), (3, "another")] {
        let words = Words::free("en", text);
        let deed = Deed::Position { about: "it".into(), words, supersedes: None };
        world.do_deed(node, deed).unwrap();
    }
    world.run(5_000);
    world.settled_violations()
}

#[test]
fn two_stories_that_nobody_compares_are_found() {
    let without: Vec<String> = two_stories().into_iter().filter(|v| v.contains("property 4")).collect();
    assert_eq!(without, Vec::<String>::new());
    sabotage(Some(Sabotage::TellNoHeads));
    let violations = two_stories();
    sabotage(None);
    assert!(violations.iter().any(|v| v.contains("property 4")), "{violations:?}");
}
