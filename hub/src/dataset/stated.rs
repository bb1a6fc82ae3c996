//! Totals that villages state themselves.

use lumbung_domain::id::RecordId;
use lumbung_domain::record::PernyataanJumlah;
use lumbung_domain::region::VillageCode;

/// The newest statement of a village or of a region below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Whose.
    pub village: VillageCode,
    /// The record.
    pub id: RecordId,
    /// What it says.
    pub record: PernyataanJumlah,
    /// The node's wall clock when it was written, Unix milliseconds.
    pub time_ms: i64,
    /// Who wrote it.
    pub actor: String,
}
