//! Waiting between attempts: doubling, with jitter, within bounds.

use std::time::Duration;

/// The waits of one link. Jitter spreads villages that lost the same hub at
/// the same moment.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits from `first` up to `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// A success: the next failure waits briefly again.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait now, after one more failure: between half and all
    /// of the doubled wait.
    pub fn wait(&mut self) -> Duration {
        self.wait_with(crate::world::dice())
    }

    fn wait_with(&mut self, dice: u8) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let full = doubled.min(self.longest);
        full / 2 + full.mul_f64(f64::from(dice) / 510.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let waits: Vec<_> = (0..6).map(|_| backoff.wait_with(255).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.wait_with(0).as_millis(), 50);
    }
}
