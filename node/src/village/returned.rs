//! Records that the hub hands back after the village lost a branch of its
//! log.
//!
//! Each becomes a new change with its original author and time, unless the
//! village has changed its own copy since the branches parted: then the
//! village's stays and the hub is told. Nothing is validated anew: the
//! village had accepted it once. Taking the same record back twice writes
//! nothing the second time.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{Entry, Epoch, Forks, Seq, Source};
use lumbung_link::world;

use super::Village;
use crate::barn::{
    Barn, Change, Expected, Latest, Pending, Receipt, StoreError, Submission, SubmitError,
};

/// How often a record is looked at again because somebody was faster.
const LOOKS_MAX: usize = 4;

/// What the hub has of one record from a lost branch.
#[derive(Clone, Debug)]
pub struct Lost {
    /// The record.
    pub id: RecordId,
    /// Its kind, known to this version or not.
    pub kind: KindCode,
    /// Schema version of the content.
    pub schema: u16,
    /// What it held.
    pub content: LostContent,
    /// When it was changed, the village's wall clock then, Unix milliseconds.
    pub time_ms: i64,
    /// By whom.
    pub actor: Arc<str>,
    /// The entry's number on the lost branch.
    pub seq: Seq,
    /// The last entry known to be common to both branches.
    pub fork: Seq,
    /// The epoch of the lost branch; 0 for what is left of another log.
    pub epoch: Epoch,
    /// Where the lost entry came from.
    pub source: Source,
}

/// What a lost record held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LostContent {
    /// The payload.
    Present(Bytes),
    /// It had ended.
    Deleted,
    /// It had been erased on request, which holds whatever came after.
    Erased,
    /// The hub never had it.
    Withheld,
}

/// What became of a lost record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Written as a new change.
    Applied,
    /// The village has the same content.
    Equal,
    /// The village's own stays.
    Conflict,
}

/// The answer about one lost record.
#[derive(Clone, Debug)]
pub struct TakenBack {
    /// What became of it.
    pub verdict: Verdict,
    /// The village's newest entry about it, before anything was written.
    pub found: Option<Latest>,
    /// That entry is the lost one: everything up to it is common to the log
    /// and the lost branch.
    pub common: bool,
}

/// What is to be done about one lost record.
enum Plan {
    Nothing(Verdict),
    Write(Change),
    Erase(Change),
}

impl Village {
    /// Takes lost records back, in the order of their numbers. Returns once
    /// everything is durable.
    ///
    /// # Errors
    /// When the barn can't be read or written. What was written by then is
    /// found equal the next time.
    pub async fn take_back(&self, lost: Vec<Lost>) -> Result<Vec<TakenBack>, SubmitError> {
        let (barn, looked) = (self.barn().clone(), lost.clone());
        let looks = reading(move || looked.iter().map(|lost| barn.latest(lost.id)).collect());
        let looks: Vec<Option<Latest>> = looks.await?;
        let mut forks = Forks::default();
        let mut begun = Vec::with_capacity(lost.len());
        for (lost, found) in lost.iter().zip(looks) {
            if is_common(lost, found.as_ref()) {
                forks.found(lost.epoch, lost.seq);
            }
            let pending = match plan(lost, found.as_ref(), &forks) {
                Plan::Nothing(verdict) => Err(verdict),
                Plan::Write(change) => Ok(self.barn().begin(submission(lost, change)).await?),
                Plan::Erase(change) => Err(erase(self.barn(), lost, change).await?),
            };
            begun.push((found, pending));
        }
        let mut taken = Vec::with_capacity(begun.len());
        for (lost, (found, pending)) in lost.iter().zip(begun) {
            taken.push(finish(self.barn(), lost, found, pending, &forks).await?);
        }
        Ok(taken)
    }
}

async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, SubmitError> {
    world::blocking(read).await.map_err(|_| SubmitError::Closed)?.map_err(SubmitError::Store)
}

