//! Putting a backup of the hub back.
//!
//! Everything is unpacked and proven beside the present data first. Then the
//! present dataset moves into a folder of its own and the other takes its
//! place. What the hub has learned since and must not forget stays: the
//! district's present keys, and the book of erasures, which is only added to.
//! Sessions of operators and tokens that were still open are not taken over.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use lumbung_identity::Key;
use lumbung_media::Keys;
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use super::{DATASET, HubBackupError, LEDGER, sync_folder_of, trial};
use crate::dataset::erasures::Erasures;
use crate::dataset::sqlite::{SqliteDataset, erasures_file};
use crate::serve::{FolderLock, dataset_file, identity_folder};

/// Where a backup is unpacked; while it stands, the hub does not start.
const NEW: &str = "pulih.baru";

/// What the folders are called that hold what was there before.
const BEFORE: &str = "sebelum-pulih-";

/// Files of one dataset, the file itself first.
const ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// Whose backups are put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signers {
    /// Those of this hub, once it has a key.
    OwnHub,
    /// Those of any hub: a person knows where the file comes from.
    AnyHub,
}

/// A backup that was put back.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What it holds.
    pub header: v1::HubBackupHeader,
    /// Where the dataset that was there before is now; `None` = there was
    /// none.
    pub before: Option<PathBuf>,
    /// Whether the district's keys were taken from the backup.
    pub keys_too: bool,
}

/// Whether putting a backup back was begun in this folder and not finished.
#[must_use]
pub fn unfinished(data: &Path) -> bool {
    data.join(NEW).exists()
}

/// Folders in `data` with what was there before a backup was put back, by name.
/// They stay until a person removes them, and nothing is erased in them.
#[must_use]
pub fn set_aside(data: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(data) else { return Vec::new() };
    let named = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        path.is_dir() && name.is_some_and(|name| name.starts_with(BEFORE))
    };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(named).collect();
    folders.sort();
    folders
}

/// Puts the backup in `file` back into `data`, the folder of a stopped hub.
///
/// # Errors
/// [`HubBackupError`]; then the present data is in place, or
/// [`unfinished`] says that the same command must be given again.
pub fn restore(
    data: &Path,
    file: &Path,
    keys: Keys<'_>,
    signers: Signers,
) -> Result<Restored, HubBackupError> {
    fs::create_dir_all(data)?;
    let lock = FolderLock::try_take(data)?.ok_or(HubBackupError::Running)?;
    let scratch = trial::Scratch::new(data.join(NEW))?;
    let shown = trial::unpack(file, keys, scratch.path())?;
    let own = identity_folder(data).join("hub.key");
    let keys_too = !own.exists();
    if !keys_too && signers == Signers::OwnHub && Key::load(&own)?.public().0 != shown.signer.0 {
        return Err(HubBackupError::Stranger);
    }
    add_to_ledger(data, scratch.path())?;
    let unpacked = scratch.path().join(DATASET);
    trial::sound(scratch.path(), &shown.header)?;
    SqliteDataset::open(&unpacked)?.forget_visitors(clock::now_ms())?;
    let log = unpacked.with_extension("db-wal");
    if fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        return Err(HubBackupError::Trial("the dataset can't be closed"));
    }
    let before = set_present_aside(data)?;
    if keys_too {
        let present = identity_folder(data);
        if present.exists() {
            fs::rename(&present, aside(data)?.join("identity"))?;
        }
        fs::rename(scratch.path().join("identity"), identity_folder(data))?;
    }
    fs::rename(&unpacked, dataset_file(data))?;
    sync_folder_of(&dataset_file(data))?;
    drop(scratch);
    drop(lock);
    Ok(Restored { header: shown.header, before, keys_too })
}

/// Adds what the backup's book knows and this hub's does not; the trial then
/// erases by both.
fn add_to_ledger(data: &Path, unpacked: &Path) -> Result<(), HubBackupError> {
    let path = unpacked.join(LEDGER);
    let mut book = Erasures::open(erasures_file(&dataset_file(data)))?;
    if path.exists() {
        let theirs = Erasures::open(path.clone())?;
        let news: Vec<_> = theirs.iter().filter(|it| !book.knows(it)).copied().collect();
        book.record(&news)?;
    }
    let own = erasures_file(&dataset_file(data));
    if own.exists() {
        fs::copy(own, path)?;
    }
    Ok(())
}

/// Moves the present dataset into a folder of its own. The file first: without
/// it nothing opens what is left, and the command is given again.
fn set_present_aside(data: &Path) -> Result<Option<PathBuf>, HubBackupError> {
    let names = ENDINGS.map(|ending| format!("{DATASET}{ending}"));
    let present: Vec<_> = names.iter().filter(|name| data.join(name).exists()).collect();
    if present.is_empty() {
        return Ok(None);
    }
    let aside = aside(data)?;
    for name in present {
        fs::rename(data.join(name), aside.join(name))?;
    }
    fs::File::open(data)?.sync_all()?;
    Ok(Some(aside))
}

/// A new folder for what was there before.
fn aside(data: &Path) -> std::io::Result<PathBuf> {
    let stamp = clock::local(clock::now_ms()).strftime("%Y%m%d-%H%M%S").to_string();
    let mut number = 0;
    loop {
        let path = data.join(format!("{BEFORE}{stamp}-{number}"));
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| path),
        }
    }
}
