//! How often somebody may guess.
//!
//! Each name and each address has a few free failures; every further one
//! doubles the wait. In memory only: a restart forgets, an account never
//! locks its owner out for good.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Failures that cost no wait.
const FREE: u32 = 5;

/// The first wait, milliseconds.
const FIRST_WAIT_MS: i64 = 5_000;

/// The longest wait, milliseconds.
const LONGEST_WAIT_MS: i64 = 15 * 60_000;

/// Names and addresses that are remembered; the oldest go first.
const KNOWN_MAX: usize = 10_000;

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last_ms: i64,
}

impl Failures {
    fn wait_until_ms(self) -> i64 {
        let Some(beyond) = self.count.checked_sub(FREE) else { return 0 };
        let wait_ms = FIRST_WAIT_MS.saturating_mul(1_i64.checked_shl(beyond).unwrap_or(i64::MAX));
        self.last_ms.saturating_add(wait_ms.clamp(FIRST_WAIT_MS, LONGEST_WAIT_MS))
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    Name([u8; 32]),
    Address(IpAddr),
}

/// Failed attempts of late.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<Who, Failures>>);

impl Attempts {
    fn both(name: &str, from: Option<IpAddr>) -> impl Iterator<Item = Who> {
        let name = Who::Name(*blake3::hash(name.as_bytes()).as_bytes());
        std::iter::once(name).chain(from.map(Who::Address))
    }

    /// Milliseconds to wait before the next attempt; 0 = go on.
    pub(super) fn wait_ms(&self, name: &str, from: Option<IpAddr>, now_ms: i64) -> i64 {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = Self::both(name, from)
            .filter_map(|who| known.get(&who).map(|failures| failures.wait_until_ms() - now_ms));
        waits.max().unwrap_or(0).max(0)
    }

    /// Counts a failure.
    pub(super) fn failed(&self, name: &str, from: Option<IpAddr>, now_ms: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, failures| now_ms - failures.last_ms < LONGEST_WAIT_MS * 4);
        if known.len() >= KNOWN_MAX
            && let Some(oldest) =
                known.iter().min_by_key(|(_, it)| it.last_ms).map(|(who, _)| who.clone())
        {
            known.remove(&oldest);
        }
        for who in Self::both(name, from) {
            let failures = known.entry(who).or_insert(Failures { count: 0, last_ms: 0 });
            failures.count = failures.count.saturating_add(1);
            failures.last_ms = now_ms;
        }
    }

    /// Forgets a name's failures: its owner is in.
    pub(super) fn succeeded(&self, name: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for who in Self::both(name, None) {
            known.remove(&who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_and_ends_with_a_success() {
        let attempts = Attempts::default();
        for _ in 0..FREE {
            assert_eq!(attempts.wait_ms("budi", None, 1_000), 0);
            attempts.failed("budi", None, 1_000);
        }
        assert_eq!(attempts.wait_ms("budi", None, 1_000), FIRST_WAIT_MS);
        attempts.failed("budi", None, 10_000);
        assert_eq!(attempts.wait_ms("budi", None, 10_000), 2 * FIRST_WAIT_MS);
        for _ in 0..100 {
            attempts.failed("budi", None, 10_000);
        }
        assert_eq!(attempts.wait_ms("budi", None, 10_000), LONGEST_WAIT_MS);
        assert_eq!(attempts.wait_ms("siti", None, 10_000), 0, "nobody else waits");
        attempts.succeeded("budi");
        assert_eq!(attempts.wait_ms("budi", None, 10_000), 0);
    }

    #[test]
    fn many_names_from_one_address_wait_too() {
        let attempts = Attempts::default();
        let from = Some(IpAddr::from([10, 0, 0, 7]));
        for number in 0..=FREE {
            attempts.failed(&format!("nama{number}"), from, 0);
        }
        assert!(attempts.wait_ms("lain", from, 0) > 0);
    }
}
