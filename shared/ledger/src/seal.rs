//! The seal: what a village amounts to at one place of its log, in 16 bytes.

use crate::fingerprint::Fingerprint;
use crate::position::Position;

/// Half a blake3 of the sequence number, the chain, the number of living
/// records and their fingerprint. Two sides with the same seal stand at the
/// same entry of the same history and hold the same records; 128 bits leave
/// chance no room, and cost half of what the fingerprint alone would.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seal(pub [u8; 16]);

impl Seal {
    /// The seal of `records` living records that sum up to `fingerprint` at
    /// `position`. The epoch is no part of it: it may move on without an
    /// entry.
    #[must_use]
    pub fn of(position: Position, fingerprint: Fingerprint, records: u64) -> Self {
        let mut input = [0; 80];
        input[..16].copy_from_slice(b"lumbung-seal-v1\0");
        input[16..32].copy_from_slice(&position.chain.0);
        input[32..40].copy_from_slice(&position.seq.0.to_le_bytes());
        input[40..48].copy_from_slice(&records.to_le_bytes());
        input[48..].copy_from_slice(&fingerprint.to_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&blake3::hash(&input).as_bytes()[..16]);
        Self(half)
    }

    /// The seal as 16 bytes, or nothing when the slice has another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::ContentHash;
    use crate::position::{Epoch, LogId, Seq};

    #[test]
    fn whatever_differs_shows_in_the_seal_except_the_epoch() {
        let here = Position { seq: Seq(5), ..Position::origin(LogId([1; 16])) };
        let sum = Fingerprint::from(ContentHash([3; 32]));
        let seal = Seal::of(here, sum, 4);
        assert_eq!(seal, Seal::of(Position { epoch: Epoch(9), ..here }, sum, 4));
        assert_ne!(seal, Seal::of(Position { seq: Seq(6), ..here }, sum, 4));
        assert_ne!(seal, Seal::of(Position::origin(LogId([2; 16])), sum, 4));
        assert_ne!(seal, Seal::of(here, sum + Fingerprint::from(ContentHash([1; 32])), 4));
        assert_ne!(seal, Seal::of(here, sum, 3));
    }
}
