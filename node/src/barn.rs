//! The barn: this village's log, current state and indexes.
//!
//! Promises:
//! * an acknowledged submission survives a power cut, and its sequence
//!   numbers are never used again;
//! * log, state, indexes and head change in one atomic step;
//! * nothing above the durable watermark ([`Barn::head`]) is ever handed out.
//!
//! Knows nothing of gRPC, pages or the domain's rules: payloads are opaque
//! bytes, and whoever opens the barn supplies the function that says which
//! index entries a payload has. sled is named in `sled_store` only.

mod erase;
mod erasures;
mod group;
pub(crate) mod head;
mod journal;
mod keys;
mod log;
mod losses;
mod memory;
mod open;
mod papers;
mod proof;
mod rebuild;
mod rederive;
mod reindex;
mod relation;
mod reopening;
mod replaced;
mod retention;
mod rewrite;
mod room;
mod seal;
mod sled_store;
mod sound;
mod state;
mod store;
mod thin;
mod verify;
mod witness;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{Operation, Position, Seq, Source};
use tokio::sync::{mpsc, oneshot, watch};

pub use erase::Erase;
pub use erasures::{Erasure, ErasureReason, Erasures, UnknownReasonError};
pub use head::Head;
pub use journal::{JOURNAL_BYTES, Journal, Kept, Write};
pub use log::Run;
pub use losses::{Loss, Losses};
pub use memory::MemoryStore;
pub use open::{Ground, OpenBarnError, OpenOptions, OpenStep};
pub use proof::{Latest, ProofError, Proven};
pub use rebuild::{Rebuild, RebuildError, Resting};
pub use rederive::{Mending, RederiveError, Rederived};
pub use relation::{Relation, RestartError, Restarted};
pub use replaced::Replaced;
pub use retention::RETENTION_DAYS;
pub use room::Condition;
pub use sled_store::{SledStore, save_raw};
pub use sound::Sound;
pub use state::Stored;
pub use store::{Check, Hindrance, Pairs, Reopening, Store, StoreError, WriteBatch};
pub use thin::Thinned;
pub use verify::{Fault, Soundness};
pub use witness::{Testimony, Witness};

/// An entry of a secondary index: which index, and under which key the
/// record stands there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexKey {
    /// The index's number.
    pub index: u8,
    /// The key. Every key of one index has the same length.
    pub key: Vec<u8>,
    /// Whether only one record may stand under this key.
    pub unique: bool,
}

/// Says under which index keys a record of this kind with this payload
/// stands.
pub type Indexer = fn(KindCode, &Bytes) -> Vec<IndexKey>;

/// What the submitter believes about the record it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: create or replace.
    Any,
    /// It does not exist yet.
    Absent,
    /// Its latest entry is this one; otherwise somebody was faster.
    At(Seq),
}

/// One change of one record.
#[derive(Clone, Debug)]
pub struct Change {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: KindCode,
    /// Schema version of the payload.
    pub schema: u16,
    /// The new content; `None` ends the record.
    pub content: Option<Bytes>,
    /// What the submitter believes.
    pub expected: Expected,
}

/// Changes that happen together or not at all.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Who makes them.
    pub actor: Arc<str>,
    /// Where they come from.
    pub source: Source,
    /// The wall clock, Unix milliseconds.
    pub time_ms: i64,
    /// The changes, in order.
    pub changes: Vec<Change>,
}

/// What a submission became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The last entry of the log that this submission can see: its own last,
    /// or the head when nothing changed.
    pub last: Seq,
    /// Entries written. Changes that would change nothing write none.
    pub written: u64,
}

