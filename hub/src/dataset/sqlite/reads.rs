//! Records and quarantine as people and exports read them.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{Epoch, Operation, Seq, Source};
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use super::merge::kind_code;
use super::schema::Shelf;
use super::scoped::condition;
use super::upsert::village_sql;
use super::village::{count, village_code};
use crate::dataset::{Change, Content, QuarantinedEntry, RecordFilter, Scope, StoredRecord};

/// What a [`StoredRecord`] is read from, by [`stored_record`].
fn record_columns(shelf: Shelf) -> String {
    let kind = shelf.kind().map_or_else(|| "kind".to_owned(), |kind| kind.code().0.to_string());
    format!(
        "village, id, {kind}, schema, seq, time_ms,
         (SELECT name FROM actor WHERE actor.number = {}.actor), source, bytes,
         epoch",
        shelf.table()
    )
}

fn stored_record(row: &SqlRow<'_>) -> rusqlite::Result<StoredRecord> {
    Ok(StoredRecord {
        village: village_code(row, 0)?,
        id: RecordId(row.get(1)?),
        kind: kind_code(row, 2)?,
        schema: row.get(3)?,
        seq: Seq(count(row, 4)?),
        time_ms: row.get(5)?,
        actor: row.get(6)?,
        source: Source(row.get(7)?),
        bytes: Bytes::copy_from_slice(row.get_ref(8)?.as_blob()?),
        epoch: Epoch(row.get(9)?),
    })
}

/// Records in (village, id) order. Without a kind every shelf is asked for a
/// page and the pages are merged.
pub(super) fn records(
    conn: &Connection,
    filter: &RecordFilter,
) -> rusqlite::Result<Vec<StoredRecord>> {
    let ranges = filter.scope.ranges();
    let (Some((first, _)), Some((_, last))) = (ranges.first(), ranges.last()) else {
        return Ok(Vec::new());
    };
    let start = (first.cast_signed(), Vec::new());
    let after = filter.after.map(|(village, id)| (village_sql(village), id.as_bytes().to_vec()));
    let (from_village, from_id) = after.unwrap_or_default().max(start);
    let to_village = last.cast_signed();
    let mut found = Vec::new();
    for shelf in Shelf::all() {
        if filter.kind.is_some_and(|kind| Shelf::of(kind.code()) != shelf) {
            continue;
        }
        let sql = format!(
            "SELECT {} FROM {} WHERE (village, id) > (?1, ?2) AND village <= ?3 AND {}
             ORDER BY village, id LIMIT ?4",
            record_columns(shelf),
            shelf.table(),
            condition(&filter.scope, "village"),
        );
        let mut statement = conn.prepare_cached(&sql)?;
        let rows = statement
            .query_map((from_village, &from_id, to_village, filter.limit), stored_record)?;
        for record in rows {
            found.push(record?);
        }
    }
    found.sort_unstable_by_key(|record| (record.village, record.id));
    found.truncate(filter.limit as usize);
    Ok(found)
}

/// One record, on whichever shelf it is.
pub(super) fn record(
    conn: &Connection,
    village: VillageCode,
    id: RecordId,
) -> rusqlite::Result<Option<StoredRecord>> {
    for shelf in Shelf::all() {
        let sql = format!(
            "SELECT {} FROM {} WHERE village = ?1 AND id = ?2",
            record_columns(shelf),
            shelf.table(),
        );
        let found = conn
            .prepare_cached(&sql)?
            .query_row((village_sql(village), id.as_bytes()), stored_record)
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The quarantine of the scope's villages after a number, oldest first.
pub(super) fn quarantine(
    conn: &Connection,
    scope: &Scope,
    after: i64,
    limit: u32,
) -> rusqlite::Result<Vec<QuarantinedEntry>> {
    conn.prepare_cached(&format!(
        "SELECT number, village, seq, id, kind, reason, since_ms, length(bytes), epoch = 0
         FROM quarantine
         WHERE number > ?1 AND {} ORDER BY number LIMIT ?2",
        condition(scope, "village")
    ))?
    .query_map((after, limit), |row| {
        Ok(QuarantinedEntry {
            number: row.get(0)?,
            village: village_code(row, 1)?,
            seq: Seq(count(row, 2)?),
            id: RecordId(row.get(3)?),
            kind: kind_code(row, 4)?,
            reason: row.get(5)?,
            since_ms: row.get(6)?,
            bytes: count(row, 7)?,
            left_over: row.get(8)?,
        })
    })?
    .collect()
}

/// One quarantined entry as the change it was.
pub(super) fn quarantined_change(
    conn: &Connection,
    number: i64,
) -> rusqlite::Result<Option<Change>> {
    conn.prepare_cached(
        "SELECT id, kind, schema, seq, operation, time_ms,
                (SELECT name FROM actor WHERE actor.number = quarantine.actor),
                source, bytes, hash, reason
         FROM quarantine WHERE number = ?1",
    )?
    .query_row([number], |row| {
        let operation = row.get::<_, u8>(4)?;
        Ok(Change {
            id: RecordId(row.get(0)?),
            kind: kind_code(row, 1)?,
            schema: row.get(2)?,
            seq: Seq(count(row, 3)?),
            operation: Operation::from_number(operation)
                .ok_or(rusqlite::Error::IntegralValueOutOfRange(4, operation.into()))?,
            time_ms: row.get(5)?,
            actor: Arc::from(row.get_ref(6)?.as_str()?),
            source: Source(row.get(7)?),
            bytes: Bytes::copy_from_slice(row.get_ref(8)?.as_blob()?),
            hash: row.get::<_, Option<[u8; 32]>>(9)?.map(ContentHash),
            content: Content::Quarantined(row.get(10)?),
        })
    })
    .optional()
}

/// NIKs and family card numbers that one village's rows hold; `village` is
/// its number in the registry.
pub(super) fn village_numbers(
    conn: &Connection,
    village: i64,
    mut nik: impl FnMut(u64),
    mut no_kk: impl FnMut(u64),
) -> rusqlite::Result<()> {
    let note: [(&str, &mut dyn FnMut(u64)); 2] = [
        (
            "SELECT nik FROM warga WHERE nik IS NOT NULL
             AND village = (SELECT village FROM village WHERE number = ?1)",
            &mut nik,
        ),
        (
            "SELECT no_kk FROM keluarga WHERE no_kk IS NOT NULL
             AND village = (SELECT village FROM village WHERE number = ?1)",
            &mut no_kk,
        ),
    ];
    for (sql, note) in note {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([village])?;
        while let Some(row) = rows.next()? {
            note(count(row, 0)?);
        }
    }
    Ok(())
}

/// Every number of one column that stands in an index, with its village's
/// number in the registry: what the prefilters are filled from.
pub(super) fn claimed_numbers(
    conn: &Connection,
    kind: Kind,
    column: &str,
    mut note: impl FnMut(u64, u64),
) -> rusqlite::Result<()> {
    let owners: std::collections::HashMap<i64, i64> = conn
        .prepare("SELECT village, number FROM village")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let table = kind.name();
    let mut statement = conn.prepare(&format!(
        "SELECT {column}, village FROM {table} WHERE {column} IS NOT NULL ORDER BY {column}"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let owner = owners.get(&row.get(1)?).copied().unwrap_or(i64::MAX);
        note(count(row, 0)?, owner.cast_unsigned());
    }
    Ok(())
}
