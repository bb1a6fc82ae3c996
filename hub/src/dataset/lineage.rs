//! Which disk is this? Histories of contacts, told apart by the number of the
//! last contact that a node has kept.
//!
//! Every contact gets a number, higher than all before it, which the node
//! keeps outside its database. A node that shows a lower number than the last
//! one kept has gone back in time (its disk was put back) or has a twin. Once
//! is no proof: a disk may be put back, and the right one put back again. But
//! when a history returns that began or went on after another one had begun,
//! both are in use: twins.

/// Histories kept per village; more disks than this are not told apart.
const LINEAGES_MAX: usize = 8;

/// One history of contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The number of its first contact.
    pub began: u64,
    /// The number of its last contact.
    pub last: u64,
    /// Who answered then: random, new at each start of a node.
    pub incarnation: Vec<u8>,
}

/// What a contact says about the disk behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// The one that was there last time.
    Known,
    /// One that has gone back in time, or a copy.
    Back {
        /// The last contact that it remembers; 0 = none.
        shown: u64,
        /// The last contact there was.
        last: u64,
    },
    /// One of two that are both in use.
    Twin {
        /// The last contact that it remembers.
        shown: u64,
        /// The last contact there was, with the other one.
        last: u64,
    },
}

/// The number of the next contact, hub clock `now_ms`: higher than every one
/// before. Going by the clock it also rises past what a hub that was restored
/// from an older copy has forgotten.
#[must_use]
pub fn next_visit(lineages: &[Lineage], now_ms: i64) -> u64 {
    let last = lineages.iter().map(|lineage| lineage.last).max().unwrap_or(0);
    (last + 1).max(u64::try_from(now_ms).unwrap_or(0))
}

/// Takes contact `visit`, at which the node showed `shown`, into the
/// histories.
pub fn meet(lineages: &mut Vec<Lineage>, visit: u64, shown: u64, incarnation: &[u8]) -> Meeting {
    lineages.sort_unstable_by_key(|lineage| lineage.last);
    let newest_began = lineages.iter().map(|lineage| lineage.began).max().unwrap_or(0);
    let now = visit.max(shown);
    let new = Lineage { began: visit, last: now, incarnation: incarnation.to_vec() };
    let Some(current) = lineages.last_mut() else {
        lineages.push(new);
        return Meeting::Known;
    };
    let last = current.last;
    if shown >= last {
        *current = Lineage { began: current.began, ..new };
        return Meeting::Known;
    }
    if let Some(returned) = lineages.iter_mut().find(|lineage| lineage.last == shown) {
        *returned = Lineage { began: returned.began, ..new };
        return if shown >= newest_began {
            Meeting::Twin { shown, last }
        } else {
            Meeting::Back { shown, last }
        };
    }
    if lineages.len() >= LINEAGES_MAX {
        lineages.remove(0);
    }
    lineages.push(new);
    Meeting::Back { shown, last }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk: the last number it has kept.
    #[derive(Clone, Copy)]
    struct Disk(u64);

    struct Hub {
        lineages: Vec<Lineage>,
        clock: i64,
    }

    impl Hub {
        fn contact(&mut self, disk: &mut Disk) -> Meeting {
            self.clock += 10;
            let visit = next_visit(&self.lineages, self.clock);
            let shown = disk.0;
            disk.0 = disk.0.max(visit);
            meet(&mut self.lineages, visit, shown, &[1])
        }

        /// The node keeps the number, the hub never hears of it.
        fn lost_answer(&mut self, disk: &mut Disk) {
            self.clock += 10;
            disk.0 = disk.0.max(next_visit(&self.lineages, self.clock));
        }
    }

    const fn hub() -> Hub {
        Hub { lineages: Vec::new(), clock: 1_000 }
    }

    const fn is_back(meeting: Meeting) -> bool {
        matches!(meeting, Meeting::Back { .. })
    }

    #[test]
    fn one_disk_is_always_known() {
        let (mut hub, mut disk) = (hub(), Disk(0));
        for round in 0..50 {
            if round % 3 == 0 {
                hub.lost_answer(&mut disk);
            }
            // A clock that jumps back changes nothing.
            hub.clock -= if round == 20 { 900 } else { 0 };
            assert_eq!(hub.contact(&mut disk), Meeting::Known);
        }
        assert_eq!(hub.lineages.len(), 1);
    }

    #[test]
    fn a_disk_that_is_put_back_is_told_once_each_time() {
        let (mut hub, mut disk) = (hub(), Disk(0));
        hub.contact(&mut disk);
        for _ in 0..20 {
            let mut copy = disk;
            for _ in 0..3 {
                assert_eq!(hub.contact(&mut disk), Meeting::Known);
            }
            assert!(is_back(hub.contact(&mut copy)));
            assert_eq!(hub.contact(&mut copy), Meeting::Known);
            disk = copy;
        }
        // Its file is gone altogether.
        assert!(is_back(hub.contact(&mut Disk(0))));
        assert!(hub.lineages.len() <= LINEAGES_MAX);
    }

    #[test]
    fn the_right_disk_may_be_put_back_again() {
        let (mut hub, mut disk) = (hub(), Disk(0));
        hub.contact(&mut disk);
        let mut copy = disk;
        hub.contact(&mut disk);
        assert!(is_back(hub.contact(&mut copy)));
        assert_eq!(hub.contact(&mut copy), Meeting::Known);
        assert!(is_back(hub.contact(&mut disk)));
        assert_eq!(hub.contact(&mut disk), Meeting::Known);
    }

    #[test]
    fn two_copies_that_take_turns_are_twins() {
        let (mut hub, mut one) = (hub(), Disk(0));
        hub.contact(&mut one);
        let mut other = one;
        hub.contact(&mut one);
        assert!(is_back(hub.contact(&mut other)));
        assert!(is_back(hub.contact(&mut one)));
        assert!(matches!(hub.contact(&mut other), Meeting::Twin { .. }));
        assert!(matches!(hub.contact(&mut one), Meeting::Twin { .. }));
    }

    #[test]
    fn a_hub_that_went_back_in_time_accuses_nobody() {
        let (mut hub, mut disk) = (hub(), Disk(0));
        hub.contact(&mut disk);
        let old = hub.lineages.clone();
        for _ in 0..5 {
            hub.contact(&mut disk);
        }
        hub.lineages = old;
        hub.clock = 5;
        assert_eq!(hub.contact(&mut disk), Meeting::Known);
        assert_eq!(hub.contact(&mut disk), Meeting::Known);
    }
}
