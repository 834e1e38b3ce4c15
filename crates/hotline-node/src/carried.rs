//! The line between networks that are not connected: what would go over a connection, in a file that is carried by hand.
//!
//! ```text
//! HOTLINE CARRIED 1
//! header    line, from whom, for whom, when
//! message*  receipts, heads, statements of all ledgers that the receiver lacks, as on a connection
//! end       the sender's signature over the SHA-256 of everything before
//! ```
//!
//! It is a sealed file ([`hotline_evidence::SealedWriter`]) with parts in CBOR. Everything in it is signed by whoever
//! said it, as on a connection; the signature over the whole shows that the file is as it was made. It is not
//! encrypted: whoever carries it can read it. In one direction alone (over a data diode) nothing is lost either, but no
//! receipts come back, so every file begins where the one before ended only when that is asked for.

use crate::NodeError;
use crate::recovery::Pages;
use hotline_evidence::{SealedReader, SealedWriter, sealed_payload};
use hotline_journal::Journal;
use hotline_ledger::{KeyRing, LineName, PartyName, SigningKey, open_signed};
use hotline_line::{BATCH_BYTES, Entry, LineError, MAX_ENTRIES, MAX_MESSAGE_BYTES, Message};
use hotline_picture::Core;
use jiff::Timestamp;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::io::{Read, Write};

const MAGIC: &str = "HOTLINE CARRIED 1\n";
const WHAT: &str = "a hotline carried v1";
const MAX_FRAME: usize = MAX_MESSAGE_BYTES + 1_024;

/// What a carried file is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct CarriedHeader {
    /// The line.
    #[n(0)]
    pub(crate) line: LineName,
    /// Who made it.
    #[n(1)]
    pub(crate) from: PartyName,
    /// For whom.
    #[n(2)]
    pub(crate) to: PartyName,
    /// When, milliseconds since 1970.
    #[n(3)]
    pub(crate) made_ms: i64,
}

