//! The store on sled: the only module that names it.
//!
//! What sled 0.34.7 does not promise is done here: `flush()` is
//! `sync_file_range` on Linux, so a checkpoint adds an fdatasync of sled's `db`
//! file, and between two checkpoints small batches are durable by way of the
//! [`Journal`]; the folder itself is fsynced once after creation; a
//! half-written snapshot that would make every later open fail is removed
//! before opening; a snapshot that sled can't read is set aside (sled then
//! rebuilds from its log, of which a copy is kept first). Opening runs under
//! `catch_unwind`, because a damaged file makes sled panic.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::fs::fstatvfs;

use super::journal::{self, JOURNAL_BYTES, Journal, Kept, Write};
use super::seal::{sealed, unsealed};
use super::store::{Pairs, Store, StoreError, WriteBatch};

/// Page cache, bytes. sled counts on-disk size, so real memory is higher;
/// 8 MiB keeps a village of 10,000 records under 30 MB resident.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// sled's own background flush, milliseconds. It also collects garbage:
/// switched off, memory grows without bound. Each run ends in an fsync of its
/// own, changed or not, so it is not made more often than that needs.
const BACKGROUND_FLUSH_MS: u64 = 5_000;

/// A lock that is on its way out is gone within this.
const FREE_WITHIN: Duration = Duration::from_secs(1);

/// A copy of sled's file from before it was opened without its snapshots.
const KEPT_LOG: &str = "aside.db";

/// The journal's file.
const JOURNAL: &str = "journal";

/// A batch that would take more than this in the journal goes to sled at once:
/// it is worth a flush of its own.
const SMALL_BYTES: usize = JOURNAL_BYTES / 8;

/// With less room on the disk every batch goes to sled at once: pages that sled
/// can't write any more would get into the way of reading, too.
const ROOM_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// Where sled keeps the number of its last batch. Behind every key of the barn
/// (see `keys`), so that no scan of it gets there.
const LAST_BATCH: &[u8] = b"\xffbatch";

/// The store on disk.
pub struct SledStore {
    db: sled::Db,
    tree: sled::Tree,
    log_file: File,
    batches: Mutex<Batches>,
}

/// What is applied, and by whom it is durable.
struct Batches {
    /// Number of the last one.
    last: u64,
    journal: Journal,
    /// Whether sled has batches that are not durable and not in the journal.
    ahead: bool,
    /// Whether a write to sled or the disk was begun and did not end well. sled
    /// may have a batch in part, and a disk that failed once may claim success
    /// the next time: the journal must stay as it is, for the next opening.
    broken: bool,
}

/// A repair that opening had to make. Each is a sentence for the clerk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenRepair {
    /// A snapshot was being written when the power failed; it was removed.
    HalfSnapshotRemoved,
    /// A snapshot was unreadable; it was set aside and rebuilt.
    SnapshotSetAside,
}

impl SledStore {
    /// Opens or creates the store in `dir`.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it open,
    /// [`StoreError::Damaged`] when it can't be opened even without its
    /// snapshots, [`StoreError::Io`] when the disk fails.
    pub fn open(dir: &Path) -> Result<(Self, Vec<OpenRepair>), StoreError> {
        let fresh = !dir.exists();
        let mut repairs = Vec::new();
        if remove_half_snapshots(dir)? {
            repairs.push(OpenRepair::HalfSnapshotRemoved);
        }
        let opened = match open_once_free(dir) {
            Err(StoreError::Damaged(_)) if !snapshots(dir)?.is_empty() => {
                keep_log(dir).map_err(StoreError::Io)?;
                set_snapshots_aside(dir)?;
                repairs.push(OpenRepair::SnapshotSetAside);
                try_open(dir)
            }
            opened => opened,
        };
        let (db, tree) = opened?;
        let log_file = File::open(dir.join("db")).map_err(StoreError::Io)?;
        let new_journal = !dir.join(JOURNAL).exists();
        let (journal, kept) = Journal::open(&dir.join(JOURNAL)).map_err(StoreError::Io)?;
        // Nothing outside the closure can see what a panic leaves half-done.
        let last = std::panic::catch_unwind(AssertUnwindSafe(|| catch_up(&tree, &kept)))
            .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())))?;
        let batches = Batches { last, journal, ahead: false, broken: false };
        let store = Self { db, tree, log_file, batches: Mutex::new(batches) };
        // What a process left in the system's cache when it was killed is
        // served from here on, and a power cut must not take it back.
        store.checkpoint(&mut store.batches())?;
        if new_journal {
            sync_dir(dir)?;
        }
        if fresh {
            sync_dir(dir)?;
            if let Some(parent) = dir.parent() {
                sync_dir(parent)?;
            }
        }
        Ok((store, repairs))
    }

    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether sled can write later what it does not write now.
    fn has_room(&self) -> bool {
        fstatvfs(&self.log_file)
            .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= ROOM_BYTES_MIN)
    }

    /// Makes sled durable with everything applied so far.
    fn checkpoint(&self, batches: &mut Batches) -> Result<(), StoreError> {
        batches.whole_or_broken(|batches| {
            self.db.flush().map_err(failed)?;
            self.log_file.sync_data().map_err(StoreError::Io)?;
            batches.journal.restart().map_err(StoreError::Io)?;
            batches.ahead = false;
            Ok(())
        })
    }

    /// Removes the copy of the file that opening without snapshots made in
    /// `dir`: everything turned out to be there.
    pub(super) fn forget_kept_log(dir: &Path) {
        // One that stays takes room and does no harm.
        drop(fs::remove_file(dir.join(KEPT_LOG)));
    }
}

