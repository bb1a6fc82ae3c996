//! A barn on a disk that fails at every possible write: what was acknowledged
//! stays, what was not is whole or absent, and wrong bytes are never handed
//! out as right ones.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_ledger::{LogId, Source};
use lumbung_node::barn::{
    Barn, Change, Condition, Expected, IndexKey, OpenBarnError, OpenOptions, Receipt, Submission,
    SubmitError,
};
use lumbung_tests::faulty_store::{Fault, FaultyStore, Survivors};
use lumbung_tests::fictitious::dusun;
use lumbung_tests::fold;
use lumbung_tests::sim::book::Book;

/// Saves of one run.
const SAVES: usize = 14;

/// A thinning follows after this save.
const THIN_AFTER: usize = 9;

fn named(_: lumbung_domain::id::KindCode, content: &Bytes) -> Vec<IndexKey> {
    vec![IndexKey { index: 1, key: content.to_vec(), unique: false }]
}

fn open(store: &FaultyStore) -> Result<Barn, OpenBarnError> {
    let fresh = store.pairs().is_ok_and(|pairs| pairs.is_empty());
    let options = OpenOptions { indexer: named, create: fresh.then_some(LogId([4; 16])) };
    Barn::open_on(Arc::new(store.clone()), options)
}

/// What save number `save` changes: records are made, changed and ended.
fn changes(save: usize) -> Vec<(RecordId, Option<Bytes>)> {
    let id = |number: usize| RecordId::from_parts(1_790_000_000_000, 0, number as u64);
    let content = |at: usize| {
        let ends = save > 5 && at == 1 && save.is_multiple_of(3);
        (!ends).then(|| dusun(&format!("DUSUN {save}-{at}{}", "A".repeat(save * 20))))
    };
    (0..=save % 3).map(|at| (id((save + at) % 6), content(at))).collect()
}

fn submit(barn: &Barn, changes: &[(RecordId, Option<Bytes>)]) -> Result<Receipt, SubmitError> {
    let changes = changes.iter().map(|(id, content)| Change {
        id: *id,
        kind: Kind::Dusun.code(),
        schema: 1,
        content: content.clone(),
        expected: Expected::Any,
    });
    let (actor, changes) = ("kader".into(), changes.collect());
    barn.submit_blocking(Submission { actor, source: Source::MANUAL, time_ms: 5, changes })
}

/// Saves from number `from` on, thinning on the way; says which save failed.
fn save_all(barn: &Barn, book: &mut Book, from: usize) -> Option<usize> {
    for save in from..SAVES {
        let changes = changes(save);
        book.sent(&changes);
        match submit(barn, &changes) {
            Ok(receipt) => book.acknowledged(&changes, receipt).unwrap(),
            Err(_) => return Some(save),
        }
        if save == THIN_AFTER && barn.thin(barn.head().position.seq).is_err() {
            return Some(save + 1);
        }
    }
    None
}

/// Everything promised is there, and everything there is sound.
fn check(barn: &Barn, book: &Book) -> anyhow::Result<()> {
    let folded = fold::fold_barn(barn)?;
    book.check(barn, &folded)?;
    let faults = barn.verify()?.faults;
    anyhow::ensure!(faults.is_empty(), "{faults:?}");
    Ok(())
}

/// The numbers of the write operations of a run without faults, after those
/// of opening.
fn operations() -> Range<u64> {
    let store = FaultyStore::default();
    let barn = open(&store).unwrap();
    let opened = store.operations();
    assert_eq!(save_all(&barn, &mut Book::default(), 0), None);
    opened..store.operations()
}

/// Runs until `fault` strikes at write operation `at`.
fn broken(at: u64, fault: Fault) -> (FaultyStore, Book, Option<Barn>, usize) {
    let (store, mut book) = (FaultyStore::default(), Book::default());
    store.fail_after(at, fault);
    let Ok(barn) = open(&store) else { return (store, book, None, 0) };
    let failed = save_all(&barn, &mut book, 0).expect("the fault strikes");
    (store, book, Some(barn), failed)
}

