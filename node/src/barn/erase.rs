//! Erasing records on request: a delete entry, no content anywhere in the
//! log, no index entry, and a line in the erasure ledger, written first.
//!
//! In the store all of it is one atomic step: a power cut leaves a record
//! that is erased or one that is not. When it is not although the ledger has
//! it, or when the store came back from older media, the next opening erases
//! it ([`Writer::erase_again`]). Content under an erased id is refused ever
//! after. The bytes leave the store's files when it is rewritten.

use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use lumbung_domain::id::RecordId;
use lumbung_ledger::{Position, Seq, Source};
use tokio::sync::oneshot;

use super::erasures::{Erasure, ErasureReason, Erasures};
use super::state::pointer;
use super::store::{Store, StoreError, WriteBatch};
use super::thin::{Thinned, reblocked, withhold};
use super::writer::Writer;
use super::{Barn, Change, Expected, Job, Receipt, Submission, SubmitError, keys, log};

/// Under this name the node writes erasures that it makes up for at opening.
const LEDGER_ACTOR: &str = "buku-penghapusan";

/// Records to erase together.
#[derive(Clone, Debug)]
pub struct Erase {
    /// The records; those the log never had are noted all the same, so that
    /// they can't come in later.
    pub ids: Vec<RecordId>,
    /// Who erases.
    pub actor: Arc<str>,
    /// The wall clock, Unix milliseconds.
    pub time_ms: i64,
    /// Why.
    pub reason: ErasureReason,
}

/// What there is to do about one record.
enum Task {
    /// It needs a delete entry.
    Delete(Change),
    /// This entry erased it, or it was never here.
    Done(Seq),
}

impl Writer {
    /// Erases records; everything is durable on return.
    pub(super) fn erase(&mut self, erase: Erase) -> Result<Receipt, SubmitError> {
        let Erase { mut ids, actor, time_ms, reason } = erase;
        ids.sort_unstable();
        ids.dedup();
        let reasons: Vec<_> = ids.into_iter().map(|id| (id, reason)).collect();
        self.erase_all(&reasons, actor, time_ms)
    }

    /// Erases again what the ledger has and the store has not erased; says
    /// how many records that were.
    pub(super) fn erase_again(&mut self, now_ms: i64) -> Result<usize, SubmitError> {
        let noted: Vec<_> = self.erasures().iter().map(|it| (it.id, it.reason)).collect();
        let mut missing = Vec::new();
        for (id, reason) in noted {
            if let Task::Delete(_) = self.task(id)? {
                missing.push((id, reason));
            }
        }
        if !missing.is_empty() {
            self.erase_all(&missing, LEDGER_ACTOR.into(), now_ms)?;
        }
        Ok(missing.len())
    }

    pub(super) fn erasures(&self) -> MutexGuard<'_, Erasures> {
        self.erasures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn erase_all(
        &mut self,
        reasons: &[(RecordId, ErasureReason)],
        actor: Arc<str>,
        time_ms: i64,
    ) -> Result<Receipt, SubmitError> {
        let head = self.head().position;
        let mut next = head.seq;
        let mut changes = Vec::new();
        let mut noted = Vec::new();
        for (id, reason) in reasons {
            let seq = match self.task(*id)? {
                Task::Done(seq) => seq,
                Task::Delete(change) => {
                    changes.push(change);
                    next = next.next();
                    next
                }
            };
            let (confirmed_ms, scrubbed) = (None, false);
            let erasure = Erasure {
                id: *id,
                epoch: head.epoch,
                seq,
                at_ms: time_ms,
                reason: *reason,
                confirmed_ms,
                scrubbed,
            };
            let known = seq <= head.seq && self.erasures().holds(*id);
            noted.extend((!known).then_some(erasure));
        }
        let ids: HashSet<_> = changes.iter().map(|change| change.id).collect();
        let submission = Submission { actor, source: Source::ERASURE, time_ms, changes };
        let mut group = self.group();
        let receipt = self.admit(&mut group, submission)?;
        self.erasures().record(&noted).map_err(StoreError::Io)?;
        let mut batch = WriteBatch::default();
        withhold_records(self.store(), &ids, &mut batch)?;
        self.commit(group, batch)?;
        Ok(receipt)
    }

