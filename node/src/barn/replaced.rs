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
    /// Nothing in it is known to be beyond what the district held.
    pub whole: bool,
}

impl Replaced {
    pub(super) fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[..8].copy_from_slice(&self.at_ms.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.last.0.to_be_bytes());
        bytes[16] = u8::from(self.whole);
        bytes
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let (at_ms, rest) = bytes.split_first_chunk::<8>()?;
        let (last, rest) = rest.split_first_chunk::<8>()?;
        // An older version did not say.
        let whole = match rest {
            [] => false,
            [whole] => *whole == 1,
            _ => return None,
        };
        let (at_ms, last) = (i64::from_be_bytes(*at_ms), Seq(u64::from_be_bytes(*last)));
        Some(Self { at_ms, last, whole })
    }
}
