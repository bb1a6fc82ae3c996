//! Putting right what is derived from the log: state, indexes, sum and count.
//!
//! The log is the truth; everything else in the barn can be made from it
//! again. Promises: it happens in one atomic step through the one writer, so
//! no save is lost or seen half; only what differs is written; a log that
//! does not prove itself is never papered over, then nothing is touched.

use lumbung_ledger::Seq;
use tokio::sync::oneshot;

use super::proof::{self, ProofError};
use super::store::StoreError;
use super::verify::Derived;
use super::writer::Writer;
use super::{Barn, Head, Job, keys};

/// What was put right, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mending {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Records whose state did not point at their latest entry.
    pub records: u64,
    /// Index entries that were missing or too many.
    pub index: u64,
    /// The sum or the count was wrong.
    pub sum: bool,
}

const BYTES: usize = 8 + 8 + 8 + 1;

impl Mending {
    /// How many things were put right.
    #[must_use]
    pub const fn things(&self) -> u64 {
        self.records + self.index + self.sum as u64
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&self.at_ms.to_le_bytes());
        bytes.extend_from_slice(&self.records.to_le_bytes());
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes.push(u8::from(self.sum));
        bytes
    }

    fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
        Some(Self {
            at_ms: i64::from_le_bytes(bytes[0..8].try_into().ok()?),
            records: u64::from_le_bytes(bytes[8..16].try_into().ok()?),
            index: u64::from_le_bytes(bytes[16..24].try_into().ok()?),
            sum: bytes[24] != 0,
        })
    }
}

/// A barn whose derived parts are what the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rederived {
    /// The head, its sums proven.
    pub head: Head,
    /// What had to be put right; `None`: nothing.
    pub mending: Option<Mending>,
}

/// Why nothing could be derived. Nothing was touched.
#[derive(Debug, thiserror::Error)]
pub enum RederiveError {
    /// The log does not prove itself: from this entry on it is not what its
    /// own chain says.
    #[error("the log does not prove itself from entry {0} on")]
    Broken(Seq),
    /// The store failed. If it failed while writing, the barn takes no more
    /// changes until it is reopened.
    #[error("the barn's disk failed")]
    Store(#[from] StoreError),
    /// An earlier failure closed the barn for changes.
    #[error("the barn takes no changes since its disk failed; reopen it")]
    Closed,
}

impl From<ProofError> for RederiveError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Broken(seq) => Self::Broken(seq),
            ProofError::Store(error) => Self::Store(error),
        }
    }
}

impl Barn {
    /// Derives state, indexes, sum and count from the log and puts right what
    /// differs. Saves wait meanwhile (one pass over the log). `at_ms` is the
    /// wall clock, kept with what was put right.
    ///
    /// # Errors
    /// [`RederiveError`]; then nothing was touched.
    pub async fn rederive(&self, at_ms: i64) -> Result<Rederived, RederiveError> {
        let (reply, answer) = oneshot::channel();
        let work = move |writer: &mut Writer| {
            let outcome = rederive(writer, at_ms);
            let usable = !matches!(outcome, Err(Ended { closes: true, .. }));
            // Nobody may be waiting any more; what was put right stays right.
            drop(reply.send(outcome.map_err(|ended| ended.error)));
            usable
        };
        let queued = self.queue.send(Job::Work(Box::new(work))).await;
        queued.map_err(|_| RederiveError::Closed)?;
        answer.await.unwrap_or(Err(RederiveError::Closed))
    }

    /// The last time something had to be put right here.
    ///
    /// # Errors
    /// [`StoreError`] when the store can't be read.
    pub fn mending(&self) -> Result<Option<Mending>, StoreError> {
        let stored = self.store.get(keys::MENDING)?;
        Ok(stored.and_then(|bytes| Mending::from_slice(&bytes)))
    }
}

/// An error, and whether the writer may go on after it.
struct Ended {
    error: RederiveError,
    closes: bool,
}

impl<E: Into<RederiveError>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self { error: error.into(), closes: false }
    }
}

fn rederive(writer: &mut Writer, at_ms: i64) -> Result<Rederived, Ended> {
    let head = writer.head();
    let proven = proof::proven(writer.store(), head)?;
    let derived = Derived::from_log(&proven, writer.indexer());
    let mut found = derived.compare(writer.store(), head)?;
    if found.faults.is_empty() {
        return Ok(Rederived { head, mending: None });
    }
    let mending = Mending { at_ms, ..found.mending };
    found.batch.put(keys::MENDING.to_vec(), mending.to_bytes());
    let put_right = writer.replace_head(derived.head, found.batch);
    put_right.map_err(|error| Ended { error: error.into(), closes: true })?;
    tracing::warn!(
        records = mending.records,
        index = mending.index,
        sum = mending.sum,
        "derived anew from the log"
    );
    Ok(Rederived { head: derived.head, mending: Some(mending) })
}

#[cfg(test)]
mod tests;
