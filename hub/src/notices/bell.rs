//! Wakes open sessions for which something waits.
//!
//! A ring is remembered until the village's session hears it, so none is
//! lost, and a ring for nothing costs one question to the dataset.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_link::world;
use lumbung_telemetry::clock;
use tokio::sync::Notify;

use crate::dataset::Dataset;

/// How often the queue is looked at: commands of this machine write to it
/// beside the running hub.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One bell a village. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Mutex<HashMap<u64, Arc<Notify>>>>);

impl Bell {
    /// The bell of one village.
    #[must_use]
    pub fn of(&self, village: VillageCode) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(village.as_u64()).or_default())
    }

    /// Something waits for this village.
    pub fn ring(&self, village: VillageCode) {
        self.of(village).notify_one();
    }
}

/// Rings for every village for which something waits, for ever.
pub async fn keep_ringing(bell: Bell, dataset: Arc<dyn Dataset>) {
    loop {
        let reader = Arc::clone(&dataset);
        match world::blocking(move || reader.villages_waiting(clock::today())).await {
            Ok(Ok(villages)) => villages.into_iter().for_each(|village| bell.ring(village)),
            Ok(Err(error)) => tracing::error!(%error, "the queue of notices can't be read"),
            // The hub is stopping.
            Err(_) => return,
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
