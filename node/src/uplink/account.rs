//! What the link costs, and what it has taught.
//!
//! Bytes are counted below TLS, per day of the district, and survive restarts;
//! so does the silence the link is known to bear. Written now and then, not
//! with every byte: a power cut forgets some minutes of it. The day is the one
//! that the district tells: a machine whose clock begins anew at every start
//! gets no new budget with it.
//!
//! What an open line would cost in a day is reckoned from what the link bears
//! and from what signs and contacts have cost. A line that the budget can't pay
//! is not held ([`Account::is_calling_in`]).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lumbung_identity::write_private;
use lumbung_link::meter::Traffic;
use lumbung_link::quiet::Quiet;
use lumbung_link::{limits, world};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Blitar lives seven hours ahead of UTC: that is when its day begins.
const ZONE_MS: i64 = 7 * 60 * 60 * 1000;

/// What a contact costs until one was measured: the handshake, who answers,
/// and how the link is to be held.
const CONTACT_BYTES: u64 = 5_000;

/// More than a contact costs by itself: something was told, too.
const CONTACT_BYTES_MAX: u64 = 3 * CONTACT_BYTES;

/// What a sign of life costs until one was measured.
const SIGN_BYTES: u64 = 80;

/// More than a sign costs by itself.
const SIGN_BYTES_MAX: u64 = 500;

/// How much of a day's budget an open line may cost: lines break, and changes
/// want to be told.
const HOLDING_PERCENT: u64 = 80;

/// How much of what is left of a budget goes into calls that only ask. The rest
/// is for changes, which are told at once.
const ASKING_PERCENT: u64 = 60;

/// The shortest and the longest time between two calls of a village that holds
/// no line.
const CALL_IN: (Duration, Duration) =
    (Duration::from_secs(15 * 60), Duration::from_secs(6 * 60 * 60));

/// A village that calls in holds its line for one silence at every so many
/// visits: its network may bear more by now.
const DOUBT_VISITS: u32 = 8;

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
    doubt_after: u32,
    contact_bytes: u64,
    sign_bytes: u64,
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
    /// People at the district hold this village.
    Held,
    /// Another machine answers as this village.
    Twin,
    /// Everything is told, and the budget pays for no open line.
    Saving,
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
    /// What the district's clock said, and when.
    told: Option<(i64, Instant)>,
    /// Bytes counted when the connection of the moment was dialled, and
    /// whether its contact was measured.
    dialled: Option<u64>,
    /// Bytes counted at the last sign on the connection of the moment.
    sign_at: Option<u64>,
    /// Visits since the last one that held its line for a silence.
    visits: u32,
    connected: bool,
    missed: Missed,
    /// What has come out of the tunnel of the moment, if it is one.
    tunnel: Option<Traffic>,
    /// Today a tunnel ended in which the hub had said nothing for a while.
    asks_answers: bool,
}

impl Books {
    /// The district's clock now; `None` = it has told nothing since the start.
    fn now_ms(&self) -> Option<i64> {
        let (told_ms, at) = self.told?;
        Some(told_ms.saturating_add(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX)))
    }

    /// How much of the district's day is over.
    fn gone(&self) -> Duration {
        let ms = self.now_ms().map_or(0, |now_ms| (now_ms + ZONE_MS).rem_euclid(DAY_MS));
        Duration::from_millis(ms.unsigned_abs())
    }

    /// What signs and contacts cost.
    fn prices(&self) -> (u64, u64) {
        let or = |measured, until_then| if measured == 0 { until_then } else { measured };
        (or(self.kept.sign_bytes, SIGN_BYTES), or(self.kept.contact_bytes, CONTACT_BYTES))
    }

    /// Whether the budget pays for a line on which there is a sign after every
    /// such silence, and which breaks once a day.
    fn pays_for(&self, silence: Duration) -> bool {
        let budget = self.kept.budget_bytes;
        let (sign, contact) = self.prices();
        let signs = DAY.as_secs() / silence.as_secs().max(1);
        budget == 0 || signs * sign + contact <= budget / 100 * HOLDING_PERCENT
    }

    /// Whether another contact is covered by what the budget grants by this
    /// hour, the first of the day in advance.
    fn affords_contact(&self) -> bool {
        let (budget, spent) = (self.kept.budget_bytes, self.kept.spent_bytes);
        let granted = (budget as f64 * self.gone().as_secs_f64() / DAY.as_secs_f64()) as u64;
        let (_, contact) = self.prices();
        budget == 0 || (spent <= granted && spent + contact <= budget)
    }
}

