//! The folder of a village's own backups: their names, and which stay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Epoch, Position, Seq};
use lumbung_telemetry::clock;

const SUFFIX: &str = ".lumbung";

/// A backup in the folder, as its name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was written, Unix milliseconds.
    pub at_ms: i64,
    /// Where the log ended.
    pub at: (Epoch, Seq),
}

/// The backups of one folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The backups the node keeps by itself in the village's folder `dir`.
    #[must_use]
    pub fn of(dir: &Path) -> Self {
        Self { folder: dir.join("cadangan") }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a backup is called: village, position, time; no personal data.
    #[must_use]
    pub fn file_name(village: VillageCode, at: Position, now_ms: i64) -> String {
        let time = clock::local(now_ms).strftime("%Y%m%d-%H%M%S").to_string();
        format!("cadangan-{}-{}.{}-{time}{SUFFIX}", village.compact(), at.epoch, at.seq)
    }

    /// The backups, newest first.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn list(&self) -> io::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        let items = match fs::read_dir(&self.folder) {
            Ok(items) => items,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(kept),
            Err(error) => return Err(error),
        };
        for item in items {
            let path = item?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(at) = position_in(&name) else { continue };
            let facts = fs::metadata(&path)?;
            let at_ms = facts.modified()?.duration_since(std::time::UNIX_EPOCH);
            let at_ms = at_ms.map_or(0, |at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX));
            kept.push(Kept { path, bytes: facts.len(), at_ms, at });
        }
        kept.sort_by(|a, b| (b.at_ms, b.at, &b.path).cmp(&(a.at_ms, a.at, &a.path)));
        Ok(kept)
    }

    /// Removes backups beyond the newest `count`, and the oldest ones that
    /// make all of them take more than `bytes_max`. Gives how many are left.
    ///
    /// # Errors
    /// When the folder can't be read or written.
    pub fn thin(&self, count: usize, bytes_max: u64) -> io::Result<usize> {
        let mut bytes = 0_u64;
        let mut left = 0;
        for kept in self.list()? {
            bytes += kept.bytes;
            if left < count && bytes <= bytes_max {
                left += 1;
            } else {
                // Older ones go too, however small: no gaps.
                bytes = u64::MAX / 2;
                fs::remove_file(&kept.path)?;
            }
        }
        Ok(left)
    }
}

/// Epoch and number in a backup's name.
fn position_in(name: &str) -> Option<(Epoch, Seq)> {
    let mut parts = name.strip_prefix("cadangan-")?.strip_suffix(SUFFIX)?.split('-');
    let (epoch, seq) = parts.nth(1)?.split_once('.')?;
    Some((Epoch(epoch.parse().ok()?), Seq(seq.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::LogId;

    use super::*;

    fn shelf(sizes: &[usize]) -> (tempfile::TempDir, Shelf) {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(dir.path());
        fs::create_dir(shelf.folder()).unwrap();
        let village = VillageCode::from_u64(3_505_012_001).unwrap();
        for (number, size) in (1_u64..).zip(sizes) {
            let origin = Position::origin(LogId([1; 16]));
            let at = Position { seq: Seq(number), epoch: Epoch(2), ..origin };
            let path = shelf.folder().join(Shelf::file_name(village, at, 0));
            fs::write(&path, vec![0; *size]).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(number);
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }
        fs::write(shelf.folder().join("catatan.txt"), "bukan cadangan").unwrap();
        (dir, shelf)
    }

    fn numbers(shelf: &Shelf) -> Vec<u64> {
        shelf.list().unwrap().into_iter().map(|kept| kept.at.1.0).collect()
    }

    #[test]
    fn the_newest_stay_as_long_as_they_fit() {
        let (_dir, shelf) = shelf(&[10, 10, 10, 10]);
        assert_eq!(numbers(&shelf), [4, 3, 2, 1]);
        assert_eq!(shelf.list().unwrap()[0].at.0, Epoch(2));
        assert_eq!(shelf.thin(3, 1_000).unwrap(), 3);
        assert_eq!(numbers(&shelf), [4, 3, 2]);
        assert_eq!(shelf.thin(3, 25).unwrap(), 2);
        assert_eq!(numbers(&shelf), [4, 3]);
        assert_eq!(shelf.thin(3, 5).unwrap(), 0);
        assert!(shelf.folder().join("catatan.txt").exists(), "only backups are thinned");
    }
}
