//! Somebody who has every public sheet of every level tries to work out the
//! counts that are not printed.

use std::collections::BTreeMap;

use jiff::civil::date;
use lumbung_domain::recap::{Cell, Isi, Level, Sheet, SheetRow};
use lumbung_domain::region::VillageCode;
use proptest::prelude::*;

use super::super::{Audience, Printed};
use super::*;
use crate::recap::tests::district;

/// The columns that are attacked: one alone, and two pairs with one sum.
const COLUMNS: [Indikator; 6] = [
    Indikator::TotalL,
    Indikator::RumahSehat,
    Indikator::RumahTidakSehat,
    Indikator::MakanBeras,
    Indikator::MakanNonBeras,
    Indikator::JmlKrt,
];

/// What one region is called, and one of its counts.
type Place = (String, Indikator);

/// Everything that is known to who has the sheets.
#[derive(Default)]
struct Known {
    /// What is printed.
    printed: BTreeMap<Place, u64>,
    /// What is not, with what it is.
    hidden: BTreeMap<Place, u64>,
    /// The last one is the sum of the others.
    sums: Vec<Vec<Place>>,
}

impl Known {
    fn cell(&mut self, place: &Place, cell: &Cell, count: u64) {
        match cell {
            Cell::Number(number) => {
                assert_eq!(*number, count);
                assert!(!is_small(count), "{place:?} is printed");
                assert!(!self.hidden.contains_key(place), "{place:?} is hidden elsewhere");
                self.printed.insert(place.clone(), count);
            }
            Cell::Text(_) => {
                assert!(!self.printed.contains_key(place), "{place:?} is printed elsewhere");
                self.hidden.insert(place.clone(), count);
            }
        }
    }

    /// Reads a sheet: what its region and its rows are called.
    fn read(&mut self, recap: &Recap, printed: &Printed, name: &str, rows: &[String]) {
        let names = rows.iter().map(String::as_str).chain([name]);
        let lines = printed.cells.rows.iter().chain([&printed.cells.total]);
        let truths = recap.vectors().chain([&recap.sheet.total]);
        for ((name, line), truth) in names.zip(lines).zip(truths) {
            for indikator in COLUMNS {
                let is = Isi::Jumlah(indikator);
                let at = recap.sheet.form.columns.iter().position(|it| it.isi == is).unwrap();
                self.cell(&(name.to_owned(), indikator), &line[at], truth.get(indikator));
            }
            let [_, sehat, tidak, beras, other, krt] =
                COLUMNS.map(|indikator| (name.to_owned(), indikator));
            self.sums.push(vec![sehat, tidak, krt.clone()]);
            self.sums.push(vec![beras, other, krt]);
        }
        for indikator in COLUMNS {
            let all = rows.iter().map(String::as_str).chain([name]);
            self.sums.push(all.map(|name| (name.to_owned(), indikator)).collect());
        }
    }

    /// The hidden counts as unknowns, and the equations between them:
    /// coefficients and what they come to.
    fn puzzle(&self) -> Puzzle {
        let unknowns: Vec<_> = self.hidden.iter().collect();
        let number: BTreeMap<_, _> =
            unknowns.iter().enumerate().map(|(at, (place, _))| (*place, at)).collect();
        let equations = self.sums.iter().map(|sum| {
            let (mut terms, mut rest) = (Vec::new(), 0_i64);
            let last = sum.len() - 1;
            for (at, place) in sum.iter().enumerate() {
                let sign = if at == last { -1 } else { 1 };
                match number.get(place) {
                    Some(unknown) => terms.push((*unknown, sign)),
                    None => rest -= sign * i64::try_from(self.printed[place]).unwrap(),
                }
            }
            (terms, rest)
        });
        let truths = unknowns.iter().map(|(_, truth)| i64::try_from(**truth).unwrap());
        Puzzle {
            names: unknowns.iter().map(|(place, _)| format!("{place:?}")).collect(),
            equations: equations.filter(|(terms, _)| !terms.is_empty()).collect(),
            truths: truths.collect(),
        }
    }
}

