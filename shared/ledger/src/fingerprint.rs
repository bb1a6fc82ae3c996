//! The content fingerprint: proves that two sides hold the same records.
//!
//! Per record a blake3 of its content, added modulo 2^256 over a household,
//! an RT, a village. Addition (not XOR) makes the sum independent of order
//! while a record that appears twice still shows. Equal sum = equal content.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};

use lumbung_domain::id::{KindCode, RecordId};

/// Hash of one record's content: its id, kind, schema version and payload.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ContentHash(pub [u8; 32]);

/// Hashes one record's content. Names go into the key, so that the payload
/// is hashed in place.
#[must_use]
pub fn content_hash(id: RecordId, kind: KindCode, schema: u16, payload: &[u8]) -> ContentHash {
    let mut key = [0_u8; 32];
    key[..16].copy_from_slice(id.as_bytes());
    key[16..18].copy_from_slice(&kind.0.to_le_bytes());
    key[18..20].copy_from_slice(&schema.to_le_bytes());
    key[20..].copy_from_slice(b"lumbung-r-v1");
    ContentHash(*blake3::keyed_hash(&key, payload).as_bytes())
}

/// A sum of content hashes modulo 2^256. The default is the empty sum.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Fingerprint([u64; 4]);

impl Fingerprint {
    /// The sum as 32 little-endian bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    /// The sum behind 32 bytes, or nothing when the slice has another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        Some(Self::from(ContentHash(*bytes)))
    }
}

impl From<ContentHash> for Fingerprint {
    fn from(hash: ContentHash) -> Self {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(hash.0.chunks_exact(8)) {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(chunk);
            *limb = u64::from_le_bytes(bytes);
        }
        Self(limbs)
    }
}

impl Add for Fingerprint {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let mut limbs = [0; 4];
        let mut carry = false;
        for (limb, (a, b)) in limbs.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            let (sum, first) = a.overflowing_add(b);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first || second;
        }
        Self(limbs)
    }
}

impl Sub for Fingerprint {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let mut limbs = [0; 4];
        let mut borrow = false;
        for (limb, (a, b)) in limbs.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            let (rest, first) = a.overflowing_sub(b);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            *limb = rest;
            borrow = first || second;
        }
        Self(limbs)
    }
}

impl AddAssign for Fingerprint {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Fingerprint {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl AddAssign<ContentHash> for Fingerprint {
    fn add_assign(&mut self, hash: ContentHash) {
        *self += Self::from(hash);
    }
}

impl SubAssign<ContentHash> for Fingerprint {
    fn sub_assign(&mut self, hash: ContentHash) {
        *self -= Self::from(hash);
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes()[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
