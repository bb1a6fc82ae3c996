//! The dataset in one SQLite file.
//!
//! One connection writes, behind a lock: a merge is one immediate transaction
//! with `synchronous = FULL`, so what it returns is on disk. Readers have
//! connections of their own and see the last committed moment (WAL); they
//! never wait for a merge. Nothing above this module names SQL.

mod accounts;
mod adopt;
mod alerts;
mod anew;
mod audit;
mod branch;
mod bulk;
mod care;
mod chains;
mod content;
mod copying;
mod damaged;
mod erasing;
mod facts;
mod findings;
mod first_entry;
mod folding;
mod incidents;
mod judging;
mod leftover;
mod merge;
mod notices;
mod outlines;
mod outside;
mod prefilter;
mod publications;
mod reads;
mod recovery;
mod registry;
mod repair;
mod schema;
mod scoped;
mod search;
mod stated;
mod statements;
mod upsert;
mod village;
mod watch;
mod witnesses;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::Position;
use lumbung_telemetry::clock;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use self::folding::{FOLD_PAGES, Folding};
use self::merge::{Memory, Merge};
use self::outlines::Outlines;
use self::outside::Seen;
use self::prefilter::Prefilter;
use self::statements::Actors;
use super::erasures::Erasures;
use super::{
    Change, ContactNote, CrossFinding, Dataset, DatasetError, FindingCounts, FindingsAsked,
    FirstEntry, HouseRemark, HubsOwn, Incident, MergeBatch, Merged, NewIncident, QuarantinedEntry,
    RecordFilter, Repair, RowContent, Scope, StoredRecord, Totals, VillageFacts, VillageState,
};
use crate::access::audit::AuditHead;

pub use self::bulk::upsert_bulk;

/// Reading connections kept open while nobody reads.
const IDLE_READERS_MAX: usize = 16;

impl From<rusqlite::Error> for DatasetError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(Box::new(error))
    }
}

/// The dataset in one SQLite file. See [`Dataset`] for its promises.
pub struct SqliteDataset {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// Reading connections that nobody uses right now.
    idle: Mutex<Vec<Connection>>,
    outlines: Outlines,
    /// How far the audit log's chain was walked and found whole.
    walked: Mutex<Option<AuditHead>>,
}

struct Writer {
    conn: Connection,
    memory: Memory,
    /// Erased records, kept outside the file.
    ledger: Erasures,
    folding: Folding,
    /// The write-ahead log may hold bytes of erased records.
    log_unclean: bool,
    /// A transaction is open, or ended badly: what memory learned in it may
    /// not be in the file.
    unsettled: bool,
}

impl SqliteDataset {
    /// Opens the dataset, creating the file or bringing it to the format of
    /// this version.
    ///
    /// # Errors
    /// [`DatasetError::NewerFormat`] for a file of a newer version, which is
    /// left as it is; [`DatasetError::Store`] when it can't be read or
    /// written.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DatasetError> {
        let path = path.into();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut conn = Connection::open_with_flags(&path, flags)?;
        schema::prepare_writer(&mut conn)?;
        let memory = remember(&conn)?;
        let ledger = Erasures::open(erasures_file(&path)).map_err(store_failed)?;
        let log_unclean = ledger.scrub_pending();
        let folding = Folding::new(&path, FOLD_PAGES);
        let mut writer = Writer { conn, memory, ledger, folding, log_unclean, unsettled: false };
        writer.erase_again(clock::now_ms())?;
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            idle: Mutex::default(),
            outlines: Outlines::default(),
            walked: Mutex::default(),
        })
    }

    /// Writes the file anew when bytes of erased records may lie in its unused
    /// space: minutes for a district, so at start, before anybody waits. Says
    /// whether it did.
    ///
    /// # Errors
    /// [`DatasetError::Store`], for example when the disk has no room for a
    /// second copy; the file is as it was and the next start tries again.
    pub fn scrub(&self, now_ms: i64) -> Result<bool, DatasetError> {
        let mut writer = self.writer();
        if !writer.ledger.scrub_pending() {
            return Ok(false);
        }
        writer.folding.settle();
        writer.log_unclean = !erasing::scrub(&writer.conn)?;
        if !writer.log_unclean {
            writer.ledger.scrubbed(now_ms).map_err(store_failed)?;
        }
        Ok(!writer.log_unclean)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // After a panic the open transaction was rolled back on the way out
        // and `unsettled` says that memory must be renewed.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, DatasetError>,
    ) -> Result<T, DatasetError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let conn = match kept {
            Some(conn) => conn,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let conn = Connection::open_with_flags(&self.path, flags)?;
                schema::prepare_reader(&conn)?;
                conn
            }
        };
        let outcome = at_one_moment(&conn, work);
        let mut idle = idle();
        if idle.len() < IDLE_READERS_MAX {
            idle.push(conn);
        }
        outcome
    }
}

