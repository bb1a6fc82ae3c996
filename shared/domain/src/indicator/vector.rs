//! The indicator vector and its sum.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use super::Indikator;

/// How many indicators a vector stores.
const N: usize = Indikator::STORED.len();

/// One count per stored indicator. Adding vectors is associative and
/// commutative; the zero vector is [`Default`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndikatorVector([u64; N]);

/// A rule that every recap obeys and this vector breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kejanggalan {
    /// More under-fives than people of that sex.
    BalitaLebihDariTotal,
    /// More couples than women of childbearing age.
    PusLebihDariWus,
    /// More women of childbearing age, pregnant or breastfeeding women than women.
    IbuLebihDariPerempuan,
    /// Healthy and other houses don't add up to the households.
    RumahTidakGenap,
    /// Rice and other staples don't add up to the households.
    MakananTidakGenap,
    /// Fewer families than households: some house has no family card in use.
    KkKurangDariKrt,
}

impl IndikatorVector {
    /// A vector with a single count, for the leading counters of a sheet
    /// ("one dasawisma").
    #[must_use]
    pub const fn single(indikator: Indikator, count: u64) -> Self {
        let mut vector = Self([0; N]);
        vector.set(indikator, count);
        vector
    }

    /// The count of an indicator, derived ones included.
    #[must_use]
    pub const fn get(&self, indikator: Indikator) -> u64 {
        match indikator {
            Indikator::Buta3 => {
                self.0[Indikator::Buta3L as usize] + self.0[Indikator::Buta3P as usize]
            }
            stored => self.0[stored as usize],
        }
    }

    /// Sets a stored count. A derived indicator follows its parts and stays
    /// as it is.
    pub const fn set(&mut self, indikator: Indikator, count: u64) {
        if !matches!(indikator, Indikator::Buta3) {
            self.0[indikator as usize] = count;
        }
    }

    /// Adds to a stored count.
    pub(super) const fn bump(&mut self, indikator: Indikator, by: u64) {
        self.set(indikator, self.get(indikator) + by);
    }

    /// Every stored indicator with its count, in catalogue order.
    pub fn iter(&self) -> impl Iterator<Item = (Indikator, u64)> + '_ {
        Indikator::STORED.iter().map(|indikator| (*indikator, self.get(*indikator)))
    }

    /// Residents counted, both sexes.
    #[must_use]
    pub const fn jiwa(&self) -> u64 {
        self.get(Indikator::TotalL) + self.get(Indikator::TotalP)
    }

    /// The rules this vector breaks. A vector made by
    /// [`rumah_tangga_vector`](super::rumah_tangga_vector) and sums of such
    /// can only break the last one.
    #[must_use]
    pub fn kejanggalan(&self) -> Vec<Kejanggalan> {
        use Indikator as I;
        let get = |indikator| self.get(indikator);
        let women = get(I::TotalP);
        let checks = [
            (
                get(I::BalitaL) > get(I::TotalL) || get(I::BalitaP) > women,
                Kejanggalan::BalitaLebihDariTotal,
            ),
            (get(I::Pus) > get(I::Wus), Kejanggalan::PusLebihDariWus),
            (
                get(I::Wus).max(get(I::IbuHamil)).max(get(I::IbuMenyusui)) > women,
                Kejanggalan::IbuLebihDariPerempuan,
            ),
            (
                get(I::RumahSehat) + get(I::RumahTidakSehat) != get(I::JmlKrt),
                Kejanggalan::RumahTidakGenap,
            ),
            (
                get(I::MakanBeras) + get(I::MakanNonBeras) != get(I::JmlKrt),
                Kejanggalan::MakananTidakGenap,
            ),
            (get(I::JmlKk) < get(I::JmlKrt), Kejanggalan::KkKurangDariKrt),
        ];
        checks.into_iter().filter_map(|(broken, rule)| broken.then_some(rule)).collect()
    }
}

impl Default for IndikatorVector {
    fn default() -> Self {
        Self([0; N])
    }
}

impl AddAssign for IndikatorVector {
    fn add_assign(&mut self, other: Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }
}

impl Add for IndikatorVector {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sum for IndikatorVector {
    fn sum<I: Iterator<Item = Self>>(vectors: I) -> Self {
        vectors.fold(Self::default(), Add::add)
    }
}

impl<'a> Sum<&'a Self> for IndikatorVector {
    fn sum<I: Iterator<Item = &'a Self>>(vectors: I) -> Self {
        vectors.copied().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_count_follows_its_parts() {
        let mut vector = IndikatorVector::single(Indikator::Buta3L, 2)
            + IndikatorVector::single(Indikator::Buta3P, 3);
        assert_eq!(vector.get(Indikator::Buta3), 5);
        vector.set(Indikator::Buta3, 99);
        assert_eq!(vector.get(Indikator::Buta3), 5);
    }

    #[test]
    fn broken_rules_are_named() {
        let house = IndikatorVector::single(Indikator::JmlKrt, 1);
        assert_eq!(
            house.kejanggalan(),
            [
                Kejanggalan::RumahTidakGenap,
                Kejanggalan::MakananTidakGenap,
                Kejanggalan::KkKurangDariKrt,
            ]
        );
        assert_eq!(
            IndikatorVector::single(Indikator::Pus, 1).kejanggalan(),
            [Kejanggalan::PusLebihDariWus]
        );
        assert!(IndikatorVector::default().kejanggalan().is_empty());
    }
}