/// Why a submission was refused. Nothing of it was saved.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Another record stands under a unique key.
    #[error("change {change}: record {holder} already stands under this key of index {index}")]
    Taken {
        /// Which change of the submission.
        change: usize,
        /// The index.
        index: u8,
        /// The record that has the key.
        holder: RecordId,
    },
    /// The record is not at the entry the submitter saw.
    #[error("change {change}: the record has changed in the meantime")]
    Stale {
        /// Which change of the submission.
        change: usize,
        /// Where the record stands.
        found: Option<Seq>,
    },
    /// The record was erased on request; it can't come back.
    #[error("change {change}: the record was erased on request")]
    Erased {
        /// Which change of the submission.
        change: usize,
    },
    /// A change breaks a limit of the log.
    #[error("change {change}: the record is larger than the log takes")]
    TooLarge {
        /// Which change of the submission.
        change: usize,
    },
    /// The disk is full. The barn takes changes again by itself once there is
    /// room; everything acknowledged before is safe.
    #[error("the disk is full")]
    Full {
        /// Whether nothing of this was saved; otherwise some of it may turn
        /// out to be.
        certain: bool,
    },
    /// The disk can only be read. The barn takes changes again by itself once it
    /// can be written; everything acknowledged before is safe.
    #[error("the disk can only be read")]
    ReadOnly {
        /// Whether nothing of this was saved; otherwise some of it may turn
        /// out to be.
        certain: bool,
    },
    /// The store failed. The barn takes no more changes until it is reopened;
    /// everything acknowledged before is safe.
    #[error("the barn's disk failed; nothing of this was saved")]
    Store(#[from] StoreError),
    /// An earlier failure closed the barn for changes.
    #[error("the barn takes no changes since its disk failed; reopen it")]
    Closed,
}

/// Most changes in one submission.
pub const CHANGES_MAX: usize = 4_096;

/// Submissions that may wait for the writer.
const QUEUE_MAX: usize = 256;

/// What the one writer is asked to do.
enum Job {
    /// Write changes.
    Save { submission: Submission, reply: oneshot::Sender<Result<Receipt, SubmitError>> },
    /// Erase records.
    Erase { erase: Erase, reply: oneshot::Sender<Result<Receipt, SubmitError>> },
    /// Rewrite blocks without superseded content.
    Thin { step: thin::Step, reply: oneshot::Sender<Result<Thinned, SubmitError>> },
    /// Anything else that must not meet a save.
    Work(Work),
}

impl Job {
    /// What a submission asks for: a save, or under [`Source::ERASURE`] an
    /// erasure.
    fn of(
        submission: Submission,
        reply: oneshot::Sender<Result<Receipt, SubmitError>>,
    ) -> Result<Self, SubmitError> {
        if submission.source == Source::ERASURE {
            return Ok(Self::Erase { erase: erase::handed_over(&submission)?, reply });
        }
        Ok(Self::Save { submission, reply })
    }
}

/// A submission in the writer's queue; completes once it is durable or
/// refused.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Receipt, SubmitError>>);

impl Pending {
    /// Waits until it is durable.
    ///
    /// # Errors
    /// [`SubmitError`]; then nothing of the submission was saved.
    pub async fn saved(self) -> Result<Receipt, SubmitError> {
        self.0.await.unwrap_or(Err(SubmitError::Closed))
    }
}

/// Work on the barn itself that must not meet a save. It runs between two
/// groups, when store, head and watermark agree, and says whether the store
/// can still be written: after `false` the barn takes no more changes.
type Work = Box<dyn FnOnce(&mut writer::Writer) -> bool + Send>;

/// The barn, open. Clones share it; the last one to go stops the writer.
#[derive(Clone)]
pub struct Barn {
    store: Arc<dyn Store>,
    indexer: Indexer,
    head: watch::Receiver<Head>,
    condition: watch::Receiver<Condition>,
    queue: mpsc::Sender<Job>,
    steps: Arc<[OpenStep]>,
    boots: u32,
    erasures: Arc<Mutex<Erasures>>,
    losses: Arc<Mutex<Losses>>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Barn {
    /// Closes the barn and waits until its store is let go. Only useful on
    /// the last clone: others keep it open.
    pub fn close(self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(self);
        if let Some(Err(_)) = writer.map(JoinHandle::join) {
            tracing::error!("the barn's writer failed while closing");
        }
    }

    /// The durable watermark: everything up to here may be handed out.
    #[must_use]
    pub fn head(&self) -> Head {
        *self.head.borrow()
    }

    /// Wakes whenever the watermark moves: the live change feed.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Head> {
        self.head.clone()
    }

