//! NIK, the population number: `PPKKCC DDMMYY SSSS`.
//!
//! The first six digits are the kecamatan of first registration (kept for
//! life, whatever becomes of the kecamatan), then the birth date with 40 added
//! to the day for women, then a serial number. Only what can't be a NIK is
//! refused; a contradiction with the resident's other fields is a warning,
//! because in real sheets the field is as often wrong as the number.

use std::fmt;

use jiff::civil::Date;

use super::{bare, sixteen_digits, write_masked};
use crate::record::JenisKelamin;
use crate::region::{KABUPATEN, KecamatanCode, VillageCode, roster};

/// A population number that passed the checks of [`Nik::parse`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nik(u64);

/// What a NIK field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NikInput {
    /// Nothing: empty, `-` or only zeros.
    Kosong,
    /// A temporary number of OpenSID. The resident has no NIK yet; two
    /// residents with temporary numbers are two people.
    Sementara(NikSementara),
    /// A NIK.
    Nik(Nik),
}

impl NikInput {
    /// The NIK to store: temporary numbers are none.
    #[must_use]
    pub const fn nik(self) -> Option<Nik> {
        match self {
            Self::Nik(nik) => Some(nik),
            Self::Kosong | Self::Sementara(_) => None,
        }
    }
}

/// A temporary number: `0`, the 10-digit village code, a 5-digit counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NikSementara(u64);

/// Why a text is not a NIK. Never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NikError {
    /// Not 16 digits.
    #[error("NIK harus 16 angka, yang tertulis {found}. Periksa lagi pada KTP atau KK.")]
    Length {
        /// Characters left after the marks are gone.
        found: usize,
    },
    /// Something that is no digit.
    #[error("NIK hanya boleh berisi angka")]
    Character,
    /// The last four digits are 0000.
    #[error("Empat angka terakhir NIK tidak boleh 0000. Periksa lagi pada KTP atau KK.")]
    Serial,
    /// Digits 7 to 10 are no day and month.
    #[error(
        "Tanggal di dalam NIK (angka ke-7 sampai ke-10) tidak mungkin. Periksa lagi pada KTP atau KK."
    )]
    Date,
}

/// A contradiction between a NIK and what else is known. Never a reason to
/// refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NikWarning {
    /// The day says another sex than the field.
    JenisKelaminBeda,
    /// The digits say another birth date than the field.
    TanggalBeda,
    /// No province ever had the first two digits.
    ProvinsiTidakDikenal,
    /// The kecamatan is not in the current list. Checked for numbers of this
    /// kabupaten (3505) only: no list of other kabupaten is at hand, and old
    /// codes stay valid, so that a number from elsewhere is never doubted.
    KecamatanTidakDikenal,
}

/// Provinces by number: the 38 of today and Timor Timur (54).
const PROVINSI: [u64; 39] = [
    11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 31, 32, 33, 34, 35, 36, 51, 52, 53, 54, 61, 62, 63, 64,
    65, 71, 72, 73, 74, 75, 76, 81, 82, 91, 92, 93, 94, 95, 96,
];

/// Added to the day of birth for women.
const HARI_PEREMPUAN: u64 = 40;

