//! The chain: a running hash that proves a log's history.
//!
//! `chain(i) = blake3(chain(i-1) ‖ header(i) ‖ digest(i))`, the first 16
//! bytes, where `digest(i) = blake3(salt(i) ‖ content_hash(i))`. A payload
//! can be erased (its digest stays) and the chain still verifies.

use std::fmt;

use crate::entry::{Entry, Header};
use crate::fingerprint::ContentHash;
use crate::position::LogId;

/// The chain up to and including one entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainTag(pub [u8; 16]);

/// Longest actor name that enters a header, bytes.
pub const ACTOR_BYTES_MAX: usize = 64;

impl ChainTag {
    /// The chain before the first entry of a log.
    #[must_use]
    pub fn genesis(log_id: LogId) -> Self {
        let mut input = [0_u8; 32];
        input[..16].copy_from_slice(b"lumbung-chain-v1");
        input[16..].copy_from_slice(&log_id.0);
        Self(first_half(blake3::hash(&input)))
    }

    /// The tag as 16 bytes, or nothing when the slice has another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The chain after `entry`, and the entry's content hash as a by-product.
    #[must_use]
    pub fn step(self, entry: &Entry) -> (Self, Option<ContentHash>) {
        let (digest, hash) = entry.digest();
        let mut input = [0_u8; 16 + 32 + HEADER_BYTES_MAX];
        input[..16].copy_from_slice(&self.0);
        input[16..48].copy_from_slice(&digest);
        let used = write_header(&entry.header, &mut input[48..]);
        (Self(first_half(blake3::hash(&input[..48 + used]))), hash)
    }
}

const HEADER_BYTES_MAX: usize = 8 + 16 + 2 + 2 + 1 + 1 + 8 + 1 + ACTOR_BYTES_MAX;

fn first_half(hash: blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

/// The header in its canonical form: fixed little-endian fields, then the
/// actor with its length. Only ever hashed, never sent.
fn write_header(header: &Header, out: &mut [u8]) -> usize {
    out[0..8].copy_from_slice(&header.seq.0.to_le_bytes());
    out[8..24].copy_from_slice(header.id.as_bytes());
    out[24..26].copy_from_slice(&header.kind.0.to_le_bytes());
    out[26..28].copy_from_slice(&header.schema.to_le_bytes());
    out[28] = header.operation as u8;
    out[29] = header.source.0;
    out[30..38].copy_from_slice(&header.time_ms.to_le_bytes());
    let actor = header.actor.as_bytes();
    let actor = &actor[..actor.len().min(ACTOR_BYTES_MAX)];
    out[38] = u8::try_from(actor.len()).unwrap_or(u8::MAX);
    out[39..39 + actor.len()].copy_from_slice(actor);
    39 + actor.len()
}

impl fmt::Display for ChainTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
