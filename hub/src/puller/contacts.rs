//! Contacts on their way into the dataset.
//!
//! When a village answered and when it was proven equal is worth keeping,
//! but not worth a transaction each: notes are gathered and written together
//! ten times a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::Seq;
use lumbung_link::world;
use lumbung_telemetry::clock;
use tokio::time::Instant;

use crate::dataset::{ContactNote, Dataset, DeepProof};
use crate::words::Words;

/// How often notes are written. A crash loses at most this much of when
/// villages were last seen, and nothing else.
const WRITE_EVERY: Duration = Duration::from_millis(100);

/// How often the hub says that it is awake.
const AWAKE_EVERY: Duration = Duration::from_secs(60);

/// Notes that wait to be written.
#[derive(Clone, Debug, Default)]
pub struct Contacts(Arc<Mutex<HashMap<u64, (VillageCode, ContactNote)>>>);

impl Contacts {
    /// The node answered.
    pub(super) fn reached(&self, village: VillageCode, software: &str) {
        self.note(village, |note| {
            note.at_ms = clock::now_ms();
            note.visits += 1;
            note.software = Some(software.to_owned());
        });
    }

    /// The link showed a sign of life.
    pub(super) fn alive(&self, village: VillageCode) {
        self.note(village, |note| note.at_ms = clock::now_ms());
    }

    /// Node and hub are proven equal at `seq`.
    pub(super) fn proven(&self, village: VillageCode, seq: Seq) {
        self.note(village, |note| {
            note.at_ms = clock::now_ms();
            note.proven = Some(seq);
            note.trouble = Some(String::new());
        });
    }

    /// What an attempt to prove rows against the log came to.
    pub(super) fn deep_proof(&self, village: VillageCode, equal: bool, words: Words) {
        self.note(village, |note| {
            note.at_ms = clock::now_ms();
            note.deep_proof = Some(DeepProof { equal, words });
        });
    }

    /// Something is wrong with the village. No contact by itself: another
    /// village's node may have answered, or the hub's disk be full.
    pub(super) fn trouble(&self, village: VillageCode, code: &str) {
        self.note(village, |note| {
            note.trouble = Some(code.to_owned());
            note.trouble_ms = clock::now_ms();
        });
    }

    fn note(&self, village: VillageCode, change: impl FnOnce(&mut ContactNote)) {
        let mut notes = self.notes();
        let (_, note) =
            notes.entry(village.as_u64()).or_insert_with(|| (village, ContactNote::default()));
        change(note);
    }

    fn notes(&self) -> MutexGuard<'_, HashMap<u64, (VillageCode, ContactNote)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits. Notes that can't be written wait on.
    pub fn flush(&self, dataset: &dyn Dataset) {
        let waiting = std::mem::take(&mut *self.notes());
        if waiting.is_empty() {
            return;
        }
        let notes: Vec<_> = waiting.values().cloned().collect();
        if let Err(error) = dataset.note_contacts(&notes) {
            tracing::error!(%error, "contacts can't be noted");
            let mut now = self.notes();
            for (code, note) in waiting {
                now.entry(code).or_insert(note);
            }
        }
    }

    /// Writes notes every `WRITE_EVERY`, and once a minute that the hub is awake,
    /// for ever. A time in which it was away is known before any note is
    /// written, so that nobody's gap is longer for it.
    pub async fn keep_flushing(self, dataset: Arc<dyn Dataset>) {
        let mut said = None;
        loop {
            if said.is_none_or(|said: Instant| said.elapsed() >= AWAKE_EVERY) {
                said = Some(Instant::now());
                let dataset = Arc::clone(&dataset);
                drop(world::blocking(move || say_awake(&*dataset)).await);
            }
            tokio::time::sleep(WRITE_EVERY).await;
            let (contacts, dataset) = (self.clone(), Arc::clone(&dataset));
            // The task only ends early when the hub stops.
            drop(world::blocking(move || contacts.flush(&*dataset)).await);
        }
    }
}

fn say_awake(dataset: &dyn Dataset) {
    match dataset.hub_awake(clock::now_ms()) {
        Ok(None) => {}
        Ok(Some(away)) => {
            let minutes = (away.until_ms - away.from_ms) / 60_000;
            tracing::info!(minutes, "the hub was away");
        }
        Err(error) => tracing::error!(%error, "that the hub is awake can't be noted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::sqlite::SqliteDataset;

    #[test]
    fn a_trouble_is_no_contact_and_a_proof_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = SqliteDataset::open(folder.path().join("hub.db")).unwrap();
        let village = VillageCode::from_u64(3_505_012_001).unwrap();
        dataset.register(village, "").unwrap();
        let contacts = Contacts::default();
        let seen = || {
            contacts.flush(&dataset);
            assert!(contacts.notes().is_empty(), "what is written waits no longer");
            let state = dataset.village(village).unwrap();
            (state.last_contact_ms > 0, state.last_proof_ms > 0, state.trouble)
        };
        contacts.trouble(village, "desa_lain");
        assert_eq!(seen(), (false, false, "desa_lain".to_owned()));
        contacts.reached(village, "0.1.0");
        contacts.alive(village);
        assert_eq!(seen(), (true, false, "desa_lain".to_owned()));
        contacts.proven(village, Seq(3));
        assert_eq!(seen(), (true, true, String::new()));
        assert_eq!(dataset.village(village).unwrap().proven_seq, Seq(3));
    }
}
