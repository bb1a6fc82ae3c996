//! Tanda terima: what became of a notice of the district in this village.

use crate::id::RecordId;

/// The receipt of one reader for one notice. The village as a whole has one
/// from the moment the notice is durable there; an RT has one once it has
/// read. Who reads is named by role, never by person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TandaTerima {
    /// The notice, see [`crate::informasi::Informasi::id`].
    pub informasi_id: RecordId,
    /// The version that was received or read.
    pub versi: u32,
    /// The RT that reads; `None` = the village (its clerk).
    pub rt_id: Option<RecordId>,
    /// When that version arrived, the village's wall clock, Unix milliseconds.
    pub diterima_ms: i64,
    /// When it was read; `None` = not yet.
    pub dibaca_ms: Option<i64>,
}
