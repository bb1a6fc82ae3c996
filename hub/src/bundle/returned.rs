//! What a bundle tells of versions that an answer handed back: the receipt that a
//! line would bring.

use std::collections::HashMap;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::Position;
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use crate::dataset::{DatasetError, HubsOwn, Outcome, SetAside};
use crate::puller::hand_back::read_receipt;

/// Notes what became of the versions that still wait for it, where the hub stands
/// at `at`, the bundle's end. Says whether that is told of any for the first time.
///
/// # Errors
/// [`DatasetError`].
pub fn take(
    village: VillageCode,
    at: &Position,
    returned: &[v1::Returned],
    dataset: &dyn HubsOwn,
) -> Result<bool, DatasetError> {
    if returned.is_empty() {
        return Ok(false);
    }
    let told: HashMap<i64, &v1::Returned> =
        returned.iter().filter_map(|told| Some((number(told)?, told))).collect();
    let mut versions = dataset.undelivered(&dataset.whole(), village, None, u32::MAX)?;
    versions.retain(|version| told.get(&version.number).is_some_and(|told| is_of(told, version)));
    let outcomes = versions.iter().filter_map(|version| told.get(&version.number)?.outcome.clone());
    let receipt = v1::Receipt { outcomes: outcomes.collect() };
    let delivered = read_receipt(receipt, &versions);
    let noted = dataset.delivered_at(village, at, &delivered, clock::now_ms())?;
    let mut noted_now = versions.iter().take(delivered.len());
    Ok(noted && noted_now.any(|version| version.outcome == Outcome::Waiting))
}

fn number(told: &v1::Returned) -> Option<i64> {
    Some(told.outcome.as_ref()?.number.cast_signed())
}

/// A hub that was restored gives numbers again.
fn is_of(told: &v1::Returned, version: &SetAside) -> bool {
    *told.id == *version.id.as_bytes() && (told.epoch, told.seq) == (version.epoch.0, version.seq.0)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use lumbung_domain::id::RecordId;

    use super::*;
    use crate::puller::hand_back::tests::version;

    #[test]
    fn a_number_given_again_is_not_taken_for_the_version_it_was() {
        let version = version(4, 2, 9);
        let told = |id: RecordId, epoch, seq| {
            let id = Bytes::copy_from_slice(id.as_bytes());
            v1::Returned { id, epoch, seq, outcome: None }
        };
        assert!(is_of(&told(version.id, 2, 9), &version));
        let other = RecordId::from_parts(0, 1, 2);
        for other in [told(other, 2, 9), told(version.id, 1, 9), told(version.id, 2, 8)] {
            assert!(!is_of(&other, &version), "{other:?}");
        }
    }
}
