//! Numbers that people carry, unique within the kabupaten by construction.
//!
//! The last four digits of a NIK or card number are shared out: each village
//! of a kecamatan counts within its own range per date, and the top range is
//! kept for residents that two villages know.
//!
//! Nobody real can have one: they name kabupaten 99 of the province, which
//! does not exist, in place of this one. What checks a number takes it for
//! one of somebody who moved here, as there is no list of other kabupaten.

use jiff::civil::Date;
use lumbung_domain::identity::{Nik, NoKk};
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::VillageCode;

/// Serials of one village per date; 17 ranges lie below the shared one.
const RANGE: u32 = 520;
/// First serial kept for residents that two villages know.
pub(super) const SHARED_FROM: u32 = 9_001;
/// From a kecamatan of this kabupaten (3505) to one of kabupaten 3599.
const NOWHERE: u64 = 9_400;
const FIRST_YEAR: i16 = 1_890;
const YEARS: usize = 220;

/// How many numbers a village gave per date.
pub(super) struct Serials {
    kecamatan: u64,
    first: u32,
    people: Vec<u16>,
    cards: Vec<u16>,
}

impl Serials {
    pub(super) fn new(code: VillageCode, place_in_kecamatan: u32) -> Self {
        let days = YEARS * 372;
        Self {
            kecamatan: code.kecamatan().as_u64(),
            first: place_in_kecamatan * RANGE + 1,
            people: vec![0; days * 2],
            cards: vec![0; days],
        }
    }

    /// The next number for somebody born then.
    pub(super) fn nik(&mut self, jk: JenisKelamin, born: Date) -> Option<Nik> {
        let at = slot(born) * 2 + usize::from(jk == JenisKelamin::Perempuan);
        let serial = next(self.people.get_mut(at)?, self.first)?;
        nik(self.kecamatan, jk, born, serial)
    }

    /// The next number for a card of that day.
    pub(super) fn card(&mut self, day: Date) -> Option<NoKk> {
        let serial = next(self.cards.get_mut(slot(day))?, self.first)?;
        card(self.kecamatan, day, serial)
    }
}

/// None once a village has used up a date, which no village comes near.
fn next(given: &mut u16, first: u32) -> Option<u32> {
    let serial = first + u32::from(*given);
    *given += 1;
    (u32::from(*given) <= RANGE).then_some(serial)
}

fn slot(day: Date) -> usize {
    let years = usize::try_from(day.year() - FIRST_YEAR).unwrap_or(0);
    let (month, day) = (day.month().unsigned_abs(), day.day().unsigned_abs());
    years * 372 + usize::from(month - 1) * 31 + usize::from(day - 1)
}

/// `DDMMYY`, with something added to the day.
fn date_digits(day: Date, added: u64) -> u64 {
    let part = |number: i8| u64::from(number.unsigned_abs());
    let year = u64::from(day.year().unsigned_abs() % 100);
    (part(day.day()) + added) * 10_000 + part(day.month()) * 100 + year
}

/// The NIK of these parts.
pub(super) fn nik(kecamatan: u64, jk: JenisKelamin, born: Date, serial: u32) -> Option<Nik> {
    let added = if jk == JenisKelamin::Perempuan { 40 } else { 0 };
    let number = ((kecamatan + NOWHERE) * 1_000_000 + date_digits(born, added)) * 10_000;
    Nik::from_u64(number + u64::from(serial))
}

/// The card number of these parts.
pub(super) fn card(kecamatan: u64, day: Date, serial: u32) -> Option<NoKk> {
    let number = ((kecamatan + NOWHERE) * 1_000_000 + date_digits(day, 0)) * 10_000;
    NoKk::from_u64(number + u64::from(serial))
}
