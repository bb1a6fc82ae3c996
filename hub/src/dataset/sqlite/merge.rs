//! One merging transaction: verified batches in, rows, tombstones,
//! quarantine, sums and findings out, together.
//!
//! A new record of a village without tombstones and quarantine is written
//! blind; everything else looks at what is stored first. What is stored about
//! a record is at most one row on one shelf, one tombstone and one
//! quarantined entry, and its part of the village's sum is the hash of the
//! newest content: of the quarantined entry if there is one (the node holds
//! it too), else of the row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{Operation, Seq};
use rusqlite::{Connection, OptionalExtension as _};

use super::erasing::{self, Erased};
use super::findings::Touched;
use super::first_entry;
use super::outside::{self, Seen};
use super::prefilter::Prefilter;
use super::schema::Shelf;
use super::statements::{Act, Actors, Statements};
use super::upsert::{self, Found, Marks, Stamp, village_sql};
use super::village::{Counted, Standing};
use super::{branch, chains};
use crate::dataset::{Change, Content, DatasetError, MergeBatch, Merged};

/// What outlives a transaction in memory.
pub(super) struct Memory {
    /// Numbers of actor names.
    pub(super) actors: Actors,
    /// Villages by NIK of their residents.
    pub(super) niks: Prefilter,
    /// Villages by family card number.
    pub(super) kks: Prefilter,
    /// What else of the file is reflected here.
    pub(super) seen: Seen,
}

/// A transaction at work.
pub(super) struct Merge<'c> {
    pub(super) conn: &'c Connection,
    memory: &'c mut Memory,
    pub(super) statements: Statements<'c>,
    pub(super) villages: BTreeMap<VillageCode, Standing>,
    touched: Touched,
    pub(super) erased: Vec<Erased>,
    pub(super) now_ms: i64,
}

/// A quarantined entry, as far as the next change must know it.
struct Waiting {
    number: i64,
    stamp: Stamp,
    hash: Option<ContentHash>,
}

/// All that is stored about one record.
pub(super) struct Stored {
    row: Option<Found>,
    tombstone: Option<Stamp>,
    waiting: Option<Waiting>,
}

impl Stored {
    /// The newest entry about the record.
    pub(super) fn newest(&self) -> Option<Stamp> {
        let row = self.row.as_ref().map(|row| row.stamp);
        row.max(self.tombstone).max(self.waiting.as_ref().map(|waiting| waiting.stamp))
    }

    /// The record's part of the village's sum. What is left of a closed log
    /// has none.
    fn hash(&self) -> Option<ContentHash> {
        match &self.waiting {
            Some(waiting) => waiting.hash.filter(|_| waiting.stamp.counts()),
            None => self.row.filter(|row| row.stamp.counts()).map(|row| row.hash),
        }
    }

    /// What it adds to the village's figures.
    fn counted(&self) -> Counted {
        let marks = self.row.filter(|row| row.stamp.counts()).map(|row| row.marks);
        Counted {
            hash: self.hash(),
            marks: marks.unwrap_or_default(),
            living: self.is_living(),
            leftover: self.is_leftover(),
        }
    }

    /// Whether it is one of the village's living records.
    fn is_living(&self) -> bool {
        self.row.is_some_and(|row| row.stamp.counts())
            || self.waiting.as_ref().is_some_and(|waiting| waiting.stamp.counts())
    }

    /// Whether any content of it is stored.
    pub(super) const fn is_there(&self) -> bool {
        self.row.is_some() || self.waiting.is_some()
    }

    /// Whether it is left over from a closed log.
    fn is_leftover(&self) -> bool {
        self.is_there() && !self.is_living()
    }
}

impl<'c> Merge<'c> {
    pub(super) fn new(conn: &'c Connection, memory: &'c mut Memory, now_ms: i64) -> Self {
        Self {
            conn,
            memory,
            statements: Statements::new(conn),
            villages: BTreeMap::new(),
            touched: Touched::default(),
            erased: Vec::new(),
            now_ms,
        }
    }

