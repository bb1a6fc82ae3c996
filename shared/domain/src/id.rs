//! Record ids and record kinds: the two names every record carries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A record's stable name, minted once at the village that owns it.
///
/// 16 bytes laid out as UUID version 8 (RFC 9562 section 5.8): 48 bits of
/// Unix milliseconds, a 12-bit counter within the millisecond and 62 bits
/// drawn at random once per process start. Ids of one village therefore sort
/// by creation and share most of their bytes with their neighbours (small on
/// the wire), while two processes can't mint the same one. An id says nothing
/// about the person behind it and may stand in logs and URLs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RecordId(pub [u8; 16]);

impl RecordId {
    /// Lays out an id from its three parts; `millis` beyond 48 bits and
    /// `counter` beyond 12 bits are cut.
    #[must_use]
    pub const fn from_parts(millis: u64, counter: u16, random: u64) -> Self {
        let m = millis.to_be_bytes();
        let c = (0x8000 | (counter & 0x0fff)).to_be_bytes();
        let r = (0x8000_0000_0000_0000 | (random & 0x3fff_ffff_ffff_ffff)).to_be_bytes();
        Self([
            m[2], m[3], m[4], m[5], m[6], m[7], c[0], c[1], r[0], r[1], r[2], r[3], r[4], r[5],
            r[6], r[7],
        ])
    }

    /// The id as 16 bytes, or nothing when the slice has another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// When it was minted, Unix milliseconds by the village's wall clock: when
    /// the record was made, unless the id was derived from another (a tanda
    /// terima's from its notice). `None` where the clock said nothing sensible.
    #[must_use]
    pub const fn minted_ms(&self) -> Option<i64> {
        /// 2020-01-01: before that there was no village here.
        const FIRST_MS: i64 = 1_577_836_800_000;
        let b = &self.0;
        let millis = i64::from_be_bytes([0, 0, b[0], b[1], b[2], b[3], b[4], b[5]]);
        if millis >= FIRST_MS && b[6] >> 4 == 8 { Some(millis) } else { None }
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a record id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record id is 32 hexadecimal digits, with or without dashes")]
pub struct ParseRecordIdError;

impl FromStr for RecordId {
    type Err = ParseRecordIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0_u8; 16];
        let mut digits = text.bytes().filter(|b| *b != b'-');
        for byte in &mut bytes {
            let mut nibble = || -> Result<u8, ParseRecordIdError> {
                let digit = digits.next().ok_or(ParseRecordIdError)?;
                let value = char::from(digit).to_digit(16).ok_or(ParseRecordIdError)?;
                u8::try_from(value).map_err(|_| ParseRecordIdError)
            };
            *byte = nibble()? << 4 | nibble()?;
        }
        if digits.next().is_some() {
            return Err(ParseRecordIdError);
        }
        Ok(Self(bytes))
    }
}

/// The number that names a record kind on the wire and on disk.
///
/// Any number is valid: a hub keeps kinds that it does not know yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KindCode(pub u16);

/// The record kinds this version knows. Numbers are never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u16)]
pub enum Kind {
    /// Dusun (desa) or lingkungan (kelurahan).
    Dusun = 1,
    /// Rukun warga.
    Rw = 2,
    /// Rukun tetangga.
    Rt = 3,
    /// PKK group of 10 to 20 families inside one RT.
    Dasawisma = 4,
    /// A house with everybody living in it (KRT).
    RumahTangga = 5,
    /// A family on one family card (KK).
    Keluarga = 6,
    /// A resident.
    Warga = 7,
    /// A population event: birth, death, move.
    Mutasi = 8,
    /// What became of a notice of the district.
    TandaTerima = 9,
    /// Totals as the village states them.
    PernyataanJumlah = 10,
}

impl Kind {
    /// Every known kind, parents before children.
    pub const ALL: [Self; 10] = [
        Self::Dusun,
        Self::Rw,
        Self::Rt,
        Self::Dasawisma,
        Self::RumahTangga,
        Self::Keluarga,
        Self::Warga,
        Self::Mutasi,
        Self::TandaTerima,
        Self::PernyataanJumlah,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> KindCode {
        KindCode(self as u16)
    }

    /// The kind behind a number, if this version knows it.
    #[must_use]
    pub const fn from_code(code: KindCode) -> Option<Self> {
        Some(match code.0 {
            1 => Self::Dusun,
            2 => Self::Rw,
            3 => Self::Rt,
            4 => Self::Dasawisma,
            5 => Self::RumahTangga,
            6 => Self::Keluarga,
            7 => Self::Warga,
            8 => Self::Mutasi,
            9 => Self::TandaTerima,
            10 => Self::PernyataanJumlah,
            _ => return None,
        })
    }

    /// The name used in tables, commands and file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dusun => "dusun",
            Self::Rw => "rw",
            Self::Rt => "rt",
            Self::Dasawisma => "dasawisma",
            Self::RumahTangga => "rumah_tangga",
            Self::Keluarga => "keluarga",
            Self::Warga => "warga",
            Self::Mutasi => "mutasi",
            Self::TandaTerima => "tanda_terima",
            Self::PernyataanJumlah => "pernyataan_jumlah",
        }
    }

    /// The kind with this name (`-` and `_` are the same).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase().replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_knows_when_it_was_minted() {
        let id = RecordId::from_parts(1_790_000_000_000, 7, 42);
        assert_eq!(id.minted_ms(), Some(1_790_000_000_000));
        // A clock that begins at 1970 says nothing, and neither does another
        // system's id.
        assert_eq!(RecordId::from_parts(5_000, 0, 1).minted_ms(), None);
        assert_eq!(RecordId([0xff; 16]).minted_ms(), None);
    }
}
