//! Putting single records right in one transaction, and every sum with them.

use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::Position;

use super::content;
use super::merge::Merge;
use super::schema::Shelf;
use super::statements::Act;
use super::upsert::{self, Marks, Stamp, village_sql};
use super::village::Standing;
use crate::dataset::{Change, Content, DatasetError, Merged, Repair};

impl Merge<'_> {
    /// Stores the repairs of a village that stands at `at`, whatever is there
    /// of their records, and counts everything from the rows again.
    pub(super) fn repair(
        &mut self,
        village: VillageCode,
        at: &Position,
        repairs: &[&Repair],
    ) -> Result<Merged, DatasetError> {
        let mut standing = self.standing(village)?.ok_or(DatasetError::UnknownVillage(village))?;
        if standing.position.as_ref() != Some(at) {
            let (stored, prev) = (standing.position, Box::new(*at));
            return Err(DatasetError::NotNext { village, stored, prev });
        }
        let quarantined_before = standing.quarantined;
        for repair in repairs {
            match repair {
                Repair::Put(change) => self.put(&standing, change, at.epoch.0)?,
                Repair::Drop(id) => {
                    self.clear_rows(&standing, *id)?;
                    self.clear_shadows(village, *id)?;
                }
            }
        }
        content::recount(self.conn, &mut standing)?;
        let merged = Merged {
            position: *at,
            fingerprint: standing.fingerprint,
            records: standing.records,
            quarantined: standing.quarantined.saturating_sub(quarantined_before),
        };
        self.villages.insert(village, standing);
        Ok(merged)
    }

    fn put(
        &mut self,
        standing: &Standing,
        change: &Change,
        epoch: u32,
    ) -> Result<(), DatasetError> {
        let village = standing.village;
        self.clear_shadows(village, change.id)?;
        // The last row that could be read stays readable.
        if !matches!(change.content, Content::Quarantined(_)) {
            self.clear_rows(standing, change.id)?;
        }
        let stamp = Stamp { epoch, seq: change.seq.0 };
        match &change.content {
            Content::Row(row) => {
                self.write(Act::Put, village, epoch, change)?;
                self.touch(standing, Marks::of(row));
            }
            Content::UnknownKind => {
                self.write(Act::Put, village, epoch, change)?;
            }
            Content::Tombstone => {
                self.bury(change, village, stamp)?;
                if change.is_erasure() {
                    self.note_erasure(standing, change, epoch, true)?;
                }
            }
            Content::Quarantined(reason) => self.quarantine(change, village, stamp, reason)?,
        }
        Ok(())
    }

    /// Removes a record from every shelf; a damaged one may be on several.
    fn clear_rows(&mut self, standing: &Standing, id: RecordId) -> Result<(), DatasetError> {
        for shelf in Shelf::all() {
            // A row too damaged to be read claims nothing.
            let found = upsert::find(&mut self.statements, shelf, standing.village, id);
            if let Some(found) = found.ok().flatten() {
                self.touch(standing, found.marks);
            }
            upsert::remove(&mut self.statements, shelf, standing.village, id)?;
        }
        Ok(())
    }

    fn clear_shadows(&self, village: VillageCode, id: RecordId) -> rusqlite::Result<()> {
        for sql in [
            "DELETE FROM tombstone WHERE village = ?1 AND id = ?2",
            "DELETE FROM quarantine WHERE village = ?1 AND id = ?2",
        ] {
            self.conn.prepare_cached(sql)?.execute((village_sql(village), id.as_bytes()))?;
        }
        Ok(())
    }
}
