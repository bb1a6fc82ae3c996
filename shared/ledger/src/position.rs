//! Where a reader stands in one village's log.

use std::fmt;

use crate::chain::ChainTag;

/// The number of an entry in its log. Gapless: the first entry is 1, 0 stands
/// for "nothing yet".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many entries lie after `earlier` up to and including this one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How often a log has been restarted from an earlier point: after a lost
/// tail, a restored backup, or a clone. Starts at 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch of a fresh log.
    pub const FIRST: Self = Self(1);

    /// The epoch after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The random name of one log. A reinstalled machine starts a new log.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(pub [u8; 16]);

impl LogId {
    /// The id as 16 bytes, or nothing when the slice has another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a reader stands in one village's log.
///
/// Two positions of one log with equal `epoch`, `seq` and `chain` have seen
/// the same history, byte for byte. Ordered only within one epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// The log.
    pub log_id: LogId,
    /// Its epoch.
    pub epoch: Epoch,
    /// The last entry seen.
    pub seq: Seq,
    /// The chain up to and including that entry.
    pub chain: ChainTag,
}

impl Position {
    /// The position of a reader who has seen nothing of this log.
    #[must_use]
    pub fn origin(log_id: LogId) -> Self {
        Self { log_id, epoch: Epoch::FIRST, seq: Seq::ZERO, chain: ChainTag::genesis(log_id) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}@{}", self.epoch, self.seq, self.chain)
    }
}