/// A new measurement moves what was measured by a quarter.
const fn blend(known: u64, measured: u64) -> u64 {
    if known == 0 { measured } else { (3 * known + measured) / 4 }
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
        let quiet = Quiet::known(kept.held_seconds, kept.broke_seconds, kept.doubt_after);
        let books = Books {
            kept,
            counted: traffic.received() + traffic.sent(),
            quiet,
            sign: None,
            told: None,
            dialled: None,
            sign_at: None,
            visits: 0,
            connected: false,
            missed: Missed::Unknown,
            tunnel: None,
            asks_answers: false,
        };
        let opened_ms = lumbung_telemetry::clock::now_ms();
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

    fn crossed(&self) -> u64 {
        self.traffic.received() + self.traffic.sent()
    }

    /// Counts what crossed since the last look into the district's day. A day
    /// before the last one is a clock that was set right, there.
    fn count(&self, books: &mut Books) {
        if let Some(now_ms) = books.now_ms() {
            let day = (now_ms + ZONE_MS).div_euclid(DAY_MS);
            if books.kept.day < day || day < books.kept.day - 1 {
                books.kept.day = day;
                books.kept.spent_bytes = 0;
                books.asks_answers = false;
            }
        }
        let crossed = self.crossed();
        books.kept.spent_bytes += crossed.saturating_sub(books.counted);
        books.counted = crossed;
    }

    /// The link as it stands.
    #[must_use]
    pub fn state(&self) -> LinkState {
        let mut books = self.books();
        self.count(&mut books);
        LinkState {
            connected: books.connected,
            missed: books.missed,
            tunnelled: books.tunnel.is_some(),
            spent_today_bytes: books.kept.spent_bytes,
            budget_bytes: books.kept.budget_bytes,
            quiet_held_seconds: seconds(books.quiet.held()),
            quiet_broke_seconds: seconds(books.quiet.broke()),
        }
    }

    /// Whether today's budget is used up.
    #[must_use]
    pub fn is_overspent(&self) -> bool {
        let mut books = self.books();
        self.count(&mut books);
        books.kept.budget_bytes > 0 && books.kept.spent_bytes >= books.kept.budget_bytes
    }

    /// Whether the node hangs up once everything is told, and calls in again
    /// later: the budget is used up, or can't pay for an open line on the link
    /// as it is known.
    #[must_use]
    pub fn is_calling_in(&self) -> bool {
        if self.is_overspent() {
            return true;
        }
        let books = self.books();
        let doubts = books.visits >= DOUBT_VISITS || books.quiet.is_doubted();
        !doubts && !books.pays_for(books.quiet.hoped())
    }

    /// Whether a change may be told now by a village that calls in.
    pub(crate) fn affords_contact(&self) -> bool {
        let mut books = self.books();
        self.count(&mut books);
        books.affords_contact()
    }

    /// How long a village that calls in stays away when nothing happens: what
    /// is left of the budget is spread over what is left of the day.
    pub(crate) fn stays_away(&self) -> Duration {
        self.stays_away_with(world::dice())
    }

    fn stays_away_with(&self, dice: u8) -> Duration {
        let mut books = self.books();
        self.count(&mut books);
        let left = books.kept.budget_bytes.saturating_sub(books.kept.spent_bytes);
        let (_, contact) = books.prices();
        let calls = (left / 100 * ASKING_PERCENT / contact).min(1_000);
        let rest = DAY.saturating_sub(books.gone());
        if calls == 0 {
            // The next day has a budget of its own; not everybody's first
            // minute.
            return rest + CALL_IN.0.mul_f64(f64::from(dice) / 255.0);
        }
        let apart = rest / (calls as u32 + 1);
        apart.clamp(CALL_IN.0, CALL_IN.1).mul_f64(0.9 + f64::from(dice) / 2_550.0)
    }

    /// The district arranged this, by its clock.
    pub fn arranged(&self, budget_bytes: u64, clock_ms: i64) {
        let mut books = self.books();
        books.kept.budget_bytes = budget_bytes;
        books.told = Some((clock_ms, Instant::now()));
        books.connected = true;
    }

    /// The node dials.
    pub(crate) fn dialling(&self) {
        self.books().dialled = Some(self.crossed());
    }

    /// All there was to tell on this connection is told.
    pub(crate) fn contacted(&self) {
        let mut books = self.books();
        let Some(dialled) = books.dialled.take() else { return };
        let cost = self.crossed().saturating_sub(dialled);
        if cost <= CONTACT_BYTES_MAX {
            books.kept.contact_bytes = blend(books.kept.contact_bytes, cost);
        }
        books.visits = books.visits.saturating_add(1);
    }

    /// Whether the hub has spoken on a connection that is open now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.books().connected
    }

    /// A connection begins; through a tunnel, what comes out of it is counted
    /// there.
    pub(crate) fn begun(&self, tunnel: Option<Traffic>) {
        let mut books = self.books();
        (books.sign, books.sign_at) = (None, None);
        books.tunnel = tunnel;
    }

    /// Whether every sign of life asks the hub for one in return. In between
    /// stands a web server: it gives each side so much time to say something,
    /// whatever the other says, and takes leave in bytes of its own.
    #[must_use]
    pub fn asks_answers(&self) -> bool {
        let books = self.books();
        books.tunnel.is_some() && books.asks_answers
    }

    /// Bytes that the hub itself has sent.
    fn heard(&self, books: &Books) -> u64 {
        books.tunnel.as_ref().unwrap_or(&self.traffic).received()
    }

    /// There is no connection now, for this reason.
    pub(crate) fn missed(&self, missed: Missed) {
        self.books().missed = missed;
    }

    /// How long to be silent next. The search goes on only where a line that
    /// it breaks is paid for, or where nothing else helps.
    #[must_use]
    pub fn silence(&self) -> Duration {
        let mut books = self.books();
        self.count(&mut books);
        let (next, safe) = (books.quiet.next(), books.quiet.safe());
        if books.visits >= DOUBT_VISITS && !books.pays_for(books.quiet.hoped()) {
            books.visits = 0;
            books.quiet.doubt();
            return books.quiet.next();
        }
        let probes = books.quiet.held().is_some_and(|held| held < next);
        let waits = probes && books.pays_for(safe) && !books.affords_contact();
        if waits { safe } else { next }
    }

    /// A sign of life is leaving, after a silence of this length.
    pub(crate) fn signed(&self, silence: Duration) {
        let mut books = self.books();
        let crossed = self.crossed();
        if let Some(before) = books.sign_at.replace(crossed) {
            let cost = crossed.saturating_sub(before);
            if (1..=SIGN_BYTES_MAX).contains(&cost) {
                books.kept.sign_bytes = blend(books.kept.sign_bytes, cost);
            }
        }
        let heard = self.heard(&books);
        if let Some(before) = books.sign.take() {
            if before.at.elapsed() >= VERDICT_AFTER || heard > before.received {
                // The connection would be gone if it had not arrived.
                books.quiet.survived(before.silence);
            } else {
                books.sign = Some(before);
                return;
            }
        }
        books.sign = Some(Sign { silence, at: Instant::now(), received: heard });
    }

    /// This node ends the connection: a sign that is under way teaches nothing.
    pub(crate) fn hangs_up(&self) {
        self.books().sign = None;
    }

    /// The connection is over.
    pub fn ended(&self) {
        let mut books = self.books();
        books.connected = false;
        let Some(sign) = books.sign.take() else { return };
        let heard = self.heard(&books) > sign.received;
        books.asks_answers |= books.tunnel.is_some() && !heard;
        if heard {
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
            self.count(&mut books);
            books.kept.held_seconds = seconds(books.quiet.held());
            books.kept.broke_seconds = seconds(books.quiet.broke());
            books.kept.doubt_after = books.quiet.doubt_after();
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
mod tests;
