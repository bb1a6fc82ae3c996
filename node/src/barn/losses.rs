//! Entries that the disk lost, for as long as nobody has said that they were
//! entered again.
//!
//! An append-only text file with a checksum on every line, beside the store
//! and in no backup: a store that is put back or rebuilt has lost them all the
//! same. Three kinds of lines: `hilang` (entries are lost, noted before the
//! epoch opens that lacks them), `sampai` (the district had confirmed up to
//! there), `diisi` (all of the above were entered again).

use std::io;
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

use lumbung_ledger::{Seq, line};
use lumbung_media::LineBook;

use super::Barn;

/// Entries that are lost: those after `kept` up to `witnessed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The last entry that is still here.
    pub kept: Seq,
    /// The last one that was.
    pub witnessed: Seq,
    /// The last one that the district had confirmed, as far as it is known.
    pub confirmed: Seq,
    /// When it was found, Unix milliseconds.
    pub at_ms: i64,
}

impl Loss {
    /// Whether the district had everything: it gives that back by itself.
    #[must_use]
    pub const fn is_at_district(&self) -> bool {
        self.confirmed.0 >= self.witnessed.0
    }
}

/// What is lost, open for appending.
#[derive(Debug, Default)]
pub struct Losses {
    /// In memory for barns without a folder.
    book: LineBook,
    lost: Vec<Loss>,
}

impl Losses {
    /// Reads what was noted in a village's folder; there need be nothing yet. A
    /// torn or damaged line costs that line.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let (book, lines) = LineBook::open(dir.join("lost"))?;
        let mut losses = Self { book, lost: Vec::new() };
        for text in lines {
            if text.and_then(|text| losses.take(&text)).is_none() {
                tracing::warn!("a line about lost entries can't be read");
            }
        }
        Ok(losses)
    }

    fn take(&mut self, text: &str) -> Option<()> {
        let mut words = text.split(' ');
        let kind = words.next()?;
        let mut number = || words.next()?.parse().ok();
        match kind {
            "hilang" => {
                let (kept, witnessed) = (Seq(number()?), Seq(number()?));
                let at_ms = i64::try_from(number()?).ok()?;
                self.lost.push(Loss { kept, witnessed, confirmed: Seq::ZERO, at_ms });
            }
            "sampai" => self.reached(Seq(number()?)),
            "diisi" => self.lost.clear(),
            _ => return None,
        }
        Some(())
    }

    fn reached(&mut self, confirmed: Seq) {
        if let Some(last) = self.lost.last_mut() {
            last.confirmed = confirmed;
        }
    }

    /// Notes that entries are lost; on disk when it returns. The same loss is
    /// noted once, however often opening was cut off behind it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn note(&mut self, loss: Loss) -> io::Result<()> {
        let Loss { kept, witnessed, confirmed, at_ms } = loss;
        let same = |known: &Loss| (known.kept, known.witnessed) == (kept, witnessed);
        if self.lost.last().is_some_and(same) {
            return Ok(());
        }
        let mut lines = line::seal(&format!("hilang {kept} {witnessed} {}", at_ms.max(0)));
        if confirmed > Seq::ZERO {
            lines.push_str(&line::seal(&format!("sampai {confirmed}")));
        }
        self.book.append(&lines)?;
        self.lost.push(loss);
        Ok(())
    }

    /// Notes how far the district had confirmed what the last loss took.
    fn confirm(&mut self, confirmed: Seq) -> io::Result<()> {
        if self.lost.last().is_none_or(|last| last.confirmed >= confirmed) {
            return Ok(());
        }
        self.book.append(&line::seal(&format!("sampai {confirmed}")))?;
        self.reached(confirmed);
        Ok(())
    }

    /// Notes that everything lost was entered again.
    fn entered(&mut self, at_ms: i64) -> io::Result<()> {
        self.book.append(&line::seal(&format!("diisi {}", at_ms.max(0))))?;
        self.lost.clear();
        Ok(())
    }
}

impl Barn {
    /// What the disk lost and the district may never have had, oldest first.
    #[must_use]
    pub fn losses(&self) -> Vec<Loss> {
        let lost = self.lost();
        lost.lost.iter().copied().filter(|loss| !loss.is_at_district()).collect()
    }

    /// The district had confirmed entries up to `confirmed` before the last
    /// loss was found.
    ///
    /// # Errors
    /// When it can't be noted.
    pub fn confirm_losses(&self, confirmed: Seq) -> io::Result<()> {
        self.lost().confirm(confirmed)
    }

    /// A person says that what was lost is entered again; how many losses that
    /// were.
    ///
    /// # Errors
    /// When it can't be noted; then they are still told.
    pub fn entered_again(&self, at_ms: i64) -> io::Result<usize> {
        let told = self.losses().len();
        if told > 0 {
            self.lost().entered(at_ms)?;
        }
        Ok(told)
    }

    fn lost(&self) -> MutexGuard<'_, Losses> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(kept: u64, witnessed: u64) -> Loss {
        Loss { kept: Seq(kept), witnessed: Seq(witnessed), confirmed: Seq::ZERO, at_ms: 7 }
    }

    #[test]
    fn a_loss_is_told_until_it_was_entered_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut losses = Losses::open(dir.path()).unwrap();
        losses.note(loss(5, 9)).unwrap();
        losses.note(loss(5, 9)).unwrap();
        losses.note(loss(6, 7)).unwrap();
        losses.confirm(Seq(7)).unwrap();
        losses.confirm(Seq(6)).unwrap();
        let mut again = Losses::open(dir.path()).unwrap();
        assert_eq!(again.lost, losses.lost);
        assert_eq!(again.lost, [loss(5, 9), Loss { confirmed: Seq(7), ..loss(6, 7) }]);
        assert!(again.lost[1].is_at_district() && !again.lost[0].is_at_district());
        again.entered(8).unwrap();
        again.note(loss(6, 8)).unwrap();
        assert_eq!(Losses::open(dir.path()).unwrap().lost, [loss(6, 8)]);
    }
}
