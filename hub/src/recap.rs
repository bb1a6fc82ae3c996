//! The recap of a region at a date: the PKK sheets 4.16a to 4.17c.
//!
//! Per village the facts are read once, one indicator vector is made per
//! house, and vectors are added up the tree. So kabupaten = sum of kecamatan
//! = sum of desa = sum of houses, by construction and by test. Houses outside
//! every dasawisma, RT, RW or dusun get a row of their own; residents outside
//! every house are told in a footnote. Sums of whole villages are kept while
//! their rows stay ([`KeptSums`]); sheets within a village are counted anew.

mod kept;
mod printed;
mod publication;
mod stated;
#[cfg(test)]
pub(crate) mod tests;
mod village;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use lumbung_domain::id::RecordId;
use lumbung_domain::indicator::{Indikator, IndikatorVector};
use lumbung_domain::recap::{Cell, Edisi, Footnote, Isi, Level, Sheet, SheetCells, SheetRow};
use lumbung_domain::region::{Desa, KABUPATEN, KecamatanCode, NAMA_KABUPATEN, VillageCode, roster};

use crate::dataset::search::Mark;
use crate::dataset::{Dataset, DatasetError, HouseRemark, HubsOwn, Publication, Scope};

pub use kept::KeptSums;
pub use printed::{Audience, HIDDEN, Printed};
pub use publication::{Chance, Publisher, STEP, TOLD_FROM, closed_period, running_period};
pub use stated::{Counted, counted_below, counted_villages};

/// Which region a recap is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionRef {
    /// The whole kabupaten.
    Kabupaten,
    /// A kecamatan.
    Kecamatan(KecamatanCode),
    /// A desa or kelurahan.
    Desa(VillageCode),
    /// A dusun, RW, RT or dasawisma of a village.
    Below(VillageCode, RecordId),
}

/// Why there is no recap.
#[derive(Debug, thiserror::Error)]
pub enum RecapError {
    /// The text names no region of this kabupaten.
    #[error(
        "Wilayah {0} tidak dikenal. Tulis 3505, 35.05.01, 35.05.01.2001, atau \
         35.05.01.2001/ID-CATATAN."
    )]
    UnknownRegion(String),
    /// The dataset failed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

/// A sheet with what the console needs around it.
#[derive(Clone, Debug)]
pub struct Recap {
    /// The sheet.
    pub sheet: Sheet,
    /// For each row the region it sums up; `None` for houses and for rows of
    /// what lies in no region.
    pub below: Vec<Option<RegionRef>>,
    /// On sheet 4.16a the house of each row; empty on every other.
    pub houses: Vec<RecordId>,
    /// The regions around this one from the top down, with their names.
    pub above: Vec<(RegionRef, String)>,
    /// Living residents of its villages who stand on no family card in a
    /// known house, so that no sheet can place them. Counted for whole
    /// villages only.
    pub unplaced: u64,
    /// Rows of single houses tell no specific data; see
    /// [`Self::close_houses`].
    closed: bool,
    /// The publication it stands in; `None` = it was counted, and is for the
    /// office.
    published: Option<Publication>,
}

/// What a row of one house, beside the name of its head, tells of the health
/// and the children of its people (UU 27/2022 Pasal 4).
const SPECIFIC: [Indikator; 6] = [
    Indikator::BalitaL,
    Indikator::BalitaP,
    Indikator::IbuHamil,
    Indikator::IbuMenyusui,
    Indikator::BerkebutuhanKhusus,
    Indikator::StikerP4k,
];

/// What stands in place of a closed count.
pub const CLOSED_COUNT: &str = "-";

impl Recap {
    /// The same counts on the form of an edition; only the sheets of a
    /// dasawisma and an RT have two.
    #[must_use]
    pub fn in_edition(mut self, edisi: Edisi) -> Self {
        let form = self.sheet.form.in_edition(edisi);
        (self.sheet.form, self.sheet.title) = (form, form.title);
        self
    }

    /// The sheet's footnotes, with the residents no sheet can place.
    #[must_use]
    pub fn footnotes(&self) -> Vec<Footnote> {
        let mut notes = self.sheet.footnotes();
        notes.extend(self.unplaced_note());
        if self.closed {
            notes.push(Footnote::new(
                format!(
                    "{CLOSED_COUNT} tertutup: data spesifik satu rumah (balita, hamil, menyusui, \
                     berkebutuhan khusus, stiker P4K)."
                ),
                format!(
                    "{CLOSED_COUNT} closed: specific data of one house (children under five, \
                     pregnant, breastfeeding, special needs, P4K sticker)."
                ),
            ));
        }
        notes
    }

    /// How many residents no sheet can place.
    fn unplaced_note(&self) -> Option<Footnote> {
        let count = self.unplaced;
        (count > 0).then(|| {
            Footnote::new(
                format!(
                    "{count} warga hidup belum punya keluarga atau rumah tangga yang dikenal dan \
                     tidak masuk kolom mana pun."
                ),
                format!(
                    "{count} living residents have no known family or household yet and are in no \
                     column."
                ),
            )
        })
    }

