//! The one writer: turns submissions into entries, a group at a time.
//!
//! Whatever queued while the last group became durable forms the next one:
//! no added wait for a lone save, one flush for many. A group is one atomic
//! batch (log blocks, state, indexes, head); then the store is synced, then
//! the watermark moves, then the submitters hear back. Runs on its own
//! thread, since all of it blocks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::block::PAYLOAD_BYTES_MAX;
use lumbung_ledger::chain::ACTOR_BYTES_MAX;
use lumbung_ledger::{Entry, Header, Operation, Payload, Salt, Source};
use lumbung_telemetry::clock;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::erasures::Erasures;
use super::group::{Current, Group, Step};
use super::head::Head;
use super::room::Condition;
use super::state::pointer;
use super::store::{Hindrance, Store, StoreError, WriteBatch};
use super::witness::{Testimony, Witness};
use super::{
    CHANGES_MAX, Change, Expected, IndexKey, Indexer, Job, Receipt, Submission, SubmitError, keys,
    log, operation_after, thin,
};

/// A group takes no further submission once it holds this many entries.
const GROUP_ENTRIES_MAX: usize = 512;

/// The witness survives a power cut at most this long after its database, also
/// when no other save follows.
const WITNESS_SYNC_EVERY: Duration = Duration::from_secs(1);

/// A change that will be written, with what it replaces.
struct Admitted {
    operation: Operation,
    change: Change,
    was_alive: bool,
    before: Option<(KindCode, u16, Bytes)>,
}

pub(super) struct Writer {
    store: Arc<dyn Store>,
    witness: Option<Witness>,
    boots: u32,
    indexer: Indexer,
    watermark: watch::Sender<Head>,
    head: Head,
    witness_synced: Instant,
    /// Whether the last testimony would not survive a power cut.
    witness_waits: bool,
    salts: Salts,
    pub(super) erasures: Arc<Mutex<Erasures>>,
    pub(super) condition: watch::Sender<Condition>,
    /// Whether a job failed over something else than a lack of room.
    failed_otherwise: bool,
}

impl Writer {
    pub(super) fn new(
        store: Arc<dyn Store>,
        witness: Option<Witness>,
        boots: u32,
        indexer: Indexer,
        watermark: watch::Sender<Head>,
        erasures: Arc<Mutex<Erasures>>,
    ) -> Self {
        let head = *watermark.borrow();
        let witness_synced = Instant::now();
        Self {
            store,
            witness,
            boots,
            indexer,
            watermark,
            head,
            witness_synced,
            witness_waits: false,
            salts: Salts::System,
            erasures,
            condition: watch::Sender::new(Condition::Sound),
            failed_otherwise: false,
        }
    }

    /// Draws salts from a seed instead of the system's randomness.
    pub(super) const fn with_salts_of(mut self, seed: u64) -> Self {
        self.salts = Salts::Seed(seed);
        self
    }

