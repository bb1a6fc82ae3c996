//! What is left of an erased record anywhere in the file, and how it goes.
//!
//! The tombstone stays: it holds nothing of the record. The file's bytes go
//! with `secure_delete`, the write-ahead log's with a truncating checkpoint,
//! and what b-tree moves left in unused space with the next rewrite
//! ([`scrub`]).

use std::time::Duration;

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Epoch, Operation, Source};
use rusqlite::Connection;

use super::incidents;
use super::merge::Merge;
use super::schema::{BUSY_WITHIN, Shelf};
use super::upsert::{Stamp, village_sql};
use super::village::Standing;
use crate::dataset::erasures::Erasure;
use crate::dataset::{Change, Content, DatasetError, IncidentKind, NewIncident, Outcome, Why};
use crate::words::Words;

/// Under this name records are erased again that came back with an old file.
const LEDGER_ACTOR: &str = "buku-penghapusan";

/// A record that this transaction erased.
pub(super) struct Erased {
    pub(super) erasure: Erasure,
    /// Whether anything of it was still here.
    pub(super) removed: bool,
}

/// Tables beside the shelves that hold contents of records, by village and id.
const ELSEWHERE: [&str; 2] = ["quarantine", "branch"];

/// What the operator is told when an older file held erased records.
pub(super) fn came_back(records: usize) -> NewIncident {
    let words = Words::new(
        format!(
            "Berkas data kabupaten yang dipasang kembali memuat {records} catatan desa ini yang \
             menurut buku penghapusan sudah dihapus permanen. Catatan itu dihapus lagi. Data lain \
             utuh; tidak perlu tindakan."
        ),
        format!(
            "The district's data file that was put back held {records} records of this village \
             that are erased for good by the ledger of erasures. They were erased again. All other \
             data is whole; nothing needs to be done."
        ),
    );
    NewIncident::new(IncidentKind::ErasedAgain, words)
}

