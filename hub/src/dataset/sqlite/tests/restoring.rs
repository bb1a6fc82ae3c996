//! What a village gets back: what counts before what is left over, in an
//! order that a broken line can be taken up in.

use std::collections::BTreeSet;

use lumbung_ledger::Fingerprint;
use lumbung_proto::v1::restore_item::Item;
use rusqlite::Connection;

use super::*;
use crate::dataset::erasures::Erasures;
use crate::dataset::{IncidentKind, NewIncident, Recovery, Scope};
use crate::enrolment::restore::{self, Held, Restored};

/// What came: the records, each as number and whether it is left over, and
/// the end.
fn restored(
    store: &Store,
    log: &Log,
    after: u64,
    page_bytes: Option<u32>,
) -> (Vec<v1::RestoreRecord>, v1::RestoreEnd) {
    let held = Held::of(&store.dataset, log.village).unwrap();
    let (mut records, mut end) = (Vec::new(), None);
    let sent = restore::stream(&store.dataset, &held, after, page_bytes, |item| {
        match item.item.unwrap() {
            Item::Start(start) => assert_eq!(start.after, after),
            Item::Record(record) => records.push(record),
            Item::Page(page) => records.extend(lumbung_wire::pages::unpack(&page).unwrap()),
            Item::End(ended) => end = Some(ended),
        }
        true
    });
    assert_eq!(sent.unwrap(), Restored::Sent);
    (records, end.unwrap())
}

fn named(records: &[v1::RestoreRecord]) -> Vec<(RecordId, bool)> {
    let name = |record: &v1::RestoreRecord| RecordId::from_slice(&record.id).unwrap();
    records.iter().map(|record| (name(record), record.leftover)).collect()
}

/// A village that was reinstalled: its residents are in again with other ids.
fn reinstalled(store: &Store) -> Log {
    let mut old = Log::new(BAKUNG);
    store.merge(&[old.batch([
        create(1, Kind::Warga, &warga(NIK)),
        create(2, Kind::Warga, &warga(OTHER_NIK)),
        create(3, Kind::Warga, &warga("")),
        garbled(update(2, Kind::Warga, &warga(""))),
    ])]);
    let mut new = Log { position: Position::origin(LogId([1; 16])), ..old };
    let told = |_| NewIncident::new(IncidentKind::Reinstalled, words("baru"));
    store.dataset.begin_log(new.village, new.position, &told, 5).unwrap();
    store.merge(&[new.batch([
        create(11, Kind::Warga, &warga(NIK)),
        garbled(create(3, Kind::Warga, &warga(""))),
    ])]);
    new
}

#[test]
fn what_counts_comes_first_and_what_is_left_over_says_so() {
    let store = Store::new();
    let log = reinstalled(&store);
    for page_bytes in [None, Some(1)] {
        let (records, end) = restored(&store, &log, 0, page_bytes);
        let all = [(id(11), false), (id(3), false), (id(1), true), (id(2), true)];
        assert_eq!(named(&records), all);
        let garbled = Bytes::from_static(&[0xff; 9]);
        assert!(records[1].payload == garbled && records[3].payload == garbled, "the newest");
        assert!(!end.doubtful);
        assert_eq!(end.records, 4);
        for after in 0..=4 {
            let (rest, same_end) = restored(&store, &log, after, page_bytes);
            assert_eq!(rest, records[after as usize..]);
            assert_eq!(same_end, end, "the sum is of everything");
        }
    }
}

#[test]
fn rows_that_contradict_their_sum_are_sent_as_they_are_and_told_of() {
    let store = Store::new();
    let log = reinstalled(&store);
    let conn = Connection::open(store.path()).unwrap();
    assert_eq!(conn.execute("DELETE FROM warga WHERE epoch > 0", []).unwrap(), 1);
    let (records, end) = restored(&store, &log, 0, Some(64 * 1024));
    assert_eq!(named(&records), [(id(3), false), (id(1), true), (id(2), true)]);
    let mut sum = Fingerprint::default();
    for record in &records {
        let (kind, id) = (KindCode(record.kind as u16), RecordId::from_slice(&record.id).unwrap());
        sum += lumbung_ledger::fingerprint::content_hash(id, kind, 1, &record.payload);
    }
    assert!(end.doubtful && end.records == 3);
    assert_eq!(Fingerprint::from_slice(&end.fingerprint), Some(sum));
    let told = store.dataset.incidents(&Scope::of_village(log.village), 9).unwrap();
    assert_eq!(told[0].code, IncidentKind::Unrepaired.code());
}

fn about(person: u64) -> v1::Mutasi {
    let warga_id = Bytes::copy_from_slice(id(person).as_bytes());
    v1::Mutasi { warga_id, ..v1::Mutasi::default() }
}

