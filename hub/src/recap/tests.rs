//! Sheets of different levels over the same houses agree number by number.

use bytes::Bytes;
use jiff::civil::date;
use lumbung_domain::id::Kind;
use lumbung_domain::region::JenisDesa;
use lumbung_ledger::{Entry, Header, LogId, Operation, Payload, Position, Salt, Source};
use lumbung_proto::v1;
use prost::Message;

use super::*;
use crate::dataset::sqlite::SqliteDataset;
use crate::dataset::{Content, IncidentKind, MergeBatch, NewIncident, Recovery as _};
use crate::merge::decode;
use crate::words::Words;

const T: Date = date(2026, 12, 31);
const VILLAGES: [u64; 3] = [3_505_012_001, 3_505_012_002, 3_505_022_001];

/// Houses of each.
const SIZES: [u64; 3] = [12, 23, 35];

fn id(number: u64) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, 0, number)
}

fn raw(number: u64) -> Bytes {
    Bytes::copy_from_slice(id(number).as_bytes())
}

/// Two dusun, three RT (one outside every RW), two dasawisma (one of them
/// claimed by a house of another RT), and houses with and without them.
fn records(size: u64) -> Vec<(u64, Kind, Vec<u8>)> {
    let mut all = Vec::new();
    let mut put = |number, kind, bytes| all.push((number, kind, bytes));
    for (number, nama) in [(1, "Krajan"), (2, "Sumber")] {
        let dusun = v1::Dusun { nama: nama.to_owned(), ..Default::default() };
        put(number, Kind::Dusun, dusun.encode_to_vec());
    }
    let rw = v1::Rw { nomor: "1".to_owned(), dusun_id: raw(1), ..Default::default() };
    put(10, Kind::Rw, rw.encode_to_vec());
    for (number, rw_id, dusun_id) in
        [(20, raw(10), Bytes::new()), (21, raw(10), Bytes::new()), (22, Bytes::new(), raw(2))]
    {
        let nomor = (number - 19).to_string();
        let rt = v1::Rt { nomor, rw_id, dusun_id, ..Default::default() };
        put(number, Kind::Rt, rt.encode_to_vec());
    }
    for (number, rt) in [(30, 20), (31, 21)] {
        let group = v1::Dasawisma {
            nama: "Melati".to_owned(),
            rt_id: raw(rt),
            aktif: true,
            ..Default::default()
        };
        put(number, Kind::Dasawisma, group.encode_to_vec());
    }
    for house in 0..size {
        // Every fifth house names a dasawisma of another RT, every seventh an
        // RT that nobody sent.
        let rt = if house % 7 == 6 { 99 } else { 20 + house % 3 };
        let group = if house % 5 == 4 { 31 } else { 30 };
        let record =
            v1::RumahTangga { rt_id: raw(rt), dasawisma_id: raw(group), ..Default::default() };
        put(1000 + house, Kind::RumahTangga, record.encode_to_vec());
        let family =
            v1::Keluarga { rumah_tangga_id: raw(1000 + house), aktif: true, ..Default::default() };
        put(2000 + house, Kind::Keluarga, family.encode_to_vec());
        for one in 0..3 {
            let warga = v1::Warga {
                nama: "Tidak Nyata".to_owned(),
                keluarga_id: raw(2000 + house),
                jenis_kelamin: 1 + u32::from(one % 2 == 1),
                status_dasar: 1,
                keterangan: if (house, one) == (0, 1) { "pindah tidur" } else { "" }.to_owned(),
                ..Default::default()
            };
            put(3000 + house * 3 + one, Kind::Warga, warga.encode_to_vec());
        }
    }
    let loose = v1::Warga {
        nama: "Sendiri Sekali".to_owned(),
        // One NIK in one village.
        nik: if size == SIZES[0] { "3505904101900001" } else { "" }.to_owned(),
        jenis_kelamin: 2,
        status_dasar: 1,
        hamil: 1,
        ..Default::default()
    };
    put(9000, Kind::Warga, loose.encode_to_vec());
    all
}

fn batch(village: VillageCode, records: Vec<(u64, Kind, Vec<u8>)>) -> MergeBatch {
    let mut log = [7; 16];
    log[..8].copy_from_slice(&village.as_u64().to_le_bytes());
    batch_after(Position::origin(LogId(log)), village, records)
}

