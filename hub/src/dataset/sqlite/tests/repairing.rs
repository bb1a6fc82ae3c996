//! Random villages, random damage to their rows: the descent finds exactly
//! the damaged records, and the repair leaves what an undamaged hub has.

use std::collections::{BTreeMap, BTreeSet};

use lumbung_wire::tree::{Leaf, Part, Tree};
use proptest::prelude::*;

use super::*;
use crate::dataset::{IncidentKind, RecordFilter, Scope};
use crate::repair::{Difference, Drill};

fn bytes_of(number: u64) -> Bytes {
    Bytes::copy_from_slice(id(number).as_bytes())
}

/// One house of a village: its RT, its members, and how its records came.
#[derive(Clone, Debug)]
struct House {
    rt: u64,
    members: u64,
    salt: u8,
}

fn any_house() -> impl Strategy<Value = House> {
    (0_u64..3, 0_u64..4, any::<u8>()).prop_map(|(rt, members, salt)| House { rt, members, salt })
}

/// Everything a village with these houses writes, in order.
fn drafts(houses: &[House]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    drafts.push(create(1, Kind::Rw, &v1::Rw { nomor: "002".to_owned(), ..Default::default() }));
    for rt in 0..3 {
        let nomor = format!("00{}", rt + 1);
        let rt_record = v1::Rt { nomor, rw_id: bytes_of(1), ..Default::default() };
        drafts.push(create(10 + rt, Kind::Rt, &rt_record));
        let group = v1::Dasawisma { rt_id: bytes_of(10 + rt), ..Default::default() };
        drafts.push(create(20 + rt, Kind::Dasawisma, &group));
    }
    for (number, house) in (1_u64..).zip(houses) {
        let own = number * 100;
        let record = v1::RumahTangga { rt_id: bytes_of(10 + house.rt), ..Default::default() };
        drafts.push(create(own, Kind::RumahTangga, &record));
        let no_kk = format!("99050101010{number:05}");
        let family = v1::Keluarga { rumah_tangga_id: bytes_of(own), ..keluarga(&no_kk) };
        drafts.push(create(own + 1, Kind::Keluarga, &family));
        for member in 0..house.members {
            let nik = format!("990501010101{:04}", own + member);
            let resident = v1::Warga { keluarga_id: bytes_of(own + 1), ..warga(&nik) };
            let draft = create(own + 10 + member, Kind::Warga, &resident);
            drafts.push(match house.salt % 7 {
                0 => garbled(draft),
                1 => Draft { bytes: None, ..draft },
                2 => Draft { kind: FUTURE, ..draft },
                _ => draft,
            });
        }
        if house.salt % 5 == 0 {
            drafts.push(delete(own + 1, Kind::Keluarga));
        }
    }
    drafts
}

/// The same village at its node: the last entry of every record.
struct Node {
    latest: BTreeMap<RecordId, Change>,
    tree: Tree,
}

impl Node {
    fn new(batches: &[MergeBatch]) -> Self {
        let changes = batches.iter().flat_map(|batch| &batch.changes);
        let latest: BTreeMap<_, _> = changes.map(|change| (change.id, change.clone())).collect();
        let living = latest.values().filter(|change| change.operation != Operation::Delete);
        let leaves: Vec<_> = living
            .map(|change| {
                let payload = change.hash.map(|_| &change.bytes);
                Leaf::new(change.id, change.kind, payload, change.hash)
            })
            .collect();
        Self { latest, tree: Tree::new(&leaves) }
    }

    fn drill(&self, own: &Tree) -> Difference {
        let mut drill = Drill::new(own);
        while !drill.asks().is_empty() {
            let asks = drill.asks().into_iter();
            drill.take(&asks.map(|place| (place, self.tree.parts(place))).collect()).unwrap();
        }
        assert_eq!(drill.root(), self.tree.root());
        drill.finish()
    }

    fn repairs(&self, difference: &Difference) -> Vec<Repair> {
        let ids = difference.records.keys();
        ids.map(|id| self.latest.get(id).cloned().map_or(Repair::Drop(*id), Repair::Put)).collect()
    }
}

/// What a bad disk or a bad hand does to the hub's file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Lose,
    Flip,
    Column,
    Hide,
    Stray,
}

fn any_damage() -> impl Strategy<Value = (prop::sample::Index, Damage)> {
    let damage = prop_oneof![
        Just(Damage::Lose),
        Just(Damage::Flip),
        Just(Damage::Column),
        Just(Damage::Hide),
        Just(Damage::Stray),
    ];
    (any::<prop::sample::Index>(), damage)
}

