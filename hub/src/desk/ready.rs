//! Keeps what searches look through ready while the dataset moves, so that
//! nobody waits for it.
//!
//! A village that is still moving is left alone until it rests: during a
//! first load nothing is read twice. Whoever searches before that waits for
//! the villages asked about.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::region::VillageCode;

use crate::dataset::search::Mark;
use crate::dataset::{Dataset, DatasetError, Scope};
use crate::live::Live;

/// Between two looks. A village whose mark is the same at both rests.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// What was seen at the last look.
#[derive(Default)]
struct Looks {
    seen: HashMap<VillageCode, Mark>,
    ready: HashMap<VillageCode, Mark>,
}

impl Looks {
    /// Makes the villages ready that rest; says whether any still moves.
    fn look(&mut self, dataset: &dyn Dataset) -> Result<bool, DatasetError> {
        let mut moving = false;
        for (village, mark) in dataset.row_marks(&Scope::whole())? {
            let rests = self.seen.insert(village, mark) == Some(mark);
            if self.ready.get(&village) == Some(&mark) {
                continue;
            }
            if rests {
                dataset.make_ready(&Scope::of_village(village))?;
                self.ready.insert(village, mark);
            } else {
                moving = true;
            }
        }
        Ok(moving)
    }
}

/// Keeps every village ready. Never returns.
pub async fn keep_ready(dataset: Arc<dyn Dataset>, live: Arc<Live>) {
    let mut moved = live.watch();
    let mut looks = Looks::default();
    loop {
        let dataset = Arc::clone(&dataset);
        let looking = tokio::task::spawn_blocking(move || {
            let moving = looks.look(&*dataset);
            (looks, moving)
        });
        let Ok((kept, moving)) = looking.await else { return };
        looks = kept;
        match moving {
            Ok(true) => {}
            Ok(false) => drop(moved.changed().await),
            Err(error) => tracing::warn!(%error, "searches can't be made ready now"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recap::tests::district;

    #[test]
    fn a_village_is_made_ready_once_it_rests() {
        let (_folder, dataset) = district();
        let mut looks = Looks::default();
        assert!(looks.look(&dataset).unwrap());
        assert!(looks.ready.is_empty(), "nothing is known to rest at the first look");
        assert!(!looks.look(&dataset).unwrap());
        assert_eq!(looks.ready.len(), 3);
    }
}