    /// What opening had to do, in order.
    #[must_use]
    pub fn steps(&self) -> &[OpenStep] {
        &self.steps
    }

    /// How often this barn has been opened for work.
    #[must_use]
    pub const fn boots(&self) -> u32 {
        self.boots
    }

    /// Where the log ended whose content this one began with, when it was
    /// rebuilt from the district's data.
    ///
    /// # Errors
    /// [`StoreError`] when it can't be read.
    pub fn predecessor(&self) -> Result<Option<Position>, StoreError> {
        let Some(bytes) = self.store.get(keys::PREDECESSOR)? else { return Ok(None) };
        head::position_from_slice(&bytes)
            .map(Some)
            .ok_or_else(|| StoreError::Damaged("the predecessor can't be read".to_owned()))
    }

    /// Notes where the log ended whose content this one begins with. Durable
    /// on return.
    ///
    /// # Errors
    /// [`StoreError`] when it can't be written.
    pub fn set_predecessor(&self, position: Position) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put(keys::PREDECESSOR.to_vec(), head::position_to_bytes(position));
        self.store.apply(batch)?;
        self.store.sync()
    }

    /// The damaged store whose place this one took, if it did.
    ///
    /// # Errors
    /// [`StoreError`] when it can't be read.
    pub fn replaced(&self) -> Result<Option<Replaced>, StoreError> {
        let Some(bytes) = self.store.get(keys::REPLACED)? else { return Ok(None) };
        Replaced::from_slice(&bytes)
            .map(Some)
            .ok_or_else(|| StoreError::Damaged("what was replaced can't be read".to_owned()))
    }

    /// Notes that this store takes the place of a damaged one. Durable on
    /// return.
    ///
    /// # Errors
    /// [`StoreError`] when it can't be written.
    pub fn set_replaced(&self, replaced: Replaced) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.put(keys::REPLACED.to_vec(), replaced.to_bytes().to_vec());
        self.store.apply(batch)?;
        self.store.sync()
    }

    /// Bytes the store takes on disk, about.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.store.disk_bytes()
    }

    /// Saves changes. Returns once they are durable. Deletes under
    /// [`Source::ERASURE`] erase, as [`Barn::erase`] does.
    ///
    /// # Errors
    /// [`SubmitError`]; then nothing of the submission was saved.
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, SubmitError> {
        self.begin(submission).await?.saved().await
    }

    /// Like [`Barn::submit`], but returns once the submission has its place
    /// in the queue: what is begun one after another is saved in that order.
    ///
    /// # Errors
    /// [`SubmitError::Closed`]; [`SubmitError::Erased`] for an erasure that
    /// comes with content.
    pub async fn begin(&self, submission: Submission) -> Result<Pending, SubmitError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::of(submission, reply)?;
        self.queue.send(job).await.map_err(|_| SubmitError::Closed)?;
        Ok(Pending(answer))
    }

    /// Like [`Barn::submit`], from a thread that may block.
    ///
    /// # Errors
    /// [`SubmitError`]; then nothing of the submission was saved.
    pub fn submit_blocking(&self, submission: Submission) -> Result<Receipt, SubmitError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::of(submission, reply)?;
        self.queue.blocking_send(job).map_err(|_| SubmitError::Closed)?;
        answer.blocking_recv().unwrap_or(Err(SubmitError::Closed))
    }
}

/// The operation a record's state allows its next entry to be.
const fn operation_after(exists: bool, has_content: bool) -> Operation {
    match (exists, has_content) {
        (_, false) => Operation::Delete,
        (false, true) => Operation::Create,
        (true, true) => Operation::Update,
    }
}
