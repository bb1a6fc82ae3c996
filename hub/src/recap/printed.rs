//! What a sheet prints for whom.
//!
//! Inside the office a sheet prints every count. For the public no count of
//! 1 to 4 people, families or houses is printed, and none that would give
//! such a count away, whatever other public sheets lie beside it ([`Veil`]).
//! Sheets of single houses are not for the public at all. How many could not
//! be placed is told below the kabupaten's sheet only: sheets of parts would
//! tell it of their last part.

use lumbung_domain::indicator::Indikator;
use lumbung_domain::recap::{Cell, Isi, Level, SheetCells};

use super::Recap;
use super::veil::{SMALL, Veil, is_small};

/// What stands in place of a count that is not printed.
pub const HIDDEN: &str = "*";

/// Whom a sheet is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// The offices that work with it.
    #[default]
    Office,
    /// Anybody.
    Public,
}

/// What a sheet prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The cells.
    pub cells: SheetCells,
    /// The sentences below.
    pub footnotes: Vec<String>,
}

/// Counters of what a sheet could not place; printed in sentences below it.
const GAPS: [Indikator; 4] = [
    Indikator::RumahBelumDinilai,
    Indikator::MakananBelumDiisi,
    Indikator::WargaTanpaJk,
    Indikator::WargaTanpaLahir,
];

impl Recap {
    /// Whether a sheet of this form may be for the public: one row there is
    /// more than one house.
    #[must_use]
    pub fn may_be_public(&self) -> bool {
        self.sheet.form.number() != Level::Dasawisma.form().number()
    }

    /// What the sheet prints for these readers; `None` when it is not for
    /// them.
    #[must_use]
    pub fn printed(&self, audience: Audience) -> Option<Printed> {
        match audience {
            Audience::Office => Some(Printed { cells: self.cells(), footnotes: self.footnotes() }),
            Audience::Public if self.may_be_public() => Some(self.for_the_public()),
            Audience::Public => None,
        }
    }

    /// Learns what its public sheet must not tell; until then that tells no
    /// count at all.
    pub fn cover(&mut self, veil: Veil) {
        self.veil = Some(veil);
    }