    fn task(&self, id: RecordId) -> Result<Task, StoreError> {
        let Some(pointer) = pointer(self.store(), id)? else {
            return Ok(Task::Done(self.head().position.seq));
        };
        let entry = log::entry(self.store(), pointer.seq)?
            .ok_or_else(|| StoreError::Damaged("a record's entry is missing".to_owned()))?;
        if !pointer.alive() && entry.header.source == Source::ERASURE {
            return Ok(Task::Done(pointer.seq));
        }
        let (kind, schema) = (pointer.kind, entry.header.schema);
        Ok(Task::Delete(Change { id, kind, schema, content: None, expected: Expected::Any }))
    }
}

/// Rewrites every block that holds content of these records.
fn withhold_records(
    store: &dyn Store,
    ids: &HashSet<RecordId>,
    batch: &mut WriteBatch,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut withheld = Thinned::default();
    for pair in store.scan(&keys::log(Seq::ZERO), &keys::log(Seq(u64::MAX))) {
        let (key, value) = pair?;
        let (before, mut entries) = log::read_block(&value)?;
        if withhold(&mut entries, &mut withheld, |entry| ids.contains(&entry.header.id)) {
            batch.put(key.to_vec(), reblocked(before, &entries)?);
        }
    }
    Ok(())
}

/// A submission under [`Source::ERASURE`] as the erasure it asks for.
pub(super) fn handed_over(submission: &Submission) -> Result<Erase, SubmitError> {
    if let Some(change) = submission.changes.iter().position(|change| change.content.is_some()) {
        return Err(SubmitError::Erased { change });
    }
    Ok(Erase {
        ids: submission.changes.iter().map(|change| change.id).collect(),
        actor: Arc::clone(&submission.actor),
        time_ms: submission.time_ms,
        reason: ErasureReason::Kabupaten,
    })
}

impl Barn {
    /// Erases records: durable, with no content left in the log, when it
    /// returns. The bytes leave the store's files at the next opening.
    ///
    /// # Errors
    /// [`SubmitError`]; after [`SubmitError::Store`] the erasure may still
    /// come into force at the next opening.
    pub async fn erase(&self, erase: Erase) -> Result<Receipt, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Job::Erase { erase, reply }).await.map_err(|_| SubmitError::Closed)?;
        answer.await.unwrap_or(Err(SubmitError::Closed))
    }

    /// Like [`Barn::erase`], from a thread that may block.
    ///
    /// # Errors
    /// As [`Barn::erase`].
    pub fn erase_blocking(&self, erase: Erase) -> Result<Receipt, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.queue.blocking_send(Job::Erase { erase, reply }).map_err(|_| SubmitError::Closed)?;
        answer.blocking_recv().unwrap_or(Err(SubmitError::Closed))
    }

    /// The erasure ledger as it is now, by record id.
    #[must_use]
    pub fn erased(&self) -> Vec<Erasure> {
        self.ledger().iter().copied().collect()
    }

    /// Whether erased bytes may still lie in the store's files; the next
    /// opening rewrites it then.
    #[must_use]
    pub fn scrub_pending(&self) -> bool {
        self.ledger().scrub_pending()
    }

    /// Lines of the erasure ledger that could not be read.
    #[must_use]
    pub fn unreadable_erasures(&self) -> u64 {
        self.ledger().unreadable()
    }

    /// Notes in the ledger that the district stands at `position` of this log.
    ///
    /// # Errors
    /// When the ledger can't be written; asking again is harmless.
    pub fn confirm_erasures(&self, position: Position, at_ms: i64) -> std::io::Result<()> {
        if position.log_id != self.head().position.log_id {
            return Ok(());
        }
        self.ledger().confirm(position.epoch, position.seq, at_ms)
    }

    fn ledger(&self) -> MutexGuard<'_, Erasures> {
        self.erasures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
