//! Telling villages the head of the audit log, and hearing what they hold
//! against it.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::region::VillageCode;
use lumbung_link::world;
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use super::door::Door;
use crate::access::audit::{AuditHead, AuditLog};
use crate::access::witness::{Doubt, Doubted, Witness};
use crate::dataset::{Dataset, DatasetError};

fn head(seq: u64, hash: &[u8]) -> Option<AuditHead> {
    Some(AuditHead { seq, hash: hash.try_into().ok()? })
}

/// Adds to a request what the log's head is, and what it was where the
/// village stood: as it told now, or when it told last.
fn shown(
    audit: &dyn AuditLog,
    village: VillageCode,
    told: Option<AuditHead>,
    request: v1::ArrangeRequest,
) -> Result<v1::ArrangeRequest, DatasetError> {
    let stood = match told {
        Some(told) => Some(told),
        None => audit.witness(village)?.map(|witness| witness.held),
    };
    let now = audit.audit_head()?;
    let there = match stood {
        Some(stood) => audit.audit_head_at(stood.seq)?,
        None => None,
    };
    let hash = |head: AuditHead| Bytes::copy_from_slice(&head.hash);
    Ok(v1::ArrangeRequest {
        audit_seq: now.seq,
        audit_hash: hash(now),
        audit_shown: stood.is_some(),
        audit_shown_seq: stood.map_or(0, |stood| stood.seq),
        audit_shown_hash: there.map(hash).unwrap_or_default(),
        ..request
    })
}

/// The request with what the log is; without, when it can't be read.
pub(super) async fn show(
    door: &Arc<Door>,
    village: VillageCode,
    told: Option<AuditHead>,
    request: v1::ArrangeRequest,
) -> v1::ArrangeRequest {
    let audit = Arc::clone(&door.audit);
    let asked = request.clone();
    match world::blocking(move || shown(&*audit, village, told, request)).await {
        Ok(Ok(shown)) => shown,
        Ok(Err(error)) => {
            tracing::error!(%error, "the audit log can't be read");
            asked
        }
        Err(_) => asked,
    }
}

/// Where the village stands, if it must be shown something else than it was:
/// it did not follow the log to the head that `asked` told.
pub(super) fn still_at(asked: &v1::ArrangeRequest, reply: &v1::ArrangeReply) -> Option<AuditHead> {
    let told = reply.audit.as_ref()?;
    let held = head(told.held_seq, &told.held_hash)?;
    let was_shown = asked.audit_shown && asked.audit_shown_seq == held.seq;
    (!asked.audit_hash.is_empty() && held.seq < asked.audit_seq && !was_shown).then_some(held)
}

fn doubted(told: &v1::AuditWitnessed) -> Option<Doubted> {
    let doubt = u8::try_from(told.doubt).ok().and_then(Doubt::from_number)?;
    Some(Doubted {
        doubt,
        held: head(told.doubt_held_seq, &told.doubt_held_hash)?,
        shown: head(told.doubt_shown_seq, &told.doubt_shown_hash)?,
    })
}

fn keep(
    audit: &dyn AuditLog,
    dataset: &dyn Dataset,
    witness: &Witness,
) -> Result<(), DatasetError> {
    let before = audit.witness(witness.village)?;
    let known = before.and_then(|before| before.doubted);
    if let Some(doubted) = witness.doubted.filter(|_| known != witness.doubted) {
        tracing::warn!(village = %witness.village, doubt = ?doubted.doubt, "a village doubts the audit log");
        dataset.note_incident(witness.village, &doubted.incident(), witness.at_ms)?;
    }
    let same = before.is_some_and(|it| (it.held, it.doubted) == (witness.held, witness.doubted));
    if same { Ok(()) } else { audit.keep_witness(witness) }
}

/// Keeps what the village told. Not worth a refusal when it fails.
pub(super) async fn note(door: &Arc<Door>, village: VillageCode, reply: &v1::ArrangeReply) {
    let Some(told) = &reply.audit else { return };
    let Some(held) = head(told.held_seq, &told.held_hash) else { return };
    let witness = Witness { village, held, at_ms: clock::now_ms(), doubted: doubted(told) };
    let (audit, dataset) = (Arc::clone(&door.audit), Arc::clone(&door.dataset));
    let kept = world::blocking(move || keep(&*audit, &*dataset, &witness)).await;
    if let Ok(Err(error)) = kept {
        tracing::error!(%error, "what a village witnessed can't be kept");
    }
}