fn batch_after(
    prev: Position,
    village: VillageCode,
    records: Vec<(u64, Kind, Vec<u8>)>,
) -> MergeBatch {
    let (mut last, mut chains) = (prev, Vec::new());
    let changes = records.into_iter().map(|(number, kind, bytes)| {
        let header = Header {
            seq: last.seq.next(),
            kind: kind.code(),
            schema: 1,
            id: id(number),
            operation: Operation::Create,
            time_ms: 1_790_000_000_000,
            actor: "kader".into(),
            source: Source::MANUAL,
        };
        let payload = Payload::Present { salt: Salt([3; 8]), bytes: bytes.into() };
        let entry = Entry { header, payload };
        let (chain, hash) = last.chain.step(&entry);
        last.chain = chain;
        last.seq = entry.header.seq;
        chains.push((last.seq, chain));
        decode::change(entry, hash)
    });
    let changes = changes.collect();
    MergeBatch { village, prev, last, changes, chains }
}

/// Lets a hub that did not know better put `count` sound records of a village
/// into quarantine.
pub(crate) fn refuse(dataset: &SqliteDataset, village: VillageCode, count: u64) {
    let prev = dataset.village(village).unwrap().position.unwrap();
    let dusun = v1::Dusun { nama: "Baru".to_owned(), ..Default::default() }.encode_to_vec();
    let records = (0..count).map(|at| (50_000 + at, Kind::Dusun, dusun.clone())).collect();
    let mut batch = batch_after(prev, village, records);
    for change in &mut batch.changes {
        change.content = Content::Quarantined("Versi hub belum mengenalnya.".to_owned());
    }
    dataset.merge(&[batch], 2).unwrap().remove(0).unwrap();
}

/// Villages of two kecamatan that each have something to be looked at: the
/// first [`REFUSED`] sound records in quarantine, the first and the second a
/// resident with one NIK, and the third is stopped and has records left over
/// from a closed log. Ids are the same on both sides.
pub(crate) const BORDERING: [[u64; 3]; 2] =
    [[3_505_012_001, 3_505_012_002, 3_505_012_003], [3_505_022_001, 3_505_022_002, 3_505_022_003]];

/// The NIK that two villages of each side use.
pub(crate) const TWICE: [&str; 2] = ["3505904101900001", "3505904101900002"];

/// Records in quarantine on each side of [`bordering`].
pub(crate) const REFUSED: u64 = 24;

/// See [`BORDERING`].
pub(crate) fn bordering() -> (tempfile::TempDir, SqliteDataset) {
    let folder = tempfile::tempdir().unwrap();
    let dataset = SqliteDataset::open(folder.path().join("hub.db")).unwrap();
    for (side, nik) in BORDERING.iter().zip(TWICE) {
        for code in side {
            let village = VillageCode::from_u64(*code).unwrap();
            dataset.register(village, "").unwrap();
            let mut records = records(7);
            if *code != side[2] {
                let twice = v1::Warga {
                    nama: "Sendiri Sekali".to_owned(),
                    nik: nik.to_owned(),
                    jenis_kelamin: 2,
                    status_dasar: 1,
                    ..Default::default()
                };
                records.push((9001, Kind::Warga, twice.encode_to_vec()));
            }
            dataset.merge(&[batch(village, records)], 1).unwrap().remove(0).unwrap();
        }
        let [first, _, stopped] = side.map(|code| VillageCode::from_u64(code).unwrap());
        refuse(&dataset, first, REFUSED);
        let words = || Words::new("Berhenti.", "Stopped.");
        let told = |_| NewIncident::new(IncidentKind::Reinstalled, words());
        let origin = Position::origin(LogId([9; 16]));
        assert!(dataset.begin_log(stopped, origin, &told, 2).unwrap() > 0);
        let twin = NewIncident::new(IncidentKind::Twin, words());
        dataset.stop_twin(stopped, &twin, 3).unwrap();
    }
    (folder, dataset)
}

/// The id of a resident of every village on no family card.
pub(crate) fn loose() -> String {
    id(9000).to_string()
}

/// The id of a dasawisma.
pub(crate) fn dasawisma() -> String {
    id(30).to_string()
}

/// The id of its RT.
pub(crate) fn rt() -> String {
    id(20).to_string()
}

