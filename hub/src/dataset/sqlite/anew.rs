//! Family cards that were entered anew.
//!
//! A resident names the family by its record. Where that record is gone and
//! somebody wrote the same card down again, under another record, the card's
//! number alone tells which one it is now. The hub looks it up to show it;
//! to whom a resident belongs is for the village to say.

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::NoKk;
use lumbung_domain::record::Record;
use lumbung_domain::region::VillageCode;
use lumbung_wire::record::decode;
use rusqlite::{Connection, OptionalExtension as _};

use super::upsert::village_sql;

/// The one family in use that has the card of `lost`, which the village's log
/// has no more. `None` where the log has it, where its number isn't known, and
/// where several families have it.
pub(super) fn family(
    conn: &Connection,
    village: VillageCode,
    lost: RecordId,
) -> rusqlite::Result<Option<RecordId>> {
    let Some(no_kk) = number_of(conn, village, lost)? else { return Ok(None) };
    let now: Vec<RecordId> = conn
        .prepare_cached(
            "SELECT id FROM keluarga
             WHERE village = ?1 AND no_kk = ?2 AND epoch > 0 AND aktif LIMIT 2",
        )?
        .query_map((village_sql(village), no_kk.as_u64().cast_signed()), |row| {
            Ok(RecordId(row.get(0)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(match now[..] {
        [one] => Some(one),
        _ => None,
    })
}

/// The number on the card of a family that the village's log has no more: as
/// it was left over, or as it was set aside last.
fn number_of(
    conn: &Connection,
    village: VillageCode,
    lost: RecordId,
) -> rusqlite::Result<Option<NoKk>> {
    let of = (village_sql(village), lost.as_bytes());
    let row: Option<(u32, Option<i64>)> = conn
        .prepare_cached("SELECT epoch, no_kk FROM keluarga WHERE village = ?1 AND id = ?2")?
        .query_row(of, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((epoch, no_kk)) = row {
        let no_kk = no_kk.filter(|_| epoch == 0);
        return Ok(no_kk.and_then(|no_kk| NoKk::from_u64(no_kk.cast_unsigned())));
    }
    let kept: Option<Vec<u8>> = conn
        .prepare_cached(&format!(
            "SELECT bytes FROM branch
             WHERE village = ?1 AND id = ?2 AND kind = {} AND length(bytes) > 0
             ORDER BY number DESC LIMIT 1",
            Kind::Keluarga.code().0
        ))?
        .query_row(of, |row| row.get(0))
        .optional()?;
    Ok(match kept.map(|bytes| decode(Kind::Keluarga, &bytes.into())) {
        Some(Ok(Record::Keluarga(family))) => family.no_kk,
        _ => None,
    })
}
