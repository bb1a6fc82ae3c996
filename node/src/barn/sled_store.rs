//! The store on sled: the only module that names it, with its yardstick.
//!
//! What sled 0.34.7 does not promise is done here: `flush()` is
//! `sync_file_range` on Linux, so a checkpoint adds an fdatasync of sled's `db`
//! file, and between two checkpoints small batches are durable by way of the
//! [`Journal`]; the folder itself is fsynced at every opening; what a failed
//! write left in the system's cache is read anew from the disk; a half-written
//! snapshot that would make every later open fail is removed before opening; a
//! snapshot that sled can't read is set aside. Without one sled rebuilds from
//! its log and cuts off what it can't read, so a copy is kept first. Opening
//! runs under `catch_unwind`, because a damaged file makes sled panic.

mod files;
mod raw;
mod standin;

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

pub(super) use self::files::hold;
use self::files::{DB, FREE_WITHIN, JOURNAL};
pub use self::raw::save_raw;
pub(super) use self::standin::{Place, StandIn, beside_copy};
use super::journal::{self, JOURNAL_BYTES, Journal, Kept, Write};
use super::seal::{sealed, unsealed};
use super::store::{Hindrance, Pairs, Store, StoreError, WriteBatch};

/// Page cache, bytes. sled counts on-disk size, so real memory is higher;
/// 8 MiB keeps a village of 10,000 records under 30 MB resident.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// sled's own background flush, milliseconds. It also collects garbage:
/// switched off, memory grows without bound. Each run ends in an fsync of its
/// own, changed or not, so it is not made more often than that needs.
const BACKGROUND_FLUSH_MS: u64 = 5_000;

/// A batch that would take more than this in the journal goes to sled at once:
/// it is worth a flush of its own.
const SMALL_BYTES: usize = JOURNAL_BYTES / 8;

/// With less room on the disk every batch goes to sled at once: pages that sled
/// can't write any more would get into the way of reading, too.
const ROOM_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// A store that had no room is opened anew with at least this much: a few of
/// sled's segments, so that it does not fail again over opening.
const ROOM_BYTES_AGAIN: u64 = 4 * 1024 * 1024;

/// Where sled keeps the number of its last batch. Behind every key of the barn
/// (see `keys`), so that no scan of it gets there.
const LAST_BATCH: &[u8] = b"\xffbatch";

/// The store on disk.
pub struct SledStore {
    db: sled::Db,
    tree: sled::Tree,
    dir: PathBuf,
    log_file: File,
    gap: bool,
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
    /// Length of sled's file when it was synced last.
    synced_bytes: u64,
    /// Files beside it that were synced.
    synced_blobs: HashSet<OsString>,
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
    /// Opens or creates the store in `dir`. Before sled opens one that has no
    /// snapshot its file is copied.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it open,
    /// [`StoreError::Damaged`] when it can't be opened even without its
    /// snapshots, [`StoreError::Io`] when the disk fails.
    pub fn open(dir: &Path) -> Result<(Self, Vec<OpenRepair>), StoreError> {
        Self::open_with(dir, Copies::Kept)
    }

