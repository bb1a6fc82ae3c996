//! The head: where the log ends and what everything below sums up to.

use lumbung_ledger::{ChainTag, Epoch, Fingerprint, LogId, Position, Seq};

/// Where the durable log ends, and the content it amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Position of the last entry.
    pub position: Position,
    /// Sum over all living records.
    pub fingerprint: Fingerprint,
    /// Living records.
    pub records: u64,
}

const BYTES: usize = 16 + 4 + 8 + 16 + 32 + 8;

impl Head {
    /// The head of a new log.
    #[must_use]
    pub fn empty(log_id: LogId) -> Self {
        Self { position: Position::origin(log_id), fingerprint: Fingerprint::default(), records: 0 }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&self.position.log_id.0);
        bytes.extend_from_slice(&self.position.epoch.0.to_le_bytes());
        bytes.extend_from_slice(&self.position.seq.0.to_le_bytes());
        bytes.extend_from_slice(&self.position.chain.0);
        bytes.extend_from_slice(&self.fingerprint.to_bytes());
        bytes.extend_from_slice(&self.records.to_le_bytes());
        bytes
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != BYTES {
            return None;
        }
        Some(Self {
            position: Position {
                log_id: LogId::from_slice(&bytes[0..16])?,
                epoch: Epoch(u32::from_le_bytes(bytes[16..20].try_into().ok()?)),
                seq: Seq(u64::from_le_bytes(bytes[20..28].try_into().ok()?)),
                chain: ChainTag::from_slice(&bytes[28..44])?,
            },
            fingerprint: Fingerprint::from_slice(&bytes[44..76])?,
            records: u64::from_le_bytes(bytes[76..84].try_into().ok()?),
        })
    }
}
