//! What a bundle tells of the log behind it: the sums that the district needs
//! to prove its rows without asking, from the log and not from what the barn
//! has derived from it.

use lumbung_proto::v1;
use lumbung_wire::tree::{Place, Tree, parts_to_wire};
use prost::Message;

use crate::barn::{Barn, Head, ProofError, StoreError};
use crate::village::tree;

/// Sums beyond this are left out: they travel in one frame. Twelve thousand
/// households fit.
const BYTES_MAX: usize = 768 * 1024;

/// The log as it was read for a bundle.
pub(super) struct Told {
    /// Where it ends.
    pub(super) head: Head,
    /// Sums by RT and household; none when the log does not prove itself.
    pub(super) sums: Vec<v1::PlaceSums>,
    /// The first entry at which it doesn't; 0 = it does.
    pub(super) broken_at: u64,
}

/// Proves the log and sums it up. A log that does not prove itself is told,
/// too: its entries up to there do, and the district must know.
pub(super) fn told(barn: &Barn) -> Result<Told, StoreError> {
    let proven = match barn.prove() {
        Ok(proven) => proven,
        Err(ProofError::Store(error)) => return Err(error),
        Err(ProofError::Broken(seq)) => {
            tracing::error!(%seq, "the log does not prove itself");
            return Ok(Told { head: barn.head(), sums: Vec::new(), broken_at: seq.0.max(1) });
        }
    };
    let mut sums = sums(&tree(&proven));
    let bytes: usize = sums.iter().map(Message::encoded_len).sum();
    if bytes > BYTES_MAX {
        sums.clear();
    }
    Ok(Told { head: proven.head, sums, broken_at: 0 })
}

/// The village by RT, and every RT by household.
fn sums(tree: &Tree) -> Vec<v1::PlaceSums> {
    let village = tree.parts(Place::Village);
    let rts = village.keys().flatten().map(|rt| Place::Rt(*rt));
    std::iter::once(Place::Village)
        .chain(rts)
        .map(|place| v1::PlaceSums {
            place: Some(place.to_wire()),
            parts: parts_to_wire(0, &tree.parts(place)).collect(),
        })
        .collect()
}
