//! Every reader of strangers' bytes, fed with a committed corpus and with
//! thousands of mutations of it, the same ones every time. No fuzzer is
//! needed here; `tests/fuzz` has the targets for one.
//!
//! `LUMBUNG_CORPUS=write` adds what is written today to the corpus, after a
//! format has changed.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{
    Dasawisma, Dusun, Keluarga, Mutasi, Record, Rt, RumahTangga, Rw, TandaTerima, Warga,
};
use lumbung_domain::region::roster;
use lumbung_identity::{JoinToken, Secret};
use lumbung_ledger::{Entry, Header, Operation, Payload, Position, Salt, Seq, Source, block, line};
use lumbung_node::barn::{Journal, Testimony, Witness};
use lumbung_node::export::{self, ExportFormat};
use lumbung_node::import;
use lumbung_node::village::census::Census;
use lumbung_proto::v1;
use lumbung_tests::fictitious;
use lumbung_wire::authors::Authors;
use lumbung_wire::forms::Forms;
use lumbung_wire::tree::Place;
use lumbung_wire::{batch, pages, record, run};
use prost::Message;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Mutations of each input of the corpus.
const MUTATIONS: usize = 400;

/// Largest mutated input, bytes.
const BYTES_MAX: usize = 64 * 1024;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn records() -> Vec<(Kind, Record)> {
    vec![
        (Kind::Dusun, Record::Dusun(Dusun { nama: "KRAJAN".into(), ..Dusun::default() })),
        (Kind::Rw, Record::Rw(Rw::default())),
        (Kind::Rt, Record::Rt(Rt::default())),
        (Kind::Dasawisma, Record::Dasawisma(Dasawisma::default())),
        (Kind::RumahTangga, Record::RumahTangga(Box::<RumahTangga>::default())),
        (Kind::Keluarga, Record::Keluarga(Keluarga::default())),
        (Kind::Warga, Record::Warga(Box::<Warga>::default())),
        (Kind::Mutasi, Record::Mutasi(Box::<Mutasi>::default())),
        (Kind::TandaTerima, Record::TandaTerima(TandaTerima::default())),
        (Kind::PernyataanJumlah, Record::PernyataanJumlah(Box::default())),
    ]
}

fn entries(count: u64) -> Vec<Entry> {
    let dusun = |seq: u64| fictitious::dusun(&format!("DUSUN {seq}"));
    let entry = |seq| {
        let delete = seq % 5 == 0;
        let bytes = if delete { Bytes::new() } else { dusun(seq) };
        Entry {
            header: Header {
                seq: Seq(seq),
                id: RecordId::from_parts(1_790_000_000_000, 0, seq / 5 * 5),
                kind: Kind::Dusun.code(),
                schema: record::SCHEMA,
                operation: if delete { Operation::Delete } else { Operation::Create },
                time_ms: 1_790_000_000_000 + seq as i64,
                actor: "kader".into(),
                source: Source::MANUAL,
            },
            payload: Payload::Present { salt: Salt([seq as u8; 8]), bytes },
        }
    };
    (1..=count).map(entry).collect()
}

/// Right inputs of every target.
fn right() -> Vec<(&'static str, String, Vec<u8>)> {
    let origin = Position::origin(targets::LOG);
    let mut inputs = Vec::new();
    for count in [1, 7, 60] {
        let entries = entries(count);
        let chain = entries.iter().fold(origin.chain, |chain, entry| chain.step(entry).0);
        let last = Position { seq: Seq(count), chain, ..origin };
        let rows = block::encode(&entries).unwrap();
        inputs.push(("block", format!("rows-{count}"), rows.clone()));
        if let Some(columns) = block::columns::encode(&entries) {
            inputs.push(("block", format!("columns-{count}"), columns.bytes));
        }
        let sent = batch::pack(origin, last, u32::try_from(count).unwrap(), rows);
        inputs.push(("batch", format!("of-{count}"), sent.encode_to_vec()));
        let forms = Forms::common(Some(&Forms::offered()));
        let sent = run::pack(forms, &Authors::default(), origin, last, &entries, None).unwrap();
        inputs.push(("run", format!("of-{count}"), sent.encode_to_vec()));
        let mut authors = Authors::default();
        authors.note_last(&entries);
        let sent = run::pack(forms, &authors, origin, last, &entries, None).unwrap();
        inputs.push(("run", format!("of-{count}-by-one-who-is-known"), sent.encode_to_vec()));
    }
    for (at, (kind, record)) in records().into_iter().enumerate() {
        let mut input = vec![at as u8];
        input.extend_from_slice(&record::encode(&record));
        inputs.push(("record", kind.name().to_owned(), input));
    }
    inputs.push(("sheet", "opensid".to_owned(), fictitious::sheet(0, 3).into_bytes()));
    let token = JoinToken {
        root: [3; 16],
        village: targets::village(),
        secret: Secret::from_slice(&[5; 16]).unwrap(),
        issued_min: 29_000_000,
        address: "kabupaten.example:7443".to_owned(),
    };
    inputs.push(("token", "right".to_owned(), token.to_string().into_bytes()));
    inputs.push(("line", "right".to_owned(), line::seal("hapus 7").into_bytes()));
    inputs.push(("medium", "edits".to_owned(), vec![20, 0, 1, 0, 1, 255, 255, 255, 9]));
    inputs.push(("sheet", "workbook".to_owned(), workbook()));
    inputs.extend(media());
    inputs
}

