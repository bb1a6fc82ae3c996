//! Records of kinds that were unknown when they came: once this version has a
//! table for them they move there, byte for byte, so that the older hub loses
//! nothing and the newer one finds everything in one place.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_ledger::{Operation, Seq, Source};
use rusqlite::{Connection, Row as SqlRow};

use super::merge::kind_code;
use super::schema::Shelf;
use super::statements::{Act, Statements};
use super::upsert;
use super::village::{count, village_code};
use crate::dataset::{Change, Content};
use crate::merge::decode;

/// Moves what can be read now; the rest stays where it is. How many moved.
pub(super) fn known_by_now(conn: &Connection) -> rusqlite::Result<u64> {
    let other = Shelf::OTHER.table();
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.code().0.to_string()).collect();
    let sql = format!(
        "SELECT village, id, kind, schema, seq, time_ms, actor, source, bytes, epoch
         FROM {other} WHERE kind IN ({})",
        kinds.join(", ")
    );
    let mut statements = Statements::new(conn);
    let mut moved = 0;
    let mut found = conn.prepare(&sql)?;
    let waiting: Vec<_> = found.query_map([], waiting)?.collect::<Result<_, _>>()?;
    for Waiting { village, epoch, actor, mut change } in waiting {
        let row = Kind::from_code(change.kind).and_then(|kind| decode::row_of(kind, &change.bytes));
        let Some(row) = row else { continue };
        change.content = Content::Row(row);
        upsert::write(&mut statements, Act::Put, village, epoch, actor, &change)?;
        upsert::remove(&mut statements, Shelf::OTHER, village, change.id)?;
        moved += 1;
    }
    Ok(moved)
}

/// A row on the shelf of unknown kinds, as the change that made it.
struct Waiting {
    village: lumbung_domain::region::VillageCode,
    epoch: u32,
    actor: i64,
    change: Change,
}

fn waiting(row: &SqlRow<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        village: village_code(row, 0)?,
        epoch: row.get(9)?,
        actor: row.get(6)?,
        change: Change {
            id: RecordId(row.get(1)?),
            kind: kind_code(row, 2)?,
            schema: row.get(3)?,
            seq: Seq(count(row, 4)?),
            operation: Operation::Update,
            time_ms: row.get(5)?,
            // Its number is written as it is.
            actor: Arc::from(""),
            source: Source(row.get(7)?),
            bytes: Bytes::copy_from_slice(row.get_ref(8)?.as_blob()?),
            hash: None,
            content: Content::UnknownKind,
        },
    })
}