    /// Merges one batch. The inner error concerns this batch only.
    pub(super) fn batch(
        &mut self,
        batch: &MergeBatch,
    ) -> Result<Result<Merged, DatasetError>, DatasetError> {
        let Some(mut standing) = self.standing(batch.village)? else {
            return Ok(Err(DatasetError::UnknownVillage(batch.village)));
        };
        if !standing.continues(&batch.prev) {
            let refused = DatasetError::NotNext {
                village: batch.village,
                stored: standing.position,
                prev: Box::new(batch.prev),
            };
            self.villages.insert(batch.village, standing);
            return Ok(Err(refused));
        }
        debug_assert_eq!(
            batch.last.seq.since(batch.prev.seq),
            batch.changes.len() as u64,
            "a verified batch holds every entry between its positions"
        );
        let mut quarantined = 0;
        self.bring_near(&batch.changes);
        let later = last_words(&batch.changes);
        for change in &batch.changes {
            // Thinned or erased at the village: a later entry of the same
            // batch says what the record is now.
            if change.is_withheld() && change.operation == Operation::Create {
                self.keep_thinned(batch.village, change)?;
            }
            if change.is_withheld() && later.get(&change.id) > Some(&change.seq) {
                continue;
            }
            self.apply(&mut standing, change, batch.last.epoch.0)?;
            let taken = !matches!(change.content, Content::Quarantined(_));
            quarantined += u64::from(!taken && !change.is_withheld());
        }
        standing.position = Some(batch.last);
        standing.walk(&batch.chains);
        let merged = Merged {
            position: batch.last,
            fingerprint: standing.fingerprint,
            records: standing.records,
            quarantined,
        };
        self.villages.insert(batch.village, standing);
        Ok(Ok(merged))
    }

    /// Gives a village's standing back after [`Merge::standing`].
    pub(super) fn keep(&mut self, standing: Standing) {
        self.villages.insert(standing.village, standing);
    }

    /// Writes what was gathered in memory; the transaction can commit once
    /// the erasures it gives are in the ledger.
    pub(super) fn finish(mut self) -> Result<Vec<Erased>, DatasetError> {
        let firsts = self.villages.values().filter(|village| village.stood.is_none());
        for village in firsts.filter(|village| village.position.is_some()) {
            self.touched.named(self.conn, village.village)?;
        }
        self.touched.settle(self.conn, self.now_ms)?;
        for Erased { erasure, .. } in &self.erased {
            erasing::forget_findings(self.conn, erasure.village, erasure.id)?;
        }
        for standing in std::mem::take(&mut self.villages).into_values() {
            standing.save(self.conn)?;
            outside::note_own(self.memory, &standing);
            if let Some(position) =
                standing.position.filter(|_| standing.position != standing.stood)
            {
                branch::note_mark(self.conn, standing.village, position)?;
                chains::note(self.conn, &standing)?;
            }
        }
        Ok(self.erased)
    }

    /// Merges a quarantined entry that was read anew.
    pub(super) fn release(&mut self, number: i64, change: &Change) -> Result<(), DatasetError> {
        if let Content::Quarantined(reason) = &change.content {
            self.conn
                .execute("UPDATE quarantine SET reason = ?2 WHERE number = ?1", (number, reason))?;
            return Ok(());
        }
        let waiting = self
            .conn
            .query_row("SELECT village, epoch FROM quarantine WHERE number = ?1", [number], |row| {
                Ok((super::village::village_code(row, 0)?, row.get(1)?))
            })
            .optional()?;
        let Some((village, epoch)) = waiting else {
            return Ok(());
        };
        let Some(mut standing) = self.standing(village)? else {
            return Ok(());
        };
        let mut stored = self.stored(&standing, change)?;
        let stamp = Stamp { epoch, seq: change.seq.0 };
        // The entry itself is no newer than itself.
        let waits = stored.waiting.as_ref().is_some_and(|waiting| waiting.stamp == stamp);
        let newest = match waits {
            true => stored.row.map(|row| row.stamp).max(stored.tombstone),
            false => stored.newest(),
        };
        if newest.is_some_and(|newest| newest >= stamp) {
            self.drop_waiting(&mut standing, &mut stored)?;
        } else {
            self.replace(&mut standing, change, stamp, stored)?;
        }
        self.villages.insert(village, standing);
        Ok(())
    }

    /// The village's standing, taken out of the map while it changes.
    pub(super) fn standing(
        &mut self,
        village: VillageCode,
    ) -> Result<Option<Standing>, DatasetError> {
        match self.villages.remove(&village) {
            Some(standing) => Ok(Some(standing)),
            None => Ok(Standing::load(self.conn, village)?),
        }
    }

    /// Takes a change unless something as new is stored of its record.
    pub(super) fn apply(
        &mut self,
        standing: &mut Standing,
        change: &Change,
        epoch: u32,
    ) -> Result<(), DatasetError> {
        if let (Operation::Create, Content::Row(row)) = (change.operation, &change.content)
            && !standing.has_shadows()
            && self.write(Act::Insert, standing.village, epoch, change)?
        {
            let marks = Marks::of(row);
            let is = Counted { hash: change.hash, living: true, marks, leftover: false };
            standing.recount(&Counted::default(), &is);
            self.touch(standing, marks);
            return Ok(());
        }
        let stamp = Stamp { epoch, seq: change.seq.0 };
        let stored = self.stored(standing, change)?;
        if change.is_erasure() {
            self.erase_left_over(standing, change, epoch)?;
            self.note_erasure(standing, change, epoch, stored.is_there())?;
        }
        if stored.newest().is_some_and(|newest| newest >= stamp) {
            return Ok(());
        }
        self.replace(standing, change, stamp, stored)
    }

