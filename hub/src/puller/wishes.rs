//! Wishes of operators to hear of a village now.
//!
//! A puller that pauses before it dials again dials at once; one that follows
//! an open line asks the node to say what it has, so that it is proven equal
//! anew. A village whose node dials in is heard of when it comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lumbung_domain::region::VillageCode;
use tokio::sync::Notify;

/// The wishes of one hub. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Wishes(Arc<Mutex<HashMap<u64, Arc<Notify>>>>);

impl Wishes {
    /// Wishes to hear of a village. A wish that nobody waits for is kept
    /// until somebody does; several are one.
    pub fn wish(&self, village: VillageCode) {
        self.of(village).notify_one();
    }

    /// Completes when somebody wishes to hear of the village.
    pub(super) async fn wished(&self, village: VillageCode) {
        self.of(village).notified().await;
    }

    fn of(&self, village: VillageCode) -> Arc<Notify> {
        let mut wishes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wishes.entry(village.as_u64()).or_default())
    }
}
