//! A village's records as the district gives them back to a new machine.
//!
//! Each is written once with its own author, time and source. Nothing is
//! validated anew: the village had accepted it once.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::Source;

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
}

/// Writes records one after another; several wait for the disk together.
#[derive(Debug, Default)]
pub struct Rebuilding {
    pending: VecDeque<Pending>,
}

impl Rebuilding {
    /// Writes one more.
    ///
    /// # Errors
    /// [`SubmitError`]; what was written before may or may not be durable.
    pub async fn add(&mut self, village: &Village, kept: Kept) -> Result<(), SubmitError> {
        let Kept { id, kind, schema, content, time_ms, actor, source } = kept;
        let change = Change { id, kind, schema, content: Some(content), expected: Expected::Any };
        let submission = Submission { actor, source, time_ms, changes: vec![change] };
        self.pending.push_back(village.barn().begin(submission).await?);
        while self.pending.len() > PENDING_MAX {
            self.settle().await?;
        }
        Ok(())
    }

    /// Returns once everything is durable.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn finish(mut self) -> Result<(), SubmitError> {
        while !self.pending.is_empty() {
            self.settle().await?;
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), SubmitError> {
        match self.pending.pop_front() {
            Some(pending) => pending.saved().await.map(|_| ()),
            None => Ok(()),
        }
    }
}
