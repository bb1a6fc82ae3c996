//! One filled-in sheet and what it prints.

use jiff::civil::Date;

use super::form::{Form, Isi};
use super::{RULE_VERSION, tanggal_indonesia};
use crate::indicator::{Indikator, IndikatorVector, Kejanggalan};

/// One row: a house, a group or a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetRow {
    /// Name or number of the unit.
    pub label: String,
    /// Its counts.
    pub vector: IndikatorVector,
    /// Remark; printed in the last column.
    pub note: String,
}

/// A recap of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The form it is printed on.
    pub form: &'static Form,
    /// Title as printed.
    pub title: &'static str,
    /// The region or group it is about ("RT 004 RW 002 Dusun Krajan").
    pub wilayah: String,
    /// The day the counts hold for.
    pub tanggal_acuan: Date,
    /// The units one level below.
    pub rows: Vec<SheetRow>,
    /// The sum of the rows.
    pub total: IndikatorVector,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A count or a row number.
    Number(u64),
    /// Words; may be empty.
    Text(String),
}

/// The cells of a sheet, one per column of its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetCells {
    /// The rows from top to bottom.
    pub rows: Vec<Vec<Cell>>,
    /// The row "JUMLAH".
    pub total: Vec<Cell>,
}

/// A sentence below a sheet. Official sheets are printed in Bahasa Indonesia;
/// the English one is for who reads them on a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footnote {
    /// In Bahasa Indonesia.
    pub id: String,
    /// In English.
    pub en: String,
}

impl Footnote {
    /// A sentence in both languages.
    #[must_use]
    pub fn new(id: impl Into<String>, en: impl Into<String>) -> Self {
        Self { id: id.into(), en: en.into() }
    }

    /// By which rules a sheet of now is counted.
    #[must_use]
    pub fn rule_version() -> Self {
        Self::of_rules(RULE_VERSION)
    }

    /// By which rules a sheet was counted.
    #[must_use]
    pub fn of_rules(version: u32) -> Self {
        Self::new(
            format!("Aturan hitung versi {version}."),
            format!("Counting rules version {version}."),
        )
    }
}

impl Sheet {
    /// A sheet over these rows; the total is their sum.
    #[must_use]
    pub fn new(
        form: &'static Form,
        wilayah: impl Into<String>,
        tanggal_acuan: Date,
        rows: Vec<SheetRow>,
    ) -> Self {
        let total = rows.iter().map(|row| &row.vector).sum();
        Self { form, title: form.title, wilayah: wilayah.into(), tanggal_acuan, rows, total }
    }

    /// What the sheet prints, column by column.
    #[must_use]
    pub fn cells(&self) -> SheetCells {
        let rows = self.rows.iter().zip(1..).map(|(row, number)| {
            self.line(&Cell::Number(number), &row.label, &row.vector, &row.note)
        });
        SheetCells {
            rows: rows.collect(),
            total: self.line(&Cell::Text(String::new()), "JUMLAH", &self.total, ""),
        }
    }

    /// The sentences below the sheet: how it was counted, and what is missing
    /// in the records.
    #[must_use]
    pub fn footnotes(&self) -> Vec<Footnote> {
        let mut notes = self.rules();
        notes.extend(self.gaps());
        if self.total.kejanggalan().contains(&Kejanggalan::KkKurangDariKrt) {
            notes.push(Footnote::new(
                "Kartu keluarga lebih sedikit daripada rumah tangga: ada rumah tangga yang belum \
                 punya kartu keluarga.",
                "There are fewer family cards than households: some household has none yet.",
            ));
        }
        notes.push(Footnote::rule_version());
        notes
    }

    /// The day it holds for, and how the open questions of the form were
    /// settled.
    #[must_use]
    pub fn rules(&self) -> Vec<Footnote> {
        let day = self.tanggal_acuan;
        let mut notes = vec![Footnote::new(
            format!(
                "Keadaan pada tanggal {}: orang, kartu keluarga dan wilayah yang ada, dan umur, \
                 dihitung pada tanggal itu. Keadaan rumah, hamil, menyusui, status kawin dan \
                 kegiatan menurut catatan terakhir.",
                tanggal_indonesia(day)
            ),
            format!(
                "As of {}: people, family cards and regions that were there, and ages, are \
                 counted on that day. The state of houses, pregnancy, breastfeeding, marital \
                 status and activities are as last recorded.",
                day.strftime("%-d %B %Y")
            ),
        )];
        for column in &self.form.columns {
            let Isi::Jumlah(indikator) = column.isi else {
                continue;
            };
            if let Some((id, en)) = indikator.rule_note()
                && !notes.iter().any(|known| known.id == id)
            {
                notes.push(Footnote::new(id, en));
            }
        }
        if self.form.prints(Indikator::AirSungaiDll) {
            notes.push(Footnote::new(
                "Sungai dihitung di kolom DLL.",
                "Rivers are counted in the column DLL (other).",
            ));
        }
        notes
    }

