//! The bulk load that any user of this file could write: the same rows into
//! the same tables, and nothing else.
//!
//! It keeps no position, no sum, no quarantine and no findings, and takes the
//! last row of an id whatever its number. It is the yardstick by which the
//! cost of a merge is measured, under the same settings.

use std::path::Path;

use rusqlite::Connection;

use super::folding::FOLD_PAGES;
use super::schema;
use super::statements::{Act, Actors, Statements};
use super::upsert;
use crate::dataset::{Content, DatasetError, MergeBatch};

/// Upserts the rows of all batches into a new file, so many batches in each
/// transaction, and returns how many rows were written.
///
/// # Errors
/// [`DatasetError::Store`].
pub fn upsert_bulk(
    path: &Path,
    batches: &[MergeBatch],
    batches_per_transaction: usize,
) -> Result<u64, DatasetError> {
    let mut conn = Connection::open(path)?;
    schema::prepare_writer(&mut conn)?;
    // Nobody else folds the log here.
    conn.pragma_update(None, "wal_autocheckpoint", FOLD_PAGES)?;
    let mut actors = Actors::default();
    let mut written = 0;
    for group in batches.chunks(batches_per_transaction.max(1)) {
        let tx = conn.transaction()?;
        let mut statements = Statements::new(&tx);
        for batch in group {
            let epoch = batch.last.epoch.0;
            for change in &batch.changes {
                if matches!(change.content, Content::Row(_)) {
                    let actor = actors.number(&tx, &change.actor)?;
                    let (act, village) = (Act::Put, batch.village);
                    upsert::write(&mut statements, act, village, epoch, actor, change)?;
                    written += 1;
                }
            }
        }
        drop(statements);
        tx.commit()?;
    }
    Ok(written)
}
