//! Notices (informasi): written once at the district, for everybody in the
//! places they are addressed to.
//!
//! A notice is no record of a village: the village keeps it as it came and
//! answers with a [`crate::record::TandaTerima`]. Many people read it, so
//! personal data does not belong in it; see
//! [`crate::validation::check_informasi`].

use jiff::civil::Date;

use crate::code_list::{Code, KategoriInformasi};
use crate::id::RecordId;
use crate::region::{KABUPATEN, KecamatanCode, VillageCode};

/// Whom a notice is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sasaran {
    /// Every village of the kabupaten.
    Kabupaten,
    /// Every village of a kecamatan.
    Kecamatan(KecamatanCode),
    /// A whole village.
    Desa(VillageCode),
    /// One RT of a village.
    Rt(VillageCode, RecordId),
}

impl Sasaran {
    /// Whether a village gets what is addressed like this.
    #[must_use]
    pub fn reaches(self, village: VillageCode) -> bool {
        match self {
            Self::Kabupaten => village.as_u64() / 1_000_000 == u64::from(KABUPATEN),
            Self::Kecamatan(kecamatan) => village.kecamatan() == kecamatan,
            Self::Desa(desa) | Self::Rt(desa, _) => desa == village,
        }
    }
}

/// One version of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Informasi {
    /// The notice's name, minted at the district; the same for every version.
    pub id: RecordId,
    /// Counts from 1; a correction and a withdrawal are new versions.
    pub versi: u32,
    /// One line.
    pub judul: String,
    /// The text, of one or more lines.
    pub isi: String,
    /// What it is about.
    pub kategori: Option<Code<KategoriInformasi>>,
    /// The first day it is in force.
    pub terbit: Option<Date>,
    /// The last day it is in force; `None` = until withdrawn.
    pub berlaku_sampai: Option<Date>,
    /// Whom it is for.
    pub sasaran: Vec<Sasaran>,
    /// No longer to be followed, whatever its days say.
    pub ditarik: bool,
}

/// Whether a notice is to be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keberlakuan {
    /// Its first day has not come.
    BelumTerbit,
    /// It is to be followed.
    Berlaku,
    /// Its last day has passed.
    Berakhir,
    /// The district withdrew it.
    Ditarik,
}

impl Keberlakuan {
    /// Whether nobody needs to follow it any more.
    #[must_use]
    pub const fn is_past(self) -> bool {
        matches!(self, Self::Berakhir | Self::Ditarik)
    }

    /// The word people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BelumTerbit => "belum terbit",
            Self::Berlaku => "berlaku",
            Self::Berakhir => "berakhir",
            Self::Ditarik => "ditarik",
        }
    }
}

impl Informasi {
    /// Whether it is to be followed on `today`.
    #[must_use]
    pub fn keberlakuan(&self, today: Date) -> Keberlakuan {
        if self.ditarik {
            Keberlakuan::Ditarik
        } else if self.terbit.is_some_and(|terbit| today < terbit) {
            Keberlakuan::BelumTerbit
        } else if self.berlaku_sampai.is_some_and(|last| today > last) {
            Keberlakuan::Berakhir
        } else {
            Keberlakuan::Berlaku
        }
    }

    /// Whether it is addressed to an RT of `village`: by name, or with the
    /// whole village.
    #[must_use]
    pub fn reaches_rt(&self, village: VillageCode, rt: RecordId) -> bool {
        self.sasaran.iter().any(|sasaran| match sasaran {
            Sasaran::Rt(desa, named) => *desa == village && *named == rt,
            sasaran => sasaran.reaches(village),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn village(code: u64) -> VillageCode {
        VillageCode::from_u64(code).unwrap()
    }

    fn informasi(sasaran: Vec<Sasaran>) -> Informasi {
        Informasi {
            id: RecordId::from_parts(1, 0, 1),
            versi: 1,
            judul: "Contoh".to_owned(),
            isi: "Isi".to_owned(),
            kategori: Some(Code::<KategoriInformasi>::UMUM),
            terbit: Some(date(2026, 11, 1)),
            berlaku_sampai: Some(date(2026, 11, 30)),
            sasaran,
            ditarik: false,
        }
    }

    #[test]
    fn a_place_reaches_its_villages_and_no_other() {
        let (here, there) = (village(3_505_012_001), village(3_505_022_001));
        for sasaran in [
            Sasaran::Kecamatan(here.kecamatan()),
            Sasaran::Desa(here),
            Sasaran::Rt(here, RecordId::default()),
        ] {
            assert!(sasaran.reaches(here) && !sasaran.reaches(there), "{sasaran:?}");
        }
        assert!(Sasaran::Kabupaten.reaches(here) && Sasaran::Kabupaten.reaches(there));
        assert!(!Sasaran::Kabupaten.reaches(village(9_901_012_001)), "another kabupaten");
    }

    #[test]
    fn an_rt_reads_what_names_it_or_its_village() {
        let here = village(3_505_012_001);
        let (rt, other) = (RecordId::from_parts(1, 0, 1), RecordId::from_parts(1, 0, 2));
        let named = informasi(vec![Sasaran::Rt(here, rt)]);
        assert!(named.reaches_rt(here, rt) && !named.reaches_rt(here, other));
        assert!(informasi(vec![Sasaran::Desa(here)]).reaches_rt(here, other));
    }

    #[test]
    fn days_and_withdrawal_decide_whether_it_is_in_force() {
        let mut notice = informasi(vec![Sasaran::Kabupaten]);
        let on = |notice: &Informasi, month, day| notice.keberlakuan(date(2026, month, day));
        assert_eq!(on(&notice, 10, 31), Keberlakuan::BelumTerbit);
        assert_eq!(on(&notice, 11, 1), Keberlakuan::Berlaku);
        assert_eq!(on(&notice, 11, 30), Keberlakuan::Berlaku);
        assert_eq!(on(&notice, 12, 1), Keberlakuan::Berakhir);
        assert!(on(&notice, 12, 1).is_past() && !on(&notice, 10, 31).is_past());
        notice.ditarik = true;
        assert_eq!(on(&notice, 11, 30), Keberlakuan::Ditarik);
    }
}