#[test]
fn a_power_cut_at_any_write_keeps_what_was_acknowledged() {
    let operations = operations();
    assert!(operations.end > 30, "{operations:?} writes are hardly a run");
    for at in 0..operations.end {
        for fault in [Fault::PowerCut, Fault::PowerCutAfter] {
            for kept in 0..2 {
                let (store, mut book, barn, failed) = broken(at, fault);
                if let Some(barn) = barn {
                    barn.close();
                }
                store.power_back(Survivors::Batches(kept)).unwrap();
                let barn = open(&store).unwrap();
                let what = format!("{fault:?} at write {at}, {kept} batches kept");
                check(&barn, &book).unwrap_or_else(|error| panic!("{what}: {error:#}"));
                assert_eq!(save_all(&barn, &mut book, failed), None);
                check(&barn, &book).unwrap_or_else(|error| panic!("{what}, later: {error:#}"));
                barn.close();
            }
        }
    }
}

/// Worse than sled promises: part of a batch is there. The barn opens with
/// everything acknowledged, or refuses; it never hands out half a save.
#[test]
fn a_torn_batch_is_refused_or_harmless() {
    let (mut refused, mut harmless) = (0, 0);
    for at in 0..operations().end {
        for writes in 1..12 {
            let (store, book, barn, _) = broken(at, Fault::PowerCutAfter);
            if let Some(barn) = barn {
                barn.close();
            }
            store.power_back(Survivors::TornBatch(0, writes)).unwrap();
            match open(&store) {
                Err(_) => refused += 1,
                Ok(barn) => {
                    let what = format!("{writes} writes of the batch at {at}");
                    let folded = fold::fold_barn(&barn).expect(&what);
                    book.check(&barn, &folded).expect(&what);
                    harmless += 1;
                    barn.close();
                }
            }
        }
    }
    assert!(refused > 50 && harmless > 50, "{refused} refused, {harmless} harmless");
}

#[test]
fn a_full_or_read_only_disk_refuses_saves_and_serves_what_it_has() {
    for at in operations() {
        for fault in [Fault::Full, Fault::ReadOnly] {
            let (store, mut book, barn, failed) = broken(at, fault);
            let barn = barn.unwrap();
            let refused = submit(&barn, &changes(failed)).unwrap_err();
            match fault {
                Fault::Full => assert!(matches!(refused, SubmitError::Full { certain: true })),
                _ => assert!(matches!(refused, SubmitError::Closed), "{refused:?}"),
            }
            assert_eq!(store.syncs_after_fault(), 0);
            // Reading goes on, up to what is durable.
            let folded = fold::fold_barn(&barn).unwrap();
            book.check(&barn, &folded).unwrap();
            barn.close();
            // Room again, and the program is started again: no power was lost.
            store.repair();
            let barn = open(&store).unwrap();
            check(&barn, &book).unwrap_or_else(|error| panic!("{fault:?} at {at}: {error:#}"));
            assert_eq!(save_all(&barn, &mut book, failed), None);
            check(&barn, &book).unwrap();
            barn.close();
        }
    }
}