struct Puzzle {
    names: Vec<String>,
    equations: Vec<(Vec<(usize, i64)>, i64)>,
    truths: Vec<i64>,
}

/// Counts in elimination, modulo a prime: what is solved there is solved.
const PRIME: i128 = (1 << 61) - 1;

fn inverse(of: i128) -> i128 {
    let (mut base, mut left, mut result) = (of, PRIME - 2, 1);
    while left > 0 {
        if left & 1 == 1 {
            result = result * base % PRIME;
        }
        base = base * base % PRIME;
        left >>= 1;
    }
    result
}

impl Puzzle {
    /// The unknowns that the equations alone determine (Gauss and Jordan).
    fn solved(&self) -> Vec<usize> {
        let width = self.truths.len();
        let mut rows: Vec<Vec<i128>> = Vec::new();
        for (terms, _) in &self.equations {
            let mut row = vec![0; width];
            for (unknown, sign) in terms {
                row[*unknown] = (row[*unknown] + i128::from(*sign) + PRIME) % PRIME;
            }
            rows.push(row);
        }
        let (mut pivots, mut done) = (Vec::new(), 0);
        for column in 0..width {
            let Some(found) = (done..rows.len()).find(|row| rows[*row][column] != 0) else {
                continue;
            };
            rows.swap(done, found);
            let scale = inverse(rows[done][column]);
            rows[done].iter_mut().for_each(|it| *it = *it * scale % PRIME);
            let pivot = rows[done].clone();
            for (at, row) in rows.iter_mut().enumerate() {
                let factor = row[column];
                if at != done && factor != 0 {
                    for (cell, of) in row.iter_mut().zip(&pivot) {
                        *cell = (*cell + (PRIME - factor) * of) % PRIME;
                    }
                }
            }
            pivots.push((done, column));
            done += 1;
        }
        let alone = |row: &Vec<i128>| row.iter().filter(|it| **it != 0).count() == 1;
        pivots.into_iter().filter(|(row, _)| alone(&rows[*row])).map(|it| it.1).collect()
    }

    /// Narrows what each unknown may be until nothing moves; `false` = nothing
    /// fits.
    fn narrow(&self, bounds: &mut [(i64, i64)]) -> bool {
        loop {
            let mut moved = false;
            for (terms, rest) in &self.equations {
                for (unknown, sign) in terms {
                    // sign * it = rest - the others
                    let (mut low, mut high) = (*rest, *rest);
                    for (other, other_sign) in terms.iter().filter(|it| it.0 != *unknown) {
                        let (from, to) = bounds[*other];
                        let (from, to) = if *other_sign > 0 { (from, to) } else { (-to, -from) };
                        (low, high) = (low - to, high - from);
                    }
                    let (low, high) = if *sign > 0 { (low, high) } else { (-high, -low) };
                    let (from, to) = bounds[*unknown];
                    let narrowed = (from.max(low), to.min(high));
                    if narrowed.0 > narrowed.1 {
                        return false;
                    }
                    moved |= narrowed != (from, to);
                    bounds[*unknown] = narrowed;
                }
            }
            if !moved {
                return true;
            }
        }
    }

    /// Whether all of it fits some counts within the bounds; those that are
    /// there in truth are tried first.
    fn fits(&self, mut bounds: Vec<(i64, i64)>, tries: &mut u32) -> bool {
        if *tries == 0 || !self.narrow(&mut bounds) {
            return false;
        }
        *tries -= 1;
        let open = (0..bounds.len()).filter(|at| bounds[*at].0 < bounds[*at].1);
        let Some(next) = open.min_by_key(|at| bounds[*at].1 - bounds[*at].0) else { return true };
        let (from, to) = bounds[next];
        let mut values: Vec<_> = (from..=to).collect();
        values.sort_by_key(|value| (value - self.truths[next]).abs());
        values.into_iter().any(|value| {
            let mut fixed = bounds.clone();
            fixed[next] = (value, value);
            self.fits(fixed, tries)
        })
    }

