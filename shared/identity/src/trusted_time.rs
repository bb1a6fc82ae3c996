//! The newest moment the district has vouched for.
//!
//! A village's clock may say 1970 after a flat battery, or ten years ahead.
//! Certificates are first judged by the machine's clock; where that fails for
//! reasons of time, by the newest moment a verified hub has told. It only
//! ever moves forward, and survives power cuts in a small file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::files;

/// Written again only when it moved by this much: a file a day, not a second.
const WRITE_EVERY_MS: i64 = 60 * 60 * 1000;

/// The newest moment the district has vouched for, Unix milliseconds. Clones
/// share it.
#[derive(Clone, Debug)]
pub struct TrustedTime {
    now_ms: Arc<AtomicI64>,
    written_ms: Arc<AtomicI64>,
    file: Option<Arc<PathBuf>>,
}

impl TrustedTime {
    /// A floor in memory only.
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        Self {
            now_ms: Arc::new(AtomicI64::new(now_ms)),
            written_ms: Arc::new(AtomicI64::new(now_ms)),
            file: None,
        }
    }

    /// Reads the floor in a file; 0 when there is none.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn load(path: &Path) -> io::Result<Self> {
        let now_ms = match fs::read_to_string(path) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { file: Some(Arc::new(path.to_owned())), ..Self::at(now_ms) })
    }

    /// The floor, Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    /// A verified hub says what time it is. Raises the floor, never lowers it.
    ///
    /// # Errors
    /// When the floor moved much and its file can't be written; the floor in
    /// memory is raised all the same.
    pub fn told(&self, now_ms: i64) -> io::Result<()> {
        let before = self.now_ms.fetch_max(now_ms, Ordering::Relaxed);
        let floor = before.max(now_ms);
        let Some(file) = &self.file else { return Ok(()) };
        if floor - self.written_ms.load(Ordering::Relaxed) >= WRITE_EVERY_MS {
            files::write_private(file, floor.to_string().as_bytes())?;
            self.written_ms.store(floor, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_only_rises_and_survives() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("waktu");
        let time = TrustedTime::load(&path).unwrap();
        assert_eq!(time.now_ms(), 0);
        time.told(1_790_000_000_000).unwrap();
        time.told(5).unwrap();
        assert_eq!(time.now_ms(), 1_790_000_000_000);
        assert_eq!(TrustedTime::load(&path).unwrap().now_ms(), 1_790_000_000_000);
    }
}
