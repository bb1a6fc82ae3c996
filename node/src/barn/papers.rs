//! Papers: opaque bytes that the village keeps beside its log, by id.
//!
//! What the district hands to everybody (notices) is no change of a record:
//! it stays out of the log, out of every sum and out of backups, and the
//! district hands it over again after the store went back in time. Written by
//! the one writer; durable before anybody hears back.

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use tokio::sync::oneshot;

use super::store::{StoreError, WriteBatch};
use super::writer::Writer;
use super::{Barn, Job, SubmitError, keys};

impl Barn {
    /// Decides from the kept paper what to keep in its place; `None` keeps
    /// what is there. Says whether something was written, which is durable
    /// then. A paper that changed at rest is shown as if there were none.
    ///
    /// # Errors
    /// [`SubmitError::Store`], [`SubmitError::Closed`]; nothing of the new
    /// paper may be relied on then.
    pub async fn keep_paper(
        &self,
        id: RecordId,
        decide: impl FnOnce(Option<&Bytes>) -> Option<Vec<u8>> + Send + 'static,
    ) -> Result<bool, SubmitError> {
        let (reply, answer) = oneshot::channel();
        let work = move |writer: &mut Writer| {
            let outcome = keep(writer, id, decide);
            let usable = outcome.is_ok();
            // Whoever asked and has gone away will ask again.
            drop(reply.send(outcome));
            usable
        };
        let queued = self.queue.send(Job::Work(Box::new(work))).await;
        queued.map_err(|_| SubmitError::Closed)?;
        answer.await.map_err(|_| SubmitError::Closed)?.map_err(SubmitError::Store)
    }

    /// Every paper, by id. Those that changed at rest are left out.
    ///
    /// # Errors
    /// [`StoreError`] when they can't be read.
    pub fn papers(&self) -> Result<Vec<(RecordId, Bytes)>, StoreError> {
        let mut papers = Vec::new();
        for pair in self.store.scan(keys::PAPERS, &keys::after(keys::PAPERS)) {
            let (key, value) = pair?;
            if let Some(id) = keys::paper_id(&key).filter(|_| !value.is_empty()) {
                papers.push((id, value));
            }
        }
        Ok(papers)
    }
}

fn keep(
    writer: &Writer,
    id: RecordId,
    decide: impl FnOnce(Option<&Bytes>) -> Option<Vec<u8>>,
) -> Result<bool, StoreError> {
    let key = keys::paper(id);
    let kept = writer.store().get(&key)?.filter(|value| !value.is_empty());
    let Some(bytes) = decide(kept.as_ref()) else { return Ok(false) };
    let mut batch = WriteBatch::default();
    batch.put(key, bytes);
    writer.store().apply(batch)?;
    writer.store().sync()?;
    Ok(true)
}