impl Nik {
    /// Reads a NIK field as written; spaces, dots, dashes, apostrophes and
    /// characters that don't print are passed over.
    ///
    /// # Errors
    ///
    /// Not 16 digits, serial 0000, or a day and month that no calendar has.
    pub fn parse(text: &str) -> Result<NikInput, NikError> {
        let bare = bare(text);
        if bare.bytes().all(|byte| byte == b'0') {
            return Ok(NikInput::Kosong);
        }
        if !bare.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NikError::Character);
        }
        let number = sixteen_digits(&bare).ok_or(NikError::Length { found: bare.len() })?;
        if bare.starts_with('0') {
            return Ok(NikInput::Sementara(NikSementara(number)));
        }
        Self::checked(number).map(NikInput::Nik)
    }

    /// The NIK behind [`as_u64`](Self::as_u64), under the same checks as
    /// [`parse`](Self::parse).
    #[must_use]
    pub fn from_u64(number: u64) -> Option<Self> {
        (1_000_000_000_000_000..=9_999_999_999_999_999)
            .contains(&number)
            .then(|| Self::checked(number).ok())
            .flatten()
    }

    /// The 16 digits as a number, for columns and indexes.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The 16 digits, unmasked.
    #[must_use]
    pub fn digits(self) -> String {
        format!("{:016}", self.0)
    }

    /// The kecamatan where the resident was first registered.
    #[must_use]
    pub const fn kecamatan(self) -> u64 {
        self.0 / 10_000_000_000
    }

    /// The sex that the day of birth encodes.
    #[must_use]
    pub const fn jenis_kelamin(self) -> JenisKelamin {
        if self.day() > HARI_PEREMPUAN { JenisKelamin::Perempuan } else { JenisKelamin::LakiLaki }
    }

    /// Compares the number with the resident's sex and birth date, and with
    /// the lists of regions: the provinces, and of Kabupaten Blitar (3505) the
    /// kecamatan too. A kecamatan of any other kabupaten is taken as it is.
    #[must_use]
    pub fn check(&self, jk: Option<JenisKelamin>, lahir: Option<Date>) -> Vec<NikWarning> {
        let mut warnings = Vec::new();
        if jk.is_some_and(|jk| jk != self.jenis_kelamin()) {
            warnings.push(NikWarning::JenisKelaminBeda);
        }
        if lahir.is_some_and(|lahir| !self.encodes(lahir)) {
            warnings.push(NikWarning::TanggalBeda);
        }
        let kecamatan = self.kecamatan();
        if !PROVINSI.contains(&(kecamatan / 10_000)) {
            warnings.push(NikWarning::ProvinsiTidakDikenal);
        } else if kecamatan / 100 == u64::from(KABUPATEN)
            && KecamatanCode::from_u64(kecamatan)
                .and_then(|code| roster().kecamatan_of(code))
                .is_none()
        {
            warnings.push(NikWarning::KecamatanTidakDikenal);
        }
        warnings
    }

    fn checked(number: u64) -> Result<Self, NikError> {
        let nik = Self(number);
        if number.is_multiple_of(10_000) {
            return Err(NikError::Serial);
        }
        let day = nik.day();
        let day = if day > HARI_PEREMPUAN { day - HARI_PEREMPUAN } else { day };
        let days = match nik.month() {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return Err(NikError::Date),
        };
        if (1..=days).contains(&day) { Ok(nik) } else { Err(NikError::Date) }
    }

    /// Whether digits 7 to 12 are this date. The century isn't in the number.
    fn encodes(self, date: Date) -> bool {
        let day = self.day();
        let day = if day > HARI_PEREMPUAN { day - HARI_PEREMPUAN } else { day };
        let same = |part: i64, of_date: i64| part == of_date;
        same(day.cast_signed(), i64::from(date.day()))
            && same(self.month().cast_signed(), i64::from(date.month()))
            && same((self.0 / 10_000 % 100).cast_signed(), i64::from(date.year()).rem_euclid(100))
    }

    const fn day(self) -> u64 {
        self.0 / 100_000_000 % 100
    }

    const fn month(self) -> u64 {
        self.0 / 1_000_000 % 100
    }
}

impl NikSementara {
    /// The 16 digits, leading 0 included.
    #[must_use]
    pub fn digits(self) -> String {
        format!("{:016}", self.0)
    }

    /// The village that gave the number, if the digits name one.
    #[must_use]
    pub fn village(self) -> Option<VillageCode> {
        VillageCode::from_u64(self.0 / 100_000)
    }
}

impl fmt::Display for Nik {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(self.0, f)
    }
}

impl fmt::Debug for Nik {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nik({self})")
    }
}

