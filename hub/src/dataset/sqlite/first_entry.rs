//! Who made a record, kept once somebody else has changed it.
//!
//! The row itself is the first entry until a later one takes its place. Rows
//! from before this was kept, and those of a machine that was rebuilt from the
//! district's copy, may be a later one already: an id says when it was minted,
//! and an entry far from that moment is nobody's first.

use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use rusqlite::{Connection, OptionalExtension as _};

use super::merge::Merge;
use super::schema::Shelf;
use super::upsert::village_sql;
use crate::dataset::{Change, DatasetError, FIRST_WITHIN_MS, FirstEntry};

/// The first entry that was kept of a record.
pub(super) fn kept(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<Option<FirstEntry>> {
    conn.prepare_cached(
        "SELECT time_ms, name FROM first_entry JOIN actor ON actor.number = first_entry.actor
         WHERE village = ?1 AND id = ?2",
    )?
    .query_row((village_sql(village), id.as_bytes()), |row| {
        Ok(FirstEntry { time_ms: row.get(0)?, actor: row.get(1)? })
    })
    .optional()
}

/// Forgets who made a record that has ended.
pub(super) fn forget(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM first_entry WHERE village = ?1 AND id = ?2")?
        .execute((village_sql(village), id.as_bytes()))?;
    Ok(())
}

impl Merge<'_> {
    /// Keeps who wrote a row that a later entry is about to take the place of,
    /// if that was its first.
    pub(super) fn keep_first(
        &self,
        shelf: Shelf,
        village: VillageCode,
        id: RecordId,
    ) -> rusqlite::Result<()> {
        let Some(minted_ms) = id.minted_ms() else { return Ok(()) };
        self.conn
            .prepare_cached(&format!(
                "INSERT INTO first_entry (village, id, time_ms, actor)
                 SELECT village, id, time_ms, actor FROM {}
                 WHERE village = ?1 AND id = ?2 AND abs(time_ms - ?3) <= {FIRST_WITHIN_MS}
                 ON CONFLICT DO NOTHING",
                shelf.table()
            ))?
            .execute((village_sql(village), id.as_bytes(), minted_ms))?;
        Ok(())
    }

    /// Keeps who made a record whose first content has been thinned out.
    pub(super) fn keep_thinned(
        &mut self,
        village: VillageCode,
        change: &Change,
    ) -> Result<(), DatasetError> {
        if !FirstEntry::may_be(change.id, change.time_ms) {
            return Ok(());
        }
        let actor = self.actor(&change.actor)?;
        self.conn
            .prepare_cached(
                "INSERT INTO first_entry (village, id, time_ms, actor) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?
            .execute((village_sql(village), change.id.as_bytes(), change.time_ms, actor))?;
        Ok(())
    }
}
