//! The village's records under the domain's rules.
//!
//! Every save passes validation here before it reaches the barn, whoever it
//! comes from. Promises: a refused save changes nothing and says why in the
//! clerk's words; a NIK, a family card number, an RT's number in its region
//! and a dasawisma's name in its RT stand for one record only; a record that
//! changed since a form or an import read it is not overwritten.

mod beside;
pub mod census;
mod checkup;
pub mod erasing;
pub(crate) mod index;
mod mint;
pub mod notices;
mod rebuilt;
pub mod returned;
mod tree;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use bytes::Bytes;
use jiff::civil::Date;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::Record;
use lumbung_domain::region::VillageCode;
use lumbung_domain::validation::{Finding, Severity, check_record};
use lumbung_ledger::{LogId, Position, Seq, Source};
use lumbung_link::world;
use lumbung_telemetry::clock::Clock;
use lumbung_wire::record as wire;

use crate::barn::{
    Barn, Change, Expected, Ground, OpenBarnError, OpenOptions, Receipt, StoreError, Stored,
    Submission, SubmitError,
};
use census::Census;
pub use checkup::Checkup;
pub use mint::Mint;
pub use rebuilt::{Kept, LeftOut, Rebuilding};
pub use tree::tree;

/// One village, open for work. Clones share it.
#[derive(Clone)]
pub struct Village {
    code: VillageCode,
    barn: Barn,
    mint: Arc<Mint>,
    clock: Clock,
    checkup: Arc<Checkup>,
    importing: Arc<Mutex<()>>,
}

/// One wished change.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The record; `None` makes a new one.
    pub id: Option<RecordId>,
    /// Its kind.
    pub kind: Kind,
    /// The new content; `None` ends the record.
    pub record: Option<Record>,
    /// The entry the record stood at when whoever wishes read it: a record
    /// that stands elsewhere by now is not overwritten. `None`: the last
    /// writer wins.
    pub seen: Option<Seq>,
}

/// The village as it stands, and the entry every record stands at.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Every living record of a known kind.
    pub census: Census,
    /// The latest entry of each.
    pub seen: HashMap<RecordId, Seq>,
}

/// A remark on one wished change.
#[derive(Clone, Debug)]
pub struct Remark {
    /// Which change.
    pub change: usize,
    /// What validation says.
    pub finding: Finding,
}

/// What became of a save.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The records' ids, in the order of the wishes.
    pub ids: Vec<RecordId>,
    /// What the barn says.
    pub receipt: Receipt,
    /// Warnings; the records are saved all the same.
    pub remarks: Vec<Remark>,
}

/// Why a save was refused. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Validation refuses; the remarks say why.
    #[error("the records break rules of validation")]
    Refused(Vec<Remark>),
    /// The barn refuses or fails.
    #[error(transparent)]
    Barn(#[from] SubmitError),
}

impl Village {
    /// Starts a new barn for `code` in `dir`.
    ///
    /// # Errors
    /// [`OpenBarnError`], among others when there is one already.
    pub fn create(dir: &Path, code: VillageCode) -> Result<Self, OpenBarnError> {
        let mut log_id = [0; 16];
        getrandom::fill(&mut log_id)
            .map_err(|error| StoreError::Io(std::io::Error::other(error)))?;
        Self::on(Barn::open(dir, options(Some(LogId(log_id))))?, code)
    }

    /// Opens the barn of `code` in `dir`.
    ///
    /// # Errors
    /// [`OpenBarnError`].
    pub fn open(dir: &Path, code: VillageCode) -> Result<Self, OpenBarnError> {
        Self::on(Barn::open(dir, options(None))?, code)
    }

    /// Opens the barn of `code` in a simulated world, whose hosts have wall
    /// clocks of their own; see [`Barn::open_in_task`].
    ///
    /// # Errors
    /// [`OpenBarnError`].
    pub fn open_in_task(
        ground: Ground,
        create: Option<LogId>,
        code: VillageCode,
        clock: Clock,
    ) -> Result<Self, OpenBarnError> {
        Ok(Self { clock, ..Self::on(Barn::open_in_task(ground, options(create))?, code)? })
    }

    fn on(barn: Barn, code: VillageCode) -> Result<Self, OpenBarnError> {
        let mint = Mint::new().map_err(StoreError::Io)?;
        if let Err(error) = barn.index_as(index::VERSION) {
            // A log that can't be read is for the check to tell.
            tracing::warn!(%error, "the indexes of an older version can't be renewed");
        }
        let (clock, checkup, importing) = Default::default();
        Ok(Self { code, barn, mint: Arc::new(mint), clock, checkup, importing })
    }

    /// The wall clock it goes by.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Which village.
    #[must_use]
    pub const fn code(&self) -> VillageCode {
        self.code
    }

    /// Its barn.
    #[must_use]
    pub const fn barn(&self) -> &Barn {
        &self.barn
    }

