//! The backups a running node makes by itself.
//!
//! Village machines are often off at night: a backup is made at night if the
//! machine is on then, otherwise as soon as the last one is a day old.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lumbung_telemetry::clock;

use super::aside::forget_damaged_stores;
use super::{BackupError, Shelf, forget_old_stores, write};
use crate::config::BackupSettings;
use crate::village::Village;

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);

/// The first look, once the start's own work and the catching up after it are
/// over.
const FIRST_LOOK: Duration = Duration::from_secs(5 * 60);

/// Nodes that start together, as on a machine that holds many, look one after
/// another within this time.
const SPREAD_SECONDS: u64 = 10 * 60;

/// Hours in which nobody works at a village office.
const NIGHT: std::ops::Range<i8> = 0..5;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// The share of the disk's free space that backups may take: one tenth.
const FREE_SHARE: u64 = 10;

/// Whether a backup is due, given when the last one was made.
#[must_use]
pub fn due(last_ms: Option<i64>, now_ms: i64) -> bool {
    let Some(last_ms) = last_ms else { return true };
    let age_ms = now_ms - last_ms;
    // A clock that was set back makes the last one look like tomorrow's.
    let night = NIGHT.contains(&clock::local(now_ms).hour());
    !(0..24 * HOUR_MS).contains(&age_ms) || (night && age_ms >= 18 * HOUR_MS)
}

/// Says whether the district has lately confirmed all that the village holds.
pub type AllSafe = Arc<dyn Fn() -> bool + Send + Sync>;

/// Makes the backups of one running node.
#[derive(Clone)]
pub struct Nightly {
    village: Village,
    dir: PathBuf,
    settings: BackupSettings,
    all_safe: AllSafe,
    failure: Arc<Mutex<Option<String>>>,
}

impl Nightly {
    /// For the village in `dir`.
    #[must_use]
    pub fn new(
        village: Village,
        dir: PathBuf,
        settings: BackupSettings,
        all_safe: AllSafe,
    ) -> Self {
        Self { village, dir, settings, all_safe, failure: Arc::default() }
    }

    /// Works for ever.
    pub async fn run(self) {
        // Neighbouring villages have neighbouring codes.
        let turn = self.village.code().as_u64().wrapping_mul(7) % SPREAD_SECONDS;
        tokio::time::sleep(FIRST_LOOK + Duration::from_secs(turn)).await;
        loop {
            let look = self.clone();
            // Only a stopping node ends it early.
            drop(tokio::task::spawn_blocking(move || look.look()).await);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub(super) fn look(&self) {
        if (self.all_safe)() {
            match forget_old_stores(&self.dir) {
                Ok(true) => tracing::info!("the store a backup had replaced was removed"),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "a replaced store can't be removed"),
            }
        }
        let last_erasure_ms = self.village.barn().erased().iter().map(|it| it.at_ms).max();
        let now_ms = self.village.clock().now_ms();
        match forget_damaged_stores(&self.dir, now_ms, last_erasure_ms) {
            Ok(0) => {}
            Ok(stores) => tracing::info!(stores, "damaged stores that may go were removed"),
            Err(error) => tracing::warn!(%error, "a damaged store can't be removed"),
        }
        if self.settings.keep == 0 {
            return;
        }
        let failure = match self.back_up() {
            Ok(()) => None,
            // Said once by the status; nothing to repeat in the log.
            Err(BackupError::Unprotected) => return,
            Err(error) => Some(error.to_string()),
        };
        let mut known = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_some() && *known != failure {
            tracing::warn!(error = failure.as_deref(), "no backup could be made");
        }
        *known = failure;
    }

    /// Makes a backup if one is due and there is something new.
    fn back_up(&self) -> Result<(), BackupError> {
        let shelf = Shelf::of(&self.dir);
        let newest = shelf.list()?.into_iter().next();
        let head = self.village.barn().head().position;
        let now = self.village.clock().now_ms();
        let same = newest.as_ref().is_some_and(|kept| kept.at == (head.epoch, head.seq));
        if same || !due(newest.as_ref().map(|kept| kept.at_ms), now) {
            return Ok(());
        }
        std::fs::create_dir_all(shelf.folder())?;
        let bytes = newest.map_or(0, |kept| kept.bytes);
        let allowed = allowed_bytes(&shelf)?;
        if bytes > allowed {
            return Err(BackupError::NoRoom { bytes, allowed });
        }
        let proven = write(&self.village, &self.dir, shelf.folder(), None)?;
        tracing::info!(bytes = proven.bytes, seq = proven.head.position.seq.0, "backup proven");
        let allowed = allowed_bytes(&shelf)?;
        match shelf.thin(self.settings.keep as usize, allowed)? {
            0 => Err(BackupError::NoRoom { bytes: proven.bytes, allowed }),
            _ => Ok(()),
        }
    }
}

/// What all backups together may take: a tenth of what would be free without
/// them.
fn allowed_bytes(shelf: &Shelf) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(shelf.folder())?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let taken: u64 = shelf.list()?.iter().map(|kept| kept.bytes).sum();
    Ok(free.saturating_add(taken) / FREE_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Midnight in East Java.
    const MIDNIGHT: i64 = 1_790_010_000_000 - 1_790_010_000_000 % (24 * HOUR_MS) + 17 * HOUR_MS;

    #[test]
    fn a_backup_is_due_at_night_or_once_a_day() {
        assert!(due(None, MIDNIGHT));
        let noon = MIDNIGHT + 12 * HOUR_MS;
        assert!(due(Some(MIDNIGHT - 18 * HOUR_MS), MIDNIGHT));
        assert!(!due(Some(MIDNIGHT - 17 * HOUR_MS), MIDNIGHT));
        assert!(!due(Some(noon - 23 * HOUR_MS), noon));
        assert!(due(Some(noon - 24 * HOUR_MS), noon));
        assert!(due(Some(noon + 400 * HOUR_MS), noon), "the clock was set back");
    }
}