    /// Writes what form 4.15 remarks of a house's people into its row.
    fn remark(&mut self, remarks: &[HouseRemark]) {
        for (row, house) in self.sheet.rows.iter_mut().zip(&self.houses) {
            let own = remarks.iter().filter(|remark| remark.house == *house);
            let words = own.map(|remark| format!("{}: {}", remark.nama, remark.keterangan));
            row.note = words.collect::<Vec<_>>().join("; ");
        }
    }

    /// Takes specific data out of rows of single houses; sheets of several
    /// houses a row stay as they are. The total stays too, unless it is one
    /// house.
    pub fn close_houses(&mut self) {
        if self.houses.is_empty() {
            return;
        }
        let alone = self.houses.len() == 1;
        let total = alone.then_some(&mut self.sheet.total);
        let rows = self.sheet.rows.iter_mut().map(|row| &mut row.vector);
        for vector in rows.chain(total) {
            SPECIFIC.into_iter().for_each(|it| vector.set(it, 0));
        }
        self.closed = true;
    }

    /// The sheet's cells, closed ones marked.
    #[must_use]
    pub fn cells(&self) -> SheetCells {
        let mut cells = self.sheet.cells();
        if !self.closed {
            return cells;
        }
        let total = (self.houses.len() == 1).then_some(&mut cells.total);
        for line in cells.rows.iter_mut().chain(total) {
            for (cell, column) in line.iter_mut().zip(&self.sheet.form.columns) {
                if matches!(column.isi, Isi::Jumlah(it) if SPECIFIC.contains(&it)) {
                    *cell = Cell::Text(CLOSED_COUNT.to_owned());
                }
            }
        }
        cells
    }
}

impl fmt::Display for RegionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kabupaten => write!(f, "{KABUPATEN}"),
            Self::Kecamatan(code) => write!(f, "{code}"),
            Self::Desa(code) => write!(f, "{code}"),
            Self::Below(code, id) => write!(f, "{code}/{id}"),
        }
    }
}

impl RegionRef {
    /// Reads a region: `3505`, `35.05.01`, `35.05.01.2001`, or a village with
    /// the id of a dusun, RW, RT or dasawisma after a slash.
    ///
    /// # Errors
    /// [`RecapError::UnknownRegion`].
    pub fn parse(text: &str) -> Result<Self, RecapError> {
        let unknown = || RecapError::UnknownRegion(text.to_owned());
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if let Some((village, id)) = text.split_once('/') {
            let village = VillageCode::parse(village).map_err(|_| unknown())?;
            return Ok(Self::Below(village, id.parse().map_err(|_| unknown())?));
        }
        match digits.len() {
            4 if digits == KABUPATEN.to_string() => Ok(Self::Kabupaten),
            6 => digits
                .parse()
                .ok()
                .and_then(KecamatanCode::from_u64)
                .filter(|code| roster().kecamatan_of(*code).is_some())
                .map(Self::Kecamatan)
                .ok_or_else(unknown),
            10 => VillageCode::parse(text)
                .ok()
                .filter(|code| roster().village(*code).is_some())
                .map(Self::Desa)
                .ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }
}

/// The sheet of `region` at `date`.
///
/// # Errors
/// [`RecapError`].
pub fn build(dataset: &dyn HubsOwn, region: RegionRef, date: Date) -> Result<Sheet, RecapError> {
    Recap::of(dataset, region, date).map(|recap| recap.sheet)
}

impl Recap {
    /// The recap of `region` at `date`, counted anew.
    ///
    /// # Errors
    /// [`RecapError`].
    pub fn of(dataset: &dyn HubsOwn, region: RegionRef, date: Date) -> Result<Self, RecapError> {
        Self::with(dataset, &dataset.whole(), &KeptSums::default(), region, date)
    }

    /// The recap of `region` at `date`, of what the scope has of it. Villages
    /// whose rows are those of a sum that was kept are not counted again.
    ///
    /// # Errors
    /// [`RecapError`].
    pub fn with(
        dataset: &dyn Dataset,
        scope: &Scope,
        kept: &KeptSums,
        region: RegionRef,
        date: Date,
    ) -> Result<Self, RecapError> {
        match region {
            RegionRef::Kabupaten => Ok(Self::kabupaten((dataset, scope), kept, date)?),
            RegionRef::Kecamatan(code) => Ok(Self::kecamatan((dataset, scope), kept, code, date)?),
            RegionRef::Desa(code) => {
                let facts = dataset.facts(scope, code)?;
                let name = roster().village(code).map(Desa::full_name).unwrap_or_default();
                Ok(village::Houses::of(&facts, date).desa(name, date))
            }
            RegionRef::Below(code, id) => {
                let facts = dataset.facts(scope, code)?;
                let recap = village::Houses::of(&facts, date).below(id, date);
                let mut recap =
                    recap.ok_or_else(|| RecapError::UnknownRegion(region.to_string()))?;
                if !recap.houses.is_empty() {
                    recap.remark(&dataset.remarks(scope, code, &recap.houses)?);
                }
                Ok(recap)
            }
        }
    }