    /// Puts a newer change in the place of all that is stored of its record.
    pub(super) fn replace(
        &mut self,
        standing: &mut Standing,
        change: &Change,
        stamp: Stamp,
        mut stored: Stored,
    ) -> Result<(), DatasetError> {
        let village = standing.village;
        let was = stored.counted();
        let seen = stored.row.map_or_else(Marks::default, |row| row.marks);
        if let Some(waiting) = stored.waiting.take() {
            self.forget_waiting(standing, waiting.number)?;
        }
        let mut is = Counted { hash: change.hash, living: true, ..Counted::default() };
        let mut now = Marks::default();
        match &change.content {
            Content::Row(row) => {
                now = Marks::of(row);
                is.marks = now;
            }
            Content::UnknownKind => {}
            // The last row that could be read stays readable.
            Content::Quarantined(_) => {
                now = seen;
                is.marks = was.marks;
            }
            Content::Tombstone => is = Counted::default(),
        }
        if !stamp.counts() {
            is = Counted { leftover: is.living, ..Counted::default() };
        }
        match &change.content {
            Content::Row(_) | Content::UnknownKind => {
                let shelf = Shelf::of(change.kind);
                if let Some(row) = stored.row {
                    self.keep_first(row.shelf, village, change.id)?;
                }
                if let Some(row) = stored.row.filter(|row| row.shelf != shelf) {
                    upsert::remove(&mut self.statements, row.shelf, village, change.id)?;
                }
                if stored.tombstone.is_some() {
                    self.unbury(standing, change.id)?;
                }
                self.write(Act::Put, village, stamp.epoch, change)?;
            }
            Content::Tombstone => {
                if let Some(row) = stored.row {
                    upsert::remove(&mut self.statements, row.shelf, village, change.id)?;
                }
                first_entry::forget(self.conn, village, change.id)?;
                self.bury(change, village, stamp)?;
                standing.tombstones += u64::from(stored.tombstone.is_none());
            }
            Content::Quarantined(reason) => {
                self.quarantine(change, village, stamp, reason)?;
                standing.quarantined += 1;
            }
        }
        standing.recount(&was, &is);
        self.touch(standing, seen);
        self.touch(standing, now);
        Ok(())
    }

    /// Takes the quarantined entry of a record away without using it.
    fn drop_waiting(
        &mut self,
        standing: &mut Standing,
        stored: &mut Stored,
    ) -> Result<(), DatasetError> {
        let was = stored.counted();
        let Some(waiting) = stored.waiting.take() else {
            return Ok(());
        };
        self.forget_waiting(standing, waiting.number)?;
        standing.recount(&was, &stored.counted());
        Ok(())
    }

    /// All that is stored about a change's record. A new record is looked for
    /// on its own shelf only: ids are minted once, for one kind.
    pub(super) fn stored(
        &mut self,
        standing: &Standing,
        change: &Change,
    ) -> Result<Stored, DatasetError> {
        let (village, id) = (standing.village, change.id);
        let own = Shelf::of(change.kind);
        let mut row = upsert::find(&mut self.statements, own, village, id)?;
        if row.is_none() && change.operation != Operation::Create {
            for shelf in Shelf::all().filter(|shelf| *shelf != own) {
                row = upsert::find(&mut self.statements, shelf, village, id)?;
                if row.is_some() {
                    break;
                }
            }
        }
        let tombstone = if standing.tombstones == 0 { None } else { self.tombstone(village, id)? };
        let waiting = if standing.quarantined == 0 { None } else { self.waiting(village, id)? };
        Ok(Stored { row, tombstone, waiting })
    }

    fn tombstone(&self, village: VillageCode, id: RecordId) -> rusqlite::Result<Option<Stamp>> {
        self.conn
            .prepare_cached("SELECT epoch, seq FROM tombstone WHERE village = ?1 AND id = ?2")?
            .query_row((village_sql(village), id.as_bytes()), |row| {
                Ok(Stamp { epoch: row.get(0)?, seq: super::village::count(row, 1)? })
            })
            .optional()
    }

