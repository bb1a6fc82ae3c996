//! The one writer: turns submissions into entries, a group at a time.
//!
//! Whatever queued while the last group became durable forms the next one:
//! no added wait for a lone save, one flush for many. A group is one atomic
//! batch (log blocks, state, indexes, head); then the store is synced, then
//! the watermark moves, then the submitters hear back. Runs on its own
//! thread, since all of it blocks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::block::PAYLOAD_BYTES_MAX;
use lumbung_ledger::chain::ACTOR_BYTES_MAX;
use lumbung_ledger::fingerprint::content_hash;
use lumbung_ledger::{ChainTag, Entry, Header, Operation, Payload, Salt, block};
use tokio::sync::{mpsc, oneshot, watch};

use super::head::Head;
use super::state::{Pointer, pointer};
use super::store::{Store, StoreError, WriteBatch};
use super::witness::{Testimony, Witness};
use super::{
    CHANGES_MAX, Change, Expected, IndexKey, Indexer, Job, Receipt, Submission, SubmitError, keys,
    log, operation_after, thin,
};

/// A group takes no further submission once it holds this many entries.
const GROUP_ENTRIES_MAX: usize = 512;

/// A log block is closed at this size. sled keeps values of a few KB well;
/// larger ones would become files of their own.
const BLOCK_BYTES_MAX: usize = 4 * 1024;

/// The witness survives a power cut at most this long after its database.
const WITNESS_SYNC_EVERY: Duration = Duration::from_secs(1);

/// Index, key and record of one index entry.
type IndexEntry = (u8, Vec<u8>, RecordId);

/// A record as the group sees it: in the store, or already changed by it.
#[derive(Clone)]
struct Current {
    pointer: Pointer,
    content: Option<Bytes>,
    schema: u16,
}

impl Current {
    /// What its share of the fingerprint was made of.
    fn hashed(&self) -> Option<(KindCode, u16, Bytes)> {
        Some((self.pointer.kind, self.schema, self.content.clone()?))
    }
}

/// A change that will be written, with what it replaces.
struct Admitted {
    operation: Operation,
    change: Change,
    before: Option<(KindCode, u16, Bytes)>,
}

/// What a group is going to write, and what later submissions of the same
/// group must already see.
struct Group {
    head: Head,
    entries: Vec<Entry>,
    /// The chain before each entry.
    chains: Vec<ChainTag>,
    records: HashMap<RecordId, Current>,
    index: BTreeMap<IndexEntry, bool>,
}

pub(super) struct Writer {
    store: Arc<dyn Store>,
    witness: Option<Witness>,
    boots: u32,
    indexer: Indexer,
    watermark: watch::Sender<Head>,
    head: Head,
    witness_synced: Instant,
    salts: Salts,
}

impl Writer {
    pub(super) fn new(
        store: Arc<dyn Store>,
        witness: Option<Witness>,
        boots: u32,
        indexer: Indexer,
        watermark: watch::Sender<Head>,
    ) -> Self {
        let head = *watermark.borrow();
        let witness_synced = Instant::now();
        let salts = Salts::System;
        Self { store, witness, boots, indexer, watermark, head, witness_synced, salts }
    }

    /// Draws salts from a seed instead of the system's randomness.
    pub(super) const fn with_salts_of(mut self, seed: u64) -> Self {
        self.salts = Salts::Seed(seed);
        self
    }

