//! What goes over the wire between two nodes.

use crate::codec::{
    In, Out, Written, encoded, put_altitude, put_category, put_instant, put_optional, put_position,
};
use crate::{FlightId, LineError};
use hotline_airspace::{Category, Degrees, MetresPerSecond, TrackState};
use hotline_ledger::{MAX_STATEMENT_BYTES, PartyName};
use jiff::Timestamp;

/// The largest message, bytes.
pub const MAX_MESSAGE_BYTES: usize = 2 << 20;
/// The most statements in one message.
pub const MAX_ENTRIES: usize = 512;
/// A message takes no further statement beyond this size, bytes.
pub const BATCH_BYTES: usize = 1 << 20;
/// The most tracks in one message.
pub const MAX_TRACKS: usize = 2_000;
/// The most heads in one message.
const MAX_HEADS: usize = 16;
/// The most bytes of openings beside one statement.
pub(crate) const MAX_OPENING_BYTES: usize = 4 * 1024;
const MAX_NOTE: usize = 8 * 1024;
const VERSION: u8 = 2;

/// Priority lanes, each a stream of its own: a lower one never holds up a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Alerts, acknowledgements and communication checks.
    Urgent,
    /// The ledger in order, and receipts.
    Ledger,
    /// Tracks: newer ones make older ones worthless.
    Tracks,
}

/// A track as a peer sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedTrack {
    /// The sharing party's name for the aircraft.
    pub id: FlightId,
    /// Call sign, if disclosed; at most 16 bytes.
    pub callsign: String,
    /// What kind of aircraft.
    pub category: Category,
    /// The flight that it flies, if it has been notified.
    pub flight: Option<FlightId>,
    /// Where it is.
    pub state: TrackState,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The first message of a connection, and a call to start again from what is held.
    Hello {
        /// Hash of the sender's rulebook in force.
        rulebook: [u8; 32],
        /// How many statements of the receiver's ledger the sender holds durably.
        held: u64,
        /// How many statements the sender's own ledger has.
        size: u64,
        /// The receiver's own newest head that the sender holds: only with its own signature does the receiver believe
        /// that it has said more than it knows. Empty when there is none.
        head: Vec<u8>,
    },
    /// Statements of a ledger from a number on, and a head of it that its party signed, over these and possibly more. Whose ledger it is does not depend
    /// on who sends it: what a third party or oneself said can be passed on, since it is signed.
    Entries {
        /// Whose ledger.
        ledger: PartyName,
        /// Number of the first.
        first: u64,
        /// The signed statements.
        entries: Vec<Entry>,
        /// The head over all statements up to and including these.
        checkpoint: Vec<u8>,
    },
    /// A statement that goes ahead of its place in the ledger. It comes again in its place.
    Urgent(Entry),
    /// The sender's receipt for the receiver's ledger.
    Receipt(Vec<u8>),
    /// A communication check by the machine.
    Check {
        /// To be repeated in the answer.
        nonce: u64,
        /// The sender's clock.
        time: Timestamp,
    },
    /// The answer to one.
    Answer {
        /// From the check.
        nonce: u64,
        /// The answering clock.
        time: Timestamp,
    },
    /// Tracks of the sender's aircraft.
    Tracks(Vec<SharedTrack>),
    /// The newest signed heads of other parties' ledgers that the sender holds: so two histories of one ledger are found
    /// as soon as two who were told different ones talk to each other.
    Heads(Vec<(PartyName, Vec<u8>)>),
    /// A call for a ledger from a number on, whoever's it is.
    Want {
        /// Whose ledger.
        ledger: PartyName,
        /// From which number on.
        from: u64,
    },
}

/// A statement on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The signed statement.
    pub statement: Vec<u8>,
    /// What opens its sealed fields; empty when there are none.
    pub openings: Vec<u8>,
}

impl Entry {
    fn put(&self, e: &mut Out) -> Written {
        e.array(2)?.bytes(&self.statement)?.bytes(&self.openings).map(|_| ())
    }

    fn read(d: &mut In<'_>) -> Result<Self, LineError> {
        d.fields(2)?;
        Ok(Self { statement: d.bytes(MAX_STATEMENT_BYTES)?, openings: d.bytes(MAX_OPENING_BYTES)? })
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.statement.len() + self.openings.len()
    }

    /// Whether it is empty, as no statement is.
    pub fn is_empty(&self) -> bool {
        self.statement.is_empty()
    }
}

fn put_track(e: &mut Out, track: &SharedTrack) -> Written {
    let milli = |x: f64| (x * 1e3).round() as i64;
    e.array(10)?.str(track.id.as_str())?.str(&track.callsign)?;
    put_category(e, track.category)?;
    put_optional(e, track.flight.as_ref(), |e, flight| e.str(flight.as_str()).map(|_| ()))?;
    put_instant(e, track.state.time())?;
    put_position(e, track.state.position())?;
    put_altitude(e, track.state.altitude())?;
    e.i64(milli(track.state.ground_speed().get()))?;
    e.i64(milli(track.state.track().get()))?;
    e.i64(milli(track.state.vertical_speed().get())).map(|_| ())
}

