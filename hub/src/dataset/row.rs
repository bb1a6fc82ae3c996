//! The typed columns of each kind: what is queried, no more.
//!
//! Everything else of a record stays in its payload bytes, so a new question
//! costs one column and one pass over the bytes, never a new pull.

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;

/// The typed columns of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// See [`DusunRow`].
    Dusun(DusunRow),
    /// See [`RwRow`].
    Rw(RwRow),
    /// See [`RtRow`].
    Rt(RtRow),
    /// See [`DasawismaRow`].
    Dasawisma(DasawismaRow),
    /// See [`RumahTanggaRow`].
    RumahTangga(RumahTanggaRow),
    /// See [`KeluargaRow`].
    Keluarga(KeluargaRow),
    /// See [`WargaRow`].
    Warga(WargaRow),
    /// See [`MutasiRow`].
    Mutasi(MutasiRow),
    /// See [`TandaTerimaRow`].
    TandaTerima(TandaTerimaRow),
    /// See [`PernyataanJumlahRow`].
    PernyataanJumlah(PernyataanJumlahRow),
}

impl Row {
    /// The kind, which is also the table.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Dusun(_) => Kind::Dusun,
            Self::Rw(_) => Kind::Rw,
            Self::Rt(_) => Kind::Rt,
            Self::Dasawisma(_) => Kind::Dasawisma,
            Self::RumahTangga(_) => Kind::RumahTangga,
            Self::Keluarga(_) => Kind::Keluarga,
            Self::Warga(_) => Kind::Warga,
            Self::Mutasi(_) => Kind::Mutasi,
            Self::TandaTerima(_) => Kind::TandaTerima,
            Self::PernyataanJumlah(_) => Kind::PernyataanJumlah,
        }
    }
}

/// Dusun or lingkungan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DusunRow {
    /// Name.
    pub nama: String,
}

/// Rukun warga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RwRow {
    /// Number as text.
    pub nomor: String,
    /// Its dusun.
    pub dusun_id: Option<RecordId>,
}

/// Rukun tetangga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtRow {
    /// Number as text.
    pub nomor: String,
    /// Its RW.
    pub rw_id: Option<RecordId>,
    /// Its dusun.
    pub dusun_id: Option<RecordId>,
}

/// Dasawisma.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DasawismaRow {
    /// Name.
    pub nama: String,
    /// Its RT.
    pub rt_id: RecordId,
    /// Works today.
    pub aktif: bool,
}

/// Rumah tangga. Answers that may be blank are `Option`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RumahTanggaRow {
    /// Its RT.
    pub rt_id: RecordId,
    /// Its dasawisma.
    pub dasawisma_id: Option<RecordId>,
    /// Head of the household.
    pub kepala_id: Option<RecordId>,
    /// Address.
    pub alamat: String,
    /// What the house is like, packed by [`crate::merge::decode::house_bits`]; see
    /// [`crate::dataset::bits::house`] for the layout.
    pub rumah: u32,
    /// Units of MCK.
    pub jumlah_mck: u16,
}

/// Keluarga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeluargaRow {
    /// Family card number as a number of at most 16 digits.
    pub no_kk: Option<u64>,
    /// The house.
    pub rumah_tangga_id: RecordId,
    /// In use.
    pub aktif: bool,
}

/// Warga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WargaRow {
    /// NIK as a number of at most 16 digits.
    pub nik: Option<u64>,
    /// Name.
    pub nama: String,
    /// The family card.
    pub keluarga_id: Option<RecordId>,
    /// 1 L, 2 P, 0 blank.
    pub jenis_kelamin: u8,
    /// Birth date, days since 1970-01-01.
    pub tanggal_lahir: Option<i32>,
    /// Code of `shdk`, 0 blank.
    pub shdk: u16,
    /// Code of `status_kawin`, 0 blank.
    pub status_kawin: u16,
    /// Code of `status_dasar`, 0 blank (reads as alive).
    pub status_dasar: u16,
    /// Code of `pendidikan_kk`, 0 blank.
    pub pendidikan_kk: u16,
    /// Code of `pekerjaan`, 0 blank.
    pub pekerjaan: u16,
    /// Code of `agama`, 0 blank.
    pub agama: u16,
    /// Yes-answers the recap counts, packed by [`crate::merge::decode::resident_bits`].
    pub tanda: u32,
}

/// Mutasi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutasiRow {
    /// The resident.
    pub warga_id: RecordId,
    /// NIK as a number.
    pub nik: Option<u64>,
    /// Code of `peristiwa`, 0 blank.
    pub peristiwa: u16,
    /// Code of `jenis_pindah`, 0 blank.
    pub jenis_pindah: u16,
    /// Day of the event, days since 1970-01-01.
    pub tgl_peristiwa: Option<i32>,
    /// The village at the other end of a move, when it is known by code.
    pub desa: Option<VillageCode>,
}

/// Tanda terima.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TandaTerimaRow {
    /// The notice.
    pub informasi_id: RecordId,
    /// Its version.
    pub versi: u32,
    /// The RT that reads; `None` = the village.
    pub rt_id: Option<RecordId>,
    /// When it arrived, the village's clock, Unix milliseconds.
    pub diterima_ms: i64,
    /// When it was read, the village's clock.
    pub dibaca_ms: Option<i64>,
}

/// Pernyataan jumlah.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PernyataanJumlahRow {
    /// The region; `None` = the whole village.
    pub wilayah_id: Option<RecordId>,
    /// The day the totals hold for, days since 1970-01-01.
    pub per_tanggal: Option<i32>,
}
