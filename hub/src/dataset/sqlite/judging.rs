//! What became of versions that went back to a village of which no receipt
//! came: it uses sticks, and its last one was made before it took the answer, or
//! by a version that tells nothing.
//!
//! Once a stick proves that village and hub hold the same, the hub knows what the
//! village would find if it were handed everything again, and says what the
//! village would say. What the village would write waits on: it has not been
//! handed over, or its disk went back since.

use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::{ContentHash, content_hash};
use lumbung_ledger::{Epoch, Forks, Operation, Position, Seq, Source};
use rusqlite::{Connection, OptionalExtension as _};

use super::branch;
use super::merge::Merge;
use super::reads;
use super::upsert::{Stamp, village_sql};
use super::village::count;
use crate::dataset::{DatasetError, Delivered, Outcome, SetAside};

/// The newest entry about a record that is stored.
struct Found {
    stamp: Stamp,
    time_ms: i64,
    actor: String,
    source: Source,
    /// Its content; `None` where the record has ended.
    hash: Option<ContentHash>,
}

impl Found {
    /// Whether the village's log holds it, and the lost branch does not.
    fn is_beyond(&self, version: &SetAside, fork: Seq) -> bool {
        self.stamp.epoch > version.epoch.0 && self.stamp.seq > fork.0
    }

    /// Whether the village's log holds the lost entry itself, so that it was
    /// lost in the hub's eyes only; as the node decides it.
    fn is_common(&self, version: &SetAside, same: bool) -> bool {
        let Stamp { epoch, seq } = self.stamp;
        same && !self.source.repeats()
            && version.epoch >= Epoch::FIRST
            && epoch > version.epoch.0
            && (seq, self.time_ms, self.source) == (version.seq.0, version.time_ms, version.source)
            && *self.actor == *version.actor
    }
}

impl Merge<'_> {
    /// Notes what became of the versions that wait, as far as the village's
    /// content at `at` tells it: both hold the same there. Gives how many that
    /// are.
    pub(super) fn judge_waiting(
        &mut self,
        village: VillageCode,
        at: &Position,
    ) -> Result<u64, DatasetError> {
        if !self.stands_at(village, at)? {
            return Ok(0);
        }
        let mut forks = Forks::default();
        let mut told = Vec::new();
        for version in branch::undelivered(self.conn, village, None, u32::MAX)? {
            let found = found(self.conn, village, version.id)?;
            let living = found.as_ref().and_then(|found| found.hash);
            let same = match version.withheld {
                true => living.is_some(),
                false => living == hash(&version),
            };
            if found.as_ref().is_some_and(|found| found.is_common(&version, same)) {
                forks.found(version.epoch, version.seq);
            }
            let fork = forks.of(version.epoch, version.fork);
            if version.outcome == Outcome::Waiting
                && let Some(outcome) = judged(&version, found.as_ref(), fork)
            {
                told.push(Delivered { number: version.number, outcome, held: None, absent: false });
            }
        }
        self.delivered(village, &told)?;
        Ok(told.len() as u64)
    }
}

/// What the village would say about a version; `None` when it would write it.
fn judged(version: &SetAside, found: Option<&Found>, fork: Seq) -> Option<Outcome> {
    if version.withheld {
        return Some(Outcome::Conflict);
    }
    // Holds whatever came after, and for content that a later entry ended: waits
    // for the entry that erases.
    if version.source == Source::ERASURE && version.operation == Operation::Delete {
        return None;
    }
    let beyond = found.filter(|found| found.is_beyond(version, fork));
    // What is left of a closed log is not the village's.
    let living = found.filter(|found| found.stamp.counts()).and_then(|found| found.hash);
    match beyond {
        _ if living == hash(version) => match beyond {
            Some(found) if found.source == Source::RETURNED => Some(Outcome::Applied),
            // The row is the lost entry's, the village's is another one of the
            // same content: its receipt tells which.
            _ if living.is_some() && found.is_some_and(|it| it.stamp.epoch <= version.epoch.0) => {
                None
            }
            _ => Some(Outcome::Equal),
        },
        Some(_) => Some(Outcome::Conflict),
        None => None,
    }
}

/// The content of a version; `None` where it ended the record.
fn hash(version: &SetAside) -> Option<ContentHash> {
    let SetAside { id, kind, schema, bytes, .. } = version;
    let ended = version.operation == Operation::Delete;
    (!ended).then(|| content_hash(*id, *kind, *schema, bytes))
}

/// The newest entry about a record, be it in a row, in quarantine or as what
/// ended it.
fn found(conn: &Connection, village: VillageCode, id: RecordId) -> rusqlite::Result<Option<Found>> {
    let row = reads::record(conn, village, id)?.map(|row| Found {
        stamp: Stamp { epoch: row.epoch.0, seq: row.seq.0 },
        time_ms: row.time_ms,
        actor: row.actor,
        source: row.source,
        hash: Some(content_hash(id, row.kind, row.schema, &row.bytes)),
    });
    let mut found: Vec<Found> = row.into_iter().collect();
    for (table, hash) in [("quarantine", "hash"), ("tombstone", "NULL")] {
        let sql = format!(
            "SELECT epoch, seq, time_ms,
                    (SELECT name FROM actor WHERE actor.number = {table}.actor), source, {hash}
             FROM {table} WHERE village = ?1 AND id = ?2"
        );
        let one =
            conn.prepare_cached(&sql)?.query_row((village_sql(village), id.as_bytes()), |row| {
                Ok(Found {
                    stamp: Stamp { epoch: row.get(0)?, seq: count(row, 1)? },
                    time_ms: row.get(2)?,
                    actor: row.get(3)?,
                    source: Source(row.get(4)?),
                    hash: row.get::<_, Option<[u8; 32]>>(5)?.map(ContentHash),
                })
            });
        found.extend(one.optional()?);
    }
    Ok(found.into_iter().max_by_key(|found| found.stamp))
}