/// The id of a house.
pub(crate) fn house(number: u64) -> String {
    id(1000 + number).to_string()
}

/// Three villages of two kecamatan in a folder that goes with them.
pub(crate) fn district() -> (tempfile::TempDir, SqliteDataset) {
    let (folder, dataset, quarantined) = built(Vec::new());
    assert_eq!(quarantined, 0);
    (folder, dataset)
}

/// The same, where the second village also counts a resident of the first and
/// has sent a record that nobody can read.
pub(crate) fn troubled_district() -> (tempfile::TempDir, SqliteDataset) {
    let twice = v1::Warga {
        nama: "Sendiri Sekali".to_owned(),
        nik: "3505904101900001".to_owned(),
        jenis_kelamin: 2,
        status_dasar: 1,
        ..Default::default()
    };
    let unread = vec![0xff; 5];
    let more = vec![(9001, Kind::Warga, twice.encode_to_vec()), (9002, Kind::Warga, unread)];
    let (folder, dataset, quarantined) = built(more);
    assert_eq!(quarantined, 1);
    (folder, dataset)
}

/// The same, where the second village states its totals at the end of 2025:
/// whole, of RT 1, and of an RT that is gone.
pub(crate) fn stating_district() -> (tempfile::TempDir, SqliteDataset) {
    let stated = |wilayah: Option<u64>, jiwa| v1::PernyataanJumlah {
        wilayah_id: wilayah.map(raw).unwrap_or_default(),
        per_tanggal: lumbung_wire::date::to_wire(Some(date(2025, 12, 31))),
        sumber: "Monografi desa".to_owned(),
        jiwa: Some(jiwa),
        kk: Some(23),
        rt: Some(3),
        ..Default::default()
    };
    let more =
        [(9101, stated(None, 100)), (9102, stated(Some(20), 20)), (9103, stated(Some(77), 1))];
    let more = more.map(|(id, stated)| (id, Kind::PernyataanJumlah, stated.encode_to_vec()));
    let (folder, dataset, quarantined) = built(more.into());
    assert_eq!(quarantined, 0);
    (folder, dataset)
}

fn built(mut more: Vec<(u64, Kind, Vec<u8>)>) -> (tempfile::TempDir, SqliteDataset, u64) {
    let folder = tempfile::tempdir().unwrap();
    let dataset = SqliteDataset::open(folder.path().join("hub.db")).unwrap();
    let batches: Vec<_> = VILLAGES
        .iter()
        .zip(SIZES)
        .map(|(code, size)| {
            let village = VillageCode::from_u64(*code).unwrap();
            dataset.register(village, "").unwrap();
            let mut records = records(size);
            if size == SIZES[1] {
                records.append(&mut more);
            }
            batch(village, records)
        })
        .collect();
    let merged = dataset.merge(&batches, 1).unwrap().into_iter();
    let quarantined = merged.map(|it| it.unwrap().quarantined).sum();
    (folder, dataset, quarantined)
}

/// Every count but those of the regions that only some levels print.
fn people(vector: &IndikatorVector) -> Vec<(Indikator, u64)> {
    use Indikator as I;
    let levels = [I::JmlDesa, I::JmlDusun, I::JmlRw, I::JmlRt, I::JmlDasawisma];
    vector.iter().filter(|(indikator, _)| !levels.contains(indikator)).collect()
}

/// Checks that every row equals the total of the sheet it leads to.
fn descend(dataset: &SqliteDataset, region: RegionRef, sheets: &mut u32) {
    let recap = Recap::of(dataset, region, T).unwrap();
    *sheets += 1;
    assert_eq!(recap.sheet.rows.len(), recap.below.len());
    assert_eq!(RegionRef::parse(&region.to_string()).unwrap(), region);
    for (row, below) in recap.sheet.rows.iter().zip(&recap.below) {
        let registered = |village: &VillageCode| VILLAGES.contains(&village.as_u64());
        match below {
            None => {}
            Some(RegionRef::Desa(village)) if !registered(village) => {
                assert!(people(&row.vector).iter().all(|(_, count)| *count == 0));
            }
            Some(below) => {
                let sheet = build(dataset, *below, T).unwrap();
                assert_eq!(people(&sheet.total), people(&row.vector), "{below}");
                descend(dataset, *below, sheets);
            }
        }
    }
}

