//! The files beside sled's, and what is done with sled's own while nobody has
//! it open.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Advice, FlockOperation, fadvise, flock, fstatvfs, ioctl_ficlone};
use rustix::io::Errno;

use super::{ROOM_BYTES_MIN, StoreError};

/// sled's one file.
pub(super) const DB: &str = "db";

/// The journal's file.
pub(super) const JOURNAL: &str = "journal";

/// Copies of files as they were found, with the file's name behind.
const ASIDE: &str = "aside.";

/// A lock that is on its way out is gone within this: a process that starts
/// another one lends it the lock until the other has begun.
pub(super) const FREE_WITHIN: Duration = Duration::from_secs(1);

/// Keeps every process from opening the store in `dir` while this lives;
/// `None` where there is no store yet.
///
/// # Errors
/// [`StoreError::Busy`] when one has it open.
pub(in crate::barn) fn hold(dir: &Path) -> Result<Option<File>, StoreError> {
    let file = match File::open(dir.join(DB)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(StoreError::Io)?,
    };
    let begun = Instant::now();
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Some(file)),
            Err(Errno::WOULDBLOCK) if begun.elapsed() < FREE_WITHIN => {
                std::thread::sleep(FREE_WITHIN / 50);
            }
            Err(Errno::WOULDBLOCK) => return Err(StoreError::Busy(dir.to_path_buf())),
            Err(error) => return Err(StoreError::Io(error.into())),
        }
    }
}

/// Bytes that may still be written on the disk of a file; none where that
/// can't be told.
pub(super) fn free_bytes(file: &File) -> u64 {
    fstatvfs(file).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Writes a byte in a folder and removes it again: a disk that has become
/// read-only over an error tells nobody who does not try.
pub(super) fn takes_a_write(dir: &Path) -> io::Result<()> {
    let tried = dir.join(format!("{ASIDE}coba"));
    fs::write(&tried, b"x")?;
    let synced = File::open(&tried).and_then(|file| file.sync_all());
    fs::remove_file(&tried)?;
    synced
}

pub(super) fn snapshots(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
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

pub(super) fn remove_half_snapshots(dir: &Path) -> Result<bool, StoreError> {
    let mut removed = false;
    for path in snapshots(dir)? {
        if path.to_string_lossy().ends_with(".generating") {
            fs::remove_file(&path).map_err(StoreError::Io)?;
            removed = true;
        }
    }
    Ok(removed)
}

pub(super) fn set_snapshots_aside(dir: &Path) -> Result<(), StoreError> {
    for path in snapshots(dir)? {
        let Some(name) = path.file_name() else { continue };
        let aside = dir.join(format!("{ASIDE}{}", name.to_string_lossy()));
        fs::rename(&path, aside).map_err(StoreError::Io)?;
    }
    Ok(())
}

/// Makes whoever reads sled's files next see what the disk has. After a write
/// that failed the system goes on showing what should have been written.
pub(super) fn read_from_disk(dir: &Path) -> io::Result<()> {
    let mut paths = blobs(dir)?;
    paths.push(dir.join(DB));
    for path in paths {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            opened => opened?,
        };
        file.sync_data()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// Copies a file of the store as it was found, for people. An earlier copy
/// stays: it is from before the first attempt.
pub(super) fn keep(dir: &Path, name: &str) -> Result<(), StoreError> {
    copy(dir, name).map_err(StoreError::Io)
}

fn copy(dir: &Path, name: &str) -> io::Result<()> {
    let (found, kept) = (dir.join(name), aside(dir, name));
    if kept.exists() || !found.exists() {
        return Ok(());
    }
    let beside = dir.join(format!("{ASIDE}{name}.baru"));
    let (from, to) = (File::open(&found)?, File::create(&beside)?);
    if ioctl_ficlone(&to, &from).is_err() {
        let copied = copy_with_room(&from, &to);
        if copied.is_err() {
            // Half a copy is of no use and takes room.
            drop(fs::remove_file(&beside));
        }
        copied?;
    }
    to.sync_all()?;
    fs::rename(&beside, &kept)?;
    File::open(dir)?.sync_all()
}

fn copy_with_room(mut from: &File, mut to: &File) -> io::Result<()> {
    let disk = fstatvfs(to)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < from.metadata()?.len().saturating_add(ROOM_BYTES_MIN) {
        return Err(ErrorKind::StorageFull.into());
    }
    io::copy(&mut from, &mut to).map(drop)
}

/// Removes the copies that [`keep`] made: everything turned out to be there.
pub(super) fn forget_kept(dir: &Path) {
    for name in [DB, JOURNAL] {
        // One that stays takes room and does no harm.
        drop(fs::remove_file(aside(dir, name)));
    }
}

/// Gives the copies that [`keep`] made a name under which they stay: something
/// is lost that may be in them.
pub(super) fn keep_for_good(dir: &Path) {
    for name in [DB, JOURNAL] {
        let mut names = (1_u32..).map(|number| dir.join(format!("{ASIDE}{number}.{name}")));
        if let Some(free) = names.find(|path| !path.exists()) {
            // Without it they stay until the next time something is lost.
            drop(fs::rename(aside(dir, name), free));
        }
    }
}

fn aside(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{ASIDE}{name}"))
}

/// Pages too large for sled's file, each in one of its own. sled never syncs
/// them; `synced` are those that were.
pub(super) fn sync_blobs(dir: &Path, synced: &mut HashSet<OsString>) -> io::Result<()> {
    let mut there = HashSet::new();
    let mut new = false;
    for path in blobs(dir)? {
        let Some(name) = path.file_name() else { continue };
        if !synced.contains(name) {
            match File::open(&path) {
                // sled has no use for it any more.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                opened => opened?.sync_all()?,
            }
            new = true;
        }
        there.insert(name.to_owned());
    }
    if new {
        File::open(dir.join("blobs"))?.sync_all()?;
    }
    *synced = there;
    Ok(())
}

pub(super) fn blobs(dir: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(dir.join("blobs")) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        items => items?.map(|item| Ok(item?.path())).collect(),
    }
}

pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::Io)
}
