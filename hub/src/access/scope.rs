//! Which villages a read may see.
//!
//! Everything that reads what villages recorded takes a [`Scope`] and the
//! store applies it, so that no page and no command can forget to. A scope is
//! made in this module's parent alone: an operator's from the account, which
//! can only be narrowed after that, and the whole by [`HubsOwn`], which the
//! desk, the console, the admin API and their command line don't hold.
//!
//! Nobody else makes one:
//!
//! ```compile_fail
//! let everything = lumbung_hub::dataset::Scope::everything();
//! ```
//!
//! nor reads without one:
//!
//! ```compile_fail
//! # use lumbung_domain::{id::RecordId, region::VillageCode};
//! # use lumbung_hub::dataset::Dataset;
//! fn one(dataset: &dyn Dataset, village: VillageCode, id: RecordId) {
//!     let _ = dataset.record(village, id);
//! }
//! ```
//!
//! nor gets the whole from what the desk holds:
//!
//! ```compile_fail
//! # use lumbung_domain::{id::RecordId, region::VillageCode};
//! # use lumbung_hub::dataset::Dataset;
//! fn one(dataset: &dyn Dataset, village: VillageCode, id: RecordId) {
//!     let _ = dataset.record(&dataset.whole(), village, id);
//! }
//! ```
//!
//! while the hub's own work, and whoever was given a scope, reads like this:
//!
//! ```
//! # use lumbung_domain::{id::RecordId, region::VillageCode};
//! # use lumbung_hub::dataset::{Dataset, HubsOwn, Scope};
//! fn own(dataset: &dyn HubsOwn, village: VillageCode, id: RecordId) {
//!     let _ = dataset.record(&dataset.whole(), village, id);
//! }
//! fn given(dataset: &dyn Dataset, scope: &Scope, village: VillageCode, id: RecordId) {
//!     let _ = dataset.record(&scope.village(village), village, id);
//! }
//! ```

use lumbung_domain::region::{KecamatanCode, VillageCode};

use crate::dataset::Dataset;

/// Codes of villages have ten digits.
const CODE_MAX: u64 = 9_999_999_999;

/// A set of villages, as ranges of their codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// First and last code of each range, ascending, apart from each other.
    ranges: Vec<(u64, u64)>,
}

/// The dataset as the hub's own work has it: the puller and the merge, repair,
/// restoring, counting, alerts, and the commands on the hub's machine. What
/// operators see goes through the desk, which holds a [`Dataset`] only.
pub trait HubsOwn: Dataset {
    /// Every village.
    fn whole(&self) -> Scope {
        Scope::everything()
    }
}

impl Scope {
    /// Every village.
    pub(in crate::access) fn everything() -> Self {
        Self { ranges: vec![(0, CODE_MAX)] }
    }

    /// No village.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { ranges: Vec::new() }
    }

    /// All villages of these kecamatan; none of them = no village.
    pub(in crate::access) fn of_kecamatan(
        kecamatan: impl IntoIterator<Item = KecamatanCode>,
    ) -> Self {
        let mut ranges: Vec<_> = kecamatan
            .into_iter()
            .map(|code| (code.as_u64() * 10_000, code.as_u64() * 10_000 + 9_999))
            .collect();
        ranges.sort_unstable();
        ranges.dedup();
        Self { ranges }
    }

    /// One village of it; none when it is not in it.
    #[must_use]
    pub fn village(&self, village: VillageCode) -> Self {
        self.within(&Self { ranges: vec![(village.as_u64(), village.as_u64())] })
    }

    /// One village of it, or all of it.
    #[must_use]
    pub fn of(&self, village: Option<VillageCode>) -> Self {
        village.map_or_else(|| self.clone(), |village| self.village(village))
    }

    /// What is in it of a kecamatan.
    #[must_use]
    pub fn kecamatan(&self, code: KecamatanCode) -> Self {
        self.within(&Self::of_kecamatan([code]))
    }

    /// Whether all of a kecamatan is in it.
    #[must_use]
    pub fn covers_kecamatan(&self, code: KecamatanCode) -> bool {
        self.covers(&Self::of_kecamatan([code]))
    }

    /// What is in both.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        for (first, last) in &self.ranges {
            for (from, to) in &other.ranges {
                let both = (*first.max(from), *last.min(to));
                if both.0 <= both.1 {
                    ranges.push(both);
                }
            }
        }
        ranges.sort_unstable();
        Self { ranges }
    }

    /// Whether a village is in it.
    #[must_use]
    pub fn holds(&self, village: VillageCode) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&village.as_u64()))
    }

    /// Whether all of another one is in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other
            .ranges
            .iter()
            .all(|(from, to)| self.ranges.iter().any(|(first, last)| first <= from && to <= last))
    }

    /// Whether it is every village.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.ranges.first() == Some(&(0, CODE_MAX))
    }

    /// Whether it is no village at all.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.ranges.is_empty()
    }

    /// First and last code of each range, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }
}

/// Tests ask for what they look at.
#[cfg(test)]
impl Scope {
    pub(crate) fn whole() -> Self {
        Self::everything()
    }

    pub(crate) fn of_village(village: VillageCode) -> Self {
        Self::everything().village(village)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn village(code: u64) -> VillageCode {
        VillageCode::from_u64(code).unwrap()
    }

    fn kecamatan(code: u64) -> KecamatanCode {
        KecamatanCode::from_u64(code).unwrap()
    }

    #[test]
    fn a_kecamatan_holds_its_villages_and_no_neighbour() {
        let scope = Scope::of_kecamatan([kecamatan(350_503), kecamatan(350_501)]);
        assert!(scope.holds(village(3_505_012_001)) && scope.holds(village(3_505_032_009)));
        assert!(!scope.holds(village(3_505_022_001)) && !scope.holds(village(3_505_042_001)));
        assert!(!scope.is_whole() && Scope::whole().holds(village(3_505_022_001)));
    }

    #[test]
    fn narrowing_never_widens() {
        let one = Scope::of_kecamatan([kecamatan(350_501)]);
        let foreign = village(3_505_022_001);
        assert!(one.within(&Scope::of_village(foreign)).is_nothing());
        assert_eq!(one.within(&Scope::whole()), one);
        assert_eq!(Scope::whole().within(&one), one);
        let own = village(3_505_012_001);
        assert_eq!(one.within(&Scope::of_village(own)), Scope::of_village(own));
        assert!(!Scope::nothing().holds(own));
    }
}
