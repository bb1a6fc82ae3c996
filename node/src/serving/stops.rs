//! How often this node ended without being stopped: a power cut, mostly.
//!
//! A mark stands in a small file while the node runs. One that is found at a
//! start was left by a run that nobody ended.

use std::path::Path;

use crate::barn::StoreError;
use crate::kept::Kept;

const RUNNING: u8 = 1;
const STOPPED: u8 = 0;

/// The mark of this run. Dropping it is the orderly end.
#[derive(Debug)]
pub struct Stops {
    file: Kept,
    unclean: u32,
}

impl Stops {
    /// Marks in `dir` that the node runs from now on. A disk that takes no
    /// writes keeps no mark.
    ///
    /// # Errors
    /// When the file can't be read, or written on a disk that takes writes.
    pub fn begin(dir: &Path) -> Result<Self, StoreError> {
        let file = Kept::open(&dir.join("stops"), *b"LST1");
        let mut file = file.map_err(StoreError::Io)?;
        let (was, before) = match file.last() {
            Some([was, count @ ..]) => (*was, count.try_into().map_or(0, u32::from_le_bytes)),
            _ => (STOPPED, 0),
        };
        let unclean = before.saturating_add(u32::from(was == RUNNING));
        match file.keep(&fact(RUNNING, unclean)).map_err(StoreError::Io) {
            Err(error) if error.hindrance().is_some() => {
                tracing::warn!(%error, "that this node runs can't be kept");
            }
            kept => kept?,
        }
        Ok(Self { file, unclean })
    }

    /// How often a run before this one ended without being stopped.
    #[must_use]
    pub const fn unclean(&self) -> u32 {
        self.unclean
    }
}

impl Drop for Stops {
    fn drop(&mut self) {
        // A mark that stays counts one stop too many, which is advice only.
        if let Err(error) = self.file.keep(&fact(STOPPED, self.unclean)) {
            tracing::warn!(%error, "the end of this run can't be kept");
        }
    }
}

fn fact(mark: u8, unclean: u32) -> [u8; 5] {
    let [a, b, c, d] = unclean.to_le_bytes();
    [mark, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_runs_that_nobody_ended_count() {
        let dir = tempfile::tempdir().unwrap();
        let begin = || Stops::begin(dir.path()).unwrap();
        assert_eq!(begin().unclean(), 0);
        // Ended by the drop above; these two are not.
        for count in 0..2 {
            let run = begin();
            assert_eq!(run.unclean(), count);
            std::mem::forget(run);
        }
        assert_eq!(begin().unclean(), 2);
        assert_eq!(begin().unclean(), 2);
    }
}
