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
use lumbung_identity::{JoinToken, Secret};
use lumbung_ledger::{Entry, Header, Operation, Payload, Position, Salt, Seq, Source, block, line};
use lumbung_tests::fictitious;
use lumbung_wire::forms::Forms;
use lumbung_wire::{batch, record, run};
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
        let sent = run::pack(forms, origin, last, &entries, None).unwrap();
        inputs.push(("run", format!("of-{count}"), sent.encode_to_vec()));
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
}
