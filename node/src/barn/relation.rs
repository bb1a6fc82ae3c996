//! How a position the hub states relates to this log.

use lumbung_ledger::{Epoch, Position, Seq};

use super::store::StoreError;
use super::{Barn, keys, log};

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

impl Barn {
    /// Compares a position with this log.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read.
    pub fn relate(&self, position: Position) -> Result<Relation, StoreError> {
        let head = self.head().position;
        if position.log_id != head.log_id {
            return Ok(Relation::OtherLog);
        }
        if position.epoch > head.epoch || position.seq > self.limit(position.epoch, head)? {
            return Ok(Relation::Ahead);
        }
        let chain = log::chain_at(&*self.store, head, position.seq)?;
        Ok(if chain == Some(position.chain) { Relation::Resume } else { Relation::Forked })
    }

    /// The last entry of `epoch` that this log still holds.
    fn limit(&self, epoch: Epoch, head: Position) -> Result<Seq, StoreError> {
        let mut limit = head.seq;
        for pair in self.store.scan(&keys::epoch(epoch.next()), b"F") {
            let (key, value) = pair?;
            let started = value.as_ref().try_into().map(u64::from_be_bytes).map(Seq);
            match (keys::epoch_of(&key), started) {
                (Some(_), Ok(started)) => limit = limit.min(started),
                _ => return Err(StoreError::Damaged("an epoch can't be read".to_owned())),
            }
        }
        Ok(limit)
    }
}
