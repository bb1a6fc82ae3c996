//! Recaps for the public: made once for each quarter, of every region, with
//! counts that chance has moved.
//!
//! Who has every sheet of every level and of every quarter can subtract them
//! from each other. So no exact count is ever told: each gets a random number
//! added ([`Chance::told`]) and is rounded to a multiple of [`STEP`], each for
//! itself, rows and totals alike. The random number may be anything, so every
//! sheet could have come out as it did had any one person not been there; it
//! is drawn anew for each publication and kept nowhere. What is hidden, and
//! which rows there are, follows from the moved counts alone.
//!
//! One quarter has one publication, and none is made afterwards for a quarter
//! that has another one behind it: many draws over the same records would
//! average the chance away.

#[cfg(test)]
mod attack;

use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::Date;
use lumbung_domain::indicator::{Indikator, IndikatorVector, Satuan};
use lumbung_domain::recap::{Level, Sheet};
use lumbung_domain::region::{Desa, NAMA_KABUPATEN, roster};

use super::village::Houses;
use super::{KeptSums, Recap, RecapError, RegionRef, kecamatan_name, row};
use crate::dataset::{DatasetError, HubsOwn, PublishedRegion, PublishedSheet};

/// What published counts are multiples of.
pub const STEP: u64 = 5;

/// Published counts below this are not told.
pub const TOLD_FROM: u64 = 10;

/// Months of a period.
const PERIOD_MONTHS: i8 = 3;

/// The last day of the newest quarter that is over.
#[must_use]
pub fn closed_period(today: Date) -> Date {
    let into = (today.month() - 1) % PERIOD_MONTHS;
    let began = today.first_of_month().saturating_sub(into.months());
    began.saturating_sub(1.day())
}

/// The last day of the quarter that runs on `today`.
#[must_use]
pub fn running_period(today: Date) -> Date {
    let began = closed_period(today).saturating_add(1.day());
    began.saturating_add(PERIOD_MONTHS.months()).saturating_sub(1.day())
}

/// Whether a count is of people, families or houses; regions are no secret.
pub(super) const fn is_secret(indikator: Indikator) -> bool {
    !matches!(indikator.unit(), Satuan::Wilayah)
}

/// Where the randomness of one publication comes from.
pub struct Chance {
    source: blake3::OutputReader,
    bytes: [u8; 64],
    next: usize,
}

impl Chance {
    /// Nobody can foretell or repeat it.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn unknown() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self::of(&key))
    }

    fn of(key: &[u8; 32]) -> Self {
        let source = blake3::Hasher::new_keyed(key).finalize_xof();
        Self { source, bytes: [0; 64], next: 64 }
    }

    /// Any number below `bound`, each as likely.
    fn below(&mut self, bound: u8) -> u8 {
        let fit = u8::MAX - u8::MAX % bound;
        loop {
            if self.next == self.bytes.len() {
                self.source.fill(&mut self.bytes);
                self.next = 0;
            }
            let byte = self.bytes[self.next];
            self.next += 1;
            if byte < fit {
                return byte % bound;
            }
        }
    }

    /// How far up or down: k with likelihood (2/3)^k / 3.
    fn steps(&mut self) -> i64 {
        let mut steps = 0;
        while self.below(3) > 0 {
            steps += 1;
        }
        steps
    }

    /// What is told of a count. A random number is added (two-sided
    /// geometric: each further step is two thirds as likely, so one person
    /// makes no outcome more than 1.5 times as likely), then it is rounded up
    /// or down by chance, so that on average nothing is added or lost.
    fn told(&mut self, count: u64) -> u64 {
        const STEP: i64 = self::STEP as i64;
        let moved = count.cast_signed() + self.steps() - self.steps();
        let over = moved.rem_euclid(STEP);
        let up = i64::from(self.below(STEP as u8)) < over;
        let told = moved - over + if up { STEP } else { 0 };
        told.max(0).cast_unsigned()
    }

    /// The same of every count that is of people, families or houses.
    fn told_of(&mut self, vector: &IndikatorVector) -> IndikatorVector {
        let mut told = *vector;
        for (indikator, count) in vector.iter().filter(|(it, _)| is_secret(*it)) {
            told.set(indikator, self.told(count));
        }
        told
    }
}

