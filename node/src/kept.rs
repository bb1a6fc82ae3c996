//! A small fact kept durably in a file of its own, outside the database.
//!
//! Two slots written in turn, each with a checksum: a torn write leaves the
//! other one readable, so a reader gets the last fact or the one before it,
//! never a mixture. Such files are never part of a backup: they tell how far
//! this very disk has come.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::slots::Slots;

const SLOT_BYTES: usize = 128;

/// Magic and turn come before the fact.
const FACT_AT: usize = 12;

/// Most bytes of a fact.
const FACT_BYTES_MAX: usize = 96;

/// The checksum fills the rest of a slot.
const SUM_AT: usize = FACT_AT + 1 + FACT_BYTES_MAX;

/// The file.
#[derive(Debug)]
pub struct Kept {
    slots: Slots<SLOT_BYTES>,
    magic: [u8; 4],
    turn: u64,
    last: Option<Vec<u8>>,
}

impl Kept {
    /// Opens or creates the file and reads the newest sound slot. `magic`
    /// says what kind of fact it is. On a disk that can only be read it is read,
    /// if it is there.
    ///
    /// # Errors
    /// When the file can't be opened or read.
    pub fn open(path: &Path, magic: [u8; 4]) -> io::Result<Self> {
        let (slots, written) = Slots::open(path)?;
        let written = written.iter().flatten();
        let newest = written.filter_map(|slot| read_slot(slot, magic)).max_by_key(|slot| slot.0);
        let (turn, last) = newest.map_or((0, None), |(turn, fact)| (turn, Some(fact)));
        Ok(Self { slots, magic, turn, last })
    }

    /// The last fact that was kept.
    #[must_use]
    pub fn last(&self) -> Option<&[u8]> {
        self.last.as_deref()
    }

    /// Keeps a fact of at most 96 bytes in place of the last one. Durable on
    /// return.
    ///
    /// # Errors
    /// When the file can't be written, or the fact is longer.
    pub fn keep(&mut self, fact: &[u8]) -> io::Result<()> {
        let length = u8::try_from(fact.len()).ok().filter(|_| fact.len() <= FACT_BYTES_MAX);
        let Some(length) = length else { return Err(ErrorKind::InvalidInput.into()) };
        let turn = self.turn + 1;
        let mut slot = [0_u8; SLOT_BYTES];
        slot[..4].copy_from_slice(&self.magic);
        slot[4..FACT_AT].copy_from_slice(&turn.to_le_bytes());
        slot[FACT_AT] = length;
        slot[FACT_AT + 1..FACT_AT + 1 + fact.len()].copy_from_slice(fact);
        let sum = blake3::hash(&slot[..SUM_AT]);
        slot[SUM_AT..].copy_from_slice(&sum.as_bytes()[..SLOT_BYTES - SUM_AT]);
        self.slots.write(turn, &slot)?;
        self.slots.sync()?;
        self.turn = turn;
        self.last = Some(fact.to_vec());
        Ok(())
    }
}

fn read_slot(slot: &[u8], magic: [u8; 4]) -> Option<(u64, Vec<u8>)> {
    let sum = blake3::hash(slot.get(..SUM_AT)?);
    if slot[..4] != magic || slot[SUM_AT..] != sum.as_bytes()[..SLOT_BYTES - SUM_AT] {
        return None;
    }
    let turn = u64::from_le_bytes(slot[4..FACT_AT].try_into().ok()?);
    let length = usize::from(slot[FACT_AT]);
    Some((turn, slot.get(FACT_AT + 1..FACT_AT + 1 + length)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    const MAGIC: [u8; 4] = *b"UJI1";

    #[test]
    fn a_torn_write_leaves_the_fact_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fakta");
        let mut kept = Kept::open(&path, MAGIC).unwrap();
        assert_eq!(kept.last(), None);
        for number in 1..=5_u8 {
            kept.keep(&[number; 44]).unwrap();
        }
        assert!(kept.keep(&[0; FACT_BYTES_MAX + 1]).is_err());
        drop(kept);
        assert_eq!(Kept::open(&path, MAGIC).unwrap().last(), Some([5; 44].as_slice()));
        assert_eq!(Kept::open(&path, *b"LAIN").unwrap().last(), None);

        // The fifth turn wrote the second slot; tear it in the middle.
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0xff; 8], SLOT_BYTES as u64 + 20).unwrap();
        let mut kept = Kept::open(&path, MAGIC).unwrap();
        assert_eq!(kept.last(), Some([4; 44].as_slice()));
        kept.keep(b"enam").unwrap();
        drop(kept);
        assert_eq!(Kept::open(&path, MAGIC).unwrap().last(), Some(b"enam".as_slice()));
    }
}
