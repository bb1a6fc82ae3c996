//! The district's erasure ledger: which records villages erased on request,
//! kept outside the dataset's file so that a file put back from older media
//! can be told again.
//!
//! An append-only text file with a checksum on every line, fsynced before the
//! transaction that erases commits. Holds village codes, record ids, numbers
//! and times, never personal data. `hapus` lines say what was erased and when
//! the district learned of it (its receipt), `gosok` lines that the dataset's
//! file was rewritten since. Never restored from a backup.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Epoch, Seq, line};
use lumbung_media::LineBook;

/// One erased record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Whose.
    pub village: VillageCode,
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: KindCode,
    /// The epoch of the entry that erased it.
    pub epoch: Epoch,
    /// That entry's number.
    pub seq: Seq,
    /// When the village erased it, the node's wall clock, Unix milliseconds.
    pub at_ms: i64,
    /// When the district learned of it, hub clock, Unix milliseconds.
    pub received_ms: i64,
    /// Whether the dataset's file was rewritten since.
    pub scrubbed: bool,
}

impl Erasure {
    fn line(&self) -> String {
        let Self { village, id, kind, epoch, seq, at_ms, received_ms, .. } = self;
        let village = village.as_u64();
        line::seal(&format!("hapus {village} {id} {} {epoch} {seq} {at_ms} {received_ms}", kind.0))
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("hapus ")?.split(' ');
        Some(Self {
            village: VillageCode::from_u64(words.next()?.parse().ok()?)?,
            id: words.next()?.parse().ok()?,
            kind: KindCode(words.next()?.parse().ok()?),
            epoch: Epoch(words.next()?.parse().ok()?),
            seq: Seq(words.next()?.parse().ok()?),
            at_ms: words.next()?.parse().ok()?,
            received_ms: words.next()?.parse().ok()?,
            scrubbed: false,
        })
    }
}

/// The ledger as read; appends go to the file at once.
#[derive(Debug)]
pub struct Erasures {
    book: LineBook,
    erased: BTreeMap<(VillageCode, RecordId), Erasure>,
    unreadable: u64,
}

impl Erasures {
    /// Reads the ledger at `path`; there need be none yet. A torn or damaged
    /// line costs that line; see [`Erasures::unreadable`].
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let (book, lines) = LineBook::open(path)?;
        let mut ledger = Self { book, erased: BTreeMap::new(), unreadable: 0 };
        for text in lines {
            match text {
                Some(text) if text.starts_with("gosok ") => ledger.all_scrubbed(),
                text => match text.as_deref().and_then(Erasure::read) {
                    Some(erasure) => ledger.put(erasure),
                    None => ledger.unreadable += 1,
                },
            }
        }
        Ok(ledger)
    }

    fn put(&mut self, erasure: Erasure) {
        self.erased.insert((erasure.village, erasure.id), erasure);
    }

    fn all_scrubbed(&mut self) {
        self.erased.values_mut().for_each(|erasure| erasure.scrubbed = true);
    }

    /// Notes erasures that are about to happen; on disk when it returns.
    ///
    /// # Errors
    /// When the file can't be written; then nothing may be erased.
    pub fn record(&mut self, erasures: &[Erasure]) -> io::Result<()> {
        if erasures.is_empty() {
            return Ok(());
        }
        self.book.append(&erasures.iter().map(Erasure::line).collect::<String>())?;
        erasures.iter().for_each(|erasure| self.put(*erasure));
        Ok(())
    }

    /// Notes that the dataset's file was rewritten.
    ///
    /// # Errors
    /// When the file can't be written; the dataset is rewritten again then.
    pub fn scrubbed(&mut self, at_ms: i64) -> io::Result<()> {
        self.book.append(&line::seal(&format!("gosok {at_ms}")))?;
        self.all_scrubbed();
        Ok(())
    }

    /// Whether this very erasure is noted.
    #[must_use]
    pub fn knows(&self, erasure: &Erasure) -> bool {
        let noted = self.erased.get(&(erasure.village, erasure.id));
        noted.is_some_and(|noted| (noted.epoch, noted.seq) >= (erasure.epoch, erasure.seq))
    }

    /// The erasure of a record, if it was erased.
    #[must_use]
    pub fn of(&self, village: VillageCode, id: RecordId) -> Option<&Erasure> {
        self.erased.get(&(village, id))
    }

    /// Every erased record, by village and id.
    pub fn iter(&self) -> impl Iterator<Item = &Erasure> {
        self.erased.values()
    }

    /// Whether erased bytes may still lie in the dataset's file.
    #[must_use]
    pub fn scrub_pending(&self) -> bool {
        self.erased.values().any(|erasure| !erasure.scrubbed)
    }

    /// Lines that could not be read.
    #[must_use]
    pub const fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn erasure(number: u64) -> Erasure {
        Erasure {
            village: VillageCode::from_u64(3_505_012_001).unwrap(),
            id: RecordId::from_parts(1_790_000_000_000, 0, number),
            kind: KindCode(7),
            epoch: Epoch(2),
            seq: Seq(number),
            at_ms: -7,
            received_ms: 9,
            scrubbed: false,
        }
    }

    #[test]
    fn what_was_noted_is_read_again_and_a_torn_line_costs_itself_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erasures");
        let mut ledger = Erasures::open(path.clone()).unwrap();
        ledger.record(&[]).unwrap();
        assert!(!path.exists() && !ledger.scrub_pending());
        ledger.record(&[erasure(1), erasure(2)]).unwrap();
        ledger.scrubbed(3).unwrap();
        ledger.record(&[erasure(3)]).unwrap();
        let again = Erasures::open(path.clone()).unwrap();
        assert_eq!(again.iter().collect::<Vec<_>>(), ledger.iter().collect::<Vec<_>>());
        assert!(again.knows(&erasure(1)) && !again.knows(&erasure(4)));
        let newer = Erasure { epoch: Epoch(3), ..erasure(1) };
        assert!(!again.knows(&newer));
        assert_eq!(again.iter().filter(|erasure| erasure.scrubbed).count(), 2);

        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
        let mut torn = Erasures::open(path.clone()).unwrap();
        assert_eq!((torn.iter().count(), torn.unreadable()), (2, 1));
        torn.record(&[erasure(4)]).unwrap();
        let again = Erasures::open(path).unwrap();
        assert_eq!((again.iter().count(), again.unreadable()), (3, 1));
    }
}
