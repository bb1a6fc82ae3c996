//! What the link costs, and what it has taught.
//!
//! Bytes are counted below TLS, per day of the district's clock, and survive
//! restarts; so does the silence the link is known to bear. Written now and
//! then, not with every byte: a power cut forgets some minutes of it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lumbung_identity::write_private;
use lumbung_link::limits;
use lumbung_link::meter::Traffic;
use lumbung_link::quiet::Quiet;
use lumbung_telemetry::clock;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Blitar lives seven hours ahead of UTC: that is when its day begins.
const ZONE_MS: i64 = 7 * 60 * 60 * 1000;

/// How long the answer to a sign of life may take to show that it was lost.
const VERDICT_AFTER: Duration = Duration::from_secs(limits::UNACKNOWLEDGED_MAX.as_secs() + 15);

/// What the file keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    day: i64,
    spent_bytes: u64,
    budget_bytes: u64,
    held_seconds: u32,
    broke_seconds: u32,
}

/// The link as `status` shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// The hub has spoken on a connection that is open now.
    pub connected: bool,
    /// Why there is none now.
    pub missed: Missed,
    /// That connection goes through the tunnel.
    pub tunnelled: bool,
    /// Bytes spent today.
    pub spent_today_bytes: u64,
    /// Bytes it may spend a day; 0 = no bound.
    pub budget_bytes: u64,
    /// The longest silence known to be survived, seconds; 0 = not known.
    pub quiet_held_seconds: u32,
    /// The shortest silence known to break the link, seconds; 0 = not known.
    pub quiet_broke_seconds: u32,
}

/// Why there is no connection to the district.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// Nothing is known of why.
    #[default]
    Unknown,
    /// Nobody answers at its address.
    Unreachable,
    /// Somebody answers, but it does not let this machine in, or is not the
    /// district.
    Refused,
    /// The district has no place and asked to come back later.
    Full,
}

/// A sign of life that may or may not have arrived.
#[derive(Clone, Copy, Debug)]
struct Sign {
    silence: Duration,
    at: Instant,
    received: u64,
}

#[derive(Debug)]
struct Books {
    kept: Kept,
    counted: u64,
    quiet: Quiet,
    sign: Option<Sign>,
    hub_ahead_ms: i64,
    connected: bool,
    missed: Missed,
    tunnelled: bool,
}

/// The link's account.
#[derive(Debug)]
pub struct Account {
    books: Mutex<Books>,
    traffic: Traffic,
    path: PathBuf,
    opened_ms: i64,
}

fn seconds(duration: Option<Duration>) -> u32 {
    duration.map_or(0, |duration| duration.as_secs().try_into().unwrap_or(u32::MAX))
}

