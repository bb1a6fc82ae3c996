//! The civil registry's dump, whole: its 37 columns in their places.
//!
//! Whoever reads such a dump finds some columns by their place (OpenSID reads
//! all of them so), so those that a village keeps nothing for are there and
//! blank. Seven of these have no heading that is known for certain, and OpenSID
//! skips them (`Siak_model`); they are called by their place. The dump has no
//! dusun: ours comes after it, in a column that readers by place don't look at.

use std::borrow::Cow;

use lumbung_domain::region::{Desa, Kecamatan, VillageCode, roster};

use crate::import::{Column, Layout};

/// What stands in a place of the dump.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// What a village keeps.
    Kept(Column),
    /// The kecamatan's name.
    Kecamatan,
    /// The village's name.
    Desa,
    /// Nothing, under this heading.
    Blank(&'static str),
}

/// The dump's columns, and behind them the dusun.
pub(super) const PLACES: [Place; 38] = [
    Place::Kept(Column::NoKk),
    Place::Kept(Column::Nik),
    Place::Kept(Column::Nama),
    Place::Kept(Column::StatusDasar),
    Place::Kept(Column::TempatLahir),
    Place::Kept(Column::TanggalLahir),
    Place::Kept(Column::JenisKelamin),
    Place::Kept(Column::AyahNik),
    Place::Kept(Column::NamaAyah),
    Place::Kept(Column::IbuNik),
    Place::Kept(Column::NamaIbu),
    Place::Kept(Column::StatusKawin),
    Place::Kept(Column::Shdk),
    Place::Kept(Column::Agama),
    Place::Kecamatan,
    Place::Desa,
    Place::Kept(Column::AlamatKk),
    Place::Kept(Column::Rw),
    Place::Kept(Column::Rt),
    Place::Kept(Column::PendidikanKk),
    Place::Kept(Column::Pekerjaan),
    Place::Blank("Kolom 22"),
    Place::Kept(Column::GolonganDarah),
    Place::Kept(Column::Cacat),
    Place::Blank("Kolom 25"),
    Place::Blank("Kolom 26"),
    Place::Blank("Kolom 27"),
    Place::Kept(Column::Paspor),
    Place::Kept(Column::AktaLahir),
    Place::Kept(Column::AktaPerkawinan),
    Place::Kept(Column::TanggalPerkawinan),
    Place::Kept(Column::AktaPerceraian),
    Place::Kept(Column::TanggalPerceraian),
    Place::Blank("Kolom 34"),
    Place::Blank("Kolom 35"),
    Place::Blank("Kolom 36"),
    Place::Blank("Tgl Entri"),
    Place::Kept(Column::Dusun),
];

impl Place {
    /// What is printed over the column.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Kept(column) => Layout::Siak.header(column),
            Self::Kecamatan => "Kecamatan",
            Self::Desa => "Desa/Kel",
            Self::Blank(header) => header,
        }
    }

    /// What stands there in every row of a village; `None` = it differs.
    pub(super) fn same_everywhere(self, village: VillageCode) -> Option<Cow<'static, str>> {
        let desa: Option<&'static Desa> = roster().village(village);
        match self {
            Self::Kept(_) => None,
            Self::Blank(_) => Some("".into()),
            Self::Desa => Some(desa.map_or("", |desa| desa.name).to_uppercase().into()),
            Self::Kecamatan => {
                let kecamatan: Option<&Kecamatan> =
                    desa.and_then(|desa| roster().kecamatan_of(desa.kecamatan));
                Some(kecamatan.map_or("", |it| it.name).to_uppercase().into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dump_is_whole_and_keeps_what_the_import_reads() {
        let kept: Vec<Column> = PLACES
            .iter()
            .filter_map(|place| match place {
                Place::Kept(column) => Some(*column),
                _ => None,
            })
            .collect();
        for (column, _) in Layout::Siak.headings() {
            let times = kept.iter().filter(|other| *other == column).count();
            assert_eq!(times, 1, "{column:?}");
        }
        assert_eq!(kept.len(), Layout::Siak.headings().len());
        // The places by which OpenSID reads a dump.
        for (place, header) in [
            (1, "Nomor KK"),
            (4, "Status"),
            (14, "Agama"),
            (15, "Kecamatan"),
            (16, "Desa/Kel"),
            (17, "Alamat"),
            (18, "RW"),
            (19, "RT"),
            (21, "Pekerjaan"),
            (23, "Golongan Darah"),
            (24, "Penyandang Cacat"),
            (28, "No Paspor"),
            (33, "Tgl Cerai"),
            (37, "Tgl Entri"),
        ] {
            assert_eq!(PLACES[place - 1].header(), header, "place {place}");
        }
        let mut headers: Vec<_> = PLACES.iter().map(|place| place.header()).collect();
        headers.sort_unstable();
        headers.dedup();
        assert_eq!(headers.len(), PLACES.len(), "no heading stands twice");
    }
}
