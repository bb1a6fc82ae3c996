//! The log proving itself: read from its first entry to the watermark, chain
//! and all, down to the latest word on every record.
//!
//! Uses neither state nor indexes nor the head's sums, so it is what these
//! are measured against. A log that does not arrive at its head over an
//! unbroken chain proves nothing, and nothing is derived from it.

use std::collections::HashMap;

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{ChainTag, Entry, Operation, Payload, Seq};

use super::store::{Store, StoreError};
use super::{Barn, Fault, Head, keys, log};

/// The latest entry of a record.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The entry; of a record that has ended, the one that ended it.
    pub entry: Entry,
    /// Hash of its content; `None` when the record has ended or its content
    /// is withheld.
    pub hash: Option<ContentHash>,
}

impl Latest {
    /// Whether the record lives.
    #[must_use]
    pub const fn alive(&self) -> bool {
        !matches!(self.entry.header.operation, Operation::Delete)
    }

    /// The content; `None` when the record has ended or its content is
    /// withheld.
    #[must_use]
    pub const fn content(&self) -> Option<&Bytes> {
        match &self.entry.payload {
            Payload::Present { bytes, .. } if self.alive() => Some(bytes),
            _ => None,
        }
    }
}

/// What a proven log amounts to.
#[derive(Debug)]
pub struct Proven {
    /// The watermark it was proven up to. Its sums are the stored ones, which
    /// are not part of the proof.
    pub head: Head,
    /// Entries read.
    pub entries: u64,
    /// The latest word on every record that ever was.
    pub records: HashMap<RecordId, Latest>,
}

/// Why a log could not be proven.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// From this entry on the log is not what its own chain says.
    #[error("the log does not prove itself from entry {0} on")]
    Broken(Seq),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Barn {
    /// Proves the log up to the watermark. Costs one pass over the log;
    /// saves go on meanwhile and are not part of it.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn prove(&self) -> Result<Proven, ProofError> {
        proven(&*self.store, self.head())
    }
}

/// The log up to `head`, if it proves itself.
pub(super) fn proven(store: &dyn Store, head: Head) -> Result<Proven, ProofError> {
    let (proven, faults) = read(store, head)?;
    match faults.iter().find_map(|fault| fault.in_log(head)) {
        Some(seq) => Err(ProofError::Broken(seq)),
        None => Ok(proven),
    }
}

/// The log up to `head` and everything that is wrong with it. Reading ends at
/// a block that can't be read.
pub(super) fn read(store: &dyn Store, head: Head) -> Result<(Proven, Vec<Fault>), StoreError> {
    let mut proven = Proven { head, entries: 0, records: HashMap::new() };
    let mut faults = Vec::new();
    let mut chain = ChainTag::genesis(head.position.log_id);
    let mut seq = Seq::ZERO;
    let mut begun = Seq::ZERO.next();
    for pair in store.scan(&keys::log(Seq::ZERO), &keys::log(head.position.seq.next())) {
        let (key, value) = pair?;
        let Ok((before, entries)) = log::read_block(&value) else {
            faults.push(Fault::Unreadable(seq.next()));
            break;
        };
        if before != chain {
            faults.push(Fault::Chain(begun));
            chain = before;
        }
        if keys::log_first(&key) != Some(seq.next()) {
            faults.push(Fault::Gap(seq.next()));
        }
        begun = seq.next();
        for entry in entries {
            let (after, hash) = chain.step(&entry);
            chain = after;
            seq = entry.header.seq;
            proven.entries += 1;
            proven.records.insert(entry.header.id, Latest { entry, hash });
        }
    }
    if seq != head.position.seq || chain != head.position.chain {
        faults.push(Fault::End);
    }
    Ok((proven, faults))
}
