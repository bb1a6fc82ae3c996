//! Building a barn's store from a log that was kept elsewhere.
//!
//! Entries are taken exactly as they are: numbers, salts and withheld
//! payloads included. State, indexes, sum and count are derived from them
//! and must be what the source said they are. The head is written last, so a
//! store that was not finished is not a barn.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{
    ChainTag, Entry, Epoch, Fingerprint, LogId, Operation, Payload, Position, Seq, block,
};

use super::group::BLOCK_BYTES_MAX;
use super::head::Head;
use super::sled_store::{SledStore, hold};
use super::state::Pointer;
use super::store::{Store, StoreError, WriteBatch};
use super::{Barn, Indexer, OpenBarnError, keys, log, open, rewrite};

/// Writes that go to the store together.
const STEP: usize = 2_000;

/// Why a store could not be built.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The disk refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The entries do not follow one another.
    #[error("entry {0} does not follow")]
    Gap(Seq),
    /// The log amounts to something else than its source said.
    #[error("the log does not amount to what its source says")]
    Differs,
}

/// The last word on a record.
struct Latest {
    pointer: Pointer,
    hash: Option<ContentHash>,
    content: Option<Bytes>,
}

/// A store being built.
pub struct Rebuild {
    store: SledStore,
    reached: Position,
    latest: HashMap<RecordId, Latest>,
}

impl Rebuild {
    /// Begins a store in `dir`, which must not exist.
    ///
    /// # Errors
    /// [`RebuildError::Store`].
    pub fn begin(dir: &Path, log_id: LogId) -> Result<Self, RebuildError> {
        if dir.exists() {
            let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(StoreError::Io(exists).into());
        }
        let store = SledStore::open_own(dir)?;
        Ok(Self { store, reached: Position::origin(log_id), latest: HashMap::new() })
    }

    /// Adds the next entries.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub fn append(
        &mut self,
        entries: Vec<(Entry, Option<ContentHash>)>,
    ) -> Result<(), RebuildError> {
        let (entries, hashes): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let mut batch = WriteBatch::default();
        let mut rest = entries.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0;
            let fitting = rest.iter().take_while(|entry| {
                bytes += entry.size();
                bytes <= BLOCK_BYTES_MAX
            });
            let (block, remaining) = rest.split_at(fitting.count().max(1));
            let before = self.reached.chain;
            let encoded = block::encode(block).ok_or(RebuildError::Gap(self.reached.seq.next()))?;
            batch.put(keys::log(self.reached.seq.next()), log::block_value(before, &encoded));
            self.walk(block)?;
            rest = remaining;
        }
        self.store.apply(batch)?;
        for (entry, hash) in entries.into_iter().zip(hashes) {
            self.remember(entry, hash);
        }
        Ok(())
    }

    fn walk(&mut self, block: &[Entry]) -> Result<(), RebuildError> {
        for entry in block {
            let next = self.reached.seq.next();
            if entry.header.seq != next {
                return Err(RebuildError::Gap(next));
            }
            self.reached.seq = next;
            self.reached.chain = self.reached.chain.step(entry).0;
        }
        Ok(())
    }

    fn remember(&mut self, entry: Entry, hash: Option<ContentHash>) {
        let header = entry.header;
        let pointer = Pointer { kind: header.kind, operation: header.operation, seq: header.seq };
        let content = match entry.payload {
            Payload::Present { bytes, .. } if pointer.alive() => Some(bytes),
            _ => None,
        };
        self.latest.insert(header.id, Latest { pointer, hash, content });
    }

    /// Derives everything else and makes the store a barn that ends at
    /// `head`; durable when it returns. `epochs` are the starts of the epochs
    /// after the first.
    ///
    /// # Errors
    /// [`RebuildError::Differs`] when the log is another than the head says.
    pub fn finish(
        self,
        head: Head,
        epochs: &[(Epoch, Seq)],
        indexer: Indexer,
    ) -> Result<(), RebuildError> {
        let arrived = (self.reached.log_id, self.reached.seq, self.reached.chain);
        if arrived != (head.position.log_id, head.position.seq, head.position.chain) {
            return Err(RebuildError::Differs);
        }
        let mut sum = Fingerprint::default();
        let mut living = 0;
        let mut writes = Vec::new();
        for (id, latest) in self.latest {
            writes.push((keys::state(id), latest.pointer.to_bytes()));
            if latest.pointer.operation == Operation::Delete {
                continue;
            }
            living += 1;
            if let Some(hash) = latest.hash {
                sum += hash;
            }
            writes.extend(index_keys(indexer, latest.pointer.kind, id, latest.content.as_ref()));
        }
        if (sum, living) != (head.fingerprint, head.records) {
            return Err(RebuildError::Differs);
        }
        for (epoch, after) in epochs {
            writes.push((keys::epoch(*epoch), after.0.to_be_bytes().to_vec()));
        }
        for step in writes.chunks(STEP) {
            let mut batch = WriteBatch::default();
            for (key, value) in step {
                batch.put(key.clone(), value.clone());
            }
            self.store.apply(batch)?;
        }
        self.store.sync()?;
        let mut batch = WriteBatch::default();
        batch.put(keys::FORMAT.to_vec(), open::FORMAT.to_be_bytes().to_vec());
        batch.put(keys::HEAD.to_vec(), head.to_bytes());
        self.store.apply(batch)?;
        Ok(self.store.sync()?)
    }
}

