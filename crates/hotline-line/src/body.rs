//! What statements say.

use crate::acknowledgement::ACKNOWLEDGEMENT;
use crate::codec::{
    In, Out, Written, encoded, put_category, put_instant, put_optional, put_position, put_volumes,
};
use crate::subject::MAX_ID;
use crate::{ConflictKey, FlightId, Level, LineError, Purpose};
use hotline_airspace::{Category, Position, Seconds, Volume4};
use hotline_ledger::PartyName;
use jiff::Timestamp;

/// The longest text in a statement (names, reasons), bytes.
pub const MAX_TEXT: usize = 200;

/// A text that fits into a statement.
///
/// # Errors
/// [`LineError::OutOfRange`] when longer than [`MAX_TEXT`] or with control characters.
fn check_text(what: &'static str, text: &str) -> Result<(), LineError> {
    if text.len() > MAX_TEXT || text.contains(char::is_control) {
        let value = format!("{:?}", text.chars().take(80).collect::<String>());
        return Err(LineError::OutOfRange {
            what,
            value,
            allowed: "at most 200 bytes without control characters",
        });
    }
    Ok(())
}

/// What a party will fly; a later version replaces the earlier.
#[derive(Debug, Clone, PartialEq)]
pub struct FlightNotice {
    /// The flight.
    pub flight: FlightId,
    /// From 1, rising with each change.
    pub version: u32,
    /// Where and when.
    pub volumes: Vec<Volume4>,
    /// How many aircraft, 1 to 1000.
    pub aircraft: u32,
    /// What kind of aircraft.
    pub category: Category,
    /// What for.
    pub purpose: Purpose,
    /// Call sign; may be empty.
    pub callsign: String,
    /// Transponder code, four octal digits as a number (0o7777 at most), if known.
    pub squawk: Option<u16>,
    /// Whether it was filed with less lead than the rulebook asks for.
    pub late: bool,
}

/// A flight is over, or will not be flown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlightEnd {
    /// The flight.
    pub flight: FlightId,
    /// The version that ends.
    pub version: u32,
}

/// Airspace that must be kept clear until lifted or expired.
#[derive(Debug, Clone, PartialEq)]
pub struct Restriction {
    /// Its name.
    pub id: FlightId,
    /// Where and when.
    pub volumes: Vec<Volume4>,
    /// Why.
    pub reason: String,
}

/// A restriction is no longer in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestrictionLift {
    /// Its name.
    pub id: FlightId,
}

/// A conflict made known.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictAlert {
    /// Which conflict.
    pub conflict: ConflictKey,
    /// How grave.
    pub level: Level,
    /// When the speaker detected it, by its clock.
    pub detected: Timestamp,
    /// When it begins.
    pub begins: Timestamp,
    /// When it ends if nothing changes.
    pub ends: Timestamp,
    /// Closest approach: seconds from detection, horizontal and vertical distance in metres, where known.
    pub closest: Option<(Seconds, f64, f64)>,
    /// Where.
    pub place: Position,
}

/// The speaker no longer sees the conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictClear {
    /// Which conflict.
    pub conflict: ConflictKey,
    /// Since when.
    pub since: Timestamp,
}

/// An alert was not acknowledged in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedDeadline {
    /// Which conflict.
    pub conflict: ConflictKey,
    /// The level that was to be acknowledged.
    pub level: Level,
    /// Whose officer did not acknowledge.
    pub party: PartyName,
    /// By when it should have been.
    pub due: Timestamp,
}

/// What a statement says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A key that speaks for the party, signed by its root key.
    Certificate(Vec<u8>),
    /// What will be flown, or a change of it.
    FlightNotice(FlightNotice),
    /// A flight is over.
    FlightEnd(FlightEnd),
    /// Airspace to keep clear.
    Restriction(Restriction),
    /// A restriction is lifted.
    RestrictionLift(RestrictionLift),
    /// A conflict is made known.
    ConflictAlert(ConflictAlert),
    /// A conflict is over.
    ConflictClear(ConflictClear),
    /// An officer has read an alert; the signed original, checked when it is heard.
    Acknowledgement(Vec<u8>),
    /// An alert was not read in time.
    MissedDeadline(MissedDeadline),
    /// A kind that this version does not know: kept in the ledger, shown by its name.
    Unknown(String),
}

impl Body {
    /// The name of its kind in the statement.
    pub fn kind(&self) -> &str {
        match self {
            Self::Certificate(_) => "certificate",
            Self::FlightNotice(_) => "flight-notice",
            Self::FlightEnd(_) => "flight-end",
            Self::Restriction(_) => "restriction",
            Self::RestrictionLift(_) => "restriction-lift",
            Self::ConflictAlert(_) => "conflict-alert",
            Self::ConflictClear(_) => "conflict-clear",
            Self::Acknowledgement(_) => "acknowledgement",
            Self::MissedDeadline(_) => "missed-deadline",
            Self::Unknown(kind) => kind,
        }
    }

