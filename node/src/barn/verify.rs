//! Verifying a whole barn: the log proves itself, and everything derived
//! from it is derived again and compared.

use std::collections::{BTreeSet, HashMap};

use lumbung_domain::id::RecordId;
use lumbung_ledger::{ChainTag, Entry, Fingerprint, Operation, Payload, Seq};

use super::state::Pointer;
use super::store::StoreError;
use super::{Barn, Head, keys, log, state};

/// Something in the barn that is not what the log says it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The entry with this number is missing or out of order.
    Gap(Seq),
    /// The chain before this entry is not what its block says.
    Chain(Seq),
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

/// The log folded: what state, indexes and head should be.
#[derive(Default)]
struct Fold {
    entries: u64,
    records: HashMap<RecordId, (Pointer, Option<Entry>)>,
}

impl Barn {
    /// Reads everything and compares. Meant for a barn at rest: a save during
    /// the verification can show as a fault.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read at all.
    pub fn verify(&self) -> Result<Soundness, StoreError> {
        let head = self.head();
        let mut faults = Vec::new();
        let fold = self.fold(head, &mut faults)?;
        let mut fingerprint = Fingerprint::default();
        let mut living = 0;
        let mut index = BTreeSet::new();
        for (id, (pointer, entry)) in &fold.records {
            if state::pointer(&*self.store, *id)? != Some(*pointer) {
                faults.push(Fault::State(*id));
            }
            let Some(entry) = entry else { continue };
            living += 1;
            if let Some(hash) = entry.content_hash() {
                fingerprint += hash;
            }
            if let Payload::Present { bytes, .. } = &entry.payload {
                for key in (self.indexer)(entry.header.kind, bytes) {
                    index.insert(keys::index(key.index, &key.key, *id));
                }
            }
        }
        for pair in self.store.scan(b"S", b"T") {
            let id = keys::state_id(&pair?.0).unwrap_or_default();
            if !fold.records.contains_key(&id) {
                faults.push(Fault::State(id));
            }
        }
        let stored: Result<BTreeSet<_>, _> =
            self.store.scan(b"X", b"Y").map(|pair| pair.map(|pair| pair.0.to_vec())).collect();
        if stored? != index {
            faults.push(Fault::Index);
        }
        if fingerprint != head.fingerprint {
            faults.push(Fault::Fingerprint);
        }
        if living != head.records {
            faults.push(Fault::Count);
        }
        Ok(Soundness { head, entries: fold.entries, faults })
    }

    fn fold(&self, head: Head, faults: &mut Vec<Fault>) -> Result<Fold, StoreError> {
        let mut fold = Fold::default();
        let mut chain = ChainTag::genesis(head.position.log_id);
        let mut seq = Seq::ZERO;
        let range = (keys::log(Seq::ZERO), keys::log(head.position.seq.next()));
        for pair in self.store.scan(&range.0, &range.1) {
            let (key, value) = pair?;
            let (before, entries) = log::read_block(&value)?;
            if before != chain {
                faults.push(Fault::Chain(seq.next()));
                chain = before;
            }
            if keys::log_first(&key) != Some(seq.next()) {
                faults.push(Fault::Gap(seq.next()));
            }
            for entry in entries {
                chain = chain.step(&entry).0;
                seq = entry.header.seq;
                fold.add(entry);
            }
        }
        if seq != head.position.seq || chain != head.position.chain {
            faults.push(Fault::End);
        }
        Ok(fold)
    }
}

impl Fold {
    fn add(&mut self, entry: Entry) {
        self.entries += 1;
        let header = &entry.header;
        let pointer = Pointer { kind: header.kind, operation: header.operation, seq: header.seq };
        let id = header.id;
        let living = (header.operation != Operation::Delete).then_some(entry);
        self.records.insert(id, (pointer, living));
    }
}