/// Room is made while the program runs. What it goes on with is what the disk
/// has: without the group that failed, or with all of it.
#[test]
fn a_full_disk_with_room_again_takes_saves_in_the_same_barn() {
    let (mut lost, mut kept) = (0, 0);
    for at in operations() {
        for written_later in [false, true] {
            let (store, mut book, barn, failed) = broken(at, Fault::Full);
            let barn = barn.unwrap();
            let believed = barn.head();
            assert!(matches!(
                submit(&barn, &changes(failed)),
                Err(SubmitError::Full { certain: true })
            ));
            let condition = *barn.condition().borrow();
            assert!(matches!(condition, Condition::Full { .. }), "{condition:?}");
            if written_later {
                store.repair_after_writing()
            } else {
                store.repair()
            }
            let what = format!("at {at}, written later: {written_later}");
            wait_until_sound(&barn);
            match barn.head() == believed {
                true => lost += 1,
                false => kept += 1,
            }
            assert!(written_later || barn.head() == believed, "{what}: from nowhere");
            check(&barn, &book).unwrap_or_else(|error| panic!("{what}: {error:#}"));
            assert_eq!(save_all(&barn, &mut book, failed), None, "{what}");
            check(&barn, &book).unwrap_or_else(|error| panic!("{what}, later: {error:#}"));
            let served = barn.head();
            barn.close();
            // All of it is durable, too.
            store.power_back(Survivors::Batches(0)).unwrap();
            let barn = open(&store).unwrap();
            assert_eq!(barn.head(), served, "{what}");
            check(&barn, &book).unwrap_or_else(|error| panic!("{what}, at the end: {error:#}"));
            barn.close();
        }
    }
    assert!(lost > 5 && kept > 5, "{lost} groups lost, {kept} kept");
}

/// The disk that has room again lacks what was acknowledged, or has something
/// else: a barn must not go on from there by itself.
#[test]
fn a_barn_does_not_go_on_with_a_disk_that_is_not_the_one_it_believes_in() {
    let opened = operations().start;
    let (store, _, barn, failed) = broken(opened + 20, Fault::Full);
    let barn = barn.unwrap();
    let older = FaultyStore::default();
    let other = open(&older).unwrap();
    save_all(&other, &mut Book::default(), failed.saturating_sub(1));
    other.close();
    store.repair();
    store.put_back(&older).unwrap();
    let begun = Instant::now();
    while !matches!(*barn.condition().borrow(), Condition::Failed { .. }) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", *barn.condition().borrow());
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(matches!(submit(&barn, &changes(failed)), Err(SubmitError::Closed)));
    barn.close();
}

fn wait_until_sound(barn: &Barn) {
    let begun = Instant::now();
    while matches!(*barn.condition().borrow(), Condition::Full { .. }) {
        assert!(begun.elapsed() < Duration::from_secs(10), "it never looks for room");
        // Somebody who saves makes it look.
        std::thread::sleep(Duration::from_millis(105));
        drop(submit(barn, &[]));
    }
    assert!(matches!(*barn.condition().borrow(), Condition::HadNoRoom { .. }));
}

/// After a failed sync the system may claim success for what it has
/// forgotten. So nothing is asked of it again before a restart.
#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_nothing_synced_again() {
    for at in operations() {
        let (store, book, barn, failed) = broken(at, Fault::SyncForgets);
        let barn = barn.unwrap();
        for save in failed..SAVES {
            assert!(matches!(submit(&barn, &changes(save)), Err(SubmitError::Closed)));
        }
        assert_eq!(store.syncs_after_fault(), 0, "the lie was asked for");
        let watermark = barn.head();
        assert!(barn.read_after(watermark.position.seq, 1_000).unwrap().is_none());
        barn.close();
        store.power_back(Survivors::Batches(0)).unwrap();
        let barn = open(&store).unwrap();
        assert_eq!(barn.head(), watermark);
        check(&barn, &book).unwrap();
        barn.close();
    }
}

/// A process that dies between writing and syncing leaves entries that were
/// never durable. The next one makes them so before anybody sees them.
#[test]
fn what_a_killed_process_left_unsynced_is_durable_before_it_is_served() {
    let store = FaultyStore::default();
    let barn = open(&store).unwrap();
    submit(&barn, &changes(0)).unwrap();
    // The batch is written; the sync does not happen.
    store.fail_after(1, Fault::ReadOnly);
    submit(&barn, &changes(1)).unwrap_err();
    barn.close();
    store.repair();
    let barn = open(&store).unwrap();
    let served = barn.head();
    barn.close();
    store.power_back(Survivors::Batches(0)).unwrap();
    let barn = open(&store).unwrap();
    assert_eq!(barn.head(), served, "an entry was served that a power cut took back");
}
