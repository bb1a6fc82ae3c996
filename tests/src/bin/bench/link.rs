//! What a joined village's link carries, counted by a proxy between node and
//! hub: everything inside TCP, TLS included.
//!
//! (f) one changed record on a warm session; (g) the first pull of a village
//! of 5,000 residents over a mobile link, and over one as fast as it goes;
//! (h) the same over 64 kbit/s with 600 ms round trip, broken every 30 s, in
//! real time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use lumbung_demo::population;
use lumbung_demo::ports::free_address;
use lumbung_domain::id::Kind;
use lumbung_domain::region::roster;
use lumbung_ledger::Source;
use lumbung_node::barn::{Expected, Submission};
use lumbung_node::village::{Village, change};
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::proxy::{Conditions, Crossed, Proxy};
use lumbung_tests::receivers::measured;
use lumbung_wire::record as wire;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Residents of the village.
const RESIDENTS: u32 = 5_000;

/// Changed records that (f) averages over.
const EDITS: u32 = 200;

/// Who makes them: a name as people choose it, and one of the greatest length.
/// Each with the seed of their edits.
const CLERKS: [(&str, u64); 2] = [("uji", 7), ("Rahayu Kusumaningtyas Wd", 8)];

/// The links of (g).
const MOBILE: (u64, Duration) = (1_000_000, Duration::from_millis(80));
const FAST: &str = "as fast as it goes";

/// The link of (h).
const RATE_BITS: u64 = 64_000;
const ROUND_TRIP: Duration = Duration::from_millis(600);
const CUT_EVERY: Duration = Duration::from_secs(30);

/// Nothing here takes longer.
const WITHIN: Duration = Duration::from_secs(600);

/// A hub and a village that has joined it through a proxy.
struct Line {
    district: District,
    proxy: Proxy,
    records: u64,
    /// Where the hub shows what it measures.
    metrics: SocketAddr,
}

impl Line {
    /// The node's folder is filled and the node stands still.
    async fn new() -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.display().to_string();
        let mut district = District::new(&binary, 0)?;
        let metrics = free_address()?;
        district.hub.arguments = vec!["--metrics".to_owned(), metrics.to_string()];
        district.hub.start().await?;
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let proxy = Proxy::start(any, district.hub.uplink, Conditions::default()).await?;
        let code = roster().villages()[0].code;
        let node = district.node(&binary, code)?;
        let token = district.hub.token(code, district.hub.uplink, false)?;
        node.join(&token, proxy.address).await?;
        let records = tokio::task::block_in_place(|| fill(node.dir()))?;
        district.nodes.push(node);
        Ok(Self { district, proxy, records, metrics })
    }

    /// Starts the node and waits until everything is proven equal and the
    /// node knows; what crossed meanwhile.
    async fn pull(&mut self) -> anyhow::Result<(Crossed, Duration)> {
        let before = self.proxy.crossed();
        let begun = Instant::now();
        self.district.nodes[0].start().await?;
        self.district.wait_proven(WITHIN).await?;
        let took = begun.elapsed();
        self.settle().await?;
        Ok((since(self.proxy.crossed(), before), took))
    }

    /// Waits until the node knows that the hub has everything.
    async fn settle(&self) -> anyhow::Result<()> {
        let node = &self.district.nodes[0];
        wait_until(WITHIN, "everything is confirmed", async || {
            let status = node.status().await?;
            Ok(status["confirmed_seq"] == status["seq"])
        })
        .await
    }
}

