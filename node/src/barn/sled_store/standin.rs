//! A copy of a store in memory, from which is read while the disk takes no
//! writes.
//!
//! sled writes while it reads: it splits pages, and makes room in its cache.
//! On a disk that is full or read-only such reads fail, and it opens nothing
//! there at all. So the files are copied to where memory passes for a disk, and
//! opened there. What the disk has stays as it is, and nobody else opens it
//! meanwhile. Nothing is ever written to the copy that is to be kept.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::fs::statvfs;

use super::files::{self, DB, FREE_WITHIN, JOURNAL};
use super::{SledStore, StoreError};

/// Memory that passes for a disk, on every Linux.
const MEMORY: &str = "/dev/shm";

/// What sled writes over opening a copy, and a little more, bytes.
const BEYOND_BYTES: u64 = 16 * 1024 * 1024;

/// Memory that is left to everybody else, bytes.
const LEFT_BYTES: u64 = 64 * 1024 * 1024;

/// A copy that is open.
pub(in crate::barn) struct StandIn {
    /// It.
    pub(in crate::barn) store: SledStore,
    /// Where it lies.
    pub(in crate::barn) place: Place,
    /// Whether the disk is known to have all that is in it.
    pub(in crate::barn) durable: bool,
}

/// The folder of a copy; gone with this.
pub(in crate::barn) struct Place {
    dir: PathBuf,
}

/// The folders of this process's copies.
static PLACES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn places() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Place {
    fn drop(&mut self) {
        clear(&self.dir);
        places().remove(&self.dir);
    }
}

/// Removes a copy that was closed; sled's threads end a moment after that.
fn clear(dir: &Path) {
    let begun = Instant::now();
    while let Err(error) = remove(dir) {
        if begun.elapsed() > FREE_WITHIN {
            return tracing::warn!(%error, "a copy in memory can't be removed");
        }
        std::thread::sleep(FREE_WITHIN / 50);
    }
}

/// A name in memory for what belongs to the store in `of`; it ends in `ending`.
///
/// # Errors
/// When there is no store.
pub(in crate::barn) fn beside_copy(of: &Path, ending: &str) -> io::Result<PathBuf> {
    folder(of).map(|folder| folder.with_extension(ending))
}

/// Where a copy of the store in `of` lies.
fn folder(of: &Path) -> io::Result<PathBuf> {
    let name = blake3::hash(fs::canonicalize(of)?.as_os_str().as_bytes()).to_hex();
    Ok(Path::new(MEMORY).join(format!("lumbung-{}", &name[..16])))
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Place {
    /// A folder for a copy of the store in `of`, for this user alone. What a
    /// process that was killed left there gives way.
    fn make(of: &Path) -> io::Result<Self> {
        let dir = folder(of)?;
        remove(&dir)?;
        places().insert(dir.clone());
        let place = Self { dir };
        DirBuilder::new().mode(0o700).create(&place.dir)?;
        Ok(place)
    }
}

impl StandIn {
    /// Whether memory has room for a copy of the store in `dir`.
    pub(in crate::barn) fn fits(dir: &Path) -> bool {
        let Ok(bytes) = bytes(dir) else { return false };
        let disk = statvfs(MEMORY).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        disk >= bytes.saturating_add(BEYOND_BYTES)
            && available() >= bytes.saturating_add(BEYOND_BYTES + LEFT_BYTES)
    }

    /// Removes what a process that was killed left of a copy of the store in
    /// `dir`, which is open for work.
    pub(in crate::barn) fn forget(dir: &Path) {
        if let Err(error) = folder(dir).and_then(|folder| remove(&folder)) {
            tracing::warn!(%error, "a copy in memory can't be removed");
        }
    }

    /// Removes the copies that this process made and has not removed yet.
    pub(in crate::barn) fn leave() {
        places().iter().for_each(|dir| clear(dir));
    }

    /// Copies the store in `dir`, which nobody may be writing, and opens the
    /// copy.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::barn) fn of(dir: &Path) -> Result<Self, StoreError> {
        let durable = files::read_from_disk(dir).is_ok();
        let place = Place::make(dir).map_err(StoreError::Io)?;
        copy(dir, &place.dir).map_err(StoreError::Io)?;
        let store = SledStore::open_own(&place.dir)?;
        if store.has_gap() {
            return Err(StoreError::Damaged("batches that were durable are missing".to_owned()));
        }
        Ok(Self { store, place, durable })
    }
}

/// The files that make up a store, below its folder.
fn parts(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut parts = vec![dir.join(DB), dir.join(JOURNAL)];
    parts.extend(files::snapshots(dir).map_err(io::Error::other)?);
    parts.extend(files::blobs(dir)?);
    parts.retain(|part| part.exists());
    Ok(parts)
}

fn bytes(dir: &Path) -> io::Result<u64> {
    parts(dir)?.iter().map(|part| Ok(part.metadata()?.len())).sum()
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for part in parts(from)? {
        let target = to.join(part.strip_prefix(from).map_err(io::Error::other)?);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&part, target)?;
    }
    Ok(())
}

/// Memory that may be used before others must give way, bytes; none where that
/// can't be told.
fn available() -> u64 {
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}
