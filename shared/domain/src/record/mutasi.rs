//! Mutasi: a population event (Buku Mutasi Penduduk, B.2).

use jiff::civil::Date;

use crate::code_list::{
    Code, JenisKelahiran, JenisPindah, PenolongKelahiran, Peristiwa, TempatDilahirkan,
};
use crate::id::RecordId;
use crate::identity::Nik;
use crate::region::VillageCode;

/// Details of a birth.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Kelahiran {
    /// Time of day as written ("04:30").
    pub waktu: String,
    /// Kind of place.
    pub tempat: Option<Code<TempatDilahirkan>>,
    /// Single, twins, ...
    pub jenis: Option<Code<JenisKelahiran>>,
    /// Which child of the mother.
    pub anak_ke: u16,
    /// Who helped.
    pub penolong: Option<Code<PenolongKelahiran>>,
    /// Weight, grams.
    pub berat_gram: u32,
    /// Length, millimetres.
    pub panjang_mm: u32,
}

/// Details of a death.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Kematian {
    /// Where.
    pub tempat: String,
    /// Time of day as written.
    pub jam: String,
    /// Cause.
    pub sebab: String,
    /// Who stated it.
    pub penolong: String,
    /// Death certificate number.
    pub akta: String,
}

/// Details of a move, out or in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Perpindahan {
    /// How far (moves out).
    pub jenis: Option<Code<JenisPindah>>,
    /// The other end as written.
    pub alamat: String,
    /// The other village, when it is known by code.
    pub desa: Option<VillageCode>,
    /// Why.
    pub alasan: String,
}

/// One population event of one resident.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mutasi {
    /// Whom it happened to.
    pub warga_id: RecordId,
    /// The resident's NIK at that moment, by which the district pairs a move
    /// out of one village with a move into another.
    pub nik: Option<Nik>,
    /// What happened.
    pub peristiwa: Option<Code<Peristiwa>>,
    /// When it happened. Recaps follow this day.
    pub tgl_peristiwa: Option<Date>,
    /// When it was reported; never before it happened.
    pub tgl_lapor: Option<Date>,
    /// Filled for a birth.
    pub kelahiran: Option<Kelahiran>,
    /// Filled for a death.
    pub kematian: Option<Kematian>,
    /// Filled for a move.
    pub perpindahan: Option<Perpindahan>,
    /// Remark.
    pub keterangan: String,
}

impl Mutasi {
    /// Whether its day is somebody's birth date.
    #[must_use]
    pub fn adalah_kelahiran(&self) -> bool {
        self.peristiwa == Some(Code::<Peristiwa>::LAHIR) || self.kelahiran.is_some()
    }
}

closed_debug!(Mutasi, Kematian, Kelahiran, Perpindahan);
