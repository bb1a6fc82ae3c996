//! Days in East Java, and what a village's contacts looked like on them.

use jiff::civil::Date;
use lumbung_telemetry::clock;

use super::{DAY_MS, Freshness, HOUR_MS, Rhythm};

/// East Java's clocks are this far ahead of UTC, milliseconds.
const WIB_MS: i64 = 7 * HOUR_MS;

/// A day in East Java, numbered from 1 January 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// The day of a moment (Unix milliseconds).
    #[must_use]
    pub const fn of(at_ms: i64) -> Self {
        Self(at_ms.saturating_add(WIB_MS).div_euclid(DAY_MS))
    }

    /// Its first moment, Unix milliseconds.
    #[must_use]
    pub const fn starts_ms(self) -> i64 {
        self.0.saturating_mul(DAY_MS).saturating_sub(WIB_MS)
    }

    /// So many days earlier.
    #[must_use]
    pub const fn before(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// As people write it.
    #[must_use]
    pub fn date(self) -> Date {
        clock::local(self.starts_ms()).date()
    }

    /// The hour of a moment in East Java, as one of 24 bits.
    #[must_use]
    pub const fn hour_bit(at_ms: i64) -> u32 {
        1 << (at_ms.saturating_add(WIB_MS).rem_euclid(DAY_MS) / HOUR_MS)
    }
}

/// A village's contacts on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactDay {
    /// Which day.
    pub day: Day,
    /// The hours in which there was a sign of life: bit 0 is 00.00 to 00.59.
    pub hours: u32,
    /// How often its node answered anew.
    pub visits: u32,
    /// How often it was proven equal.
    pub proofs: u32,
    /// Bundles on a stick.
    pub sticks: u32,
    /// Something was wrong with it on that day.
    pub troubled: bool,
}

impl ContactDay {
    /// In how many hours of the day there was a sign of life.
    #[must_use]
    pub const fn hours_in_touch(&self) -> u32 {
        self.hours.count_ones()
    }

    /// The end of the last hour in which there was a sign of it, Unix
    /// milliseconds; a stick counts for its whole day.
    #[must_use]
    pub const fn last_ms(&self) -> i64 {
        let hours = if self.sticks > 0 { 24 } else { u32::BITS - self.hours.leading_zeros() };
        self.day.starts_ms() + hours as i64 * HOUR_MS
    }

    /// Whether it came at all; a trouble alone is no contact.
    #[must_use]
    pub const fn has_contact(&self) -> bool {
        self.hours != 0 || self.sticks != 0
    }
}

/// One day of a contact strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StripDay {
    /// Which.
    pub day: Day,
    /// What it looked like.
    pub kind: StripKind,
}

/// What a day of a contact strip looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StripKind {
    /// Before the first contact that is known.
    Before,
    /// Nothing was heard.
    Silent,
    /// Nothing was heard, but the hub itself was away for half of it or more.
    HubAway,
    /// It came.
    Contact(ContactDay),
}

/// The last `span` days up to `today`, oldest first. `days` are those with
/// anything on them, in any order; `first` is the first day known of the
/// village; `away` tells for how long the hub itself was away on a day,
/// milliseconds.
#[must_use]
pub fn strip(
    days: &[ContactDay],
    first: Option<Day>,
    today: Day,
    span: u16,
    away: impl Fn(Day) -> i64,
) -> Vec<StripDay> {
    let of = |day: Day| {
        let came = days.iter().find(|known| known.day == day && known.has_contact());
        let kind = match came {
            Some(came) => StripKind::Contact(*came),
            None if first.is_none_or(|first| day < first) => StripKind::Before,
            None if away(day) >= DAY_MS / 2 => StripKind::HubAway,
            None => StripKind::Silent,
        };
        StripDay { day, kind }
    };
    (0..i64::from(span)).rev().map(|ago| of(today.before(ago))).collect()
}

