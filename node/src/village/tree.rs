//! The village's records as a tree of sums, from its proven log.

use lumbung_ledger::Payload;
use lumbung_wire::tree::{Leaf, Tree};

use crate::barn::Proven;

/// The tree over the living records of a proven log.
#[must_use]
pub fn tree(proven: &Proven) -> Tree {
    let living = proven.records.values().filter(|latest| latest.alive());
    let leaves: Vec<_> = living
        .map(|latest| {
            let header = &latest.entry.header;
            let payload = match &latest.entry.payload {
                Payload::Present { bytes, .. } => Some(bytes),
                Payload::Withheld { .. } => None,
            };
            Leaf::new(header.id, header.kind, payload, latest.hash)
        })
        .collect();
    Tree::new(&leaves)
}