#[derive(Encode, Decode)]
enum Frame {
    #[n(0)]
    Header(#[n(0)] CarriedHeader),
    #[n(1)]
    Message(#[n(0)] ByteVec),
    #[n(2)]
    End(#[n(0)] ByteVec),
}

impl Frame {
    fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory")
    }
}

/// From which statement on each ledger is carried.
pub(crate) type Marks = BTreeMap<PartyName, u64>;

/// A ledger as far as it is carried.
struct Part {
    ledger: PartyName,
    places: Vec<u64>,
    size: u64,
    head: Vec<u8>,
    from: u64,
}

/// A file on its way.
pub(crate) struct Packing {
    header: CarriedHeader,
    node: SigningKey,
    parts: Vec<Part>,
    receipt: Option<Vec<u8>>,
    heads: Vec<(PartyName, Vec<u8>)>,
}

impl Packing {
    /// Asks the core what a peer lacks, as far as this node knows: of the own ledger all that it has given no receipt for, of
    /// others what its own newest statement does not refer to. `marks` says from where on instead.
    pub(crate) fn begin(
        core: &Core,
        to: &PartyName,
        marks: &Marks,
        now: Timestamp,
    ) -> Result<Self, NodeError> {
        let line = core.line();
        let own = line.party().clone();
        if !line.is_member(to) || *to == own {
            return Err(LineError::UnknownParty(to.clone()).into());
        }
        let header = CarriedHeader {
            line: line.name().clone(),
            from: own.clone(),
            to: to.clone(),
            made_ms: now.as_millisecond(),
        };
        let known = core.line().last_causes(to);
        let mut parts = Vec::new();
        for ledger in line.peers().filter(|p| *p != to).chain([&own]) {
            let Some(head) = line.head(ledger).filter(|h| h.size > 0) else { continue };
            let lacks = if *ledger == own {
                line.receipt(to, &own).map_or(0, |r| r.size)
            } else {
                known.get(ledger).copied().unwrap_or(0)
            };
            parts.push(Part {
                places: line.places(ledger)[..head.size as usize].to_vec(),
                size: head.size,
                head: head.note,
                from: marks.get(ledger).copied().unwrap_or(lacks).min(head.size),
                ledger: ledger.clone(),
            });
        }
        let of_receiver = line.head(to).filter(|h| h.size > 0).map(|h| (to.clone(), h.note));
        Ok(Self {
            header,
            node: line.own_keys().node.clone(),
            parts,
            receipt: line.receipt(&own, to).map(|r| r.note.clone()),
            heads: of_receiver.into_iter().collect(),
        })
    }

    /// Writes the file. Gives how far each ledger has been carried with it.
    pub(crate) fn write(self, journal: &dyn Journal, to: impl Write) -> Result<Marks, NodeError> {
        let stored = journal.len()?;
        let failed = || NodeError::file("the carried file");
        let mut writer = SealedWriter::new(to, MAGIC).map_err(failed())?;
        let mut add = |frame: Frame| writer.part(&frame.to_bytes()).map_err(failed());
        let message = |message: Message| Frame::Message(message.to_bytes().into());
        add(Frame::Header(self.header))?;
        if let Some(note) = self.receipt {
            add(message(Message::Receipt(note)))?;
        }
        if !self.heads.is_empty() {
            add(message(Message::Heads(self.heads)))?;
        }
        let mut pages = Pages::new(journal);
        let mut marks = Marks::new();
        for part in self.parts {
            // What is not durable yet may still not be said.
            if part.places.last().is_some_and(|&last| last >= stored) {
                let why = "the newest statements are still being stored: ask again";
                return Err(LineError::OutOfPlace(why.into()).into());
            }
            let mut first = part.from;
            while first < part.size {
                let (mut entries, mut bytes): (Vec<Entry>, usize) = (Vec::new(), 0);
                for &place in part.places[first as usize..].iter().take(MAX_ENTRIES) {
                    let entry = pages.entry(place)?;
                    bytes += entry.len();
                    if bytes > BATCH_BYTES && !entries.is_empty() {
                        break;
                    }
                    entries.push(entry);
                }
                let next = first + entries.len() as u64;
                let (ledger, checkpoint) = (part.ledger.clone(), part.head.clone());
                add(message(Message::Entries { ledger, first, entries, checkpoint }))?;
                first = next;
            }
            marks.insert(part.ledger, part.size);
        }
        writer.seal(&self.node, WHAT, |signed| Frame::End(signed.into()).to_bytes()).map_err(failed())?;
        Ok(marks)
    }
}

/// Whether bytes are a whole carried file from a party of the line with these keys, for this party.
///
/// # Errors
/// With what is wrong.
pub fn check_carried(bytes: &[u8], line: &LineName, own: &PartyName, sender: &KeyRing) -> Result<(), String> {
    let keys = |party: &PartyName| (party == sender.party()).then(|| sender.clone());
    let from: Box<dyn Read + '_> = Box::new(bytes);
    read(from, line, own, &keys, |_, _| Ok::<(), String>(()))?;
    Ok(())
}

/// Reads a carried file, checks that it was made by its sender for this party, and gives each message to `take`. The file is
/// read twice: nothing of a file that is not whole is taken in.
///
/// # Errors
/// With what is wrong with the file, or what `take` says.
pub(crate) fn unpack<E: From<String>>(
    mut open: impl FnMut() -> Result<Box<dyn Read>, E>,
    line: &LineName,
    own: &PartyName,
    keys_of: impl Fn(&PartyName) -> Option<KeyRing>,
    mut take: impl FnMut(&PartyName, Message) -> Result<(), E>,
) -> Result<CarriedHeader, E> {
    let header = read(open()?, line, own, &keys_of, |_, _| Ok(()))?;
    read(open()?, line, own, &keys_of, |from, message| take(from, message))?;
    Ok(header)
}

fn read<E: From<String>>(
    from: Box<dyn Read + '_>,
    line: &LineName,
    own: &PartyName,
    keys_of: &dyn Fn(&PartyName) -> Option<KeyRing>,
    mut take: impl FnMut(&PartyName, Message) -> Result<(), E>,
) -> Result<CarriedHeader, E> {
    let mut file = SealedReader::open(from, MAGIC, MAX_FRAME)
        .ok_or_else(|| format!("it does not begin with {:?}: it is not a carried file", MAGIC.trim_end()))?;
    let mut header: Option<CarriedHeader> = None;
    loop {
        let bytes = file.part()?;
        let frame: Frame = minicbor::decode(&bytes).map_err(|e| format!("it is malformed: {e}"))?;
        match (frame, &header) {
            (Frame::Header(read), None) => {
                if read.line != *line || read.to != *own {
                    return Err(format!("it is for {} on line {}", read.to, read.line).into());
                }
                header = Some(read);
            }
            (Frame::Message(message), Some(header)) => {
                let message = Message::from_bytes(&message).map_err(|e| e.to_string())?;
                take(&header.from, message)?;
            }
            (Frame::End(signed), Some(header)) => {
                let sender =
                    keys_of(&header.from).ok_or_else(|| format!("{} is not on this line", header.from))?;
                let payload = sealed_payload(file.hash());
                let opened = open_signed(&signed, WHAT, |id, found| {
                    let key = sender.all_node_keys().find(|key| hotline_ledger::KeyId::of(key) == id)?;
                    (found == payload).then_some(key)
                });
                opened.map_err(|_| {
                    format!("it is not as {} made it: its signature does not check", header.from)
                })?;
                file.expect_nothing()?;
                return Ok(header.clone());
            }
            (Frame::Header(_), Some(_)) | (_, None) => {
                return Err(String::from("its parts are not in their order").into());
            }
        }
        file.cover(&bytes);
    }
}
