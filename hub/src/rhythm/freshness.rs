//! How fresh a village is: five classes, and when one ends and the next
//! begins.
//!
//! The rule: fresh up to 24 hours of silence, late up to 3 days, old up to 7,
//! missing beyond. A village whose rhythm is slower is given more: fresh up to
//! 4/3 of its p95, late up to twice, old up to three times. So one that comes
//! weekly is fresh for nine days, as long as sticks count
//! (`dataset::STICK_FRESH_MS`), and none is judged more strictly than the
//! district's rule.

use super::{DAY_MS, Rhythm};

/// How fresh a village is. Ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    /// In touch, or silent no longer than it often is.
    Segar,
    /// Silent for longer than it should be.
    Terlambat,
    /// What is here of it is old.
    Lama,
    /// Nobody knows what has become of it.
    Hilang,
    /// Never heard of.
    BelumTerdaftar,
}

impl Freshness {
    /// Every class, from best to worst.
    pub const ALL: [Self; 5] =
        [Self::Segar, Self::Terlambat, Self::Lama, Self::Hilang, Self::BelumTerdaftar];

    /// The stable code, for files, URLs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Segar => "segar",
            Self::Terlambat => "terlambat",
            Self::Lama => "lama",
            Self::Hilang => "hilang",
            Self::BelumTerdaftar => "belum_terdaftar",
        }
    }

    /// The class of a village that has been silent this long; `None` = it has
    /// never been heard of.
    #[must_use]
    pub fn of(silence_ms: Option<i64>, rhythm: &Rhythm) -> Self {
        silence_ms.map_or(Self::BelumTerdaftar, |silence_ms| rhythm.thresholds().judge(silence_ms))
    }
}

/// Longest silences of each class, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Up to here fresh.
    pub fresh_ms: i64,
    /// Up to here late.
    pub late_ms: i64,
    /// Up to here old; missing beyond.
    pub old_ms: i64,
}

impl Thresholds {
    /// The district's own, for a village that is in touch every day.
    pub const DISTRICT: Self = Self { fresh_ms: DAY_MS, late_ms: 3 * DAY_MS, old_ms: 7 * DAY_MS };

    /// Those of a village with this rhythm.
    #[must_use]
    pub fn of(rhythm: &Rhythm) -> Self {
        let Self { fresh_ms, late_ms, old_ms } = Self::DISTRICT;
        Self {
            fresh_ms: fresh_ms.max(rhythm.p95_ms * 4 / 3),
            late_ms: late_ms.max(rhythm.p95_ms * 2),
            old_ms: old_ms.max(rhythm.p95_ms * 3),
        }
    }

    /// The class of this much silence.
    #[must_use]
    pub const fn judge(&self, silence_ms: i64) -> Freshness {
        match silence_ms {
            silence if silence <= self.fresh_ms => Freshness::Segar,
            silence if silence <= self.late_ms => Freshness::Terlambat,
            silence if silence <= self.old_ms => Freshness::Lama,
            _ => Freshness::Hilang,
        }
    }
}

/// How many villages are in each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreshnessCounts([u32; Freshness::ALL.len()]);

impl FreshnessCounts {
    /// Counts in the order of [`Freshness::ALL`].
    #[must_use]
    pub const fn new(counts: [u32; Freshness::ALL.len()]) -> Self {
        Self(counts)
    }

    /// How many are in this class.
    #[must_use]
    pub const fn of(&self, class: Freshness) -> u32 {
        self.0[class as usize]
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }
}

impl FromIterator<Freshness> for FreshnessCounts {
    fn from_iter<I: IntoIterator<Item = Freshness>>(classes: I) -> Self {
        let mut counts = Self::default();
        for class in classes {
            counts.0[class as usize] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::STICK_FRESH_MS;
    use crate::rhythm::{Gaps, HOUR_MS, RHYTHM_MAX_MS, Way};

    fn with_p95(p95_ms: i64) -> Rhythm {
        Rhythm { p50_ms: p95_ms, p95_ms, learned_from: 9 }
    }

    #[test]
    fn a_village_like_any_other_is_judged_by_the_districts_rule() {
        let usual = Rhythm::learn(&Gaps::default(), Way::Link);
        assert_eq!(usual.thresholds(), Thresholds::DISTRICT);
        let of = |silence_ms| Freshness::of(Some(silence_ms), &usual);
        assert_eq!(of(DAY_MS), Freshness::Segar);
        assert_eq!(of(DAY_MS + 1), Freshness::Terlambat);
        assert_eq!(of(3 * DAY_MS + 1), Freshness::Lama);
        assert_eq!(of(7 * DAY_MS + 1), Freshness::Hilang);
        assert_eq!(Freshness::of(None, &usual), Freshness::BelumTerdaftar);
    }

    #[test]
    fn one_that_comes_weekly_by_stick_is_not_late_on_day_three() {
        let weekly = Rhythm::learn(&Gaps::default(), Way::Stick);
        assert_eq!(Freshness::of(Some(3 * DAY_MS), &weekly), Freshness::Segar);
        assert_eq!(Freshness::of(Some(STICK_FRESH_MS), &weekly), Freshness::Segar);
        assert_eq!(Freshness::of(Some(10 * DAY_MS), &weekly), Freshness::Terlambat);
        assert_eq!(Freshness::of(Some(15 * DAY_MS), &weekly), Freshness::Lama);
        assert_eq!(Freshness::of(Some(22 * DAY_MS), &weekly), Freshness::Hilang);
    }

    #[test]
    fn classes_are_counted() {
        let counts: FreshnessCounts =
            [Freshness::Segar, Freshness::Hilang, Freshness::Segar].into_iter().collect();
        assert_eq!(counts.of(Freshness::Segar), 2);
        assert_eq!((counts.of(Freshness::Lama), counts.total()), (0, 3));
    }

    proptest! {
        #[test]
        fn silence_never_makes_a_village_fresher(
            p95_ms in HOUR_MS..=RHYTHM_MAX_MS,
            shorter in 0..100 * DAY_MS,
            more in 0..100 * DAY_MS,
        ) {
            let thresholds = with_p95(p95_ms).thresholds();
            prop_assert!(thresholds.judge(shorter) <= thresholds.judge(shorter + more));
        }

        #[test]
        fn a_slower_rhythm_is_never_judged_more_strictly(
            p95_ms in HOUR_MS..RHYTHM_MAX_MS,
            slower in 0..DAY_MS,
            silence in 0..100 * DAY_MS,
        ) {
            let (fast, slow) = (with_p95(p95_ms), with_p95(p95_ms + slower));
            let of = |rhythm| Freshness::of(Some(silence), rhythm);
            prop_assert!(of(&slow) <= of(&fast));
            prop_assert!(of(&fast) <= Thresholds::DISTRICT.judge(silence));
        }
    }
}
