//! Kabupaten Blitar and its 248 villages.
//!
//! Codes follow Kemendagri (Kepmendagri 300.2.2-2430/2025), written
//! `35.05.CC.DDDD`; DDDD starts with 1 in a kelurahan and with 2 in a desa.
//! The roster is built in. A code outside it is still a code (people move
//! from elsewhere); names are never keys, 17 of them occur more than once.

mod roster;
mod village_code;

use std::fmt;

pub use roster::{Desa, Kecamatan, Roster, roster};
pub use village_code::{KecamatanCode, ParseVillageCodeError, VillageCode};

/// Kemendagri code of the kabupaten, without dots.
pub const KABUPATEN: u16 = 3505;

/// The kabupaten's name.
pub const NAMA_KABUPATEN: &str = "Kabupaten Blitar";

/// A desa governs itself; a kelurahan is an office of the kabupaten. What
/// lies below and who leads it carry other names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JenisDesa {
    /// Desa.
    Desa,
    /// Kelurahan.
    Kelurahan,
}

impl JenisDesa {
    /// "Desa" or "Kelurahan".
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Desa => "Desa",
            Self::Kelurahan => "Kelurahan",
        }
    }

    /// What the parts of the village are called: "Dusun" or "Lingkungan".
    #[must_use]
    pub const fn label_dusun(self) -> &'static str {
        match self {
            Self::Desa => "Dusun",
            Self::Kelurahan => "Lingkungan",
        }
    }

    /// Who leads the village: "Kepala Desa" or "Lurah".
    #[must_use]
    pub const fn label_kepala(self) -> &'static str {
        match self {
            Self::Desa => "Kepala Desa",
            Self::Kelurahan => "Lurah",
        }
    }
}

impl fmt::Display for JenisDesa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
