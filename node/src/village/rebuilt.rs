//! A village's records as the district gives them back to a new machine.
//!
//! Each is written once with its own author, time and source. Nothing is
//! validated anew: the village had accepted it once.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::fingerprint::{ContentHash, content_hash};
use lumbung_ledger::{Fingerprint, Source};

use super::Village;
use crate::barn::{Change, Expected, Pending, Submission, SubmitError};

/// Records that may wait for the disk: they share its flushes.
const PENDING_MAX: usize = 200;

/// One record as it was.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The record.
    pub id: RecordId,
    /// Its kind, known to this version or not.
    pub kind: KindCode,
    /// Schema version of the content.
    pub schema: u16,
    /// The payload.
    pub content: Bytes,
    /// When it was changed, the village's wall clock then, Unix milliseconds.
    pub time_ms: i64,
    /// By whom.
    pub actor: Arc<str>,
    /// Where it came from.
    pub source: Source,
    /// Of a log that was closed before the last one: it gives way when another
    /// record has its number by now.
    pub leftover: bool,
}

/// Records that gave way.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeftOut {
    /// How many.
    pub records: u64,
    /// Their part of the sum over all that came.
    pub sum: Fingerprint,
}

/// Writes records one after another; several wait for the disk together.
#[derive(Debug, Default)]
pub struct Rebuilding {
    pending: VecDeque<(Pending, Option<ContentHash>)>,
    left_out: LeftOut,
}

impl Rebuilding {
    /// Writes one more.
    ///
    /// # Errors
    /// [`SubmitError`]; what was written before may or may not be durable.
    pub async fn add(&mut self, village: &Village, kept: Kept) -> Result<(), SubmitError> {
        let Kept { id, kind, schema, content, time_ms, actor, source, leftover } = kept;
        let gives_way = leftover.then(|| content_hash(id, kind, schema, &content));
        let change = Change { id, kind, schema, content: Some(content), expected: Expected::Any };
        let submission = Submission { actor, source, time_ms, changes: vec![change] };
        self.pending.push_back((village.barn().begin(submission).await?, gives_way));
        while self.pending.len() > PENDING_MAX {
            self.settle().await?;
        }
        Ok(())
    }

    /// Returns once everything is durable, with what was left out.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn finish(mut self) -> Result<LeftOut, SubmitError> {
        while !self.pending.is_empty() {
            self.settle().await?;
        }
        Ok(self.left_out)
    }

    async fn settle(&mut self) -> Result<(), SubmitError> {
        let Some((pending, gives_way)) = self.pending.pop_front() else { return Ok(()) };
        match (pending.saved().await, gives_way) {
            (Ok(_), _) => {}
            (Err(SubmitError::Taken { .. }), Some(hash)) => {
                self.left_out.records += 1;
                self.left_out.sum += hash;
            }
            (Err(error), _) => return Err(error),
        }
        Ok(())
    }
}
