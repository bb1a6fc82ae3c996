//! The erasure ledger: which records were erased on request, kept outside
//! the store so that a store put back from older media can be told again.
//!
//! An append-only text file with a checksum on every line, fsynced before the
//! store erases. Holds record ids, numbers, times and a reason code, never
//! personal data. Three kinds of lines: `hapus` (a record is erased),
//! `terima` (the district confirmed it), `gosok` (the store was rewritten, so
//! everything erased above left the disk). The last line about a record
//! counts. Never restored from a backup.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::str::FromStr;

use lumbung_domain::id::RecordId;
use lumbung_ledger::{Epoch, Seq, line};
use lumbung_media::LineBook;

/// Why a record was erased. A choice, not a text: a text could carry the very
/// data that was to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureReason {
    /// The person asked for it (UU 27/2022 pasal 8).
    PermintaanWarga,
    /// A court or an authority ordered it.
    Putusan,
    /// It never belonged here.
    SalahInput,
    /// The district handed the erasure over.
    Kabupaten,
}

impl ErasureReason {
    /// Its word in the ledger and on the command line.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PermintaanWarga => "permintaan-warga",
            Self::Putusan => "putusan",
            Self::SalahInput => "salah-input",
            Self::Kabupaten => "kabupaten",
        }
    }
}

/// The text is no reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reason code of erasures")]
pub struct UnknownReasonError;

impl FromStr for ErasureReason {
    type Err = UnknownReasonError;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        [Self::PermintaanWarga, Self::Putusan, Self::SalahInput, Self::Kabupaten]
            .into_iter()
            .find(|reason| reason.code() == code)
            .ok_or(UnknownReasonError)
    }
}

/// One erased record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The record.
    pub id: RecordId,
    /// The epoch of its erasure.
    pub epoch: Epoch,
    /// The entry that erased it, or the head then when the log never had it.
    pub seq: Seq,
    /// When, the node's wall clock, Unix milliseconds.
    pub at_ms: i64,
    /// Why.
    pub reason: ErasureReason,
    /// When the district confirmed it, the node's wall clock; `None` = not yet.
    pub confirmed_ms: Option<i64>,
    /// Whether its bytes have left the store's files.
    pub scrubbed: bool,
}

impl Erasure {
    fn line(&self) -> String {
        let Self { id, epoch, seq, at_ms, reason, .. } = self;
        line::seal(&format!("hapus {id} {epoch} {seq} {at_ms} {}", reason.code()))
    }
}

/// The ledger, open for appending.
#[derive(Debug, Default)]
pub struct Erasures {
    /// In memory for barns without a folder.
    book: LineBook,
    erased: BTreeMap<RecordId, Erasure>,
    unreadable: u64,
}

