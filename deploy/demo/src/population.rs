//! Fictitious villages: plausible residents of Kabupaten Blitar, made from a
//! seed.
//!
//! The same seed, scale, day and ids give the same records, byte for byte.
//! Averages (residents per family, families per house, age groups, groups per
//! RT) follow the kabupaten's; every name and number is made up. Villages also
//! contradict each other the way real ones do, see [`Contradiction`], and a
//! few records are legal but questionable. Nothing here reads or writes
//! anything.

mod contradiction;
mod dice;
mod edit;
mod event;
mod house;
mod lists;
mod person;
mod serial;
mod settlement;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use lumbung_domain::id::RecordId;
use lumbung_domain::record::Record;
use lumbung_domain::region::{VillageCode, roster};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use contradiction::{Contradiction, ContradictionKind, contradictions};
use dice::Dice;
pub use edit::edit;

/// Residents of the kabupaten, Dukcapil 2024.
pub const KABUPATEN_RESIDENTS: u32 = 1_261_699;

/// A village smaller than this would have no structure to show.
const VILLAGE_RESIDENTS_MIN: u32 = 40;

/// Sizes of villages, per mille of their mean.
const SIZE_MIN: u32 = 300;
const SIZE_MAX: u32 = 2_200;

/// What one village is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VillagePlan {
    /// The village, one of the roster.
    pub code: VillageCode,
    /// Everything drawn for this village follows from it.
    pub seed: u64,
    /// Residents alive and here. The dead and the moved are records too, and
    /// come on top.
    pub residents: u32,
    /// Position among the villages of its kecamatan; gives its share of
    /// serial numbers.
    pub place_in_kecamatan: u32,
    /// What it disagrees or agrees about with other villages.
    pub contradictions: Vec<Contradiction>,
}

/// Plans for every village of the roster, in its order. `scale` 1 is the
/// whole kabupaten; below about 0.03 the smallest villages stay at a floor and
/// the sum is larger than asked for.
#[must_use]
pub fn plans(seed: u64, scale: f64) -> Vec<VillagePlan> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let villages = roster().villages();
    let mut plans: Vec<VillagePlan> = Vec::with_capacity(villages.len());
    for (desa, residents) in villages.iter().zip(sizes(&mut dice, villages.len(), scale)) {
        let place_in_kecamatan = match plans.last() {
            Some(last) if last.code.kecamatan() == desa.kecamatan => last.place_in_kecamatan + 1,
            _ => 0,
        };
        plans.push(VillagePlan {
            code: desa.code,
            seed: seed.rotate_left(17) ^ desa.code.as_u64().wrapping_mul(0x9e37_79b9_7f4a_7c15),
            residents,
            place_in_kecamatan,
            contradictions: Vec::new(),
        });
    }
    for found in contradictions(&plans) {
        for plan in &mut plans {
            if plan.code == found.here || plan.code == found.there {
                plan.contradictions.push(found);
            }
        }
    }
    plans
}

/// Residents of each village: skewed towards small ones, within the bounds,
/// with the sum that the scale asks for.
fn sizes(dice: &mut ChaCha8Rng, villages: usize, scale: f64) -> Vec<u32> {
    let total = (f64::from(KABUPATEN_RESIDENTS) * scale).round();
    let mean = total / villages as f64;
    let bound = |per_mille: u32| (mean * f64::from(per_mille) / 1_000.0).round() as u32;
    let (least, most) = (bound(SIZE_MIN), bound(SIZE_MAX));
    let mut sizes: Vec<u32> = (0..villages)
        .map(|_| {
            let skew = (f64::from(dice.below(10_001)) / 10_000.0).powf(1.7);
            bound(SIZE_MIN + (skew * f64::from(SIZE_MAX - SIZE_MIN)) as u32)
        })
        .collect();
    // What the draw missed is spread one by one, which keeps the bounds.
    let mut missing = total as i64 - sizes.iter().map(|size| i64::from(*size)).sum::<i64>();
    let mut at = 0;
    while missing != 0 && least < most {
        let size = &mut sizes[at % villages];
        if missing > 0 && *size < most {
            *size += 1;
            missing -= 1;
        } else if missing < 0 && *size > least {
            *size -= 1;
            missing += 1;
        }
        at += 1;
    }
    sizes.into_iter().map(|size| size.max(VILLAGE_RESIDENTS_MIN)).collect()
}

/// All records of one village as of `today`, parents before children. `mint`
/// gives each record its id, in that order.
#[must_use]
pub fn village(
    plan: &VillagePlan,
    today: Date,
    mint: &mut dyn FnMut() -> RecordId,
) -> Vec<(RecordId, Record)> {
    settlement::Settlement::new(plan, today, mint).build()
}
