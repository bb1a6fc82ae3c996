//! Who made a record: its first entry, beside the one that wrote it last.

use lumbung_domain::id::RecordId;

/// An entry this far from the moment at which its record's id was minted may
/// be the record's first, milliseconds.
pub const FIRST_WITHIN_MS: i64 = 60 * 60 * 1000;

/// Who made a record, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstEntry {
    /// The node's wall clock then.
    pub time_ms: i64,
    /// Who.
    pub actor: String,
}

impl FirstEntry {
    /// Whether an entry of this moment may be the first of its record: ids say
    /// when they were minted, and whatever was written long after that took
    /// the place of another entry.
    #[must_use]
    pub fn may_be(id: RecordId, time_ms: i64) -> bool {
        id.minted_ms().is_some_and(|minted| (time_ms - minted).abs() <= FIRST_WITHIN_MS)
    }

    /// The first entry as it was kept, or the present one if that may be it.
    #[must_use]
    pub fn of(kept: Option<Self>, id: RecordId, time_ms: i64, actor: &str) -> Option<Self> {
        let own = || Self { time_ms, actor: actor.to_owned() };
        kept.or_else(|| Self::may_be(id, time_ms).then(own))
    }
}
