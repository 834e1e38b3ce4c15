//! Which of the things that this crate reads some bytes are.

use crate::around::check_intent;
use crate::automated_tests::is_flight_plan;
use crate::conformance::track;
use crate::volumes::exact_all;
use crate::wire::{ConstraintNotice, IntentNotice, Telemetry};
use crate::{geozones, remote_id};

/// The names of what these bytes could be, geometry included. For tools, and for throwing any bytes at all readers.
pub fn forms_of(bytes: &[u8]) -> Vec<&'static str> {
    let intent = serde_json::from_slice::<IntentNotice>(bytes);
    let constraint = serde_json::from_slice::<ConstraintNotice>(bytes);
    let telemetry = serde_json::from_slice::<Telemetry>(bytes);
    let text = std::str::from_utf8(bytes).ok();
    let forms = [
        ("intent", intent.is_ok_and(|n| n.operational_intent.is_none_or(|i| check_intent(&i).is_ok()))),
        (
            "constraint",
            constraint.is_ok_and(|n| n.constraint.is_none_or(|c| exact_all(&c.details.volumes).is_ok())),
        ),
        ("telemetry", telemetry.is_ok_and(|t| track(&t).is_ok())),
        ("flight plan", is_flight_plan(bytes)),
        ("zones", text.is_some_and(|t| geozones::read(t).is_ok())),
        ("view", text.is_some_and(|t| remote_id::View::read(t).is_ok())),
    ];
    forms.into_iter().filter_map(|(name, is)| is.then_some(name)).collect()
}
