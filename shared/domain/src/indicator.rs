//! What the recaps of the PKK books count, and how.
//!
//! One vector of counts per rumah tangga, computed from small facts at a
//! stated reference day; every recap is a sum of such vectors. Sums don't
//! depend on order or grouping, so a kabupaten equals the sum of its villages
//! number by number. Ages are completed years and months at the reference
//! day, never "now". Nothing here reads a store: callers feed [`RumahFacts`]
//! and [`WargaFacts`].

mod catalogue;
mod count;
mod presence;
mod vector;

pub use catalogue::{Indikator, Satuan};
pub use count::{RumahFacts, WargaFacts, rumah_tangga_vector};
pub use presence::{hadir_pada, wafat_pada};
pub use vector::{IndikatorVector, Kejanggalan};

use jiff::civil::Date;

/// Completed months from `lahir` to `t`; negative before birth. A month is
/// complete on the day with the same number, or on the first of the next
/// month where that day doesn't exist.
#[must_use]
pub fn umur_bulan(lahir: Date, t: Date) -> i32 {
    let months = (i32::from(t.year()) - i32::from(lahir.year())) * 12 + i32::from(t.month())
        - i32::from(lahir.month());
    months - i32::from(t.day() < lahir.day())
}

/// Completed years from `lahir` to `t`; negative before birth.
#[must_use]
pub fn umur_tahun(lahir: Date, t: Date) -> i32 {
    umur_bulan(lahir, t).div_euclid(12)
}

/// Whoever is younger is a child (UU 35/2014 Pasal 1), years.
const DEWASA: i32 = 18;

/// Whether who was born on `lahir` is a child at `t`.
#[must_use]
pub fn masih_anak(lahir: Date, t: Date) -> bool {
    umur_tahun(lahir, t) < DEWASA
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn ages_are_completed_months_and_years() {
        for (lahir, t, months, years) in [
            (date(2020, 1, 31), date(2025, 1, 30), 59, 4),
            (date(2020, 1, 31), date(2025, 1, 31), 60, 5),
            (date(2024, 2, 29), date(2025, 2, 28), 11, 0),
            (date(2024, 2, 29), date(2025, 3, 1), 12, 1),
            (date(2024, 1, 31), date(2024, 2, 29), 0, 0),
            (date(2024, 5, 1), date(2024, 5, 1), 0, 0),
            (date(2024, 5, 2), date(2024, 5, 1), -1, -1),
            (date(1964, 12, 31), date(2024, 12, 31), 720, 60),
        ] {
            assert_eq!((umur_bulan(lahir, t), umur_tahun(lahir, t)), (months, years), "{lahir}");
        }
    }
}
