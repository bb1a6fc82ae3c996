//! The list of incidents: noted once, never changed.

use lumbung_domain::region::VillageCode;
use rusqlite::Connection;

use super::scoped::condition;
use super::upsert::village_sql;
use super::village::village_code;
use crate::dataset::{Incident, NewIncident, Scope};

/// Adds an incident unless its subject has been noted.
pub(super) fn note(
    conn: &Connection,
    village: VillageCode,
    incident: &NewIncident,
    at_ms: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO incident (village, kind, subject, sentence, sentence_en, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING",
    )?
    .execute((
        village_sql(village),
        incident.kind.code(),
        &incident.subject,
        &incident.sentence.id,
        &incident.sentence.en,
        at_ms,
    ))?;
    Ok(())
}

/// The incidents of the scope's villages, newest first.
pub(super) fn list(
    conn: &Connection,
    scope: &Scope,
    limit: u32,
) -> rusqlite::Result<Vec<Incident>> {
    conn.prepare_cached(&format!(
        "SELECT number, village, kind, sentence, sentence_en, at_ms FROM incident
         WHERE {} ORDER BY number DESC LIMIT ?1",
        condition(scope, "village")
    ))?
    .query_map([limit], |row| {
        Ok(Incident {
            number: row.get(0)?,
            village: village_code(row, 1)?,
            code: row.get(2)?,
            sentence: row.get(3)?,
            sentence_en: row.get(4)?,
            at_ms: row.get(5)?,
        })
    })?
    .collect()
}
