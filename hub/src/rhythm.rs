//! The rhythm of a village: how long it usually stays silent, learned from
//! the silences before, and how fresh it is measured by that.
//!
//! A village office that is closed over the weekend, one that brings a stick
//! to the weekly meeting and one whose line never breaks are all in good
//! order; each is judged by its own rhythm, never by a stricter one than the
//! district's (24 hours, 3 days, 7 days). Pure: no clock, no store.

mod days;
mod freshness;

pub use days::{ContactDay, Day, StripDay, StripKind, freshness_of_days, strip};
pub use freshness::{Freshness, FreshnessCounts, Thresholds};

/// Silence from this long on is a gap between contacts, milliseconds; shorter
/// ones are a line that was made anew.
pub const GAP_MIN_MS: i64 = HOUR_MS;

/// Newest gaps from which a rhythm is learned: about a quarter of a year of
/// an office's working days.
pub const GAPS_KEPT: usize = 64;

/// No rhythm is slower than this, milliseconds: what shows itself less often
/// than every second week is a village that is missing, not a habit.
pub const RHYTHM_MAX_MS: i64 = 14 * DAY_MS;

pub(crate) const HOUR_MS: i64 = 60 * 60 * 1000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
const MINUTE_MS: i64 = 60 * 1000;

/// Gaps as usual for its way that count beside a village's own when the long
/// ones (p95) are learned: one or two odd weeks change nothing.
const PRIOR_LONG: usize = 20;

/// The same for the usual one (p50), which a handful of gaps shows.
const PRIOR_USUAL: usize = 3;

/// The way a village last came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Its line.
    Link,
    /// A bundle on a stick.
    Stick,
}

impl Way {
    /// What is expected of a village that isn't known yet, milliseconds: an
    /// office that is switched off overnight; a stick that is brought to the
    /// weekly meeting at the kecamatan.
    #[must_use]
    pub const fn prior_ms(self) -> i64 {
        match self {
            Self::Link => 16 * HOUR_MS,
            Self::Stick => 7 * DAY_MS,
        }
    }
}

/// The newest gaps between a village's contacts, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps(Vec<u16>);

impl Gaps {
    /// Adds a silence that has ended; whether it was one that counts.
    pub fn note(&mut self, gap_ms: i64) -> bool {
        if gap_ms < GAP_MIN_MS {
            return false;
        }
        if self.0.len() >= GAPS_KEPT {
            self.0.drain(..=self.0.len() - GAPS_KEPT);
        }
        self.0.push(u16::try_from(gap_ms / MINUTE_MS).unwrap_or(u16::MAX));
        true
    }

    /// How many are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, milliseconds, oldest first; whole minutes, 45 days at most.
    pub fn iter_ms(&self) -> impl Iterator<Item = i64> {
        self.0.iter().map(|minutes| i64::from(*minutes) * MINUTE_MS)
    }

    /// The stored form: two bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|minutes| minutes.to_le_bytes()).collect()
    }

    /// The gaps behind their stored form. An odd byte at the end is left out:
    /// a rhythm is learned anew, never refused.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Self {
        let (pairs, _) = bytes.as_chunks::<2>();
        let newest = pairs.len().saturating_sub(GAPS_KEPT);
        Self(pairs.iter().skip(newest).map(|pair| u16::from_le_bytes(*pair)).collect())
    }
}

/// How long a village usually stays silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// Half of its gaps are at most this long, milliseconds.
    pub p50_ms: i64,
    /// Nineteen of twenty gaps are at most this long, milliseconds; never
    /// above [`RHYTHM_MAX_MS`].
    pub p95_ms: i64,
    /// From how many gaps of its own this is learned.
    pub learned_from: usize,
}

impl Rhythm {
    /// Learns from a village's own gaps; what is expected of the way it comes
    /// stands in for those that are missing.
    #[must_use]
    pub fn learn(gaps: &Gaps, way: Way) -> Self {
        let own: Vec<i64> = gaps.iter_ms().collect();
        let quantile = |prior: usize, of_20: usize| {
            let mut all = own.clone();
            all.extend(std::iter::repeat_n(way.prior_ms(), prior));
            all.sort_unstable();
            let rank = (all.len() * of_20).div_ceil(20).max(1);
            all.get(rank - 1).copied().unwrap_or(way.prior_ms()).min(RHYTHM_MAX_MS)
        };
        Self {
            p50_ms: quantile(PRIOR_USUAL, 10),
            p95_ms: quantile(PRIOR_LONG, 19),
            learned_from: gaps.len(),
        }
    }

