//! The wall clock. Village clocks may be years off: times are for people to
//! read and for ages of things, never for order.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

/// Waktu Indonesia Barat, the time of East Java.
const WIB: TimeZone = TimeZone::fixed(Offset::constant(7));

/// Now, Unix milliseconds; 0 on a clock before 1970.
#[must_use]
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Today in East Java.
#[must_use]
pub fn today() -> Date {
    local(now_ms()).date()
}

/// A moment as East Java's clocks show it.
#[must_use]
pub fn local(at_ms: i64) -> jiff::civil::DateTime {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    WIB.to_datetime(at)
}

/// A moment for people: `2026-11-24 15:04:05`.
#[must_use]
pub fn display(at_ms: i64) -> String {
    local(at_ms).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
