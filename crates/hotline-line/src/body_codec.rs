//! The encoding of what statements say: deterministic CBOR, one for each value.

use crate::act::{Act, Deed};
use crate::body::{
    Body, ConflictAlert, ConflictClear, Dispute, FlightEnd, FlightNotice, Handover, MAX_TEXT, Missed,
    MissedDeadline, Restriction, RestrictionLift, check_text,
};
use crate::codec::{
    In, Out, Written, encoded, put_category, put_instant, put_optional, put_position, put_volumes,
};
use crate::subject::MAX_ID;
use crate::{ConflictKey, FlightId, Level, LineError, Purpose, Withholdable};
use hotline_airspace::Seconds;
use hotline_ledger::{MAX_BODY, MAX_OPENINGS, Misconduct, Openings, Sealed};

impl Body {
    /// Its deterministic CBOR. Fields that can be withheld are sealed with what `seal` gives for their name and value.
    pub fn encode(&self, seal: &mut dyn FnMut(&'static str, &str) -> Sealed) -> Vec<u8> {
        encoded(|e| self.put(e, seal))
    }

    /// The same as it was said: nothing that is not yet sealed may be in it.
    fn encode_again(&self) -> Vec<u8> {
        self.encode(&mut |_, _| unreachable!("what was read is sealed"))
    }

    fn put(&self, e: &mut Out, seal: &mut dyn FnMut(&'static str, &str) -> Sealed) -> Written {
        match self {
            Self::Certificate(bytes, name) => {
                e.array(2)?.bytes(bytes)?;
                name.put("name", e, seal)
            }
            Self::Revocation(bytes) => e.bytes(bytes).map(|_| ()),
            Self::Act(act) => e.bytes(act.bytes()).map(|_| ()),
            Self::Dispute(dispute) => {
                e.array(2)?.str(dispute.party.as_str())?.bytes(&dispute.proof.to_bytes()).map(|_| ())
            }
            Self::Segment(segment) => e.encode(segment).map(|_| ()),
            Self::Handover(handover) => e.encode(handover).map(|_| ()),
            Self::FlightNotice(notice) => {
                e.array(10)?.str(notice.flight.as_str())?.u32(notice.version)?;
                put_volumes(e, &notice.volumes)?;
                e.u32(notice.aircraft)?;
                put_category(e, notice.category)?;
                notice.purpose.put("purpose", e, seal)?;
                notice.callsign.put("callsign", e, seal)?;
                notice.unit.put("unit", e, seal)?;
                put_optional(e, notice.squawk, |e, code| e.u16(code).map(|_| ()))?;
                e.bool(notice.late).map(|_| ())
            }
            Self::FlightEnd(end) => e.array(2)?.str(end.flight.as_str())?.u32(end.version).map(|_| ()),
            Self::Restriction(restriction) => {
                e.array(3)?.str(restriction.id.as_str())?;
                put_volumes(e, &restriction.volumes)?;
                e.str(&restriction.reason).map(|_| ())
            }
            Self::RestrictionLift(lift) => e.array(1)?.str(lift.id.as_str()).map(|_| ()),
            Self::ConflictAlert(alert) => {
                e.array(7)?;
                alert.conflict.put(e)?;
                e.u8(alert.level.number())?;
                for instant in [alert.detected, alert.begins, alert.ends] {
                    put_instant(e, instant)?;
                }
                let milli = |x: f64| (x * 1e3).round() as i64;
                put_optional(e, alert.closest, |e, (time, horizontal, vertical)| {
                    e.array(3)?
                        .i64(milli(time.get()))?
                        .i64(milli(horizontal))?
                        .i64(milli(vertical))
                        .map(|_| ())
                })?;
                put_position(e, alert.place)
            }
            Self::ConflictClear(clear) => {
                e.array(2)?;
                clear.conflict.put(e)?;
                put_instant(e, clear.since)
            }
            Self::ScheduledCheck(to) => e.encode(to).map(|_| ()),
            Self::MissedDeadline(missed) => e.encode(missed).map(|_| ()),
            Self::Unknown(_) => e.null().map(|_| ()),
        }
    }

    /// Reads the body of a statement of that kind, with what opens its sealed fields. A kind that this version does not know is [`Body::Unknown`].
    ///
    /// # Errors
    /// When malformed, over a limit, or not in its one encoding.
    pub fn decode(kind: &str, bytes: &[u8], openings: &Openings) -> Result<Self, LineError> {
        if Deed::KINDS.contains(&kind) {
            return read_act(kind, bytes);
        }
        let (what, read): (&'static str, ReadBody) = match kind {
            "certificate" => ("a certificate", |d, o| {
                d.fields(2)?;
                Ok(Self::Certificate(d.bytes(512)?, Withholdable::read("name", d, o)?))
            }),
            "revocation" => ("a revocation", |d, _| Ok(Self::Revocation(d.bytes(512)?))),
            "dispute" => ("a dispute", |d, _| {
                d.fields(2)?;
                let party = d.party()?;
                let proof = Misconduct::from_bytes(&d.bytes(MAX_BODY)?)?;
                Ok(Self::Dispute(Box::new(Dispute { party, proof })))
            }),
            "segment" => ("a recorded segment", |d, _| Ok(Self::Segment(d.decode()?))),
            "handover" => ("a handover of evidence", |d, _| {
                let handover: Handover = d.decode()?;
                check_text("who evidence was handed to", &handover.recipient)?;
                check_text("why evidence was handed over", &handover.reason)?;
                if handover.withheld.len() > MAX_OPENINGS {
                    return Err(d.bad("at most 8 fields can be withheld"));
                }
                Ok(Self::Handover(handover))
            }),
            "flight-notice" => ("a flight notice", read_notice),
            "flight-end" => ("a flight end", |d, _| {
                d.fields(2)?;
                Ok(Self::FlightEnd(FlightEnd { flight: FlightId::new(&d.text(MAX_ID)?)?, version: d.u32()? }))
            }),
            "restriction" => ("a restriction", |d, _| {
                d.fields(3)?;
                let id = FlightId::new(&d.text(MAX_ID)?)?;
                let volumes = d.volumes()?;
                let reason = d.text(MAX_TEXT)?;
                check_text("a restriction's reason", &reason)?;
                Ok(Self::Restriction(Restriction { id, volumes, reason }))
            }),
            "restriction-lift" => ("a restriction lift", |d, _| {
                d.fields(1)?;
                Ok(Self::RestrictionLift(RestrictionLift { id: FlightId::new(&d.text(MAX_ID)?)? }))
            }),
            "conflict-alert" => ("a conflict alert", read_alert),
            "conflict-clear" => ("a conflict clear", |d, _| {
                d.fields(2)?;
                Ok(Self::ConflictClear(ConflictClear {
                    conflict: ConflictKey::read(d)?,
                    since: d.instant()?,
                }))
            }),
            "scheduled-check" => ("a scheduled check", |d, _| Ok(Self::ScheduledCheck(d.decode()?))),
            "missed-deadline" => ("a missed deadline", |d, _| {
                let missed: MissedDeadline = d.decode()?;
                match &missed.missed {
                    Missed::Alert(key, _) | Missed::Report(key) if !key.in_order() => {
                        Err(d.bad("the subjects are not in order"))
                    }
                    _ => Ok(Self::MissedDeadline(missed)),
                }
            }),
            other => return Ok(Self::Unknown(other.to_owned())),
        };
        let mut d = In::new(bytes, what);
        let body = read(&mut d, openings)?;
        d.end()?;
        if body.encode_again() != bytes { Err(LineError::NotCanonical(what)) } else { Ok(body) }
    }
}

/// Reads the body of one kind.
type ReadBody = fn(&mut In<'_>, &Openings) -> Result<Body, LineError>;

fn read_act(kind: &str, bytes: &[u8]) -> Result<Body, LineError> {
    let mut d = In::new(bytes, "an act");
    let act = Act::read(&d.bytes(crate::act::MAX_ACT)?)?;
    d.end()?;
    if act.deed().kind() != kind {
        return Err(d.bad(format!("it is a {}, said as a {kind}", act.deed().kind())));
    }
    let body = Body::Act(Box::new(act));
    if body.encode_again() != bytes { Err(LineError::NotCanonical("an act")) } else { Ok(body) }
}

fn read_notice(d: &mut In<'_>, openings: &Openings) -> Result<Body, LineError> {
    d.fields(10)?;
    let flight = FlightId::new(&d.text(MAX_ID)?)?;
    let version = d.u32()?;
    let volumes = d.volumes()?;
    let aircraft = d.u32()?;
    let category = d.category()?;
    let purpose = Withholdable::read("purpose", d, openings)?;
    let callsign = Withholdable::read("callsign", d, openings)?;
    let unit = Withholdable::read("unit", d, openings)?;
    let squawk = d.optional(In::u32)?;
    let late = d.bool()?;
    check_text("a call sign", callsign.value().unwrap_or_default())?;
    check_text("a unit", unit.value().unwrap_or_default())?;
    if purpose.value().is_some_and(|p| Purpose::from_name(p).is_none()) {
        return Err(d.bad("an unknown purpose"));
    }
    if !(1..=1000).contains(&aircraft) || version == 0 {
        return Err(d.bad("1 to 1000 aircraft and a version from 1 are expected"));
    }
    let squawk = squawk.map(u16::try_from).transpose().map_err(|e| d.bad(e))?;
    if squawk.is_some_and(|code| code > 0o7777) {
        return Err(d.bad("a squawk has four octal digits"));
    }
    Ok(Body::FlightNotice(FlightNotice {
        flight,
        version,
        volumes,
        aircraft,
        category,
        purpose,
        callsign,
        unit,
        squawk,
        late,
    }))
}

fn read_alert(d: &mut In<'_>, _: &Openings) -> Result<Body, LineError> {
    d.fields(7)?;
    let (conflict, level): (_, Level) = (ConflictKey::read(d)?, d.decode()?);
    let (detected, begins, ends) = (d.instant()?, d.instant()?, d.instant()?);
    let closest = d.optional(|d| {
        d.fields(3)?;
        let milli = |d: &mut In<'_>| Ok::<_, LineError>(d.i64()? as f64 / 1e3);
        Ok((Seconds::new(milli(d)?), milli(d)?, milli(d)?))
    })?;
    let place = d.position()?;
    Ok(Body::ConflictAlert(ConflictAlert { conflict, level, detected, begins, ends, closest, place }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_airspace::{
        Altitude, AltitudeBand, Area, Category, Datum, Degrees, Metres, Position, TimeInterval, Volume4,
    };
    use hotline_ledger::{LineName, SaltSecret, SigningKey};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn at(lat: f64, lon: f64) -> Position {
        Position::new(Degrees::new(lat), Degrees::new(lon)).unwrap()
    }

    fn volume(lat: f64, lon: f64, radius: f64) -> Volume4 {
        let altitude = |m| Altitude::new(Metres::new(m), Datum::Barometric).unwrap();
        let time = |s| Timestamp::from_second(s).unwrap();
        Volume4 {
            area: Area::circle(at(lat, lon), Metres::new(radius)).unwrap(),
            altitude: AltitudeBand::new(altitude(0.1), altitude(1234.5678)).unwrap(),
            time: TimeInterval::new(time(10), time(20)).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn notices_round_trip_and_can_be_withheld(
            lat in -90.0..90.0f64, lon in -180.0..180.0f64, radius in 1.0..1e5f64, version in 1u32..,
            squawk in prop::option::of(0u16..0o7777), late: bool, callsign in "[A-Z0-9 ]{0,12}",
        ) {
            let secret = SaltSecret::of(&SigningKey::from_bytes(&[1; 32]));
            let line = LineName::new("valley").unwrap();
            let notice = Body::FlightNotice(FlightNotice {
                flight: FlightId::new("F-1").unwrap(), version, volumes: vec![volume(lat, lon, radius)], aircraft: 4,
                category: Category::Helicopter, purpose: Withholdable::new("rescue"),
                callsign: Withholdable::new(callsign.clone()), unit: Withholdable::new("7th"), squawk, late,
            });
            let mut openings = Openings::default();
            let bytes = notice.encode(&mut |field, value| {
                let opening = secret.opening(&line, 7, field, value);
                let sealed = opening.seal();
                openings.0.push(opening);
                sealed
            });
            let read = |openings: &Openings| match Body::decode("flight-notice", &bytes, openings) {
                Ok(Body::FlightNotice(notice)) => notice,
                other => panic!("{other:?}"),
            };
            let open = read(&openings);
            prop_assert_eq!(open.callsign.value(), Some(callsign.as_str()));
            prop_assert_eq!(open.purpose(), Some(Purpose::Rescue));
            let withheld = read(&openings.without(&["callsign".into()]));
            prop_assert_eq!((withheld.callsign.value(), withheld.unit.value()), (None, Some("7th")));
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..120), kind in 0usize..16) {
            let kinds = ["certificate", "revocation", "flight-notice", "flight-end", "restriction", "restriction-lift",
                         "conflict-alert", "conflict-clear", "missed-deadline", "dispute", "segment", "handover",
                         "acknowledgement", "message", "case", "vote"];
            if let Ok(body) = Body::decode(kinds[kind], &bytes, &Openings::default()) {
                prop_assert_eq!(body.encode_again(), bytes);
            }
        }
    }
}