/// A family as a workbook that the node writes.
fn workbook() -> Vec<u8> {
    let sheet = import::read_sheet("warga.csv", fictitious::sheet(0, 1).as_bytes()).unwrap();
    let (mut census, mut number, mut out) = (Census::new(), 0, Vec::new());
    let mut mint = || {
        number += 1;
        RecordId::from_parts(1_790_000_000_000, 0, number)
    };
    drop(import::plan(&sheet, &mut census, &mut mint, jiff::civil::date(2026, 11, 24)));
    let village = roster().villages()[0].code;
    export::write(ExportFormat::OpensidXlsx, village, &census, &mut out).unwrap();
    out
}

/// What travels in sealed files, and beside them.
fn media() -> Vec<(&'static str, String, Vec<u8>)> {
    let origin = Position::origin(targets::LOG);
    let mut inputs = Vec::new();
    for count in [7, 60] {
        let entries = entries(count);
        let mut living = std::collections::BTreeMap::new();
        let mut chain = origin.chain;
        for entry in &entries {
            let (next, hash) = chain.step(entry);
            chain = next;
            living.insert(entry.header.id, hash);
        }
        let mut sum = lumbung_ledger::Fingerprint::default();
        let hashes: Vec<_> = living.into_values().flatten().collect();
        hashes.iter().for_each(|hash| sum += *hash);
        let last = Position { seq: Seq(count), chain, ..origin };
        let rows = block::encode(&entries).unwrap();
        let sent = batch::pack(origin, last, u32::try_from(count).unwrap(), rows);
        let header = v1::BundleHeader {
            village: targets::village().as_u64(),
            from: Some(batch::position_to_wire(origin)),
            to: Some(batch::position_to_wire(last)),
            fingerprint: Bytes::copy_from_slice(&sum.to_bytes()),
            records: hashes.len() as u64,
            number: 1,
            ..v1::BundleHeader::default()
        };
        let part = v1::fingerprint_reply::Part {
            fingerprint: header.fingerprint.clone(),
            records: header.records,
            ..Default::default()
        };
        let sums =
            v1::PlaceSums { place: Some(Place::Village.to_wire()), parts: vec![part.clone()] };
        let end = v1::BundleEnd { sums: vec![sums], ..v1::BundleEnd::default() };
        let pieces =
            [(0, header.encode_to_vec()), (1, sent.encode_to_vec()), (2, end.encode_to_vec())];
        inputs.push(("bundle", format!("of-{count}"), targets::of_pieces(&pieces)));
        let outcome = v1::Outcome { number: 1, absent: true, ..v1::Outcome::default() };
        let told = v1::Returned { seq: 1, outcome: Some(outcome), ..v1::Returned::default() };
        let receipt = v1::ReturnedReceipt { returned: vec![told] };
        let pieces = [&pieces[..], &[(3, receipt.encode_to_vec())]].concat();
        inputs.push(("bundle", format!("told-of-{count}"), targets::of_pieces(&pieces)));
        inputs.push(("sums", format!("end-of-{count}"), end.encode_to_vec()));
        let reply = v1::FingerprintReply { parts: vec![part], ..Default::default() };
        inputs.push(("sums", format!("reply-of-{count}"), reply.encode_to_vec()));
    }
    let lost = v1::LostRecord {
        id: Bytes::copy_from_slice(RecordId::from_parts(1_790_000_000_000, 0, 3).as_bytes()),
        kind: u32::from(Kind::Dusun.code().0),
        schema: u32::from(record::SCHEMA),
        time_ms: 1_790_000_000_000,
        actor: "kader".to_owned(),
        payload: fictitious::dusun("KRAJAN"),
        seq: 3,
        ..v1::LostRecord::default()
    };
    let lost = v1::Parcel { number: 1, kind: Some(v1::parcel::Kind::LostRecord(lost)) };
    let informasi = lumbung_domain::informasi::Informasi {
        id: RecordId::from_parts(1_790_000_000_000, 0, 4),
        versi: 1,
        judul: "POSYANDU".to_owned(),
        isi: "Hari Senin".to_owned(),
        kategori: None,
        terbit: None,
        berlaku_sampai: None,
        sasaran: vec![lumbung_domain::informasi::Sasaran::Kabupaten],
        ditarik: false,
    };
    let notice = lumbung_hub::notices::message_for(targets::village(), &informasi);
    let notice = v1::Parcel { number: 2, kind: Some(v1::parcel::Kind::Notice(notice)) };
    let header =
        v1::AnswerHeader { village: targets::village().as_u64(), ..v1::AnswerHeader::default() };
    let pieces =
        [(0, header.encode_to_vec()), (1, lost.encode_to_vec()), (1, notice.encode_to_vec())];
    inputs.push(("answer", "parcels".to_owned(), targets::of_pieces(&pieces)));
    let file = v1::HubBackupFile {
        name: "hub.db".to_owned(),
        bytes: 3,
        hash: Bytes::copy_from_slice(blake3::hash(b"isi").as_bytes()),
    };
    let header = v1::HubBackupHeader { files: vec![file], ..Default::default() };
    let pieces = [(0, header.encode_to_vec()), (1, b"isi".to_vec())];
    inputs.push(("hub_backup", "one-file".to_owned(), targets::of_pieces(&pieces)));
    let record = |seq| v1::RestoreRecord { seq, actor: "kader".to_owned(), ..Default::default() };
    let page = pages::pack(&v1::RestoreRecords { records: (0..40).map(record).collect() });
    inputs.push(("page", "of-40".to_owned(), page.encode_to_vec()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("witness");
    let mut witness = Witness::open(&path).unwrap();
    for seq in 1..4 {
        let (log_id, epoch) = (targets::LOG, lumbung_ledger::Epoch(1));
        witness.testify(Testimony { log_id, epoch, seq: Seq(seq), boots: 1 }).unwrap();
    }
    inputs.push(("witness", "three-words".to_owned(), fs::read(path).unwrap()));
    let path = folder.path().join("journal");
    let (mut journal, _) = Journal::open(&path).unwrap();
    for number in 7..10 {
        let value = vec![number as u8; number as usize * 5];
        let writes = [(b"L1".to_vec(), Some(value)), (b"S1".to_vec(), None)];
        journal.append(number, &writes).unwrap();
    }
    let bytes = fs::read(path).unwrap();
    inputs.push(("journal", "three-batches".to_owned(), bytes[..400].to_vec()));
    // Behind the number, which the target takes the sum of: the body of one.
    let body = [&bytes[4..12], &bytes[28..28 + 55]].concat();
    inputs.push(("journal", "a-body".to_owned(), body));
    inputs
}

fn mutated(inputs: &[Vec<u8>], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let pick = |dice: &mut ChaCha8Rng| &inputs[dice.random_range(0..inputs.len())];
    let mut bytes = pick(dice).clone();
    for _ in 0..dice.random_range(1..6) {
        let at = dice.random_range(0..=bytes.len());
        match dice.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.random_range(0..5)],
            2 => bytes.truncate(at),
            3 => bytes.insert(at, dice.random()),
            4 if at < bytes.len() => drop(bytes.remove(at)),
            5 => {
                let other = pick(dice);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[dice.random_range(0..=other.len())..]);
            }
            _ => {
                let end = dice.random_range(at..=bytes.len());
                bytes.extend_from_within(at..end);
            }
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

#[test]
fn no_bytes_of_a_stranger_break_a_reader() {
    for (name, target) in targets::ALL {
        let mut files: Vec<_> =
            fs::read_dir(folder(name)).unwrap().map(|item| item.unwrap().path()).collect();
        files.sort();
        let inputs: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
        assert!(!inputs.is_empty(), "{name} has no corpus");
        inputs.iter().for_each(|input| target(input));
        target(&[]);
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        for number in 0..MUTATIONS * inputs.len() {
            let input = mutated(&inputs, &mut dice);
            let done = std::panic::catch_unwind(|| target(&input));
            assert!(done.is_ok(), "{name}, mutation {number}: {}", input.escape_ascii());
        }
    }
}

/// What is written today is read too, and may join the corpus.
#[test]
fn what_is_written_today_is_read() {
    let write = std::env::var("LUMBUNG_CORPUS").is_ok_and(|value| value == "write");
    for (name, file, bytes) in right() {
        let (_, target) = targets::ALL.into_iter().find(|(target, _)| *target == name).unwrap();
        target(&bytes);
        if write {
            fs::create_dir_all(folder(name)).unwrap();
            fs::write(folder(name).join(file), &bytes).unwrap();
        }
    }
    assert!(targets::merged() > 0, "no bundle of the corpus reached the rows");
}
