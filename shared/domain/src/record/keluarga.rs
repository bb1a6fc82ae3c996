//! Keluarga: one family card (KK).

use jiff::civil::Date;

use crate::code_list::{Code, KelasSosial};
use crate::id::RecordId;
use crate::identity::NoKk;

/// A family on one family card. Not the household: one house may hold several.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Keluarga {
    /// The card's number. It changes when the head dies or moves.
    pub no_kk: Option<NoKk>,
    /// The house the family lives in.
    pub rumah_tangga_id: RecordId,
    /// Head of the family, a warga with SHDK 1.
    pub kepala_id: Option<RecordId>,
    /// Prosperity class.
    pub kelas_sosial: Option<Code<KelasSosial>>,
    /// Address on the card.
    pub alamat: String,
    /// Registered on.
    pub tgl_daftar: Option<Date>,
    /// Whether the card is in use (not merged, split or moved away).
    pub aktif: bool,
}

closed_debug!(Keluarga);
