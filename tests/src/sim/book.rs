//! What people at one village were promised, and whether it was kept.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_ledger::{Payload, Seq};
use lumbung_node::barn::{Barn, Receipt};

use crate::fold::Folded;

/// Content of a record; `None` = it ended.
pub type Content = Option<Bytes>;

/// What a record may hold.
#[derive(Debug, Default)]
struct Promise {
    /// The content last acknowledged, if any ever was.
    acknowledged: Option<Content>,
    /// Contents whose save got no answer since.
    unanswered: Vec<Content>,
}

/// The promises of one village.
#[derive(Debug, Default)]
pub struct Book {
    promises: BTreeMap<RecordId, Promise>,
    /// Acknowledged entries by number.
    entries: BTreeMap<Seq, (RecordId, Content)>,
    /// Saves that were acknowledged.
    pub acknowledged: u64,
    /// Saves that got no answer.
    pub unanswered: u64,
}

impl Book {
    /// Records that are certainly alive.
    #[must_use]
    pub fn living(&self) -> Vec<RecordId> {
        let alive = |promise: &Promise| {
            matches!(promise.acknowledged, Some(Some(_)))
                && promise.unanswered.iter().all(Option::is_some)
        };
        self.promises.iter().filter(|(_, promise)| alive(promise)).map(|(id, _)| *id).collect()
    }

    /// A save is about to be sent: it may or may not happen.
    pub fn sent(&mut self, changes: &[(RecordId, Content)]) {
        self.unanswered += 1;
        for (id, content) in changes {
            self.promises.entry(*id).or_default().unanswered.push(content.clone());
        }
    }

    /// The save just sent was acknowledged.
    ///
    /// # Errors
    /// When its numbers were promised to other entries before.
    pub fn acknowledged(
        &mut self,
        changes: &[(RecordId, Content)],
        receipt: Receipt,
    ) -> anyhow::Result<()> {
        self.unanswered -= 1;
        self.acknowledged += 1;
        for (id, content) in changes {
            let promise = self.promises.entry(*id).or_default();
            promise.acknowledged = Some(content.clone());
            promise.unanswered.clear();
        }
        if receipt.written == changes.len() as u64 {
            let first = receipt.last.0 + 1 - receipt.written;
            for (seq, change) in (first..).zip(changes) {
                let before = self.entries.insert(Seq(seq), change.clone());
                ensure!(before.is_none(), "entry {seq} was acknowledged twice");
            }
        }
        Ok(())
    }

    /// Holds the promises against what is there.
    ///
    /// # Errors
    /// Names the first promise that was not kept.
    pub fn check(&self, barn: &Barn, folded: &Folded) -> anyhow::Result<()> {
        for (id, promise) in &self.promises {
            let now = folded.records.get(id).map(|living| living.bytes.clone());
            let kept = promise.acknowledged.clone().unwrap_or(None) == now
                || promise.unanswered.contains(&now);
            ensure!(kept, "record {id} is not as it was acknowledged");
        }
        for (seq, (id, content)) in &self.entries {
            let entry = barn.entry(*seq)?;
            let entry = entry.with_context(|| format!("acknowledged entry {seq} is missing"))?;
            let same = match &entry.payload {
                Payload::Present { bytes, .. } => *bytes == content.clone().unwrap_or_default(),
                // Superseded and thinned out.
                Payload::Withheld { .. } => true,
            };
            ensure!(same && entry.header.id == *id, "number {seq} was used twice");
        }
        Ok(())
    }
}