/// Waits for what was begun; looks again when somebody was faster.
async fn finish(
    barn: &Barn,
    lost: &Lost,
    mut found: Option<Latest>,
    mut pending: Result<Pending, Verdict>,
    forks: &Forks,
) -> Result<TakenBack, SubmitError> {
    let mut looks = 1;
    let verdict = loop {
        let saved = match pending {
            Err(verdict) => break verdict,
            Ok(pending) => pending.saved().await,
        };
        match saved {
            Ok(Receipt { written: 0, .. }) => break Verdict::Equal,
            Ok(_) => break Verdict::Applied,
            // Another record stands under its NIK or family card number, or
            // it was erased here.
            Err(
                SubmitError::Taken { .. }
                | SubmitError::Erased { .. }
                | SubmitError::TooLarge { .. },
            ) => break Verdict::Conflict,
            Err(SubmitError::Stale { .. }) if looks < LOOKS_MAX => looks += 1,
            Err(SubmitError::Stale { .. }) => break Verdict::Conflict,
            Err(error) => return Err(error),
        }
        let (reader, id) = (barn.clone(), lost.id);
        found = reading(move || reader.latest(id)).await?;
        pending = match plan(lost, found.as_ref(), forks) {
            Plan::Nothing(verdict) => Err(verdict),
            Plan::Write(change) => Ok(barn.begin(submission(lost, change)).await?),
            Plan::Erase(change) => Err(erase(barn, lost, change).await?),
        };
    };
    let common = is_common(lost, found.as_ref());
    Ok(TakenBack { verdict, found, common })
}

fn submission(lost: &Lost, change: Change) -> Submission {
    Submission {
        actor: Arc::clone(&lost.actor),
        source: Source::RETURNED,
        time_ms: lost.time_ms,
        changes: vec![change],
    }
}

/// Erases a record whose erasure was lost.
async fn erase(barn: &Barn, lost: &Lost, change: Change) -> Result<Verdict, SubmitError> {
    let erasure = Submission { source: Source::ERASURE, ..submission(lost, change) };
    let Receipt { written, .. } = barn.submit(erasure).await?;
    Ok(if written == 0 { Verdict::Equal } else { Verdict::Applied })
}

fn plan(lost: &Lost, found: Option<&Latest>, forks: &Forks) -> Plan {
    let alive = found.filter(|found| found.alive());
    let content = match (&lost.content, alive) {
        (LostContent::Withheld, _) => return Plan::Nothing(Verdict::Conflict),
        (LostContent::Erased, _) => {
            let change = Change {
                id: lost.id,
                kind: lost.kind,
                schema: lost.schema,
                content: None,
                expected: Expected::Any,
            };
            return Plan::Erase(change);
        }
        (LostContent::Deleted, None) => return Plan::Nothing(Verdict::Equal),
        (LostContent::Deleted, Some(_)) => None,
        (LostContent::Present(bytes), Some(found)) if is_content(lost, found, bytes) => {
            return Plan::Nothing(Verdict::Equal);
        }
        (LostContent::Present(bytes), _) => Some(bytes.clone()),
    };
    if found.is_some_and(|found| found.entry.header.seq > forks.of(lost.epoch, lost.fork)) {
        return Plan::Nothing(Verdict::Conflict);
    }
    let expected = alive.map_or(Expected::Absent, |found| Expected::At(found.entry.header.seq));
    Plan::Write(Change { id: lost.id, kind: lost.kind, schema: lost.schema, content, expected })
}

fn is_content(lost: &Lost, found: &Latest, bytes: &Bytes) -> bool {
    let header = &found.entry.header;
    header.kind == lost.kind && header.schema == lost.schema && found.content() == Some(bytes)
}

/// Whether the entry with the lost number is the lost one. What was handed back
/// has its author and time again, and may have got its number again by chance,
/// behind saves that the lost branch never had: it proves nothing. Neither does
/// what is left of another log.
fn is_common(lost: &Lost, found: Option<&Latest>) -> bool {
    let Some(found) = found else { return false };
    let Entry { header, .. } = &found.entry;
    if lost.epoch < Epoch::FIRST || header.source != lost.source || lost.source.repeats() {
        return false;
    }
    let same = match &lost.content {
        LostContent::Present(bytes) => is_content(lost, found, bytes),
        LostContent::Deleted | LostContent::Erased => !found.alive(),
        LostContent::Withheld => found.alive(),
    };
    same && header.seq == lost.seq && header.time_ms == lost.time_ms && header.actor == lost.actor
}

#[cfg(test)]
pub(crate) mod tests;