/// A column of each shelf that no payload of these tests makes look like this.
fn column(table: &str) -> &'static str {
    match table {
        "rt" | "rw" => "nomor = nomor || '9'",
        "dasawisma" => "aktif = 1 - aktif",
        "rumah_tangga" => "rumah = rumah + 1",
        "keluarga" => "no_kk = no_kk + 1",
        "warga" => "status_dasar = 5",
        // The kind is all there is beside the payload.
        _ => "kind = kind + 1",
    }
}

/// Damages one stored record; gives the id that differs by it.
fn damage(store: &Store, table: &str, id: &RecordId, damage: Damage) -> RecordId {
    let writer = store.dataset.writer();
    let conn = &writer.conn;
    let key = (village_of(BAKUNG), id.as_bytes());
    let run = |sql: &str| {
        let sql = format!("{sql} WHERE village = ?1 AND id = ?2").replace("TABLE", table);
        assert_eq!(conn.execute(&sql, key).unwrap(), 1, "{sql}");
    };
    match damage {
        Damage::Lose => run("DELETE FROM TABLE"),
        Damage::Hide => run("UPDATE TABLE SET epoch = 0"),
        Damage::Flip => run("UPDATE TABLE SET bytes = CAST(bytes || x'00' AS BLOB)"),
        Damage::Column => run(&format!("UPDATE TABLE SET {}", column(table))),
        Damage::Stray => {
            let columns: Vec<String> = conn
                .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .map(Result::unwrap)
                .filter(|name| name != "village" && name != "id")
                .collect();
            let columns = columns.join(", ");
            let mut stray = *id;
            stray.0[15] ^= 0xff;
            let sql = format!(
                "INSERT INTO {table} (village, id, {columns})
                 SELECT village, ?3, {columns} FROM {table} WHERE village = ?1 AND id = ?2"
            );
            assert_eq!(conn.execute(&sql, (key.0, key.1, stray.as_bytes())).unwrap(), 1);
            return stray;
        }
    }
    *id
}

fn village_of(code: u64) -> i64 {
    code.cast_signed()
}

/// Every row of the village with its table.
fn rows(store: &Store) -> Vec<(&'static str, RecordId)> {
    let writer = store.dataset.writer();
    let mut rows = Vec::new();
    for shelf in schema::Shelf::all() {
        let sql = format!(
            "SELECT id FROM {table} WHERE village = ?1 AND NOT EXISTS (SELECT 1 FROM quarantine
             WHERE quarantine.village = ?1 AND quarantine.id = {table}.id)",
            table = shelf.table()
        );
        let mut statement = writer.conn.prepare(&sql).unwrap();
        let ids = statement.query_map([village_of(BAKUNG)], |row| row.get(0)).unwrap();
        rows.extend(ids.map(|id| (shelf.table(), RecordId(id.unwrap()))));
    }
    rows
}

