//! What people have been told, in the same file as the rows.

use rusqlite::TransactionBehavior;

use super::SqliteDataset;
use super::village::count;
use crate::dataset::DatasetError;
use crate::dataset::alerts::{Alerts, KnownAlert, Letter, Maintenance};

impl Alerts for SqliteDataset {
    fn known_alerts(&self) -> Result<Vec<KnownAlert>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT key, since_ms, seen_ms, told_ms, state FROM alert ORDER BY key",
            )?;
            let known = statement.query_map([], |row| {
                let extent: String = row.get(4)?;
                Ok(KnownAlert {
                    key: row.get(0)?,
                    since_ms: row.get(1)?,
                    seen_ms: row.get(2)?,
                    told_ms: row.get(3)?,
                    extent: extent.parse().unwrap_or(0),
                })
            })?;
            Ok(known.collect::<Result<_, _>>()?)
        })
    }

    fn settle_alerts(&self, known: &[KnownAlert], letters: &[Letter]) -> Result<(), DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute("DELETE FROM alert", [])?;
        for alert in known {
            tx.prepare_cached(
                "INSERT INTO alert (key, since_ms, seen_ms, told_ms, state)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                &alert.key,
                alert.since_ms,
                alert.seen_ms,
                alert.told_ms,
                alert.extent.to_string(),
            ))?;
        }
        for letter in letters {
            tx.prepare_cached(
                "INSERT INTO alert_letter (channel, subject, body, made_ms, due_ms)
                 VALUES (?1, ?2, ?3, ?4, ?4)",
            )?
            .execute((
                &letter.channel,
                &letter.subject,
                &letter.body,
                letter.made_ms,
            ))?;
        }
        tx.commit()?;
        Ok(())
    }

    fn letters_due(&self, now_ms: i64) -> Result<Vec<Letter>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT number, channel, subject, body, made_ms, attempts FROM alert_letter
                 WHERE due_ms <= ?1 ORDER BY number",
            )?;
            let letters = statement.query_map([now_ms], |row| {
                Ok(Letter {
                    number: row.get(0)?,
                    channel: row.get(1)?,
                    subject: row.get(2)?,
                    body: row.get(3)?,
                    made_ms: row.get(4)?,
                    attempts: row.get(5)?,
                })
            })?;
            Ok(letters.collect::<Result<_, _>>()?)
        })
    }

    fn letters_waiting(&self) -> Result<u64, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached("SELECT count(*) FROM alert_letter")?;
            Ok(statement.query_row([], |row| count(row, 0))?)
        })
    }

    fn letter_done(&self, number: i64) -> Result<(), DatasetError> {
        self.writer().conn.execute("DELETE FROM alert_letter WHERE number = ?1", [number])?;
        Ok(())
    }

    fn letter_failed(&self, number: i64, due_ms: i64) -> Result<(), DatasetError> {
        self.writer().conn.execute(
            "UPDATE alert_letter SET attempts = attempts + 1, due_ms = ?2 WHERE number = ?1",
            (number, due_ms),
        )?;
        Ok(())
    }

    fn add_maintenance(&self, window: &Maintenance) -> Result<i64, DatasetError> {
        let writer = self.writer();
        writer.conn.execute(
            "INSERT INTO maintenance (scope, from_ms, until_ms, reason) VALUES (?1, ?2, ?3, ?4)",
            (window.scope.cast_signed(), window.from_ms, window.until_ms, &window.reason),
        )?;
        Ok(writer.conn.last_insert_rowid())
    }

    fn end_maintenance(&self, number: i64, now_ms: i64) -> Result<bool, DatasetError> {
        let ended = self.writer().conn.execute(
            "UPDATE maintenance SET until_ms = ?2 WHERE number = ?1 AND until_ms > ?2",
            (number, now_ms),
        )?;
        Ok(ended > 0)
    }

    fn maintenance(&self, now_ms: i64) -> Result<Vec<Maintenance>, DatasetError> {
        self.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT number, scope, from_ms, until_ms, reason FROM maintenance
                 WHERE until_ms > ?1 ORDER BY until_ms",
            )?;
            let windows = statement.query_map([now_ms], |row| {
                Ok(Maintenance {
                    number: row.get(0)?,
                    scope: count(row, 1)?,
                    from_ms: row.get(2)?,
                    until_ms: row.get(3)?,
                    reason: row.get(4)?,
                })
            })?;
            Ok(windows.collect::<Result<_, _>>()?)
        })
    }
}
