//! Which villages a read may see.
//!
//! Everything that lists records, findings or incidents of more than one
//! village takes a [`Scope`] and the store applies it, so that no page and no
//! command can forget to. An operator's scope comes from the account and from
//! nowhere else; the hub's own work sees the whole.

use lumbung_domain::region::{KecamatanCode, VillageCode};

/// Codes of villages have ten digits.
const CODE_MAX: u64 = 9_999_999_999;

/// A set of villages, as ranges of their codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// First and last code of each range, ascending, apart from each other.
    ranges: Vec<(u64, u64)>,
}

impl Scope {
    /// Every village.
    #[must_use]
    pub fn whole() -> Self {
        Self { ranges: vec![(0, CODE_MAX)] }
    }

    /// No village.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { ranges: Vec::new() }
    }

    /// One village.
    #[must_use]
    pub fn of_village(village: VillageCode) -> Self {
        Self { ranges: vec![(village.as_u64(), village.as_u64())] }
    }

    /// One village, or every one.
    #[must_use]
    pub fn of(village: Option<VillageCode>) -> Self {
        village.map_or_else(Self::whole, Self::of_village)
    }

    /// All villages of these kecamatan; none of them = no village.
    #[must_use]
    pub fn of_kecamatan(kecamatan: impl IntoIterator<Item = KecamatanCode>) -> Self {
        let mut ranges: Vec<_> = kecamatan
            .into_iter()
            .map(|code| (code.as_u64() * 10_000, code.as_u64() * 10_000 + 9_999))
            .collect();
        ranges.sort_unstable();
        ranges.dedup();
        Self { ranges }
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
