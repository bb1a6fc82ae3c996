//! The journal: what makes a small save durable in one fsync.
//!
//! sled alone needs two waits for the disk, one after the other: `flush()`
//! until its log was written, then our fdatasync until that survives a power
//! cut; and an atomic batch makes it write two buffers at once, flushed or not.
//! So a small batch goes into this file first, which lies beside sled's and
//! whose blocks all exist already: one write and one fdatasync. Then sled gets
//! it key by key, in memory, and writes it when it likes. Once the file is full,
//! sled is made durable and the file is written from its beginning again.
//!
//! Batches are numbered, and sled gets the number behind the last key: what
//! sled's log holds of the last batches is a beginning of them. Opening applies
//! those whose number is not there, whole, however many of their keys are. What
//! sled has already is not written again: that wears out its file, and a small
//! one that was rewritten so can't always be rebuilt without its snapshot. A
//! batch that was cut off was never acknowledged; it and whatever lies behind it
//! is ignored.
//!
//! ```text
//! batch = length of the body, u32 | number, u64 | sum, 16 bytes | body
//! body  = (length of the key, u32 | key | length of the value, u32 | value)*
//! ```
//!
//! Integers are little-endian; a value's length of `u32::MAX` removes the key. A
//! sum covers number, body and the sum before it, so that what an earlier round
//! left behind can't be taken for a continuation.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of the file. Some hundred saves between two checkpoints of sled, and
/// a size that a district of 248 on one disk does not feel.
pub const JOURNAL_BYTES: usize = 256 * 1024;

const SUM_BYTES: usize = 16;
const FRAME_BYTES: usize = 4 + 8 + SUM_BYTES;
const REMOVED: u32 = u32::MAX;

type Sum = [u8; SUM_BYTES];

/// A key and its new value as the store keeps it; `None` removes it.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// A batch found in the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub number: u64,
    /// Its writes, in order.
    pub writes: Vec<Write>,
}

/// The file, open for appending.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// Where the next batch goes.
    end: usize,
    /// Sum of the batch before it.
    last: Sum,
    /// The next batch, before it is written.
    frame: Vec<u8>,
    /// Whether the disk failed once: what it says afterwards proves nothing.
    failed: bool,
}

impl Journal {
    /// Opens the file, or creates it with all its blocks, and reads the batches
    /// in it. It is to be written from its beginning: the store must be durable
    /// with all of them first.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<Kept>)> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = vec![0; JOURNAL_BYTES];
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let length = length.min(JOURNAL_BYTES);
        file.read_exact_at(&mut bytes[..length], 0)?;
        if length < JOURNAL_BYTES {
            // Zeros, not a hole: a hole would be filled at each save's expense.
            file.write_all_at(&bytes[length..], length as u64)?;
            file.sync_all()?;
        }
        let kept = batches(&bytes);
        let journal = Self { file, end: 0, last: Sum::default(), frame: Vec::new(), failed: false };
        Ok((journal, kept))
    }

    /// Whether a batch fits behind those in the file.
    pub(super) fn has_room(&self, writes: &[Write]) -> bool {
        self.end + size(writes) <= JOURNAL_BYTES
    }

    /// Writes a batch and makes it durable. Numbers must follow one another.
    ///
    /// # Errors
    /// When there is no room, and nothing is written. When the file can't be
    /// written, now or once before: the batch must not be acknowledged.
    pub fn append(&mut self, number: u64, writes: &[Write]) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("the journal could not be written before"));
        }
        if !self.has_room(writes) {
            return Err(io::Error::other("the journal is full"));
        }
        self.frame.clear();
        self.frame.resize(FRAME_BYTES, 0);
        for (key, value) in writes {
            put_bytes(&mut self.frame, key);
            match value {
                Some(value) => put_bytes(&mut self.frame, value),
                None => self.frame.extend_from_slice(&REMOVED.to_le_bytes()),
            }
        }
        let (head, body) = self.frame.split_at_mut(FRAME_BYTES);
        let sum = sum(self.last, number, body);
        // It fits the file, which is smaller than u32::MAX.
        head[..4].copy_from_slice(&(body.len() as u32).to_le_bytes());
        head[4..12].copy_from_slice(&number.to_le_bytes());
        head[12..].copy_from_slice(&sum);
        self.failed = true;
        self.file.write_all_at(&self.frame, self.end as u64)?;
        self.file.sync_data()?;
        self.failed = false;
        self.end += self.frame.len();
        self.last = sum;
        Ok(())
    }

    /// Begins again at the file's beginning: the store is durable with all
    /// batches so far. Those in the file are forgotten, at the latest by the
    /// next one; applying them again would do nothing.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        self.file.write_all_at(&[0; FRAME_BYTES], 0)?;
        self.end = 0;
        self.last = Sum::default();
        Ok(())
    }

    /// Makes what [`Journal::restart`] did survive a power cut.
    ///
    /// # Errors
    /// When the file can't be synced.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Whether the file has a batch; nothing is written.
///
/// # Errors
/// When the file can't be read.
pub(super) fn has_batches(path: &Path) -> io::Result<bool> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(batch(&bytes, Sum::default()).is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Bytes that a batch takes in the file.
pub(super) fn size(writes: &[Write]) -> usize {
    let each = writes.iter().map(|(key, value)| 8 + key.len() + value.as_ref().map_or(0, Vec::len));
    FRAME_BYTES + each.sum::<usize>()
}

fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    // One that is too long for u32 is too long for the file.
    to.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    to.extend_from_slice(bytes);
}

fn sum(before: Sum, number: u64, body: &[u8]) -> Sum {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&before).update(&number.to_le_bytes()).update(body);
    let mut sum = Sum::default();
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..SUM_BYTES]);
    sum
}

