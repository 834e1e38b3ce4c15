//! Votes of the United Nations Security Council, counted by its rule as data (Charter, Article 27; the Council's practice on
//! abstention and absence). Sources: the Council's meeting records (S/PV) of the day; members of the year.

use hotline_ledger::PartyName;
use hotline_line::{Choice, Everyone, Matter, Needed, Outcome, Standing, VoteRule};

const PERMANENT: [&str; 5] = ["china", "france", "russia", "united-kingdom", "united-states"];

/// Article 27 (2) and (3): nine affirmative votes of fifteen; on substantive matters including the concurring votes of the permanent
/// members; in peaceful settlement a party to the dispute abstains.
fn rule(class: &str, needed: u32) -> VoteRule {
    let veto = if class == "procedural" { vec![] } else { PERMANENT.map(str::to_owned).to_vec() };
    VoteRule {
        matters: vec![Matter::Resolution],
        needed: Needed::Count(needed),
        veto,
        dispute_abstains: class == "settlement",
    }
}

struct Vote {
    what: &'static str,
    class: &'static str,
    /// Members beside the permanent ones, who voted in favour unless named below.
    others: &'static str,
    needed: u32,
    against: &'static str,
    abstaining: &'static str,
    absent: &'static str,
    adopted: bool,
    count: (usize, usize, usize),
}

const M2017: &str = "bolivia egypt ethiopia italy japan kazakhstan senegal sweden ukraine uruguay";
const M2016: &str = "angola egypt japan malaysia new-zealand senegal spain ukraine uruguay venezuela";
const M2018: &str =
    "bolivia cote-d-ivoire equatorial-guinea ethiopia kazakhstan kuwait netherlands peru poland sweden";
const M2011: &str = "bosnia brazil colombia gabon germany india lebanon nigeria portugal south-africa";
const M2014: &str = "argentina australia chad chile jordan lithuania luxembourg nigeria korea rwanda";
const M2015: &str = "angola chad chile jordan lithuania malaysia new-zealand nigeria spain venezuela";
const M2022: &str = "albania brazil gabon ghana india ireland kenya mexico norway emirates";
const M1990: &str = "canada colombia cuba cote-d-ivoire ethiopia finland malaysia romania yemen zaire";
const M1950: &str = "cuba ecuador egypt india norway yugoslavia";
const M1960: &str = "argentina ceylon ecuador italy poland tunisia";

