//! What is told of an answer, and when nothing is.

use lumbung_domain::id::Kind;
use lumbung_ledger::{Epoch, LogId};

use super::*;
use crate::barn::MemoryStore;
use crate::village::Village;
use crate::village::returned::tests::{dusun, id, put, village};

/// What became of three records: kept of its own, kept of its own and ended since, and
/// written anew.
async fn answered(village: &Village) -> v1::KeptReceipt {
    put(village, 1, Kind::Dusun, Some(dusun("A"))).await;
    put(village, 2, Kind::Dusun, Some(dusun("B"))).await;
    put(village, 3, Kind::Dusun, Some(dusun("C"))).await;
    let verdicts = [v1::Verdict::Conflict, v1::Verdict::Conflict, v1::Verdict::Applied];
    let numbers = || 1_u64..=3;
    let parcels: Vec<_> = numbers()
        .map(|number| {
            let id = id(number as u16).as_bytes().to_vec().into();
            let lost = v1::LostRecord { id, epoch: 1, seq: 9, ..v1::LostRecord::default() };
            v1::Parcel { number, kind: Some(v1::parcel::Kind::LostRecord(lost)) }
        })
        .collect();
    let outcomes = numbers().zip(verdicts).map(|(number, verdict)| v1::Outcome {
        number,
        verdict: verdict.into(),
        ..v1::Outcome::default()
    });
    let receipt = v1::Receipt { outcomes: outcomes.collect() };
    self::receipt(village.barn().head().position, &parcels, &receipt)
}

#[tokio::test]
async fn a_bundle_tells_what_the_village_has_at_its_end() {
    let village = village(&MemoryStore::default());
    let kept = answered(&village).await;
    assert_eq!(kept.returned.len(), 3);
    let last = village.barn().head().position.seq;
    put(&village, 1, Kind::Dusun, Some(dusun("A2"))).await;
    put(&village, 2, Kind::Dusun, None).await;

    let said = |last| {
        let told = told(village.barn(), kept.clone(), last).unwrap();
        let outcomes = told.into_iter().filter_map(|told| told.outcome);
        outcomes.map(|it| (it.held.map(|held| held.seq), it.absent)).collect::<Vec<_>>()
    };
    // What came after the bundle's end is in the next one.
    assert_eq!(said(last), [(None, false), (None, false), (None, false)]);
    assert_eq!(
        said(village.barn().head().position.seq),
        [(Some(4), false), (None, true), (None, false)]
    );
    assert!(said(Seq(2)).is_empty(), "a bundle that ends before the answer was taken");
}

#[tokio::test]
async fn a_log_that_went_back_or_another_one_tells_nothing() {
    let store = MemoryStore::default();
    let old = store.copy();
    let village = village(&store);
    let kept = answered(&village).await;
    let ends = |barn: &Barn, kept: &v1::KeptReceipt| {
        told(barn, kept.clone(), barn.head().position.seq).unwrap().len()
    };
    assert_eq!(ends(village.barn(), &kept), 3);
    let other = self::village(&old);
    for number in 1..=4 {
        put(&other, number, Kind::Dusun, Some(dusun("LAIN"))).await;
    }
    assert_eq!(ends(other.barn(), &kept), 0, "another history");
    let elsewhere = Position { epoch: Epoch::FIRST, ..Position::origin(LogId([9; 16])) };
    let position = Some(batch::position_to_wire(elsewhere));
    assert_eq!(ends(village.barn(), &v1::KeptReceipt { position, ..kept }), 0, "another log");
}
