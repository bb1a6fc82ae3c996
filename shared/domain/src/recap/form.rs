//! The forms: titles and columns, from the PKK administration guideline
//! (Rakernas X) as transcribed column by column.
//!
//! 4.16a and 4.16b circulate in two editions; both are kept, see [`Edisi`].

use std::sync::LazyLock;

use super::Level;
use crate::indicator::Indikator;

const FORMS: &str = include_str!("forms.tsv");
const COLUMNS: &str = include_str!("columns.tsv");

/// The two editions of 4.16a and 4.16b. Both have 29 and 30 columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edisi {
    /// With the column "menempel stiker P4K", without "3 buta".
    #[default]
    StikerP4k,
    /// With the column "3 buta", without the sticker (`4.16a-X`).
    TigaButa,
}

impl Edisi {
    /// Both, the usual one first.
    pub const ALL: [Self; 2] = [Self::StikerP4k, Self::TigaButa];

    /// The name used in commands and addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StikerP4k => "p4k",
            Self::TigaButa => "3buta",
        }
    }

    /// The edition with this name; the usual one without a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "" => Some(Self::default()),
            name => Self::ALL.into_iter().find(|edisi| edisi.name() == name),
        }
    }
}

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isi {
    /// Row number.
    Nomor,
    /// Name or number of the row's unit.
    Nama,
    /// The count of an indicator.
    Jumlah(Indikator),
    /// Remark.
    Keterangan,
}

/// One column of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Heading over several columns; empty for a column of its own.
    pub group: &'static str,
    /// Heading of the column.
    pub header: &'static str,
    /// Key of the column in exports; an indicator key where it counts.
    pub key: &'static str,
    /// What stands in it.
    pub isi: Isi,
}

/// One form.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// Number of the form ("4.16a"); `-X` marks the other edition.
    pub key: &'static str,
    /// Title as printed.
    pub title: &'static str,
    /// What a row is ("dasawisma").
    pub row_unit: &'static str,
    /// Columns from left to right.
    pub columns: Vec<Column>,
}

impl Form {
    /// The form's number without the mark of the edition.
    #[must_use]
    pub fn number(&self) -> &'static str {
        self.key.trim_end_matches("-X")
    }

    /// Which edition it is; the usual one where both are the same.
    #[must_use]
    pub fn edisi(&self) -> Edisi {
        if self.key.ends_with("-X") { Edisi::TigaButa } else { Edisi::StikerP4k }
    }

    /// The same sheet in an edition; itself where both are the same.
    #[must_use]
    pub fn in_edition(&'static self, edisi: Edisi) -> &'static Self {
        let other = forms().iter().find(|it| it.number() == self.number() && it.edisi() == edisi);
        other.unwrap_or(self)
    }

    /// Whether it circulates in two editions.
    #[must_use]
    pub fn has_editions(&self) -> bool {
        forms().iter().filter(|form| form.number() == self.number()).count() > 1
    }

    /// Whether the form prints this indicator.
    #[must_use]
    pub fn prints(&self, indikator: Indikator) -> bool {
        self.columns.iter().any(|column| column.isi == Isi::Jumlah(indikator))
    }
}

/// Every form, 4.16a first.
#[must_use]
pub fn forms() -> &'static [Form] {
    static BUILT_IN: LazyLock<Vec<Form>> = LazyLock::new(|| {
        let forms = FORMS.lines().map(form_row).collect::<Option<Vec<_>>>();
        forms.expect("the built-in form tables are well formed")
    });
    &BUILT_IN
}

/// The form that a level prints.
pub(super) fn of(level: Level, edisi: Edisi) -> &'static Form {
    let key = match (level, edisi) {
        (Level::Dasawisma, Edisi::StikerP4k) => "4.16a",
        (Level::Dasawisma, Edisi::TigaButa) => "4.16a-X",
        (Level::Rt, Edisi::StikerP4k) => "4.16b",
        (Level::Rt, Edisi::TigaButa) => "4.16b-X",
        (Level::Rw, _) => "4.16c",
        (Level::Dusun, _) => "4.16d",
        (Level::Desa, _) => "4.17a",
        (Level::Kecamatan, _) => "4.17b",
        (Level::Kabupaten, _) => "4.17c",
    };
    let form = forms().iter().find(|form| form.key == key);
    form.expect("every level has its form in the built-in tables")
}

fn form_row(line: &'static str) -> Option<Form> {
    let mut cells = line.split('\t');
    let (key, title, row_unit) = (cells.next()?, cells.next()?, cells.next()?);
    let count: usize = cells.next()?.parse().ok()?;
    let rows = COLUMNS.lines().filter(|row| row.split('\t').next() == Some(key));
    let mut columns = rows.map(column_row).collect::<Option<Vec<_>>>()?;
    print_river_inside_others(&mut columns);
    (columns.len() == count).then_some(Form { key, title, row_unit, columns })
}

