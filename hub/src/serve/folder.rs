//! One writer per folder: the hub that serves it, or a command while none
//! does.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

const LOCK: &str = "hub.lock";

/// When the lock of a folder was taken for the first time, Unix milliseconds:
/// nothing is ever written to its file.
pub(super) fn first_taken_ms(data: &Path) -> Option<i64> {
    let made = data.join(LOCK).metadata().ok()?.modified().ok()?;
    i64::try_from(made.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// The lock of a hub's folder; it ends with its owner, however that ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock; `None` = another process has it.
    ///
    /// # Errors
    /// When the folder can't be used.
    pub fn try_take(data: &Path) -> io::Result<Option<Self>> {
        let path = data.join(LOCK);
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