    /// Whether it goes ahead of everything else.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::ConflictAlert(_) | Self::Acknowledgement(_))
    }

    /// Its deterministic CBOR.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|e| self.put(e))
    }

    fn put(&self, e: &mut Out) -> Written {
        match self {
            Self::Certificate(bytes) | Self::Acknowledgement(bytes) => e.bytes(bytes).map(|_| ()),
            Self::FlightNotice(notice) => {
                e.array(9)?.str(notice.flight.as_str())?.u32(notice.version)?;
                put_volumes(e, &notice.volumes)?;
                e.u32(notice.aircraft)?;
                put_category(e, notice.category)?;
                e.u8(notice.purpose.number())?.str(&notice.callsign)?;
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
            Self::MissedDeadline(missed) => {
                e.array(4)?;
                missed.conflict.put(e)?;
                e.u8(missed.level.number())?.str(missed.party.as_str())?;
                put_instant(e, missed.due)
            }
            Self::Unknown(_) => e.null().map(|_| ()),
        }
    }

    /// Reads the body of a statement of that kind. A kind that this version does not know is [`Body::Unknown`].
    ///
    /// # Errors
    /// When malformed, over a limit, or not in its one encoding.
    pub fn from_cbor(kind: &str, bytes: &[u8]) -> Result<Self, LineError> {
        let (what, read): (&'static str, ReadBody) = match kind {
            "certificate" => ("a certificate", |d| Ok(Self::Certificate(d.bytes(512)?))),
            "acknowledgement" => (ACKNOWLEDGEMENT, |d| Ok(Self::Acknowledgement(d.bytes(16 * 1024)?))),
            "flight-notice" => ("a flight notice", read_notice),
            "flight-end" => ("a flight end", |d| {
                d.fields(2)?;
                Ok(Self::FlightEnd(FlightEnd { flight: FlightId::new(&d.text(MAX_ID)?)?, version: d.u32()? }))
            }),
            "restriction" => ("a restriction", |d| {
                d.fields(3)?;
                let id = FlightId::new(&d.text(MAX_ID)?)?;
                let volumes = d.volumes()?;
                let reason = d.text(MAX_TEXT)?;
                check_text("a restriction's reason", &reason)?;
                Ok(Self::Restriction(Restriction { id, volumes, reason }))
            }),
            "restriction-lift" => ("a restriction lift", |d| {
                d.fields(1)?;
                Ok(Self::RestrictionLift(RestrictionLift { id: FlightId::new(&d.text(MAX_ID)?)? }))
            }),
            "conflict-alert" => ("a conflict alert", read_alert),
            "conflict-clear" => ("a conflict clear", |d| {
                d.fields(2)?;
                Ok(Self::ConflictClear(ConflictClear {
                    conflict: ConflictKey::read(d)?,
                    since: d.instant()?,
                }))
            }),
            "missed-deadline" => ("a missed deadline", |d| {
                d.fields(4)?;
                let (conflict, level) = (ConflictKey::read(d)?, Level::read(d)?);
                Ok(Self::MissedDeadline(MissedDeadline {
                    conflict,
                    level,
                    party: d.party()?,
                    due: d.instant()?,
                }))
            }),
            other => return Ok(Self::Unknown(other.to_owned())),
        };
        let mut d = In::new(bytes, what);
        let body = read(&mut d)?;
        d.end()?;
        if body.to_cbor() != bytes { Err(LineError::NotCanonical(what)) } else { Ok(body) }
    }
}

/// Reads the body of one kind.
type ReadBody = fn(&mut In<'_>) -> Result<Body, LineError>;

fn read_notice(d: &mut In<'_>) -> Result<Body, LineError> {
    d.fields(9)?;
    let flight = FlightId::new(&d.text(MAX_ID)?)?;
    let version = d.u32()?;
    let volumes = d.volumes()?;
    let aircraft = d.u32()?;
    let category = d.category()?;
    let purpose = Purpose::read(d)?;
    let callsign = d.text(MAX_TEXT)?;
    let squawk = d.optional(In::u32)?;
    let late = d.bool()?;
    check_text("a call sign", &callsign)?;
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
        squawk,
        late,
    }))
}

fn read_alert(d: &mut In<'_>) -> Result<Body, LineError> {
    d.fields(7)?;
    let (conflict, level) = (ConflictKey::read(d)?, Level::read(d)?);
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
    use hotline_airspace::{Altitude, AltitudeBand, Area, Datum, Degrees, Metres, TimeInterval};
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
        fn notices_round_trip(lat in -90.0..90.0f64, lon in -180.0..180.0f64, radius in 1.0..1e5f64, version in 1u32..,
                              squawk in prop::option::of(0u16..0o7777), late: bool, callsign in "[A-Z0-9 ]{0,12}") {
            let notice = Body::FlightNotice(FlightNotice {
                flight: FlightId::new("F-1").unwrap(), version, volumes: vec![volume(lat, lon, radius)], aircraft: 4,
                category: Category::Helicopter, purpose: Purpose::Rescue, callsign, squawk, late,
            });
            let bytes = notice.to_cbor();
            let read = Body::from_cbor("flight-notice", &bytes).unwrap();
            prop_assert_eq!(read.to_cbor(), bytes);
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..120), kind in 0usize..9) {
            let kinds = ["certificate", "flight-notice", "flight-end", "restriction", "restriction-lift",
                         "conflict-alert", "conflict-clear", "acknowledgement", "missed-deadline"];
            if let Ok(body) = Body::from_cbor(kinds[kind], &bytes) {
                prop_assert_eq!(body.to_cbor(), bytes);
            }
        }
    }
}
