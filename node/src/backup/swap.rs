//! Swapping a rebuilt store in, so that a kill at any point leaves the old
//! one or the new one.
//!
//! The rebuilt store lies complete and durable beside the present one; a
//! small file announces the swap; then come two renames. Whoever opens the
//! village next finishes what was announced and throws away what was not.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::barn::{Barn, OpenBarnError, Resting, StoreError};

/// The barn's store in a village's folder.
pub(super) const STORE: &str = "store";

/// Where a store is rebuilt.
pub(super) const NEW: &str = "store.pulih";

/// Says that the rebuilt store is complete.
const ANNOUNCED: &str = "store.tukar";

/// Stores that were swapped out, with a number behind.
const OLD: &str = "store.lama";

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
                "Pemulihan dari cadangan yang sempat terputus sudah diselesaikan. Data dari \
                 cadangan terpasang; data yang lama disisihkan, tidak dihapus."
            }
            Self::Abandoned => {
                "Pemulihan dari cadangan terputus sebelum selesai dan dibatalkan. Data yang lama \
                 tetap dipakai dan utuh. Ulangi pemulihan bila masih perlu."
            }
        }
    }
}

/// Announces that the rebuilt store in `dir` is to be swapped in.
pub(super) fn announce(dir: &Path) -> io::Result<()> {
    sync(dir)?;
    File::create(dir.join(ANNOUNCED))?.sync_all()?;
    sync(dir)
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
            fs::rename(&store, free_name(dir))?;
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
            announce(dir.path()).unwrap();
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
        announce(dir.path()).unwrap();
        assert_eq!(settle(dir.path()).unwrap(), Some(Settled::Restored));
        assert_eq!(store(dir.path()), "baru");
    }

    #[test]
    fn stores_set_aside_are_kept_until_they_are_forgotten() {
        let dir = folder(true, true, true);
        settle(dir.path()).unwrap();
        fs::create_dir(dir.path().join(NEW)).unwrap();
        announce(dir.path()).unwrap();
        settle(dir.path()).unwrap();
        let aside = |number| dir.path().join(format!("{OLD}.{number}"));
        assert_eq!(fs::read_to_string(aside(1).join("isi")).unwrap(), "lama");
        assert_eq!(fs::read_to_string(aside(2).join("isi")).unwrap(), "baru");
        assert!(forget_old_stores(dir.path()).unwrap());
        assert!(!aside(1).exists() && !aside(2).exists() && dir.path().join(STORE).exists());
        assert!(!forget_old_stores(dir.path()).unwrap());
    }
}
