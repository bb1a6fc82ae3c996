//! What a running node does for its barn when nobody asks: the ledger of
//! erasures learns what the district confirmed, and superseded content leaves
//! the log once it is old enough, at an idle moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lumbung_ledger::Seq;

use super::confirmed::Confirmed;
use crate::barn::{Barn, SubmitError, Thinned};
use crate::village::Village;

/// How soon the ledger shows a confirmation.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// When superseded content is first looked for after a start: many villages
/// switch their computer on for an hour a day.
const FIRST_THIN_AFTER: Duration = Duration::from_secs(5 * 60);

/// How often it is looked for then.
const THIN_EVERY: Duration = Duration::from_secs(60 * 60);

/// How long nothing must have been saved before the log is thinned.
const IDLE_FOR: Duration = Duration::from_secs(60);

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The work, and how far it is.
pub struct Upkeep {
    village: Village,
    confirmed: Arc<Confirmed>,
    /// The last day a confirmation was marked for, and up to where.
    marked: Option<(u32, Seq)>,
    /// Up to where the log was thinned since this start.
    thinned: Seq,
    thin_at: Instant,
}

impl Upkeep {
    /// Looks after `village`, whose confirmations come in at `confirmed`.
    #[must_use]
    pub fn new(village: Village, confirmed: Arc<Confirmed>) -> Self {
        let thin_at = Instant::now() + FIRST_THIN_AFTER;
        Self { village, confirmed, marked: None, thinned: Seq::ZERO, thin_at }
    }

    /// Works until it is dropped.
    pub async fn run(mut self) {
        let mut head = self.village.barn().watch();
        let mut idle_since = Instant::now();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if head.has_changed().unwrap_or(false) {
                head.mark_unchanged();
                idle_since = Instant::now();
            }
            if self.confirmed.seq() == Seq::ZERO {
                continue;
            }
            self.note_confirmed().await;
            if idle_since.elapsed() >= IDLE_FOR && Instant::now() >= self.thin_at {
                self.thin_at = Instant::now() + THIN_EVERY;
                self.thin().await;
            }
        }
    }

    async fn note_confirmed(&mut self) {
        let Some(position) = self.confirmed.position() else { return };
        let (upto, now_ms) = (position.seq, self.village.clock().now_ms());
        let barn = self.village.barn();
        if let Err(error) = barn.confirm_erasures(position, now_ms) {
            tracing::warn!(%error, "the erasure ledger can't be written");
        }
        let day = day(now_ms);
        let known = self.marked.is_some_and(|(marked, _)| marked == day);
        if !known && barn.mark_confirmed(day, upto).await.is_ok() {
            self.marked = Some((day, upto));
        }
    }

    async fn thin(&mut self) {
        let barn = self.village.barn().clone();
        let (day, confirmed, done) =
            (day(self.village.clock().now_ms()), self.confirmed.seq(), self.thinned);
        let work = move || thin_upto(&barn, day, confirmed, done);
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(Some((upto, thinned)))) => {
                self.thinned = upto;
                tracing::info!(upto = upto.0, payloads = thinned.payloads, "log thinned");
            }
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the log can't be thinned"),
        }
    }
}

fn thin_upto(
    barn: &Barn,
    day: u32,
    confirmed: Seq,
    done: Seq,
) -> Result<Option<(Seq, Thinned)>, SubmitError> {
    let upto = barn.thinnable(day, confirmed)?;
    if upto <= done {
        return Ok(None);
    }
    Ok(Some((upto, barn.thin(upto)?)))
}

fn day(at_ms: i64) -> u32 {
    u32::try_from(at_ms.div_euclid(DAY_MS)).unwrap_or_default()
}