impl Account {
    /// Opens the account in a file; an unreadable one begins anew.
    #[must_use]
    pub fn open(path: &Path, traffic: Traffic) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let kept: Kept = toml::from_str(&text).unwrap_or_default();
        let quiet = Quiet::known(kept.held_seconds, kept.broke_seconds);
        let books = Books {
            kept,
            counted: traffic.received() + traffic.sent(),
            quiet,
            sign: None,
            hub_ahead_ms: 0,
            connected: false,
            missed: Missed::Unknown,
            tunnelled: false,
        };
        let opened_ms = clock::now_ms();
        Self { books: Mutex::new(books), traffic, path: path.to_owned(), opened_ms }
    }

    /// When it was opened: the start of the node, Unix milliseconds.
    #[must_use]
    pub const fn opened_ms(&self) -> i64 {
        self.opened_ms
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what crossed since the last look into the day it is.
    fn count(&self, books: &mut Books, now_ms: i64) {
        let day = (now_ms + books.hub_ahead_ms + ZONE_MS).div_euclid(DAY_MS);
        if books.kept.day != day {
            books.kept.day = day;
            books.kept.spent_bytes = 0;
        }
        let crossed = self.traffic.received() + self.traffic.sent();
        books.kept.spent_bytes += crossed.saturating_sub(books.counted);
        books.counted = crossed;
    }

    /// The link as it stands.
    #[must_use]
    pub fn state(&self, now_ms: i64) -> LinkState {
        let mut books = self.books();
        self.count(&mut books, now_ms);
        LinkState {
            connected: books.connected,
            missed: books.missed,
            tunnelled: books.tunnelled,
            spent_today_bytes: books.kept.spent_bytes,
            budget_bytes: books.kept.budget_bytes,
            quiet_held_seconds: seconds(books.quiet.held()),
            quiet_broke_seconds: seconds(books.quiet.broke()),
        }
    }

    /// Whether today's budget is used up.
    #[must_use]
    pub fn is_overspent(&self, now_ms: i64) -> bool {
        let state = self.state(now_ms);
        state.budget_bytes > 0 && state.spent_today_bytes >= state.budget_bytes
    }

    /// The hub has spoken: what it allows, and how far its clock is ahead.
    pub fn arranged(&self, budget_bytes: u64, hub_ahead_ms: i64) {
        let mut books = self.books();
        books.kept.budget_bytes = budget_bytes;
        books.hub_ahead_ms = hub_ahead_ms;
        books.connected = true;
    }

    /// A connection begins.
    pub(crate) fn begun(&self, tunnelled: bool) {
        let mut books = self.books();
        books.sign = None;
        books.tunnelled = tunnelled;
    }

    /// There is no connection now, for this reason.
    pub(crate) fn missed(&self, missed: Missed) {
        self.books().missed = missed;
    }

    /// How long to be silent next.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.books().quiet.next()
    }

    /// A sign of life is leaving, after a silence of this length.
    pub(crate) fn signed(&self, silence: Duration) {
        let mut books = self.books();
        if let Some(before) = books.sign.take() {
            if before.at.elapsed() >= VERDICT_AFTER || self.traffic.received() > before.received {
                // The connection would be gone if it had not arrived.
                books.quiet.survived(before.silence);
            } else {
                books.sign = Some(before);
                return;
            }
        }
        books.sign = Some(Sign { silence, at: Instant::now(), received: self.traffic.received() });
    }

    /// The connection is over.
    pub(crate) fn ended(&self) {
        let mut books = self.books();
        books.connected = false;
        let Some(sign) = books.sign.take() else { return };
        if self.traffic.received() > sign.received {
            books.quiet.survived(sign.silence);
        } else if sign.at.elapsed() < VERDICT_AFTER {
            books.quiet.broken(sign.silence);
        } else {
            books.quiet.survived(sign.silence);
        }
    }

    /// Writes what must survive a restart.
    pub fn save(&self) {
        let kept = {
            let mut books = self.books();
            self.count(&mut books, clock::now_ms());
            books.kept.held_seconds = seconds(books.quiet.held());
            books.kept.broke_seconds = seconds(books.quiet.broke());
            books.kept.clone()
        };
        let written = toml::to_string(&kept)
            .map_err(std::io::Error::other)
            .and_then(|text| write_private(&self.path, text.as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, "what the link costs can't be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: i64 = 1_790_000_000_000;

    #[test]
    fn a_days_budget_survives_a_restart_and_begins_anew_the_next_day() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link.toml");
        let account = Account::open(&path, Traffic::default());
        account.arranged(25_000, 0);
        assert!(!account.is_overspent(NOON_MS));
        account.books().kept.spent_bytes = 25_000;
        assert!(account.is_overspent(NOON_MS));
        assert!(!account.is_overspent(NOON_MS + DAY_MS));
        let today = clock::now_ms();
        assert_eq!(account.state(today).spent_today_bytes, 0);
        account.books().kept.spent_bytes = 7;
        account.save();
        let again = Account::open(&path, Traffic::default()).state(today);
        assert_eq!((again.spent_today_bytes, again.budget_bytes), (7, 25_000));
    }

    #[test]
    fn a_link_that_ends_right_after_a_sign_did_not_bear_the_silence() {
        let dir = tempfile::tempdir().unwrap();
        let account = Account::open(&dir.path().join("link.toml"), Traffic::default());
        let silence = account.silence();
        account.begun(false);
        account.signed(silence);
        account.ended();
        assert!(account.silence() < silence);
        let state = account.state(NOON_MS);
        assert_eq!(u64::from(state.quiet_broke_seconds), silence.as_secs());
    }
}
