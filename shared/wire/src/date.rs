//! Calendar days as whole numbers.
//!
//! On the wire a day is its distance from 1970-01-01, moved up by one from
//! that day on, so that 0 can mean "blank".

use jiff::civil::Date;

const UNIX_EPOCH: Date = Date::constant(1970, 1, 1);

/// Days since 1970-01-01.
#[must_use]
pub fn to_days(date: Date) -> i32 {
    // A civil date is within ten thousand years: far inside an i32 of days.
    UNIX_EPOCH.until(date).map_or(0, |span| span.get_days())
}

/// The day that lies `days` after 1970-01-01, if it is in the calendar.
#[must_use]
pub fn from_days(days: i32) -> Option<Date> {
    // The calendar covers the years -9999 to 9999.
    if !(-4_371_587..=2_932_896).contains(&days) {
        return None;
    }
    UNIX_EPOCH.checked_add(jiff::Span::new().days(days)).ok()
}

/// The wire form of a day that may be blank.
#[must_use]
pub fn to_wire(date: Option<Date>) -> i32 {
    date.map_or(0, |date| {
        let days = to_days(date);
        if days >= 0 { days + 1 } else { days }
    })
}

/// The day behind its wire form; `None` for blank and for nonsense.
#[must_use]
pub fn from_wire(value: i32) -> Option<Date> {
    match value {
        0 => None,
        1.. => from_days(value - 1),
        _ => from_days(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_epoch_and_its_neighbours() {
        for (text, wire) in [("1970-01-01", 1), ("1969-12-31", -1), ("1970-01-02", 2)] {
            let date: Date = text.parse().unwrap();
            assert_eq!(to_wire(Some(date)), wire);
            assert_eq!(from_wire(wire), Some(date));
        }
        assert_eq!(from_wire(0), None);
        assert_eq!(from_wire(i32::MAX), None);
    }

    proptest! {
        #[test]
        fn every_day_survives_the_wire(days in -4_371_587_i32..=2_932_896) {
            let date = from_days(days).unwrap();
            prop_assert_eq!(to_days(date), days);
            prop_assert_eq!(from_wire(to_wire(Some(date))), Some(date));
        }
    }
}