    /// What is missing in the records, with how often.
    #[must_use]
    pub fn gaps(&self) -> Vec<Footnote> {
        let gaps = [
            (
                Indikator::RumahBelumDinilai,
                "rumah belum dinilai kriterianya oleh kader.",
                "houses were not judged by a kader yet.",
            ),
            (
                Indikator::MakananBelumDiisi,
                "rumah belum diisi makanan pokoknya.",
                "houses have no staple food filled in yet.",
            ),
            (
                Indikator::WargaTanpaJk,
                "warga belum diisi jenis kelaminnya dan tidak masuk kolom mana pun.",
                "residents have no sex filled in yet and are in no column.",
            ),
            (
                Indikator::WargaTanpaLahir,
                "warga belum diisi tanggal lahirnya dan tidak masuk kolom menurut umur.",
                "residents have no birth date filled in yet and are in no column of an age.",
            ),
        ];
        let counted = gaps.into_iter().map(|(gap, id, en)| (self.total.get(gap), id, en));
        let there = counted.filter(|(count, ..)| *count > 0);
        there
            .map(|(count, id, en)| Footnote::new(format!("{count} {id}"), format!("{count} {en}")))
            .collect()
    }

    fn line(&self, number: &Cell, label: &str, vector: &IndikatorVector, note: &str) -> Vec<Cell> {
        let cell = |isi| match isi {
            Isi::Nomor => number.clone(),
            Isi::Nama => Cell::Text(label.to_owned()),
            Isi::Jumlah(indikator) => Cell::Number(vector.get(indikator)),
            Isi::Keterangan => Cell::Text(note.to_owned()),
        };
        self.form.columns.iter().map(|column| cell(column.isi)).collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::indicator::{RumahFacts, rumah_tangga_vector};
    use crate::recap::{Edisi, Level};
    use crate::record::SumberAir;

    const T: Date = date(2026, 12, 31);

    fn river_house() -> IndikatorVector {
        let air = SumberAir { sungai: true, dll: true, ..SumberAir::default() };
        let house = RumahFacts { air, jumlah_mck: 2, stiker_p4k: true, ..RumahFacts::default() };
        rumah_tangga_vector(&house, 1, &[], T)
            + IndikatorVector::single(Indikator::Buta3L, 1)
            + IndikatorVector::single(Indikator::Buta3P, 2)
    }

    fn sheet(form: &'static Form) -> Sheet {
        let row = |label: &str| SheetRow {
            label: label.to_owned(),
            vector: river_house(),
            note: "baru".to_owned(),
        };
        Sheet::new(form, "RT 004", T, vec![row("Melati"), row("Mawar")])
    }

    fn printed(sheet: &Sheet, key: &str) -> Cell {
        let at = sheet.form.columns.iter().position(|column| column.key == key).unwrap();
        sheet.cells().total[at].clone()
    }

    #[test]
    fn below_rw_the_river_is_printed_inside_others_once_per_house() {
        for level in [Level::Dasawisma, Level::Rt] {
            assert_eq!(printed(&sheet(level.form()), "air_dll"), Cell::Number(2));
        }
        let rw = sheet(Level::Rw.form());
        assert_eq!(printed(&rw, "air_dll"), Cell::Number(2));
        assert_eq!(printed(&rw, "air_sungai"), Cell::Number(2));
        assert_eq!(printed(&rw, "jumlah_mck"), Cell::Number(4));
    }

    #[test]
    fn three_blind_is_one_column_or_two() {
        let desa = sheet(Level::Desa.form());
        assert_eq!(printed(&desa, "buta3"), Cell::Number(6));
        let rt = sheet(Level::Rt.form_in(Edisi::TigaButa));
        assert_eq!(printed(&rt, "buta3"), Cell::Number(6));
        let kecamatan = sheet(Level::Kecamatan.form());
        assert_eq!(printed(&kecamatan, "buta3_l"), Cell::Number(2));
        assert_eq!(printed(&kecamatan, "buta3_p"), Cell::Number(4));
    }

    #[test]
    fn rows_and_total_fill_every_column() {
        for level in Level::ALL {
            let sheet = sheet(level.form());
            let cells = sheet.cells();
            let width = sheet.form.columns.len();
            assert!(cells.rows.iter().all(|row| row.len() == width));
            assert_eq!(cells.total.len(), width);
            assert_eq!(cells.rows[1][0], Cell::Number(2));
            assert_eq!(cells.rows[1][1], Cell::Text("Mawar".to_owned()));
            assert_eq!(cells.rows[1][width - 1], Cell::Text("baru".to_owned()));
            assert_eq!(cells.total[1], Cell::Text("JUMLAH".to_owned()));
            assert_eq!(Level::from_name(level.name()), Some(level));
        }
    }

    #[test]
    fn footnotes_tell_the_day_the_units_and_the_gaps() {
        let notes = sheet(Level::Rt.form()).footnotes();
        let first = &notes[0];
        assert!(first.id.contains("31 Desember 2026") && first.en.contains("31 December 2026"));
        let joined = |notes: &[Footnote]| -> String {
            notes.iter().map(|note| format!("{}\n{}\n", note.id, note.en)).collect()
        };
        let all = joined(&notes);
        for words in [
            "UP2K",
            "Sungai dihitung",
            "2 rumah belum dinilai",
            "2 houses were not judged",
            "versi 2",
            "pasangan",
            "tidak masuk kolom sumber air mana pun",
        ] {
            assert!(all.contains(words), "{words} in {all}");
        }
        assert!(!all.contains("jenis kelaminnya"), "no gap, no note: {all}");
        let mut once = notes.clone();
        once.dedup();
        assert_eq!(once, notes);
        let wider = joined(&sheet(Level::Rw.form()).footnotes());
        assert!(!wider.contains("Sungai dihitung") && wider.contains("belum diisi dihitung 0"));
    }
}
