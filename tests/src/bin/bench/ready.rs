//! (k) How soon a node is there again: after a power cut with 10,000 records
//! and saves that only its journal has, and rebuilt on another machine from
//! what the hub holds of 5,000 residents.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, ensure};
use lumbung_demo::population;
use lumbung_domain::region::roster;
use lumbung_ledger::Source;
use lumbung_node::barn::{Expected, SledStore, Store as _, Submission, WriteBatch};
use lumbung_node::village::{Village, change};
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, NodeProcess};
use lumbung_tests::proxy::{Conditions, Proxy};
use tokio::task::block_in_place;

use crate::link;

/// Records of the village whose power is cut.
const RECORDS: usize = 10_000;

/// Saves one by one before each cut, which the journal alone has for sure.
const SAVES: usize = 60;

/// Power cuts.
const CUTS: usize = 5;

/// Nothing here takes longer.
const WITHIN: Duration = Duration::from_secs(600);

/// Records that become durable together in the raw write.
const TOGETHER: usize = 512;

pub(crate) async fn measure() -> anyhow::Result<()> {
    println!("(k) how soon a node is there again");
    power_cuts().await?;
    rebuilt().await?;
    println!();
    Ok(())
}

async fn power_cuts() -> anyhow::Result<()> {
    let binary = std::env::current_exe()?.display().to_string();
    let mut district = District::new(&binary, 1)?;
    let node = &mut district.nodes[0];
    block_in_place(|| fill(node.dir(), RECORDS))?;
    node.start().await?;
    let (mut ready, mut raw) = (Vec::new(), Vec::new());
    for cut in 0..CUTS {
        for save in 0..SAVES {
            node.save_dusun(&format!("PADAM {cut}-{save}")).await?;
        }
        let seq = node.seq().await?;
        node.kill()?;
        raw.push(block_in_place(|| start_and_read(&binary, node.dir()))?);
        block_in_place(|| forget(node.dir()))?;
        let begun = Instant::now();
        node.spawn()?;
        while node.status().await.is_err() {
            ensure!(begun.elapsed() < WITHIN, "it does not come back");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        ready.push(begun.elapsed());
        ensure!(node.seq().await? == seq, "a save is missing after the cut");
    }
    let records = node.status().await?["records"].as_u64().unwrap_or(0);
    node.stop().await?;
    let (ready, worst) = middle_and_worst(&mut ready);
    let (raw, _) = middle_and_worst(&mut raw);
    println!(
        "    ready after a cut      {:>7.0} ms of {CUTS} cuts, {:.0} ms the longest ({records} records, limit 1 s)",
        ms(ready),
        ms(worst)
    );
    println!(
        "    a start and its bytes  {:>7.0} ms: a process that ends at once, and its files read from the disk",
        ms(raw)
    );
    Ok(())
}

async fn rebuilt() -> anyhow::Result<()> {
    let binary = std::env::current_exe()?.display().to_string();
    let mut district = District::joined(&binary, 1, None).await?;
    let mut dead = district.nodes.remove(0);
    let records = block_in_place(|| link::fill(dead.dir()))?;
    dead.start().await?;
    district.nodes.push(dead);
    district.wait_proven(WITHIN).await?;
    let mut dead = district.nodes.remove(0);
    dead.kill()?;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let proxy = Proxy::start(any, district.hub.uplink, Conditions::default()).await?;
    let token = district.hub.token(dead.village, district.hub.uplink, true)?;
    let mut fresh = district.node(&binary, dead.village)?;
    fresh.move_to("pengganti");
    let begun = Instant::now();
    let said = fresh.join(&token, proxy.address).await?;
    let took = begun.elapsed();
    ensure!(said.contains("terbukti sama"), "{said}");
    let bytes = proxy.crossed().there_bytes + proxy.crossed().back_bytes;
    let (sent, written) = block_in_place(|| {
        Ok::<_, anyhow::Error>((transfer(bytes)?, write(dead.dir(), &dead, district.folder())?))
    })?;
    println!(
        "    rebuilt from the hub   {:>7.2} s, joined and proven equal ({records} records, {:.0} KB, limit 10 s)",
        took.as_secs_f64(),
        bytes as f64 / 1e3
    );
    println!(
        "    the bytes alone        {:>7.2} s: over loopback {:.0} ms, into sled {:.0} ms",
        (sent + written).as_secs_f64(),
        ms(sent),
        ms(written)
    );
    district.stop().await
}

/// Fills the village in `dir` with about so many records.
fn fill(dir: &Path, records: usize) -> anyhow::Result<()> {
    let plans = population::plans(3505, 1.0);
    let plan = plans.iter().max_by_key(|plan| plan.residents).context("no village")?;
    let village = Village::open(dir, roster().villages()[0].code)?;
    let now = clock::now_ms();
    let mut mint = || village.mint().next(now);
    let mut made = Vec::new();
    while made.len() < records {
        made.extend(population::village(plan, clock::today(), &mut mint));
    }
    made.truncate(records);
    for step in made.chunks(TOGETHER) {
        let changes = step
            .iter()
            .map(|(id, record)| change(*id, record.kind(), Some(record), Expected::Absent));
        village.barn().submit_blocking(Submission {
            actor: "kader".into(),
            source: Source::TEMPLATE,
            time_ms: now,
            changes: changes.collect(),
        })?;
    }
    village.close();
    Ok(())
}

/// The files that a start reads.
fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in [dir.to_path_buf(), dir.join("store")] {
        for item in fs::read_dir(folder)? {
            let item = item?;
            files.extend(item.file_type()?.is_file().then(|| item.path()));
        }
    }
    Ok(files)
}

