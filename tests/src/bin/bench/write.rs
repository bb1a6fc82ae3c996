//! (b) What a node writes: single saves, each durable, and an import, against
//! raw sled, against our store alone and against the disk.

use std::path::Path;
use std::time::Instant;

use lumbung_demo::population;
use lumbung_domain::id::Kind;
use lumbung_domain::record::Record;
use lumbung_ledger::Source;
use lumbung_node::barn::{Expected, SledStore, Store as _, Submission, WriteBatch, save_raw};
use lumbung_node::export::{self, ExportFormat};
use lumbung_node::import;
use lumbung_node::village::{Village, Wish, change};
use lumbung_telemetry::clock;

use crate::machine::syncs_per_second;

/// Single saves measured.
const SAVES: usize = 1_000;

/// Changes of an import that become durable together, as the node does it.
const IMPORT_STEP: usize = 512;

pub(crate) fn measure(dir: &Path) -> anyhow::Result<()> {
    let plans = population::plans(1, 1.0);
    // The village nearest to 5,000 residents.
    let plan = plans.iter().min_by_key(|plan| plan.residents.abs_diff(5_000));
    let Some(plan) = plan else { anyhow::bail!("no village") };
    let mut next = 0_u64;
    let mut mint = || {
        next += 1;
        lumbung_domain::id::RecordId::from_parts(1_790_000_000_000 + next, 0, 7)
    };
    let records = population::village(plan, clock::today(), &mut mint);

    let syncs = syncs_per_second(dir)?;
    let village = Village::create(&dir.join("simpan"), plan.code)?;
    let residents = records.iter().filter_map(|(_, record)| match record {
        Record::Warga(warga) => Some(warga.clone()),
        _ => None,
    });
    let mut waits = Vec::with_capacity(SAVES);
    let runtime = tokio::runtime::Handle::current();
    let begun = Instant::now();
    for warga in residents.take(SAVES) {
        let wish =
            Wish { id: None, kind: Kind::Warga, record: Some(Record::Warga(warga)), seen: None };
        let one = Instant::now();
        runtime.block_on(village.save("kader", Source::MANUAL, vec![wish]))?;
        waits.push(one.elapsed().as_secs_f64());
    }
    let rate = waits.len() as f64 / begun.elapsed().as_secs_f64();
    village.close();
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| waits[(waits.len() as f64 * share) as usize] * 1e6;
    let store = store_alone(&dir.join("store"))?;
    let raw = raw_sled(&dir.join("sled"))?;
    println!("(b) what a node writes");
    println!(
        "    single durable saves   {rate:>10.0} /s (p50 {:.0} µs, p99 {:.0} µs)",
        at(0.5),
        at(0.99)
    );
    println!("    raw sled               {raw:>10.0} /s, the same keys and bytes, flush+fdatasync");
    println!("    our store alone        {store:>10.0} /s, the same keys and bytes");
    println!(
        "    disk, append+fdatasync {syncs:>10.0} /s (p50 of a save = {:.1} of them)",
        at(0.5) * syncs / 1e6
    );
    import(dir, plan.code, &records)?;
    println!();
    Ok(())
}

/// One log entry, one state pointer, two index entries and the head per
/// commit: the least this barn could do.
fn least(number: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
    let key = |letter: u8| [&[letter][..], &number.to_be_bytes(), &[0; 16]].concat();
    vec![
        (key(b'L'), vec![7; 260]),
        (key(b'S'), vec![7; 11]),
        (key(b'X'), Vec::new()),
        (key(b'Y'), Vec::new()),
        (b"M".to_vec(), vec![7; 84]),
    ]
}

/// Commits through our store, each durable.
fn store_alone(dir: &Path) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let db = SledStore::open(dir)?.0;
    for number in 0..SAVES as u64 {
        let mut batch = WriteBatch::default();
        least(number).into_iter().for_each(|(key, value)| batch.put(key, value));
        db.apply(batch)?;
        db.sync()?;
    }
    Ok(SAVES as f64 / begun.elapsed().as_secs_f64())
}

/// The same commits through sled alone, each durable.
fn raw_sled(dir: &Path) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let saved = save_raw(dir, (0..SAVES as u64).map(least))?;
    Ok(saved as f64 / begun.elapsed().as_secs_f64())
}

fn import(
    dir: &Path,
    code: lumbung_domain::region::VillageCode,
    records: &[(lumbung_domain::id::RecordId, Record)],
) -> anyhow::Result<()> {
    let census = lumbung_node::village::census::Census::from_records(records.iter().cloned());
    let mut file = Vec::new();
    export::write(ExportFormat::OpensidCsv, code, &census, &mut file)?;
    let village = Village::create(&dir.join("impor"), code)?;
    let begun = Instant::now();
    let sheet = import::read_sheet("penduduk.csv", &file)?;
    let parsed = begun.elapsed().as_secs_f64();
    let rows = sheet.len() as f64;
    let begun = Instant::now();
    let mut census = village.census()?;
    let mut mint = || village.mint().next(clock::now_ms());
    let plan = import::plan(&sheet, &mut census, &mut mint, clock::today());
    let planned = begun.elapsed().as_secs_f64();
    for step in plan.changes.chunks(IMPORT_STEP) {
        let changes = step.iter().map(|planned| {
            change(planned.id, planned.record.kind(), Some(&planned.record), Expected::Any)
        });
        village.barn().submit_blocking(Submission {
            actor: "operator".into(),
            source: Source::OPENSID,
            time_ms: clock::now_ms(),
            changes: changes.collect(),
        })?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    village.close();
    println!(
        "    import                 {:>10.0} rows/s ({rows} rows; parsed in {:.0} ms, planned in {:.0} ms, saved in {:.0} ms)",
        rows / seconds,
        parsed * 1e3,
        planned * 1e3,
        (seconds - planned) * 1e3
    );
    println!("    import with parsing    {:>10.0} rows/s", rows / (seconds + parsed));
    Ok(())
}
