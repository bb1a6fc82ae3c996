//! Old messages stay readable: the bytes of one message of every record kind
//! and of the session's messages are kept as files. A field number that moves
//! or a type that changes makes a kept message read differently, and fails.
//!
//! A new field never changes the kept bytes. Files are added, never edited.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use bytes::Bytes;
use lumbung_proto::v1;
use prost::Message;

/// The kept bytes still decode to `message`, and `message` still encodes to
/// them.
fn check<M: Message + Default + PartialEq>(name: &str, message: &M) {
    let path = format!("{}/tests/golden/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Vec<u8> = kept
        .trim()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let now = message.encode_to_vec();
    let hex: String = now.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(kept, now, "{path} should hold {hex}");
    assert!(M::decode(&kept[..]).unwrap() == *message, "{name} reads differently");
}

fn id(byte: u8) -> Bytes {
    Bytes::from(vec![byte; 16])
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn titik() -> Option<v1::Titik> {
    Some(v1::Titik { lat: -8.1, lon: 112.2 })
}

#[test]
fn regions() {
    let dusun = v1::Dusun {
        nama: text("KRAJAN"),
        kepala_id: id(1),
        titik: titik(),
        aktif_dari: 1,
        aktif_sampai: -2,
        sk_pembentukan: text("SK 1"),
    };
    check("dusun", &dusun);
    let rw = v1::Rw {
        nomor: text("003"),
        dusun_id: id(2),
        ketua_id: id(3),
        titik: titik(),
        aktif_dari: 3,
        aktif_sampai: 4,
        sk_pembentukan: text("SK 2"),
    };
    check("rw", &rw);
    let rt = v1::Rt {
        nomor: text("004"),
        rw_id: id(4),
        dusun_id: id(5),
        ketua_id: id(6),
        batas: text("sungai"),
        titik: titik(),
        aktif_dari: 5,
        aktif_sampai: 6,
        sk_pembentukan: text("SK 3"),
    };
    check("rt", &rt);
    let group = v1::Dasawisma {
        nama: text("MELATI"),
        rt_id: id(7),
        ketua_id: id(8),
        aktif: true,
        tahun: 2026,
    };
    check("dasawisma", &group);
}

#[test]
fn houses_and_families() {
    let usaha = |kategori| v1::Usaha { kategori, komoditi: text("lele"), jumlah: text("12") };
    let house = v1::RumahTangga {
        rt_id: id(1),
        dasawisma_id: id(2),
        kepala_id: id(3),
        nomor: text("7"),
        alamat: text("Jl. Contoh"),
        titik: titik(),
        kriteria: 1,
        punya_tps: 2,
        punya_spal: 1,
        punya_jamban: 2,
        jumlah_mck: Some(3),
        stiker_p4k: 1,
        air: Some(9),
        makanan_pokok: 2,
        up2k: 1,
        kesling: 2,
        pekarangan: vec![usaha(2)],
        industri: vec![usaha(5)],
        dinding: 1,
        lantai: 2,
        atap: 3,
        status_rumah: 4,
        sumber_air_minum: 5,
        tahun: 2026,
        diperiksa_pada: 20_000,
    };
    check("rumah_tangga", &house);
    // "None" and "0" are answers of their own beside "not asked".
    let none = v1::RumahTangga { jumlah_mck: Some(0), air: Some(0), ..Default::default() };
    check("rumah_tangga_tidak_ada", &none);
    let family = v1::Keluarga {
        no_kk: text("3505010000000001"),
        rumah_tangga_id: id(4),
        kepala_id: id(5),
        kelas_sosial: 2,
        alamat: text("Jl. Contoh"),
        tgl_daftar: -3,
        aktif: true,
    };
    check("keluarga", &family);
}

#[test]
fn residents() {
    let warga = v1::Warga {
        nik: text("3505010000000002"),
        keluarga_id: id(1),
        nama: text("CONTOH"),
        jenis_kelamin: 2,
        tempat_lahir: text("BLITAR"),
        tanggal_lahir: -100,
        agama: 1,
        pendidikan_kk: 2,
        pendidikan_sedang: 3,
        pekerjaan: 4,
        status_kawin: 5,
        shdk: 6,
        warganegara: 7,
        ayah_nik: text("3505010000000003"),
        ayah_nama: text("AYAH"),
        ibu_nik: text("3505010000000004"),
        ibu_nama: text("IBU"),
        golongan_darah: 8,
        dapat_membaca: 9,
        cacat: 10,
        sakit_menahun: 11,
        cara_kb: 99,
        hamil: 1,
        menyusui: 2,
        ktp_el: 12,
        status_rekam: 13,
        alamat_sekarang: text("a"),
        status_dasar: 14,
        status_penduduk: 15,
        suku: text("b"),
        asuransi: 16,
        no_asuransi: text("c"),
        telepon: text("d"),
        lat: text("e"),
        lng: text("f"),
        berkebutuhan_khusus: 17,
        buta3: 1,
        aktif_posyandu: 2,
        frekuensi_posyandu: text("g"),
        bkb: 1,
        tabungan: 2,
        kelompok_belajar: 18,
        paud: 1,
        koperasi: 2,
        jenis_koperasi: text("h"),
        up2k: 1,
        kesling: 2,
        kegiatan_warga: 127,
        keterangan_kegiatan: text("i"),
        kegiatan_pkk: 255,
        no_registrasi: text("j"),
        jabatan: text("k"),
        akta_lahir: text("l"),
        paspor: text("m"),
        paspor_berlaku_sampai: 21,
        kitas: text("n"),
        akta_perkawinan: text("o"),
        tanggal_perkawinan: 22,
        akta_perceraian: text("p"),
        tanggal_perceraian: 23,
        tag_id_card: text("q"),
        ..v1::Warga::default()
    };
    check("warga", &warga);
    let remark = v1::KeteranganKegiatan { kegiatan: 2, keterangan: text("r") };
    let activities = v1::Warga {
        kegiatan_warga: 2,
        kegiatan_tidak: 33,
        keterangan_per_kegiatan: vec![remark],
        ..v1::Warga::default()
    };
    check("warga_kegiatan", &activities);
    let remark = v1::Warga { keterangan: text("s"), ..v1::Warga::default() };
    check("warga_keterangan", &remark);
    check("warga_kb", &v1::Warga { akseptor_kb: 2, cara_kb: 3, ..v1::Warga::default() });
    let event = v1::Mutasi {
        warga_id: id(2),
        nik: text("3505010000000005"),
        peristiwa: 3,
        tgl_peristiwa: 24,
        tgl_lapor: 25,
        kelahiran: Some(v1::Kelahiran {
            waktu: text("04:30"),
            tempat: 1,
            jenis: 2,
            anak_ke: 3,
            penolong: 4,
            berat_gram: 3_100,
            panjang_mm: 490,
        }),
        kematian: Some(v1::Kematian {
            tempat: text("r"),
            jam: text("s"),
            sebab: text("t"),
            penolong: text("u"),
            akta: text("v"),
        }),
        perpindahan: Some(v1::Perpindahan {
            jenis: 1,
            alamat: text("w"),
            desa: 3_505_012_001,
            alasan: text("x"),
        }),
        keterangan: text("y"),
    };
    check("mutasi", &event);
}

#[test]
fn the_session() {
    let position = v1::Position { log_id: id(1), epoch: 2, seq: 3, chain: id(4) };
    let hello = v1::HelloRequest {
        version_min: 1,
        version_max: 2,
        village: 3_505_012_001,
        clock_ms: 1_790_000_000_000,
        position: Some(position.clone()),
        visit: 0,
        forms: None,
    };
    check("hello_request", &hello);
    check("hello_request_visit", &v1::HelloRequest { visit: 7, ..hello });
    let reply = v1::HelloReply {
        version: 1,
        village: 3_505_012_001,
        log_id: id(1),
        head: Some(position.clone()),
        incarnation: id(5),
        clock_ms: 1_790_000_000_001,
        software: text("0.1.0"),
        relation: v1::Relation::Resume.into(),
        acked: None,
        visit: None,
        predecessor: None,
        replaced: None,
        forms: None,
    };
    check("hello_reply", &reply);
    let kept = v1::HelloReply {
        acked: Some(position.clone()),
        visit: Some(6),
        predecessor: Some(position.clone()),
        ..reply
    };
    check("hello_reply_kept", &kept);
    let replaced = Some(v1::Replaced { at_ms: 1_790_000_000_002, last_seq: 6, whole: false });
    check("hello_reply_replaced", &v1::HelloReply { replaced, ..kept });
    let restart = v1::RestartRequest {
        position: Some(position.clone()),
        marks: vec![position.clone(), position.clone()],
    };
    check("restart_request", &restart);
    let restarted = v1::RestartReply { fork: Some(position.clone()), head: Some(position.clone()) };
    check("restart_reply", &restarted);
    let batch = v1::Batch {
        prev: Some(position.clone()),
        last: Some(position.clone()),
        count: 6,
        codec: v1::Codec::Zstd.into(),
        raw_bytes: 7,
        payload: Bytes::from_static(b"payload"),
    };
    let item = |item| v1::PullItem { item: Some(item) };
    check("pull_batch", &item(v1::pull_item::Item::Batch(batch)));
    let caught_up = v1::CaughtUp {
        position: Some(position.clone()),
        fingerprint: Bytes::from(vec![8; 32]),
        records: 9,
    };
    check("pull_caught_up", &item(v1::pull_item::Item::CaughtUp(caught_up)));
    let start = v1::pull_control::Start {
        position: Some(position.clone()),
        batch_bytes: 10,
        credit_bytes: 11,
        forms: None,
    };
    let control = |control| v1::PullControl { control: Some(control) };
    check("control_start", &control(v1::pull_control::Control::Start(start)));
    let ack = v1::pull_control::Ack { position: Some(position) };
    check("control_ack", &control(v1::pull_control::Control::Ack(ack)));
    let credit = v1::pull_control::Credit { bytes: 12 };
    check("control_credit", &control(v1::pull_control::Control::Credit(credit)));
}

#[test]
fn the_inbox() {
    let lost = v1::LostRecord {
        id: id(1),
        kind: 2,
        schema: 3,
        deleted: true,
        withheld: true,
        time_ms: 4,
        actor: text("kader"),
        payload: Bytes::from_static(b"isi"),
        seq: 5,
        fork: 6,
        source: 0,
        epoch: 0,
    };
    let sourced = v1::LostRecord { source: 8, ..lost.clone() };
    let of_epoch = v1::LostRecord { epoch: 9, ..lost.clone() };
    let parcel = |lost| {
        let kind = Some(v1::parcel::Kind::LostRecord(lost));
        v1::Parcel { number: 7, kind }
    };
    check("parcel_lost_record", &parcel(lost));
    check("parcel_lost_record_source", &parcel(sourced));
    check("parcel_lost_record_epoch", &parcel(of_epoch));
    let held = v1::Held {
        seq: 8,
        kind: 2,
        schema: 3,
        time_ms: 9,
        actor: text("kader"),
        source: 6,
        payload: Bytes::from_static(b"lain"),
    };
    let outcome = v1::Outcome {
        number: 7,
        verdict: v1::Verdict::Conflict.into(),
        held: Some(held),
        absent: true,
        common: true,
    };
    check("receipt", &v1::Receipt { outcomes: vec![outcome] });
}

#[test]
fn the_slim_session() {
    let forms = v1::Forms { slim: true, block: 2, dictionaries: vec![1, 2], authors: false };
    let hello = v1::HelloRequest { forms: Some(forms.clone()), ..v1::HelloRequest::default() };
    check("hello_request_forms", &hello);
    let reply = v1::HelloReply { forms: Some(forms.clone()), ..v1::HelloReply::default() };
    check("hello_reply_forms", &reply);
    let knowing = v1::Forms { authors: true, ..forms.clone() };
    let reply = v1::HelloReply { forms: Some(knowing), ..v1::HelloReply::default() };
    check("hello_reply_authors", &reply);
    let run = v1::Run {
        payload: Bytes::from_static(b"payload"),
        chain: id(1),
        seal: id(2),
        dictionary: Some(0),
        epoch: 3,
    };
    check("pull_run", &v1::PullItem { item: Some(v1::pull_item::Item::Run(run)) });
    let start =
        v1::pull_control::Start { forms: Some(forms), ..v1::pull_control::Start::default() };
    let control = |control| v1::PullControl { control: Some(control) };
    check("control_start_forms", &control(v1::pull_control::Control::Start(start)));
    check("control_acked", &control(v1::pull_control::Control::Acked(300)));
    let size = v1::pull_control::Size { batch_bytes: 4, window_bytes: 5, block: 0 };
    check("control_size", &control(v1::pull_control::Control::Size(size)));
}
