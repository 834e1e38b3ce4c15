//! What two nodes hear in another order they decide alike.

use super::*;
use crate::{Change, Words};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn of(party: &str, number: u64) -> StatementRef {
    StatementRef { party: PartyName::new(party).unwrap(), number }
}

fn cut(held: &[(&str, u64)]) -> Cut {
    held.iter().map(|(party, n)| (PartyName::new(party).unwrap(), *n)).collect()
}

fn ballots() -> (Ballots, Proposal) {
    let ballots = Ballots::new(Rulebook::from_toml(Rulebook::EXAMPLE).unwrap());
    let proposal = Proposal {
        title: Words::free("en", "A decision"),
        class: "substantive".into(),
        change: Change::Resolution,
        base: ballots.in_force().hash,
        deadline: at(100),
        dispute: vec![],
    };
    (ballots, proposal)
}

/// Blue proposes as #5; green votes against it as #3; blue withdraws as #7, having said #6 after the deadline.
#[test]
fn a_withdrawal_after_the_deadline_changes_nothing_whoever_hears_it_when() {
    let (mut early, proposal) = ballots();
    let name = of("blue", 5);
    early.propose(&name, at(10), &proposal);
    early.vote(&name, &of("green", 3), at(20), Choice::No, cut(&[("blue", 6)]));
    let mut late = early.clone();
    // One node decides before it hears of the withdrawal, the other after.
    early.pass(&of("blue", 6), at(120), &cut(&[("green", 1)]));
    early.decide(&cut(&[("blue", 7), ("green", 4)]));
    late.pass(&of("blue", 6), at(120), &cut(&[("green", 1)]));
    late.pass(&of("blue", 7), at(121), &cut(&[("green", 1)]));
    late.withdraw(&of("blue", 7), 5);
    late.decide(&cut(&[("blue", 8), ("green", 4)]));
    for ballots in [&early, &late] {
        assert_eq!(ballots.get(&name).unwrap().outcome, Some(Outcome::NotAdopted));
    }
}

/// In time it is withdrawn, whatever the others have voted: they cannot have decided before.
#[test]
fn a_withdrawal_in_time_counts() {
    let (mut ballots, proposal) = ballots();
    let name = of("blue", 5);
    ballots.propose(&name, at(10), &proposal);
    ballots.vote(&name, &of("green", 3), at(20), Choice::No, cut(&[("blue", 6)]));
    assert!(ballots.decide(&cut(&[("blue", 6), ("green", 4)])).is_empty(), "blue may still withdraw it");
    ballots.withdraw(&of("blue", 6), 5);
    ballots.decide(&cut(&[("blue", 7), ("green", 4)]));
    assert_eq!(ballots.get(&name).unwrap().outcome, Some(Outcome::Withdrawn));
}

/// Green says something after the deadline without having heard of the proposal: nothing follows from it on any node.
#[test]
fn who_has_not_heard_of_a_proposal_is_not_absent() {
    let (mut ballots, proposal) = ballots();
    let name = of("blue", 5);
    ballots.propose(&name, at(10), &proposal);
    ballots.vote(&name, &of("blue", 6), at(11), Choice::Yes, cut(&[]));
    ballots.pass(&of("green", 3), at(130), &cut(&[("blue", 5)]));
    ballots.vote(&name, &of("green", 4), at(90), Choice::No, cut(&[("blue", 5)]));
    ballots.decide(&cut(&[("blue", 9), ("green", 5)]));
    assert_eq!(ballots.get(&name).unwrap().outcome, None);
    ballots.pass(&of("green", 5), at(140), &cut(&[("blue", 6)]));
    ballots.decide(&cut(&[("blue", 9), ("green", 6)]));
    assert_eq!(ballots.get(&name).unwrap().outcome, Some(Outcome::NotAdopted));
}
