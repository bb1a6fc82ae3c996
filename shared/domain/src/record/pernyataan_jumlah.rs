//! Pernyataan jumlah: totals as the village states them (monografi, profil
//! desa, buku rekapitulasi jumlah penduduk B.3, the heads of RT and dasawisma),
//! kept beside the records to be held against what they add up to.

use jiff::civil::Date;

use crate::id::{Kind, RecordId};
use crate::indicator::{Indikator, IndikatorVector};

/// What is counted in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ukuran {
    /// Residents.
    Jiwa,
    /// Men and boys.
    JiwaL,
    /// Women and girls.
    JiwaP,
    /// Family cards.
    Kk,
    /// Households.
    Krt,
    /// Dusun or lingkungan.
    Dusun,
    /// RW.
    Rw,
    /// RT.
    Rt,
    /// Dasawisma.
    Dasawisma,
    /// Boys under five.
    BalitaL,
    /// Girls under five.
    BalitaP,
    /// Couples of childbearing age.
    Pus,
    /// Women of childbearing age.
    Wus,
    /// People of 60 and over.
    Lansia,
}

impl Ukuran {
    /// All of them, in the order of the forms.
    pub const ALL: [Self; 14] = [
        Self::Jiwa,
        Self::JiwaL,
        Self::JiwaP,
        Self::Kk,
        Self::Krt,
        Self::Dusun,
        Self::Rw,
        Self::Rt,
        Self::Dasawisma,
        Self::BalitaL,
        Self::BalitaP,
        Self::Pus,
        Self::Wus,
        Self::Lansia,
    ];

    /// The name in files and on the command line.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Jiwa => "jiwa",
            Self::JiwaL => "laki_laki",
            Self::JiwaP => "perempuan",
            Self::Kk => "kk",
            Self::Krt => "rumah_tangga",
            Self::Dusun => "jumlah_dusun",
            Self::Rw => "jumlah_rw",
            Self::Rt => "jumlah_rt",
            Self::Dasawisma => "jumlah_dasawisma",
            Self::BalitaL => "balita_l",
            Self::BalitaP => "balita_p",
            Self::Pus => "pus",
            Self::Wus => "wus",
            Self::Lansia => "lansia",
        }
    }

    /// The label for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Jiwa => "Jumlah jiwa",
            Self::JiwaL => "Laki-laki",
            Self::JiwaP => "Perempuan",
            Self::Kk => "Jumlah KK",
            Self::Krt => "Jumlah rumah tangga",
            Self::Dusun => "Jumlah dusun",
            Self::Rw => "Jumlah RW",
            Self::Rt => "Jumlah RT",
            Self::Dasawisma => "Jumlah dasawisma",
            Self::BalitaL => "Balita laki-laki",
            Self::BalitaP => "Balita perempuan",
            Self::Pus => "PUS",
            Self::Wus => "WUS",
            Self::Lansia => "Lansia",
        }
    }

    /// What the records of a region add up to.
    #[must_use]
    pub const fn terhitung(self, sum: &IndikatorVector) -> u64 {
        sum.get(match self {
            Self::Jiwa => return sum.jiwa(),
            Self::JiwaL => Indikator::TotalL,
            Self::JiwaP => Indikator::TotalP,
            Self::Kk => Indikator::JmlKk,
            Self::Krt => Indikator::JmlKrt,
            Self::Dusun => Indikator::JmlDusun,
            Self::Rw => Indikator::JmlRw,
            Self::Rt => Indikator::JmlRt,
            Self::Dasawisma => Indikator::JmlDasawisma,
            Self::BalitaL => Indikator::BalitaL,
            Self::BalitaP => Indikator::BalitaP,
            Self::Pus => Indikator::Pus,
            Self::Wus => Indikator::Wus,
            Self::Lansia => Indikator::Lansia,
        })
    }

    /// Whether a region of this kind (`None`: the whole village) can hold
    /// what is counted: an RT has no RT below it.
    #[must_use]
    pub fn ada_di(self, wilayah: Option<Kind>) -> bool {
        let above = match self {
            Self::Dusun => Kind::Dusun,
            Self::Rw => Kind::Rw,
            Self::Rt => Kind::Rt,
            Self::Dasawisma => Kind::Dasawisma,
            _ => return true,
        };
        // Parents before children.
        wilayah.is_none_or(|wilayah| wilayah < above)
    }
}

/// Stated totals of a village or of a region below it, as of a day. A later
/// day is another statement; the same day stated anew replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PernyataanJumlah {
    /// A dusun, RW, RT or dasawisma; `None` = the whole village.
    pub wilayah_id: Option<RecordId>,
    /// The day the totals hold for.
    pub per_tanggal: Option<Date>,
    /// Where they are stated ("Monografi desa", "Buku B.3").
    pub sumber: String,
    /// The totals, in the order of [`Ukuran::ALL`]; `None` = not stated.
    pub jumlah: [Option<u32>; Ukuran::ALL.len()],
}

impl PernyataanJumlah {
    /// A stated total; `None` = not stated, which is not zero.
    #[must_use]
    pub const fn jumlah(&self, ukuran: Ukuran) -> Option<u32> {
        self.jumlah[ukuran as usize]
    }

    /// States a total, or takes it back.
    pub const fn nyatakan(&mut self, ukuran: Ukuran, jumlah: Option<u32>) {
        self.jumlah[ukuran as usize] = jumlah;
    }

    /// Every stated total.
    pub fn dinyatakan(&self) -> impl Iterator<Item = (Ukuran, u32)> {
        Ukuran::ALL.into_iter().filter_map(|ukuran| Some((ukuran, self.jumlah(ukuran)?)))
    }
}
