//! The record kinds a village keeps.
//!
//! Field names are the forms' Indonesian terms. Every field that a form may
//! leave blank is an `Option`, an empty `String` or an empty list: a blank is
//! "not known", never "no". Records point at each other by [`RecordId`];
//! numbers that people carry (NIK, KK) are attributes, never keys.

/// Debug output ends in logs and panics: it names the type and nothing of
/// what people entrusted to it.
macro_rules! closed_debug {
    ($($kind:ty),+) => {$(
        impl std::fmt::Debug for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($kind)).finish_non_exhaustive()
            }
        }
    )+};
}

mod keluarga;
mod mutasi;
mod pernyataan_jumlah;
mod reading;
mod rumah_tangga;
mod tanda_terima;
mod warga;
mod wilayah;

pub use keluarga::Keluarga;
pub use mutasi::{Kelahiran, Kematian, Mutasi, Perpindahan};
pub use pernyataan_jumlah::{PernyataanJumlah, Ukuran};
pub use reading::{Field, Kelas, Numbers};
pub use rumah_tangga::{
    Industri, KategoriIndustri, KategoriPekarangan, KriteriaRumah, MakananPokok, Pekarangan,
    RumahTangga, SumberAir,
};
pub use tanda_terima::TandaTerima;
pub use warga::{
    BerkebutuhanKhusus, BukuKegiatan, DokumenWarga, IkutKegiatan, JenisKelamin, KegiatanPkk,
    KegiatanWarga, KelompokBelajar, OrangTua, Warga,
};
pub use wilayah::{Dasawisma, Dusun, MasaAktif, Rt, Rw, Titik};

use crate::id::{Kind, RecordId};

/// Any one record this version knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// See [`Dusun`].
    Dusun(Dusun),
    /// See [`Rw`].
    Rw(Rw),
    /// See [`Rt`].
    Rt(Rt),
    /// See [`Dasawisma`].
    Dasawisma(Dasawisma),
    /// See [`RumahTangga`].
    RumahTangga(Box<RumahTangga>),
    /// See [`Keluarga`].
    Keluarga(Keluarga),
    /// See [`Warga`].
    Warga(Box<Warga>),
    /// See [`Mutasi`].
    Mutasi(Box<Mutasi>),
    /// See [`TandaTerima`].
    TandaTerima(TandaTerima),
    /// See [`PernyataanJumlah`].
    PernyataanJumlah(Box<PernyataanJumlah>),
}

impl Record {
    /// The record's kind.
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

    /// The record this one hangs under: dusun → RW → RT → dasawisma and
    /// rumah tangga → keluarga → warga → mutasi; an RT's tanda terima under the
    /// RT. `None` at the top, and of stated totals, whatever region they are
    /// of: a hub that does not know them yet counts them at the top.
    #[must_use]
    pub const fn parent(&self) -> Option<RecordId> {
        match self {
            Self::Dusun(_) | Self::PernyataanJumlah(_) => None,
            Self::Rw(rw) => rw.dusun_id,
            Self::Rt(rt) => match rt.rw_id {
                Some(id) => Some(id),
                None => rt.dusun_id,
            },
            Self::Dasawisma(group) => Some(group.rt_id),
            Self::RumahTangga(house) => Some(house.rt_id),
            Self::Keluarga(family) => Some(family.rumah_tangga_id),
            Self::Warga(resident) => resident.keluarga_id,
            Self::Mutasi(event) => Some(event.warga_id),
            Self::TandaTerima(receipt) => receipt.rt_id,
        }
    }
}
