//! Holds and remarks, in the same file as the rows.

use lumbung_domain::region::VillageCode;
use rusqlite::{OptionalExtension as _, Row as SqlRow};

use super::SqliteDataset;
use super::upsert::village_sql;
use super::village::is_registered;
use crate::dataset::DatasetError;
use crate::dataset::care::{Care, Hold, Remark};

/// The hold in four columns from `first` on; `None` when the village has none.
pub(super) fn hold(row: &SqlRow<'_>, first: usize) -> rusqlite::Result<Option<Hold>> {
    let Some(by) = row.get(first)? else { return Ok(None) };
    let (reason, since_ms, until_ms) =
        (row.get(first + 1)?, row.get(first + 2)?, row.get(first + 3)?);
    Ok(Some(Hold { by, reason, since_ms, until_ms }))
}

impl Care for SqliteDataset {
    fn set_hold(&self, village: VillageCode, hold: Option<&Hold>) -> Result<(), DatasetError> {
        let writer = self.writer();
        if !is_registered(&writer.conn, village)? {
            return Err(DatasetError::UnknownVillage(village));
        }
        match hold {
            Some(Hold { by, reason, since_ms, until_ms }) => writer.conn.execute(
                "INSERT OR REPLACE INTO hold (village, held_by, reason, since_ms, until_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                (village_sql(village), by, reason, since_ms, until_ms),
            )?,
            None => writer
                .conn
                .execute("DELETE FROM hold WHERE village = ?1", [village_sql(village)])?,
        };
        Ok(())
    }

    fn hold(&self, village: VillageCode) -> Result<Option<Hold>, DatasetError> {
        self.read(|conn| {
            let held = conn
                .prepare_cached(
                    "SELECT held_by, reason, since_ms, until_ms FROM hold WHERE village = ?1",
                )?
                .query_row([village_sql(village)], |row| hold(row, 0))
                .optional()?;
            Ok(held.flatten())
        })
    }

    fn set_remark(
        &self,
        village: VillageCode,
        remark: Option<&Remark>,
    ) -> Result<(), DatasetError> {
        let writer = self.writer();
        if !is_registered(&writer.conn, village)? {
            return Err(DatasetError::UnknownVillage(village));
        }
        match remark {
            Some(Remark { words, by, changed_ms }) => writer.conn.execute(
                "INSERT OR REPLACE INTO village_remark (village, words, written_by, changed_ms)
                 VALUES (?1, ?2, ?3, ?4)",
                (village_sql(village), words, by, changed_ms),
            )?,
            None => writer
                .conn
                .execute("DELETE FROM village_remark WHERE village = ?1", [village_sql(village)])?,
        };
        Ok(())
    }

    fn remark(&self, village: VillageCode) -> Result<Option<Remark>, DatasetError> {
        self.read(|conn| {
            Ok(conn
                .prepare_cached(
                    "SELECT words, written_by, changed_ms FROM village_remark WHERE village = ?1",
                )?
                .query_row([village_sql(village)], |row| {
                    Ok(Remark { words: row.get(0)?, by: row.get(1)?, changed_ms: row.get(2)? })
                })
                .optional()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Dataset as _, Watch as _};

    #[test]
    fn holds_and_remarks_are_kept_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = SqliteDataset::open(folder.path().join("hub.db")).unwrap();
        let village = VillageCode::from_u64(3_505_012_001).unwrap();
        let hold = Hold {
            by: "siti".to_owned(),
            reason: "komputer diperbaiki".to_owned(),
            since_ms: 5,
            until_ms: 9,
        };
        let unknown = dataset.set_hold(village, Some(&hold));
        assert!(matches!(unknown, Err(DatasetError::UnknownVillage(_))));
        dataset.register(village, "").unwrap();
        dataset.set_hold(village, Some(&hold)).unwrap();
        assert_eq!(dataset.hold(village).unwrap(), Some(hold.clone()));
        assert_eq!(dataset.village(village).unwrap().hold, Some(hold.clone()));
        assert_eq!(dataset.upkeep().unwrap()[0].hold, Some(hold.clone()));
        assert!(hold.is_on(8) && !hold.is_on(9));
        dataset.set_hold(village, None).unwrap();
        assert_eq!(dataset.village(village).unwrap().hold, None);

        let (by, words) = ("siti".to_owned(), "Pak Carik ada Senin dan Kamis".to_owned());
        let remark = Remark { words, by, changed_ms: 7 };
        dataset.set_remark(village, Some(&remark)).unwrap();
        assert_eq!(dataset.remark(village).unwrap(), Some(remark));
        dataset.set_remark(village, None).unwrap();
        assert_eq!(dataset.remark(village).unwrap(), None);
    }
}
