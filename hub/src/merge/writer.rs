//! The one writer of the dataset.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Instant;

use lumbung_domain::id::Kind;
use lumbung_telemetry::clock;
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use crate::dataset::{Dataset, DatasetError, MergeBatch, Merged};
use crate::metrics::Counts;
use crate::spans;

/// Batches that may wait: two for each of a district's villages.
const QUEUE_MAX: usize = 512;

/// A transaction takes no further batch once it holds this many changes, a
/// fifth of a second's work: long enough to spread the cost of a commit and of
/// index pages that every village touches, short enough that a lone save never
/// waits long behind a first load.
const CHANGES_PER_COMMIT: usize = 50_000;

/// Nor once it holds this many bytes of payload: few large records must not
/// make a long transaction either.
const BYTES_PER_COMMIT: usize = 16 * 1024 * 1024;

/// The writer's niceness, the lowest there is: at -10 it still waited for a core
/// during a tenth of a first load on two cores. It never takes more than one
/// core, and what it does is what the rest of the hub has prepared.
const WRITER_NICENESS: i32 = -20;

struct Job {
    batch: MergeBatch,
    tally: Tally,
    /// The batch's way, for traces.
    span: Span,
    reply: oneshot::Sender<Answer>,
}

/// What the writer needs to know of a batch besides merging it. Whoever submits it
/// counts, with the changes still near in memory: the writer would wait for each.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// Bytes of payload.
    bytes: usize,
    /// Changes of each kind; `None` for all that no version here knows.
    kinds: Vec<(Option<Kind>, u64)>,
}

impl Tally {
    fn of(batch: &MergeBatch) -> Self {
        let mut tally = Self::default();
        for change in &batch.changes {
            tally.bytes += change.bytes.len();
            let kind = Kind::from_code(change.kind);
            match tally.kinds.iter_mut().find(|(counted, _)| *counted == kind) {
                Some((_, count)) => *count += 1,
                None => tally.kinds.push((kind, 1)),
            }
        }
        tally
    }
}

/// What became of a batch, and the batch: whoever submitted it frees its
/// memory, not the writer, for whom all villages wait.
struct Answer {
    outcome: Result<Merged, MergeError>,
    _batch: MergeBatch,
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

/// A batch in the writer's queue; completes once it is durable or refused.
pub struct Pending(oneshot::Receiver<Answer>);

impl Future for Pending {
    type Output = Result<Merged, MergeError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = Pin::new(&mut self.0).poll(cx);
        answer.map(|answer| answer.map_or(Err(MergeError::Stopping), |answer| answer.outcome))
    }
}

/// A handle of the writer. The writer ends when the last one is gone.
#[derive(Clone, Debug)]
pub struct MergeWriter {
    queue: mpsc::Sender<Job>,
    counts: Counts,
}

impl MergeWriter {
    /// Starts the writer's thread, which ends after the last handle is gone
    /// and everything queued is written.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(dataset: Arc<dyn Dataset>) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let counts = Counts::default();
        let counted = counts.clone();
        let thread = std::thread::Builder::new()
            .name("merge-writer".to_owned())
            .spawn(move || write(&*dataset, jobs, &counted))?;
        Ok((Self { queue, counts }, thread))
    }

    /// Starts the writer as a task of the tokio runtime this is called on,
    /// which blocks it while it writes: for simulated worlds.
    #[must_use]
    pub fn start_in_task(dataset: Arc<dyn Dataset>) -> Self {
        let (queue, mut jobs) = mpsc::channel(QUEUE_MAX);
        let counts = Counts::default();
        let counted = counts.clone();
        tokio::spawn(async move {
            while let Some(first) = jobs.recv().await {
                write_waiting(&*dataset, first, &mut jobs, &counted);
            }
        });
        Self { queue, counts }
    }

    /// Puts a batch into the queue and returns once it has a place there:
    /// batches submitted one after another are merged in that order.
    ///
    /// # Errors
    /// [`MergeError::Stopping`].
    pub async fn submit(&self, batch: MergeBatch) -> Result<Pending, MergeError> {
        let (reply, answer) = oneshot::channel();
        let tally = Tally::of(&batch);
        let job = Job { batch, tally, span: Span::current(), reply };
        self.queue.send(job).await.map_err(|_| MergeError::Stopping)?;
        Ok(Pending(answer))
    }

    /// Merges a batch; returns once it is durable.
    ///
    /// # Errors
    /// [`MergeError`].
    pub async fn merge(&self, batch: MergeBatch) -> Result<Merged, MergeError> {
        self.submit(batch).await?.await
    }

    /// A view of the writer that doesn't keep it going.
    #[must_use]
    pub fn watch(&self) -> WriterWatch {
        WriterWatch { queue: self.queue.downgrade(), counts: self.counts.clone() }
    }

    /// What has been merged, and everything else that is counted.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether the thread has ended, so that nothing can be merged any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.queue.is_closed()
    }
}

