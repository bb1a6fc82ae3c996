//! What the rows of one village amount to, and how single records are put
//! right, whatever the numbers of their entries say.

use lumbung_domain::id::RecordId;
use lumbung_ledger::Position;
use lumbung_wire::tree::{Part, Tree};

use super::erasures::Erasure;
use super::{Change, Content};

/// The content of one village, made from its rows at one moment of the
/// dataset.
#[derive(Clone, Debug)]
pub struct RowContent {
    /// Where the hub stands in the village's log at that moment.
    pub position: Option<Position>,
    /// The sum and count that merges keep beside the rows.
    pub kept: Part,
    /// The rows as a tree of sums. Quarantined entries count as what they are
    /// at the village. A row whose typed columns contradict its own payload
    /// counts as a record without content, so that it shows as different.
    /// Rows of a closed log (epoch 0) are not part of it.
    pub tree: Tree,
}

/// One record to be put right.
#[derive(Clone, Debug)]
pub enum Repair {
    /// Store this as the latest word on its record, whatever is there.
    Put(Change),
    /// The village's log never heard of the record: nothing of it stays.
    Drop(RecordId),
}

impl Repair {
    /// Whether it would store content that an erasure has ended since.
    pub(super) fn brings_back<'e>(
        &self,
        erasure: impl FnOnce(RecordId) -> Option<&'e Erasure>,
    ) -> bool {
        match self {
            Self::Put(change) if !matches!(change.content, Content::Tombstone) => {
                erasure(change.id).is_some_and(|erasure| erasure.seq >= change.seq)
            }
            Self::Put(_) | Self::Drop(_) => false,
        }
    }
}
