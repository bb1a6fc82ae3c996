//! The list of incidents: noted once, never changed.

use lumbung_domain::region::VillageCode;
use rusqlite::Connection;

use super::upsert::village_sql;
use super::village::village_code;
use crate::dataset::{Incident, NewIncident};

/// Adds an incident unless its subject has been noted.
pub(super) fn note(
    conn: &Connection,
    village: VillageCode,
    incident: &NewIncident,
    at_ms: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO incident (village, kind, subject, sentence, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?
    .execute((
        village_sql(village),
        incident.kind.code(),
        &incident.subject,
        &incident.sentence,
        at_ms,
    ))?;
    Ok(())
}

/// The incidents of one village or of all, newest first.
pub(super) fn list(
    conn: &Connection,
    village: Option<VillageCode>,
    limit: u32,
) -> rusqlite::Result<Vec<Incident>> {
    conn.prepare_cached(
        "SELECT number, village, kind, sentence, at_ms FROM incident
         WHERE ?1 IS NULL OR village = ?1 ORDER BY number DESC LIMIT ?2",
    )?
    .query_map((village.map(village_sql), limit), |row| {
        Ok(Incident {
            number: row.get(0)?,
            village: village_code(row, 1)?,
            code: row.get(2)?,
            sentence: row.get(3)?,
            at_ms: row.get(4)?,
        })
    })?
    .collect()
}
