//! Nomor KK, the number of a family card.

use std::fmt;

use super::{bare, sixteen_digits, write_masked};

/// A family card number: 16 digits, nothing else is certain about it. It
/// changes when the head of the family dies or moves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoKk(u64);

/// Why a text is not a family card number. Never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKkError {
    /// Nothing was written, or only zeros.
    #[error("Nomor KK kosong")]
    Kosong,
    /// Not 16 digits.
    #[error("Nomor KK harus 16 angka, yang tertulis {found}. Periksa lagi pada kartu keluarga.")]
    Length {
        /// Characters left after the marks are gone.
        found: usize,
    },
    /// Something that is no digit.
    #[error("Nomor KK hanya boleh berisi angka")]
    Character,
}

impl NoKk {
    /// Reads a number as written; spaces, dots, dashes, apostrophes and
    /// characters that don't print are passed over.
    ///
    /// # Errors
    ///
    /// Nothing written, not 16 digits, or something else than digits.
    pub fn parse(text: &str) -> Result<Self, NoKkError> {
        let bare = bare(text);
        if bare.bytes().all(|byte| byte == b'0') {
            return Err(NoKkError::Kosong);
        }
        if !bare.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoKkError::Character);
        }
        sixteen_digits(&bare).map(Self).ok_or(NoKkError::Length { found: bare.len() })
    }

    /// The number behind [`as_u64`](Self::as_u64), if it can be one.
    #[must_use]
    pub const fn from_u64(number: u64) -> Option<Self> {
        if number == 0 || number > 9_999_999_999_999_999 { None } else { Some(Self(number)) }
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
}

impl fmt::Display for NoKk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(self.0, f)
    }
}

impl fmt::Debug for NoKk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoKk({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_digits_are_all_that_is_asked() {
        let kk = NoKk::parse(" '3599-0101 0101.0001\u{200b}").unwrap();
        assert_eq!(kk.digits(), "3599010101010001");
        assert_eq!(NoKk::from_u64(kk.as_u64()), Some(kk));
        for (text, error) in [
            ("", NoKkError::Kosong),
            ("-", NoKkError::Kosong),
            ("0", NoKkError::Kosong),
            ("359901010101000", NoKkError::Length { found: 15 }),
            ("35990101010100011", NoKkError::Length { found: 17 }),
            ("3,50501E+15", NoKkError::Character),
        ] {
            assert_eq!(NoKk::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn printing_masks() {
        let kk = NoKk::parse("3599010101010001").unwrap();
        assert_eq!(format!("{kk} {kk:?}"), "359901*******001 NoKk(359901*******001)");
    }
}
