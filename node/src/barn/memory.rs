//! The store in memory, with a tail that a crash drops.
//!
//! For simulation and property tests: what was applied but not synced is
//! visible, as on disk, and gone after [`MemoryStore::crash`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::seal::{sealed, unsealed};
use super::store::{Check, Pairs, Reopening, Store, StoreError, WriteBatch};

type Map = BTreeMap<Vec<u8>, Bytes>;

#[derive(Debug, Default)]
struct Contents {
    visible: Map,
    durable: Map,
    failing: bool,
}

/// The store in memory. Clones share their contents, like file handles.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Contents>>);

impl MemoryStore {
    /// Drops everything that was not synced: a power cut.
    pub fn crash(&self) {
        let mut contents = self.contents();
        contents.visible = contents.durable.clone();
        contents.failing = false;
    }

    /// From now on every sync fails until the next crash: a dying disk.
    pub fn fail_syncs(&self) {
        self.contents().failing = true;
    }

    /// Another store with the same durable contents: a disk that was cloned.
    #[must_use]
    pub fn copy(&self) -> Self {
        let durable = self.contents().durable.clone();
        let contents = Contents { visible: durable.clone(), durable, failing: false };
        Self(Arc::new(Mutex::new(contents)))
    }

    /// Changes one bit of a value at rest, its seal included; says whether
    /// there is such a bit.
    #[must_use]
    pub fn flip(&self, key: &[u8], bit: usize) -> bool {
        let mut contents = self.contents();
        let Some(mut value) = contents.durable.get(key).map(|value| value.to_vec()) else {
            return false;
        };
        let Some(byte) = value.get_mut(bit / 8) else { return false };
        *byte ^= 1 << (bit % 8);
        contents.durable.insert(key.to_vec(), value.into());
        contents.visible = contents.durable.clone();
        true
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pair((key, value): (&Vec<u8>, &Bytes)) -> (Bytes, Bytes) {
    (Bytes::copy_from_slice(key), unsealed(key, value))
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.contents().visible.get(key).map(|value| unsealed(key, value)))
    }

    fn scan(&self, from: &[u8], to: &[u8]) -> Pairs<'_> {
        let pairs: Vec<_> =
            self.contents().visible.range(from.to_vec()..to.to_vec()).map(pair).collect();
        Box::new(pairs.into_iter().map(Ok))
    }

    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<(Bytes, Bytes)>, StoreError> {
        Ok(self.contents().visible.range(from.to_vec()..=to.to_vec()).next_back().map(pair))
    }

    fn apply(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let mut contents = self.contents();
        for (key, value) in batch.into_writes() {
            match value {
                Some(value) => {
                    let value = sealed(&key, value);
                    contents.visible.insert(key, value.into())
                }
                None => contents.visible.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let mut contents = self.contents();
        if contents.failing {
            return Err(StoreError::Io(std::io::Error::other("the disk is dying")));
        }
        contents.durable = contents.visible.clone();
        Ok(())
    }

    fn disk_bytes(&self) -> u64 {
        0
    }

    fn reopen(&self, check: &mut Check<'_>) -> Reopening {
        {
            let mut contents = self.contents();
            if contents.failing {
                return Reopening::Never;
            }
            contents.visible = contents.durable.clone();
        }
        check(self, true).map_or(Reopening::Never, |()| Reopening::Done)
    }
}
