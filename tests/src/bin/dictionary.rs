//! Trains the dictionary for small batches: `dictionary FILE ID`.
//!
//! What it learns from is fictitious villages and the edits of ordinary days,
//! made from fixed seeds: the same program gives the same file. The file then
//! goes to `shared/wire/dictionaries` under the next free id and is compiled
//! in; one that was given out is never trained again.

use std::process::ExitCode;

use anyhow::Context;
use jiff::civil::{Date, date};
use lumbung_demo::population;
use lumbung_domain::id::RecordId;
use lumbung_domain::record::Record;
use lumbung_ledger::{Entry, Header, Operation, Payload, Salt, Seq, Source, block};
use lumbung_wire::record::encode;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DICTIONARY_BYTES: usize = 32 * 1024;

/// Seeds of the training's district and of its edits; the demo and the
/// benchmarks use others.
const SEED: u64 = 20_261_124;

/// Villages that are looked at, and every how many of their records one
/// becomes a sample.
const VILLAGES: usize = 16;
const SAMPLE_EVERY: usize = 7;

/// Share of the district's real residents.
const SCALE: f64 = 0.3;

/// The first eight bytes of a dictionary: magic and id.
const MAGIC: [u8; 4] = 0xec30_a437_u32.to_le_bytes();

fn main() -> ExitCode {
    match train() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn train() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let file = args.next().context("which file?")?;
    let id: u32 = args.next().context("which id?")?.parse()?;
    let samples = samples(date(2026, 11, 24))?;
    let mut dictionary = zstd::dict::from_samples(&samples, DICTIONARY_BYTES)?;
    anyhow::ensure!(dictionary.starts_with(&MAGIC), "this is no dictionary");
    dictionary[4..8].copy_from_slice(&id.to_le_bytes());
    std::fs::write(&file, &dictionary)?;
    println!("{} bytes from {} samples", dictionary.len(), samples.len());
    Ok(())
}

/// Blocks of one to three changes, as live saves make them.
fn samples(today: Date) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut dice = ChaCha8Rng::seed_from_u64(SEED);
    let mut samples = Vec::new();
    let plans = population::plans(SEED, SCALE);
    for plan in plans.iter().step_by(plans.len() / VILLAGES) {
        let random: u64 = dice.random();
        let mut minted = 1_780_000_000_000 * 4_096 + dice.random_range(0..1_u64 << 46);
        let mut mint = || {
            minted += dice.random_range(1..40);
            RecordId::from_parts(minted / 4_096, (minted % 4_096) as u16, random)
        };
        let records = population::village(plan, today, &mut mint);
        let mut time_ms = 1_790_000_000_000;
        for some in records.chunks(SAMPLE_EVERY) {
            time_ms += dice.random_range(1_000..100_000_000);
            let seq: u64 = dice.random_range(1..40_000);
            let count = if dice.random_ratio(5, 6) { 1 } else { 3 };
            let mut entries = Vec::new();
            for ((id, record), seq) in some.iter().take(count).zip(seq..) {
                entries.push(entry(&mut dice, *id, record, today, (Seq(seq), time_ms)));
            }
            samples.push(block::encode(&entries).context("no block")?);
        }
    }
    Ok(samples)
}

/// A change of a record: an edit mostly, sometimes its creation.
fn entry(
    dice: &mut ChaCha8Rng,
    id: RecordId,
    record: &Record,
    today: Date,
    (seq, time_ms): (Seq, i64),
) -> Entry {
    let created = dice.random_ratio(1, 5);
    let bytes = match created {
        true => encode(record),
        false => encode(&population::edit(dice, record, today)),
    };
    let actors = ["kader", "kader", "operator", "admin"];
    Entry {
        header: Header {
            seq,
            id,
            kind: record.kind().code(),
            schema: 1,
            operation: if created { Operation::Create } else { Operation::Update },
            time_ms,
            actor: actors[dice.random_range(0..actors.len())].into(),
            source: Source::MANUAL,
        },
        payload: Payload::Present { salt: Salt(dice.random()), bytes },
    }
}