/// Whether content of this record lies anywhere.
pub(super) fn holds(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<bool> {
    // What ended a record in a branch holds no content.
    let elsewhere = ELSEWHERE.map(|table| (table, "operation <> 3"));
    for (table, condition) in Shelf::all().map(|shelf| (shelf.table(), "1")).chain(elsewhere) {
        let sql = format!("SELECT 1 FROM {table} WHERE village = ?1 AND id = ?2 AND {condition}");
        let found = conn.prepare_cached(&sql)?.exists((village_sql(village), id.as_bytes()))?;
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes away versions of a record in branches; its row and its quarantined
/// entry go as with every delete. Says whether there were any.
pub(super) fn forget_versions(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<bool> {
    let removed = conn
        .prepare_cached("DELETE FROM branch WHERE village = ?1 AND id = ?2 AND operation <> 3")?
        .execute((village_sql(village), id.as_bytes()))?;
    Ok(removed > 0)
}

/// A record that stands as erased comes back from its village, whose log and
/// ledger must both be older than the erasure: it is handed over (again).
pub(super) fn send_again(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let sent = conn
        .prepare_cached(&format!(
            "INSERT INTO branch (village, id, kind, schema, epoch, seq, operation, time_ms, actor,
               source, hash, bytes, why, fork, at_ms)
             SELECT village, id, kind, 0, epoch, seq, 3, time_ms, actor, source, x'', x'', {}, 0, ?3
             FROM tombstone WHERE village = ?1 AND id = ?2 AND source = {}
             ON CONFLICT (village, id, epoch, seq, hash)
               DO UPDATE SET outcome = 0, settled = 0 WHERE settled = 1",
            Why::LostBranch as u8,
            Source::ERASURE.0,
        ))?
        .execute((village_sql(village), id.as_bytes(), now_ms))?;
    if sent > 0 {
        let words = Words::new(
            "Desa mengirim lagi catatan yang sudah dihapus permanen, mungkin dari cadangan lama. \
             Penghapusannya dikirim ke desa pada hubungan berikutnya; tidak perlu tindakan.",
            "The village sent a record again that is erased for good, perhaps from an old backup. \
             The erasure goes to the village at the next contact; nothing needs to be done.",
        );
        let incident = NewIncident::new(IncidentKind::ErasedAgain, words);
        incidents::note(conn, village, &incident.about(id.to_string()), now_ms)?;
    }
    Ok(())
}

/// Takes away findings, open or closed, about a number that only this record
/// carried. Where another record carries it, the number is that record's too.
pub(super) fn forget_findings(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<()> {
    let named: Vec<(i64, i64)> = conn
        .prepare_cached(
            "SELECT number, key FROM finding
             WHERE (place_village = ?1 AND place_id = ?2)
                OR number IN (SELECT finding FROM claim WHERE village = ?1 AND id = ?2)",
        )?
        .query_map((village_sql(village), id.as_bytes()), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, key) in named {
        if is_carried(conn, key)? {
            continue;
        }
        conn.prepare_cached("DELETE FROM claim WHERE finding = ?1")?.execute([number])?;
        conn.prepare_cached("DELETE FROM finding WHERE number = ?1")?.execute([number])?;
    }
    Ok(())
}

fn is_carried(conn: &Connection, key: i64) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM warga WHERE nik = ?1)
             OR EXISTS (SELECT 1 FROM keluarga WHERE no_kk = ?1)
             OR EXISTS (SELECT 1 FROM mutasi WHERE nik = ?1)",
    )?
    .query_row([key], |row| row.get(0))
}

impl Merge<'_> {
    /// Ends a record again that the ledger says is erased, whatever became of
    /// it in this file.
    pub(super) fn erase_again(&mut self, erasure: &Erasure) -> Result<(), DatasetError> {
        let Erasure { village, id, kind, epoch, seq, at_ms, .. } = *erasure;
        let Some(mut standing) = self.standing(village)? else { return Ok(()) };
        let change = Change {
            id,
            kind,
            schema: 0,
            seq,
            operation: Operation::Delete,
            time_ms: at_ms,
            actor: LEDGER_ACTOR.into(),
            source: Source::ERASURE,
            bytes: Bytes::new(),
            hash: None,
            content: Content::Tombstone,
        };
        let stored = self.stored(&standing, &change)?;
        // Of another log, perhaps, whose numbers say nothing about this one.
        let found = stored.newest().unwrap_or(Stamp { epoch: 0, seq: 0 });
        let stamp = found.max(Stamp { epoch: epoch.0, seq: seq.0 });
        if stored.is_there() {
            self.replace(&mut standing, &change, stamp, stored)?;
        }
        forget_versions(self.conn, village, id)?;
        self.erased.push(Erased { erasure: *erasure, removed: true });
        self.villages.insert(village, standing);
        Ok(())
    }

    /// Notes an incident with whatever else this transaction does.
    pub(super) fn note(
        &self,
        village: VillageCode,
        incident: &NewIncident,
    ) -> Result<(), DatasetError> {
        Ok(incidents::note(self.conn, village, incident, self.now_ms)?)
    }

    /// Notes that a change erased its record, and takes older versions away.
    pub(super) fn note_erasure(
        &mut self,
        standing: &Standing,
        change: &Change,
        epoch: u32,
        was_there: bool,
    ) -> Result<(), DatasetError> {
        let village = standing.village;
        let versions = forget_versions(self.conn, village, change.id)?;
        // The village has erased it: nothing needs to be handed over.
        self.conn
            .prepare_cached(
                "UPDATE branch SET outcome = ?3, settled = 1
                 WHERE village = ?1 AND id = ?2 AND settled = 0 AND outcome = 0",
            )?
            .execute((village_sql(village), change.id.as_bytes(), Outcome::Equal as u8))?;
        let erasure = Erasure {
            village,
            id: change.id,
            kind: change.kind,
            epoch: Epoch(epoch),
            seq: change.seq,
            at_ms: change.time_ms,
            received_ms: self.now_ms,
            scrubbed: false,
        };
        self.erased.push(Erased { erasure, removed: was_there || versions });
        Ok(())
    }
}

/// How long truncating the log waits for those who read from it: the writer
/// has other things to do.
const READERS_WITHIN: Duration = Duration::from_millis(250);

/// Folds the write-ahead log into the file and cuts it to nothing; `false`
/// when somebody still reads from it.
pub(super) fn truncate_log(conn: &Connection) -> rusqlite::Result<bool> {
    conn.busy_timeout(READERS_WITHIN)?;
    let busy: rusqlite::Result<i64> =
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    conn.busy_timeout(BUSY_WITHIN)?;
    Ok(busy? == 0)
}

/// Writes the whole file anew, without any unused space, then truncates the
/// log; `false` when the log is still in use.
pub(super) fn scrub(conn: &Connection) -> rusqlite::Result<bool> {
    // The copy of a whole district doesn't fit into memory.
    conn.execute_batch("PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY;")?;
    truncate_log(conn)
}
