//! Erased records leave every table, the file's bytes and the log's, and do
//! not come back with an older file.

use super::*;
use crate::dataset::Recovery as _;
use crate::dataset::erasures::Erasures;

const MARKER: &str = "WARGA TANDA YANG TAK ADA DUANYA";

fn marked(nik: &str) -> v1::Warga {
    v1::Warga { nama: MARKER.to_owned(), ..warga(nik) }
}

/// The batch with its deletes as erasures.
fn as_erasures(mut batch: MergeBatch) -> MergeBatch {
    for change in batch.changes.iter_mut().filter(|it| it.operation == Operation::Delete) {
        change.source = Source::ERASURE;
    }
    batch
}

/// Whether any file of the folder holds the marker.
fn on_disk(store: &Store) -> bool {
    std::fs::read_dir(store.folder.path()).unwrap().any(|item| {
        let bytes = std::fs::read(item.unwrap().path()).unwrap();
        bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes())
    })
}

fn ledger(store: &Store) -> Erasures {
    Erasures::open(erasures_file(&store.path())).unwrap()
}

#[test]
fn an_erased_record_leaves_rows_quarantine_and_bytes() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let mut first: Vec<_> = (10..200).map(|n| create(n, Kind::Warga, &warga(""))).collect();
    first.push(create(1, Kind::Warga, &marked(NIK)));
    first.push(create(2, Kind::Warga, &marked("")));
    store.merge(&[log.batch(first)]);
    // Of the second record the newest version can't be taken.
    let odd = v1::Warga { nik: "12".to_owned(), ..marked("") };
    store.merge(&[
        log.batch([update(1, Kind::Warga, &marked(OTHER_NIK)), update(2, Kind::Warga, &odd)])
    ]);
    assert!(on_disk(&store), "the search finds what is there");
    assert_eq!(store.state(&log).quarantined, 1);

    let batch = as_erasures(log.batch([delete(1, Kind::Warga), delete(2, Kind::Warga)]));
    let merged = store.merge_at(&[batch], 4_000)[0];
    assert_eq!((merged.records, store.state(&log).quarantined), (190, 0));
    assert_eq!(
        store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().map(|_| ()),
        None
    );
    assert!(!on_disk(&store), "neither in the file nor in its log");
    let noted = ledger(&store);
    let noted: Vec<_> = noted.iter().map(|it| (it.id, it.seq.0, it.received_ms)).collect();
    assert_eq!(noted, [(id(1), 195, 4_000), (id(2), 196, 4_000)]);

    assert!(store.dataset.scrub(5_000).unwrap());
    assert!(!store.dataset.scrub(5_000).unwrap(), "nothing is left to do");
    assert!(!ledger(&store).scrub_pending());
    let next = log.batch([create(3, Kind::Warga, &warga(""))]);
    assert_eq!(store.merge(&[next])[0].records, 191);
}

#[test]
fn an_older_file_is_told_again_and_goes_on_to_the_same_sum() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[
        log.batch([create(1, Kind::Warga, &marked(NIK)), create(2, Kind::Warga, &warga(""))])
    ]);
    let Store { folder, dataset } = store;
    drop(dataset);
    let (file, kept) = (folder.path().join("hub.sqlite"), folder.path().join("kept"));
    std::fs::copy(&file, &kept).unwrap();
    let store = Store { dataset: SqliteDataset::open(&file).unwrap(), folder };
    let between = log.batch([update(1, Kind::Warga, &marked(OTHER_NIK))]);
    let erasing = as_erasures(log.batch([delete(1, Kind::Warga)]));
    let after = log.batch([update(2, Kind::Warga, &warga(NIK))]);
    let batches = [between, erasing, after];
    let stood = store.merge(&batches)[2];

    let Store { folder, dataset } = store;
    drop(dataset);
    std::fs::rename(&kept, &file).unwrap();
    let store = Store { dataset: SqliteDataset::open(&file).unwrap(), folder };
    assert_eq!(store.state(&log).records, 1, "erased while opening");
    let incidents = store.dataset.incidents(&Scope::of_village(log.village), 9).unwrap();
    assert_eq!(incidents.iter().map(|it| &*it.code).collect::<Vec<_>>(), ["hapus_ulang"]);
    assert!(store.dataset.scrub(6_000).unwrap());
    assert!(!on_disk(&store));
    // What follows says again what the ledger said before.
    let merged = store.merge(&batches)[2];
    assert_eq!((merged.fingerprint, merged.records), (stood.fingerprint, stood.records));
    assert_eq!(
        store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().map(|_| ()),
        None
    );
    assert!(!on_disk(&store));
}