    /// What of the small counts somebody can tell for sure.
    fn given_away(&self) -> Vec<String> {
        const MOST: i64 = 5_000;
        let solved = self.solved();
        let mut bounds = vec![(0, MOST); self.truths.len()];
        assert!(self.narrow(&mut bounds), "the truth fits");
        let is_sure = |at: usize| {
            let truth = self.truths[at];
            // Another whole district that prints the very same sheets.
            let other = [truth - 1, truth + 1].into_iter().any(|value| {
                let mut world = bounds.clone();
                world[at] = (value, value);
                (bounds[at].0..=bounds[at].1).contains(&value) && self.fits(world, &mut 2_000)
            });
            solved.contains(&at) || !other
        };
        let small = |at: &usize| is_small(self.truths[*at].unsigned_abs());
        let sure = (0..self.truths.len()).filter(small).filter(|at| is_sure(*at));
        sure.map(|at| format!("{} = {}", self.names[at], self.truths[at])).collect()
    }
}

/// A region and what lies in it; leaves are rows without a sheet.
#[derive(Clone, Debug)]
struct Region {
    counts: [u64; 4],
    parts: Vec<Region>,
}

impl Region {
    fn vector(&self) -> IndikatorVector {
        if !self.parts.is_empty() {
            return self.parts.iter().map(Self::vector).sum();
        }
        let [l, sehat, tidak, beras] = self.counts;
        let beras = beras.min(sehat + tidak);
        IndikatorVector::single(Indikator::TotalL, l)
            + IndikatorVector::single(Indikator::RumahSehat, sehat)
            + IndikatorVector::single(Indikator::RumahTidakSehat, tidak)
            + IndikatorVector::single(Indikator::MakanBeras, beras)
            + IndikatorVector::single(Indikator::MakanNonBeras, sehat + tidak - beras)
            + IndikatorVector::single(Indikator::JmlKrt, sehat + tidak)
    }

    /// Publishes its sheet and those below.
    fn publish(&self, name: &str, veil: &Veil, known: &mut Known) {
        let rows: Vec<_> = self.parts.iter().map(Self::vector).collect();
        let names: Vec<_> = (0..rows.len()).map(|at| format!("{name}.{at}")).collect();
        let sheet_rows = rows.iter().zip(&names).map(|(vector, label)| SheetRow {
            label: label.clone(),
            vector: *vector,
            note: String::new(),
        });
        let form = Level::Desa.form();
        let sheet = Sheet::new(form, name, date(2026, 12, 31), sheet_rows.collect());
        let recap = Recap {
            below: vec![None; rows.len()],
            houses: Vec::new(),
            sheet,
            above: Vec::new(),
            unplaced: 0,
            closed: false,
            veil: Some(veil.clone()),
        };
        known.read(&recap, &recap.printed(Audience::Public).unwrap(), name, &names);
        let below = veil.clone().beside(&rows);
        for (part, name) in self.parts.iter().zip(&names).filter(|it| !it.0.parts.is_empty()) {
            part.publish(name, &below, known);
        }
    }
}

