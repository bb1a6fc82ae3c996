use lumbung_domain::indicator::{RumahFacts, WargaFacts};
use lumbung_domain::record::Record;
use lumbung_ledger::{Header, Salt, Seq, Source};
use proptest::prelude::*;

use super::*;
use crate::dataset::bits;

fn id_bytes() -> Bytes {
    Bytes::copy_from_slice(RecordId::from_parts(1, 2, 3).as_bytes())
}

fn read(kind: KindCode, bytes: Vec<u8>) -> Content {
    content(Operation::Create, kind, Some(&bytes.into()))
}

fn refusal(kind: Kind, message: &impl Message) -> String {
    match read(kind.code(), message.encode_to_vec()) {
        Content::Quarantined(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_resident_becomes_typed_columns() {
    let message = v1::Warga {
        nik: "9905010101010001".into(),
        nama: "CONTOH".into(),
        jenis_kelamin: 2,
        tanggal_lahir: 1,
        shdk: 1,
        status_kawin: 2,
        status_dasar: 1,
        pendidikan_kk: 5,
        pekerjaan: 9,
        agama: 1,
        hamil: 1,
        menyusui: 2,
        cara_kb: 4,
        berkebutuhan_khusus: 3,
        kegiatan_pkk: 0b1000_0001,
        ..Default::default()
    };
    let Content::Row(Row::Warga(row)) = read(Kind::Warga.code(), message.encode_to_vec()) else {
        panic!("not a row");
    };
    assert_eq!(row.nik, Some(9_905_010_101_010_001));
    assert_eq!((row.nama.as_str(), row.jenis_kelamin), ("CONTOH", 2));
    assert_eq!(row.tanggal_lahir, Some(0), "1 on the wire is 1970-01-01");
    assert_eq!((row.shdk, row.status_kawin, row.status_dasar), (1, 2, 1));
    assert_eq!((row.pendidikan_kk, row.pekerjaan, row.agama), (5, 9, 1));
    let expected = resident::HAMIL
        | resident::AKSEPTOR_KB
        | 3 << resident::KHUSUS_SHIFT
        | 0b1000_0001 << resident::PKK_SHIFT;
    assert_eq!(row.tanda, expected);
}

#[test]
fn an_akseptor_is_who_says_so_or_where_nobody_asked_who_uses_something() {
    for (akseptor_kb, cara_kb, counts) in
        [(0, 0, false), (0, 4, true), (1, 0, true), (1, 4, true), (2, 0, false), (2, 4, false)]
    {
        let warga = v1::Warga { akseptor_kb, cara_kb, ..Default::default() };
        assert_eq!(resident_bits(&warga) & resident::AKSEPTOR_KB != 0, counts, "{warga:?}");
        let payload = warga.encode_to_vec().into();
        let Ok(Record::Warga(record)) = lumbung_wire::record::decode(Kind::Warga, &payload) else {
            panic!("not a resident")
        };
        assert_eq!(record.is_akseptor_kb(), counts, "the village counts the same");
    }
}

#[test]
fn a_house_becomes_typed_columns() {
    let usaha = |kategori| v1::Usaha { kategori, ..Default::default() };
    let message = v1::RumahTangga {
        rt_id: id_bytes(),
        kriteria: 2,
        punya_tps: 1,
        punya_spal: 2,
        air: Some(0b101),
        makanan_pokok: 1,
        jumlah_mck: Some(2),
        pekarangan: vec![usaha(1), usaha(5), usaha(5), usaha(900), usaha(0)],
        industri: vec![usaha(3)],
        ..Default::default()
    };
    let bytes = message.encode_to_vec();
    let Content::Row(Row::RumahTangga(row)) = read(Kind::RumahTangga.code(), bytes) else {
        panic!("not a row");
    };
    let expected = house::TIDAK_SEHAT
        | house::TPS
        | house::BERAS
        | 0b101 << house::AIR_SHIFT
        | house::AIR_TERJAWAB
        | house::MCK_TERJAWAB
        | 0b1_0001 << house::PEKARANGAN_SHIFT
        | 0b100 << house::INDUSTRI_SHIFT;
    assert_eq!((row.rumah, row.jumlah_mck), (expected, 2));
}

#[test]
fn what_cannot_be_a_row_says_why_without_repeating_it() {
    let nik = |nik: &str| v1::Warga { nik: nik.into(), ..Default::default() };
    for bad in ["1", "990501010101000x", "99050101010100012", "9905 01010101001"] {
        let reason = refusal(Kind::Warga, &nik(bad));
        assert_eq!(reason, "Kolom nik harus 16 angka.");
    }
    let family =
        v1::Keluarga { no_kk: "12".into(), rumah_tangga_id: id_bytes(), ..Default::default() };
    assert_eq!(refusal(Kind::Keluarga, &family), "Kolom no_kk harus 16 angka.");
    let family = v1::Keluarga::default();
    let reason = "Kolom rumah_tangga_id tidak menunjuk catatan lain dengan benar.";
    assert_eq!(refusal(Kind::Keluarga, &family), reason);
    let long = v1::Warga { nama: "A".repeat(TEXT_BYTES_MAX + 1), ..Default::default() };
    assert_eq!(refusal(Kind::Warga, &long), "Kolom nama lebih panjang dari 1000 huruf.");
    let code = v1::Warga { agama: 70_000, ..Default::default() };
    assert_eq!(refusal(Kind::Warga, &code), "Kolom agama berisi kode yang tidak mungkin.");
    let desa = v1::Mutasi {
        warga_id: id_bytes(),
        perpindahan: Some(v1::Perpindahan { desa: 12, ..Default::default() }),
        ..Default::default()
    };
    assert_eq!(refusal(Kind::Mutasi, &desa), "Kolom desa berisi kode yang tidak mungkin.");
    for kind in Kind::ALL {
        let Content::Quarantined(reason) = read(kind.code(), vec![0xff; 5]) else {
            panic!("{kind} was read");
        };
        assert_eq!(reason, format!("Isi catatan {kind} tidak terbaca."));
        let english = format!("The content of a {kind} record can't be read.");
        assert_eq!(reason_in_english(&reason), Some(english));
    }
}

#[test]
fn fields_of_a_newer_version_are_no_fault() {
    let mut bytes = v1::Warga { nama: "CONTOH".into(), ..Default::default() }.encode_to_vec();
    // Field 900, a number.
    bytes.extend_from_slice(&[0xa0, 0x38, 5]);
    assert!(matches!(read(Kind::Warga.code(), bytes), Content::Row(_)));
    assert!(matches!(read(KindCode(900), vec![0xff; 3]), Content::UnknownKind));
}

#[test]
fn withheld_content_waits_and_a_deletion_needs_none() {
    let entry = |operation, payload| Entry {
        header: Header {
            seq: Seq(4),
            id: RecordId::from_parts(1, 2, 3),
            kind: Kind::Warga.code(),
            schema: 1,
            operation,
            time_ms: 5,
            actor: "kader".into(),
            source: Source::MANUAL,
        },
        payload,
    };
    let withheld = change(entry(Operation::Update, Payload::Withheld { digest: [1; 32] }), None);
    assert!(matches!(&withheld.content, Content::Quarantined(_)));
    assert!(matches!(again(withheld).content, Content::Quarantined(_)));
    let gone = change(entry(Operation::Delete, Payload::Withheld { digest: [1; 32] }), None);
    assert!(matches!(gone.content, Content::Tombstone));
    let present = Payload::Present { salt: Salt::default(), bytes: Bytes::new() };
    let entry = entry(Operation::Create, present);
    let hash = entry.content_hash();
    let blank = change(entry, hash);
    assert!(matches!(&blank.content, Content::Row(_)), "an empty message is a blank record");
    assert!(matches!(again(blank).content, Content::Row(_)));
}

fn any_warga() -> impl Strategy<Value = v1::Warga> {
    (proptest::array::uniform12(0_u32..6), 0_u32..256, 0_u32..128).prop_map(
        |(answers, kegiatan_pkk, kegiatan_warga)| {
            let [hamil, menyusui, buta3, up2k, kesling, posyandu, rest @ ..] = answers;
            let [bkb, tabungan, paud, koperasi, khusus, belajar] = rest;
            v1::Warga {
                hamil,
                menyusui,
                buta3,
                up2k,
                kesling,
                aktif_posyandu: posyandu,
                bkb,
                tabungan,
                paud,
                koperasi,
                berkebutuhan_khusus: khusus,
                kelompok_belajar: belajar,
                kegiatan_pkk,
                kegiatan_warga,
                ..Default::default()
            }
        },
    )
}

fn any_rumah() -> impl Strategy<Value = v1::RumahTangga> {
    let usaha = || proptest::collection::vec(0_u32..10, 0..3);
    (proptest::array::uniform9(0_u32..4), 0_u32..40, usaha(), usaha()).prop_map(
        |(answers, air, pekarangan, industri)| {
            let [kriteria, tps, spal, jamban, p4k, makanan, up2k, kesling, mck] = answers;
            let rows = |list: Vec<u32>| {
                let row = |kategori| v1::Usaha { kategori, ..Default::default() };
                list.into_iter().map(row).collect()
            };
            v1::RumahTangga {
                rt_id: id_bytes(),
                kriteria,
                punya_tps: tps,
                punya_spal: spal,
                punya_jamban: jamban,
                stiker_p4k: p4k,
                makanan_pokok: makanan,
                up2k,
                kesling,
                jumlah_mck: mck.checked_sub(1),
                air: air.checked_sub(1),
                pekarangan: rows(pekarangan),
                industri: rows(industri),
                ..Default::default()
            }
        },
    )
}

proptest! {
    /// The hub must count what the village counts of the same record.
    #[test]
    fn packed_facts_are_those_of_the_record(warga in any_warga(), rumah in any_rumah()) {
        let payload = warga.encode_to_vec().into();
        let Ok(Record::Warga(record)) = lumbung_wire::record::decode(Kind::Warga, &payload)
        else { panic!("not a resident") };
        prop_assert_eq!(
            bits::resident_facts(resident_bits(&warga)),
            WargaFacts::of(&record, 0, false, false)
        );
        let payload = rumah.encode_to_vec().into();
        let Ok(Record::RumahTangga(record)) =
            lumbung_wire::record::decode(Kind::RumahTangga, &payload)
        else { panic!("not a house") };
        let mck = u16::try_from(rumah.jumlah_mck.unwrap_or(0)).unwrap();
        prop_assert_eq!(bits::house_facts(house_bits(&rumah), mck), RumahFacts::from(&*record));
    }
}
