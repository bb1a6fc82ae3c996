//! A small file of two slots that are written in turn: a torn write leaves the
//! other one readable.
//!
//! On a disk that can only be read the file is read, and opened for writing once
//! something is written to it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The file; a slot has `BYTES` bytes.
#[derive(Debug)]
pub(crate) struct Slots<const BYTES: usize> {
    path: PathBuf,
    /// `None` as long as it can only be read.
    file: Option<File>,
}

impl<const BYTES: usize> Slots<BYTES> {
    /// Opens or creates the file and reads both slots; what was never written is
    /// zero. `None` where it is not there and can't be created, since the disk can
    /// only be read.
    ///
    /// # Errors
    /// When the file can't be opened or read.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Option<[[u8; BYTES]; 2]>)> {
        let (file, bytes) = match open_to_write(path) {
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => match File::open(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => (None, None),
                opened => (None, Some(read(&opened?)?)),
            },
            opened => {
                let file = opened?;
                let bytes = read(&file)?;
                (Some(file), Some(bytes))
            }
        };
        Ok((Self { path: path.to_path_buf(), file }, bytes))
    }

    /// Writes one of the slots: the odd turns' or the even ones'.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(crate) fn write(&mut self, turn: u64, slot: &[u8; BYTES]) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(open_to_write(&self.path)?),
        };
        file.write_all_at(slot, (turn % 2) * BYTES as u64)
    }

    /// Makes what was written survive a power cut.
    ///
    /// # Errors
    /// When the file can't be synced.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }
}

/// A new file's name is durable when this returns.
fn open_to_write(path: &Path) -> io::Result<File> {
    let fresh = !path.exists();
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    if fresh && let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

fn read<const BYTES: usize>(file: &File) -> io::Result<[[u8; BYTES]; 2]> {
    let mut slots = [[0; BYTES]; 2];
    let bytes = slots.as_flattened_mut();
    let length = file.metadata()?.len().min(bytes.len() as u64) as usize;
    file.read_exact_at(&mut bytes[..length], 0)?;
    Ok(slots)
}
