//! Makes record ids: see [`RecordId`] for the layout.

use std::io;
use std::sync::{Mutex, PoisonError};

use lumbung_domain::id::RecordId;

/// Counter values per millisecond.
const PER_MILLISECOND: u64 = 1 << 12;

/// Makes ids that no other process and no earlier call has made.
#[derive(Debug)]
pub struct Mint {
    random: u64,
    /// Milliseconds and counter together, so that a clock that stands still
    /// or runs backwards only makes ids run ahead of it.
    last: Mutex<u64>,
}

impl Mint {
    /// Draws this process's random part.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> io::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        Ok(Self { random: u64::from_le_bytes(random), last: Mutex::new(0) })
    }

    /// A new id.
    pub fn next(&self, now_ms: i64) -> RecordId {
        let now = now_ms.max(0).unsigned_abs() * PER_MILLISECOND;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = now.max(*last + 1);
        let counter = (*last % PER_MILLISECOND) as u16;
        RecordId::from_parts(*last / PER_MILLISECOND, counter, self.random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_rise_even_when_the_clock_stands_or_falls_back() {
        let mint = Mint::new().unwrap();
        let mut ids: Vec<_> = (0..10_000).map(|n| mint.next(1_000 - n / 5_000)).collect();
        let made = ids.len();
        assert!(ids.is_sorted());
        ids.dedup();
        assert_eq!(ids.len(), made);
    }
}
