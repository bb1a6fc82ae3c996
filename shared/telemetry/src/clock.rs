//! The wall clock. Village clocks may be years off: times are for people to
//! read and for ages of things, never for order.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

/// Waktu Indonesia Barat, the time of East Java.
const WIB: TimeZone = TimeZone::fixed(Offset::constant(7));

/// Seconds by which this process takes the machine's clock to be ahead, from
/// the environment. For rehearsing what a wrong clock does to a village
/// without setting the machine's own.
pub const AHEAD: &str = "LUMBUNG_CLOCK_AHEAD_SECONDS";

static AHEAD_MS: LazyLock<i64> = LazyLock::new(|| {
    let seconds = std::env::var(AHEAD).ok().and_then(|text| text.parse::<i64>().ok());
    seconds.unwrap_or(0).saturating_mul(1_000)
});

/// Now, Unix milliseconds; 0 on a clock before 1970.
#[must_use]
pub fn now_ms() -> i64 {
    if let Some(now_ms) = SIMULATED_MS.get() {
        return now_ms;
    }
    let machine_ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    machine_ms.saturating_add(*AHEAD_MS).max(0)
}

thread_local! {
    /// The machine's clock on this thread, where a simulated world has it.
    static SIMULATED_MS: Cell<Option<i64>> = const { Cell::new(None) };
}

/// The machine's clock stands still on this thread, for a simulated world; it
/// goes again once this is gone.
#[derive(Debug)]
#[must_use = "the clock goes again without it"]
pub struct StandingStill {
    /// It concerns the thread that made it.
    thread: PhantomData<*const ()>,
}

impl StandingStill {
    /// Stops it at `now_ms`, Unix milliseconds.
    pub fn at(now_ms: i64) -> Self {
        SIMULATED_MS.set(Some(now_ms));
        Self { thread: PhantomData }
    }

    /// Sets it.
    pub fn set(&self, now_ms: i64) {
        SIMULATED_MS.set(Some(now_ms));
    }
}

impl Drop for StandingStill {
    fn drop(&mut self) {
        SIMULATED_MS.set(None);
    }
}

/// Today in East Java.
#[must_use]
pub fn today() -> Date {
    Clock::default().today()
}

/// The wall clock of one program: the machine's, or one that is set by hand,
/// as on a machine whose clock is wrong. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    hands: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// A clock that stands at `now_ms` (Unix milliseconds) until it is set.
    #[must_use]
    pub fn standing_at(now_ms: i64) -> Self {
        Self { hands: Some(Arc::new(AtomicI64::new(now_ms))) }
    }

    /// Sets a clock made by [`Clock::standing_at`]; the machine's own clock
    /// stays as it is.
    pub fn set(&self, now_ms: i64) {
        if let Some(hands) = &self.hands {
            hands.store(now_ms, Ordering::Relaxed);
        }
    }

    /// Now, Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.hands.as_ref().map_or_else(now_ms, |hands| hands.load(Ordering::Relaxed))
    }

    /// Today in East Java.
    #[must_use]
    pub fn today(&self) -> Date {
        local(self.now_ms()).date()
    }
}

/// A moment as East Java's clocks show it.
#[must_use]
pub fn local(at_ms: i64) -> jiff::civil::DateTime {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    WIB.to_datetime(at)
}

/// A moment for people: `2026-11-24 15:04:05`.
#[must_use]
pub fn display(at_ms: i64) -> String {
    local(at_ms).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