fn of_family(nik: &str, family: u64) -> v1::Warga {
    v1::Warga { keluarga_id: Bytes::copy_from_slice(id(family).as_bytes()), ..warga(nik) }
}

/// The village's machine was reinstalled, with these records in its new log.
fn anew(store: &Store, old: &Log, drafts: impl IntoIterator<Item = Draft>) -> Log {
    let mut new = Log { position: Position::origin(LogId([1; 16])), village: old.village };
    let told = |_| NewIncident::new(IncidentKind::Reinstalled, words("baru"));
    store.dataset.begin_log(new.village, new.position, &told, 5).unwrap();
    store.merge(&[new.batch(drafts)]);
    new
}

#[test]
fn whoever_was_erased_does_not_come_back_under_an_older_id() {
    let store = Store::new();
    let mut old = Log::new(BAKUNG);
    store.merge(&[old.batch([
        create(1, Kind::Warga, &warga(NIK)),
        create(2, Kind::Mutasi, &about(1)),
        create(3, Kind::Warga, &warga(OTHER_NIK)),
        create(4, Kind::Mutasi, &about(3)),
    ])]);
    let mut log = anew(&store, &old, [create(11, Kind::Warga, &warga(NIK))]);
    assert_eq!(store.state(&log).leftovers, 4);
    let mut erasing = log.batch([delete(11, Kind::Warga)]);
    erasing.changes[0].source = Source::ERASURE;
    store.merge(&[erasing]);
    let (records, end) = restored(&store, &log, 0, None);
    assert_eq!(named(&records), [(id(3), true), (id(4), true)]);
    assert_eq!((end.records, store.state(&log).leftovers), (2, 2));
    // An older file is told again of all of them.
    let ledger = Erasures::open(erasures_file(&store.path())).unwrap();
    let erased: BTreeSet<_> = ledger.iter().map(|it| it.id).collect();
    assert_eq!(erased, [id(1), id(2), id(11)].into());
    // Sums and counts are those of the rows.
    let content = store.dataset.content(log.village).unwrap();
    assert_eq!(content.kept, content.tree.root());
}

#[test]
fn whoever_moved_away_meanwhile_stays_away_with_what_has_no_number() {
    let kk = "9905010101010003";
    let family = |village: &mut Log, ids: [u64; 2]| {
        village.batch([
            create(ids[0], Kind::Keluarga, &keluarga(kk)),
            create(ids[1], Kind::Warga, &of_family(NIK, ids[0])),
        ])
    };
    for moved in [true, false] {
        let store = Store::new();
        let (mut old, mut other) = (Log::new(BAKUNG), Log::new(SIDOMULYO));
        // Entries are a millisecond apart: one of the two villages is later.
        let before = (100..150).map(|number| create(number, Kind::Warga, &warga("")));
        let earlier = if moved { &mut other } else { &mut old };
        store.merge(&[earlier.batch(before)]);
        store.merge(&[family(&mut old, [20, 1])]);
        store.merge(&[old.batch([
            create(2, Kind::Warga, &of_family("", 20)),
            create(3, Kind::Mutasi, &about(1)),
            create(4, Kind::Mutasi, &about(2)),
            create(5, Kind::Warga, &of_family(OTHER_NIK, 20)),
            create(6, Kind::Mutasi, &about(5)),
        ])]);
        let log = anew(&store, &old, []);
        store.merge(&[family(&mut other, [220, 201])]);
        let (records, end) = restored(&store, &log, 0, None);
        let mut back: Vec<_> = named(&records).into_iter().map(|(id, _)| id).collect();
        back.retain(|came| (1..=20).any(|number| *came == id(number)));
        // Who has a number of their own is looked for by that.
        let whole = [20, 1, 2, 3, 4, 5, 6].map(id).to_vec();
        let mut expected = if moved { [5, 6].map(id).to_vec() } else { whole };
        back.sort_unstable();
        expected.sort_unstable();
        assert_eq!(back, expected, "moved: {moved}");
        assert_eq!(end.records, records.len() as u64);
        let left = store.state(&log).leftovers;
        assert_eq!(left, if moved { 7 } else { 57 }, "what stays waits for a decision");
    }
}

#[test]
fn what_hangs_on_somebody_who_is_recorded_anew_stays_with_the_old_row() {
    let store = Store::new();
    let mut old = Log::new(BAKUNG);
    store.merge(&[old.batch([
        create(1, Kind::Warga, &warga(NIK)),
        create(2, Kind::Mutasi, &about(1)),
        create(3, Kind::Mutasi, &about(8)),
    ])]);
    let log = anew(&store, &old, [create(11, Kind::Warga, &warga(NIK))]);
    let (records, _) = restored(&store, &log, 0, None);
    // The older row gives way at the node; nothing is known of number 8.
    assert_eq!(named(&records), [(id(11), false), (id(1), true), (id(3), true)]);
}