impl Batches {
    /// Does what must not be done in part; nothing more is done once it was.
    fn whole_or_broken(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.broken {
            let error = "the store could not be written before";
            return Err(StoreError::Io(std::io::Error::other(error)));
        }
        // A panic leaves it so, too.
        self.broken = true;
        work(self)?;
        self.broken = false;
        Ok(())
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        // So that the next opening writes nothing. What can't be written now
        // is in the journal.
        drop(self.checkpoint(&mut self.batches()));
    }
}

/// Opens, waiting a moment for a lock that is on its way out: a process that
/// starts another one lends it the lock until the other has begun.
fn open_once_free(dir: &Path) -> Result<(sled::Db, sled::Tree), StoreError> {
    let begun = Instant::now();
    loop {
        match try_open(dir) {
            Err(StoreError::Busy(_)) if begun.elapsed() < FREE_WITHIN => {
                std::thread::sleep(FREE_WITHIN / 50);
            }
            opened => return opened,
        }
    }
}

fn try_open(dir: &Path) -> Result<(sled::Db, sled::Tree), StoreError> {
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(Some(BACKGROUND_FLUSH_MS));
    // Nothing outside the closure can see what a panic leaves half-done.
    let opened = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let db = config.open()?;
        let tree = db.open_tree(b"barn")?;
        Ok((db, tree))
    }));
    match opened {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(from_sled(error, dir)),
        Err(panic) => Err(from_panic(panic.as_ref())),
    }
}

fn from_panic(panic: &(dyn std::any::Any + Send)) -> StoreError {
    let text = panic.downcast_ref::<String>().map_or("", String::as_str);
    damage_or_disk(text, "opening it failed half-way".to_owned())
}

/// Applies what the journal has and sled has not, or in part, and gives the
/// number of the last batch.
fn catch_up(tree: &sled::Tree, kept: &[Kept]) -> Result<u64, StoreError> {
    let last = match tree.get(LAST_BATCH).map_err(failed)? {
        Some(stored) => number(&stored).ok_or_else(|| {
            StoreError::Damaged("the number of its last batch can't be read".to_owned())
        })?,
        None => 0,
    };
    // Keys reach sled in order and its log is cut off at its end only: a batch
    // whose number is there is there.
    let mut missing = kept.iter().filter(|batch| batch.number > last).peekable();
    if let Some(first) = missing.peek().filter(|first| first.number > last + 1) {
        // sled lost what it had once made durable. What is missing between
        // can't be guessed; the witness knows how far the barn had been.
        tracing::error!(last, first = first.number, "the journal does not continue the store");
        return Ok(last);
    }
    let mut end = last;
    for Kept { number, writes } in missing {
        apply_singly(tree, *number, writes)?;
        end = *number;
    }
    Ok(end)
}

fn number(stored: &[u8]) -> Option<u64> {
    let stored = unsealed(LAST_BATCH, &Bytes::copy_from_slice(stored));
    Some(u64::from_le_bytes(stored.as_ref().try_into().ok()?))
}

/// Applies a batch that the journal has.
fn apply_singly(tree: &sled::Tree, number: u64, writes: &[Write]) -> Result<(), StoreError> {
    for (key, value) in writes {
        match value {
            Some(value) => tree.insert(key, value.as_slice()),
            None => tree.remove(key),
        }
        .map_err(failed)?;
    }
    tree.insert(LAST_BATCH, numbered(number)).map_err(failed)?;
    Ok(())
}