    /// From when on this village counts as late, old and missing.
    #[must_use]
    pub fn thresholds(&self) -> Thresholds {
        Thresholds::of(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gaps(hours: &[i64]) -> Gaps {
        let mut gaps = Gaps::default();
        for hours in hours {
            gaps.note(hours * HOUR_MS);
        }
        gaps
    }

    #[test]
    fn a_village_nobody_knows_has_the_rhythm_of_its_way() {
        let link = Rhythm::learn(&Gaps::default(), Way::Link);
        assert_eq!((link.p50_ms, link.p95_ms), (16 * HOUR_MS, 16 * HOUR_MS));
        let stick = Rhythm::learn(&Gaps::default(), Way::Stick);
        assert_eq!((stick.p50_ms, stick.p95_ms), (7 * DAY_MS, 7 * DAY_MS));
    }

    #[test]
    fn weekends_are_learned_and_one_odd_week_is_not() {
        let office: Vec<i64> = [16, 16, 16, 16, 64].repeat(6);
        let rhythm = Rhythm::learn(&gaps(&office), Way::Link);
        assert_eq!((rhythm.p50_ms, rhythm.p95_ms), (16 * HOUR_MS, 64 * HOUR_MS));
        let once = Rhythm::learn(&gaps(&[16, 16, 240, 16]), Way::Link);
        assert_eq!(once.p95_ms, 16 * HOUR_MS);
    }

    #[test]
    fn a_village_that_changes_to_sticks_is_judged_as_one_at_once() {
        let daily = gaps(&[16; GAPS_KEPT]);
        assert_eq!(Rhythm::learn(&daily, Way::Stick).p95_ms, 7 * DAY_MS);
    }

    #[test]
    fn short_silences_are_no_gaps_and_the_oldest_give_way() {
        let mut gaps = Gaps::default();
        assert!(!gaps.note(GAP_MIN_MS - 1));
        for number in 0..100 {
            assert!(gaps.note((number + 1) * HOUR_MS));
        }
        assert_eq!(gaps.len(), GAPS_KEPT);
        assert_eq!(gaps.iter_ms().last(), Some(100 * HOUR_MS));
        assert_eq!(gaps.iter_ms().next(), Some(37 * HOUR_MS));
    }

    proptest! {
        #[test]
        fn gaps_come_back_as_stored(minutes in prop::collection::vec(60..u16::MAX, 0..80)) {
            let mut gaps = Gaps::default();
            for minutes in &minutes {
                gaps.note(i64::from(*minutes) * MINUTE_MS);
            }
            let newest: Vec<_> = minutes.iter().rev().take(GAPS_KEPT).rev().copied().collect();
            let back = Gaps::from_slice(&gaps.to_bytes());
            prop_assert_eq!(&back, &gaps);
            prop_assert_eq!(back.0, newest);
        }

        #[test]
        fn any_bytes_are_some_gaps(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Gaps::from_slice(&bytes).len() <= GAPS_KEPT);
        }

        #[test]
        fn a_rhythm_lies_within_what_happened(
            hours in prop::collection::vec(1..2_000_i64, 0..80),
            stick in any::<bool>(),
        ) {
            let way = if stick { Way::Stick } else { Way::Link };
            let rhythm = Rhythm::learn(&gaps(&hours), way);
            prop_assert!(rhythm.p50_ms <= rhythm.p95_ms);
            prop_assert!(rhythm.p95_ms <= RHYTHM_MAX_MS);
            let least = hours.iter().map(|hours| hours * HOUR_MS).min().unwrap_or(i64::MAX);
            prop_assert!(rhythm.p50_ms >= least.min(way.prior_ms()));
        }

        #[test]
        fn longer_gaps_never_make_a_rhythm_faster(
            hours in prop::collection::vec(1..400_i64, 1..60),
            more in 0..400_i64,
        ) {
            let longer: Vec<_> = hours.iter().map(|hours| hours + more).collect();
            let (short, long) =
                (Rhythm::learn(&gaps(&hours), Way::Link), Rhythm::learn(&gaps(&longer), Way::Link));
            prop_assert!(short.p50_ms <= long.p50_ms && short.p95_ms <= long.p95_ms);
        }
    }
}
