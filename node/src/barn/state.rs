//! Reading the state: the latest entry of each record, and the indexes.

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{Entry, Operation, Payload, Seq};

use super::store::{Store, StoreError};
use super::{Barn, keys, log};

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
    /// A living record, up to the watermark.
    ///
    /// # Errors
    /// [`StoreError`] when it can't be read.
    pub fn get(&self, id: RecordId) -> Result<Option<Stored>, StoreError> {
        match pointer(&*self.store, id)? {
            Some(pointer) if pointer.alive() => {
                Ok(self.entry(pointer.seq)?.map(|entry| Stored { entry }))
            }
            _ => Ok(None),
        }
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

    /// Every living record, oldest entry first. One pass over the log: cheap
    /// for a village, not meant for a page that shows one record.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read.
    pub fn living(&self) -> Result<Vec<Stored>, StoreError> {
        let head = self.head().position.seq;
        let mut current = std::collections::HashMap::new();
        for pair in self.store.scan(b"S", b"T") {
            let (key, value) = pair?;
            let pointer = read_pointer(&value)?;
            if pointer.alive() && pointer.seq <= head {
                if let Some(id) = keys::state_id(&key) {
                    current.insert(id, pointer.seq);
                }
            }
        }
        let mut living = Vec::with_capacity(current.len());
        for pair in self.store.scan(&keys::log(Seq::ZERO), &keys::log(head.next())) {
            let (_, entries) = log::read_block(&pair?.1)?;
            for entry in entries {
                if current.get(&entry.header.id) == Some(&entry.header.seq) {
                    living.push(Stored { entry });
                }
            }
        }
        Ok(living)
    }
}
