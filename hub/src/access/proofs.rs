//! Which sessions proved a one-time code lately.
//!
//! In memory only: after a restart everybody is asked again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long a proved code is enough for what asks for one, milliseconds.
pub(super) const FRESH_MS: i64 = 15 * 60 * 1000;

/// When each session last proved a code, by the hash of its secret.
#[derive(Default)]
pub(super) struct Proofs(Mutex<HashMap<[u8; 32], i64>>);

impl Proofs {
    /// Notes that a session proved a code.
    pub(super) fn proved(&self, session: [u8; 32], now_ms: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, at_ms| now_ms - *at_ms < FRESH_MS);
        known.insert(session, now_ms);
    }

    /// Whether a session proved a code lately.
    pub(super) fn are_fresh(&self, session: [u8; 32], now_ms: i64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&session).is_some_and(|at_ms| now_ms - at_ms < FRESH_MS)
    }

    /// Lets all of them be long ago.
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
