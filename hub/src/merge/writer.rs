//! The one writer of the dataset.

use std::sync::Arc;

use lumbung_telemetry::clock;
use tokio::sync::{mpsc, oneshot};

use crate::dataset::{Dataset, DatasetError, MergeBatch, Merged};

/// Batches that may wait: two for each of a district's villages.
const QUEUE_MAX: usize = 512;

/// A transaction takes no further batch once it holds this many changes:
/// long enough to spread the cost of a commit, short enough that a lone save
/// never waits long behind a first load.
const CHANGES_PER_COMMIT: usize = 8_192;

struct Job {
    batch: MergeBatch,
    reply: oneshot::Sender<Result<Merged, MergeError>>,
}

/// Why a batch was not merged. Nothing of it was applied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MergeError {
    /// The batch does not continue from the stored position.
    #[error("the batch does not continue from the stored position")]
    NotNext,
    /// The dataset failed; the transaction was rolled back.
    #[error("the dataset failed")]
    Dataset(#[source] Arc<DatasetError>),
    /// The hub is stopping.
    #[error("the hub is stopping")]
    Stopping,
}

/// A handle of the writer. The writer ends when the last one is gone.
#[derive(Clone)]
pub struct MergeWriter {
    queue: mpsc::Sender<Job>,
}

impl MergeWriter {
    /// Starts the writer's thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(dataset: Arc<dyn Dataset>) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        std::thread::Builder::new()
            .name("merge-writer".to_owned())
            .spawn(move || write(&*dataset, jobs))?;
        Ok(Self { queue })
    }

    /// Merges a batch; returns once it is durable.
    ///
    /// # Errors
    /// [`MergeError`].
    pub async fn merge(&self, batch: MergeBatch) -> Result<Merged, MergeError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Job { batch, reply }).await.map_err(|_| MergeError::Stopping)?;
        answer.await.unwrap_or(Err(MergeError::Stopping))
    }
}

fn write(dataset: &dyn Dataset, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let (mut batches, mut replies) = (Vec::new(), Vec::new());
        let mut changes = 0;
        let mut next = Some(first);
        while let Some(Job { batch, reply }) = next.take() {
            changes += batch.changes.len();
            batches.push(batch);
            replies.push(reply);
            if changes < CHANGES_PER_COMMIT {
                next = jobs.try_recv().ok();
            }
        }
        let merged = dataset.merge(&batches, clock::now_ms());
        let mut outcomes = match merged {
            Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.map_err(refused)).collect(),
            Err(error) => {
                tracing::error!(%error, "the dataset failed; the transaction was rolled back");
                vec![Err(refused(error)); replies.len()]
            }
        }
        .into_iter();
        for reply in replies {
            // A puller that is gone will ask for its batch again.
            drop(reply.send(outcomes.next().unwrap_or(Err(MergeError::Stopping))));
        }
    }
}

fn refused(error: DatasetError) -> MergeError {
    match error {
        DatasetError::NotNext { .. } => MergeError::NotNext,
        error => MergeError::Dataset(Arc::new(error)),
    }
}
