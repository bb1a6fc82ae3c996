//! What a village gets back: what counts before what is left over, in an
//! order that a broken line can be taken up in.

use lumbung_ledger::Fingerprint;
use lumbung_proto::v1::restore_item::Item;
use rusqlite::Connection;

use super::*;
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
    let leftovers = store.dataset.leftovers(log.village).unwrap().values().sum();
    let held = Held { state: store.state(log), leftovers };
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