/// All that people can see of the village.
fn seen(store: &Store, log: &Log) -> (Vec<String>, Part, [u64; 3], usize) {
    let filter = RecordFilter {
        scope: Scope::of_village(log.village),
        kind: None,
        after: None,
        limit: 10_000,
    };
    let records = store.dataset.records(&filter).unwrap();
    let state = store.state(log);
    let sums = Part { fingerprint: state.fingerprint, records: state.records };
    let waiting = store.dataset.quarantine(&Scope::of_village(log.village)).unwrap();
    (
        records.iter().map(|record| format!("{record:?}")).collect(),
        sums,
        [state.warga, state.rumah_tangga, state.quarantined],
        waiting.len(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_damaged_records_are_found_and_put_right(
        houses in proptest::collection::vec(any_house(), 1..8),
        damages in proptest::collection::vec(any_damage(), 0..6),
        falsified in any::<bool>(),
    ) {
        let (store, mut log) = (Store::new(), Log::new(BAKUNG));
        let batches = [log.batch(drafts(&houses))];
        store.merge(&batches);
        let node = Node::new(&batches);
        let sound = store.dataset.content(log.village).unwrap();
        prop_assert_eq!(&sound.tree, &node.tree, "both ends build the same tree");
        prop_assert_eq!(sound.kept, node.tree.root());
        let before = seen(&store, &log);

        let rows = rows(&store);
        let mut hit = BTreeSet::new();
        let mut damaged = BTreeSet::new();
        for (at, kind) in damages {
            let (table, id) = rows[at.index(rows.len())];
            if hit.insert(id) {
                damaged.insert(damage(&store, table, &id, kind));
            }
        }
        if falsified {
            let sql = "UPDATE village SET fingerprint = x'0102030405060708010203040506070801020304\
                       0506070801020304050607ff', records = 3, warga = 0 WHERE village = ?1";
            store.dataset.writer().conn.execute(sql, [village_of(BAKUNG)]).unwrap();
        }

        let found = store.dataset.content(log.village).unwrap();
        let difference = node.drill(&found.tree);
        let ids: BTreeSet<_> = difference.records.keys().copied().collect();
        prop_assert_eq!(&ids, &damaged, "exactly the damaged records");
        prop_assert_eq!(difference.missing() + difference.altered() + difference.surplus(), ids.len());

        let incident = NewIncident::new(IncidentKind::RowsRepaired, words("Diperbaiki."));
        let repairs = node.repairs(&difference);
        let elsewhere = Position { seq: log.position.seq.next(), ..log.position };
        let refused = store.dataset.repair(log.village, &elsewhere, &repairs, &incident, 5);
        let refused = matches!(refused, Err(DatasetError::NotNext { .. }));
        prop_assert!(refused, "the village has moved on");
        prop_assert_eq!(store.dataset.incidents(&Scope::whole(), 9).unwrap().len(), 0);

        let merged =
            store.dataset.repair(log.village, &log.position, &repairs, &incident, 5).unwrap();
        prop_assert_eq!(
            Part { fingerprint: merged.fingerprint, records: merged.records },
            node.tree.root()
        );
        prop_assert_eq!(store.dataset.incidents(&Scope::whole(), 9).unwrap().len(), 1);
        let store = store.reopen();
        let mended = store.dataset.content(log.village).unwrap();
        prop_assert_eq!(&mended.tree, &node.tree);
        prop_assert_eq!(seen(&store, &log), before);

        // What comes next is merged as if nothing had been.
        let resident = v1::Warga { keluarga_id: bytes_of(101), ..warga(NIK) };
        store.merge(&[log.batch([create(7, Kind::Warga, &resident), delete(100, Kind::RumahTangga)])]);
        let next = store.dataset.content(log.village).unwrap();
        prop_assert_eq!(next.kept, next.tree.root());
    }
}

#[test]
fn what_is_left_of_a_closed_log_is_counted_apart() {
    let (store, mut log) = (Store::new(), Log::new(BAKUNG));
    let house = House { rt: 1, members: 3, salt: 0 };
    store.merge(&[log.batch(drafts(&[house.clone(), House { salt: 3, ..house }]))]);
    log.position = Position::origin(LogId([1; 16]));
    store.dataset.resume_at(log.village, log.position).unwrap();
    let again = drafts(&[House { rt: 1, members: 1, salt: 3 }]);
    store.merge(&[log.batch(again)]);
    let figures = |store: &Store| {
        let state = store.state(&log);
        let counts = [state.records, state.warga, state.rumah_tangga, state.leftovers];
        (state.fingerprint, counts)
    };
    let merged = figures(&store);
    assert!(merged.1[3] > 0, "some are left");
    let falsified = "UPDATE village SET records = 1, warga = 1, rumah_tangga = 9, leftovers = 1,
                     fingerprint = zeroblob(32) WHERE village = ?1";
    store.dataset.writer().conn.execute(falsified, [village_of(BAKUNG)]).unwrap();
    let incident = NewIncident::new(IncidentKind::RowsRepaired, words("Dihitung ulang."));
    store.dataset.repair(log.village, &log.position, &[], &incident, 5).unwrap();
    assert_eq!(figures(&store), merged);
}

#[test]
fn an_operators_wish_is_kept_until_a_proof_ends_in_equality() {
    let (store, log) = (Store::new(), Log::new(BAKUNG));
    store.dataset.ask_proof(log.village, 70).unwrap();
    assert_eq!(store.state(&log).proof_asked_ms, 70);
    let proof = |equal, words: &str| ContactNote {
        at_ms: 90,
        deep_proof: Some(crate::dataset::DeepProof { equal, words: super::words(words) }),
        ..ContactNote::default()
    };
    let told = |store: &Store| {
        let state = store.state(&log);
        (state.deep_proof_ms, state.deep_proof_words)
    };
    store.dataset.note_contacts(&[(log.village, proof(false, "Belum."))]).unwrap();
    assert_eq!(told(&store), (0, "Belum.".to_owned()));
    store.dataset.note_contacts(&[(log.village, proof(true, "Sama."))]).unwrap();
    assert_eq!(told(&store), (90, "Sama.".to_owned()));
    store.dataset.note_contacts(&[(log.village, ContactNote::default())]).unwrap();
    assert_eq!(told(&store), (90, "Sama.".to_owned()));
    let nobody = store.dataset.ask_proof(village(3_505_012_009), 70);
    assert!(matches!(nobody, Err(DatasetError::UnknownVillage(_))));
}