fn regions() -> impl Strategy<Value = Region> {
    let count = || prop_oneof![Just(0_u64), 1_u64..5, 5_u64..9, 9_u64..40];
    let leaf = [count(), count(), count(), count()]
        .prop_map(|counts| Region { counts, parts: Vec::new() });
    leaf.prop_recursive(3, 24, 4, |inner| {
        let parts = proptest::collection::vec(inner, 1..4);
        parts.prop_map(|parts| Region { counts: [0; 4], parts })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whoever has every public sheet of a tree of regions can't tell one
    /// small count: there is always another tree with the same sheets.
    #[test]
    fn no_sheets_together_give_a_small_count_away(
        parts in proptest::collection::vec(regions(), 2..4)
    ) {
        let top = Region { counts: [0; 4], parts };
        let mut known = Known::default();
        top.publish("k", &Veil::of_all(&top.vector()), &mut known);
        let sure = known.puzzle().given_away();
        prop_assert!(sure.is_empty(), "{sure:?}");
    }
}

#[test]
fn the_attack_finds_what_each_sheet_alone_would_leave() {
    // Safe each for itself: the small one and one that covers it are hidden,
    // but the next sheet prints the rows of what covers.
    let region = |l, parts| Region { counts: [l, 0, 0, 0], parts };
    let cover = region(0, vec![region(20, vec![]), region(20, vec![])]);
    let top = region(0, vec![region(3, vec![]), cover, region(50, vec![])]);
    let mut known = Known::default();
    let place = |name: &str| (name.to_owned(), Indikator::TotalL);
    for (name, count, is_printed) in
        [("k", 93, true), ("k.0", 3, false), ("k.1", 40, false), ("k.2", 50, true)]
    {
        let side = if is_printed { &mut known.printed } else { &mut known.hidden };
        side.insert(place(name), count);
    }
    for name in ["k.1.0", "k.1.1"] {
        known.printed.insert(place(name), 20);
    }
    known.sums.push(["k.0", "k.1", "k.2", "k"].map(place).into());
    assert!(known.puzzle().given_away().is_empty(), "one sheet is safe");
    known.sums.push(["k.1.0", "k.1.1", "k.1"].map(place).into());
    assert_eq!(known.puzzle().given_away(), ["(\"k.0\", TotalL) = 3"]);
    // As it is published.
    let mut known = Known::default();
    top.publish("k", &Veil::of_all(&top.vector()), &mut known);
    assert!(known.puzzle().given_away().is_empty());
    assert!(known.hidden.contains_key(&place("k.1.0")) && known.printed.contains_key(&place("k")));
}

/// Publishes the sheet of a region of a real district and those it leads to.
fn publish(veils: &Veils, kept: &KeptSums, region: RegionRef, known: &mut Known) -> u32 {
    let (day, dataset) = (date(2026, 12, 31), &*veils.dataset);
    let recap = Recap::with(dataset, &dataset.whole(), kept, region, day);
    let Ok(mut recap) = recap else { return 0 };
    recap.cover(veils.of(kept, region, day).unwrap());
    let Some(printed) = recap.printed(Audience::Public) else { return 0 };
    let name = |(at, below): (usize, &Option<RegionRef>)| {
        below.map_or_else(|| format!("{region} sisa {at}"), |below| below.to_string())
    };
    let names: Vec<_> = recap.below.iter().enumerate().map(name).collect();
    let has =
        |it: Indikator| recap.sheet.form.columns.iter().any(|column| column.isi == Isi::Jumlah(it));
    assert!(COLUMNS.into_iter().all(has), "{region}");
    known.read(&recap, &printed, &region.to_string(), &names);
    let below = recap.below.iter().flatten();
    1 + below.map(|below| publish(veils, kept, *below, known)).sum::<u32>()
}

#[test]
fn no_sheets_of_a_real_district_give_a_small_count_away() {
    let (_folder, dataset) = district();
    let veils = Veils::new(Arc::new(dataset));
    let (kept, mut known) = (KeptSums::for_many(), Known::default());
    let sheets = publish(&veils, &kept, RegionRef::Kabupaten, &mut known);
    assert_eq!(sheets, 1 + 22 + 3 * (1 + 2 + 1 + 2), "every sheet but those of single houses");
    let small = known.hidden.values().filter(|count| is_small(**count)).count();
    assert!(small > 20 && known.printed.len() > 20, "{small} of {}", known.hidden.len());
    let sure = known.puzzle().given_away();
    assert!(sure.is_empty(), "{sure:?}");
    // RT outside every RW have a sheet too, which no sheet names.
    let village = VillageCode::from_u64(3_505_022_001).unwrap();
    let rt = crate::recap::tests::rt_outside();
    let region = RegionRef::Below(village, rt.parse().unwrap());
    let veil = veils.of(&kept, region, date(2026, 12, 31)).unwrap();
    let dusun = known.hidden.keys().filter(|it| it.0.starts_with(&format!("{village}/")));
    let of_its_dusun = dusun.filter(|it| it.0.ends_with("sisa 0")).map(|it| it.1);
    assert!(of_its_dusun.into_iter().all(|it| veil.hides(it)), "{veil:?}");
}