/// The sound batches from the file's beginning on.
fn batches(mut bytes: &[u8]) -> Vec<Kept> {
    let mut kept: Vec<Kept> = Vec::new();
    let mut before = Sum::default();
    while let Some((batch, found, rest)) = batch(bytes, before) {
        if kept.last().is_some_and(|last| last.number.checked_add(1) != Some(batch.number)) {
            break;
        }
        kept.push(batch);
        (before, bytes) = (found, rest);
    }
    kept
}

fn batch(bytes: &[u8], before: Sum) -> Option<(Kept, Sum, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (found, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let number = u64::from_le_bytes(*number);
    if *found != sum(before, number, body) {
        return None;
    }
    Some((Kept { number, writes: writes(body)? }, *found, rest))
}

fn writes(mut body: &[u8]) -> Option<Vec<Write>> {
    let mut writes = Vec::new();
    while !body.is_empty() {
        let (key, rest) = take_bytes(body)?;
        let removed = rest.starts_with(&REMOVED.to_le_bytes());
        let (value, rest) = if removed {
            (None, &rest[4..])
        } else {
            let (value, rest) = take_bytes(rest)?;
            (Some(value.to_vec()), rest)
        };
        writes.push((key.to_vec(), value));
        body = rest;
    }
    Some(writes)
}

fn take_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(number: u64) -> Vec<Write> {
        let key = |letter: u8| vec![letter, (number % 256) as u8];
        vec![
            (key(b'L'), Some(vec![7; (number as usize * 31) % 300])),
            (key(b'S'), None),
            (key(b'X'), Some(Vec::new())),
        ]
    }

    fn fill(journal: &mut Journal, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            let end = journal.end;
            journal.append(number, &write(number)).unwrap();
            assert_eq!(journal.end, end + size(&write(number)));
        }
    }

    fn numbers(path: &Path) -> Vec<u64> {
        let (_, kept) = Journal::open(path).unwrap();
        for batch in &kept {
            assert_eq!(batch.writes, write(batch.number));
        }
        kept.iter().map(|batch| batch.number).collect()
    }

    /// An empty journal and where it lies.
    fn fresh() -> (tempfile::TempDir, std::path::PathBuf, Journal) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (journal, kept) = Journal::open(&path).unwrap();
        assert_eq!(kept, []);
        (dir, path, journal)
    }

    #[test]
    fn what_was_written_is_read_back_and_the_file_keeps_its_size() {
        let (_dir, path, mut journal) = fresh();
        fill(&mut journal, 1..=40);
        drop(journal);
        assert_eq!(numbers(&path), (1..=40).collect::<Vec<_>>());
        assert_eq!(path.metadata().unwrap().len(), JOURNAL_BYTES as u64);
    }

    #[test]
    fn a_batch_torn_at_any_byte_takes_only_itself_away() {
        let (_dir, path, mut journal) = fresh();
        fill(&mut journal, 1..=4);
        let begin = journal.end;
        fill(&mut journal, 5..=5);
        let end = journal.end;
        let whole = std::fs::read(&path).unwrap();
        for cut in begin..end {
            let mut torn = whole.clone();
            torn[cut..end].fill(0);
            if torn == whole {
                continue;
            }
            std::fs::write(&path, &torn).unwrap();
            assert_eq!(numbers(&path), [1, 2, 3, 4], "cut at {cut}");
        }
        for bit in begin * 8..end * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &flipped).unwrap();
            assert_eq!(numbers(&path), [1, 2, 3, 4], "bit {bit}");
        }
        std::fs::write(&path, &whole[..begin + 5]).unwrap();
        assert_eq!(numbers(&path), [1, 2, 3, 4], "a file cut off is filled up again");
        assert_eq!(path.metadata().unwrap().len(), JOURNAL_BYTES as u64);
    }

    #[test]
    fn what_an_earlier_round_left_behind_is_not_taken_for_a_continuation() {
        let (_dir, path, mut journal) = fresh();
        // Batches of one size, so that old and new ones lie in the same places.
        let of = |byte| vec![(b"M".to_vec(), Some(vec![byte; 80]))];
        for number in 1..=9 {
            journal.append(number, &of(7)).unwrap();
        }
        // The store went back in time and counts as it did before.
        journal.restart().unwrap();
        for number in 1..=2 {
            journal.append(number, &of(8)).unwrap();
        }
        let (_, kept) = Journal::open(&path).unwrap();
        let kept: Vec<_> = kept.into_iter().map(|batch| (batch.number, batch.writes)).collect();
        assert_eq!(kept, [(1, of(8)), (2, of(8))]);
    }

    #[test]
    fn a_batch_without_room_is_not_written() {
        let (_dir, path, mut journal) = fresh();
        fill(&mut journal, 1..=3);
        let large = [(b"L".to_vec(), Some(vec![7; JOURNAL_BYTES]))];
        assert!(!journal.has_room(&large));
        journal.append(4, &large).unwrap_err();
        assert_eq!(numbers(&path), [1, 2, 3]);
        fill(&mut journal, 4..=4);
        assert_eq!(numbers(&path), [1, 2, 3, 4]);
        journal.restart().unwrap();
        assert_eq!(numbers(&path), [0; 0]);
        fill(&mut journal, 5..=5);
        assert_eq!(numbers(&path), [5]);
    }

    #[test]
    fn after_the_disk_failed_once_nothing_is_durable_any_more() {
        let (_dir, path, mut journal) = fresh();
        fill(&mut journal, 1..=1);
        let writable = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
        journal.append(2, &write(2)).unwrap_err();
        journal.file = writable;
        journal.append(2, &write(2)).unwrap_err();
        assert_eq!(numbers(&path), [1]);
    }
}
