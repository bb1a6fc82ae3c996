//! Versions that a village lost: set aside, handed back, settled; and the
//! step of a village onto another branch or another log.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::content_hash;
use lumbung_ledger::{Epoch, Operation, Position, Seq, Source};
use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow};

use super::merge::{Merge, kind_code};
use super::schema::Shelf;
use super::upsert::{Stamp, village_sql};
use super::village::{Standing, count};
use crate::dataset::trail::Trail;
use crate::dataset::{
    After, Change, Content, DatasetError, Delivered, HandedBack, Outcome, SetAside, Why,
};

/// Which stored versions are meant.
#[derive(Clone, Copy)]
enum Which {
    /// Of an epoch before this one, beyond this entry.
    Beyond(Epoch, Seq),
    /// Of a closed log.
    LeftOver,
}

impl Which {
    /// As a condition on the columns, with its two parameters.
    const fn condition(self) -> (&'static str, (u32, i64)) {
        match self {
            Self::Beyond(epoch, seq) => {
                ("epoch > 0 AND epoch < ?2 AND seq > ?3", (epoch.0, seq.0.cast_signed()))
            }
            Self::LeftOver => ("epoch = 0 AND ?2 = ?3", (0, 0)),
        }
    }
}

/// The earlier positions of a village.
pub(super) fn trail(conn: &Connection, village: VillageCode) -> rusqlite::Result<Option<Trail>> {
    let marks = conn
        .prepare_cached("SELECT marks FROM trail WHERE village = ?1")?
        .query_row([village_sql(village)], |row| Ok(Trail::from_slice(row.get_ref(0)?.as_blob()?)))
        .optional()?;
    Ok(marks.flatten())
}

/// Adds a position to the village's trail.
pub(super) fn note_mark(
    conn: &Connection,
    village: VillageCode,
    position: Position,
) -> rusqlite::Result<()> {
    let trail = Trail::step(trail(conn, village)?, position);
    conn.prepare_cached(
        "INSERT INTO trail (village, marks) VALUES (?1, ?2)
         ON CONFLICT (village) DO UPDATE SET marks = excluded.marks",
    )?
    .execute((village_sql(village), trail.to_bytes()))?;
    Ok(())
}

/// The village is proven equal: what it wrote anew is here.
pub(super) fn settle(conn: &Connection, village: VillageCode) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE branch SET settled = 1 WHERE village = ?1 AND settled = 0 AND outcome <> 0",
    )?
    .execute([village_sql(village)])?;
    Ok(())
}

const COLUMNS: &str = "number, id, kind, schema, epoch, seq, operation, time_ms,
    (SELECT name FROM actor WHERE actor.number = branch.actor), source, bytes, hash, fork, at_ms,
    outcome";

fn set_aside(row: &SqlRow<'_>) -> rusqlite::Result<SetAside> {
    let number = |column: usize| row.get::<_, u8>(column);
    let broken = |column: usize, value: u8| {
        rusqlite::Error::IntegralValueOutOfRange(column, i64::from(value))
    };
    let operation = number(6)?;
    let operation = Operation::from_number(operation).ok_or_else(|| broken(6, operation))?;
    let outcome = number(14)?;
    let hash = row.get_ref(11)?.as_blob()?;
    Ok(SetAside {
        number: row.get(0)?,
        id: RecordId(row.get(1)?),
        kind: kind_code(row, 2)?,
        schema: row.get(3)?,
        epoch: Epoch(row.get(4)?),
        seq: Seq(count(row, 5)?),
        operation,
        time_ms: row.get(7)?,
        actor: Arc::from(row.get_ref(8)?.as_str()?),
        source: Source(row.get(9)?),
        bytes: Bytes::copy_from_slice(row.get_ref(10)?.as_blob()?),
        withheld: operation != Operation::Delete && hash.is_empty(),
        fork: Seq(count(row, 12)?),
        at_ms: row.get(13)?,
        outcome: Outcome::from_number(outcome).ok_or_else(|| broken(14, outcome))?,
    })
}

/// Versions to be handed back, in the order of their entries.
pub(super) fn undelivered(
    conn: &Connection,
    village: VillageCode,
    after: Option<After>,
    limit: u32,
) -> rusqlite::Result<Vec<SetAside>> {
    let (epoch, seq, number) =
        after.map_or((0, -1, 0), |(epoch, seq, number)| (epoch.0, seq.0.cast_signed(), number));
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM branch
         WHERE village = ?1 AND settled = 0 AND (epoch, seq, number) > (?2, ?3, ?4)
         ORDER BY epoch, seq, number LIMIT ?5"
    ))?
    .query_map((village_sql(village), epoch, seq, number, limit), set_aside)?
    .collect()
}

