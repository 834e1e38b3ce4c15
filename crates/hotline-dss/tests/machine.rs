//! What holds for every sequence of commands.

use hotline_airspace::Cell;
use hotline_dss::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const SECOND: i64 = 1_000_000;

fn id(n: u8) -> Id {
    Id(uuid::Uuid::from_u128(0x4000_8000_0000_0000_0000 | u128::from(n)))
}

fn at(second: i64) -> Moment {
    Moment::from_micros(second * SECOND)
}

fn entry(step: usize, second: i64, client: &str, command: Command) -> Entry {
    let mut nonce = [0; NONCE_BYTES];
    for (k, byte) in nonce.iter_mut().enumerate() {
        *byte = (step >> (8 * (k % 4))) as u8 ^ k as u8;
    }
    Entry { at: at(second), deadline: at(second + 10), client: client.into(), nonce, command }
}

fn extent((cell, width, floor, start, length): (u32, u32, u8, i64, i64)) -> Extent {
    Extent {
        cells: (cell..cell + width).map(|c| Cell::from_index(c).unwrap()).collect(),
        lower: f64::from(floor) * 50.0,
        upper: f64::from(floor) * 50.0 + 60.0,
        start: at(start),
        end: at(start + length),
    }
}

fn extents() -> impl Strategy<Value = Extent> {
    (0u32..6, 1u32..4, 0u8..4, 0i64..200, 1i64..300).prop_map(extent)
}

/// What a client does; versions and keys are filled in from what it knows, rightly or not.
#[derive(Debug, Clone)]
enum Act {
    Intent { id: u8, extent: Extent, state: IntentState, key: u8, subscription: u8, stale: bool },
    EndIntent { id: u8 },
    Constraint { id: u8, extent: Extent },
    EndConstraint { id: u8 },
    Subscription { id: u8, extent: Extent, intents: bool, constraints: bool },
    EndSubscription { id: u8 },
    Down { client: u8, down: bool },
    Area { id: u8, extent: Extent },
    RidSubscription { id: u8, extent: Extent },
}

fn states() -> impl Strategy<Value = IntentState> {
    use IntentState::*;
    prop_oneof![4 => Just(Accepted), 2 => Just(Activated), 1 => Just(Nonconforming), 1 => Just(Contingent)]
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0u8..8, extents(), states(), 0u8..4, 0u8..5, prop::bool::weighted(0.1)).prop_map(
            |(id, extent, state, key, subscription, stale)| Act::Intent { id, extent, state, key, subscription, stale }
        ),
        2 => (0u8..8).prop_map(|id| Act::EndIntent { id }),
        2 => (10u8..13, extents()).prop_map(|(id, extent)| Act::Constraint { id, extent }),
        1 => (10u8..13).prop_map(|id| Act::EndConstraint { id }),
        3 => (20u8..23, extents(), any::<bool>(), any::<bool>())
            .prop_map(|(id, extent, intents, constraints)| Act::Subscription { id, extent, intents, constraints }),
        1 => (20u8..23).prop_map(|id| Act::EndSubscription { id }),
        1 => (0u8..3, any::<bool>()).prop_map(|(client, down)| Act::Down { client, down }),
        1 => (30u8..33, extents()).prop_map(|(id, extent)| Act::Area { id, extent }),
        1 => (40u8..43, extents()).prop_map(|(id, extent)| Act::RidSubscription { id, extent }),
    ]
}

fn client(n: u8) -> String {
    format!("uss{}", n % 3)
}

fn window(extent: Extent) -> Window {
    let Extent { cells, lower, upper, start, end } = extent;
    Window { cells, lower, upper, start: Some(start), end: Some(end) }
}

