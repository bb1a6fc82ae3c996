//! What a sheet prints for whom.
//!
//! Inside the office a sheet prints every count. For the public no count of
//! 1 to 4 people, families or houses is printed, and none that would give
//! such a count away: it could be found as the difference to a total, or to
//! the other half of a pair (healthy and other houses, rice and other
//! staples). Zeros are printed. Sheets of single houses are not for the
//! public at all. Each sheet is made safe by itself; where no row can cover
//! a small count its total is hidden, which a sheet of the level above still
//! has as a row: there it is a sum of several.

use lumbung_domain::indicator::{Indikator, IndikatorVector, Satuan};
use lumbung_domain::recap::{Cell, Isi, Level, SheetCells};

use super::Recap;

/// Counts below this are not for the public.
pub const SMALL: u64 = 5;

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

/// Columns that add up to a third one in every row.
const PAIRS: [[Indikator; 3]; 2] = [
    [Indikator::RumahSehat, Indikator::RumahTidakSehat, Indikator::JmlKrt],
    [Indikator::MakanBeras, Indikator::MakanNonBeras, Indikator::JmlKrt],
];

/// Counters of what a sheet could not place; printed in sentences below it.
const GAPS: [Indikator; 4] = [
    Indikator::RumahBelumDinilai,
    Indikator::MakananBelumDiisi,
    Indikator::WargaTanpaJk,
    Indikator::WargaTanpaLahir,
];

const fn is_small(count: u64) -> bool {
    0 < count && count < SMALL
}

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

    fn for_the_public(&self) -> Printed {
        let hidden = Hidden::of(self);
        let mut cells = self.sheet.cells();
        let columns = self.sheet.form.columns.iter().zip(0_usize..);
        for (column, at) in columns {
            let Isi::Jumlah(indikator) = column.isi else { continue };
            let lines = cells.rows.iter_mut().chain([&mut cells.total]);
            for (line, number) in lines.zip(0..) {
                if hidden.has(number, indikator)
                    && let Some(cell) = line.get_mut(at)
                {
                    *cell = Cell::Text(HIDDEN.to_owned());
                }
            }
        }
        let mut told = self.clone();
        for gap in GAPS {
            if is_small(told.sheet.total.get(gap)) {
                told.sheet.total.set(gap, 0);
            }
        }
        if is_small(told.unplaced) {
            told.unplaced = 0;
        }
        let mut footnotes = told.footnotes();
        footnotes.push(format!(
            "{HIDDEN} tidak ditampilkan: kurang dari {SMALL}, atau bisa dipakai menghitung angka \
             yang kurang dari {SMALL}."
        ));
        Printed { cells, footnotes }
    }
}

/// Which counts of a sheet are not printed: the rows, then the total.
struct Hidden<'a> {
    lines: Vec<&'a IndikatorVector>,
    columns: Vec<Indikator>,
    hidden: Vec<Vec<bool>>,
}

impl<'a> Hidden<'a> {
    fn of(recap: &'a Recap) -> Self {
        let sheet = &recap.sheet;
        let lines: Vec<_> =
            sheet.rows.iter().map(|row| &row.vector).chain([&sheet.total]).collect();
        let columns: Vec<_> = sheet
            .form
            .columns
            .iter()
            .filter_map(|column| match column.isi {
                // Regions are no secret, and a house may have many latrines.
                Isi::Jumlah(it) if !matches!(it.unit(), Satuan::Wilayah) => Some(it),
                _ => None,
            })
            .collect();
        let hidden = lines
            .iter()
            .map(|line| columns.iter().map(|column| is_small(line.get(*column))).collect())
            .collect();
        let mut all = Self { lines, columns, hidden };
        // Hiding only ever adds, so this ends.
        while all.close_columns() | all.close_pairs() {}
        all
    }

    fn has(&self, line: usize, indikator: Indikator) -> bool {
        let column = self.columns.iter().position(|it| *it == indikator);
        column.is_some_and(|column| self.hidden.get(line).is_some_and(|line| line[column]))
    }

    fn count(&self, line: usize, column: usize) -> u64 {
        self.lines[line].get(self.columns[column])
    }

    /// In a column of which anything is hidden, a count that is not small is
    /// hidden as well: what all hidden ones add up to then says nothing about
    /// a small one. Says whether anything was hidden.
    fn close_columns(&mut self) -> bool {
        let mut more = false;
        for column in 0..self.columns.len() {
            let lines = 0..self.lines.len();
            let hidden: Vec<_> = lines.clone().filter(|line| self.hidden[*line][column]).collect();
            let covered =
                hidden.len() > 1 && hidden.iter().any(|line| self.count(*line, column) >= SMALL);
            if hidden.is_empty() || covered {
                continue;
            }
            // The total comes last and is taken only where no row is left.
            let cover = lines
                .filter(|line| !self.hidden[*line][column] && self.count(*line, column) >= SMALL)
                .min_by_key(|line| (*line + 1 == self.lines.len(), self.count(*line, column)));
            if let Some(line) = cover {
                self.hidden[line][column] = true;
                more = true;
            }
        }
        more
    }