/// Applies a batch that only sled gets, atomically.
fn apply_at_once(tree: &sled::Tree, number: u64, writes: Vec<Write>) -> Result<(), StoreError> {
    let mut batch = sled::Batch::default();
    for (key, value) in writes {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    batch.insert(LAST_BATCH, numbered(number));
    tree.apply_batch(batch).map_err(failed)
}

fn numbered(number: u64) -> Vec<u8> {
    sealed(LAST_BATCH, number.to_le_bytes().to_vec())
}

fn from_sled(error: sled::Error, dir: &Path) -> StoreError {
    match error {
        // sled reports a held lock as a plain I/O error of kind Other.
        sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
            StoreError::Busy(dir.to_path_buf())
        }
        // Nothing the system said: the file ends too early or makes no sense.
        sled::Error::Io(error)
            if error.raw_os_error().is_none()
                && matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
        {
            StoreError::Damaged(error.to_string())
        }
        sled::Error::Io(error) => StoreError::Io(error),
        other => damage_or_disk(&other.to_string(), other.to_string()),
    }
}

/// sled dresses what the system refused up as a bug or a panic of its own here
/// and there; only the system's words inside tell.
fn damage_or_disk(text: &str, damage: String) -> StoreError {
    let full = ["StorageFull", "No space left", "os error 28"];
    let refused = ["os error ", "Os { code: "];
    if full.iter().any(|words| text.contains(words)) {
        StoreError::Io(ErrorKind::StorageFull.into())
    } else if refused.iter().any(|words| text.contains(words)) {
        StoreError::Io(std::io::Error::other(damage))
    } else {
        StoreError::Damaged(damage)
    }
}

fn failed(error: sled::Error) -> StoreError {
    from_sled(error, Path::new(""))
}

fn snapshots(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for item in fs::read_dir(dir).map_err(StoreError::Io)? {
        let path = item.map_err(StoreError::Io)?.path();
        let named =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."));
        if named {
            found.push(path);
        }
    }
    Ok(found)
}

fn remove_half_snapshots(dir: &Path) -> Result<bool, StoreError> {
    let mut removed = false;
    for path in snapshots(dir)? {
        if path.to_string_lossy().ends_with(".generating") {
            fs::remove_file(&path).map_err(StoreError::Io)?;
            removed = true;
        }
    }
    Ok(removed)
}

/// Copies sled's file as it was found: without a snapshot sled cuts off what it
/// can't read, which people may want to. An earlier copy stays.
fn keep_log(dir: &Path) -> std::io::Result<()> {
    let kept = dir.join(KEPT_LOG);
    if kept.exists() {
        return Ok(());
    }
    let beside = dir.join(format!("{KEPT_LOG}.baru"));
    fs::copy(dir.join("db"), &beside)?;
    File::open(&beside)?.sync_all()?;
    fs::rename(&beside, &kept)?;
    File::open(dir)?.sync_all()
}

fn set_snapshots_aside(dir: &Path) -> Result<(), StoreError> {
    for path in snapshots(dir)? {
        let Some(name) = path.file_name() else { continue };
        let aside = dir.join(format!("aside.{}", name.to_string_lossy()));
        fs::rename(&path, aside).map_err(StoreError::Io)?;
    }
    Ok(())
}

fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::Io)
}

fn pair((key, value): (sled::IVec, sled::IVec)) -> (Bytes, Bytes) {
    let value = unsealed(&key, &Bytes::from_owner(value));
    (Bytes::from_owner(key), value)
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let stored = self.tree.get(key).map_err(failed)?;
        Ok(stored.map(|stored| unsealed(key, &Bytes::from_owner(stored))))
    }

    fn scan(&self, from: &[u8], to: &[u8]) -> Pairs<'_> {
        Box::new(self.tree.range(from..to).map(|item| item.map(pair).map_err(failed)))
    }

    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<(Bytes, Bytes)>, StoreError> {
        self.tree
            .range(from..=to)
            .next_back()
            .transpose()
            .map_err(failed)
            .map(|item| item.map(pair))
    }

    fn apply(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let mut writes = batch.into_writes();
        for (key, value) in &mut writes {
            *value = value.take().map(|value| sealed(key, value));
        }
        let small = journal::size(&writes) <= SMALL_BYTES && self.has_room();
        let mut batches = self.batches();
        // Pages that can't be read show here, before anything is written.
        for (key, _) in &writes {
            self.tree.get(key).map_err(failed)?;
        }
        let journaled = small && !batches.ahead;
        if journaled && !batches.journal.has_room(&writes) {
            self.checkpoint(&mut batches)?;
        }
        batches.whole_or_broken(|batches| {
            let number = batches.last + 1;
            if journaled {
                batches.journal.append(number, &writes).map_err(StoreError::Io)?;
                apply_singly(&self.tree, number, &writes)?;
            } else {
                apply_at_once(&self.tree, number, writes)?;
                batches.ahead = true;
            }
            batches.last = number;
            Ok(())
        })
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut batches = self.batches();
        // Whatever the journal has is durable already.
        if batches.ahead { self.checkpoint(&mut batches) } else { Ok(()) }
    }

    fn disk_bytes(&self) -> u64 {
        self.log_file.metadata().map_or(0, |data| data.len())
    }
}

#[cfg(test)]
mod tests;