    /// Opens or creates a store that nobody but this process wrote, and which
    /// can be written again.
    ///
    /// # Errors
    /// As [`SledStore::open`].
    pub(crate) fn open_own(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self::open_with(dir, Copies::Needless)?.0)
    }

    /// Opens a store that this process had open when a write failed: what the
    /// system still holds of its files is not believed.
    ///
    /// # Errors
    /// As [`SledStore::open`]; [`StoreError::Damaged`] as well when batches
    /// that were durable are missing.
    pub(super) fn open_from_disk(dir: &Path) -> Result<Self, StoreError> {
        files::read_from_disk(dir).map_err(StoreError::Io)?;
        let (store, repairs) = Self::open(dir)?;
        tracing::info!(?repairs, "the store was opened anew");
        if store.gap {
            return Err(StoreError::Damaged("batches that were durable are missing".to_owned()));
        }
        Ok(store)
    }

    /// Whether what kept the disk from opening a store in `dir` is gone.
    pub(super) fn takes_writes_in(dir: &Path, hindrance: Hindrance) -> bool {
        let writable = hindrance == Hindrance::Full || files::takes_a_write(dir).is_ok();
        writable && File::open(dir).is_ok_and(|dir| files::free_bytes(&dir) >= ROOM_BYTES_AGAIN)
    }

    /// What a panic of sled's says of the disk.
    pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> StoreError {
        from_panic(panic)
    }

    fn open_with(dir: &Path, copies: Copies) -> Result<(Self, Vec<OpenRepair>), StoreError> {
        let mut repairs = Vec::new();
        if get_ready(dir, copies)? {
            repairs.push(OpenRepair::HalfSnapshotRemoved);
        }
        let opened = match open_once_free(dir) {
            Err(StoreError::Damaged(_)) if !files::snapshots(dir)?.is_empty() => {
                files::keep(dir, DB).and_then(|()| files::keep(dir, JOURNAL))?;
                files::set_snapshots_aside(dir)?;
                repairs.push(OpenRepair::SnapshotSetAside);
                try_open(dir)
            }
            opened => opened,
        };
        let (db, tree) = opened?;
        let log_file = File::open(dir.join(DB)).map_err(StoreError::Io)?;
        let (journal, kept) = Journal::open(&dir.join(JOURNAL)).map_err(StoreError::Io)?;
        // Nothing outside the closure can see what a panic leaves half-done.
        let caught_up = std::panic::catch_unwind(AssertUnwindSafe(|| catch_up(&tree, &kept)))
            .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())))?;
        let (last, gap) = (caught_up.last, caught_up.gap);
        if gap {
            files::keep(dir, JOURNAL)?;
        }
        let batches = Mutex::new(Batches {
            last,
            journal,
            ahead: false,
            broken: false,
            synced_bytes: 0,
            synced_blobs: HashSet::new(),
        });
        let store = Self { db, tree, dir: dir.to_path_buf(), log_file, gap, batches };
        // What a process left in the system's cache when it was killed is
        // served from here on, and a power cut must not take it back.
        store.checkpoint(&mut store.batches())?;
        // The first batch of all marks the format: a program that knows nothing
        // of journals must find it in sled.
        store.batches().ahead = last == 0;
        if gap {
            // Numbers begin again below those in the journal, and would reach
            // them some day.
            store.batches().journal.sync().map_err(StoreError::Io)?;
        }
        files::sync_dir(dir)?;
        if let Some(parent) = dir.parent() {
            files::sync_dir(parent)?;
        }
        Ok((store, repairs))
    }

    fn sync_log(&self, batches: &mut Batches) -> Result<(), StoreError> {
        let bytes = self.disk_bytes();
        self.log_file.sync_data().map_err(StoreError::Io)?;
        batches.synced_bytes = bytes;
        Ok(())
    }

    /// Whether the journal shows that sled lost batches.
    pub(super) const fn has_gap(&self) -> bool {
        self.gap
    }

    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether sled can write later what it does not write now.
    fn has_room(&self) -> bool {
        files::free_bytes(&self.log_file) >= ROOM_BYTES_MIN
    }

    /// As [`Store::scan`]; the pairs keep sled open.
    pub(super) fn pairs(&self, from: &[u8], to: &[u8]) -> Pairs<'static> {
        Box::new(self.tree.range(from..to).map(|item| item.map(pair).map_err(failed)))
    }

    /// Makes sled durable with everything applied so far.
    fn checkpoint(&self, batches: &mut Batches) -> Result<(), StoreError> {
        batches.whole_or_broken(|batches| {
            self.db.flush().map_err(failed)?;
            files::sync_blobs(&self.dir, &mut batches.synced_blobs).map_err(StoreError::Io)?;
            self.sync_log(batches)?;
            batches.journal.restart().map_err(StoreError::Io)?;
            batches.ahead = false;
            Ok(())
        })
    }

    /// Removes the copies that opening the store in `dir` made: everything
    /// turned out to be there.
    pub(super) fn forget_kept(dir: &Path) {
        files::forget_kept(dir);
    }

    /// Keeps the copies that opening the store in `dir` made until people
    /// remove them: something is lost that may be in them.
    pub(super) fn keep_for_good(dir: &Path) {
        files::keep_for_good(dir);
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

/// Whether what is found is copied before sled gets to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copies {
    Kept,
    Needless,
}

