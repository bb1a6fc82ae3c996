//! What a barn remembers of the damaged store whose place it took: enough for
//! the district to tell its operators, nothing about a record.

use lumbung_ledger::Seq;

/// A damaged store that was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// When it was set aside, the node's wall clock, Unix milliseconds.
    pub at_ms: i64,
    /// The last entry it is known to have had in the log that the district
    /// held; [`Seq::ZERO`] when nothing is known of it.
    pub last: Seq,
}

impl Replaced {
    pub(super) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.at_ms.to_be_bytes());
        bytes[8..].copy_from_slice(&self.last.0.to_be_bytes());
        bytes
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let (at_ms, last) = bytes.split_first_chunk::<8>()?;
        let last = last.try_into().ok()?;
        Some(Self { at_ms: i64::from_be_bytes(*at_ms), last: Seq(u64::from_be_bytes(last)) })
    }
}
