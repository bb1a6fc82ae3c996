//! Small files that must be whole, durable and private.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Replaces a file by new content: readable by its owner only, and after a
/// power cut either the old content or the new one. Makes the folder.
///
/// # Errors
/// When the disk refuses.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut beside = path.as_os_str().to_owned();
    // Two processes, or two threads of one, may write the same file: each its
    // own beside it.
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    beside.push(format!(".{}-{number}.baru", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

/// Does something that only one process may do at a time in a folder, which
/// is made if need be.
///
/// # Errors
/// When the folder can't be used, besides what `work` fails with.
pub(crate) fn alone<T, E: From<io::Error>>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    fs::create_dir_all(folder)?;
    let path = folder.join(".kunci");
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.lock()?;
    // Closing the file lets the next one in.
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_threads_write_one_file_and_none_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("address");
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| (0..20).for_each(|_| write_private(&path, b"hub:8710").unwrap()));
            }
        });
        assert_eq!(fs::read(&path).unwrap(), b"hub:8710");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