impl fmt::Debug for NikSementara {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NikSementara(")?;
        write_masked(self.0, f)?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn nik(text: &str) -> Nik {
        Nik::parse(text).unwrap().nik().unwrap()
    }

    #[test]
    fn what_sheets_write_is_read() {
        let wanted = nik("3599014101900001");
        for text in [
            "3599014101900001",
            " 3599 0141 0190 0001 ",
            "35.99.01.410190.0001",
            "'3599014101900001",
            "3599014101900001\u{feff}",
            "35990141\u{a0}0190\u{200b}0001",
            "359901\u{2013}410190\u{2013}0001\r\n",
        ] {
            assert_eq!(Nik::parse(text), Ok(NikInput::Nik(wanted)), "{text:?}");
        }
        assert_eq!(wanted.digits(), "3599014101900001");
        assert_eq!(Nik::from_u64(wanted.as_u64()), Some(wanted));
    }

    #[test]
    fn no_number_is_not_an_error() {
        for text in ["", "-", "0", "  ", "'", "0000000000000000"] {
            assert_eq!(Nik::parse(text), Ok(NikInput::Kosong), "{text:?}");
        }
        let temporary = Nik::parse("0350590200100007").unwrap();
        assert_eq!(temporary.nik(), None);
        let NikInput::Sementara(number) = temporary else { panic!("not temporary") };
        assert_eq!(number.digits(), "0350590200100007");
        assert_eq!(number.village(), VillageCode::from_u64(3_505_902_001));
    }

    #[test]
    fn what_cannot_be_a_nik_is_refused() {
        for (text, error) in [
            ("359901410190001", NikError::Length { found: 15 }),
            ("35990141019000011", NikError::Length { found: 17 }),
            ("3,50501E+15", NikError::Character),
            ("359901410190000A", NikError::Character),
            ("3599014101900000", NikError::Serial),
            ("3599010001900001", NikError::Date),
            ("3599013201900001", NikError::Date),
            ("3599014001900001", NikError::Date),
            ("3599017201900001", NikError::Date),
            ("3599010113900001", NikError::Date),
            ("3599010100900001", NikError::Date),
            ("3599013002900001", NikError::Date),
            ("3599013104900001", NikError::Date),
        ] {
            assert_eq!(Nik::parse(text), Err(error), "{text}");
        }
        assert_eq!(Nik::from_u64(359_901_410_190_001), None);
        assert_eq!(Nik::from_u64(3_599_014_101_900_000), None);
    }

    #[test]
    fn contradictions_are_warnings() {
        use NikWarning::{
            JenisKelaminBeda, KecamatanTidakDikenal, ProvinsiTidakDikenal, TanggalBeda,
        };
        let p = Some(JenisKelamin::Perempuan);
        let l = Some(JenisKelamin::LakiLaki);
        for (text, jk, lahir, wanted) in [
            ("3599014101900001", p, Some(date(1990, 1, 1)), vec![]),
            ("3599014101900001", None, None, vec![]),
            ("3599014101900001", l, Some(date(1990, 1, 1)), vec![JenisKelaminBeda]),
            ("3599014101900001", p, Some(date(1990, 1, 2)), vec![TanggalBeda]),
            ("3599014101050001", p, Some(date(1905, 1, 1)), vec![]),
            ("3599014101050001", p, Some(date(2005, 1, 1)), vec![]),
            ("3599010101900001", p, Some(date(1991, 1, 1)), vec![JenisKelaminBeda, TanggalBeda]),
            ("9905010101900001", l, None, vec![ProvinsiTidakDikenal]),
            ("3505990101900001", l, None, vec![KecamatanTidakDikenal]),
            ("3399010101900001", l, None, vec![]),
        ] {
            assert_eq!(nik(text).check(jk, lahir), wanted, "{text}");
        }
    }

    #[test]
    fn printing_masks() {
        let nik = nik("3599014101900001");
        assert_eq!(format!("{nik} {nik:?}"), "359901*******001 Nik(359901*******001)");
        let input = format!("{:?}", Nik::parse("0350590200100007").unwrap());
        assert!(!input.contains("2001000"), "{input}");
    }
}