/// Makes the system forget the files, as power does that goes.
fn forget(dir: &Path) -> anyhow::Result<()> {
    for file in files(dir)? {
        let mut dd = Command::new("dd");
        dd.arg(format!("if={}", file.display())).args(["of=/dev/null", "iflag=nocache", "count=0"]);
        ensure!(dd.stderr(Stdio::null()).status()?.success(), "dd can't forget a file");
    }
    Ok(())
}

/// A process of the same program that ends at once, and the bytes that a start
/// reads.
fn start_and_read(binary: &str, dir: &Path) -> anyhow::Result<Duration> {
    forget(dir)?;
    let begun = Instant::now();
    let done =
        Command::new(binary).args(["part-node", "--version"]).stdout(Stdio::null()).status()?;
    ensure!(done.success(), "the program does not start");
    for file in files(dir)? {
        fs::read(file)?;
    }
    Ok(begun.elapsed())
}

/// So many bytes over loopback.
fn transfer(bytes: u64) -> anyhow::Result<Duration> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let bytes = usize::try_from(bytes)?;
    let begun = Instant::now();
    let sending = thread::spawn(move || TcpStream::connect(address)?.write_all(&vec![7; bytes]));
    let mut received = Vec::with_capacity(bytes);
    listener.accept()?.0.read_to_end(&mut received)?;
    let took = begun.elapsed();
    sending.join().map_err(|_| anyhow::anyhow!("the sender failed"))??;
    ensure!(received.len() == bytes, "bytes are missing");
    Ok(took)
}

/// The records of the village in `dir` into a store of their own, one key
/// each.
fn write(dir: &Path, node: &NodeProcess, folder: &Path) -> anyhow::Result<Duration> {
    let village = Village::open(dir, node.village)?;
    let (_, living) = village.barn().living()?;
    let store = SledStore::open(&folder.join("mentah"))?.0;
    let begun = Instant::now();
    for records in living.chunks(TOGETHER) {
        let mut batch = WriteBatch::default();
        for record in records {
            let content = record.content().context("it lives")?;
            batch.put(record.entry.header.id.0.to_vec(), content.to_vec());
        }
        store.apply(batch)?;
        store.sync()?;
    }
    let took = begun.elapsed();
    village.close();
    Ok(took)
}

fn middle_and_worst(times: &mut [Duration]) -> (Duration, Duration) {
    times.sort();
    let worst = times.last().copied().unwrap_or_default();
    (times.get(times.len() / 2).copied().unwrap_or_default(), worst)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