/// A village's branch, newest first.
pub(super) fn list(
    conn: &Connection,
    village: VillageCode,
    limit: u32,
) -> rusqlite::Result<Vec<SetAside>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM branch WHERE village = ?1 ORDER BY number DESC LIMIT ?2"
    ))?
    .query_map((village_sql(village), limit), set_aside)?
    .collect()
}

/// What became of the versions that were set aside together last.
pub(super) fn handed_back(conn: &Connection, village: VillageCode) -> rusqlite::Result<HandedBack> {
    conn.prepare_cached(
        "SELECT coalesce(sum(outcome = 1), 0), coalesce(sum(outcome = 2), 0),
                coalesce(sum(outcome = 3), 0)
         FROM branch
         WHERE village = ?1 AND at_ms = (SELECT max(at_ms) FROM branch WHERE village = ?1)",
    )?
    .query_row([village_sql(village)], |row| {
        Ok(HandedBack { applied: count(row, 0)?, equal: count(row, 1)?, conflicts: count(row, 2)? })
    })
}

/// How many versions wait to be handed back for the first time.
fn waiting(conn: &Connection, village: VillageCode) -> rusqlite::Result<u64> {
    conn.prepare_cached(
        "SELECT count(*) FROM branch WHERE village = ?1 AND settled = 0 AND outcome = 0",
    )?
    .query_row([village_sql(village)], |row| count(row, 0))
}

/// Ends the record of a version in the branch, where that version stands.
fn ending(version: &SetAside) -> Change {
    Change {
        id: version.id,
        kind: version.kind,
        schema: version.schema,
        seq: version.seq,
        operation: Operation::Delete,
        time_ms: version.time_ms,
        actor: Arc::clone(&version.actor),
        source: version.source,
        bytes: Bytes::new(),
        hash: None,
        content: Content::Tombstone,
    }
}

