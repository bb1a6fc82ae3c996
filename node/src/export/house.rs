//! The family's and the house's cells.

use std::borrow::Cow;

use lumbung_domain::record::{Keluarga, RumahTangga, SumberAir};

use super::resident::{code, day, list, yes_or_no};
use crate::import::{Column, Layout, escape, tidy};

/// The text of one family cell.
pub(super) fn family_cell(column: Column, family: &Keluarga) -> Cow<'_, str> {
    match column {
        Column::AlamatKk => tidy(&family.alamat),
        Column::KelasSosial => code(family.kelas_sosial, Layout::Template),
        Column::TanggalDaftarKk => day(family.tgl_daftar),
        Column::KkAktif => yes_or_no(Some(family.aktif)),
        _ => "".into(),
    }
}

/// The text of one house cell.
pub(super) fn cell(column: Column, house: &RumahTangga) -> Cow<'_, str> {
    match column {
        Column::NomorRumah => tidy(&house.nomor),
        Column::AlamatRumah => tidy(&house.alamat),
        Column::KriteriaRumah => house.kriteria.map_or("", |it| it.label()).into(),
        Column::Tps => yes_or_no(house.punya_tps),
        Column::Spal => yes_or_no(house.punya_spal),
        Column::Jamban => yes_or_no(house.punya_jamban),
        Column::JumlahMck => {
            house.jumlah_mck.map(|count| count.to_string()).unwrap_or_default().into()
        }
        Column::StikerP4k => yes_or_no(house.stiker_p4k),
        Column::SumberAir => water(house),
        Column::MakananPokok => house.makanan_pokok.map_or("", |it| it.label()).into(),
        Column::Up2kRumah => yes_or_no(house.up2k),
        Column::KeslingRumah => yes_or_no(house.kesling),
        Column::Pekarangan => entries(
            house.pekarangan.iter().map(|row| (row.kategori.label(), &*row.komoditi, &*row.jumlah)),
        ),
        Column::Industri => entries(
            house.industri.iter().map(|row| (row.kategori.label(), &*row.komoditi, &*row.jumlah)),
        ),
        Column::Dinding => code(house.dinding, Layout::Template),
        Column::Lantai => code(house.lantai, Layout::Template),
        Column::Atap => code(house.atap, Layout::Template),
        Column::StatusRumah => code(house.status_rumah, Layout::Template),
        Column::SumberAirMinum => code(house.sumber_air_minum, Layout::Template),
        Column::TitikRumah => house
            .titik
            .map(|titik| format!("{}, {}", titik.lat, titik.lon))
            .unwrap_or_default()
            .into(),
        Column::TahunRumah => count(house.tahun),
        Column::DiperiksaPada => day(house.diperiksa_pada),
        _ => "".into(),
    }
}

/// 0 is "not stated".
fn count(number: u16) -> Cow<'static, str> {
    match number {
        0 => "".into(),
        number => number.to_string().into(),
    }
}

fn water(house: &RumahTangga) -> Cow<'static, str> {
    let Some(air) = house.air else { return "".into() };
    if air == SumberAir::default() {
        return "Tidak ada".into();
    }
    let sources =
        [(air.pdam, "PDAM"), (air.sumur, "Sumur"), (air.sungai, "Sungai"), (air.dll, "Lainnya")];
    list(sources.into_iter().filter(|(used, _)| *used).map(|(_, name)| name))
}

/// `kategori: komoditi = jumlah | ...`, as the import reads it.
pub(super) fn entries<'a>(
    rows: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
) -> Cow<'static, str> {
    let mut text = String::new();
    for (kategori, komoditi, jumlah) in rows {
        if !text.is_empty() {
            text.push_str(" | ");
        }
        text.push_str(kategori);
        text.push_str(": ");
        text.push_str(&escape(&tidy(komoditi)));
        if !jumlah.is_empty() {
            text.push_str(" = ");
            text.push_str(&escape(&tidy(jumlah)));
        }
    }
    tidy(&text).into_owned().into()
}