#[test]
fn a_number_that_nobody_else_carries_leaves_the_findings() {
    let store = Store::new();
    let (mut bakung, mut sidomulyo) = (Log::new(BAKUNG), Log::new(SIDOMULYO));
    store.merge(&[
        bakung.batch([
            create(1, Kind::Warga, &warga(NIK)),
            create(2, Kind::Warga, &warga(OTHER_NIK)),
        ]),
        sidomulyo.batch([
            create(1, Kind::Warga, &warga(NIK)),
            create(2, Kind::Warga, &warga(OTHER_NIK)),
        ]),
    ]);
    let keys = |store: &Store| -> Vec<u64> {
        let mut keys: Vec<_> = store
            .dataset
            .findings(&Scope::whole(), false, 9)
            .unwrap()
            .iter()
            .map(|it| it.key)
            .collect();
        keys.sort_unstable();
        keys
    };
    let number = |nik: &str| nik.parse::<u64>().unwrap();
    assert_eq!(keys(&store), [number(NIK), number(OTHER_NIK)]);
    // The other village gives the first number up; the finding is closed.
    store.merge(&[sidomulyo.batch([update(1, Kind::Warga, &warga(""))])]);
    assert_eq!(keys(&store).len(), 2);
    let both = bakung.batch([delete(1, Kind::Warga), delete(2, Kind::Warga)]);
    store.merge(&[as_erasures(both)]);
    assert_eq!(keys(&store), [number(OTHER_NIK)], "that one is the other village's too");
}

#[test]
fn a_ledger_that_cannot_be_written_stops_the_erasure() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[log.batch([create(1, Kind::Warga, &warga(NIK))])]);
    let path = erasures_file(&store.path());
    std::fs::create_dir(&path).unwrap();
    let erasing = as_erasures(log.batch([delete(1, Kind::Warga)]));
    assert!(store.dataset.merge(std::slice::from_ref(&erasing), 1).is_err());
    assert_eq!(store.state(&log).records, 1);
    std::fs::remove_dir(&path).unwrap();
    assert_eq!(store.merge(&[erasing])[0].records, 0);
}

#[test]
fn an_erased_record_that_a_village_brings_back_is_handed_over_again() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let created = create(1, Kind::Warga, &marked(NIK));
    store.merge(&[log.batch([created.clone(), create(2, Kind::Warga, &warga(""))])]);
    store.merge(&[as_erasures(log.batch([delete(1, Kind::Warga)]))]);
    // Another machine, from a backup of before, with another log.
    let mut other = Log::new(BAKUNG);
    other.position = Position::origin(LogId([3; 16]));
    store.dataset.resume_at(log.village, other.position).unwrap();
    store.merge(&[other.batch([created, create(2, Kind::Warga, &warga(""))])]);
    assert_eq!(store.state(&other).records, 2);
    let waiting = store.dataset.undelivered(&Scope::whole(), other.village, None, 9).unwrap();
    let waiting: Vec<_> = waiting.iter().map(|it| (it.id, it.operation, it.source)).collect();
    assert_eq!(waiting, [(id(1), Operation::Delete, Source::ERASURE)]);
    let incidents = store.dataset.incidents(&Scope::of_village(other.village), 9).unwrap();
    assert_eq!(incidents.iter().map(|it| &*it.code).collect::<Vec<_>>(), ["hapus_ulang"]);
    // Its erasure comes with the next pull.
    store.merge(&[as_erasures(other.batch([delete(1, Kind::Warga)]))]);
    assert_eq!(store.state(&other).records, 1);
    assert!(store.dataset.undelivered(&Scope::whole(), other.village, None, 9).unwrap().is_empty());
    assert!(!on_disk(&store));
}
