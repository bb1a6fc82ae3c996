//! Sums of villages, kept while their rows stay: only villages that moved are
//! counted anew.
//!
//! While many move at once, some are counted anew, oldest first, and the others
//! taken as they were up to [`OLDEST`] and [`SPREAD`] ago: a recap of the kabupaten on a busy
//! morning must not count everything for everybody. What was never kept is
//! always counted.
//!
//! Bounded: of the dates asked for last, each about 100 KB for the whole
//! district.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use lumbung_domain::region::VillageCode;

use super::VillageSum;
use crate::allowance::Allowance;
use crate::dataset::search::Mark;

/// Dates whose sums are kept: today, ends of months and of years.
const DATES_MAX: usize = 24;

/// A sum of rows that have moved since is of no use after this,
const OLDEST: Duration = Duration::from_secs(20);

/// or, for the last of the villages, so much later: all that were counted at
/// one moment must not grow old at one moment, and make somebody wait for all.
const SPREAD: Duration = Duration::from_secs(20);

/// Sums of moved villages that are counted anew at once, and a second; one
/// takes 3 to 10 ms.
const ANEW: (u32, u32) = (24, 20);

/// A sum, the mark of the rows it was counted from, and when.
#[derive(Clone, Copy)]
struct Kept {
    mark: Mark,
    sum: VillageSum,
    at: Instant,
}

/// One date's sums.
#[derive(Default)]
struct OfDate {
    sums: BTreeMap<VillageCode, Kept>,
}

/// The sums kept; the date asked for last stands first.
pub struct KeptSums {
    dates: Mutex<VecDeque<(Date, OfDate)>>,
    anew: Allowance,
    /// Held while sums are counted, so that nothing is counted twice.
    counting: Mutex<()>,
}

/// Kept sums that are never taken from rows that have moved since.
impl Default for KeptSums {
    fn default() -> Self {
        Self::with_allowance(Allowance::new(u32::MAX, 0))
    }
}

impl KeptSums {
    /// Kept sums for many who ask while the district works.
    #[must_use]
    pub fn for_many() -> Self {
        let (burst, per_second) = ANEW;
        Self::with_allowance(Allowance::new(burst, per_second))
    }

    fn with_allowance(anew: Allowance) -> Self {
        Self { dates: Mutex::default(), anew, counting: Mutex::default() }
    }

    fn with<T>(&self, date: Date, work: impl FnOnce(&mut OfDate) -> T) -> T {
        let mut dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
        let at = dates.iter().position(|(known, _)| *known == date);
        let mut kept = at.and_then(|at| dates.remove(at)).unwrap_or((date, OfDate::default()));
        let outcome = work(&mut kept.1);
        dates.push_front(kept);
        dates.truncate(DATES_MAX);
        outcome
    }

    /// To be held by whoever counts what [`Self::look`] did not give.
    pub(super) fn counting(&self) -> MutexGuard<'_, ()> {
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sums of villages at a date, in their order; `None` = to be counted
    /// anew.
    pub(super) fn look(&self, date: Date, of: &[(VillageCode, Mark)]) -> Vec<Option<VillageSum>> {
        self.with(date, |kept| {
            let mut moved = Vec::new();
            let mut sums: Vec<Option<VillageSum>> = Vec::with_capacity(of.len());
            for (number, (village, mark)) in of.iter().enumerate() {
                let known = kept.sums.get(village);
                sums.push(known.map(|known| known.sum));
                if let Some(known) = known.filter(|known| known.mark != *mark) {
                    moved.push((known.at, number));
                }
            }
            moved.sort_unstable();
            let useful = |number: usize| OLDEST + SPREAD * number as u32 / of.len() as u32;
            let (overdue, late): (Vec<_>, Vec<_>) =
                moved.into_iter().partition(|(at, number)| at.elapsed() >= useful(*number));
            let more = self.anew.take(late.len());
            for (_, number) in overdue.into_iter().chain(late.into_iter().take(more)) {
                sums[number] = None;
            }
            sums
        })
    }

    /// Keeps a sum that was counted from rows at least as new as the mark: if
    /// they were newer, the mark has moved too and the sum is counted again.
    pub(super) fn put(&self, village: VillageCode, date: Date, mark: Mark, sum: VillageSum) {
        let kept_now = Kept { mark, sum, at: Instant::now() };
        self.with(date, |kept| kept.sums.insert(village, kept_now));
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use lumbung_domain::region::roster;

    use super::super::EMPTY;
    use super::*;

    #[test]
    fn while_many_move_some_are_counted_anew_and_none_is_lost() {
        let (day, all) = (date(2026, 12, 31), roster().villages());
        let marked =
            |mark| -> Vec<_> { all.iter().map(|it| (it.code, Mark([mark; 16]))).collect() };
        let anew = |kept: &KeptSums, day, mark| -> usize {
            kept.look(day, &marked(mark)).iter().filter(|sum| sum.is_none()).count()
        };
        for (kept, expected) in [(KeptSums::for_many(), ANEW.0), (KeptSums::default(), 248)] {
            assert_eq!(anew(&kept, day, 1), 248, "what was never kept is counted");
            marked(1).into_iter().for_each(|(village, mark)| kept.put(village, day, mark, EMPTY));
            assert_eq!(anew(&kept, day, 1), 0);
            let moved = anew(&kept, day, 2);
            assert!((expected as usize..=248).contains(&moved), "{moved}");
            assert!(moved == 248 || expected < 248, "{moved}");
            assert_eq!(anew(&kept, date(2027, 1, 1), 1), 248);
        }
    }

    #[test]
    fn sums_of_one_moment_do_not_grow_old_at_one_moment() {
        let (kept, day) = (KeptSums::with_allowance(Allowance::new(0, 0)), date(2026, 12, 31));
        let of: Vec<_> = roster().villages().iter().map(|it| (it.code, Mark([2; 16]))).collect();
        let aged = |seconds| {
            for (village, _) in &of {
                kept.put(*village, day, Mark([1; 16]), EMPTY);
            }
            let at = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
            kept.with(day, |kept| kept.sums.values_mut().for_each(|sum| sum.at = at));
            kept.look(day, &of).iter().filter(|sum| sum.is_none()).count()
        };
        assert_eq!(aged(19), 0);
        assert!((50..=90).contains(&aged(25)), "about a quarter");
        assert_eq!(aged(40), 248);
    }
}