/// What makes publications. It looks at the whole district, whoever asks, and
/// tells no exact count.
pub struct Publisher {
    dataset: Arc<dyn HubsOwn>,
}

impl Publisher {
    /// Over this district.
    #[must_use]
    pub fn new(dataset: Arc<dyn HubsOwn>) -> Self {
        Self { dataset }
    }

    /// Everything that a publication for a day tells, from the kabupaten down
    /// to the dasawisma as rows of their RT.
    ///
    /// # Errors
    /// [`RecapError`].
    pub fn regions(
        &self,
        day: Date,
        chance: &mut Chance,
    ) -> Result<Vec<PublishedRegion>, RecapError> {
        // Kept for this publication alone, so that nothing is of an hour ago.
        let kept = KeptSums::default();
        let (dataset, whole) = (&*self.dataset, self.dataset.whole());
        let top = Recap::with(dataset, &whole, &kept, RegionRef::Kabupaten, day)?;
        let counts = chance.told_of(&top.sheet.total);
        let mut making = Making { dataset, kept, day, chance, regions: Vec::new() };
        making.put(RegionRef::Kabupaten, (String::new(), 0, NAMA_KABUPATEN), &top, counts);
        making.rows(RegionRef::Kabupaten, &top, None)?;
        Ok(making.regions)
    }
}

/// A publication while it is made.
struct Making<'a> {
    dataset: &'a dyn HubsOwn,
    kept: KeptSums,
    day: Date,
    chance: &'a mut Chance,
    regions: Vec<PublishedRegion>,
}

impl Making<'_> {
    /// Adds a region: its row in the sheet around it, and what its own sheet
    /// is called.
    fn put(
        &mut self,
        region: RegionRef,
        (within, at, label): (String, u32, &str),
        own: &Recap,
        counts: IndikatorVector,
    ) {
        let unplaced = if own.unplaced > 0 { self.chance.told(own.unplaced) } else { 0 };
        self.regions.push(PublishedRegion {
            region: region.to_string(),
            within,
            at,
            level: own.level(),
            label: label.to_owned(),
            name: own.sheet.wilayah.clone(),
            counts,
            unplaced,
        });
    }

    /// Adds the rows of a sheet and all that lies below them; `houses` are
    /// those of its village.
    fn rows(
        &mut self,
        around: RegionRef,
        sheet: &Recap,
        houses: Option<&Houses<'_>>,
    ) -> Result<(), RecapError> {
        let mut at = 0;
        for (row, below) in sheet.sheet.rows.iter().zip(&sheet.below) {
            let counts = self.chance.told_of(&row.vector);
            // A row that is there because somebody lives there would tell of
            // them: it is there only when its moved count says so.
            let in_use = below.is_some_and(|below| match (below, houses) {
                (RegionRef::Below(_, id), Some(houses)) => houses.is_in_use(id),
                _ => true,
            });
            if !in_use && counts.get(Indikator::JmlKrt) < TOLD_FROM {
                continue;
            }
            let place = (around.to_string(), at, row.label.as_str());
            at += 1;
            match (*below, houses) {
                (Some(region @ RegionRef::Desa(code)), _) => {
                    let facts = match self.dataset.facts(&self.dataset.whole(), code) {
                        Ok(facts) => facts,
                        Err(DatasetError::UnknownVillage(_)) => {
                            self.put(region, place, &never_heard(region, self.day), counts);
                            continue;
                        }
                        Err(error) => return Err(error.into()),
                    };
                    let houses = Houses::of(&facts, self.day);
                    let own = houses.desa(village_name(region), self.day);
                    self.put(region, place, &own, counts);
                    self.rows(region, &own, Some(&houses))?;
                }
                (Some(region @ RegionRef::Below(_, id)), Some(houses)) => {
                    let Some(own) = houses.below(id, self.day) else { continue };
                    self.put(region, place, &own, counts);
                    if own.may_be_public() {
                        self.rows(region, &own, Some(houses))?;
                    }
                }
                (Some(region), _) => {
                    let whole = self.dataset.whole();
                    let own = Recap::with(self.dataset, &whole, &self.kept, region, self.day)?;
                    self.put(region, place, &own, counts);
                    self.rows(region, &own, None)?;
                }
                (None, _) => self.regions.push(PublishedRegion {
                    region: String::new(),
                    within: place.0,
                    at: place.1,
                    level: sheet.level(),
                    label: row.label.clone(),
                    name: row.label.clone(),
                    counts,
                    unplaced: 0,
                }),
            }
        }
        Ok(())
    }
}