#[test]
fn every_row_is_the_total_of_the_sheet_below() {
    let (_folder, dataset) = district();
    let mut sheets = 0;
    descend(&dataset, RegionRef::Kabupaten, &mut sheets);
    // The kabupaten, 22 kecamatan; 3 desa with 2 dusun, 1 RW, 2 RT reached
    // through the RW and 2 dasawisma each.
    assert_eq!(sheets, 1 + 22 + 3 * (1 + 2 + 1 + 2 + 2));
}

#[test]
fn the_kabupaten_counts_every_house_and_every_placed_resident() {
    let (_folder, dataset) = district();
    let recap = Recap::of(&dataset, RegionRef::Kabupaten, T).unwrap();
    let total = recap.sheet.total;
    let houses = 12 + 23 + 35;
    assert_eq!(total.get(Indikator::JmlKrt), houses);
    assert_eq!(total.get(Indikator::JmlKk), houses);
    assert_eq!(total.jiwa(), houses * 3);
    assert_eq!(total.get(Indikator::JmlDesa), 248);
    assert_eq!(total.get(Indikator::JmlDusun), 3 * 2);
    assert_eq!(total.get(Indikator::JmlRt), 3 * 3);
    assert_eq!(total.get(Indikator::JmlDasawisma), 3 * 2);
    assert_eq!(recap.unplaced, 3);
    assert!(recap.footnotes().iter().any(|note| note.id.starts_with("3 warga hidup belum punya")));
}

#[test]
fn the_sheet_of_houses_tells_what_is_remarked_of_their_people() {
    let (_folder, dataset) = district();
    let village = VillageCode::from_u64(VILLAGES[0]).unwrap();
    let recap = Recap::of(&dataset, RegionRef::Below(village, id(30)), T).unwrap();
    let remarked: Vec<_> = recap.sheet.rows.iter().filter(|row| !row.note.is_empty()).collect();
    assert_eq!(remarked.len(), 1, "one resident of one house");
    assert_eq!(remarked[0].note, "Tidak Nyata: pindah tidur");
    let last = |line: &Vec<Cell>| line.last().cloned();
    let cells = recap.cells();
    let at = recap.houses.iter().position(|house| *house == id(1000)).unwrap();
    assert_eq!(last(&cells.rows[at]), Some(Cell::Text("Tidak Nyata: pindah tidur".to_owned())));
    assert!(crate::exports::recap_table(&recap).contains("pindah tidur"));
    let rt = Recap::of(&dataset, RegionRef::Below(village, id(20)), T).unwrap();
    assert!(rt.sheet.rows.iter().all(|row| row.note.is_empty()), "nothing of single people");
}

#[test]
fn houses_outside_every_region_get_a_row() {
    let (_folder, dataset) = district();
    let village = VillageCode::from_u64(VILLAGES[0]).unwrap();
    let sheet = build(&dataset, RegionRef::Desa(village), T).unwrap();
    let labels: Vec<_> = sheet.rows.iter().map(|row| row.label.as_str()).collect();
    assert_eq!(labels, ["Krajan", "Sumber", "(tanpa dusun)"]);
    assert_eq!(sheet.rows[2].vector.get(Indikator::JmlKrt), 1);
    let sheet = build(&dataset, RegionRef::Below(village, id(2)), T).unwrap();
    assert_eq!(sheet.rows.len(), 1);
    assert_eq!(sheet.rows[0].label, "(tanpa RW)");
    assert_eq!(sheet.rows[0].vector.get(Indikator::JmlRt), 1);
}