    fn waiting(&self, village: VillageCode, id: RecordId) -> rusqlite::Result<Option<Waiting>> {
        self.conn
            .prepare_cached(
                "SELECT number, epoch, seq, hash FROM quarantine
                 WHERE village = ?1 AND id = ?2",
            )?
            .query_row((village_sql(village), id.as_bytes()), |row| {
                Ok(Waiting {
                    number: row.get(0)?,
                    stamp: Stamp { epoch: row.get(1)?, seq: super::village::count(row, 2)? },
                    hash: row.get::<_, Option<[u8; 32]>>(3)?.map(ContentHash),
                })
            })
            .optional()
    }

    pub(super) fn write(
        &mut self,
        act: Act,
        village: VillageCode,
        epoch: u32,
        change: &Change,
    ) -> rusqlite::Result<bool> {
        let actor = self.actor(&change.actor)?;
        upsert::write(&mut self.statements, act, village, epoch, actor, change)
    }

    /// The number of an actor's name.
    pub(super) fn actor(&mut self, name: &Arc<str>) -> rusqlite::Result<i64> {
        self.memory.actors.number(self.conn, name)
    }

    fn forget_waiting(&self, standing: &mut Standing, number: i64) -> rusqlite::Result<()> {
        self.conn.prepare_cached("DELETE FROM quarantine WHERE number = ?1")?.execute([number])?;
        standing.quarantined -= 1;
        Ok(())
    }

    pub(super) fn unbury(&self, standing: &mut Standing, id: RecordId) -> rusqlite::Result<()> {
        erasing::send_again(self.conn, standing.village, id, self.now_ms)?;
        self.conn
            .prepare_cached("DELETE FROM tombstone WHERE village = ?1 AND id = ?2")?
            .execute((village_sql(standing.village), id.as_bytes()))?;
        standing.tombstones -= 1;
        Ok(())
    }

    pub(super) fn bury(
        &mut self,
        change: &Change,
        village: VillageCode,
        stamp: Stamp,
    ) -> rusqlite::Result<()> {
        let actor = self.actor(&change.actor)?;
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO tombstone
                   (village, id, kind, epoch, seq, time_ms, actor, source)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                village_sql(village),
                change.id.as_bytes(),
                change.kind.0,
                stamp.epoch,
                stamp.seq.cast_signed(),
                change.time_ms,
                actor,
                change.source.0,
            ))?;
        Ok(())
    }

    pub(super) fn quarantine(
        &mut self,
        change: &Change,
        village: VillageCode,
        stamp: Stamp,
        reason: &str,
    ) -> rusqlite::Result<()> {
        let actor = self.actor(&change.actor)?;
        self.conn
            .prepare_cached(
                "INSERT INTO quarantine (village, id, kind, epoch, seq, schema, operation,
                   time_ms, actor, source, hash, reason, since_ms, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(rusqlite::params![
                village_sql(village),
                change.id.as_bytes(),
                change.kind.0,
                stamp.epoch,
                stamp.seq.cast_signed(),
                change.schema,
                change.operation as u8,
                change.time_ms,
                actor,
                change.source.0,
                change.hash.map(|hash| hash.0),
                reason,
                self.now_ms,
                &change.bytes[..],
            ])?;
        Ok(())
    }

    /// Notes everything that a village has a part in.
    pub(super) fn touch_whole(&mut self, village: VillageCode) -> rusqlite::Result<()> {
        self.touched.involve(self.conn, village)
    }

    /// Prepares for noting the numbers of a batch.
    fn bring_near(&self, changes: &[Change]) {
        let rows = || {
            changes.iter().filter_map(|change| match &change.content {
                Content::Row(row) => Some(Marks::of(row)),
                _ => None,
            })
        };
        self.memory.niks.bring_near(rows().filter_map(|marks| marks.nik));
        self.memory.kks.bring_near(rows().filter_map(|marks| marks.no_kk));
    }

    /// Notes the numbers that more than one village may claim.
    pub(super) fn touch(&mut self, standing: &Standing, marks: Marks) {
        let owner = standing.number.cast_unsigned();
        if let Some(nik) = marks.nik
            && self.memory.niks.note(nik, owner)
        {
            self.touched.niks.insert(nik);
        }
        if let Some(no_kk) = marks.no_kk
            && self.memory.kks.note(no_kk, owner)
        {
            self.touched.kks.insert(no_kk);
        }
        if let Some(nik) = marks.moved {
            self.touched.moves.insert(nik);
        }
    }
}

/// The last entry of each record of a batch in which content is withheld;
/// empty for every other batch.
fn last_words(changes: &[Change]) -> HashMap<RecordId, Seq> {
    if !changes.iter().any(Change::is_withheld) {
        return HashMap::new();
    }
    changes.iter().map(|change| (change.id, change.seq)).collect()
}

/// The kind named by a number column.
pub(super) fn kind_code(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<KindCode> {
    row.get(column).map(KindCode)
}
