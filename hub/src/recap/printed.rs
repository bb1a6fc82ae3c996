//! What a sheet prints for whom.
//!
//! Inside the office a sheet prints every count. What anybody may have is a
//! sheet of a publication, whose counts chance has moved
//! (see [`super::publication`]); small ones are not told. Sheets of single
//! houses are not for the public at all.

use lumbung_domain::indicator::Indikator;
use lumbung_domain::recap::{Cell, Footnote, Isi, Level, SheetCells, tanggal_indonesia};
use lumbung_telemetry::clock;

use super::Recap;
use super::publication::{STEP, TOLD_FROM, is_secret};
use crate::dataset::Publication;

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
    pub footnotes: Vec<Footnote>,
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

    /// The publication that it stands in.
    #[must_use]
    pub const fn publication(&self) -> Option<&Publication> {
        self.published.as_ref()
    }

    /// What the sheet prints for these readers; `None` when it is not for
    /// them: the public gets what was published and nothing else.
    #[must_use]
    pub fn printed(&self, audience: Audience) -> Option<Printed> {
        match (audience, &self.published) {
            (Audience::Office, None) => {
                Some(Printed { cells: self.cells(), footnotes: self.footnotes() })
            }
            (_, Some(publication)) if self.may_be_public() => {
                Some(self.for_the_public(publication))
            }
            (_, Some(_)) | (Audience::Public, None) => None,
        }
    }

    fn for_the_public(&self, publication: &Publication) -> Printed {
        let mut cells = self.sheet.cells();
        for line in cells.rows.iter_mut().chain([&mut cells.total]) {
            for (cell, column) in line.iter_mut().zip(&self.sheet.form.columns) {
                let secret = matches!(column.isi, Isi::Jumlah(it) if is_secret(it));
                if matches!(cell, Cell::Number(..TOLD_FROM)) && secret {
                    *cell = Cell::Text(HIDDEN.to_owned());
                }
            }
        }
        let mut told = self.clone();
        for gap in GAPS {
            if told.sheet.total.get(gap) < TOLD_FROM {
                told.sheet.total.set(gap, 0);
            }
        }
        let mut footnotes = told.sheet.rules();
        footnotes.extend(told.sheet.gaps());
        footnotes.extend(told.unplaced_note().filter(|_| told.unplaced >= TOLD_FROM));
        footnotes.extend(about(publication));
        footnotes.push(Footnote::of_rules(publication.rules));
        Printed { cells, footnotes }
    }
}

/// What has to be known of every published sheet.
fn about(publication: &Publication) -> [Footnote; 3] {
    let made = clock::local(publication.made_ms).date();
    [
        Footnote::new(
            format!(
                "Terbitan untuk umum, dibuat {}; tidak berubah lagi sesudahnya.",
                tanggal_indonesia(made)
            ),
            format!("Published {}; it does not change any more.", made.strftime("%-d %B %Y")),
        ),
        Footnote::new(
            format!(
                "Demi kerahasiaan, tiap angka orang, keluarga dan rumah digeser sedikit secara \
                 acak dan dibulatkan ke kelipatan {STEP}, masing-masing sendiri: jumlah tidak \
                 persis sama dengan penjumlahan barisnya. Selisih sekitar 10 antara dua terbitan \
                 atau dua lembar bukan tanda ada perubahan."
            ),
            format!(
                "To keep secrets, each count of people, families and houses is moved a little by \
                 chance and rounded to a multiple of {STEP}, each for itself: totals do not add up \
                 exactly. A difference of about 10 between two publications or two sheets is no \
                 sign that anything changed."
            ),
        ),
        Footnote::new(
            format!("{HIDDEN} tidak ditampilkan: kurang dari {TOLD_FROM}."),
            format!("{HIDDEN} not shown: less than {TOLD_FROM}."),
        ),
    ]
}