impl Writer {
    /// Runs merging work in one transaction that is durable on return.
    fn transact<T>(
        &mut self,
        now_ms: i64,
        work: impl FnOnce(&mut Merge<'_>) -> Result<T, DatasetError>,
    ) -> Result<T, DatasetError> {
        if std::mem::replace(&mut self.unsettled, true) {
            self.memory.actors.forget();
        }
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        outside::catch_up(&tx, &mut self.memory)?;
        let mut merge = Merge::new(&tx, &mut self.memory, now_ms);
        let outcome = work(&mut merge)?;
        let erased = merge.finish()?;
        let news: Vec<_> = erased
            .into_iter()
            .filter(|it| it.removed || !self.ledger.knows(&it.erasure))
            .map(|it| it.erasure)
            .collect();
        self.ledger.record(&news).map_err(store_failed)?;
        tx.commit()?;
        self.unsettled = false;
        self.log_unclean |= !news.is_empty();
        self.clean_log();
        self.folding.after_commit(&self.conn);
        Ok(outcome)
    }

    /// Takes erased bytes out of the write-ahead log. When somebody reads
    /// from it just now, the next transaction tries again.
    fn clean_log(&mut self) {
        if !self.log_unclean {
            return;
        }
        self.folding.settle();
        match erasing::truncate_log(&self.conn) {
            Ok(clean) => self.log_unclean = !clean,
            // What was merged is merged; the next one tells of a failing disk.
            Err(error) => tracing::warn!(%error, "the write-ahead log can't be truncated"),
        }
    }

    /// Erases again what the ledger has and the file still holds.
    fn erase_again(&mut self, now_ms: i64) -> Result<(), DatasetError> {
        let mut found = Vec::new();
        for erasure in self.ledger.iter() {
            if erasing::holds(&self.conn, erasure.village, erasure.id)? {
                found.push(*erasure);
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        tracing::warn!(records = found.len(), "erased records came back; erased again");
        let mut counts: BTreeMap<VillageCode, usize> = BTreeMap::new();
        for erasure in &found {
            *counts.entry(erasure.village).or_default() += 1;
        }
        self.transact(now_ms, |merge| {
            found.iter().try_for_each(|erasure| merge.erase_again(erasure))?;
            counts.into_iter().try_for_each(|(village, records)| {
                merge.note(village, &erasing::came_back(records))
            })
        })
    }
}

/// The erasure ledger beside the dataset's file.
#[must_use]
pub fn erasures_file(dataset: &Path) -> PathBuf {
    dataset.with_file_name("erasures")
}

fn store_failed(error: std::io::Error) -> DatasetError {
    DatasetError::Store(Box::new(error))
}

/// Reads in one transaction, so that all it sees was true at once.
fn at_one_moment<T>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, DatasetError>,
) -> Result<T, DatasetError> {
    let tx = conn.unchecked_transaction()?;
    let outcome = work(&tx)?;
    tx.commit()?;
    Ok(outcome)
}

/// Fills what a merge keeps in memory, as of one moment.
fn remember(conn: &Connection) -> Result<Memory, DatasetError> {
    at_one_moment(conn, remember_now)
}

fn remember_now(conn: &Connection) -> Result<Memory, DatasetError> {
    let filled = |kind: Kind, column: &str| -> Result<Prefilter, DatasetError> {
        let mut filter = Prefilter::empty();
        reads::claimed_numbers(conn, kind, column, |number, owner| {
            filter.note(number, owner);
        })?;
        Ok(filter)
    };
    Ok(Memory {
        actors: Actors::default(),
        niks: filled(Kind::Warga, "nik")?,
        kks: filled(Kind::Keluarga, "no_kk")?,
        seen: Seen::now(conn)?,
    })
}

impl HubsOwn for SqliteDataset {}

impl SqliteDataset {
    /// Every village, for whoever has the store itself.
    #[must_use]
    pub fn whole(&self) -> Scope {
        HubsOwn::whole(self)
    }
}

impl Dataset for SqliteDataset {
    fn register(&self, village: VillageCode, address: &str) -> Result<(), DatasetError> {
        Ok(village::register(&self.writer().conn, village, address)?)
    }

    fn villages(&self) -> Result<Vec<VillageState>, DatasetError> {
        self.read(|conn| village::states(conn, None))
    }

    fn village(&self, village: VillageCode) -> Result<VillageState, DatasetError> {
        self.read(|conn| village::states(conn, Some(village)))?
            .pop()
            .ok_or(DatasetError::UnknownVillage(village))
    }

    fn merge(
        &self,
        batches: &[MergeBatch],
        now_ms: i64,
    ) -> Result<Vec<Result<Merged, DatasetError>>, DatasetError> {
        self.writer()
            .transact(now_ms, |merge| batches.iter().map(|batch| merge.batch(batch)).collect())
    }

    fn resume_at(&self, village: VillageCode, position: Position) -> Result<(), DatasetError> {
        self.writer().transact(0, |merge| merge.resume_at(village, position))?;
        Ok(())
    }

    fn note_contacts(&self, notes: &[(VillageCode, ContactNote)]) -> Result<(), DatasetError> {
        let mut writer = self.writer();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (village, note) in notes {
            village::note_contact(&tx, *village, note)?;
        }
        tx.commit()?;
        writer.clean_log();
        Ok(())
    }

    fn content(&self, village: VillageCode) -> Result<RowContent, DatasetError> {
        self.read(|conn| content::read(conn, village))
    }

    fn repair(
        &self,
        village: VillageCode,
        at: &Position,
        repairs: &[Repair],
        incident: &NewIncident,
        now_ms: i64,
    ) -> Result<Merged, DatasetError> {
        let mut writer = self.writer();
        // Erased content never comes back by a repair, whoever still has it.
        let allowed: Vec<_> = repairs
            .iter()
            .filter(|repair| !repair.brings_back(|id| writer.ledger.of(village, id)))
            .collect();
        let repaired = writer.transact(now_ms, |merge| {
            incidents::note(merge.conn, village, incident, now_ms)?;
            merge.repair(village, at, &allowed)
        });
        self.forget_outline(village);
        repaired
    }

    fn ask_proof(&self, village: VillageCode, now_ms: i64) -> Result<(), DatasetError> {
        match village::ask_proof(&self.writer().conn, village, now_ms)? {
            true => Ok(()),
            false => Err(DatasetError::UnknownVillage(village)),
        }
    }

    fn facts(&self, scope: &Scope, village: VillageCode) -> Result<VillageFacts, DatasetError> {
        if !scope.holds(village) {
            return Err(DatasetError::UnknownVillage(village));
        }
        self.read(|conn| facts::read(conn, village))
    }

    fn remarks(
        &self,
        scope: &Scope,
        village: VillageCode,
        houses: &[RecordId],
    ) -> Result<Vec<HouseRemark>, DatasetError> {
        if !scope.holds(village) {
            return Err(DatasetError::UnknownVillage(village));
        }
        self.read(|conn| Ok(facts::remarks(conn, village, houses)?))
    }

    fn records(&self, filter: &RecordFilter) -> Result<Vec<StoredRecord>, DatasetError> {
        self.read(|conn| Ok(reads::records(conn, filter)?))
    }

    fn record(
        &self,
        scope: &Scope,
        village: VillageCode,
        id: RecordId,
    ) -> Result<Option<StoredRecord>, DatasetError> {
        if !scope.holds(village) {
            return Ok(None);
        }
        self.read(|conn| Ok(reads::record(conn, village, id)?))
    }

    fn first_entry(
        &self,
        scope: &Scope,
        village: VillageCode,
        id: RecordId,
    ) -> Result<Option<FirstEntry>, DatasetError> {
        if !scope.holds(village) {
            return Ok(None);
        }
        self.read(|conn| Ok(first_entry::kept(conn, village, id)?))
    }

    fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantinedEntry>, DatasetError> {
        self.read(|conn| Ok(reads::quarantine(conn, scope, 0, u32::MAX)?))
    }

    fn quarantine_after(
        &self,
        scope: &Scope,
        after: i64,
        limit: u32,
    ) -> Result<Vec<QuarantinedEntry>, DatasetError> {
        self.read(|conn| Ok(reads::quarantine(conn, scope, after, limit)?))
    }

    fn quarantined(
        &self,
        scope: &Scope,
        number: i64,
    ) -> Result<Option<QuarantinedEntry>, DatasetError> {
        self.read(|conn| {
            let found = reads::quarantine(conn, scope, number - 1, 1)?.pop();
            Ok(found.filter(|entry| entry.number == number))
        })
    }

    fn quarantined_change(
        &self,
        scope: &Scope,
        number: i64,
    ) -> Result<Option<Change>, DatasetError> {
        self.read(|conn| {
            let entry = reads::quarantine(conn, scope, number - 1, 1)?.pop();
            match entry.filter(|entry| entry.number == number) {
                Some(_) => Ok(reads::quarantined_change(conn, number)?),
                None => Ok(None),
            }
        })
    }

    fn release(&self, number: i64, change: &Change, now_ms: i64) -> Result<(), DatasetError> {
        self.writer().transact(now_ms, |merge| merge.release(number, change))
    }

    fn findings(
        &self,
        scope: &Scope,
        open_only: bool,
        limit: u32,
    ) -> Result<Vec<CrossFinding>, DatasetError> {
        let asked = FindingsAsked { open_only, ..FindingsAsked::default() };
        self.findings_before(scope, &asked, limit)
    }

    fn findings_before(
        &self,
        scope: &Scope,
        asked: &FindingsAsked,
        limit: u32,
    ) -> Result<Vec<CrossFinding>, DatasetError> {
        self.read(|conn| findings::list(conn, scope, asked, limit))
    }

    fn count_findings(&self, scope: &Scope) -> Result<FindingCounts, DatasetError> {
        self.read(|conn| Ok(findings::counts(conn, scope)?))
    }

    fn note_incident(
        &self,
        village: VillageCode,
        incident: &NewIncident,
        at_ms: i64,
    ) -> Result<(), DatasetError> {
        Ok(incidents::note(&self.writer().conn, village, incident, at_ms)?)
    }

    fn finding(&self, scope: &Scope, number: i64) -> Result<Option<CrossFinding>, DatasetError> {
        self.read(|conn| findings::one(conn, scope, number))
    }

    fn incidents(&self, scope: &Scope, limit: u32) -> Result<Vec<Incident>, DatasetError> {
        self.read(|conn| Ok(incidents::list(conn, scope, limit)?))
    }

    fn totals(&self, scope: &Scope) -> Result<Totals, DatasetError> {
        self.read(|conn| Ok(village::totals(conn, scope)?))
    }
}

#[cfg(test)]
pub(crate) mod tests;
