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

const POSITION_BYTES: usize = 16 + 4 + 8 + 16;
const BYTES: usize = POSITION_BYTES + 32 + 8;

/// The one stored form of a position.
pub(crate) fn position_to_bytes(position: Position) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.extend_from_slice(&position.log_id.0);
    bytes.extend_from_slice(&position.epoch.0.to_le_bytes());
    bytes.extend_from_slice(&position.seq.0.to_le_bytes());
    bytes.extend_from_slice(&position.chain.0);
    bytes
}

/// The position behind its stored form.
pub(crate) fn position_from_slice(bytes: &[u8]) -> Option<Position> {
    if bytes.len() != POSITION_BYTES {
        return None;
    }
    Some(Position {
        log_id: LogId::from_slice(&bytes[0..16])?,
        epoch: Epoch(u32::from_le_bytes(bytes[16..20].try_into().ok()?)),
        seq: Seq(u64::from_le_bytes(bytes[20..28].try_into().ok()?)),
        chain: ChainTag::from_slice(&bytes[28..44])?,
    })
}

impl Head {
    /// The head of a new log.
    #[must_use]
    pub fn empty(log_id: LogId) -> Self {
        Self { position: Position::origin(log_id), fingerprint: Fingerprint::default(), records: 0 }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = position_to_bytes(self.position);
        bytes.extend_from_slice(&self.fingerprint.to_bytes());
        bytes.extend_from_slice(&self.records.to_le_bytes());
        bytes
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != BYTES {
            return None;
        }
        Some(Self {
            position: position_from_slice(&bytes[..POSITION_BYTES])?,
            fingerprint: Fingerprint::from_slice(&bytes[44..76])?,
            records: u64::from_le_bytes(bytes[76..84].try_into().ok()?),
        })
    }
}