fn index_keys(
    indexer: Indexer,
    kind: KindCode,
    id: RecordId,
    content: Option<&Bytes>,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let keys = content.map(|content| indexer(kind, content)).unwrap_or_default();
    keys.iter().map(|key| (keys::index(key.index, &key.key, id), Vec::new())).collect()
}

/// A barn's folder in which nobody works; no process opens a barn there
/// before this is gone.
#[derive(Debug)]
pub struct Resting(#[expect(dead_code, reason = "held for its lock")] File);

impl Barn {
    /// Makes sure that nobody has the barn in `dir` open, whether it is sound
    /// or not, and brings a rewrite that was cut off to its end.
    ///
    /// # Errors
    /// [`OpenBarnError::Busy`] when somebody has, [`OpenBarnError::Store`]
    /// when the folder can't be written.
    pub fn rest(dir: &Path) -> Result<Resting, OpenBarnError> {
        let lock = rewrite::lock(dir).map_err(StoreError::Io)?.ok_or(OpenBarnError::Busy)?;
        // A damaged store is not opened for it: sled would change it.
        drop(hold(&dir.join("store")).map_err(open::busy_or_failed)?);
        rewrite::finish(dir, &mut |_| Ok(())).map_err(open::busy_or_failed)?;
        Ok(Resting(lock))
    }

    /// Where each epoch after the first began: its number and the entry
    /// before, in order.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read.
    pub fn epochs(&self) -> Result<Vec<(Epoch, Seq)>, StoreError> {
        let damaged = || StoreError::Damaged("an epoch can't be read".to_owned());
        self.store
            .scan(&keys::epoch(Epoch(0)), b"F")
            .map(|pair| {
                let (key, value) = pair?;
                let epoch = keys::epoch_of(&key).ok_or_else(damaged)?;
                let after = value.as_ref().try_into().map_err(|_| damaged())?;
                Ok((epoch, Seq(u64::from_be_bytes(after))))
            })
            .collect()
    }

    /// The position after entry `seq` of the present epoch; `None` beyond
    /// the watermark.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read.
    pub fn position_at(&self, seq: Seq) -> Result<Option<Position>, StoreError> {
        let head = self.head().position;
        let chain: Option<ChainTag> = log::chain_at(&*self.store, head, seq)?;
        Ok(chain.map(|chain| Position { seq, chain, ..head }))
    }
}
