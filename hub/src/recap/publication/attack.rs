//! Somebody who has every published sheet of every level and quarter subtracts
//! them from each other.

use std::collections::BTreeMap;

use jiff::civil::date;
use lumbung_domain::recap::{Cell, Isi};

use super::*;
use crate::dataset::sqlite::SqliteDataset;
use crate::dataset::{Publication, Publications as _};
use crate::recap::tests::district;
use crate::recap::{Audience, HIDDEN};

/// Dice that a seed foretells.
fn chance(seed: u64) -> Chance {
    Chance::of(blake3::hash(&seed.to_le_bytes()).as_bytes())
}

/// How likely `told` is of `count`, as the module says it.
fn likelihood(told: u64, count: u64) -> f64 {
    const FAR: i64 = 200;
    let (told, count, step) = (told as i64, count as i64, STEP as i64);
    let weight = |moved: i64| {
        let over = (moved - told).abs();
        let near = if over < step { 1.0 - over as f64 / step as f64 } else { 0.0 };
        if told == 0 && moved < 0 { 1.0 } else { near }
    };
    let added = |by: i64| (2.0_f64 / 3.0).powi(by.unsigned_abs() as i32) / 5.0;
    (-FAR..=FAR).map(|by| added(by) * weight(count + by)).sum()
}

#[test]
fn counts_are_told_as_likely_as_is_said_and_right_on_average() {
    const DRAWS: u32 = 40_000;
    let mut chance = chance(1);
    for count in [0, 1, 4, 5, 12, 100] {
        let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
        for _ in 0..DRAWS {
            *seen.entry(chance.told(count)).or_default() += 1;
        }
        let share = |told: u64| f64::from(seen.get(&told).copied().unwrap_or(0)) / f64::from(DRAWS);
        for told in (0..=count + 40).step_by(STEP as usize) {
            let (share, said) = (share(told), likelihood(told, count));
            assert!((share - said).abs() < 0.01, "{count} as {told}: {share} for {said}");
        }
        assert!(seen.keys().all(|told| told % STEP == 0), "{seen:?}");
        let sum: u64 = seen.iter().map(|(told, times)| told * u64::from(*times)).sum();
        let mean = sum as f64 / f64::from(DRAWS);
        assert!(count < 20 || (mean - count as f64).abs() < 0.1, "{mean} for {count}");
    }
}

/// Whatever was told could have been told had any one person not been there,
/// and was never more than 1.5 times as likely: nothing is known for sure,
/// whatever else is known.
#[test]
fn no_count_that_is_told_says_that_one_person_is_there() {
    for count in 0..60 {
        for told in (0..=120).step_by(STEP as usize) {
            let (here, gone) = (likelihood(told, count + 1), likelihood(told, count));
            assert!(here > 0.0 && gone > 0.0, "{told} of {count}");
            let times = here / gone;
            assert!((1.0 / 1.501..1.501).contains(&times), "{told} of {count}: {times}");
        }
    }
}

/// How the counts of a tree of regions are told: exactly, to the nearest
/// step, or as they are published.
#[derive(Clone, Copy, Debug)]
enum Told {
    Exactly,
    Rounded,
    Published,
}

/// One count of a region, its parts and theirs, as told in some quarters; in
/// the last ones somebody of the first part may be gone.
struct Sheets {
    quarters: Vec<Quarter>,
}

/// What is told of the whole, and of each of its parts.
type Quarter = (i64, Vec<i64>);

const PARTS: [u64; 4] = [23, 31, 12, 40];

impl Sheets {
    fn of(told: Told, is_gone: bool, chance: &mut Chance) -> Self {
        let mut tell = |count: u64| match told {
            Told::Exactly => count,
            Told::Rounded => (count + STEP / 2) / STEP * STEP,
            Told::Published => chance.told(count),
        };
        let quarter = |now: bool| {
            let mut parts = PARTS;
            parts[0] -= u64::from(now && is_gone);
            let whole = tell(parts.iter().sum());
            (whole as i64, parts.map(|part| tell(part) as i64).to_vec())
        };
        Self { quarters: [false, false, true, true].map(quarter).into() }
    }

    /// What the attacker makes of them; less means somebody is gone.
    fn differences(&self) -> [i64; 4] {
        let first = |(_, parts): &Quarter| parts[0];
        let rest = |(whole, parts): &Quarter| whole - parts[1..].iter().sum::<i64>();
        let of = |it: fn(&Quarter) -> i64| it(&self.quarters[2]) - it(&self.quarters[1]);
        [
            of(first),
            of(|it| it.0),
            // What the whole leaves when all other parts are taken away.
            of(rest),
            rest(&self.quarters[2]) - first(&self.quarters[1]),
        ]
    }
}