/// A view of the writer; the writer ends without regard to it.
#[derive(Clone, Debug)]
pub struct WriterWatch {
    queue: mpsc::WeakSender<Job>,
    counts: Counts,
}

impl WriterWatch {
    /// Whether the writer has ended, so that nothing can be merged any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.queue.upgrade().is_none_or(|queue| queue.is_closed())
    }

    /// Batches that wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.upgrade().map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }

    /// What has been merged, and everything else that is counted.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }
}

fn write(dataset: &dyn Dataset, mut jobs: mpsc::Receiver<Job>, counts: &Counts) {
    go_first();
    while let Some(first) = jobs.blocking_recv() {
        write_waiting(dataset, first, &mut jobs, counts);
    }
}

/// Puts this thread before the hub's others, where the system allows it: every
/// village waits for it, and it for nobody but the disk.
fn go_first() {
    // On Linux a priority is a thread's own; `None` is the calling one.
    if let Err(error) = rustix::process::setpriority_process(None, WRITER_NICENESS) {
        tracing::debug!(%error, "the merge writer shares the cores on equal terms");
    }
}

/// Merges what waits in one transaction and answers.
fn write_waiting(
    dataset: &dyn Dataset,
    first: Job,
    jobs: &mut mpsc::Receiver<Job>,
    counts: &Counts,
) {
    let gathered = gather(first, jobs);
    let (mut batches, mut tallies) = (Vec::new(), Vec::new());
    let (mut spans, mut replies) = (Vec::new(), Vec::new());
    for Job { batch, tally, span, reply } in gathered {
        batches.push(batch);
        tallies.push(tally);
        spans.push(span);
        replies.push(reply);
    }
    let span = spans::merging(&spans, &batches);
    drop(spans);
    let began = Instant::now();
    let merged = span.in_scope(|| dataset.merge(&batches, clock::now_ms()));
    counts.transaction(began.elapsed(), merged.is_ok());
    let submitted = batches.iter().zip(&tallies);
    for (outcome, (batch, tally)) in merged.iter().flatten().zip(submitted) {
        match outcome {
            Ok(merged) => {
                counts.applied(batch.changes.len() as u64, merged.quarantined);
                counts.kinds(&tally.kinds);
            }
            Err(_) => counts.refused(),
        }
    }
    let mut outcomes = match merged {
        Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.map_err(refused)).collect(),
        Err(error) => {
            let cause = error.source();
            tracing::error!(%error, cause, "the transaction was rolled back");
            spans::rolled_back(&span);
            vec![Err(refused(error)); replies.len()]
        }
    }
    .into_iter();
    drop(span);
    for (reply, batch) in replies.into_iter().zip(batches) {
        let outcome = outcomes.next().unwrap_or(Err(MergeError::Stopping));
        // A puller that is gone will ask for its batch again.
        drop(reply.send(Answer { outcome, _batch: batch }));
    }
}

/// Everything that waits, of whichever villages, up to what one transaction
/// takes.
fn gather(first: Job, jobs: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let (mut changes, mut bytes) = (0, 0);
    let mut gathered = Vec::new();
    let mut next = Some(first);
    while let Some(job) = next.take() {
        changes += job.batch.changes.len();
        bytes += job.tally.bytes;
        gathered.push(job);
        if changes < CHANGES_PER_COMMIT && bytes < BYTES_PER_COMMIT {
            next = jobs.try_recv().ok();
        }
    }
    gathered
}