    /// What it last found out about its own soundness.
    #[must_use]
    pub fn checkup(&self) -> &Checkup {
        &self.checkup
    }

    /// Where the log ended whose content this village's log began with, when
    /// it was rebuilt from the district's data.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn predecessor(&self) -> Result<Option<Position>, StoreError> {
        self.barn.predecessor()
    }

    /// Notes, on a village that is being rebuilt from the district's data,
    /// the position that data was taken at; see [`Barn::set_predecessor`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_predecessor(&self, position: Position) -> Result<(), StoreError> {
        self.barn.set_predecessor(position)
    }

    /// Closes the barn; see [`Barn::close`].
    pub fn close(self) {
        self.barn.close();
    }

    /// Makes ids for new records.
    #[must_use]
    pub fn mint(&self) -> &Mint {
        &self.mint
    }

    /// Validates and saves together; returns once everything is durable.
    ///
    /// # Errors
    /// [`SaveError`]; then nothing was saved.
    pub async fn save(
        &self,
        actor: &str,
        source: Source,
        wishes: Vec<Wish>,
    ) -> Result<Saved, SaveError> {
        let today = self.clock.today();
        let mut remarks = remarks(&wishes, today);
        let id = |wish: &Wish| wish.id.unwrap_or_else(|| self.mint.next(self.clock.now_ms()));
        let ids: Arc<[RecordId]> = wishes.iter().map(id).collect();
        let wishes: Arc<[Wish]> = wishes.into();
        if beside::concerns(&wishes) {
            let (barn, wishes, ids) = (self.barn.clone(), Arc::clone(&wishes), Arc::clone(&ids));
            let beside = move || beside::remarks(&barn, &wishes, &ids, today);
            let found = world::blocking(beside).await.map_err(|_| SubmitError::Closed)?;
            remarks.extend(found.map_err(SubmitError::Store)?);
            remarks.sort_by_key(|remark| remark.change);
        }
        if remarks.iter().any(|remark| remark.finding.severity == Severity::Reject) {
            return Err(SaveError::Refused(remarks));
        }
        let changes = wishes.iter().zip(&*ids).map(|(wish, id)| {
            let expected = match (wish.id, wish.seen) {
                (None, _) => Expected::Absent,
                (Some(_), Some(seen)) => Expected::At(seen),
                (Some(_), None) => Expected::Any,
            };
            change(*id, wish.kind, wish.record.as_ref(), expected)
        });
        let (changes, time_ms) = (changes.collect(), self.clock.now_ms());
        let submission = Submission { actor: actor.into(), source, time_ms, changes };
        let receipt = self.barn.submit(submission).await?;
        Ok(Saved { ids: ids.to_vec(), receipt, remarks })
    }

    /// Takes the turn to import, until the guard is gone; `None` while another
    /// import goes on: two that plan beside each other would both create
    /// whoever has no NIK.
    #[must_use]
    pub fn begin_import(&self) -> Option<MutexGuard<'_, ()>> {
        match self.importing.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(turn)) => Some(turn.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Every living record, decoded. Records of unknown kinds stay out.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read.
    pub fn census(&self) -> Result<Census, StoreError> {
        Ok(self.standing()?.census)
    }

    /// Like [`Village::census`], with the entry every record stands at.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read.
    pub fn standing(&self) -> Result<Standing, StoreError> {
        let (_, living) = self.barn.living()?;
        let mut standing = Standing::default();
        for stored in &living {
            if let Some((id, record)) = decoded(stored) {
                standing.census.insert(id, record);
                standing.seen.insert(id, stored.entry.header.seq);
            }
        }
        Ok(standing)
    }
}

/// A change of one record with its payload encoded.
#[must_use]
pub fn change(id: RecordId, kind: Kind, record: Option<&Record>, expected: Expected) -> Change {
    let content: Option<Bytes> = record.map(wire::encode);
    Change { id, kind: kind.code(), schema: wire::SCHEMA, content, expected }
}

/// A stored record of a known kind, decoded.
#[must_use]
pub fn decoded(stored: &Stored) -> Option<(RecordId, Record)> {
    let kind = Kind::from_code(stored.entry.header.kind)?;
    let record = wire::decode(kind, stored.content()?).ok()?;
    Some((stored.entry.header.id, record))
}

/// How the barn of a village is opened.
pub(crate) fn options(create: Option<LogId>) -> OpenOptions {
    OpenOptions { indexer: index::keys, create }
}

fn remarks(wishes: &[Wish], today: Date) -> Vec<Remark> {
    let of = |(change, wish): (usize, &Wish)| {
        let verdict = wish.record.as_ref().map(|record| check_record(record, today));
        let findings = verdict.map(|verdict| verdict.0).unwrap_or_default();
        findings.into_iter().map(move |finding| Remark { change, finding })
    };
    wishes.iter().enumerate().flat_map(of).collect()
}

#[cfg(test)]
mod tests;
