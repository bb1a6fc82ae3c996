//! A stretch of the log as batches: what travels on media is cut and packed
//! as it is for the network.

use lumbung_ledger::{Position, block};
use lumbung_link::limits;
use lumbung_proto::v1;
use lumbung_wire::batch;

use crate::barn::{Barn, Head, StoreError};

/// Batches that lead from a position to the head of the moment when the
/// stretch was begun, whatever is saved meanwhile.
pub struct Stretch {
    barn: Barn,
    at: Position,
    head: Head,
}

impl Stretch {
    /// The log after `from`, which must lie on it, up to `head`.
    #[must_use]
    pub const fn new(barn: Barn, from: Position, head: Head) -> Self {
        Self { barn, at: from, head }
    }

    fn batch(&self) -> Result<Option<(Position, v1::Batch)>, StoreError> {
        let end = self.head.position;
        if self.at.seq >= end.seq {
            return Ok(None);
        }
        let cut_short = || StoreError::Damaged("the log ends before its head".to_owned());
        let run = self.barn.read_after(self.at.seq, limits::BATCH_BYTES as usize)?;
        let mut run = run.ok_or_else(cut_short)?;
        let before = run.entries.len();
        run.entries.retain(|entry| entry.header.seq <= end.seq);
        let seq = run.entries.last().ok_or_else(cut_short)?.header.seq;
        let chain = if run.entries.len() < before { end.chain } else { run.after };
        let last = Position { seq, chain, ..end };
        let count = u32::try_from(run.entries.len()).unwrap_or(u32::MAX);
        let block = block::encode(&run.entries)
            .ok_or_else(|| StoreError::Damaged("entries do not form a block".to_owned()))?;
        Ok(Some((last, batch::pack(self.at, last, count, block))))
    }
}

/// Where the epochs up to the one of `head` began.
///
/// # Errors
/// [`StoreError`] when the barn can't be read.
pub fn epoch_starts(barn: &Barn, head: Head) -> Result<Vec<v1::EpochStart>, StoreError> {
    let epochs = barn.epochs()?.into_iter();
    let epochs = epochs.filter(|(epoch, _)| *epoch <= head.position.epoch);
    Ok(epochs.map(|(epoch, after)| v1::EpochStart { epoch: epoch.0, after: after.0 }).collect())
}

impl Iterator for Stretch {
    type Item = Result<v1::Batch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (last, batch) = match self.batch() {
            Ok(next) => next?,
            Err(error) => return Some(Err(error)),
        };
        self.at = last;
        Some(Ok(batch))
    }
}