fn village_name(region: RegionRef) -> String {
    let RegionRef::Desa(code) = region else { return region.to_string() };
    roster().village(code).map(Desa::full_name).unwrap_or_default()
}

/// The sheet of a village that nobody has registered.
fn never_heard(region: RegionRef, day: Date) -> Recap {
    let sheet = Sheet::new(Level::Desa.form(), village_name(region), day, Vec::new());
    Recap {
        sheet,
        below: Vec::new(),
        houses: Vec::new(),
        above: Vec::new(),
        unplaced: 0,
        closed: false,
        published: None,
    }
}

impl Recap {
    /// The level that it is the recap of.
    fn level(&self) -> Level {
        let number = self.sheet.form.number();
        let level = Level::ALL.into_iter().find(|level| level.form().number() == number);
        level.unwrap_or(Level::Kabupaten)
    }

    /// A sheet as it was published.
    #[must_use]
    pub fn of_publication(published: PublishedSheet) -> Self {
        let PublishedSheet { publication, region, rows, above } = published;
        let form = region.level.form();
        let parsed = |text: &str| RegionRef::parse(text).ok();
        // Sheets of single houses are for nobody outside.
        let below =
            |row: &PublishedRegion| parsed(&row.region).filter(|_| row.level != Level::Dasawisma);
        Self {
            below: rows.iter().map(below).collect(),
            sheet: Sheet {
                form,
                title: form.title,
                wilayah: region.name,
                tanggal_acuan: publication.day,
                rows: rows.into_iter().map(|it| row(it.label, it.counts)).collect(),
                total: region.counts,
            },
            houses: Vec::new(),
            above: above.iter().filter_map(|it| Some(named(parsed(&it.region)?, it))).collect(),
            unplaced: region.unplaced,
            closed: false,
            published: Some(publication),
        }
    }
}

/// A region around a sheet, as sheets call it.
fn named(region: RegionRef, published: &PublishedRegion) -> (RegionRef, String) {
    let name = match region {
        RegionRef::Kecamatan(code) => kecamatan_name(code),
        RegionRef::Desa(code) => {
            roster().village(code).map(|desa| desa.short_name()).unwrap_or_default()
        }
        _ => published.name.clone(),
    };
    (region, name)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_quarter_is_closed_the_day_after_its_last() {
        for (today, closed) in [
            (date(2026, 9, 30), date(2026, 6, 30)),
            (date(2026, 10, 1), date(2026, 9, 30)),
            (date(2026, 12, 31), date(2026, 9, 30)),
            (date(2027, 1, 1), date(2026, 12, 31)),
            (date(2027, 3, 31), date(2026, 12, 31)),
        ] {
            assert_eq!(closed_period(today), closed, "{today}");
            // The quarter that runs is closed from the day after its last on.
            let running = running_period(today);
            assert!(closed < today && today <= running, "{today}");
            assert_eq!(closed_period(running), closed, "{today}");
            assert_eq!(closed_period(running.saturating_add(1.day())), running, "{today}");
        }
    }
}
