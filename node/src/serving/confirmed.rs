//! What the district has confirmed, and the number of the last contact: what
//! this node knows of its hub, kept outside the database.
//!
//! A confirmed position is never raised before the hub's Ack came and is
//! written at most once a second, so what the file says is always true; it
//! tells a hub that was restored from an older copy. The visit tells the hub
//! whether this disk has gone back in time. Neither is part of a backup.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lumbung_ledger::{Position, Seq};
use lumbung_link::world;
use tokio::sync::Notify;

use crate::barn::head::{position_from_slice, position_to_bytes};
use crate::barn::{Barn, Relation, StoreError};
use crate::kept::Kept;

/// How long a confirmed position may wait to be written.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// What the hub has confirmed, for the clerk's "safe at the district" sign
/// and for the hub itself. [`Confirmed::default`] keeps it in memory only.
#[derive(Debug, Default)]
pub struct Confirmed {
    told: Mutex<Told>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Told {
    position: Option<Position>,
    /// The last entry of this log that was confirmed before this start,
    /// whether the barn still holds it or not.
    before: Seq,
    at_ms: i64,
    file: Option<Kept>,
    unwritten: bool,
}

impl Confirmed {
    /// Opens what was kept in `dir`. A position that the barn's history does
    /// not hold any more, or of another log, counts for nothing.
    ///
    /// # Errors
    /// When the file or the barn can't be read.
    pub fn open(dir: &Path, barn: &Barn) -> Result<Self, StoreError> {
        let file = Kept::open(&dir.join("acked"), *b"LAK1").map_err(StoreError::Io)?;
        let position = file.last().and_then(position_from_slice);
        let head = barn.head().position;
        let told = position.filter(|position| position.log_id == head.log_id);
        let position = match told {
            Some(position) if barn.relate(position)? == Relation::Resume => Some(position),
            _ => None,
        };
        // Of an epoch before the last one it says nothing of what was lost.
        let last = |told: &Position| told.epoch.0 + 1 == head.epoch.0;
        let before = position.or(told.filter(last)).map_or(Seq::ZERO, |known| known.seq);
        if before > Seq::ZERO
            && let Err(error) = barn.confirm_losses(before)
        {
            // Then all of it counts as not confirmed.
            tracing::warn!(%error, "how far lost entries had been confirmed can't be noted");
        }
        let told = Told { position, before, file: Some(file), ..Told::default() };
        Ok(Self { told: Mutex::new(told), changed: Notify::new() })
    }

    /// The last position that is durable at the hub, as far as it said.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.told().position
    }

    /// The last entry that is durable at the hub, as far as it said.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.position().map_or(Seq::ZERO, |position| position.seq)
    }

    /// The last entry of this log that the hub had confirmed before this
    /// start, though the disk may have lost it since.
    #[must_use]
    pub fn before(&self) -> Seq {
        self.told().before
    }

    /// When it last said so, Unix milliseconds; 0 = not since this start.
    #[must_use]
    pub fn at_ms(&self) -> i64 {
        self.told().at_ms
    }

    /// The hub says that everything up to `position` is durable there.
    pub fn note(&self, position: Position, at_ms: i64) {
        let mut told = self.told();
        told.at_ms = at_ms;
        let newer = told.position.is_none_or(|known| {
            known.log_id != position.log_id
                || (known.epoch, known.seq) < (position.epoch, position.seq)
        });
        if newer {
            told.position = Some(position);
            told.unwritten = true;
            drop(told);
            self.changed.notify_one();
        }
    }

    /// Hub and log agreed on a fork: nothing beyond it counts as confirmed.
    pub(super) fn restarted(&self, fork: Position) {
        let mut told = self.told();
        told.position = Some(fork);
        told.unwritten = true;
        drop(told);
        self.changed.notify_one();
    }

    /// Writes what is not written yet.
    pub fn write(&self) {
        let mut told = self.told();
        let (Some(position), true) = (told.position, told.unwritten) else { return };
        let Some(file) = &mut told.file else { return };
        match file.keep(&position_to_bytes(position)) {
            Ok(()) => told.unwritten = false,
            // It weakens a later diagnosis, not the data.
            Err(error) => tracing::warn!(%error, "what the hub confirmed can't be kept"),
        }
    }

    /// Keeps what the hub confirms, for ever.
    pub async fn keep_writing(self: Arc<Self>) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(WRITE_EVERY).await;
            let confirmed = Arc::clone(&self);
            drop(world::blocking(move || confirmed.write()).await);
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of the last contact with a hub.
#[derive(Debug)]
pub struct Visits(Mutex<Kept>);

impl Visits {
    /// Opens what was kept in `dir`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Kept::open(&dir.join("visits"), *b"LVS1").map(|file| Self(Mutex::new(file)))
    }

    /// Keeps the number of this contact and gives the last one kept before
    /// it; 0 = none. A number lower than that one is not kept.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn meet(&self, visit: u64) -> io::Result<u64> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = file.last().and_then(|fact| fact.try_into().ok()).map_or(0, u64::from_le_bytes);
        if visit > kept {
            file.keep(&visit.to_le_bytes())?;
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::{ChainTag, Epoch, LogId};

    use super::*;

    fn at(epoch: u32, seq: u64) -> Position {
        let origin = Position::origin(LogId([5; 16]));
        Position { epoch: Epoch(epoch), seq: Seq(seq), chain: ChainTag([7; 16]), ..origin }
    }

    #[test]
    fn what_is_confirmed_only_rises_until_the_log_restarts() {
        let confirmed = Confirmed::default();
        for (position, stands) in [(at(1, 4), 4), (at(1, 3), 4), (at(2, 3), 3), (at(1, 9), 3)] {
            confirmed.note(position, 1);
            assert_eq!(confirmed.seq(), Seq(stands));
        }
        confirmed.restarted(at(1, 2));
        assert_eq!(confirmed.seq(), Seq(2));
        confirmed.note(Position { log_id: LogId([6; 16]), ..at(1, 1) }, 2);
        assert_eq!((confirmed.seq(), confirmed.at_ms()), (Seq(1), 2));
    }

    #[test]
    fn visits_are_kept_and_never_go_down() {
        let dir = tempfile::tempdir().unwrap();
        let visits = Visits::open(dir.path()).unwrap();
        assert_eq!(visits.meet(3).unwrap(), 0);
        assert_eq!(visits.meet(2).unwrap(), 3);
        drop(visits);
        assert_eq!(Visits::open(dir.path()).unwrap().meet(8).unwrap(), 3);
        assert_eq!(Visits::open(dir.path()).unwrap().meet(0).unwrap(), 8);
    }
}
