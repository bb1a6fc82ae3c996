//! Indexes of an older version: what another indexer wrote is derived anew.

use std::collections::BTreeSet;

use super::store::{StoreError, WriteBatch};
use super::{Barn, keys};

impl Barn {
    /// Makes the indexes what the indexer says when they are of another
    /// version than `version`: one pass over the log, once. Only while
    /// nothing is saved yet, right after opening.
    ///
    /// # Errors
    /// [`StoreError`]; then the mark is as it was, and the next call tries
    /// again.
    pub fn index_as(&self, version: u32) -> Result<(), StoreError> {
        let mark = version.to_be_bytes();
        if self.store.get(keys::INDEXED)?.as_deref() == Some(&mark[..]) {
            return Ok(());
        }
        let (_, living) = self.living()?;
        let mut wanted = BTreeSet::new();
        for stored in &living {
            let header = &stored.entry.header;
            let content = stored.content();
            let found = content.map(|content| (self.indexer)(header.kind, content));
            let full = |key: super::IndexKey| keys::index(key.index, &key.key, header.id);
            wanted.extend(found.unwrap_or_default().into_iter().map(full));
        }
        let present: Result<BTreeSet<_>, _> =
            self.store.scan(b"X", b"Y").map(|pair| pair.map(|pair| pair.0.to_vec())).collect();
        let present = present?;
        let mut batch = WriteBatch::default();
        for key in wanted.difference(&present) {
            batch.put(key.clone(), Vec::new());
        }
        for key in present.difference(&wanted) {
            batch.remove(key.clone());
        }
        batch.put(keys::INDEXED.to_vec(), mark.to_vec());
        self.store.apply(batch)?;
        self.store.sync()
    }
}
