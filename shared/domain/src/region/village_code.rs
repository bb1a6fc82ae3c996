//! Codes of villages and kecamatan.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::JenisDesa;

/// A village's Kemendagri code, 10 digits. Prints with dots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VillageCode(u64);

/// A kecamatan's Kemendagri code, 6 digits. Prints with dots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KecamatanCode(u32);

/// The text is not a village code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("kode desa harus 10 angka, misalnya 35.05.01.2001 atau 3505012001")]
pub struct ParseVillageCodeError;

impl VillageCode {
    /// Reads `35.05.01.2001` or `3505012001`.
    ///
    /// # Errors
    ///
    /// Anything else, and digits that no village could have.
    pub fn parse(text: &str) -> Result<Self, ParseVillageCodeError> {
        let text = text.trim();
        let plain = match text.split('.').collect::<Vec<_>>()[..] {
            [plain] if plain.len() == 10 => plain.to_owned(),
            [pp, kk, cc, dddd] if pp.len() == 2 && kk.len() == 2 && cc.len() == 2 => {
                format!("{pp}{kk}{cc}{dddd}")
            }
            _ => return Err(ParseVillageCodeError),
        };
        if plain.len() != 10 || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseVillageCodeError);
        }
        plain.parse().ok().and_then(Self::from_u64).ok_or(ParseVillageCodeError)
    }

    /// The code behind a number: 10 digits, DDDD starting with 1 or 2.
    #[must_use]
    pub const fn from_u64(number: u64) -> Option<Self> {
        let ten_digits = number >= 1_000_000_000 && number <= 9_999_999_999;
        if ten_digits && matches!(number / 1_000 % 10, 1 | 2) { Some(Self(number)) } else { None }
    }

    /// The code as a number, for columns and keys.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The code without dots, as OpenSID and file names write it.
    #[must_use]
    pub fn compact(self) -> String {
        self.0.to_string()
    }

    /// The kecamatan the village lies in.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "10 digits less 4 fit 32 bits")]
    pub const fn kecamatan(self) -> KecamatanCode {
        KecamatanCode((self.0 / 10_000) as u32)
    }

    /// Desa or kelurahan.
    #[must_use]
    pub const fn kind(self) -> JenisDesa {
        if self.0 / 1_000 % 10 == 1 { JenisDesa::Kelurahan } else { JenisDesa::Desa }
    }
}

impl KecamatanCode {
    /// Reads `35.05.01` or `350501`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = text.trim().chars().filter(|c| *c != '.').collect();
        let digits = plain.len() == 6 && plain.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| plain.parse().ok()).flatten().and_then(Self::from_u64)
    }

    /// The code behind a number of 6 digits.
    #[must_use]
    pub fn from_u64(number: u64) -> Option<Self> {
        (100_000..=999_999)
            .contains(&number)
            .then(|| u32::try_from(number).ok().map(Self))
            .flatten()
    }

    /// The code as a number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0 as u64
    }

    /// The code without dots.
    #[must_use]
    pub fn compact(self) -> String {
        self.0.to_string()
    }
}

impl fmt::Display for VillageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.kecamatan(), self.0 % 10_000)
    }
}

impl fmt::Debug for VillageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VillageCode {
    type Err = ParseVillageCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for VillageCode {
    type Error = ParseVillageCodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<VillageCode> for String {
    fn from(code: VillageCode) -> Self {
        code.to_string()
    }
}

impl fmt::Display for KecamatanCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}.{:02}.{:02}", self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
}

impl fmt::Debug for KecamatanCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_are_read() {
        let code = VillageCode::from_u64(3_505_012_001).unwrap();
        for text in ["35.05.01.2001", "3505012001", " 35.05.01.2001 "] {
            assert_eq!(VillageCode::parse(text), Ok(code), "{text}");
        }
        assert_eq!(code.to_string(), "35.05.01.2001");
        assert_eq!(code.compact(), "3505012001");
        assert_eq!(code.kecamatan().to_string(), "35.05.01");
        assert_eq!(KecamatanCode::parse("350501"), Some(code.kecamatan()));
        assert_eq!(String::from(code).parse(), Ok(code));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "35.05.01",
            "350501200",
            "35050120011",
            "35.05.012.001",
            "35-05-01-2001",
            "3505013001",
            "0505012001",
            "35.05.01.20O1",
            "35.05.01.2001.1",
        ] {
            assert_eq!(VillageCode::parse(text), Err(ParseVillageCodeError), "{text}");
        }
    }
}