impl Erasures {
    /// Reads the ledger; there need be none yet. A torn or damaged line costs
    /// that line; see [`Erasures::unreadable`].
    ///
    /// # Errors
    /// When the file can't be opened or read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (book, lines) = LineBook::open(path.to_path_buf())?;
        let mut ledger = Self { book, ..Self::default() };
        for text in lines {
            if text.and_then(|text| ledger.take(&text)).is_none() {
                ledger.unreadable += 1;
            }
        }
        Ok(ledger)
    }

    fn take(&mut self, text: &str) -> Option<()> {
        let mut words = text.split(' ');
        let kind = words.next()?;
        if kind == "gosok" {
            self.erased.values_mut().for_each(|erasure| erasure.scrubbed = true);
            return Some(());
        }
        let id = words.next()?.parse().ok()?;
        match kind {
            "hapus" => {
                let erasure = Erasure {
                    id,
                    epoch: Epoch(words.next()?.parse().ok()?),
                    seq: Seq(words.next()?.parse().ok()?),
                    at_ms: words.next()?.parse().ok()?,
                    reason: words.next()?.parse().ok()?,
                    confirmed_ms: None,
                    scrubbed: false,
                };
                self.erased.insert(id, erasure);
            }
            "terima" => {
                let at_ms = words.next()?.parse().ok()?;
                self.erased.get_mut(&id)?.confirmed_ms = Some(at_ms);
            }
            _ => return None,
        }
        Some(())
    }

    /// Notes erasures that are about to happen; on disk when it returns.
    ///
    /// # Errors
    /// When the file can't be written; then nothing may be erased.
    pub fn record(&mut self, erasures: &[Erasure]) -> io::Result<()> {
        self.book.append(&erasures.iter().map(Erasure::line).collect::<String>())?;
        self.erased.extend(erasures.iter().map(|erasure| (erasure.id, *erasure)));
        Ok(())
    }

    /// Notes that the district has everything up to `upto`.
    ///
    /// # Errors
    /// When the file can't be written; asking again is harmless.
    pub fn confirm(&mut self, epoch: Epoch, upto: Seq, at_ms: i64) -> io::Result<()> {
        let confirmed: Vec<_> = self
            .erased
            .values_mut()
            .filter(|it| it.confirmed_ms.is_none() && it.epoch <= epoch && it.seq <= upto)
            .collect();
        if confirmed.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for erasure in confirmed {
            erasure.confirmed_ms = Some(at_ms);
            lines.push_str(&line::seal(&format!("terima {} {at_ms}", erasure.id)));
        }
        self.book.append(&lines)
    }

    /// Notes that the store was rewritten.
    ///
    /// # Errors
    /// When the file can't be written; the store is rewritten again then.
    pub fn scrubbed(&mut self, at_ms: i64) -> io::Result<()> {
        self.book.append(&line::seal(&format!("gosok {at_ms}")))?;
        self.erased.values_mut().for_each(|erasure| erasure.scrubbed = true);
        Ok(())
    }

    /// Whether this record was erased.
    #[must_use]
    pub fn holds(&self, id: RecordId) -> bool {
        self.erased.contains_key(&id)
    }

    /// Every erased record, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Erasure> {
        self.erased.values()
    }

    /// Whether erased bytes may still lie in the store's files.
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
    use super::*;

    fn erasure(number: u64) -> Erasure {
        Erasure {
            id: RecordId::from_parts(1_790_000_000_000, 0, number),
            epoch: Epoch(2),
            seq: Seq(number),
            at_ms: 7,
            reason: ErasureReason::Putusan,
            confirmed_ms: None,
            scrubbed: false,
        }
    }

    #[test]
    fn what_was_noted_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("erasures");
        let mut ledger = Erasures::open(&path).unwrap();
        assert!(!ledger.scrub_pending());
        ledger.record(&[erasure(1), erasure(2)]).unwrap();
        ledger.scrubbed(8).unwrap();
        ledger.record(&[erasure(3)]).unwrap();
        ledger.confirm(Epoch(1), Seq(9), 8).unwrap();
        assert!(ledger.iter().all(|erasure| erasure.confirmed_ms.is_none()), "other epoch");
        ledger.confirm(Epoch(2), Seq(2), 9).unwrap();
        let again = Erasures::open(&path).unwrap();
        assert_eq!(again.iter().collect::<Vec<_>>(), ledger.iter().collect::<Vec<_>>());
        let seen: Vec<_> = again.iter().map(|it| (it.scrubbed, it.confirmed_ms)).collect();
        assert_eq!(seen, [(true, Some(9)), (true, Some(9)), (false, None)]);
        assert!(again.scrub_pending());
        assert_eq!(again.unreadable(), 0);
    }

    #[test]
    fn a_torn_line_costs_itself_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("erasures");
        let mut ledger = Erasures::open(&path).unwrap();
        ledger.record(&[erasure(1), erasure(2)]).unwrap();
        drop(ledger);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
        let mut ledger = Erasures::open(&path).unwrap();
        assert_eq!((ledger.unreadable(), ledger.iter().count()), (1, 1));
        ledger.record(&[erasure(3)]).unwrap();
        let ledger = Erasures::open(&path).unwrap();
        assert_eq!((ledger.unreadable(), ledger.iter().count()), (1, 2));
    }
}
