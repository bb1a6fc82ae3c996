//! Rewriting the store: all pairs into a fresh folder, then a swap.
//!
//! sled never shrinks and keeps old bytes in its file, so a store that grew
//! far beyond what lives in it, or from which a record was erased, is copied
//! pair by pair into `store.new`, compared by count and checksum, synced, and
//! swapped in. From the moment the marker `store.swap` is durable the new
//! folder is the store; [`finish`] brings a swap that was cut off to its end.
//! At every moment one of the folders holds everything.
//!
//! The old folder is deleted, not overwritten: what the disk keeps of deleted
//! files is the business of the disk's encryption.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock, statvfs};

use super::sled_store::{SledStore, hold};
use super::store::{Store, StoreError, WriteBatch};

/// A store below this size is never rewritten for its size.
const DISK_BYTES_MIN: u64 = 50 * 1024 * 1024;

/// A store is rewritten when it takes this many times what lives in it. sled
/// needs 2.5 to 3.5 times by itself.
const DISK_PER_LIVE_MAX: u64 = 4;

/// Free space that must stay on the disk beside the new store, bytes.
const FREE_BYTES_MIN: u64 = 8 * 1024 * 1024;

/// Bytes copied in one batch.
const BATCH_BYTES: usize = 1024 * 1024;

/// Everything the barn keeps starts with a letter.
const FIRST_KEY: &[u8] = b"";
const END_KEY: &[u8] = b"\xff";

/// Why a store could not be rewritten. The old one is untouched, and stays the
/// store unless its end is announced.
#[derive(Debug, thiserror::Error)]
pub(super) enum RewriteError {
    /// The disk has no room for a second store.
    #[error("the disk has {free} bytes free, a rewrite needs {needed}")]
    NoSpace { free: u64, needed: u64 },
    /// The copy is not equal to the original.
    #[error("the copy differs from the original")]
    Unequal,
    /// Reading or writing failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file system failed.
    #[error("the folder can't be written")]
    Io(#[from] io::Error),
    /// The marker could not be made durable and not be taken back: the next
    /// opening may swap. Nothing may be written to the old store any more.
    #[error("the marker can't be taken back")]
    Announced(#[source] io::Error),
}

/// Where a swap can be cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The new store is being written.
    Copying,
    /// The new store is complete; the marker isn't there yet.
    Copied,
    /// The marker is there and not durable.
    Marking,
    /// The marker is durable.
    Marked,
    /// The old store was moved away.
    OldAside,
    /// The new store took its place.
    NewInPlace,
    /// The old store is deleted.
    OldGone,
}

/// Called at every stage; an error cuts the rewrite off there, as a power cut
/// would. In production it never does.
pub(super) type Interrupt<'a> = &'a mut dyn FnMut(Stage) -> io::Result<()>;

struct Places {
    dir: PathBuf,
    store: PathBuf,
    new: PathBuf,
    old: PathBuf,
    marker: PathBuf,
}

impl Places {
    fn of(dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            store: dir.join("store"),
            new: dir.join("store.new"),
            old: dir.join("store.old"),
            marker: dir.join("store.swap"),
        }
    }
}

/// Whether there is a store in `dir`, also in the middle of a swap.
pub(super) fn has_store(dir: &Path) -> bool {
    let places = Places::of(dir);
    let aside = places.marker.exists() && places.new.join("db").exists();
    places.store.join("db").exists() || aside || places.old.join("db").exists()
}

