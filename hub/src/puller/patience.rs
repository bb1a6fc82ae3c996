//! How long a silent link is waited for.
//!
//! A node that dialled promises when its next sign of life comes; a link that
//! breaks the promise is dead, whatever its socket says.

use std::time::Duration;

use lumbung_link::{limits, quiet};
use tokio::time::Instant;

/// What is known of one link's silence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    received: u64,
    since: Instant,
    /// `None` = the connection notices by itself.
    bears: Option<Duration>,
}

impl Patience {
    /// A link begins; `quiet` ones give signs of life by themselves.
    pub(super) fn new(quiet: bool, received: u64, now: Instant) -> Self {
        let bears = quiet.then_some(quiet::LONGEST + limits::SIGN_LATE_MAX);
        Self { received, since: now, bears }
    }

    /// The next sign comes after at most so many seconds; 0 = not said.
    pub(super) fn promised(&mut self, next_seconds: u32) {
        if next_seconds > 0 && self.bears.is_some() {
            let next = Duration::from_secs(next_seconds.into()).min(quiet::LONGEST);
            self.bears = Some(next + limits::SIGN_LATE_MAX);
        }
    }

    /// Looks at the bytes received so far: whether any came since the last
    /// look, and whether the link is still to be waited for.
    pub(super) fn look(&mut self, received: u64, now: Instant) -> (bool, bool) {
        let alive = std::mem::replace(&mut self.received, received) < received;
        if alive {
            self.since = now;
        }
        (alive, self.bears.is_none_or(|bears| now.duration_since(self.since) < bears))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_promise_ends_a_quiet_link_and_no_other() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut quiet = Patience::new(true, 0, begun);
        let mut other = Patience::new(false, 0, begun);
        quiet.promised(60);
        assert_eq!(quiet.look(10, after(100)), (true, true));
        assert_eq!(quiet.look(10, after(200)), (false, true));
        assert_eq!(quiet.look(10, after(230)), (false, false));
        assert_eq!(other.look(0, after(100_000)), (false, true));
    }
}
