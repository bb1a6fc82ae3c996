//! The two languages of the console. Both texts stand side by side where they
//! are shown, so that neither can be missing. Each writes numbers, times and
//! dates in its own way.

use jiff::civil::Date;
use lumbung_domain::recap::tanggal_indonesia;
use lumbung_telemetry::clock;

/// Months, short. The fifth, eighth, tenth and twelfth differ.
const BULAN: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    /// Bahasa Indonesia.
    #[default]
    Indonesian,
    /// English.
    English,
}

impl Language {
    /// The name of the cookie that keeps the choice.
    pub(super) const COOKIE: &'static str = "bahasa";

    /// The text of this language.
    pub(super) const fn say<T: Copy>(self, indonesian: T, english: T) -> T {
        match self {
            Self::Indonesian => indonesian,
            Self::English => english,
        }
    }

    /// One of two words, as enums give them.
    pub(super) const fn of<T: Copy>(self, both: (T, T)) -> T {
        self.say(both.0, both.1)
    }

    /// Its tag.
    pub(super) const fn tag(self) -> &'static str {
        self.say("id", "en")
    }

    /// The language with this tag; Indonesian for any other.
    pub(super) fn parse(tag: &str) -> Self {
        if tag == "en" { Self::English } else { Self::Indonesian }
    }

    /// 1263480 as "1.263.480", "1,263,480".
    pub(super) fn count(self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::with_capacity(digits.len() * 4 / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(self.say('.', ','));
            }
            text.push(digit);
        }
        text
    }

    /// Tenths of a percent as "97,3%", "97.3%".
    pub(super) fn percent(self, tenths: u64) -> String {
        let (whole, tenth) = (self.count(tenths / 10), tenths % 10);
        format!("{whole}{}{tenth}%", self.say(',', '.'))
    }

    /// "14.02", "14:02" today; "23 Okt 14.02", "23 Oct 14:02" this year; "23
    /// Okt 2025", "23 Oct 2025" otherwise.
    pub(super) fn moment(self, at_ms: i64, now_ms: i64) -> String {
        let (at, now) = (clock::local(at_ms), clock::local(now_ms));
        let time = format!("{:02}{}{:02}", at.hour(), self.say('.', ':'), at.minute());
        if at.date() == now.date() {
            return time;
        }
        let month = usize::try_from(at.month() - 1).ok();
        let month = month.and_then(|month| self.say(BULAN, MONTHS).get(month).copied());
        let month = month.unwrap_or_default();
        if at.year() == now.year() {
            format!("{} {month} {time}", at.day())
        } else {
            format!("{} {month} {}", at.day(), at.year())
        }
    }

    /// The same where there is little room: other days without their time.
    pub(super) fn lately(self, at_ms: i64, now_ms: i64) -> String {
        let (at, now) = (clock::local(at_ms), clock::local(now_ms));
        let text = self.moment(at_ms, now_ms);
        match text.rsplit_once(' ') {
            Some((day, _)) if at.date() != now.date() && at.year() == now.year() => day.to_owned(),
            _ => text,
        }
    }

    /// "31 Desember 2026", "31 December 2026".
    pub(super) fn day(self, date: Date) -> String {
        match self {
            Self::Indonesian => tanggal_indonesia(date),
            Self::English => date.strftime("%-d %B %Y").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_people_write_them() {
        for (number, id, en) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1.000", "1,000"),
            (1_263_480, "1.263.480", "1,263,480"),
        ] {
            assert_eq!(Language::Indonesian.count(number), id);
            assert_eq!(Language::English.count(number), en);
        }
    }

    #[test]
    fn a_share_has_one_decimal() {
        for (tenths, id, en) in [(0, "0,0%", "0.0%"), (973, "97,3%", "97.3%")] {
            assert_eq!(Language::Indonesian.percent(tenths), id);
            assert_eq!(Language::English.percent(tenths), en);
        }
    }

    #[test]
    fn a_moment_says_no_more_than_it_must() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let now_ms = at("2026-11-24T15:00:00+07:00");
        for (moment, id, en) in [
            ("2026-11-24T14:02:00+07:00", "14.02", "14:02"),
            ("2026-11-24T00:05:59+07:00", "00.05", "00:05"),
            ("2026-11-23T14:02:00+07:00", "23 Nov 14.02", "23 Nov 14:02"),
            ("2026-05-01T09:30:00+07:00", "1 Mei 09.30", "1 May 09:30"),
            ("2026-08-17T10:00:00+07:00", "17 Agu 10.00", "17 Aug 10:00"),
            ("2026-10-28T10:00:00+07:00", "28 Okt 10.00", "28 Oct 10:00"),
            ("2025-12-31T10:00:00+07:00", "31 Des 2025", "31 Dec 2025"),
        ] {
            assert_eq!(Language::Indonesian.moment(at(moment), now_ms), id);
            assert_eq!(Language::English.moment(at(moment), now_ms), en);
        }
    }

    #[test]
    fn little_room_names_the_day_or_the_time() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let now_ms = at("2026-11-24T15:00:00+07:00");
        for (moment, id) in [
            ("2026-11-24T14:02:00+07:00", "14.02"),
            ("2026-11-23T14:02:00+07:00", "23 Nov"),
            ("2025-12-31T10:00:00+07:00", "31 Des 2025"),
        ] {
            assert_eq!(Language::Indonesian.lately(at(moment), now_ms), id);
        }
    }

    #[test]
    fn a_date_names_its_month_in_full() {
        let date = jiff::civil::date(2026, 12, 31);
        assert_eq!(Language::Indonesian.day(date), "31 Desember 2026");
        assert_eq!(Language::English.day(date), "31 December 2026");
    }
}
