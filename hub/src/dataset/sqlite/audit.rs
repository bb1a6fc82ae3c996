//! The audit log in the dataset's file.

use std::sync::PoisonError;

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, TransactionBehavior};

use super::SqliteDataset;
use super::village::count;
use crate::access::audit::{
    Act, AuditCheck, AuditEntry, AuditFilter, AuditHead, AuditLog, AuditNote,
};
use crate::dataset::DatasetError;

/// The head of an empty log.
const EMPTY: AuditHead = AuditHead { seq: 0, hash: [0; 32] };

fn head(conn: &Connection) -> rusqlite::Result<AuditHead> {
    let head = conn
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok(AuditHead { seq: count(row, 0)?, hash: row.get(1)? }));
    Ok(head.optional()?.unwrap_or(EMPTY))
}

fn entry(row: &SqlRow<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        seq: count(row, 0)?,
        at_ms: row.get(1)?,
        operator: row.get(2)?,
        act: row.get(3)?,
        subject: row.get(4)?,
        words: row.get(5)?,
        hash: row.get(6)?,
    })
}

fn hash_at(conn: &Connection, seq: u64) -> rusqlite::Result<Option<[u8; 32]>> {
    let mut statement = conn.prepare_cached("SELECT hash FROM audit WHERE seq = ?1")?;
    statement.query_row([seq.cast_signed()], |row| row.get(0)).optional()
}

/// Walks the chain from a head that is known to be of it.
fn walk(conn: &Connection, mut head: AuditHead) -> rusqlite::Result<AuditCheck> {
    let mut statement = conn.prepare_cached(
        "SELECT seq, at_ms, operator, act, subject, words, hash FROM audit
         WHERE seq > ?1 ORDER BY seq",
    )?;
    for read in statement.query_map([head.seq.cast_signed()], entry)? {
        let read = read?;
        if read.seq != head.seq + 1 || read.hash != read.chained(&head.hash) {
            return Ok(AuditCheck::BrokenAt(head.seq + 1));
        }
        head = AuditHead { seq: read.seq, hash: read.hash };
    }
    Ok(AuditCheck::Whole(head))
}

impl AuditLog for SqliteDataset {
    fn note(&self, note: &AuditNote, at_ms: i64) -> Result<AuditHead, DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let previous = head(&tx)?;
        let mut entry = AuditEntry {
            seq: previous.seq + 1,
            at_ms,
            operator: note.operator.clone(),
            act: note.act.code().to_owned(),
            subject: note.subject.clone(),
            words: note.words.clone(),
            hash: [0; 32],
        };
        entry.hash = entry.chained(&previous.hash);
        tx.prepare_cached(
            "INSERT INTO audit (seq, at_ms, operator, act, subject, words, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            entry.seq.cast_signed(),
            entry.at_ms,
            &entry.operator,
            &entry.act,
            &entry.subject,
            &entry.words,
            entry.hash,
        ))?;
        tx.commit()?;
        Ok(AuditHead { seq: entry.seq, hash: entry.hash })
    }

    fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT seq, at_ms, operator, act, subject, words, hash FROM audit
                 WHERE (?1 IS NULL OR operator = ?1) AND (?2 IS NULL OR act = ?2)
                   AND (?3 IS NULL OR subject = ?3) AND (?4 IS NULL OR at_ms >= ?4)
                   AND (?5 IS NULL OR at_ms < ?5) AND (?6 IS NULL OR seq < ?6)
                 ORDER BY seq DESC LIMIT ?7",
            )?;
            let entries = statement.query_map(
                (
                    &filter.operator,
                    &filter.act,
                    &filter.subject,
                    filter.since_ms,
                    filter.until_ms,
                    filter.before.map(u64::cast_signed),
                    filter.limit,
                ),
                entry,
            )?;
            Ok(entries.collect::<Result<_, _>>()?)
        })
    }

    fn audit_head(&self) -> Result<AuditHead, DatasetError> {
        self.read(|conn| Ok(head(conn)?))
    }

    fn audit_head_at(&self, seq: u64) -> Result<Option<AuditHead>, DatasetError> {
        if seq == 0 {
            return Ok(Some(EMPTY));
        }
        self.read(|conn| Ok(hash_at(conn, seq)?.map(|hash| AuditHead { seq, hash })))
    }

    fn check_audit(&self) -> Result<AuditCheck, DatasetError> {
        self.read(|conn| Ok(walk(conn, EMPTY)?))
    }

    fn check_audit_on(&self) -> Result<AuditCheck, DatasetError> {
        let walked = || self.walked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *walked();
        let check = self.read(|conn| {
            Ok(match before {
                // A chain that stood elsewhere is another one: from the start.
                Some(before) if hash_at(conn, before.seq)? == Some(before.hash) => {
                    walk(conn, before)?
                }
                _ => walk(conn, EMPTY)?,
            })
        })?;
        *walked() = match check {
            AuditCheck::Whole(head) => Some(head),
            AuditCheck::BrokenAt(_) => None,
        };
        Ok(check)
    }

    fn count_acts(&self, operator: &str, act: Act, since_ms: i64) -> Result<u64, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT count(*) FROM audit WHERE operator = ?1 AND act = ?2 AND at_ms >= ?3",
            )?;
            Ok(statement.query_row((operator, act.code(), since_ms), |row| count(row, 0))?)
        })
    }
}
