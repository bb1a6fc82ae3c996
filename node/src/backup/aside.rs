//! Damaged stores that lie aside, and their end.
//!
//! What never reached the district may be in one, so it stays until the
//! district says that nobody can miss it. That word is noted beside it; a
//! month later it is removed, so that a clerk who reads the status may still
//! object. One that may hold somebody who was erased since goes at once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::swap::{damaged_stores, first_damaged_name};

/// Behind the name of a store: the file that says since when it may go, and
/// when it was set aside.
const MAY_GO: &str = ".boleh";

/// How long a store stays after that.
const STAYS_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Since when a store may go, and when it was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    since_ms: i64,
    at_ms: i64,
}

/// Notes the district's word that the stores which were set aside then may go.
///
/// # Errors
/// When the disk refuses.
pub fn may_go(dir: &Path, set_aside_ms: &[i64], now_ms: i64) -> io::Result<()> {
    if set_aside_ms.is_empty() {
        return Ok(());
    }
    for store in damaged_stores(dir)? {
        let name = store.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_of = |at_ms: &&i64| {
            let rest = name.strip_prefix(&first_damaged_name(**at_ms));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let Some(at_ms) = set_aside_ms.iter().find(is_of) else { continue };
        if word(&store).is_none() {
            lumbung_identity::write_private(
                &beside(&store),
                format!("{now_ms} {at_ms}\n").as_bytes(),
            )?;
            tracing::info!(store = name, "the district says that a damaged store may go");
        }
    }
    Ok(())
}

/// When a store that may go is removed by itself, the node's wall clock, Unix
/// milliseconds; `None` = the district has not said that it may.
#[must_use]
pub fn goes_ms(store: &Path) -> Option<i64> {
    word(store).map(|word| word.since_ms.saturating_add(STAYS_MS))
}

/// Removes the stores whose time has come, and those that may go and were set
/// aside before somebody was erased. Gives how many.
///
/// # Errors
/// When the disk refuses.
pub fn forget_damaged_stores(
    dir: &Path,
    now_ms: i64,
    last_erasure_ms: Option<i64>,
) -> io::Result<u64> {
    let mut forgotten = 0;
    for store in damaged_stores(dir)? {
        let Some(word) = word(&store) else { continue };
        let over = now_ms >= word.since_ms.saturating_add(STAYS_MS);
        if over || last_erasure_ms.is_some_and(|erased_ms| erased_ms >= word.at_ms) {
            fs::remove_dir_all(&store)?;
            fs::remove_file(beside(&store))?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

fn beside(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(MAY_GO);
    path.into()
}

/// The word on a store; one that can't be read is none.
fn word(store: &Path) -> Option<Word> {
    let text = fs::read_to_string(beside(store)).ok()?;
    let (since_ms, at_ms) = text.trim().split_once(' ')?;
    Some(Word { since_ms: since_ms.parse().ok()?, at_ms: at_ms.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_district_named_goes_after_a_month_or_at_once_for_somebody_erased() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        // The first two within one second.
        let times = [1_790_000_000_000, 1_790_000_000_700, 1_790_000_120_000];
        let stores = times.map(|at_ms| dir.join(first_damaged_name(at_ms)));
        for store in &stores {
            fs::create_dir(store).unwrap();
            fs::write(store.join("db"), b"rusak").unwrap();
        }
        let now_ms = times[2] + 1_000;
        may_go(dir, &[], now_ms).unwrap();
        assert!(stores.iter().all(|store| goes_ms(store).is_none()));
        may_go(dir, &times[..1], now_ms).unwrap();
        assert!(goes_ms(&stores[0]).is_some() && goes_ms(&stores[1]).is_none());
        may_go(dir, &times[..2], now_ms).unwrap();
        // Told again at each contact: the first word counts.
        may_go(dir, &times[..2], now_ms + 9_000).unwrap();
        assert_eq!(goes_ms(&stores[1]), Some(now_ms + STAYS_MS));
        assert_eq!(goes_ms(&stores[2]), None);
        assert_eq!(damaged_stores(dir).unwrap().len(), 3);

        assert_eq!(forget_damaged_stores(dir, now_ms + STAYS_MS - 1, None).unwrap(), 0);
        // Erased between the two: the first may hold that person, the second can't.
        assert_eq!(forget_damaged_stores(dir, now_ms, Some(times[0] + 5)).unwrap(), 1);
        assert!(!stores[0].exists() && stores[1].exists());
        assert_eq!(forget_damaged_stores(dir, now_ms + STAYS_MS, None).unwrap(), 1);
        assert_eq!(damaged_stores(dir).unwrap(), [stores[2].clone()]);
        assert_eq!(fs::read_dir(dir).unwrap().count(), 1, "and no word without its store");
    }
}
