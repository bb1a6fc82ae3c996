//! How long a link may be silent before something in between forgets it.
//!
//! Home routers and carriers drop an idle connection after anything from half
//! a minute to half an hour, and tell nobody. Signs of life keep it, and cost
//! bytes. So each link is searched: a silence that was survived raises the
//! lower bound, one that broke the link lowers the upper one, and the next is
//! tried in between, until they are close. What is known is tried again
//! after a while, since villages change their provider.

use std::time::Duration;

/// Shortest silence ever tried.
pub const SHORTEST: Duration = Duration::from_secs(30);

/// Longest silence: beyond it a dead link would go unnoticed too long.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Bounds closer than this are not searched any further.
const CLOSE: Duration = Duration::from_secs(30);

/// A silence just short of what broke the link is not trusted.
const MARGIN: Duration = Duration::from_secs(10);

/// Survived silences at one length before a longer one is tried again
/// although a break was seen: breaks have other causes too.
const DOUBT_AFTER: u32 = 64;

/// What is known of one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    held: Option<Duration>,
    broke: Option<Duration>,
    holds: u32,
}

impl Default for Quiet {
    fn default() -> Self {
        Self::new()
    }
}

impl Quiet {
    /// Nothing known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { held: None, broke: None, holds: 0 }
    }

    /// Goes on from what was known, seconds; 0 = not known.
    #[must_use]
    pub fn known(held_seconds: u32, broke_seconds: u32) -> Self {
        let known = |seconds: u32| {
            (seconds > 0).then(|| Duration::from_secs(seconds.into()).clamp(SHORTEST, LONGEST))
        };
        let (held, broke) = (known(held_seconds), known(broke_seconds));
        let held = held.filter(|held| broke.is_none_or(|broke| *held < broke));
        Self { held, broke, holds: 0 }
    }

    /// The longest silence known to be survived.
    #[must_use]
    pub const fn held(&self) -> Option<Duration> {
        self.held
    }

    /// The shortest silence known to break the link.
    #[must_use]
    pub const fn broke(&self) -> Option<Duration> {
        self.broke
    }

    /// How long to be silent next.
    #[must_use]
    pub fn next(&self) -> Duration {
        let next = match (self.held, self.broke) {
            (None, None) => SHORTEST * 2,
            (Some(held), None) => held * 2,
            (None, Some(broke)) => broke / 2,
            (Some(held), Some(broke)) if broke.saturating_sub(held) > CLOSE => {
                held + (broke - held) / 2
            }
            (Some(held), Some(_)) => held.saturating_sub(MARGIN),
        };
        next.clamp(SHORTEST, LONGEST)
    }

    /// The link was silent for so long, and then still there.
    pub fn survived(&mut self, silence: Duration) {
        let silence = silence.min(LONGEST);
        if silence < SHORTEST {
            return;
        }
        if self.held.is_none_or(|held| held < silence) {
            self.held = Some(silence);
        }
        if self.broke.is_some_and(|broke| broke <= silence) {
            self.broke = None;
        }
        self.holds = self.holds.saturating_add(1);
        if self.holds >= DOUBT_AFTER {
            self.broke = None;
            self.holds = 0;
        }
    }

    /// The link was silent for so long, and then gone.
    pub fn broken(&mut self, silence: Duration) {
        self.holds = 0;
        // A break this early says nothing about silence.
        if silence < SHORTEST {
            return;
        }
        self.broke = Some(self.broke.map_or(silence, |broke| broke.min(silence)));
        if self.held.is_some_and(|held| held >= silence) {
            // What once held does no longer: another network, or bad luck.
            self.held = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Lives on a link that forgets after `forgets`; the silence it settles
    /// on and how often the link broke on the way.
    fn live(quiet: &mut Quiet, forgets: Duration, times: u32) -> (Duration, u32) {
        let mut breaks = 0;
        for _ in 0..times {
            let silence = quiet.next();
            if silence < forgets {
                quiet.survived(silence);
            } else {
                quiet.broken(silence);
                breaks += 1;
            }
        }
        (quiet.next(), breaks)
    }

    #[test]
    fn the_search_comes_close_to_whatever_the_link_forgets_after() {
        for forgets in [45, 61, 125, 300, 420, 899] {
            let mut quiet = Quiet::new();
            let (settled, breaks) = live(&mut quiet, secs(forgets), 30);
            assert!(settled < secs(forgets), "{forgets}: {settled:?}");
            assert!(settled + secs(45) >= secs(forgets), "{forgets}: {settled:?}");
            assert!(breaks <= 6, "{forgets}: {breaks} breaks");
        }
    }

    #[test]
    fn a_link_that_never_forgets_gets_the_longest_silence_without_a_break() {
        let mut quiet = Quiet::new();
        assert_eq!(live(&mut quiet, secs(100_000), 10), (LONGEST, 0));
    }

    #[test]
    fn a_change_of_network_is_learnt_in_either_direction() {
        let mut quiet = Quiet::new();
        live(&mut quiet, secs(600), 30);
        let (settled, _) = live(&mut quiet, secs(90), 30);
        assert!(settled < secs(90), "{settled:?}");
        let (settled, _) = live(&mut quiet, secs(600), 400);
        assert!(settled > secs(400), "{settled:?}");
    }

    #[test]
    fn what_is_known_survives_a_restart_and_nonsense_does_not() {
        let quiet = Quiet::known(240, 300);
        assert_eq!((quiet.held(), quiet.broke()), (Some(secs(240)), Some(secs(300))));
        assert_eq!(Quiet::known(500, 300).held(), None);
        assert_eq!(Quiet::known(0, 0), Quiet::new());
    }
}
