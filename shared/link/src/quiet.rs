//! How long a link may be silent before something in between forgets it.
//!
//! Home routers and carriers drop an idle connection after anything from half
//! a minute to half an hour, and tell nobody. Signs of life keep it, and cost
//! bytes. So each link is searched: a silence that was survived raises the
//! lower bound, one that broke the link lowers the upper one, and the next is
//! tried in between, until they are close. What is known is doubted after a
//! while, since villages change their provider: then the length that broke the
//! link is tried once more, and only if it holds is the search taken up again.
//! Each doubt that was wrong makes the next one wait twice as long.

use std::time::Duration;

/// Shortest silence ever tried.
pub const SHORTEST: Duration = Duration::from_secs(30);

/// Longest silence: beyond it a dead link would go unnoticed too long.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Bounds closer than this are not searched any further.
const CLOSE: Duration = Duration::from_secs(30);

/// A silence just short of what broke the link is not trusted.
const MARGIN: Duration = Duration::from_secs(10);

/// Survived silences at one length before the one that broke the link is tried
/// again: breaks have other causes too.
const DOUBT_AFTER: u32 = 64;

/// The same after many doubts that were wrong.
const DOUBT_AFTER_MAX: u32 = 16 * DOUBT_AFTER;

/// What is known of one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    held: Option<Duration>,
    broke: Option<Duration>,
    holds: u32,
    /// Survived silences before the next doubt.
    doubt_after: u32,
    /// The length that broke the link is tried again.
    doubts: bool,
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
        Self { held: None, broke: None, holds: 0, doubt_after: DOUBT_AFTER, doubts: false }
    }

    /// Goes on from what was known, seconds, and from how many silences must
    /// be survived before that is doubted; 0 = not known.
    #[must_use]
    pub fn known(held_seconds: u32, broke_seconds: u32, doubt_after: u32) -> Self {
        let known = |seconds: u32| {
            (seconds > 0).then(|| Duration::from_secs(seconds.into()).clamp(SHORTEST, LONGEST))
        };
        let (held, broke) = (known(held_seconds), known(broke_seconds));
        let held = held.filter(|held| broke.is_none_or(|broke| *held < broke));
        let doubt_after = doubt_after.clamp(DOUBT_AFTER, DOUBT_AFTER_MAX);
        Self { held, broke, doubt_after, ..Self::new() }
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

    /// Silences that must be survived before what is known is doubted.
    #[must_use]
    pub const fn doubt_after(&self) -> u32 {
        self.doubt_after
    }

    /// What is known is doubted from now on.
    pub const fn doubt(&mut self) {
        self.holds = 0;
        self.doubts = self.broke.is_some();
    }

    /// Whether what is known is doubted now.
    #[must_use]
    pub const fn is_doubted(&self) -> bool {
        self.doubts
    }

    /// The longest silence that the link may turn out to bear, by what is
    /// known.
    #[must_use]
    pub fn hoped(&self) -> Duration {
        match self.broke {
            None => LONGEST,
            Some(_) if self.is_settled() => self.next(),
            Some(broke) => broke.clamp(SHORTEST, LONGEST),
        }
    }

    /// A silence that is likely to be survived.
    #[must_use]
    pub fn safe(&self) -> Duration {
        match self.held {
            None => self.next(),
            Some(held) => held.saturating_sub(MARGIN).clamp(SHORTEST, LONGEST),
        }
    }

    fn is_settled(&self) -> bool {
        let (Some(held), Some(broke)) = (self.held, self.broke) else { return false };
        broke.saturating_sub(held) <= CLOSE && !self.doubts
    }

    /// How long to be silent next.
    #[must_use]
    pub fn next(&self) -> Duration {
        let next = match (self.held, self.broke) {
            (_, Some(broke)) if self.doubts => broke,
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
            // Another network, or it had broken for another reason.
            (self.broke, self.doubts) = (None, false);
            (self.holds, self.doubt_after) = (0, DOUBT_AFTER);
        }
        self.holds = self.holds.saturating_add(1);
        if self.holds >= self.doubt_after {
            self.doubt();
        }
    }

    /// The link was silent for so long, and then gone.
    pub fn broken(&mut self, silence: Duration) {
        self.holds = 0;
        // A break this early says nothing about silence.
        if silence < SHORTEST {
            return;
        }
        if self.doubts && self.broke.is_some_and(|broke| broke <= silence) {
            self.doubts = false;
            self.doubt_after = (self.doubt_after * 2).min(DOUBT_AFTER_MAX);
            return;
        }
        self.doubts = false;
        self.broke = Some(self.broke.map_or(silence, |broke| broke.min(silence)));
        if self.held.is_some_and(|held| held >= silence) {
            // What once held does no longer: another network, or bad luck.
            (self.held, self.doubt_after) = (None, DOUBT_AFTER);
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
    fn a_doubt_costs_one_line_and_comes_ever_less_often() {
        let mut quiet = Quiet::new();
        live(&mut quiet, secs(290), 30);
        let known = (quiet.held(), quiet.broke());
        let mut at = Vec::new();
        for sign in 1..4_000_u32 {
            let silence = quiet.next();
            if silence < secs(290) {
                quiet.survived(silence);
            } else {
                quiet.broken(silence);
                at.push(sign);
                assert_eq!((quiet.held(), quiet.broke()), known, "a wrong doubt teaches nothing");
            }
        }
        let apart: Vec<_> = at.windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(apart, [129, 257, 513, 1_025, 1_025]);
    }

    #[test]
    fn what_the_link_may_bear_at_best_is_bounded_by_what_broke_it() {
        let mut quiet = Quiet::new();
        assert_eq!(quiet.hoped(), LONGEST);
        quiet.survived(secs(240));
        assert_eq!((quiet.hoped(), quiet.safe()), (LONGEST, secs(230)));
        quiet.broken(secs(480));
        assert_eq!(quiet.hoped(), secs(480));
        quiet.broken(secs(260));
        assert_eq!(quiet.hoped(), secs(230), "nothing more is to be learnt");
    }

    #[test]
    fn what_is_known_survives_a_restart_and_nonsense_does_not() {
        let quiet = Quiet::known(240, 300, 256);
        assert_eq!((quiet.held(), quiet.broke()), (Some(secs(240)), Some(secs(300))));
        assert_eq!(quiet.doubt_after(), 256);
        assert_eq!(Quiet::known(500, 300, 1).held(), None);
        assert_eq!(Quiet::known(0, 0, 0), Quiet::new());
        assert_eq!(Quiet::known(0, 0, u32::MAX).doubt_after(), DOUBT_AFTER_MAX);
    }
}
