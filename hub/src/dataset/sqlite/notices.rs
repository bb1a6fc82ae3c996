//! Notices in the same file as the rows, so that receipts are counted where
//! they are merged.

use std::collections::HashMap;

use bytes::Bytes;
use jiff::civil::Date;
use lumbung_domain::informasi::Informasi;
use lumbung_domain::region::VillageCode;
use lumbung_proto::v1;
use lumbung_wire::{date, informasi as wire};
use prost::Message as _;
use rusqlite::{Connection, Row as SqlRow, TransactionBehavior};

use super::SqliteDataset;
use super::upsert::village_sql;
use super::village::{count, village_code};
use crate::dataset::DatasetError;
use crate::dataset::notices::{
    Addressee, DeliveryState, DueNotice, ListedNotice, Notice, NoticeDelivered, NoticeDetail,
    NoticeVillage, Notices, Reach,
};

/// `state` of a delivery, see schema_v9.sql; 0 is queued.
const KEPT: u8 = 1;
const TOO_OLD: u8 = 2;

/// Columns of a notice, for [`notice`].
const NOTICE: &str =
    "n.number, n.message, n.content_version, n.written_by, n.made_ms, n.changed_ms";

// SQLite would look through all receipts of the village: it is told to use
// the index by notice.

/// Whether the village has the newest version: it said so, or its receipt
/// came. For a delivery `d` of a notice `n`.
const HAS_IT: &str = "(d.state = 1 OR EXISTS (SELECT 1
    FROM tanda_terima t INDEXED BY tanda_terima_informasi
    WHERE t.informasi_id = n.id AND t.village = d.village AND t.rt_id IS NULL
    AND t.versi >= n.version AND t.epoch > 0))";

/// Whether somebody there read what it says now.
const READ_IT: &str = "EXISTS (SELECT 1 FROM tanda_terima t INDEXED BY tanda_terima_informasi
    WHERE t.informasi_id = n.id AND t.village = d.village
    AND t.versi >= n.content_version AND t.dibaca_ms IS NOT NULL AND t.epoch > 0)";

impl SqliteDataset {
    fn transact_notices<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = work(&tx)?;
        tx.commit()?;
        Ok(outcome)
    }
}