pub(crate) fn fill(dir: &std::path::Path) -> anyhow::Result<u64> {
    let code = roster().villages()[0].code;
    let mut plans = population::plans(3505, 1.0);
    let plan = plans.iter_mut().find(|plan| plan.code == code).context("the village's plan")?;
    plan.residents = RESIDENTS;
    let village = Village::open(dir, code)?;
    let now = clock::now_ms();
    let mut mint = || village.mint().next(now);
    let records = population::village(plan, clock::today(), &mut mint);
    for step in records.chunks(1_024) {
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
    Ok(records.len() as u64)
}

fn since(now: Crossed, before: Crossed) -> Crossed {
    Crossed {
        connections: now.connections - before.connections,
        cuts: now.cuts - before.cuts,
        there_bytes: now.there_bytes - before.there_bytes,
        back_bytes: now.back_bytes - before.back_bytes,
    }
}

const fn both(crossed: Crossed) -> u64 {
    crossed.there_bytes + crossed.back_bytes
}

pub(crate) async fn measure(wanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let mut line = Line::new().await?;
    line.proxy.set(Conditions::slow(MOBILE.0, MOBILE.1));
    let name = format!("{} kbit/s, {} ms round trip", MOBILE.0 / 1_000, MOBILE.1.as_millis());
    let whole = first_pull(&mut line, &name).await?;
    line.district.stop().await?;
    let mut line = Line::new().await?;
    first_pull(&mut line, FAST).await?;
    if wanted("f") {
        for (clerk, seed) in CLERKS {
            lone_changes(&mut line, clerk, seed).await?;
        }
    }
    line.district.stop().await?;
    drop(line);
    if wanted("h") {
        slow(both(whole)).await?;
    }
    Ok(())
}

async fn first_pull(line: &mut Line, link: &str) -> anyhow::Result<Crossed> {
    let (whole, took) = line.pull().await?;
    let records = line.records as f64;
    println!("(g) first pull of {RESIDENTS} residents, {records} records, with TLS: {link}");
    println!("    from the node          {:>10} bytes", whole.there_bytes);
    println!("    to the node            {:>10} bytes", whole.back_bytes);
    println!("    both                   {:>10} bytes", both(whole));
    println!("    a record               {:>10.1} bytes", both(whole) as f64 / records);
    println!("    from the node's start  {:>10.2} s\n", took.as_secs_f64());
    Ok(whole)
}

async fn lone_changes(line: &mut Line, clerk: &str, seed: u64) -> anyhow::Result<()> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut client = line.district.nodes[0].client().await?;
    let list = v1::ListRequest { kind: u32::from(Kind::Warga.code().0), limit: EDITS };
    let mut listed = client.list(list).await?.into_inner();
    let (mut sum, mut most, mut edits) = (Crossed::default(), 0, 0_u64);
    while let Some(item) = listed.message().await? {
        let record = wire::decode(Kind::Warga, &item.payload)?;
        let edited = population::edit(&mut dice, &record, clock::today());
        let change = v1::RecordChange {
            id: item.id,
            kind: item.kind,
            delete: false,
            payload: wire::encode(&edited),
        };
        let before = line.proxy.crossed();
        let (actor, changes) = (clerk.to_owned(), vec![change]);
        let request = v1::SaveRequest { actor, changes, ..v1::SaveRequest::default() };
        let saved = line.district.nodes[0].client().await?.save(request).await?.into_inner();
        anyhow::ensure!(!saved.refused, "an edit was refused");
        line.settle().await?;
        let crossed = since(line.proxy.crossed(), before);
        if both(crossed) == 0 {
            continue; // The edit changed nothing.
        }
        edits += 1;
        most = most.max(both(crossed));
        sum.there_bytes += crossed.there_bytes;
        sum.back_bytes += crossed.back_bytes;
    }
    let average = |bytes: u64| bytes as f64 / edits.max(1) as f64;
    println!("(f) one changed resident on a warm session, {edits} edits, with TLS");
    println!("    the clerk's name has   {:>10} letters", clerk.chars().count());
    println!("    from the node          {:>10.1} bytes", average(sum.there_bytes));
    println!("    to the node            {:>10.1} bytes", average(sum.back_bytes));
    println!("    both                   {:>10.1} bytes", average(both(sum)));
    println!("    the largest            {most:>10} bytes\n");
    Ok(())
}

async fn slow(whole_bytes: u64) -> anyhow::Result<()> {
    let mut line = Line::new().await?;
    let cut_every = Some(CUT_EVERY);
    line.proxy.set(Conditions { cut_every, ..Conditions::slow(RATE_BITS, ROUND_TRIP) });
    let (crossed, took) = line.pull().await?;
    println!(
        "(h) the same over {} kbit/s, {} ms round trip, cut every {} s, in real time",
        RATE_BITS / 1_000,
        ROUND_TRIP.as_millis(),
        CUT_EVERY.as_secs()
    );
    println!("    merged and proven in   {:>10.1} s", took.as_secs_f64());
    println!("    connections, cuts      {:>10} {}", crossed.connections, crossed.cuts);
    let again = |cut: &str| format!("lumbung_hub_batches_again_total{{cut=\"{cut}\"}}");
    let torn = measured(line.metrics, &again("torn")).await?;
    let twice = measured(line.metrics, &again("whole")).await?;
    println!("    batches sent again     {torn:>10} torn, {twice} whole");
    println!("    both ways              {:>10} bytes", both(crossed));
    let more = both(crossed) as f64 - whole_bytes as f64;
    println!("    more than uncut        {more:>10} bytes\n");
    line.district.stop().await
}
