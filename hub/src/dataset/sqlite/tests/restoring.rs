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

/// A village as somebody types it in, with ids from `first` on: two RT in one
/// RW with a dasawisma, and one house with a couple and a child in each.
fn typed_in(first: u64, numbered: bool) -> Vec<Draft> {
    let raw = |number: u64| Bytes::copy_from_slice(id(first + number).as_bytes());
    let mut all = vec![create(
        first,
        Kind::Dusun,
        &v1::Dusun { nama: "Krajan".to_owned(), ..Default::default() },
    )];
    let rw = v1::Rw { nomor: "001".to_owned(), dusun_id: raw(0), ..Default::default() };
    all.push(create(first + 1, Kind::Rw, &rw));
    for (at, nomor) in [(10, "003"), (20, "4")] {
        let rt = v1::Rt { nomor: nomor.to_owned(), rw_id: raw(1), ..Default::default() };
        all.push(create(first + at, Kind::Rt, &rt));
        let group =
            v1::Dasawisma { nama: "Melati 1".to_owned(), rt_id: raw(at), ..Default::default() };
        all.push(create(first + at + 1, Kind::Dasawisma, &group));
        let house = v1::RumahTangga {
            rt_id: raw(at),
            dasawisma_id: raw(at + 1),
            kepala_id: raw(at + 4),
            ..Default::default()
        };
        all.push(create(first + at + 2, Kind::RumahTangga, &house));
        let no_kk = if numbered { format!("99050101010100{at}") } else { String::new() };
        let family =
            v1::Keluarga { no_kk, rumah_tangga_id: raw(at + 2), aktif: true, ..Default::default() };
        all.push(create(first + at + 3, Kind::Keluarga, &family));
        for (who, name, shdk) in [(4, "Bapak", 1), (5, "Ibu", 3), (6, "Anak", 4)] {
            let warga = v1::Warga {
                nama: format!("{name} {at}"),
                keluarga_id: raw(at + 3),
                shdk,
                tanggal_lahir: lumbung_wire::date::to_wire(Some(jiff::civil::date(1990, 1, who))),
                ..warga("")
            };
            all.push(create(first + at + u64::from(who.unsigned_abs()), Kind::Warga, &warga));
        }
    }
    all
}

/// The records that are left over and come back, by their numbers.
fn back(store: &Store, log: &Log) -> Vec<u64> {
    let (records, _) = restored(store, log, 0, None);
    let came = named(&records).into_iter().filter(|it| it.1).map(|it| it.0);
    let mut numbers: Vec<_> =
        came.map(|came| (0..9_000).find(|number| id(*number) == came).unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn what_was_typed_in_again_without_any_number_does_not_come_back_twice() {
    for (before, after) in [(false, false), (true, false), (false, true)] {
        let store = Store::new();
        let mut old = Log::new(BAKUNG);
        store.merge(&[old.batch(typed_in(100, before))]);
        let log = anew(&store, &old, typed_in(500, after));
        assert_eq!(back(&store, &log), [0; 0], "numbered before {before}, after {after}");
        assert_eq!(store.state(&log).leftovers, 16, "all of it waits for a decision");
    }
}

#[test]
fn what_was_not_typed_in_again_comes_back_with_the_regions_it_lies_in() {
    let store = Store::new();
    let mut old = Log::new(BAKUNG);
    store.merge(&[old.batch(typed_in(100, false))]);
    // The first RT with its house, and the empty second RT.
    let mut half = typed_in(500, false);
    half.truncate(10);
    let log = anew(&store, &old, half);
    // Dusun and RW are there; the house of RT 4 brings what it lies in.
    assert_eq!(back(&store, &log), [100, 101, 120, 121, 122, 123, 124, 125, 126]);
}

#[test]
fn whoever_may_be_somebody_else_waits_and_whoever_is_comes_back() {
    let store = Store::new();
    let mut old = Log::new(BAKUNG);
    let born = |name: &str, year: i16| v1::Warga {
        nama: name.to_owned(),
        tanggal_lahir: match year {
            0 => 0,
            year => lumbung_wire::date::to_wire(Some(jiff::civil::date(year, 5, 6))),
        },
        ..warga("")
    };
    store.merge(&[old.batch([
        create(1, Kind::Warga, &born("Siti  Aminah", 1980)),
        create(2, Kind::Warga, &born("Siti Aminah", 1990)),
        create(3, Kind::Warga, &born("M. Ali", 0)),
        create(4, Kind::Warga, &born("Joko", 1970)),
        create(5, Kind::Mutasi, &about(1)),
        create(6, Kind::Mutasi, &about(4)),
    ])]);
    let log = anew(
        &store,
        &old,
        [
            create(11, Kind::Warga, &born("SITI AMINAH", 1980)),
            create(12, Kind::Warga, &born("M Ali", 1960)),
        ],
    );
    assert_eq!(back(&store, &log), [2, 4, 6]);
}