fn command(machine: &Machine, act: Act) -> (String, Command) {
    let everywhere = Extent {
        lower: f64::NEG_INFINITY,
        upper: f64::INFINITY,
        start: Moment::MIN,
        end: Moment::MAX,
        ..extent((0, 10, 0, 0, 1))
    };
    let url: Arc<str> = "https://uss.example".into();
    match act {
        Act::Intent { id: n, extent, state, key, subscription, stale } => {
            let known = machine.intent(id(n)).map(|i| i.entity.ovn.clone());
            let all =
                machine.find_intents(&everywhere, machine.now()).into_iter().map(|i| i.entity.ovn.clone());
            let constraints = machine.find_constraints(&everywhere, machine.now());
            let mut all: Vec<_> = all.chain(constraints.into_iter().map(|c| c.entity.ovn.clone())).collect();
            if key == 0 {
                all.clear();
            } else if key == 1 {
                all.pop();
            }
            let subscription = match subscription {
                0 => SubscriptionChoice::None,
                1 => SubscriptionChoice::Existing(id(20)),
                2 => machine
                    .intent(id(n))
                    .and_then(|i| i.entity.subscription)
                    .map_or(SubscriptionChoice::None, SubscriptionChoice::Existing),
                n => SubscriptionChoice::New(NewSubscription { url: url.clone(), for_constraints: n == 4 }),
            };
            let ovn = if stale { Some("stale".into()) } else { known };
            (
                client(n),
                Command::PutIntent {
                    id: id(n),
                    ovn,
                    extent,
                    key: all,
                    state,
                    url,
                    subscription,
                    requested_ovn: None,
                },
            )
        }
        Act::EndIntent { id: n } => {
            let ovn = machine.intent(id(n)).map_or("none".into(), |i| i.entity.ovn.clone());
            (client(n), Command::DeleteIntent { id: id(n), ovn })
        }
        Act::Constraint { id: n, extent } => {
            let ovn = machine.constraint(id(n)).map(|c| c.entity.ovn.clone());
            (client(n), Command::PutConstraint { id: id(n), ovn, extent, url })
        }
        Act::EndConstraint { id: n } => {
            let ovn = machine.constraint(id(n)).map_or("none".into(), |c| c.entity.ovn.clone());
            (client(n), Command::DeleteConstraint { id: id(n), ovn })
        }
        Act::Subscription { id: n, extent, intents, constraints } => {
            let version = machine.subscription(id(n)).map(|s| s.subscription.version.clone());
            let window = window(extent);
            let put = Command::PutSubscription {
                id: id(n),
                version,
                window,
                url,
                for_intents: intents,
                for_constraints: constraints,
            };
            (client(n), put)
        }
        Act::EndSubscription { id: n } => {
            let version =
                machine.subscription(id(n)).map_or("none".into(), |s| s.subscription.version.clone());
            (client(n), Command::DeleteSubscription { id: id(n), version })
        }
        Act::Down { client: n, down } => {
            let old_version = machine.availability(&client(n)).0;
            let availability = if down { Availability::Down } else { Availability::Normal };
            ("arbiter".into(), Command::SetAvailability { uss: client(n).into(), old_version, availability })
        }
        Act::Area { id: n, extent } => {
            let version = machine.service_area(id(n)).map(|a| a.version.clone());
            (client(n), Command::PutServiceArea { id: id(n), version, window: window(extent), url })
        }
        Act::RidSubscription { id: n, extent } => {
            let version = machine.rid_subscription(id(n)).map(|s| s.version.clone());
            (client(n), Command::PutRidSubscription { id: id(n), version, window: window(extent), url })
        }
    }
}

fn stored(machine: &Machine) -> BTreeSet<String> {
    machine.items().into_iter().map(|item| format!("{item:?}")).collect()
}