impl Notices for SqliteDataset {
    fn add_notice(
        &self,
        informasi: &Informasi,
        villages: &[VillageCode],
        written_by: &str,
        now_ms: i64,
    ) -> Result<i64, DatasetError> {
        self.transact_notices(|conn| {
            conn.execute(
                "INSERT INTO notice (id, version, content_version, last_day, written_by, made_ms,
                                     changed_ms, message)
                 VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?5, ?6)",
                (
                    informasi.id.as_bytes(),
                    informasi.versi,
                    informasi.berlaku_sampai.map(date::to_days),
                    written_by,
                    now_ms,
                    wire::to_wire(informasi).encode_to_vec(),
                ),
            )?;
            let number = conn.last_insert_rowid();
            let mut queue =
                conn.prepare("INSERT INTO notice_delivery (village, notice) VALUES (?1, ?2)")?;
            for village in villages {
                queue.execute((village_sql(*village), number))?;
            }
            Ok(number)
        })
    }

    fn replace_notice(
        &self,
        number: i64,
        informasi: &Informasi,
        written_by: &str,
        now_ms: i64,
    ) -> Result<bool, DatasetError> {
        self.transact_notices(|conn| {
            let replaced = conn.execute(
                "UPDATE notice SET version = ?2, last_day = ?3, written_by = ?4, changed_ms = ?5,
                    message = ?6, content_version = CASE WHEN ?7 THEN content_version ELSE ?2 END
                 WHERE number = ?1 AND version = ?2 - 1",
                (
                    number,
                    informasi.versi,
                    informasi.berlaku_sampai.map(date::to_days),
                    written_by,
                    now_ms,
                    wire::to_wire(informasi).encode_to_vec(),
                    informasi.ditarik,
                ),
            )?;
            if replaced == 0 {
                return Ok(false);
            }
            conn.execute(
                "UPDATE notice_delivery SET state = 0, at_ms = 0, software = '' WHERE notice = ?1",
                [number],
            )?;
            Ok(true)
        })
    }

    fn notices(&self, before: i64, limit: u32) -> Result<Vec<ListedNotice>, DatasetError> {
        self.read(|conn| Ok(listed(conn, &Which::Before(before), limit)?))
    }

    fn notice(&self, number: i64) -> Result<Option<NoticeDetail>, DatasetError> {
        self.read(|conn| {
            let Some(listed) = listed(conn, &Which::One(number), 1)?.pop() else { return Ok(None) };
            Ok(Some(NoticeDetail { listed, villages: villages(conn, number)? }))
        })
    }

    fn due_notices(
        &self,
        to: Addressee<'_>,
        after: i64,
        today: Date,
        limit: u32,
    ) -> Result<Vec<DueNotice>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT n.number, n.message FROM notice_delivery d JOIN notice n
                    ON n.number = d.notice
                 WHERE d.village = ?1 AND d.notice > ?2
                   AND (n.last_day IS NULL OR n.last_day >= ?3)
                   AND NOT (d.state = 1 AND d.log_id IS ?4 AND d.epoch = ?5)
                   AND NOT (d.state = 2 AND d.software = ?6)
                   AND NOT EXISTS (SELECT 1
                        FROM tanda_terima t INDEXED BY tanda_terima_informasi
                        WHERE t.informasi_id = n.id AND t.village = d.village AND t.rt_id IS NULL
                        AND t.versi >= n.version AND t.epoch = ?5)
                 ORDER BY d.notice LIMIT ?7",
            )?;
            let due = statement.query_map(
                (
                    village_sql(to.village),
                    after,
                    date::to_days(today),
                    to.log.map(|(log_id, _)| log_id.0),
                    // No epoch is 0 but that of rows of a closed log.
                    to.log.map_or(-1, |(_, epoch)| i64::from(epoch.0)),
                    to.software,
                    limit,
                ),
                |row| Ok(DueNotice { number: row.get(0)?, informasi: message(row, 1)? }),
            )?;
            Ok(due.collect::<Result<_, _>>()?)
        })
    }

    fn note_deliveries(
        &self,
        to: Addressee<'_>,
        delivered: &[NoticeDelivered],
        now_ms: i64,
    ) -> Result<(), DatasetError> {
        self.transact_notices(|conn| {
            let mut note = conn.prepare_cached(
                "UPDATE notice_delivery SET state = ?3, at_ms = ?4, log_id = ?5, epoch = ?6,
                                            software = ?7
                 WHERE village = ?1 AND notice = ?2
                   AND (SELECT version FROM notice WHERE number = ?2) = ?8",
            )?;
            for NoticeDelivered { number, version, kept } in delivered {
                note.execute((
                    village_sql(to.village),
                    number,
                    if *kept { KEPT } else { TOO_OLD },
                    now_ms,
                    to.log.map(|(log_id, _)| log_id.0),
                    to.log.map_or(0, |(_, epoch)| i64::from(epoch.0)),
                    if *kept { "" } else { to.software },
                    version,
                ))?;
            }
            Ok(())
        })
    }

    fn villages_waiting(&self, today: Date) -> Result<Vec<VillageCode>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT DISTINCT d.village FROM notice_delivery d JOIN notice n
                    ON n.number = d.notice
                 WHERE d.state = 0 AND (n.last_day IS NULL OR n.last_day >= ?1) AND NOT {HAS_IT}"
            ))?;
            let waiting =
                statement.query_map([date::to_days(today)], |row| village_code(row, 0))?;
            Ok(waiting.collect::<Result<_, _>>()?)
        })
    }
}