fn read_track(d: &mut In<'_>) -> Result<SharedTrack, LineError> {
    d.fields(10)?;
    let id = FlightId::new(&d.text(64)?)?;
    let callsign = d.text(16)?;
    let category = d.category()?;
    let flight = d.optional(|d| FlightId::new(&d.text(64)?))?;
    let (time, position, altitude) = (d.instant()?, d.position()?, d.altitude()?);
    let milli = |d: &mut In<'_>| Ok::<_, LineError>(d.i64()? as f64 / 1e3);
    let (speed, track, climb) = (milli(d)?, milli(d)?, milli(d)?);
    let state = TrackState::new(
        time,
        position,
        altitude,
        MetresPerSecond::new(speed),
        Degrees::new(track),
        MetresPerSecond::new(climb),
    )?;
    Ok(SharedTrack { id, callsign, category, flight, state })
}

impl Message {
    /// The lane it travels on.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Urgent(_) | Self::Check { .. } | Self::Answer { .. } => Lane::Urgent,
            Self::Hello { .. }
            | Self::Entries { .. }
            | Self::Receipt(_)
            | Self::Heads(_)
            | Self::Want { .. } => Lane::Ledger,
            Self::Tracks(_) => Lane::Tracks,
        }
    }

    /// Its encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        encoded(|e| {
            match self {
                Self::Hello { rulebook, held, size, head } => {
                    e.array(6)?.u8(1)?.u8(VERSION)?.bytes(rulebook)?.u64(*held)?.u64(*size)?.bytes(head)?
                }
                Self::Entries { ledger, first, entries, checkpoint } => {
                    e.array(5)?.u8(2)?.str(ledger.as_str())?.u64(*first)?.array(entries.len() as u64)?;
                    entries.iter().try_for_each(|entry| entry.put(e))?;
                    e.bytes(checkpoint)?
                }
                Self::Urgent(entry) => {
                    e.array(2)?.u8(3)?;
                    return entry.put(e);
                }
                Self::Receipt(note) => e.array(2)?.u8(4)?.bytes(note)?,
                Self::Check { nonce, time } => e.array(3)?.u8(5)?.u64(*nonce)?.i64(time.as_millisecond())?,
                Self::Answer { nonce, time } => e.array(3)?.u8(6)?.u64(*nonce)?.i64(time.as_millisecond())?,
                Self::Tracks(tracks) => {
                    e.array(2)?.u8(7)?.array(tracks.len() as u64)?;
                    return tracks.iter().try_for_each(|t| put_track(e, t));
                }
                Self::Heads(heads) => {
                    e.array(2)?.u8(8)?.array(heads.len() as u64)?;
                    for (party, note) in heads {
                        e.array(2)?.str(party.as_str())?.bytes(note)?;
                    }
                    return Ok(());
                }
                Self::Want { ledger, from } => e.array(3)?.u8(9)?.str(ledger.as_str())?.u64(*from)?,
            };
            Ok(())
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    /// When too large, malformed, or of another version of the protocol.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LineError> {
        let mut d = In::new(bytes, "a message");
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(d.bad(format!("{} bytes where at most {MAX_MESSAGE_BYTES} are allowed", bytes.len())));
        }
        let fields = d.list(6)?;
        let tag = d.u8()?;
        let message = match (tag, fields) {
            (1, 6) => {
                let version = d.u8()?;
                if version != VERSION {
                    return Err(d.bad(format!("protocol version {version}, this node speaks {VERSION}")));
                }
                let rulebook = d.bytes(32)?.try_into().map_err(|_| d.bad("a hash has 32 bytes"))?;
                Self::Hello { rulebook, held: d.u64()?, size: d.u64()?, head: d.bytes(MAX_NOTE)? }
            }
            (2, 5) => {
                let (ledger, first) = (d.party()?, d.u64()?);
                let count = d.list(MAX_ENTRIES)?;
                let entries = (0..count).map(|_| Entry::read(&mut d)).collect::<Result<_, _>>()?;
                Self::Entries { ledger, first, entries, checkpoint: d.bytes(MAX_NOTE)? }
            }
            (3, 2) => Self::Urgent(Entry::read(&mut d)?),
            (4, 2) => Self::Receipt(d.bytes(MAX_NOTE)?),
            (5, 3) => Self::Check { nonce: d.u64()?, time: d.instant()? },
            (6, 3) => Self::Answer { nonce: d.u64()?, time: d.instant()? },
            (7, 2) => {
                let count = d.list(MAX_TRACKS)?;
                Self::Tracks((0..count).map(|_| read_track(&mut d)).collect::<Result<_, _>>()?)
            }
            (8, 2) => {
                let count = d.list(MAX_HEADS)?;
                let head = |d: &mut In<'_>| {
                    d.fields(2)?;
                    Ok::<_, LineError>((d.party()?, d.bytes(MAX_NOTE)?))
                };
                Self::Heads((0..count).map(|_| head(&mut d)).collect::<Result<_, _>>()?)
            }
            (9, 3) => Self::Want { ledger: d.party()?, from: d.u64()? },
            _ => return Err(d.bad(format!("kind {tag} with {fields} fields"))),
        };
        d.end()?;
        Ok(message)
    }
}