/// One village: two RT of which one was dissolved at the end of 2025, a
/// dasawisma that is not in use, a house whose people left on 10 August 2026
/// and closed their card, and one whose people came on 5 July.
fn changing() -> (tempfile::TempDir, SqliteDataset, VillageCode) {
    let folder = tempfile::tempdir().unwrap();
    let dataset = SqliteDataset::open(folder.path().join("hub.db")).unwrap();
    let village = VillageCode::from_u64(VILLAGES[0]).unwrap();
    dataset.register(village, "").unwrap();
    let day = |day| lumbung_wire::date::to_wire(Some(day));
    let rt = |nomor: &str, dari, sampai| v1::Rt {
        nomor: nomor.to_owned(),
        aktif_dari: dari,
        aktif_sampai: sampai,
        ..Default::default()
    };
    let old = rt("2", 0, day(date(2025, 12, 31)));
    let group = v1::Dasawisma { nama: "Melati".to_owned(), rt_id: raw(20), ..Default::default() };
    let mut records = vec![
        (20, Kind::Rt, rt("1", day(date(2020, 1, 1)), 0).encode_to_vec()),
        (21, Kind::Rt, old.encode_to_vec()),
        (30, Kind::Dasawisma, group.encode_to_vec()),
    ];
    for (at, aktif, status_dasar, peristiwa, when) in
        [(0, false, 3, 3, date(2026, 8, 10)), (1, true, 1, 5, date(2026, 7, 5))]
    {
        let house = v1::RumahTangga { rt_id: raw(20), ..Default::default() };
        let card = v1::Keluarga {
            rumah_tangga_id: raw(1000 + at),
            tgl_daftar: day(date(2026, 1, 1).max(when.saturating_sub(jiff::Span::new().days(1)))),
            aktif,
            ..Default::default()
        };
        let warga = v1::Warga {
            nama: "Tidak Nyata".to_owned(),
            keluarga_id: raw(2000 + at),
            jenis_kelamin: 1,
            status_dasar,
            ..Default::default()
        };
        let event = v1::Mutasi {
            warga_id: raw(3000 + at),
            peristiwa,
            tgl_peristiwa: day(when),
            ..Default::default()
        };
        records.extend([
            (1000 + at, Kind::RumahTangga, house.encode_to_vec()),
            (2000 + at, Kind::Keluarga, card.encode_to_vec()),
            (3000 + at, Kind::Warga, warga.encode_to_vec()),
            (4000 + at, Kind::Mutasi, event.encode_to_vec()),
        ]);
    }
    dataset.merge(&[batch(village, records)], 1).unwrap().remove(0).unwrap();
    (folder, dataset, village)
}

#[test]
fn cards_houses_and_regions_count_on_the_days_they_were_there() {
    let (_folder, dataset, village) = changing();
    let expected = [
        // Both RT; the first house alone.
        (date(2025, 12, 31), [1, 1, 1, 2, 0]),
        (date(2026, 6, 30), [1, 1, 1, 1, 0]),
        (date(2026, 7, 31), [2, 2, 2, 1, 0]),
        // The first card is closed, its people are gone.
        (date(2026, 8, 31), [1, 1, 1, 1, 0]),
    ];
    for (day, counts) in expected {
        let recap = Recap::of(&dataset, RegionRef::Desa(village), day).unwrap();
        let total = recap.sheet.total;
        use Indikator as I;
        let own = [I::JmlKrt, I::JmlKk, I::TotalL, I::JmlRt, I::JmlDasawisma];
        assert_eq!(own.map(|indikator| total.get(indikator)), counts, "{day}");
        // The village's row in its kecamatan says the same.
        let kecamatan = RegionRef::Kecamatan(village.kecamatan());
        let above = Recap::of(&dataset, kecamatan, day).unwrap().sheet.total;
        assert_eq!(own.map(|indikator| above.get(indikator)), counts, "{day}");
    }
}

#[test]
fn a_kelurahan_has_lingkungan() {
    let (_folder, dataset) = district();
    let kelurahan = roster().villages().iter().find(|desa| desa.kind == JenisDesa::Kelurahan);
    let village = kelurahan.unwrap().code;
    dataset.register(village, "").unwrap();
    dataset.merge(&[batch(village, records(7))], 1).unwrap().remove(0).unwrap();
    let desa = Recap::of(&dataset, RegionRef::Desa(village), T).unwrap();
    assert_eq!(desa.sheet.rows.last().unwrap().label, "(tanpa lingkungan)");
    let part = Recap::of(&dataset, RegionRef::Below(village, id(1)), T).unwrap();
    assert_eq!(part.sheet.wilayah, "Lingkungan Krajan");
}

#[test]
fn regions_of_other_places_are_unknown() {
    for text in ["", "3506", "35.06.01", "35.05.01.2999", "35.05.01.2001/", "3505012001/x"] {
        assert!(RegionRef::parse(text).is_err(), "{text}");
    }
    let kecamatan = RegionRef::parse("350501").unwrap();
    assert_eq!(kecamatan, RegionRef::parse("35.05.01").unwrap());
}
