//! Stated totals: the newest of each region, also those that came before this
//! version knew them.

use super::*;
use crate::dataset::Stated;
use crate::dataset::search::Search as _;

const KIND: Kind = Kind::PernyataanJumlah;

fn stated(wilayah: Option<u64>, per_tanggal: i32, jiwa: u32) -> v1::PernyataanJumlah {
    v1::PernyataanJumlah {
        wilayah_id: wilayah
            .map(|number| Bytes::copy_from_slice(id(number).as_bytes()))
            .unwrap_or_default(),
        per_tanggal,
        jiwa: Some(jiwa),
        ..Default::default()
    }
}

fn told(found: &[Stated]) -> Vec<(u64, Option<RecordId>, Option<u32>)> {
    let jiwa = lumbung_domain::record::Ukuran::Jiwa;
    let told = |it: &Stated| (it.village.as_u64(), it.record.wilayah_id, it.record.jumlah(jiwa));
    found.iter().map(told).collect()
}

#[test]
fn of_each_region_the_latest_day_counts() {
    let store = Store::new();
    let mut bakung = Log::new(BAKUNG);
    let mut lorejo = Log::new(LOREJO);
    store.merge(&[
        bakung.batch([
            create(1, KIND, &stated(None, 20_000, 100)),
            create(2, KIND, &stated(None, 20_100, 110)),
            create(3, KIND, &stated(None, 19_000, 90)),
            create(4, KIND, &stated(Some(50), 20_000, 11)),
            create(5, KIND, &stated(Some(51), 20_000, 12)),
            delete(5, KIND),
        ]),
        lorejo.batch([create(1, KIND, &stated(None, 20_050, 7))]),
    ]);
    let newest = |scope: &Scope, below| told(&store.dataset.stated(scope, below).unwrap());
    let whole = [(BAKUNG, None, Some(110)), (LOREJO, None, Some(7))];
    assert_eq!(newest(&Scope::whole(), false), whole);
    let own = Scope::of_village(village(BAKUNG));
    assert_eq!(newest(&own, true), [whole[0], (BAKUNG, Some(id(50)), Some(11))]);
    assert_eq!(newest(&Scope::of_village(village(SIDOMULYO)), true), []);
}

#[test]
fn what_an_older_hub_kept_whole_is_found_by_a_newer_one() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[log.batch([
        create(1, KIND, &stated(None, 20_000, 100)),
        create(2, Kind::Warga, &warga(NIK)),
    ])]);
    let before = store.dataset.content(village(BAKUNG)).unwrap();
    let record = store.dataset.record(&Scope::whole(), village(BAKUNG), id(1)).unwrap().unwrap();
    let Store { folder, dataset } = store;
    drop(dataset);
    // As a hub kept it that did not know the kind, and one that nobody can read.
    let conn = Connection::open(folder.path().join("hub.sqlite")).unwrap();
    conn.execute_batch(
        "INSERT INTO catatan_lain
           SELECT village, id, epoch, seq, schema, time_ms, actor, source, 10, bytes
           FROM pernyataan_jumlah;
         INSERT INTO catatan_lain
           SELECT village, zeroblob(16), epoch, seq, schema, time_ms, actor, source, 10, x'ff'
           FROM pernyataan_jumlah;
         DELETE FROM pernyataan_jumlah;",
    )
    .unwrap();
    assert_eq!(adopt::known_by_now(&conn).unwrap(), 1);
    assert_eq!(adopt::known_by_now(&conn).unwrap(), 0, "once");
    conn.execute("DELETE FROM catatan_lain", []).unwrap();
    drop(conn);
    let store =
        Store { dataset: SqliteDataset::open(folder.path().join("hub.sqlite")).unwrap(), folder };
    let now = store.dataset.record(&Scope::whole(), village(BAKUNG), id(1)).unwrap().unwrap();
    assert_eq!((now.kind, now.seq, &now.bytes), (record.kind, record.seq, &record.bytes));
    assert_eq!((now.actor, now.time_ms, now.epoch), (record.actor, record.time_ms, record.epoch));
    assert_eq!(told(&store.dataset.stated(&Scope::whole(), true).unwrap()).len(), 1);
    let after = store.dataset.content(village(BAKUNG)).unwrap();
    assert_eq!(after.tree, before.tree, "typed columns agree with the payload");
}