impl Merge<'_> {
    /// Continues a village at another position: a later epoch of the same
    /// log, or another log, which outranks every stored row.
    pub(super) fn resume_at(
        &mut self,
        village: VillageCode,
        position: Position,
    ) -> Result<u64, DatasetError> {
        let mut standing = self.standing(village)?.ok_or(DatasetError::UnknownVillage(village))?;
        if standing.position.is_some_and(|stored| stored.log_id != position.log_id) {
            self.close_log(&mut standing)?;
            self.touch_whole(village)?;
        }
        standing.step_to(position);
        // What was proven there says nothing about the same number here.
        self.conn.execute(
            "UPDATE village SET proven_seq = 0 WHERE village = ?1",
            [village_sql(village)],
        )?;
        let leftovers = standing.leftovers;
        self.keep(standing);
        Ok(leftovers)
    }

    /// Takes everything of the present log out of the sum and the figures.
    fn close_log(&self, standing: &mut Standing) -> rusqlite::Result<()> {
        let shelves = Shelf::all().map(Shelf::table);
        for table in shelves.chain(["tombstone", "quarantine"]) {
            self.conn.execute(
                &format!("UPDATE {table} SET epoch = 0 WHERE village = ?1"),
                [village_sql(standing.village)],
            )?;
        }
        // What waits was to go back to the log that is closed now; its record
        // is among what is left over.
        self.conn.execute(
            &format!("{SUPERSEDED} WHERE village = ?1 AND settled = 0"),
            superseded(standing.village),
        )?;
        standing.leftovers += std::mem::take(&mut standing.records);
        standing.fingerprint = lumbung_ledger::Fingerprint::default();
        standing.warga = 0;
        standing.rumah_tangga = 0;
        Ok(())
    }

    /// Continues at a fork of the same log; sets aside what lies beyond it.
    pub(super) fn branch_off(
        &mut self,
        village: VillageCode,
        position: Position,
    ) -> Result<u64, DatasetError> {
        let which = Which::Beyond(position.epoch, position.seq);
        self.set_aside(village, which, Why::LostBranch, position.seq)?;
        // What waits from before has no more in common with the log than the
        // hub has: a save beyond that place is the village's own.
        self.conn
            .prepare_cached(
                "UPDATE branch SET fork = min(fork, ?2) WHERE village = ?1 AND settled = 0",
            )?
            .execute((village_sql(village), position.seq.0.cast_signed()))?;
        self.resume_at(village, position)?;
        Ok(waiting(self.conn, village)?)
    }

    /// Sets aside what is left over from a closed log, to be handed back.
    pub(super) fn return_leftovers(&mut self, village: VillageCode) -> Result<u64, DatasetError> {
        self.set_aside(village, Which::LeftOver, Why::Leftover, Seq::ZERO)?;
        let standing = self.standing(village)?.ok_or(DatasetError::UnknownVillage(village))?;
        let leftovers = standing.leftovers;
        self.keep(standing);
        Ok(leftovers)
    }

    /// Ends what is left over from a closed log; the versions stay in the
    /// branch.
    pub(super) fn forget_leftovers(&mut self, village: VillageCode) -> Result<u64, DatasetError> {
        let leftovers = self.return_leftovers(village)?;
        let versions: Vec<SetAside> = self
            .conn
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM branch WHERE village = ?1 AND settled = 0 AND epoch = 0
                 ORDER BY seq, number"
            ))?
            .query_map([village_sql(village)], set_aside)?
            .collect::<Result<_, _>>()?;
        let mut standing = self.standing(village)?.ok_or(DatasetError::UnknownVillage(village))?;
        for version in &versions {
            self.end(&mut standing, version)?;
        }
        self.keep(standing);
        self.conn
            .prepare_cached(
                "UPDATE branch SET outcome = ?2, settled = 1
                 WHERE village = ?1 AND settled = 0 AND epoch = 0",
            )?
            .execute((village_sql(village), Outcome::Forgotten as u8))?;
        Ok(leftovers)
    }

    fn set_aside(
        &mut self,
        village: VillageCode,
        which: Which,
        why: Why,
        fork: Seq,
    ) -> Result<(), DatasetError> {
        for shelf in Shelf::all() {
            self.set_shelf_aside(village, shelf, which, why, fork)?;
        }
        let (condition, (epoch, seq)) = which.condition();
        let told = (village_sql(village), epoch, seq, why as u8, fork.0.cast_signed(), self.now_ms);
        // A tombstone of a closed log says nothing about the new one.
        if matches!(which, Which::Beyond(..)) {
            self.conn.execute(
                &format!(
                    "INSERT INTO branch (village, id, kind, schema, epoch, seq, operation, time_ms,
                       actor, source, hash, bytes, why, fork, at_ms)
                     SELECT village, id, kind, 0, epoch, seq, 3, time_ms, actor, source, x'', x'',
                       ?4, ?5, ?6
                     FROM tombstone WHERE village = ?1 AND {condition} {AGAIN}"
                ),
                told,
            )?;
        }
        self.conn.execute(
            &format!(
                "INSERT INTO branch (village, id, kind, schema, epoch, seq, operation, time_ms,
                   actor, source, hash, bytes, why, fork, at_ms)
                 SELECT village, id, kind, schema, epoch, seq, operation, time_ms, actor, source,
                   coalesce(hash, x''), bytes, ?4, ?5, ?6
                 FROM quarantine WHERE village = ?1 AND {condition} {AGAIN}"
            ),
            told,
        )?;
        // Of one record only the last version is handed back.
        self.conn.execute(
            &format!(
                "{SUPERSEDED} WHERE village = ?1 AND settled = 0 AND EXISTS (
                   SELECT 1 FROM branch AS later
                   WHERE later.village = ?1 AND later.id = branch.id AND later.settled = 0
                     AND (later.epoch, later.seq) > (branch.epoch, branch.seq))"
            ),
            superseded(village),
        )?;
        Ok(())
    }

    /// Rows carry no hash of their content: it is made here.
    fn set_shelf_aside(
        &self,
        village: VillageCode,
        shelf: Shelf,
        which: Which,
        why: Why,
        fork: Seq,
    ) -> rusqlite::Result<()> {
        let (condition, (epoch, seq)) = which.condition();
        let kind = shelf.kind().map_or_else(|| "kind".to_owned(), |kind| kind.code().0.to_string());
        let mut read = self.conn.prepare_cached(&format!(
            "SELECT id, {kind}, schema, epoch, seq, time_ms, actor, source, bytes FROM {}
             WHERE village = ?1 AND {condition}",
            shelf.table()
        ))?;
        let mut write = self.conn.prepare_cached(&format!(
            "INSERT INTO branch (village, id, kind, schema, epoch, seq, operation, time_ms, actor,
               source, hash, bytes, why, fork, at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 2, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) {AGAIN}"
        ))?;
        let mut rows = read.query((village_sql(village), epoch, seq))?;
        while let Some(row) = rows.next()? {
            let (id, kind, schema) = (RecordId(row.get(0)?), kind_code(row, 1)?, row.get(2)?);
            let bytes = row.get_ref(8)?.as_blob()?;
            write.execute(rusqlite::params![
                village_sql(village),
                id.as_bytes(),
                kind.0,
                schema,
                row.get::<_, u32>(3)?,
                row.get::<_, i64>(4)?,
                row.get::<_, i64>(5)?,
                row.get::<_, i64>(6)?,
                row.get::<_, u8>(7)?,
                content_hash(id, kind, schema, bytes).0,
                bytes,
                why as u8,
                fork.0.cast_signed(),
                self.now_ms,
            ])?;
        }
        Ok(())
    }

    /// Whether the hub stands there in the village's log.
    pub(super) fn stands_at(
        &mut self,
        village: VillageCode,
        at: &Position,
    ) -> Result<bool, DatasetError> {
        let standing = self.standing(village)?.ok_or(DatasetError::UnknownVillage(village))?;
        let stands = standing.position == Some(*at);
        self.keep(standing);
        Ok(stands)
    }

    /// Notes a receipt and puts in place what the next pull would not tell.
    pub(super) fn delivered(
        &mut self,
        village: VillageCode,
        receipt: &[Delivered],
    ) -> Result<u64, DatasetError> {
        let mut standing = self.standing(village)?.ok_or(DatasetError::UnknownVillage(village))?;
        let epoch = standing.position.map_or(Epoch::FIRST, |position| position.epoch);
        for told in receipt {
            let Some(version) = self.version(village, told.number)? else { continue };
            // What was written anew stays that, whatever a second delivery
            // finds, and what was equal is no conflict because it was changed
            // since. The next proof settles it: until then what the village
            // has of its own may be lost with another step back.
            let outcome = match (version.outcome, told.outcome) {
                (Outcome::Applied, _) => Outcome::Applied,
                (Outcome::Equal, Outcome::Conflict) => Outcome::Equal,
                (_, outcome) => outcome,
            };
            self.conn
                .prepare_cached("UPDATE branch SET outcome = ?2 WHERE number = ?1")?
                .execute((told.number, outcome as u8))?;
            match &told.held {
                Some(held) => self.apply(&mut standing, held, epoch.0)?,
                None if told.absent && version.operation != Operation::Delete => {
                    self.end(&mut standing, &version)?;
                }
                None => {}
            }
        }
        self.keep(standing);
        Ok(waiting(self.conn, village)?)
    }

    fn version(&self, village: VillageCode, number: i64) -> rusqlite::Result<Option<SetAside>> {
        self.conn
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM branch WHERE number = ?1 AND village = ?2"
            ))?
            .query_row((number, village_sql(village)), set_aside)
            .optional()
    }

    /// Takes a record away that is stored as this version or an older one.
    /// No tombstone stays: the village never ended it.
    fn end(&mut self, standing: &mut Standing, version: &SetAside) -> Result<(), DatasetError> {
        let change = ending(version);
        let stamp = Stamp { epoch: version.epoch.0, seq: version.seq.0 };
        let stored = self.stored(standing, &change)?;
        if stored.newest().is_none_or(|newest| newest > stamp) {
            return Ok(());
        }
        self.replace(standing, &change, stamp, stored)?;
        Ok(self.unbury(standing, change.id)?)
    }
}

/// A version that is set aside again waits again.
const AGAIN: &str = "ON CONFLICT (village, id, epoch, seq, hash)
    DO UPDATE SET outcome = 0, settled = 0, fork = excluded.fork, at_ms = excluded.at_ms";

/// Versions of a village that are handed back no more. A conflict that was told
/// stays one.
const SUPERSEDED: &str =
    "UPDATE branch SET outcome = CASE outcome WHEN ?3 THEN outcome ELSE ?2 END, settled = 1";

/// What [`SUPERSEDED`] asks for.
fn superseded(village: VillageCode) -> (i64, u8, u8) {
    (village_sql(village), Outcome::Superseded as u8, Outcome::Conflict as u8)
}