fn column_row(line: &'static str) -> Option<Column> {
    let mut cells = line.split('\t').skip(1);
    let (group, header, key) = (cells.next()?, cells.next()?, cells.next()?);
    let isi = match key {
        "no" => Isi::Nomor,
        "ket" => Isi::Keterangan,
        name if name.starts_with("nama_") || name.starts_with("nomor_") => Isi::Nama,
        indikator => Isi::Jumlah(Indikator::from_key(indikator)?),
    };
    Some(Column { group, header, key, isi })
}

/// Below RW the forms have no river column: "dll" holds it.
fn print_river_inside_others(columns: &mut [Column]) {
    if columns.iter().any(|column| column.isi == Isi::Jumlah(Indikator::AirSungai)) {
        return;
    }
    for column in columns {
        if column.isi == Isi::Jumlah(Indikator::AirDll) {
            column.isi = Isi::Jumlah(Indikator::AirSungaiDll);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_have_their_official_number_of_columns() {
        for (key, columns) in [
            ("4.16a", 29),
            ("4.16b", 30),
            ("4.16a-X", 29),
            ("4.16b-X", 30),
            ("4.16c", 32),
            ("4.16d", 33),
            ("4.17a", 33),
            ("4.17b", 35),
            ("4.17c", 36),
        ] {
            let form = forms().iter().find(|form| form.key == key).unwrap();
            assert_eq!(form.columns.len(), columns, "{key}");
            assert_eq!(form.columns[0].isi, Isi::Nomor, "{key}");
            assert_eq!(form.columns[1].isi, Isi::Nama, "{key}");
            assert_eq!(form.columns[columns - 1].isi, Isi::Keterangan, "{key}");
        }
        assert_eq!(forms().len(), 9);
    }

    #[test]
    fn a_forms_columns_have_keys_of_their_own() {
        for form in forms() {
            let keys: std::collections::BTreeSet<_> =
                form.columns.iter().map(|column| column.key).collect();
            assert_eq!(keys.len(), form.columns.len(), "{}", form.key);
            let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
            assert!(keys.iter().all(|key| !key.is_empty() && key.bytes().all(plain)), "{keys:?}");
            // Commands say in a column of this name what a row sums up.
            assert!(!keys.contains("region"), "{}", form.key);
        }
    }

    #[test]
    fn two_sheets_have_a_second_edition_and_the_others_stay_as_they_are() {
        for level in Level::ALL {
            let twofold = matches!(level, Level::Dasawisma | Level::Rt);
            assert_eq!(level.form().has_editions(), twofold, "{level:?}");
            let other = level.form().in_edition(Edisi::TigaButa);
            assert_eq!(other, level.form_in(Edisi::TigaButa));
            assert!(!other.prints(Indikator::StikerP4k));
            assert_eq!(other.in_edition(Edisi::StikerP4k), level.form());
            assert_eq!(other == level.form(), !twofold, "{level:?}");
        }
        for edisi in Edisi::ALL {
            assert_eq!(Edisi::from_name(edisi.name()), Some(edisi));
        }
        assert_eq!(Edisi::from_name(""), Some(Edisi::StikerP4k));
        assert_eq!(Edisi::from_name("x"), None);
    }

    #[test]
    fn the_traps_between_the_forms_are_kept() {
        use Indikator as I;
        for (key, prints, not) in [
            (
                "4.16a",
                vec![I::StikerP4k, I::AirSungaiDll, I::BerkebutuhanKhusus],
                vec![I::Buta3, I::AirSungai, I::AirDll, I::JumlahMck, I::JmlKrt],
            ),
            (
                "4.16b-X",
                vec![I::Buta3, I::AirSungaiDll, I::JmlKrt],
                vec![I::StikerP4k, I::Buta3L, I::AirDll],
            ),
            (
                "4.16c",
                vec![I::Buta3L, I::Buta3P, I::AirSungai, I::AirDll, I::JumlahMck],
                vec![I::BerkebutuhanKhusus, I::PunyaJamban, I::AirSungaiDll],
            ),
            ("4.17a", vec![I::Buta3, I::JmlRw, I::JmlRt], vec![I::Buta3L, I::JmlDusun]),
            ("4.17b", vec![I::Buta3L, I::JmlDusun], vec![I::Buta3, I::JmlDesa]),
            ("4.17c", vec![I::JmlDesa], vec![I::Buta3]),
        ] {
            let form = forms().iter().find(|form| form.key == key).unwrap();
            for indikator in prints {
                assert!(form.prints(indikator), "{key} prints {}", indikator.key());
            }
            for indikator in not {
                assert!(!form.prints(indikator), "{key} doesn't print {}", indikator.key());
            }
        }
    }
}