const VOTES: [Vote; 17] = [
    Vote {
        what: "12 April 2017, S/2017/315 (Khan Shaykhun)",
        class: "substantive",
        others: M2017,
        needed: 9,
        against: "bolivia russia",
        abstaining: "china ethiopia kazakhstan",
        absent: "",
        adopted: false,
        count: (10, 2, 3),
    },
    Vote {
        what: "28 February 2017, S/2017/172 (chemical weapons)",
        class: "substantive",
        others: M2017,
        needed: 9,
        against: "bolivia china russia",
        abstaining: "egypt ethiopia kazakhstan",
        absent: "",
        adopted: false,
        count: (9, 3, 3),
    },
    Vote {
        what: "24 October 2017, S/2017/884 (Joint Investigative Mechanism)",
        class: "substantive",
        others: M2017,
        needed: 9,
        against: "bolivia russia",
        abstaining: "china kazakhstan",
        absent: "",
        adopted: false,
        count: (11, 2, 2),
    },
    Vote {
        what: "18 December 2017, S/2017/1060 (Jerusalem)",
        class: "substantive",
        others: M2017,
        needed: 9,
        against: "united-states",
        abstaining: "",
        absent: "",
        adopted: false,
        count: (14, 1, 0),
    },
    Vote {
        what: "8 October 2016, S/2016/846 (Aleppo, draft of France and Spain)",
        class: "substantive",
        others: M2016,
        needed: 9,
        against: "russia venezuela",
        abstaining: "angola china",
        absent: "",
        adopted: false,
        count: (11, 2, 2),
    },
    Vote {
        what: "8 October 2016, S/2016/847 (Aleppo, draft of Russia): no veto needed",
        class: "substantive",
        others: M2016,
        needed: 9,
        against: "france japan malaysia new-zealand senegal spain ukraine united-kingdom united-states",
        abstaining: "angola uruguay",
        absent: "",
        adopted: false,
        count: (4, 9, 2),
    },
    Vote {
        what: "23 December 2016, resolution 2334 (settlements): a permanent member abstains",
        class: "substantive",
        others: M2016,
        needed: 9,
        against: "",
        abstaining: "united-states",
        absent: "",
        adopted: true,
        count: (14, 0, 1),
    },
    Vote {
        what: "10 April 2018, S/2018/321 (Douma)",
        class: "substantive",
        others: M2018,
        needed: 9,
        against: "bolivia russia",
        abstaining: "china",
        absent: "",
        adopted: false,
        count: (12, 2, 1),
    },
    Vote {
        what: "17 March 2011, resolution 1973 (Libya): two permanent members abstain",
        class: "substantive",
        others: M2011,
        needed: 9,
        against: "",
        abstaining: "brazil china germany india russia",
        absent: "",
        adopted: true,
        count: (10, 0, 5),
    },
    Vote {
        what: "15 March 2014, S/2014/189 (Crimea)",
        class: "substantive",
        others: M2014,
        needed: 9,
        against: "russia",
        abstaining: "china",
        absent: "",
        adopted: false,
        count: (13, 1, 1),
    },
    Vote {
        what: "30 December 2014, S/2014/916 (Palestine): eight are not enough",
        class: "substantive",
        others: M2014,
        needed: 9,
        against: "australia united-states",
        abstaining: "lithuania nigeria korea rwanda united-kingdom",
        absent: "",
        adopted: false,
        count: (8, 2, 5),
    },
    Vote {
        what: "29 July 2015, S/2015/562 (tribunal for flight MH17)",
        class: "substantive",
        others: M2015,
        needed: 9,
        against: "russia",
        abstaining: "angola china venezuela",
        absent: "",
        adopted: false,
        count: (11, 1, 3),
    },
    Vote {
        what: "25 February 2022, S/2022/155 (Ukraine)",
        class: "substantive",
        others: M2022,
        needed: 9,
        against: "russia",
        abstaining: "china emirates india",
        absent: "",
        adopted: false,
        count: (11, 1, 3),
    },
    Vote {
        what: "27 February 2022, resolution 2623 (calling the Assembly): procedural, no veto",
        class: "procedural",
        others: M2022,
        needed: 9,
        against: "russia",
        abstaining: "china emirates india",
        absent: "",
        adopted: true,
        count: (11, 1, 3),
    },
    Vote {
        what: "29 November 1990, resolution 678 (Kuwait): negative votes of elected members",
        class: "substantive",
        others: M1990,
        needed: 9,
        against: "cuba yemen",
        abstaining: "china",
        absent: "",
        adopted: true,
        count: (12, 2, 1),
    },
    // Before 1966 the Council had eleven members and seven votes carried.
    Vote {
        what: "25 June 1950, resolution 82 (Korea): a permanent member is absent",
        class: "substantive",
        others: M1950,
        needed: 7,
        against: "",
        abstaining: "yugoslavia",
        absent: "russia",
        adopted: true,
        count: (9, 0, 1),
    },
    Vote {
        what: "23 June 1960, resolution 138 (Eichmann): the party concerned takes no part",
        class: "settlement",
        others: M1960,
        needed: 7,
        against: "",
        abstaining: "poland russia",
        absent: "argentina",
        adopted: true,
        count: (8, 0, 2),
    },
];