    /// Works until the last [`super::Barn`] is gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            if !self.work(first, &mut jobs) {
                return;
            }
        }
        self.sync_witness();
    }

    /// Like [`Writer::run`], as a task of a simulated world.
    pub(super) async fn run_in_task(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.recv().await {
            if !self.work(first, &mut jobs) {
                return;
            }
        }
        self.sync_witness();
    }

    /// Does a job and what may be done together with it; `false` when the
    /// disk failed and nothing more may be written.
    fn work(&mut self, first: Job, jobs: &mut mpsc::Receiver<Job>) -> bool {
        let mut next = Some(first);
        while let Some(job) = next.take() {
            let going = match job {
                Job::Save { .. } => self.save(job, jobs, &mut next),
                Job::Thin { step, reply } => answer(reply, thin::rewrite(&*self.store, &step)),
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
        let saved = self.commit(group);
        let failed = saved.is_err();
        if let Err(error) = saved {
            tracing::error!(%error, "the barn's disk failed; no more changes are taken");
        }
        for (receipt, reply) in waiting {
            let answer = if failed { Err(SubmitError::Closed) } else { Ok(receipt) };
            drop(reply.send(answer));
        }
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
        self.head = head;
        self.testify();
        self.watermark.send_replace(head);
        Ok(())
    }

    fn group(&self) -> Group {
        Group {
            head: self.head,
            entries: Vec::new(),
            chains: Vec::new(),
            records: HashMap::new(),
            index: BTreeMap::new(),
        }
    }

    /// Takes a whole submission into the group, or none of it.
    fn admit(&mut self, group: &mut Group, submission: Submission) -> Result<Receipt, SubmitError> {
        let Submission { actor, source, time_ms, changes } = submission;
        if changes.len() > CHANGES_MAX || actor.len() > ACTOR_BYTES_MAX {
            return Err(SubmitError::TooLarge { change: CHANGES_MAX });
        }
        let mut step = Step::default();
        let entries_before = group.entries.len();
        for (number, change) in changes.into_iter().enumerate() {
            let admitted = self.admit_change(group, &mut step, number, change);
            match admitted {
                Ok(None) => {}
                Ok(Some(Admitted { operation, change, before })) => {
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
                    group.push(&mut step, entry, before.as_ref());
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
        number: usize,
        change: Change,
    ) -> Result<Option<Admitted>, SubmitError> {
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
            let Some(alive) = alive else { return Ok(None) };
            let old = self.index_keys(alive);
            step.reindex(group, change.id, &old, &[]);
            let before = alive.hashed();
            return Ok(Some(Admitted { operation: Operation::Delete, change, before }));
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
        let operation = operation_after(alive.is_some(), true);
        step.reindex(group, change.id, &old, &new);
        let before = alive.and_then(Current::hashed);
        Ok(Some(Admitted { operation, change, before }))
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

    /// Writes the group and makes it durable, then moves the watermark.
    fn commit(&mut self, group: Group) -> Result<(), StoreError> {
        if group.entries.is_empty() {
            return Ok(());
        }
        let head = group.head;
        self.replace_head(head, group.into_batch()?)
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
        if self.witness_synced.elapsed() >= WITNESS_SYNC_EVERY {
            self.sync_witness();
        }
    }

    fn sync_witness(&mut self) {
        self.witness_synced = Instant::now();
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

/// Tells whoever waits what came of a job that is not a save; `false` when
/// the disk failed.
fn answer<T>(
    reply: oneshot::Sender<Result<T, SubmitError>>,
    outcome: Result<T, StoreError>,
) -> bool {
    let failed = outcome.is_err();
    if let Err(error) = &outcome {
        tracing::error!(%error, "the barn's disk failed; no more changes are taken");
    }
    // Whoever asked may have gone away; what was done is done.
    drop(reply.send(outcome.map_err(SubmitError::Store)));
    !failed
}

/// What one submission has done to the group so far, so that a refusal in
/// its middle leaves no trace.
#[derive(Default)]
struct Step {
    head: Option<Head>,
    records: Vec<(RecordId, Option<Current>)>,
    index: Vec<(IndexEntry, Option<bool>)>,
}

impl Step {
    fn reindex(&mut self, group: &mut Group, id: RecordId, old: &[IndexKey], new: &[IndexKey]) {
        let gone = old.iter().filter(|key| !new.contains(key)).map(|key| (key, false));
        let come = new.iter().filter(|key| !old.contains(key)).map(|key| (key, true));
        for (key, present) in gone.chain(come) {
            let full = (key.index, key.key.clone(), id);
            let before = group.index.insert(full.clone(), present);
            self.index.push((full, before));
        }
    }
}

impl Group {
    /// Adds an entry: head and record move with it.
    fn push(&mut self, step: &mut Step, entry: Entry, before: Option<&(KindCode, u16, Bytes)>) {
        step.head.get_or_insert(self.head);
        let header = &entry.header;
        let pointer = Pointer { kind: header.kind, operation: header.operation, seq: header.seq };
        let content = match &entry.payload {
            Payload::Present { bytes, .. } if pointer.alive() => Some(bytes.clone()),
            _ => None,
        };
        self.chains.push(self.head.position.chain);
        let (chain, hash) = self.head.position.chain.step(&entry);
        self.head.position.seq = header.seq;
        self.head.position.chain = chain;
        if let Some(hash) = hash {
            self.head.fingerprint += hash;
        }
        if let Some((kind, schema, old)) = before {
            self.head.fingerprint -= content_hash(header.id, *kind, *schema, old);
        }
        match header.operation {
            Operation::Create => self.head.records += 1,
            Operation::Update => {}
            Operation::Delete => self.head.records -= 1,
        }
        let now = Current { pointer, content, schema: header.schema };
        let replaced = self.records.insert(header.id, now);
        step.records.push((header.id, replaced));
        self.entries.push(entry);
    }

    fn undo(&mut self, step: Step, entries_before: usize) {
        self.entries.truncate(entries_before);
        self.chains.truncate(entries_before);
        if let Some(head) = step.head {
            self.head = head;
        }
        for (id, before) in step.records.into_iter().rev() {
            match before {
                Some(current) => self.records.insert(id, current),
                None => self.records.remove(&id),
            };
        }
        for (key, before) in step.index.into_iter().rev() {
            match before {
                Some(present) => self.index.insert(key, present),
                None => self.index.remove(&key),
            };
        }
    }

    /// Everything the group writes, except the head.
    fn into_batch(self) -> Result<WriteBatch, StoreError> {
        let mut batch = WriteBatch::default();
        let mut rest = self.entries.as_slice();
        while let Some(before) = self.chains.get(self.entries.len() - rest.len()) {
            let mut bytes = 0;
            let count = rest
                .iter()
                .take_while(|entry| {
                    bytes += entry.size();
                    bytes <= BLOCK_BYTES_MAX
                })
                .count()
                .max(1);
            let (block, remaining) = rest.split_at(count);
            let encoded = block::encode(block)
                .ok_or_else(|| StoreError::Damaged("entries do not form a block".to_owned()))?;
            batch.put(keys::log(block[0].header.seq), log::block_value(*before, &encoded));
            rest = remaining;
        }
        for (id, current) in self.records {
            batch.put(keys::state(id), current.pointer.to_bytes());
        }
        for ((index, key, id), present) in self.index {
            let key = keys::index(index, &key, id);
            if present { batch.put(key, Vec::new()) } else { batch.remove(key) }
        }
        Ok(batch)
    }
}
