//! (a) Full pull of every village into an empty hub, against a raw bulk
//! upsert of the same rows into the same tables under the same settings.

use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use lumbung_hub::dataset::sqlite::{SqliteDataset, upsert_bulk};
use lumbung_hub::dataset::{Dataset, MergeBatch};
use lumbung_hub::merge::decode;
use lumbung_ledger::{Entry, Position};
use lumbung_node::village::Village;
use lumbung_telemetry::clock;
use lumbung_wire::authors::Authors;
use lumbung_wire::batch;
use lumbung_wire::forms::Forms;
use lumbung_wire::run;

use crate::machine::{cpu_seconds, peak_mb};
use crate::nodes::District;

/// How often the hub is asked whether all is proven.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Batches in one transaction of the yardstick: about 50,000 rows, as many as
/// the hub's writer takes.
const BATCHES_PER_TRANSACTION: usize = 50;

/// What the raw bulk upsert did, alone and beside busy cores, and a merge of
/// the same batches from memory.
pub(crate) struct Raw {
    rows: u64,
    seconds: f64,
    beside_seconds: f64,
    merge_seconds: f64,
}

/// Upserts all rows into a new file, which is removed; rows and seconds.
fn upsert(dir: &Path, batches: &[MergeBatch]) -> anyhow::Result<(u64, f64)> {
    let begun = Instant::now();
    let rows = upsert_bulk(&dir.join("raw.db"), batches, BATCHES_PER_TRANSACTION)?;
    let seconds = begun.elapsed().as_secs_f64();
    remove(dir, "raw.db");
    Ok((rows, seconds))
}

fn remove(dir: &Path, file: &str) {
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(dir.join(format!("{file}{ending}"))));
    }
}

/// A run of one village's log, as it stands in a barn.
struct Sample {
    prev: Position,
    last: Position,
    entries: Vec<Entry>,
}

impl Sample {
    /// What both ends of a pull do with a batch, except reading the barn and
    /// merging: pack, unpack, prove, read into columns.
    fn carry(&self) -> anyhow::Result<()> {
        let forms = Forms::common(Some(&Forms::offered())).with_block(1);
        let authors = Authors::default();
        let packed = run::pack(forms, &authors, self.prev, self.last, &self.entries, None);
        let packed = packed.context("entries do not form a block")?;
        let (verified, _) = run::verify(&packed, &authors, self.prev)?;
        for (entry, hash) in verified.entries {
            black_box(decode::change(entry, hash));
        }
        Ok(())
    }
}

/// Does `work` while every other core carries the sample over and over, as in
/// a pull.
fn beside_busy_cores<T>(sample: &Sample, work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let done = AtomicBool::new(false);
    let others = thread::available_parallelism().map_or(1, usize::from) - 1;
    thread::scope(|scope| {
        let carry = || {
            while !done.load(Ordering::Relaxed) {
                sample.carry()?;
            }
            anyhow::Ok(())
        };
        let others: Vec<_> = (0..others).map(|_| scope.spawn(carry)).collect();
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        for other in others {
            other.join().map_err(|_| anyhow::anyhow!("a core stopped carrying"))??;
        }
        Ok(outcome)
    })
}

/// Reads every log into memory, upserts all rows in bulk, then merges the
/// same batches into another new file.
pub(crate) fn raw(district: &District) -> anyhow::Result<Raw> {
    let (mut batches, mut sample) = (Vec::new(), None);
    for node in &district.nodes {
        let village = Village::open(&node.dir, node.code)?;
        let head = village.barn().head().position;
        let mut prev = Position::origin(head.log_id);
        while let Some(read) = village.barn().read_after(prev.seq, 192 * 1024)? {
            let seq = read.entries.last().map_or(prev.seq, |entry| entry.header.seq);
            let last = Position { seq, chain: read.after, ..head };
            sample.get_or_insert_with(|| Sample { prev, last, entries: read.entries.clone() });
            let (entries, chains) = batch::walk(prev.chain, read.entries);
            let changes = entries.into_iter().map(|(entry, hash)| decode::change(entry, hash));
            let changes = changes.collect();
            batches.push(MergeBatch { village: node.code, prev, last, changes, chains });
            prev = last;
        }
        village.close();
    }
    let (rows, seconds) = upsert(&district.dir, &batches)?;
    let sample = sample.context("no village has an entry")?;
    let beside = beside_busy_cores(&sample, || upsert(&district.dir, &batches))?;
    let (_, beside_seconds) = beside?;
    let dataset = SqliteDataset::open(district.dir.join("merge.db"))?;
    for node in &district.nodes {
        dataset.register(node.code, "")?;
    }
    let begun = Instant::now();
    for group in batches.chunks(BATCHES_PER_TRANSACTION) {
        for merged in dataset.merge(group, clock::now_ms())? {
            merged?;
        }
    }
    let merge_seconds = begun.elapsed().as_secs_f64();
    drop((batches, dataset));
    remove(&district.dir, "merge.db");
    Ok(Raw { rows, seconds, beside_seconds, merge_seconds })
}

/// Starts nodes, then the hub, and waits until every village is merged and
/// proven equal.
pub(crate) async fn measure(district: &mut District, raw: &Raw) -> anyhow::Result<()> {
    district.start_nodes().await?;
    let node_pids: Vec<_> = district.nodes.iter().filter_map(|node| node.pid()).collect();
    let cpu = |pids: &[u32]| pids.iter().map(|pid| cpu_seconds(*pid)).sum::<f64>();
    let (nodes_before, wire_before) = (cpu(&node_pids), district.traffic().await?);
    let dataset = SqliteDataset::open(district.hub_file())?;
    let begun = Instant::now();
    let hub = district.start_hub()?;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let states = dataset.villages()?;
        let done = district.nodes.iter().zip(&states).all(|(node, state)| {
            let seq = state.position.map_or(0, |position| position.seq.0);
            seq == node.entries && state.last_proof_ms > 0 && state.proven_seq.0 == seq
        });
        if done {
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (hub_cpu, nodes_cpu) = (cpu_seconds(hub), cpu(&node_pids) - nodes_before);
    let wire = district.traffic().await? - wire_before;
    let entries = district.entries() as f64;
    let raw_rate = raw.rows as f64 / raw.seconds;
    let node_peak = node_pids.iter().map(|pid| peak_mb(*pid)).fold(0.0, f64::max);
    println!("(a) full pull of {} villages, {entries} records", district.nodes.len());
    println!("    merged and proven in   {seconds:>10.2} s");
    println!("    rate                   {:>10.0} records/s", entries / seconds);
    println!("    raw bulk upsert        {raw_rate:>10.0} rows/s");
    println!("    ratio to raw           {:>10.1} %", entries / seconds / raw_rate * 100.0);
    let beside_rate = raw.rows as f64 / raw.beside_seconds;
    println!(
        "    raw beside its work   {beside_rate:>10.0} rows/s: {:.0} % of that",
        entries / seconds / beside_rate * 100.0
    );
    println!(
        "    merge alone, from memory {:>8.0} records/s, {:.0} % of raw",
        entries / raw.merge_seconds,
        entries / raw.merge_seconds / raw_rate * 100.0
    );
    println!("    CPU, hub               {:>10.2} µs a record", hub_cpu / entries * 1e6);
    println!("    CPU, nodes             {:>10.2} µs a record", nodes_cpu / entries * 1e6);
    println!("    on the wire            {:>10.1} bytes a record", wire as f64 / entries);
    println!("    peak memory, hub       {:>10.1} MB", peak_mb(hub));
    println!("    peak memory, a node    {node_peak:>10.1} MB\n");
    Ok(())
}