fn members(vote: &Vote) -> Vec<(PartyName, Standing)> {
    let has = |list: &str, name: &str| list.split(' ').any(|n| n == name);
    let standing = |name: &str| match name {
        n if has(vote.absent, n) => Standing::Absent,
        n if has(vote.against, n) => Standing::Cast(Choice::No),
        n if has(vote.abstaining, n) => Standing::Cast(Choice::Abstain),
        _ => Standing::Cast(Choice::Yes),
    };
    let all = PERMANENT.into_iter().chain(vote.others.split(' '));
    all.map(|n| (PartyName::new(n).unwrap(), standing(n))).collect()
}

#[test]
fn the_councils_own_votes() {
    for vote in &VOTES {
        let members = members(vote);
        let of = |choice| members.iter().filter(|(_, s)| *s == Standing::Cast(choice)).count();
        assert_eq!((of(Choice::Yes), of(Choice::No), of(Choice::Abstain)), vote.count, "{}", vote.what);
        let outcome = rule(vote.class, vote.needed).count(&members, &[]);
        let expected = if vote.adopted { Outcome::Adopted } else { Outcome::NotAdopted };
        assert_eq!(outcome, Some(expected), "{}", vote.what);
    }
}

/// A veto decides at once, whatever the others will do; nine votes decide only when no veto can come.
#[test]
fn decided_when_nothing_can_change_it() {
    let mut members = members(&VOTES[0]);
    let substantive = rule("substantive", 9);
    members.iter_mut().for_each(|m| m.1 = Standing::Pending);
    assert_eq!(substantive.count(&members, &[]), None);
    let at = |members: &[(PartyName, Standing)], name: &str| {
        members.iter().position(|(n, _)| n.as_str() == name).unwrap()
    };
    let russia = at(&members, "russia");
    members[russia].1 = Standing::Cast(Choice::No);
    assert_eq!(substantive.count(&members, &[]), Some(Outcome::NotAdopted));
    assert_eq!(rule("procedural", 9).count(&members, &[]), None);
    members[russia].1 = Standing::Pending;
    for name in M2017.split(' ') {
        let i = at(&members, name);
        members[i].1 = Standing::Cast(Choice::Yes);
    }
    assert_eq!(substantive.count(&members, &[]), None, "ten in favour, but a veto may come");
    assert_eq!(rule("procedural", 9).count(&members, &[]), Some(Outcome::Adopted));
}

/// In peaceful settlement the vote of a party to the dispute counts as an abstention, a permanent member's too.
#[test]
fn a_party_to_the_dispute_abstains() {
    let mut members = members(&VOTES[0]);
    members.iter_mut().for_each(|m| m.1 = Standing::Cast(Choice::Yes));
    let russia = members.iter().position(|(n, _)| n.as_str() == "russia").unwrap();
    members[russia].1 = Standing::Cast(Choice::No);
    let dispute = [PartyName::new("russia").unwrap()];
    assert_eq!(rule("settlement", 9).count(&members, &dispute), Some(Outcome::Adopted));
    assert_eq!(rule("substantive", 9).count(&members, &dispute), Some(Outcome::NotAdopted));
}

#[test]
fn unanimity_of_two() {
    let rule = VoteRule {
        matters: vec![Matter::Rulebook],
        needed: Needed::Word(Everyone::All),
        veto: vec![],
        dispute_abstains: false,
    };
    let both = |a, b| [(PartyName::new("blue").unwrap(), a), (PartyName::new("green").unwrap(), b)];
    let (yes, no) = (Standing::Cast(Choice::Yes), Standing::Cast(Choice::No));
    assert_eq!(rule.count(&both(yes, yes), &[]), Some(Outcome::Adopted));
    assert_eq!(rule.count(&both(yes, Standing::Pending), &[]), None);
    assert_eq!(rule.count(&both(no, Standing::Pending), &[]), Some(Outcome::NotAdopted));
    assert_eq!(rule.count(&both(yes, Standing::Absent), &[]), Some(Outcome::NotAdopted));
    assert_eq!(rule.count(&both(yes, Standing::Cast(Choice::Abstain)), &[]), Some(Outcome::NotAdopted));
}