/// How many notices in force on `today` have not come to each village, and
/// since when the oldest waits. Those for which its node is too old wait too.
pub(super) fn waiting(
    conn: &Connection,
    today: Date,
) -> rusqlite::Result<HashMap<i64, (u64, i64)>> {
    conn.prepare_cached(&format!(
        "SELECT d.village, count(*), min(n.changed_ms)
         FROM notice_delivery d INDEXED BY notice_delivery_waiting
           JOIN notice n ON n.number = d.notice
         WHERE d.state <> 1 AND (n.last_day IS NULL OR n.last_day >= ?1) AND NOT {HAS_IT}
         GROUP BY d.village"
    ))?
    .query_map([date::to_days(today)], |row| Ok((row.get(0)?, (count(row, 1)?, row.get(2)?))))?
    .collect()
}

fn message(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Informasi> {
    let bytes = Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?);
    let message = v1::Notice::decode(bytes).ok();
    message.as_ref().and_then(wire::from_wire).ok_or_else(|| {
        let why = "the message of a notice can't be read";
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, why.into())
    })
}

/// A notice in the columns of [`NOTICE`], from the first.
fn notice(row: &SqlRow<'_>) -> rusqlite::Result<Notice> {
    Ok(Notice {
        number: row.get(0)?,
        informasi: message(row, 1)?,
        content_version: row.get(2)?,
        written_by: row.get(3)?,
        made_ms: row.get(4)?,
        changed_ms: row.get(5)?,
    })
}

/// Which notices are read.
enum Which {
    One(i64),
    Before(i64),
}

fn listed(conn: &Connection, which: &Which, limit: u32) -> rusqlite::Result<Vec<ListedNotice>> {
    let (condition, number) = match which {
        Which::One(number) => ("number = ?1", *number),
        Which::Before(number) => ("number < ?1", *number),
    };
    let sql = format!(
        "SELECT {NOTICE}, count(d.village), coalesce(sum({HAS_IT}), 0),
                coalesce(sum({READ_IT}), 0)
         FROM (SELECT * FROM notice WHERE {condition}
               ORDER BY number DESC LIMIT ?2) n
         LEFT JOIN notice_delivery d ON d.notice = n.number
         GROUP BY n.number ORDER BY n.number DESC"
    );
    conn.prepare_cached(&sql)?
        .query_map((number, limit), |row| {
            let reach =
                Reach { targeted: count(row, 6)?, delivered: count(row, 7)?, read: count(row, 8)? };
            Ok(ListedNotice { notice: notice(row)?, reach })
        })?
        .collect()
}

fn villages(conn: &Connection, number: i64) -> rusqlite::Result<Vec<NoticeVillage>> {
    let of = |what: &str, whose: &str| {
        format!(
            "(SELECT {what} FROM tanda_terima t INDEXED BY tanda_terima_informasi
              WHERE t.informasi_id = n.id AND t.village = d.village AND t.epoch > 0 AND {whose})"
        )
    };
    let received = of("max(t.diterima_ms)", "t.rt_id IS NULL");
    let read = of("max(t.dibaca_ms)", "t.rt_id IS NULL AND t.versi >= n.content_version");
    let rt = "t.rt_id IS NOT NULL AND t.versi >= n.content_version AND t.dibaca_ms IS NOT NULL";
    let rt_read = of("count(*)", rt);
    let sql = format!(
        "SELECT d.village, d.state, d.at_ms, {HAS_IT}, {received}, {read}, {rt_read}
         FROM notice_delivery d JOIN notice n ON n.number = d.notice
         WHERE d.notice = ?1 ORDER BY d.village"
    );
    conn.prepare_cached(&sql)?
        .query_map([number], |row| {
            let state = match (row.get(3)?, row.get::<_, u8>(1)?) {
                (true, _) => DeliveryState::Delivered,
                (false, TOO_OLD) => DeliveryState::NodeTooOld,
                (false, _) => DeliveryState::Queued,
            };
            Ok(NoticeVillage {
                village: village_code(row, 0)?,
                state,
                at_ms: row.get(2)?,
                received_ms: row.get::<_, Option<i64>>(4)?.unwrap_or_default(),
                read_ms: row.get(5)?,
                rt_read: count(row, 6)?,
            })
        })?
        .collect()
}
