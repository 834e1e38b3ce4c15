//! A disk in memory that does what bad disks do, from a seed.

use redb::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// The size of what a disk writes as a whole, bytes.
const SECTOR: usize = 512;

/// A simulated disk. Writes are kept in order but only certain after a sync; [`FaultyDisk::crash`] keeps a random
/// selection of what was not synced, torn at sector borders. It can be full, and its bits can be flipped.
#[derive(Debug, Clone)]
pub struct FaultyDisk(Arc<Mutex<Disk>>);

#[derive(Debug)]
struct Disk {
    certain: Vec<u8>,
    seen: Vec<u8>,
    unsynced: Vec<Change>,
    room: u64,
    random: u64,
    broken: bool,
}

#[derive(Debug)]
enum Change {
    Length(u64),
    Write(u64, Vec<u8>),
}

fn apply(image: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => image.resize(*length as usize, 0),
        Change::Write(offset, data) => {
            let end = *offset as usize + data.len();
            if image.len() < end {
                image.resize(end, 0);
            }
            image[*offset as usize..end].copy_from_slice(data);
        }
    }
}

impl Disk {
    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        let end = match &change {
            Change::Length(length) => *length,
            Change::Write(offset, data) => offset + data.len() as u64,
        };
        if self.broken {
            return Err(io::Error::other("the disk was switched off"));
        }
        if end > self.room && end > self.seen.len() as u64 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        apply(&mut self.seen, &change);
        self.unsynced.push(change);
        Ok(())
    }
}

impl FaultyDisk {
    /// An empty disk with endless room whose misfortunes come from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Disk {
            certain: vec![],
            seen: vec![],
            unsynced: vec![],
            room: u64::MAX,
            random: seed,
            broken: false,
        })))
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().expect("no holder of the lock panics")
    }

    /// Power cut: of what was not synced, a random selection of sectors is on the disk; the rest is gone. Whoever
    /// has the disk open still can only fail on it, until it is opened anew after [`FaultyDisk::restart`].
    pub fn crash(&self) {
        let mut disk = self.disk();
        let mut image = std::mem::take(&mut disk.certain);
        for change in std::mem::take(&mut disk.unsynced) {
            match change {
                Change::Length(length) => {
                    if disk.draw().is_multiple_of(2) {
                        image.resize(length as usize, 0);
                    }
                }
                Change::Write(offset, data) => {
                    for (i, sector) in data.chunks(SECTOR).enumerate() {
                        if disk.draw().is_multiple_of(2) {
                            apply(&mut image, &Change::Write(offset + (i * SECTOR) as u64, sector.to_vec()));
                        }
                    }
                }
            }
        }
        disk.seen.clone_from(&image);
        disk.certain = image;
        disk.broken = true;
    }

    /// Power returns.
    pub fn restart(&self) {
        self.disk().broken = false;
    }

    /// From now on the file cannot grow beyond so many bytes.
    pub fn set_room(&self, bytes: u64) {
        self.disk().room = bytes;
    }

    /// How many bytes the file has.
    pub fn size(&self) -> u64 {
        self.disk().seen.len() as u64
    }

    /// Flips one bit of what is on the disk.
    pub fn flip_bit(&self, at: u64) {
        let mut disk = self.disk();
        let byte = (at / 8) as usize;
        disk.seen[byte] ^= 1 << (at % 8);
        if let Some(certain) = disk.certain.get_mut(byte) {
            *certain ^= 1 << (at % 8);
        }
    }
}

type Answer<T> = Result<T, std::io::Error>;

impl StorageBackend for FaultyDisk {
    fn len(&self) -> Answer<u64> {
        Ok(self.size())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Answer<()> {
        let disk = self.disk();
        let range = offset as usize..offset as usize + out.len();
        let found = disk.seen.get(range).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Answer<()> {
        self.disk().change(Change::Length(len))
    }

    fn sync_data(&self) -> Answer<()> {
        let mut disk = self.disk();
        if disk.broken {
            return Err(io::Error::other("the disk was switched off"));
        }
        disk.certain = disk.seen.clone();
        disk.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Answer<()> {
        self.disk().change(Change::Write(offset, data.to_vec()))
    }
}