/// How often each difference tells rightly which of two districts lost
/// somebody; 0.5 = a coin does as well.
fn rightly(told: Told) -> [f64; 4] {
    const TRIES: u32 = 8_000;
    let mut chance = chance(7);
    let mut right = [0.0; 4];
    for _ in 0..TRIES {
        let [gone, stays] =
            [true, false].map(|is_gone| Sheets::of(told, is_gone, &mut chance).differences());
        for (right, (gone, stays)) in right.iter_mut().zip(gone.into_iter().zip(stays)) {
            *right += match gone.cmp(&stays) {
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 0.0,
            };
        }
    }
    right.map(|right| right / f64::from(TRIES))
}

#[test]
fn subtracting_quarters_and_levels_tells_no_more_than_a_coin() {
    assert_eq!(rightly(Told::Exactly), [1.0; 4], "the attack works on what is not moved");
    assert!(rightly(Told::Rounded).iter().any(|share| *share > 0.9), "nor is rounding enough");
    for share in rightly(Told::Published) {
        assert!((0.45..0.6).contains(&share), "{share}");
    }
}

const DAY: Date = date(2026, 9, 30);

fn published(dataset: &Arc<SqliteDataset>, day: Date) {
    let publication =
        Publication { day, made_ms: 1_790_000_000_000, made_by: "uji".to_owned(), rules: 2 };
    let publisher = Publisher::new(Arc::clone(dataset) as Arc<dyn HubsOwn>);
    let regions = publisher.regions(day, &mut chance(3)).unwrap();
    assert!(dataset.publish(&publication, &regions).unwrap());
}

/// Looks at every sheet of a publication: how many there are, and how many of
/// their counts are told and hidden.
fn look(dataset: &SqliteDataset, region: &str, seen: &mut [u32; 3]) {
    let Some(sheet) = dataset.published(DAY, region).unwrap() else { panic!("{region}") };
    let recap = Recap::of_publication(sheet);
    assert_eq!(recap.sheet.rows.len(), recap.below.len());
    let Some(printed) = recap.printed(Audience::Public) else { panic!("{region}") };
    assert_eq!(recap.printed(Audience::Office), recap.printed(Audience::Public), "nothing else");
    seen[0] += 1;
    for line in printed.cells.rows.iter().chain([&printed.cells.total]) {
        for (cell, column) in line.iter().zip(&recap.sheet.form.columns) {
            match (cell, column.isi) {
                (Cell::Number(told), Isi::Jumlah(indikator)) if is_secret(indikator) => {
                    assert!(*told >= TOLD_FROM && told % STEP == 0, "{told} in {region}");
                    seen[1] += 1;
                }
                (Cell::Text(text), Isi::Jumlah(_)) => {
                    assert_eq!(text, HIDDEN);
                    seen[2] += 1;
                }
                _ => {}
            }
        }
    }
    for below in recap.below.iter().flatten() {
        look(dataset, &below.to_string(), seen);
    }
}

#[test]
fn every_sheet_of_a_real_district_is_told_moved_and_without_small_counts() {
    let (_folder, dataset) = district();
    let dataset = Arc::new(dataset);
    published(&dataset, DAY);
    let mut seen = [0; 3];
    look(&dataset, &RegionRef::Kabupaten.to_string(), &mut seen);
    let [sheets, told, hidden] = seen;
    assert_eq!(sheets, 1 + 22 + 248 + 3 * (2 + 1 + 2), "every sheet but those of single houses");
    assert!(told > 100 && hidden > 1_000, "{told} told, {hidden} hidden");
    // Sheets are as the same names lead to them; single houses have none.
    let village = RegionRef::parse("35.05.02.2001").unwrap();
    let sheet = dataset.published(DAY, &village.to_string()).unwrap().unwrap();
    let recap = Recap::of_publication(sheet);
    let above: Vec<_> = recap.above.iter().map(|(region, _)| *region).collect();
    let kecamatan = RegionRef::parse("35.05.02").unwrap();
    assert_eq!(above, [RegionRef::Kabupaten, kecamatan]);
    // Each count is drawn for itself: somewhere the rows don't add up.
    let sum: IndikatorVector = recap.sheet.rows.iter().map(|row| &row.vector).sum();
    assert!(sum != recap.sheet.total);
    let group = format!("{village}/{}", crate::recap::tests::dasawisma());
    let group = dataset.published(DAY, &group).unwrap().map(Recap::of_publication);
    assert!(group.is_some_and(|group| group.printed(Audience::Public).is_none()));
    // A sheet that was counted is for the office.
    let counted = Recap::of(&*dataset, village, DAY).unwrap();
    assert!(counted.printed(Audience::Public).is_none());
}
