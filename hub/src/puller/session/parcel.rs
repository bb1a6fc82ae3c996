//! A batch in either form, and its proof: nothing of one that does not verify
//! is applied.

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Position, Seal};
use lumbung_link::world;
use lumbung_proto::v1;
use lumbung_wire::authors::Authors;
use lumbung_wire::batch::{self, BatchError};
use lumbung_wire::run;

use super::{Ended, Session};
use crate::dataset::MergeBatch;
use crate::merge::decode;
use crate::puller::trouble::Trouble;

/// Batches with fewer entries and bytes are verified in place, which takes
/// less than handing them to a thread; others go to one.
const INLINE: (u32, u32) = (64, 64 * 1024);

/// The same of a run, whose entries are not counted: bytes on the wire.
const INLINE_RUN_BYTES: usize = 2 * 1024;

/// A batch in either form.
pub(super) enum Parcel {
    Batch(v1::Batch),
    Run(v1::Run),
}

/// A batch that proved sound.
pub(super) struct Proven {
    pub(super) batch: MergeBatch,
    pub(super) raw_bytes: u64,
    /// Its entries as the node measures them, bytes.
    pub(super) size: u64,
    pub(super) seal: Option<Seal>,
}

impl Parcel {
    /// What it took on the link, bytes.
    pub(super) fn wire_bytes(&self) -> usize {
        match self {
            Self::Batch(batch) => batch.payload.len(),
            Self::Run(run) => run.payload.len(),
        }
    }

    const fn is_small(&self) -> bool {
        match self {
            Self::Batch(batch) => batch.count <= INLINE.0 && batch.raw_bytes <= INLINE.1,
            Self::Run(run) => run.payload.len() <= INLINE_RUN_BYTES,
        }
    }

    fn prove(
        self,
        village: VillageCode,
        authors: &Authors,
        position: Position,
    ) -> Result<Proven, BatchError> {
        let (verified, seal) = match self {
            Self::Batch(batch) => (batch::verify(batch, position)?, None),
            Self::Run(run) => run::verify(&run, authors, position)?,
        };
        let raw_bytes = verified.raw_bytes as u64;
        let size = verified.entries.iter().map(|(entry, _)| entry.size()).sum::<usize>() as u64;
        let entries = verified.entries.into_iter();
        let changes = entries.map(|(entry, hash)| decode::change(entry, hash)).collect();
        let (last, chains) = (verified.last, verified.chains);
        let batch = MergeBatch { village, prev: position, last, changes, chains };
        Ok(Proven { batch, raw_bytes, size, seal })
    }
}

impl Session<'_> {
    /// Proves a batch after `position` and reads its entries.
    pub(super) async fn verify(
        &self,
        parcel: Parcel,
        authors: &Authors,
        position: Position,
    ) -> Result<Proven, Ended> {
        let village = self.village;
        let proven = if parcel.is_small() {
            parcel.prove(village, authors, position)
        } else {
            let authors = authors.clone();
            let permit = self.shared.verifying.acquire().await;
            let proven = world::blocking(move || parcel.prove(village, &authors, position)).await;
            drop(permit);
            proven.map_err(|_| Ended::Lost)?
        };
        proven.map_err(|error| {
            tracing::warn!(%village, %error, "batch refused");
            Ended::Trouble(match error {
                BatchError::Dictionary(_) => Trouble::Dictionary,
                _ => Trouble::BadBatch,
            })
        })
    }
}
