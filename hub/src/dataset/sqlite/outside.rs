//! Other writers of the same file.
//!
//! A command may merge (a bundle, a quarantined entry) while the hub runs.
//! SQLite keeps the transactions apart; what this process remembers of the
//! file beside them must be brought up to date, or a number claimed by two
//! villages, one here and one there, would go unnoticed.

use std::collections::HashMap;

use rusqlite::{Connection, Row as SqlRow};

use super::merge::Memory;
use super::reads;
use super::village::Standing;
use crate::dataset::DatasetError;

/// What tells that a village's rows have changed: position, sum, quarantine.
type Mark = (Option<[u8; 16]>, i64, i64, Option<[u8; 16]>, [u8; 32], i64);

/// What this process has seen of the file.
#[derive(Default)]
pub(super) struct Seen {
    /// SQLite's number, which moves with every commit of somebody else.
    version: i64,
    /// Each village by its number in the registry.
    villages: HashMap<i64, Mark>,
}

impl Seen {
    /// What the file holds now.
    pub(super) fn now(conn: &Connection) -> Result<Self, DatasetError> {
        Ok(Self { version: version(conn)?, villages: marks(conn)? })
    }
}

/// Brings memory up to date with what others have committed since. To be
/// called in the transaction that will rely on it.
pub(super) fn catch_up(conn: &Connection, memory: &mut Memory) -> Result<(), DatasetError> {
    if version(conn)? == memory.seen.version {
        return Ok(());
    }
    let now = Seen::now(conn)?;
    memory.actors.forget();
    for (number, mark) in &now.villages {
        if memory.seen.villages.get(number) == Some(mark) {
            continue;
        }
        let owner = number.cast_unsigned();
        reads::village_numbers(
            conn,
            *number,
            |nik| {
                memory.niks.note(nik, owner);
            },
            |no_kk| {
                memory.kks.note(no_kk, owner);
            },
        )?;
    }
    memory.seen = now;
    Ok(())
}

/// Remembers how this transaction leaves a village.
pub(super) fn note_own(memory: &mut Memory, standing: &Standing) {
    let position = standing.position.as_ref();
    let mark = (
        position.map(|position| position.log_id.0),
        position.map_or(0, |position| i64::from(position.epoch.0)),
        position.map_or(0, |position| position.seq.0.cast_signed()),
        position.map(|position| position.chain.0),
        standing.fingerprint.to_bytes(),
        standing.quarantined.cast_signed(),
    );
    memory.seen.villages.insert(standing.number, mark);
}

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

fn marks(conn: &Connection) -> rusqlite::Result<HashMap<i64, Mark>> {
    conn.prepare_cached(
        "SELECT number, log_id, epoch, seq, chain, fingerprint, quarantined FROM village",
    )?
    .query_map([], mark)?
    .collect()
}

fn mark(row: &SqlRow<'_>) -> rusqlite::Result<(i64, Mark)> {
    let mark = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
    Ok((row.get(0)?, mark))
}
