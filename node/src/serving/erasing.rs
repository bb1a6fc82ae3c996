//! The commands about erasures, as the `Local` service answers them.

use std::path::Path;

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_proto::v1;
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::refusal::{store_failed, submit_failed};
use crate::barn::{Barn, Erasure, ErasureReason};
use crate::village::Village;
use crate::village::erasing::EraseError;

/// One line of the erasure ledger, for people and as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErasureEntry {
    /// The record.
    pub id: String,
    /// The epoch and number of the entry that erased it.
    pub epoch: u32,
    /// See `epoch`.
    pub seq: u64,
    /// When, the node's wall clock, Unix milliseconds.
    pub at_ms: i64,
    /// The reason code.
    pub reason: String,
    /// When the district confirmed it; `None` = not yet.
    pub confirmed_ms: Option<i64>,
    /// Whether its bytes have left the store's files.
    pub scrubbed: bool,
}

/// What `erasures` shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErasureReport {
    /// Every erased record, oldest first.
    pub erasures: Vec<ErasureEntry>,
    /// Whether erased bytes may still lie in the store's files.
    pub scrub_pending: bool,
    /// Lines of the ledger that could not be read.
    pub unreadable: u64,
    /// Older stores in the village's folder that were set aside whole; what
    /// was erased since may lie in them.
    pub set_aside: Vec<String>,
}

fn entry(erasure: &Erasure) -> ErasureEntry {
    ErasureEntry {
        id: erasure.id.to_string(),
        epoch: erasure.epoch.0,
        seq: erasure.seq.0,
        at_ms: erasure.at_ms,
        reason: erasure.reason.code().to_owned(),
        confirmed_ms: erasure.confirmed_ms,
        scrubbed: erasure.scrubbed,
    }
}

/// The ledger as `erasures` shows it.
#[must_use]
pub fn report(barn: &Barn, dir: &Path) -> ErasureReport {
    let mut erased = barn.erased();
    erased.sort_by_key(|erasure| (erasure.epoch, erasure.seq, erasure.id));
    ErasureReport {
        erasures: erased.iter().map(entry).collect(),
        scrub_pending: barn.scrub_pending(),
        unreadable: barn.unreadable_erasures(),
        set_aside: set_aside(dir),
    }
}

/// Folders beside the store that hold a store too.
fn set_aside(dir: &Path) -> Vec<String> {
    let items = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> = items
        .filter(|item| item.path().join("db").is_file())
        .map(|item| item.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "store")
        .collect();
    names.sort_unstable();
    names
}

/// Erases, or says what would be erased. Blocks.
pub(super) fn erase(
    village: &Village,
    request: &v1::EraseRequest,
) -> Result<v1::EraseReply, Status> {
    let id = RecordId::from_slice(&request.id)
        .ok_or_else(|| Status::invalid_argument("not a record id"))?;
    let reason: ErasureReason =
        request.reason.parse().map_err(|_| Status::invalid_argument("unknown reason"))?;
    let ids = |ids: &[RecordId]| ids.iter().map(|id| Bytes::copy_from_slice(&id.0)).collect();
    if request.dry_run {
        let carriers = village.carriers(id).map_err(|error| store_failed(&error))?;
        if carriers.is_empty() {
            return Err(erase_failed(&EraseError::Unknown(id)));
        }
        return Ok(v1::EraseReply { ids: ids(&carriers), ..Default::default() });
    }
    let erased = village.erase(id, reason, &request.actor).map_err(|error| erase_failed(&error))?;
    Ok(v1::EraseReply {
        ids: ids(&erased.ids),
        last_seq: erased.receipt.last.0,
        written: erased.receipt.written,
    })
}

/// Why nothing was erased, for the clerk.
pub(crate) fn erase_failed(error: &EraseError) -> Status {
    match error {
        EraseError::Unknown(_) => Status::not_found(
            "Catatan itu tidak pernah ada di desa ini. Tidak ada yang dihapus. Periksa id-nya \
             dengan `lumbung-node list`.",
        ),
        EraseError::Barn(error) => submit_failed(error),
    }
}
