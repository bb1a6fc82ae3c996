//! Swapping a rebuilt store in, so that a kill at any point leaves the old
//! one or the new one.
//!
//! The rebuilt store lies complete and durable beside the present one; a
//! small file announces the swap; then come two renames. Whoever opens the
//! village next finishes what was announced and throws away what was not.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lumbung_telemetry::clock;

use crate::barn::{Barn, OpenBarnError, Resting, StoreError};

/// The barn's store in a village's folder.
pub(super) const STORE: &str = "store";

/// Where a store is rebuilt.
pub(super) const NEW: &str = "store.pulih";

/// Says that the rebuilt store is complete.
const ANNOUNCED: &str = "store.tukar";

/// Stores that were swapped out, with a number behind.
const OLD: &str = "store.lama";

/// Damaged stores that were swapped out, with the time behind; see `aside`.
const DAMAGED: &str = "store.rusak-";

/// What the store is that is to be swapped out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Old {
    /// Sound; of no use once the district has everything.
    Sound,
    /// Damaged; what never reached the district may be in there.
    Damaged {
        /// The wall clock now, Unix milliseconds.
        at_ms: i64,
    },
}

/// What an interrupted restore came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The backup is in place.
    Restored,
    /// The store as it was before is in place.
    Abandoned,
}

impl Settled {
    /// What happened, for the clerk.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Restored => {
                "Pemulihan yang sempat terputus sudah diselesaikan. Data yang dipulihkan \
                 terpasang; data yang lama disisihkan, tidak dihapus."
            }
            Self::Abandoned => {
                "Pemulihan terputus sebelum selesai dan dibatalkan. Data yang lama tidak diubah. \
                 Ulangi pemulihan bila masih perlu."
            }
        }
    }
}

/// Announces that the rebuilt store in `dir` is to be swapped in, and where
/// the `old` one goes.
pub(super) fn announce(dir: &Path, old: Old) -> io::Result<()> {
    sync(dir)?;
    // Whole or not there: half a word would send the old store elsewhere.
    let beside = dir.join(format!("{ANNOUNCED}.baru"));
    let mut file = File::create(&beside)?;
    if let Old::Damaged { at_ms } = old {
        file.write_all(damaged_name(dir, at_ms).as_bytes())?;
    }
    file.sync_all()?;
    fs::rename(&beside, dir.join(ANNOUNCED))?;
    sync(dir)
}

/// Puts the complete and durable store in `new` in the place of the damaged
/// one in `dir`. Gives where that one lies now.
///
/// # Errors
/// When the disk refuses; then one of the two is in place, and the next
/// [`settle`] knows which.
pub(crate) fn replace_damaged(
    dir: &Path,
    new: &Path,
    resting: &Resting,
    at_ms: i64,
) -> io::Result<PathBuf> {
    settle_resting(dir, resting)?;
    fs::rename(new, dir.join(NEW))?;
    let aside = dir.join(damaged_name(dir, at_ms));
    announce(dir, Old::Damaged { at_ms })?;
    settle_resting(dir, resting)?;
    Ok(aside)
}