    fn kabupaten(
        seen: (&dyn Dataset, &Scope),
        kept: &KeptSums,
        date: Date,
    ) -> Result<Self, DatasetError> {
        let villages: Vec<_> = roster().villages().iter().collect();
        let sums = sums(seen, kept, &villages, date)?;
        let rows = roster().kecamatan().iter().map(|kecamatan| {
            let within = |(desa, _): &(&&Desa, &VillageSum)| desa.kecamatan == kecamatan.code;
            let sums = villages.iter().zip(&sums).filter(within);
            row(kecamatan.name.to_owned(), sums.map(|(_, sum)| sum.vector).sum())
        });
        let below = roster().kecamatan().iter().map(|kecamatan| kecamatan.code);
        Ok(Self {
            sheet: Sheet::new(Level::Kabupaten.form(), NAMA_KABUPATEN, date, rows.collect()),
            below: below.map(|code| Some(RegionRef::Kecamatan(code))).collect(),
            houses: Vec::new(),
            above: Vec::new(),
            unplaced: sums.iter().map(|sum| sum.unplaced).sum(),
            closed: false,
            published: None,
        })
    }

    fn kecamatan(
        seen: (&dyn Dataset, &Scope),
        kept: &KeptSums,
        code: KecamatanCode,
        date: Date,
    ) -> Result<Self, DatasetError> {
        let villages: Vec<_> = roster().villages_of(code).collect();
        let sums = sums(seen, kept, &villages, date)?;
        let rows =
            villages.iter().zip(&sums).map(|(desa, sum)| row(desa.name.to_owned(), sum.vector));
        let wilayah = kecamatan_name(code);
        Ok(Self {
            sheet: Sheet::new(Level::Kecamatan.form(), wilayah, date, rows.collect()),
            below: villages.iter().map(|desa| Some(RegionRef::Desa(desa.code))).collect(),
            houses: Vec::new(),
            above: vec![(RegionRef::Kabupaten, NAMA_KABUPATEN.to_owned())],
            unplaced: sums.iter().map(|sum| sum.unplaced).sum(),
            closed: false,
            published: None,
        })
    }
}

fn kecamatan_name(code: KecamatanCode) -> String {
    format!("Kecamatan {}", roster().kecamatan_of(code).map_or("", |kecamatan| kecamatan.name))
}

fn row(label: String, vector: IndikatorVector) -> SheetRow {
    SheetRow { label, vector, note: String::new() }
}

/// One village in a sheet of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct VillageSum {
    vector: IndikatorVector,
    unplaced: u64,
}

/// The sum of each village; those that are not kept are counted on every
/// core. A village nobody registered yet counts nothing but itself.
fn sums(
    (dataset, scope): (&dyn Dataset, &Scope),
    kept: &KeptSums,
    villages: &[&Desa],
    date: Date,
) -> Result<Vec<VillageSum>, DatasetError> {
    let marks: HashMap<VillageCode, Mark> = dataset.row_marks(scope)?.into_iter().collect();
    let known: Vec<(usize, (VillageCode, Mark))> = villages
        .iter()
        .enumerate()
        .filter_map(|(number, desa)| Some((number, (desa.code, *marks.get(&desa.code)?))))
        .collect();
    let asked: Vec<_> = known.iter().map(|(_, village)| *village).collect();
    let mut found = kept.look(date, &asked);
    let _counting = found.iter().any(Option::is_none).then(|| {
        let counting = kept.counting();
        // Whoever counted before may have counted some of them.
        found = kept.look(date, &asked);
        counting
    });
    let next = AtomicUsize::new(0);
    let mut all = vec![EMPTY; villages.len()];
    let mut missing = Vec::new();
    for ((number, village), sum) in known.into_iter().zip(found) {
        match sum {
            Some(sum) => all[number] = sum,
            None => missing.push((number, village)),
        }
    }
    let sums = Mutex::new(all);
    let work = || -> Result<(), DatasetError> {
        while let Some((number, (village, mark))) =
            missing.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let sum = counted(dataset, scope, *village, date)?;
            kept.put(*village, date, *mark, sum);
            sums.lock().unwrap_or_else(PoisonError::into_inner)[*number] = sum;
        }
        Ok(())
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(missing.len());
    std::thread::scope(|scope| -> Result<(), DatasetError> {
        let workers: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        work()?;
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })?;
    Ok(sums.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// A village of which nothing is known.
const EMPTY: VillageSum =
    VillageSum { vector: IndikatorVector::single(Indikator::JmlDesa, 1), unplaced: 0 };

/// One village counted anew.
fn counted(
    dataset: &dyn Dataset,
    scope: &Scope,
    village: VillageCode,
    date: Date,
) -> Result<VillageSum, DatasetError> {
    let facts = match dataset.facts(scope, village) {
        Ok(facts) => facts,
        Err(DatasetError::UnknownVillage(_)) => return Ok(EMPTY),
        Err(error) => return Err(error),
    };
    let vector = EMPTY.vector + village::Houses::of(&facts, date).total();
    Ok(VillageSum { vector, unplaced: facts.unplaced })
}
