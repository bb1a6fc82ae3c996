//! Rows left over from a closed log whose person is gone since: erased by the
//! village, or in another one by now.
//!
//! The village's present log knows nothing of them, so it can neither erase
//! them nor refuse them by their id; and those without a number of their own
//! (a child without NIK, a house, a mutasi) don't give way to a number either.

mod alike;

use std::collections::BTreeSet;

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Epoch, Operation, Source};
use rusqlite::Connection;

use super::erasing::Erased;
use super::merge::Merge;
use super::upsert::{STATUS_HIDUP, Stamp, village_sql};
use super::village::Standing;
use crate::dataset::erasures::Erasure;
use crate::dataset::{Change, Content, DatasetError};

/// A kind of record that may have no number of its own, and what it hangs on.
/// Owners come before what they own.
const OWNED: [&str; 3] = [
    "SELECT id, rumah_tangga_id FROM keluarga WHERE village = ?1 AND epoch = 0 AND no_kk IS NULL",
    "SELECT id, keluarga_id FROM warga WHERE village = ?1 AND epoch = 0 AND nik IS NULL
       AND keluarga_id IS NOT NULL",
    "SELECT id, warga_id FROM mutasi WHERE village = ?1 AND epoch = 0",
];

fn ids(conn: &Connection, sql: &str, village: VillageCode) -> rusqlite::Result<BTreeSet<RecordId>> {
    conn.prepare_cached(sql)?
        .query_map([village_sql(village)], |row| {
            Ok(RecordId::from_slice(row.get_ref(0)?.as_blob()?).unwrap_or_default())
        })?
        .collect()
}

/// Rows left over from a closed log that a rebuilt machine does not get: of
/// who is counted in another village since, what the present log has or may
/// have recorded anew without a number to tell it by ([`alike`]), and what
/// hangs on somebody who moved, was ended, or is recorded anew. They stay here
/// until somebody decides.
pub(super) fn stay_behind(
    conn: &Connection,
    village: VillageCode,
) -> rusqlite::Result<BTreeSet<RecordId>> {
    let moved = format!(
        "SELECT old.id FROM warga old JOIN warga now ON now.nik = old.nik
         WHERE old.village = ?1 AND old.epoch = 0 AND now.village <> ?1 AND now.epoch > 0
           AND now.status_dasar <= {STATUS_HIDUP} AND now.time_ms > old.time_ms
         UNION
         SELECT old.id FROM keluarga old JOIN keluarga now ON now.no_kk = old.no_kk
         WHERE old.village = ?1 AND old.epoch = 0 AND now.village <> ?1 AND now.epoch > 0
           AND now.aktif AND now.time_ms > old.time_ms"
    );
    let mut stay = ids(conn, &moved, village)?;
    stay.extend(alike::recorded_anew(conn, village)?);
    // What gives way to a number of the present log does so at the node.
    let renewed = "SELECT old.id FROM warga old JOIN warga now ON now.nik = old.nik
         WHERE old.village = ?1 AND old.epoch = 0 AND now.village = ?1 AND now.epoch > 0
         UNION
         SELECT old.id FROM keluarga old JOIN keluarga now ON now.no_kk = old.no_kk
         WHERE old.village = ?1 AND old.epoch = 0 AND now.village = ?1 AND now.epoch > 0";
    let mut gone = ids(conn, renewed, village)?;
    gone.extend(ids(conn, "SELECT id FROM tombstone WHERE village = ?1 AND epoch > 0", village)?);
    gone.extend(&stay);
    for owned in OWNED {
        let mut statement = conn.prepare_cached(owned)?;
        let mut rows = statement.query([village_sql(village)])?;
        while let Some(row) = rows.next()? {
            let id = |column| -> rusqlite::Result<RecordId> {
                let blob = row.get_ref(column)?.as_blob()?;
                Ok(RecordId::from_slice(blob).unwrap_or_default())
            };
            if gone.contains(&id(1)?) {
                gone.insert(id(0)?);
                stay.insert(id(0)?);
            }
        }
    }
    Ok(stay)
}

/// Rows left over from a closed log of the person with this record: under the
/// same NIK, and the mutasi about them.
fn of_person(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<Vec<(RecordId, Kind)>> {
    let select = |sql: &str, id: RecordId| -> rusqlite::Result<Vec<RecordId>> {
        conn.prepare_cached(sql)?
            .query_map((village_sql(village), id.as_bytes()), |row| {
                Ok(RecordId::from_slice(row.get_ref(0)?.as_blob()?).unwrap_or_default())
            })?
            .collect()
    };
    let same = select(
        "SELECT old.id FROM warga own JOIN warga old ON old.nik = own.nik
         WHERE own.village = ?1 AND own.id = ?2 AND old.village = ?1 AND old.epoch = 0
           AND old.id <> ?2",
        id,
    )?;
    let mut found: Vec<_> = same.iter().map(|id| (*id, Kind::Warga)).collect();
    for person in same.into_iter().chain([id]) {
        let about = "SELECT id FROM mutasi WHERE village = ?1 AND epoch = 0 AND warga_id = ?2";
        found.extend(select(about, person)?.into_iter().map(|id| (id, Kind::Mutasi)));
    }
    Ok(found)
}

impl Merge<'_> {
    /// Erases with a person what is left over of the same person, before their
    /// own row goes: nothing remembers an erased number afterwards.
    pub(super) fn erase_left_over(
        &mut self,
        standing: &mut Standing,
        change: &Change,
        epoch: u32,
    ) -> Result<(), DatasetError> {
        if change.kind != Kind::Warga.code() || standing.leftovers == 0 {
            return Ok(());
        }
        for (id, kind) in of_person(self.conn, standing.village, change.id)? {
            let end = Change {
                id,
                kind: kind.code(),
                schema: 0,
                seq: change.seq,
                operation: Operation::Delete,
                time_ms: change.time_ms,
                actor: change.actor.clone(),
                source: Source::ERASURE,
                bytes: Bytes::new(),
                hash: None,
                content: Content::Tombstone,
            };
            let stored = self.stored(standing, &end)?;
            self.replace(standing, &end, Stamp { epoch, seq: change.seq.0 }, stored)?;
            super::erasing::forget_versions(self.conn, standing.village, id)?;
            let erasure = Erasure {
                village: standing.village,
                id,
                kind: end.kind,
                epoch: Epoch(epoch),
                seq: change.seq,
                at_ms: change.time_ms,
                received_ms: self.now_ms,
                scrubbed: false,
            };
            self.erased.push(Erased { erasure, removed: true });
        }
        Ok(())
    }
}