fn refused(error: DatasetError) -> MergeError {
    match error {
        DatasetError::NotNext { .. } => MergeError::NotNext,
        error => MergeError::Dataset(Arc::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use lumbung_domain::id::{KindCode, RecordId};
    use lumbung_domain::region::VillageCode;
    use lumbung_ledger::fingerprint::ContentHash;
    use lumbung_ledger::{ChainTag, LogId, Operation, Position, Seq, Source};

    use super::*;
    use crate::dataset::sqlite::SqliteDataset;
    use crate::dataset::{Change, Content};

    const BAKUNG: u64 = 3_505_012_001;
    const SIDOMULYO: u64 = 3_505_012_002;

    fn at(code: u64, seq: u64) -> Position {
        let origin = Position::origin(LogId([code as u8; 16]));
        match seq {
            0 => origin,
            _ => Position { seq: Seq(seq), chain: ChainTag([seq as u8; 16]), ..origin },
        }
    }

    fn change(seq: u64, bytes: usize) -> Change {
        Change {
            id: RecordId::from_parts(1_790_000_000_000, 0, seq),
            kind: KindCode(4711),
            schema: 1,
            seq: Seq(seq),
            operation: Operation::Create,
            time_ms: 1_790_000_000_000,
            actor: Arc::from("uji"),
            source: Source::MANUAL,
            bytes: Bytes::from(vec![0; bytes]),
            hash: Some(ContentHash([seq as u8; 32])),
            content: Content::UnknownKind,
        }
    }

    /// `changes` changes after `after`, each of `bytes` bytes.
    fn batch(code: u64, after: u64, changes: u64, bytes: usize) -> MergeBatch {
        MergeBatch {
            village: VillageCode::from_u64(code).unwrap(),
            prev: at(code, after),
            last: at(code, after + changes),
            changes: (after + 1..=after + changes).map(|seq| change(seq, bytes)).collect(),
            chains: Vec::new(),
        }
    }

    fn job(batch: MergeBatch) -> Job {
        let tally = Tally::of(&batch);
        Job { batch, tally, span: Span::none(), reply: oneshot::channel().0 }
    }

    /// How many of the waiting batches each transaction takes.
    fn groups(batches: Vec<MergeBatch>) -> Vec<usize> {
        let (queue, mut jobs) = mpsc::channel(QUEUE_MAX);
        for batch in batches {
            queue.try_send(job(batch)).ok().unwrap();
        }
        let mut groups = Vec::new();
        while let Ok(first) = jobs.try_recv() {
            groups.push(gather(first, &mut jobs).len());
        }
        groups
    }

    #[test]
    fn one_transaction_takes_all_that_waits_up_to_its_bounds() {
        let trickle =
            |at: u64| batch(if at.is_multiple_of(2) { BAKUNG } else { SIDOMULYO }, at, 1, 10);
        assert_eq!(groups((0..248).map(trickle).collect()), [248]);
        let half = |at: u64| batch(BAKUNG, at, CHANGES_PER_COMMIT as u64 / 2, 1);
        assert_eq!(groups((0..5).map(half).collect()), [2, 2, 1]);
        let large = |at: u64| batch(BAKUNG, at, 1, BYTES_PER_COMMIT / 4);
        assert_eq!(groups((0..6).map(large).collect()), [4, 2]);
    }

    #[test]
    fn the_writer_goes_before_the_hubs_other_threads_where_it_may() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let own = niceness();
        let (allowed, went) = std::thread::spawn(move || {
            let allowed = rustix::process::setpriority_process(None, own - 1).is_ok();
            go_first();
            (allowed, niceness())
        })
        .join()
        .unwrap();
        assert_eq!(went, if allowed { WRITER_NICENESS } else { own });
        assert_eq!(niceness(), own, "no other thread moved");
    }

    #[tokio::test]
    async fn each_batch_of_a_group_gets_its_own_answer() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = Arc::new(SqliteDataset::open(folder.path().join("hub.db")).unwrap());
        for code in [BAKUNG, SIDOMULYO] {
            dataset.register(VillageCode::from_u64(code).unwrap(), "").unwrap();
        }
        let (writer, thread) = MergeWriter::start(dataset.clone()).unwrap();
        let mut pending = Vec::new();
        for batch in [
            batch(BAKUNG, 0, 2, 10),
            batch(SIDOMULYO, 7, 1, 10),
            batch(BAKUNG, 2, 3, 10),
            batch(SIDOMULYO, 0, 1, 10),
        ] {
            pending.push(writer.submit(batch).await.unwrap());
        }
        let mut stood = Vec::new();
        for pending in pending {
            stood.push(pending.await.map(|merged| (merged.position.seq.0, merged.records)));
        }
        assert!(matches!(stood[1], Err(MergeError::NotNext)));
        let merged: Vec<_> = stood.into_iter().flatten().collect();
        assert_eq!(merged, [(2, 2), (5, 5), (1, 1)]);
        drop(writer);
        thread.join().unwrap();
        let bakung = dataset.village(VillageCode::from_u64(BAKUNG).unwrap()).unwrap();
        assert_eq!(bakung.position, Some(at(BAKUNG, 5)));
    }
}
