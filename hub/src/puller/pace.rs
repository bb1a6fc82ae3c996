//! How large the batches of one village may be, and whether they travel as
//! columns or as rows, learned from its link.
//!
//! A batch is what a cut costs: at most one has to be sent again. So its
//! transfer should take a second or so: a few KiB on a bad link, half a
//! megabyte on a good one, where large batches compress better. What was
//! learned outlives the connection; a link that broke before a single batch
//! got through gets half the size.
//!
//! Columns take a third fewer bytes and most of a node's CPU. Bytes are what a
//! village pays for, so columns it is, unless most turns to catch up are taken:
//! a district that returns at once is bound by CPU, and rows over links that
//! bear them have all of it back sooner. A link that has not shown that it is
//! slow gets rows then; its first batch tells.

use std::time::Duration;

use lumbung_link::limits::{BATCH_BYTES_FIRST, BATCH_BYTES_MAX, BATCH_BYTES_MIN};

/// A transfer that takes this long is left as it is.
const GOOD: (Duration, Duration) = (Duration::from_millis(700), Duration::from_millis(2_000));

/// What a change of size aims at.
const AIM: Duration = Duration::from_millis(1_400);

/// One measurement changes the size by this factor at most.
const STEP_MAX: f64 = 4.0;

/// From this many bytes a second on the wire on a link bears rows: about 4
/// Mbit/s, where the bytes that columns would save of a village's first pull
/// take less than half a second. A hub that many villages keep busy measures
/// a lower rate than the line has, never a higher one.
const FAST_FROM_RATE: f64 = 500e3;

/// Below this rate it is slow again.
const SLOW_BELOW_RATE: f64 = 250e3;

/// How large batches travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Field by field: fewest bytes.
    Columns,
    /// Record by record: least work.
    Rows,
}

/// Whether a link bears rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bears {
    /// No whole batch has shown it yet.
    Unknown,
    Rows,
    Columns,
}

/// What is known about sending batches over one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    batch_bytes: u32,
    bears: Bears,
}

impl Default for Pace {
    fn default() -> Self {
        Self { batch_bytes: BATCH_BYTES_FIRST, bears: Bears::Unknown }
    }
}

impl Pace {
    /// Size of a batch before compression.
    pub(super) const fn batch_bytes(self) -> u32 {
        self.batch_bytes
    }

    /// The form of large batches, for a hub in a hurry or one with time.
    pub(super) const fn form(self, hurry: bool) -> Form {
        match self.bears {
            Bears::Unknown | Bears::Rows if hurry => Form::Rows,
            _ => Form::Columns,
        }
    }

    /// Bytes that may be under way: one batch on the link and the next behind
    /// it, so that the link never waits for an ack. What has not left the
    /// node when the link breaks is not sent twice.
    pub(super) const fn window_bytes(self) -> u64 {
        self.batch_bytes as u64 * 3 / 2
    }

    /// A batch of `bytes`, which were `wire_bytes` on the link, arrived after
    /// the link had nothing else to do for `took`. Whether size or what the
    /// link bears changes.
    pub(super) fn arrived(&mut self, bytes: u64, wire_bytes: usize, took: Duration) -> bool {
        if bytes < u64::from(self.batch_bytes) {
            return false;
        }
        let before = *self;
        let seconds = took.as_secs_f64().max(0.001);
        match wire_bytes as f64 / seconds {
            rate if rate >= FAST_FROM_RATE => self.bears = Bears::Rows,
            rate if rate < SLOW_BELOW_RATE => self.bears = Bears::Columns,
            _ => {}
        }
        if !(GOOD.0..=GOOD.1).contains(&took) {
            let factor = AIM.as_secs_f64() / seconds;
            let wanted = f64::from(self.batch_bytes) * factor.clamp(1.0 / STEP_MAX, STEP_MAX);
            self.set(wanted as u32);
        }
        *self != before
    }

    /// The link broke before a batch got through.
    pub(super) fn broke(&mut self) {
        self.bears = Bears::Columns;
        self.set(self.batch_bytes / 2);
    }