    /// Of columns that add up, one alone is never hidden.
    fn close_pairs(&mut self) -> bool {
        let mut more = false;
        for pair in PAIRS {
            let places: Vec<_> = pair
                .iter()
                .filter_map(|it| self.columns.iter().position(|column| column == it))
                .collect();
            if places.len() < pair.len() {
                continue;
            }
            for line in 0..self.lines.len() {
                let hidden = places.iter().filter(|column| self.hidden[line][**column]).count();
                let others =
                    places.iter().filter(|column| !self.hidden[line][**column]).min_by_key(
                        |column| (self.count(line, **column) == 0, self.count(line, **column)),
                    );
                if hidden == 1
                    && let Some(column) = others
                {
                    self.hidden[line][*column] = true;
                    more = true;
                }
            }
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use lumbung_domain::recap::{Sheet, SheetRow};
    use proptest::prelude::*;

    use super::*;

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
        Recap {
            below: vec![None; rows.len()],
            houses: Vec::new(),
            sheet: Sheet::new(Level::Desa.form(), "uji", date(2026, 12, 31), rows),
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
    fn small_counts_and_those_that_give_them_away_are_hidden() {
        let sheet = recap(&[[2, 9, 9], [40, 9, 9], [50, 9, 9]]);
        assert_eq!(column(&sheet, Indikator::TotalL), [None, None, Some(50), Some(92)]);
        let sheet = recap(&[[0, 9, 9], [40, 9, 9]]);
        assert_eq!(column(&sheet, Indikator::TotalL), [Some(0), Some(40), Some(40)]);
        // Two small ones would be told apart by their sum.
        let sheet = recap(&[[1, 9, 9], [1, 9, 9], [30, 9, 9]]);
        assert_eq!(column(&sheet, Indikator::TotalL), [None, None, None, Some(32)]);
        // Where no row can cover, the total goes.
        let sheet = recap(&[[3, 9, 9], [3, 9, 9]]);
        assert_eq!(column(&sheet, Indikator::TotalL), [None, None, None]);
    }

    #[test]
    fn the_other_half_of_a_pair_is_hidden_too() {
        let sheet = recap(&[[9, 3, 60], [9, 40, 50], [9, 30, 70]]);
        assert_eq!(column(&sheet, Indikator::RumahSehat)[0], None);
        let other = column(&sheet, Indikator::RumahTidakSehat)[0];
        assert!(other.is_none() || column(&sheet, Indikator::JmlKrt)[0].is_none());
    }

    #[test]
    fn sheets_of_single_houses_are_for_nobody_outside() {
        let mut sheet = recap(&[[9, 9, 9]]);
        sheet.sheet.form = Level::Dasawisma.form();
        assert!(sheet.printed(Audience::Public).is_none());
        assert!(sheet.printed(Audience::Office).is_some());
    }

    #[test]
    fn small_counts_leave_the_sentences_too() {
        let sheet = recap(&[[9, 9, 9]]);
        assert!(sheet.footnotes().iter().any(|note| note.starts_with("2 warga")));
        let printed = sheet.printed(Audience::Public).unwrap();
        assert!(!printed.footnotes.iter().any(|note| note.starts_with("2 warga")));
    }

    proptest! {
        /// From what is printed no small count can be worked out: in every
        /// column where something is hidden, the hidden ones hold one that is
        /// not small, so that their sum fits any value of the small ones.
        #[test]
        fn no_difference_gives_a_small_count_away(
            counts in proptest::collection::vec([0_u64..12, 0_u64..12, 0_u64..12], 1..9)
        ) {
            let sheet = recap(&counts);
            for (indikator, place) in
                [(Indikator::TotalL, 0), (Indikator::RumahSehat, 1), (Indikator::RumahTidakSehat, 2)]
            {
                let printed = column(&sheet, indikator);
                let total: u64 = counts.iter().map(|row| row[place]).sum();
                let true_ones: Vec<u64> =
                    counts.iter().map(|row| row[place]).chain([total]).collect();
                let hidden: Vec<u64> = printed
                    .iter()
                    .zip(&true_ones)
                    .filter(|(cell, _)| cell.is_none())
                    .map(|(_, count)| *count)
                    .collect();
                for (cell, count) in printed.iter().zip(&true_ones) {
                    prop_assert!(cell.is_none_or(|cell| cell == *count && !is_small(cell)));
                }
                let small_alone = !hidden.is_empty() && hidden.iter().all(|count| *count < SMALL);
                prop_assert!(!small_alone || total < SMALL, "{counts:?} {printed:?}");
            }
            let line = |indikator| column(&sheet, indikator);
            let (sehat, tidak, krt) = (
                line(Indikator::RumahSehat),
                line(Indikator::RumahTidakSehat),
                line(Indikator::JmlKrt),
            );
            for at in 0..sehat.len() {
                let hidden = [sehat[at], tidak[at], krt[at]];
                prop_assert_ne!(hidden.iter().filter(|cell| cell.is_none()).count(), 1);
            }
        }
    }
}
