//! The recap sheets 4.16a to 4.17c.
//!
//! A [`Sheet`] is rows of indicator vectors under one form; its total is the
//! sum of its rows, as the filling guide asks: each level adds up the book one
//! level below. The form decides what is printed, the vectors always carry
//! everything. Rendering (page, spreadsheet, CSV) is for others; they get
//! typed cells.

mod form;
mod sheet;

pub use form::{Column, Edisi, Form, Isi, forms};
pub use sheet::{Cell, Footnote, Sheet, SheetCells, SheetRow};

use jiff::civil::Date;

/// Version of the counting rules, printed on each sheet. It rises when the
/// same records would give other numbers.
pub const RULE_VERSION: u32 = 2;

/// The level a recap is about. Its rows are the units one level below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One dasawisma; rows are houses (4.16a).
    Dasawisma,
    /// One RT; rows are dasawisma (4.16b).
    Rt,
    /// One RW; rows are RT (4.16c).
    Rw,
    /// One dusun or lingkungan; rows are RW (4.16d).
    Dusun,
    /// One desa or kelurahan; rows are dusun (4.17a).
    Desa,
    /// One kecamatan; rows are desa (4.17b).
    Kecamatan,
    /// The kabupaten; rows are kecamatan (4.17c).
    Kabupaten,
}

impl Level {
    /// Every level, from the bottom up.
    pub const ALL: [Self; 7] = [
        Self::Dasawisma,
        Self::Rt,
        Self::Rw,
        Self::Dusun,
        Self::Desa,
        Self::Kecamatan,
        Self::Kabupaten,
    ];

    /// The name used in commands and file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dasawisma => "dasawisma",
            Self::Rt => "rt",
            Self::Rw => "rw",
            Self::Dusun => "dusun",
            Self::Desa => "desa",
            Self::Kecamatan => "kecamatan",
            Self::Kabupaten => "kabupaten",
        }
    }

    /// The level with this name, whatever the case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The form that a recap of this level prints, in the usual edition.
    #[must_use]
    pub fn form(self) -> &'static Form {
        self.form_in(Edisi::StikerP4k)
    }

    /// The form in one of the two editions; from RW upward they are the same.
    #[must_use]
    pub fn form_in(self, edisi: Edisi) -> &'static Form {
        form::of(self, edisi)
    }
}

/// "31 Desember 2026".
#[must_use]
pub fn tanggal_indonesia(date: Date) -> String {
    let bulan = match date.month() {
        1 => "Januari",
        2 => "Februari",
        3 => "Maret",
        4 => "April",
        5 => "Mei",
        6 => "Juni",
        7 => "Juli",
        8 => "Agustus",
        9 => "September",
        10 => "Oktober",
        11 => "November",
        _ => "Desember",
    };
    format!("{} {bulan} {}", date.day(), date.year())
}
