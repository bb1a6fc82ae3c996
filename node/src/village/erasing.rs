//! Erasing a person's record, and what carries its content.
//!
//! With a warga go the mutasi about them, living or not, in every version the
//! log has. The family stays: it is the others' record. So do the records of
//! other people that name this one as a parent.

use std::collections::BTreeSet;

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::Record;
use lumbung_ledger::{Entry, Payload, Seq};
use lumbung_wire::record as wire;

use super::Village;
use crate::barn::{Erase, ErasureReason, Receipt, StoreError, SubmitError};

/// Bytes of log read at once.
const RUN_BYTES: usize = 256 * 1024;

/// What became of an erasure.
#[derive(Clone, Debug)]
pub struct Erased {
    /// The records, the one that was asked for first.
    pub ids: Vec<RecordId>,
    /// What the barn says.
    pub receipt: Receipt,
}

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The village never had this record.
    #[error("the village never had record {0}")]
    Unknown(RecordId),
    /// The barn refuses or fails.
    #[error(transparent)]
    Barn(#[from] SubmitError),
}

impl Village {
    /// The records that an erasure of `id` takes along, `id` first; empty
    /// when the village never had it. Reads the whole log; blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read.
    pub fn carriers(&self, id: RecordId) -> Result<Vec<RecordId>, StoreError> {
        let mut kind = None;
        let mut events = BTreeSet::new();
        let mut seq = Seq::ZERO;
        while let Some(run) = self.barn().read_after(seq, RUN_BYTES)? {
            for entry in &run.entries {
                seq = entry.header.seq;
                if entry.header.id == id {
                    kind = Some(entry.header.kind);
                } else if subject(entry) == Some(id) {
                    events.insert(entry.header.id);
                }
            }
        }
        let Some(kind) = kind else { return Ok(Vec::new()) };
        if kind != Kind::Warga.code() {
            events.clear();
        }
        Ok([id].into_iter().chain(events).collect())
    }

    /// Erases a record and what carries its content; durable on return.
    /// Blocks.
    ///
    /// # Errors
    /// [`EraseError`]; then nothing was erased, except that after a failure
    /// of the disk the erasure may come into force at the next opening.
    pub fn erase(
        &self,
        id: RecordId,
        reason: ErasureReason,
        actor: &str,
    ) -> Result<Erased, EraseError> {
        let ids = self.carriers(id).map_err(SubmitError::Store)?;
        if ids.is_empty() {
            return Err(EraseError::Unknown(id));
        }
        let time_ms = self.clock().now_ms();
        let erase = Erase { ids: ids.clone(), actor: actor.into(), time_ms, reason };
        let receipt = self.barn().erase_blocking(erase)?;
        Ok(Erased { ids, receipt })
    }
}

/// The resident a mutasi is about.
fn subject(entry: &Entry) -> Option<RecordId> {
    let Payload::Present { bytes, .. } = &entry.payload else { return None };
    if entry.header.kind != Kind::Mutasi.code() || bytes.is_empty() {
        return None;
    }
    match wire::decode(Kind::Mutasi, bytes) {
        Ok(Record::Mutasi(event)) => Some(event.warga_id),
        _ => None,
    }
}
