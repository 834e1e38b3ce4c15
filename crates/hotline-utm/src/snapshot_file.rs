//! The state in a file: written beside the old one, synced, and then put in its place.
//!
//! Frames of items in CBOR, each with its length and CRC-32C; the first says how many commands the state covers, an empty one
//! ends the file.

use crate::StoreError;
use hotline_dss::{Item, Machine, Settings};
use minicbor::{Decoder, Encoder};
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

/// The file of a store with a journal of its own.
pub(crate) const OWN: &str = "snapshot";
const HEAD: &[u8; 16] = b"hotline-dss 1\n\0\0";
/// A frame is closed at so many bytes.
const FRAME: usize = 1 << 20;
/// The largest frame that is read: one item beyond [`FRAME`].
const MAX_FRAME: usize = 8 << 20;

/// Writes a snapshot into the folder of a store that is not open: so a store begins with things from elsewhere.
///
/// # Errors
/// When the file cannot be written.
pub fn write_snapshot(folder: &Path, position: u64, items: Vec<Item>) -> Result<(), StoreError> {
    save(folder, OWN, position, items)
}

pub(crate) fn save(folder: &Path, name: &str, position: u64, items: Vec<Item>) -> Result<(), StoreError> {
    let path = folder.join(format!("{name}.new"));
    let keep = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(&path)?);
        write(&mut file, position, items)?;
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&path, folder.join(name))?;
        File::open(folder)?.sync_all()
    };
    keep().map_err(|e| StoreError::Unreadable(format!("{} cannot be written: {e}", path.display())))
}

/// A snapshot in memory.
pub(crate) fn written(position: u64, items: Vec<Item>) -> Vec<u8> {
    let mut whole = Vec::new();
    write(&mut whole, position, items).expect("writing to memory does not fail");
    whole
}

fn write(file: &mut impl Write, position: u64, items: Vec<Item>) -> std::io::Result<()> {
    file.write_all(HEAD)?;
    frame(file, &position.to_be_bytes())?;
    let mut encoder = Encoder::new(Vec::with_capacity(FRAME + 4096));
    for item in items {
        encoder.encode(&item).expect("writing to memory does not fail");
        if encoder.writer().len() >= FRAME {
            frame(file, encoder.writer())?;
            encoder.writer_mut().clear();
        }
    }
    if !encoder.writer().is_empty() {
        frame(file, encoder.writer())?;
    }
    frame(file, &[])
}

fn frame(file: &mut impl Write, content: &[u8]) -> std::io::Result<()> {
    file.write_all(&(content.len() as u32).to_be_bytes())?;
    file.write_all(&crc32c::crc32c(content).to_be_bytes())?;
    file.write_all(content)
}

/// The state that was saved, with how many commands it covers; none when there is no file.
pub(crate) fn load(
    folder: &Path,
    name: &str,
    settings: Settings,
) -> Result<Option<(u64, Machine)>, StoreError> {
    let path = folder.join(name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(StoreError::Unreadable(format!("{}: {e}", path.display()))),
    };
    let read = read(BufReader::with_capacity(1 << 20, file), settings);
    read.map(Some).map_err(|why| {
        StoreError::Unreadable(format!(
            "{} is damaged ({why}): restore the folder from a back-up",
            path.display()
        ))
    })
}

pub(crate) fn read(mut file: impl Read, settings: Settings) -> Result<(u64, Machine), String> {
    let mut head = [0; HEAD.len()];
    file.read_exact(&mut head).map_err(|e| e.to_string())?;
    if head != *HEAD {
        return Err("it does not begin as a snapshot of this version".into());
    }
    let position = next(&mut file)?.try_into().map_err(|_| "its position has not 8 bytes")?;
    let mut machine = Machine::new(settings);
    loop {
        let content = next(&mut file)?;
        if content.is_empty() {
            return Ok((u64::from_be_bytes(position), machine));
        }
        let mut decoder = Decoder::new(&content);
        while decoder.position() < content.len() {
            machine.restore(decoder.decode().map_err(|e| e.to_string())?);
        }
    }
}

fn next(file: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut head = [0; 8];
    file.read_exact(&mut head).map_err(|e| e.to_string())?;
    let ([length, sum], []) = head.as_chunks::<4>() else { unreachable!("eight bytes are two words") };
    let length = u32::from_be_bytes(*length) as usize;
    if length > MAX_FRAME {
        return Err(format!("a frame of {length} bytes"));
    }
    let mut content = vec![0; length];
    file.read_exact(&mut content).map_err(|e| e.to_string())?;
    if crc32c::crc32c(&content) != u32::from_be_bytes(*sum) {
        return Err("a checksum does not fit".into());
    }
    Ok(content)
}