    fn set(&mut self, wanted: u32) {
        self.batch_bytes = wanted.clamp(BATCH_BYTES_MIN, BATCH_BYTES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What compression leaves of a batch of resident records.
    fn on_the_wire(pace: Pace) -> usize {
        let share = if pace.form(true) == Form::Columns { 7 } else { 4 };
        pace.batch_bytes() as usize / share
    }

    /// A whole batch over a link of so many bytes a second.
    fn pull(pace: &mut Pace, bytes_per_second: f64) -> Duration {
        let wire_bytes = on_the_wire(*pace);
        let took = Duration::from_secs_f64(wire_bytes as f64 / bytes_per_second);
        pace.arrived(u64::from(pace.batch_bytes()), wire_bytes, took);
        took
    }

    /// Pulls until the size stays.
    fn settled(bytes_per_second: f64) -> Pace {
        let mut pace = Pace::default();
        for _ in 0..20 {
            pull(&mut pace, bytes_per_second);
        }
        pace
    }

    #[test]
    fn a_transfer_takes_about_a_second_on_any_link_between_the_bounds() {
        for rate in [600.0, 3_000.0, 8_000.0, 30_000.0] {
            let took = pull(&mut settled(rate), rate).as_secs_f64();
            assert!((0.7..=2.0).contains(&took), "{took} s at {rate} bytes/s");
        }
        assert_eq!(settled(20.0).batch_bytes(), BATCH_BYTES_MIN);
        assert_eq!(settled(1e9).batch_bytes(), BATCH_BYTES_MAX);
    }

    #[test]
    fn a_link_that_is_not_slow_gets_rows_while_the_hub_is_in_a_hurry() {
        let mut pace = Pace::default();
        for _ in 0..2 {
            assert_eq!(pace.form(true), Form::Rows, "nothing speaks against it");
            assert_eq!(pace.form(false), Form::Columns, "bytes cost, time does not");
            pull(&mut pace, 5e6);
        }
        for rate in [8_000.0, 30_000.0, 125_000.0, 240_000.0] {
            let mut pace = Pace::default();
            for _ in 0..20 {
                pull(&mut pace, rate);
                assert_eq!(pace.form(true), Form::Columns, "at {rate} bytes/s");
            }
        }
    }

    #[test]
    fn a_fast_link_that_slows_down_or_breaks_gets_columns_again() {
        let mut pace = settled(5e6);
        pull(&mut pace, 400e3);
        assert_eq!(pace.form(true), Form::Rows, "between the bounds it stays");
        pull(&mut pace, 100e3);
        assert_eq!(pace.form(true), Form::Columns);
        let mut pace = settled(5e6);
        pace.broke();
        assert_eq!(pace.form(true), Form::Columns);
    }

    #[test]
    fn a_change_of_form_alone_is_told_too() {
        let mut pace = settled(5e6);
        let (bytes, wire_bytes) = (u64::from(pace.batch_bytes()), on_the_wire(pace));
        let took = Duration::from_secs(1);
        assert!(pace.arrived(bytes, wire_bytes, took), "columns from now on");
        assert_eq!(pace, Pace { bears: Bears::Columns, ..settled(5e6) });
        assert!(!pace.arrived(bytes, wire_bytes, took));
    }

    #[test]
    fn a_link_that_lets_nothing_through_gets_ever_less_down_to_the_least() {
        let mut pace = Pace::default();
        for _ in 0..20 {
            let before = pace.batch_bytes();
            pace.broke();
            assert!(pace.batch_bytes() < before || before == BATCH_BYTES_MIN);
        }
        assert_eq!(pace.batch_bytes(), BATCH_BYTES_MIN);
        pull(&mut pace, 20e3);
        assert!(pace.batch_bytes() > BATCH_BYTES_MIN, "it grows again");
    }

    #[test]
    fn a_lone_change_says_nothing_about_the_link() {
        let mut pace = Pace::default();
        assert!(!pace.arrived(300, 200, Duration::from_secs(60)));
        assert!(!pace.arrived(300, 200, Duration::from_millis(1)));
        assert_eq!(pace, Pace::default());
    }
}
