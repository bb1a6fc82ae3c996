//! What became of what the district's last answer handed back: kept, and told with
//! every bundle until the next answer.
//!
//! Only what became of it is kept. What the village has of it is read when a bundle
//! is made, so what was erased since lies nowhere else; and a log that went back in
//! time since tells nothing.

use std::path::Path;
use std::{fs, io};

use lumbung_domain::id::RecordId;
use lumbung_ledger::{Position, Seq};
use lumbung_proto::v1;
use lumbung_wire::batch;
use prost::Message as _;

use crate::barn::{Barn, Relation, StoreError};
use crate::serving::inbox;

const FILE: &str = "jawaban.hasil";

/// Bytes that a frame is filled with; one more record fits.
const FRAME_BYTES: usize = 256 * 1024;

/// What became of lost records among `parcels`, once the village whose log ends at
/// `head` has taken them.
#[must_use]
pub fn receipt(head: Position, parcels: &[v1::Parcel], receipt: &v1::Receipt) -> v1::KeptReceipt {
    let said = |number| receipt.outcomes.iter().find(|outcome| outcome.number == number);
    let returned = parcels.iter().filter_map(|parcel| {
        let Some(v1::parcel::Kind::LostRecord(lost)) = &parcel.kind else { return None };
        let outcome = said(parcel.number)?;
        let (number, verdict) = (outcome.number, outcome.verdict);
        let outcome = v1::Outcome { number, verdict, ..v1::Outcome::default() };
        let (id, epoch, seq) = (lost.id.clone(), lost.epoch, lost.seq);
        Some(v1::Returned { id, epoch, seq, outcome: Some(outcome) })
    });
    let position = Some(batch::position_to_wire(head));
    v1::KeptReceipt { position, returned: returned.collect() }
}

/// What a bundle that ends at entry `last` tells of it.
///
/// # Errors
/// When the barn can't be read.
pub fn told(
    barn: &Barn,
    kept: v1::KeptReceipt,
    last: Seq,
) -> Result<Vec<v1::Returned>, StoreError> {
    let position = kept.position.as_ref().and_then(batch::position_from_wire);
    let Some(position) = position.filter(|position| position.seq <= last) else {
        return Ok(Vec::new());
    };
    if barn.relate(position)? != Relation::Resume {
        return Ok(Vec::new());
    }
    let mut returned = kept.returned;
    for told in &mut returned {
        let (Some(id), Some(outcome)) = (RecordId::from_slice(&told.id), &mut told.outcome) else {
            continue;
        };
        // What was written anew lies behind the fork, and is pulled.
        if outcome.verdict() == v1::Verdict::Applied {
            continue;
        }
        match barn.latest(id)? {
            // The next bundle tells.
            Some(latest) if latest.entry.header.seq > last => {}
            Some(latest) if latest.alive() => outcome.held = Some(inbox::held(&latest)),
            _ => outcome.absent = true,
        }
    }
    Ok(returned)
}

/// Parts of it that fit into a frame each.
pub(super) fn within_frames(returned: Vec<v1::Returned>) -> Vec<v1::ReturnedReceipt> {
    let (mut receipts, mut next, mut bytes) = (Vec::new(), v1::ReturnedReceipt::default(), 0);
    for told in returned {
        bytes += told.encoded_len();
        next.returned.push(told);
        if bytes >= FRAME_BYTES {
            receipts.push(std::mem::take(&mut next));
            bytes = 0;
        }
    }
    receipts.extend(Some(next).filter(|next| !next.returned.is_empty()));
    receipts
}

/// Keeps it in the village's folder, in the place of what was kept before.
///
/// # Errors
/// When it can't be written.
pub(crate) fn keep(dir: &Path, kept: &v1::KeptReceipt) -> io::Result<()> {
    lumbung_identity::write_private(&dir.join(FILE), &kept.encode_to_vec())
}

/// What is kept there; nothing when it can't be read, as it only saves the district
/// another answer.
pub(super) fn kept(dir: &Path) -> v1::KeptReceipt {
    let read = match fs::read(dir.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return v1::KeptReceipt::default(),
        read => read.and_then(|bytes| Ok(v1::KeptReceipt::decode(&*bytes)?)),
    };
    read.unwrap_or_else(|error| {
        tracing::warn!(%error, "what became of the last answer can't be read");
        v1::KeptReceipt::default()
    })
}

#[cfg(test)]
mod tests;
