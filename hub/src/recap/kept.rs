//! Sums of villages, kept while their rows stay: only villages that moved are
//! counted anew.
//!
//! Bounded: of the dates asked for last, each about 100 KB for the whole
//! district.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use lumbung_domain::region::VillageCode;

use super::VillageSum;
use crate::dataset::search::Mark;

/// Dates whose sums are kept: today, ends of months and of years.
const DATES_MAX: usize = 24;

/// One date's sums, each with the mark of the rows it was counted from.
#[derive(Default)]
struct OfDate {
    sums: BTreeMap<VillageCode, (Mark, VillageSum)>,
}

/// The sums kept; the date asked for last stands first.
#[derive(Default)]
pub struct KeptSums(Mutex<VecDeque<(Date, OfDate)>>);

impl KeptSums {
    fn with<T>(&self, date: Date, work: impl FnOnce(&mut OfDate) -> T) -> T {
        let mut dates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = dates.iter().position(|(known, _)| *known == date);
        let mut kept = at.and_then(|at| dates.remove(at)).unwrap_or((date, OfDate::default()));
        let outcome = work(&mut kept.1);
        dates.push_front(kept);
        dates.truncate(DATES_MAX);
        outcome
    }

    /// The sum of a village at a date, if it was counted from these rows.
    pub(super) fn get(&self, village: VillageCode, date: Date, mark: Mark) -> Option<VillageSum> {
        self.with(date, |kept| {
            let (counted_from, sum) = kept.sums.get(&village)?;
            (*counted_from == mark).then_some(*sum)
        })
    }

    /// Keeps a sum that was counted from rows at least as new as the mark: if
    /// they were newer, the mark has moved too and the sum is counted again.
    pub(super) fn put(&self, village: VillageCode, date: Date, mark: Mark, sum: VillageSum) {
        self.with(date, |kept| kept.sums.insert(village, (mark, sum)));
    }
}
