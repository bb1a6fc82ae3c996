//! How a position the hub states relates to this log, and where both agreed
//! last.
//!
//! A position lies on this log's history when the log still holds its entry
//! with the same chain, within the part of the log that its epoch reaches.
//! When the hub's own position doesn't, the newest of the positions it stood
//! at before that does is the fork: [`Barn::restart`] goes on from there in
//! an epoch that no hub has seen.

use std::cmp::Reverse;

use lumbung_ledger::{Epoch, Position, Seq};
use tokio::sync::oneshot;

use super::head::Head;
use super::open::next_epoch;
use super::store::{Store, StoreError};
use super::writer::Writer;
use super::{Barn, Job, keys, log};

/// What a position someone else stored says about this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It lies on this log's history: resume after it.
    Resume,
    /// It is beyond this log, or beyond a point this log was restarted from.
    Ahead,
    /// Same number, other history.
    Forked,
    /// It is of another log.
    OtherLog,
}

/// Where both sides go on after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarted {
    /// The newest stated position on this log's history.
    pub fork: Position,
    /// The head, in an epoch that the other side has not seen.
    pub head: Position,
}

/// Why a log was not restarted. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RestartError {
    /// The position is of another log.
    #[error("the position is of another log")]
    OtherLog,
    /// The store failed.
    #[error("the barn's disk failed")]
    Store(#[from] StoreError),
    /// An earlier failure closed the barn.
    #[error("the barn takes no changes since its disk failed; reopen it")]
    Closed,
}

impl Barn {
    /// Compares a position with this log.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read.
    pub fn relate(&self, position: Position) -> Result<Relation, StoreError> {
        relate(&*self.store, &self.head(), position)
    }

    /// Agrees with a hub that stands at `position`, which does not lie on
    /// this log's history, and stood at `marks` before, on where to go on.
    /// What this log holds beyond the fork stays; the head moves into an
    /// epoch later than any the hub has seen. The same facts told again
    /// change nothing. Durable on return.
    ///
    /// # Errors
    /// [`RestartError`].
    pub async fn restart(
        &self,
        position: Position,
        marks: Vec<Position>,
    ) -> Result<Restarted, RestartError> {
        let (reply, answer) = oneshot::channel();
        let work = move |writer: &mut Writer| {
            let outcome = agree(writer, position, marks);
            let usable = !matches!(outcome, Err(RestartError::Store(_)));
            // Whoever asked and has gone away will ask again.
            drop(reply.send(outcome));
            usable
        };
        let queued = self.queue.send(Job::Work(Box::new(work))).await;
        queued.map_err(|_| RestartError::Closed)?;
        answer.await.unwrap_or(Err(RestartError::Closed))
    }
}

fn agree(
    writer: &mut Writer,
    position: Position,
    mut marks: Vec<Position>,
) -> Result<Restarted, RestartError> {
    let head = writer.head();
    if position.log_id != head.position.log_id {
        return Err(RestartError::OtherLog);
    }
    marks.push(position);
    let fork = fork(writer.store(), &head, marks)?;
    // An epoch later than the hub's is new to it already: this log began it
    // when it was opened, or when the hub asked before.
    if fork != position && head.position.epoch <= position.epoch {
        let (head, batch) = next_epoch(head, position.epoch);
        writer.replace_head(head, batch)?;
        writer.sync_witness();
    }
    Ok(Restarted { fork, head: writer.head().position })
}

fn relate(store: &dyn Store, head: &Head, position: Position) -> Result<Relation, StoreError> {
    let head = head.position;
    if position.log_id != head.log_id {
        return Ok(Relation::OtherLog);
    }
    if position.epoch > head.epoch || position.seq > limit(store, position.epoch, head)? {
        return Ok(Relation::Ahead);
    }
    let chain = log::chain_at(store, head, position.seq)?;
    Ok(if chain == Some(position.chain) { Relation::Resume } else { Relation::Forked })
}

/// The newest of the stated positions that lies on the log's history; the
/// log's origin when none does.
fn fork(store: &dyn Store, head: &Head, mut stated: Vec<Position>) -> Result<Position, StoreError> {
    stated.sort_unstable_by_key(|position| Reverse((position.seq, position.epoch)));
    for position in stated {
        if relate(store, head, position)? == Relation::Resume {
            return Ok(position);
        }
    }
    Ok(Position::origin(head.position.log_id))
}

/// The last entry of `epoch` that this log still holds.
pub(super) fn limit(store: &dyn Store, epoch: Epoch, head: Position) -> Result<Seq, StoreError> {
    let mut limit = head.seq;
    for pair in store.scan(&keys::epoch(epoch.next()), b"F") {
        let (key, value) = pair?;
        let started = value.as_ref().try_into().map(u64::from_be_bytes).map(Seq);
        match (keys::epoch_of(&key), started) {
            (Some(_), Ok(started)) => limit = limit.min(started),
            _ => return Err(StoreError::Damaged("an epoch can't be read".to_owned())),
        }
    }
    Ok(limit)
}
