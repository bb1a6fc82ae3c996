//! Which village an identity number was first seen in.
//!
//! A number that was only ever seen in one village can't be claimed by two;
//! asking here first saves the index probe for all but a few residents of a
//! first load. A hit may be stale (the row is gone meanwhile), a miss never
//! is. Eight bytes a number and a quarter free: 16 MB for 1.2 million.

/// Owner of a number that was seen in more than one village.
const SEVERAL: u64 = (1 << OWNER_BITS) - 1;

/// Bits that name the owner. Villages beyond go to [`SEVERAL`]: more probes,
/// the same findings.
const OWNER_BITS: u32 = 10;

/// Spreads the numbers, whose low digits are birth dates and serials.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Numbers of at most 16 digits with the village that was seen with each.
pub(super) struct Prefilter {
    /// `number << OWNER_BITS | owner`; 0 = free, since no owner is 0.
    slots: Vec<u64>,
    used: usize,
}

impl Prefilter {
    /// A filter that grows with what it is told.
    pub(super) fn empty() -> Self {
        Self { slots: vec![0; 1024], used: 0 }
    }

    /// Notes that a village uses the number; says whether another one was
    /// ever seen with it. `owner` is the village's place in the registry,
    /// from 1.
    pub(super) fn note(&mut self, number: u64, owner: u64) -> bool {
        let owner = owner.clamp(1, SEVERAL);
        if self.used * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let slot = self.slot(number);
        let held = self.slots[slot];
        if held == 0 {
            self.slots[slot] = number << OWNER_BITS | owner;
            self.used += 1;
            return owner == SEVERAL;
        }
        if held & SEVERAL == owner && owner != SEVERAL {
            return false;
        }
        self.slots[slot] = held | SEVERAL;
        true
    }

    /// Brings the slots of numbers that will be noted near: a lookup far away
    /// in memory waits for it, many at once wait hardly longer than one.
    pub(super) fn bring_near(&self, numbers: impl Iterator<Item = u64>) {
        let shift = u64::BITS - self.slots.len().trailing_zeros();
        let first = |number: u64| self.slots[(number.wrapping_mul(SPREAD) >> shift) as usize];
        std::hint::black_box(numbers.map(first).fold(0, |all, slot| all ^ slot));
    }

    /// The number's slot, or the free one where it would go.
    fn slot(&self, number: u64) -> usize {
        let mask = self.slots.len() - 1;
        let shift = u64::BITS - self.slots.len().trailing_zeros();
        let mut slot = (number.wrapping_mul(SPREAD) >> shift) as usize;
        while self.slots[slot] != 0 && self.slots[slot] >> OWNER_BITS != number {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![0; old.len() * 2];
        for held in old.into_iter().filter(|held| *held != 0) {
            let slot = self.slot(held >> OWNER_BITS);
            self.slots[slot] = held;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tells_exactly_the_numbers_seen_in_two_villages(
            seen in proptest::collection::vec((0_u64..3000, 1_u64..5), 0..6000),
        ) {
            let mut filter = Prefilter::empty();
            let mut first: HashMap<u64, (u64, bool)> = HashMap::new();
            for (number, owner) in seen {
                let entry = first.entry(number).or_insert((owner, false));
                entry.1 |= entry.0 != owner;
                prop_assert_eq!(filter.note(number, owner), entry.1);
            }
        }
    }

    #[test]
    fn villages_beyond_the_owner_bits_are_always_probed() {
        let mut filter = Prefilter::empty();
        assert!(filter.note(9_999_999_999_999_999, 4000));
        assert!(!filter.note(9_999_999_999_999_998, 7));
        assert!(filter.note(9_999_999_999_999_998, 4000));
    }
}
