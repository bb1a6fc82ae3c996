//! What the writer gathers before it writes: entries, and what they make of
//! head, records and indexes, so that later submissions of the same group
//! already see it. Holds no store and writes nothing by itself.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::fingerprint::content_hash;
use lumbung_ledger::{ChainTag, Entry, Payload, block};

use super::head::Head;
use super::state::Pointer;
use super::store::{StoreError, WriteBatch};
use super::{IndexKey, keys, log};

/// A log block is closed at this size. sled keeps values of a few KB well;
/// larger ones would become files of their own.
pub(super) const BLOCK_BYTES_MAX: usize = 4 * 1024;

/// Index, key and record of one index entry.
pub(super) type IndexEntry = (u8, Vec<u8>, RecordId);

/// A record as the group sees it: in the store, or already changed by it.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) pointer: Pointer,
    pub(super) content: Option<Bytes>,
    pub(super) schema: u16,
}

impl Current {
    /// What its share of the fingerprint was made of.
    pub(super) fn hashed(&self) -> Option<(KindCode, u16, Bytes)> {
        Some((self.pointer.kind, self.schema, self.content.clone()?))
    }
}

/// What a group is going to write, and what later submissions of the same
/// group must already see.
pub(super) struct Group {
    pub(super) head: Head,
    pub(super) entries: Vec<Entry>,
    /// The chain before each entry.
    chains: Vec<ChainTag>,
    pub(super) records: HashMap<RecordId, Current>,
    pub(super) index: BTreeMap<IndexEntry, bool>,
}

/// What one submission has done to the group so far, so that a refusal in
/// its middle leaves no trace.
#[derive(Default)]
pub(super) struct Step {
    head: Option<Head>,
    records: Vec<(RecordId, Option<Current>)>,
    index: Vec<(IndexEntry, Option<bool>)>,
}

impl Step {
    pub(super) fn reindex(
        &mut self,
        group: &mut Group,
        id: RecordId,
        old: &[IndexKey],
        new: &[IndexKey],
    ) {
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
    /// An empty group that continues from `head`.
    pub(super) fn after(head: Head) -> Self {
        Self {
            head,
            entries: Vec::new(),
            chains: Vec::new(),
            records: HashMap::new(),
            index: BTreeMap::new(),
        }
    }

    /// Adds an entry: head and record move with it.
    pub(super) fn push(
        &mut self,
        step: &mut Step,
        entry: Entry,
        was_alive: bool,
        before: Option<&(KindCode, u16, Bytes)>,
    ) {
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
        self.head.records = self.head.records + u64::from(pointer.alive()) - u64::from(was_alive);
        let now = Current { pointer, content, schema: header.schema };
        let replaced = self.records.insert(header.id, now);
        step.records.push((header.id, replaced));
        self.entries.push(entry);
    }

    pub(super) fn undo(&mut self, step: Step, entries_before: usize) {
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
    pub(super) fn into_batch(self, batch: &mut WriteBatch) -> Result<(), StoreError> {
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
        Ok(())
    }
}