/// Keeps other processes from opening a barn in `dir` while this one opens
/// it; ends with the value. `None`: another one is at it.
pub(super) fn lock(dir: &Path) -> io::Result<Option<File>> {
    let path = dir.join("opening.lock");
    let file = match File::options().write(true).create(true).truncate(false).open(&path) {
        // It is there from when the disk took writes.
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => File::open(path)?,
        opened => opened?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Ends a swap that was cut off, and clears away what a cut-off copy left.
///
/// # Errors
/// [`StoreError::Busy`] when somebody has a store open that is to be swapped,
/// [`StoreError::Io`] when the folder can't be written; trying again is safe.
pub(super) fn finish(dir: &Path, interrupt: Interrupt<'_>) -> Result<(), StoreError> {
    let places = Places::of(dir);
    if !places.marker.exists() {
        return clear(&places).map_err(StoreError::Io);
    }
    let _held = hold(&places.store)?;
    swap(&places, interrupt).map_err(StoreError::Io)
}

fn clear(places: &Places) -> io::Result<()> {
    if !places.store.exists() && places.old.exists() {
        // No swap gets here; somebody took the marker and the store away.
        fs::rename(&places.old, &places.store)?;
        sync(&places.dir)?;
    }
    remove_folder(&places.new)
}

fn swap(places: &Places, interrupt: Interrupt<'_>) -> io::Result<()> {
    if places.new.exists() {
        if places.store.exists() {
            remove_folder(&places.old)?;
            fs::rename(&places.store, &places.old)?;
            sync(&places.dir)?;
        }
        interrupt(Stage::OldAside)?;
        fs::rename(&places.new, &places.store)?;
        sync(&places.dir)?;
    }
    interrupt(Stage::NewInPlace)?;
    remove_folder(&places.old)?;
    sync(&places.dir)?;
    interrupt(Stage::OldGone)?;
    fs::remove_file(&places.marker)?;
    sync(&places.dir)
}

/// Copies an open store into `store.new`, compares, and marks it as the store
/// to be. Nobody may write meanwhile. [`finish`] swaps, once the original is
/// closed.
///
/// # Errors
/// [`RewriteError`]; the original is untouched, and stays the store but for
/// [`RewriteError::Announced`].
pub(super) fn copy(
    store: &dyn Store,
    dir: &Path,
    interrupt: Interrupt<'_>,
) -> Result<(), RewriteError> {
    let places = Places::of(dir);
    let live = measure(store)?.bytes;
    let disk = statvfs(dir).map_err(io::Error::from)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let needed =
        store.disk_bytes().min(live.saturating_mul(DISK_PER_LIVE_MAX)).max(live) + FREE_BYTES_MIN;
    if free < needed {
        return Err(RewriteError::NoSpace { free, needed });
    }
    remove_folder(&places.new)?;
    let new = SledStore::open_own(&places.new)?;
    let read = copy_pairs(store, &new, interrupt)?;
    if measure(&new)? != read {
        return Err(RewriteError::Unequal);
    }
    drop(new);
    sync_files(&places.new)?;
    sync(&places.dir)?;
    interrupt(Stage::Copied)?;
    if let Err(error) = announce(&places, interrupt) {
        // The original is written on, and must not be swapped out later.
        take_back(&places).map_err(RewriteError::Announced)?;
        return Err(error.into());
    }
    Ok(interrupt(Stage::Marked)?)
}

fn announce(places: &Places, interrupt: Interrupt<'_>) -> io::Result<()> {
    let marker = File::create(&places.marker)?;
    interrupt(Stage::Marking)?;
    marker.sync_all()?;
    sync(&places.dir)
}

fn take_back(places: &Places) -> io::Result<()> {
    match fs::remove_file(&places.marker) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => sync(&places.dir),
    }
}

/// Whether the store takes far more than what lives in it.
pub(super) fn is_bloated(store: &dyn Store) -> Result<bool, StoreError> {
    let disk = store.disk_bytes();
    Ok(disk > DISK_BYTES_MIN && disk > measure(store)?.bytes.saturating_mul(DISK_PER_LIVE_MAX))
}

/// What a store holds, so that two can be compared.
#[derive(PartialEq, Eq, Debug)]
struct Sum {
    pairs: u64,
    bytes: u64,
    checksum: blake3::Hash,
}

/// Sums up pairs in key order.
#[derive(Default)]
struct Summing {
    pairs: u64,
    bytes: u64,
    hasher: blake3::Hasher,
}

impl Summing {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.pairs += 1;
        self.bytes += (key.len() + value.len()) as u64;
        for part in [key, value] {
            self.hasher.update(&(part.len() as u64).to_le_bytes());
            self.hasher.update(part);
        }
    }

    fn sum(&self) -> Sum {
        Sum { pairs: self.pairs, bytes: self.bytes, checksum: self.hasher.finalize() }
    }
}

fn measure(store: &dyn Store) -> Result<Sum, StoreError> {
    let mut summing = Summing::default();
    for pair in store.scan(FIRST_KEY, END_KEY) {
        let (key, value) = pair?;
        summing.add(&key, &value);
    }
    Ok(summing.sum())
}

fn copy_pairs(
    from: &dyn Store,
    to: &dyn Store,
    interrupt: Interrupt<'_>,
) -> Result<Sum, RewriteError> {
    let mut summing = Summing::default();
    let mut batch = WriteBatch::default();
    let mut bytes = 0;
    for pair in from.scan(FIRST_KEY, END_KEY) {
        let (key, value) = pair?;
        summing.add(&key, &value);
        bytes += key.len() + value.len();
        batch.put(key.to_vec(), value.to_vec());
        if bytes >= BATCH_BYTES {
            to.apply(std::mem::take(&mut batch))?;
            bytes = 0;
        }
    }
    interrupt(Stage::Copying)?;
    to.apply(batch)?;
    to.sync()?;
    Ok(summing.sum())
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Every file of a folder and the folder itself.
fn sync_files(dir: &Path) -> io::Result<()> {
    for item in fs::read_dir(dir)? {
        let path = item?.path();
        if path.is_dir() {
            sync_files(&path)?;
        } else {
            sync(&path)?;
        }
    }
    sync(dir)
}

fn remove_folder(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
