//! Draws that read like what they mean.

use rand::{Rng, RngExt};

/// Draws on top of any source of randomness.
pub(super) trait Dice: Rng {
    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: u32) -> u32 {
        self.random_range(0..bound)
    }

    /// A number from `least` to `most`, both possible.
    fn between(&mut self, least: i32, most: i32) -> i32 {
        self.random_range(least..=most)
    }

    /// True in so many of a thousand draws.
    fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of them, all equally likely.
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random_range(0..of.len())]
    }

    /// One of them, likely by its weight.
    fn weighted<T: Copy>(&mut self, of: &[(u32, T)]) -> T {
        let mut left = self.below(of.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in of {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        of[of.len() - 1].1
    }
}

impl<R: Rng + ?Sized> Dice for R {}
