//! Stated totals, the newest of each region.

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::Record;
use lumbung_wire::record as wire;
use rusqlite::{Connection, Row as SqlRow};

use super::scoped::condition;
use super::village::village_code;
use crate::dataset::{Scope, Stated};

/// The newest statement of each village of the scope; with `below` those of
/// its dusun, RW, RT and dasawisma after it.
pub(super) fn newest(
    conn: &Connection,
    scope: &Scope,
    below: bool,
) -> rusqlite::Result<Vec<Stated>> {
    let sql = format!(
        "SELECT village, id, time_ms,
                (SELECT name FROM actor WHERE actor.number = pernyataan_jumlah.actor), bytes
         FROM pernyataan_jumlah
         WHERE epoch > 0 AND per_tanggal IS NOT NULL AND {} AND (wilayah_id IS NULL OR ?1)
         ORDER BY village, wilayah_id, per_tanggal DESC, seq DESC",
        condition(scope, "village")
    );
    let mut newest: Vec<Stated> = Vec::new();
    for stated in conn.prepare_cached(&sql)?.query_map([below], stated)? {
        let Some(stated) = stated? else { continue };
        let region = |it: &Stated| (it.village, it.record.wilayah_id);
        if newest.last().is_none_or(|last| region(last) != region(&stated)) {
            newest.push(stated);
        }
    }
    Ok(newest)
}

/// A row whose bytes can't be read would not be here.
fn stated(row: &SqlRow<'_>) -> rusqlite::Result<Option<Stated>> {
    let bytes = Bytes::copy_from_slice(row.get_ref(4)?.as_blob()?);
    let Ok(Record::PernyataanJumlah(record)) = wire::decode(Kind::PernyataanJumlah, &bytes) else {
        return Ok(None);
    };
    Ok(Some(Stated {
        village: village_code(row, 0)?,
        id: RecordId(row.get(1)?),
        record: *record,
        time_ms: row.get(2)?,
        actor: row.get(3)?,
    }))
}