    /// Works until the last [`super::Barn`] is gone.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut came = None;
        // A barn may have been opened on a disk that takes nothing.
        if self.condition.borrow().is_hindered() {
            match self.recover(&mut jobs).await {
                Some(job) => came = job,
                None => return,
            }
        }
        loop {
            let first = match came.take() {
                Some(job) => job,
                None => match self.next(&mut jobs).await {
                    Some(job) => job,
                    None => break,
                },
            };
            if !self.work(first, &mut jobs) {
                match self.recover(&mut jobs).await {
                    Some(job) => came = job,
                    None => return,
                }
            }
        }
        self.sync_witness();
    }

    /// Waits for a job, and syncs the witness if none comes.
    async fn next(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Option<Job> {
        if self.witness_waits {
            let left = WITNESS_SYNC_EVERY.saturating_sub(self.witness_synced.elapsed());
            match tokio::time::timeout(left, jobs.recv()).await {
                Ok(job) => return job,
                Err(_) => self.sync_witness(),
            }
        }
        jobs.recv().await
    }

    /// Does a job and what may be done together with it; `false` when the
    /// disk failed and nothing more may be written.
    fn work(&mut self, first: Job, jobs: &mut mpsc::Receiver<Job>) -> bool {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            let going = match job {
                Job::Save { .. } => self.save(job, jobs, &mut next),
                Job::Erase { erase, reply } => {
                    let outcome = self.erase(erase);
                    self.answer(reply, outcome)
                }
                Job::Thin { step, reply } => {
                    let outcome = thin::rewrite(&*self.store, &step).map_err(SubmitError::Store);
                    self.answer(reply, outcome)
                }
                Job::Work(work) => work(self),
            };
            if !going {
                return false;
            }
        }
        true
    }

    /// Saves what waits as one group and answers; a job of another kind ends
    /// the group and becomes `next`. `false` when the disk failed.
    fn save(&mut self, first: Job, jobs: &mut mpsc::Receiver<Job>, next: &mut Option<Job>) -> bool {
        let mut group = self.group();
        let mut waiting = Vec::new();
        *next = Some(first);
        while let Some(Job::Save { submission, reply }) =
            next.take_if(|job| matches!(job, Job::Save { .. }))
        {
            match self.admit(&mut group, submission) {
                Ok(receipt) => waiting.push((receipt, reply)),
                // The submitter may have gone away; nothing was saved.
                Err(error) => drop(reply.send(Err(error))),
            }
            if group.entries.len() < GROUP_ENTRIES_MAX {
                *next = jobs.try_recv().ok();
            }
        }
        let saved = self.commit(group, WriteBatch::default());
        if let Err(error) = &saved {
            self.failed(error.hindrance(), error);
        }
        for (receipt, reply) in waiting {
            let answer = match &saved {
                Ok(()) => Ok(receipt),
                Err(error) => Err(error
                    .hindrance()
                    .map_or(SubmitError::Closed, |by| SubmitError::hindered(by, false))),
            };
            drop(reply.send(answer));
        }
        saved.is_ok()
    }

    fn failed(&mut self, hindrance: Option<Hindrance>, error: &dyn std::error::Error) {
        tracing::error!(%error, ?hindrance, "the barn's disk failed");
        self.failed_otherwise |= hindrance.is_none();
        if let Some(by) = hindrance.filter(|_| self.may_go_on()) {
            // Whoever is told so finds it so.
            self.condition.send_replace(Condition::during(by, clock::now_ms()));
        }
    }

    /// Tells whoever waits what came of a job that is not a save; `false` when
    /// the disk failed.
    fn answer<T>(
        &mut self,
        reply: oneshot::Sender<Result<T, SubmitError>>,
        outcome: Result<T, SubmitError>,
    ) -> bool {
        let failed = matches!(&outcome, Err(SubmitError::Store(_) | SubmitError::Closed));
        if let Err(error) = outcome.as_ref()
            && failed
        {
            self.failed(error.hindrance(), error);
        }
        let hindrance = outcome.as_ref().err().and_then(SubmitError::hindrance);
        let outcome = hindrance.map_or(outcome, |by| Err(SubmitError::hindered(by, false)));
        // Whoever asked may have gone away; what was done is done.
        drop(reply.send(outcome));
        !failed
    }

    /// The store, for work between two groups.
    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The head: durable, and what the watermark says, between two groups.
    pub(super) const fn head(&self) -> Head {
        self.head
    }

    /// The store, to be opened anew.
    pub(super) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Whether nothing but a lack of room has failed.
    pub(super) const fn may_go_on(&self) -> bool {
        !self.failed_otherwise
    }

    /// Goes on from a head that the disk has.
    pub(super) fn stand_at(&mut self, head: Head) {
        self.head = head;
        self.testify();
        self.watermark.send_replace(head);
    }

    /// Says which index entries a payload has.
    pub(super) const fn indexer(&self) -> Indexer {
        self.indexer
    }

    /// Writes `batch` with a new head in one atomic step, makes it durable
    /// and moves the watermark.
    pub(super) fn replace_head(
        &mut self,
        head: Head,
        mut batch: WriteBatch,
    ) -> Result<(), StoreError> {
        batch.put(keys::HEAD.to_vec(), head.to_bytes());
        self.store.apply(batch)?;
        self.store.sync()?;
        self.stand_at(head);
        Ok(())
    }

    pub(super) fn group(&self) -> Group {
        Group::after(self.head)
    }

    /// Takes a whole submission into the group, or none of it.
    pub(super) fn admit(
        &mut self,
        group: &mut Group,
        submission: Submission,
    ) -> Result<Receipt, SubmitError> {
        let Submission { actor, source, time_ms, changes } = submission;
        if changes.len() > CHANGES_MAX || actor.len() > ACTOR_BYTES_MAX {
            return Err(SubmitError::TooLarge { change: CHANGES_MAX });
        }
        let mut step = Step::default();
        let entries_before = group.entries.len();
        for (number, change) in changes.into_iter().enumerate() {
            let admitted = self.admit_change(group, &mut step, source, (number, change));
            match admitted {
                Ok(None) => {}
                Ok(Some(Admitted { operation, change, was_alive, before })) => {
                    let seq = group.head.position.seq.next();
                    let payload = Payload::Present {
                        salt: self.salts.draw()?,
                        bytes: change.content.clone().unwrap_or_default(),
                    };
                    let entry = Entry {
                        header: Header {
                            seq,
                            id: change.id,
                            kind: change.kind,
                            schema: change.schema,
                            operation,
                            time_ms,
                            actor: Arc::clone(&actor),
                            source,
                        },
                        payload,
                    };
                    group.push(&mut step, entry, was_alive, before.as_ref());
                }
                Err(error) => {
                    group.undo(step, entries_before);
                    return Err(error);
                }
            }
        }
        let written = (group.entries.len() - entries_before) as u64;
        Ok(Receipt { last: group.head.position.seq, written })
    }

    /// Checks one change against store and group. `None`: nothing to write.
    fn admit_change(
        &self,
        group: &mut Group,
        step: &mut Step,
        source: Source,
        (number, change): (usize, Change),
    ) -> Result<Option<Admitted>, SubmitError> {
        if change.content.is_some() && self.erasures().holds(change.id) {
            return Err(SubmitError::Erased { change: number });
        }
        let current = self.current(group, change.id)?;
        let alive = current.as_ref().filter(|current| current.pointer.alive());
        let found = alive.map(|current| current.pointer.seq);
        match change.expected {
            Expected::Absent if found.is_some() => {
                return Err(SubmitError::Stale { change: number, found });
            }
            Expected::At(seq) if found != Some(seq) => {
                return Err(SubmitError::Stale { change: number, found });
            }
            _ => {}
        }
        let Some(content) = &change.content else {
            // An erasure says so even where the record had ended before.
            if alive.is_none() && (source != Source::ERASURE || current.is_none()) {
                return Ok(None);
            }
            let old = alive.map(|alive| self.index_keys(alive)).unwrap_or_default();
            step.reindex(group, change.id, &old, &[]);
            let (was_alive, before) = (alive.is_some(), alive.and_then(Current::hashed));
            let operation = Operation::Delete;
            return Ok(Some(Admitted { operation, change, was_alive, before }));
        };
        if content.len() > PAYLOAD_BYTES_MAX {
            return Err(SubmitError::TooLarge { change: number });
        }
        if let Some(alive) = alive {
            let same_kind = alive.pointer.kind == change.kind;
            if same_kind && alive.schema == change.schema && alive.content.as_ref() == Some(content)
            {
                return Ok(None);
            }
        }
        let new = (self.indexer)(change.kind, content);
        for key in new.iter().filter(|key| key.unique) {
            if let Some(holder) = self.holder(group, key, change.id)? {
                return Err(SubmitError::Taken { change: number, index: key.index, holder });
            }
        }
        let old = alive.map(|alive| self.index_keys(alive)).unwrap_or_default();
        let was_alive = alive.is_some();
        let operation = operation_after(was_alive, true);
        step.reindex(group, change.id, &old, &new);
        let before = alive.and_then(Current::hashed);
        Ok(Some(Admitted { operation, change, was_alive, before }))
    }

    fn index_keys(&self, current: &Current) -> Vec<IndexKey> {
        match &current.content {
            Some(content) => (self.indexer)(current.pointer.kind, content),
            None => Vec::new(),
        }
    }

    fn current(&self, group: &Group, id: RecordId) -> Result<Option<Current>, StoreError> {
        if let Some(current) = group.records.get(&id) {
            return Ok(Some(current.clone()));
        }
        let Some(pointer) = pointer(&*self.store, id)? else { return Ok(None) };
        let entry = log::entry(&*self.store, pointer.seq)?
            .ok_or_else(|| StoreError::Damaged("a record's entry is missing".to_owned()))?;
        let content = match entry.payload {
            Payload::Present { bytes, .. } if pointer.alive() => Some(bytes),
            _ => None,
        };
        Ok(Some(Current { pointer, content, schema: entry.header.schema }))
    }

    /// Another record under a unique key.
    fn holder(
        &self,
        group: &Group,
        key: &IndexKey,
        own: RecordId,
    ) -> Result<Option<RecordId>, StoreError> {
        let from = (key.index, key.key.clone(), RecordId([0; 16]));
        let to = (key.index, key.key.clone(), RecordId([u8::MAX; 16]));
        let in_group = group
            .index
            .range(from..=to)
            .find_map(|((_, _, id), present)| (*present && *id != own).then_some(*id));
        if in_group.is_some() {
            return Ok(in_group);
        }
        let prefix = keys::index_prefix(key.index, &key.key);
        for pair in self.store.scan(&prefix, &keys::after(&prefix)) {
            let Some(id) = keys::index_id(&pair?.0) else { continue };
            let removed = group.index.get(&(key.index, key.key.clone(), id)) == Some(&false);
            if id != own && !removed {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Writes the group and what goes with it, makes it durable, then moves
    /// the watermark.
    pub(super) fn commit(&mut self, group: Group, mut batch: WriteBatch) -> Result<(), StoreError> {
        if group.entries.is_empty() {
            return Ok(());
        }
        let head = group.head;
        group.into_batch(&mut batch)?;
        self.replace_head(head, batch)
    }

    /// A witness that can't be written weakens a later diagnosis, not the
    /// data: work goes on.
    fn testify(&mut self) {
        let Some(witness) = &mut self.witness else { return };
        let position = self.head.position;
        let testimony = Testimony {
            log_id: position.log_id,
            epoch: position.epoch,
            seq: position.seq,
            boots: self.boots,
        };
        if let Err(error) = witness.testify(testimony) {
            tracing::warn!(%error, "the witness file can't be written");
        }
        self.witness_waits = true;
        if self.witness_synced.elapsed() >= WITNESS_SYNC_EVERY {
            self.sync_witness();
        }
    }

    /// Makes the witness survive a power cut.
    pub(super) fn sync_witness(&mut self) {
        self.witness_synced = Instant::now();
        self.witness_waits = false;
        if let Some(Err(error)) = self.witness.as_ref().map(Witness::sync) {
            tracing::warn!(%error, "the witness file can't be synced");
        }
    }
}

/// Where the entries' salts come from.
enum Salts {
    /// The system's randomness.
    System,
    /// A seed, for worlds that must repeat; never for people's records.
    Seed(u64),
}

impl Salts {
    fn draw(&mut self) -> Result<Salt, StoreError> {
        let mut salt = Salt::default();
        match self {
            Self::System => getrandom::fill(&mut salt.0)
                .map_err(|error| StoreError::Io(std::io::Error::other(error)))?,
            Self::Seed(seed) => {
                *seed = seed.wrapping_add(1);
                salt.0.copy_from_slice(&blake3::hash(&seed.to_le_bytes()).as_bytes()[..8]);
            }
        }
        Ok(salt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::barn::MemoryStore;

    #[tokio::test]
    async fn the_witness_of_the_last_save_is_synced_though_none_follows() {
        let dir = tempfile::tempdir().unwrap();
        let witness = Witness::open(&dir.path().join("witness")).unwrap();
        let head = Head::empty(lumbung_ledger::LogId([9; 16]));
        let (watermark, _watching) = watch::channel(head);
        let (_queue, mut jobs) = mpsc::channel(1);
        let (store, indexer) = (Arc::new(MemoryStore::default()), |_, _: &Bytes| Vec::new());
        let mut writer = Writer::new(store, Some(witness), 1, indexer, watermark, Arc::default());
        writer.testify();
        assert!(writer.witness_waits, "a sync for each save would cost too much");
        let idle = WITNESS_SYNC_EVERY + Duration::from_millis(500);
        assert!(tokio::time::timeout(idle, writer.next(&mut jobs)).await.is_err(), "no job");
        assert!(!writer.witness_waits);
    }
}
