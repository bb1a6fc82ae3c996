//! How much may be made anew on the way of those who ask.
//!
//! What is kept of a village is made anew when its rows have moved. While the
//! whole district works, that would be most of it for every question; so only
//! so much is made anew a second, and answers are given from what was kept a
//! few seconds ago. A district at rest is always answered as it stands.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A number of pieces that may be made anew, growing with time.
pub(crate) struct Allowance {
    /// At most so many at once.
    burst: f64,
    per_second: f64,
    left: Mutex<Option<(f64, Instant)>>,
}

impl Allowance {
    /// So many at once, and so many a second.
    pub(crate) const fn new(burst: u32, per_second: u32) -> Self {
        Self { burst: burst as f64, per_second: per_second as f64, left: Mutex::new(None) }
    }

    /// Takes up to as many as are wanted; how many.
    pub(crate) fn take(&self, wanted: usize) -> usize {
        self.take_at(wanted, Instant::now())
    }

    fn take_at(&self, wanted: usize, now: Instant) -> usize {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (had, since) = left.unwrap_or((self.burst, now));
        let grown = now.duration_since(since).as_secs_f64() * self.per_second;
        let has = (had + grown).min(self.burst);
        let taken = (has as usize).min(wanted);
        *left = Some((has - taken as f64, now));
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_taken_grows_back_and_no_further() {
        let (allowance, now) = (Allowance::new(10, 4), Instant::now());
        let later = |millis| now + Duration::from_millis(millis);
        assert_eq!(allowance.take_at(7, now), 7);
        assert_eq!(allowance.take_at(7, now), 3);
        assert_eq!(allowance.take_at(7, later(200)), 0);
        assert_eq!(allowance.take_at(7, later(500)), 2);
        assert_eq!(allowance.take_at(70, later(60_000)), 10);
    }
}