/// Damaged stores that lie in `dir`, the oldest first.
///
/// # Errors
/// When the folder can't be read.
pub fn damaged_stores(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for item in fs::read_dir(dir)? {
        let item = item?;
        // What is noted of one lies beside it, as a file.
        let named = item.file_name().to_string_lossy().starts_with(DAMAGED);
        if named && item.file_type()?.is_dir() {
            found.push(item.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Finishes or abandons a restore in `dir` that was interrupted; `None` when
/// there was none, or somebody is at it. To be called before the village is
/// opened.
///
/// # Errors
/// When the disk refuses; to be called again then.
pub fn settle(dir: &Path) -> Result<Option<Settled>, OpenBarnError> {
    if !dir.join(ANNOUNCED).exists() && !dir.join(NEW).exists() {
        return Ok(None);
    }
    match Barn::rest(dir) {
        Ok(resting) => Ok(settle_resting(dir, &resting).map_err(StoreError::Io)?),
        Err(OpenBarnError::Busy) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same for whoever keeps others from opening the barn.
pub(super) fn settle_resting(dir: &Path, _: &Resting) -> io::Result<Option<Settled>> {
    let (store, new, announced) = (dir.join(STORE), dir.join(NEW), dir.join(ANNOUNCED));
    if !announced.exists() {
        if !new.exists() {
            return Ok(None);
        }
        fs::remove_dir_all(&new)?;
        return Ok(Some(Settled::Abandoned));
    }
    if new.exists() {
        if store.exists() {
            fs::rename(&store, aside(dir, &fs::read_to_string(&announced)?))?;
        }
        fs::rename(&new, &store)?;
        sync(dir)?;
    }
    fs::remove_file(&announced)?;
    sync(dir)?;
    Ok(Some(Settled::Restored))
}

/// Removes stores that restores have set aside: once the district has
/// everything the village now holds, nobody needs them. Says whether there
/// were any.
///
/// # Errors
/// When the disk refuses.
pub fn forget_old_stores(dir: &Path) -> io::Result<bool> {
    let mut found = false;
    for item in fs::read_dir(dir)? {
        let path = item?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.strip_prefix(OLD).is_some_and(|rest| rest.starts_with('.')) {
            fs::remove_dir_all(&path)?;
            found = true;
        }
    }
    Ok(found)
}

/// Where the old store goes by what was announced.
fn aside(dir: &Path, announced: &str) -> PathBuf {
    let free = |name: &&str| name.starts_with(DAMAGED) && !dir.join(name).exists();
    match Some(announced).filter(free) {
        Some(name) => dir.join(name),
        None => free_name(dir),
    }
}

/// A name for a damaged store that none has yet.
fn damaged_name(dir: &Path, at_ms: i64) -> String {
    let plain = first_damaged_name(at_ms);
    let numbered = (2_u32..).map(|number| format!("{plain}-{number}"));
    let mut names = std::iter::once(plain.clone()).chain(numbered);
    names.find(|name| !dir.join(name).exists()).unwrap_or(plain)
}

/// What a store that is set aside at this time is called, to the millisecond:
/// the district's word on one store must not be taken for another's of the
/// same second.
pub(super) fn first_damaged_name(at_ms: i64) -> String {
    let time = clock::local(at_ms).strftime("%Y%m%d-%H%M%S").to_string();
    format!("{DAMAGED}{time}.{:03}", at_ms.rem_euclid(1000))
}

fn free_name(dir: &Path) -> PathBuf {
    let mut names = (1_u32..).map(|number| dir.join(format!("{OLD}.{number}")));
    names.find(|path| !path.exists()).unwrap_or_else(|| dir.join(OLD))
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(store: bool, new: bool, announced: bool) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (wanted, name, content) in [(store, STORE, "lama"), (new, NEW, "baru")] {
            if wanted {
                fs::create_dir(dir.path().join(name)).unwrap();
                fs::write(dir.path().join(name).join("isi"), content).unwrap();
            }
        }
        if announced {
            announce(dir.path(), Old::Sound).unwrap();
        }
        dir
    }

    fn store(dir: &Path) -> String {
        fs::read_to_string(dir.join(STORE).join("isi")).unwrap_or_default()
    }

    #[test]
    fn every_state_a_kill_can_leave_ends_with_one_whole_store() {
        // Store there, rebuilt one there, announced: what is left then.
        let states = [
            ((true, false, false), None, "lama"),
            ((true, true, false), Some(Settled::Abandoned), "lama"),
            ((true, true, true), Some(Settled::Restored), "baru"),
            ((false, true, true), Some(Settled::Restored), "baru"),
            ((false, true, false), Some(Settled::Abandoned), ""),
        ];
        for ((present, new, announced), settled, content) in states {
            let dir = folder(present, new, announced);
            assert_eq!(settle(dir.path()).unwrap(), settled, "{present} {new} {announced}");
            assert_eq!(store(dir.path()), content);
            assert_eq!(settle(dir.path()).unwrap(), None, "settled once");
        }
        // After both renames, before the announcement is taken back.
        let dir = folder(true, true, true);
        settle(dir.path()).unwrap();
        announce(dir.path(), Old::Sound).unwrap();
        assert_eq!(settle(dir.path()).unwrap(), Some(Settled::Restored));
        assert_eq!(store(dir.path()), "baru");
    }

    #[test]
    fn stores_set_aside_are_kept_until_they_are_forgotten() {
        let dir = folder(true, true, true);
        settle(dir.path()).unwrap();
        fs::create_dir(dir.path().join(NEW)).unwrap();
        announce(dir.path(), Old::Sound).unwrap();
        settle(dir.path()).unwrap();
        let aside = |number| dir.path().join(format!("{OLD}.{number}"));
        assert_eq!(fs::read_to_string(aside(1).join("isi")).unwrap(), "lama");
        assert_eq!(fs::read_to_string(aside(2).join("isi")).unwrap(), "baru");
        assert!(forget_old_stores(dir.path()).unwrap());
        assert!(!aside(1).exists() && !aside(2).exists() && dir.path().join(STORE).exists());
        assert!(!forget_old_stores(dir.path()).unwrap());
    }

    #[test]
    fn damaged_stores_are_kept_apart_and_never_forgotten() {
        let dir = folder(true, false, false);
        let path = dir.path();
        for content in ["satu", "dua", "tiga"] {
            let new = path.join("beside");
            fs::create_dir(&new).unwrap();
            fs::write(new.join("isi"), content).unwrap();
            let resting = Barn::rest(path).unwrap();
            let aside = replace_damaged(path, &new, &resting, 1_790_000_000_000).unwrap();
            assert!(aside.exists() && store(path) == content);
        }
        let aside = damaged_stores(path).unwrap();
        let contents = aside.iter().map(|path| fs::read_to_string(path.join("isi")).unwrap());
        assert_eq!(contents.collect::<Vec<_>>(), ["lama", "satu", "dua"]);
        assert!(aside[0].ends_with("store.rusak-20260921-211320.000"), "{aside:?}");
        assert!(!forget_old_stores(path).unwrap());

        // Killed with everything announced, with the first rename done, and
        // with a word in the announcement that names nothing of ours.
        for (kept, announced) in [(true, ""), (false, ""), (true, "../lain")] {
            let dir = folder(kept, true, false);
            announce(dir.path(), Old::Damaged { at_ms: 0 }).unwrap();
            if !announced.is_empty() {
                fs::write(dir.path().join(ANNOUNCED), announced).unwrap();
            }
            assert_eq!(settle(dir.path()).unwrap(), Some(Settled::Restored));
            assert_eq!(store(dir.path()), "baru");
            let named = kept && announced.is_empty();
            assert_eq!(damaged_stores(dir.path()).unwrap().len(), usize::from(named));
        }
    }
}
