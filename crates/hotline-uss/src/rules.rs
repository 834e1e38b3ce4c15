//! Which conflicts a plan may have: F3548's rules of priority, of what is flown already, and of suppliers that are down.

use crate::volumes::overlap;
use crate::wire::IntentState;
use hotline_airspace::Volume4;

/// An intent that a plan is held against.
pub(crate) struct Other {
    pub(crate) id: String,
    pub(crate) manager: String,
    pub(crate) state: IntentState,
    pub(crate) details: Details,
}

/// What is known of it.
pub(crate) enum Details {
    Known {
        priority: i64,
        volumes: Vec<Volume4>,
    },
    /// Its supplier is marked as down and does not answer.
    Lost,
}

/// A plan, or what a flight was before it.
pub(crate) struct Plan<'a> {
    pub(crate) state: IntentState,
    pub(crate) priority: i64,
    pub(crate) volumes: &'a [Volume4],
}

/// What a plan meets.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Findings {
    /// Why it may not be.
    pub(crate) forbidden: Vec<String>,
    /// What the operator is to know.
    pub(crate) advisories: Vec<String>,
}

/// Holds a plan against all others. `before` is the same flight as it is now; `equal_allowed`: whether the airspace's rules
/// let intents of the same priority overlap.
pub(crate) fn judge(
    plan: &Plan<'_>,
    before: Option<&Plan<'_>>,
    others: &[Other],
    equal_allowed: bool,
) -> Findings {
    let mut findings = Findings::default();
    // What is not nominal is told as it is, whatever it meets.
    if !plan.state.is_nominal() {
        return findings;
    }
    for other in others {
        let named = format!("operational intent {} of {}", other.id, other.manager);
        let (priority, volumes) = match &other.details {
            Details::Known { priority, volumes } => (*priority, volumes),
            // Down, unanswered: what is only planned counts least, what is flown counts most.
            Details::Lost if other.state == IntentState::Accepted => {
                findings.advisories.push(format!("{named} is planned here, but its supplier is down"));
                continue;
            }
            Details::Lost => {
                let why = format!("{named} is flown here, its supplier is down, and its details are unknown");
                findings.forbidden.push(why);
                continue;
            }
        };
        if !overlap(plan.volumes, volumes) {
            continue;
        }
        let lower = plan.priority > priority || (plan.priority == priority && equal_allowed);
        // Both are in the air already, and met before: a change is better than none.
        let flown_before = before.is_some_and(|before| {
            before.state == IntentState::Activated
                && other.state == IntentState::Activated
                && overlap(before.volumes, volumes)
        });
        let met = format!("{named} (priority {priority}, own {})", plan.priority);
        if lower || flown_before {
            findings.advisories.push(format!("overlaps {met}"));
        } else {
            findings.forbidden.push(format!("overlaps {met}"));
        }
    }
    findings
}

/// Whether an intent may go from one state to another.
pub(crate) fn may_become(from: Option<IntentState>, to: IntentState) -> bool {
    use IntentState::{Accepted, Activated, Contingent, Nonconforming};
    match from {
        None => matches!(to, Accepted | Activated),
        Some(Accepted) => true,
        Some(Activated | Nonconforming) => matches!(to, Activated | Nonconforming | Contingent),
        Some(Contingent) => to == Contingent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::{Altitude, AltitudeBand, Area, Datum, Degrees, Metres, Position, TimeInterval};

    fn at(lat: f64) -> Vec<Volume4> {
        let centre = Position::new(Degrees::new(lat), Degrees::new(8.0)).unwrap();
        let height = |m| Altitude::new(Metres::new(m), Datum::Ellipsoid).unwrap();
        vec![Volume4 {
            area: Area::circle(centre, Metres::new(500.0)).unwrap(),
            altitude: AltitudeBand::new(height(50.0), height(120.0)).unwrap(),
            time: TimeInterval::new(
                "2026-01-01T00:00:00Z".parse().unwrap(),
                "2026-01-01T01:00:00Z".parse().unwrap(),
            )
            .unwrap(),
        }]
    }

    fn other(state: IntentState, priority: i64, lat: f64) -> Other {
        let details = Details::Known { priority, volumes: at(lat) };
        Other { id: "o".into(), manager: "uss2".into(), state, details }
    }

    #[test]
    fn the_table_of_the_rules() {
        use IntentState::{Accepted, Activated, Contingent, Nonconforming};
        let here = at(47.0);
        let ask = |state, before: Option<IntentState>, other: Other, equal| {
            let plan = Plan { state, priority: 10, volumes: &here };
            let before = before.map(|state| Plan { state, priority: 10, volumes: &here });
            let found = judge(&plan, before.as_ref(), &[other], equal);
            (found.forbidden.len(), found.advisories.len())
        };
        let lost = |state| Other { details: Details::Lost, ..other(state, 0, 47.0) };
        assert_eq!(ask(Accepted, None, other(Accepted, 10, 47.1), false), (0, 0), "not near");
        assert_eq!(ask(Accepted, None, other(Accepted, 10, 47.0), false), (1, 0), "equal");
        assert_eq!(ask(Accepted, None, other(Accepted, 10, 47.0), true), (0, 1), "equal, allowed");
        assert_eq!(ask(Accepted, None, other(Nonconforming, 9, 47.0), false), (0, 1), "lower");
        assert_eq!(ask(Accepted, None, other(Accepted, 11, 47.0), true), (1, 0), "higher");
        assert_eq!(
            ask(Activated, Some(Accepted), other(Activated, 11, 47.0), false),
            (1, 0),
            "not yet flown"
        );
        assert_eq!(ask(Activated, Some(Activated), other(Activated, 11, 47.0), false), (0, 1), "both flown");
        assert_eq!(
            ask(Activated, Some(Activated), other(Accepted, 11, 47.0), false),
            (1, 0),
            "only one flown"
        );
        assert_eq!(
            ask(Activated, Some(Activated), other(Activated, 11, 47.005), false),
            (0, 1),
            "met before"
        );
        assert_eq!(
            ask(Contingent, Some(Activated), other(Activated, 11, 47.0), false),
            (0, 0),
            "told as it is"
        );
        assert_eq!(ask(Accepted, None, lost(Accepted), false), (0, 1), "down, planned");
        for state in [Activated, Nonconforming, Contingent] {
            assert_eq!(ask(Accepted, None, lost(state), true), (1, 0), "down, flown");
        }
    }
}
