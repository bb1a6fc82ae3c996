//! Who works at a village's computer: the short name under which changes are
//! recorded, and by which the district tells who wrote what.

use std::fmt;
use std::str::FromStr;

use lumbung_domain::identity::holds_number_of_a_person;
use serde::{Deserialize, Serialize};

/// Longest name, bytes: it is stored with every change, and travels once a session.
pub const NAME_BYTES_MAX: usize = 24;

/// Names under which the node itself writes.
const PROGRAMS: [&str; 2] = ["node", "buku-penghapusan"];

/// A clerk's short name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Petugas(String);

/// Why a text is no clerk's name. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoName {
    /// Too long, empty, or of other signs.
    #[error(
        "Nama petugas 1 sampai {NAME_BYTES_MAX} huruf: huruf, angka, spasi, titik, tanda hubung. \
         Tidak ada yang diubah."
    )]
    Form,
    /// It looks like a NIK or a family card's number.
    #[error("Jangan pakai NIK atau nomor KK sebagai nama petugas. Tidak ada yang diubah.")]
    Number,
    /// The node writes under this name.
    #[error("Nama petugas ini dipakai programnya sendiri. Pilih nama lain. Tidak ada yang diubah.")]
    Program,
}

impl Petugas {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Petugas {
    /// Whoever it was.
    fn default() -> Self {
        Self("operator-desa".to_owned())
    }
}

impl FromStr for Petugas {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let name = text.trim();
        if holds_number_of_a_person(name) {
            return Err(NoName::Number);
        }
        let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '\'');
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.chars().all(fits) {
            return Err(NoName::Form);
        }
        if PROGRAMS.iter().any(|program| name.eq_ignore_ascii_case(program)) {
            return Err(NoName::Program);
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for Petugas {
    type Error = NoName;

    fn try_from(text: String) -> Result<Self, NoName> {
        text.parse()
    }
}

impl From<Petugas> for String {
    fn from(petugas: Petugas) -> Self {
        petugas.0
    }
}

impl fmt::Display for Petugas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_no_number_of_a_person() {
        for name in ["Siti", "bu.rahayu", "Kasi Pemerintahan 2", "Ma'ruf", &"a".repeat(24)] {
            assert_eq!(name.parse::<Petugas>().map(String::from), Ok(name.to_owned()));
        }
        assert_eq!(" Siti ".parse::<Petugas>().map(String::from), Ok("Siti".to_owned()));
        for (name, why) in [
            ("", NoName::Form),
            (" ", NoName::Form),
            (&*"a".repeat(25), NoName::Form),
            ("si\nti", NoName::Form),
            ("a;b", NoName::Form),
            ("3505904101900001", NoName::Number),
            ("Node", NoName::Program),
            ("buku-penghapusan", NoName::Program),
        ] {
            assert_eq!(name.parse::<Petugas>(), Err(why), "{name:?}");
        }
        assert_eq!(Petugas::default().as_str(), "operator-desa");
    }
}
