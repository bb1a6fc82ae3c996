//! Damaged stores of villages, in the same file as the rows.

use lumbung_domain::region::VillageCode;

use super::SqliteDataset;
use super::upsert::village_sql;
use crate::dataset::DatasetError;
use crate::dataset::damaged::{Damaged, DamagedStore};

impl Damaged for SqliteDataset {
    fn note_damaged_store(
        &self,
        village: VillageCode,
        at_ms: i64,
        whole: bool,
        now_ms: i64,
    ) -> Result<(), DatasetError> {
        self.writer().conn.execute(
            "INSERT OR IGNORE INTO damaged_store (village, at_ms, whole, since_ms)
             VALUES (?1, ?2, ?3, ?4)",
            (village_sql(village), at_ms, whole, now_ms),
        )?;
        Ok(())
    }

    fn damaged_stores(&self, village: VillageCode) -> Result<Vec<DamagedStore>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT at_ms, whole,
                        released_ms > 0 OR (whole AND proven_seq > 0 AND trouble = ''
                                            AND last_proof_ms >= since_ms)
                 FROM damaged_store JOIN village USING (village)
                 WHERE village = ?1 ORDER BY at_ms",
            )?;
            let rows = statement.query_map([village_sql(village)], |row| {
                Ok(DamagedStore { at_ms: row.get(0)?, whole: row.get(1)?, may_go: row.get(2)? })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn release_damaged_stores(
        &self,
        village: VillageCode,
        now_ms: i64,
    ) -> Result<u64, DatasetError> {
        let released = self.writer().conn.execute(
            "UPDATE damaged_store SET released_ms = ?2 WHERE village = ?1 AND released_ms = 0",
            (village_sql(village), now_ms.max(1)),
        )?;
        Ok(released as u64)
    }
}
