//! How long superseded content stays in the log after the district has it.
//!
//! Once a day the barn keeps a mark: the last entry the district had
//! confirmed by then. Content below the newest mark that is old enough may be
//! thinned ([`Barn::thin`]). Days are those of the node's wall clock: a clock
//! that is off thins earlier or later, never anything that the district lacks.

use bytes::Bytes;
use lumbung_ledger::Seq;

use super::store::{StoreError, WriteBatch};
use super::writer::Writer;
use super::{Barn, Job, SubmitError, keys};

/// Days superseded content stays after the district confirmed it: long enough
/// to look into a complaint about last quarter's report.
pub const RETENTION_DAYS: u32 = 90;

/// A log below this many bytes is never thinned before its time.
const LOG_BYTES_MIN: u64 = 50 * 1024 * 1024;

/// A log this many times what the last words in it take is thinned before its
/// time, up to what the district has.
const LOG_PER_LIVE_MAX: u64 = 4;

impl Barn {
    /// Marks that the district has everything up to `upto` on this day (days
    /// since 1970-01-01). One mark per day is kept; those no longer needed go.
    ///
    /// # Errors
    /// [`SubmitError::Closed`] when the barn takes no changes.
    pub async fn mark_confirmed(&self, day: u32, upto: Seq) -> Result<(), SubmitError> {
        let work = move |writer: &mut Writer| match mark(writer, day, upto) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the barn's disk failed; no more changes are taken");
                false
            }
        };
        self.queue.send(Job::Work(Box::new(work))).await.map_err(|_| SubmitError::Closed)
    }

    /// Up to where superseded content may leave the log on this day;
    /// `confirmed` is what the district has now.
    ///
    /// # Errors
    /// [`StoreError`] when the barn can't be read.
    pub fn thinnable(&self, day: u32, confirmed: Seq) -> Result<Seq, StoreError> {
        if self.disk_bytes() > LOG_BYTES_MIN && self.is_overgrown()? {
            return Ok(confirmed);
        }
        let Some(old) = day.checked_sub(RETENTION_DAYS) else { return Ok(Seq::ZERO) };
        let mark = self.store.last(&keys::confirmed(0), &keys::confirmed(old))?;
        Ok(mark.and_then(|(_, value)| marked(&value)).unwrap_or(Seq::ZERO).min(confirmed))
    }

    /// Whether the log takes far more than the last words in it.
    fn is_overgrown(&self) -> Result<bool, StoreError> {
        let (_, living) = self.living()?;
        let live: u64 = living.iter().map(|stored| stored.entry.size() as u64).sum();
        let mut bytes = 0_u64;
        for pair in self.store.scan(&keys::log(Seq::ZERO), &keys::log(Seq(u64::MAX))) {
            bytes += pair?.1.len() as u64;
        }
        Ok(bytes > LOG_BYTES_MIN && bytes > live.saturating_mul(LOG_PER_LIVE_MAX))
    }
}

fn mark(writer: &Writer, day: u32, upto: Seq) -> Result<(), StoreError> {
    let mut batch = WriteBatch::default();
    batch.put(keys::confirmed(day), upto.0.to_be_bytes().to_vec());
    let old = day.saturating_sub(RETENTION_DAYS);
    let mut before: Option<Bytes> = None;
    for pair in writer.store().scan(&keys::confirmed(0), &keys::confirmed(old)) {
        // Only the newest of those that are old enough is ever asked for.
        if let Some(older) = before.replace(pair?.0) {
            batch.remove(older.to_vec());
        }
    }
    writer.store().apply(batch)?;
    writer.store().sync()
}

fn marked(value: &[u8]) -> Option<Seq> {
    value.try_into().ok().map(u64::from_be_bytes).map(Seq)
}
