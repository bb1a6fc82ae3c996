//! Reading the state: the latest entry of each record, and the indexes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{Entry, Operation, Payload, Seq};

use super::store::{Store, StoreError};
use super::{Barn, Head, Latest, keys, log};

/// A group becomes durable in a millisecond or few; a disk that takes longer
/// than this has failed.
const DURABLE_WITHIN: Duration = Duration::from_secs(5);
const DURABLE_LOOK_EVERY: Duration = Duration::from_micros(200);

/// Where a record stands: what its latest entry says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) kind: KindCode,
    pub(super) operation: Operation,
    pub(super) seq: Seq,
}

impl Pointer {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(11);
        bytes.extend_from_slice(&self.kind.0.to_le_bytes());
        bytes.push(self.operation as u8);
        bytes.extend_from_slice(&self.seq.0.to_le_bytes());
        bytes
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            kind: KindCode(u16::from_le_bytes(bytes.get(0..2)?.try_into().ok()?)),
            operation: Operation::from_number(*bytes.get(2)?)?,
            seq: Seq(u64::from_le_bytes(bytes.get(3..11)?.try_into().ok()?)),
        })
    }

    pub(super) const fn alive(self) -> bool {
        !matches!(self.operation, Operation::Delete)
    }
}

pub(super) fn pointer(store: &dyn Store, id: RecordId) -> Result<Option<Pointer>, StoreError> {
    store.get(&keys::state(id))?.map(|bytes| read_pointer(&bytes)).transpose()
}

pub(super) fn read_pointer(bytes: &[u8]) -> Result<Pointer, StoreError> {
    Pointer::from_slice(bytes)
        .ok_or_else(|| StoreError::Damaged("a record's state can't be read".to_owned()))
}

/// A living record as the barn keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its latest entry.
    pub entry: Entry,
}

impl Stored {
    /// The record's content; `None` when it was erased.
    #[must_use]
    pub const fn content(&self) -> Option<&Bytes> {
        match &self.entry.payload {
            Payload::Present { bytes, .. } => Some(bytes),
            Payload::Withheld { .. } => None,
        }
    }
}

impl Barn {
    /// The latest word on a record, which may have ended it, up to the
    /// watermark.
    ///
    /// # Errors
    /// [`StoreError`] when it can't be read.
    pub fn latest(&self, id: RecordId) -> Result<Option<Latest>, StoreError> {
        let Some(pointer) = pointer(&*self.store, id)? else { return Ok(None) };
        self.wait_until_durable(pointer.seq)?;
        let entry = self.entry(pointer.seq)?;
        Ok(entry.map(|entry| Latest { hash: entry.content_hash(), entry }))
    }

    /// A living record, up to the watermark.
    ///
    /// # Errors
    /// [`StoreError`] when it can't be read.
    pub fn get(&self, id: RecordId) -> Result<Option<Stored>, StoreError> {
        match pointer(&*self.store, id)? {
            Some(pointer) if pointer.alive() => {
                self.wait_until_durable(pointer.seq)?;
                Ok(self.entry(pointer.seq)?.map(|entry| Stored { entry }))
            }
            _ => Ok(None),
        }
    }

    /// A record that is just being saved is shown once it is durable, not
    /// before, and not as missing.
    fn wait_until_durable(&self, seq: Seq) -> Result<(), StoreError> {
        let begun = Instant::now();
        while self.head().position.seq < seq {
            if begun.elapsed() > DURABLE_WITHIN {
                return Err(StoreError::Damaged("a save does not become durable".to_owned()));
            }
            std::thread::sleep(DURABLE_LOOK_EVERY);
        }
        Ok(())
    }

    /// The living records under an index key.
    ///
    /// # Errors
    /// [`StoreError`] when the index can't be read.
    pub fn find(&self, index: u8, key: &[u8]) -> Result<Vec<RecordId>, StoreError> {
        let prefix = keys::index_prefix(index, key);
        self.store
            .scan(&prefix, &keys::after(&prefix))
            .map(|pair| {
                keys::index_id(&pair?.0)
                    .ok_or_else(|| StoreError::Damaged("an index can't be read".to_owned()))
            })
            .collect()
    }

    /// Every living record as of one watermark, which is given along; oldest
    /// entry first. Folds the log, so saves that go on meanwhile don't blur
    /// the picture. Cheap for a village, not meant for showing one record.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read.
    pub fn living(&self) -> Result<(Head, Vec<Stored>), StoreError> {
        loop {
            let head = self.head();
            let living = self.living_at(head)?;
            // An erasure beyond the watermark reaches back into the log: what
            // it took was living at this one, and isn't at the next.
            let whole = living.iter().all(|stored| stored.content().is_some());
            if whole || self.head() == head {
                return Ok((head, living));
            }
        }
    }

    fn living_at(&self, head: Head) -> Result<Vec<Stored>, StoreError> {
        let mut living: HashMap<RecordId, Entry> = HashMap::new();
        let end = keys::log(head.position.seq.next());
        for pair in self.store.scan(&keys::log(Seq::ZERO), &end) {
            let (_, entries) = log::read_block(&pair?.1)?;
            for entry in entries {
                match entry.header.operation {
                    Operation::Delete => living.remove(&entry.header.id),
                    Operation::Create | Operation::Update => living.insert(entry.header.id, entry),
                };
            }
        }
        let mut living: Vec<_> = living.into_values().map(|entry| Stored { entry }).collect();
        living.sort_by_key(|stored| stored.entry.header.seq);
        Ok(living)
    }
}
