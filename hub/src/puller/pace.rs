//! How large the batches of one village may be, learned from its link.
//!
//! A batch is what a cut costs: at most one has to be sent again. So its
//! transfer should take a second or so: a few KiB on a bad link, half a
//! megabyte on a good one, where large batches compress better. What was
//! learned outlives the connection; a link that broke before a single batch
//! got through gets half the size.

use std::time::Duration;

use lumbung_link::limits::{BATCH_BYTES_FIRST, BATCH_BYTES_MAX, BATCH_BYTES_MIN};

/// A transfer that takes this long is left as it is.
const GOOD: (Duration, Duration) = (Duration::from_millis(700), Duration::from_millis(2_000));

/// What a change of size aims at.
const AIM: Duration = Duration::from_millis(1_400);

/// One measurement changes the size by this factor at most.
const STEP_MAX: f64 = 4.0;

/// The size of batches over one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    batch_bytes: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { batch_bytes: BATCH_BYTES_FIRST }
    }
}

impl Pace {
    /// Size of a batch before compression.
    pub(super) const fn batch_bytes(self) -> u32 {
        self.batch_bytes
    }

    /// Bytes that may be under way: one batch on the link and the next behind
    /// it, so that the link never waits for an ack. What has not left the
    /// node when the link breaks is not sent twice.
    pub(super) const fn window_bytes(self) -> u64 {
        self.batch_bytes as u64 * 3 / 2
    }

    /// A batch of `bytes` arrived after the link had nothing else to do for
    /// `took`. Whether the size changes.
    pub(super) fn arrived(&mut self, bytes: u64, took: Duration) -> bool {
        if bytes < u64::from(self.batch_bytes) || (GOOD.0..=GOOD.1).contains(&took) {
            return false;
        }
        let factor = AIM.as_secs_f64() / took.as_secs_f64().max(0.001);
        let wanted = f64::from(self.batch_bytes) * factor.clamp(1.0 / STEP_MAX, STEP_MAX);
        self.set(wanted as u32)
    }

    /// The link broke before a batch got through.
    pub(super) fn broke(&mut self) {
        self.set(self.batch_bytes / 2);
    }

    fn set(&mut self, wanted: u32) -> bool {
        let before = self.batch_bytes;
        self.batch_bytes = wanted.clamp(BATCH_BYTES_MIN, BATCH_BYTES_MAX);
        self.batch_bytes != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pulls over a link of so many bytes (before compression) a second until
    /// the size stays.
    fn settled(bytes_per_second: f64) -> Pace {
        let mut pace = Pace::default();
        for _ in 0..20 {
            let took = f64::from(pace.batch_bytes()) / bytes_per_second;
            pace.arrived(u64::from(pace.batch_bytes()), Duration::from_secs_f64(took));
        }
        pace
    }

    #[test]
    fn a_transfer_takes_about_a_second_on_any_link_between_the_bounds() {
        for rate in [4_000.0, 20_000.0, 50_000.0, 200_000.0] {
            let took = f64::from(settled(rate).batch_bytes()) / rate;
            assert!((0.7..=2.0).contains(&took), "{took} s at {rate} bytes/s");
        }
        assert_eq!(settled(100.0).batch_bytes(), BATCH_BYTES_MIN);
        assert_eq!(settled(1e9).batch_bytes(), BATCH_BYTES_MAX);
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
        pace.arrived(u64::from(BATCH_BYTES_MIN), Duration::from_millis(20));
        assert!(pace.batch_bytes() > BATCH_BYTES_MIN, "it grows again");
    }

    #[test]
    fn a_lone_change_says_nothing_about_the_link() {
        let mut pace = Pace::default();
        assert!(!pace.arrived(300, Duration::from_secs(60)));
        assert!(!pace.arrived(300, Duration::from_millis(1)));
        assert_eq!(pace, Pace::default());
    }
}
