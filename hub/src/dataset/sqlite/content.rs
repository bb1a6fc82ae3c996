//! The content of one village, read from its rows: every payload is hashed
//! again, and every typed column is compared with the payload it came from.

use std::collections::BTreeMap;

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::{ContentHash, content_hash};
use lumbung_wire::tree::{Leaf, Part, Tree};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row as SqlRow};

use super::schema::Shelf;
use super::upsert::{self, Columns, STATUS_HIDUP, village_sql};
use super::village::Standing;
use crate::dataset::{DatasetError, RowContent};
use crate::merge::decode;

/// What the rows of a village amount to.
pub(super) fn read(conn: &Connection, village: VillageCode) -> Result<RowContent, DatasetError> {
    let standing = Standing::load(conn, village)?.ok_or(DatasetError::UnknownVillage(village))?;
    Ok(RowContent {
        position: standing.position,
        kept: Part { fingerprint: standing.fingerprint, records: standing.records },
        tree: tree(conn, village)?,
    })
}

/// Sets every sum and count of a village to what its rows amount to.
pub(super) fn recount(conn: &Connection, standing: &mut Standing) -> rusqlite::Result<()> {
    let root = tree(conn, standing.village)?.root();
    standing.fingerprint = root.fingerprint;
    standing.records = root.records;
    let village = village_sql(standing.village);
    let count = |sql: &str| -> rusqlite::Result<u64> {
        conn.prepare_cached(sql)?.query_row([village], |row| super::village::count(row, 0))
    };
    standing.warga = count(&format!(
        "SELECT count(*) FROM warga
         WHERE village = ?1 AND epoch > 0 AND status_dasar <= {STATUS_HIDUP}"
    ))?;
    standing.rumah_tangga =
        count("SELECT count(*) FROM rumah_tangga WHERE village = ?1 AND epoch > 0")?;
    standing.leftovers = count(&leftovers())?;
    standing.quarantined = count("SELECT count(*) FROM quarantine WHERE village = ?1")?;
    standing.tombstones = count("SELECT count(*) FROM tombstone WHERE village = ?1")?;
    Ok(())
}

/// Counts the records of which only rows of a closed log are there.
fn leftovers() -> String {
    let tables = || Shelf::all().map(Shelf::table).chain(["quarantine"]);
    let ids = |condition: &'static str| {
        move |table| format!("SELECT id FROM {table} WHERE village = ?1 AND {condition}")
    };
    let old: Vec<_> = tables().map(ids("epoch = 0")).collect();
    let now: Vec<_> = tables().map(ids("epoch > 0")).collect();
    // Without brackets each set goes onto the result of all before it.
    format!("SELECT count(*) FROM ({} EXCEPT {})", old.join(" UNION "), now.join(" EXCEPT "))
}

fn tree(conn: &Connection, village: VillageCode) -> rusqlite::Result<Tree> {
    let waiting = waiting(conn, village)?;
    let mut leaves = Vec::new();
    for shelf in Shelf::all() {
        let typed = shelf.typed().join(", ");
        let sql = format!(
            "SELECT id, schema, bytes, {typed} FROM {} WHERE village = ?1 AND epoch > 0",
            shelf.table()
        );
        let mut statement = conn.prepare_cached(&sql)?;
        let mut rows = statement.query([village_sql(village)])?;
        while let Some(row) = rows.next()? {
            let leaf = row_leaf(shelf, row)?;
            if !waiting.contains_key(&leaf.id) {
                leaves.push(leaf);
            }
        }
    }
    leaves.extend(waiting.into_values());
    Ok(Tree::new(&leaves))
}

/// Quarantined entries: the newest the village has of their records.
fn waiting(conn: &Connection, village: VillageCode) -> rusqlite::Result<BTreeMap<RecordId, Leaf>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, schema, bytes, kind, hash FROM quarantine WHERE village = ?1 AND epoch > 0",
    )?;
    let mut rows = statement.query([village_sql(village)])?;
    let mut waiting = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (id, kind, bytes) = (id(row, 0)?, KindCode(number(row, 3)?), bytes(row, 2)?);
        let kept = row.get::<_, Option<[u8; 32]>>(4).ok().flatten().map(ContentHash);
        let hash = content_hash(id, kind, number(row, 1)?, &bytes);
        let hash = kept.filter(|kept| *kept == hash);
        waiting.insert(id, Leaf::new(id, kind, Some(&bytes), hash));
    }
    Ok(waiting)
}

fn row_leaf(shelf: Shelf, row: &SqlRow<'_>) -> rusqlite::Result<Leaf> {
    /// Columns before the typed ones.
    const TYPED_FROM: usize = 3;
    let (id, schema, bytes) = (id(row, 0)?, number(row, 1)?, bytes(row, 2)?);
    let (kind, sound) = match shelf.kind() {
        Some(kind) => (kind.code(), agrees(kind, &bytes, row, TYPED_FROM)?),
        None => (KindCode(number(row, TYPED_FROM)?), true),
    };
    let hash = sound.then(|| content_hash(id, kind, schema, &bytes));
    Ok(Leaf::new(id, kind, Some(&bytes), hash))
}

/// Whether the typed columns are what the payload says.
fn agrees(kind: Kind, bytes: &Bytes, row: &SqlRow<'_>, from: usize) -> rusqlite::Result<bool> {
    let Some(typed) = decode::row_of(kind, bytes) else { return Ok(false) };
    let mut comparison = Comparison { row, at: from, same: true };
    upsert::columns(&mut comparison, &typed)?;
    Ok(comparison.same)
}

/// Compares typed columns with a stored row, in the order of the shelf.
struct Comparison<'r, 's> {
    row: &'r SqlRow<'s>,
    at: usize,
    same: bool,
}

impl Columns for Comparison<'_, '_> {
    fn put<T: ToSql>(&mut self, value: T) -> rusqlite::Result<()> {
        let stored = self.row.get_ref(self.at)?;
        self.at += 1;
        self.same &= match &value.to_sql()? {
            ToSqlOutput::Borrowed(value) => *value == stored,
            ToSqlOutput::Owned(value) => ValueRef::from(value) == stored,
            _ => false,
        };
        Ok(())
    }
}

// A damaged column must show as a difference, not end the reading: what has
// the wrong type reads as zero or as nothing.

fn id(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<RecordId> {
    let blob = row.get_ref(column)?;
    Ok(blob.as_blob().ok().and_then(RecordId::from_slice).unwrap_or_default())
}

fn bytes(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Bytes> {
    let blob = row.get_ref(column)?;
    Ok(blob.as_blob().map_or_else(|_| Bytes::new(), Bytes::copy_from_slice))
}

fn number(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<u16> {
    let number = row.get_ref(column)?.as_i64().unwrap_or_default();
    Ok(u16::try_from(number).unwrap_or_default())
}