/// Sees to the files before sled opens them; says whether there was half a
/// snapshot.
fn get_ready(dir: &Path, copies: Copies) -> Result<bool, StoreError> {
    let _held = hold(dir)?;
    let half = files::remove_half_snapshots(dir)?;
    if journal::has_batches(&dir.join(JOURNAL)).map_err(StoreError::Io)? {
        files::read_from_disk(dir).map_err(StoreError::Io)?;
    }
    if copies == Copies::Kept && files::snapshots(dir)?.is_empty() {
        // It happens to a store once in its life, after its first run.
        if let Err(error) = files::keep(dir, DB).and_then(|()| files::keep(dir, JOURNAL)) {
            tracing::warn!(%error, "the store can't be copied before it is opened");
        }
    }
    Ok(half)
}

/// Opens, waiting a moment for a lock that is on its way out.
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

/// Where sled and the journal stand.
struct CaughtUp {
    /// Number of the last batch.
    last: u64,
    /// Whether batches are missing between sled's last one and the journal's
    /// first.
    gap: bool,
}

/// Applies what the journal has and sled has not, or in part.
fn catch_up(tree: &sled::Tree, kept: &[Kept]) -> Result<CaughtUp, StoreError> {
    let last = match tree.get(LAST_BATCH).map_err(failed)? {
        Some(stored) => number(&stored).ok_or_else(|| {
            StoreError::Damaged("the number of its last batch can't be read".to_owned())
        })?,
        None => 0,
    };
    let (Some(first), Some(newest)) = (kept.first(), kept.last()) else {
        return Ok(CaughtUp { last, gap: false });
    };
    if newest.number < last {
        return Ok(CaughtUp { last, gap: false });
    }
    if first.number > last + 1 {
        // sled lost what it had once made durable. What is missing between
        // can't be guessed; the witness knows how far the barn had been.
        let first = first.number;
        tracing::error!(last, first, "the journal does not continue the store");
        return Ok(CaughtUp { last, gap: true });
    }
    // Keys reach sled in order and its log is cut off at its end only, as far as
    // a power cut leaves what sled took for durable; so batches whose number is
    // there are looked at, too. sled writes nothing where a value is the same.
    let writes = kept.iter().flat_map(|batch| &batch.writes);
    let newest_values: BTreeMap<_, _> = writes.map(|(key, value)| (key, value)).collect();
    apply_singly(tree, newest.number, newest_values)?;
    Ok(CaughtUp { last: newest.number, gap: false })
}

fn number(stored: &[u8]) -> Option<u64> {
    let stored = unsealed(LAST_BATCH, &Bytes::copy_from_slice(stored));
    Some(u64::from_le_bytes(stored.as_ref().try_into().ok()?))
}

/// Applies what the journal has up to batch `number`.
fn apply_singly<'a>(
    tree: &sled::Tree,
    number: u64,
    writes: impl IntoIterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)>,
) -> Result<(), StoreError> {
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
    let read_only = ["ReadOnlyFilesystem", "Read-only file system", "os error 30"];
    let refused = ["os error ", "Os { code: "];
    if full.iter().any(|words| text.contains(words)) {
        Hindrance::Full.into()
    } else if read_only.iter().any(|words| text.contains(words)) {
        Hindrance::ReadOnly.into()
    } else if refused.iter().any(|words| text.contains(words)) {
        StoreError::Io(std::io::Error::other(damage))
    } else {
        StoreError::Damaged(damage)
    }
}

fn failed(error: sled::Error) -> StoreError {
    from_sled(error, Path::new(""))
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
        self.pairs(from, to)
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
                // sled counts on what it wrote as soon as it was written; where
                // the file grew, a power cut takes it away until this.
                if self.disk_bytes() > batches.synced_bytes {
                    self.sync_log(batches)?;
                }
                batches.journal.append(number, &writes).map_err(StoreError::Io)?;
                apply_singly(&self.tree, number, writes.iter().map(|(key, value)| (key, value)))?;
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
