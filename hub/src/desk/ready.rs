//! Keeps what searches look through ready while the dataset moves, so that
//! nobody waits for it.
//!
//! A village that is still moving is left alone until it rests, and while many
//! move all are, so that a district that catches up has the hub to itself; but
//! not for longer than `OLDEST`: a search while all villages work looks through
//! nothing older. Whoever searches before a village was ever ready waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lumbung_domain::region::VillageCode;

use crate::dataset::search::Mark;
use crate::dataset::{DatasetError, HubsOwn};
use crate::live::Live;

/// Between two looks. A village whose mark is the same at both rests.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// A village that never rests is read again after so long.
const OLDEST: Duration = Duration::from_secs(15);

/// While more villages than this moved between two looks, none is read.
const MANY: usize = 4;

/// What was seen at the last look.
#[derive(Default)]
struct Looks {
    seen: HashMap<VillageCode, Mark>,
    /// When its outline last fitted, or it was first seen.
    fitted: HashMap<VillageCode, Instant>,
    ready: HashMap<VillageCode, Mark>,
}

impl Looks {
    /// Makes the villages ready that rest, if no more than `many` moved; says
    /// whether any is left to be made ready.
    fn look(&mut self, dataset: &dyn HubsOwn, many: usize) -> Result<bool, DatasetError> {
        let mut left = false;
        let marks = dataset.row_marks(&dataset.whole())?;
        let moved = |(village, mark): &&(VillageCode, Mark)| self.seen.get(village) != Some(mark);
        let calm = marks.iter().filter(moved).count() <= many;
        for (village, mark) in marks {
            let rests = self.seen.insert(village, mark) == Some(mark) && calm;
            let fitted = self.fitted.entry(village).or_insert_with(Instant::now);
            if self.ready.get(&village) == Some(&mark) {
                *fitted = Instant::now();
                continue;
            }
            if rests || fitted.elapsed() >= OLDEST {
                dataset.make_ready(&dataset.whole().village(village))?;
                *fitted = Instant::now();
                self.ready.insert(village, mark);
            } else {
                left = true;
            }
        }
        Ok(left)
    }
}

/// Keeps every village ready. Never returns.
pub async fn keep_ready(dataset: Arc<dyn HubsOwn>, live: Arc<Live>) {
    let mut moved = live.watch();
    let mut looks = Looks::default();
    loop {
        let dataset = Arc::clone(&dataset);
        let looking = tokio::task::spawn_blocking(move || {
            let left = looks.look(&*dataset, MANY);
            (looks, left)
        });
        let Ok((kept, left)) = looking.await else { return };
        looks = kept;
        match left {
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
    use crate::recap::tests::{district, refuse};

    #[test]
    fn a_village_is_made_ready_once_it_rests() {
        let (_folder, dataset) = district();
        let mut looks = Looks::default();
        assert!(looks.look(&dataset, MANY).unwrap());
        assert!(looks.ready.is_empty(), "nothing is known to rest at the first look");
        assert!(!looks.look(&dataset, MANY).unwrap());
        assert_eq!(looks.ready.len(), 3);
    }

    #[test]
    fn while_many_villages_move_the_others_are_left_alone_too() {
        let (_folder, dataset) = district();
        let moving = VillageCode::from_u64(3_505_012_001).unwrap();
        let mut looks = Looks::default();
        assert!(looks.look(&dataset, 0).unwrap());
        refuse(&dataset, moving, 1);
        assert!(looks.look(&dataset, 0).unwrap(), "two rest, but one moved");
        assert!(looks.ready.is_empty());
        assert!(!looks.look(&dataset, 0).unwrap());
        assert_eq!(looks.ready.len(), 3);
    }

    #[test]
    fn a_village_that_never_rests_is_made_ready_in_the_end() {
        let (_folder, dataset) = district();
        let moving = VillageCode::from_u64(3_505_012_001).unwrap();
        let mut looks = Looks::default();
        assert!(looks.look(&dataset, 0).unwrap());
        let long_ago = Instant::now().checked_sub(OLDEST).unwrap();
        looks.fitted.insert(moving, long_ago);
        refuse(&dataset, moving, 1);
        assert!(looks.look(&dataset, 0).unwrap());
        assert_eq!(looks.ready.keys().collect::<Vec<_>>(), [&moving]);
    }
}