/// How fresh a village was at the end of each of these days, by the rhythm it
/// has now. `days` are those with anything on them, oldest first; `first` is
/// the first day known of it.
pub fn freshness_of_days(
    days: &[ContactDay],
    first: Option<Day>,
    rhythm: &Rhythm,
    asked: impl Iterator<Item = Day>,
) -> impl Iterator<Item = Freshness> {
    asked.map(move |day| {
        if first.is_none_or(|first| day < first) {
            return Freshness::BelumTerdaftar;
        }
        let came = days.iter().rfind(|it| it.day <= day && it.has_contact());
        let ends_ms = Day(day.0 + 1).starts_ms();
        // Known, but not since these days began.
        let silence_ms = came.map_or(i64::MAX, |came| ends_ms - came.last_ms());
        Freshness::of(Some(silence_ms), rhythm)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn came(day: Day) -> ContactDay {
        ContactDay { day, hours: 0b11 << 8, visits: 1, proofs: 1, sticks: 0, troubled: false }
    }

    #[test]
    fn a_day_begins_at_midnight_in_east_java() {
        // 2026-11-24 00:00 WIB.
        let midnight_ms = 1_795_453_200_000;
        let day = Day::of(midnight_ms);
        assert_eq!(day.date().to_string(), "2026-11-24");
        assert_eq!((day.starts_ms(), Day::of(midnight_ms - 1)), (midnight_ms, day.before(1)));
        assert_eq!(Day::hour_bit(midnight_ms), 1);
        assert_eq!(Day::hour_bit(midnight_ms - 1), 1 << 23);
    }

    #[test]
    fn a_strip_tells_silence_from_what_nobody_could_hear() {
        let today = Day(20_000);
        let days = [came(today.before(3)), came(today)];
        let away = |day| if day == today.before(1) { DAY_MS } else { 0 };
        let strip = strip(&days, Some(today.before(3)), today, 5, away);
        let kinds: Vec<_> = strip.iter().map(|day| day.kind).collect();
        assert_eq!(
            kinds,
            [
                StripKind::Before,
                StripKind::Contact(days[0]),
                StripKind::Silent,
                StripKind::HubAway,
                StripKind::Contact(days[1]),
            ]
        );
        assert_eq!(strip.last().unwrap().day, today);
    }

    #[test]
    fn each_day_is_judged_by_the_last_sign_before_its_end() {
        let today = Day(20_000);
        // Heard of from eight to ten, then silent for eight days.
        let days = [came(today.before(9)), came(today.before(8)), came(today)];
        let rhythm = Rhythm::learn(&crate::rhythm::Gaps::default(), crate::rhythm::Way::Link);
        let asked = (0..11).rev().map(|ago| today.before(ago));
        let classes: Vec<_> =
            freshness_of_days(&days, Some(today.before(9)), &rhythm, asked).collect();
        let mut expected = vec![Freshness::BelumTerdaftar, Freshness::Segar, Freshness::Segar];
        expected.extend([Freshness::Terlambat; 2]);
        expected.extend([Freshness::Lama; 4]);
        expected.extend([Freshness::Hilang, Freshness::Segar]);
        assert_eq!(classes, expected);
        let long_ago = Some(today.before(90));
        let silent = freshness_of_days(&[], long_ago, &rhythm, std::iter::once(today));
        assert_eq!(silent.collect::<Vec<_>>(), [Freshness::Hilang]);
    }

    #[test]
    fn a_trouble_alone_is_no_contact() {
        let today = Day(20_000);
        let only = ContactDay { hours: 0, visits: 0, proofs: 0, troubled: true, ..came(today) };
        let strip = strip(&[only], Some(today), today, 1, |_| 0);
        assert_eq!(strip[0].kind, StripKind::Silent);
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_its_day(at_ms in 0..4_000_000_000_000_i64) {
            let day = Day::of(at_ms);
            prop_assert!(day.starts_ms() <= at_ms && at_ms < Day(day.0 + 1).starts_ms());
            prop_assert_eq!(Day::hour_bit(at_ms).count_ones(), 1);
        }
    }
}
