//! Seals: what tells a value that changed by itself from a right one.
//!
//! Every store keeps a short checksum of key and value behind each value, so
//! a flipped bit, or a value that lies under another key than it was written
//! to, is noticed when it is read. Such a value reads as an empty one, which
//! nothing in the barn accepts: the reader says what can't be read, and what
//! is derived from the log can be derived again. The chain proves the log
//! against people; a seal only tells of the disk.

use bytes::Bytes;

const SEAL_BYTES: usize = 4;

/// From this many bytes on, key and value are copied together: the hash takes
/// several chunks of 1 KiB at once, but only of what it gets in one piece.
const TOGETHER_FROM_BYTES: usize = 2 * 1024;

fn seal(key: &[u8], value: &[u8]) -> [u8; SEAL_BYTES] {
    let sum = match value.len() {
        TOGETHER_FROM_BYTES.. => blake3::hash(&[key, value].concat()),
        _ => blake3::Hasher::new().update(key).update(value).finalize(),
    };
    let mut seal = [0; SEAL_BYTES];
    seal.copy_from_slice(&sum.as_bytes()[..SEAL_BYTES]);
    seal
}

/// The value as it is stored. An empty one needs no seal: it has no bit.
pub(super) fn sealed(key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    if !value.is_empty() {
        let seal = seal(key, &value);
        value.extend_from_slice(&seal);
    }
    value
}

/// The value as it was written, or an empty one when it has changed.
pub(super) fn unsealed(key: &[u8], stored: &Bytes) -> Bytes {
    let Some(length) = stored.len().checked_sub(SEAL_BYTES) else {
        return Bytes::new();
    };
    let value = stored.slice(..length);
    if stored[length..] == seal(key, &value) {
        value
    } else {
        tracing::error!(bytes = length, "a stored value is damaged");
        Bytes::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_the_same_however_it_is_computed() {
        let value: Vec<u8> = (0..5_000_u32).map(|at| at as u8).collect();
        for length in [0, 1, 1_023, TOGETHER_FROM_BYTES - 1, TOGETHER_FROM_BYTES, 4_096, 5_000] {
            let whole = [b"L12345678".as_slice(), &value[..length]].concat();
            let sum = blake3::hash(&whole);
            assert_eq!(seal(b"L12345678", &value[..length]), sum.as_bytes()[..4], "{length}");
        }
    }

    #[test]
    fn a_changed_or_misplaced_value_reads_as_empty() {
        let stored = Bytes::from(sealed(b"Sa", b"isi".to_vec()));
        assert_eq!(unsealed(b"Sa", &stored), b"isi".as_slice());
        assert!(unsealed(b"Sb", &stored).is_empty());
        for bit in 0..stored.len() * 8 {
            let mut damaged = stored.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(unsealed(b"Sa", &damaged.into()).is_empty(), "bit {bit}");
        }
        assert!(unsealed(b"Sa", &stored.slice(..3)).is_empty());
        assert!(unsealed(b"X", &sealed(b"X", Vec::new()).into()).is_empty());
    }
}
