//! What is left of an erased record anywhere in the file, and how it goes.
//!
//! The tombstone stays: it holds nothing of the record. The file's bytes go
//! with `secure_delete`, the write-ahead log's with a truncating checkpoint,
//! and what b-tree moves left in unused space with the next rewrite
//! ([`scrub`]).

use std::time::Duration;

use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use rusqlite::Connection;

use super::schema::{BUSY_WITHIN, Shelf};
use super::upsert::village_sql;
use crate::dataset::{IncidentKind, NewIncident};

/// Tables beside the shelves that hold contents of records by village and id;
/// a file of an earlier format lacks some.
const ELSEWHERE: [&str; 2] = ["quarantine", "branch"];

/// Which of [`ELSEWHERE`] this file has, with what marks rows that hold
/// content: an entry in `branch` that ended the record holds none.
fn elsewhere(conn: &Connection) -> rusqlite::Result<Vec<(&'static str, &'static str)>> {
    let mut found = Vec::new();
    for table in ELSEWHERE {
        let there = conn
            .prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?
            .exists([table])?;
        if there {
            found.push((table, "operation <> 3"));
        }
    }
    Ok(found)
}

/// What the operator is told when an older file held erased records.
pub(super) fn came_back(records: usize) -> NewIncident {
    let sentence = format!(
        "Berkas data kabupaten yang dipasang kembali memuat {records} catatan desa ini yang menurut \
         buku penghapusan sudah dihapus permanen. Catatan itu dihapus lagi. Data lain utuh; tidak \
         perlu tindakan."
    );
    NewIncident::new(IncidentKind::ErasedAgain, sentence)
}

/// Whether content of this record lies anywhere.
pub(super) fn holds(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<bool> {
    let shelves = Shelf::all().map(|shelf| (shelf.table(), "1"));
    for (table, condition) in shelves.chain(elsewhere(conn)?) {
        let sql = format!("SELECT 1 FROM {table} WHERE village = ?1 AND id = ?2 AND {condition}");
        let found = conn.prepare_cached(&sql)?.exists((village_sql(village), id.as_bytes()))?;
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes away older versions of a record; its row and its quarantined entry
/// are gone already. Says whether there were any.
pub(super) fn forget_versions(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<bool> {
    let mut removed = 0;
    for (table, condition) in elsewhere(conn)? {
        if table == "quarantine" {
            continue;
        }
        let sql = format!("DELETE FROM {table} WHERE village = ?1 AND id = ?2 AND {condition}");
        removed += conn.prepare_cached(&sql)?.execute((village_sql(village), id.as_bytes()))?;
    }
    Ok(removed > 0)
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
