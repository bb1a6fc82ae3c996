//! What any user of sled could write: the same keys and bytes in a tree of
//! their own, each batch flushed and on the disk before the next. No seal, no
//! journal, nothing kept of what was there. It is the yardstick by which the
//! cost of a save is measured.

use std::fs::File;
use std::path::Path;

use super::files::DB;
use super::{failed, from_sled};
use crate::barn::StoreError;

/// Applies each batch to a tree of a new database in `dir`, followed by
/// sled's `flush` and an fdatasync of its file, which that leaves out. How many
/// batches.
///
/// # Errors
/// [`StoreError`].
pub fn save_raw(
    dir: &Path,
    batches: impl IntoIterator<Item = Vec<(Vec<u8>, Vec<u8>)>>,
) -> Result<u64, StoreError> {
    let db = sled::Config::new().path(dir).open().map_err(|error| from_sled(error, dir))?;
    let tree = db.open_tree("raw").map_err(failed)?;
    let file = File::open(dir.join(DB)).map_err(StoreError::Io)?;
    let mut saved = 0;
    for pairs in batches {
        let mut batch = sled::Batch::default();
        pairs.into_iter().for_each(|(key, value)| batch.insert(key, value));
        tree.apply_batch(batch).map_err(failed)?;
        tree.flush().map_err(failed)?;
        file.sync_data().map_err(StoreError::Io)?;
        saved += 1;
    }
    Ok(saved)
}
