//! Verifying a whole barn: the log proves itself, and everything derived
//! from it is derived again and compared.

use std::collections::{BTreeMap, BTreeSet};

use lumbung_domain::id::RecordId;
use lumbung_ledger::{Epoch, Fingerprint, Payload, Seq};

use super::proof::{self, Proven};
use super::state::Pointer;
use super::store::{Store, StoreError, WriteBatch};
use super::{Barn, Head, Indexer, Mending, keys, relation};

/// Length of the mark that says which version of the indexer was at work.
const INDEXED_BYTES: usize = size_of::<u32>();

/// Something in the barn that is not what the log says it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The entry with this number is missing or out of order.
    Gap(Seq),
    /// The block that begins with this entry does not lead to the chain that
    /// the next one begins with.
    Chain(Seq),
    /// The block that should begin with this entry can't be read.
    Unreadable(Seq),
    /// The log does not end at the head.
    End,
    /// A record's state does not point at its latest entry.
    State(RecordId),
    /// The indexes are not the ones the records ask for.
    Index,
    /// The head's fingerprint is not the sum of the records.
    Fingerprint,
    /// The head's count is not the number of living records.
    Count,
}

impl Fault {
    /// The entry at which the log of this head is broken; `None` for a fault
    /// in what is derived from it, which [`Barn::rederive`] puts right.
    #[must_use]
    pub const fn in_log(&self, head: Head) -> Option<Seq> {
        match self {
            Self::Gap(seq) | Self::Chain(seq) | Self::Unreadable(seq) => Some(*seq),
            Self::End => Some(head.position.seq),
            Self::State(_) | Self::Index | Self::Fingerprint | Self::Count => None,
        }
    }
}

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Soundness {
    /// The watermark that was verified.
    pub head: Head,
    /// Entries read.
    pub entries: u64,
    /// What is wrong; empty = sound.
    pub faults: Vec<Fault>,
}

impl Soundness {
    /// The first entry at which the log does not prove itself.
    #[must_use]
    pub fn broken_at(&self) -> Option<Seq> {
        self.faults.iter().find_map(|fault| fault.in_log(self.head))
    }
}

impl Barn {
    /// Reads everything and compares. Meant for a barn at rest: a save during
    /// the verification can show as a fault.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read at all.
    pub fn verify(&self) -> Result<Soundness, StoreError> {
        let head = self.head();
        let (proven, mut faults) = proof::read(&*self.store, head)?;
        // Reads every epoch on the way.
        relation::limit(&*self.store, Epoch(0), head.position)?;
        let derived = Derived::from_log(&proven, self.indexer);
        faults.extend(derived.compare(&*self.store, head)?.faults);
        // A mark that can't be read is written anew at the next opening.
        let mark = self.store.get(keys::INDEXED)?;
        if mark.is_some_and(|mark| mark.len() != INDEXED_BYTES) && !faults.contains(&Fault::Index) {
            faults.push(Fault::Index);
        }
        Ok(Soundness { head, entries: proven.entries, faults })
    }
}

/// What state, indexes and head must be, by the log.
pub(super) struct Derived {
    pub(super) head: Head,
    pointers: BTreeMap<RecordId, Pointer>,
    index: BTreeSet<Vec<u8>>,
}

/// Where the store contradicts the log, and what puts it right.
#[derive(Default)]
pub(super) struct Contradictions {
    pub(super) faults: Vec<Fault>,
    pub(super) mending: Mending,
    pub(super) batch: WriteBatch,
}

impl Derived {
    pub(super) fn from_log(proven: &Proven, indexer: Indexer) -> Self {
        let mut derived = Self {
            head: Head { fingerprint: Fingerprint::default(), records: 0, ..proven.head },
            pointers: BTreeMap::new(),
            index: BTreeSet::new(),
        };
        for (id, latest) in &proven.records {
            let header = &latest.entry.header;
            let pointer =
                Pointer { kind: header.kind, operation: header.operation, seq: header.seq };
            derived.pointers.insert(*id, pointer);
            if !latest.alive() {
                continue;
            }
            derived.head.records += 1;
            if let Some(hash) = latest.hash {
                derived.head.fingerprint += hash;
            }
            if let Payload::Present { bytes, .. } = &latest.entry.payload {
                for key in indexer(header.kind, bytes) {
                    derived.index.insert(keys::index(key.index, &key.key, *id));
                }
            }
        }
        derived
    }

    /// Compares with what the store holds beside `head`.
    pub(super) fn compare(
        &self,
        store: &dyn Store,
        head: Head,
    ) -> Result<Contradictions, StoreError> {
        let mut found = Contradictions::default();
        self.compare_state(store, &mut found)?;
        self.compare_index(store, &mut found)?;
        if self.head.fingerprint != head.fingerprint {
            found.faults.push(Fault::Fingerprint);
        }
        if self.head.records != head.records {
            found.faults.push(Fault::Count);
        }
        found.mending.sum = self.head != head;
        Ok(found)
    }

    fn compare_state(
        &self,
        store: &dyn Store,
        found: &mut Contradictions,
    ) -> Result<(), StoreError> {
        let mut missing: BTreeSet<_> = self.pointers.keys().copied().collect();
        for pair in store.scan(b"S", b"T") {
            let (key, value) = pair?;
            let id = keys::state_id(&key);
            let pointer = id.and_then(|id| self.pointers.get(&id));
            if let Some(id) = id.filter(|_| pointer.is_some()) {
                missing.remove(&id);
            }
            if pointer.is_some_and(|pointer| pointer.to_bytes() == value.as_ref()) {
                continue;
            }
            found.faults.push(Fault::State(id.unwrap_or_default()));
            match pointer {
                Some(pointer) => found.batch.put(key.to_vec(), pointer.to_bytes()),
                None => found.batch.remove(key.to_vec()),
            }
        }
        for id in missing {
            found.faults.push(Fault::State(id));
            found.batch.put(keys::state(id), self.pointers[&id].to_bytes());
        }
        found.mending.records = found.faults.len() as u64;
        Ok(())
    }

    fn compare_index(
        &self,
        store: &dyn Store,
        found: &mut Contradictions,
    ) -> Result<(), StoreError> {
        let stored: Result<BTreeSet<_>, _> =
            store.scan(b"X", b"Y").map(|pair| pair.map(|pair| pair.0.to_vec())).collect();
        let stored = stored?;
        for key in self.index.difference(&stored) {
            found.mending.index += 1;
            found.batch.put(key.clone(), Vec::new());
        }
        for key in stored.difference(&self.index) {
            found.mending.index += 1;
            found.batch.remove(key.clone());
        }
        if found.mending.index > 0 {
            found.faults.push(Fault::Index);
        }
        Ok(())
    }
}
