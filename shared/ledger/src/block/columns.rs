//! Block version 2: the payloads' fields in columns, for the wire.
//!
//! Payloads are protobuf messages, and like stands beside like only when the
//! same field of many records lies together. Whoever encodes takes payloads
//! apart by the wire format alone (no schema: unknown fields and kinds take
//! part), and only those that can be put together again byte for byte; any
//! other payload travels whole. Nothing here knows what a field means.
//!
//! Layout (numbers LEB128): `"LB" 2 | count | first seq | actors | id tails:
//! n, 8 bytes each | shapes: n, {kind, schema, op | source<<2, actor, body} |
//! groups: n, {kind, schema, columns: n, {tag, coder, [list]}} | lengths of
//! all streams | streams`. The streams are: shape of each entry, time steps,
//! id steps, id tails, lengths and bytes of opaque payloads, then one or two
//! per column (see `column`), last the salts and digests.
//!
//! Decoding is bounded: [`PAYLOADS_BYTES_MAX`] in all, whatever the bytes say.

mod column;
mod decode;
mod encode;
mod fields;
#[cfg(test)]
mod tests;

use lumbung_domain::id::RecordId;

pub(super) use decode::decode;
pub use encode::{Encoded, encode};

pub(super) const MAGIC: [u8; 3] = *b"LB\x02";

/// Most payload bytes one block of this version may hold: what a receiver
/// must be ready to put together from a small block.
pub const PAYLOADS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Where an entry's payload is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Body {
    Withheld = 0,
    Opaque = 1,
    Fields = 2,
}

impl Body {
    const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Withheld,
            1 => Self::Opaque,
            2 => Self::Fields,
            _ => return None,
        })
    }
}

/// Streams before those of the columns.
const SHAPES: usize = 0;
const TIMES: usize = 1;
const ID_STEPS: usize = 2;
const ID_TAILS: usize = 3;
const OPAQUE_LENGTHS: usize = 4;
const OPAQUE_BYTES: usize = 5;
const FIXED_STREAMS: usize = 6;

/// The front half of an id: time and counter, in which neighbours differ.
fn front(id: RecordId) -> u64 {
    let mut half = [0; 8];
    half.copy_from_slice(&id.0[..8]);
    u64::from_be_bytes(half)
}

/// The rear half of an id: the same for all that one process minted.
fn tail(id: RecordId) -> [u8; 8] {
    let mut half = [0; 8];
    half.copy_from_slice(&id.0[8..]);
    half
}

fn joined(front: u64, tail: [u8; 8]) -> RecordId {
    let mut id = RecordId::default();
    id.0[..8].copy_from_slice(&front.to_be_bytes());
    id.0[8..].copy_from_slice(&tail);
    id
}
