//! The puller: follows one village, from wherever the hub stands to live.
//!
//! A session connects, asks who answers, pulls, and compares sums at every
//! catch-up. A lost link is normal and tried again; a position that is not on
//! the other's history is recovered from (see `recovery`); what only a person
//! can mend stops the village with a trouble that people can read, and never
//! touches the others.

mod again;
mod contacts;
pub(crate) mod evidence;
pub mod hand_back;
pub mod narrowing;
pub mod noticing;
mod pace;
mod patience;
mod proving;
pub mod recovery;
mod session;
pub mod trouble;
mod wishes;

use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_link::backoff::Backoff;
use tokio::sync::Semaphore;

use crate::dataset::HubsOwn;
use crate::live::{Live, Phase};
use crate::merge::MergeWriter;
use crate::metrics::SessionEnd;
use crate::notices::Bell;
use crate::repair::Agenda;
use crate::uplink::{Dialled, Open};
use again::Again;
pub use contacts::Contacts;
use pace::Pace;
use session::{Ended, Session};
use trouble::Trouble;
pub use wishes::Wishes;

/// First and longest pause before a lost village is dialled again.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// A village that waits for a person is looked at again this often: the
/// trouble may have been mended there.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Villages that catch up on much at the same time. Fewer villages in one
/// transaction change fewer pages of the store, so all are done sooner than
/// if each crept along, and what waits in memory stays small. A slow link
/// gives its turn away and goes on at its own pace.
const CATCHING_UP_MAX: usize = 16;

/// Villages that greet at the same time. Without a limit a district that
/// returns at once is greeted whole before its first village sends anything.
const GREETING_MAX: usize = 32;

/// With fewer turns left than this the hub is in a hurry.
const HURRY_BELOW_TURNS: usize = CATCHING_UP_MAX / 2;

/// What every puller of a hub shares.
#[derive(Clone)]
pub struct Shared {
    /// The dataset.
    pub dataset: Arc<dyn HubsOwn>,
    /// Its one writer.
    pub writer: MergeWriter,
    /// The view of the moment.
    pub live: Arc<Live>,
    /// Contacts on their way into the dataset.
    pub contacts: Contacts,
    /// One permit per core for batches that are being verified: a district
    /// that returns at once must not put a thread behind every village. The
    /// writer goes before them.
    pub verifying: Arc<Semaphore>,
    /// One permit per village that is greeted.
    pub greeting: Arc<Semaphore>,
    /// One permit per village that may catch up at full speed.
    pub catching_up: Arc<Semaphore>,
    /// When which village is proven row by row.
    pub agenda: Agenda,
    /// Which villages operators wish to hear of now.
    pub wishes: Wishes,
    /// Wakes sessions for which a notice waits.
    pub bell: Bell,
}

impl Shared {
    /// What pullers of `dataset` share; `writer` writes to it.
    #[must_use]
    pub fn new(dataset: Arc<dyn HubsOwn>, writer: MergeWriter, live: Arc<Live>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            dataset,
            writer,
            live,
            contacts: Contacts::default(),
            verifying: Arc::new(Semaphore::new(cores)),
            greeting: Arc::new(Semaphore::new(GREETING_MAX)),
            catching_up: Arc::new(Semaphore::new(CATCHING_UP_MAX)),
            agenda: Agenda::default(),
            wishes: Wishes::default(),
            bell: Bell::default(),
        }
    }

    /// Whether so many villages catch up at the same time that time is what is
    /// scarce.
    fn is_in_a_hurry(&self) -> bool {
        self.catching_up.available_permits() < HURRY_BELOW_TURNS
    }
}

/// Follows one village at its address until the task is aborted; see
/// [`follow_over`].
pub async fn follow(village: VillageCode, address: String, shared: Shared) {
    follow_over(village, Dialled { address }, shared).await;
}

/// Follows one village over whatever connections `open` makes, one after
/// another, until the task is aborted. Whatever moment that is: a batch is
/// merged whole or asked for again.
pub async fn follow_over(village: VillageCode, open: impl Open, shared: Shared) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    let (mut pace, mut again) = (Pace::default(), Again::default());
    loop {
        shared.live.update(village, |live| live.phase = Phase::Connecting);
        let mut session = Session::new(village, &shared, &mut pace, &mut again);
        let ended = session.run(&open).await;
        let (reached, progressed) = (session.reached(), session.progressed());
        if progressed {
            backoff.reset();
        }
        let pause = match ended {
            Ended::Lost => {
                let end = if reached { SessionEnd::Lost } else { SessionEnd::Unreached };
                shared.writer.counts().session_ended(end);
                shared.live.update(village, |live| live.phase = Phase::Retrying);
                if reached {
                    tracing::info!(%village, "link lost");
                } else {
                    tracing::debug!(%village, "not reachable");
                }
                backoff.wait()
            }
            Ended::Trouble(trouble) => {
                shared.writer.counts().session_ended(SessionEnd::Trouble);
                note(village, trouble, &shared);
                if trouble.needs_a_person() { LOOK_AGAIN } else { backoff.wait() }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.wishes.wished(village) => {}
        }
    }
}

/// Two machines answer as one village at the same time: nothing is taken from
/// either until a person has looked.
pub async fn twin(village: VillageCode, present: [u8; 16], newcomer: [u8; 16], shared: &Shared) {
    let trouble = recovery::twin(shared, village, &present, &newcomer).await;
    note(village, trouble, shared);
}

/// A node of another village answers where an operator said this one is.
pub(crate) fn other_village(village: VillageCode, shared: &Shared) {
    note(village, Trouble::OtherVillage, shared);
}

fn note(village: VillageCode, trouble: Trouble, shared: &Shared) {
    let known = shared.live.get(village).is_some_and(|live| live.trouble == trouble.code());
    if !known {
        tracing::warn!(%village, code = trouble.code(), "a village is in trouble");
    }
    shared.live.update(village, |live| {
        live.phase = if trouble.needs_a_person() { Phase::Stopped } else { Phase::Retrying };
        trouble.code().clone_into(&mut live.trouble);
    });
    shared.contacts.trouble(village, trouble.code());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::sqlite::SqliteDataset;

    #[test]
    fn a_village_that_is_followed_takes_little_memory() {
        let dir = tempfile::tempdir().unwrap();
        let dataset = Arc::new(SqliteDataset::open(dir.path().join("hub.db")).unwrap());
        let (writer, thread) = MergeWriter::start(dataset.clone()).unwrap();
        let shared = Shared::new(dataset, writer, Arc::default());
        let village = VillageCode::from_u64(3_505_012_001).unwrap();
        let task = follow(village, "127.0.0.1:1".to_owned(), shared);
        let bytes = size_of_val(&task);
        drop(task);
        thread.join().unwrap();
        assert!(bytes <= 8_000, "{bytes} bytes");
    }
}