    fn for_the_public(&self) -> Printed {
        let total = self.veil.clone().unwrap_or_else(Veil::everything);
        let rows = total.clone().beside(self.sheet.rows.iter().map(|row| &row.vector));
        let mut cells = self.sheet.cells();
        let columns = self.sheet.form.columns.iter().zip(0_usize..);
        for (column, at) in columns {
            let Isi::Jumlah(indikator) = column.isi else { continue };
            let rows = cells.rows.iter_mut().map(|line| (line, &rows));
            for (line, veil) in rows.chain([(&mut cells.total, &total)]) {
                if let Some(cell) = line.get_mut(at).filter(|_| veil.hides(indikator)) {
                    *cell = Cell::Text(HIDDEN.to_owned());
                }
            }
        }
        let mut told = self.clone();
        let is_top = self.above.is_empty();
        for gap in GAPS {
            if !is_top || is_small(told.sheet.total.get(gap)) || total.hides(gap) {
                told.sheet.total.set(gap, 0);
            }
        }
        if !is_top || is_small(told.unplaced) {
            told.unplaced = 0;
        }
        let mut footnotes = told.footnotes();
        footnotes.push(format!(
            "{HIDDEN} tidak ditampilkan: kurang dari {SMALL}, atau bisa dipakai menghitung angka \
             yang kurang dari {SMALL} di lembar ini atau lembar umum lain."
        ));
        Printed { cells, footnotes }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use lumbung_domain::indicator::IndikatorVector;
    use lumbung_domain::recap::{Sheet, SheetRow};

    use super::*;
    use crate::recap::RegionRef;

    /// The sheet of the kabupaten, as if it had these rows.
    fn recap(counts: &[[u64; 3]]) -> Recap {
        let rows = counts.iter().map(|[l, sehat, tidak]| SheetRow {
            label: "x".to_owned(),
            vector: IndikatorVector::single(Indikator::TotalL, *l)
                + IndikatorVector::single(Indikator::RumahSehat, *sehat)
                + IndikatorVector::single(Indikator::RumahTidakSehat, *tidak)
                + IndikatorVector::single(Indikator::JmlKrt, *sehat + *tidak),
            note: String::new(),
        });
        let rows: Vec<_> = rows.collect();
        let sheet = Sheet::new(Level::Desa.form(), "uji", date(2026, 12, 31), rows);
        Recap {
            below: vec![None; sheet.rows.len()],
            houses: Vec::new(),
            veil: Some(Veil::of_all(&sheet.total)),
            sheet,
            above: Vec::new(),
            unplaced: 2,
            closed: false,
        }
    }

    /// One column as printed, the total last.
    fn column(recap: &Recap, indikator: Indikator) -> Vec<Option<u64>> {
        let printed = recap.printed(Audience::Public).unwrap();
        let at = recap.sheet.form.columns.iter().position(|it| it.isi == Isi::Jumlah(indikator));
        let lines = printed.cells.rows.iter().chain([&printed.cells.total]);
        lines
            .map(|line| match &line[at.unwrap()] {
                Cell::Number(number) => Some(*number),
                Cell::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn a_column_is_printed_whole_or_not_at_all() {
        let sheet = recap(&[[2, 9, 9], [40, 9, 9], [50, 9, 9]]);
        assert_eq!(column(&sheet, Indikator::TotalL), [None, None, None, Some(92)]);
        assert_eq!(column(&sheet, Indikator::RumahSehat), [9, 9, 9, 27].map(Some));
        let sheet = recap(&[[0, 9, 9], [40, 9, 9]]);
        assert_eq!(column(&sheet, Indikator::TotalL), [0, 40, 40].map(Some));
        let sheet = recap(&[[3, 9, 9], [0, 9, 9]]);
        assert_eq!(column(&sheet, Indikator::TotalL), [None, None, None]);
    }

    #[test]
    fn the_other_half_of_a_pair_is_hidden_too() {
        let sheet = recap(&[[9, 3, 60], [9, 40, 50], [9, 30, 70]]);
        assert_eq!(column(&sheet, Indikator::RumahSehat), [None, None, None, Some(73)]);
        assert_eq!(column(&sheet, Indikator::RumahTidakSehat), [None, None, None, Some(180)]);
        assert_eq!(column(&sheet, Indikator::JmlKrt), [63, 90, 100, 253].map(Some));
    }

    #[test]
    fn a_sheet_that_nobody_held_against_the_others_tells_nothing() {
        let mut sheet = recap(&[[9, 9, 9], [9, 9, 9]]);
        assert_eq!(column(&sheet, Indikator::TotalL), [9, 9, 18].map(Some));
        sheet.veil = None;
        assert_eq!(column(&sheet, Indikator::TotalL), [None; 3]);
    }

    #[test]
    fn sheets_of_single_houses_are_for_nobody_outside() {
        let mut sheet = recap(&[[9, 9, 9]]);
        sheet.sheet.form = Level::Dasawisma.form();
        assert!(sheet.printed(Audience::Public).is_none());
        assert!(sheet.printed(Audience::Office).is_some());
    }

    #[test]
    fn what_could_not_be_placed_is_told_of_the_whole_alone() {
        let mut sheet = recap(&[[9, 9, 9]]);
        sheet.unplaced = 12;
        let told = |sheet: &Recap, audience| {
            let printed = sheet.printed(audience).unwrap();
            printed.footnotes.iter().any(|note| note.starts_with("12 warga hidup"))
        };
        assert!(told(&sheet, Audience::Public));
        sheet.above.push((RegionRef::Kabupaten, String::new()));
        assert!(told(&sheet, Audience::Office) && !told(&sheet, Audience::Public));
        (sheet.above, sheet.unplaced) = (Vec::new(), 2);
        let few = sheet.printed(Audience::Public).unwrap().footnotes;
        assert!(!few.iter().any(|note| note.starts_with("2 warga")), "{few:?}");
    }
}
