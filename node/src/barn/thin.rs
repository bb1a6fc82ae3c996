//! Thinning: superseded content leaves the log, its proof stays.
//!
//! Every content below a given entry that a later entry below it replaced or
//! ended becomes [`Payload::Withheld`]. Headers and digests stay, so the
//! chain verifies from the first entry for ever and any old position resumes.
//! What the log amounts to at that entry or later is untouched, so whoever
//! folds it up to a watermark meanwhile sees the same records.
//!
//! The one writer rewrites a few blocks at a time in place, each step atomic;
//! saves go on in between. Never touches the last word on a record.

use std::collections::HashMap;
use std::sync::Arc;

use lumbung_domain::id::RecordId;
use lumbung_ledger::{Entry, Operation, Payload, Seq, block};
use tokio::sync::oneshot;

use super::store::{Store, StoreError, WriteBatch};
use super::{Barn, Job, SubmitError, keys, log};

/// Blocks rewritten in one atomic step: about 256 KB, a few milliseconds in
/// which a save waits.
const STEP_BLOCKS: usize = 64;

/// What a thinning took out of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thinned {
    /// Contents withheld now that were there before.
    pub payloads: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Which content is superseded: the last entry of each record up to one
/// entry of the log.
pub(super) struct Latest {
    upto: Seq,
    last: HashMap<RecordId, Seq>,
}

impl Latest {
    fn read(store: &dyn Store, upto: Seq) -> Result<Self, StoreError> {
        let mut last = HashMap::new();
        for pair in store.scan(&keys::log(Seq::ZERO), &keys::log(upto.next())) {
            let (_, entries) = log::read_block(&pair?.1)?;
            for entry in entries.iter().filter(|entry| entry.header.seq <= upto) {
                last.insert(entry.header.id, entry.header.seq);
            }
        }
        Ok(Self { upto, last })
    }

    fn supersedes(&self, entry: &Entry) -> bool {
        let header = &entry.header;
        header.seq <= self.upto && self.last.get(&header.id).is_some_and(|seq| *seq > header.seq)
    }
}

/// One bounded piece of work for the writer.
pub(super) struct Step {
    /// First entries of the blocks to rewrite.
    blocks: Vec<Seq>,
    latest: Arc<Latest>,
}

/// Does one step; durable on return.
pub(super) fn rewrite(store: &dyn Store, step: &Step) -> Result<Thinned, StoreError> {
    let mut batch = WriteBatch::default();
    let mut thinned = Thinned::default();
    for first in &step.blocks {
        let key = keys::log(*first);
        let value = store
            .get(&key)?
            .ok_or_else(|| StoreError::Damaged("a log block has gone".to_owned()))?;
        let (before, mut entries) = log::read_block(&value)?;
        if withhold(&mut entries, &mut thinned, |entry| step.latest.supersedes(entry)) {
            batch.put(key, reblocked(before, &entries)?);
        }
    }
    store.apply(batch)?;
    store.sync()?;
    Ok(thinned)
}

/// Replaces the content of the entries that `gone` names by its digest; says
/// whether there was any.
pub(super) fn withhold(
    entries: &mut [Entry],
    thinned: &mut Thinned,
    gone: impl Fn(&Entry) -> bool,
) -> bool {
    let before = thinned.payloads;
    for entry in entries.iter_mut().filter(|entry| holds_content(entry) && gone(entry)) {
        thinned.payloads += 1;
        thinned.bytes += entry.size() as u64;
        let (digest, _) = entry.digest();
        entry.payload = Payload::Withheld { digest };
    }
    thinned.payloads != before
}

/// A stored block of the same entries with less content.
pub(super) fn reblocked(
    before: lumbung_ledger::ChainTag,
    entries: &[Entry],
) -> Result<Vec<u8>, StoreError> {
    let encoded = block::encode(entries)
        .ok_or_else(|| StoreError::Damaged("entries do not form a block".to_owned()))?;
    Ok(log::block_value(before, &encoded))
}

/// A delete has nothing to withhold.
fn holds_content(entry: &Entry) -> bool {
    entry.header.operation != Operation::Delete && matches!(entry.payload, Payload::Present { .. })
}

impl Barn {
    /// Withholds all content up to entry `upto` that a later entry up to
    /// there replaced or ended. Blocks the thread; saves go on in between.
    ///
    /// # Errors
    /// [`SubmitError::Store`] when the log can't be read or written,
    /// [`SubmitError::Closed`] when the barn takes no changes; steps that
    /// were done stay done.
    pub fn thin(&self, upto: Seq) -> Result<Thinned, SubmitError> {
        let upto = upto.min(self.head().position.seq);
        let latest = Arc::new(Latest::read(&*self.store, upto)?);
        let mut blocks = Vec::new();
        for pair in self.store.scan(&keys::log(Seq::ZERO), &keys::log(upto.next())) {
            let (key, value) = pair?;
            let (_, entries) = log::read_block(&value)?;
            if entries.iter().any(|entry| holds_content(entry) && latest.supersedes(entry)) {
                blocks.extend(keys::log_first(&key));
            }
        }
        let mut all = Thinned::default();
        for blocks in blocks.chunks(STEP_BLOCKS) {
            let step = Step { blocks: blocks.to_vec(), latest: Arc::clone(&latest) };
            let (reply, answer) = oneshot::channel();
            self.queue.blocking_send(Job::Thin { step, reply }).map_err(|_| SubmitError::Closed)?;
            let thinned = answer.blocking_recv().unwrap_or(Err(SubmitError::Closed))?;
            all.payloads += thinned.payloads;
            all.bytes += thinned.bytes;
        }
        Ok(all)
    }
}
