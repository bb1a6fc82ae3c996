//! The witness: what the barn last knew, kept outside the database.
//!
//! A small file with two slots written in turn, each with a checksum, so a
//! torn write leaves the other one readable. If the database comes back
//! behind its witness, it lost a tail that others may have seen, and a new
//! epoch must begin. The witness is written after the database is durable,
//! so it is never ahead of a sound one. It is never restored from a backup.

use std::io::{self, ErrorKind};
use std::path::Path;

use lumbung_ledger::{Epoch, LogId, Seq};

use crate::slots::Slots;

const SLOT_BYTES: usize = 64;
const MAGIC: &[u8; 4] = b"LWT1";

/// What the barn last knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Testimony {
    /// The log.
    pub log_id: LogId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its last durable entry.
    pub seq: Seq,
    /// How often the node has started.
    pub boots: u32,
}

/// The witness file.
#[derive(Debug)]
pub struct Witness {
    slots: Slots<SLOT_BYTES>,
    turn: u64,
    last: Option<Testimony>,
}

impl Witness {
    /// Opens or creates the file and reads the newest sound slot. On a disk
    /// that can only be read it is read.
    ///
    /// # Errors
    /// When the file can't be opened or read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (slots, written) = Slots::open(path)?;
        let written = written.ok_or(ErrorKind::NotFound)?;
        let newest = written.iter().filter_map(|slot| read_slot(slot)).max_by_key(|slot| slot.0);
        let turn = newest.map_or(0, |slot| slot.0);
        Ok(Self { slots, turn, last: newest.map(|slot| slot.1) })
    }

    /// The last testimony, if there ever was one.
    #[must_use]
    pub const fn last(&self) -> Option<Testimony> {
        self.last
    }

    /// Writes a testimony. Survives a crash of the process at once, a power
    /// cut after [`Witness::sync`].
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn testify(&mut self, testimony: Testimony) -> io::Result<()> {
        self.turn += 1;
        self.slots.write(self.turn, &write_slot(self.turn, &testimony))?;
        self.last = Some(testimony);
        Ok(())
    }

    /// Makes the last testimony survive a power cut.
    ///
    /// # Errors
    /// When the file can't be synced.
    pub fn sync(&self) -> io::Result<()> {
        self.slots.sync()
    }
}

fn write_slot(turn: u64, testimony: &Testimony) -> [u8; SLOT_BYTES] {
    let mut slot = [0_u8; SLOT_BYTES];
    slot[0..4].copy_from_slice(MAGIC);
    slot[4..12].copy_from_slice(&turn.to_le_bytes());
    slot[12..28].copy_from_slice(&testimony.log_id.0);
    slot[28..32].copy_from_slice(&testimony.epoch.0.to_le_bytes());
    slot[32..40].copy_from_slice(&testimony.seq.0.to_le_bytes());
    slot[40..44].copy_from_slice(&testimony.boots.to_le_bytes());
    let sum = blake3::hash(&slot[..48]);
    slot[48..].copy_from_slice(&sum.as_bytes()[..16]);
    slot
}

fn read_slot(slot: &[u8]) -> Option<(u64, Testimony)> {
    let sum = blake3::hash(slot.get(..48)?);
    if slot[0..4] != *MAGIC || slot[48..64] != sum.as_bytes()[..16] {
        return None;
    }
    let u64_at = |at: usize| Some(u64::from_le_bytes(slot.get(at..at + 8)?.try_into().ok()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(slot.get(at..at + 4)?.try_into().ok()?));
    Some((
        u64_at(4)?,
        Testimony {
            log_id: LogId::from_slice(slot.get(12..28)?)?,
            epoch: Epoch(u32_at(28)?),
            seq: Seq(u64_at(32)?),
            boots: u32_at(40)?,
        },
    ))
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn testimony(seq: u64) -> Testimony {
        Testimony { log_id: LogId([7; 16]), epoch: Epoch(2), seq: Seq(seq), boots: 3 }
    }

    #[test]
    fn a_torn_write_leaves_the_testimony_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        let mut witness = Witness::open(&path).unwrap();
        assert_eq!(witness.last(), None);
        for seq in 1..=5 {
            witness.testify(testimony(seq)).unwrap();
        }
        drop(witness);
        assert_eq!(Witness::open(&path).unwrap().last(), Some(testimony(5)));

        // The fifth turn wrote the second slot; tear it in the middle.
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0xff; 8], SLOT_BYTES as u64 + 20).unwrap();
        let mut witness = Witness::open(&path).unwrap();
        assert_eq!(witness.last(), Some(testimony(4)));
        witness.testify(testimony(6)).unwrap();
        drop(witness);
        assert_eq!(Witness::open(&path).unwrap().last(), Some(testimony(6)));
    }
}