/// What must hold between two states and the answer that led from one to the other.
fn check(
    before: &[Item],
    now: Moment,
    entry: &Entry,
    answer: &Answer,
    after: &Machine,
) -> Result<(), TestCaseError> {
    let intents: Vec<&Intent> =
        before.iter().filter_map(|i| if let Item::Intent(i) = i { Some(&**i) } else { None }).collect();
    if let (Command::PutIntent { id, extent, key, state, .. }, Answer::Intent { subscribers, .. }) =
        (&entry.command, answer)
    {
        let old = intents.iter().find(|i| i.id == *id);
        if state.is_nominal() {
            for other in intents.iter().filter(|i| i.id != *id && i.state.is_nominal() && i.extent.end >= now)
            {
                let excused = other.state == IntentState::Accepted
                    && after.availability(&other.manager).1 == Availability::Down;
                prop_assert!(
                    excused || !other.extent.overlaps(extent) || key.contains(&other.ovn),
                    "written without the key of {other:?}"
                );
            }
        }
        for item in after.items() {
            let Item::Subscription(s) = item else { continue };
            let touched = s.extent.overlaps(extent) || old.is_some_and(|o| s.extent.overlaps(&o.extent));
            let told = subscribers.iter().flat_map(|n| &n.subscriptions).any(|(told, _)| *told == s.id);
            prop_assert_eq!(told, touched && s.for_intents && s.extent.end >= now, "{:?}", s);
        }
    }
    for item in after.items() {
        let Item::Intent(intent) = item else { continue };
        let Some(subscription) = intent.subscription else {
            prop_assert!(intent.state == IntentState::Accepted);
            continue;
        };
        let view = after.subscription(subscription).expect("an intent's subscription exists");
        prop_assert!(view.dependents.contains(&intent.id) && view.subscription.for_intents);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn every_sequence_keeps_the_rules_and_replays_alike(
        steps in prop::collection::vec((acts(), 0i64..20), 1..60),
        cut in 0usize..60,
    ) {
        let settings = Settings { retention: 100 * SECOND };
        let mut machine = Machine::new(settings);
        let mut restored = Machine::new(settings);
        let mut second = 0;
        for (step, (act, wait)) in steps.into_iter().enumerate() {
            second += wait;
            let (client, command) = command(&machine, act);
            let entry = entry(step, second, &client, command);
            let written = minicbor::to_vec(&entry).unwrap();
            prop_assert_eq!(&minicbor::decode::<Entry>(&written).unwrap(), &entry);
            let before = machine.items();
            let answer = machine.apply(&entry);
            check(&before, at(second), &entry, &answer, &machine)?;
            if let Answer::Refused(_) = answer {
                let kept: Vec<_> = machine.items().into_iter().filter(|i| !matches!(i, Item::Now(_))).collect();
                prop_assert!(kept.iter().all(|item| before.contains(item)), "a refusal changed something");
            }
            if step == cut {
                // A machine built from what was kept goes on as the first.
                let items = machine.items().into_iter().map(|item| {
                    minicbor::decode(&minicbor::to_vec(&item).unwrap()).unwrap()
                });
                restored = Machine::from_items(settings, items);
            } else if step > cut {
                prop_assert_eq!(&restored.apply(&entry), &answer);
            }
        }
        if restored.now() != Moment::MIN {
            prop_assert_eq!(stored(&restored), stored(&machine));
        }
    }

    #[test]
    fn searches_find_what_comparing_each_finds(
        all in prop::collection::vec((0u32..40, 1u32..6, 0u8..4, 0i64..100_000, 1i64..50_000), 0..60),
        gone in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        asked in (0u32..40, 1u32..6, 0u8..4, 0i64..100_000, 1i64..50_000),
    ) {
        let mut machine = Machine::new(Settings::default());
        let mut held = BTreeMap::new();
        for (n, of) in all.into_iter().enumerate() {
            let extent = extent(of);
            let put = Command::PutConstraint { id: id(n as u8), ovn: None, extent: extent.clone(), url: "u".into() };
            prop_assert!(!matches!(machine.apply(&entry(n, 0, "a", put)), Answer::Refused(_)));
            held.insert(id(n as u8), extent);
        }
        for index in gone {
            if held.is_empty() {
                break;
            }
            let id = *held.keys().nth(index.index(held.len())).unwrap();
            let ovn = machine.constraint(id).unwrap().entity.ovn.clone();
            machine.apply(&entry(999, 0, "a", Command::DeleteConstraint { id, ovn }));
            held.remove(&id);
        }
        let asked = extent(asked);
        let mut found: Vec<Id> = machine.find_constraints(&asked, at(0)).iter().map(|c| c.entity.id).collect();
        found.sort();
        let expected: Vec<Id> = held.iter().filter(|(_, e)| e.overlaps(&asked)).map(|(id, _)| *id).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_restored_machine_answers_in_the_same_order() {
    let mut machine = Machine::new(Settings::default());
    let whole = extent((0, 1, 0, 0, 1000));
    let put = |n: u8| Command::PutConstraint { id: id(n), ovn: None, extent: whole.clone(), url: "u".into() };
    for (step, n) in [0, 5, 6].into_iter().enumerate() {
        machine.apply(&entry(step, 0, "a", put(n)));
    }
    // What comes takes the place of what has gone.
    let ovn = machine.constraint(id(0)).unwrap().entity.ovn.clone();
    machine.apply(&entry(3, 0, "a", Command::DeleteConstraint { id: id(0), ovn }));
    machine.apply(&entry(4, 0, "a", put(9)));
    let restored = Machine::from_items(Settings::default(), machine.items());
    let found =
        |m: &Machine| m.find_constraints(&whole, at(0)).iter().map(|c| c.entity.id).collect::<Vec<_>>();
    assert_eq!(found(&machine), [id(5), id(6), id(9)]);
    assert_eq!(found(&restored), found(&machine));
}

#[test]
fn a_search_of_no_instant_finds_nothing() {
    let mut machine = Machine::new(Settings::default());
    let whole = extent((0, 1, 0, 0, 1000));
    let put = Command::PutConstraint { id: id(0), ovn: None, extent: whole.clone(), url: "u".into() };
    machine.apply(&entry(0, 0, "a", put));
    let nothing = Extent { start: at(500), end: at(400), ..whole };
    assert!(machine.find_constraints(&nothing, at(0)).is_empty());
}

#[test]
fn nothing_is_applied_after_its_deadline() {
    let mut machine = Machine::new(Settings::default());
    let put = |n| Command::PutConstraint {
        id: id(n),
        ovn: None,
        extent: extent((0, 1, 0, 0, 1000)),
        url: "u".into(),
    };
    machine.apply(&entry(0, 50, "a", put(0)));
    assert_eq!(machine.apply(&entry(1, 30, "a", put(1))), Answer::Refused(Refusal::Late));
    assert!(machine.constraint(id(1)).is_none());
    assert!(!matches!(machine.apply(&entry(2, 45, "a", put(2))), Answer::Refused(_)));
}

#[test]
fn what_has_ended_is_not_found_and_goes_after_a_while() {
    let mut machine = Machine::new(Settings { retention: 100 * SECOND });
    let put = |n, length| Command::PutConstraint {
        id: id(n),
        ovn: None,
        extent: extent((0, 1, 0, 0, length)),
        url: "u".into(),
    };
    machine.apply(&entry(0, 0, "a", put(0, 10)));
    let here = extent((0, 1, 0, 0, 1000));
    assert_eq!(machine.find_constraints(&here, at(10)).len(), 1);
    assert_eq!(machine.find_constraints(&here, at(11)).len(), 0);
    assert!(machine.constraint(id(0)).is_some());
    machine.apply(&entry(1, 111, "a", put(1, 1000)));
    assert!(machine.constraint(id(0)).is_none());
}

#[test]
fn an_owner_has_ten_remote_id_subscriptions_in_a_cell() {
    let mut machine = Machine::new(Settings::default());
    let mut put = |n: u8, cell, version: Option<Arc<str>>, client: &str| {
        let window = window(extent((cell, 2, 0, 0, 1000)));
        let command = Command::PutRidSubscription { id: id(n), version, window, url: "u".into() };
        machine.apply(&entry(usize::from(n) + 7, 0, client, command))
    };
    let mut version = None;
    for n in 0..10 {
        let Answer::RidSubscription { subscription, .. } = put(n, 5, None, "a") else { panic!("refused") };
        version = Some(subscription.version.clone());
    }
    assert!(matches!(put(10, 6, None, "a"), Answer::Refused(Refusal::TooMany(_))));
    assert!(matches!(put(10, 7, None, "a"), Answer::RidSubscription { .. }));
    assert!(matches!(put(11, 6, None, "b"), Answer::RidSubscription { .. }));
    assert!(matches!(put(9, 5, version, "a"), Answer::RidSubscription { .. }));
}
